"""Where the parts of BIND's usual query line stand.

``23-Nov-2026 09:15:02.265 [queries: info: ]client [@0x…] IP#PORT[ (NAME)]: [view V: ]query: NAME CLASS
TYPE FLAGS (SERVER)``
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from netaudit.kernels.compiled import kernel, part
from netaudit.kernels.loglines import highest, places
from netaudit.kernels.octets import Bytes, Ints, Octets, raw64, u8
from netaudit.kernels.spans import span

SCRATCH = 40
_LONGEST, _LEAST = 2_000, 9
_HASH, _COLON, _HYPHEN, _PLUS = ord("#"), ord(":"), ord("-"), ord("+")
_OPEN, _CLOSE, _RETURN = ord("("), ord(")"), ord("\r")
_ONE = np.uint64(1)
_HASHES, _SEVENS = np.uint64(0x2323232323232323), np.uint64(0x7F7F7F7F7F7F7F7F)
_SEVEN, _THREE = np.uint64(0x00FF_FFFF_FFFF_FFFF), np.uint64(0x00FF_FFFF)
_CLIENT = np.uint64(int.from_bytes(b"client ", "little"))
_QUERY = np.uint64(int.from_bytes(b"query: ", "little"))
_OBJECT = np.uint64(int.from_bytes(b"@0x", "little"))


class Queries(NamedTuple):
    """Spans of each line's parts, and which line it is; each has room for all lines."""

    line: Ints
    stamp: Ints
    client: Ints
    port: Ints
    name: Ints
    qtype: Ints
    flags: Ints
    server: Ints


@kernel
def queries(data: Octets, ends: Ints, high: Bytes, found: Queries, scratch: Ints) -> int:
    """Find the parts of the lines that are usual query lines.

    Args:
        data: Text.
        ends: Where each line ends; the first begins at 0.
        high: 1 for each line that is not ASCII.
        found: Gets the spans.
        scratch: Room for `SCRATCH`.

    Returns:
        How many there are.
    """
    count = start = 0
    for line in range(len(ends)):
        end = ends[line]
        last = end - 1 if u8(data, end - 1) == _RETURN else end
        if (
            high[line] == 0
            and last - start <= _LONGEST
            and _query(data, start, last, found, count, scratch)
        ):
            found.line[count] = line
            count += 1
        start = end + 1
    return count


@part
def _query(data: Octets, start: int, end: int, found: Queries, row: int, blanks: Ints) -> bool:
    # token n stands behind the blank n - 1 and before the blank n
    many = places(data, start, end, False, blanks)
    if many < _LEAST or many >= SCRATCH or blanks[0] != start + 11:
        return False
    client = _token(data, blanks, 2, min(6, many), _CLIENT) + 1
    if client <= 0 or client >= many:
        return False
    if raw64(data, blanks[client - 1] + 1) & _THREE == _OBJECT:  # the client's address in named's memory
        client += 1
    asked = _token(data, blanks, client + 1, min(client + 4, many), _QUERY)
    if asked < 0 or asked + 5 > many:
        return False
    end = blanks[client]
    if u8(data, end - 1) == _COLON:
        end -= 1
    mark = end - 8 + _last(raw64(data, end - 8) ^ _HASHES)
    flags = u8(data, blanks[asked + 3] + 1)
    opened, closed = blanks[asked + 4] + 1, blanks[asked + 5] - 1
    if (
        u8(data, mark) != _HASH
        or (flags != _PLUS and flags != _HYPHEN)
        or closed <= opened
        or u8(data, opened) != _OPEN
        or u8(data, closed) != _CLOSE
    ):
        return False
    found.stamp[row] = span(start, blanks[1])
    found.client[row] = span(blanks[client - 1] + 1, mark)
    found.port[row] = span(mark + 1, end)
    found.name[row] = span(blanks[asked] + 1, blanks[asked + 1])
    found.qtype[row] = span(blanks[asked + 2] + 1, blanks[asked + 3])
    found.flags[row] = span(blanks[asked + 3] + 1, blanks[asked + 4])
    found.server[row] = span(opened + 1, closed)
    return True


@part
def _token(data: Octets, blanks: Ints, first: int, last: int, wanted: Any) -> int:
    """Which token is a word of six letters, blank included; -1 where none is, or a query stands before it."""
    for number in range(first, last + 1):
        octets = raw64(data, blanks[number - 1] + 1) & _SEVEN
        if octets == wanted:
            return number
        if octets == _QUERY:
            return -1
    return -1


@part
def _last(word: Any) -> int:
    """Place of the last octet of eight that is zero; 0 where none is (Warren, Hacker's Delight, 6-1)."""
    zeros = ~((word & _SEVENS) + _SEVENS | word | _SEVENS)
    return highest(zeros | _ONE) >> 3
