from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from netaudit.attribution import walk_back
from netaudit.attribution.columns import SECOND
from netaudit.attribution.coverage import Coverage, holes
from netaudit.attribution.trace import Outcome, Reach, Reason
from netaudit.records.evidence import EvidenceFile
from netaudit.records.moments import nanoseconds

NOON = dt.datetime(2026, 11, 23, 4, 0, tzinfo=dt.UTC)
HOUR = 3_600


def entry(kind, first, last, site="", file=""):
    return EvidenceFile(
        id=file or f"file-{kind}",
        name=kind,
        sha256="",
        size=0,
        format="",
        kinds=(kind,),
        site=site,
        first=NOON + dt.timedelta(seconds=first),
        last=NOON + dt.timedelta(seconds=last),
    )


def at(seconds):
    return nanoseconds(NOON) + seconds * SECOND


def rows(times, nat_row, **more):
    return [nat_row("new", ts, "10.1.0.11", session=str(ts)) | more for ts in times]


def test_a_silence_in_a_busy_log_is_a_hole(make_logs, nat_row):
    times = [*range(0, HOUR, 60), *range(4 * HOUR, 5 * HOUR, 60)]
    logs = make_logs(nat=rows(times, nat_row), ledger=[entry("nat", 0, 5 * HOUR)])
    table = logs.coverage
    assert table.of(("nat",), "").gaps == ((at(HOUR - 60), at(4 * HOUR)),)
    assert table.covers(("nat",), "", at(60), at(120))
    assert not table.covers(("nat",), "", at(2 * HOUR), at(2 * HOUR))
    assert not table.covers(("nat",), "", at(-60), at(10))


def test_a_quiet_log_has_no_holes():
    hours = np.arange(20) * 2 * HOUR * SECOND
    assert holes(hours)[0] == []


def test_a_night_is_no_hole_and_a_missing_morning_is():
    days = [
        day * 24 * HOUR + second
        for day in range(7)
        for second in range(0, 10 * HOUR, 300)
        if not (day == 4 and 2 * HOUR <= second < 6 * HOUR)
    ]
    found, _ = holes(at(0) + np.array(days, np.int64) * SECOND)
    start = 4 * 24 * HOUR
    assert found == [(at(start + 2 * HOUR - 300), at(start + 6 * HOUR))]


def test_a_log_that_was_rotated_is_one_and_a_missing_file_is_a_hole(make_logs, nat_row):
    times = [range(0, HOUR, 60), range(HOUR + 120, 2 * HOUR, 60), range(9 * HOUR, 10 * HOUR, 60)]
    data = [row for n, part in enumerate(times) for row in rows(part, nat_row, file=f"f{n}")]
    ledger = [entry("nat", part[0], part[-1], file=f"f{n}") for n, part in enumerate(times)]
    coverage = make_logs(nat=data, ledger=ledger).coverage.of(("nat",), "")
    assert coverage.parts == ((at(0), at(2 * HOUR - 60)), (at(9 * HOUR), at(10 * HOUR - 60)))
    assert coverage.files == ("f0", "f1", "f2")


def test_a_lease_store_covers_its_beginnings_not_its_promises(make_logs):
    lease = {"message": "active", "client_ip": "10.1.0.5", "client_mac": "00:1c:42:00:00:01"}
    data = [
        lease | {"ts": 0, "ts_end": 9_000},
        lease | {"ts": 600, "ts_end": 9_600},
        lease | {"ts_end": 99_999},
    ]
    logs = make_logs(dhcp=data, ledger=[entry("dhcp", 0, 99_999)])
    assert logs.coverage.of(("dhcp",), "").parts == ((at(0), at(600)),)


def test_without_a_site_every_site_must_be_covered(make_logs, nat_row):
    ledger = [entry("nat", 0, 900, "north", "a"), entry("nat", 0, 100, "south", "b")]
    table = make_logs(nat=rows([0], nat_row), ledger=ledger).coverage
    assert table.covers(("nat",), "north", at(500), at(500))
    assert not table.covers(("nat",), "", at(500), at(500))
    assert table.covers(("nat",), "", at(50), at(50))


@pytest.mark.parametrize(
    ("low", "high", "inside"), [(0, 5, True), (5, 6, False), (10, 20, True), (9, 12, False)]
)
def test_covers_needs_one_stretch(low, high, inside):
    assert Coverage(((0, 5), (10, 20))).covers(low, high) is inside


def capture(*kinds, site=""):
    return replace(entry(kinds[0], -HOUR, HOUR, site, "capture"), kinds=kinds, format="pcapng")


DISCOVER = {"message": "discover", "ts": 0, "client_mac": "00:1c:42:00:00:01", "file": "capture"}
ACK = DISCOVER | {"message": "ack", "lease_s": 600, "client_ip": "10.1.0.5"}


@pytest.mark.parametrize("kind", ["dhcp", "arp", "radius", "wlan", "nat"])
def test_a_capture_covers_nothing(make_logs, kind):
    table = make_logs(ledger=[capture(kind, site="north")]).coverage
    assert table.of((kind,), "north") == Coverage()
    assert table.sites((kind,)) == ()
    assert table.captured((kind, "dns"), "north") == table.captured((kind,)) == ("capture",)
    assert table.captured((kind,), "south") == table.captured(("dns",)) == ()


def test_a_captured_discover_does_not_make_an_address_static(make_logs, ask):
    logs = make_logs(dhcp=[DISCOVER], ledger=[capture("dhcp", "dns")])
    trace = walk_back(ask(5, client_ip="10.1.0.5"), logs)
    assert trace.hops[0].outcome is Outcome.NOT_COVERED
    assert Reason.STATIC_IP not in trace.reasons


def test_a_captured_lease_is_used(make_logs, ask):
    logs = make_logs(dhcp=[DISCOVER, ACK], ledger=[capture("dhcp")])
    trace = walk_back(ask(5, client_ip="10.1.0.5"), logs)
    assert (trace.hops[0].outcome, trace.reach) == (Outcome.HELD, Reach.DEVICE)


def test_captured_accounting_of_others_is_no_log_of_this_device(make_logs, ask):
    other = {"message": "start", "ts": 0, "client_mac": "00:1c:42:00:00:09", "file": "capture"}
    logs = make_logs(radius=[other], ledger=[capture("radius")])
    trace = walk_back(ask(5, mac="00:1c:42:00:00:01"), logs)
    assert trace.hops[0].outcome is Outcome.NOT_COVERED
    assert trace.reasons[0] is Reason.NO_ACCT


def test_a_log_beside_a_capture_covers_what_it_covers(make_logs):
    table = make_logs(ledger=[entry("dhcp", 0, 100, file="log"), capture("dhcp")]).coverage
    assert table.of(("dhcp",), "").parts == ((at(0), at(100)),)
    assert table.of(("dhcp",), "").files == ("log",)
