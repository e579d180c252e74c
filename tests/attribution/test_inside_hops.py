from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from netaudit.attribution import walk_back
from netaudit.attribution.trace import Outcome, Reach, Reason
from netaudit.config import Settings, Wireless
from netaudit.records.addresses import parse_ip, parse_mac

SETTINGS = Settings()

IP = "10.1.0.50"
ONE, TWO, RANDOM = "52:54:00:aa:00:01", "50:54:00:aa:00:02", "02:00:00:00:00:77"
MAKER = "00:1c:42:00:00:01"
OTHER = "00:1c:42:00:00:02"


def hop(trace, name):
    return next(h for h in trace.hops if h.hop == name)


def lease(message, ts, mac=MAKER, ip=IP, **more):
    return {"message": message, "ts": ts, "client_mac": mac, "client_ip": ip} | more


def session(message, ts, mac=MAKER, **more):
    return {
        "message": message,
        "ts": ts,
        "client_mac": mac,
        "nas": "10.9.0.2",
        "session": "S1",
        "account": "lisi",
    } | more


def test_renewals_are_one_lease_with_its_ends(make_logs, ask):
    logs = make_logs(dhcp=[lease("ack", 0, lease_s=600, hostname="pc"), lease("ack", 300, lease_s=600)])
    found = hop(walk_back(ask(800, client_ip=IP), logs), "lease")
    assert (found.outcome, found.candidates[0].value) == (Outcome.HELD, MAKER)
    assert found.skew_stable_s == (-800.0, 100.0)
    assert dict(found.candidates[0].details) == {"hostname": "pc", "source": "dhcp"}
    assert hop(walk_back(ask(1_100, client_ip=IP), logs), "lease").outcome is Outcome.MISSING


def test_a_release_ends_a_lease(make_logs, ask):
    logs = make_logs(dhcp=[lease("ack", 0, lease_s=6_000), lease("release", 100)])
    assert hop(walk_back(ask(300, client_ip=IP), logs), "lease").outcome is Outcome.MISSING
    assert hop(walk_back(ask(90, client_ip=IP), logs), "lease").outcome is Outcome.HELD


def test_a_store_that_says_free_cuts_its_own_lease_only(make_logs, ask):
    logs = make_logs(
        dhcp=[
            lease("active", 0, ts_end=3_600),
            lease("free", 0, ts_end=100),
            lease("active", 1_000, ts_end=4_600),
        ]
    )
    outcomes = [
        hop(walk_back(ask(at, client_ip=IP, skew_s=0), logs), "lease").outcome for at in (50, 500, 2_000)
    ]
    assert outcomes == [Outcome.HELD, Outcome.MISSING, Outcome.HELD]


def test_another_mac_while_the_lease_runs_is_a_conflict(make_logs, ask):
    logs = make_logs(dhcp=[lease("ack", 0, lease_s=6_000), lease("ack", 1_000, OTHER, lease_s=6_000)])
    trace = walk_back(ask(2_000, client_ip=IP), logs)
    assert hop(trace, "lease").outcome is Outcome.AMBIGUOUS
    assert {c.value for c in hop(trace, "lease").candidates} == {MAKER, OTHER}
    assert (trace.reasons, trace.reach) == ((Reason.LEASE_CONFLICT,), Reach.ADDRESS)
    assert hop(walk_back(ask(500, client_ip=IP), logs), "lease").outcome is Outcome.HELD


def test_a_lease_of_unknown_length_gives_way(make_logs, ask):
    logs = make_logs(dhcp=[lease("ack", 0), lease("ack", 1_000, OTHER)])
    found = hop(walk_back(ask(2_000, client_ip=IP), logs), "lease")
    assert [c.value for c in found.candidates] == [OTHER]
    trace = walk_back(ask(1_050, client_ip=IP), logs)
    assert hop(trace, "lease").outcome is Outcome.AMBIGUOUS
    assert trace.reasons == (Reason.CLOCK,)


def test_a_store_without_beginnings_proves_nothing(make_logs, ask):
    logs = make_logs(dhcp=[lease("lease", None, ts_end=40_000)])
    trace = walk_back(ask(0, client_ip=IP), logs)
    found = hop(trace, "lease")
    assert (found.outcome, [c.value for c in found.candidates]) == (Outcome.NOT_COVERED, [MAKER])
    assert Reason.LOG_GAP in trace.reasons


def test_sites_with_the_same_addresses_are_ambiguous(make_logs, ask):
    logs = make_logs(
        dhcp=[
            lease("ack", 0, lease_s=6_000, site="north"),
            lease("ack", 0, OTHER, lease_s=6_000, site="south"),
        ]
    )
    assert hop(walk_back(ask(9, client_ip=IP), logs), "lease").outcome is Outcome.AMBIGUOUS
    found = hop(walk_back(ask(9, client_ip=IP, site="south"), logs), "lease")
    assert [c.value for c in found.candidates] == [OTHER]


def test_sources_that_agree_are_one_answer_and_those_that_differ_two(make_logs, ask):
    rows = [lease("ack", 0, lease_s=6_000)]
    agree = make_logs(dhcp=rows, arp=[lease(None, 100)])
    found = hop(walk_back(ask(100, client_ip=IP), agree), "lease")
    assert (found.outcome, dict(found.candidates[0].details)["source"]) == (Outcome.HELD, "arp dhcp")
    differ = make_logs(dhcp=rows, arp=[lease(None, 100, OTHER)])
    trace = walk_back(ask(100, client_ip=IP), differ)
    assert Reason.LEASE_CONFLICT in trace.reasons


def test_a_static_address_is_what_is_declared(make_logs, ask):
    asset = {"ip": "10.1.0.200", "asset": "SRV-1", "owner": "Li"}
    logs = make_logs(dhcp=[lease("ack", 0)], asset=[asset])
    trace = walk_back(ask(0, client_ip="10.1.0.200"), logs)
    assert hop(trace, "lease").outcome is Outcome.MISSING
    assert Reason.STATIC_IP in trace.reasons
    assert (hop(trace, "asset").candidates[0].value, trace.reach) == ("SRV-1", Reach.DEVICE)


def test_no_lease_log_is_not_no_lease(make_logs, ask):
    trace = walk_back(ask(0, client_ip=IP), make_logs())
    assert hop(trace, "lease").outcome is Outcome.NOT_COVERED
    assert {Reason.LOG_GAP, Reason.NO_ACCT, Reason.ASSET_UNKNOWN} <= set(trace.reasons)
    assert trace.reach is Reach.ADDRESS


def test_an_address_that_nothing_knows_is_another_nat(make_logs, ask):
    trace = walk_back(ask(0, client_ip="192.168.99.9"), make_logs(dhcp=[lease("ack", 0)]))
    assert Reason.UPSTREAM_NAT in trace.reasons


def test_the_whole_chain_to_a_person(make_logs, ask, nat_row):
    logs = make_logs(
        nat=[nat_row("new", 0, IP), nat_row("destroy", 10, IP)],
        dhcp=[lease("ack", -100, lease_s=6_000, hostname="pc-50")],
        radius=[
            session("start", -90, ssid="STAFF", nas_port="7"),
            session("interim-update", 0, client_ip=IP),
            session("stop", 500, client_ip=IP),
        ],
        asset=[{"mac": MAKER, "asset": "PC-50", "owner": "Li Si", "department": "Office"}],
    )
    trace = walk_back(ask(5, public_ip="203.0.113.5", port=20500), logs)
    assert [h.outcome for h in trace.hops] == [Outcome.HELD] * 4
    assert [h.candidates[0].value for h in trace.hops] == [IP, MAKER, "lisi", "PC-50"]
    assert (trace.reach, trace.reasons) == (Reach.PERSON, ())
    assert trace.place == (("port", "7"), ("segment", "office"), ("ssid", "STAFF"))


def test_a_random_mac_names_no_asset_but_an_account_may_hold(make_logs, ask):
    rows = [session("start", 0, RANDOM, client_ip=IP, ssid="STAFF")]
    trace = walk_back(ask(5, client_ip=IP), make_logs(radius=rows))
    assert {Reason.RANDOM_MAC, Reason.ASSET_UNKNOWN} <= set(trace.reasons)
    assert trace.reach is Reach.ACCOUNT
    alone = walk_back(ask(5, client_ip=IP), make_logs(dhcp=[lease("ack", 0, RANDOM)]))
    assert alone.reach is Reach.ADDRESS


def test_one_key_for_everybody_reaches_no_account(make_logs, ask):
    ip = "10.2.0.9"
    trace = walk_back(
        ask(5, client_ip=ip),
        make_logs(
            dhcp=[lease("ack", 0, RANDOM, ip)],
            wlan=[
                {"message": "associated", "ts": 0, "client_mac": RANDOM, "ssid": "GUEST", "ap_name": "ap-1"}
            ],
        ),
    )
    assert hop(trace, "station").outcome is Outcome.HELD
    assert Reason.SHARED_KEY in trace.reasons
    assert dict(trace.place) == {"segment": "hall", "ssid": "GUEST", "ap": "ap-1"}
    assert trace.reach is Reach.ADDRESS
    unlogged = walk_back(ask(5, client_ip=ip), make_logs(dhcp=[lease("ack", 0, RANDOM, ip)]))
    assert {Reason.SHARED_KEY, Reason.NO_ACCT} <= set(unlogged.reasons)


@pytest.mark.parametrize(("devices", "shared"), [(3, False), (4, True), (41, True)])
def test_an_account_on_many_devices_at_once_is_shared(make_logs, ask, devices, shared):
    rows = [
        session("start", n, f"00:1c:42:00:01:{n:02x}", account="hall", session=f"S{n}")
        for n in range(devices)
    ]
    trace = walk_back(ask(60, mac="00:1c:42:00:01:00"), make_logs(radius=rows))
    assert (Reason.SHARED_ACCOUNT in trace.reasons) is shared
    assert trace.reach is (Reach.DEVICE if shared else Reach.ACCOUNT)


def test_a_new_random_mac_every_day_is_no_shared_account(make_logs, ask):
    rows = []
    for day in range(30):
        mac = f"02:00:00:00:00:{day:02x}"
        rows += [
            session("start", day * 86_400, mac, session=f"S{day}"),
            session("stop", day * 86_400 + 9_000, mac, session=f"S{day}"),
        ]
    trace = walk_back(ask(5, mac="02:00:00:00:00:00"), make_logs(radius=rows))
    assert (Reason.SHARED_ACCOUNT in trace.reasons, trace.reach) == (False, Reach.ACCOUNT)


def test_sessions_by_id_and_mac_and_start(make_logs, ask):
    logs = make_logs(
        radius=[
            session("start", 0, account="a"),
            session("stop", 100, account="a"),
            session("start", 1_000, account="b"),
            session("stop", 1_100, account="b"),
            session("start", 1_000, OTHER, account="c"),
        ]
    )
    found = [
        [c.value for c in hop(walk_back(ask(at, mac=MAKER, skew_s=1), logs), "station").candidates]
        for at in (50, 500, 1_050)
    ]
    assert found == [["a"], [], ["b"]]


def test_interims_alone_hold_a_session_and_say_what_is_missing(make_logs, ask):
    logs = make_logs(radius=[session("interim-update", 0), session("interim-update", 600)])
    found = hop(walk_back(ask(300, mac=MAKER), logs), "station")
    assert (found.outcome, found.candidates[0].start, found.candidates[0].end) == (Outcome.HELD, None, None)


def test_a_restarted_server_ends_its_sessions(make_logs, ask):
    logs = make_logs(
        radius=[
            session("start", 0),
            {"message": "accounting-off", "ts": 100, "nas": "10.9.0.2"},
        ]
    )
    assert hop(walk_back(ask(90, mac=MAKER, skew_s=0), logs), "station").outcome is Outcome.HELD
    assert hop(walk_back(ask(200, mac=MAKER, skew_s=0), logs), "station").outcome is Outcome.MISSING


def test_a_session_that_gets_another_address_answers_for_each_in_its_time(make_logs, ask):
    logs = make_logs(
        radius=[
            session("start", 0),
            session("interim-update", 10, client_ip=IP),
            session("interim-update", 1_000, client_ip="10.1.0.51"),
            session("stop", 2_000, client_ip="10.1.0.51"),
        ]
    )

    def who(at, ip):
        return [c.value for c in hop(walk_back(ask(at, client_ip=ip, skew_s=0), logs), "lease").candidates]

    assert [who(500, IP), who(1_500, IP), who(500, "10.1.0.51"), who(1_500, "10.1.0.51")] == [
        [MAKER],
        [],
        [],
        [MAKER],
    ]


def test_a_login_that_was_refused_is_no_presence(make_logs, ask):
    logs = make_logs(radius=[session("Access-Reject", 0)])
    assert hop(walk_back(ask(0, mac=MAKER), logs), "station").outcome is Outcome.MISSING


def test_a_device_that_logs_in_with_its_mac_has_no_account(make_logs, ask):
    trace = walk_back(
        ask(0, mac=MAKER), make_logs(radius=[session("start", 0, account=MAKER.replace(":", ""))])
    )
    assert (trace.reach, Reason.NO_ACCT in trace.reasons) == (Reach.DEVICE, True)


def test_the_access_point_is_added_to_the_account(make_logs, ask):
    logs = make_logs(
        radius=[session("start", 0)],
        wlan=[
            {"message": "associated", "ts": 0, "client_mac": MAKER, "ap_name": "ap-3", "ssid": "STAFF"},
            {"message": "connected", "ts": 1, "client_mac": MAKER, "ap_name": "ap-3", "ssid": "STAFF"},
        ],
    )
    trace = walk_back(ask(60, mac=MAKER), logs)
    assert [c.value for c in hop(trace, "station").candidates] == ["lisi"]
    assert dict(trace.place) == {"segment": "office", "ssid": "STAFF", "ap": "ap-3"}


def test_the_asset_is_the_one_of_that_date(make_logs, ask):
    logs = make_logs(
        asset=[
            {"mac": MAKER, "asset": "PC-1", "owner": "Li", "ts_end": 0},
            {"mac": MAKER, "asset": "PC-1", "owner": "Wang", "ts": 1},
        ]
    )
    owners = [
        [dict(c.details)["owner"] for c in hop(walk_back(ask(at, mac=MAKER), logs), "asset").candidates]
        for at in (-500, 500, 0)
    ]
    assert owners[:2] == [["Li"], ["Wang"]]
    assert sorted(owners[2]) == ["Li", "Wang"]


def test_duplicates_in_the_register_are_ambiguous(make_logs, ask):
    logs = make_logs(asset=[{"mac": MAKER, "asset": "PC-1"}, {"mac": MAKER, "asset": "PC-2"}])
    trace = walk_back(ask(0, mac=MAKER), logs)
    assert hop(trace, "asset").outcome is Outcome.AMBIGUOUS
    assert Reason.ASSET_UNKNOWN in trace.reasons


def test_a_row_for_the_address_with_another_mac_is_no_answer(make_logs, ask):
    logs = make_logs(dhcp=[lease("ack", 0)], asset=[{"ip": IP, "mac": OTHER, "asset": "PC-9"}])
    trace = walk_back(ask(0, client_ip=IP), logs)
    assert hop(trace, "asset").candidates == ()
    assert Reason.ASSET_UNKNOWN in trace.reasons


def test_a_computer_of_several_accounts_reaches_no_person(make_logs, ask):
    logs = make_logs(
        radius=[session("start", 0), session("stop", 10), session("start", 20_000, account="wangwu")],
        asset=[{"mac": MAKER, "asset": "PC-1", "owner": "Li"}],
    )
    assert walk_back(ask(5, mac=MAKER), logs).reach is Reach.ACCOUNT


def test_a_question_about_nothing_reaches_nothing(make_logs, ask):
    assert walk_back(ask(0), make_logs()).hops == ()


def test_a_declared_bssid_tells_the_wireless_network(make_logs, ask):
    declared = replace(SETTINGS, wireless=(Wireless("HALL", auth="open", bssids=("02-11-22-33-44-55",)),))
    logs = make_logs(
        settings=declared,
        wlan=[
            {"message": "associated", "ts": 0, "client_mac": MAKER, "bssid": "02:11:22:33:44:55"},
        ],
    )
    trace = walk_back(ask(0, mac=MAKER), logs)
    assert dict(trace.place) == {"ssid": "HALL", "ap": "02:11:22:33:44:55"}
    assert Reason.SHARED_KEY in trace.reasons


@pytest.mark.parametrize("year", [1, 1969, 2200, 9999])
def test_impossible_times_are_answered(make_logs, ask, year):
    at = dt.datetime(year, 6, 1, tzinfo=dt.UTC)
    logs = make_logs(
        dhcp=[lease("ack", 0), lease("host", None)],
        radius=[session("start", 0)],
        asset=[{"mac": MAKER, "asset": "A"}],
    )
    for mac, ip in ((MAKER, None), (None, IP)):
        question = replace(
            ask(0), at=at, mac=parse_mac(mac or ""), client_ip=parse_ip(ip or ""), skew_s=1e300
        )
        assert walk_back(question, logs).hops


def test_a_session_with_both_families_holds_all_its_addresses(make_logs, ask):
    logs = make_logs(
        radius=[
            session("start", 0),
            session("interim-update", 10, client_ip=IP),
            session("interim-update", 10, client_ip="fd00:60::1"),
            session("interim-update", 60, client_ip="fd00:60::2"),
            session("stop", 500),
        ]
    )
    for address in (IP, "fd00:60::1", "fd00:60::2"):
        found = hop(walk_back(ask(300, client_ip=address, skew_s=0), logs), "lease")
        assert [c.value for c in found.candidates] == [MAKER]


def test_a_lost_stop_gives_way_to_the_next_session_of_the_device(make_logs, ask):
    logs = make_logs(
        radius=[session("start", 0, account="a"), session("start", 1_000, account="b", session="S2")]
    )
    found = hop(walk_back(ask(2_000, mac=MAKER), logs), "station")
    assert (found.outcome, [c.value for c in found.candidates]) == (Outcome.HELD, ["b"])
