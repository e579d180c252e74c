"""Days, gaps, silent hours and clock steps of logs, from times alone."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netaudit.attribution.continuity import CAPTURE, Timelines, source_of
from netaudit.attribution.coverage import distinct, expected_hours, holes, usual_hours
from netaudit.attribution.steps import Order, order_of, steps
from netaudit.records.evidence import EvidenceFile
from netaudit.records.moments import nanoseconds
from netaudit.records.schemas import conform

S = 10**9
HOUR, DAY = 3600, 86_400
BEGIN = dt.datetime(2026, 11, 2, tzinfo=dt.UTC)  # a Monday
MAY = 2820


def at(seconds):
    return nanoseconds(BEGIN) + np.asarray(seconds, np.int64) * S


def every(step, low, high):
    return np.arange(low, high, step)


def batch(seconds, kind="dns", file="f", ordinals=None, ends=None):
    count = len(seconds)
    columns = {
        "ts": pa.array([None if s is None else int(at(s)) for s in seconds], pa.int64()),
        "file": file,
        "ordinal": np.arange(1, count + 1) if ordinals is None else ordinals,
    }
    if ends is not None:
        columns["ts_end"] = pa.array(at(ends))
    return conform(kind, columns, count)


def entry(file="f", kind="dns", name="q.log", **more):
    said = {"sha256": file, "size": 1, "format": "bind_querylog", "kinds": (kind,)} | more
    return EvidenceFile(id=file, name=name, **said)


def measured(*batches, ledger=None, zone=None, rows=5_000_000):
    timelines = Timelines(rows)
    for one in batches:
        timelines.add(one)
    return timelines.facts([entry()] if ledger is None else ledger, zone)


OFFICE = [s for day in range(5) for s in range(day * DAY + 9 * HOUR, day * DAY + 17 * HOUR, 120)]


class TestContinuity:
    def test_an_office_week(self):
        (log,) = measured(batch(OFFICE), zone=ZoneInfo("Asia/Shanghai"))
        assert (log.records, log.undated, log.days, log.span_days) == (len(OFFICE), 0, 5, 5)
        assert (log.gaps, log.steps, log.order) == ((), (), Order.RISING)
        assert (log.expected_hours, log.silent_hours) == (40 - 1, 0)  # the last hour does not end
        assert log.first == BEGIN + dt.timedelta(hours=9)
        assert log.allowed_s == HOUR

    def test_a_morning_without_records(self):
        kept = [s for s in OFFICE if not 2 * DAY + 9 * HOUR <= s < 2 * DAY + 13 * HOUR]
        (log,) = measured(batch(kept))
        assert log.gaps == (
            (BEGIN + dt.timedelta(days=1, seconds=17 * HOUR - 120), BEGIN + dt.timedelta(days=2, hours=13)),
        )
        assert log.silent_hours == 4
        assert log.longest_gap_s == 20 * HOUR + 120

    def test_days_are_counted_where_the_office_is(self):
        (log,) = measured(batch([0, 15 * HOUR, 17 * HOUR]), zone=ZoneInfo("Asia/Shanghai"))
        assert (log.days, log.local_days) == (1, 2)

    @pytest.mark.parametrize(("hour", "days"), [(21, 1), (23, 2)])
    def test_on_the_day_that_the_clocks_change(self, hour, days):
        start = (dt.datetime(2026, 3, 29, tzinfo=dt.UTC) - BEGIN).total_seconds()
        (log,) = measured(batch([start + 2 * HOUR, start + hour * HOUR]), zone=ZoneInfo("Europe/Berlin"))
        assert log.local_days == days

    def test_records_without_a_time_are_counted(self):
        (log,) = measured(batch([None, 5, None]))
        assert (log.records, log.undated, log.days) == (3, 2, 1)
        (log,) = measured(batch([None]))
        assert (log.first, log.gaps, log.steps, log.days) == (None, (), (), 0)

    def test_nothing_at_all(self):
        assert measured(ledger=[]) == ()
        (log,) = measured(ledger=[entry()])
        assert (log.records, log.order) == (0, Order.UNKNOWN)

    def test_files_of_one_rotation_are_one_source(self):
        names = ["q.log", "q.log.1", "q.log.2.gz", "other.log"]
        ledger = [entry(f"f{n}", name=name) for n, name in enumerate(names)]
        logs = measured(*(batch([n * 60], file=f"f{n}") for n in range(4)), ledger=ledger)
        assert [(log.source, log.records) for log in logs] == [("other.log", 1), ("q.log", 3)]

    def test_a_source_tells_each_kind_and_site(self):
        ledger = [
            entry("a", kinds=("dns", "dhcp"), source="router", site="north"),
            entry("b", source="router", site="south"),
            entry("c", "asset"),
        ]
        batches = [
            batch([0], file="a"),
            batch([9], "dhcp", "a"),
            batch([1], file="b"),
            batch([1], "asset", "c"),
        ]
        logs = measured(*batches, ledger=ledger)
        assert [(g.source, g.declared, g.kind, g.site) for g in logs] == [
            ("router", True, "dhcp", "north"),
            ("router", True, "dns", "north"),
            ("router", True, "dns", "south"),
        ]

    def test_a_capture_is_one_series_and_its_silence_is_none(self):
        ledger = [entry(kinds=("dns", "flow"), format="pcapng")]
        (log,) = measured(batch(OFFICE[:300]), batch(OFFICE[-300:], "flow"), ledger=ledger)
        assert (log.kind, log.records, log.gaps, log.expected_hours) == (CAPTURE, 600, (), None)

    def test_a_clock_that_was_set_back_is_told_with_its_line(self):
        seconds = every(30, 0, 6 * HOUR)
        seconds[400:] -= MAY
        (log,) = measured(batch(seconds))
        (step,) = log.steps
        assert (step.at.file, step.at.ordinal, step.seconds) == ("f", 401, 30 - MAY)
        assert (step.before - step.after).total_seconds() == MAY - 30

    def test_batches_in_another_order_say_the_same(self):
        seconds = every(30, 0, 6 * HOUR)
        seconds[400:] -= MAY
        parts = [
            batch(seconds[a : a + 100], ordinals=np.arange(a + 1, a + 101)) for a in range(0, 700, 100)
        ]
        assert measured(*parts) == measured(*parts[::-1])

    def test_a_table_printed_newest_first_is_read_from_its_end(self):
        seconds = every(30, 0, 6 * HOUR)
        (log,) = measured(batch(seconds[::-1]))
        assert (log.order, log.steps) == (Order.FALLING, ())
        seconds[400:] -= MAY
        (log,) = measured(batch(seconds[::-1]))
        assert [round(step.seconds) for step in log.steps] == [30 - MAY]

    def test_a_lease_store_is_no_course_of_events(self):
        seconds = every(30, 0, 6 * HOUR)
        seconds[400:] -= MAY
        (log,) = measured(batch(seconds, "dhcp", ends=seconds + 600), ledger=[entry(kind="dhcp")])
        assert (log.order, log.steps) == (Order.NONE, ())

    def test_flows_are_in_the_order_of_their_ends(self):
        ends = every(5, 0, 6 * HOUR)
        starts = ends - np.where(np.arange(len(ends)) % 7 == 0, 3000, 1)
        starts[-300:] -= 5000  # what was open when the exporter stopped
        (log,) = measured(batch(starts, "flow", ends=ends), ledger=[entry(kind="flow")])
        assert (log.order, log.steps) == (Order.RISING, ())

    def test_a_leap_of_the_clock_is_no_gap(self):
        seconds = np.concatenate((np.arange(20) - 20_000 * DAY, every(60, 0, 2 * HOUR)))
        (log,) = measured(batch(seconds))
        (step,) = log.steps
        assert step.at.ordinal == 21
        assert step.seconds > 19_000 * DAY
        assert log.gaps == ()

    def test_many_rows_are_thinned_and_say_the_same(self):
        seconds = np.repeat(every(2, 0, 8 * HOUR), 10)
        seconds[100_000:] -= MAY
        whole, thin = (measured(batch(seconds), rows=rows)[0] for rows in (10**6, 40_000))
        assert (thin.left_out, len(whole.steps)) == (0, 1)
        assert thin.steps == whole.steps
        assert (thin.records, thin.days, thin.gaps) == (whole.records, whole.days, whole.gaps)

    def test_more_than_can_be_kept_is_counted(self):
        far = every(200, 0, 400_000)
        (log,) = measured(batch(far), batch(far + 400_000), rows=1500)
        assert log.left_out == 2000
        assert log.records == 4000

    @pytest.mark.parametrize(
        ("name", "source"),
        [
            ("dir/query.log.2.gz", "dir/query.log"),
            ("detail-20261103", "detail-*"),
            ("dns-2026-11-03.log.xz", "dns-*.log"),
            ("dns1.log", "dns1.log"),
            ("detail-20261123.10.9.0.2", "detail-*.10.9.0.2"),
            ("-", "-"),
        ],
    )
    def test_names(self, name, source):
        assert source_of(entry(name=name)) == source
        assert source_of(entry(name=name, source="dns")) == "dns"


class TestRhythm:
    def test_a_weekend_is_no_hole_after_two_weeks(self):
        weeks = [w * 7 * DAY + s for w in range(2) for s in OFFICE]
        assert len(holes(at(weeks))[0]) == 1  # one weekend, and thirteen days are no two weeks
        weeks = [w * 7 * DAY + s for w in range(3) for s in OFFICE]
        assert holes(at(weeks))[0] == []

    def test_a_missing_wednesday_is_one_still(self):
        weeks = [w * 7 * DAY + s for w in range(3) for s in OFFICE if (w, s // DAY) != (1, 2)]
        ((low, high),), _ = holes(at(weeks))
        assert (high - low) / S == 40 * HOUR + 120

    @given(st.lists(st.integers(0, 40 * 24 * 4), min_size=2, max_size=60), st.integers(0, 2**60))
    @settings(max_examples=60, deadline=None)
    def test_expected_hours_are_those_counted_one_by_one(self, quarters, shift):
        times = np.sort(np.array(quarters, np.int64)) * 900 * S + shift
        usual = usual_hours(times)
        if usual is None:
            return
        low, high = int(times[0]), int(times[-1])
        hours = range(-(-low // (HOUR * S)), high // (HOUR * S))
        assert expected_hours(usual, times[:1], times[-1:])[0] == sum(bool(usual[h % 168]) for h in hours)

    @given(st.lists(st.integers(-5, 5)))
    def test_distinct(self, values):
        rising = np.sort(np.array(values, np.int64))
        assert distinct(rising).tolist() == sorted(set(values))


class TestSteps:
    def test_late_records_are_no_step(self):
        times = at(every(20, 0, DAY))
        for run in (1, 2, 5, 50, 500):
            late = times.copy()
            late[1000 : 1000 + run] = late[1000] - MAY * S + np.arange(run)
            assert steps(late) == [], run

    def test_odd_single_times_are_no_step(self):
        times = at(every(20, 0, DAY))
        for place in (0, 1, 7, 2000, len(times) - 2, len(times) - 1):
            for much in (-(10**18), 10**18, 3600 * S):
                odd = times.copy()
                odd[place] += much
                assert steps(odd) == [], (place, much)

    def test_there_and_back_again(self):
        times = at(every(20, 0, DAY))
        for much in (-MAY, MAY):
            moved = times.copy()
            moved[1000:2000] += much * S
            found = [(i, round(size / S)) for i, size in steps(moved)]
            assert found == [(1000, much + 20), (2000, 20 - much)]

    def test_disorder_of_the_format_is_no_step(self):
        rng = np.random.default_rng(5)
        late = (rng.pareto(1.0, 20_000) * 10).clip(0, 3600).astype(np.int64)
        times = at(every(10, 0, 200_000) - late)
        assert order_of(times) is Order.RISING
        assert steps(times) == []
        times[12_000:] -= 20_000 * S
        ((index, size),) = steps(times)
        assert abs(index - 12_000) < 5
        assert abs(size / S + 20_000) < 400

    def test_no_order(self):
        times = np.random.default_rng(6).permutation(at(every(10, 0, 200_000)))
        assert order_of(times) is Order.NONE
        assert order_of(times[:5]) is Order.UNKNOWN
        assert order_of(at(np.zeros(50))) is Order.RISING

    @given(st.lists(st.integers(-(2**61), 2**61), max_size=200))
    @settings(max_examples=60, deadline=None)
    def test_any_times(self, values):
        times = np.array(values, np.int64)
        order_of(times)
        found = steps(times)
        assert found == sorted(found)
        assert all(0 < index < len(times) for index, _ in found)
        assert steps(np.sort(times)) == [] or all(size > 0 for _, size in steps(np.sort(times)))
