"""IPv4, IPv6, transport and the tunnels over them: one function a layer.

The same bargain as in `link_layers`: every row that comes in leaves at its next layer or
finished.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from netaudit.kernels.cursor import TCP, UDP, Cursor, Layer, Tunnel
from netaudit.kernels.link_layers import ETHERTYPES
from netaudit.kernels.status import Status
from netaudit.kernels.window import Bools, Ints

PROTOCOLS = np.full(256, Layer.OTHER, np.uint8)
"""IP protocol numbers to layers."""
for _number, _layer in {
    4: Layer.IPV4_IN_IP, 41: Layer.IPV6_IN_IP, 47: Layer.GRE, 6: Layer.TCP, 17: Layer.UDP,
    0: Layer.EXTENSION, 43: Layer.EXTENSION, 60: Layer.EXTENSION, 135: Layer.EXTENSION,
    139: Layer.EXTENSION, 140: Layer.EXTENSION,
    51: Layer.AUTHENTICATION, 44: Layer.FRAGMENT, 137: Layer.MPLS,
}.items():  # fmt: skip
    PROTOCOLS[_number] = _layer

VXLAN_PORTS = (4789, 8472)  # RFC 7348 section 8; Linux's default before it
GENEVE_PORT = 6081  # RFC 8926 section 3.3
GRE_PORT = 4754  # RFC 8086 section 8
GTP_PORT = 2152  # 3GPP TS 29.281 section 4.4.2


def ip(cursor: Cursor, rows: Ints) -> None:
    """Raw IP: the version nibble decides."""
    rows = cursor.having(rows, 1)
    version = cursor.window.u8(cursor.at[rows]) >> 4
    rows_sound = cursor.sound(rows, (version == 4) | (version == 6))
    is_v6 = cursor.window.u8(cursor.at[rows_sound]) >> 4 == 6
    cursor.layer[rows_sound] = np.where(is_v6, np.uint8(Layer.IPV6), np.uint8(Layer.IPV4))


def ipv4(cursor: Cursor, rows: Ints) -> None:
    """IPv4 with options (RFC 791 section 3.1). Fragments are declined."""
    window = cursor.window
    rows = cursor.having(rows, 20)
    first = window.u8(cursor.at[rows])
    total = window.u16(cursor.at[rows] + 2)
    header = (first & 0x0F) * 4
    # a total length of 0 is what segmentation offload leaves in the sender's own capture
    is_sound = (first >> 4 == 4) & (header >= 20) & ((total == 0) | (total >= header))
    keep = is_sound & (cursor.end[rows] - cursor.at[rows] >= header)
    cursor.finish(rows[is_sound & ~keep], Status.TRUNCATED)
    cursor.finish(rows[~is_sound], Status.MALFORMED)
    rows, total, header = rows[keep], total[keep], header[keep]
    at = cursor.at[rows]
    _shorten(cursor, rows, np.where(total == 0, cursor.end[rows], at + total))
    cursor.ip_at[rows] = at
    for column, where in ((cursor.src, at + 12), (cursor.dst, at + 16)):
        column[rows, :10] = 0
        column[rows, 10:12] = 0xFF
        column[rows, 12:] = window.rows(where, 4)
    is_fragment = (window.u16(at + 6) & 0x3FFF) != 0  # more fragments, or an offset
    cursor.advance(rows, header, PROTOCOLS[window.u8(at + 9)])
    cursor.finish(rows[is_fragment], Status.SLOW)


def ipv6(cursor: Cursor, rows: Ints) -> None:
    """IPv6 fixed header (RFC 8200 section 3)."""
    window = cursor.window
    rows = cursor.having(rows, 40)
    rows = cursor.sound(rows, window.u8(cursor.at[rows]) >> 4 == 6)
    at = cursor.at[rows]
    size = window.u16(at + 4)
    _shorten(cursor, rows, np.where(size == 0, cursor.end[rows], at + 40 + size))
    cursor.ip_at[rows] = at
    cursor.src[rows] = window.rows(at + 8, 16)
    cursor.dst[rows] = window.rows(at + 24, 16)
    cursor.advance(rows, 40, PROTOCOLS[window.u8(at + 6)])


def _shorten(cursor: Cursor, rows: Ints, end: Ints) -> None:
    """Believe a length field where it says less than was captured; note where it says more."""
    cursor.cut[rows] |= end > cursor.end[rows]
    cursor.end[rows] = np.minimum(cursor.end[rows], end)


def extension(cursor: Cursor, rows: Ints) -> None:
    """IPv6 hop-by-hop, routing, destination options and their like (RFC 8200 section 4)."""
    rows = cursor.having(rows, 8)
    size = (cursor.window.u8(cursor.at[rows] + 1) + 1) * 8
    _next_header(cursor, rows, size)


def authentication(cursor: Cursor, rows: Ints) -> None:
    """IP authentication header (RFC 4302 section 2): its length counts 32-bit words less two."""
    rows = cursor.having(rows, 8)
    size = (cursor.window.u8(cursor.at[rows] + 1) + 2) * 4
    _next_header(cursor, rows, size)


def _next_header(cursor: Cursor, rows: Ints, size: Ints) -> None:
    fits = cursor.end[rows] - cursor.at[rows] >= size
    cursor.finish(rows[~fits], Status.TRUNCATED)
    rows, size = rows[fits], size[fits]
    cursor.advance(rows, size, PROTOCOLS[cursor.window.u8(cursor.at[rows])])


def fragment(cursor: Cursor, rows: Ints) -> None:
    """IPv6 fragment header (RFC 8200 section 4.5): declined, unless it is the whole datagram."""
    rows = cursor.having(rows, 8)
    is_whole = (cursor.window.u16(cursor.at[rows] + 2) & 0xFFF9) == 0  # RFC 6946, atomic
    cursor.finish(rows[~is_whole], Status.SLOW)
    _next_header(cursor, rows[is_whole], np.full(int(is_whole.sum()), 8))


def ipv4_in_ip(cursor: Cursor, rows: Ints) -> None:
    """IPv4 in IP (RFC 2003)."""
    _inner(cursor, cursor.enter(rows, Tunnel.IP), 0, Layer.IPV4)


def ipv6_in_ip(cursor: Cursor, rows: Ints) -> None:
    """IPv6 in IP (RFC 4213, RFC 2473)."""
    _inner(cursor, cursor.enter(rows, Tunnel.IP), 0, Layer.IPV6)


def gre(cursor: Cursor, rows: Ints) -> None:
    """GRE (RFC 2784, RFC 2890), and PPTP's version 1 (RFC 2637 section 4.1)."""
    window = cursor.window
    rows = cursor.having(rows, 4)
    flags = window.u16(cursor.at[rows])
    is_known = ((flags & 7) <= 1) & ((flags & 0x4000) == 0)  # RFC 1701 routing is not followed
    rows = cursor.sound(rows, is_known)
    rows = cursor.enter(rows, Tunnel.GRE)
    at = cursor.at[rows]
    flags, protocol = window.u16(at), window.u16(at + 2)
    # checksum, key, sequence number and (version 1) acknowledgement are four octets each
    size = 4 + sum(np.where(flags & bit, 4, 0) for bit in (0x8000, 0x2000, 0x1000))
    size = size + np.where(((flags & 7) == 1) & ((flags & 0x0080) != 0), 4, 0)
    fits = cursor.end[rows] - at >= size
    cursor.finish(rows[~fits], Status.TRUNCATED)
    _inner(cursor, rows[fits], size[fits], ETHERTYPES[protocol[fits]])


def _inner(cursor: Cursor, rows: Ints, size: int | Ints, layer: int | np.ndarray) -> None:
    """Go on inside a tunnel: the outer link address is the tunnel end's, not the client's."""
    cursor.has_mac[rows] = False
    cursor.advance(rows, size, layer)


def tcp(cursor: Cursor, rows: Ints) -> None:
    """TCP (RFC 9293 section 3.1); `at` is then the payload."""
    window = cursor.window
    rows = cursor.having(rows, 20)
    at = cursor.at[rows]
    header = (window.u8(at + 12) >> 4) * 4
    rows = cursor.sound(rows, header >= 20)
    at, header = cursor.at[rows], (window.u8(cursor.at[rows] + 12) >> 4) * 4
    cursor.sport[rows], cursor.dport[rows] = window.u16(at), window.u16(at + 2)
    cursor.seq[rows] = window.u32(at + 4)
    cursor.flags[rows] = window.u8(at + 13)
    cursor.protocol[rows] = TCP
    cursor.at[rows] = np.minimum(at + header, cursor.end[rows])
    cursor.finish(rows, Status.OK)


def udp(cursor: Cursor, rows: Ints) -> None:
    """UDP (RFC 768); tunnels are known by their port and checked by their own layer."""
    window = cursor.window
    rows = cursor.having(rows, 8)
    at = cursor.at[rows]
    size, dport = window.u16(at + 4), window.u16(at + 2)
    cursor.sport[rows], cursor.dport[rows] = window.u16(at), dport
    cursor.protocol[rows] = UDP
    cursor.flags[rows] = 0
    is_sized = size >= 8
    _shorten(cursor, rows[is_sized], (at + size)[is_sized])
    cursor.at[rows] += 8
    cursor.finish(rows, Status.OK)
    cursor.layer[rows[np.isin(dport, VXLAN_PORTS)]] = Layer.VXLAN
    cursor.layer[rows[dport == GENEVE_PORT]] = Layer.GENEVE
    cursor.layer[rows[dport == GRE_PORT]] = Layer.GRE
    is_gtp = (dport == GTP_PORT) | (window.u16(at) == GTP_PORT)  # gateways answer from any port
    cursor.layer[rows[is_gtp]] = Layer.GTP


def vxlan(cursor: Cursor, rows: Ints) -> None:
    """VXLAN (RFC 7348 section 5); what does not look like it stays a UDP datagram."""
    rows = _plain_udp_unless(cursor, rows, 22, lambda at: (cursor.window.u8(at) & 0x08) != 0)
    rows = cursor.enter(rows, Tunnel.VXLAN, cursor.window.u32(cursor.at[rows] + 4) >> 8)
    _inner(cursor, rows, 8, Layer.ETHERNET)


def geneve(cursor: Cursor, rows: Ints) -> None:
    """Geneve (RFC 8926 section 3.4): version 0, options counted in words."""
    window = cursor.window
    rows = _plain_udp_unless(cursor, rows, 22, lambda at: window.u8(at) >> 6 == 0)
    size = 8 + (window.u8(cursor.at[rows]) & 0x3F) * 4
    fits = cursor.end[rows] - cursor.at[rows] >= size
    cursor.layer[rows[~fits]] = Layer.DONE
    rows = cursor.enter(rows[fits], Tunnel.GENEVE, window.u32(cursor.at[rows[fits]] + 4) >> 8)
    at = cursor.at[rows]
    _inner(cursor, rows, 8 + (window.u8(at) & 0x3F) * 4, ETHERTYPES[window.u16(at + 2)])


def gtp(cursor: Cursor, rows: Ints) -> None:
    """GTP-U user data (3GPP TS 29.281 section 5): version 1, message type 255."""
    window = cursor.window
    rows = _plain_udp_unless(
        cursor,
        rows,
        13,
        lambda at: (window.u8(at) >> 4 == 3) & (window.u8(at + 1) == 0xFF),
    )
    at = cursor.at[rows]
    has_options = (window.u8(at) & 0x07) != 0
    has_extension = (window.u8(at) & 0x04) != 0
    next_type = window.u8(np.minimum(at + 11, cursor.end[rows] - 1))
    size = np.where(has_options, 12, 8)
    for _ in range(4):  # extension headers: a length in words first, the next type last
        more = np.flatnonzero(has_extension & (next_type != 0))
        more = more[(at + size)[more] < cursor.end[rows[more]]]
        words = window.u8((at + size)[more]) * 4
        last = (at + size)[more] + words - 1
        inside = (words > 0) & (last < cursor.end[rows[more]])
        more, words, last = more[inside], words[inside], last[inside]
        next_type[more] = window.u8(last)
        size[more] += words
    fits = cursor.end[rows] - at > size
    cursor.layer[rows[~fits]] = Layer.DONE
    rows, size = rows[fits], size[fits]
    entered = cursor.enter(rows, Tunnel.GTP)
    _inner(cursor, entered, size[np.isin(rows, entered)], Layer.IP)


def _plain_udp_unless(cursor: Cursor, rows: Ints, least: int, test: Callable[[Ints], Bools]) -> Ints:
    """Rows with `least` octets that pass `test` (of their offsets); the rest is finished as UDP."""
    fits = cursor.end[rows] - cursor.at[rows] >= least
    cursor.layer[rows[~fits]] = Layer.DONE
    rows = rows[fits]
    passed = test(cursor.at[rows])
    cursor.layer[rows[~passed]] = Layer.DONE
    return rows[passed]
