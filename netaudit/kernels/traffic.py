"""Packets of a piece, in order: counted as flows, and what names a destination taken out of them."""

from __future__ import annotations

from typing import Any

from netaudit.kernels import collect, dnsguess, flows, packet, quic, streams, tls
from netaudit.kernels.assembly import Pool, prefix
from netaudit.kernels.collect import MESSAGES, NOW, Block, emit, has_room
from netaudit.kernels.compiled import kernel, part
from netaudit.kernels.flows import Table
from netaudit.kernels.losses import UNTABLED, lose
from netaudit.kernels.octets import Octets, int64, u8
from netaudit.kernels.packet import ARP as ARP_PACKET
from netaudit.kernels.packet import ICMPV6, TCP, UDP, WLAN, Rows


@kernel
def take(
    data: Octets, rows: Rows, begin: int, end: int, table: Table, pool: Pool, block: Block, losses: Rows,
    scratch: Rows,
) -> int:  # fmt: skip
    """Take in ``rows[begin:end]``, dissected before; the row at which the block was full, or `end`.

    `scratch` is one row of `quic.PACKET`.
    """
    for row in range(begin, end):
        if not has_room(block):
            return row
        one = rows[row]
        if one.timed:
            block.used[NOW] = one.ts
        if one.status != packet.OK:
            continue
        length = one.end - one.at
        if one.protocol == TCP or one.protocol == UDP:
            if one.protocol == UDP and streams.is_dns(one):  # a look-up is no flow
                if length > 0:
                    emit(block, one, collect.DNS, data, one.at, length)
                continue
            side = flows.side_of(one)
            number = flows.find(table, one, side)
            if number < 0:
                lose(losses, UNTABLED, one.ordinal, 0, 1)
                continue
            flow = table.rows[number]
            flows.add(flow, one, side)
            if one.protocol == TCP:
                _segment(data, one, table.rows, number, side, pool, block, losses)
            else:
                _datagram(data, one, flow, side, block, scratch)
        else:
            kind = _kind(data, one)
            if kind:
                emit(block, one, kind, data, one.at, length)
    return end


@part
def _kind(data: Octets, one: Any) -> int:
    if one.protocol == ARP_PACKET:
        return collect.ARP
    if one.protocol == WLAN:
        return collect.WLAN
    if one.protocol == ICMPV6 and 133 <= u8(data, one.at) <= 137:  # RFC 4861 section 4
        return collect.ND
    return 0


@part
def _segment(
    data: Octets, one: Any, rows: Rows, number: int, side: int, pool: Pool, block: Block, losses: Rows
) -> None:
    what = streams.place(data, one, rows, number, side, pool, losses)
    if what == streams.IGNORED:
        return
    flow = rows[number]
    is_first = what == streams.FIRST_SEGMENT or what == streams.FIRST_HELD
    if what == streams.SEGMENT or what == streams.FIRST_SEGMENT:
        kind = streams.recognise(data, one.at, one.end - one.at, one, flow, side, block, is_first)
        if kind >= 0:
            streams.hold(data, one, rows, number, side, kind, 0, pool, losses)
            if kind == streams.DNS:
                streams.settle(one, flow, side, kind, block.used[MESSAGES], pool, block, losses)
        return
    before = block.used[MESSAGES]
    slot = pool.slots[flow.slot[side]]
    have = prefix(slot)
    kind = streams.recognise(pool.data, slot.at, have, one, flow, side, block, is_first)
    streams.settle(one, flow, side, kind, before, pool, block, losses)


@part
def _datagram(data: Octets, one: Any, flow: Any, side: int, block: Block, scratch: Rows) -> None:
    kind = _datagram_kind(data, one, one.end - one.at, scratch)
    if kind:
        message = emit(block, one, kind, data, one.at, one.end - one.at)
        message.flow, message.back = flow.number, side != flow.opener


@part
def _datagram_kind(data: Octets, one: Any, length: int, scratch: Rows) -> int:
    sport, dport = int64(one.sport), int64(one.dport)
    if dport < 3800 or sport < 3800:
        if (dport == 67 or dport == 68) and (sport == 67 or sport == 68):
            return collect.DHCP
        if (dport == 546 or dport == 547) and (sport == 546 or sport == 547):
            return collect.DHCPV6
        if _is_radius(sport) or _is_radius(dport):
            return collect.RADIUS
    if tls.is_dtls_hello(data, one.at, length):
        return collect.DTLS
    if quic.is_quic(data, one.at, length, scratch):
        return collect.QUIC
    return collect.DNS if dnsguess.is_dns(data, one.at, length) else 0


@part
def _is_radius(port: int) -> bool:
    """RFC 2865 section 3, RFC 2866 section 3 and the ports before them; RFC 5176 section 2.1 and Cisco's."""
    if port == 1812 or port == 1813 or port == 1645 or port == 1646:
        return True
    return port == 3799 or port == 1700
