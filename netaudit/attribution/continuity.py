"""What each log holds without a break: days, gaps, silent hours, clock steps. Facts, no judgement.

`Timelines` takes every batch of events as it streams by and keeps of a row its time and its place
in the file, no more. A source is what is declared as one ``[[source]]``; files that none declares
are one source where their names differ by rotation only. Records of different kinds have rhythms
of their own, so each kind of a source is told by itself. A capture is one series whatever it holds,
and its silences are none: what it does not show says nothing (`coverage`).

What a gap is says `coverage.holes`, and nothing else; what a clock step is says `steps`. No kind of
record keeps a running number of its log, so single lines that are missing in between are not seen.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.attribution.columns import FAR, NONE, SECOND, to_moment
from netaudit.attribution.coverage import (
    DAY,
    HOUR,
    distinct,
    expected_hours,
    holes,
    is_capture,
    usual_hours,
)
from netaudit.attribution.steps import Order, order_of, steps
from netaudit.records.evidence import Evidence, EvidenceFile
from netaudit.records.moments import EPOCH, moment
from netaudit.records.schemas import kind_of

ROWS = 5_000_000
"""Rows that are kept one by one, 16 bytes each (24 where they tell an end). When more come, of each
`STRETCH` of records only the first and the last of each second are kept on, where that is not enough of
each ten seconds, then of each minute: no gap moves by more. What would need still more is left out and
counted."""
STRETCH = 4096
GRAINS = (1, 10, 60)
CAPTURE = "capture"
_WRITTEN_AT_END = frozenset({"flow", "proxy", "nat"})
"""Kinds whose logs write a record at its end where it tells one."""
_NO_TIMELINE = frozenset({"asset"})
"""An inventory's dates are no times of records."""
_QUARTER = HOUR // 4
_PACKED = re.compile(r"\.(?:gz|xz|zst|bz2)$", re.IGNORECASE)
_DATE = re.compile(r"(?<!\d)\d{4}([-_.]?)\d\d\1\d\d(?:[-_T]?\d\d(?:[-:.]?\d\d){0,2})?(?!\d)")
_TURN = re.compile(r"(?<!\d)\.\d{1,4}$")


@dataclass(frozen=True, slots=True)
class ClockStep:
    """Where the times of a file go back, or leap."""

    at: Evidence
    """The first record after it."""
    before: dt.datetime
    after: dt.datetime
    seconds: float
    """Negative: the clock was set back."""


@dataclass(frozen=True, slots=True)
class Continuity:
    """The facts of one kind of record of one source."""

    source: str
    """Id (else path) of the ``[[source]]``, else the files' name without what rotation adds."""
    declared: bool
    kind: str
    """A kind of record, or `CAPTURE`."""
    site: str
    segments: tuple[str, ...]
    formats: tuple[str, ...]
    files: tuple[EvidenceFile, ...]
    records: int
    undated: int
    """Records without a time."""
    left_out: int
    """Records that were not looked at, because there are more than `ROWS`."""
    first: dt.datetime | None = None
    last: dt.datetime | None = None
    days: int = 0
    """Days (UTC) with at least one record."""
    local_days: int | None = None
    """Days of the unit's zone with at least one record; None where the zone is not known."""
    span_days: int = 0
    """Days (UTC) from the first to the last."""
    allowed_s: float = 0.0
    """Silences up to this are part of it."""
    gaps: tuple[tuple[dt.datetime, dt.datetime], ...] = ()
    expected_hours: int | None = None
    """Full hours in which it usually has records; None where it is too short to have a rhythm."""
    silent_hours: int | None = None
    """Of these, those without any."""
    order: Order = Order.UNKNOWN
    """How the records lie in their files; files of different order: `Order.NONE`."""
    steps: tuple[ClockStep, ...] = ()

    @property
    def longest_gap_s(self) -> float:
        """Of the gaps; 0 where there is none."""
        return max(((high - low).total_seconds() for low, high in self.gaps), default=0.0)


def source_of(entry: EvidenceFile) -> str:
    """The source that a file belongs to, see `Continuity.source`."""
    if entry.source:
        return entry.source
    plain = _TURN.sub("", _PACKED.sub("", entry.name))
    folder, slash, name = plain.rpartition("/")
    return folder + slash + _DATE.sub("*", name)


@dataclass(slots=True)
class _Series:
    """The rows of one file and kind."""

    parts: list[tuple[np.ndarray, np.ndarray, np.ndarray | None]] = field(default_factory=list)
    """Times, ordinals, and ends where a batch has any."""
    records: int = 0
    undated: int = 0
    left_out: int = 0
    is_store: bool = False
    """Whether it holds what is in force (leases), rewritten as it changes, and no course of events."""

    def merged(self) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """All parts in one, in the order of the file."""
        if len(self.parts) > 1 or not _is_sorted(self.parts[0][1]):
            times, ordinals = (np.concatenate([p[i] for p in self.parts]) for i in (0, 1))
            ends = None
            if any(p[2] is not None for p in self.parts):
                ends = np.concatenate(
                    [np.full(len(p[0]), NONE) if p[2] is None else p[2] for p in self.parts]
                )
            if not _is_sorted(ordinals):
                order = np.argsort(ordinals, kind="stable")
                times, ordinals = times[order], ordinals[order]
                ends = None if ends is None else ends[order]
            self.parts = [(times, ordinals, ends)]
        return self.parts[0]

    def thin(self, grain: int) -> int:
        """Of each `STRETCH` of records, keep the first and the last of each `grain` seconds; how many are left."""
        if not self.parts:
            return 0
        times, ordinals, ends = self.merged()
        second = (times if ends is None else np.maximum(times, ends)) // (grain * SECOND)
        stretch = np.arange(len(times)) // STRETCH
        order = np.lexsort((second, stretch))
        new = np.append(True, (np.diff(second[order]) != 0) | (np.diff(stretch[order]) != 0))
        keep = np.sort(order[new | np.append(new[1:], True)])
        self.parts = [(times[keep], ordinals[keep], None if ends is None else ends[keep])]
        return len(keep)


class Timelines:
    """Add every batch of events, then ask for `facts`."""

    def __init__(self, rows: int = ROWS) -> None:
        """Start with nothing; `rows` is how many are kept one by one."""
        self._series: dict[str, dict[str, _Series]] = {}  # by file and kind
        self._rows, self._held = rows, 0
        self._grains = list(GRAINS)

    def add(self, batch: pa.RecordBatch) -> None:
        """Add a batch of any kind of record."""
        kind = kind_of(batch)
        if kind in _NO_TIMELINE or not batch.num_rows:
            return
        names = batch.column("file")
        for index, name in enumerate(names.dictionary.to_pylist()):
            mine = batch if len(names.dictionary) == 1 else batch.filter(pc.equal(names.indices, index))
            if mine.num_rows:
                self._add(self._series.setdefault(name, {}).setdefault(kind, _Series()), mine, kind)
        while self._held > self._rows and self._grains:
            every = [series for kinds in self._series.values() for series in kinds.values()]
            self._held = sum(series.thin(self._grains[0]) for series in every)
            if self._held * 4 > self._rows * 3:
                self._grains.pop(0)

    def _add(self, series: _Series, batch: pa.RecordBatch, kind: str) -> None:
        times = _nanos(batch.column("ts"))
        known = times != NONE
        series.records += len(times)
        series.undated += len(times) - int(known.sum())
        if self._held > self._rows:
            series.left_out += int(known.sum())
            return
        if kind == "dhcp" and batch.column("ts_end").null_count < batch.num_rows:
            series.is_store = True
        ordinals = pc.fill_null(batch.column("ordinal").cast(pa.int64()), 0).to_numpy(zero_copy_only=False)
        ends = None
        if kind in _WRITTEN_AT_END and batch.column("ts_end").null_count < batch.num_rows:
            ends = _nanos(batch.column("ts_end"))[known]
        series.parts.append((times[known], ordinals[known], ends))
        self._held += len(series.parts[-1][0])

    def facts(
        self, ledger: Sequence[EvidenceFile], zone: dt.tzinfo | None = None
    ) -> tuple[Continuity, ...]:
        """The facts of each source and kind, sorted.

        Args:
            ledger: What was read. Files without a record that has a time are told as well.
            zone: The unit's, in which local days are counted.
        """
        groups: dict[tuple[str, str, str, tuple[str, ...]], list[EvidenceFile]] = {}
        for entry in ledger:
            if entry.error or not entry.id:
                continue
            for kind in (CAPTURE,) if is_capture(entry) else entry.kinds:
                if kind not in _NO_TIMELINE:
                    groups.setdefault((source_of(entry), kind, entry.site, entry.segments), []).append(
                        entry
                    )
        return tuple(self._of(key, groups[key], zone) for key in sorted(groups))

    def _of(
        self,
        key: tuple[str, str, str, tuple[str, ...]],
        entries: Sequence[EvidenceFile],
        zone: dt.tzinfo | None,
    ) -> Continuity:
        source, kind, site, segments = key
        per_file = [
            (
                entry,
                [s for k, s in self._series.get(entry.id, {}).items() if kind in {CAPTURE, k}],
            )
            for entry in entries
        ]
        series = [s for _, found in per_file for s in found]
        whole, found_steps, orders = _together(per_file, kind)
        return Continuity(
            source=source,
            declared=any(entry.source for entry in entries),
            kind=kind,
            site=site,
            segments=segments,
            formats=tuple(sorted({entry.format for entry in entries})),
            files=tuple(entries),
            records=sum(s.records for s in series),
            undated=sum(s.undated for s in series),
            left_out=sum(s.left_out for s in series),
            order=orders.pop() if len(orders) == 1 else Order.NONE if orders else Order.UNKNOWN,
            steps=tuple(found_steps),
            **_rhythm(whole, found_steps, zone, captured=kind == CAPTURE),
        )


def _together(
    per_file: Sequence[tuple[EvidenceFile, list[_Series]]], kind: str
) -> tuple[np.ndarray, list[ClockStep], set[Order]]:
    """All times of a source, sorted; the steps in its files; and the orders that its files have."""
    times, found, orders = [np.empty(0, np.int64)], [], set()
    for entry, series in per_file:
        if not any(s.parts for s in series):
            continue
        mine = _Series([part for s in series for part in s.parts])
        start, ordinals, ends = mine.merged()
        times.append(start)
        if kind == "nat" and ends is not None:
            times.append(ends[ends != NONE])
        written = start if ends is None or kind == CAPTURE else np.maximum(start, ends)
        is_store = kind != CAPTURE and any(s.is_store for s in series)
        order = Order.NONE if is_store else order_of(written)
        orders |= {order} - {Order.UNKNOWN}
        if order is Order.FALLING:
            written, ordinals = written[::-1], ordinals[::-1]
        if order in {Order.RISING, Order.FALLING}:
            found += list(_steps(entry.id, written, ordinals))
    return np.sort(np.concatenate(times)), found, orders


def _steps(file: str, times: np.ndarray, ordinals: np.ndarray) -> Iterable[ClockStep]:
    for at, size in steps(times):
        before, after = to_moment(int(times[at - 1])), to_moment(int(times[at]))
        if before is not None and after is not None:
            yield ClockStep(Evidence(file, int(ordinals[at])), before, after, size / SECOND)


def _rhythm(
    times: np.ndarray, found: Sequence[ClockStep], zone: dt.tzinfo | None, *, captured: bool
) -> dict[str, Any]:
    times = times[np.abs(times) < FAR]
    if not times.size:
        return {}
    first, last = int(times[0]), int(times[-1])
    facts: dict[str, Any] = {
        "first": moment(first),
        "last": moment(last),
        "days": len(distinct(times // DAY)),
        "local_days": None if zone is None else len(_local_days(times, zone)),
        "span_days": last // DAY - first // DAY + 1,
    }
    if captured:
        return facts
    gaps, allowed = holes(times)
    leaps = {(step.before, step.after) for step in found}
    facts["allowed_s"] = allowed / SECOND
    told = ((moment(low), moment(high)) for low, high in gaps)
    facts["gaps"] = tuple(gap for gap in told if gap not in leaps)
    usual = usual_hours(times)
    if usual is not None:
        hours = distinct(times // HOUR)
        inner = hours[(hours * HOUR >= first) & ((hours + 1) * HOUR <= last)]
        expected = int(expected_hours(usual, times[:1], times[-1:])[0])
        facts |= {
            "expected_hours": expected,
            "silent_hours": expected - int(usual[inner % len(usual)].sum()),
        }
    return facts


def _local_days(times: np.ndarray, zone: dt.tzinfo) -> np.ndarray:
    """Distinct days of a zone; an offset changes on few days, and only there by the quarter of an hour."""
    quarters = distinct(times // _QUARTER)
    days, of_day = np.unique(quarters * _QUARTER // DAY, return_inverse=True)
    begins = [_offset(int(day) * DAY, zone) for day in days]
    ends = [_offset(int(day) * DAY + DAY - 1, zone) for day in days]
    offset = np.array(begins, np.int64)[of_day]
    for at in np.flatnonzero((np.array(begins) != np.array(ends))[of_day]).tolist():
        offset[at] = _offset(int(quarters[at]) * _QUARTER, zone)
    return np.unique((quarters * _QUARTER + offset) // DAY)


def _offset(nanos: int, zone: dt.tzinfo) -> int:
    there = (EPOCH + dt.timedelta(microseconds=nanos // 1000)).astimezone(zone).utcoffset()
    return 0 if there is None else there // dt.timedelta(microseconds=1) * 1000


def _nanos(column: pa.Array) -> np.ndarray:
    filled = pc.fill_null(column.cast(pa.int64()), NONE).to_numpy(zero_copy_only=False)
    bounded: np.ndarray = np.minimum(filled, FAR)
    return bounded


def _is_sorted(values: np.ndarray) -> bool:
    return bool((values[1:] >= values[:-1]).all())
