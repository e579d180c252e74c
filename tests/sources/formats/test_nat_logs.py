"""Logs of translations: what the samples do not show, and what the walk-back makes of the records."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from netaudit.attribution import walk_back
from netaudit.attribution.logs import Logs
from netaudit.attribution.trace import Outcome, Question
from netaudit.attribution.words import Role, lease_role, nat_role
from netaudit.config import Settings, Unit
from netaudit.errors import ConfigError
from netaudit.intake.lines import Chunk
from netaudit.intake.times import ZONELESS, Context, parse_zone
from netaudit.records.addresses import parse_ip
from netaudit.records.evidence import EvidenceFile
from netaudit.records.printed import text as printed
from netaudit.records.schemas import IP, MAC, TIMESTAMP, concat, conform
from netaudit.sources.formats import (
    cisco_asa,
    cisco_asa_xlate,
    cisco_ios_nat_log,
    cisco_ios_nat_table,
    conntrack,
    conntrack_xml,
    fortigate,
    fortigate_leases,
    netfilter_log,
    pf_filterlog,
    pf_states,
    pfnattrack,
    ulogd,
    ulogd_json,
    ulogd_oprint,
)
from netaudit.sources.formats._flow_sides import BAD_END
from netaudit.sources.formats._key_values import KeyValues
from netaudit.sources.formats._open_flows import OpenFlows, keys_of

PUBLIC = "203.0.113.5"
COLLECTED = dt.datetime(2026, 12, 1, tzinfo=dt.UTC)
BY_LINE = (
    cisco_asa,
    cisco_asa_xlate,
    cisco_ios_nat_log,
    cisco_ios_nat_table,
    conntrack,
    conntrack_xml,
    fortigate,
    fortigate_leases,
    netfilter_log,
    pf_filterlog,
    pf_states,
    pfnattrack,
    ulogd,
    ulogd_json,
)


def chunk(text, first=1):
    lines = pa.array(text.split("\n"), pa.string())
    sizes = np.array([len(line.encode()) + 1 for line in lines.to_pylist()])
    return Chunk(lines, first, np.array([], np.int64), sizes)


def context(zone="UTC", **more):
    return Context(zone=parse_zone(zone) if zone else None, collected=COLLECTED, **more)


def read(module, *texts, kind="nat", **options):
    """The table of one kind out of chunks, and the reasons for which lines were rejected."""
    parse = module.FORMAT.open(context(**options))
    batches, reasons, ordinal = [], [], 1
    for text in texts:
        piece = chunk(text, ordinal)
        parsed = parse(piece)
        for rows in parsed.rows:
            columns = dict(rows.columns, file="f", ordinal=rows.line.astype(np.uint64) + ordinal)
            if rows.kind == kind:
                batches.append(conform(kind, columns, len(rows.line)))
        reasons += [reason for reason, lines in parsed.rejected.items() for _ in lines]
        ordinal += len(piece.lines)
    return concat(kind, batches).sort_by("ordinal"), reasons


def cells(table, *names):
    columns = [table.column(name).combine_chunks() for name in names]
    plain = [printed(c) if c.type in {IP, MAC, TIMESTAMP} else c for c in columns]
    return list(zip(*[c.to_pylist() for c in plain], strict=True))


def who(table, at, port=1024, skew_s=0, **more):
    """The inside hosts that the walk-back names for our public address and a port at a time."""
    moments = [m for name in ("ts", "ts_end") for m in table.column(name).to_pylist() if m is not None]
    first, last = (m.to_pydatetime().astimezone(dt.UTC) for m in (min(moments), max(moments)))
    day = dt.timedelta(days=1)
    ledger = [EvidenceFile("f", "", "", 0, "", ("nat",), first - day, last + day)]
    unit = Settings(unit=Unit(egress=("203.0.113.0/24",)))
    logs = Logs.build(tables={"nat": table}, ledger=ledger, settings=unit)
    moment = dt.datetime.fromisoformat(at)
    asked = Question(at=moment, public_ip=parse_ip(PUBLIC), port=port, skew_s=skew_s, **more)
    hop = walk_back(asked, logs).hops[0]
    return hop.outcome, [candidate.value for candidate in hop.candidates]


MISSING = (Outcome.MISSING, [])


def held(address):
    return Outcome.HELD, [address]


# Cisco ASA

BUILT = (
    "2026-11-22T10:00:00Z fw1 %ASA-6-302013: Built outbound TCP connection 77 for outside:198.51.100.7/443 "
    "(198.51.100.7/443) to inside:10.1.0.11/5000 (203.0.113.5/1024)"
)
TEARDOWN = (
    "2026-11-22T10:00:30Z fw1 %ASA-6-302014: Teardown TCP connection 77 for outside:198.51.100.7/443 to "
    "inside:10.1.0.11/5000 duration 0:00:30 bytes 4920 TCP FINs"
)


def test_asa_teardown_without_the_translation_ends_what_was_built():
    table, reasons = read(cisco_asa, BUILT, TEARDOWN)
    assert not reasons
    assert who(table, "2026-11-22T10:00:15Z") == held("10.1.0.11")
    assert who(table, "2026-11-22T10:00:31Z") == MISSING
    assert who(table, "2026-11-22T09:59:59Z") == MISSING


def test_asa_connection_numbers_are_used_again():
    again = BUILT.replace("10:00:00", "10:05:00").replace("10.1.0.11/5000", "10.1.0.12/6000")
    over = TEARDOWN.replace("10:00:30", "10:05:30").replace("10.1.0.11/5000", "10.1.0.12/6000")
    table, _ = read(cisco_asa, f"{BUILT}\n{TEARDOWN}\n{again}\n{over}")
    assert who(table, "2026-11-22T10:00:15Z") == held("10.1.0.11")
    assert who(table, "2026-11-22T10:05:15Z") == held("10.1.0.12")
    assert who(table, "2026-11-22T10:02:00Z") == MISSING


def test_asa_without_teardown_is_open_up_to_a_cap():
    table, _ = read(cisco_asa, BUILT)
    assert who(table, "2026-11-22T15:00:00Z") == held("10.1.0.11")


def test_asa_translation_alone_is_enough():
    table, _ = read(
        cisco_asa,
        "2026-11-22T10:00:00Z fw1 %ASA-6-305011: Built dynamic UDP translation from inside:10.1.0.8/51000 to "
        "outside:203.0.113.5/1024\n"
        "2026-11-22T10:01:00Z fw1 %ASA-6-305012: Teardown dynamic UDP translation from inside:10.1.0.8/51000 to "
        "outside:203.0.113.5/1024 duration 0:01:00",
    )
    assert who(table, "2026-11-22T10:00:30Z", transport="udp") == held("10.1.0.8")
    assert who(table, "2026-11-22T10:01:05Z", transport="udp") == MISSING


def test_asa_teardown_of_a_translation_whose_beginning_is_in_no_log_tells_it():
    table, _ = read(
        cisco_asa,
        "2026-11-22T10:01:00Z %ASA-6-305012: Teardown dynamic TCP translation from inside:10.1.0.8/51000 to "
        "outside:203.0.113.5/1024 duration 0:01:00",
    )
    assert who(table, "2026-11-22T10:00:30Z") == held("10.1.0.8")
    assert who(table, "2026-11-22T09:59:30Z") == MISSING


@pytest.mark.parametrize(("way", "inside"), [("outbound", "198.51.100.2"), ("inbound", "198.51.100.1")])
def test_asa_teardown_follows_its_beginning_where_no_address_tells(way, inside):
    pair = "for dmz:198.51.100.1/99{} to lan:198.51.100.2/53{}"
    built = f"%ASA-6-302015: Built {way} UDP connection 5 " + pair.format(
        " (198.51.100.1/99)", " (198.51.100.2/53)"
    )
    over = "%ASA-6-302016: Teardown UDP connection 5 " + pair.format("", "") + " duration 0:00:01 bytes 1"
    table, _ = read(cisco_asa, built, "", over)
    assert [ip for (ip,) in cells(table, "client_ip")] == [inside, inside]
    orphan, _ = read(cisco_asa, over)
    assert cells(orphan, "client_ip", "public_ip", "message") == [("198.51.100.2", None, "302016 teardown")]


def test_asa_names_stand_for_declared_addresses_only():
    text = BUILT.replace("198.51.100.7/443", "WEB/443")
    table, reasons = read(cisco_asa, text)
    assert (len(table), reasons) == (0, [cisco_asa.NAMED])
    table, reasons = read(cisco_asa, text, options={"name.WEB": "198.51.100.9"})
    assert cells(table, "server_ip", "client_ip") == [("198.51.100.9", "10.1.0.11")]
    assert not reasons


@pytest.mark.parametrize(
    ("head", "ts"),
    [
        ("<166>Nov 22 2026 23:59:03 fw01 : ", "2026-11-22T15:59:03.000000000Z"),
        ("<166>:Nov 22 23:59:03 UTC: ", "2026-11-22T23:59:03.000000000Z"),
        ("Nov 22 23:59:09 relay Nov 22 2026 23:59:03: ", "2026-11-22T15:59:03.000000000Z"),
        ("<166>1 2026-11-22T23:59:03+09:00 fw01 ASA - - - ", "2026-11-22T14:59:03.000000000Z"),
        ("", None),
    ],
)
def test_asa_stamps(head, ts):
    message = BUILT[BUILT.index("%") :].replace("%ASA-6", "%ASA-session-6")
    table, _ = read(cisco_asa, head + message, zone="Asia/Shanghai")
    assert cells(table, "ts", "message") == [(ts, "302013 built outbound")]


def test_asa_reads_ipv6():
    table, reasons = read(
        cisco_asa,
        "%ASA-6-302013: Built outbound TCP connection 9 for outside:2001:db8::7/443 (2001:db8::7/443) to "
        "inside:fd00:70::11/5000 (2001:db8:ff::1/1024)",
    )
    assert not reasons
    assert cells(table, "client_ip", "public_ip", "server_ip") == [
        ("fd00:70::11", "2001:db8:ff::1", "2001:db8::7")
    ]


def test_open_flows_are_kept_over_chunks_until_they_end():
    flows = OpenFlows()
    begins, ends = np.ones(3, bool), np.zeros(3, bool)
    keys = keys_of(pa.array(["a", "b", None]), pa.array(["1", "1", "1"]))
    flows.recall(keys, begins, np.array([True, False, True]))
    again = keys_of(pa.array(["b", "c", "a"]), pa.array(["1", "1", "1"]))
    found, note = flows.recall(again, ends, ends)
    assert (found.tolist(), note.tolist()) == ([True, False, True], [False, False, True])
    found, _ = flows.recall(again, ends, ends)
    assert not found.any()
    found, _ = flows.recall(pa.array([], pa.string()), np.zeros(0, bool), np.zeros(0, bool))
    assert not len(found)


# conntrack and ulogd

FLOW = (
    "tcp      6 {} src=10.1.0.{} dst=198.51.100.7 sport=20500 dport=443 src=198.51.100.7 dst=203.0.113.5 sport=443 "
    "dport=1024 {}id=7"
)


def test_conntrack_joins_by_id_and_order():
    lines = [
        "[1795364360.000000]\t    [NEW] " + FLOW.format("120 SYN_SENT", 11, ""),
        "[1795364367.000000]\t[DESTROY] " + FLOW.format("TIME_WAIT", 11, ""),
        "[1795364369.000000]\t    [NEW] " + FLOW.format("120 SYN_SENT", 12, ""),
        "[1795364375.000000]\t[DESTROY] " + FLOW.format("TIME_WAIT", 12, ""),
    ]
    table, _ = read(conntrack, "\n".join(lines))
    assert who(table, "2026-11-22T16:19:22Z") == held("10.1.0.11")
    assert who(table, "2026-11-22T16:19:30Z") == held("10.1.0.12")
    assert who(table, "2026-11-22T16:19:28Z") == MISSING


def test_conntrack_end_with_the_kernels_times_is_enough_alone():
    told = "delta-time=6 [start=Mon Nov 23 00:19:09 2026] [stop=Mon Nov 23 00:19:15 2026] "
    table, _ = read(conntrack, "[DESTROY] " + FLOW.format("TIME_WAIT", 11, told), zone="Asia/Shanghai")
    assert who(table, "2026-11-22T16:19:12Z") == held("10.1.0.11")
    assert who(table, "2026-11-22T16:19:08Z") == MISSING
    assert who(table, "2026-11-22T16:19:16Z") == MISSING


def test_conntrack_late_end_is_dated_by_the_kernel():
    told = "delta-time=6 [start=Mon Nov 23 00:19:09 2026] [stop=Mon Nov 23 00:19:15 2026] "
    new = "[1795364349.500000]\t    [NEW] " + FLOW.format("120 SYN_SENT", 11, "")
    end = "[1795364400.000000]\t[DESTROY] " + FLOW.format("TIME_WAIT", 11, told)
    whole, _ = read(conntrack, new, end, zone="Asia/Shanghai")
    assert cells(whole, "ts", "ts_end")[1] == (
        "2026-11-22T16:20:00.000000000Z",
        "2026-11-22T16:19:15.000000000Z",
    )
    orphan, _ = read(conntrack, end, zone="Asia/Shanghai")
    for table in (whole, orphan):
        assert who(table, "2026-11-22T16:19:12Z") == held("10.1.0.11")
        assert who(table, "2026-11-22T16:19:16Z") == MISSING
    zoneless, _ = read(conntrack, f"{new}\n{end}", zone="")
    assert who(zoneless, "2026-11-22T16:19:16Z") == held("10.1.0.11")
    assert who(zoneless, "2026-11-22T16:20:01Z") == MISSING


def test_conntrack_snapshot_is_of_its_moment_and_tells_the_age():
    line = "ipv4     2 " + FLOW.format("5 ESTABLISHED", 11, "mark=0 delta-time=60 use=1 ")
    timeless, _ = read(conntrack, line)
    assert cells(timeless, "ts", "ts_end", "message") == [(None, None, "entry")]
    table, _ = read(conntrack, line, options={"taken_at": "2026-11-22T16:20:00Z"})
    assert who(table, "2026-11-22T16:19:30Z") == held("10.1.0.11")
    assert who(table, "2026-11-22T16:18:30Z") == MISSING
    assert who(table, "2026-11-22T16:20:30Z") == MISSING


def test_conntrack_xml_cannot_be_made_to_expand_entities():
    evil = '<!DOCTYPE x [<!ENTITY a "aaaa">]>\n<conntrack>\n'
    flow = conntrack_xml.FORMAT.samples[0].text.split("\n")[-1]
    table, reasons = read(conntrack_xml, evil + flow + "\n" + flow.replace("10.1.0.11", "&a;"))
    assert cells(table, "client_ip") == [("10.1.0.11",)]
    assert reasons == [BAD_END]


def test_ulogd_without_a_zone_is_refused_or_left_without_times():
    line = ulogd.FORMAT.samples[0].text
    with pytest.raises(ConfigError):
        read(ulogd, line, zone="")
    tolerant = context(zone="", tolerant=True)
    rows = ulogd.FORMAT.open(tolerant)(chunk(line)).rows[0]
    assert rows.columns["ts"].null_count == 1
    assert ZONELESS in tolerant.notes


def test_ulogd_json_of_packets_has_no_public_side():
    line = (
        '{"timestamp": "2026-11-23T00:19:08+0800", "oob.prefix": "FWD-NEW ", "ip.protocol": 6, "src_ip": "10.1.0.11", '
        '"dest_ip": "198.51.100.7", "src_port": 50001, "dest_port": 443}'
    )
    table, _ = read(ulogd_json, line)
    assert cells(table, "message", "client_ip", "public_ip", "server_port", "transport") == [
        ("FWD-NEW", "10.1.0.11", None, 443, "tcp")
    ]


def test_ulogd_oprint_records_that_are_cut_are_rejected():
    whole = ulogd_oprint.FORMAT.samples[0].text
    tail = whole.split("\n", 5)[-1]
    table, reasons = read(
        ulogd_oprint, "\n".join([tail, whole, whole[: whole.index("reply.ip.saddr.str")]])
    )
    assert cells(table, "client_ip", "public_ip") == [("10.1.0.11", PUBLIC)]
    assert len(reasons) == 2


def test_a_reversed_address_is_never_read():
    table, reasons = read(
        ulogd_oprint, "===>PACKET BOUNDARY\norig.ip.saddr=11.0.1.10\norig.ip.protocol=6\nct.event=1"
    )
    assert (len(table), len(reasons)) == (0, 1)


# pf


def test_pfnattrack_state_ends_at_its_stamp_and_began_before():
    line = (
        "2026-11-22 10:01:30 proto=6 osrc=10.1.0.7:54191 odst=198.51.100.7:443 tsrc=203.0.113.5:1024 "
        "tdst=198.51.100.7:443 duration=90"
    )
    table, _ = read(pfnattrack, line)
    assert who(table, "2026-11-22T10:00:01Z") == held("10.1.0.7")
    assert who(table, "2026-11-22T09:59:59Z") == MISSING
    assert who(table, "2026-11-22T10:01:31Z") == MISSING


def test_pf_states_count_for_their_moment_only():
    line = "all tcp 203.0.113.5:1024 (10.1.0.7:54191) -> 198.51.100.7:443       ESTABLISHED:ESTABLISHED"
    table, _ = read(pf_states, line, options={"taken_at": "2026-11-22T10:00:00Z"})
    assert who(table, "2026-11-22T10:00:00Z") == held("10.1.0.7")
    assert who(table, "2026-11-22T10:00:05Z") == MISSING


def test_what_the_firewall_blocked_is_no_session():
    text = "1,,,9,em0,match,{},in,4,0x0,,64,1,0,DF,6,tcp,44,10.0.0.2,198.51.100.7,5000,443,0,S,1,,65535,,"
    table, _ = read(pf_filterlog, "\n".join(text.format(word) for word in ("pass", "block")))
    assert cells(table, "action", "public_ip") == [("pass", None), ("block", None)]
    assert [nat_role(word) for word in ("pass", "block")] == [Role.START, Role.IGNORE]


# FortiGate

SESSION = (
    'date=2026-11-22 time=10:01:30 logid="0000000013" type="traffic" subtype="forward" srcip=10.1.0.7 srcport=54191 '
    'dstip=198.51.100.7 dstport=443 sessionid=42 proto=6 action="{}" trandisp="snat" transip=203.0.113.5 transport=1024'
)


def test_fortigate_end_tells_the_begin():
    table, _ = read(fortigate, SESSION.format("close") + " duration=90")
    assert who(table, "2026-11-22T10:00:01Z") == held("10.1.0.7")
    assert who(table, "2026-11-22T09:59:59Z") == MISSING
    assert who(table, "2026-11-22T10:01:31Z") == MISSING


@pytest.mark.parametrize("action", ["accept", "timeout", "server-rst", "client-rst", "close"])
def test_fortigate_start_and_end_are_one_session(action):
    start = SESSION.format("start").replace("10:01:30", "10:00:00")
    table, _ = read(fortigate, f"{start}\n{SESSION.format(action)} duration=90")
    assert who(table, "2026-11-22T10:00:30Z") == held("10.1.0.7")
    assert who(table, "2026-11-22T10:01:31Z") == MISSING


def test_fortigate_interim_records_say_how_far_the_session_has_come():
    interim = [
        SESSION.format("accept").replace("10:01:30", f"10:0{m}:00") + f" duration={m * 60}" for m in (2, 4)
    ]
    table, _ = read(fortigate, "\n".join(interim))
    assert who(table, "2026-11-22T10:00:30Z") == held("10.1.0.7")
    assert who(table, "2026-11-22T10:03:30Z") == held("10.1.0.7")


def test_fortigate_denied_is_no_session():
    table, _ = read(fortigate, SESSION.format("deny") + " duration=90")
    assert who(table, "2026-11-22T10:01:00Z") == MISSING


@pytest.mark.parametrize(
    ("stamp", "ts"),
    [
        ("eventtime=1795364350", "2026-11-22T16:19:10.000000000Z"),
        ("eventtime=1795364350123", "2026-11-22T16:19:10.123000000Z"),
        ("eventtime=1795364350123456789", "2026-11-22T16:19:10.123456789Z"),
        ('timestamp=9999999999 tz="+0800"', "2026-11-22T02:01:30.000000000Z"),
        ("timestamp=9999999999", "2026-11-22T01:01:30.000000000Z"),
    ],
)
def test_fortigate_times(stamp, ts):
    table, _ = read(fortigate, f"{SESSION.format('start')} {stamp}", zone="Asia/Tokyo")
    assert cells(table, "ts") == [(ts,)]


def test_fortigate_reads_both_kinds_of_one_file():
    text = "\n".join(sample.text for sample in fortigate.FORMAT.samples)
    assert len(read(fortigate, text)[0]) == 4
    assert len(read(fortigate, text, kind="dhcp")[0]) == 1


def test_fortigate_old_cef_without_an_event_time():
    line = (
        "<13>Nov 22 10:01:30 fw CEF: 0|Fortinet|Fortigate|v5.6.0|00013|traffic:forward close|3|cat=traffic:forward "
        "FTNTFGTsubtype=forward src=10.1.0.7 spt=45719 dst=198.51.100.7 dpt=80 externalId=56633 proto=6 act=close "
        'FTNTFGTtrandisp=snat msg=5" disk sourceTranslatedAddress=203.0.113.5 sourceTranslatedPort=1024 cn1=7 cn1Label=Duration out=3'
    )
    table, _ = read(fortigate, line)
    assert cells(table, "ts", "ts_end", "message", "public_port") == [
        ("2026-11-22T10:01:23.000000000Z", "2026-11-22T10:01:30.000000000Z", "forward/close", 1024)
    ]


def test_fortigate_lease_that_overruns_its_column_has_no_name():
    table, _ = read(
        fortigate_leases,
        "Vlan70\n"
        "  IP            MAC-Address             Hostname            VCI                 SSID                AP                  Expiry\n"
        "  10.32.159.197 74:ac:b9:96:51:fd       KFC-Abakan-Torgovaya-Unifi3BS21ubnt                                                        Sun Jul 23 21:13:54 2023\n"
        "  10.32.159.11  cc:6b:1e:14:15:e1       NLZ0637-02          MSFT 5.0                                                    Tue Jul 18 19:24:19 2023",
        kind="dhcp",
    )
    assert cells(table, "client_ip", "hostname", "vendor_class", "nas_port") == [
        ("10.32.159.197", None, None, "Vlan70"),
        ("10.32.159.11", "NLZ0637-02", "MSFT 5.0", "Vlan70"),
    ]


def test_key_values_within_quotes_are_none():
    line = r'a="x b=1, c=\"2\" b=3" ,b="4=5",c=6'
    values = KeyValues(pa.array([line, 'b="unclosed c=7']))
    assert values.get("b").to_pylist() == ["4=5", None]
    assert values.get("c").to_pylist() == ["6", None]
    assert values.get("a").to_pylist() == ["x b=1, c='2' b=3", None]


# IOS, netfilter


def test_ios_translation_is_created_and_deleted():
    line = "Nov 22 2026 {} UTC: %IPNAT-6-NAT_{}: {} tcp 10.1.0.9:43800 203.0.113.5:1024 198.51.100.7:80 198.51.100.7:80"
    text = "\n".join(
        (line.format("10:00:00", "CREATED", "Created"), line.format("10:01:00", "DELETED", "Deleted"))
    )
    table, _ = read(cisco_ios_nat_log, text)
    assert who(table, "2026-11-22T10:00:30Z") == held("10.1.0.9")
    assert who(table, "2026-11-22T10:01:01Z") == MISSING


@pytest.mark.parametrize(
    ("prefix", "action"),
    [
        ("IPTABLES-DROP: ", "drop"),
        ("[UFW BLOCK] ", "block"),
        ("INPUT DFLT ACCEPT ", "accept"),
        ('[WAN_LOCAL-4000-D] DESCR="x" ', None),
        ("DROPBOX ", None),
        ("rejected: ", "reject"),
    ],
)
def test_netfilter_prefix_tells_what_was_done(prefix, action):
    packet = "IN=lan OUT=wan SRC=10.1.0.11 DST=198.51.100.7 LEN=60 TOS=0x00 PROTO=TCP SPT=50001 DPT=443"
    table, reasons = read(netfilter_log, f"Nov 22 10:00:00 gw kernel: [ 203.842973] {prefix}{packet}")
    assert not reasons
    assert cells(table, "message", "action", "client_port") == [("packet", action, 50001)]


def test_netfilter_reads_ipv6():
    table, _ = read(
        netfilter_log,
        "kernel: IN=lan OUT=wan SRC=fd00:0000:0000:0000:0000:0000:0000:0011 DST=2001:0db8:0000:0000:0000:0000:0000:0007 "
        "LEN=72 TC=0 HOPLIMIT=64 FLOWLBL=0 PROTO=ICMPv6 TYPE=128 CODE=0 ID=77 SEQ=1",
    )
    assert cells(table, "client_ip", "client_port", "transport") == [("fd00::11", 77, "icmpv6")]


@pytest.mark.parametrize(
    ("word", "role"),
    [
        ("302013 built inbound", Role.START),
        ("302020 built", Role.START),
        ("302014 teardown", Role.END),
        ("305012 teardown", Role.END),
        ("forward/start", Role.START),
        ("forward/deny", Role.IGNORE),
        ("local/close", Role.END),
        ("end", Role.END),
        ("created", Role.START),
        ("deleted", Role.END),
        ("entry", Role.SEEN),
        ("update", Role.SEEN),
        ("destroy", Role.END),
    ],
)
def test_roles_of_messages(word, role):
    assert nat_role(word) is role


def test_roles_of_leases():
    assert [lease_role(word) for word in ("ack", "release", "nak", "discover", "lease")] == [
        Role.START,
        Role.END,
        Role.IGNORE,
        Role.IGNORE,
        Role.START,
    ]


# Any lines

PIECES = sorted(
    {
        piece
        for module in (*BY_LINE, ulogd_oprint)
        for sample in module.FORMAT.samples
        for line in sample.text.split("\n")
        for piece in line.replace("=", "= ").split(" ")
    }
)
LINES = st.lists(
    st.one_of(
        st.text(max_size=40),
        st.lists(st.sampled_from(PIECES), max_size=30).map(" ".join),
        st.tuples(
            st.sampled_from(
                [line for m in BY_LINE for s in m.FORMAT.samples for line in s.text.split("\n")]
            ),
            st.integers(0, 400),
            st.sampled_from(["", "9" * 40, "\0", "é", "::", " ", '"', "="]),
        ).map(lambda cut: cut[0][: cut[1]] + cut[2] + cut[0][cut[1] + 1 :]),
    ).map(lambda line: line.replace("\n", " ")),
    min_size=1,
    max_size=12,
)


@settings(max_examples=40, deadline=None)
@given(lines=LINES)
@example(lines=["%ASA-6-302014: "])
@example(lines=['type="traffic" srcip='])
@example(lines=["9CEF:0|Fortinet|Fortigate|v6|13|traffic:forward|3|cat=traffic:forward src=10.0.0.1"])
def test_any_lines_are_accounted_for(lines):
    text = "\n".join(lines)
    for module in BY_LINE:
        parse = module.FORMAT.open(context(options={"taken_at": "2026-11-22T10:00:00Z"}))
        for piece in (chunk(text), chunk(text, 100)):
            parsed = parse(piece)
            used = sum(len(rows.line) for rows in parsed.rows) + sum(map(len, parsed.rejected.values()))
            assert used + parsed.other == len(piece.lines), module.__name__
            for rows in parsed.rows:
                conform(rows.kind, rows.columns, len(rows.line)).validate(full=True)
        assert 0 <= module.FORMAT.sniff(lines) <= 1


@settings(max_examples=20, deadline=None)
@given(lines=LINES)
def test_any_records_of_oprint_are_accounted_for(lines):
    text = "\n".join([*lines, "===>PACKET BOUNDARY", *lines])
    parsed = ulogd_oprint.FORMAT.open(context())(chunk(text))
    starts = sum(line.startswith("===>PACKET BOUNDARY") for line in text.split("\n"))
    used = sum(len(rows.line) for rows in parsed.rows) + sum(map(len, parsed.rejected.values()))
    assert starts <= used <= starts + 1
