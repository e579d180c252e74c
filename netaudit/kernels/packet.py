"""The two records that pass between kernels: a packet of a piece, and a message to be read.

Addresses are 16 octets (IPv4 as ::ffff:a.b.c.d) in two integers that lie in memory as on the
wire: ``packets["src"]``-like columns are made by `addresses`. They are compared, never counted with.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

MAX_DEPTH = 8
"""Encapsulations inside each other; more is refused."""

TCP, UDP, ICMPV6, ARP, WLAN = 6, 17, 58, 254, 253
"""IP protocol numbers; ARP and WLAN management, which are none, take unassigned ones."""


class Status(IntEnum):
    """How far one packet could be read."""

    OK = 0
    OTHER = 1
    """Sound, and nothing that is read here (spanning tree, ...)."""
    FRAGMENT = 2
    """Part of an IP datagram."""
    TRUNCATED = 3
    """Ends before its own lengths say so."""
    MALFORMED = 4
    """Contradicts its protocol."""
    UNSUPPORTED = 5
    """A link layer that is not read here."""
    TOO_DEEP = 6
    """More layers inside each other than the bound."""
    UNDESCRIBED = 7
    """Of an interface that the file does not describe."""
    HELD = 8
    """A fragment that was taken into its datagram."""
    PACKED = 9
    """Compressed; `ident` is the protocol of what it holds."""


(
    OK, OTHER, FRAGMENT, TRUNCATED, MALFORMED, UNSUPPORTED, TOO_DEEP, UNDESCRIBED, HELD, PACKED,
) = map(int, Status)  # fmt: skip
"""The same as plain integers, for kernels."""


class Kind(IntEnum):
    """What a message is; each is read by one protocol of `sources.protocols`."""

    DNS = 1
    """A DNS, mDNS or LLMNR message; over TCP without its length."""
    TLS = 2
    """A handshake from its type octet on, records taken off; begins with a ClientHello."""
    DTLS = 3
    """A datagram that begins with a DTLS record that holds a ClientHello."""
    QUIC = 4
    """A UDP datagram with a QUIC (or gQUIC) long header of a client's first packets."""
    HTTP = 5
    """The heads of one or more HTTP/1 requests, as far as they are in the segments that were held."""
    HTTP2 = 6
    """The next octets, in order, of a stream that began with the HTTP/2 preface."""
    SOCKS = 7
    """The first octets of a client's SOCKS 4, 4a or 5 stream, greeting and request."""
    DHCP = 8
    """A UDP datagram between ports 67 and 68."""
    DHCPV6 = 9
    """A UDP datagram between ports 546 and 547."""
    RADIUS = 10
    """A UDP datagram to or from a RADIUS port."""
    ARP = 11
    """An ARP packet from its hardware type on."""
    ND = 12
    """An ICMPv6 neighbour discovery message (RFC 4861), from its type on."""
    WLAN = 13
    """An IEEE 802.11 management frame from its frame control on."""


PACKET = np.dtype([
    ("ts", "i8"), ("ordinal", "i8"),
    ("at", "i8"), ("end", "i8"),  # first the record's octets, in the end the payload
    ("ip_at", "i8"),  # the innermost IP header, -1 where there is none
    ("src0", "u8"), ("src1", "u8"), ("dst0", "u8"), ("dst1", "u8"), ("mac", "u8"),
    ("caplen", "i4"), ("wirelen", "i4"), ("link", "i4"),
    ("seq", "u4"), ("ident", "u4"), ("tunnel", "u4", (MAX_DEPTH,)),
    ("sport", "u2"), ("dport", "u2"), ("offset", "u2"),
    ("status", "u1"), ("layer", "u1"), ("depth", "u1"), ("protocol", "u1"), ("flags", "u1"),
    ("timed", "u1"), ("has_mac", "u1"), ("cut", "u1"), ("more", "u1"), ("channel", "u1"), ("padded", "u1"),
], align=True)  # fmt: skip
"""One row a packet. `layer` is the next header to read; `ident`, `offset` (octets) and `more` are a
fragment's; `flags` are TCP's; `cut` says that less was captured than the lengths state; `channel` is
the radio channel where the link layer states one, else 0."""

MESSAGE = np.dtype([
    ("ts", "i8"), ("ordinal", "i8"), ("flow", "i8"),
    ("at", "i8"), ("length", "i8"),  # in the block's arena
    ("src0", "u8"), ("src1", "u8"), ("dst0", "u8"), ("dst1", "u8"), ("mac", "u8"),
    ("tunnel", "u4", (MAX_DEPTH,)),
    ("sport", "u2"), ("dport", "u2"),
    ("kind", "u1"), ("protocol", "u1"), ("timed", "u1"), ("has_mac", "u1"), ("cut", "u1"), ("back", "u1"),
    ("channel", "u1"),
], align=True)  # fmt: skip
"""One row a message: who sent it to whom (its sender is `src`), and where its octets are. `ts` and
`ordinal` are of the first packet that holds a part of it. `flow` is the number of its flow in this
file, -1 where it has none; `back` says that it went against the direction in which the flow was opened."""

Rows = npt.NDArray[Any]
"""An array of `PACKET` or `MESSAGE` (or another record of a kernel)."""


def addresses(rows: Rows, which: str) -> npt.NDArray[np.uint8]:
    """``(n, 16)`` octets of the addresses `which` (``src`` or ``dst``)."""
    pair = np.empty((len(rows), 2), "<u8")
    pair[:, 0], pair[:, 1] = rows[which + "0"], rows[which + "1"]
    return pair.view(np.uint8)


def hardware(rows: Rows) -> npt.NDArray[np.uint8]:
    """``(n, 6)`` octets of the senders' link addresses."""
    return np.ascontiguousarray(rows["mac"].astype("<u8").view(np.uint8).reshape(-1, 8)[:, :6])
