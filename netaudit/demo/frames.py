"""Ethernet frames by the thousand: scapy builds one template of each shape, the rest is patched in.

scapy makes some 3000 packets a second; a template with the changing fields overwritten makes a
hundred thousand, with the same octets.
"""

from __future__ import annotations

import functools
import ipaddress
import struct
from typing import NamedTuple

SYN_OPTIONS = bytes.fromhex("020405b40101040201030307")
"""MSS 1460, SACK permitted, window scale 7."""


class Ends(NamedTuple):
    """Who sends to whom, from the link layer up."""

    source_mac: str
    target_mac: str
    vlan: int
    """0 = untagged."""
    source: str
    target: str
    source_port: int
    target_port: int


class TcpState(NamedTuple):
    """The fields of a TCP header that change from packet to packet."""

    sequence: int
    acknowledgement: int
    flags: int


def tcp_frame(ends: Ends, state: TcpState, payload: bytes, ident: int, ttl: int) -> bytes:
    """One TCP packet in its frame; SYNs carry `SYN_OPTIONS`."""
    options = SYN_OPTIONS if state.flags & 2 else b""
    head = bytearray(_templates(_is_v6(ends), ends.vlan, tcp=True)[2])
    acknowledgement = state.acknowledgement if state.flags & 16 else 0
    struct.pack_into("!HHII", head, 0, ends.source_port, ends.target_port, state.sequence, acknowledgement)
    head[12], head[13] = (20 + len(options)) << 2, state.flags
    struct.pack_into("!H", head, 14, 64_240 if options else 502)  # scaled by 2**7 once it is agreed
    segment = head + options + payload
    struct.pack_into("!H", segment, 16, _checksum(_pseudo(ends, 6, len(segment)) + segment))
    return _wrapped(ends, bytes(segment), tcp=True, ident=ident, ttl=ttl)


def udp_frame(ends: Ends, payload: bytes, ident: int, ttl: int) -> bytes:
    """One UDP packet in its frame."""
    datagram = bytearray(_templates(_is_v6(ends), ends.vlan, tcp=False)[2] + payload)
    struct.pack_into("!HHHH", datagram, 0, ends.source_port, ends.target_port, len(datagram), 0)
    checksum = _checksum(_pseudo(ends, 17, len(datagram)) + datagram)
    struct.pack_into("!H", datagram, 6, checksum or 0xFFFF)  # RFC 768: zero would mean "none"
    return _wrapped(ends, bytes(datagram), tcp=False, ident=ident, ttl=ttl)


def _wrapped(ends: Ends, transport: bytes, *, tcp: bool, ident: int, ttl: int) -> bytes:
    six = _is_v6(ends)
    link, network, _ = _templates(six, ends.vlan, tcp=tcp)
    frame = bytearray(link)
    frame[0:6], frame[6:12] = _mac(ends.target_mac), _mac(ends.source_mac)
    header = bytearray(network)
    if six:
        struct.pack_into("!H", header, 4, len(transport))
        header[7] = ttl
        header[8:24], header[24:40] = _ip(ends.source), _ip(ends.target)
    else:
        struct.pack_into("!HH", header, 2, 20 + len(transport), ident)
        header[8] = ttl
        header[12:16], header[16:20] = _ip(ends.source), _ip(ends.target)
        struct.pack_into("!H", header, 10, _checksum(header))
    frame += header + transport
    return bytes(frame.ljust(60, b"\0"))  # the least that a network card sends


@functools.cache
def _templates(six: bool, vlan: int, *, tcp: bool) -> tuple[bytes, bytes, bytes]:  # noqa: FBT001 -- keys of a cache
    """Link, network and transport header as scapy writes them, changing fields zero."""
    from scapy.layers.inet import IP, TCP, UDP
    from scapy.layers.inet6 import IPv6
    from scapy.layers.l2 import Dot1Q, Ether

    zero = "00:00:00:00:00:00"
    kind = 0x86DD if six else 0x0800
    link = Ether(src=zero, dst=zero, type=0x8100 if vlan else kind)
    if vlan:
        link /= Dot1Q(vlan=vlan, type=kind)
    protocol = 6 if tcp else 17
    network = (
        IPv6(src="::", dst="::", nh=protocol, plen=0)
        if six
        else IP(src="0.0.0.0", dst="0.0.0.0", proto=protocol, flags="DF", len=0, chksum=0)  # noqa: S104 -- an empty field
    )
    transport = (
        TCP(sport=0, dport=0, flags=0, window=0, chksum=0, dataofs=5)
        if tcp
        else UDP(sport=0, dport=0, len=0, chksum=0)
    )
    return bytes(link), bytes(network), bytes(transport)


def _pseudo(ends: Ends, protocol: int, length: int) -> bytes:
    """The pseudo-header of RFC 9293 section 3.1 and RFC 8200 section 8.1; both sum alike."""
    return _ip(ends.source) + _ip(ends.target) + struct.pack("!II", length, protocol)


def _checksum(octets: bytes | bytearray) -> int:
    """The Internet checksum (RFC 1071): 2**16 is 1 modulo 65535, so the sum is one division."""
    padded = octets + b"\0" if len(octets) % 2 else octets
    rest = int.from_bytes(padded, "big") % 0xFFFF
    return 0xFFFF - rest if rest else 0


@functools.cache
def _ip(text: str) -> bytes:
    return ipaddress.ip_address(text).packed


@functools.cache
def _mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


def _is_v6(ends: Ends) -> bool:
    return ":" in ends.source
