"""What the lines of a chunk came to: rows that hold, lines that were refused and why, others."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from netaudit.intake.log_format import Parsed, Rows


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


def refused(reasons: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The reasons that some line was rejected for: those without a line are left out."""
    return {reason: index for reason, index in reasons.items() if len(index)}


def parsed(count: int, rows: list[Rows], rejected: dict[str, np.ndarray]) -> Parsed:
    """What `count` lines came to: those that are neither a row nor rejected hold no record.

    Args:
        count: Lines of the chunk.
        rows: Records, one a line at most; kinds without a record are left out.
        rejected: Reasons; those without a line are left out.
    """
    kept = [one for one in rows if len(one.line)]
    reasons = refused(rejected)
    held = sum(len(one.line) for one in kept) + sum(len(lines) for lines in reasons.values())
    return Parsed(kept, reasons, count - held)
