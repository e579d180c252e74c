"""Addresses in spans, as 16 octets (see `spans`)."""

from __future__ import annotations

from typing import Any

import numpy as np

from netaudit.kernels.compiled import kernel, part
from netaudit.kernels.octets import Bytes, Ints, Octets, int64, u8
from netaudit.kernels.spans import SIZE, WIDTH
from netaudit.kernels.text import Words, eight

SEEN = 1 << 12
"""Addresses that are remembered."""

_DOT, _ZERO, _COLON = ord("."), ord("0"), ord(":")
_MIX = np.uint64(0x9E3779B97F4A7C15)
_V4_PREFIX = np.uint64(0xFFFF0000)  # of ::ffff:a.b.c.d, as its third word lies in memory


@kernel
def addresses(data: Octets, spans: Ints, out: Words, good: Bytes, seen: Words) -> None:
    """Addresses as 16 octets, IPv4 as ``::ffff:a.b.c.d``; those with a scope are not good.

    Args:
        data: Where the addresses stand.
        spans: Each address.
        out: Gets two words for each.
        good: Gets 0 where there is none.
        seen: `SEEN` times four words, zeros at first: what was read lately.
    """
    for row in range(len(spans)):
        at, size = spans[row] >> WIDTH, spans[row] & SIZE
        if size > 16 or size < 2:
            if not _address(data, at, at + size, out, row):
                good[row] = 0
            continue
        first = eight(data, at, size)
        second = eight(data, at + 8, size - 8) if size > 8 else np.uint64(0)
        place = int64((first ^ second * _MIX) * _MIX >> np.uint64(52))
        if seen[place, 0] != first or seen[place, 1] != second:
            if not _address(data, at, at + size, out, row):
                good[row] = 0
                continue
            seen[place, 0], seen[place, 1] = first, second
            seen[place, 2], seen[place, 3] = out[row, 0], out[row, 1]
        out[row, 0], out[row, 1] = seen[place, 2], seen[place, 3]


@part
def _address(data: Octets, at: int, end: int, out: Words, row: int) -> bool:
    quad = _dotted(data, at, end)
    if quad >= 0:
        out[row, 0] = np.uint64(0)
        out[row, 1] = np.uint64(quad) << np.uint64(32) | _V4_PREFIX
        return True
    return _groups(data, at, end, out, row)


@part
def _dotted(data: Octets, at: int, end: int) -> int:
    """A dotted quad as it lies in memory, least octet first; -1 where it is none."""
    if end - at > 15:
        return -1
    quad, octet, size, dots = 0, 0, 0, 0
    for place in range(at, end):
        digit = u8(data, place) - _ZERO
        if digit == _DOT - _ZERO:
            if size == 0 or dots == 3:
                return -1
            quad |= octet << 8 * dots
            dots += 1
            octet = size = 0
            continue
        if digit < 0 or digit > 9 or (size and octet == 0):
            return -1
        octet = octet * 10 + digit
        size += 1
        if octet > 255:
            return -1
    return quad | octet << 24 if dots == 3 and size else -1


@part
def _groups(data: Octets, at: int, end: int, out: Words, row: int) -> bool:
    """RFC 4291 section 2.2, forms 1 and 2: groups of hexadecimal digits, at most one ``::``."""
    if end - at < 2 or end - at > 39:
        return False
    head, tail, many, gap, size, group = np.uint64(0), np.uint64(0), 0, -1, 0, 0
    place = at
    if u8(data, at) == _COLON:
        if u8(data, at + 1) != _COLON:
            return False
        gap = 0
        place = at + 2
    while place <= end:
        octet = u8(data, place) if place < end else _COLON
        if octet == _COLON:
            if size == 0:
                if gap >= 0 and place == end and place > at + 1:  # ``::`` ends it
                    break
                return False
            if many == 8:
                return False
            swapped = np.uint64((group & 0xFF) << 8 | group >> 8)
            if many < 4:
                head |= swapped << np.uint64(16 * many)
            else:
                tail |= swapped << np.uint64(16 * (many - 4))
            many += 1
            size = group = 0
            if place + 1 < end and u8(data, place + 1) == _COLON:
                if gap >= 0:
                    return False
                gap = many
                place += 1
            elif place + 1 == end:
                return False
        else:
            digit = _hexadecimal(octet)
            if digit < 0 or size == 4:
                return False
            group = group << 4 | digit
            size += 1
        place += 1
    if (gap < 0 and many != 8) or (gap >= 0 and many == 8):
        return False
    _spread(head, tail, many, gap if gap >= 0 else 8, out, row)
    return True


@part
def _hexadecimal(octet: int) -> int:
    if 48 <= octet <= 57:
        return octet - 48
    octet |= 0x20
    return octet - 87 if 97 <= octet <= 102 else -1


@part
def _spread(head: Any, tail: Any, many: int, gap: int, out: Words, row: int) -> None:
    """Groups in their places: those from `gap` on stand at the end."""
    out[row, 0] = out[row, 1] = np.uint64(0)
    for number in range(many):
        word = head if number < 4 else tail
        group = word >> np.uint64(16 * (number % 4)) & np.uint64(0xFFFF)
        place = number if number < gap else 8 - many + number
        out[row, place // 4] |= group << np.uint64(16 * (place % 4))
