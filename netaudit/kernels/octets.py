"""Octets of a buffer, and integers at any offset of it.

A read is total: octets outside of the buffer are zero. So no length that a packet states can make
a kernel read foreign memory; whether something *is* there, each layer asks before it reads.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from netaudit.kernels.compiled import kernel

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]


class Octets(NamedTuple):
    """One buffer, seen as the integer that begins at each of its octets (little-endian)."""

    u8: Bytes
    u16: npt.NDArray[np.uint16]
    u32: npt.NDArray[np.uint32]
    u64: npt.NDArray[np.uint64]


def octets(buffer: Bytes) -> Octets:
    """Views of `buffer`, which must be writable so that all kernels see one type; nothing is copied."""
    return Octets(buffer, *(_every(buffer, width) for width in ("<u2", "<u4", "<u8")))


def octets_of(data: bytes) -> Octets:
    """Octets over a copy of `data`."""
    return octets(np.frombuffer(bytearray(data), np.uint8))


def _every(buffer: Bytes, dtype: str) -> npt.NDArray[Any]:
    # one element begins at each octet: a strided view, unaligned
    count = max(len(buffer) - np.dtype(dtype).itemsize + 1, 0)
    return np.ndarray((count,), dtype, buffer if count else bytearray(8), 0, (1,))


@kernel
def u8(data: Octets, at: int) -> int:
    """The octet at `at`."""
    return np.int64(data.u8[at]) if 0 <= at < len(data.u8) else np.int64(0)


@kernel
def u16(data: Octets, at: int) -> int:
    """The 16-bit integer at `at` in network order."""
    value = np.int64(data.u16[at]) if 0 <= at < len(data.u16) else np.int64(0)
    return (value & 0xFF) << 8 | value >> 8


@kernel
def u24(data: Octets, at: int) -> int:
    """The 24-bit integer at `at` in network order."""
    return u8(data, at) << 16 | u16(data, at + 1)


@kernel
def u32(data: Octets, at: int) -> int:
    """The 32-bit integer at `at` in network order."""
    value = np.int64(data.u32[at]) if 0 <= at < len(data.u32) else np.int64(0)
    return (value & 0xFF) << 24 | (value & 0xFF00) << 8 | (value >> 8) & 0xFF00 | value >> 24


@kernel
def le16(data: Octets, at: int) -> int:
    """The 16-bit integer at `at`, least octet first."""
    return np.int64(data.u16[at]) if 0 <= at < len(data.u16) else np.int64(0)


@kernel
def le32(data: Octets, at: int) -> int:
    """The 32-bit integer at `at`, least octet first."""
    return np.int64(data.u32[at]) if 0 <= at < len(data.u32) else np.int64(0)


@kernel
def raw64(data: Octets, at: int) -> Any:
    """Eight octets as they lie in memory, to be kept or compared, not to be counted with."""
    return data.u64[at] if 0 <= at < len(data.u64) else np.uint64(0)


@kernel
def copy(source: Octets, at: int, length: int, target: Octets, to: int) -> int:
    """Copy octets, as far as both buffers reach; how many were copied."""
    length = min(length, len(source.u8) - at, len(target.u8) - to)
    if at < 0 or to < 0 or length <= 0:
        return 0
    target.u8[to : to + length] = source.u8[at : at + length]
    return length
