"""Lines with a separator, as columns by the names of a header line."""

from __future__ import annotations

import csv
import re
import unicodedata
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.sources.formats._values import mask

SEPARATORS = ",\t;|"
_MAX_CELL_LINES = 20


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of some lines."""

    flat: pa.StringArray
    offsets: np.ndarray
    counts: np.ndarray
    """Cells per line; 0 where its quotes do not close."""

    @classmethod
    def of(cls, lines: pa.StringArray, separator: str) -> Cells:
        """Split lines; double quotes protect separators (RFC 4180), one record a line."""
        rows = pc.split_pattern(lines, separator)
        quoted = np.flatnonzero(pc.match_substring(lines, '"'))
        if len(quoted):
            texts = lines.take(pa.array(quoted)).to_pylist()
            careful = pa.array([split_quoted(text, separator) for text in texts], pa.list_(pa.string()))
            order = np.arange(len(lines))
            order[quoted] = len(lines) + np.arange(len(quoted))
            rows = pa.concat_arrays([rows, careful]).take(pa.array(order))
        counts = pc.list_value_length(rows).to_numpy(zero_copy_only=False).astype(np.int64)
        return cls(rows.flatten(), np.cumsum(counts) - counts, counts)

    def column(self, position: int) -> pa.Array:
        """The cell at `position` of each line, without blanks around it; empty or absent is null."""
        absent = self.counts <= position
        index = np.where(absent, 0, self.offsets + position)
        text = pc.utf8_trim_whitespace(self.flat.take(pa.array(index, mask=absent)))
        return pc.if_else(pc.equal(text, ""), None, text)


def split_quoted(line: str, separator: str) -> list[str]:
    """The cells of one line with quotes; none at all where they do not close."""
    try:
        return next(csv.reader([line], delimiter=separator, strict=True), [])
    except csv.Error:
        return []


def header_cells(line: str) -> tuple[str, list[str]]:
    """The separator that parts a header line into the most cells, and these cells, lower case."""
    best = max(SEPARATORS, key=line.count)
    cells = split_quoted(line, best) if '"' in line else line.split(best)
    return best, [cell.strip().lstrip("\ufeff").lower() for cell in cells]


def title(cell: str) -> str:
    """A header cell for comparison: width, case, blanks, punctuation and remarks do not count."""
    text = unicodedata.normalize("NFKC", cell).lower()
    text = re.sub(r"[(\[【].*?[)\]】]", "", text) if not text.startswith(("(", "[", "【")) else text
    return re.sub(r"[\s_\-*:/.#()\[\]【】]+", "", text)


def record_starts(lines: pa.StringArray) -> np.ndarray:
    """``(n,)`` bool: lines that begin a record; a cell that begins with a quote may go on for some lines."""
    begins = np.ones(len(lines), bool)
    odd = np.flatnonzero(pc.bit_wise_and(pc.count_substring(lines, '"'), 1))
    opening = mask(pc.match_substring_regex(lines.take(pa.array(odd)), r'(?:^|[,;\t|])"'))
    position = 0
    while position < len(odd):
        begin = int(odd[position])
        end = int(odd[position + 1]) if position + 1 < len(odd) else len(lines) - 1
        if opening[position] and end - begin <= _MAX_CELL_LINES:
            begins[begin + 1 : end + 1] = False
            position += 1
        position += 1
    return begins


def joined(lines: pa.StringArray) -> pa.StringArray:
    """Lines with each record whole on its first one; the others that it goes on for are empty.

    A quote that never closes is a torn line of its own, and takes no others with it.
    """
    begins = record_starts(lines)
    if begins.all():
        return lines
    texts = lines.to_pylist()
    first = np.flatnonzero(begins)
    for begin, end in zip(first.tolist(), [*first[1:].tolist(), len(texts)], strict=True):
        if end - begin > 1 and sum(text.count('"') for text in texts[begin:end]) % 2 == 0:
            texts[begin:end] = ["\n".join(texts[begin:end]), *([""] * (end - begin - 1))]
    return pa.array(texts, pa.string())
