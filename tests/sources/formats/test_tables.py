"""Tables that devices print, RouterOS, Linux' neighbours, arpwatch, SNMP walks: what the samples do not show."""

from __future__ import annotations

import datetime as dt
import time
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netaudit.attribution.words import Role, lease_role
from netaudit.intake import times
from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parsed
from netaudit.records.printed import text
from netaudit.records.schemas import IP, MAC, TIMESTAMP, conform
from netaudit.sources.formats import arpwatch, device_tables, linux_neigh, mikrotik_print, snmp_walk
from netaudit.sources.formats._lease_cells import client_mac
from netaudit.sources.formats._table_rows import BAD_ADDRESS, HEADLESS, TOO_WIDE
from netaudit.sources.formats._terminal import plain, prompt

FORMATS = [module.FORMAT for module in (device_tables, mikrotik_print, linux_neigh, arpwatch, snmp_walk)]
COLLECTED = dt.datetime(2026, 12, 1, tzinfo=dt.UTC)


def chunk(lines: list[str], first: int = 1) -> Chunk:
    return Chunk(pa.array(lines, pa.string()), first, np.array([], np.int64), np.ones(len(lines), np.int64))


def context(**options: str) -> times.Context:
    return times.Context(zone=dt.UTC, collected=COLLECTED, options=options)


def rows(parsed: Parsed) -> list[dict[str, Any]]:
    found = []
    for part in parsed.rows:
        batch = conform(part.kind, part.columns, len(part.line))
        cells = {}
        for name in batch.schema.names:
            column = batch.column(name)
            cells[name] = (text(column) if column.type in {IP, MAC, TIMESTAMP} else column).to_pylist()
        found += [
            {"kind": part.kind, "line": int(part.line[i]), **{n: c[i] for n, c in cells.items()}}
            for i in range(len(part.line))
        ]
    return found


def read(member: LogFormat, written: str, **options: str) -> list[dict[str, Any]]:
    return rows(member.open(context(**options))(chunk(written.split("\n"))))


def table(written: str, **options: str) -> list[dict[str, Any]]:
    assert device_tables.FORMAT.sniff(written.split("\n")) > 0.5
    return read(device_tables.FORMAT, written, **options)


def cells(found: list[dict[str, Any]], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in found]


def test_a_session_holds_several_tables_and_devices() -> None:
    found = table(
        "access-1#sh mac address-table\n"
        "Vlan        MAC Address          Type     Interface            Live Time\n"
        "----------  -------------------- -------- -------------------- -------------\n"
        "   1        00d0.f800.1001       DYNAMIC  GigabitEthernet 0/1    0d 00:12:33\n"
        "access-1#exit\n"
        "<core>display arp\n"
        "IP address      MAC address    VLAN     Interface                Aging Type\n"
        "10.20.1.2       2c23-3a40-7e18 1        XGE1/0/48                5     D\n"
    )
    assert cells(found, "kind", "nas", "nas_port") == [
        ("fdb", "access-1", "GigabitEthernet 0/1"),
        ("arp", "core", "XGE1/0/48"),
    ]


def test_the_option_names_the_device_where_no_prompt_does() -> None:
    written = (
        "VLAN port             mac            fwd\n900  sa1          0009.0f09.0000   forward   dynamic"
    )
    assert cells(table(written, nas="sw-7"), "nas", "nas_port", "vlan", "message") == [
        ("sw-7", "sa1", 900, "dynamic")
    ]


def test_titles_over_two_lines_and_rows_over_two_lines() -> None:
    found = table(
        "IP                       Hardware                    Exter  Inter  Sub\n"
        "Address         Age      Address        Interface    VlanID VlanID Interface\n"
        "--------------------------------------------------------------------------------\n"
        "10.10.255.2    00:14:17 0427.5873.0b65 xgei-1/1/0/1 201    N/A    xgei-1/1/0/1.\n"
        "                                        .201                       201\n"
        "192.168.1.11  H        744a.a42b.2011 mgmt_eth     N/A    N/A    N/A\n"
    )
    assert cells(found, "client_ip", "nas_port", "vlan", "age") == [
        ("10.10.255.2", "xgei-1/1/0/1.201", 201, "00:14:17"),
        ("192.168.1.11", "mgmt_eth", None, "H"),
    ]


def test_ports_that_wrap_are_one_list() -> None:
    found = table(
        "  vlan   mac address     type    learn     age              ports\n"
        "------+----------------+--------+-----+----------+--------------------------\n"
        "*  345  3333.0000.000d    static  Yes          -   Gi1/3,Gi1/6\n"
        "                                                   Gi1/48,Stby-Switch\n"
        "*  ---  0000.0000.0000    static  No           -   Router\n"
        "*  300  b4b5.2fef.dd44   dynamic  Yes        190   Gi9/16\n"
    )
    assert cells(found, "vlan", "nas_port") == [(345, "Gi1/3;Gi1/6;Gi1/48;Stby-Switch"), (300, "Gi9/16")]


def test_a_long_address_stands_on_a_line_of_its_own() -> None:
    found = table(
        "IPv6 Address                 Linklayer Address  State       Exp Rtr Secure Interface\n"
        "2001:db8:1111:2222:3333:4444:5555:6666\n"
        "                             00:05:85:8f:c8:be  stale       546 yes no      fe-1/2/0.2\n"
    )
    assert cells(found, "line", "client_ip", "client_mac", "message", "nas_port") == [
        (1, "2001:db8:1111:2222:3333:4444:5555:6666", "00:05:85:8f:c8:be", "stale", "fe-1/2/0.2")
    ]


def test_chinese_titles_and_never_resolved_addresses() -> None:
    found = table(
        "接口: 192.168.1.5 --- 0x4\n"
        "  Internet 地址         物理地址              类型\n"
        "  192.168.1.1           00-11-22-33-44-55     动态        \n"
    )
    assert cells(found, "client_ip", "client_mac", "message") == [
        ("192.168.1.1", "00:11:22:33:44:55", "动态")
    ]
    found = table(
        "Address                  HWtype  HWaddress           Flags Mask            Iface\n"
        "123.12.120.218                   (incomplete)                              eth1.1234\n"
    )
    assert cells(found, "client_ip", "client_mac", "nas_port") == [("123.12.120.218", None, "eth1.1234")]


def test_times_left_count_from_the_declared_moment() -> None:
    written = (
        " IP address      MAC address    Lease        VLAN  SVLAN Interface\n"
        " =============== ============== ============ ===== ===== =================\n"
        " 1.1.1.7         0000-0101-0107 3600         2     3     GE1/0/2\n"
    )
    found = table(written, taken_at="2026-11-23T08:00:00Z")
    assert cells(found, "message", "ts", "ts_end", "vlan", "nas_port") == [
        ("snooping", "2026-11-23T08:00:00.000000000Z", "2026-11-23T09:00:00.000000000Z", 2, "GE1/0/2")
    ]


def test_ends_of_leases_in_every_spelling() -> None:
    found = table(
        " IP address       Client-identifier/    Lease expiration      Type\n"
        "                  Hardware address\n"
        " 10.1.1.1         4444-4444-4444        Not used              Static(F)\n"
        " 10.1.1.2         3030-3030-2e30-3030-  May 1 14:02:49 2009   Auto(C)\n"
        "                  662e-3030-3033-2d45-\n"
        "                  7468-6572-1e\n"
    )
    assert cells(found, "client_mac", "message", "ts_end") == [
        ("44:44:44:44:44:44", "Static(F) free", None),
        ("00:00:00:0f:00:03", "binding", "2009-05-01T14:02:49.000000000Z"),
    ]
    found = table(
        "IP Address       MAC Address     VSI/VLAN(O/I/P) Interface      Lease\n"
        "10.1.1.10        00e0-fc12-3456  10  /--  /--    GE0/0/1        2020.09.21-10:05\n"
    )
    assert cells(found, "vlan", "ts_end") == [(10, "2020-09-21T10:05:00.000000000Z")]
    found = table(
        "IP address       Client-ID/              Lease expiration        Type\n"
        "10.1.1.10        00e0.fc12.3456          Mar 02 2026 12:01 AM    Automatic\n"
        "10.1.1.11        00e0.fc12.3457          Mar 02 2026 12:01 PM    Automatic\n"
        "10.1.1.12        00e0.fc12.3458          Feb 30 2026 12:01 PM    Automatic\n"
    )
    assert [row["ts_end"] and row["ts_end"][8:16] for row in found] == ["02T00:01", "02T12:01", None]


@pytest.mark.parametrize(
    ("identifier", "mac"),
    [
        ("0152.5400.aa00.01", "52:54:00:aa:00:01"),
        ("ffaa.0001.0000.0300.0152.5400.aa00.01", "52:54:00:aa:00:01"),
        ("0063.6973.636f.2d30.3031.312e.3232.3333.2e34.3435.352d.4769.302f.31", "00:11:22:33:44:55"),
        ("0252.5400.aa00.01", None),
        ("01ff.ffff.ffff.ff", None),
        ("ff", None),
        ("0.1", None),
        ("zz", None),
        ("", None),
    ],
)
def test_macs_in_client_identifiers(identifier: str, mac: str | None) -> None:
    found = client_mac(identifier)
    assert (found and found.hex(":")) == mac


def test_what_is_no_lease_is_understood_as_none() -> None:
    roles = {word: lease_role(word) for word in ("snooping", "binding", "lease", "bound")}
    assert set(roles.values()) == {Role.START}
    for word in ("OFFER_SENT", "Selecting", "waiting", "conflict", "Auto(O) offered"):
        assert lease_role(word) is Role.IGNORE
    for word in ("DELETING", "Terminating", "expired", "Static(F) free"):
        assert lease_role(word) is Role.END


def test_rows_that_cannot_be_read_are_refused_with_their_reason() -> None:
    parsed = device_tables.FORMAT.open(context())(
        chunk(
            [
                "0011.2233.4455  1  Gi0/1",
                "Vlan    Mac Address       Type        Ports",
                "   2    c869.cd54.1fg1    DYNAMIC     Gi1/0/7",
                "   2    c869.cd54.1ff1    DYNAMIC     Gi1/0/7",
                "x" * 5000,
                "Total Mac Addresses for this criterion: 2",
            ]
        )
    )
    assert {reason: lines.tolist() for reason, lines in parsed.rejected.items()} == {
        HEADLESS: [0],
        BAD_ADDRESS: [2],
        TOO_WIDE: [4],
    }
    assert parsed.other == 2
    assert len(rows(parsed)) == 1


@pytest.mark.parametrize(
    "written",
    [
        (
            "Interface    MAC Address    Method  Domain  Status Fg Session ID\n"
            "Gi1/0/1      0050.568e.1234 dot1x   DATA    Auth      0A0A0A0A0000"
        ),
        "Hostname\tIP Address\tMAC Address\tVLAN ID\npc\t10.1.2.8\t00:50:56:8e:12:34\t12",
        (
            "MAC Address       AP Name                 Status        WLAN/Guest-Lan\n"
            "00:00:00:00:00:01 AP1                     Associated    1"
        ),
        " #    ADDRESS         MAC-ADDRESS       INTERFACE\n 0 DC 10.160.1.230    12:34:56:78:90:AA ether2",
        "IP address : 10.0.0.1\nSubnet mask : 255.0.0.0",
    ],
)
def test_tables_of_other_kinds_are_left_to_others(written: str) -> None:
    assert device_tables.FORMAT.sniff(written.split("\n")) <= 0.5


@pytest.mark.parametrize(
    ("line", "device"),
    [
        ("SW-1#show mac address-table", "SW-1"),
        ("<HUAWEI>", "HUAWEI"),
        ("[~HUAWEI]display arp", "HUAWEI"),
        ("[admin@gw] > /ip arp print", "gw"),
        ("user@fw-1> show arp no-resolve", "fw-1"),
        ("RP/0/RSP0/CPU0:edge-1#show arp", "edge-1"),
        ("switch(config)# show arp", "switch"),
        ("(EdgeSwitch) #show arp", "EdgeSwitch"),
        ("root@host:~# arp -an", "host"),
        ("10.0.0.1  aa  # comment", None),
        ("? (10.0.0.1) at 00:00:00:00:00:01 [ether] on eth0", None),
        ("a -> b", None),
        ("", None),
    ],
)
def test_prompts_name_the_device(line: str, device: str | None) -> None:
    assert prompt(line) == device


def test_what_a_terminal_erased_is_gone() -> None:
    assert plain("  ---- More ----\x1b[16D                \x1b[16Drow").strip() == "row"
    assert plain(" --More-- \b\b\b\b\b\b\b\b\b\b          \b\b\b\b\b\b\b\b\b\brow").strip() == "row"
    assert plain("---(more 50%)---\r\x1b[Krow") == "row"
    assert plain("<--- More --->\r              \rrow").strip() == "row"
    assert plain("a\tb") == "a       b"


def test_a_table_reads_the_same_whatever_the_chunks() -> None:
    written = [
        "IP ADDRESS      MAC ADDRESS     EXPIRE(M) TYPE        INTERFACE   VPN-INSTANCE",
        "                                    VLAN/CEVLAN(SIP/DIP)",
        "------------------------------------------------------------------------------",
        "10.10.10.2      b8d6-f6ff-739b  17        D-0         XGE0/0/1",
        "                                            10/-",
        "10.10.20.2      b8d6-f6ff-7396  17        D-0         XGE0/0/1",
        "                                            20/-",
    ]
    member = device_tables.FORMAT
    assert member.starts is not None
    cuts = [0, *np.flatnonzero(member.starts(pa.array(written))).tolist(), len(written)]
    parse = member.open(context())
    found = [row for a, b in pairwise(cuts) for row in rows(parse(chunk(written[a:b], a + 1)))]
    assert (
        [row["vlan"] for row in found]
        == [10, 20]
        == [row["vlan"] for row in read(member, "\n".join(written))]
    )


def test_routeros_details_wrap_and_its_times_are_relative() -> None:
    found = read(
        mikrotik_print.FORMAT,
        "[admin@gw-1] > /ip dhcp-server lease print detail\n"
        "Flags: X - disabled, R - radius, D - dynamic, B - blocked \n"
        " 0   ;;; address=10.9.9.9 is no address\n"
        "     address=192.168.88.10 mac-address=00:11:22:33:44:55 \n"
        "     server=defconf status=waiting last-seen=never \n"
        "\n"
        " 1 D address=pool1 mac-address=00:11:22:33:44:56 server=defconf status=bound \n"
        "     expires-after=8m40s last-seen=1d1m20s active-address=192.168.88.254 \n"
        '     host-name="my phone" \n',
        taken_at="2026-11-23T08:00:00Z",
    )
    assert cells(found, "client_mac", "message", "hostname", "ts", "ts_end", "nas")[1] == (
        "00:11:22:33:44:56",
        "bound",
        "my phone",
        "2026-11-22T07:58:40.000000000Z",
        "2026-11-23T08:08:40.000000000Z",
        "gw-1",
    )
    assert found[1]["client_ip"] == "192.168.88.254"


def test_routeros_prints_of_other_things_are_none() -> None:
    written = (
        "0 R name=ether1 mtu=1500 mac-address=00:0C:42:28:79:45 type=ether\n"
        "1   address=10.0.0.1/24 network=10.0.0.0 interface=ether1 actual-interface=ether1\n"
        "2 interface=ether1 address=10.0.0.9 mac-address=00:0C:42:28:79:49 identity=foo"
    )
    assert mikrotik_print.FORMAT.sniff(written.split("\n")) <= 0.5
    assert read(mikrotik_print.FORMAT, written) == []


def test_objects_of_a_pretty_print_stand_on_their_lines() -> None:
    written = (
        '[ {\n        "dst": "10.0.0.1",\n        "dev": "eth0",\n        "lladdr": "52:54:00:aa:00:01",\n'
        '        "state": [ "REACHABLE" ]\n    },{\n        "dst": "10.0.0.2",\n        "dev": "eth0",\n'
        '        "state": [ "FAILED" ]\n    } ]'
    )
    assert linux_neigh.FORMAT.sniff(written.split("\n")) > 0.5
    found = read(linux_neigh.FORMAT, written, nas="gw")
    assert cells(found, "line", "client_mac", "nas") == [(0, "52:54:00:aa:00:01", "gw"), (5, None, "gw")]


def test_routers_neighbours_without_ipv4_are_a_print() -> None:
    lines = [
        "fe80::11:32ff:fe2a:c970 dev eth1 lladdr 02:11:32:2a:c9:70 STALE",
        "2a02:33:44::1  router INCOMPLETE",
    ]
    assert linux_neigh.FORMAT.sniff(lines) <= 0.5 < device_tables.FORMAT.sniff(lines)
    lines.append("10.0.0.1 dev eth1 lladdr 02:11:32:2a:c9:70 STALE")
    assert device_tables.FORMAT.sniff(lines) <= 0.5 < linux_neigh.FORMAT.sniff(lines)


def test_mails_of_arpwatch_with_and_without_a_subject() -> None:
    body = (
        "            hostname: <unknown>\n          ip address: 10.0.0.{0}\n           interface: eth0\n"
        "    ethernet address: 0:1c:2:a:b:{0}\n           timestamp: Monday, November 23, 2026 0:07:39 +0800\n"
    )
    written = (
        "Subject: new station (x) eth0\n\n"
        + body.format(1)
        + "\nSubject: flip flop (x) eth0\n"
        + body.format(2)
    )
    found = read(arpwatch.FORMAT, written)
    assert cells(found, "line", "client_mac", "message") == [
        (0, "00:1c:02:0a:0b:01", "new station"),
        (8, "00:1c:02:0a:0b:02", "flip flop"),
    ]
    found = read(arpwatch.FORMAT, body.format(3) + body.format(4))
    assert cells(found, "client_ip", "message", "ts") == [
        ("10.0.0.3", None, "2026-11-22T16:07:39.000000000Z"),
        ("10.0.0.4", None, "2026-11-22T16:07:39.000000000Z"),
    ]


def test_a_walk_per_vlan_takes_the_vlan_from_the_source() -> None:
    walk = "SNMPv2-SMI::mib-2.17.4.3.1.2.0.12.41.75.52.208 = INTEGER: 6\nIF-MIB::ifDescr.10106 = STRING: Gi0/6\n"
    walk += "mib-2.17.1.4.1.2.6 = INTEGER: 10106\nBRIDGE-MIB::dot1dTpFdbPort.0.12.41.75.52.999 = INTEGER: 6"
    assert cells(read(snmp_walk.FORMAT, walk, vlan="30"), "vlan", "nas_port") == [(30, "Gi0/6")]


WORDS = st.sampled_from(
    [
        "mac",
        "address",
        "vlan",
        "port",
        "interface",
        "type",
        "ip",
        "10.0.0.1",
        "10.0.0.999",
        "0011.2233.4455",
        "00:11:22:33:44:55",
        "fe80::1",
        "dynamic",
        "-",
        "N/A",
        "12",
        "Gi0/1",
        "(incomplete)",
        "----",
        "--More--",
        "\x08",
        "\x1b[9D",
        "sw#show",
        "<core>",
        ":",
        "lease",
        "client-id/",
        "0",
        "address=10.0.0.1",
        "mac-address=00:11:22:33:44:55",
        "server=x",
        "interface=y",
        "#",
        '{"dst":"10.0.0.1","state":[]}',
        "}",
        "[",
        "dev",
        "lladdr",
        "STALE",
        "hostname:",
        "Subject:",
        "\t1795363659\t",
        "dot1dTpFdbPort.0.1.2.3.4.5",
        "=",
        "INTEGER:",
        "9",
    ]
)
LINES = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["", " ", "      "]), st.lists(WORDS, max_size=9)).map(
            lambda pair: pair[0] + "  ".join(pair[1])
        ),
        st.text(max_size=40).map(lambda line: line.replace("\n", " ")),
    ),
    max_size=14,
)


@pytest.mark.parametrize("member", FORMATS, ids=lambda member: member.title[:20])
@settings(max_examples=60, deadline=None)
@given(lines=LINES)
def test_any_lines_are_read_and_never_counted_twice(member: LogFormat, lines: list[str]) -> None:
    member.sniff(lines)
    parsed = member.open(context())(chunk(lines))
    found = rows(parsed)
    refused = [line for index in parsed.rejected.values() for line in index.tolist()]
    assert len(found) + len(refused) + parsed.other <= len(lines) + sum(line.count("{") for line in lines)
    assert all(0 <= line < max(len(lines), 1) for line in refused)


@pytest.mark.parametrize(
    "line",
    [
        "RP/0/" * 200,
        "-" * 1190 + "x",
        "a(b)" * 290,
        "? (1.1.1.1) at " + "a " * 580,
        "mac address vlan port type " * 40,
        "0011.2233.4455 " + "ab 1 " * 230,
        "fe80::1 dev x " + "router " * 160,
        '1 address="' * 100,
    ],
)
def test_no_line_takes_long(line: str) -> None:
    begin = time.perf_counter()
    for member in FORMATS:
        member.sniff([line] * 20)
    assert time.perf_counter() - begin < 5
