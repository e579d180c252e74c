"""Headers of every link layer and tunnel, built by scapy."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netaudit.kernels import cursor
from netaudit.kernels.headers import read_headers
from netaudit.kernels.status import Status
from netaudit.kernels.window import Window
from netaudit.records.addresses import format_ip

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from scapy.all import (
        AH,
        ARP,
        GRE,
        ICMP,
        IP,
        LLC,
        PPP,
        SNAP,
        TCP,
        UDP,
        VXLAN,
        CookedLinux,
        CookedLinuxV2,
        Dot1AD,
        Dot1Q,
        Dot3,
        Ether,
        IPOption_Router_Alert,
        IPv6,
        IPv6ExtHdrDestOpt,
        IPv6ExtHdrFragment,
        IPv6ExtHdrHopByHop,
        Loopback,
        PPPoE,
        Raw,
    )
    from scapy.contrib.geneve import GENEVE
    from scapy.contrib.gtp import GTP_U_Header
    from scapy.contrib.mpls import MPLS

ETHER = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
INNER = IP(src="192.0.2.1", dst="198.51.100.2") / UDP(sport=4000, dport=53) / Raw(b"payload")
INNER6 = IPv6(src="2001:db8::1", dst="2001:db8::2") / TCP(sport=4000, dport=443) / Raw(b"payload")
OUTER = IP(src="10.0.0.1", dst="10.0.0.2")


def read(packets, link_types):
    raw = [bytes(p) for p in packets]
    length = np.array([len(r) for r in raw])
    return read_headers(Window(b"".join(raw)), np.cumsum(length) - length, length, np.array(link_types))


def tags(head, row=0):
    return [(cursor.Tunnel(int(t) >> 24).name.lower(), int(t) & 0xFFFFFF) for t in head.tunnel[row] if t]


@pytest.mark.parametrize(
    ("packet", "link_type", "expected"),
    [
        (ETHER / INNER, 1, []),
        (ETHER / Dot1Q(vlan=83) / INNER, 1, [("vlan", 83)]),
        (ETHER / Dot1AD(vlan=7) / Dot1Q(vlan=83) / INNER, 1, [("vlan", 7), ("vlan", 83)]),
        (Dot3() / LLC() / SNAP() / INNER, 1, []),
        (ETHER / PPPoE(sessionid=1) / PPP() / INNER, 1, [("pppoe", 0)]),
        (ETHER / MPLS(label=18, s=0) / MPLS(label=19, s=1) / INNER, 1, [("mpls", 18), ("mpls", 19)]),
        (INNER, 101, []), (INNER, 228, []), (INNER, 12, []),
        (Loopback(type=2) / INNER, 0, []),
        (CookedLinux(proto=0x0800) / INNER, 113, []),
        (CookedLinuxV2(proto=0x0800) / INNER, 276, []),
        (PPP() / INNER, 9, []),
        (ETHER / IP(src="192.0.2.1", dst="198.51.100.2", options=[IPOption_Router_Alert()]) / INNER[UDP], 1, []),
        (ETHER / OUTER / INNER, 1, [("ip", 0)]),
        (ETHER / OUTER / GRE() / INNER, 1, [("gre", 0)]),
        (ETHER / OUTER / GRE(key_present=1, key=5, seqnum_present=1) / INNER, 1, [("gre", 0)]),
        (ETHER / OUTER / GRE(proto=0x6558) / ETHER / INNER, 1, [("gre", 0)]),
        (ETHER / OUTER / UDP(sport=9, dport=4789) / VXLAN(vni=77, flags=8) / ETHER / INNER, 1, [("vxlan", 77)]),
        (ETHER / OUTER / UDP(sport=9, dport=6081) / GENEVE(vni=5, proto=0x0800) / INNER, 1, [("geneve", 5)]),
        (ETHER / OUTER / UDP(sport=2152, dport=2152) / GTP_U_Header(teid=1) / INNER, 1, [("gtp", 0)]),
        (ETHER / OUTER / AH(nh=17, payloadlen=4, icv=b"x" * 12) / INNER[UDP], 1, []),
    ],
)  # fmt: skip
def test_the_innermost_datagram_is_found(packet, link_type, expected):
    head = read([packet], [link_type])
    assert head.status[0] == Status.OK
    assert (head.protocol[0], head.sport[0], head.dport[0]) == (cursor.UDP, 4000, 53)
    assert head.length[0] == len(b"payload")
    assert tags(head) == expected
    if AH not in packet:
        assert (format_ip(head.src[0].tobytes()), format_ip(head.dst[0].tobytes())) == (
            "192.0.2.1", "198.51.100.2",
        )  # fmt: skip


@pytest.mark.parametrize(
    "packet",
    [
        ETHER / INNER6,
        ETHER / IPv6(src="2001:db8::1", dst="2001:db8::2") / IPv6ExtHdrHopByHop() / INNER6[TCP],
        ETHER / IPv6(src="2001:db8::1", dst="2001:db8::2") / IPv6ExtHdrDestOpt() / INNER6[TCP],
        ETHER / IPv6(src="2001:db8::1", dst="2001:db8::2") / IPv6ExtHdrFragment() / INNER6[TCP],
        ETHER / OUTER / INNER6,
    ],
)
def test_ipv6(packet):
    head = read([packet], [1])
    assert (head.status[0], head.protocol[0], head.dport[0]) == (Status.OK, cursor.TCP, 443)
    assert format_ip(head.src[0].tobytes()) == "2001:db8::1"


def test_layers_of_many_kinds_in_one_piece():
    head = read(
        [ETHER / INNER, ETHER / ARP(op=2, psrc="192.0.2.9"), ETHER / OUTER / ICMP(), ETHER / INNER6, INNER],
        [1, 1, 1, 1, 101],
    )
    assert head.status.tolist() == [Status.OK, Status.OK, Status.OTHER, Status.OK, Status.OK]
    assert head.protocol.tolist() == [cursor.UDP, cursor.ARP, 0, cursor.TCP, cursor.UDP]
    assert format_ip(head.src[1].tobytes()) == "192.0.2.9"
    assert head.has_mac.tolist() == [True, True, True, True, False]


def test_what_cannot_be_read_has_a_status():
    many = ETHER
    for vlan in range(20):
        many = many / Dot1Q(vlan=vlan)
    bad_header = bytearray(bytes(ETHER / INNER))
    bad_header[14] = 0x42  # a header of eight octets
    fragment = ETHER / IP(src="192.0.2.1", dst="192.0.2.2", flags="MF") / Raw(b"12345678")
    head = read(
        [many / INNER, bytes(bad_header), fragment, bytes(ETHER / INNER)[:30], INNER], [1, 1, 1, 1, 147]
    )
    assert head.status.tolist() == [
        Status.TOO_DEEP, Status.MALFORMED, Status.SLOW, Status.TRUNCATED, Status.UNSUPPORTED,
    ]  # fmt: skip


def test_trailing_padding_is_no_payload():
    packet = bytes(ETHER / IP() / TCP(sport=1, dport=2)) + b"\0" * 6
    assert read([packet], [1]).length.tolist() == [0]


SAMPLES = [
    bytes(p)
    for p in (
        ETHER / INNER, ETHER / INNER6, ETHER / Dot1Q(vlan=3) / OUTER / GRE() / INNER,
        ETHER / OUTER / UDP(sport=1, dport=4789) / VXLAN(vni=1, flags=8) / ETHER / INNER6,
        ETHER / OUTER / UDP(sport=1, dport=2152) / GTP_U_Header(teid=1, E=1) / INNER,
        ETHER / MPLS(label=3, s=1) / INNER, ETHER / IPv6() / IPv6ExtHdrHopByHop() / INNER6[TCP],
    )
]  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(SAMPLES), st.integers(0, 120), st.integers(0, 119), st.integers(0, 255),
       st.sampled_from([0, 1, 9, 50, 51, 101, 104, 105, 107, 113, 119, 127, 228, 229, 276]))  # fmt: skip
def test_no_damage_leads_outside_the_packet(packet, cut, flip, value, link_type):
    damaged = bytearray(packet[: max(cut, 1)])
    damaged[flip % len(damaged)] = value
    head = read([bytes(damaged)], [link_type])
    if head.status[0] == Status.OK and head.protocol[0] != cursor.ARP:
        assert 0 <= head.at[0] <= head.at[0] + head.length[0] <= len(damaged)
