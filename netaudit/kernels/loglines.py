"""Lines of a text log, and where in a line an octet stands. Buffers have `ROOM` zeros behind their text."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from netaudit.kernels.compiled import kernel, part
from netaudit.kernels.octets import Bytes, Ints, Octets, u8

_NEWLINE, _BLANK, _TAB, _DOT = ord("\n"), ord(" "), ord("\t"), ord(".")
VECTOR = 64
_ONE = np.uint64(1)


def _vectors(*ranges: tuple[int, int]) -> Any:
    """A function of Numba's own level: which of 64 octets lie in some range, the first one's bit lowest.

    A range is its first octet and how many there are; octets from 0x80 on have their high bit set. It
    gives 0 where fewer than 64 are left.
    """

    @intrinsic
    def marks(_context: Any, data: Any, _at: Any) -> Any:
        array = data.types[0]

        def code(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            view = cgutils.create_struct_proxy(array)(
                context, builder, value=builder.extract_value(arguments[0], 0)
            )
            vector, offset = ir.VectorType(ir.IntType(8), VECTOR), ir.IntType(64)
            room = builder.sub(view.nitems, ir.Constant(offset, VECTOR - 1))
            inside = builder.icmp_unsigned("<", arguments[1], room)
            safe = builder.select(inside, arguments[1], ir.Constant(offset, 0))
            where = builder.bitcast(builder.gep(view.data, [safe]), vector.as_pointer())
            octets = builder.load(where, align=1)
            found = None
            for first, count in ranges:
                shifted = builder.sub(octets, ir.Constant(vector, [first] * VECTOR))
                one = builder.icmp_unsigned("<", shifted, ir.Constant(vector, [count] * VECTOR))
                found = one if found is None else builder.or_(found, one)
            return builder.select(inside, builder.bitcast(found, offset), ir.Constant(offset, 0))

        return types.uint64(data, types.int64), code

    return marks


_newlines, _high = _vectors((_NEWLINE, 1)), _vectors((0x80, 0x80))
_blanks_of, _tabs_of, dots_of = _vectors((_BLANK, 1)), _vectors((_TAB, 1)), _vectors((_DOT, 1))
quotes_of, controls_of = _vectors((ord('"'), 1)), _vectors((0, 0x20), (ord("\\"), 1))
"""Quotes; and what JSON text without escapes cannot hold: control characters and backslashes."""
host_octets_of = _vectors((ord("a"), 26), (ord("0"), 10), (ord("-"), 2), (ord("_"), 1))
"""Lower-case letters, digits, hyphens, dots and underscores: what usual names are written with."""


def _pairwise(result: Any, build: Any) -> Any:
    """A function of Numba's own level over 64 octets of one buffer and 64 of another; both must be there."""

    @intrinsic
    def function(_context: Any, one: Any, _at: Any, other: Any, _begin: Any) -> Any:
        def code(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            vector = ir.VectorType(ir.IntType(8), VECTOR)
            where = []
            for number, type_ in ((0, one), (2, other)):
                view = cgutils.create_struct_proxy(type_.types[0])(
                    context, builder, value=builder.extract_value(arguments[number], 0)
                )
                place = builder.gep(view.data, [arguments[number + 1]])
                where.append(builder.bitcast(place, vector.as_pointer()))
            return build(context, builder, vector, *where)

        return result(one, types.int64, other, types.int64), code

    return function


def _lowered(context: Any, builder: Any, vector: Any, source: Any, target: Any) -> Any:
    octets = builder.load(source, align=1)
    shifted = builder.sub(octets, ir.Constant(vector, [ord("A")] * VECTOR))
    is_upper = builder.icmp_unsigned("<", shifted, ir.Constant(vector, [26] * VECTOR))
    lower = builder.or_(octets, ir.Constant(vector, [0x20] * VECTOR))
    builder.store(builder.select(is_upper, lower, octets), target, align=1)
    return context.get_dummy_value()


def _equal(_context: Any, builder: Any, _vector: Any, one: Any, other: Any) -> Any:
    found = builder.icmp_unsigned("==", builder.load(one, align=1), builder.load(other, align=1))
    return builder.bitcast(found, ir.IntType(64))


copy_lower = _pairwise(types.void, _lowered)
"""Copy 64 octets, letters in lower case."""
equal_octets = _pairwise(types.uint64, _equal)
"""Which of 64 octets are the same in both."""


def _word_function(build: Any) -> Any:
    @intrinsic
    def function(_context: Any, _mask: Any) -> Any:
        def code(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            return build(builder, arguments[0])

        return types.int64(types.uint64), code

    return function


lowest = _word_function(lambda builder, word: builder.cttz(word, ir.Constant(ir.IntType(1), 0)))
highest = _word_function(
    lambda builder, word: builder.sub(
        ir.Constant(ir.IntType(64), 63), builder.ctlz(word, ir.Constant(ir.IntType(1), 0))
    )
)
_ones = _word_function(lambda builder, word: builder.ctpop(word))


@part
def below(size: int) -> Any:
    """A mask of the lowest bits."""
    return ~np.uint64(0) if size >= VECTOR else (_ONE << np.uint64(size)) - _ONE


@kernel
def line_ends(data: Octets, size: int, ends: Ints, high: Bytes) -> int:
    """Where lines end.

    Args:
        data: Text, with `ROOM` octets behind it.
        size: Octets of text.
        ends: Gets the offset of each line end; what is behind the last one is a line as well.
        high: Gets 1 for each line with an octet above 0x7F; zeros before.

    Returns:
        How many lines; more than `ends` has room for where it is too small.
    """
    count = 0
    for at in range(0, size, VECTOR):
        inside = below(size - at)
        odd = _high(data, at) & inside
        mask = _newlines(data, at) & inside
        while mask:
            place = lowest(mask)
            if count < len(ends):
                ends[count] = at + place
                if odd & below(place):
                    high[count] = 1
            odd &= ~below(place)
            count += 1
            mask &= mask - _ONE
        if odd and count < len(ends):
            high[count] = 1
    if size and u8(data, size - 1) != _NEWLINE:
        if count < len(ends):
            ends[count] = size
        count += 1
    return count


@part
def places(data: Octets, start: int, end: int, tabs: bool, found: Ints) -> int:  # noqa: FBT001 -- of a kernel
    """Where blanks (or tabs) stand in a line, and behind them the line's end.

    Args:
        data: Text.
        start: Of the line.
        end: Of the line.
        tabs: Whether it is tabs that are looked for.
        found: Gets the offsets, as many as it has room for but nine.

    Returns:
        How many there are, or at least one more than were kept.
    """
    count = 0
    for at in range(start, end, VECTOR):
        mask = (_tabs_of(data, at) if tabs else _blanks_of(data, at)) & below(end - at)
        more = _ones(mask)
        if count + more > len(found) - 9:
            return len(found)
        for ahead in range(8):  # most often there are fewer; not to ask how many is faster
            found[count + ahead] = at + lowest(mask)
            mask &= mask - _ONE
        for ahead in range(8, more):
            found[count + ahead] = at + lowest(mask)
            mask &= mask - _ONE
        count += more
    found[count] = end
    return count
