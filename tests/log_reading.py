"""Logs out of strings, for tests of formats: what a parser makes of some chunks, as printed cells."""

from __future__ import annotations

import datetime as dt
from types import ModuleType
from typing import Any

import numpy as np
import pyarrow as pa

from netaudit.intake.lines import Chunk
from netaudit.intake.times import Context, parse_zone
from netaudit.records.printed import text as printed
from netaudit.records.schemas import IP, MAC, TIMESTAMP, conform

COLLECTED = dt.datetime(2026, 12, 1, tzinfo=dt.UTC)


def chunk(text: str, first: int = 1, *, ends: bool = True) -> Chunk:
    """The lines of a text; `ends` says whether the last has a line end."""
    lines = pa.array(text.split("\n"), pa.string())
    sizes = np.array([len(line.encode()) + 1 for line in lines.to_pylist()])
    sizes[-1] -= not ends
    return Chunk(lines, first, np.array([], np.int64), sizes)


def context(zone: str = "UTC", **options: str) -> Context:
    return Context(name="log", zone=parse_zone(zone), collected=COLLECTED, options=options)


def read(
    module: ModuleType, *texts: str, zone: str = "UTC", ends: bool = True, **options: str
) -> tuple[list[dict[str, Any]], list[str]]:
    """Records of a file that came in these chunks, by line, and why lines were rejected."""
    parse = module.FORMAT.open(context(zone, **options))
    found, reasons, first = [], [], 1
    for text in texts:
        piece = chunk(text, first, ends=ends)
        parsed = parse(piece)
        for rows in parsed.rows:
            batch = conform(rows.kind, rows.columns, len(rows.line))
            batch.validate(full=True)
            cells = {name: _plain(batch.column(name)) for name in batch.schema.names}
            found += [
                {"kind": rows.kind, "line": first + int(at), **{n: c[i] for n, c in cells.items()}}
                for i, at in enumerate(rows.line)
            ]
        reasons += [reason for reason, index in parsed.rejected.items() for _ in index]
        first += len(piece.lines)
    return sorted(found, key=lambda row: row["line"]), reasons


def accounted(module: ModuleType, text: str) -> tuple[int, int]:
    """Lines that a parser answered for, and lines there were. A line may give several records."""
    piece = chunk(text)
    parsed = module.FORMAT.open(context())(piece)
    for rows in parsed.rows:
        conform(rows.kind, rows.columns, len(rows.line)).validate(full=True)
    lines = [*(r.line for r in parsed.rows), *parsed.rejected.values(), np.zeros(0, np.int64)]
    return len(np.unique(np.concatenate(lines))) + parsed.other, len(piece.lines)


def _plain(column: pa.Array) -> list[Any]:
    return (printed(column) if column.type in {IP, MAC, TIMESTAMP} else column).to_pylist()
