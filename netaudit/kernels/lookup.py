"""Names and networks in sorted 64-bit hashes: build once, look a whole column up at once.

A name is hashed as a polynomial over a secret table of byte values, so that the hashes of a name
and of all its parents come out of one running sum. Lists and names are both chosen by others:
the hash only finds candidates, and every candidate's bytes are compared (`equal_bytes`).

Strings are passed as in Arrow: the bytes of all of them, and `offsets` (int64, one more than there
are strings).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

BLOCK = 1 << 18
"""Bytes hashed at a time; a single string is never longer."""
FILTER_BITS = 16
"""Bits of the filter for each entry; one miss in sixteen passes it."""

_DOT, _BACKSLASH = ord("."), ord("\\")
_MIX_1, _MIX_2 = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)


class Hasher:
    """A family of hash functions, one for each seed."""

    __slots__ = ("_powers", "_roots", "_values", "_words")

    def __init__(self, seed: int) -> None:
        """Derive the tables of `seed` (64 bits)."""
        draw = np.random.default_rng(seed & (2**64 - 1))
        base = int(draw.integers(0, 2**62)) * 4 + 3
        self._values = draw.integers(0, 2**64, 256, np.uint64)
        self._words = draw.integers(0, 2**64, 3, np.uint64) | np.uint64(1)
        self._powers = _powers(base, BLOCK + 1)
        self._roots = _powers(pow(base, -1, 2**64), BLOCK + 1)

    def pieces(self, data: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
        """Hashes of pieces of `data`.

        Args:
            data: uint8.
            starts: First byte of each piece. Ascending.
            ends: One past its last byte. Ascending; no piece is longer than `BLOCK`.

        Returns:
            uint64, one for each piece.
        """
        out = np.empty(len(starts), np.uint64)
        for first, last in _blocks(starts, ends):
            low = int(starts[first])
            octets = data[low : int(ends[last - 1])]
            sums = np.zeros(len(octets) + 1, np.uint64)
            np.cumsum(self._values[octets] * self._powers[: len(octets)], out=sums[1:])
            begin, end = starts[first:last] - low, ends[first:last] - low
            lengths = (end - begin).astype(np.uint64)
            out[first:last] = _mix((sums[end] - sums[begin]) * self._roots[begin] + lengths)
        return out

    def strings(self, data: np.ndarray, offsets: np.ndarray) -> np.ndarray:
        """Hashes of whole strings, uint64."""
        return self.pieces(data, offsets[:-1], offsets[1:])

    def words(self, words: np.ndarray) -> np.ndarray:
        """Hashes of 64-bit words."""
        return _mix((words + self._words[0]) * self._words[1])

    def networks(self, high: np.ndarray, low: np.ndarray, prefix: np.ndarray) -> np.ndarray:
        """Hashes of networks: upper and lower half of the address (uint64), prefix length."""
        first = _mix(high * self._words[0])
        second = _mix((first ^ low) * self._words[1])
        return _mix(second + prefix.astype(np.uint64) * self._words[2])


@dataclass(frozen=True, slots=True)
class HashTable:
    """Hashes in ascending order with the row of each, behind a bit filter."""

    hashes: np.ndarray
    """uint64, ascending; equal hashes are neighbours."""
    rows: np.ndarray
    """uint32."""
    filter: np.ndarray
    """uint8; a bit for each value of a hash's upper bits."""

    @classmethod
    def build(cls, hashes: np.ndarray) -> HashTable:
        """A table whose rows are the positions in `hashes`."""
        rows = np.argsort(hashes, kind="stable").astype(np.uint32)
        ordered = hashes[rows]
        bits = max(10, (len(hashes) * FILTER_BITS - 1).bit_length())
        filter_ = np.zeros(1 << (bits - 3), np.uint8)
        if len(ordered):
            slots = ordered >> np.uint64(64 - bits)
            octets = (slots >> np.uint64(3)).astype(np.int64)
            begins = np.flatnonzero(np.diff(octets, prepend=-1))
            marks = np.uint8(1) << (slots & np.uint64(7)).astype(np.uint8)
            filter_[octets[begins]] = np.bitwise_or.reduceat(marks, begins)
        return cls(ordered, rows, filter_)

    def candidates(self, probes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pairs (index of the probe, row) of equal hashes, by probe and then by row."""
        bits = (len(self.filter) * 8).bit_length() - 1
        slots = probes >> np.uint64(64 - bits)
        octets = self.filter[(slots >> np.uint64(3)).astype(np.int64)]
        passed = np.flatnonzero((octets >> (slots & np.uint64(7)).astype(np.uint8)) & np.uint8(1))
        wanted = probes[passed]
        first = np.searchsorted(self.hashes, wanted, "left")
        counts = np.searchsorted(self.hashes, wanted, "right") - first
        index = np.repeat(passed, counts)
        return index, self.rows[spread(first, counts)].astype(np.int64)


def spread(starts: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """``start, start + 1, …`` for each pair of a start and a count, one after the other."""
    total = int(counts.sum())
    before = np.cumsum(counts) - counts
    places: np.ndarray = np.arange(total) + np.repeat(starts - before, counts)
    return places


def suffixes(data: np.ndarray, offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each name and each of its parents, cut at label boundaries.

    A dot after an odd run of backslashes is part of its label (RFC 1035 section 5.1).

    Args:
        data: Bytes of all names, without root dots.
        offsets: Where each begins.

    Returns:
        Owner (index of the name), first byte in `data`, and depth (labels cut off in front),
        ordered by owner and then by depth.
    """
    body = data[: int(offsets[-1])]
    dots = np.flatnonzero(body == _DOT)
    dots = dots[dots >= int(offsets[0])]
    owner = np.searchsorted(offsets, dots, "right") - 1
    if (body == _BACKSLASH).any():
        split = ~_escaped(body, dots, offsets[owner])
        dots, owner = dots[split], owner[split]
    count = len(offsets) - 1
    parents = np.bincount(owner, minlength=count)
    heads = np.cumsum(parents + 1) - (parents + 1)
    starts = np.empty(count + len(dots), np.int64)
    starts[heads] = offsets[:-1]
    below = np.ones(len(starts), bool)
    below[heads] = False
    starts[below] = dots + 1
    owners = np.repeat(np.arange(count), parents + 1)
    return owners, starts, np.arange(len(starts)) - heads[owners]


def _escaped(body: np.ndarray, dots: np.ndarray, begins: np.ndarray) -> np.ndarray:
    """Whether each dot follows an odd run of backslashes within its own name."""
    position = np.arange(len(body))
    last_other = np.maximum.accumulate(np.where(body == _BACKSLASH, -1, position))
    before = np.where(dots > begins, last_other[np.maximum(dots - 1, 0)], dots - 1)
    run = dots - 1 - np.maximum(before, begins - 1)
    odd: np.ndarray = run % 2 == 1
    return odd


def equal_bytes(
    left: np.ndarray,
    left_starts: np.ndarray,
    right: np.ndarray,
    right_starts: np.ndarray,
    lengths: np.ndarray,
) -> np.ndarray:
    """Whether pieces of two byte arrays are equal; both pieces of a pair are equally long.

    Returns:
        bool, one for each pair.
    """
    out = np.ones(len(lengths), bool)
    ends = np.cumsum(lengths)
    first = 0
    while first < len(lengths):
        done = int(ends[first - 1]) if first else 0
        last = max(first + 1, int(np.searchsorted(ends, done + 16 * BLOCK, "right")))
        counts = lengths[first:last]
        same = (
            left[spread(left_starts[first:last], counts)] == right[spread(right_starts[first:last], counts)]
        )
        wrong = np.repeat(np.arange(first, last), counts)[~same]
        out[wrong] = False
        first = last
    return out


def repeats(hashes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of rows (earlier, later) that follow each other among those of one hash.

    Whoever wants to know which rows are equal still has to compare them.
    """
    order = np.argsort(hashes, kind="stable")
    ordered = hashes[order]
    twins = np.flatnonzero(ordered[1:] == ordered[:-1])
    return order[twins], order[twins + 1]


def mask_addresses(high: np.ndarray, low: np.ndarray, prefix: int) -> tuple[np.ndarray, np.ndarray]:
    """The network part of 128-bit addresses for a prefix length of 0 to 128."""
    top = (1 << 128) - (1 << (128 - prefix))
    return high & np.uint64(top >> 64), low & np.uint64(top & (2**64 - 1))


def parse_ipv4(data: np.ndarray, offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Dotted quads as numbers.

    Args:
        data: Bytes of all strings.
        offsets: Where each begins.

    Returns:
        uint32 values, and which strings are addresses at all (bool). Leading zeros, which some
        programs read as octal, and short forms are no address.
    """
    starts, lengths = offsets[:-1], np.diff(offsets)
    good = (lengths >= 7) & (lengths <= 15)
    value = np.zeros(len(starts), np.uint32)
    octet = np.zeros(len(starts), np.uint32)
    digits = np.zeros(len(starts), np.uint8)
    dots = np.zeros(len(starts), np.uint8)
    padded = np.concatenate((data, np.zeros(16, np.uint8)))
    for step in range(15):
        inside = good & (step < lengths)
        char = padded[np.where(inside, starts + step, len(data))]
        is_dot = inside & (char == _DOT)
        is_digit = inside & (char >= ord("0")) & (char <= ord("9"))
        good &= ~inside | is_dot | is_digit
        good &= ~(is_digit & (digits > 0) & (octet == 0))
        good &= ~(is_dot & (digits == 0))
        octet = np.where(is_digit, octet * 10 + (char - np.uint8(ord("0"))), octet).astype(np.uint32)
        digits = digits + is_digit
        good &= (octet <= 255) & (digits <= 3)
        value = np.where(is_dot, (value << np.uint32(8)) | octet, value).astype(np.uint32)
        octet[is_dot] = 0
        digits[is_dot] = 0
        dots = dots + is_dot
    good &= (dots == 3) & (digits > 0)
    return (value << np.uint32(8)) | octet, good


def _powers(base: int, count: int) -> np.ndarray:
    powers = np.full(count, base, np.uint64)
    powers[0] = 1
    return np.cumprod(powers, dtype=np.uint64)


def _mix(hashes: np.ndarray) -> np.ndarray:
    """Spread every bit of a hash over all of it (the finaliser of MurmurHash3)."""
    hashes = (hashes ^ (hashes >> np.uint64(33))) * _MIX_1
    hashes = (hashes ^ (hashes >> np.uint64(33))) * _MIX_2
    result: np.ndarray = hashes ^ (hashes >> np.uint64(33))
    return result


def _blocks(starts: np.ndarray, ends: np.ndarray) -> Iterator[tuple[int, int]]:
    """Runs of pieces that together span at most `BLOCK` bytes (or one longer piece)."""
    first = 0
    while first < len(starts):
        last = int(np.searchsorted(ends, starts[first] + BLOCK, "right"))
        last = max(last, first + 1)
        yield first, last
        first = last
