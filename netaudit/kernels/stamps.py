"""Times in spans, as nanoseconds since 1970 (see `spans`)."""

from __future__ import annotations

import numpy as np

from netaudit.kernels.compiled import kernel, part
from netaudit.kernels.octets import Bytes, Ints, Octets, int64, raw64, u8
from netaudit.kernels.spans import SIZE, WIDTH, digits

NANOS, DAY_S = 1_000_000_000, 86_400

_DOT, _ZERO, _COLON, _HYPHEN, _PLUS, _ZULU, _T = (ord(letter) for letter in ".0:-+ZT")
_MONTHS = np.array(
    [int.from_bytes(m, "little") for m in b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()],
    np.int64,
)


@kernel
def day_first(data: Octets, spans: Ints, out: Ints, good: Bytes) -> None:
    """``23-Nov-2026 09:15:02[.265]`` in nanoseconds, as if the clock showed UTC."""
    a, b, c, base = int64(0), int64(0), int64(0), int64(0)
    for row in range(len(spans)):
        at, size = spans[row] >> WIDTH, spans[row] & SIZE
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
        at, size = spans[row] >> WIDTH, spans[row] & SIZE
        high, low = digits(data, at, at + 5), digits(data, at + 5, at + 10)
        rest = fraction(data, at + 10, at + size) if size >= 10 else -1
        if high < 0 or low < 0 or rest < 0:
            good[row] = 0
        out[row] = (high * 100_000 + low) * NANOS + rest


@kernel
def isos(data: Octets, spans: Ints, out: Ints, good: Bytes) -> None:
    """``2026-11-23T09:15:02[.265]`` and ``Z`` or ``+0800`` or ``+08:00``, in nanoseconds."""
    a, b, c, base = int64(0), int64(0), int64(0), int64(0)
    for row in range(len(spans)):
        at, size = spans[row] >> WIDTH, spans[row] & SIZE
        first, second = int64(raw64(data, at)), int64(raw64(data, at + 8))
        third = int64(raw64(data, at + 11))
        if first != a or second != b or third != c:
            a, b, c = first, second, third
            base = _iso(data, at)
        end = at + size
        east = int64(0)
        if u8(data, end - 1) == _ZULU:
            end -= 1
        else:
            colon = 1 if u8(data, end - 3) == _COLON else 0
            end -= 5 + colon
            hours, minutes = two(data, end + 1, 18), two(data, end + 3 + colon, 59)
            sign = u8(data, end)
            if hours < 0 or minutes < 0 or (sign != _PLUS and sign != _HYPHEN):
                good[row] = 0
            east = (hours * 3_600 + minutes * 60) * (1 if sign == _PLUS else -1)
        rest = fraction(data, at + 19, end) if end >= at + 19 else -1
        if base < 0 or rest < 0 or base < east * NANOS:
            good[row] = 0
        out[row] = base - east * NANOS + rest


@part
def _iso(data: Octets, at: int) -> int:
    century, year, month = two(data, at, 99), two(data, at + 2, 99), two(data, at + 5, 12)
    known = century >= 0 and year >= 0 and u8(data, at + 4) == _HYPHEN and u8(data, at + 7) == _HYPHEN
    days = day_of(century * 100 + year, month, two(data, at + 8, 31)) if known else -1
    seconds = clock(data, at + 11)
    return (
        (days * DAY_S + seconds) * NANOS if days >= 0 and seconds >= 0 and u8(data, at + 10) == _T else -1
    )


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
