"""A format's file as rules that can be applied: patterns, columns and times are judged once, here."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from netaudit.errors import ConfigError
from netaudit.intake.times import parse_zone
from netaudit.records.schemas import KINDS
from netaudit.sources.declared import cells
from netaudit.sources.declared.clocks import Clockwork, clockwork
from netaudit.sources.declared.shape import LineShape, Shape, TableShape
from netaudit.sources.formats._delimited import SEPARATORS, title

MAX_PATTERNS = 64
MAX_PATTERN = 4_096
_OTHERS = ("rejected", "counted")


@dataclass(frozen=True, slots=True)
class Rule:
    """How texts of one kind of line become a record."""

    kind: str
    set: Mapping[str, str]
    map: Mapping[str, Mapping[str, str]]
    pattern: str = ""
    """Of a line; empty for a table."""
    find: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a table's columns are."""

    words: Mapping[str, tuple[str, ...]]
    """Column to its titles, in the form of `_delimited.title`."""
    needs: frozenset[str]
    columns: tuple[str, ...]
    """Of a table without a header."""
    separator: str


@dataclass(frozen=True, slots=True)
class Compiled:
    """All that a file says, in a form that works."""

    shape: Shape
    rules: tuple[Rule, ...]
    """Of lines, in their order; or the one of a table."""
    layout: Layout | None
    clocks: Mapping[str, Clockwork]
    ignore: tuple[str, ...] = field(default=())

    @property
    def kinds(self) -> tuple[str, ...]:
        """What the format gives."""
        return tuple(sorted({rule.kind for rule in self.rules}))


def compiled(shape: Shape, where: str) -> Compiled:
    """A format that can be applied.

    Raises:
        ConfigError: What cannot be, with file, key, and what was probably meant.
    """
    _check_outline(shape, where)
    clocks = {
        "ts": _clock(shape.time.ts, f"{where}: time.ts"),
        "ts_end": _clock(shape.time.ts_end or shape.time.ts, f"{where}: time.ts_end"),
    }
    if shape.time.zone:
        _zone(shape.time.zone, f"{where}: time.zone")
    for pattern in shape.ignore:
        _groups(pattern, f"{where}: ignore")
    if shape.table is not None:
        rule, layout = _table(shape.table, shape, f"{where}: table")
        return Compiled(shape, (rule,), layout, clocks, shape.ignore)
    rules = [_line(line, shape, f"{where}: line[{n}]") for n, line in enumerate(shape.line)]
    return Compiled(shape, tuple(rules), None, clocks, shape.ignore)


def _check_outline(shape: Shape, where: str) -> None:
    patterns = len(shape.line) + len(shape.ignore) + sum(len(line.find) for line in shape.line)
    if (shape.table is None) == (not shape.line) or patterns > MAX_PATTERNS:
        raise ConfigError(
            "format-outline",
            "A format has either [[line]] or [table], and at most {most} patterns.",
            where=where,
            hint="Compare with examples/formats.",
            most=MAX_PATTERNS,
        )
    if shape.other not in _OTHERS:
        raise _unknown(shape.other, _OTHERS, f"{where}: other")
    least = shape.recognise.share
    if least is not None and not 0 < least <= 1:
        raise ConfigError(
            "format-share",
            "The least share of lines is {share}; it must be above 0 and at most 1.",
            where=f"{where}: recognise.share",
            hint="Write 0.5 for a half.",
            share=least,
        )


def _line(line: LineShape, shape: Shape, where: str) -> Rule:
    kind = _kind(line.kind or shape.kind, where)
    groups = [_groups(line.pattern, f"{where}.pattern")]
    groups += [_groups(pattern, f"{where}.find") for pattern in line.find]
    names = [name for found in groups for name in found]
    _check_columns(names, kind, f"{where}.pattern")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigError(
            "format-column-twice",
            "Two groups have the name {column}.",
            where=where,
            hint="Give alternatives one group: (?P<name>one|two).",
            column=twice[0],
        )
    _check_cells(line, kind, where)
    _check_time({*names, *line.set, *({"ts"} if shape.syslog else ())}, kind, where)
    return Rule(kind, line.set, line.map, line.pattern, line.find)


def _table(table: TableShape, shape: Shape, where: str) -> tuple[Rule, Layout]:
    kind = _kind(table.kind or shape.kind, where)
    named = [name for name in table.columns if name]
    if bool(table.titles) == bool(named) or (named and len(table.separator) != 1):
        raise ConfigError(
            "format-table",
            "A table has either titles, or columns and a separator.",
            where=where,
            hint='Write [table.titles] client_ip = "终端IP", or columns = ["ts", "client_ip"] and separator = ",".',
        )
    if table.separator and table.separator not in SEPARATORS:
        raise _unknown(table.separator, SEPARATORS, f"{where}.separator")
    _check_columns([*table.titles, *named], kind, where)
    for name in table.needs:
        if name not in table.titles:
            raise _unknown(name, table.titles, f"{where}.needs")
    _check_cells(table, kind, where)
    _check_time({*table.titles, *named, *table.set}, kind, where)
    words = {column: tuple(title(word) for word in words) for column, words in table.titles.items()}
    needs = frozenset(table.needs or table.titles)
    return Rule(kind, table.set, table.map), Layout(words, needs, table.columns, table.separator)


def _kind(kind: str, where: str) -> str:
    if kind not in KINDS:
        near = _near(kind, KINDS)
        raise ConfigError(
            "format-kind",
            "There is no kind of records {kind}.",
            where=f"{where}: kind",
            hint="Did you mean {near}?" if near else "Known here: {known}.",
            kind=repr(kind),
            near=near,
            known=", ".join(sorted(KINDS)),
        )
    return kind


def _groups(pattern: str, where: str) -> list[str]:
    """Names of a pattern's groups, as RE2 understands it."""
    if len(pattern) > MAX_PATTERN:
        raise _unusable(f"it is longer than {MAX_PATTERN} characters", where)
    try:
        return [group.name for group in pc.extract_regex(pa.array(["x"]), pattern).type]
    except pa.ArrowInvalid as error:
        raise _unusable(str(error).partition("\n")[0], where) from error


def _unusable(reason: str, where: str) -> ConfigError:
    return ConfigError(
        "format-pattern",
        "The pattern cannot be used: {reason}.",
        where=where,
        hint="It is RE2: groups are (?P<column>…), or (?:…) where nothing is taken; there is no look-ahead.",
        reason=reason.rstrip("."),
    )


def _check_columns(names: Iterable[str], kind: str, where: str) -> None:
    known = cells.columns_of(kind)
    for name in names:
        if name not in known:
            near = _near(name, known)
            raise ConfigError(
                "format-column",
                "Records of the kind {kind} have no column {column}.",
                where=where,
                hint="Did you mean {near}?" if near else "Known here: {known}.",
                kind=kind,
                column=name,
                near=near,
                known=", ".join(sorted(known)),
            )


def _check_cells(shape: LineShape | TableShape, kind: str, where: str) -> None:
    _check_columns(shape.set, kind, f"{where}.set")
    _check_columns(shape.map, kind, f"{where}.map")


def _check_time(columns: set[str], kind: str, where: str) -> None:
    if cells.needs_time(kind) and not columns & {"ts", "ts_date"}:
        raise ConfigError(
            "format-without-time",
            "Nothing here gives the time, ts, which records of the kind {kind} need.",
            where=where,
            hint="Name a group or title ts; or set syslog = true, where the system log's header has the time.",
            kind=kind,
        )


def _clock(form: str, where: str) -> Clockwork:
    try:
        return clockwork(form)
    except ValueError as error:
        raise ConfigError(
            "format-time",
            "{form} is no way of writing times: {reason}.",
            where=where,
            hint="Write iso, epoch, syslog, or parts such as %Y-%m-%d %H:%M:%S.",
            form=repr(form),
            reason=str(error),
        ) from error


def _zone(zone: str, where: str) -> None:
    try:
        parse_zone(zone)
    except ConfigError as error:
        error.where = where
        raise


def _unknown(word: str, known: Iterable[str], where: str) -> ConfigError:
    names = sorted(known)
    near = _near(word, names)
    return ConfigError(
        "format-word",
        "{word} is none of what can stand here.",
        where=where,
        hint="Did you mean {near}?" if near else "Known here: {known}.",
        word=repr(word),
        near=near,
        known=", ".join(repr(name) for name in names),
    )


def _near(word: str, known: Iterable[str]) -> str:
    found: list[Any] = difflib.get_close_matches(word, list(known), 1)
    return str(found[0]) if found else ""


NAME = re.compile(r"[^\W_][\w-]{0,59}\Z")
"""What the file of a format may be called, without ``.toml``: it is the format's name."""
