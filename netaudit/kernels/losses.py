"""What was lost on the way, counted: one row a reason."""

from __future__ import annotations

import numpy as np

from netaudit.kernels.compiled import part
from netaudit.kernels.packet import Rows

(
    LOST_START, LOST_TLS, LOST_HTTP, LOST_DNS, LOST_HTTP2, LOST_SOCKS, LOST_FRAGMENT, BAD_FRAGMENT,
    CUT_FRAGMENT, OVERLAP, UNTABLED,
) = range(11)  # fmt: skip
"""Rows of an array of `LOSS`; the first six are what a stream was held for, plus one."""
REASONS = 11

LOSS = np.dtype([("count", "i8"), ("size", "i8"), ("kept", "i8"), ("first", "i8", (5,))], align=True)
"""How often, how many octets, and the first few packet numbers, of which there are `kept`."""


def losses() -> Rows:
    """Nothing lost."""
    return np.zeros(REASONS, LOSS)


@part
def lose(losses: Rows, reason: int, ordinal: int, size: int, count: int) -> None:
    """Count a loss."""
    loss = losses[reason]
    if loss.kept < len(loss.first):
        loss.first[loss.kept] = ordinal
        loss.kept += 1
    loss.count += count
    loss.size += size
