"""The entries of one list as columns, and the account of what could not become one.

A format's parser puts entries into a `RuleSink`, many at a time; the sink drops what is cancelled
or repeated or too wide, and counts every line: ``lines == rule_lines + skipped``, always.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.lines import Chunk
from netaudit.intake.tally import FIRST_KEPT
from netaudit.matching.columns import as_mask
from netaudit.matching.entry_checks import is_public_suffix, is_repeated, is_too_many, is_too_wide
from netaudit.matching.indicator import Condition
from netaudit.records.evidence import Skipped

BLANK = "the line is empty"
COMMENT = "the line is a comment"
REPEATED = "the entry repeats an earlier one"
CANCELLED = "another line of the list cancels the entry"
LOCAL = "the entry is a name of the local host"
NOT_TEXT = "the line is not text, or too long"
INVALID = "the line is no entry of this format"
SINGLE_LABEL = "the entry has a single label"
PUBLIC_SUFFIX = "the entry covers a public suffix"
TOO_WIDE = "the entry covers too much"
TOO_MANY = "the list has too many masks and regular expressions"


_HARMLESS = frozenset({BLANK, COMMENT, REPEATED, CANCELLED, LOCAL})

Words: TypeAlias = Any
"""A sequence of str, or a string column."""
Numbers: TypeAlias = int | Sequence[int] | np.ndarray


@dataclass(frozen=True, slots=True)
class Rules:
    """Entries as columns: first those of names, then of networks, then of patterns."""

    names: pa.Array
    """large_string; normal form."""
    scope: np.ndarray
    """uint8, `Scope.code` of each name."""
    high: np.ndarray
    """uint64, upper half of each network's address."""
    low: np.ndarray
    """uint64, lower half."""
    prefix: np.ndarray
    """uint8, 0 to 128; IPv4 is v4-mapped."""
    patterns: pa.Array
    """large_string; RE2, searched without regard to case."""
    line: np.ndarray
    """uint32 for each entry, from 1."""
    entry: pa.Array
    """large_string for each entry, as in the list; null where it is the name itself."""
    allow: np.ndarray
    """bool for each entry: an exception."""
    rank: np.ndarray
    """uint16 for each entry: an exception silences what has a lower rank in the same list."""
    condition: np.ndarray
    """uint32 for each entry: index in `conditions`; 0 is the one that always holds."""
    conditions: tuple[Condition, ...]

    def __len__(self) -> int:
        """Number of entries."""
        return len(self.line)


@dataclass(frozen=True, slots=True)
class ListReport:
    """What became of a list's lines."""

    lines: int
    rule_lines: int
    """Lines that gave at least one entry."""
    rules: int
    skipped: tuple[Skipped, ...] = ()
    """Lines that gave no entry, each under one reason."""
    noted: tuple[Skipped, ...] = ()
    """Lines that were not used as they stand, or not wholly."""

    def skipped_for(self, reason: str) -> int:
        """How many lines were skipped for `reason`."""
        return sum(s.count for s in self.skipped if s.reason == reason)


class RuleSink:
    """Collects the entries of one list, chunk by chunk."""

    def __init__(self) -> None:
        """Start an empty list."""
        self.lines = 0
        self._first = 1
        self._conditions: dict[Condition, int] = {Condition(): 0}
        self._names = _Block("text", "scope")
        self._networks = _Block("high", "low", "prefix")
        self._patterns = _Block("text")
        self._skips: dict[str, list[np.ndarray]] = {}
        self._notes: dict[str, list[np.ndarray]] = {}
        self._cancelled: list[str] = []

    def content(self, chunk: Chunk, comments: str) -> tuple[np.ndarray, pa.Array]:
        """Begin a chunk: its lines that are neither empty nor comments, trimmed, and their index.

        Args:
            chunk: The next lines of the list.
            comments: RE2; what matches at the start of a trimmed line is a comment.
        """
        self.lines += len(chunk.lines)
        self._first = chunk.first
        lines = pc.utf8_trim_whitespace(chunk.lines)
        blank = as_mask(pc.equal(lines, ""))
        comment = as_mask(pc.match_substring_regex(lines, f"^(?:{comments})"))
        bad = np.zeros(len(lines), bool)
        bad[chunk.bad] = True
        self.skip(NOT_TEXT, np.flatnonzero(bad))
        self.skip(BLANK, np.flatnonzero(blank & ~bad))
        self.skip(COMMENT, np.flatnonzero(comment))
        index = np.flatnonzero(~(blank | comment))
        return index, lines.take(pa.array(index))

    def skip(self, reason: str, index: Sequence[int] | np.ndarray) -> None:
        """Lines of the current chunk that gave nothing, or not all that stands there."""
        if len(index):
            self._skips.setdefault(reason, []).append(self._lines(index))

    def note(self, remark: str, index: Sequence[int] | np.ndarray) -> None:
        """Lines of the current chunk that are used, though not as they stand."""
        if len(index):
            self._notes.setdefault(remark, []).append(self._lines(index))

    def cancel(self, entry: str) -> None:
        """Leave out every entry of the list that reads `entry`."""
        self._cancelled.append(entry)

    def condition(self, condition: Condition) -> int:
        """The number to pass for `condition`."""
        return self._conditions.setdefault(condition, len(self._conditions))

    def names(
        self,
        index: Sequence[int] | np.ndarray,
        names: Words,
        entry: Words,
        *,
        scope: Numbers,
        allow: Numbers = 0,
        rank: Numbers = 0,
        condition: Numbers = 0,
    ) -> None:
        """Add entries for names.

        Args:
            index: Line of each in the current chunk.
            names: In normal form.
            entry: As they stand in the list.
            scope: `Scope.code`; as the following, one for all or one for each.
            allow: Whether it is an exception.
            rank: See `Rules.rank`.
            condition: From `condition`.
        """
        words, raw = _strings(names), _strings(entry)
        if words.type == raw.type:
            raw = pc.if_else(pc.equal(words, raw), pa.scalar(None, raw.type), raw)
        self._names.add(
            len(words),
            text=words,
            entry=raw,
            scope=scope,
            line=self._lines(index),
            allow=allow,
            rank=rank,
            condition=condition,
        )

    def networks(
        self,
        index: Sequence[int] | np.ndarray,
        high: Any,
        low: Any,
        prefix: Numbers,
        entry: Words,
        *,
        allow: Numbers = 0,
        rank: Numbers = 0,
        condition: Numbers = 0,
    ) -> None:
        """Add entries for networks; see `Rules` and `names`."""
        self._networks.add(
            len(index),
            high=np.asarray(high, np.uint64),
            low=np.asarray(low, np.uint64),
            prefix=prefix,
            entry=_strings(entry),
            line=self._lines(index),
            allow=allow,
            rank=rank,
            condition=condition,
        )

    def patterns(
        self,
        index: Sequence[int] | np.ndarray,
        expressions: Words,
        entry: Words,
        *,
        allow: Numbers = 0,
        rank: Numbers = 0,
        condition: Numbers = 0,
    ) -> None:
        """Add entries that are regular expressions (RE2); see `names`."""
        self._patterns.add(
            len(index),
            text=_strings(expressions),
            entry=_strings(entry),
            line=self._lines(index),
            allow=allow,
            rank=rank,
            condition=condition,
        )

    def finish(self, *, guarded: bool = True, lines: np.ndarray | None = None) -> tuple[Rules, ListReport]:
        """The list's entries and the account of its lines.

        Args:
            guarded: Refuse entries that cover a public suffix or far too much.
            lines: Physical line of each line read, where the entries were cut out of another file.
        """
        names, networks, patterns = (b.columns() for b in (self._names, self._networks, self._patterns))
        conditions = tuple(self._conditions)
        for reason, test in (
            (CANCELLED, self._is_cancelled),
            (REPEATED, is_repeated),
            (PUBLIC_SUFFIX, is_public_suffix if guarded else None),
            (TOO_WIDE, is_too_wide if guarded else None),
            (TOO_MANY, is_too_many),
        ):
            if test is not None:
                names, networks, patterns = (
                    self._without(block, test(block), reason) for block in (names, networks, patterns)
                )
        blocks = (names, networks, patterns)
        rules = Rules(
            names=names["text"],
            scope=names["scope"],
            high=networks["high"],
            low=networks["low"],
            prefix=networks["prefix"],
            patterns=patterns["text"],
            line=np.concatenate([b["line"] for b in blocks]),
            entry=pa.concat_arrays([b["entry"] for b in blocks]),
            allow=np.concatenate([b["allow"] for b in blocks]),
            rank=np.concatenate([b["rank"] for b in blocks]),
            condition=np.concatenate([b["condition"] for b in blocks]),
            conditions=conditions,
        )
        report = self._report(rules)
        if lines is not None:
            rules = replace(rules, line=lines[rules.line - 1])
            report = _moved(report, lines)
        return rules, report

    def _lines(self, index: Sequence[int] | np.ndarray) -> np.ndarray:
        return np.asarray(index, np.int64) + self._first

    def _is_cancelled(self, block: dict[str, Any]) -> np.ndarray:
        if not self._cancelled:
            return np.zeros(len(block["line"]), bool)
        written = pc.coalesce(block["entry"], block["text"]) if "text" in block else block["entry"]
        return as_mask(pc.is_in(written, pa.array(self._cancelled, pa.large_string())))

    def _without(self, block: dict[str, Any], drop: np.ndarray, reason: str) -> dict[str, Any]:
        if not drop.any():
            return block
        self._skips.setdefault(reason, []).append(block["line"][drop])
        keep = ~drop
        return {
            key: column.filter(pa.array(keep)) if isinstance(column, pa.Array) else column[keep]
            for key, column in block.items()
        }

    def _report(self, rules: Rules) -> ListReport:
        used = np.zeros(self.lines + 1, bool)
        used[rules.line] = True
        rule_lines = int(used.sum())
        skipped, noted = [], []
        for reason, parts in self._skips.items():
            lines = np.unique(np.concatenate(parts))
            fresh = ~used[lines]
            used[lines] = True
            skipped.append(_skipped(reason, lines[fresh]))
            noted.append(_skipped(reason, lines[~fresh]))
        noted += [_skipped(note, np.unique(np.concatenate(p))) for note, p in self._notes.items()]
        return ListReport(
            self.lines,
            rule_lines,
            len(rules),
            tuple(sorted((s for s in skipped if s.count), key=lambda s: s.reason)),
            tuple(sorted((s for s in noted if s.count), key=lambda s: s.reason)),
        )


_COMMON = ("line", "entry", "allow", "rank", "condition")
_NUMBERS: dict[str, Any] = {
    "scope": np.uint8,
    "line": np.uint32,
    "allow": np.bool_,
    "rank": np.uint16,
    "condition": np.uint32,
    "high": np.uint64,
    "low": np.uint64,
    "prefix": np.uint8,
}


class _Block:
    """Growing columns of one kind of entry; a single number stands for a column of it."""

    def __init__(self, *own: str) -> None:
        self._parts: dict[str, list[Any]] = {key: [] for key in (*own, *_COMMON)}

    def add(self, count: int, **columns: Any) -> None:
        for key, values in columns.items():
            if key in _NUMBERS:
                part = np.broadcast_to(np.asarray(values, _NUMBERS[key]), (count,))
            else:
                part = values.cast(pa.large_string())
            self._parts[key].append(part)

    def columns(self) -> dict[str, Any]:
        """All of them, joined; the block is empty afterwards."""
        parts, self._parts = self._parts, {}
        return {
            key: np.concatenate([np.empty(0, _NUMBERS[key]), *column])
            if key in _NUMBERS
            else pa.concat_arrays([pa.array([], pa.large_string()), *column])
            for key, column in parts.items()
        }


def _strings(words: Words) -> pa.Array:
    if isinstance(words, pa.ChunkedArray):
        return words.combine_chunks()
    return words if isinstance(words, pa.Array) else pa.array(words, pa.string())


def _skipped(reason: str, lines: np.ndarray) -> Skipped:
    first = tuple(int(n) for n in lines[:FIRST_KEPT])
    return Skipped(reason, len(lines), first, reason not in _HARMLESS)


def _moved(report: ListReport, lines: np.ndarray) -> ListReport:
    def move(entries: tuple[Skipped, ...]) -> tuple[Skipped, ...]:
        return tuple(replace(e, first=tuple(int(lines[n - 1]) for n in e.first)) for e in entries)

    return replace(report, skipped=move(report.skipped), noted=move(report.noted))
