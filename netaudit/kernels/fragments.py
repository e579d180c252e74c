"""IP fragments to datagrams (RFC 791 section 3.2, RFC 8200 section 4.5), bounded."""

from __future__ import annotations

from typing import Any

import numpy as np

from netaudit.kernels import packet as packets
from netaudit.kernels.assembly import Pool, begin, clear, prefix, put
from netaudit.kernels.compiled import kernel, part
from netaudit.kernels.dissect import read
from netaudit.kernels.internet_layers import protocol_layer
from netaudit.kernels.losses import BAD_FRAGMENT, CUT_FRAGMENT, LOST_FRAGMENT, OVERLAP, lose
from netaudit.kernels.octets import Octets, copy, int64
from netaudit.kernels.packet import Rows

MAX_DATAGRAM = 65_535
_PLACES = 8
"""Slots in which a datagram can be, by its hash."""


@kernel
def join(
    data: Octets, rows: Rows, begin: int, end: int, spill: int, pool: Pool, losses: Rows
) -> tuple[int, int]:
    """Take in the fragments among ``rows[begin:end]``.

    The last fragment of a datagram becomes the datagram, with the time and the number of the one that
    came first: its octets are written to ``data[spill:]``, and what the IP header carries is read. That may be a fragment again, as deep as tunnels may be.

    Returns:
        The row at which there was no more room behind `spill`, or `end`; and where that room begins.
    """
    for row in range(begin, end):
        packet = rows[row]
        while packet.status == packets.FRAGMENT:
            if spill + MAX_DATAGRAM > len(data.u8):
                return row, spill
            packet.status = packets.HELD
            if packet.cut:
                lose(losses, CUT_FRAGMENT, packet.ordinal, packet.end - packet.at, 1)
                if packet.offset == 0:  # its ports are there
                    _go_on(data, packet, packet.at, packet.end)
                continue
            number = _taken(data, packet, pool, losses)
            if number < 0:
                continue
            slot = pool.slots[number]
            size = slot.total
            copy(pool.data, slot.at, size, data, spill)
            packet.ts, packet.timed, packet.ordinal = slot.ts, slot.timed, slot.ordinal
            clear(pool, number)
            _go_on(data, packet, spill, spill + size)
            spill += size
    return end, spill


@part
def _go_on(data: Octets, packet: Any, at: int, end: int) -> None:
    """Read what a datagram carries."""
    packet.at, packet.end, packet.ip_at = at, end, -1
    packet.layer = protocol_layer(int64(packet.protocol))
    read(data, packet)


@kernel
def expanded(data: Octets, rows: Rows, row: int, at: int, end: int) -> None:
    """Read what a packet carries whose payload was expanded to ``data[at:end]``; `ident` says what it is."""
    packet = rows[row]
    packet.protocol = packet.ident
    _go_on(data, packet, at, end)


@part
def _taken(data: Octets, packet: Any, pool: Pool, losses: Rows) -> int:
    """Take one fragment in; the slot of its datagram where that is whole, else -1."""
    size = packet.end - packet.at
    possible = packet.offset + size <= MAX_DATAGRAM and not (packet.more and size % 8)
    number = _slot_of(packet, pool, losses) if possible else -1
    if number < 0 or not put(pool, number, data, packet.at, size, int64(packet.offset)):
        lose(losses, BAD_FRAGMENT, packet.ordinal, size, 1)
        return -1
    slot = pool.slots[number]
    if not packet.more:
        slot.total = packet.offset + size
    if slot.total < 0 or prefix(slot) < slot.total:
        return -1
    if slot.overlap:
        lose(losses, OVERLAP, packet.ordinal, 0, 1)
    return number


@part
def _slot_of(packet: Any, pool: Pool, losses: Rows) -> int:
    """The slot of a fragment's datagram, begun where there is none.

    It is one of a few places, the oldest of which gives way. The hash has no secret: what is given up
    must be the same in every run.
    """
    key = int64(packet.ident) | int64(packet.protocol) << 32
    value = (packet.src1 ^ packet.dst1 ^ np.uint64(key)) * np.uint64(0x9E3779B97F4A7C15)
    bucket = int64(value >> np.uint64(40)) % (len(pool.slots) // _PLACES) * _PLACES
    chosen, free = bucket, -1
    for number in range(bucket, bucket + _PLACES):
        slot = pool.slots[number]
        if not slot.used:
            free = number if free < 0 else free
            continue
        same = slot.base == key and slot.key0 == packet.src0 and slot.key1 == packet.src1
        if same and slot.key2 == packet.dst0 and slot.key3 == packet.dst1:
            return number
        if slot.ordinal < pool.slots[chosen].ordinal:
            chosen = number
    if free >= 0:
        chosen = free
    else:
        _forget(chosen, pool, losses)
    slot = begin(pool, chosen)
    slot.base, slot.ordinal, slot.ts, slot.timed = key, packet.ordinal, packet.ts, packet.timed
    slot.key0, slot.key1, slot.key2, slot.key3 = packet.src0, packet.src1, packet.dst0, packet.dst1
    return chosen


@part
def _forget(number: int, pool: Pool, losses: Rows) -> None:
    slot = pool.slots[number]
    lose(losses, LOST_FRAGMENT, slot.ordinal, slot.held, slot.pieces)
    clear(pool, number)


@kernel
def close(pool: Pool, losses: Rows) -> None:
    """Count the datagrams that never became whole."""
    for number in range(len(pool.slots)):
        if pool.slots[number].used:
            _forget(number, pool, losses)
