"""Hits in one table: copied columns, destinations, what exceptions silence."""

from __future__ import annotations

import pyarrow as pa
import pytest

from netaudit.matching import match
from netaudit.matching.blocklist import read_list_file
from netaudit.matching.index import build_index
from netaudit.pipeline.grading import grade
from netaudit.pipeline.hits import HIT, Hits
from netaudit.records.addresses import parse_ip
from netaudit.records.schemas import IP, conform, schema


@pytest.fixture
def hits_of(tmp_path):
    """The hits of rows of one kind on a list of these entries."""
    path = tmp_path / "bad.txt"
    path.write_text("bad.example\n198.51.100.77\n", encoding="utf-8")
    index = build_index((read_list_file(path, "domains-subtree", "bad", "malware", checked=False),))

    def hits(kind, **columns):
        rows = len(next(iter(columns.values())))
        for name in ("client_ip", "server_ip"):
            if name in columns:
                columns[name] = pa.array([parse_ip(t) if t else None for t in columns[name]], IP)
        batch = conform(kind, {"file": "f", "ordinal": list(range(1, rows + 1)), **columns}, rows)
        found = Hits()
        found.add(batch, match(batch, index))
        return found.table()

    return hits


class NoFlows:
    def read(self, kind, columns=None, where=None):
        return schema(kind).empty_table().select(columns)


class Flows(NoFlows):
    """One flow with data both ways."""

    def __init__(self, client, port, server):
        self._columns = {
            "ts": [10**9],
            "client_ip": pa.array([parse_ip(client)], IP),
            "client_port": [port],
            "server_ip": pa.array([parse_ip(server)], IP),
            "payload_out": [True],
            "payload_in": [True],
            "handshake": [True],
            "file": "g",
            "ordinal": [7],
        }

    def read(self, kind, columns=None, where=None):
        if kind != "flow":
            return super().read(kind, columns)
        return pa.Table.from_batches([conform("flow", self._columns, 1)]).filter(where).select(columns)


def test_nothing_matched_is_an_empty_table_of_the_schema(hits_of):
    assert hits_of("dns", name=["good.example"]).schema == HIT
    assert Hits().table().schema == HIT


def test_columns_that_a_kind_lacks_are_null(hits_of):
    (row,) = hits_of("tls", name=["x.bad.example"], client_ip=["10.0.0.1"]).to_pylist()
    assert (row["kind"], row["field"], row["destination"]) == ("tls", "name", "x.bad.example")
    assert row["rcode"] is row["answers"] is row["bytes_in"] is None


def test_the_destination_is_the_name_else_the_address(hits_of):
    table = hits_of("flow", name=["cdn.example", None], server_ip=["198.51.100.77"] * 2)
    assert table.column("destination").to_pylist() == ["cdn.example", "198.51.100.77"]
    assert set(table.column("field").to_pylist()) == {"server_ip"}


def test_the_destination_of_a_look_up_at_a_listed_server_is_that_server(hits_of):
    (row,) = hits_of("dns", name=["good.example"], server_ip=["198.51.100.77"]).to_pylist()
    assert (row["destination"], row["field"]) == ("198.51.100.77", "server_ip")


def test_an_answer_that_is_listed(hits_of):
    table = hits_of("dns", name=["good.example"], qtype=["A"], answers=[["198.51.100.77"]])
    assert table.select(["destination", "field"]).to_pylist() == [
        {"destination": "good.example", "field": "answer"}
    ]


@pytest.mark.parametrize(
    ("action", "received", "wanted"),
    [
        ("denied", 900, "blocked"),
        ("allowed", 900, "exchanged"),
        (None, 0, "connected"),
        (None, None, "connected"),
    ],
)
def test_grades_of_a_proxy(hits_of, action, received, wanted):
    """What a proxy denied stays blocked: the connection that is seen carried its refusal."""
    table = hits_of(
        "proxy",
        ts=[10**9],
        name=["bad.example"],
        client_ip=["10.0.0.1"],
        client_port=[50000],
        server_ip=["10.0.0.8"],
        action=pa.array([action], pa.string()),
        bytes_in=pa.array([received], pa.uint64()),
    )
    order = ["asked", "answered", "blocked", "connected", "exchanged"]
    assert [order[r] for r in grade(table, NoFlows()).column("grade").to_pylist()] == [wanted]
    graded = grade(table, Flows("10.0.0.1", 50000, "10.0.0.8"))
    assert order[graded.column("grade")[0].as_py()] == ("blocked" if wanted == "blocked" else "exchanged")


def test_a_connection_of_the_same_port_belongs_to_the_hit(hits_of):
    def graded(port):
        table = hits_of(
            "tls",
            ts=[10**9],
            name=["bad.example"],
            client_ip=["10.0.0.1"],
            client_port=[port],
            server_ip=["192.0.2.1"],
        )
        return grade(table, Flows("10.0.0.1", 50000, "192.0.2.1")).to_pylist()[0]

    assert (graded(50000)["grade"], graded(50000)["flow_file"], graded(50000)["flow_ordinal"]) == (
        4,
        "g",
        7,
    )
    assert (graded(50001)["grade"], graded(50001)["flow_file"]) == (3, None)


def test_rows_without_time_are_kept(hits_of):
    table = hits_of("dns", name=["bad.example"], client_ip=["10.0.0.1"], answers=[["192.0.2.1"]])
    graded = grade(table, Flows("10.0.0.1", 50000, "192.0.2.1"))
    assert graded.column("grade").to_pylist() == [1]
