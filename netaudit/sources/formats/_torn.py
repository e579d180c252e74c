"""Lines that begin like a record and are none: cut off, or with cells that cannot be read."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import Parsed, Rows
from netaudit.sources.formats._outcome import keep, parsed
from netaudit.sources.formats._values import mask


def torn_line(chunk: Chunk) -> int:
    """Index of the line that has no line end, so that its last number may lack digits; -1 for none."""
    last = len(chunk.lines) - 1
    if last < 0:
        return -1
    return last if int(chunk.sizes[-1]) == len(chunk.lines[last].as_py().encode()) else -1


def rows_or_torn(
    lines: pa.StringArray, rows: Rows, needed: tuple[str, ...], begun: str, reason: str
) -> Parsed:
    """The rows that have all they need; other lines that look like one are rejected.

    Args:
        lines: Of the chunk, without their carriers.
        rows: One a line at most.
        needed: Columns that must not be null.
        begun: A pattern (RE2, searched) of lines that should be rows.
        reason: Why the others are rejected.
    """
    good = np.ones(len(rows.line), bool)
    for name in needed:
        good &= mask(pc.is_valid(rows.columns[name]))
    kept = keep(rows, good)
    like = np.union1d(np.flatnonzero(mask(pc.match_substring_regex(lines, begun))), rows.line)
    return parsed(len(lines), [kept], {reason: np.setdiff1d(like, kept.line)})
