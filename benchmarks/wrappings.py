"""The same frames inside something else, for `generate`: tags, tunnels, the air, fragments."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from conversations import Conversation, Frame

FRAGMENT = 24
"""Octets of an IP payload that a first fragment carries: less than a DNS question or a hello."""


def behind(frame: Frame, head: bytes, kept: int) -> Frame:
    """`head` before the frame without its first octets; `kept` is how many go."""
    by = len(head) - kept
    moved = {
        name: getattr(frame, name) + by
        for name in ("ip_at", "port_at", "number_at")
        if getattr(frame, name) >= 0
    }
    mac_at = frame.mac_at if kept else frame.mac_at + by
    return replace(frame, octets=head + frame.octets[kept:], mac_at=mac_at, **moved)


def vlan(frame: Frame) -> list[Frame]:
    return [behind(frame, frame.octets[:12] + b"\x81\x00\x00\x53", 12)]


def pppoe(frame: Frame) -> list[Frame]:
    """RFC 2516."""
    protocol = b"\x00\x57" if frame.octets[12:14] == b"\x86\xdd" else b"\x00\x21"
    size = struct.pack(">H", len(frame.octets) - 14 + 2)
    return [behind(frame, frame.octets[:12] + b"\x88\x64\x11\x00\x00\x07" + size + protocol, 14)]


def _outer(protocol: int, size: int) -> bytes:
    ends = bytes.fromhex("0aff0001 0aff0002")
    header = struct.pack(">BBHHHBBH", 0x45, 0, 20 + size, 0, 0x4000, 64, protocol, 0) + ends
    return bytes.fromhex("02ff00000002 02ff00000001 0800") + header


def gre(frame: Frame) -> list[Frame]:
    """RFC 2784; the inner Ethernet header goes, so that the client's station is no longer seen."""
    head = _outer(47, 4 + len(frame.octets) - 14) + b"\0\0" + frame.octets[12:14]
    return [replace(behind(frame, head, 14), mac_at=-1)]


def vxlan(frame: Frame) -> list[Frame]:
    """RFC 7348."""
    size = len(frame.octets) + 16
    head = _outer(17, size) + struct.pack(">HHHH", 50_000, 4789, size, 0) + b"\x08\0\0\0\0\0\x2a\0"
    return [behind(frame, head, 0)]


def wlan(frame: Frame) -> list[Frame]:
    """An 802.11 data frame, as sniffed in the air: towards the access point, or from it."""
    cell = b"\x02\xff\x00\x00\x00\x01"
    is_sent = frame.mac_at == 8
    client = frame.octets[6:12] if is_sent else frame.octets[:6]
    head = (b"\x08\x01\0\0" + cell + client + cell) if is_sent else (b"\x08\x02\0\0" + client + cell + cell)
    head += b"\0\0\xaa\xaa\x03\0\0\0" + frame.octets[12:14]
    return [replace(behind(frame, head, 14), mac_at=12 if is_sent else 6)]


def fragmented(frame: Frame) -> list[Frame]:
    """Two fragments of every IPv4 datagram that is long enough; the second at once behind the first."""
    body = frame.octets[34:]
    if frame.number_at < 0 or len(body) <= FRAGMENT:
        return [frame]
    parts = []
    for at, piece in ((0, body[:FRAGMENT]), (FRAGMENT, body[FRAGMENT:])):
        word = (0x2000 if at == 0 else 0) | at // 8
        header = frame.octets[14:16] + struct.pack(">HHH", 20 + len(piece), 0, word) + frame.octets[22:34]
        parts.append(
            replace(
                frame,
                octets=frame.octets[:14] + header + piece,
                gap_us=1 if at else frame.gap_us,
                port_at=-1 if at else frame.port_at,
            )
        )
    return parts


WRAPPINGS: dict[str, Callable[[Frame], list[Frame]] | None] = {
    "plain": None, "vlan": vlan, "pppoe": pppoe, "gre": gre, "vxlan": vxlan, "wlan": wlan,
    "fragmented": fragmented, "dns-over-tcp": None,
}  # fmt: skip


def wrapped(talk: Conversation, wrapping: str) -> Conversation:
    """The same frames wrapped; a message begins with the first fragment that holds a part of it."""
    wrap = WRAPPINGS[wrapping]
    if wrap is None:
        return talk
    parts = [wrap(frame) for frame in talk.frames]
    begins = np.cumsum([0, *(len(part) for part in parts)])
    frames = [frame for part in parts for frame in part]
    return replace(talk, frames=frames, first=int(begins[talk.first]), last=int(begins[talk.last + 1]) - 1)
