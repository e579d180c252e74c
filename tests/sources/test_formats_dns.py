"""Formats of DNS and sensor logs: whole files, hostile lines, and no seam between chunks."""

from __future__ import annotations

import csv
import datetime as dt
import random
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netaudit.intake import times
from netaudit.intake.lines import Chunk
from netaudit.plugins import discover
from netaudit.records.printed import text
from netaudit.records.schemas import conform

FORMATS = discover("netaudit.sources.formats")
OURS = ("adguard_home", "bind_querylog", "dnsmasq_log", "suricata_eve", "zeek")
SHARED = {
    "bind_querylog": "dns/bind-querylog/*.log",
    "dnsmasq_log": "dns/dnsmasq/*.log",
    "adguard_home": "dns/adguard-home/*.json",
    "suricata_eve": "dns/suricata/*.json",
    "zeek": "dns/zeek/*[gn]",
}
NAMES = {"ts_utc": "ts", "qname": "name"}


def context(zone: str = "Asia/Shanghai") -> times.Context:
    return times.Context(zone=times.parse_zone(zone), collected=dt.datetime(2026, 12, 1, tzinfo=dt.UTC))


def chunk_of(lines: list[str], first: int = 1) -> Chunk:
    nothing = np.array([], np.int64)
    return Chunk(pa.array(lines, pa.string()), first, nothing, np.array([len(x) + 1 for x in lines]))


def read(
    name: str, lines: list[str], cuts: list[int] | None = None
) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """Rows as printed cells, by line and kind, and the lines rejected by reason; all are counted."""
    parse = FORMATS[name].open(context())
    found, lost = [], defaultdict(int)
    edges = [0, *sorted(cuts or []), len(lines)]
    for start, stop in pairwise(edges):
        parsed = parse(chunk_of(lines[start:stop], start + 1))
        used = parsed.other
        for reason, index in parsed.rejected.items():
            lost[reason] += len(index)
            used += len(index)
        for rows in parsed.rows:
            batch = conform(rows.kind, rows.columns, len(rows.line))
            batch.validate(full=True)
            cells = {n: text(batch.column(n)).to_pylist() for n in batch.schema.names}
            for at, line in enumerate(rows.line):
                given_cells = {n: c[at] for n, c in cells.items() if c[at] is not None}
                found.append({"line": int(line) + start + 1, "kind": rows.kind, **given_cells})
            used += len(rows.line)
        assert used == stop - start
    return sorted(found, key=lambda row: (row["line"], row["kind"])), dict(lost)


def sample_lines(name: str) -> list[str]:
    return [line for sample in FORMATS[name].samples for line in sample.text.split("\n")]


@pytest.mark.parametrize("name", OURS)
def test_shared_samples_agree_with_their_tables(name: str, shared: Path) -> None:
    files = [
        f for f in sorted((shared / "samples").glob(SHARED[name])) if Path(f"{f}.expected.csv").exists()
    ]
    assert files
    agree = total = 0
    for file in files:
        lines = file.read_text(encoding="utf-8").splitlines()
        assert FORMATS[name].sniff(lines[:200]) > 0.5
        by_line = defaultdict(list)
        for row in read(name, lines)[0]:
            by_line[row["line"]].append(row)
        with Path(f"{file}.expected.csv").open(encoding="utf-8", newline="") as stream:
            for wanted in csv.DictReader(stream):
                total += 1
                agree += any(fits(wanted, row) for row in by_line[int(wanted["line"])])
    assert agree / total >= {"suricata_eve": 1.0}.get(name, 0.98)


def fits(wanted: dict[str, str], row: dict[str, Any]) -> bool:
    for column, value in wanted.items():
        if not value or column in {"line", "extra"}:
            continue
        got = row.get(NAMES.get(column, column), "")
        if column == "ts_utc":
            same = got.startswith(value.rstrip("Z"))
        elif column == "answers":  # some tables put the type before the data
            bare = {v.removeprefix("A:").removeprefix("AAAA:").lower() for v in value.split(";")}
            same = bare == {v.strip().lower() for v in got.split(";")}
        else:
            same = got.lower() == value.lower()
        if not same:
            return False
    return True


@pytest.mark.parametrize("name", OURS)
def test_every_line_of_the_samples_is_accounted_for(name: str) -> None:
    rows, lost = read(name, sample_lines(name))
    assert rows
    assert lost


@pytest.mark.parametrize("name", [n for n in OURS if n != "dnsmasq_log"])
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_chunks_leave_no_seam(name: str, data: st.DataObject) -> None:
    lines = sample_lines(name)
    cuts = data.draw(st.lists(st.integers(0, len(lines)), max_size=12, unique=True))
    assert read(name, lines, cuts) == read(name, lines)


def test_dnsmasq_joins_replies_where_chunks_end_before_a_query() -> None:
    lines = sample_lines("dnsmasq_log")
    starts = FORMATS["dnsmasq_log"].starts(pa.array(lines))
    cuts = [int(i) for i in np.flatnonzero(starts) if i > 1]  # the first sample's two queries overlap
    assert read("dnsmasq_log", lines, cuts) == read("dnsmasq_log", lines)
    assert len(cuts) > 3


@pytest.mark.parametrize("name", OURS)
@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    noise=st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=30),
)
def test_damaged_lines_never_raise_and_never_vanish(name: str, seed: int, noise: str) -> None:
    draw = random.Random(seed)
    damaged = []
    for line in sample_lines(name):
        at, to = sorted(draw.choices(range(len(line) + 1), k=2))
        damaged.append(draw.choice([line[:at], line[:at] + noise + line[to:], line, line[:at] + line[to:]]))
    draw.shuffle(damaged)
    read(name, damaged)


@pytest.mark.parametrize("name", OURS)
def test_nothing_in_gives_nothing_out(name: str) -> None:
    assert read(name, []) == ([], {})
    assert read(name, ["", ""]) == ([], {})


def test_bind_reads_the_usual_line_as_it_reads_the_rare_one() -> None:
    usual = "23-Nov-2026 09:15:02.265 queries: info: client @0x7f 10.1.0.13#547 (A.Example): query: A.Example IN A + (10.1.0.53)"
    rare = usual.replace(" (A.Example):", ":").replace(" + ", " ")  # no flags: not cut at blanks
    (one,), _ = read("bind_querylog", [usual])
    (other,), _ = read("bind_querylog", [rare])
    assert other == {k: v for k, v in one.items() if k != "transport"}


def test_bind_takes_its_own_stamp_before_the_carriers() -> None:
    line = (
        "2026-11-23T01:15:03Z ns1 named[812]: 23-Nov-2026 09:15:02.265 queries: info: client @0x7f 10.1.0.13#547 (a.b): "
        "query: a.b IN A + (10.1.0.53)"
    )
    (row,), _ = read("bind_querylog", [line])
    assert row["ts"] == "2026-11-23T01:15:02.265000000Z"


def test_dnsmasq_keeps_serials_of_two_processes_apart() -> None:
    def lines(pid: int, address: str) -> list[str]:
        head = f"Nov 23 00:00:40 dnsmasq[{pid}]: 1 10.1.0.1/5 "
        return [f"{head}query[A] a.example from 10.1.0.1", f"{head}reply a.example is {address}"]

    (a, b), (c, d) = lines(1, "192.0.2.1"), lines(2, "192.0.2.2")
    rows, _ = read("dnsmasq_log", [a, c, d, b])
    assert [row["answers"] for row in rows] == ["192.0.2.1", "192.0.2.2"]


def test_dnsmasq_gives_a_serial_used_again_to_the_later_query() -> None:
    head = "Nov 23 00:00:40 dnsmasq[1]: 1 10.1.0.1/5 "
    ask, tell = f"{head}query[A] a.example from 10.1.0.1", f"{head}reply a.example is "
    rows, _ = read("dnsmasq_log", [f"{tell}192.0.2.9", ask, f"{tell}192.0.2.1", ask, f"{tell}NXDOMAIN"])
    assert [(row.get("answers"), row.get("rcode")) for row in rows] == [
        ("192.0.2.1", "NOERROR"),
        (None, "NXDOMAIN"),
    ]


def test_zeek_without_a_header_says_so() -> None:
    rows, lost = read("zeek", ["1763856000.265001\tC1\t10.1.0.13"])
    assert not rows
    assert sum(lost.values()) == 1


def test_http_events_hold_no_path() -> None:
    for name in ("zeek", "suricata_eve"):
        rows, _ = read(name, sample_lines(name))
        assert any(row["kind"] == "http" for row in rows)
        assert "/secret" not in repr(rows)
