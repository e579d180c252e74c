"""The shape of one log format: how it is recognised, how its lines become columns.

To add a format write ``netaudit/sources/formats/<name>.py`` with one public ``FORMAT``. Its
samples are its tests and its documentation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.lines import Chunk
from netaudit.intake.times import Context


@dataclass(frozen=True, slots=True)
class Rows:
    """Records of one kind out of one chunk, as columns of equal length."""

    kind: str
    columns: dict[str, Any]
    """By name of `records.schemas.KINDS[kind]`; without file, ordinal and site."""
    line: np.ndarray
    """Index in the chunk of each record's first line."""


@dataclass(slots=True)
class Parsed:
    """What a format made of one chunk. Every line is accounted for by the reader."""

    rows: list[Rows] = field(default_factory=list)
    rejected: dict[str, np.ndarray] = field(default_factory=dict)
    """Reason (a message id) to indices of lines that should have been records and are not."""
    other: int = 0
    """Lines that hold no record of these kinds on purpose: comments, other messages."""


Parse = Callable[[Chunk], Parsed]


@dataclass(frozen=True, slots=True)
class Sample:
    """A real piece of a log and what it must become. Samples are tests and documentation."""

    text: str
    """One or more lines."""
    records: tuple[dict[str, Any], ...] = ()
    """Expected records in their printed form (as ``netaudit events`` prints), the `kind` and the
    named cells only. Empty: the line must be passed over or rejected."""
    timezone: str = "UTC"
    note: str = ""


@dataclass(frozen=True, slots=True)
class LogFormat:
    """One format of log, lease store, session log, table or inventory."""

    title: str
    """For people: product and file."""
    kinds: tuple[str, ...]
    reference: str
    """Where the format is documented."""
    sniff: Callable[[list[str]], float]
    """Confidence 0 to 1 from the first lines; above 0.5 it is this one."""
    open: Callable[[Context], Parse]
    """A parser for one file; state between chunks lives in what it returns."""
    samples: tuple[Sample, ...]
    starts: Callable[[pa.StringArray], np.ndarray] | None = None
    """For records that span lines: which lines begin one."""
    numbered: bool = True
    """Whether people tell its records by their line. Not those of a table that a command printed:
    rows wrap, and stand between prompts and heads."""
    tables: tuple[str, ...] = ()
    """Tables and views of an SQLite database (lower case) that it reads: `intake.containers` gives
    each of their rows as a line."""


def share(lines: Iterable[str], test: Callable[[str], object]) -> float:
    """Share of the non-empty lines that `test` accepts: what most `sniff`s return."""
    seen = [line for line in lines if line.strip()]
    return sum(bool(test(line)) for line in seen) / len(seen) if seen else 0.0


def extract(lines: pa.Array, pattern: str) -> tuple[np.ndarray, dict[str, pa.Array]]:
    """Indices of the lines that `pattern` (RE2, searched, named groups) matches, and its groups.

    Linear in the input whatever the pattern; an optional group that did not take part is null.
    """
    found = pc.extract_regex(lines, pattern)
    index = np.flatnonzero(pc.is_valid(found).to_numpy(zero_copy_only=False))
    matched = found.take(pa.array(index))
    groups = {f.name: pc.struct_field(matched, f.name) for f in found.type}
    return index, {name: empty_to_null(column) for name, column in groups.items()}


def said(text: pa.Array, pattern: str) -> pa.Array:
    """The one named group of `pattern` (RE2) at the first place where it fits in each text.

    Null where it fits nowhere or is empty. The first place counts, because what stands later may
    be a value that a client chose (a URL, a name).
    """
    return empty_to_null(pc.extract_regex(text, pattern).field(0))


def empty_to_null(column: pa.Array) -> pa.Array:
    """Empty strings as null."""
    return pc.if_else(pc.equal(column, ""), pa.scalar(None, column.type), column)
