"""Where the parts of dnsmasq's usual query line stand, and which lines say nothing of a client.

``Nov 23 00:00:52 [host ]dnsmasq[674]: query[A] NAME from IP``
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from netaudit.kernels.compiled import kernel, part
from netaudit.kernels.loglines import places
from netaudit.kernels.octets import Bytes, Ints, Octets, raw64, u8
from netaudit.kernels.spans import span

SCRATCH = 24
_LONGEST, _STAMP = 2_000, 15
_BLANK, _COLON, _OPEN, _CLOSE, _RETURN = ord(" "), ord(":"), ord("["), ord("]"), ord("\r")
_PROGRAM = np.uint64(int.from_bytes(b"dnsmasq[", "little"))
_QUERY, _SIX = np.uint64(int.from_bytes(b"query[", "little")), np.uint64(0x0000_FFFF_FFFF_FFFF)
_REPLY, _FORWARDED = (
    np.uint64(int.from_bytes(b"reply ", "little")),
    np.uint64(int.from_bytes(b"forwarde", "little")),
)
_CACHED, _CONFIG = (
    np.uint64(int.from_bytes(b"cached ", "little")),
    np.uint64(int.from_bytes(b"config ", "little")),
)
_FROM, _FIVE = np.uint64(int.from_bytes(b"from ", "little")), np.uint64(0x0000_00FF_FFFF_FFFF)
_SEVEN = np.uint64(0x00FF_FFFF_FFFF_FFFF)


class Queries(NamedTuple):
    """Spans of each query's parts, and which line it is; each has room for all lines."""

    line: Ints
    stamp: Ints
    qtype: Ints
    name: Ints
    client: Ints


@kernel
def queries(
    data: Octets, ends: Ints, high: Bytes, found: Queries, other: Ints, scratch: Ints
) -> tuple[int, int]:
    """Find the parts of the lines that are usual query lines.

    Args:
        data: Text.
        ends: Where each line ends; the first begins at 0.
        high: 1 for each line that is not ASCII.
        found: Gets the spans.
        other: Gets the lines that tell what was done about a query, but not for whom.
        scratch: Room for `SCRATCH`.

    Returns:
        How many queries there are, and how many others.
    """
    count = others = start = 0
    for line in range(len(ends)):
        end = ends[line]
        last = end - 1 if u8(data, end - 1) == _RETURN else end
        if high[line] == 0 and last - start <= _LONGEST:
            body = _body(data, start, last)
            if body > 0 and raw64(data, body) & _SIX == _QUERY:
                if _query(data, start, body, last, found, count, scratch):
                    found.line[count] = line
                    count += 1
            elif body > 0 and _is_other(data, body):
                other[others] = line
                others += 1
        start = end + 1
    return count, others


@part
def _body(data: Octets, start: int, end: int) -> int:
    """Where what dnsmasq itself wrote begins; 0 where its header is not the usual."""
    if end - start < _STAMP + 12 or u8(data, start + _STAMP) != _BLANK or u8(data, start + 3) != _BLANK:
        return 0
    at = start + _STAMP + 1
    if raw64(data, at) != _PROGRAM:  # a host stands before it
        letters = 0
        while at < end and u8(data, at) != _BLANK:
            octet = u8(data, at) | 0x20
            letters += 97 <= octet <= 122
            if octet == _COLON or octet == _OPEN | 0x20 or octet == _CLOSE | 0x20 or octet == 61:
                return 0
            at += 1
        at += 1
        if letters == 0 or raw64(data, at) != _PROGRAM:
            return 0
    at += 8
    first = at
    while 48 <= u8(data, at) <= 57:
        at += 1
    if at == first or u8(data, at) != _CLOSE or u8(data, at + 1) != _COLON or u8(data, at + 2) != _BLANK:
        return 0
    return at + 3 if at + 3 < end and u8(data, at + 3) != _BLANK else 0


@part
def _query(data: Octets, start: int, body: int, end: int, found: Queries, row: int, blanks: Ints) -> bool:
    if places(data, body, end, False, blanks) != 3 or raw64(data, blanks[1] + 1) & _FIVE != _FROM:
        return False
    closed = blanks[0] - 1
    for at in range(body + 6, closed):
        if u8(data, at) == _CLOSE:
            return False
    if u8(data, closed) != _CLOSE:
        return False
    found.stamp[row] = span(start, start + _STAMP)
    found.qtype[row] = span(body + 6, closed)
    found.name[row] = span(blanks[0] + 1, blanks[1])
    found.client[row] = span(blanks[2] + 1, end)
    return True


@part
def _is_other(data: Octets, body: int) -> bool:
    octets = raw64(data, body)
    return (
        octets & _SIX == _REPLY
        or octets & _SEVEN == _CACHED
        or octets & _SEVEN == _CONFIG
        or (octets == _FORWARDED and u8(data, body + 8) == ord("d") and u8(data, body + 9) == _BLANK)
    )
