"""Where some cells of lines with tabs between them stand."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from netaudit.kernels.compiled import kernel
from netaudit.kernels.loglines import places
from netaudit.kernels.octets import Bytes, Ints, Octets, u8
from netaudit.kernels.spans import span

SCRATCH = 80
MOST = SCRATCH - 9
"""Cells that a line can have."""
_LONGEST = 20_000
_HASH, _BRACE, _BLANK, _RETURN = ord("#"), ord("{"), ord(" "), ord("\r")


@kernel
def cells(
    data: Octets,
    ends: Ints,
    high: Bytes,
    width: int,
    wanted: Ints,
    line: Ints,
    found: npt.NDArray[np.int64],
    scratch: Ints,
) -> int:
    """Find the cells of the lines that have as many as they should.

    Args:
        data: Text.
        ends: Where each line ends; the first begins at 0.
        high: 1 for each line that is not ASCII.
        width: Cells that a line must have.
        wanted: Numbers of the cells that are looked for.
        line: Gets the number of each line.
        found: Gets their spans, a row for each of `wanted`.
        scratch: Room for `SCRATCH`.

    Returns:
        How many lines. It ends at a line that begins with ``#`` and is not of the first ones: cells may mean
        something else behind it.
    """
    count = start = 0
    seen = False
    for number in range(len(ends)):
        end = ends[number]
        first = u8(data, start)
        if first == _HASH and seen:
            return count
        seen = seen or first != _HASH
        last = end - 1 if u8(data, end - 1) == _RETURN else end
        usual = high[number] == 0 and last - start <= _LONGEST and first > _BLANK
        usual = usual and first != _BRACE and first != _HASH
        usual = usual and last > start and u8(data, last - 1) > _BLANK
        if usual and places(data, start, last, True, scratch) == width - 1:
            for place in range(len(wanted)):
                cell = wanted[place]
                begin = scratch[cell - 1] + 1 if cell else start
                found[place, count] = span(begin, scratch[cell])
            line[count] = number
            count += 1
        start = end + 1
    return count
