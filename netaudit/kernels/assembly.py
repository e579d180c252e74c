"""Putting together what comes in pieces: octets by their place, in any order, in bounded memory.

One pool serves TCP streams, another IP datagrams. A slot begins with a small buffer and gets a large
one when it needs it. Where pieces overlap, what came first stays.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from netaudit.kernels.compiled import part
from netaudit.kernels.octets import Octets, copy, int64, octets
from netaudit.kernels.packet import Rows

SMALL, LARGE = 4096, 65_536 + 64
"""Octets of a buffer: most hellos fit the first; a datagram, or a DNS message over TCP, the second."""
MAX_SPANS = 8
_OWNERS = 2
_TRIED = 16
"""Slots looked at for a free one before the oldest of them is given up."""

SLOT = np.dtype([
    ("flow", "i8"), ("ordinal", "i8"), ("ts", "i8"), ("base", "i8"), ("total", "i8"),
    ("key0", "u8"), ("key1", "u8"), ("key2", "u8"), ("key3", "u8"), ("key4", "u8"),
    ("at", "i8"), ("large", "i8"), ("held", "i8"), ("pieces", "i8"), ("header", "i8"),
    ("lo", "i4", (MAX_SPANS,)), ("hi", "i4", (MAX_SPANS,)), ("spans", "i4"),
    ("kind", "u1"), ("side", "u1"), ("timed", "u1"), ("used", "u1"), ("broken", "u1"), ("overlap", "u1"),
], align=True)  # fmt: skip
"""One row a slot. Octets ``lo[k] : hi[k]`` are there, in order, not touching each other. `at` is
where the buffer lies; `held` counts octets taken in; `broken` says that something can never be whole."""


class Pool(NamedTuple):
    """Slots and their buffers."""

    slots: Rows
    data: Octets
    turn: npt.NDArray[np.int64]
    """Where the search for a free slot, and for a free large buffer, goes on; then of each large
    buffer the slot that has it, or -1."""


def pool(small: int, large: int) -> Pool:
    """An empty pool of so many slots and so many large buffers; pages are used as they are touched."""
    return Pool(
        np.zeros(small, SLOT),
        octets(np.empty(small * SMALL + large * LARGE, np.uint8)),
        np.concatenate((np.zeros(_OWNERS, np.int64), np.full(large, -1, np.int64))),
    )


@part
def candidate(pool: Pool) -> int:
    """A slot to take: a free one near the turn, else the one whose turn it is, which is then still used."""
    count = len(pool.slots)
    turn = pool.turn[0]
    for step in range(_TRIED):
        number = (turn + step) % count
        if not pool.slots[number].used:
            pool.turn[0] = (number + 1) % count
            return number
    pool.turn[0] = (turn + 1) % count
    return turn


@part
def clear(pool: Pool, number: int) -> None:
    """Give a slot back."""
    slot = pool.slots[number]
    if slot.large >= 0 and slot.used:
        pool.turn[_OWNERS + slot.large] = -1
    slot.used, slot.large = 0, -1


@part
def begin(pool: Pool, number: int) -> Any:
    """Take a slot that is free."""
    slot = pool.slots[number]
    slot.used, slot.large, slot.at = 1, -1, number * SMALL
    slot.spans, slot.held, slot.pieces, slot.header, slot.total = 0, 0, 0, 0, -1
    slot.broken, slot.overlap, slot.kind, slot.side = 0, 0, 0, 0
    return slot


@part
def put(pool: Pool, number: int, source: Octets, at: int, length: int, offset: int) -> bool:
    """Take in octets that belong at `offset`; False where they cannot be kept."""
    slot = pool.slots[number]
    if offset < 0:
        at, length, offset = at - offset, length + offset, 0
    end = offset + length
    if length <= 0:
        return True
    if end > LARGE:
        return False
    if end > SMALL and slot.large < 0:
        _enlarge(pool, number, slot)
    begin = offset
    for k in range(slot.spans):
        if slot.hi[k] <= begin:
            continue
        if slot.lo[k] >= end:
            break
        slot.overlap = 1
        if begin < slot.lo[k]:
            copy(source, at + begin - offset, slot.lo[k] - begin, pool.data, slot.at + begin)
        begin = int64(slot.hi[k])
    if begin < end:
        copy(source, at + begin - offset, end - begin, pool.data, slot.at + begin)
    slot.held += length
    slot.pieces += 1
    return _cover(slot, offset, end)


@part
def _enlarge(pool: Pool, number: int, slot: Any) -> None:
    """A large buffer for a slot; where none is free, the slot that has it loses what it holds."""
    large = pool.turn[1]
    pool.turn[1] = (large + 1) % (len(pool.turn) - _OWNERS)
    owner = pool.turn[_OWNERS + large]
    if owner >= 0:
        loser = pool.slots[owner]
        loser.large, loser.at, loser.spans, loser.broken = -1, owner * SMALL, 0, 1
    pool.turn[_OWNERS + large] = number
    at = len(pool.slots) * SMALL + large * LARGE
    copy(pool.data, slot.at, SMALL, pool.data, at)
    slot.large, slot.at = large, at


@part
def _cover(slot: Any, lo: int, hi: int) -> bool:
    """Note that octets are there; False where they would make too many separate spans."""
    kept = 0
    for k in range(slot.spans):
        if slot.hi[k] < lo or slot.lo[k] > hi:
            slot.lo[kept], slot.hi[kept] = slot.lo[k], slot.hi[k]
            kept += 1
        else:
            if slot.lo[k] < lo:
                lo = int64(slot.lo[k])
            if slot.hi[k] > hi:
                hi = int64(slot.hi[k])
    slot.spans = kept
    if kept == MAX_SPANS:
        return False
    place = kept
    while place > 0 and slot.lo[place - 1] > lo:
        slot.lo[place], slot.hi[place] = slot.lo[place - 1], slot.hi[place - 1]
        place -= 1
    slot.lo[place], slot.hi[place] = lo, hi
    slot.spans = kept + 1
    return True


@part
def prefix(slot: Any) -> int:
    """Octets that are there from the beginning without a hole."""
    return int64(slot.hi[0]) if slot.spans and slot.lo[0] == 0 else int64(0)


@part
def drop(pool: Pool, slot: Any, size: int) -> None:
    """Forget the first octets, which are done with; the rest moves to the front."""
    if slot.spans == 0:
        return
    last = int64(slot.hi[slot.spans - 1])
    copy(pool.data, slot.at + size, last - size, pool.data, slot.at)
    kept = 0
    for k in range(slot.spans):
        if slot.hi[k] > size:
            slot.lo[kept] = slot.lo[k] - size if slot.lo[k] > size else 0
            slot.hi[kept] = slot.hi[k] - size
            kept += 1
    slot.spans = kept
    slot.base += size
