from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from netaudit.attribution.logs import Logs
from netaudit.attribution.trace import HopKind, Outcome, Reach, Reason
from netaudit.pipeline.drill import Sample, score
from tests.attribution.conftest import PUBLIC, SETTINGS, entry, table

OUTSIDE = "198.51.100.7"


def flows(*rows):
    columns = [
        {
            "ts": ts,
            "client_ip": ip,
            "client_port": port,
            "server_ip": OUTSIDE,
            "transport": "tcp",
            "file": f"{file:x}",
        }
        for ts, ip, port, file in rows
    ]
    return table("flow", columns).combine_chunks().to_batches()[0]


def drawn(batch, count=100, seed=1):
    sample = Sample(count, seed)
    sample.add(batch)
    return sample


@pytest.fixture
def logs():
    rows = {
        "nat": [
            {
                "message": "close", "ts": 0, "ts_end": 60, "client_ip": ip, "client_port": port,
                "public_ip": PUBLIC, "public_port": public, "server_ip": OUTSIDE, "transport": "tcp",
            }
            for ip, port, public in (("10.1.0.5", 5000, 20000), ("10.2.0.5", 5000, 20001))
        ],
        "dhcp": [{"message": "ack", "ts": -600, "lease_s": 3600, "client_ip": "10.1.0.5", "client_mac": "00:1c:42:00:00:01"}],
    }  # fmt: skip
    tables = {kind: table(kind, values) for kind, values in rows.items()}
    return Logs.build(tables=tables, ledger=[entry(kind, -7200, 7200) for kind in rows], settings=SETTINGS)


def test_each_segment_is_scored_and_says_where_it_breaks(logs):
    batch = flows((10, "10.1.0.5", 5000, 10), (10, "10.2.0.5", 5000, 11), (10, "10.1.0.9", 6000, 12))
    drill = score(drawn(batch), logs, skew_s=5)
    by = {s.segment: s for s in drill.segments}
    assert (drill.seen, drill.drawn, set(by)) == (3, 3, {"office", "hall"})
    assert by["office"].reach[Reach.DEVICE] == 1
    assert by["office"].reach[Reach.NOTHING] == 1
    assert by["office"].breaks[HopKind.NAT, Outcome.MISSING] == 1
    assert by["office"].reasons[Reason.NO_NATLOG] == 1
    assert by["hall"].reach[Reach.ADDRESS] == 1
    assert by["hall"].breaks[HopKind.LEASE, Outcome.MISSING] == 1
    assert all(s.wrong == 0 for s in drill.segments)


def test_the_same_seed_draws_the_same_flows_in_any_order():
    rows = [(number, "10.1.0.5", number, 7) for number in range(200)]
    whole = flows(*rows)
    parts = Sample(10, 3)
    for start in (150, 0, 100, 50):
        parts.add(whole.slice(start, 50))
    assert drawn(whole, 10, 3).flows().equals(parts.flows())
    assert not drawn(whole, 10, 4).flows().equals(parts.flows())


def test_many_flows_are_drawn_from_in_bounded_memory():
    sample = Sample(5, 1)
    batch = flows(*[(number, "10.1.0.5", number % 60_000, 1) for number in range(3_000)])
    for number in range(12):
        named = batch.set_column(
            batch.schema.get_field_index("ordinal"),
            "ordinal",
            pa.array(np.arange(3_000, dtype=np.uint64) + number * 3_000),
        )
        sample.add(named)
        assert sum(part.num_rows for part in sample._kept) <= 4 * 5 + 10_000 + 3_000
    assert sample.flows().num_rows == 5
    assert sample.seen == 36_000


def test_nothing_drawn_is_no_score(logs):
    assert score(Sample(5, 1), logs, skew_s=5).segments == ()
