"""Several shapes of message in one column of texts: the first that matches gives the cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.log_format import empty_to_null
from netaudit.sources.formats._values import mask

CUT_OFF = "The message is cut off or of an unknown shape."
"""Why a line that begins as a known message was rejected."""

MAC = r"(?:[0-9a-fA-F]{4}[.-][0-9a-fA-F]{4}[.-][0-9a-fA-F]{4}|[0-9a-fA-F]{2}(?:[:-][0-9a-fA-F]{2}){5})"
"""A station's address as switches and controllers print it."""


@dataclass(frozen=True, slots=True)
class Matches:
    """What the patterns made of some texts; all columns have one value per text."""

    which: np.ndarray
    """Number of the pattern that matched, -1 for none."""
    groups: dict[str, pa.Array]
    """Of every pattern, null where the text's own has no such group or it took no part."""

    def __getitem__(self, name: str) -> pa.Array:
        """A group's column; nulls where no pattern has it."""
        return self.groups.get(name, pa.nulls(len(self.which), pa.string()))

    def matched(self) -> tuple[np.ndarray, Matches]:
        """Indices of the texts that some pattern matched, and the cells of these only."""
        index = np.flatnonzero(self.which >= 0)
        here = pa.array(index)
        return index, Matches(self.which[index], {n: c.take(here) for n, c in self.groups.items()})

    def words(self, words: Sequence[str]) -> pa.Array:
        """A word for each text by the pattern that matched; null for none."""
        return pa.array(words, pa.string()).take(pa.array(self.which, mask=self.which < 0))


def first_match(texts: pa.Array, patterns: Sequence[str]) -> Matches:
    """Try `patterns` (RE2, searched, named groups) in their order on each text; null matches none."""
    which = np.full(len(texts), -1, np.int64)
    groups: dict[str, pa.Array] = {}
    left = texts
    for number, pattern in enumerate(patterns):
        found = pc.extract_regex(left, pattern)
        fits = mask(pc.is_valid(found))
        if not fits.any():
            continue
        which[fits] = number
        for field in found.type:
            cells = empty_to_null(pc.struct_field(found, field.name))
            groups[field.name] = pc.coalesce(groups[field.name], cells) if field.name in groups else cells
        left = pc.if_else(pa.array(which < 0), texts, None)
    return Matches(which, groups)
