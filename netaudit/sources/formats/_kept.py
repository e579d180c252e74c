"""Rows without those that turned out to hold nothing, or not to be whole."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import Rows


def torn_line(chunk: Chunk) -> int:
    """Index of the line that has no line end, so that its last number may lack digits; -1 for none."""
    last = len(chunk.lines) - 1
    if last < 0:
        return -1
    return last if int(chunk.sizes[-1]) == len(chunk.lines[last].as_py().encode()) else -1


def keep(rows: Rows, good: np.ndarray) -> Rows:
    """Those of some rows that are marked in `good`.

    Args:
        rows: Their columns are arrays, or one word for all rows.
        good: ``(n,)`` bool.
    """
    if good.all():
        return rows
    marks = pa.array(good)
    columns = {n: c if isinstance(c, str) else c.filter(marks) for n, c in rows.columns.items()}
    return Rows(rows.kind, columns, rows.line[good])
