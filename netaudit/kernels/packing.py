"""Integers in few bits: Parquet's bit packing and its delta encoding.

Reference: https://parquet.apache.org/docs/file-format/data-pages/encodings/
"""

from __future__ import annotations

from typing import Any

import numpy as np

from netaudit.kernels.compiled import kernel, part
from netaudit.kernels.loglines import highest
from netaudit.kernels.octets import Bytes, Ints, Octets, copy, int64
from netaudit.kernels.text import Words

BLOCK, MINIBLOCK = 128, 32
_HEADER = 40
_WORD, _ONE = 64, np.uint64(1)


def packed_words(count: int, width: int) -> int:
    """Words that `pack` writes at most."""
    return count * width // _WORD + 1


def delta_octets(count: int) -> int:
    """Octets that `delta` writes at most."""
    return _HEADER + (count // BLOCK + 1) * (BLOCK * 8 + 16)


@kernel
def pack(values: Any, width: int, out: Words) -> None:
    """Pack numbers of `width` bits, at most 32, one behind the other, the lowest bit first.

    Args:
        values: int32, none negative.
        width: 1 to 32.
        out: `packed_words` zeros.
    """
    word, filled, place = np.uint64(0), 0, 0
    for value in values:
        number = np.uint64(value)
        word |= number << np.uint64(filled)
        filled += width
        if filled >= _WORD:
            out[place] = word
            place += 1
            filled -= _WORD
            word = number >> np.uint64(width - filled) if filled else np.uint64(0)
    if filled:
        out[place] = word


@kernel
def plain(text: Octets, offsets: Any, out: Octets) -> None:
    """PLAIN: strings, each behind its length in four octets.

    Args:
        text: All strings.
        offsets: Where each begins, and where the last ends (int32).
        out: Room for the text, and four octets more for each string.
    """
    to = int64(0)
    for number in range(len(offsets) - 1):
        at, size = int64(offsets[number]), int64(offsets[number + 1] - offsets[number])
        for place in range(4):
            out.u8[to + place] = size >> 8 * place & 0xFF
        to += 4 + copy(text, at, size, out, to + 4)


@kernel
def delta(values: Ints, out: Bytes) -> int:
    """DELTA_BINARY_PACKED: differences, less the smallest of their block, in as few bits as they need.

    Args:
        values: At least one.
        out: `delta_octets` zeros.

    Returns:
        Octets written.
    """
    count = len(values)
    at = _varint(BLOCK, out, 0)
    at = _varint(BLOCK // MINIBLOCK, out, at)
    at = _varint(count, out, at)
    at = _varint(_zigzag(values[0]), out, at)
    for first in range(1, count, BLOCK):
        last = min(first + BLOCK, count)
        least = values[first] - values[first - 1]
        for place in range(first + 1, last):
            least = min(least, values[place] - values[place - 1])
        at = _varint(_zigzag(least), out, at)
        widths, at = at, at + BLOCK // MINIBLOCK
        for number in range(BLOCK // MINIBLOCK):
            begin = first + number * MINIBLOCK
            if begin < last:
                width = _miniblock(values, begin, min(begin + MINIBLOCK, last), least, out, at)
                out[widths + number] = width
                at += width * MINIBLOCK // 8
    return at


@part
def _miniblock(values: Ints, begin: int, end: int, least: int, out: Bytes, at: int) -> int:
    """Pack the differences of some values; gives their width in bits."""
    every = np.uint64(0)
    for place in range(begin, end):
        every |= np.uint64(values[place] - values[place - 1] - least)
    if every == 0:
        return 0
    width = highest(every) + 1
    word, filled = np.uint64(0), 0
    for place in range(begin, end):
        number = np.uint64(values[place] - values[place - 1] - least)
        word |= number << np.uint64(filled)
        filled += width
        if filled >= _WORD:
            at = _word(word, out, at, 8)
            filled -= _WORD
            word = number >> np.uint64(width - filled) if filled else np.uint64(0)
    _word(word, out, at, (filled + 7) // 8)
    return width


@part
def _word(word: Any, out: Bytes, at: int, octets: int) -> int:
    for number in range(octets):
        out[at + number] = np.uint8(word >> np.uint64(8 * number) & np.uint64(0xFF))
    return at + octets


@part
def _zigzag(value: int) -> Any:
    return np.uint64(value << 1 ^ value >> 63)


@part
def _varint(value: Any, out: Bytes, at: int) -> int:
    rest = np.uint64(value)
    while rest >= np.uint64(0x80):
        out[at] = np.uint8(rest & np.uint64(0x7F) | np.uint64(0x80))
        rest >>= np.uint64(7)
        at += 1
    out[at] = np.uint8(rest)
    return at + 1
