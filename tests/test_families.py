"""Every member of the family of formats against its own samples, and against the others'."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from netaudit.intake import times
from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Sample
from netaudit.plugins import discover
from netaudit.records.printed import text
from netaudit.records.schemas import IP, KINDS, MAC, TIMESTAMP, conform

FORMATS: dict[str, LogFormat] = discover("netaudit.sources.formats")
COLLECTED = dt.datetime(2026, 12, 1, tzinfo=dt.UTC)
SAMPLES = [
    pytest.param(name, sample, id=f"{name}-{number}")
    for name in sorted(FORMATS)
    for number, sample in enumerate(FORMATS[name].samples, 1)
]


def records_of(member: LogFormat, sample: Sample) -> list[dict[str, Any]]:
    """What a format makes of a sample, in the order of the lines."""
    lines = pa.array(sample.text.split("\n"))
    nothing = np.array([], np.int64)
    sizes = np.array([len(line.encode()) + 1 for line in lines.to_pylist()])
    context = times.Context(zone=times.parse_zone(sample.timezone), collected=COLLECTED)
    parsed = member.open(context)(Chunk(lines, 1, nothing, sizes))
    used = (
        sum(len(r.line) for r in parsed.rows) + sum(len(v) for v in parsed.rejected.values()) + parsed.other
    )
    assert used >= 1 or not sample.text
    found = []
    for rows in parsed.rows:
        assert rows.kind in member.kinds
        batch = conform(rows.kind, rows.columns, len(rows.line))
        batch.validate(full=True)
        cells = {n: _plain(batch.column(n)) for n in batch.schema.names}
        found += [
            (int(line), {"kind": rows.kind, **{n: c[i] for n, c in cells.items()}})
            for i, line in enumerate(rows.line)
        ]
    return [record for _, record in sorted(found, key=lambda pair: pair[0])]


def _plain(column: pa.Array) -> list[Any]:
    return (text(column) if column.type in {IP, MAC, TIMESTAMP} else column).to_pylist()


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_member_says_what_it_is(name: str) -> None:
    member = FORMATS[name]
    assert member.title
    assert member.reference
    assert member.samples
    assert member.kinds
    assert set(member.kinds) <= set(KINDS)


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_member_has_samples_that_give_records_and_one_that_gives_none(name: str) -> None:
    samples = FORMATS[name].samples
    assert any(sample.records for sample in samples)
    assert len(samples) >= 2


@pytest.mark.parametrize(("name", "sample"), SAMPLES)
def test_sample_gives_exactly_its_cells(name: str, sample: Sample) -> None:
    found = records_of(FORMATS[name], sample)
    expected = list(sample.records)
    cut = [{key: record[key] for key in wanted} for record, wanted in zip(found, expected, strict=False)]
    assert cut == expected
    assert len(found) == len(expected)


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_samples_are_recognised_by_their_own_format_only(name: str) -> None:
    for sample in FORMATS[name].samples:
        lines = sample.text.split("\n")
        others = {n for n in sorted(FORMATS) if n != name and FORMATS[n].sniff(lines) > 0.5}
        assert not others, (others, sample.text)
    whole = "\n".join(sample.text for sample in FORMATS[name].samples if sample.records).split("\n")
    assert FORMATS[name].sniff(whole) > 0.5


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_nothing_is_claimed_of_an_empty_or_foreign_file(name: str) -> None:
    for lines in ([], [""], ["lorem ipsum", "dolor sit amet"], ["\0" * 10]):
        assert FORMATS[name].sniff(lines) <= 0.5
