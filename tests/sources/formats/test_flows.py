"""Flows of Meraki, MikroTik and nfdump: sides, torn lines, headers, and what their words mean."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from log_reading import accounted, read

from netaudit.attribution.words import Role, lease_role, nat_role
from netaudit.sources.formats import meraki, mikrotik_log, nfdump

EVERY = (meraki, mikrotik_log, nfdump)
STAMP = "1673277245.262063982 FW_MX_01"
FLOW = f"{STAMP} ip_flow_start src=10.1.0.12 dst=198.51.100.9 protocol=tcp sport=64365 dport=443"


@pytest.mark.parametrize(
    ("message", "role"),
    [
        ("ip_flow_start", Role.START),
        ("ip_flow_end", Role.END),
        ("flows", Role.START),
        ("forward", Role.START),
        ("create", Role.START),
        ("delete", Role.END),
        ("flow", Role.START),
    ],
)
def test_words_of_flows(message, role):
    assert nat_role(message) is role


@pytest.mark.parametrize(
    ("line", "action"),
    [
        ("flows allow src=10.1.0.1 dst=192.0.2.1 protocol=tcp sport=1 dport=2", "allow"),
        ("flows src=10.1.0.1 dst=192.0.2.1 protocol=tcp sport=1 dport=2 pattern: 0 all", "allow"),
        ("flows src=10.1.0.1 dst=192.0.2.1 protocol=tcp sport=1 dport=2 pattern: 1 all", "deny"),
        (
            "firewall src=10.1.0.1 dst=192.0.2.1 mac=52:54:00:AA:00:01 protocol=icmp type=8 pattern: deny all",
            "deny",
        ),
        ("vpn_firewall src=10.1.0.1 dst=192.0.2.1 protocol=udp sport=1 dport=2 pattern: x", None),
    ],
)
def test_rules_of_meraki(line, action):
    (row,), _ = read(meraki, f"{STAMP} {line}")
    assert row["action"] == action
    assert row["public_ip"] is None


def test_a_translated_destination_that_is_not_inside_publishes_nothing():
    line = FLOW.replace("start", "end") + " translated_dst_ip=203.0.113.9 translated_port=53"
    (row,), _ = read(meraki, line)
    assert (row["client_ip"], row["server_ip"], row["public_ip"]) == ("10.1.0.12", "198.51.100.9", None)


def test_a_flow_without_a_line_end_may_lack_digits():
    line = FLOW + " translated_src_ip=203.0.113.9 translated_port=64366"
    for cut in range(len(FLOW), len(line)):
        rows, reasons = read(meraki, line[:cut], ends=False)
        assert not rows
        assert len(reasons) == 1
    (row,), _ = read(meraki, line)
    assert row["public_port"] == 64366


def test_meraki_behind_a_relay():
    (row,), _ = read(meraki, f"Nov 23 00:00:01 relay 1 {FLOW}")
    assert row["ts"] == "2023-01-09T15:14:05.262063982Z"


def test_no_address_no_flow():
    rows, reasons = read(meraki, FLOW.replace("10.1.0.12", "10.1.0.300"))
    assert not rows
    assert reasons == [meraki.CUT]


HEAD = "2026-05-31T00:04:27+02:00 gw firewall,info"


@pytest.mark.parametrize(
    "body",
    [
        "proto TCP (SYN,ACK), 10.1.0.12:1->192.0.2.1:2, len 52",
        "connection-state:established,snat proto TCP (ACK), 10.1.0.12:1->192.0.2.1:2, prio 0->1, len 52",
        "connection-mark:m connection-state:new src-mac 52:54:00:aa:00:01, proto TCP, 10.1.0.12:1->192.0.2.1:2, len 52",
    ],
)
def test_packets_of_mikrotik(body):
    (row,), reasons = read(mikrotik_log, f"{HEAD} my prefix forward: in:br lan out:(unknown 0), {body}")
    assert (row["message"], row["client_ip"], row["server_port"]) == ("forward", "10.1.0.12", 2)
    assert not reasons


def test_a_redirected_query_publishes_nothing():
    body = (
        "proto UDP, 10.1.0.12:5353->192.0.2.8:53, NAT 10.1.0.12:5353->(192.0.2.8:53->10.1.0.1:53), len 60"
    )
    (row,), _ = read(
        mikrotik_log, f"{HEAD} dstnat: in:br out:(unknown 0), connection-state:new,dnat {body}"
    )
    assert (row["client_ip"], row["server_ip"], row["public_ip"]) == ("10.1.0.12", "192.0.2.8", None)


def test_leases_of_both_releases_of_routeros():
    text = (
        "Nov 23 00:07:36 gw dhcp,info dhcp1 assigned 10.1.0.14 to 52:54:00:AA:00:06\n"
        "Nov 23 00:07:37 gw dhcp,info dhcp1 deassigned 10.1.0.14 from 52:54:00:AA:00:06"
    )
    rows, _ = read(mikrotik_log, text)
    assert [(row["message"], row["client_mac"]) for row in rows] == [
        ("assigned", "52:54:00:aa:00:06"),
        ("deassigned", "52:54:00:aa:00:06"),
    ]
    assert [lease_role(row["message"]) for row in rows] == [Role.START, Role.END]


OLD = "ts,te,td,sa,da,sp,dp,pr,nevt,xsa,xda,xsp,xdp"
ROW = "2026-11-23 00:19:21,2026-11-23 00:20:03,41.9,10.1.0.12,198.51.100.7,20500,443,6,{nevt},{nat}"


@pytest.mark.parametrize(
    ("nevt", "nat", "message", "public"),
    [
        ("4", "203.0.113.5,198.51.100.7,1024,443", "create", ("203.0.113.5", 1024)),
        ("5", "203.0.113.5,0.0.0.0,1024,0", "delete", ("203.0.113.5", 1024)),
        ("0", "0.0.0.0,0.0.0.0,0,0", "flow", (None, None)),
        ("DELETE", "::,::,0,0", "delete", (None, None)),
    ],
)
def test_events_of_nat_in_nfdump(nevt, nat, message, public):
    (row,), _ = read(nfdump, OLD, ROW.format(nevt=nevt, nat=nat))
    assert (row["message"], (row["public_ip"], row["public_port"])) == (message, public)
    assert row["transport"] == "tcp"


def test_headers_may_change_within_a_file_and_across_chunks():
    new = "firstSeen,duration,proto,srcAddr,srcPort,dstAddr,dstPort,packets"
    row = "2026-11-23 00:19:21.250,1.5,UDP,2001:db8::1,53,2001:db8::2,5353,1"
    rows, reasons = read(nfdump, f"{OLD}\n{ROW.format(nevt='', nat=',,,')}", f"{new}\n{row}", row)
    assert [r["client_ip"] for r in rows] == ["10.1.0.12", "2001:db8::1", "2001:db8::1"]
    assert rows[1]["ts_end"] == "2026-11-23T00:19:22.750000000Z"
    assert not reasons


def test_cells_that_do_not_fit_the_header_are_no_flow():
    rows, reasons = read(nfdump, f"{OLD}\n{ROW.format(nevt='4', nat='203.0.113.5')}\nx,y\n1,2")
    assert not rows
    assert reasons.count(nfdump.CUT) == 2


FRAGMENTS = st.sampled_from(
    [line for module in EVERY for sample in module.FORMAT.samples for line in sample.text.split("\n")]
    + [OLD, ROW.format(nevt="4", nat=",,,")]
)
HOSTILE = st.one_of(FRAGMENTS, FRAGMENTS.map(lambda text: text[: len(text) * 2 // 3]), st.text(max_size=80))


@pytest.mark.parametrize("module", EVERY, ids=lambda m: m.__name__.rpartition(".")[2])
@settings(max_examples=40, deadline=None)
@given(lines=st.lists(HOSTILE.map(lambda text: text.replace("\n", " ")), min_size=1, max_size=12))
def test_any_lines_are_accounted_for(module, lines):
    held, count = accounted(module, "\n".join(lines))
    assert held == count
