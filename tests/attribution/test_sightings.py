"""Fewer sightings, the same spans."""

from __future__ import annotations

import dataclasses

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netaudit.attribution import sightings
from netaudit.attribution.columns import SECOND, Records
from netaudit.attribution.sightings import Sightings, telling
from netaudit.attribution.spans import ARP_HOLD_S, seen_spans
from netaudit.records.schemas import concat, conform

DAY = 86_400


def batch(*seen, first=1, site="", file="a"):
    """Rows are (seconds, last octet of the address, last octet of the MAC or None)."""

    def packed(octets, size):
        return pa.array(
            [None if o is None else bytes(size - 1) + bytes([o]) for o in octets], pa.binary(size)
        )

    columns = {
        "ts": pa.array(
            [None if t is None else int(t * SECOND) for t, _, _ in seen], pa.timestamp("ns", "UTC")
        ),
        "client_ip": packed([ip for _, ip, _ in seen], 16),
        "client_mac": packed([mac for _, _, mac in seen], 6),
        "message": "reply",
        "file": file,
        "ordinal": pa.array(range(first, first + len(seen)), pa.uint64()),
    }
    if site:
        columns["site"] = site
    return conform("arp", columns, len(seen))


def spans_of(table):
    """Start, end, doubt and the packets at both ends of each span, with its address and MAC."""
    records = Records(table)
    site = records.words("site")[0]
    spans = seen_spans(records, site)
    found = [getattr(spans, f.name).tolist() for f in dataclasses.fields(spans)]
    rows = zip(*found, strict=True)
    return sorted(
        (
            *bounds,
            records.value("client_ip", first),
            records.value("client_mac", first),
            records.text("site", first),
            records.evidence(first),
            records.evidence(last),
        )
        for *bounds, first, last in rows
    )


seen = st.tuples(
    st.one_of(st.none(), st.integers(-DAY, DAY)), st.integers(1, 3), st.sampled_from([1, 2, None])
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.lists(seen, max_size=30), st.sampled_from(["", "north"])), max_size=4))
def test_the_spans_are_those_of_all_sightings(parts):
    kept, all_, first = Sightings(), [], 1
    for rows, site in parts:
        all_.append(batch(*rows, first=first, site=site))
        kept.add(all_[-1])
        first += len(rows)
    assert spans_of(kept.table()) == spans_of(concat("arp", all_))


def test_an_hour_of_answers_is_two_rows_a_stretch():
    every_second = batch(*((t, 1, 1) for t in range(3 * ARP_HOLD_S)))
    assert telling(pa.table(every_second)).tolist() == [0, 1199, 1200, 2399, 2400, 3599]


def test_what_binds_nothing_is_not_kept():
    kept = Sightings()
    kept.add(batch((0, 1, None), (None, 1, 1)))
    kept.add(batch())
    assert kept.table().num_rows == 0


@pytest.mark.parametrize("size", [1, 7, 50])
def test_what_finds_no_room_is_counted(monkeypatch, size):
    monkeypatch.setattr(sightings, "LIMIT", 20)
    kept = Sightings()
    rows = [(n, n, n) for n in range(1, 51)]
    for low in range(0, 50, size):
        kept.add(batch(*rows[low : low + size], first=low + 1))
    table = kept.table()
    assert table.column("ordinal").to_pylist() == list(range(1, 21))
    assert kept.lost == {"a": 30}
    assert np.array_equal(telling(table), np.arange(20))
