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
NANOS, DAY_S = 1_000_000_000, 86_400
ADDRESSES = 1 << 12
WORDS = 64

_SIZE = (1 << WIDTH) - 1
_BACKSLASH = ord("\\")
_SEVEN = np.uint64(0x00FF_FFFF_FFFF_FFFF)
_EMPTY = np.uint64(int.from_bytes(b"(empty)", "little"))
_DOT, _ZERO, _COLON, _HYPHEN = ord("."), ord("0"), ord(":"), ord("-")
_ONE = np.uint64(1)
_MIX = np.uint64(0x9E3779B97F4A7C15)
_V4_PREFIX = np.uint64(0xFFFF0000)  # of ::ffff:a.b.c.d, as its third word lies in memory
_MONTHS = np.array(
    [int.from_bytes(m, "little") for m in b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()],
    np.int64,
)


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
        at, size = spans[row] >> WIDTH, spans[row] & _SIZE
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
        at, size = spans[row] >> WIDTH, spans[row] & _SIZE
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
        value = digits(data, at, at + (spans[row] & _SIZE))
        if value < 0 or value > 0xFFFF:
            good[row] = 0
            value = 0
        out[row] = value


@kernel
def day_first(data: Octets, spans: Ints, out: Ints, good: Bytes) -> None:
    """``23-Nov-2026 09:15:02[.265]`` in nanoseconds, as if the clock showed UTC."""
    a, b, c, base = int64(0), int64(0), int64(0), int64(0)
    for row in range(len(spans)):
        at, size = spans[row] >> WIDTH, spans[row] & _SIZE
        first, second = int64(raw64(data, at)), int64(raw64(data, at + 8))
        third = int64(raw64(data, at + 12))
        if first != a or second != b or third != c:  # logs go on for a while within a second
            a, b, c = first, second, third
            base = _day_first(data, at)
        part_of_second = fraction(data, at + 20, at + size) if size >= 20 else int64(-1)
        if base < 0 or part_of_second < 0:
            good[row] = 0
        out[row] = base + part_of_second


@kernel
def epochs(data: Octets, spans: Ints, out: Ints, good: Bytes) -> None:
    """Seconds since 1970 in ten digits, and a fraction or none, in nanoseconds."""
    for row in range(len(spans)):
        at, size = spans[row] >> WIDTH, spans[row] & _SIZE
        high, low = digits(data, at, at + 5), digits(data, at + 5, at + 10)
        rest = fraction(data, at + 10, at + size) if size >= 10 else -1
        if high < 0 or low < 0 or rest < 0:
            good[row] = 0
        out[row] = (high * 100_000 + low) * NANOS + rest


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
        at, size = spans[row] >> WIDTH, spans[row] & _SIZE
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
        size = spans[row] & _SIZE
        at, before = spans[row] >> WIDTH, spans[row - 1] >> WIDTH if row else -1
        if before < 0 or spans[row - 1] & _SIZE != size or not same(data, at, data, before, size):
            firsts[count] = row
            count += 1
    return count


@part
def _day_first(data: Octets, at: int) -> int:
    month = 0
    spelled = int64(raw64(data, at)) >> 24 & 0xFFFFFF
    for number in range(12):
        if spelled == _MONTHS[number]:
            month = number + 1
    century, year = two(data, at + 7, 99), two(data, at + 9, 99)
    days = day_of(century * 100 + year, month, two(data, at, 31)) if century >= 0 and year >= 0 else -1
    seconds = clock(data, at + 12)
    if days < 0 or seconds < 0 or u8(data, at + 2) != _HYPHEN or u8(data, at + 6) != _HYPHEN:
        return -1
    return (days * DAY_S + seconds) * NANOS


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


@part
def two(data: Octets, at: int, most: int) -> int:
    """Two digits as a number up to `most`, else -1."""
    tens, ones = u8(data, at) - _ZERO, u8(data, at + 1) - _ZERO
    if tens < 0 or tens > 9 or ones < 0 or ones > 9 or tens * 10 + ones > most:
        return -1
    return tens * 10 + ones


@part
def day_of(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01; -1 where there is no such day, or it is before 1970 or after 2199."""
    if year < 1970 or year > 2199 or month < 1 or month > 12 or day < 1:
        return -1
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if day > 28 + (1 if leap else 0) and month == 2:
        return -1
    if day > 30 and (month == 4 or month == 6 or month == 9 or month == 11):
        return -1
    if day > 31:
        return -1
    shifted = year - 1 if month <= 2 else year  # years from March: the leap day is the last
    from_march = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5 + day - 1
    return 365 * shifted + shifted // 4 - shifted // 100 + shifted // 400 + from_march - 719_468


@part
def clock(data: Octets, at: int) -> int:
    """``HH:MM:SS`` as a second of the day; -1 where it is anything else."""
    hour, minute, second = two(data, at, 23), two(data, at + 3, 59), two(data, at + 6, 59)
    if hour < 0 or minute < 0 or second < 0 or u8(data, at + 2) != _COLON or u8(data, at + 5) != _COLON:
        return -1
    return hour * 3_600 + minute * 60 + second


@part
def fraction(data: Octets, at: int, end: int) -> int:
    """Nothing, or a point and up to nine digits, as nanoseconds; -1 where it is anything else."""
    if at == end:
        return 0
    value = digits(data, at + 1, end)
    if value < 0 or u8(data, at) != _DOT:
        return -1
    for _ in range(9 - (end - at - 1)):
        value *= 10
    return value


@kernel
def addresses(data: Octets, spans: Ints, out: Words, good: Bytes, seen: Words) -> None:
    """Addresses as 16 octets, IPv4 as ``::ffff:a.b.c.d``; those with a scope are not good.

    Args:
        data: Where the addresses stand.
        spans: Each address.
        out: Gets two words for each.
        good: Gets 0 where there is none.
        seen: `ADDRESSES` times four words, zeros at first: what was read lately.
    """
    for row in range(len(spans)):
        at, size = spans[row] >> WIDTH, spans[row] & _SIZE
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
