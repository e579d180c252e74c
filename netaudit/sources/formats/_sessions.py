"""Logs of gateways with a session a line: which of them hold, and why the others do not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import Parsed, Rows, extract
from netaudit.sources.formats._flow_sides import Told
from netaudit.sources.formats._outcome import refused
from netaudit.sources.formats._values import mask

CUT = "A session is cut off or of an unknown shape."


def settle(
    columns: dict[str, pa.Array], refusals: dict[str, np.ndarray], index: np.ndarray
) -> tuple[Rows, dict[str, np.ndarray]]:
    """The sessions that hold, and the lines of the others, each under the first reason that fits.

    Args:
        columns: Of the kind ``nat``.
        refusals: Reason to mask.
        index: Line of each session.
    """
    left = np.ones(len(index), bool)
    rejected = {}
    for reason, wrong in refusals.items():
        rejected[reason] = index[left & wrong]
        left &= ~wrong
    good = pa.array(left)
    return Rows(
        "nat", {name: column.filter(good) for name, column in columns.items()}, index[left]
    ), rejected


def read_lines(
    chunk: Chunk, line: str, begun: str, columns_of: Callable[[dict[str, pa.Array]], Told]
) -> Parsed:
    """The sessions of a log that has one a line.

    Args:
        chunk: Lines.
        line: Expression of a whole line, with named groups.
        begun: Expression of what begins one: a line with it that is not whole is refused.
        columns_of: Turns the groups into columns and refusals.
    """
    index, got = extract(chunk.lines, line)
    torn = np.setdiff1d(np.flatnonzero(mask(pc.match_substring_regex(chunk.lines, begun))), index)
    rows, rejected = settle(*columns_of(got), index)
    rejected[CUT] = np.concatenate((rejected.get(CUT, index[:0]), torn))
    return Parsed(
        [rows] if len(rows.line) else [], refused(rejected), len(chunk.lines) - len(index) - len(torn)
    )
