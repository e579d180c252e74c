"""Numbers and addresses as text, and a table in which each text stands once.

What writes takes where to write and gives the offset behind what it wrote. Whoever calls sees to
the room: `ROOM` octets are more than any number or address takes.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from netaudit.kernels.compiled import kernel, part
from netaudit.kernels.octets import Bytes, Ints, Octets, int64, octets, raw64, u8, u16

ROOM = 48
_DIGITS = np.frombuffer(b"0123456789abcdef", np.uint8)
_DOT, _COLON = ord("."), ord(":")
_ONE, _WORD = np.uint64(1), np.uint64(0xFFFF_FFFF)

Words = npt.NDArray[np.uint64]


@part
def decimal(value: int, out: Bytes, to: int) -> int:
    """A number that is not negative, in decimal digits."""
    size = 1
    rest = value // 10
    while rest:
        size += 1
        rest //= 10
    for place in range(to + size - 1, to - 1, -1):
        out[place] = 48 + value % 10
        value //= 10
    return to + size


@part
def ipv4(data: Octets, at: int, out: Bytes, to: int) -> int:
    """Four octets as a dotted quad."""
    for place in range(4):
        if place:
            out[to] = _DOT
            to += 1
        to = decimal(u8(data, at + place), out, to)
    return to


@part
def ipv6(data: Octets, at: int, out: Bytes, to: int) -> int:
    """Sixteen octets as RFC 5952 has them: the longest run of two zero groups or more is ``::``."""
    run, longest, first = 0, 1, -1
    for group in range(8):
        run = run + 1 if u16(data, at + 2 * group) == 0 else 0
        if run > longest:
            longest, first = run, group - run + 1
    # RFC 5952 section 5: addresses that hold an IPv4 address end as it is written
    mapped = first == 0 and (longest == 6 or (longest == 5 and u16(data, at + 10) == 0xFFFF))
    groups = 6 if mapped else 8
    group = 0
    while group < groups:
        if group == first:
            out[to] = out[to + 1] = _COLON
            to += 2
            group += longest
            continue
        if (group and group != first + longest) or first < 0 < group:
            out[to] = _COLON
            to += 1
        to = _hexadecimal(u16(data, at + 2 * group), out, to)
        group += 1
    if not mapped:
        return to
    if longest == 5:
        out[to] = _COLON
        to += 1
    return ipv4(data, at + 12, out, to)


@part
def _hexadecimal(value: int, out: Bytes, to: int) -> int:
    started = False
    for shift in range(12, -4, -4):
        digit = value >> shift & 0xF
        started = started or digit != 0 or shift == 0
        if started:
            out[to] = _DIGITS[digit]
            to += 1
    return to


@part
def _turn(word: Any, by: int) -> Any:
    return word << np.uint64(by) | word >> np.uint64(64 - by)


@part
def sip_round(v0: Any, v1: Any, v2: Any, v3: Any) -> Any:
    """SipRound (Aumasson and Bernstein, 2012)."""
    v0 += v1
    v1 = _turn(v1, 13) ^ v0
    v0 = _turn(v0, 32)
    v2 += v3
    v3 = _turn(v3, 16) ^ v2
    v0 += v3
    v3 = _turn(v3, 21) ^ v0
    v2 += v1
    v1 = _turn(v1, 17) ^ v2
    v2 = _turn(v2, 32)
    return v0, v1, v2, v3


@part
def hashed(data: Octets, at: int, size: int, key: Words) -> Any:
    """SipHash-1-3 of some octets, so that nobody who lacks the key can make texts that collide.

    It is kept on this machine only, so its last word is not padded as the paper has it.
    """
    v0, v1 = key[0] ^ np.uint64(0x736F6D6570736575), key[1] ^ np.uint64(0x646F72616E646F6D)
    v2, v3 = key[0] ^ np.uint64(0x6C7967656E657261), key[1] ^ np.uint64(0x7465646279746573)
    for begin in range(0, size + 1, 8):
        word = eight(data, at + begin, size - begin)
        v3 ^= word
        v0, v1, v2, v3 = sip_round(v0, v1, v2, v3)
        v0 ^= word
    v2 ^= np.uint64(size)
    for _ in range(3):
        v0, v1, v2, v3 = sip_round(v0, v1, v2, v3)
    return v0 ^ v1 ^ v2 ^ v3


@part
def mixed(a: Any, b: Any, c: Any, d: Any, e: Any, f: Any, key: Words) -> Any:
    """SipHash-1-3 of six words."""
    v0, v1 = key[0] ^ np.uint64(0x736F6D6570736575), key[1] ^ np.uint64(0x646F72616E646F6D)
    v2, v3 = key[0] ^ np.uint64(0x6C7967656E657261), key[1] ^ np.uint64(0x7465646279746573)
    for word in (a, b, c, d, e, f):
        v3 ^= word
        v0, v1, v2, v3 = sip_round(v0, v1, v2, v3)
        v0 ^= word
    v2 ^= np.uint64(0xFF)
    for _ in range(3):
        v0, v1, v2, v3 = sip_round(v0, v1, v2, v3)
    return v0 ^ v1 ^ v2 ^ v3


@part
def eight(data: Octets, at: int, size: int) -> Any:
    """Up to eight octets as a word, zeros behind them."""
    word = raw64(data, at)
    if size >= 8:
        return word
    return word & (_ONE << np.uint64(8 * size)) - _ONE


@part
def same(one: Octets, at: int, other: Octets, begin: int, size: int) -> bool:
    """Whether the same octets stand at two places, both with eight octets of room behind them."""
    for step in range(0, size, 8):
        if eight(one, at + step, size - step) != eight(other, begin + step, size - step):
            return False
    return True


class Texts(NamedTuple):
    """A growing row of distinct texts, found by what they say."""

    text: Octets
    """All of them, one behind the other; the rest is room."""
    ends: Ints
    """Where each ends; the first begins at 0."""
    slots: Words
    """A power of two of them: half of a hash and the text's number + 1, 0 where there is none."""
    key: Words
    size: Ints
    """How many there are (one element)."""

    def written(self) -> int:
        """Octets of text there are."""
        count = int(self.size[0])
        return int(self.ends[count - 1]) if count else 0


def table_size(most: int) -> int:
    """Places of a table for so many entries: a power of two, a third of them free."""
    return 1 << (most * 3 // 2).bit_length()


def texts(room: int, most: int, key: Words) -> Texts:
    """An empty table.

    Args:
        room: Octets for text.
        most: How many texts there can be.
        key: Two words nobody else knows.
    """
    slots = np.zeros(table_size(most), np.uint64)
    return Texts(
        octets(np.empty(room + 8, np.uint8)), np.empty(most, np.int64), slots, key, np.zeros(1, np.int64)
    )


@part
def used(table: Texts) -> Any:
    """Octets of text there are: where the next text is to be written."""
    return table.ends[table.size[0] - 1] if table.size[0] else np.int64(0)


@part
def number_of(table: Texts, end: int) -> Any:
    """The number of the text that was written from `used` to `end`; a new one is kept, a known one not."""
    begin = used(table)
    size = end - begin
    hash_ = hashed(table.text, begin, size, table.key)
    mask = len(table.slots) - 1
    slot = np.int64(hash_ & np.uint64(mask))
    while table.slots[slot] != 0:
        entry = table.slots[slot]
        number = np.int64(entry & _WORD) - 1
        first: Any = table.ends[number - 1] if number else np.int64(0)
        if (
            entry >> np.uint64(32) == hash_ >> np.uint64(32)
            and table.ends[number] - first == size
            and same(table.text, first, table.text, begin, size)
        ):
            return number
        slot = (slot + 1) & mask
    number = table.size[0]
    table.slots[slot] = (hash_ >> np.uint64(32)) << np.uint64(32) | np.uint64(number + 1)
    table.ends[number] = end
    table.size[0] = number + 1
    return number


@kernel
def bring(source: Texts, numbers: Ints, target: Texts) -> None:
    """Take texts over into another table, and number them anew; -1 stands for none and stays."""
    for index in range(len(numbers)):
        number = numbers[index]
        if number < 0:
            continue
        first = source.ends[number - 1] if number else np.int64(0)
        begin, size = used(target), source.ends[number] - first
        for place in range(size):
            target.text.u8[begin + place] = source.text.u8[first + place]
        numbers[index] = number_of(target, begin + size)


@kernel
def distinct(rows: Words, slots: Ints, key: Words, codes: Any, firsts: Ints) -> int:
    """Number rows of two words by what they hold, in the order of their first appearance.

    Args:
        rows: Shape (n, 2).
        slots: `table_size` of n zeros.
        key: Two words nobody else knows.
        codes: Gets the number of each row (int32).
        firsts: Gets the first row of each number; as long as `rows`.

    Returns:
        How many different ones there are.
    """
    count, mask = 0, len(slots) - 1
    for row in range(len(rows)):
        first, second = rows[row, 0], rows[row, 1]
        if row and first == rows[row - 1, 0] and second == rows[row - 1, 1]:
            codes[row] = codes[row - 1]
            continue
        slot = np.int64(_pair(first, second, key) & np.uint64(mask))
        while slots[slot] != 0:
            known = firsts[slots[slot] - 1]
            if rows[known, 0] == first and rows[known, 1] == second:
                break
            slot = (slot + 1) & mask
        if slots[slot] == 0:
            firsts[count] = row
            count += 1
            slots[slot] = count
        codes[row] = slots[slot] - 1
    return count


@kernel
def written(rows: Octets, chosen: Ints, out: Bytes, ends: Any) -> int:
    """Addresses as text, one behind the other.

    Args:
        rows: 16 octets each, IPv4 as ``::ffff:a.b.c.d``.
        chosen: Numbers of the rows.
        out: `ROOM` octets for each.
        ends: Gets where each ends (int32).

    Returns:
        How many were written: up to the first whose spelling is not beyond doubt (``::a.b.c.d``).
    """
    to = int64(0)
    for number in range(len(chosen)):
        at = 16 * chosen[number]
        if u16(rows, at + 10) == 0 and raw64(rows, at) == 0 and u16(rows, at + 8) == 0:
            return number
        if raw64(rows, at) == 0 and u16(rows, at + 8) == 0 and u16(rows, at + 10) == 0xFFFF:
            to = ipv4(rows, at + 12, out, to)
        else:
            to = ipv6(rows, at, out, to)
        ends[number] = to
    return len(chosen)


@part
def _pair(a: Any, b: Any, key: Words) -> Any:
    """SipHash-1-3 of two words."""
    v0, v1 = key[0] ^ np.uint64(0x736F6D6570736575), key[1] ^ np.uint64(0x646F72616E646F6D)
    v2, v3 = key[0] ^ np.uint64(0x6C7967656E657261), key[1] ^ np.uint64(0x7465646279746573)
    for word in (a, b):
        v3 ^= word
        v0, v1, v2, v3 = sip_round(v0, v1, v2, v3)
        v0 ^= word
    v2 ^= np.uint64(0xFF)
    for _ in range(3):
        v0, v1, v2, v3 = sip_round(v0, v1, v2, v3)
    return v0 ^ v1 ^ v2 ^ v3
