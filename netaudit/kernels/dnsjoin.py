"""Queries and responses of DNS brought together.

They belong together where ends, ports, transport, id, name and type are the same: within those, a
response takes the nearest query before it that no other response has taken, like brackets. So
what waits under one key is a stack, and a table holds the top of each. What waits longest is given up
first, so all that is below something given up was given up, too.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from netaudit.kernels.compiled import kernel, part
from netaudit.kernels.dnswire import Stage
from netaudit.kernels.octets import Ints
from netaudit.kernels.packet import Rows
from netaudit.kernels.text import Words, mixed

WAIT_NS = 30 * 10**9
"""A response belongs to a query at most this much older."""
MAX_WAITING = 65_536
"""Queries that wait for a response."""


@kernel
def join(asks: Rows, slots: Ints, key: Words) -> int:
    """Set `stage` and `partner` of asks in file order, those that still wait from before first.

    Nothing but the asks' order and times decides, so it does not matter where a block ends.

    Args:
        asks: `dnswire.ASK`.
        slots: Zeros, a power of two and more than the asks.
        key: Two words nobody else knows.

    Returns:
        How many queries were given up because too many waited.
    """
    oldest = waiting = evicted = 0
    for index in range(len(asks)):
        ask = asks[index]
        while oldest < index and (asks[oldest].stage != Stage.WAITING or not _in_time(asks[oldest], ask)):
            waiting -= _give_up(asks[oldest])
            oldest += 1
        if ask.group:
            continue
        slot = _slot(asks, index, slots, key)
        top = slots[slot] - 1
        waits = top >= 0 and asks[top].stage == Stage.WAITING
        if not ask.response:
            while waiting >= MAX_WAITING:
                given = _give_up(asks[oldest])
                waiting -= given
                evicted += given
                oldest += 1
            ask.below = top
            ask.stage = Stage.WAITING
            slots[slot] = index + 1
            waiting += 1
        elif waits and _in_time(asks[top], ask):
            asks[top].stage, asks[top].partner = Stage.ANSWERED, index
            ask.stage = Stage.TAKEN
            # an empty stack keeps a slot of its key: the answered query stands for it
            slots[slot] = asks[top].below + 1 if asks[top].below >= 0 else top + 1
            waiting -= 1
    return evicted


@part
def _give_up(ask: Any) -> int:
    if ask.stage != Stage.WAITING:
        return 0
    ask.stage = Stage.ALONE
    return 1


@part
def _in_time(query: Any, ask: Any) -> bool:
    """Whether they are near enough in time; what has no time is."""
    return not query.timed or not ask.timed or abs(ask.ts - query.ts) <= WAIT_NS


@part
def _slot(asks: Rows, index: int, slots: Ints, key: Words) -> Any:
    """Where the top of the stack of an ask's key is, or is to be."""
    ask = asks[index]
    ports = (
        np.uint64(ask.cport) << np.uint64(32) | np.uint64(ask.sport) << np.uint64(16) | np.uint64(ask.id)
    )
    what = np.uint64(ask.name + 1) << np.uint64(32) | np.uint64(ask.qtype + 1) << np.uint64(8)
    hash_ = mixed(ask.client0, ask.client1, ask.server0, ask.server1, ports, what, key)
    mask = len(slots) - 1
    slot = np.int64(hash_ & np.uint64(mask))
    while slots[slot] != 0 and not _same_key(asks[slots[slot] - 1], ask):
        slot = (slot + 1) & mask
    return slot


@part
def _same_key(one: Any, other: Any) -> Any:
    return (
        one.name == other.name
        and one.id == other.id
        and one.qtype == other.qtype
        and one.cport == other.cport
        and one.sport == other.sport
        and one.protocol == other.protocol
        and one.client1 == other.client1
        and one.server1 == other.server1
        and one.client0 == other.client0
        and one.server0 == other.server0
    )
