"""Octets of a buffer, and integers at any offset of it.

A read is total: octets outside of the buffer are zero. So no length that a packet states can make
a kernel read foreign memory; whether something *is* there, each layer asks before it reads.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from netaudit.kernels.compiled import kernel

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]

int64: Callable[[Any], int] = np.int64  # type: ignore[assignment]
"""A field of a record as an integer that kernels count with; for the type checker it is one already."""

_LEAST = 8


class Octets(NamedTuple):
    """One buffer; a tuple, so that no kernel is handed a plain array by mistake."""

    u8: Bytes


def octets(buffer: Bytes) -> Octets:
    """Look at `buffer`: contiguous, writable (so that all kernels see one type), at least eight octets."""
    if len(buffer) < _LEAST:
        buffer = np.concatenate((buffer, np.zeros(_LEAST - len(buffer), np.uint8)))
    return Octets(buffer)


def octets_of(data: bytes) -> Octets:
    """Octets over a copy of `data`."""
    return octets(np.frombuffer(bytearray(data), np.uint8))


def _reader(bits: int, result: types.Integer, *, swapped: bool) -> Callable[[Octets, int], Any]:
    """A function of Numba's own level: one range check, one unaligned load, no call."""

    @intrinsic
    def read(_context: Any, data: Any, _at: Any) -> Any:
        array = data.types[0]

        def code(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            view = cgutils.create_struct_proxy(array)(
                context, builder, value=builder.extract_value(arguments[0], 0)
            )
            word, offset = ir.IntType(bits), ir.IntType(64)
            room = builder.sub(view.nitems, ir.Constant(offset, bits // 8 - 1))
            inside = builder.icmp_unsigned("<", arguments[1], room)  # a negative offset is a huge one
            safe = builder.select(inside, arguments[1], ir.Constant(offset, 0))
            where = builder.bitcast(builder.gep(view.data, [safe]), word.as_pointer())
            value = builder.load(where, align=1)
            if swapped:
                value = builder.bswap(value)
            value = builder.select(inside, value, ir.Constant(word, 0))
            return builder.zext(value, offset) if bits < 64 else value

        return result(data, types.int64), code

    return read


_read8 = _reader(8, types.int64, swapped=False)
_read16, _swap16 = _reader(16, types.int64, swapped=False), _reader(16, types.int64, swapped=True)
_read32, _swap32 = _reader(32, types.int64, swapped=False), _reader(32, types.int64, swapped=True)
_read64 = _reader(64, types.uint64, swapped=False)


@kernel
def u8(data: Octets, at: int) -> int:
    """The octet at `at`."""
    return _read8(data, at)


@kernel
def u16(data: Octets, at: int) -> int:
    """The 16-bit integer at `at` in network order."""
    return _swap16(data, at)


@kernel
def u24(data: Octets, at: int) -> int:
    """The 24-bit integer at `at` in network order."""
    return _read8(data, at) << 16 | _swap16(data, at + 1)


@kernel
def u32(data: Octets, at: int) -> int:
    """The 32-bit integer at `at` in network order."""
    return _swap32(data, at)


@kernel
def le16(data: Octets, at: int) -> int:
    """The 16-bit integer at `at`, least octet first."""
    return _read16(data, at)


@kernel
def le32(data: Octets, at: int) -> int:
    """The 32-bit integer at `at`, least octet first."""
    return _read32(data, at)


@kernel
def raw64(data: Octets, at: int) -> Any:
    """Eight octets as they lie in memory, to be kept or compared, not to be counted with."""
    return _read64(data, at)


@intrinsic
def _move(_context: Any, target: Any, to: Any, source: Any, at: Any, length: Any) -> Any:  # noqa: ARG001
    array = target.types[0]

    def code(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        views = [
            cgutils.create_struct_proxy(array)(
                context, builder, value=builder.extract_value(arguments[k], 0)
            )
            for k in (0, 2)
        ]
        where, whence = (builder.gep(v.data, [arguments[k]]) for v, k in zip(views, (1, 3), strict=True))
        cgutils.raw_memmove(builder, where, whence, arguments[4], ir.Constant(ir.IntType(64), 1))
        return context.get_dummy_value()

    return types.void(target, types.int64, source, types.int64, types.int64), code


@kernel
def copy(source: Octets, at: int, length: int, target: Octets, to: int) -> int:
    """Copy octets, as far as both buffers reach; how many were copied. They may overlap."""
    length = min(length, len(source.u8) - at)
    length = min(length, len(target.u8) - to)
    if at < 0 or to < 0 or length <= 0:
        return 0
    _move(target, to, source, at, length)
    return length
