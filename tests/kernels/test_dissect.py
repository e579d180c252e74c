"""Headers of every link layer and tunnel: scapy builds them, or they are laid out by their document."""

import struct
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netaudit.kernels import packet, tunnels
from netaudit.kernels.dissect import dissect
from netaudit.kernels.octets import octets_of
from netaudit.kernels.packet import Status
from netaudit.records.addresses import format_ip

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from scapy.all import (
        AH,
        ARP,
        GRE,
        GRE_PPTP,
        HDLC,
        ICMP,
        IP,
        L2TP,
        LLC,
        PPI,
        PPP,
        SNAP,
        TCP,
        UDP,
        VXLAN,
        CookedLinux,
        CookedLinuxV2,
        Dot1AD,
        Dot1AH,
        Dot1Q,
        Dot3,
        Dot11,
        Dot11Beacon,
        Dot11QoS,
        Ether,
        IPOption_Router_Alert,
        IPv6,
        IPv6ExtHdrDestOpt,
        IPv6ExtHdrFragment,
        IPv6ExtHdrHopByHop,
        IPv6ExtHdrRouting,
        Loopback,
        PPPoE,
        RadioTap,
        Raw,
    )
    from scapy.contrib.erspan import ERSPAN_II, ERSPAN_III, ERSPAN_PlatformSpecific
    from scapy.contrib.etherip import EtherIP
    from scapy.contrib.geneve import GENEVE
    from scapy.contrib.gtp import GTP_U_Header, GTPPDUSessionContainer
    from scapy.contrib.mpls import MPLS, EoMCW

ETHER = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
TUNNELLED = Ether(src="02:00:00:00:00:0a", dst="02:00:00:00:00:0b")
UDP_ = UDP(sport=4000, dport=53) / Raw(b"payload")
INNER = IP(src="192.0.2.1", dst="198.51.100.2") / UDP_
TCP_ = TCP(sport=4000, dport=443) / Raw(b"payload")
ENDS6 = IPv6(src="2001:db8::1", dst="2001:db8::2")
INNER6 = ENDS6 / TCP_
OUTER = IP(src="10.0.0.1", dst="10.0.0.2")
STATION = bytes.fromhex("020000000001")


def read(packets, link_types):
    raw = [bytes(p) for p in packets]
    rows = np.zeros(len(raw), packet.PACKET)
    ends = np.cumsum([len(r) for r in raw])
    rows["end"], rows["at"] = ends, ends - [len(r) for r in raw]
    rows["caplen"] = rows["wirelen"] = rows["end"] - rows["at"]
    rows["link"] = link_types
    dissect(octets_of(b"".join(raw)), rows, 0, len(rows))
    return rows


def one(octets, link):
    return read([octets], [link])[0]


def tags(row):
    return [(tunnels.WORDS[int(t) >> 24], int(t) & 0xFFFFFF) for t in row["tunnel"] if t]


def ends(rows):
    return [
        tuple(format_ip(packet.addresses(rows, side)[k].tobytes()) for side in ("src", "dst"))
        for k in range(len(rows))
    ]


def over_udp(port, payload, sport=9):
    return ETHER / OUTER / UDP(sport=sport, dport=port) / payload


def radiotap(size=8, present=0, fields=b""):
    return struct.pack("<BBHI", 0, 0, size, present) + fields


def wlan(flags=0, qos=b"", extra=b"", subtype=0x08):
    addresses = b"\2\0\0\0\0\3" + STATION + b"\2\0\0\0\0\4"
    return bytes([subtype, flags, 0, 0]) + addresses + b"\0\0" + extra + qos


SNAP_IP = b"\xaa\xaa\3\0\0\0\x08\0"
DATA = wlan(1) + SNAP_IP + bytes(INNER)
PPI_HEADER = struct.pack("<BBHI", 0, 0, 8, 1)
AVS_HEADER = struct.pack("!II", 0x80211001, 64) + b"\0" * 56
NFLOG = (
    b"\2\0\0\0"
    + struct.pack("<HH", 6, 1)
    + b"ab\0\0"
    + struct.pack("<HH", 4 + len(INNER), 9)
    + bytes(INNER)
)
PFLOG = b"\x3d\2" + b"\0" * 62
PKTAP = struct.pack("<III", 108, 1, 12) + b"\0" * 96
PKTAP_ETHER = struct.pack("<III", 108, 1, 1) + b"\0" * 96
FRAME_RELAY = b"\x18\x41"
CAPWAP_HEADER = bytes([0, 0x10, 0x02, 0x00, 0, 0, 0, 0])  # RFC 5415: HLEN 2 words, binding 1, not native
CAPWAP_NATIVE = bytes([0, 0x10, 0x03, 0x00, 0, 0, 0, 0])
MAPPED = (
    # link layers
    (ETHER / INNER, 1, []),
    (ETHER / INNER, 143, []),
    (ETHER / Dot1Q(vlan=83) / INNER, 1, [("vlan", 83)]),
    (ETHER / Dot1AD(vlan=7) / Dot1Q(vlan=83) / INNER, 1, [("vlan", 7), ("vlan", 83)]),
    (Ether(type=0x9100) / Dot1Q(vlan=5) / INNER, 1, [("vlan", 5)]),
    (Dot3() / LLC() / SNAP() / INNER, 1, []),
    (Dot3() / LLC(dsap=6, ssap=6, ctrl=3) / INNER, 1, []),
    (ETHER / Dot1AH(isid=5) / TUNNELLED / INNER, 1, []),
    (ETHER / PPPoE(sessionid=1) / PPP() / INNER, 1, [("pppoe", 0)]),
    (PPPoE(sessionid=1) / PPP() / INNER, 51, [("pppoe", 0)]),
    (ETHER / MPLS(label=18, s=0) / MPLS(label=19, s=1) / INNER, 1, [("mpls", 18), ("mpls", 19)]),
    (ETHER / MPLS(label=20, s=1) / EoMCW() / TUNNELLED / INNER, 1, [("mpls", 20)]),
    (INNER, 101, []), (INNER, 228, []), (INNER, 12, []), (INNER, 14, []),
    (Loopback(type=2) / INNER, 0, []),
    (b"\0\0\0\2" + bytes(INNER), 108, []),
    (CookedLinux(proto=0x0800) / INNER, 113, []),
    (CookedLinuxV2(proto=0x0800) / INNER, 276, []),
    (struct.pack("!HHH8sH", 0, 778, 4, b"", 0) + bytes(GRE() / INNER), 113, [("gre", 0)]),
    (struct.pack("!HHH8sH", 0, 803, 6, b"", 0x0019) + radiotap() + DATA, 113, []),
    (struct.pack("!HHH8sH", 0, 1, 6, STATION, 4) + SNAP_IP + bytes(INNER), 113, []),
    (PPP() / INNER, 9, []),
    (HDLC() / PPP() / INNER, 9, []), (HDLC() / PPP() / INNER, 50, []),
    (b"\x21" + bytes(INNER), 9, []),  # protocol field compressed (RFC 1661 section 6.5)
    (b"\x0f\0\x08\0" + bytes(INNER), 104, []), (b"\x0f\0\x08\0" + bytes(INNER), 50, []),
    (HDLC() / PPP() / INNER, 104, []),
    (FRAME_RELAY + b"\3\xcc" + bytes(INNER), 107, []),
    (FRAME_RELAY + b"\x08\0" + bytes(INNER), 107, []),
    (FRAME_RELAY + b"\3\x80\0\0\0\x08\0" + bytes(INNER), 107, []),
    (DATA, 105, []),
    (wlan(2) + SNAP_IP + bytes(INNER), 105, []),
    (wlan(3, extra=b"\0" * 6) + SNAP_IP + bytes(INNER), 105, []),
    (wlan(1, b"\0\0", subtype=0x88) + SNAP_IP + bytes(INNER), 105, []),
    (wlan(0x81, b"\0\0\0\0\0\0", subtype=0x88) + SNAP_IP + bytes(INNER), 105, []),
    (wlan(1, b"\x80\0", subtype=0x88) + b"\0" * 14 + SNAP_IP + bytes(INNER), 105, []),
    (RadioTap() / Dot11(type=2, FCfield=1, addr2="02:00:00:00:00:01") / LLC() / SNAP() / INNER, 127, []),
    (radiotap(9, 2, b"\x20") + wlan(1, b"\0\0", subtype=0x88) + b"\0\0" + SNAP_IP + bytes(INNER), 127, []),
    (radiotap(9, 2, b"\x10") + DATA + b"fcs!", 127, []),
    (b"\0\0\0\x44\0\0\0\x90" + b"\0" * 136 + DATA, 119, []),
    (AVS_HEADER + DATA, 163, []), (AVS_HEADER + DATA, 119, []),
    (PPI_HEADER + bytes(ETHER / INNER), 192, []),
    (struct.pack("<BBHI", 0, 0, 8, 105) + DATA, 192, []),
    (PPI(dlt=101) / INNER, 192, []),
    (NFLOG, 239, []),
    (PFLOG + bytes(INNER), 117, []),
    (PKTAP + bytes(INNER), 149, []), (PKTAP_ETHER + bytes(ETHER / INNER), 258, []),
    (INNER, 8, []), (b"\0" * 16 + bytes(INNER), 8, []),
    # over IP
    (ETHER / IP(src="192.0.2.1", dst="198.51.100.2", options=[IPOption_Router_Alert()]) / UDP_, 1, []),
    (ETHER / OUTER / INNER, 1, [("ip", 0)]),
    (ETHER / ENDS6 / INNER, 1, [("ip", 0)]),
    (ETHER / OUTER / GRE() / INNER, 1, [("gre", 0)]),
    (ETHER / OUTER / GRE(key_present=1, key=5, seqnum_present=1) / INNER, 1, [("gre", 0)]),
    (ETHER / OUTER / GRE(chksum_present=1, key_present=1) / INNER, 1, [("gre", 0)]),
    (ETHER / OUTER / GRE(proto=0x6558) / TUNNELLED / INNER, 1, [("gre", 0)]),
    (ETHER / OUTER / GRE_PPTP(seqnum_present=1, acknum_present=1) / HDLC() / PPP() / INNER, 1, [("pptp", 0)]),
    (ETHER / OUTER / GRE(proto=0x88BE) / TUNNELLED / INNER, 1, [("gre", 0)]),  # ERSPAN I
    (ETHER / OUTER / GRE(seqnum_present=1) / ERSPAN_II() / TUNNELLED / INNER, 1, [("gre", 0), ("erspan", 0)]),
    (ETHER / OUTER / GRE(seqnum_present=1) / ERSPAN_III() / TUNNELLED / INNER, 1, [("gre", 0), ("erspan", 0)]),
    (ETHER / OUTER / GRE(seqnum_present=1) / ERSPAN_III(o=1) / ERSPAN_PlatformSpecific() / TUNNELLED / INNER,
     1, [("gre", 0), ("erspan", 0)]),
    (ETHER / IP(src="10.0.0.1", dst="10.0.0.2", proto=97) / EtherIP() / TUNNELLED / INNER, 1, [("ip", 0)]),
    (ETHER / IP(src="10.0.0.1", dst="10.0.0.2", proto=137) / MPLS(label=9, s=1) / INNER, 1, [("mpls", 9)]),
    # over UDP
    (over_udp(4789, VXLAN(vni=77, flags=8) / TUNNELLED / INNER), 1, [("vxlan", 77)]),
    (over_udp(8472, VXLAN(vni=78, flags=8) / TUNNELLED / INNER), 1, [("vxlan", 78)]),
    (over_udp(4790, bytes([0x0C, 0, 0, 1, 0, 0, 7, 0]) + bytes(INNER)), 1, [("vxlan", 7)]),
    (over_udp(4790, bytes([0x0C, 0, 0, 3, 0, 0, 7, 0]) + bytes(TUNNELLED / INNER)), 1, [("vxlan", 7)]),
    (over_udp(6081, GENEVE(vni=5, proto=0x0800) / INNER), 1, [("geneve", 5)]),
    (over_udp(6081, struct.pack("!BBHI", 2, 0, 0x6558, 6 << 8) + b"\0" * 8 + bytes(TUNNELLED / INNER)),
     1, [("geneve", 6)]),
    (over_udp(4754, GRE() / INNER), 1, [("gre", 0)]),
    (over_udp(6635, MPLS(label=31, s=1) / INNER), 1, [("mpls", 31)]),
    (over_udp(2152, GTP_U_Header(teid=1) / INNER, 2152), 1, [("gtp", 0)]),
    (over_udp(2152, GTP_U_Header(teid=1, S=1, seq=4) / INNER), 1, [("gtp", 0)]),
    (over_udp(2152, GTP_U_Header(teid=1, E=1) / GTPPDUSessionContainer(type=0, QFI=3) / INNER), 1, [("gtp", 0)]),
    (over_udp(3331, GTP_U_Header(teid=1) / INNER, 2152), 1, [("gtp", 0)]),
    (over_udp(1701, struct.pack("!HHH", 0x0002, 5, 6) + b"\xff\3" + bytes(PPP() / INNER)), 1, [("l2tp", 0)]),
    (over_udp(1701, struct.pack("!HHHHHHH", 0x4A02, 60, 5, 6, 1, 2, 0) + b"\xff\3\0\x21" + bytes(INNER)),
     1, [("l2tp", 0)]),
    (over_udp(5247, CAPWAP_HEADER + bytes(TUNNELLED / INNER)), 1, [("capwap", 0)]),
    (over_udp(5247, CAPWAP_NATIVE + DATA), 1, [("capwap", 0)]),
    (over_udp(5247, CAPWAP_NATIVE + b"\1\x08" + wlan()[2:] + SNAP_IP + bytes(INNER)), 1, [("capwap", 0)]),
)  # fmt: skip


@pytest.mark.parametrize(("octets", "link", "expected"), MAPPED)
def test_the_innermost_datagram_is_found(octets, link, expected):
    rows = read([octets], [link])
    row = rows[0]
    assert row["status"] == Status.OK
    assert (row["protocol"], row["sport"], row["dport"]) == (packet.UDP, 4000, 53)
    assert row["end"] - row["at"] == len(b"payload")
    assert tags(row) == expected
    assert ends(rows) == [("192.0.2.1", "198.51.100.2")]
    assert bytes(octets)[row["at"] : row["end"]] == b"payload"


def test_the_authentication_header_is_gone_over():
    row = one(ETHER / OUTER / AH(nh=17, payloadlen=4, icv=b"x" * 12) / UDP_, 1)
    assert (row["status"], row["protocol"], row["dport"]) == (Status.OK, packet.UDP, 53)


TEREDO_6 = bytes(INNER6)


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (ETHER / INNER6, []),
        (ETHER / ENDS6 / IPv6ExtHdrHopByHop() / TCP_, []),
        (ETHER / ENDS6 / IPv6ExtHdrDestOpt() / IPv6ExtHdrRouting() / TCP_, []),
        (ETHER / ENDS6 / IPv6ExtHdrFragment() / TCP_, []),  # the whole datagram (RFC 6946)
        (ETHER / OUTER / INNER6, [("ip", 0)]),
        (ETHER / OUTER / GRE() / INNER6, [("gre", 0)]),
        (ETHER / PPPoE() / PPP() / INNER6, [("pppoe", 0)]),
        (over_udp(2152, GTP_U_Header(teid=1) / INNER6), [("gtp", 0)]),
        (over_udp(4790, bytes([0x0C, 0, 0, 2, 0, 0, 7, 0]) + TEREDO_6), [("vxlan", 7)]),
        (over_udp(3544, TEREDO_6), [("teredo", 0)]),
        (over_udp(3544, b"\0\0" + b"\1" * 6 + TEREDO_6), [("teredo", 0)]),
        (
            over_udp(3544, b"\0\1\4\2" + b"id__" + b"au" + b"\0" * 9 + b"\0\0" + b"\1" * 6 + TEREDO_6),
            [("teredo", 0)],
        ),
        (over_udp(9, TEREDO_6, 3544), [("teredo", 0)]),
        (over_udp(5072, bytes([0x44, 0x52, 0x11, 41]) + b"\0" * 40 + TEREDO_6), [("ayiya", 0)]),
    ],
)
def test_ipv6(octets, expected):
    rows = read([octets], [1])
    assert (rows[0]["status"], rows[0]["protocol"], rows[0]["dport"]) == (Status.OK, packet.TCP, 443)
    assert rows[0]["end"] - rows[0]["at"] == len(b"payload")
    assert ends(rows) == [("2001:db8::1", "2001:db8::2")]
    assert tags(rows[0]) == expected


def test_a_control_message_of_l2tp_is_plain_udp():
    row = one(over_udp(1701, L2TP(hdr=["control"], version=2) / Raw(b"\0" * 20)), 1)
    assert (row["status"], row["protocol"], row["dport"], tags(row)) == (Status.OK, packet.UDP, 1701, [])


@pytest.mark.parametrize("port", [1701, 2152, 3544, 4789, 4790, 5072, 5247, 6081, 8472])
@pytest.mark.parametrize(
    "payload", [b"", b"\0", b"short", b"\xff" * 60, b"\0" * 60, b"GET / HTTP/1.1\r\n\r\n" * 3]
)
def test_what_does_not_look_like_a_tunnel_is_plain_udp(port, payload):
    row = one(over_udp(port, payload), 1)
    if not tags(row):
        assert (row["status"], row["protocol"], row["dport"]) == (Status.OK, packet.UDP, port)
        assert row["end"] - row["at"] == len(payload)


def test_layers_of_many_kinds_in_one_piece():
    rows = read(
        [ETHER / INNER, ETHER / ARP(op=2, psrc="192.0.2.9"), ETHER / OUTER / ICMP(), ETHER / INNER6, INNER],
        [1, 1, 1, 1, 101],
    )
    assert rows["status"].tolist() == [Status.OK, Status.OK, Status.OTHER, Status.OK, Status.OK]
    assert rows["protocol"][[0, 1, 3, 4]].tolist() == [packet.UDP, packet.ARP, packet.TCP, packet.UDP]
    assert rows["has_mac"].tolist() == [1, 1, 1, 1, 0]
    assert packet.hardware(rows)[0].tobytes() == STATION


@pytest.mark.parametrize(
    ("octets", "link", "station"),
    [
        (ETHER / Dot1Q() / INNER, 1, STATION),
        (ETHER / PPPoE() / PPP() / INNER, 1, STATION),
        (ETHER / OUTER / GRE() / INNER, 1, None),  # the tunnel's end is not the client
        (over_udp(4789, VXLAN(flags=8) / TUNNELLED / INNER), 1, bytes.fromhex("02000000000a")),
        (ETHER / Dot1AH(isid=5) / TUNNELLED / INNER, 1, bytes.fromhex("02000000000a")),
        (wlan(1) + SNAP_IP + bytes(INNER), 105, STATION),
        (wlan(2) + SNAP_IP + bytes(INNER), 105, b"\2\0\0\0\0\4"),  # from the access point: address 3
        (wlan(3, extra=b"\0" * 6) + SNAP_IP + bytes(INNER), 105, None),  # a bridge
        (CookedLinux(proto=0x0800, lladdrtype=1, lladdrlen=6, src=STATION) / INNER, 113, STATION),
        (CookedLinux(proto=0x0800, lladdrtype=772, lladdrlen=6, src=b"") / INNER, 113, None),
        (CookedLinuxV2(proto=0x0800, lladdrtype=1, lladdrlen=6, src=STATION) / INNER, 276, STATION),
    ],
)  # fmt: skip
def test_whose_link_address_it_is(octets, link, station):
    rows = read([octets], [link])
    assert rows["status"].tolist() == [Status.OK]
    assert (packet.hardware(rows)[0].tobytes() if rows["has_mac"][0] else None) == station


@pytest.mark.parametrize(
    ("frequency", "channel"),
    [(2412, 1), (2472, 13), (2484, 14), (5180, 36), (5825, 165), (5955, 1), (6115, 33), (1, 0)],
)
def test_a_beacon_is_a_message_with_its_channel(frequency, channel):
    beacon = bytes(Dot11(type=0, subtype=8, addr2="02:00:00:00:00:01") / Dot11Beacon())
    head = radiotap(22, 0x0000000F, b"\0" * 8 + b"\0\2" + struct.pack("<HH", frequency, 0))
    row = one(head + beacon, 127)
    assert (row["status"], row["protocol"], row["channel"]) == (Status.OK, packet.WLAN, channel)
    assert row["end"] - row["at"] == len(beacon)


def test_presence_words_that_go_on():
    head = radiotap(20, 0x80000008, struct.pack("<II", 0x80000000, 0) + struct.pack("<HH", 2437, 0))
    row = one(head + DATA, 127)
    assert (row["status"], row["channel"], row["dport"]) == (Status.OK, 6, 53)


@pytest.mark.parametrize(
    "octets",
    [
        wlan(0x41) + SNAP_IP + bytes(INNER),  # protected
        wlan(1, subtype=0x48) + SNAP_IP,  # null function
        bytes([0xD4, 0]) + b"\0" * 12,  # acknowledgement
        b"\x08\1" + b"\0" * 6,
        bytes(Dot11(type=2, FCfield=1) / Dot11QoS() / LLC(dsap=0x42, ssap=0x42, ctrl=3) / Raw(b"x" * 9)),
    ],
)
def test_wireless_frames_that_carry_nothing(octets):
    assert one(octets, 105)["status"] == Status.OTHER


def nested(layer, count):
    whole = INNER
    for _ in range(count):
        whole = layer / whole
    return whole


@pytest.mark.parametrize(
    ("octets", "link", "status"),
    [
        (ETHER / nested(Dot1Q(vlan=1), 100), 1, Status.TOO_DEEP),
        (bytes(Ether(type=0x8100)) + bytes(nested(Dot1Q(vlan=1), 8)), 1, Status.OK),
        (bytes(Ether(type=0x8100)) + bytes(nested(Dot1Q(vlan=1), 9)), 1, Status.TOO_DEEP),
        (ETHER / nested(OUTER, 100), 1, Status.TOO_DEEP),
        (ETHER / nested(OUTER / GRE(), 100), 1, Status.TOO_DEEP),
        (Ether(type=0x8847) / Raw(b"\0\1\0\0" * 100), 1, Status.TOO_DEEP),
        (bytes(Ether(type=0x86DD)) + struct.pack("!IHBB32s", 6 << 28, 8 * 64, 60, 9, b"")
         + b"\x3c\0\0\0\0\0\0\0" * 64, 1, Status.TOO_DEEP),
        (bytes(ETHER / INNER)[:30], 1, Status.TRUNCATED),
        (bytes(ETHER / INNER)[:38], 1, Status.TRUNCATED),
        (b"", 1, Status.TRUNCATED), (b"", 101, Status.TRUNCATED), (b"", 239, Status.TRUNCATED),
        (INNER, 147, Status.UNSUPPORTED), (INNER, 65_535, Status.UNSUPPORTED), (INNER, -1, Status.UNDESCRIBED),
        (b"\x00" + bytes(INNER), 101, Status.MALFORMED),
        (ETHER / IP(src="192.0.2.1", dst="192.0.2.2", flags="MF") / Raw(b"12345678"), 1, Status.FRAGMENT),
        (ETHER / ENDS6 / IPv6ExtHdrFragment(m=1) / Raw(b"12345678"), 1, Status.FRAGMENT),
        (ETHER / OUTER / TCP(dataofs=4), 1, Status.MALFORMED),
        (ETHER / OUTER / ICMP(), 1, Status.OTHER),
        (Ether(type=0x88CC) / Raw(b"lldp"), 1, Status.OTHER),
        (Dot3() / LLC(dsap=0x42, ssap=0x42, ctrl=3) / Raw(b"spanning tree"), 1, Status.OTHER),
        (ETHER / PPPoE(code=0xA7) / Raw(b"\0" * 8), 1, Status.OTHER),
        (radiotap(4), 127, Status.MALFORMED), (radiotap(200), 127, Status.TRUNCATED),
        (struct.pack("<BBHI", 0, 0, 4, 1), 192, Status.MALFORMED),
        (struct.pack("<BBHI", 0, 0, 8, 192) * 3, 192, Status.OTHER),
        (struct.pack("<III", 8, 1, 12), 149, Status.MALFORMED),
        (struct.pack("<III", 12, 1, 149) * 2, 149, Status.OTHER),
        (struct.pack("!II", 0x80211001, 4), 163, Status.MALFORMED),
        (b"\0\2" + b"\0" * 62, 117, Status.MALFORMED),
        (b"\2\0\0\0" + struct.pack("<HH", 0, 1) * 4, 239, Status.OTHER),
        (Loopback(type=99) / INNER, 0, Status.OTHER),
    ],
)  # fmt: skip
def test_what_cannot_be_read_has_a_status(octets, link, status):
    assert one(octets, link)["status"] == status


@pytest.mark.parametrize("ihl", range(5))
def test_an_ip_header_that_is_too_short(ihl):
    octets = bytearray(bytes(ETHER / INNER))
    octets[14] = 0x40 | ihl
    assert one(bytes(octets), 1)["status"] == Status.MALFORMED


@pytest.mark.parametrize(
    ("total", "status", "cut", "payload"),
    [
        (0, Status.OK, 0, 7),  # segmentation offload
        (19, Status.MALFORMED, None, None),
        (20, Status.TRUNCATED, None, None),
        (31, Status.OK, 1, 3),
        (35, Status.OK, 0, 7),
        (60_000, Status.OK, 1, 7),
    ],
)
def test_a_total_length_that_lies(total, status, cut, payload):
    octets = bytearray(bytes(ETHER / INNER))
    octets[16:18] = struct.pack("!H", total)
    row = one(bytes(octets), 1)
    assert row["status"] == status
    if status == Status.OK:
        assert (row["cut"], row["end"] - row["at"]) == (cut, payload)


def test_a_jumbogram_goes_to_the_end_of_the_packet():
    octets = bytearray(bytes(ETHER / ENDS6 / IPv6ExtHdrHopByHop() / TCP_))
    octets[18:20] = b"\0\0"
    row = one(bytes(octets), 1)
    assert (row["status"], row["end"] - row["at"], row["cut"]) == (Status.OK, 7, 0)


def test_trailing_padding_is_no_payload():
    octets = bytes(ETHER / IP() / TCP(sport=1, dport=2)) + b"\0" * 6
    row = one(octets, 1)
    assert row["end"] - row["at"] == 0


def test_a_row_that_was_used_before_is_clean():
    rows = np.frombuffer(bytearray(b"\xff" * packet.PACKET.itemsize), packet.PACKET)
    raw = bytes(ETHER / INNER)
    rows["at"], rows["end"], rows["link"] = 0, len(raw), 1
    rows["caplen"] = rows["wirelen"] = len(raw)
    dissect(octets_of(raw), rows, 0, 1)
    clean = read([raw], [1])
    for field in (
        "src1",
        "dst1",
        "mac",
        "sport",
        "dport",
        "status",
        "depth",
        "flags",
        "cut",
        "channel",
        "has_mac",
    ):
        assert rows[field][0] == clean[field][0], field
    assert not rows["tunnel"].any()


def scapy_reading(octets, link):
    """Ends of the innermost datagram as scapy sees them."""
    read_ = {1: Ether, 101: IP, 113: CookedLinux, 9: PPP}[link](octets)
    layers = [layer for layer in (read_.getlayer(k) for k in range(40)) if layer is not None]
    ip = [layer for layer in layers if isinstance(layer, IP | IPv6)][-1]
    transport = [layer for layer in layers if isinstance(layer, TCP | UDP)][-1]
    return ip.src, ip.dst, transport.sport, transport.dport


@settings(max_examples=120, deadline=None)
@given(st.lists(st.sampled_from(["vlan", "ip", "gre", "vxlan", "gtp", "ip6"]), max_size=7), st.booleans())
def test_scapy_reads_any_stack_of_layers_alike(stack, six):
    whole = INNER6 if six else INNER
    for layer in stack:
        if layer == "vlan":
            whole = whole if isinstance(whole, IP | IPv6) else Dot1Q(vlan=3) / whole
        elif isinstance(whole, IP | IPv6):
            whole = {
                "ip": OUTER, "ip6": IPv6(src="2001:db8::9", dst="2001:db8::a"), "gre": OUTER / GRE(),
                "gtp": OUTER / UDP(sport=2152, dport=2152) / GTP_U_Header(teid=7),
                "vxlan": OUTER / UDP(sport=9, dport=4789) / VXLAN(flags=8, vni=2) / TUNNELLED,
            }[layer] / whole  # fmt: skip
    octets = bytes(ETHER / whole)
    rows = read([octets], [1])
    ours = (*ends(rows)[0], int(rows["sport"][0]), int(rows["dport"][0]))
    assert rows["status"][0] == Status.OK
    assert ours == scapy_reading(octets, 1)


SAMPLES = [(bytes(octets), link) for octets, link, _ in MAPPED] + [
    (TEREDO_6, 229), (bytes(over_udp(3544, TEREDO_6)), 1),
    (bytes(over_udp(5072, bytes([0x44, 0x52, 0x11, 41]) + b"\0" * 40 + TEREDO_6)), 1),
]  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(SAMPLES), st.integers(0, 200), st.lists(st.tuples(st.integers(0, 199), st.integers(0, 255)), max_size=3),
       st.sampled_from([None, 0, 1, 8, 9, 50, 51, 101, 104, 105, 107, 113, 117, 119, 127, 149, 163, 192, 228, 229, 239, 276]))  # fmt: skip
def test_no_damage_leads_outside_the_packet(sample, cut, flips, link):
    octets, usual = sample
    damaged = bytearray(octets[: max(len(octets) - cut, 0)])
    for where, value in flips:
        if damaged:
            damaged[where % len(damaged)] = value
    row = one(bytes(damaged), usual if link is None else link)
    assert Status.OK <= row["status"] <= Status.UNDESCRIBED
    if row["status"] in (Status.OK, Status.FRAGMENT):
        assert 0 <= row["at"] <= row["end"] <= len(damaged)
