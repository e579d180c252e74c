"""What a format makes of a sample: its test, and what people are shown of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Sample
from netaudit.intake.times import Context, parse_zone
from netaudit.records.printed import text
from netaudit.records.schemas import IP, MAC, TIMESTAMP, conform

COLLECTED = dt.datetime(2026, 12, 1, tzinfo=dt.UTC)
"""When samples count as collected: it settles the year of times that have none."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of a sample."""

    records: tuple[dict[str, Any], ...]
    """In the order of the lines, with their `kind`; cells as printed, those absent are None."""
    rejected: Mapping[str, tuple[int, ...]]
    """Reason to numbers of lines, from 1."""


def try_sample(member: LogFormat, sample: Sample) -> Trial:
    """Read one sample by a format."""
    lines = pa.array(sample.text.split("\n"), pa.string())
    sizes = np.array([len(line.encode()) + 1 for line in lines.to_pylist()])
    context = Context(zone=parse_zone(sample.timezone), collected=COLLECTED)
    parsed = member.open(context)(Chunk(lines, 1, np.array([], np.int64), sizes))
    found: list[tuple[int, dict[str, Any]]] = []
    for rows in parsed.rows:
        batch = conform(rows.kind, rows.columns, len(rows.line))
        columns = {name: plain(batch.column(name)) for name in batch.schema.names}
        for row, line in enumerate(rows.line.tolist()):
            found.append((line, {"kind": rows.kind, **{n: c[row] for n, c in columns.items()}}))
    found.sort(key=lambda pair: pair[0])
    rejected = {reason: tuple((index + 1).tolist()) for reason, index in sorted(parsed.rejected.items())}
    return Trial(tuple(record for _, record in found), rejected)


def plain(column: pa.Array) -> list[Any]:
    """The values of a column: addresses and times as printed, others as they are."""
    values: list[Any] = (text(column) if column.type in {IP, MAC, TIMESTAMP} else column).to_pylist()
    return values


def differences(member: LogFormat, sample: Sample) -> Iterator[str]:
    """In what a sample does not come out as it says."""
    trial = try_sample(member, sample)
    for number, (found, wanted) in enumerate(zip(trial.records, sample.records, strict=False), 1):
        for name, value in wanted.items():
            if found.get(name) != value:
                yield f"record {number}: {name} is {found.get(name)!r} and not {value!r}"
    if len(trial.records) != len(sample.records):
        reasons = "; ".join(
            f"line {', '.join(map(str, numbers))}: {reason}" for reason, numbers in trial.rejected.items()
        )
        yield (
            f"it gives {len(trial.records)} records and not {len(sample.records)}"
            f"{f' ({reasons})' if reasons else ''}"
        )
