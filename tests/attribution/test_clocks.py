"""Offsets of clocks from events that two sources share."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netaudit.attribution.clocks import ClockOffset, Outcome, Piece, correction, errors, offsets
from netaudit.attribution.shared_events import KEYS, Event, SharedEvents, _of_words
from netaudit.records.addresses import from_bytes
from netaudit.records.evidence import EvidenceFile
from netaudit.records.schemas import FIELDS, KINDS, conform

S = 10**9
HOUR, DAY = 3600, 86_400
BEGIN = 20_000 * DAY
MINUTES_47 = 2820


def addresses(numbers, width=16):
    octets = np.zeros((len(numbers), width), np.uint8)
    octets[:, -4:] = np.asarray(numbers, ">u4").view(np.uint8).reshape(-1, 4)
    if width == 16:
        octets[:, 10:12] = 255
    return from_bytes(octets)


def batch(kind, file, seconds, **columns):
    count = len(seconds)
    nanos = np.round((BEGIN + np.asarray(seconds, float)) * 1000).astype(np.int64) * 10**6
    said = {"ts": pa.array(nanos), "file": file, "ordinal": np.arange(1, count + 1)}
    return conform(kind, said | columns, count)


def lookups(file, seconds, names, port=None, client=None):
    columns = {"name": pa.array([f"h{n}.example" for n in names]), "qtype": "A"}
    columns["client_ip"] = addresses(np.zeros(len(names)) if client is None else client)
    if port is not None:
        columns["client_port"] = pa.array(port, pa.uint16())
    return batch("dns", file, seconds, **columns)


def entry(name, **more):
    return EvidenceFile(id=name, name=name, sha256=name, size=1, format="x", **more)


def measured(*batches, ledger=None, most=1_000_000):
    shared = SharedEvents(most)
    for one in batches:
        shared.add(one)
    return offsets(shared, ledger or [entry(name) for name in "abc"])


def only(*batches, **more):
    (found,) = measured(*batches, **more)
    return found


@pytest.fixture
def week():
    """Seconds and names of a week's look-ups, most names once."""
    rng = np.random.default_rng(4)
    return np.sort(rng.integers(0, 7 * DAY, 3000)), rng.integers(0, 10**6, 3000)


class TestOffsets:
    @pytest.mark.parametrize("off", [0, 1, -MINUTES_47, 5 * HOUR + 17, -25 * HOUR])
    def test_what_one_clock_is_off(self, week, off):
        seconds, names = week
        found = only(lookups("a", seconds + off, names), lookups("b", seconds, names))
        assert (found.source, found.other, found.outcome) == ("a", "b", Outcome.MEASURED)
        assert (found.main.offset_s, found.main.spread_s, found.main.drift_s_per_day) == (off, 0, 0)
        assert found.share == 1
        assert found.apart == (abs(off) > 5)

    def test_times_to_the_second_and_lost_records(self, week):
        seconds, names = week
        there = np.arange(3000) % 3 > 0
        found = only(lookups("a", seconds + 0.7, names), lookups("b", seconds[there], names[there]))
        assert found.shared == pytest.approx(2000, abs=20)
        assert found.main.offset_s == pytest.approx(0.7)
        assert not found.apart

    @pytest.mark.parametrize(
        ("off", "zone"), [(8 * HOUR + 2, 8), (-9.5 * HOUR, -9.5), (MINUTES_47, None), (1800, None)]
    )
    def test_a_zone_is_told_from_a_clock(self, week, off, zone):
        seconds, names = week
        assert only(lookups("a", seconds + off, names), lookups("b", seconds, names)).zone_h == zone

    def test_a_server_that_is_slow_drifts_and_is_set_in_the_middle(self):
        """A DHCP server 47 minutes slow, losing 2 s an hour, set right after three days; and a capture."""
        rng = np.random.default_rng(8)
        seconds = np.sort(rng.integers(0, 6 * DAY, 900)).astype(float)
        who = rng.integers(1, 400, 900)
        told = {"client_ip": addresses(who), "client_mac": addresses(who, 6), "message": "ack"}
        slow = np.where(seconds < 3 * DAY, -MINUTES_47 - seconds / HOUR * 2, 0)
        found = only(batch("dhcp", "a", seconds + slow, **told), batch("dhcp", "b", seconds, **told))
        first, second = found.pieces
        assert first.drift_s_per_day == pytest.approx(-48, abs=1)
        middle = (first.first.timestamp() + first.last.timestamp()) / 2 - BEGIN
        assert first.offset_s == pytest.approx(-MINUTES_47 - middle / HOUR * 2, abs=3)
        assert first.spread_s < 1
        assert (second.offset_s, second.drift_s_per_day) == (0, 0)
        assert first.last.timestamp() <= BEGIN + 3 * DAY <= second.first.timestamp()
        assert found.apart

    def test_what_recurs_tells_nothing(self):
        """Thirty clients that ask for one name at each full hour: every whole hour fits."""
        hours = np.tile(np.arange(12) * HOUR, 30) + np.repeat(np.arange(30), 12)
        client = np.repeat(np.arange(30), 12)
        name = np.zeros(360, int)
        found = only(
            lookups("a", hours + 600, name, client=client), lookups("b", hours, name, client=client)
        )
        assert (found.outcome, found.pieces, found.apart) == (Outcome.RECURRING, (), False)

    def test_logs_of_different_days_share_no_time(self, week):
        seconds, names = week
        early = seconds < DAY
        rng = np.random.default_rng(9)
        later = DAY + rng.integers(0, DAY, early.sum())
        found = only(lookups("a", seconds[early], names[early]), lookups("b", later, names[early]))
        assert found.outcome is Outcome.SCATTERED

    def test_too_few_are_not_told(self, week):
        seconds, names = (part[:9] for part in week)
        assert measured(lookups("a", seconds, names), lookups("b", seconds, names)) == ()

    def test_ports_tell_events_apart(self, week):
        """Few names, asked again and again: with the port, each look-up is one of its own."""
        seconds, names = week
        ports = np.arange(3000) + 1024
        logs = [lookups(f, seconds + off, names % 5, port=ports) for f, off in (("a", 90), ("b", 0))]
        found = only(*logs)
        assert (found.main.offset_s, found.shared) == (90, 3000)
        assert found.event is Event.LOOKUP

    def test_a_query_and_its_response_are_one_event(self, week):
        seconds, names = week
        twice = lookups("a", np.repeat(seconds, 2) + np.tile((0, 0.2), 3000), np.repeat(names, 2))
        assert only(twice, lookups("b", seconds, names)).main.offset_s == 0

    def test_files_of_one_source_are_not_compared(self, week):
        seconds, names = week
        ledger = [entry("a", source="dns"), entry("b", source="dns")]
        assert (
            measured(lookups("a", seconds, names), lookups("b", seconds + 99, names), ledger=ledger) == ()
        )

    def test_a_part_of_the_events_is_enough(self, week):
        seconds, names = week
        logs = lookups("a", seconds + 60, names), lookups("b", seconds, names)
        found = only(*logs, most=800)
        assert 100 <= found.shared <= 400
        assert found.main.offset_s == 60
        assert measured(*logs, most=800) == measured(*logs[::-1], most=800)

    def test_neither_nulls_nor_missing_columns_are_events(self):
        empty = {"name": pa.nulls(40, pa.string()), "client_ip": addresses(np.zeros(40)), "qtype": "A"}
        logs = [batch("dns", f, np.arange(40) * 60, **empty) for f in "ab"]
        assert measured(*logs, *(batch("flow", f, np.arange(40) * 60) for f in "ab")) == ()


def ends(prefix=("client", "server")):
    rng = np.random.default_rng(3)
    return {
        f"{prefix[0]}_ip": addresses(rng.integers(1, 99, 60)),
        f"{prefix[0]}_port": pa.array(rng.integers(1024, 65535, 60), pa.uint16()),
        f"{prefix[1]}_ip": addresses(rng.integers(1, 99, 60)),
        f"{prefix[1]}_port": pa.array([443] * 60, pa.uint16()),
    }


MACS = {"client_mac": addresses(np.arange(60) + 1, 6)}


class TestKeys:
    """Which records of which kinds are the same event."""

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            (("nat", ends() | {"message": "new"}), ("flow", ends())),
            (("nat", ends(("public", "server"))), ("flow", ends())),
            (("flow", ends()), ("flow", ends())),
            (("radius", MACS | {"message": "Start"}), ("wlan", MACS | {"message": "associated"})),
            (("radius", MACS | {"message": "Access-Accept"}), ("wlan", MACS | {"message": "WLAN_ONLINE"})),
            (
                ("dhcp", MACS | {"client_ip": addresses(range(60)), "message": "ack"}),
                ("dhcp", MACS | {"client_ip": addresses(range(60)), "message": "active"}),
            ),
        ],
    )
    def test_same(self, one, other):
        seconds = np.arange(60) * 211.0
        found = only(batch(one[0], "a", seconds + 33, **one[1]), batch(other[0], "b", seconds, **other[1]))
        assert (found.main.offset_s, found.shared) == (33, 60)

    @pytest.mark.parametrize(
        "message", ["destroy", "SESSION_CLOSE", "policy deny", "(1)Normal over", "entry"]
    )
    def test_the_end_of_a_session_is_no_begin(self, message):
        seconds = np.arange(60) * 211.0
        logs = batch("nat", "a", seconds, **ends(), message=message), batch("flow", "b", seconds, **ends())
        assert measured(*logs) == ()

    @pytest.mark.parametrize(
        "message", ["stop", "Interim-Update", "disassociated", "disconnected", "Login incorrect"]
    )
    def test_the_end_of_a_session_is_no_association(self, message):
        seconds = np.arange(60) * 211.0
        logs = (
            batch("radius", "a", seconds, **MACS, message=message),
            batch("wlan", "b", seconds, **MACS, message="start"),
        )
        assert measured(*logs) == ()

    def test_the_table_names_columns_that_are(self):
        for key in KEYS:
            assert len({len(view.columns) for view in key.views}) == 1
            for view in key.views:
                assert set(view.columns) <= set(KINDS[view.kind]) <= set(FIELDS)

    @given(st.lists(st.text(max_size=40), max_size=30), st.integers(0, 5))
    @settings(max_examples=60, deadline=None)
    def test_words_are_equal_where_their_numbers_are(self, words, start):
        column = pa.array(words, pa.string())[start:]
        numbers = _of_words(column).tolist()
        kept = words[start:]
        assert [a == b for a in numbers for b in numbers] == [a == b for a in kept for b in kept]


def told(source, other, *at):
    when = dt.datetime(2026, 11, 2, tzinfo=dt.UTC)
    pieces = tuple(Piece(when, when, off, 0.1, 0.0, 20) for off in at)
    return ClockOffset(
        source, other, Event.LEASE, 20, Outcome.MEASURED if at else Outcome.SCATTERED, pieces
    )


class TestErrors:
    def test_of_two_nobody_knows(self):
        assert errors([told("a", "b", 90.0)]) == {}

    def test_two_that_agree_are_right_against_a_third(self):
        found = [told("a", "b", 0.2), told("a", "c", -90.0), told("b", "c", -90.4)]
        assert errors(found) == {"a": 0.2, "b": -0.2, "c": pytest.approx(90.2)}

    def test_two_against_two(self):
        assert errors([told("a", "b", 0.0), told("c", "d", 0.0), told("b", "c", 60.0)]) == {}

    def test_what_was_not_measured_says_nothing(self):
        assert errors([told("a", "b"), told("a", "c", 0.0)]) == {"a": 0.0, "c": 0.0}

    @pytest.mark.parametrize(("off", "declared", "wanted"), [(-2820.0, 0.0, 2820.0), (30.0, 100.0, 70.0)])
    def test_what_to_declare(self, off, declared, wanted):
        assert correction(off, declared) == wanted
