"""Which names led a client to an address: the answers of DNS, kept for a while.

An entry is a client, an address and a name, with the times at which that answer came: the first, and
the latest few. Entries stand in a ring in the order in which they were learnt, so the oldest goes
first; those whose client and address have one hash form a chain, newest first. A link to what is
gone ends the chain: all behind it is older, and gone, too.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from netaudit.kernels.compiled import kernel, part
from netaudit.kernels.dnswire import is_group
from netaudit.kernels.octets import Bytes, Ints
from netaudit.kernels.packet import Rows
from netaudit.kernels.text import Words, mixed

MAX_ENTRIES = 131_072
MAX_TEXT = 8 << 20
"""Octets of all names; what they push out is gone like an entry that is pushed out."""
TIMES = 8
MAX_STEPS = 1024
"""Entries of a chain that are looked at: thousands of names may lead to one address of a provider."""
MAX_AGE_NS = 24 * 3600 * 10**9
NAMES = 8
"""Names that are told of one flow, the latest first."""

ENTRY = np.dtype([
    ("client0", "u8"), ("client1", "u8"), ("address0", "u8"), ("address1", "u8"),
    ("number", "i8"), ("below", "i8"), ("text", "i8"), ("times", "i8", (TIMES,)), ("size", "i4"), ("count", "i4"),
], align=True)  # fmt: skip
"""`number` counts the entries from 1, `below` is the next of its chain (0 for none); `text` counts octets
of names."""


class Answers(NamedTuple):
    """The ring of entries."""

    entries: Rows
    heads: Ints
    """By hash of client and address: the number of the newest entry."""
    text: Bytes
    key: Words
    written: Ints
    """How many entries there were, and how many octets of names."""


def answers(key: Words, most: int = MAX_ENTRIES, room: int = MAX_TEXT) -> Answers:
    """Nothing learnt yet; `most` and `room` are powers of two."""
    return Answers(
        np.zeros(most, ENTRY),
        np.zeros(most, np.int64),
        np.zeros(room, np.uint8),
        key,
        np.zeros(2, np.int64),
    )


@kernel
def learn(
    table: Answers, clients: Words, addresses: Words, times: Ints, text: Bytes, ends: Ints, names: Ints
) -> None:
    """Take in answers.

    Args:
        table: What was learnt before.
        clients: ``(n, 2)``, who got the answer.
        addresses: ``(n, 2)``, what it said.
        times: When.
        text: Names, one behind the other.
        ends: Of each where it ends.
        names: The number of the name that was asked for; below 0 for none.
    """
    for row in range(len(times)):
        number = names[row]
        if number < 0:
            continue
        begin: Any = ends[number - 1] if number else np.int64(0)
        size = ends[number] - begin
        head = _head(table, clients[row, 0], clients[row, 1], addresses[row, 0], addresses[row, 1])
        found: Any = np.int64(-1)
        at = table.heads[head]
        for _ in range(MAX_STEPS):
            place = _place(table, at)
            if place < 0:
                break
            entry = table.entries[place]
            if _is_of(entry, clients, addresses, row) and _has_name(table, entry, text, begin, size):
                found = place
                break
            at = entry.below
        if found < 0 and size <= len(table.text) // 2:
            found = _add(table, clients, addresses, row, head)
            _write(table, table.entries[found], text, begin, size)
        if found >= 0:
            _remember(table.entries[found], times[row])


@part
def _head(table: Answers, client0: Any, client1: Any, address0: Any, address1: Any) -> Any:
    hash_ = mixed(client0, client1, address0, address1, np.uint64(0), np.uint64(0), table.key)
    return np.int64(hash_ & np.uint64(len(table.heads) - 1))


@part
def _place(table: Answers, number: int) -> Any:
    """Where the entry of that number stands, -1 where it is gone or there is none."""
    place = number & (len(table.entries) - 1)
    entry = table.entries[place]
    gone = number == 0 or entry.number != number or table.written[1] - entry.text > len(table.text)
    return -1 if gone else place


@part
def _is_of(entry: Any, clients: Words, addresses: Words, row: int) -> Any:
    return (
        entry.client0 == clients[row, 0]
        and entry.client1 == clients[row, 1]
        and entry.address0 == addresses[row, 0]
        and entry.address1 == addresses[row, 1]
    )


@part
def _has_name(table: Answers, entry: Any, text: Bytes, begin: int, size: int) -> bool:
    if entry.size != size:
        return False
    at = entry.text & (len(table.text) - 1)
    for step in range(size):
        if table.text[at + step] != text[begin + step]:
            return False
    return True


@part
def _add(table: Answers, clients: Words, addresses: Words, row: int, head: int) -> Any:
    """Where the next entry stands, in place of the oldest."""
    table.written[0] += 1
    number = table.written[0]
    place = number & (len(table.entries) - 1)
    entry = table.entries[place]
    entry.client0, entry.client1 = clients[row, 0], clients[row, 1]
    entry.address0, entry.address1 = addresses[row, 0], addresses[row, 1]
    entry.number, entry.below, entry.count = number, table.heads[head], 0
    table.heads[head] = number
    return place


@part
def _write(table: Answers, entry: Any, text: Bytes, begin: int, size: int) -> None:
    """Keep an entry's name in one piece, in place of the oldest ones."""
    room = len(table.text)
    at = table.written[1]
    if (at & (room - 1)) + size > room:
        at += room - (at & (room - 1))
    entry.text, entry.size = at, size
    table.written[1] = at + size
    at &= room - 1
    for step in range(size):
        table.text[at + step] = text[begin + step]


@part
def _remember(entry: Any, time: int) -> None:
    """Keep the time of an answer: the first stays, of the others the earliest known goes."""
    if entry.count == TIMES:
        for step in range(1, TIMES - 1):
            entry.times[step] = entry.times[step + 1]
        entry.count -= 1
    entry.times[entry.count] = time
    entry.count += 1


@kernel
def infer(table: Answers, clients: Words, servers: Words, starts: Ints, places: Ints, times: Ints) -> None:
    """The names that led a flow's client to its server, those of the latest answer before it first.

    Args:
        table: What was learnt.
        clients: ``(n, 2)``.
        servers: ``(n, 2)``.
        starts: When the flows began.
        places: ``(n, NAMES)``, to be filled: of each name an entry that has it, -1 for no more.
        times: ``(n, NAMES)``, to be filled: when that answer came.
    """
    for row in range(len(starts)):
        for step in range(NAMES):
            places[row, step] = -1
        if is_group(servers[row, 0], servers[row, 1]):
            continue
        head = _head(table, clients[row, 0], clients[row, 1], servers[row, 0], servers[row, 1])
        at = table.heads[head]
        for _ in range(MAX_STEPS):
            place = _place(table, at)
            if place < 0:
                break
            entry = table.entries[place]
            if _is_of(entry, clients, servers, row):
                time = _latest(entry, starts[row])
                if time >= 0:
                    _insert(table, places, times, row, place, time)
            at = entry.below


@part
def _latest(entry: Any, start: int) -> Any:
    """The latest known time of an answer that came before, and not too long before; -1 for none."""
    latest = np.int64(-1)
    for step in range(entry.count):
        time = entry.times[step]
        if time <= start and start - time <= MAX_AGE_NS and time > latest:
            latest = time
    return latest


@part
def _insert(table: Answers, places: Ints, times: Ints, row: int, place: int, time: int) -> None:
    """Put an entry in its order; one name stands there once."""
    entry = table.entries[place]
    at = np.int64(0)
    while at < NAMES and places[row, at] >= 0 and times[row, at] >= time:
        if _same_name(table, table.entries[places[row, at]], entry):
            return
        at += 1
    if at == NAMES:
        return
    last = at
    while (
        last < NAMES - 1
        and places[row, last] >= 0
        and not _same_name(table, table.entries[places[row, last]], entry)
    ):
        last += 1
    for step in range(last, at, -1):
        places[row, step], times[row, step] = places[row, step - 1], times[row, step - 1]
    places[row, at], times[row, at] = place, time


@part
def _same_name(table: Answers, one: Any, other: Any) -> bool:
    return _has_name(table, one, table.text, other.text & (len(table.text) - 1), other.size)


@kernel
def spell(table: Answers, places: Ints, out: Bytes) -> None:
    """Write the names of entries one behind the other; `out` has room for just these."""
    to = 0
    for place in places:
        entry = table.entries[place]
        at = entry.text & (len(table.text) - 1)
        for step in range(entry.size):
            out[to + step] = table.text[at + step]
        to += entry.size
