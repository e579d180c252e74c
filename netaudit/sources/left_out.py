"""The lines of a log that gave no record, for people who look at one file."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow.compute as pc

from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parsed
from netaudit.intake.tally import FIRST_KEPT

LeftOut = Callable[[str, int, str], None]
"""Told the reason, the number and the text of a line."""


def show(told: LeftOut, chunk: Chunk, parsed: Parsed, member: LogFormat, other: str) -> None:
    """Hand over the first lines of a chunk that gave no record, for each reason.

    Args:
        told: Who is told.
        chunk: The lines.
        parsed: What became of them.
        member: The format; of one whose records have several lines, only what it rejected is known.
        other: The reason for lines that hold no record on purpose.
    """
    reasons = {reason: np.setdiff1d(index, chunk.bad) for reason, index in parsed.rejected.items()}
    if parsed.other and member.starts is None and member.numbered:
        seen = [chunk.bad, *(rows.line for rows in parsed.rows), *parsed.rejected.values()]
        blank = pc.match_substring_regex(chunk.lines, r"^\s*$").to_numpy(zero_copy_only=False)
        reasons[other] = np.setdiff1d(np.flatnonzero(~blank), np.concatenate(seen))
    for reason, index in reasons.items():
        for at in index[:FIRST_KEPT].tolist():
            told(reason, chunk.first + at, chunk.lines[at].as_py())
