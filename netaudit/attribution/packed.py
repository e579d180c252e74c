"""Addresses as numbers: compared, sorted and looked up by columns, 128 bits in two halves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from netaudit.attribution.intervals import bisect
from netaudit.records.addresses import to_bytes
from netaudit.records.schemas import IP, MAC

WIDTH = 16
_LOCAL = np.uint64(0x02 << 40)
"""The bit of a MAC that says it was not given by a maker (IEEE 802)."""


@dataclass(frozen=True, slots=True)
class Packed:
    """A column of IP or MAC addresses; a MAC stands in the low half."""

    high: np.ndarray
    """``(n,)`` uint64."""
    low: np.ndarray
    """``(n,)`` uint64."""
    known: np.ndarray
    """``(n,)`` bool: False where there is no address."""

    @staticmethod
    def of(column: pa.Array) -> Packed:
        """From a column of the type `IP` or `MAC`."""
        known = column.is_valid().to_numpy(zero_copy_only=False)
        octets = np.zeros((len(column), WIDTH), np.uint8)
        if len(column):
            octets[:, WIDTH - column.type.byte_width :] = to_bytes(column)
        halves = octets.view(">u8").astype(np.uint64)
        return Packed(halves[:, 0], halves[:, 1], known)

    @staticmethod
    def of_values(values: Sequence[bytes | None], width: int = WIDTH) -> Packed:
        """From some addresses of `width` bytes; None where there is none."""
        return Packed.of(pa.array(values, IP if width == WIDTH else MAC))

    @staticmethod
    def none(count: int) -> Packed:
        """No address `count` times."""
        zeros = np.zeros(count, np.uint64)
        return Packed(zeros, zeros, np.zeros(count, bool))

    def __len__(self) -> int:
        """Number of addresses."""
        return len(self.low)

    def take(self, rows: np.ndarray | slice) -> Packed:
        """Some of the addresses."""
        return Packed(self.high[rows], self.low[rows], self.known[rows])

    def where(self, chosen: np.ndarray, other: Packed) -> Packed:
        """The own address where `chosen`, else that of `other`."""
        return Packed(
            np.where(chosen, self.high, other.high),
            np.where(chosen, self.low, other.low),
            np.where(chosen, self.known, other.known),
        )

    def only(self, chosen: np.ndarray) -> Packed:
        """The addresses, none but where `chosen`."""
        return Packed(self.high, self.low, self.known & chosen)

    def between(self, low: bytes, high: bytes) -> np.ndarray:
        """``(n,)`` bool: known and from `low` to `high`, 16 bytes each, both included."""
        (low_high, low_low), (high_high, high_low) = _halves(low), _halves(high)
        above = (self.high > low_high) | ((self.high == low_high) & (self.low >= low_low))
        below = (self.high < high_high) | ((self.high == high_high) & (self.low <= high_low))
        inside: np.ndarray = self.known & above & below
        return inside

    def value(self, row: int, width: int = WIDTH) -> bytes | None:
        """One address as bytes."""
        if not self.known[row]:
            return None
        whole = (int(self.high[row]) << 64) | int(self.low[row])
        return whole.to_bytes(WIDTH)[WIDTH - width :]

    def is_v4(self) -> np.ndarray:
        """``(n,)`` bool: IPv4 addresses, which are held as IPv4-mapped (RFC 4291 section 2.5.5.2)."""
        mapped: np.ndarray = self.known & (self.high == 0) & (self.low >> np.uint64(32) == 0xFFFF)
        return mapped

    def is_random_mac(self) -> np.ndarray:
        """``(n,)`` bool: known MACs that no maker gave."""
        random: np.ndarray = self.known & ((self.low & _LOCAL) != 0)
        return random


class Codes:
    """Distinct addresses in their order, found again by value."""

    def __init__(self, values: pa.Array) -> None:
        """Keep sorted, distinct addresses without null."""
        self.values = Packed.of(values)

    def __len__(self) -> int:
        """Number of addresses."""
        return len(self.values)

    def of(self, addresses: Packed) -> np.ndarray:
        """``(n,)`` int64: the place of each among the values; -1 where it is none of them."""
        if not len(self):
            return np.full(len(addresses), -1)
        high, low = self.values.high, self.values.low
        first = np.searchsorted(high, addresses.high)
        stop = np.searchsorted(high, addresses.high, "right")
        at = bisect(low, addresses.low, first, stop)
        found = (at < stop) & addresses.known
        near = np.where(found, at, 0)
        code: np.ndarray = np.where(found & (low[near] == addresses.low), near, -1)
        return code

    def take(self, codes: np.ndarray) -> Packed:
        """Addresses by code; none where it is -1."""
        if not len(self):
            return Packed.none(len(codes))
        return self.values.take(codes).only(codes >= 0)


def _halves(packed: bytes) -> tuple[np.uint64, np.uint64]:
    return np.uint64(int.from_bytes(packed[:8])), np.uint64(int.from_bytes(packed[8:]))
