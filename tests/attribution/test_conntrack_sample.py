"""The answer key of a real translation: who was behind each public port, seen on both sides."""

from __future__ import annotations

import csv
import datetime as dt

import pyarrow as pa
import pytest

from netaudit.attribution import walk_back_all
from netaudit.attribution.logs import Logs
from netaudit.attribution.trace import Outcome, Question
from netaudit.config import Settings
from netaudit.records.addresses import ip_column, parse_ip
from netaudit.records.evidence import EvidenceFile
from netaudit.records.schemas import concat, conform


@pytest.fixture(scope="module")
def sample(shared):
    return shared / "samples" / "nat" / "linux-conntrack"


@pytest.fixture(scope="module")
def logs(sample):
    name = "conntrack-E-timestamp-id-extended.log.expected.csv"
    with (sample / name).open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    times = [dt.datetime.fromisoformat(row["ts_utc"]) for row in rows]
    columns = {
        "ts": pa.array(times),
        "transport": pa.array([row["proto"] for row in rows]),
        "file": "sample",
        "message": pa.array([row["event"].lower() for row in rows]),
        "ordinal": pa.array([int(row["line"]) for row in rows]),
    }
    for ours, theirs in (("client", "inside"), ("public", "public"), ("server", "dst")):
        columns[f"{ours}_ip"] = ip_column(pa.array([row[f"{theirs}_ip"] for row in rows]))
        columns[f"{ours}_port"] = pa.array([int(row[f"{theirs}_port"] or 0) for row in rows])
    ledger = [EvidenceFile("sample", "", "", 0, "", ("nat",), min(times), max(times))]
    tables = {"nat": concat("nat", [conform("nat", columns, len(rows))])}
    return Logs.build(tables=tables, ledger=ledger, settings=Settings())


@pytest.mark.parametrize("skew_s", [1, 5, 120])
def test_every_row_is_held_or_ambiguous_with_the_right_host_first(sample, logs, skew_s):
    with (sample / "who-was-behind.expected.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    questions = [
        Question(
            at=dt.datetime.fromisoformat(row["ts_utc"]),
            until=dt.datetime.fromisoformat(row["end_utc"]),
            public_ip=parse_ip(row["public_ip"]),
            port=int(row["public_port"]),
            transport=row["proto"],
            dst_ip=parse_ip(row["dst_ip"]),
            skew_s=skew_s,
        )
        for row in rows
    ]
    hops = [trace.hops[0] for trace in walk_back_all(questions, logs)]
    assert [hop.candidates[0].value for hop in hops] == [row["inside_ip"] for row in rows]
    shared_port = [row["public_port"] == "20500" for row in rows]
    for hop, shared in zip(hops, shared_port, strict=True):
        assert hop.outcome in ({Outcome.HELD, Outcome.AMBIGUOUS} if shared else {Outcome.HELD})
