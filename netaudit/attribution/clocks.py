"""How far the clocks of two sources are apart, from events that both saw. Shown, and never applied.

For every event that two sources share, the differences of its times are candidates; the true ones
agree, the others lie scattered. Events that each source saw only once are looked at first, then
those seen up to four, up to sixteen times. In slices of time the offset is where most of the events
agree within half a minute; a slice counts when half of its events do and no other offset fits half
as many again, so that a look-up repeated every hour shows nothing. Slices of one offset are one
piece; a clock that was set, or runs ahead, shows in the pieces and their drift.

An offset between two clocks does not say which of them is right. Where two sources or more agree
and another does not, the other is told as off (`errors`).
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations, pairwise

import numpy as np

from netaudit.attribution.columns import SECOND
from netaudit.attribution.continuity import source_of
from netaudit.attribution.shared_events import KEYS, Event, Seen, SharedEvents
from netaudit.records.evidence import EvidenceFile
from netaudit.records.moments import moment

REACH_S = 26 * 3600
"""Differences beyond are no candidates: the widest zone mistake, and two hours."""
RARE = (1, 4, 16)
"""How often a source may have seen an event."""
CANDIDATES = 4_000_000
"""Of two sources; the events with the lowest numbers are taken."""
ENOUGH = 10
"""Events that must agree."""
HALF = 0.5
RIVAL = 0.6
"""An offset stands out when the next best has less than this part of its weight."""
SLICE, SLICES = 20, 200
SOURCES = 40
"""Sources that are compared for one sort of event: those with the most."""
TELLING_S = 5.0
"""From this offset on, clocks are apart."""
ZONE_SLACK_S = 120.0
DRIFT_S_PER_DAY = 60.0
"""More than a clock that runs loses or gains; what changes faster was set."""
_BIN = 30
_HALF_HOUR = 1800


class Outcome(StrEnum):
    """What the shared events of two sources say."""

    MEASURED = "measured"
    RECURRING = "the shared events recur; more than one offset fits"
    SCATTERED = "no offset fits half of the shared events"


@dataclass(frozen=True, slots=True)
class Piece:
    """A time in which the offset is one."""

    first: dt.datetime
    last: dt.datetime
    offset_s: float
    """Middle of its span: by how much the first source's times are later than the other's."""
    spread_s: float
    """Usual distance of one event from it."""
    drift_s_per_day: float
    """0 where none stands out of the spread."""
    events: int


@dataclass(frozen=True, slots=True)
class ClockOffset:
    """Two clocks, compared."""

    source: str
    other: str
    event: Event
    """Which sort of event was compared."""
    shared: int
    """Events of `source` that `other` may have seen as well."""
    outcome: Outcome
    pieces: tuple[Piece, ...] = ()

    @property
    def agreeing(self) -> int:
        """Events that the pieces rest on."""
        return sum(piece.events for piece in self.pieces)

    @property
    def share(self) -> float:
        """Share of the shared events that agree."""
        return self.agreeing / self.shared

    @property
    def main(self) -> Piece:
        """The piece with the most events; the last of equals."""
        return max(self.pieces, key=lambda piece: (piece.events, piece.first))

    @property
    def apart(self) -> bool:
        """Whether it matters: more than `TELLING_S`, and more than twice its own spread."""
        return any(abs(p.offset_s) > max(TELLING_S, 2 * p.spread_s) for p in self.pieces)

    @property
    def zone_h(self) -> float | None:
        """Whole and half hours, one at least, that the offset is next to; None where it is to none."""
        if not self.pieces:
            return None
        halves = round(self.main.offset_s / _HALF_HOUR)
        near = abs(self.main.offset_s - halves * _HALF_HOUR) <= ZONE_SLACK_S
        return halves / 2 if near and abs(halves) >= 2 else None


def offsets(events: SharedEvents, ledger: Sequence[EvidenceFile]) -> tuple[ClockOffset, ...]:
    """Every two sources that share enough events, each pair once, sorted.

    Of several sorts of event the measured one with the most events that agree is told; where none
    is measured, the one with the most that are shared.
    """
    files = {entry.id: source_of(entry) for entry in ledger if entry.id and not entry.error}
    found: dict[tuple[str, str], list[ClockOffset]] = defaultdict(list)
    seen = events.seen(files)
    for key in KEYS:
        by_source = seen.get(key.event, {})
        most = sorted(by_source, key=lambda name: (-len(by_source[name].number), name))[:SOURCES]
        for one, other in combinations(sorted(most), 2):
            result = _compare(one, other, key.event, by_source)
            if result is not None:
                found[one, other].append(result)
    return tuple(_best(found[pair]) for pair in sorted(found))


def _best(results: list[ClockOffset]) -> ClockOffset:
    return max(results, key=lambda r: (r.outcome is Outcome.MEASURED, r.agreeing, r.shared))


def errors(found: Sequence[ClockOffset]) -> dict[str, float]:
    """By how many seconds a clock is off, where that can be said: most of the others agree without it.

    Returns:
        Of each source that was compared with members of the largest group of clocks that agree (two at
        least, and larger than any other): the middle of its offsets to them, members' own included.
        Others are not named.
    """
    measured = [one for one in found if one.outcome is Outcome.MEASURED]
    group = {name: name for one in measured for name in (one.source, one.other)}

    def root(name: str) -> str:
        while group[name] != name:
            name = group[name]
        return name

    for one in measured:
        if not one.apart:
            low, high = sorted((root(one.source), root(one.other)))
            group[high] = low
    members: dict[str, list[str]] = defaultdict(list)
    for name in sorted(group):
        members[root(name)].append(name)
    sizes = sorted((len(names) for names in members.values()), reverse=True)
    if not sizes or sizes[0] < 2 or (len(sizes) > 1 and sizes[1] == sizes[0]):
        return {}
    right = next(names for names in members.values() if len(names) == sizes[0])
    off: dict[str, list[float]] = defaultdict(list)
    for one in measured:
        if one.other in right:
            off[one.source].append(one.main.offset_s)
        if one.source in right:
            off[one.other].append(-one.main.offset_s)
    return {name: float(np.median(off[name])) + 0.0 for name in sorted(off)}


def correction(offset_s: float, declared_s: float) -> float:
    """What ``clock_offset_s`` must be, so that a source's times agree with the other's.

    Args:
        offset_s: By how much its times are later, as read.
        declared_s: What is declared now; the times were read with it.
    """
    return round(declared_s - offset_s, 3) + 0.0


def _compare(one: str, other: str, event: Event, by_source: Mapping[str, Seen]) -> ClockOffset | None:
    """The offset of two sources by one sort of event; None where they share too few."""
    result: ClockOffset | None = None
    for often in RARE:
        candidates = _candidates(by_source[one], by_source[other], often)
        shared = len(candidates.time)
        if shared < ENOUGH:
            continue
        slices = list(candidates.slices())
        pieces = tuple(_pieces([s for s in slices if s.clear]))
        agreeing = sum(piece.events for piece in pieces)
        if pieces and agreeing >= HALF * shared:
            return ClockOffset(one, other, event, shared, Outcome.MEASURED, pieces)
        fits = sum(len(s.time) for s in slices)
        outcome = Outcome.RECURRING if fits >= HALF * shared else Outcome.SCATTERED
        result = ClockOffset(one, other, event, shared, outcome)
    return result


@dataclass(frozen=True, slots=True)
class _Slice:
    """Events of one stretch of time that agree on an offset."""

    offset: float
    time: np.ndarray
    difference: np.ndarray
    """``(n,)`` seconds of each."""
    clear: bool

    def leaps_from(self, before: _Slice) -> bool:
        """Whether a clock was set between two slices."""
        days = float(np.median(self.time) - np.median(before.time)) / (86_400 * SECOND)
        return abs(self.offset - before.offset) > _BIN + DRIFT_S_PER_DAY * days


@dataclass(frozen=True, slots=True)
class _Candidates:
    """The differences that shared events may mean."""

    time: np.ndarray
    """``(e,)`` nanoseconds of each event, rising."""
    event: np.ndarray
    """``(c,)`` which event a candidate is of, rising."""
    difference: np.ndarray
    """``(c,)`` seconds."""

    def slices(self) -> Iterator[_Slice]:
        """Runs of events in time, with the offset that fits the most of each."""
        count = int(np.clip(len(self.time) // SLICE, 1, SLICES))
        edges = np.arange(count + 1) * len(self.time) // count
        bounds = np.searchsorted(self.event, edges)
        weight = 1 / np.bincount(self.event, minlength=len(self.time))[self.event]
        for low, high, begin, end in zip(bounds, bounds[1:], edges, edges[1:], strict=False):
            yield self._fit(slice(low, high), weight[low:high], int(end - begin))

    def _fit(self, part: slice, weight: np.ndarray, events: int) -> _Slice:
        difference, event = self.difference[part], self.event[part]
        bins = np.floor(difference / _BIN).astype(np.int64) + REACH_S // _BIN + 1
        weights = np.bincount(bins, weight, minlength=2 * (REACH_S // _BIN) + 4)
        pairs = weights[:-1] + weights[1:]
        best = int(pairs.argmax())
        within = (bins == best) | (bins == best + 1)
        order = np.argsort(difference[within], kind="stable")
        middle = np.searchsorted(np.cumsum(weight[within][order]), weight[within].sum() / 2)
        offset = float(difference[within][order][min(middle, len(order) - 1)])
        rival = np.concatenate((pairs[: max(best - 2, 0)], pairs[best + 3 :])).max()
        away = np.abs(difference - offset)
        nearest = np.lexsort((away, event))
        first = np.append(True, np.diff(event[nearest]) != 0)
        chosen = nearest[first & (away[nearest] <= _BIN)]
        half = max(HALF * events, ENOUGH)
        return _Slice(
            offset,
            self.time[event[chosen]],
            difference[chosen],
            clear=len(chosen) >= half and rival <= RIVAL * pairs[best],
        )


def _candidates(one: Seen, other: Seen, often: int) -> _Candidates:
    keys, counts, starts = _runs(one, often)
    others, other_counts, other_starts = _runs(other, often)
    _, mine, theirs = np.intersect1d(keys, others, assume_unique=True, return_indices=True)
    left, right = counts[mine], other_counts[theirs]
    taken = np.cumsum(left * right) <= CANDIDATES
    left, right, mine, theirs = left[taken], right[taken], starts[mine[taken]], other_starts[theirs[taken]]
    width = np.repeat(right, left)  # of each event of one source: how many of the other
    event = np.repeat(mine, left) + _within(left)
    candidate = np.repeat(np.repeat(theirs, left), width) + _within(width)
    event = np.repeat(event, width)
    difference = (one.time[event] - other.time[candidate]) / SECOND
    near = np.abs(difference) <= REACH_S
    event, difference = event[near], difference[near]
    rows, place = np.unique(event, return_inverse=True)
    in_time = np.argsort(one.time[rows], kind="stable")
    rank = np.empty(len(rows), np.int64)
    rank[in_time] = np.arange(len(rows))
    order = np.argsort(rank[place], kind="stable")
    return _Candidates(one.time[rows[in_time]], rank[place][order], difference[order])


def _runs(seen: Seen, often: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Numbers that were seen up to so often, how often, and where each begins."""
    keys, starts, counts = np.unique(seen.number, return_index=True, return_counts=True)
    rare = counts <= often
    return keys[rare], counts[rare], starts[rare]


def _within(lengths: np.ndarray) -> np.ndarray:
    """0, 1, … within each of some runs."""
    ends = np.cumsum(lengths)
    place: np.ndarray = np.arange(int(lengths.sum())) - np.repeat(ends - lengths, lengths)
    return place


def _pieces(slices: Sequence[_Slice]) -> Iterator[Piece]:
    """Neighbouring slices whose offsets differ by no more than half a minute and what clocks drift, in one."""
    begin = 0
    for end in range(1, len(slices) + 1):
        if end == len(slices) or slices[end].leaps_from(slices[end - 1]):
            run = slices[begin:end]
            time = np.concatenate([s.time for s in run])
            difference = np.concatenate([s.difference for s in run])
            yield _piece(time, difference)
            begin = end


def _piece(time: np.ndarray, difference: np.ndarray) -> Piece:
    order = np.argsort(time, kind="stable")
    time, difference = time[order], difference[order]
    middle = (int(time[0]) + int(time[-1])) / 2
    days = (time - middle) / (86_400 * SECOND)
    drift = _slope(days, difference)
    straight = difference - drift * days
    spread = float(np.median(np.abs(straight - np.median(straight))))
    if abs(drift) * (days[-1] - days[0]) <= max(2.0, 4 * spread):
        drift, straight = 0.0, difference
        spread = float(np.median(np.abs(straight - np.median(straight))))
    return Piece(
        first=moment(int(time[0])),
        last=moment(int(time[-1])),
        offset_s=round(float(np.median(straight)), 3) + 0.0,
        spread_s=round(spread, 3),
        drift_s_per_day=round(drift, 3) + 0.0,
        events=len(time),
    )


def _slope(days: np.ndarray, difference: np.ndarray) -> float:
    """Theil-Sen: the middle of the slopes between the medians of up to a hundred groups of events."""
    groups = min(100, len(days) // 5)
    if groups < 3 or days[0] == days[-1]:
        return 0.0
    edges = np.arange(groups + 1) * len(days) // groups
    x = np.array([np.median(days[a:b]) for a, b in pairwise(edges)])
    y = np.array([np.median(difference[a:b]) for a, b in pairwise(edges)])
    upper = np.triu_indices(groups, 1)
    run = x[upper[1]] - x[upper[0]]
    rise = y[upper[1]] - y[upper[0]]
    return float(np.median(rise[run > 0] / run[run > 0])) if (run > 0).any() else 0.0
