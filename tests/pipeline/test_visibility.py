"""How many flows have a name, by host and by segment."""

from __future__ import annotations

import pytest

from netaudit.config import Segment
from netaudit.pipeline.visibility import Shares, Tallied, Visibility
from netaudit.records.addresses import ip_column
from netaudit.records.schemas import conform

OFFICE = Segment("office", ("10.66.1.0/24",), name="Second floor")
GUESTS = Segment("guests", ("10.66.3.0/24", "2001:db8:3::/64"))
SOURCES = {"sni": "known", "host": "known", "dns_answer": "inferred", "ech_outer": "hidden", "": "unknown"}


def flows(*rows):
    """Rows are (client, name source); an empty source is a flow without a name."""
    import pyarrow as pa

    columns = {
        "client_ip": ip_column(pa.array([client for client, _ in rows], pa.string())),
        "name": pa.array(["a.example" if source else None for _, source in rows], pa.string()),
        "name_source": pa.array([source or None for _, source in rows], pa.string()),
    }
    return conform("flow", columns, len(rows))


def figure(*batches, segments=(OFFICE, GUESTS), **options):
    tallied = Tallied(segments, **options)
    for batch in batches:
        tallied.add(batch)
    return tallied.figure()


def test_no_flows():
    assert figure() == Visibility()
    assert Shares().share("known") == 0


@pytest.mark.parametrize(("source", "aspect"), SOURCES.items())
def test_what_each_source_of_a_name_counts_as(source, aspect):
    total = figure(flows(("10.66.1.20", source))).total
    assert total == Shares(**{aspect: 1})
    assert total.share(aspect) == 1


def test_by_segment_and_host():
    first = flows(("10.66.3.55", "sni"), ("10.66.1.20", "dns_answer"), ("10.66.3.55", ""))
    second = flows(("2001:db8:3::9", "ech_outer"), ("10.66.3.55", "host"), ("198.51.100.7", ""))
    seen = figure(first, second)
    assert seen.total == Shares(known=2, inferred=1, hidden=1, unknown=2)
    assert [(s.id, s.name, s.shares) for s in seen.segments] == [
        ("guests", "", Shares(known=2, hidden=1, unknown=1)),
        ("office", "Second floor", Shares(inferred=1)),
        ("", "", Shares(unknown=1)),
    ]
    assert {h.address: (h.segment, h.shares) for h in seen.hosts} == {
        "10.66.1.20": ("office", Shares(inferred=1)),
        "10.66.3.55": ("guests", Shares(known=2, unknown=1)),
        "198.51.100.7": ("", Shares(unknown=1)),
        "2001:db8:3::9": ("guests", Shares(hidden=1)),
    }
    assert seen.others == Shares()


def test_batches_do_not_matter():
    rows = [(f"10.66.{n % 5}.{n % 7}", list(SOURCES)[n % 5]) for n in range(100)]
    whole = figure(flows(*rows))
    assert figure(*(flows(*rows[n : n + 7]) for n in range(0, 100, 7))) == whole


def test_hosts_are_bounded_and_own_ones_stay():
    """Strangers that scan from many addresses do not drive the office's own hosts out."""
    strangers = [flows((f"198.51.{n}.{host}", "")) for n in range(4) for host in range(1, 50)]
    seen = figure(flows(("10.66.3.55", "sni")), *strangers, flows(("10.66.1.20", "sni")), limit=3)
    assert len(seen.hosts) == 3
    assert {"10.66.3.55", "10.66.1.20"} < {h.address for h in seen.hosts}
    told = sum(h.shares.flows for h in seen.hosts)
    assert told + seen.others.flows == seen.total.flows == 198
    assert seen.segments[-1].shares == Shares(unknown=196)


def test_a_flow_whose_client_is_not_known_counts_but_is_no_host():
    seen = figure(flows((None, "sni"), ("10.66.1.20", "sni")))
    assert seen.total == Shares(known=2)
    assert [h.address for h in seen.hosts] == ["10.66.1.20"]
    assert seen.others == Shares(known=1)


def test_scan_tells_it(office):
    conn = office.conn((0, "10.66.1.20", 4000, "198.51.100.1", "data"))
    scan = office.scan(conn)
    assert scan.visibility.total == Shares(unknown=1)
    assert [s.id for s in scan.visibility.segments] == ["office"]
