"""Link layers: one function a layer, over all packets that are at it.

Each takes the cursor and the rows that stand at this layer, and leaves every one of them at its
next layer or finished.
"""

from __future__ import annotations

import numpy as np

from netaudit.kernels.cursor import ARP, Cursor, Layer, Tunnel
from netaudit.kernels.status import Status
from netaudit.kernels.window import Bools, Ints, Octets

LINK_TYPES: dict[int, Layer] = {
    0: Layer.NULL, 108: Layer.NULL,
    1: Layer.ETHERNET,
    9: Layer.PPP, 50: Layer.PPP_HDLC, 51: Layer.PPPOE, 104: Layer.CISCO_HDLC,
    12: Layer.IP, 14: Layer.IP, 101: Layer.IP, 228: Layer.IPV4, 229: Layer.IPV6,
    105: Layer.WLAN, 119: Layer.PRISM, 127: Layer.RADIOTAP,
    107: Layer.FRAME_RELAY,
    113: Layer.SLL, 276: Layer.SLL2,
}  # fmt: skip
"""Registry of link types (https://www.tcpdump.org/linktypes.html) to the first layer."""


def _table(size: int, known: dict[int, Layer]) -> Octets:
    table = np.full(size, Layer.OTHER, np.uint8)
    for number, layer in known.items():
        table[number] = layer
    return table


ETHERTYPES = _table(1 << 16, {
    0x0800: Layer.IPV4, 0x86DD: Layer.IPV6, 0x0806: Layer.ARP,
    0x8100: Layer.VLAN, 0x88A8: Layer.VLAN, 0x9100: Layer.VLAN, 0x9200: Layer.VLAN,
    0x8864: Layer.PPPOE, 0x8847: Layer.MPLS, 0x8848: Layer.MPLS,
    0x6558: Layer.ETHERNET, 0x880B: Layer.PPP,
})  # fmt: skip
"""IEEE 802 EtherTypes to layers."""

PPP_PROTOCOLS = _table(1 << 16, {0x0021: Layer.IPV4, 0x0057: Layer.IPV6, 0x0281: Layer.MPLS})
"""PPP protocol numbers (RFC 1661 section 2) to layers."""


def ethernet(cursor: Cursor, rows: Ints) -> None:
    """Ethernet II, or IEEE 802.3 with LLC where the type is a length."""
    rows = cursor.having(rows, 14)
    at = cursor.at[rows]
    cursor.mac[rows] = cursor.window.rows(at + 6, 6)
    cursor.has_mac[rows] = True
    ethertype = cursor.window.u16(at + 12)
    layer = np.where(ethertype < 0x0600, np.uint8(Layer.LLC), ETHERTYPES[ethertype])
    cursor.advance(rows, 14, layer)


def llc(cursor: Cursor, rows: Ints) -> None:
    """IEEE 802.2 with SNAP (RFC 1042); any other LLC carries nothing that is read here."""
    rows = _others_done(cursor, rows, cursor.end[rows] - cursor.at[rows] >= 8)
    at = cursor.at[rows]
    is_snap = (cursor.window.u16(at) == 0xAAAA) & (cursor.window.u8(at + 2) == 0x03)
    rows = _others_done(cursor, rows, is_snap)
    cursor.advance(rows, 8, ETHERTYPES[cursor.window.u16(cursor.at[rows] + 6)])


def vlan(cursor: Cursor, rows: Ints) -> None:
    """IEEE 802.1Q and 802.1ad tags."""
    rows = cursor.having(rows, 4)
    rows = cursor.enter(rows, Tunnel.VLAN, cursor.window.u16(cursor.at[rows]) & 0x0FFF)
    ethertype = cursor.window.u16(cursor.at[rows] + 2)
    layer = np.where(ethertype < 0x0600, np.uint8(Layer.LLC), ETHERTYPES[ethertype])
    cursor.advance(rows, 4, layer)


def sll(cursor: Cursor, rows: Ints) -> None:
    """Linux cooked capture (LINKTYPE_LINUX_SLL): the address is the sender's."""
    rows = cursor.having(rows, 16)
    at = cursor.at[rows]
    _cooked_mac(cursor, rows, cursor.window.u16(at + 4), at + 6)
    cursor.advance(rows, 16, ETHERTYPES[cursor.window.u16(at + 14)])


def sll2(cursor: Cursor, rows: Ints) -> None:
    """Linux cooked capture, second version."""
    rows = cursor.having(rows, 20)
    at = cursor.at[rows]
    _cooked_mac(cursor, rows, cursor.window.u8(at + 11), at + 12)
    cursor.advance(rows, 20, ETHERTYPES[cursor.window.u16(at)])


def _cooked_mac(cursor: Cursor, rows: Ints, size: Ints, at: Ints) -> None:
    mac = cursor.window.rows(at, 6)
    is_station = (size == 6) & mac.any(axis=1)  # a loopback interface has six zeros
    cursor.mac[rows[is_station]] = mac[is_station]
    cursor.has_mac[rows[is_station]] = True


def null(cursor: Cursor, rows: Ints) -> None:
    """BSD loopback: an address family in the byte order of the machine that captured."""
    rows = cursor.having(rows, 4)
    family = cursor.window.u32(cursor.at[rows], "<")
    family = np.where(family > 0xFFFF, cursor.window.u32(cursor.at[rows]), family)
    is_ip = np.isin(family, (2, 10, 24, 28, 30))  # AF_INET; AF_INET6 of Linux, BSDs, macOS
    cursor.advance(rows, 4, np.where(is_ip, np.uint8(Layer.IP), np.uint8(Layer.OTHER)))


def ppp(cursor: Cursor, rows: Ints) -> None:
    """PPP with or without address and control (RFC 1661, 1662), compressed protocol allowed."""
    rows = cursor.having(rows, 4)
    framed = cursor.window.u16(cursor.at[rows]) == 0xFF03
    cursor.at[rows] += np.where(framed, 2, 0)
    is_short = (cursor.window.u8(cursor.at[rows]) & 1) == 1  # RFC 1661 section 6.5
    protocol = np.where(is_short, cursor.window.u8(cursor.at[rows]), cursor.window.u16(cursor.at[rows]))
    cursor.advance(rows, np.where(is_short, 1, 2), PPP_PROTOCOLS[protocol])


def ppp_hdlc(cursor: Cursor, rows: Ints) -> None:
    """PPP in HDLC-like framing, or Cisco HDLC, which the first octet tells apart."""
    rows = cursor.having(rows, 4)
    is_ppp = cursor.window.u8(cursor.at[rows]) == 0xFF
    cursor.layer[rows] = np.where(is_ppp, np.uint8(Layer.PPP), np.uint8(Layer.CISCO_HDLC))


def cisco_hdlc(cursor: Cursor, rows: Ints) -> None:
    """Cisco HDLC: address, control, EtherType."""
    rows = cursor.having(rows, 4)
    cursor.advance(rows, 4, ETHERTYPES[cursor.window.u16(cursor.at[rows] + 2)])


def frame_relay(cursor: Cursor, rows: Ints) -> None:
    """Frame relay with a two-octet address (RFC 2427): NLPID, or Cisco's EtherType."""
    rows = cursor.having(rows, 4)
    at = cursor.at[rows]
    is_nlpid = cursor.window.u8(at + 2) == 0x03
    nlpid = cursor.window.u8(at + 3)
    by_nlpid = np.where(np.isin(nlpid, (0xCC, 0x8E)), np.uint8(Layer.IP), np.uint8(Layer.OTHER))
    layer = np.where(is_nlpid, by_nlpid, ETHERTYPES[cursor.window.u16(at + 2)])
    cursor.advance(rows, 4, layer)


def pppoe(cursor: Cursor, rows: Ints) -> None:
    """PPPoE session (RFC 2516 section 4): code 0, then PPP."""
    rows = cursor.having(rows, 8)
    at = cursor.at[rows]
    rows = _others_done(cursor, rows, cursor.window.u16(at) == 0x1100)
    rows = cursor.enter(rows, Tunnel.PPPOE)
    cursor.advance(rows, 6, Layer.PPP)


def mpls(cursor: Cursor, rows: Ints) -> None:
    """One label of an MPLS stack (RFC 3032 section 2.1).

    Under the last label the version nibble decides; a zero nibble is a pseudowire's control word
    before Ethernet (RFC 4385 section 3).
    """
    rows = cursor.having(rows, 5)
    entry = cursor.window.u32(cursor.at[rows])
    before = rows
    rows = cursor.enter(rows, Tunnel.MPLS, entry >> 12)
    entry = entry[np.isin(before, rows)] if len(before) != len(rows) else entry
    is_last = (entry & 0x100) != 0
    nibble = cursor.window.u8(cursor.at[rows] + 4) >> 4
    is_ip = (nibble == 4) | (nibble == 6)
    inner = np.where(is_ip, np.uint8(Layer.IP), np.uint8(Layer.ETHERNET))
    has_control_word = is_last & (nibble == 0)
    size = np.where(has_control_word, 8, 4)
    cursor.advance(rows, size, np.where(is_last, inner, np.uint8(Layer.MPLS)))


def arp(cursor: Cursor, rows: Ints) -> None:
    """ARP for IPv4 over Ethernet (RFC 826): sender and target in src and dst, operation in flags."""
    rows = cursor.having(rows, 28)
    at = cursor.at[rows]
    is_ipv4 = (cursor.window.u16(at + 2) == 0x0800) & (cursor.window.u16(at + 4) == 0x0604)
    rows = _others_done(cursor, rows, is_ipv4)
    at = cursor.at[rows]
    for column, where in ((cursor.src, at + 14), (cursor.dst, at + 24)):
        column[rows, 10:12] = 0xFF
        column[rows, 12:] = cursor.window.rows(where, 4)
    cursor.mac[rows] = cursor.window.rows(at + 8, 6)
    cursor.has_mac[rows] = True
    cursor.flags[rows] = np.minimum(cursor.window.u16(at + 6), 255)
    cursor.protocol[rows] = ARP
    cursor.finish(rows, Status.OK)


def wlan(cursor: Cursor, rows: Ints) -> None:
    """IEEE 802.11 data frames in the clear (section 9.2.4); LLC follows."""
    rows = _others_done(cursor, rows, cursor.end[rows] - cursor.at[rows] >= 26)
    control = cursor.window.u16(cursor.at[rows])
    is_data = (control & 0x0C00) == 0x0800
    has_body = (control & 0x4000) == 0  # null-function subtypes carry none
    rows = _others_done(cursor, rows, is_data & has_body & ((control & 0x0040) == 0))
    at = cursor.at[rows]
    control = cursor.window.u16(at)
    to_ds, from_ds = (control & 1) != 0, (control & 2) != 0
    # address 2 is the sender unless the frame comes from the access point, then address 3
    sender = cursor.window.rows(np.where(from_ds, at + 16, at + 10), 6)
    cursor.mac[rows] = sender
    cursor.has_mac[rows] = ~(to_ds & from_ds)
    is_qos = (control & 0x8000) != 0
    size = 24 + np.where(to_ds & from_ds, 6, 0) + np.where(is_qos, 2, 0)
    size += np.where(is_qos & ((control & 0x0080) != 0), 4, 0)  # HT control
    keep = cursor.end[rows] - cursor.at[rows] >= size
    cursor.advance(rows[keep], size[keep], Layer.LLC)
    cursor.finish(rows[~keep], Status.TRUNCATED)


def radiotap(cursor: Cursor, rows: Ints) -> None:
    """Radiotap: its length is all that is needed; padding between header and body is undone."""
    rows = cursor.having(rows, 8)
    size = cursor.window.u16(cursor.at[rows] + 2, "<")
    rows = cursor.sound(rows, size >= 8)
    size = cursor.window.u16(cursor.at[rows] + 2, "<")
    fits = cursor.end[rows] - cursor.at[rows] >= size
    cursor.advance(rows[fits], size[fits], Layer.WLAN)
    cursor.finish(rows[~fits], Status.TRUNCATED)


def prism(cursor: Cursor, rows: Ints) -> None:
    """Prism monitoring header: a length in the capturing machine's order, usually 144."""
    rows = cursor.having(rows, 144)
    cursor.advance(rows, 144, Layer.WLAN)


def other(cursor: Cursor, rows: Ints) -> None:
    """Nothing that is read here."""
    cursor.finish(rows, Status.OTHER)


def _others_done(cursor: Cursor, rows: Ints, wanted: Bools) -> Ints:
    cursor.finish(rows[~wanted], Status.OTHER)
    kept: Ints = rows[wanted]
    return kept
