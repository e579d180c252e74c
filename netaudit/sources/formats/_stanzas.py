"""Records that span lines: which line belongs to which record, and the values of its keys."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


@dataclass(frozen=True, slots=True)
class Stanzas:
    """The records of a chunk that ends before a record's beginning."""

    first: np.ndarray
    """Index of each record's first line."""
    owner: np.ndarray
    """Per line the number of its record; -1 before the first."""

    @classmethod
    def beginning(cls, begins: np.ndarray) -> Stanzas:
        """Records that run from each line marked in `begins` to the next."""
        return cls(np.flatnonzero(begins), np.cumsum(begins) - 1)

    def column(self, index: np.ndarray, values: pa.Array) -> pa.Array:
        """One value per record out of those on some lines; null where it has none.

        Args:
            index: Lines that hold the key.
            values: Its value on each of them. Of several in one record the last holds.
        """
        found = np.full(len(self.first), -1, np.int64)
        record = self.owner[index]
        found[record[record >= 0]] = np.flatnonzero(record >= 0)
        return values.take(pa.array(found, mask=found < 0))

    def total(self, amount: np.ndarray) -> np.ndarray:
        """Sum of a number per line over the lines of each record."""
        inside = self.owner >= 0
        return np.bincount(self.owner[inside], amount[inside], len(self.first)).astype(np.int64)

    def orphans(self, lines: pa.StringArray) -> np.ndarray:
        """Lines with text that stand before the first record: the end of one that is not here."""
        before = lines.slice(0, int(self.first[0]) if len(self.first) else len(lines))
        return np.flatnonzero(pc.not_equal(pc.utf8_trim_whitespace(before), ""))
