"""Events in Parquet: written as a stream, replaced as a whole."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from netaudit.records.addresses import parse_ip
from netaudit.records.schemas import IP, conform, schema
from netaudit.store import EventSet


def flows(*servers):
    packed = pa.array([parse_ip(s) for s in servers], IP)
    return conform(
        "flow",
        {"server_ip": packed, "file": "f", "ordinal": list(range(1, len(servers) + 1))},
        len(servers),
    )


def test_written_read_filtered(tmp_path):
    events = EventSet(tmp_path / "events")
    events.write("flow", flows("10.0.0.1", "10.0.0.2"))
    events.write("flow", flows("10.0.0.2"))
    events.finish()
    found = events.read(
        "flow", ["ordinal"], pc.field("server_ip").isin(pa.array([parse_ip("10.0.0.2")], IP))
    )
    assert sorted(found.column("ordinal").to_pylist()) == [1, 2]


def test_absent_kind_is_empty_and_typed(tmp_path):
    assert EventSet(tmp_path / "none").read("dns").schema == schema("dns")


def test_abandoned_writing_keeps_what_was_there(tmp_path):
    events = EventSet(tmp_path / "events")
    events.write("flow", flows("10.0.0.1"))
    events.finish()
    events.commit()
    events.write("flow", flows("10.0.0.2", "10.0.0.3"))
    events.finish()
    assert events.read("flow").num_rows == 2
    events.abandon()
    assert events.read("flow").num_rows == 1
    assert [p.name for p in tmp_path.iterdir()] == ["events"]
