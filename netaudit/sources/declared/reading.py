"""Reading a log by an office's own format. Every line is accounted for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.carrier import Peeled, peel, read_stamps
from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import Parsed, Rows, extract
from netaudit.intake.spreadsheet import SHEET
from netaudit.intake.times import Context, parse_zone
from netaudit.records.schemas import TIMESTAMP
from netaudit.sources.declared import cells
from netaudit.sources.declared.clocks import in_workbook
from netaudit.sources.declared.compiled import Compiled, Layout, Rule
from netaudit.sources.formats._delimited import Cells, header_cells, split_quoted, title
from netaudit.sources.formats._outcome import keep, refused
from netaudit.sources.formats._values import given, mask

NO_PATTERN = "The line fits none of the format's patterns."
NO_HEADER = "The row stands below no header with the format's titles."
TORN = "A quote of the row does not close, or it has another number of cells."
_HEADER_WITHIN = 100
"""Lines in which a sheet's header is looked for."""
_MOST_SHEETS = 1_000


@dataclass(slots=True)
class Account:
    """What became of the lines of one chunk."""

    rows: list[Rows] = field(default_factory=list)
    rejected: dict[str, list[np.ndarray]] = field(default_factory=dict)
    unfit: int = 0
    """Lines that fit no pattern, where the format counts them among the others."""
    passed: int = 0
    """Blank lines, headers, and what the format says to ignore."""

    @property
    def records(self) -> int:
        """Lines that gave one."""
        return sum(len(rows.line) for rows in self.rows)

    @property
    def share(self) -> float:
        """Part of the lines that mean something to the format that gave a record."""
        missed = self.unfit + sum(len(index) for found in self.rejected.values() for index in found)
        return self.records / (self.records + missed) if self.records else 0.0

    def refuse(self, reason: str, index: np.ndarray) -> None:
        """Count lines as rejected."""
        self.rejected.setdefault(reason, []).append(index)

    def parsed(self) -> Parsed:
        """The same for the reader."""
        rejected = {reason: np.sort(np.concatenate(found)) for reason, found in self.rejected.items()}
        return Parsed(self.rows, refused(rejected), self.unfit + self.passed)


class Reading:
    """One file while it is read."""

    def __init__(self, rules: Compiled, context: Context) -> None:
        self._of = rules
        self._clocks = rules.clocks
        self._workbook = False
        self._context = context
        if context.zone is None and rules.shape.time.zone:
            self._context = replace(context, zone=parse_zone(rules.shape.time.zone))
        self._sheet = _Sheet(rules.layout) if rules.layout and not rules.layout.columns else None

    def account(self, chunk: Chunk) -> Account:
        """What becomes of the lines of a chunk.

        Raises:
            ConfigError: Times have no zone and none is declared.
        """
        account = Account()
        if not self._workbook and pc.any(pc.starts_with(chunk.lines, SHEET), min_count=0).as_py():
            self._workbook = True
            self._clocks = {name: in_workbook(clock) for name, clock in self._clocks.items()}
        lines = pc.utf8_ltrim(chunk.lines, SHEET)
        passed = mask(pc.match_substring_regex(lines, r"^[\s,;|]*$"))
        for pattern in self._of.ignore:
            passed |= mask(pc.match_substring_regex(lines, pattern))
        bad = np.zeros(len(lines), bool)
        bad[chunk.bad] = True
        if self._of.layout is None:
            self._messages(lines, ~passed & ~bad, account)
        else:
            passed |= self._cells(chunk.lines, lines, ~passed & ~bad, account)
        account.passed = int((passed & ~bad).sum())
        return account

    def _messages(self, lines: pa.StringArray, todo: np.ndarray, account: Account) -> None:
        """Records of lines by pattern; the first that a line fits is its own."""
        peeled = peel(lines) if self._of.shape.syslog else None
        lines = peeled.rest if peeled else lines
        for rule in self._of.rules:
            at = np.flatnonzero(todo)
            index, texts = extract(lines.take(pa.array(at)), rule.pattern)
            index = at[index]
            if not len(index):
                continue
            todo[index] = False
            mine = lines.take(pa.array(index))
            for pattern in rule.find:
                texts |= _found(mine, pattern)
            self._record(rule, texts, index, account, peeled)
        left = np.flatnonzero(todo)
        if self._of.shape.other == "counted":
            account.unfit += len(left)
        elif len(left):
            account.refuse(NO_PATTERN, left)

    def _cells(
        self, raw: pa.StringArray, lines: pa.StringArray, todo: np.ndarray, account: Account
    ) -> np.ndarray:
        """Records of a table's rows; gives the lines that are headers or stand above one."""
        rule, layout = self._of.rules[0], self._of.layout
        above = np.zeros(len(lines), bool)
        if layout is None:
            return above
        places = {name: at for at, name in enumerate(layout.columns) if name}
        parts = (
            self._sheet.parts(raw, lines, todo)
            if self._sheet
            else [_Part(np.flatnonzero(todo), layout.separator, places)]
        )
        for part in parts:
            above[part.above] = True
            index = part.index
            if not part.places:
                account.refuse(NO_HEADER, index)
                continue
            split = Cells.of(lines.take(pa.array(index)), part.separator)
            whole = split.counts == len(layout.columns) if layout.columns else split.counts > 0
            account.refuse(TORN, index[~whole])
            texts = {name: split.column(at).filter(pa.array(whole)) for name, at in part.places.items()}
            self._record(rule, texts, index[whole], account, None)
        return above

    def _record(
        self,
        rule: Rule,
        texts: Mapping[str, pa.Array],
        index: np.ndarray,
        account: Account,
        peeled: Peeled | None,
    ) -> None:
        """Texts to records; lines with a cell that cannot be are refused."""
        count = len(index)
        texts = {name: self._cleaned(text, rule.map.get(name, {})) for name, text in texts.items()}
        for name, word in rule.set.items():
            texts[name] = pc.fill_null(texts[name], word) if name in texts else pa.repeat(word, count)
        columns, wrong = cells.values(rule.kind, texts, count, self._clocks, self._context)
        if peeled is not None:
            columns["ts"] = self._stamped(columns.get("ts"), peeled, index)
        good = np.ones(count, bool)
        for reason, rows in wrong.items():
            account.refuse(reason, index[rows])
            good &= ~rows
        if good.any():
            account.rows.append(keep(Rows(rule.kind, columns, index), good))

    def _cleaned(self, text: pa.Array, meanings: Mapping[str, str]) -> pa.Array:
        """Cells without blanks around them; those that stand for none are null, others are translated."""
        text = given(pc.utf8_trim_whitespace(text), ("", *self._of.shape.nothing))
        if not meanings:
            return text
        meant = pa.array(list(meanings.values())).take(
            pc.index_in(text, value_set=pa.array(list(meanings)))
        )
        return pc.coalesce(meant, text)

    def _stamped(self, own: pa.Array | None, peeled: Peeled, index: np.ndarray) -> pa.Array:
        """The line's own time; where it has none, that of the system log."""
        if own is None:
            own = pa.nulls(len(index), TIMESTAMP)
        here = pc.if_else(pc.is_null(own), peeled.stamp.take(pa.array(index)), None)
        return pc.coalesce(own, read_stamps(here, self._context))


def _found(lines: pa.StringArray, pattern: str) -> dict[str, pa.Array]:
    """The groups of a pattern in each line; null where it does not fit."""
    found = pc.extract_regex(lines, pattern)
    return {group.name: pc.struct_field(found, group.name) for group in found.type}


@dataclass(frozen=True, slots=True)
class _Part:
    """Rows under one header."""

    index: np.ndarray
    separator: str
    places: Mapping[str, int]
    """Column to its cell; empty where there is no header above."""
    above: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    """The header, its repetitions, and what stands above it."""


class _Sheet:
    """The header in force; each sheet of a workbook has its own."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._header: tuple[str, str, dict[str, int]] | None = None
        self._left = _HEADER_WITHIN
        self._sheets = 0

    def parts(self, raw: pa.StringArray, lines: pa.StringArray, todo: np.ndarray) -> Iterator[_Part]:
        """The rows of a chunk by the header above them."""
        begins = np.flatnonzero(mask(pc.starts_with(raw, SHEET)))[: _MOST_SHEETS - self._sheets]
        self._sheets += len(begins)
        edges = np.unique(np.concatenate(([0], begins, [len(lines)])))
        for start, stop in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
            if start in begins:
                self._header, self._left = None, _HEADER_WITHIN
            index = start + np.flatnonzero(todo[start:stop])
            if len(index):
                yield self._part(lines, index)

    def _part(self, lines: pa.StringArray, index: np.ndarray) -> _Part:
        top = index[:0]
        if self._header is None:
            tried = index[: self._left]
            self._left -= len(tried)
            for number, line in enumerate(lines.take(pa.array(tried)).to_pylist()):
                if (header := self._read(line)) is not None:
                    self._header = header
                    top, index = index[:number], index[number:]
                    break
        if self._header is None:
            return _Part(index, "", {})
        text, separator, places = self._header
        again = mask(pc.equal(lines.take(pa.array(index)), text))
        return _Part(index[~again], separator, places, np.concatenate((top, index[again])))

    def _read(self, line: str) -> tuple[str, str, dict[str, int]] | None:
        """A header's text, separator and places; None where the line is none."""
        separator = self._layout.separator
        if separator:
            found = split_quoted(line, separator) if '"' in line else line.split(separator)
        else:
            separator, found = header_cells(line)
        at: dict[str, int] = {}
        for position, cell in enumerate(found):
            at.setdefault(title(cell), position)
        places = {
            column: next(at[word] for word in words if word in at)
            for column, words in self._layout.words.items()
            if any(word in at for word in words)
        }
        return (line, separator, places) if self._layout.needs <= set(places) else None
