"""Logs as tables with titles (page exports as CSV, TSV or XLSX): which cell holds what, and its times.

A header is known by its titles, below whatever stands above it; a later header takes over. Each
record is one row of cells. What is no time is left out and noted, never guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.log_format import Parsed, Rows, said
from netaudit.intake.spreadsheet import SHEET
from netaudit.intake.times import Context, from_epoch, from_iso
from netaudit.records.schemas import TIMESTAMP
from netaudit.sources.formats._damaged import repaired
from netaudit.sources.formats._delimited import Cells, header_cells, joined, title
from netaudit.sources.formats._outcome import keep, refused
from netaudit.sources.formats._values import mask

NO_HEADER = "A row stands before any header whose titles are known."
UNCLOSED = "A quoted cell does not close."
BAD_TIME = "Some times in this table could not be read and were left out."
_ADDRESS = r"\d\.\d{1,3}\.\d|[0-9a-fA-F]{1,4}:[0-9a-fA-F:]*:[0-9a-fA-F]"
"""What stands in no header."""
_CLOCK = r"(?i)时间|時間|日期|time|date"
_MOST_HEADERS = 1_000
_MOST_LAYOUTS = 64
_LATE = r"(?i)下午|晚上|[ 0-9]pm?\b"
_EARLY = r"(?i)上午|凌晨|早上|[ 0-9]am?\b"
_HALF_DAY = 12 * 3_600 * 10**9

Cell = Callable[[str], pa.Array]
"""The texts of a column by its name; nulls where the log has no such column."""
Made = tuple[Rows, dict[str, np.ndarray]]
Make = Callable[[Cell, np.ndarray], Made]
"""Turns cells, and the lines that they stand on, into records and refusals."""


@dataclass(frozen=True, slots=True)
class TableKind:
    """A kind of table, by its titles."""

    words: Mapping[str, tuple[str, ...]]
    """By column, the preferred one first, in the form of `_delimited.title`."""
    suffices: Callable[[set[str]], bool]
    """Whether a table with these columns is of this kind."""

    def positions(self, cells: list[str]) -> dict[str, int]:
        """The cell of each column; empty where this is no header of the kind."""
        at: dict[str, int] = {}
        for position, cell in enumerate(cells):
            at.setdefault(title(cell), position)
        found = {}
        for column, words in self.words.items():
            place = next((at[word] for word in words if word in at), None)
            if place is not None:
                found[column] = place
        return found if self.suffices(set(found)) else {}

    def heads(self, lines: list[str]) -> bool:
        """Whether a header is among the first lines."""
        return any(self.positions(header_cells(line)[1]) for line in lines[:50])


class Table:
    """One file while it is read: the headers seen so far and the one in force."""

    def __init__(self, titles: TableKind) -> None:
        self._titles = titles
        self._layouts: dict[tuple[str, tuple[tuple[str, int], ...]], int] = {}
        self._now = -1

    @property
    def headed(self) -> bool:
        """Whether a header was found so far."""
        return bool(self._layouts)

    def read(self, lines: pa.StringArray, make: Make) -> tuple[Parsed, np.ndarray]:
        """Records of one chunk, and the lines that stand below no header (`Parsed` counts them not)."""
        lines = joined(lines)
        begins = mask(pc.starts_with(lines, SHEET))
        plain = pc.utf8_ltrim(lines, SHEET)
        layout, heads = self._placed(plain, begins)
        blank = mask(pc.match_substring_regex(plain, r"^[\s,;|]*$"))
        parsed = Parsed(other=int((heads | blank).sum()))
        for (separator, places), number in self._layouts.items():
            index = np.flatnonzero((layout == number) & ~heads & ~blank)
            if len(index):
                self._rows(
                    Cells.of(plain.take(pa.array(index)), separator), dict(places), index, make, parsed
                )
        parsed.rejected = refused(parsed.rejected)
        return parsed, np.flatnonzero((layout < 0) & ~heads & ~blank)

    def _rows(
        self, cells: Cells, places: dict[str, int], index: np.ndarray, make: Make, parsed: Parsed
    ) -> None:
        torn = cells.counts == 0
        none = pa.nulls(len(index), pa.string())
        rows, rejected = make(lambda name: cells.column(places[name]) if name in places else none, index)
        rows = keep(rows, ~np.isin(rows.line, index[torn]))
        parsed.rows += [rows] if len(rows.line) else []
        for reason, where in ({UNCLOSED: index[torn]} | rejected).items():
            lines = where if reason == UNCLOSED else np.setdiff1d(where, index[torn])
            parsed.rejected[reason] = np.concatenate((parsed.rejected.get(reason, lines[:0]), lines))

    def _placed(self, plain: pa.StringArray, begins: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The layout in force on each line (-1 for none), and which lines are headers."""
        may = mask(pc.match_substring_regex(plain, _CLOCK))
        may &= ~mask(pc.match_substring_regex(plain, _ADDRESS))
        tried = np.flatnonzero(may)[:_MOST_HEADERS]
        heads = np.zeros(len(plain), bool)
        changes = [(0, self._now), *((int(i), -1) for i in np.flatnonzero(begins))]
        for i in tried.tolist():
            number = self._layout(plain[i].as_py())
            if number >= 0:
                heads[i] = True
                changes.append((i, number))
        changes.sort(key=lambda change: change[0])  # stable: a header beats the sheet that it begins
        at = np.array([line for line, _ in changes])
        numbers = np.array([number for _, number in changes])
        layout = numbers[np.searchsorted(at, np.arange(len(plain)), side="right") - 1]
        self._now = int(numbers[-1])
        return layout, heads

    def _layout(self, line: str) -> int:
        separator, cells = header_cells(line)
        places = tuple(self._titles.positions(cells).items())
        if not places or len(self._layouts) >= _MOST_LAYOUTS:
            return self._layouts.get((separator, places), -1)
        return self._layouts.setdefault((separator, places), len(self._layouts))


def headless(lines: pa.StringArray, below_none: np.ndarray) -> np.ndarray:
    """Those of the lines below no header that look like rows: they hold an address."""
    rows = mask(pc.match_substring_regex(lines.take(pa.array(below_none)), _ADDRESS))
    held: np.ndarray = below_none[rows]
    return held


def dated(date: pa.Array, clock: pa.Array) -> pa.Array:
    """Times out of a date's and a clock's column, where a table has both; else what either holds."""
    alone = pc.fill_null(pc.match_substring_regex(clock, r"^\D{0,4}\d{1,2}[:时時点]"), False)
    return pc.coalesce(pc.if_else(alone, pc.binary_join_element_wise(date, clock, " "), clock), date)


def table_times(text: pa.Array, context: Context) -> pa.Array:
    """Times as pages and spreadsheets print them.

    Reads ISO 8601 in its usual variants, ``2026年11月23日 8时01分02秒``, morning and afternoon in
    Chinese or English, and epochs of 10 or 13 digits. Serial numbers of spreadsheets are not read.

    Args:
        text: The cells.
        context: For the zone, and for notes.
    """
    if not mask(pc.is_valid(text)).any():
        return pa.nulls(len(text), TIMESTAMP)
    plain = text
    for pattern, instead in (
        (r"\s*[年月]\s*", "-"), (r"\s*日\s*", " "), (r"\s*[时時点]\s*", ":"), (r"\s*分\s*", ":"), (r"\s*秒", ""), (r":$", "")
    ):  # fmt: skip
        plain = pc.replace_substring_regex(plain, pattern, instead)
    late, early = (mask(pc.match_substring_regex(plain, pattern)) for pattern in (_LATE, _EARLY))
    plain = pc.replace_substring_regex(plain, r"(?i)\s*(?:上午|凌晨|早上|下午|晚上|[ap]m\b)\s*", " ")
    plain = pc.utf8_trim_whitespace(plain)
    epoch = mask(pc.match_substring_regex(plain, r"^\d{10}(?:\d{3})?(?:\.\d+)?$"))
    dates = repaired(pc.if_else(pa.array(epoch), None, plain), pa.nulls(len(text), pa.string()), context)
    hour = said(dates, r"[ T](?P<h>\d{1,2}):")
    noon = mask(pc.equal(hour, "12"))
    local = from_iso(dates, context).cast(pa.int64())
    local = pc.add(
        local, pa.array(np.where(late & ~noon, _HALF_DAY, np.where(early & noon, -_HALF_DAY, 0)))
    )
    moments = pc.coalesce(from_epoch(pc.if_else(pa.array(epoch), plain, None)), local.cast(TIMESTAMP))
    if (mask(pc.is_valid(text)) & ~mask(pc.is_valid(moments))).any() and (
        context.zone or not context.tolerant
    ):
        context.notes.add(BAD_TIME)
    return moments
