"""What every log answers with: spans, who they speak for, and where that is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from netaudit.attribution.columns import Records
from netaudit.attribution.spans import Spans
from netaudit.records.evidence import Evidence


@dataclass(frozen=True, slots=True)
class Held:
    """Spans, each of one holder."""

    spans: Spans
    holder: np.ndarray
    """``(n,)`` code of who the span speaks for; equal codes, equal holder."""
    site: np.ndarray
    """``(n,)`` int16 code of the site; 0 = not said."""
    records: tuple[Records, ...]
    """The tables that `source` numbers."""
    source: np.ndarray
    """``(n,)`` int8: which of `records` a span's rows are in."""
    name: Callable[[int], str]
    """Text of the holder of a span."""

    def evidence(self, span: int) -> tuple[Evidence, ...]:
        """The records that begin and end a span."""
        records = self.records[self.source[span]]
        rows = dict.fromkeys((int(self.spans.first[span]), int(self.spans.last[span])))
        found = (records.evidence(row) for row in rows)
        return tuple(e for e in found if e is not None)

    def record(self, span: int) -> tuple[Records, int]:
        """The table and row that begin a span."""
        return self.records[self.source[span]], int(self.spans.first[span])
