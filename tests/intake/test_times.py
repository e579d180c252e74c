from __future__ import annotations

import datetime as dt
import zoneinfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netaudit.errors import ConfigError
from netaudit.intake import times
from netaudit.intake.times import Context, from_epoch, from_iso, from_yearless, parse_zone

BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
SHANGHAI = zoneinfo.ZoneInfo("Asia/Shanghai")
MOMENTS = st.datetimes(dt.datetime(1970, 1, 2), dt.datetime(2200, 12, 30))  # noqa: DTZ001 -- naive on purpose


def nanos(column: pa.Array) -> list[int | None]:
    return column.cast(pa.int64()).to_pylist()


def of(moment: dt.datetime) -> int:
    delta = moment - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    return (delta.days * 86_400 + delta.seconds) * 10**9 + delta.microseconds * 1_000


@settings(max_examples=80, deadline=None)
@given(
    moment=MOMENTS, minutes=st.integers(-14 * 60, 14 * 60), spelling=st.sampled_from(["{}", "{:.6}", "odd"])
)
def test_iso_with_offset_is_what_datetime_says(moment: dt.datetime, minutes: int, spelling: str) -> None:
    aware = moment.replace(tzinfo=dt.timezone(dt.timedelta(minutes=minutes)))
    text = aware.isoformat(sep="T" if minutes % 2 else " ", timespec="microseconds")
    texts = [text]
    if spelling == "odd":  # a stamp that Arrow does not read: the slower way must agree
        texts.append("2026-1-2 3:04:05,6 +0800")
    found = nanos(from_iso(pa.array(texts), Context()))
    assert found[0] == (of(aware) if 0 <= of(aware) < times._YEAR_2201 else found[0])
    assert found[1:] in ([], [of(dt.datetime(2026, 1, 1, 19, 4, 5, 600_000, dt.UTC))])


@settings(max_examples=80, deadline=None)
@given(moment=MOMENTS.filter(lambda m: m.year < 2037), zone=st.sampled_from([BERLIN, SHANGHAI, dt.UTC]))
def test_naive_times_are_read_in_the_declared_zone(moment: dt.datetime, zone: dt.tzinfo) -> None:
    context = Context(zone=zone)
    found = nanos(from_iso(pa.array([moment.isoformat(sep=" ", timespec="microseconds")]), context))
    first = moment.replace(tzinfo=zone, fold=0)
    exists = first.astimezone(dt.UTC).astimezone(zone).replace(tzinfo=None) == moment
    if exists:
        assert found == [of(first.astimezone(dt.UTC))]


def test_a_time_that_occurs_twice_is_noted() -> None:
    context = Context(zone=BERLIN)
    found = nanos(from_iso(pa.array(["2026-10-25T02:30:00"]), context))
    assert found == [of(dt.datetime(2026, 10, 25, 0, 30, tzinfo=dt.UTC))]
    assert times.FOLD in context.notes


def test_a_time_without_zone_is_an_error_where_none_is_declared() -> None:
    with pytest.raises(ConfigError) as caught:
        from_iso(pa.array(["2026-11-23 00:00:00"]), Context(name="dns.log"))
    assert caught.value.code == "zone-missing"
    assert nanos(from_iso(pa.array(["2026-11-23 00:00:00Z", None]), Context()))[1] is None


@pytest.mark.parametrize(
    "text",
    ["", "x", "2026-02-30 00:00:00Z", "2026-13-01 00:00Z", "2026-11-23", "2026-11-23T24:00:00Z", "1969-12-31T00:00:00Z",
     "2026-11-23T00:00:00+99:99", "2250-01-01T00:00:00Z", "2026-11-23T00", "20261123T000000Z"],
)  # fmt: skip
def test_what_is_no_date_is_null_alone_and_among_others(text: str) -> None:
    assert nanos(from_iso(pa.array([text]), Context(zone=dt.UTC))) == [None]
    assert nanos(from_iso(pa.array(["2026-11-23T00:00:00Z", text]), Context(zone=dt.UTC)))[1] is None


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("1795363236", 1_795_363_236 * 10**9),
        ("1795363236.265001", 1_795_363_236_265_001_000),
        ("1795363236.2650010019", 1_795_363_236_265_001_001),
        ("1795363236123", 1_795_363_236_123 * 10**6),
        ("1795363236123456", 1_795_363_236_123_456 * 10**3),
        ("1795363236123456789", 1_795_363_236_123_456_789),
        ("0", 0),
        ("9999999999999999999", None),
        ("9223372036854775807", None),
        ("99999999999", None),
        ("-5", None),
        ("XXXXXXXXXX.XXXXXX", None),
        ("", None),
        (None, None),
    ],
)
def test_epochs_by_their_digits(text: str | None, wanted: int | None) -> None:
    assert nanos(from_epoch(pa.array([text], pa.string()))) == [wanted]


def yearless(text: str, collected: dt.datetime, zone: dt.tzinfo = dt.UTC) -> dt.datetime | None:
    month, day, clock = text.split()
    column = from_yearless(
        pa.array([month]), pa.array([day]), pa.array([clock]), Context(zone=zone, collected=collected)
    )
    return column.cast(pa.timestamp("us", "UTC")).to_pylist()[0]


@pytest.mark.parametrize(
    ("text", "collected", "year"),
    [
        ("Nov 23 00:00:52", dt.datetime(2026, 12, 1, tzinfo=dt.UTC), 2026),
        ("Dec 31 23:59:59", dt.datetime(2027, 1, 1, 1, tzinfo=dt.UTC), 2026),
        ("Jan 1 00:00:01", dt.datetime(2026, 12, 31, 23, tzinfo=dt.UTC), 2027),
        ("Jan 3 00:00:01", dt.datetime(2026, 12, 31, 23, tzinfo=dt.UTC), 2026),
        ("Feb 29 12:00:00", dt.datetime(2026, 12, 1, tzinfo=dt.UTC), 2024),
    ],
)
def test_the_missing_year_is_the_closest_before(text: str, collected: dt.datetime, year: int) -> None:
    found = yearless(text, collected)
    assert found is not None
    assert found.year == year


def test_a_stamp_without_year_that_is_no_date_is_null() -> None:
    collected = dt.datetime(2026, 12, 1, tzinfo=dt.UTC)
    assert yearless("Feb 30 12:00:00", collected) is None
    assert yearless("Foo 23 12:00:00", collected) is None
    assert yearless("Nov 23 25:00:00", collected) is None


def test_inferred_years_are_noted() -> None:
    context = Context(zone=dt.UTC, collected=dt.datetime(2026, 12, 1, tzinfo=dt.UTC))
    from_yearless(pa.array(["Nov"]), pa.array([" 3"]), pa.array(["00:00:52.265"]), context)
    assert context.notes == {times.YEAR_INFERRED}


@settings(max_examples=60, deadline=None)
@given(moment=MOMENTS)
def test_parts_are_what_datetime_says(moment: dt.datetime) -> None:
    parts = [np.array([n]) for n in moment.timetuple()[:6]]
    found, wrong = times.from_parts(*parts, np.array([moment.microsecond * 1_000]))
    assert not wrong[0]
    assert int(found[0]) == of(moment.replace(tzinfo=dt.UTC))


@pytest.mark.parametrize("text", ["CST", "IST", "No/Where", "+99:99", "../etc/passwd", "x", "+8"])
def test_zones_that_are_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_zone(text)


@pytest.mark.parametrize(
    ("text", "hours"),
    [("UTC", 0), ("Z", 0), ("+08:00", 8), ("-0330", -3.5), ("UTC+08:00", 8), ("Asia/Shanghai", 8)],
)
def test_zones_that_are_known(text: str, hours: float) -> None:
    moment = dt.datetime(2026, 11, 23, tzinfo=parse_zone(text))
    assert moment.utcoffset() == dt.timedelta(hours=hours)
