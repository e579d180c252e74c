"""Sums over streams: what they keep, and that they stay bounded."""

from __future__ import annotations

import ipaddress

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netaudit.policy import observed as module
from netaudit.policy.observed import Observed, locate
from netaudit.records.addresses import format_ip, network_range, parse_ip, parse_mac
from netaudit.records.schemas import IP, conform

T0 = 1_780_000_000 * 10**9


def flows(rows, *, file="f1", kind="flow"):
    """rows: (client, server, port, seconds)."""
    columns = {
        "ts": pa.array([T0 + s * 10**9 for *_, s in rows], pa.timestamp("ns", "UTC")),
        "client_ip": pa.array([parse_ip(c) for c, *_ in rows], IP),
        "server_ip": pa.array([parse_ip(s) for _, s, *_ in rows], IP),
        "server_port": pa.array([p for _, _, p, _ in rows], pa.uint16()),
        "file": file,
        "ordinal": pa.array(range(1, len(rows) + 1), pa.uint64()),
    }
    return conform(kind, columns, len(rows))


def test_uses_of_a_resolver_are_added_up_over_batches():
    seen = Observed()
    seen.add(flows([("10.0.0.9", "192.0.2.53", 53, 0), ("10.0.0.9", "192.0.2.80", 443, 1)]))
    seen.add(flows([("10.0.0.9", "192.0.2.53", 53, 9)], file="f2"))
    (row,) = seen.tables()["resolver_use"].to_pylist()
    assert (row["events"], row["file"], row["ordinal"]) == (2, "f1", 1)
    assert row["last"] - row["first"] == 9 * 10**9


def test_evidence_is_file_and_ordinal_of_one_record():
    seen = Observed()
    rows = [("10.0.0.8", "192.0.2.80", 443, 0), ("10.0.0.9", "192.0.2.53", 53, 1)]
    seen.add(flows(rows, file="zz"))
    seen.add(flows(rows[1:], file="aa"))
    use = seen.tables()["resolver_use"].to_pylist()[0]
    assert (use["file"], use["ordinal"]) == ("zz", 2)


def test_the_record_that_is_cited_is_the_earliest():
    seen = Observed()
    seen.add(flows([("10.0.0.9", "192.0.2.53", 53, 60), ("10.0.0.9", "192.0.2.53", 53, 50)], file="late"))
    seen.add(flows([("10.0.0.9", "192.0.2.53", 53, 9), ("10.0.0.9", "192.0.2.53", 53, 3)], file="early"))
    for name in ("host", "resolver_use"):
        (row,) = seen.tables()[name].to_pylist()
        assert (row["first"], row["file"], row["ordinal"]) == (T0 + 3 * 10**9, "early", 2)


def test_a_resolvers_own_log_is_no_traffic():
    seen = Observed()
    seen.add(conform("dns", {"client_ip": pa.array([parse_ip("10.0.0.9")], IP), "file": "f"}, 1))
    assert not seen.paths_seen
    assert seen.tables()["host"].num_rows == 1


def test_strangers_are_no_hosts():
    seen = Observed([ipaddress.ip_network("198.51.100.0/24")])
    seen.add(flows([("203.0.113.9", "10.0.0.1", 443, 0), ("198.51.100.7", "192.0.2.1", 443, 0)]))
    assert [format_ip(r["client_ip"]) for r in seen.tables()["host"].to_pylist()] == ["198.51.100.7"]


def test_port_853_and_listed_rows_are_encrypted():
    seen = Observed()
    seen.add(flows([("10.0.0.9", "192.0.2.53", 853, 0)]))
    seen.add_encrypted(flows([("10.0.0.9", "192.0.2.54", 443, 0)]))
    assert [r["encrypted"] for r in seen.tables()["resolver_use"].to_pylist()] == [True, True]


def test_a_listed_row_on_port_853_counts_once():
    seen = Observed()
    rows = flows([("10.0.0.9", "192.0.2.54", 853, 0)])
    seen.add(rows)
    seen.add_encrypted(rows)
    assert [r["events"] for r in seen.tables()["resolver_use"].to_pylist()] == [1]


@pytest.mark.parametrize(
    ("lists", "rows", "looked"), [(False, 0, False), (True, 0, True), (False, 1, True)]
)
def test_whether_lists_were_looked_at(lists, rows, looked):
    """An empty batch only says that nothing matched; the lists may be of other things."""
    seen = Observed(lists=lists)
    seen.add_encrypted(flows([("10.0.0.9", "192.0.2.54", 443, 0)]).slice(0, rows))
    assert seen.lists_seen is looked


def test_more_combinations_than_fit_are_counted(monkeypatch):
    monkeypatch.setattr(module, "LIMIT", 10)
    seen = Observed()
    for start in range(0, 40, 8):
        seen.add(flows([(f"10.0.0.{start + i}", "192.0.2.1", 443, 0) for i in range(8)]))
    assert seen.tables()["host"].num_rows == 10
    assert seen.lost["host"] == 30


def test_nothing_at_all():
    tables = Observed().tables()
    assert {name: table.num_rows for name, table in tables.items()} == {
        "host": 0,
        "resolver_use": 0,
        "stretch": 0,
    }


def test_times_may_be_unknown():
    seen = Observed()
    seen.add(
        conform(
            "arp",
            {
                "client_ip": pa.array([parse_ip("10.0.0.9")], IP),
                "client_mac": pa.array([parse_mac("02:00:00:00:00:01")], pa.binary(6)),
                "file": "f",
            },
            1,
        )
    )
    assert seen.tables()["host"].to_pylist()[0]["first"] is None
    assert seen.tables()["stretch"].num_rows == 0


ADDRESS = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6))


@settings(max_examples=60, deadline=None)
@given(st.lists(ADDRESS, max_size=20), st.lists(st.tuples(ADDRESS, st.integers(0, 32)), max_size=5))
def test_locate_agrees_with_the_standard_library(addresses, parts):
    networks = [ipaddress.ip_network(f"{a}/{p}", strict=False) for a, p in parts]
    column = pa.array([parse_ip(str(a)) for a in addresses], IP)
    found = locate(column, [network_range(n) for n in networks])
    mapped = [a.ipv4_mapped or a if a.version == 6 else a for a in addresses]
    for got, address, plain in zip(found, addresses, mapped, strict=True):
        v4 = int(plain) + 0xFFFF00000000 if plain.version == 4 else int(address)
        want = next((i for i, n in enumerate(networks) if _low(n) <= v4 <= _high(n)), -1)
        assert got == want


def _low(n):
    return int.from_bytes(network_range(n)[0], "big")


def _high(n):
    return int.from_bytes(network_range(n)[1], "big")


@pytest.mark.parametrize("empty", [pa.array([], IP), pa.array([None], IP)])
def test_locate_nothing(empty):
    assert (locate(empty, [(bytes(16), b"\xff" * 16)]) == np.full(len(empty), -1)).all()
