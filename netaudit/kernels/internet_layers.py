"""IPv4, IPv6, transport and the tunnels over them: one function a layer, as in `link_layers`."""

from __future__ import annotations

from typing import Any

import numpy as np

from netaudit.kernels import layers
from netaudit.kernels import packet as packets
from netaudit.kernels.compiled import part
from netaudit.kernels.link_layers import enter, finish, has, step
from netaudit.kernels.octets import Octets, le32, raw64, u8, u16, u32
from netaudit.kernels.packet import ICMPV6, TCP, UDP

VXLAN_PORT, VXLAN_OLD_PORT, VXLAN_GPE_PORT = (
    4789,
    8472,
    4790,
)  # RFC 7348 section 8; Linux's default before it
GENEVE_PORT = 6081  # RFC 8926 section 3.3
GRE_PORT = 4754  # RFC 8086 section 8
GTP_PORT = 2152  # 3GPP TS 29.281 section 4.4.2
TEREDO_PORT = 3544  # RFC 4380 section 2.7
AYIYA_PORT = 5072  # draft-massar-v6ops-ayiya section 3
CAPWAP_DATA_PORT = 5247  # RFC 5415 section 3.1
L2TP_PORT = 1701  # RFC 2661 section 8.1
MPLS_PORT = 6635  # RFC 7510 section 3

_V4_MAPPED = np.uint64(0xFFFF0000)  # octets 00 00 FF FF, in the order of memory


@part
def protocol_layer(number: int) -> int:
    """The layer of an IP protocol number."""
    if number == 6:
        return layers.TCP
    if number == 17:
        return layers.UDP
    if number == 58:
        return layers.ICMPV6
    if number == 4:
        return layers.IPV4_IN_IP
    if number == 41:
        return layers.IPV6_IN_IP
    if number == 47:
        return layers.GRE
    if number == 0 or number == 43 or number == 60 or number == 135 or number == 139 or number == 140:
        return layers.EXTENSION
    if number == 51:
        return layers.AUTHENTICATION
    if number == 44:
        return layers.FRAGMENT
    if number == 108:
        return layers.IPCOMP
    if number == 97:
        return layers.ETHER_IP
    if number == 137:
        return layers.MPLS
    if number == 115:
        return layers.L2TP
    return layers.OTHER


@part
def ip(data: Octets, packet: Any) -> None:
    """Raw IP: the version nibble decides."""
    if has(packet, 1):
        version = u8(data, packet.at) >> 4
        if version == 4:
            packet.layer = layers.IPV4
        elif version == 6:
            packet.layer = layers.IPV6
        else:
            finish(packet, packets.MALFORMED)


@part
def ipv4(data: Octets, packet: Any) -> None:
    """IPv4 with options (RFC 791 section 3.1)."""
    if not has(packet, 20):
        return
    at = packet.at
    first, total = u8(data, at), u16(data, at + 2)
    header = (first & 0x0F) * 4
    # a total length of 0 is what segmentation offload leaves in the sender's own capture
    if first >> 4 != 4 or header < 20 or 0 < total < header:
        finish(packet, packets.MALFORMED)
        return
    if not has(packet, header):
        return
    if total:
        _shorten(packet, at + total)
    packet.ip_at = at
    packet.src0, packet.src1 = 0, _V4_MAPPED | _v4(data, at + 12)
    packet.dst0, packet.dst1 = 0, _V4_MAPPED | _v4(data, at + 16)
    packet.protocol = u8(data, at + 9)
    fragment = u16(data, at + 6)
    step(packet, header, protocol_layer(u8(data, at + 9)))
    if fragment & 0x3FFF:  # more fragments, or an offset
        packet.ident = u16(data, at + 4)
        packet.offset, packet.more = (fragment & 0x1FFF) << 3, fragment >> 13 & 1
        finish(packet, packets.FRAGMENT)


@part
def _v4(data: Octets, at: int) -> Any:
    """An IPv4 address in the upper half of eight octets, in the order of memory."""
    return np.uint64(le32(data, at)) << np.uint64(32)


@part
def ipv6(data: Octets, packet: Any) -> None:
    """IPv6 fixed header (RFC 8200 section 3)."""
    if not has(packet, 40):
        return
    at = packet.at
    if u8(data, at) >> 4 != 6:
        finish(packet, packets.MALFORMED)
        return
    size = u16(data, at + 4)
    if size:
        _shorten(packet, at + 40 + size)
    packet.ip_at = at
    packet.src0, packet.src1 = raw64(data, at + 8), raw64(data, at + 16)
    packet.dst0, packet.dst1 = raw64(data, at + 24), raw64(data, at + 32)
    packet.protocol = u8(data, at + 6)
    step(packet, 40, protocol_layer(u8(data, at + 6)))


@part
def _shorten(packet: Any, end: int) -> None:
    """Believe a length field where it says less than was captured; note where it says more."""
    if end > packet.end:
        packet.cut = 1
    else:
        packet.end = end


@part
def extension(data: Octets, packet: Any) -> None:
    """IPv6 hop-by-hop, routing, destination options and their like (RFC 8200 section 4)."""
    if has(packet, 8):
        _next_header(data, packet, (u8(data, packet.at + 1) + 1) * 8)


@part
def authentication(data: Octets, packet: Any) -> None:
    """IP authentication header (RFC 4302 section 2): its length counts 32-bit words less two."""
    if has(packet, 8):
        _next_header(data, packet, (u8(data, packet.at + 1) + 2) * 4)


@part
def _next_header(data: Octets, packet: Any, size: int) -> None:
    if has(packet, size):
        number = u8(data, packet.at)
        packet.protocol = number
        step(packet, size, protocol_layer(number))


@part
def fragment(data: Octets, packet: Any) -> None:
    """IPv6 fragment header (RFC 8200 section 4.5), unless it is the whole datagram (RFC 6946)."""
    if not has(packet, 8):
        return
    said = u16(data, packet.at + 2)
    if said & 0xFFF9 == 0:
        _next_header(data, packet, 8)
        return
    packet.protocol = u8(data, packet.at)
    packet.ident = u32(data, packet.at + 4)
    packet.offset, packet.more = said & 0xFFF8, said & 1
    packet.at += 8
    finish(packet, packets.FRAGMENT)


@part
def inner(packet: Any, kind: int, number: int, size: int, layer: int) -> None:
    """Go on inside a tunnel: the outer link address is the tunnel end's, not the client's."""
    if enter(packet, kind, number):
        packet.has_mac = 0
        step(packet, size, layer)


@part
def ipcomp(data: Octets, packet: Any) -> None:
    """IP payload compression (RFC 3173 section 3), by DEFLATE (RFC 2394) or as agreed: expanded elsewhere."""
    if not has(packet, 4):
        return
    packet.ident = u8(data, packet.at)
    index = u16(data, packet.at + 2)
    packet.at += 4
    may_be_deflated = index == 2 or index >= 256
    finish(packet, packets.PACKED if may_be_deflated and not packet.cut else packets.OTHER)


@part
def tcp(data: Octets, packet: Any) -> None:
    """TCP (RFC 9293 section 3.1); `at` is then the payload."""
    if not has(packet, 20):
        return
    at = packet.at
    header = (u8(data, at + 12) >> 4) * 4
    if header < 20:
        finish(packet, packets.MALFORMED)
        return
    packet.sport, packet.dport = u16(data, at), u16(data, at + 2)
    packet.seq = u32(data, at + 4)
    packet.flags = u8(data, at + 13)
    packet.protocol = TCP
    packet.at = min(at + header, packet.end)
    finish(packet, packets.OK)


@part
def icmpv6(packet: Any) -> None:
    """ICMPv6: neighbour discovery is a message of its own (RFC 4861)."""
    if has(packet, 8):
        packet.protocol = ICMPV6
        finish(packet, packets.OK)


@part
def udp(data: Octets, packet: Any) -> None:
    """UDP (RFC 768); tunnels are known by their port and checked by their own layer."""
    if not has(packet, 8):
        return
    at = packet.at
    sport, dport, size = u16(data, at), u16(data, at + 2), u16(data, at + 4)
    packet.sport, packet.dport = sport, dport
    packet.protocol, packet.flags = UDP, 0
    if size >= 8:
        _shorten(packet, at + size)
    packet.at += 8
    finish(packet, packets.OK)
    if dport < 1701 and sport < 1701:
        return
    if dport == VXLAN_PORT or dport == VXLAN_OLD_PORT or dport == VXLAN_GPE_PORT:
        packet.layer = layers.VXLAN
    elif dport == GENEVE_PORT:
        packet.layer = layers.GENEVE
    elif dport == GRE_PORT:
        packet.layer = layers.GRE
    elif dport == MPLS_PORT:
        packet.layer = layers.MPLS
    elif dport == GTP_PORT or sport == GTP_PORT:  # gateways answer from any port
        packet.layer = layers.GTP
    elif dport == TEREDO_PORT or sport == TEREDO_PORT:
        packet.layer = layers.TEREDO
    elif dport == AYIYA_PORT or sport == AYIYA_PORT:
        packet.layer = layers.AYIYA
    elif dport == CAPWAP_DATA_PORT or sport == CAPWAP_DATA_PORT:
        packet.layer = layers.CAPWAP
    elif dport == L2TP_PORT or sport == L2TP_PORT:
        packet.layer = layers.L2TP
