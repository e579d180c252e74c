"""The table of flows: five-tuples, found by hash and compared exactly, and what is added up of each."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from netaudit.kernels.compiled import kernel, part
from netaudit.kernels.octets import int64
from netaudit.kernels.packet import MAX_DEPTH, TCP, Rows

SYN, ACK = 0x02, 0x10

FLOW = np.dtype([
    ("a0", "u8"), ("a1", "u8"), ("b0", "u8"), ("b1", "u8"),  # the lesser end, the greater
    ("number", "i8"), ("ts", "i8"), ("ts_end", "i8"), ("ordinal", "i8"), ("last", "i8"),
    ("packets", "i8", (2,)), ("octets", "i8", (2,)), ("mac", "u8", (2,)),
    ("next", "i8", (2,)), ("slot", "i4", (2,)),
    ("tunnel", "u4", (MAX_DEPTH,)), ("port", "u2", (2,)),
    ("protocol", "u1"), ("opener", "u1"), ("timed", "u1"), ("follow", "u1"),
    ("payload", "u1", (2,)), ("syn", "u1", (2,)), ("syn_ack", "u1", (2,)), ("has_mac", "u1", (2,)),
    ("state", "u1", (2,)),
], align=True)  # fmt: skip
"""One row a flow; pairs are of what the lesser end sent and what the greater sent. Octets are those
on the wire, link layer included. `next`, `slot` and `state` belong to `streams`."""


class Table(NamedTuple):
    """Flows that are not over, and where to find them."""

    rows: Rows
    places: npt.NDArray[np.int32]
    """Open addressing; a power of two of places, -1 where free."""
    counts: npt.NDArray[np.int64]
    """Flows in `rows`; flows of the file so far; a secret, because whoever sends the packets must
    not know how they are spread."""


def table(capacity: int, seed: int) -> Table:
    """An empty table for so many flows."""
    places = 1 << (2 * capacity - 1).bit_length()
    return Table(
        np.zeros(capacity, FLOW),
        np.full(places, -1, np.int32),
        np.array([0, 0, seed], np.int64),
    )


@part
def _mix(value: Any, more: Any) -> Any:
    """One round of a multiply-and-shift hash (the finaliser of SplitMix64)."""
    value = (value ^ more) * np.uint64(0xBF58476D1CE4E5B9)
    value ^= value >> np.uint64(27)
    return value * np.uint64(0x94D049BB133111EB) ^ value >> np.uint64(31)


@part
def _place(flow: Any, table: Table) -> int:
    value = _mix(np.uint64(table.counts[2]), flow.a0 ^ flow.b0)
    value = _mix(value, flow.a1)
    value = _mix(value, flow.b1)
    ports = np.uint64(flow.port[0]) << np.uint64(32) | np.uint64(flow.port[1]) << np.uint64(8)
    value = _mix(value, ports | np.uint64(flow.protocol))
    return int64(value & np.uint64(len(table.places) - 1))


@part
def side_of(packet: Any) -> int:
    """0 where the packet comes from the lesser end, 1 where from the greater."""
    if packet.src0 != packet.dst0:
        return 0 if packet.src0 < packet.dst0 else 1
    if packet.src1 != packet.dst1:
        return 0 if packet.src1 < packet.dst1 else 1
    return 0 if packet.sport <= packet.dport else 1


@part
def find(table: Table, packet: Any, side: int) -> int:
    """The flow of a packet, begun where it is new; -1 where the table is full."""
    fresh = table.counts[0]
    if fresh >= len(table.rows):
        return -1
    flow = table.rows[fresh]  # the key is written where a new flow would be
    if side == 0:
        flow.a0, flow.a1, flow.b0, flow.b1 = packet.src0, packet.src1, packet.dst0, packet.dst1
    else:
        flow.a0, flow.a1, flow.b0, flow.b1 = packet.dst0, packet.dst1, packet.src0, packet.src1
    flow.port[side], flow.port[1 - side] = packet.sport, packet.dport
    flow.protocol = packet.protocol
    place = _place(flow, table)
    while table.places[place] >= 0:
        number = int64(table.places[place])
        if _same(table.rows[number], flow):
            return number
        place = (place + 1) & (len(table.places) - 1)
    table.places[place] = fresh
    _open(flow, packet, side, table.counts[1])
    table.counts[0] += 1
    table.counts[1] += 1
    return fresh


@part
def _same(one: Any, other: Any) -> bool:
    return (
        one.a1 == other.a1
        and one.b1 == other.b1
        and one.port[0] == other.port[0]
        and one.port[1] == other.port[1]
        and one.protocol == other.protocol
        and one.a0 == other.a0
        and one.b0 == other.b0
    )


@part
def _open(flow: Any, packet: Any, side: int, number: int) -> None:
    flow.number, flow.opener, flow.ordinal = number, side, packet.ordinal
    flow.timed, flow.follow, flow.ts, flow.ts_end = 0, 0, 0, 0
    for k in range(2):
        flow.packets[k], flow.octets[k], flow.mac[k], flow.has_mac[k] = 0, 0, 0, 0
        flow.payload[k], flow.syn[k], flow.syn_ack[k] = 0, 0, 0
        flow.next[k], flow.slot[k], flow.state[k] = 0, -1, 0
    for k in range(MAX_DEPTH):
        flow.tunnel[k] = packet.tunnel[k]


@part
def add(flow: Any, packet: Any, side: int) -> None:
    """Count a packet."""
    flow.packets[side] += 1
    flow.octets[side] += packet.wirelen
    flow.last = packet.ordinal
    if packet.timed:
        if packet.ts < flow.ts or not flow.timed:
            flow.ts = packet.ts
        if packet.ts > flow.ts_end or not flow.timed:
            flow.ts_end = packet.ts
        flow.timed = 1
    if packet.end > packet.at:
        flow.payload[side] = 1
    if packet.has_mac and not flow.has_mac[side]:
        flow.mac[side], flow.has_mac[side] = packet.mac, 1
    if packet.protocol == TCP and packet.flags & SYN:
        if packet.flags & ACK:
            flow.syn_ack[side] = 1
        else:
            flow.syn[side] = 1


@kernel
def reindex(table: Table) -> None:
    """Find the flows anew after some were taken out of the rows."""
    for place in range(len(table.places)):
        table.places[place] = -1
    for number in range(table.counts[0]):
        place = _place(table.rows[number], table)
        while table.places[place] >= 0:
            place = (place + 1) & (len(table.places) - 1)
        table.places[place] = number
