from __future__ import annotations

from dataclasses import replace

import pytest

from netaudit.attribution import walk_back, walk_back_all
from netaudit.attribution.hops.nat import LAYERS
from netaudit.attribution.trace import Outcome, Reach, Reason
from netaudit.config import Settings, Source
from netaudit.records.evidence import Evidence

PUBLIC = "203.0.113.5"
A, B, C = "10.1.0.11", "10.1.0.12", "10.1.0.13"


def values(hop):
    return [candidate.value for candidate in hop.candidates]


@pytest.fixture
def reused(make_logs, nat_row):
    """One port, three hosts, one after the other: A at 0-10, B at 200-210, C at 230 without end."""
    return make_logs(
        nat=[
            nat_row("new", 0, A),
            nat_row("destroy", 10, A),
            nat_row("new", 200, B, session="2"),
            nat_row("destroy", 210, B, session="2"),
            nat_row("new", 230, C, session="3"),
        ]
    )


def test_one_host_holds(reused, ask):
    trace = walk_back(ask(5, public_ip=PUBLIC, port=20500, skew_s=60), reused)
    hop = trace.hops[0]
    assert (hop.outcome, values(hop), hop.asked) == (Outcome.HELD, [A], f"{PUBLIC}:20500")
    assert hop.skew_stable_s == (-5.0, 5.0)
    assert hop.candidates[0].evidence == (Evidence("file-nat", 1), Evidence("file-nat", 2))
    assert dict(hop.candidates[0].details)["destination"] == "198.51.100.7:443"
    assert trace.reach is Reach.ADDRESS
    assert ("segment", "office") in trace.place


def test_found_only_within_the_clock_error_says_how_far_away(reused, ask):
    hop = walk_back(ask(30, public_ip=PUBLIC, port=20500, skew_s=60), reused).hops[0]
    assert hop.outcome is Outcome.HELD
    assert hop.skew_stable_s == (-30.0, -20.0)
    assert "clocks differ" in hop.candidates[0].why


def test_neighbours_within_the_clock_error_are_ambiguous(reused, ask):
    trace = walk_back(ask(205, public_ip=PUBLIC, port=20500, skew_s=60), reused)
    assert (trace.hops[0].outcome, values(trace.hops[0])) == (Outcome.AMBIGUOUS, [B, C])
    assert trace.reasons == (Reason.NAT_AMBIGUOUS, Reason.CLOCK)
    assert trace.reach is Reach.NOTHING
    assert trace.place == (("segment", "office"),)
    assert len(trace.hops) == 1


def test_a_missing_end_is_open_up_to_a_cap_and_says_so(reused, ask):
    hop = walk_back(ask(3_600, public_ip=PUBLIC, port=20500), reused).hops[0]
    assert (hop.outcome, values(hop), hop.candidates[0].end) == (Outcome.HELD, [C], None)
    assert "its end is in no log" in hop.candidates[0].why


def test_a_udp_session_without_end_is_not_open_for_hours(make_logs, nat_row, ask):
    logs = make_logs(nat=[nat_row("new", 0, A, transport="udp")])
    assert walk_back(ask(179, public_ip=PUBLIC, port=20500, skew_s=0), logs).hops[0].outcome is Outcome.HELD
    assert (
        walk_back(ask(181, public_ip=PUBLIC, port=20500, skew_s=0), logs).hops[0].outcome is Outcome.MISSING
    )


def test_the_next_user_of_a_tuple_ends_the_one_before(make_logs, nat_row, ask):
    logs = make_logs(nat=[nat_row("new", 0, A), nat_row("new", 1_000, B, session="2")])
    hop = walk_back(ask(2_000, public_ip=PUBLIC, port=20500), logs).hops[0]
    assert (hop.outcome, values(hop)) == (Outcome.HELD, [B])


def test_an_id_that_is_used_again_is_joined_in_order(make_logs, nat_row, ask):
    logs = make_logs(
        nat=[
            nat_row("new", 0, A),
            nat_row("destroy", 10, A),
            nat_row("new", 100, A),
            nat_row("destroy", 110, A),
        ]
    )
    assert (
        walk_back(ask(50, public_ip=PUBLIC, port=20500, skew_s=5), logs).hops[0].outcome is Outcome.MISSING
    )


def test_an_end_without_beginning_counts_back_to_the_cap(make_logs, nat_row, ask):
    logs = make_logs(nat=[nat_row("destroy", 100, A, transport="udp")])
    hop = walk_back(ask(0, public_ip=PUBLIC, port=20500, skew_s=0), logs).hops[0]
    assert (hop.outcome, hop.candidates[0].start) == (Outcome.HELD, None)
    assert "beginning is in no log" in hop.candidates[0].why


def test_an_end_that_names_no_public_side_is_joined_by_its_id(make_logs, nat_row, ask):
    logs = make_logs(
        nat=[nat_row("built", 0, A), nat_row("teardown", 50, A, public_ip=None, public_port=None)]
    )
    held = walk_back(ask(40, public_ip=PUBLIC, port=20500, skew_s=0), logs).hops[0]
    after = walk_back(ask(60, public_ip=PUBLIC, port=20500, skew_s=0), logs).hops[0]
    assert (held.outcome, after.outcome) == (Outcome.HELD, Outcome.MISSING)


def test_one_port_lent_to_two_at_once_needs_the_destination(make_logs, nat_row, ask):
    logs = make_logs(
        nat=[
            nat_row("new", 0, A),
            nat_row("destroy", 100, A),
            nat_row("new", 0, B, session="2", server_ip="198.51.100.8"),
            nat_row("destroy", 100, B, session="2", server_ip="198.51.100.8"),
        ]
    )
    blind = walk_back(ask(50, public_ip=PUBLIC, port=20500), logs)
    assert blind.hops[0].outcome is Outcome.AMBIGUOUS
    assert blind.reasons == (Reason.NAT_AMBIGUOUS,)
    seen = walk_back(ask(50, public_ip=PUBLIC, port=20500, dst_ip="198.51.100.8"), logs).hops[0]
    assert (seen.outcome, values(seen)) == (Outcome.HELD, [B])


def test_what_names_the_destination_comes_before_what_names_none(make_logs, nat_row, ask):
    logs = make_logs(
        nat=[
            nat_row("new", 0, A, server_ip=None, server_port=None),
            nat_row("new", 1, B, session="2"),
        ]
    )
    hop = walk_back(ask(50, public_ip=PUBLIC, port=20500, dst_ip="198.51.100.7"), logs).hops[0]
    assert (hop.outcome, values(hop)) == (Outcome.AMBIGUOUS, [B, A])


def test_without_a_port_all_hosts_to_the_destination_are_candidates(make_logs, nat_row, ask):
    logs = make_logs(
        nat=[
            nat_row("new", 0, A, 1001),
            nat_row("new", 5, A, 1002, session="2"),
            nat_row("new", 9, B, 1003, session="3"),
            nat_row("new", 9, C, 1004, session="4", server_ip="198.51.100.9"),
        ]
    )
    trace = walk_back(ask(10, public_ip=PUBLIC, dst_ip="198.51.100.7"), logs)
    assert sorted(values(trace.hops[0])) == [A, B]
    assert {dict(c.details)["sessions"] for c in trace.hops[0].candidates} == {"1", "2"}
    assert Reason.NO_PORT in trace.reasons


def test_a_block_of_ports_is_one_subscribers(make_logs, ask):
    block = {"message": "block allocated", "public_ip": PUBLIC, "transport": "", "session": None}
    logs = make_logs(
        nat=[
            block | {"ts": 0, "client_ip": A, "public_port": 1024, "public_port_end": 2047},
            block | {"ts": 1, "client_ip": A, "public_port": 4096, "public_port_end": 5119},
            block | {"ts": 0, "client_ip": B, "public_port": 2048, "public_port_end": 3071},
            block
            | {
                "ts": 60,
                "client_ip": A,
                "public_port": 1024,
                "public_port_end": 2047,
                "message": "block freed",
            },
            block | {"ts": 70, "client_ip": C, "public_port": 1024, "public_port_end": 2047},
        ]
    )

    def who(at, port):
        return values(walk_back(ask(at, public_ip=PUBLIC, port=port, skew_s=1), logs).hops[0])

    assert [who(30, 2047), who(30, 2048), who(30, 5000), who(90, 1500), who(90, 5000)] == [
        [A],
        [B],
        [A],
        [C],
        [A],
    ]
    assert who(30, 3072) == []


def test_what_was_denied_is_no_translation(make_logs, nat_row, ask):
    logs = make_logs(nat=[nat_row("session", 0, A, action="deny")])
    assert walk_back(ask(0, public_ip=PUBLIC, port=20500), logs).hops[0].outcome is Outcome.MISSING


def test_not_ours_stops_at_once(reused, ask):
    trace = walk_back(ask(5, public_ip="198.51.100.99", port=20500), reused)
    assert (trace.hops, trace.reach, trace.reasons) == ((), Reach.NOTHING, (Reason.NOT_OURS,))


def test_no_log_at_all(make_logs, ask):
    trace = walk_back(ask(0, public_ip=PUBLIC, port=1), make_logs())
    assert (trace.hops[0].outcome, trace.reasons) == (Outcome.NOT_COVERED, (Reason.NO_NATLOG,))


def test_outside_of_the_log_is_a_gap_or_past_its_retention(make_logs, nat_row, ask):
    rows = [nat_row("new", 0, A), nat_row("destroy", 1, A)]
    question = ask(-86_400 * 30, public_ip=PUBLIC, port=20500)
    trace = walk_back(question, make_logs(nat=rows))
    assert (trace.hops[0].outcome, trace.reasons) == (Outcome.NOT_COVERED, (Reason.LOG_GAP,))
    kept = replace(Settings(), source=(Source("nat.log", role="nat", retention_days=7),))
    assert walk_back(question, make_logs(settings=kept, nat=rows)).reasons == (Reason.RETENTION_EXPIRED,)


def test_two_layers_of_translation(make_logs, nat_row, ask):
    inner = nat_row("new", 0, A, public_ip="10.1.0.200", port=5000, session="9")
    logs = make_logs(nat=[nat_row("new", 0, "10.1.0.200"), inner])
    trace = walk_back(ask(5, public_ip=PUBLIC, port=20500), logs)
    assert [values(hop) for hop in trace.hops[:2]] == [["10.1.0.200"], [A]]
    assert trace.hops[1].asked == "10.1.0.200:5000"


def test_the_inner_layer_is_not_in_the_log(make_logs, nat_row, ask):
    other = nat_row("new", 0, A, public_ip="10.1.0.200", port=5001, session="9")
    trace = walk_back(
        ask(5, public_ip=PUBLIC, port=20500), make_logs(nat=[nat_row("new", 0, "10.1.0.200"), other])
    )
    assert (values(trace.hops[0]), trace.hops[1].outcome) == (["10.1.0.200"], Outcome.MISSING)
    assert trace.reasons == (Reason.UPSTREAM_NAT, Reason.NO_NATLOG)
    assert trace.reach is Reach.ADDRESS


def test_devices_that_translate_in_a_ring_end_the_walk(make_logs, nat_row, ask):
    ring = [
        nat_row("new", 0, "10.1.0.200", public_ip="10.1.0.201", port=5000, session="2"),
        nat_row("new", 0, "10.1.0.201", public_ip="10.1.0.200", port=5000, session="3"),
    ]
    trace = walk_back(
        ask(5, public_ip=PUBLIC, port=20500), make_logs(nat=[nat_row("new", 0, "10.1.0.200"), *ring])
    )
    assert len(trace.hops) == LAYERS
    assert trace.reasons[-1] is Reason.UPSTREAM_NAT


def test_a_translation_to_private_addresses_only_lies_behind_another(make_logs, nat_row, ask):
    logs = make_logs(nat=[nat_row("new", 0, A, public_ip="100.64.0.9")])
    trace = walk_back(ask(5, public_ip=PUBLIC, port=20500), logs)
    assert (trace.hops[0].outcome, trace.reasons) == (Outcome.MISSING, (Reason.UPSTREAM_NAT,))


def test_sites_are_never_mixed(make_logs, nat_row, ask):
    logs = make_logs(
        nat=[nat_row("new", 0, A, site="north"), nat_row("new", 0, A, site="south", session="2")]
    )
    both = walk_back(ask(5, public_ip=PUBLIC, port=20500), logs).hops[0]
    assert both.outcome is Outcome.AMBIGUOUS
    assert [dict(c.details)["site"] for c in both.candidates] == ["north", "south"]
    north = walk_back(ask(5, public_ip=PUBLIC, port=20500, site="north"), logs).hops[0]
    assert north.outcome is Outcome.HELD
    assert walk_back(ask(5, public_ip=PUBLIC, port=20500, site="west"), logs).hops[0].candidates == ()


def test_all_keeps_the_order_of_the_questions(reused, ask):
    questions = [ask(at, public_ip=PUBLIC, port=20500, skew_s=0) for at in (205, 5, 205)]
    assert [values(t.hops[0]) for t in walk_back_all(questions, reused)] == [[B], [A], [B]]


def test_the_order_of_the_records_changes_nothing(make_logs, nat_row, ask):
    rows = [
        nat_row("new", 0, A),
        nat_row("destroy", 10, A),
        nat_row("new", 200, B, session="2"),
        nat_row("destroy", 210, B, session="2"),
    ]
    question = ask(5, public_ip=PUBLIC, port=20500, skew_s=1_000)
    there, back = (walk_back(question, make_logs(nat=r)).hops[0] for r in (rows, rows[::-1]))
    assert [replace(c, evidence=()) for c in there.candidates] == [
        replace(c, evidence=()) for c in back.candidates
    ]


def test_an_entry_of_a_table_tells_of_its_moments_only(make_logs, nat_row, ask):
    logs = make_logs(nat=[nat_row("entry", 0, A), nat_row("entry", 60, A)])
    outcomes = [
        walk_back(ask(at, public_ip=PUBLIC, port=20500, skew_s=5), logs).hops[0].outcome
        for at in (-9, 30, 70)
    ]
    assert outcomes == [Outcome.MISSING, Outcome.HELD, Outcome.MISSING]
