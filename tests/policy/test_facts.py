"""What is declared and what was seen become facts, and facts become verdicts."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pyarrow as pa
import pytest

from netaudit.attribution.trace import Hop, Question, Reach, Reason, Trace
from netaudit.attribution.trace import Outcome as HopOutcome
from netaudit.config import Inventory, PolicySettings, Segment, Settings, Source, Unit, Waiver, Wireless
from netaudit.errors import ConfigError
from netaudit.policy import check
from netaudit.policy.facts import gather, own_networks
from netaudit.policy.logs import service_seconds
from netaudit.policy.observed import Observed
from netaudit.policy.rule import read_rules
from netaudit.policy.tables import TABLES
from netaudit.policy.verdict import Outcome
from netaudit.records.addresses import parse_ip, parse_mac
from netaudit.records.evidence import EvidenceFile
from netaudit.records.schemas import IP, MAC, concat, conform

NOW = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
THEN = dt.datetime(2026, 11, 10, 3, tzinfo=dt.UTC)
NS = pa.timestamp("ns", "UTC")


@pytest.fixture
def office(tmp_path):
    return Settings(
        unit=Unit(
            name="Office",
            timezone="Asia/Shanghai",
            egress=("203.0.113.5",),
            resolvers=("10.0.0.53",),
            nat=True,
        ),
        segment=(
            Segment(
                "gov1",
                ("10.0.0.0/24",),
                zone="gov_extranet",
                purpose="office",
                addressing="dhcp",
                owner="A",
            ),
            Segment("hall", ("10.0.9.0/24",), zone="internet", purpose="guest", addressing="dhcp"),
        ),
        wireless=(
            Wireless(
                "Hall",
                segment="gov1",
                purpose="guest",
                auth="psk",
                per_user_auth=False,
                key_changed_at=dt.date(2025, 1, 1),
                owner="A",
            ),
        ),
        source=(
            Source("logs/dns", id="dns", role="dns", retention_days=90),
            Source("logs/dhcp.log", role="dhcp"),
        ),
        inventory=Inventory("assets.csv", dt.date(2026, 11, 1)),
        folder=tmp_path,
    )


def batch(kind, rows, file="f1"):
    def column(name, type_, convert=lambda v: v):
        return pa.array([convert(r[name]) if r.get(name) is not None else None for r in rows], type_)

    columns = {
        "ts": column("ts", NS),
        "file": file,
        "ordinal": pa.array(range(1, len(rows) + 1), pa.uint64()),
    }
    types = {
        "client_ip": (IP, parse_ip),
        "server_ip": (IP, parse_ip),
        "public_ip": (IP, parse_ip),
        "ip": (IP, parse_ip),
        "client_mac": (MAC, parse_mac),
        "mac": (MAC, parse_mac),
        "bssid": (MAC, parse_mac),
        "server_port": (pa.uint16(), int),
    }
    for name in {n for r in rows for n in r} - {"ts"}:
        type_, convert = types.get(name, (pa.string(), str))
        columns[name] = column(name, type_, convert)
    return conform(kind, columns, len(rows))


def facts_of(settings, events=(), tables=None, ledger=(), traces=()):
    seen = Observed(own_networks(settings))
    for one in events:
        seen.add(one)
    return gather(settings, ledger, seen, tables or {}, traces, NOW)


def outcomes(facts, rule, policy=None):
    verdicts = check(facts, [read_rules()[rule]], policy or PolicySettings(), now=NOW)
    return {v.subject: v.outcome for v in verdicts}


def test_every_table_has_its_schema(office):
    facts = facts_of(office)
    assert {name: t.schema for name, t in facts.tables.items()} == {
        name: t.schema for name, t in TABLES.items()
    }


def test_nothing_declared_and_nothing_read_keeps_no_rule():
    facts = facts_of(Settings())
    verdicts = check(facts, list(read_rules().values()), PolicySettings(), now=NOW)
    assert Outcome.COMPLIED not in {v.outcome for v in verdicts}
    assert Outcome.VIOLATED not in {v.outcome for v in verdicts}
    assert all(v.because for v in verdicts if v.outcome is Outcome.CANNOT_TELL)


def test_the_hall_of_the_story(office):
    facts = facts_of(office)
    assert outcomes(facts, "NA-SEG-01") == {"Hall": Outcome.VIOLATED}
    assert outcomes(facts, "NA-CRED-01") == {"Hall": Outcome.VIOLATED}
    assert outcomes(facts, "NA-TRACE-01") == {"Hall": Outcome.VIOLATED}
    assert outcomes(facts, "NA-CRED-02") == {"Hall": Outcome.CANNOT_TELL}
    assert outcomes(facts, "NA-TRACE-02")["dns"] is Outcome.VIOLATED
    assert outcomes(facts, "NA-TRACE-03") == {"203.0.113.5": Outcome.VIOLATED}


def test_devices_on_a_network_are_counted_from_logs(office):
    rows = [
        {"ts": THEN, "client_mac": f"02:00:00:00:00:{i:02x}", "ssid": "Hall", "message": "associate"}
        for i in range(1, 31)
    ]
    rows.append({"ts": THEN - dt.timedelta(days=60), "client_mac": "02:00:00:00:01:01", "ssid": "Hall"})
    facts = facts_of(office, tables={"wlan": concat("wlan", [batch("wlan", rows)])})
    (net,) = facts.tables["wireless"].to_pylist()
    assert net["distinct_devices"] == 30
    (verdict,) = check(facts, [read_rules()["NA-CRED-02"]], PolicySettings(), now=NOW)
    assert (verdict.outcome, verdict.severity, verdict.basis) == (Outcome.VIOLATED, "high", "measured")


def test_a_network_on_our_controller_that_nobody_declared(office):
    rows = [
        {
            "ts": THEN,
            "client_mac": "02:00:00:00:00:01",
            "ssid": "test5",
            "ap_name": "AP1",
            "security": "Open",
        },
        {"ts": THEN, "client_mac": "02:00:00:00:00:02", "ssid": "Cafe"},
    ]
    facts = facts_of(office, tables={"wlan": concat("wlan", [batch("wlan", rows)])})
    assert outcomes(facts, "NA-WLAN-05") == {
        "Hall": Outcome.COMPLIED,
        "test5": Outcome.VIOLATED,
        "Cafe": Outcome.CANNOT_TELL,
    }
    assert outcomes(facts, "NA-WLAN-01")["test5"] is Outcome.VIOLATED


def test_resolvers_by_segment(office):
    rows = [
        {"ts": THEN, "client_ip": "10.0.0.9", "server_ip": "192.0.2.53", "server_port": 53},
        {"ts": THEN, "client_ip": "10.0.0.53", "server_ip": "192.0.2.53", "server_port": 53},
        {"ts": THEN, "client_ip": "10.0.9.9", "server_ip": "10.0.0.53", "server_port": 53},
    ]
    facts = facts_of(office, [batch("flow", rows)])
    assert outcomes(facts, "NA-DNS-01") == {"gov1": Outcome.VIOLATED, "hall": Outcome.COMPLIED}
    verdicts = check(facts, [read_rules()["NA-DNS-01"]], PolicySettings(), now=NOW)
    bad = next(v for v in verdicts if v.outcome is Outcome.VIOLATED)
    assert dict(bad.values)["n"] == "1"
    assert [(e.file, e.ordinal) for e in bad.evidence] == [("f1", 1)]
    assert bad.first_seen == THEN


def test_flows_without_any_look_up_leave_the_rule_without_subject(office):
    facts = facts_of(
        office,
        [
            batch(
                "flow",
                [{"ts": THEN, "client_ip": "10.0.0.9", "server_ip": "192.0.2.1", "server_port": 443}],
            )
        ],
    )
    assert outcomes(facts, "NA-DNS-01") == {"": Outcome.NOT_APPLICABLE}
    assert outcomes(facts_of(office), "NA-DNS-01") == {"": Outcome.CANNOT_TELL}


def test_unregistered_devices(office):
    rows = [
        {"ts": THEN, "client_ip": "10.0.0.9", "client_mac": "52:54:00:00:00:09"},
        {"ts": THEN, "client_ip": "10.0.0.10", "client_mac": "52:54:00:00:00:10"},
        {"ts": THEN, "client_ip": "10.0.9.10", "client_mac": "52:54:00:00:00:11"},
    ]
    events = [batch("arp", rows)]
    register = concat(
        "asset", [batch("asset", [{"mac": "52:54:00:00:00:09", "asset": "PC-9", "owner": "A"}])]
    )
    assert outcomes(facts_of(office, events), "NA-ROGUE-03") == {"gov1": Outcome.CANNOT_TELL}
    facts = facts_of(office, events, {"asset": register})
    assert outcomes(facts, "NA-ROGUE-03") == {"gov1": Outcome.VIOLATED}
    assert outcomes(facts, "NA-ASSET-01") == {
        "asset": Outcome.COMPLIED,
        "segment": Outcome.VIOLATED,
        "wireless": Outcome.COMPLIED,
    }


def test_an_address_without_mac_takes_the_one_that_is_known(office):
    events = [
        batch("arp", [{"ts": THEN, "client_ip": "10.0.0.9", "client_mac": "52:54:00:00:00:09"}]),
        batch(
            "flow",
            [{"ts": THEN, "client_ip": "10.0.0.9", "server_ip": "192.0.2.1", "server_port": 443}],
            "f2",
        ),
    ]
    (host,) = facts_of(office, events).tables["host"].to_pylist()
    assert (host["device"], host["events"], host["segment"]) == ("52:54:00:00:00:09", 2, "gov1")


def test_one_device_on_two_sides(office):
    rows = [
        {"ts": THEN, "client_ip": "10.0.0.9", "client_mac": "50:54:00:00:00:09"},
        {"ts": THEN + dt.timedelta(hours=2), "client_ip": "10.0.9.9", "client_mac": "50:54:00:00:00:09"},
    ]
    assert outcomes(facts_of(office, [batch("arp", rows)]), "NA-DUAL-01") == {"gov1": Outcome.VIOLATED}
    rows[1]["ts"] = THEN + dt.timedelta(days=5)
    assert outcomes(facts_of(office, [batch("arp", rows)]), "NA-DUAL-01") == {"gov1": Outcome.COMPLIED}


def test_a_gap_in_service_hours(office):
    start = dt.datetime(2026, 11, 10, 1, tzinfo=dt.UTC)  # Tuesday, 9 o'clock in Shanghai
    minutes = [m for m in range(480) if not 120 <= m < 300]
    rows = [
        {"ts": start + dt.timedelta(seconds=20 * (3 * m + k)), "client_ip": "10.0.0.9"}
        for m in minutes
        for k in range(3)
    ]
    entry = EvidenceFile(
        "f1",
        str(office.folder / "logs/dns/a.log"),
        "",
        1,
        "bind",
        ("dns",),
        rows[0]["ts"],
        rows[-1]["ts"],
        len(rows),
        source="dns",
    )
    facts = facts_of(office, [batch("dns", rows)], ledger=[entry])
    row = next(r for r in facts.tables["source"].to_pylist() if r["source"] == "dns")
    assert row["longest_gap_s"] == row["service_gap_s"] == 180 * 60 + 20
    assert outcomes(facts, "NA-TRACE-08")["dns"] is Outcome.VIOLATED


def test_nights_and_weekends_are_no_service_hours():
    zone = dt.timezone(dt.timedelta(hours=8))
    friday = dt.datetime(2026, 11, 13, 16, tzinfo=zone)
    assert service_seconds(friday, dt.datetime(2026, 11, 16, 10, tzinfo=zone), zone) == 2 * 3600


def test_the_time_zone_must_exist(office):
    with pytest.raises(ConfigError):
        facts_of(replace(office, unit=replace(office.unit, timezone="Mars/Base")))


def test_traces(office):
    question = Question(THEN, public_ip=parse_ip("203.0.113.5"), port=40123)
    broken = Trace(
        question, (Hop("nat", "x", HopOutcome.NOT_COVERED),), Reach.NOTHING, (), (Reason.NO_NATLOG,)
    )
    no_port = Trace(
        replace(question, port=None),
        (Hop("nat", "x", HopOutcome.AMBIGUOUS),),
        Reach.NOTHING,
        (),
        (Reason.NO_PORT,),
    )
    got = outcomes(facts_of(office, traces=[broken, no_port]), "NA-TRACE-10")
    assert got == {
        "203.0.113.5:40123 2026-11-10T03:00:00Z": Outcome.VIOLATED,
        "203.0.113.5 2026-11-10T03:00:00Z": Outcome.CANNOT_TELL,
    }
    assert outcomes(facts_of(office), "NA-TRACE-10") == {"": Outcome.NOT_APPLICABLE}


@pytest.mark.parametrize(
    ("expires", "waived", "outcome"),
    [
        (NOW.date(), "moving out", Outcome.COMPLIED),
        (NOW.date() - dt.timedelta(days=1), "", Outcome.VIOLATED),
    ],
)
def test_waivers(office, expires, waived, outcome):
    policy = PolicySettings(waivers=(Waiver("NA-SEG-01", "Hall", "moving out", "A", expires),))
    facts = facts_of(replace(office, policy=policy))
    (verdict,) = check(facts, [read_rules()["NA-SEG-01"]], policy, now=NOW)
    assert (verdict.outcome, verdict.waived) == (Outcome.VIOLATED, waived)
    assert outcomes(facts, "NA-WAIVER") == {"NA-SEG-01 Hall": outcome}


def test_a_sum_that_overflowed_shows_no_compliance(office):
    rows = [{"ts": THEN, "client_ip": "10.0.0.9", "server_ip": "10.0.0.53", "server_port": 53}]
    facts = facts_of(office, [batch("flow", rows)])
    assert outcomes(facts, "NA-DNS-01") == {"gov1": Outcome.COMPLIED}
    assert outcomes(replace(facts, partial=frozenset({"resolver_use"})), "NA-DNS-01") == {
        "gov1": Outcome.CANNOT_TELL
    }


def test_the_same_facts_give_the_same_verdicts(office):
    rules = list(read_rules().values())
    assert check(facts_of(office), rules, PolicySettings(), now=NOW) == check(
        facts_of(office), rules[::-1], PolicySettings(), now=NOW
    )


def test_subnets_that_nobody_declared(office):
    rows = [{"ts": THEN, "client_ip": f"10.7.7.{i}"} for i in range(1, 5)] + [
        {"ts": THEN, "client_ip": "10.0.0.9"}
    ]
    events = [batch("arp", rows)]
    assert outcomes(facts_of(office, events), "NA-SEG-06") == {
        "10.7.7.0/24": Outcome.VIOLATED,
        "gov1": Outcome.COMPLIED,
    }
    assert outcomes(facts_of(replace(office, segment=()), events), "NA-SEG-06") == {"": Outcome.CANNOT_TELL}
