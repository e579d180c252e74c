"""Columns out of spans: addresses, numbers, times, names and words where they stand in a text.

A span is where a value begins and how long it is, in one integer (`at << 16 | size`). Each function
reads one column, and marks the rows whose octets are not exactly what it expects; those are left to a
reader that knows every spelling. So nothing here decides what a log means, only how fast its usual
lines are read. Buffers have `loglines.ROOM` zeros behind their text.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from netaudit.kernels.compiled import kernel, part
from netaudit.kernels.loglines import (
    VECTOR,
    below,
    copy_lower,
    dots_of,
    equal_octets,
    host_octets_of,
    lowest,
)
from netaudit.kernels.octets import Bytes, Ints, Octets, int64, raw64, u8
from netaudit.kernels.text import Texts, Words, eight, same, sip_round, used

WIDTH = 16
"""Bits of a span's size."""
MAX_NAME, MAX_LABEL = 253, 63
WORDS = 64

SIZE = (1 << WIDTH) - 1
"""What is the size in a span."""
_SEVEN = np.uint64(0x00FF_FFFF_FFFF_FFFF)
_EMPTY = np.uint64(int.from_bytes(b"(empty)", "little"))
_DOT, _ZERO, _HYPHEN, _BACKSLASH = ord("."), ord("0"), ord("-"), ord("\\")
_ONE = np.uint64(1)


class Names(NamedTuple):
    """The distinct names of some lines, in lower case and without root dot."""

    texts: Texts
    odd: Bytes
    """1 for a name that is not of the usual shape: what its normal form is, is not beyond doubt."""


@part
def span(at: int, end: int) -> int:
    """What stands from one offset to another, at most 65,535 octets."""
    return at << WIDTH | end - at


@kernel
def names(data: Octets, spans: Ints, table: Names, out: Any, good: Bytes) -> None:
    """Domain names in lower case, as numbers in `table`; those of an unusual shape are not good.

    Args:
        data: Where the names stand.
        spans: Each name.
        table: Room for all of them.
        out: Gets the number of each (int32).
        good: Gets 0 where there is none.
    """
    for row in range(len(spans)):
        at, size = spans[row] >> WIDTH, spans[row] & SIZE
        if size > 1 and u8(data, at + size - 1) == _DOT:
            size -= 1
        number = _number(data, at, size, table) if 0 < size <= MAX_NAME else -1
        out[row] = number
        if number < 0 or table.odd[number]:
            good[row] = 0


@part
def _number(data: Octets, at: int, size: int, table: Names) -> int:
    """The number of a name; a new one is added."""
    texts = table.texts
    begin = used(texts)
    for step in range(0, size, VECTOR):
        copy_lower(data, at + step, texts.text, begin + step)
    hash_ = _hashed(texts.text, begin, size, texts.key)
    mask = len(texts.slots) - 1
    slot = int64(hash_ & np.uint64(mask))
    high = hash_ >> np.uint64(32)
    while texts.slots[slot] != 0:
        entry = texts.slots[slot]
        if entry >> np.uint64(32) == high:
            number = int64(entry & np.uint64(0xFFFF_FFFF)) - 1
            first: Any = texts.ends[number - 1] if number else int64(0)
            if texts.ends[number] - first == size and _is_same(texts.text, begin, first, size):
                return number
        slot = (slot + 1) & mask
    number = texts.size[0]
    texts.slots[slot] = high << np.uint64(32) | np.uint64(number + 1)
    texts.ends[number] = begin + size
    texts.size[0] = number + 1
    table.odd[number] = 0 if _is_usual(texts.text, begin, size) else 1
    return number


@part
def _hashed(text: Octets, at: int, size: int, key: Words) -> Any:
    """SipHash-1-3 as `text.hashed`, but never of less than 32 octets: to ask how many costs more."""
    v0, v1 = key[0] ^ np.uint64(0x736F6D6570736575), key[1] ^ np.uint64(0x646F72616E646F6D)
    v2, v3 = key[0] ^ np.uint64(0x6C7967656E657261), key[1] ^ np.uint64(0x7465646279746573)
    for begin in range(0, max(size, 32), 8):
        word = eight(text, at + begin, max(size - begin, 0))
        v3 ^= word
        v0, v1, v2, v3 = sip_round(v0, v1, v2, v3)
        v0 ^= word
    v2 ^= np.uint64(size)
    for _ in range(3):
        v0, v1, v2, v3 = sip_round(v0, v1, v2, v3)
    return v0 ^ v1 ^ v2 ^ v3


@part
def _is_same(text: Octets, at: int, first: int, size: int) -> bool:
    for step in range(0, size, VECTOR):
        inside = below(size - step)
        if equal_octets(text, at + step, text, first + step) & inside != inside:
            return False
    return True


@part
def _is_usual(text: Octets, at: int, size: int) -> bool:
    """Whether all labels are of letters, digits, hyphens and underscores, and the last is no number."""
    before = dot = int64(-1)
    for begin in range(0, size, VECTOR):
        inside = below(size - begin)
        if host_octets_of(text, at + begin) & inside != inside:
            return False
        dots = dots_of(text, at + begin) & inside
        while dots:
            dot = begin + lowest(dots)
            if dot == before + 1 or dot - before - 1 > MAX_LABEL:
                return False
            before = dot
            dots &= dots - _ONE
    first = u8(text, at + dot + 1)
    is_letter = 97 <= first <= 122 or first == 95
    return is_letter and dot + 1 < size <= dot + 1 + MAX_LABEL


@kernel
def words(data: Octets, spans: Ints, known: Words, out: Any, good: Bytes) -> int:
    """Texts of at most sixteen octets of which there are few, as numbers in `known`; case counts.

    Args:
        data: Where the texts stand.
        spans: Each text.
        known: Two words a text; zeros behind the last. Gets those that are new.
        out: Gets the number of each (int32).
        good: Gets 0 where a text is empty, or long, or one too many.

    Returns:
        How many different ones there are.
    """
    count = 0
    while count < len(known) and known[count, 0] != 0:
        count += 1
    for row in range(len(spans)):
        at, size = spans[row] >> WIDTH, spans[row] & SIZE
        out[row] = 0
        if size == 0 or size > 16 or u8(data, at + size - 1) == 0:
            good[row] = 0
            continue
        first = eight(data, at, size)
        second = eight(data, at + 8, size - 8) if size > 8 else np.uint64(0)
        number = 0
        while number < count and (known[number, 0] != first or known[number, 1] != second):
            number += 1
        if number == len(known) or first == 0:
            good[row] = 0
            continue
        if number == count:
            known[number, 0], known[number, 1] = first, second
            count += 1
        out[row] = number
    return count


@kernel
def ports(data: Octets, spans: Ints, out: Any, good: Bytes) -> None:
    """Decimal numbers up to 65,535 (uint16)."""
    for row in range(len(spans)):
        at = spans[row] >> WIDTH
        value = digits(data, at, at + (spans[row] & SIZE))
        if value < 0 or value > 0xFFFF:
            good[row] = 0
            value = 0
        out[row] = value


class Lists(NamedTuple):
    """Lists of texts, as Arrow has them."""

    known: Bytes
    """0 for a list that is not known."""
    offsets: Any
    """Items before each list, and all (int32)."""
    ends: Any
    """Where each item ends (int32)."""
    text: Octets


@kernel
def lists(data: Octets, spans: Ints, separator: int, found: Lists, good: Bytes) -> int:
    """Texts with a separator between them; ``-`` and ``(empty)`` are none. Escapes and empty texts are not good.

    Args:
        data: Where the lists stand.
        spans: Each list.
        separator: The octet between two items.
        found: Room for them: an item for each octet and one for each list.
        good: Gets 0 where there is an escape or an empty text.

    Returns:
        Octets of text.
    """
    items, to = 0, 0
    for row in range(len(spans)):
        at, size = spans[row] >> WIDTH, spans[row] & SIZE
        begun, before = (items, to), separator
        is_none = size == 1 and u8(data, at) == _HYPHEN
        is_none = is_none or (size == 7 and raw64(data, at) & _SEVEN == _EMPTY)
        found.known[row] = not is_none
        if not is_none:
            for place in range(at, at + size):
                octet = u8(data, place)
                if octet == separator:
                    found.ends[items] = to
                    items += 1
                else:
                    found.text.u8[to] = octet
                    to += 1
                if octet == _BACKSLASH or (octet == separator and before == separator):
                    good[row] = 0
                before = octet
            if before == separator:
                good[row] = 0
            found.ends[items] = to
            items += 1
        if not good[row]:
            items, to = begun
        found.offsets[row + 1] = items
    return to


@kernel
def runs(data: Octets, spans: Ints, firsts: Ints) -> int:
    """Rows whose octets differ from those of the row before; the first row is one.

    Args:
        data: Where the values stand.
        spans: Each value.
        firsts: Gets the rows.

    Returns:
        How many there are.
    """
    count = 0
    for row in range(len(spans)):
        size = spans[row] & SIZE
        at, before = spans[row] >> WIDTH, spans[row - 1] >> WIDTH if row else -1
        if before < 0 or spans[row - 1] & SIZE != size or not same(data, at, data, before, size):
            firsts[count] = row
            count += 1
    return count


@part
def digits(data: Octets, at: int, end: int) -> int:
    """One to nine decimal digits as a number; -1 where it is anything else."""
    if end <= at or end - at > 9:
        return -1
    value = 0
    for place in range(at, end):
        digit = u8(data, place) - _ZERO
        if digit < 0 or digit > 9:
            return -1
        value = value * 10 + digit
    return value
