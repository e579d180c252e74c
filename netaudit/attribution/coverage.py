"""What each log covers, so that "no entry" and "no log" differ.

A kind of log at a site covers the union of its files' spans, first record to last, less the
silences. Files that follow one another (a log that was rotated) are joined where the hole is no
longer than a silence that is usual there. A silence is a hole when

* it is longer than an hour and longer than ten times the distance that nine in ten of its records keep,
  so that a log with few entries, or with bursts of them, is not taken for a broken one;
* where the log runs for three days or more: it holds a full hour of the day (UTC) in which the log
  has records on at least two thirds of its days, so that a night in an office is no hole; and
* where it runs for two weeks or more: the log has a record at that hour of that day of the week at
  least once, so that a weekend is no hole either.

A lease store tells the state at its own time: it covers from its earliest to its latest beginning
of a lease, not to the ends that it promises. What has no time covers nothing.

A capture is no log: it has what passed one port. What it shows counts, and what it does not show
says nothing; so it covers nothing, of any kind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from netaudit.attribution.columns import NONE, SECOND, Records
from netaudit.records.evidence import EvidenceFile
from netaudit.records.moments import nanoseconds

HOUR = 3_600 * SECOND
DAY = 24 * HOUR
BUSY = 10
"""A silence counts from this many times the usual distance of records."""
USUAL = 0.9
"""Share of the records that keep the usual distance."""
RHYTHM_DAYS = 3
WEEK = 7 * 24
"""Hours of a week."""
RHYTHM_WEEKS = 2

CONFIGURATION = "configuration"
"""Format of what follows from the configuration (`attribution.deterministic`): it has no silence."""

CAPTURES = frozenset({"pcap", "pcapng"})
"""Formats of captures (`EvidenceFile.format`)."""


def is_capture(entry: EvidenceFile) -> bool:
    """Whether a file holds packets, and so is no log."""
    return entry.format in CAPTURES


@dataclass(frozen=True, slots=True)
class Coverage:
    """What one kind of log covers at one site: ``[low, high]`` in nanoseconds, apart, rising."""

    parts: tuple[tuple[int, int], ...] = ()
    files: tuple[str, ...] = ()
    """Ids of the files that it consists of."""

    def covers(self, low: int, high: int) -> bool:
        """Whether all of ``[low, high]`` lies in one covered stretch."""
        return bool(self.covers_each(np.array([low]), np.array([high]))[0])

    def covers_each(self, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """The same of many times: ``(n,)`` bool."""
        if not self.parts:
            return np.zeros(len(low), bool)
        since, until = np.array(self.parts, np.int64).T
        at = np.searchsorted(since, low, "right") - 1
        inside: np.ndarray = (at >= 0) & (high <= until[at])
        return inside

    @property
    def gaps(self) -> tuple[tuple[int, int], ...]:
        """The holes between what is covered."""
        return tuple((left[1], right[0]) for left, right in zip(self.parts, self.parts[1:], strict=False))

    @property
    def first(self) -> int | None:
        """Where it begins."""
        return self.parts[0][0] if self.parts else None

    @property
    def last(self) -> int | None:
        """Where it ends."""
        return self.parts[-1][1] if self.parts else None


class CoverageTable:
    """The coverage of every kind at every site."""

    def __init__(self, tables: Mapping[str, Records], ledger: Sequence[EvidenceFile]) -> None:
        """Measure.

        Args:
            tables: Records by kind.
            ledger: What was read, whatever came of it.
        """
        self._by: dict[tuple[str, str, tuple[str, ...]], Coverage] = {}
        self._together: dict[tuple[tuple[str, ...], str, str], Coverage] = {}
        self._captures = [entry for entry in ledger if is_capture(entry)]
        logs = [entry for entry in ledger if not is_capture(entry)]
        for kind in sorted({k for entry in logs for k in entry.kinds} | set(tables)):
            times = _times_by_file(kind, tables.get(kind))
            places = {(e.site, e.segments) for e in logs if kind in e.kinds}
            for site, segments in sorted(places):
                entries = [
                    e
                    for e in logs
                    if kind in e.kinds and (e.site, e.segments) == (site, segments) and not e.error
                ]
                self._by[kind, site, segments] = _measure(kind, entries, times)

    def sites(self, kinds: Sequence[str]) -> tuple[str, ...]:
        """Sites of which there is a log of these kinds; the empty one is a log of no named site."""
        return tuple(sorted({site for kind, site, _ in self._by if kind in kinds}))

    def of(self, kinds: Sequence[str], site: str, segment: str = "") -> Coverage:
        """Coverage of `kinds` together at a site and in a segment.

        Logs of no named site count everywhere, and so do those that declare no segments; where no
        segment is asked for, all count.
        """
        asked = tuple(kinds), site, segment
        if asked not in self._together:  # few are asked for, and again and again
            self._together[asked] = self._join(*asked)
        return self._together[asked]

    def captured(self, kinds: Sequence[str], site: str = "") -> tuple[str, ...]:
        """Ids of the captures with records of `kinds`, at a site or of no named one; at all where none is asked for."""
        return tuple(
            sorted(
                entry.id
                for entry in self._captures
                if not set(kinds).isdisjoint(entry.kinds) and (not site or entry.site in {site, ""})
            )
        )

    def _join(self, kinds: tuple[str, ...], site: str, segment: str) -> Coverage:
        parts = [
            coverage
            for (kind, where, segments), coverage in self._by.items()
            if kind in kinds
            and where in {site, ""}
            and (not segment or not segments or segment in segments)
        ]
        return Coverage(
            _union([p for c in parts for p in c.parts], 0),
            tuple(sorted({f for c in parts for f in c.files})),
        )

    def covers(
        self, kinds: Sequence[str], site: str, low: int, high: int, *, segments: Sequence[str] = ()
    ) -> bool:
        """Whether a time is covered at the site and in each of the segments (`needed`)."""
        return all(c.covers(low, high) for c in self.needed(kinds, site, segments))

    def needed(self, kinds: Sequence[str], site: str, segments: Sequence[str] = ()) -> list[Coverage]:
        """The coverages that all must hold a time, so that kinds of log cover it.

        Where no site or no segment is named, those of every one for which there is such a log.
        """
        sites = (site,) if site else tuple(s for s in self.sites(kinds) if s) or ("",)
        declared = {s for kind, _, scope in self._by if kind in kinds for s in scope}
        wanted = segments or sorted(declared) or ("",)
        return [self.of(kinds, one, segment) for one in sites for segment in wanted]


def holes(times: np.ndarray) -> tuple[list[tuple[int, int]], int]:
    """Silences of a log that are no part of its rhythm, and the longest silence that is allowed.

    Args:
        times: Sorted int64 nanoseconds of its records.
    """
    times = distinct(times)
    if len(times) < 2:
        return [], HOUR
    distance = np.diff(times)
    allowed = max(HOUR, BUSY * int(np.quantile(distance, USUAL, method="lower")))
    long = np.flatnonzero(distance > allowed)
    usual = usual_hours(times)
    if usual is not None and long.size:
        long = long[expected_hours(usual, times[long], times[long + 1]) > 0]
    return [(int(times[i]), int(times[i + 1])) for i in long], allowed


def distinct(rising: np.ndarray) -> np.ndarray:
    """The different values of a sorted array; many times as fast as to find them in any array."""
    first: np.ndarray = rising[np.append(True, rising[1:] != rising[:-1])[: len(rising)]]
    return first


def usual_hours(times: np.ndarray) -> np.ndarray | None:
    """Hours of the week (UTC, from that in which 1970 began) in which a log usually has records.

    Args:
        times: Sorted int64 nanoseconds of its records.

    Returns:
        ``(168,)`` bool; None where the log runs for less than three days, which is no rhythm.
    """
    if len(times) < 2 or times[-1] - times[0] < RHYTHM_DAYS * DAY:
        return None
    seen = distinct(times // HOUR)
    days = len(distinct(seen // 24))
    usual = np.tile(np.bincount(seen % 24, minlength=24) * 3 >= days * 2, 7)
    if times[-1] - times[0] >= RHYTHM_WEEKS * 7 * DAY:
        usual &= np.bincount(seen % WEEK, minlength=WEEK) > 0
    return usual


def expected_hours(usual: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """How many full hours of a log's rhythm lie in each span ``[low, high]``, ``(n,)`` int64.

    Args:
        usual: ``(168,)`` bool, of `usual_hours`.
        low: ``(n,)`` nanoseconds.
        high: ``(n,)`` nanoseconds, not before `low`.
    """
    upto = np.concatenate(([0], np.cumsum(usual)))

    def before(hour: np.ndarray) -> np.ndarray:
        counted: np.ndarray = hour // WEEK * upto[-1] + upto[hour % WEEK]
        return counted

    expected: np.ndarray = np.maximum(before(high // HOUR) - before(-(-low // HOUR)), 0)
    return expected


def _times_by_file(kind: str, records: Records | None) -> dict[str, tuple[np.ndarray, bool]]:
    """Times of each file's records, and whether it is a store that tells spans (leases)."""
    if records is None:
        return {}
    files, names = records.words("file")
    start, end = records.nanos("ts"), records.nanos("ts_end") if kind in {"dhcp", "nat"} else None
    order = np.argsort(files, kind="stable") if len(names) > 1 else np.arange(len(files), dtype=np.int32)
    bounds = np.searchsorted(files[order], np.arange(len(names) + 1))
    out = {}
    for code, name in enumerate(names):
        rows = order[bounds[code] : bounds[code + 1]]
        times = start[rows]
        store = kind == "dhcp" and end is not None and bool((end[rows] != NONE).any())
        if kind == "nat" and end is not None:
            times = np.concatenate((times, end[rows]))
        times = times[times != NONE]
        times.sort()
        out[name] = (times, store)
    return out


def _measure(
    kind: str, entries: Sequence[EvidenceFile], times: Mapping[str, tuple[np.ndarray, bool]]
) -> Coverage:
    if kind == "asset":
        return Coverage((), tuple(sorted(e.id for e in entries)))
    nothing = (np.empty(0, np.int64), False)
    settled = [e for e in entries if e.format == CONFIGURATION]
    entries = [e for e in entries if e.format != CONFIGURATION]
    known = [times.get(e.id, nothing)[0] for e in entries]
    whole = known[0] if len(known) == 1 else np.sort(np.concatenate(known or [nothing[0]]))
    silences, allowed = holes(whole)
    parts = []
    for entry in entries:
        own, store = times.get(entry.id, nothing)
        if store:
            parts += [(int(own[0]), int(own[-1]))] if own.size else []
        elif entry.first is not None and entry.last is not None:
            parts.append((nanoseconds(entry.first), nanoseconds(entry.last)))
    told = _without(_union(parts, allowed), silences)
    always = [(nanoseconds(e.first), nanoseconds(e.last)) for e in settled if e.first and e.last]
    return Coverage(_union([*told, *always], 0), tuple(sorted({e.id for e in (*entries, *settled)})))


def _union(parts: Sequence[tuple[int, int]], bridge: int) -> tuple[tuple[int, int], ...]:
    """Stretches that overlap or lie no more than `bridge` apart, joined."""
    out: list[tuple[int, int]] = []
    for low, high in sorted(parts):
        if out and low <= out[-1][1] + bridge:
            out[-1] = (out[-1][0], max(out[-1][1], high))
        else:
            out.append((low, high))
    return tuple(out)


def _without(
    parts: Sequence[tuple[int, int]], silences: Sequence[tuple[int, int]]
) -> tuple[tuple[int, int], ...]:
    out = []
    for low, high in parts:
        since = low
        for left, right in silences:
            if low <= left and right <= high:
                out.append((since, left))
                since = right
        out.append((since, high))
    return tuple(out)
