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
PC, LAPTOP, FOREIGN = "00:00:5e:00:53:14", "00:00:5e:00:53:6f", "02:00:00:00:00:99"


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
                ("10.0.0.0/24", "2001:db8:66:1::/64"),
                name="Offices",
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


def batches(kind, rows):
    return concat(kind, [batch(kind, rows)])


def facts_of(settings, events=(), tables=None, ledger=(), traces=(), listed=(), *, lists=False):
    seen = Observed(own_networks(settings), lists=lists)
    for one in events:
        seen.add(one)
    for one in listed:
        seen.add_encrypted(one)
    return gather(settings, ledger, seen, tables or {}, traces, NOW)


def verdicts_of(facts, rule, policy=None):
    return check(facts, [read_rules()[rule]], policy or PolicySettings(), now=NOW)


def outcomes(facts, rule, policy=None):
    return {v.subject: v.outcome for v in verdicts_of(facts, rule, policy)}


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


def of_file(format_, *kinds, file="f1"):
    return EvidenceFile(file, "x", "", 1, format_, kinds, THEN, THEN, 1)


CAPTURE, LOG = of_file("pcapng", "dhcp", "radius", "wlan", "arp", "dns"), of_file("isc-dhcpd", "dhcp")


@pytest.mark.parametrize(("entry", "logged"), [(CAPTURE, None), (LOG, True)])
def test_a_captured_lease_is_no_log_of_leases(office, entry, logged):
    rows = [{"ts": THEN, "client_ip": "10.0.0.9", "client_mac": PC, "message": "ack"}]
    facts = facts_of(office, tables={"dhcp": batches("dhcp", rows)}, ledger=[entry])
    segment = facts.tables["segment"].to_pylist()[0]
    assert (segment["segment"], segment["has_dhcp_log"]) == ("gov1", logged)


def test_captured_look_ups_are_no_log_of_look_ups(office):
    rows = [{"ts": THEN, "client_ip": "10.0.0.9", "name": "a.example"}]
    here = replace(office, source=())
    for entry, logged in ((CAPTURE, None), (of_file("bind", "dns"), True)):
        facts = facts_of(here, [batch("dns", rows)], ledger=[entry])
        assert facts.tables["segment"].to_pylist()[0]["has_dns_log"] is logged


@pytest.mark.parametrize("kind", ["dhcp", "arp", "wlan", "radius", "dns"])
def test_a_capture_has_a_captures_role(office, kind):
    facts = facts_of(office, ledger=[of_file("pcap", kind)])
    roles = {row["source"]: row["role"] for row in facts.tables["source"].to_pylist()}
    assert roles["pcap"] == "capture"


@pytest.mark.parametrize(("entry", "logged"), [(CAPTURE, False), (of_file("freeradius", "radius"), True)])
def test_captured_accounting_is_no_log_of_accounts(office, entry, logged):
    rows = [{"ts": THEN, "client_mac": PC, "ssid": "Hall", "account": "lisi", "nas": "ac1"}]
    facts = facts_of(office, tables={"radius": batches("radius", rows)}, ledger=[entry])
    (net,) = facts.tables["wireless"].to_pylist()
    assert (net["has_auth_log"], net["distinct_devices"]) == (logged, 1)


def test_a_name_that_a_telephone_looks_for_is_no_network(office):
    rows = [
        {"ts": THEN, "client_mac": PC, "ssid": "Home", "message": "probe-request"},
        {"ts": THEN, "client_mac": PC, "ssid": "Hall", "message": "probe-request"},
        {"ts": THEN, "client_mac": LAPTOP, "ssid": "Cafe", "message": "association", "bssid": FOREIGN},
        {"ts": THEN, "ssid": "Shop", "message": "beacon", "bssid": FOREIGN},
    ]
    facts = facts_of(office, tables={"wlan": batches("wlan", rows)}, ledger=[CAPTURE])
    seen = {row["ssid"]: row["distinct_devices"] for row in facts.tables["wireless"].to_pylist()}
    assert seen == {"Hall": None, "Cafe": 1, "Shop": None}


@pytest.mark.parametrize(
    ("said", "auth"),
    [
        ([{"auth": "psk", "security": "WPA2"}, {"auth": "psk+sae", "security": "WPA2/WPA3"}], "psk"),
        ([{"auth": "802.1x", "security": "WPA2"}], "802.1x"),
        ([{"auth": "psk+802.1x", "security": "WPA+WPA2"}], "psk+802.1x"),
        ([{"auth": "owe", "security": "OWE"}], "open"),
        ([{"auth": "open", "security": "OPEN"}, {"security": "Open"}], "open"),
        ([{"security": "WEP"}], "wep"),
        ([{"security": "WPA2"}], None),
        ([{"auth": "psk"}, {"auth": "open"}], None),
    ],
)
def test_how_one_gets_into_a_network_on_the_air(office, said, auth):
    rows = [{"ts": THEN, "ssid": "Cafe", "message": "beacon", "bssid": FOREIGN} | one for one in said]
    facts = facts_of(office, tables={"wlan": batches("wlan", rows)}, ledger=[CAPTURE])
    assert next(r["auth"] for r in facts.tables["wireless"].to_pylist() if r["ssid"] == "Cafe") == auth


ROGUE = PolicySettings(parameters={"NA-ROGUE-02": {"servers": ["10.0.0.1"]}})


def leases(*given):
    rows = [
        {"ts": THEN, "client_ip": ip, "client_mac": PC, "server_ip": server, "message": word}
        for word, ip, server in given
    ]
    return {"dhcp": batches("dhcp", rows)}


def test_a_dhcp_server_that_nobody_approved(office):
    tables = leases(
        ("discover", None, None),
        ("request", "10.0.0.7", "10.0.0.66"),
        ("ack", "10.0.0.7", "10.0.0.1"),
        ("offer", "192.168.1.7", "192.168.1.1"),
        ("ack", "10.0.9.7", "192.168.1.1"),
        ("discover/offer/request/ack", "10.0.9.8", "10.0.9.1"),
        ("nak", "10.0.0.8", "10.0.0.67"),
        ("ack", "198.51.100.7", "198.51.100.1"),
        ("reply", "2001:db8:66:1::7", "fe80::1"),
    )
    facts = facts_of(office, tables=tables)
    found = {v.subject: v for v in verdicts_of(facts, "NA-ROGUE-02", ROGUE)}
    assert {subject: v.outcome for subject, v in found.items()} == {
        "10.0.0.1": Outcome.COMPLIED,
        "10.0.9.1": Outcome.VIOLATED,
        "192.168.1.1": Outcome.VIOLATED,
    }
    rogue = found["192.168.1.1"]
    assert dict(rogue.values) == {"server": "192.168.1.1", "places": "192.168.1.0/24, hall"}
    assert [e.ordinal for e in rogue.evidence] == [4, 5]
    wording = read_rules()["NA-ROGUE-02"].wording("finding", rogue, "zh-CN")
    assert wording == "网段192.168.1.0/24, hall出现未授权DHCP服务192.168.1.1。"
    assert set(outcomes(facts, "NA-ROGUE-02").values()) == {Outcome.CANNOT_TELL}
    assert outcomes(facts_of(office, tables=leases()), "NA-ROGUE-02", ROGUE) == {"": Outcome.CANNOT_TELL}


def test_our_name_on_a_foreign_radio_in_the_air(office):
    (hall,) = office.wireless
    here = replace(office, wireless=(replace(hall, bssids=("02:00:00:00:00:01",)),))
    rows = [
        {"ts": THEN, "ssid": "Hall", "message": "beacon", "bssid": "02:00:00:00:00:01", "auth": "psk"},
        {"ts": THEN, "ssid": "Hall", "message": "beacon", "bssid": FOREIGN, "auth": "open"},
    ]
    facts = facts_of(here, tables={"wlan": batches("wlan", rows)}, ledger=[CAPTURE])
    assert outcomes(facts, "NA-WLAN-06") == {
        "02:00:00:00:00:01": Outcome.COMPLIED,
        FOREIGN: Outcome.VIOLATED,
    }


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


DOH = [{"ts": THEN, "client_ip": "10.0.0.9", "server_ip": "192.0.2.54", "server_port": 443}]
PLAIN = [{"ts": THEN, "client_ip": "10.0.0.8", "server_ip": "192.0.2.53", "server_port": 53}]
DOT = [{"ts": THEN, "client_ip": "10.0.0.7", "server_ip": "192.0.2.55", "server_port": 853}]


def test_encrypted_dns_on_other_ports_is_no_unapproved_resolver(office):
    events = [batch("flow", PLAIN + DOH)]
    (verdict,) = verdicts_of(facts_of(office, events, listed=[batch("tls", DOH)]), "NA-DNS-01")
    assert dict(verdict.values) == {
        "n": "1",
        "resolvers": "192.0.2.53",
        "segment": "gov1",
        "segment_name": "Offices",
    }
    only = facts_of(office, [batch("flow", DOH)], listed=[batch("tls", DOH)])
    assert outcomes(only, "NA-DNS-01") == {"": Outcome.NOT_APPLICABLE}
    assert outcomes(only, "NA-DNS-02") == {"gov1": Outcome.VIOLATED}


def test_port_853_is_of_both_rules(office):
    facts = facts_of(office, [batch("flow", DOT)])
    assert outcomes(facts, "NA-DNS-01") == outcomes(facts, "NA-DNS-02") == {"gov1": Outcome.VIOLATED}


@pytest.mark.parametrize(("rows", "subject"), [(PLAIN, "gov1"), (DOH, "")])
def test_without_lists_encrypted_dns_is_not_seen_to_be_absent(office, rows, subject):
    (verdict,) = verdicts_of(facts_of(office, [batch("flow", rows)]), "NA-DNS-02")
    assert (verdict.outcome, verdict.subject) == (Outcome.CANNOT_TELL, subject)
    assert verdict.because.startswith("No list of encrypted resolvers was in use")
    (verdict,) = verdicts_of(facts_of(office, [batch("flow", rows)], lists=True), "NA-DNS-02")
    assert verdict.outcome is (Outcome.COMPLIED if subject else Outcome.NOT_APPLICABLE)


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


PC_SIX, LAPTOP_SIX = "2001:db8:66:1:200:5eff:fe00:5314", "2001:db8:66:1:200:5eff:fe00:536f"
PRIVATE = "2001:db8:66:1:81a5:c3f7:10de:99b0"


def six(*addresses, ts=THEN):
    """Translations, which show no MAC."""
    return batch("nat", [{"ts": ts, "client_ip": a} for a in addresses], "nat")


@pytest.fixture
def register():
    rows = [{"mac": PC, "asset": "ZF-2019-0042"}, {"mac": "00:00:5e:00:53:01", "owner": "A"}]
    return {"asset": concat("asset", [batch("asset", rows)])}


def test_an_address_made_of_a_registered_mac_is_that_device(office, register):
    (host,) = facts_of(office, [six(PC_SIX)], register).tables["host"].to_pylist()
    assert (host["device"], host["registered"]) == (PC, True)
    facts = facts_of(office, [six(PC_SIX)], register)
    assert outcomes(facts, "NA-ROGUE-03") == {"gov1": Outcome.COMPLIED}


def test_an_unregistered_device_counts_once_and_from_its_first_record(office, register):
    before = THEN - dt.timedelta(hours=3)
    lease = batch("dhcp", [{"ts": before, "client_ip": "10.0.0.61", "client_mac": LAPTOP}], "leases")
    frames = [{"ts": THEN, "client_ip": "10.0.0.61", "client_mac": LAPTOP}]
    events = [batch("flow", frames, "capture"), six(LAPTOP_SIX, PC_SIX, PRIVATE), lease]
    (verdict,) = verdicts_of(facts_of(office, events, register), "NA-ROGUE-03")
    assert (verdict.outcome, dict(verdict.values)["n"]) == (Outcome.VIOLATED, "1")
    assert verdict.first_seen == before
    assert [(e.file, e.ordinal) for e in verdict.evidence] == [("leases", 1), ("nat", 1)]


@pytest.mark.parametrize("address", [PRIVATE, LAPTOP_SIX, "10.0.0.61"])
def test_an_address_alone_is_no_unregistered_device(office, register, address):
    """A random address, one that nobody confirms, one that a registered MAC may have had."""
    (verdict,) = verdicts_of(facts_of(office, [six(address)], register), "NA-ROGUE-03")
    assert verdict.outcome is Outcome.CANNOT_TELL
    assert "MAC is not known" in verdict.because


def test_an_address_that_a_register_of_addresses_lacks(office):
    rows = [{"ip": "10.0.0.9", "asset": "PC-9", "owner": "A"}]
    register = {"asset": concat("asset", [batch("asset", rows)])}
    facts = facts_of(office, [six("10.0.0.61", "10.0.0.9")], register)
    (verdict,) = verdicts_of(facts, "NA-ROGUE-03")
    assert (verdict.outcome, dict(verdict.values)["n"]) == (Outcome.VIOLATED, "1")


def test_addresses_of_unknown_devices_are_not_counted_as_devices(office):
    other = "fd00:0:0:1"
    facts = facts_of(office, [six(PRIVATE, *(f"{other}::{i}" for i in range(1, 6)))])
    assert outcomes(facts, "NA-SEG-06") == {f"{other}::/64": Outcome.CANNOT_TELL, "gov1": Outcome.COMPLIED}
    assert [row["hosts_seen"] for row in facts.tables["segment"].to_pylist()] == [None, None]


def test_assets_without_owner_are_named(office, register):
    found = {v.subject: v for v in verdicts_of(facts_of(office, tables=register), "NA-ASSET-01")}
    assert dict(found["asset"].values) == {"n": "1", "what": "asset", "assets": "ZF-2019-0042"}
    wording = read_rules()["NA-ASSET-01"].wording("finding", found["asset"], "en")
    assert wording == "1 assets without owner: ZF-2019-0042."
    many = [{"asset": f"PC-{i}"} for i in range(9)]
    facts = facts_of(office, tables={"asset": concat("asset", [batch("asset", many)])})
    found = {v.subject: dict(v.values) for v in verdicts_of(facts, "NA-ASSET-01")}
    assert found["asset"]["assets"] == "PC-0, PC-1, PC-2, PC-3, PC-4, …"
    assert found["asset"]["n"] == "9"


@pytest.mark.parametrize("rule", ["NA-SEG-01", "NA-TRACE-04", "NA-DUAL-01"])
def test_segments_are_named_beside_their_ids(office, rule):
    events = [batch("arp", [{"ts": THEN, "client_ip": "10.0.0.9", "client_mac": PC}])]
    found = {
        dict(v.values).get("segment"): dict(v.values) for v in verdicts_of(facts_of(office, events), rule)
    }
    assert found["gov1"]["segment_name"] == "Offices"


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
    verdict = next(v for v in verdicts_of(facts, "NA-TRACE-08") if v.subject == "dns")
    assert verdict.outcome is Outcome.VIOLATED
    assert dict(verdict.values)["gap_from"] == "2026-11-10T02:59:40Z"


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
    facts = facts_of(office, traces=[broken, no_port])
    assert outcomes(facts, "NA-TRACE-10") == {
        "203.0.113.5:40123": Outcome.VIOLATED,
        "203.0.113.5": Outcome.CANNOT_TELL,
    }
    verdict = next(v for v in verdicts_of(facts, "NA-TRACE-10") if v.outcome is Outcome.VIOLATED)
    assert dict(verdict.values) == {
        "visit": "203.0.113.5:40123",
        "at": "2026-11-10T03:00:00Z",
        "broken_hop": "nat",
        "reason": "R-NO-NATLOG",
    }
    assert outcomes(facts_of(office), "NA-TRACE-10") == {"": Outcome.NOT_APPLICABLE}


def test_one_address_and_port_at_two_times_is_one_subject(office):
    question = Question(THEN.replace(microsecond=250_000), public_ip=parse_ip("203.0.113.5"), port=40123)
    traces = [
        Trace(replace(question, at=question.at + dt.timedelta(hours=h)), hops, Reach.NOTHING, (), reasons)
        for h, hops, reasons in (
            (0, (Hop("nat", "x", HopOutcome.NOT_COVERED),), (Reason.NO_NATLOG,)),
            (1, (Hop("lease", "x", HopOutcome.MISSING),), (Reason.LOG_GAP,)),
        )
    ]
    (verdict,) = verdicts_of(facts_of(office, traces=traces), "NA-TRACE-10")
    values = dict(verdict.values)
    assert values["at"] == "2026-11-10T03:00:00Z, 2026-11-10T04:00:00Z"
    assert values["broken_hop"] == "lease, nat"
    assert verdict.count == 2


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
