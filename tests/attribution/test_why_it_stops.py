"""Every trace that stops says why, and a session answers for the time that its records show."""

from __future__ import annotations

from dataclasses import replace

import pytest

from netaudit.attribution import walk_back
from netaudit.attribution.trace import Outcome, Reach, Reason
from netaudit.config import Settings
from netaudit.records.evidence import Evidence
from tests.attribution.conftest import PUBLIC, SETTINGS, entry

PHONE = "da:8b:b7:77:f6:ad"
OFFICE, HALL, STRANGE = "10.1.0.50", "10.2.0.9", "1.2.3.4"
HOUR = 3_600


def hop(trace, name):
    return next(h for h in trace.hops if h.hop == name)


def air(message, ts, mac=PHONE, **more):
    return {"message": message, "ts": ts, "client_mac": mac, "nas_port": "wlan1", "ssid": "GUEST"} | more


def lease(ts, mac=PHONE, ip=OFFICE):
    return {"message": "ack", "ts": ts, "client_mac": mac, "client_ip": ip, "lease_s": 600}


CLOSING = (("disconnected", 0), ("disassociated", 0), ("deauthenticated", 1))
"""What hostapd writes at the end of one session, and how much later."""


@pytest.fixture
def visit(make_logs):
    """One session of half an hour; the access point writes three lines as it closes."""
    rows = [air("associated", 0), air("connected", 1)]
    return make_logs(wlan=rows + [air(word, 1_800 + late) for word, late in CLOSING])


def test_closing_lines_are_one_end(visit, ask):
    found = hop(walk_back(ask(600, mac=PHONE), visit), "station")
    assert (found.outcome, found.skew_stable_s) == (Outcome.HELD, (-600.0, 1_200.0))
    assert found.candidates[0].evidence == (Evidence("file-wlan", 1), Evidence("file-wlan", 3))


@pytest.mark.parametrize("at", [-8 * HOUR, -300, 1_800 + 300, 8 * HOUR])
def test_nobody_is_there_before_and_after_a_visit(visit, ask, at):
    found = hop(walk_back(ask(at, mac=PHONE), visit), "station")
    assert (found.outcome, found.candidates) == (Outcome.MISSING, ())


def test_a_stop_that_is_sent_again_is_one_stop(make_logs, ask):
    said = {"session": "S1", "account": "lisi"}
    rows = [air("start", 0, **said), air("stop", 600, **said), air("stop", 605, **said)]
    found = hop(walk_back(ask(605, mac=PHONE, skew_s=2), make_logs(radius=rows)), "station")
    assert found.outcome is Outcome.MISSING


def test_an_end_closes_the_session_of_its_own_radio(make_logs, ask):
    rows = [
        air("associated", 0, nas_port="wlan0"),
        air("associated", 600),
        air("deauthenticated", 630, nas_port="wlan0"),
        air("deauthenticated", 5_000),
    ]
    found = hop(walk_back(ask(3_000, mac=PHONE), make_logs(wlan=rows)), "station")
    assert (found.outcome, dict(found.candidates[0].details)["nas_port"]) == (Outcome.HELD, "wlan1")
    assert found.candidates[0].start is not None


def test_a_session_without_its_start_is_an_answer_near_its_end_only(make_logs, ask):
    logs = make_logs(wlan=[air("disconnected", 0)])
    near = hop(walk_back(ask(-300, mac=PHONE), logs), "station")
    assert (near.outcome, near.candidates[0].start) == (Outcome.HELD, None)
    assert near.skew_stable_s == (-300.0, 300.0)
    trace = walk_back(ask(-8 * HOUR, mac=PHONE), logs)
    lead = hop(trace, "station")
    assert (lead.outcome, [c.value for c in lead.candidates]) == (Outcome.NOT_COVERED, [PHONE])
    assert "beginning is in no log" in lead.candidates[0].why
    assert Reason.LOG_GAP in trace.reasons
    assert trace.place == ()


def test_the_address_of_a_session_without_its_start_is_no_lease_far_from_it(make_logs, ask):
    rows = [air("stop", 0, client_ip=OFFICE, account="lisi", session="S1")]
    trace = walk_back(ask(-8 * HOUR, client_ip=OFFICE), make_logs(radius=rows))
    assert hop(trace, "lease").candidates == ()
    assert hop(trace, "station").outcome is Outcome.NOT_COVERED
    assert [c.value for c in hop(trace, "station").candidates] == ["lisi"]
    assert trace.reach is Reach.ADDRESS


def test_a_login_without_beginning_and_end_says_both(make_logs, ask):
    logs = make_logs(wlan=[air("identity", 0, account="lisi")])
    found = hop(walk_back(ask(0, mac=PHONE), logs), "station")
    assert (found.candidates[0].start, found.candidates[0].end) == (None, None)
    assert "neither its beginning nor its end" in found.candidates[0].why


def test_a_segment_without_a_log_of_accesses_has_no_accounting(make_logs, ask):
    ledger = [entry("dhcp", -HOUR, HOUR), replace(entry("wlan", -HOUR, HOUR), segments=("hall",))]
    logs = make_logs(ledger=ledger, dhcp=[lease(0), lease(0, ip=HALL)], wlan=[air("associated", 0)])
    wired = walk_back(ask(60, client_ip="10.1.0.51"), logs)
    assert hop(wired, "station").outcome is Outcome.NOT_COVERED
    assert (Reason.NO_ACCT in wired.reasons, Reason.LOG_GAP in wired.reasons) == (True, False)
    late = walk_back(ask(9 * HOUR, client_ip=HALL), logs)
    assert hop(late, "station").outcome is Outcome.NOT_COVERED
    assert Reason.LOG_GAP in late.reasons


def test_a_log_of_translations_of_other_segments_is_none(make_logs, ask, nat_row):
    behind = replace(SETTINGS, segment=tuple(replace(s, egress=PUBLIC) for s in SETTINGS.segment))
    ledger = [replace(entry("nat", -HOUR, HOUR), segments=("elsewhere",))]
    logs = make_logs(behind, ledger, nat=[nat_row("new", 0, OFFICE, public_ip="203.0.113.6")])
    trace = walk_back(ask(0, public_ip=PUBLIC, port=1), logs)
    assert (trace.hops[0].outcome, trace.reasons) == (Outcome.NOT_COVERED, (Reason.NO_NATLOG,))


def test_no_translation_of_that_transport(make_logs, ask, nat_row):
    logs = make_logs(nat=[nat_row("new", 0, OFFICE), nat_row("destroy", 10, OFFICE)])
    trace = walk_back(ask(5, public_ip=PUBLIC, port=20500, transport="udp"), logs)
    assert (trace.hops[0].outcome, trace.reasons) == (Outcome.MISSING, (Reason.NO_NATLOG,))


@pytest.mark.parametrize(("at", "near"), [(8 * HOUR, True), (30 * HOUR, False)])
def test_a_translation_within_a_day_hints_at_the_clocks(make_logs, ask, nat_row, at, near):
    rows = [nat_row("new", 0, OFFICE), nat_row("destroy", 10, OFFICE)]
    logs = make_logs(ledger=[entry("nat", -HOUR, 40 * HOUR)], nat=rows)
    trace = walk_back(ask(at, public_ip=PUBLIC, port=20500), logs)
    assert trace.hops[0].outcome is Outcome.MISSING
    assert trace.reasons == ((Reason.NO_NATLOG, Reason.CLOCK) if near else (Reason.NO_NATLOG,))


def test_no_lease_in_a_whole_log_was_set_by_hand(make_logs, ask):
    trace = walk_back(ask(0, client_ip="10.1.0.51"), make_logs(dhcp=[lease(0)]))
    assert hop(trace, "lease").outcome is Outcome.MISSING
    assert trace.reasons[0] is Reason.STATIC_IP


def test_no_session_in_a_whole_log_names_nobody(make_logs, ask):
    trace = walk_back(ask(0, client_ip=OFFICE), make_logs(dhcp=[lease(0)], wlan=[air("associated", 9_000)]))
    assert hop(trace, "station").outcome is Outcome.MISSING
    assert Reason.NO_ACCT in trace.reasons


def test_a_strange_address_is_not_ours(make_logs, ask):
    trace = walk_back(ask(0, client_ip=STRANGE), make_logs(dhcp=[lease(0)]))
    assert (trace.hops, trace.reach, trace.reasons) == ((), Reach.NOTHING, (Reason.NOT_OURS,))


@pytest.mark.parametrize("address", ["192.168.99.9", "fe80::1", PUBLIC, OFFICE])
def test_what_may_be_inside_is_asked_for(make_logs, ask, address):
    trace = walk_back(ask(0, client_ip=address), make_logs(dhcp=[lease(0)]))
    assert (bool(trace.hops), Reason.NOT_OURS in trace.reasons) == (True, False)


def test_a_public_address_that_a_log_knows_inside_is_ours(make_logs, ask):
    trace = walk_back(ask(0, client_ip=STRANGE), make_logs(dhcp=[lease(0, ip=STRANGE)]))
    assert hop(trace, "lease").outcome is Outcome.HELD


def test_without_a_plan_no_address_is_strange(make_logs, ask):
    trace = walk_back(ask(0, client_ip=STRANGE), make_logs(Settings(), dhcp=[lease(0)]))
    assert trace.reach is Reach.ADDRESS
