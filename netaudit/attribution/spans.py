"""Events to spans: who had what from when to when, and which end of it is only supposed.

A span whose beginning or end no record tells is bounded by a cap and marked so; nothing is ever
open without end. The caps are constants here, to be read beside the answers that rest on them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntFlag

import numpy as np

from netaudit.attribution.columns import FAR, NONE, SECOND, Records, combine
from netaudit.attribution.intervals import running_max
from netaudit.attribution.words import Role

LEASE_CAP_S = 86_400
"""A lease of unknown length counts for a day at most."""
ARP_HOLD_S = 1_200
"""An address seen in an ARP table counts for 20 minutes after, BSD's usual time-out."""
STATION_CAP_S = 86_400
"""A session without its stop counts for a day after its last sign of life. One without its start
may have begun up to a day before its first, which makes it a lead for that day and no answer."""
STATION_LEAD_S = 600
"""How long before its first sign of life a session without its start is an answer: interim
records come about so often (RFC 2869 2.1), and hostapd puts out a silent station after 300 s."""


class Doubt(IntFlag):
    """Which end of a span no record tells."""

    NO_START = 1
    NO_END = 2


_ENDS_SWAPPED = np.array([0, Doubt.NO_END, Doubt.NO_START, Doubt.NO_START | Doubt.NO_END], np.uint8)
"""By `Doubt` that of the same span, mirrored in time."""


@dataclass(frozen=True, slots=True)
class Spans:
    """Interval columns of equal length."""

    start: np.ndarray
    """int64 nanoseconds."""
    end: np.ndarray
    """int64 nanoseconds, included."""
    doubt: np.ndarray
    """uint8 `Doubt`: a bound that is marked is a cap."""
    first: np.ndarray
    """Row of the record that begins it."""
    last: np.ndarray
    """Row of the record that ends it, or the last one seen."""

    def __len__(self) -> int:
        """Number of spans."""
        return len(self.start)

    def take(self, rows: np.ndarray) -> Spans:
        """Some of the spans."""
        return Spans(*(getattr(self, name)[rows] for name in _FIELDS))


_FIELDS = ("start", "end", "doubt", "first", "last")


def pair(
    group: np.ndarray,
    time: np.ndarray,
    order: np.ndarray,
    role: np.ndarray,
    *,
    begun: np.ndarray,
    cap: np.ndarray,
    grace: int = -1,
) -> Spans:
    """Join the events of each group, in the order in which they happened, to spans.

    A session id is used again, so an id alone joins nothing: a span begins with a start, with
    whatever follows an end, and with the first event of a group. Only an end that follows an end
    within `grace` and tells no beginning says again what that one said: the span ends at the
    first of them. A supposed beginning is never before the last end of the group.

    Args:
        group: ``(n,)`` int64: events that may belong together.
        time: ``(n,)`` int64 nanoseconds, known.
        order: ``(n,)`` rank that settles equal times.
        role: ``(n,)`` `Role` START, SEEN or END.
        begun: ``(n,)`` nanoseconds: the beginning that an event itself tells, or `NONE`.
        cap: ``(n,)`` nanoseconds: how far a missing bound may lie from the nearest record.
        grace: Nanoseconds; negative where every end ends a span of its own.

    Returns:
        Spans whose `first` and `last` are indices of the events, by group and time.
    """
    if not len(group):
        nothing = np.empty(0, np.int64)
        return Spans(nothing, nothing, nothing.astype(np.uint8), nothing, nothing)
    by = np.lexsort((order, time, group))
    sorted_group, sorted_role, when = group[by], role[by], time[by]
    begins = np.diff(sorted_group, prepend=sorted_group[0] - 1) != 0
    begins |= sorted_role == Role.START
    begins[1:] |= sorted_role[:-1] == Role.END
    repeats = np.zeros(len(by), bool)
    repeats[1:] = (sorted_role[1:] == Role.END) & (sorted_role[:-1] == Role.END)
    repeats[1:] &= (sorted_group[1:] == sorted_group[:-1]) & (np.diff(when) <= grace)
    repeats &= begun[by] == NONE
    begins &= ~repeats
    head = np.flatnonzero(begins)
    over = np.append(head[1:], len(by)) - 1
    repeated = np.cumsum(repeats)
    tail = over - (repeated[over] - repeated[head])
    first, last = by[head], by[tail]
    told = begun[last]
    has_start = sorted_role[head] == Role.START
    no_start = ~has_start & (told == NONE)
    same = np.append([False], sorted_group[head[1:]] == sorted_group[head[:-1]])
    before = np.where(same, np.append([-FAR], when[over[:-1]]), -FAR)
    supposed = np.maximum(when[head] - cap[first], before)
    start = np.where(has_start, when[head], np.where(no_start, supposed, told))
    no_end = sorted_role[tail] != Role.END
    end = np.where(no_end, when[tail] + cap[last], when[tail])
    # The same group beginning anew proves that what was open before is over.
    again = np.append(same[1:], [False])
    following = np.append(when[head[1:]], [FAR])
    end = np.where(no_end & again, np.minimum(end, following), end)
    doubt = no_start * Doubt.NO_START + no_end * Doubt.NO_END
    return Spans(np.minimum(start, end), end, doubt.astype(np.uint8), first, last)


def end_at_next(
    spans: Spans, place: np.ndarray, holder: np.ndarray, begun: np.ndarray | None = None
) -> Spans:
    """Let supposed ends be no later than the next holder's beginning.

    A beginning that is itself supposed proves nothing.

    Args:
        spans: Spans.
        place: ``(n,)`` what only one can hold at a time.
        holder: ``(n,)`` who holds it.
        begun: ``(n,)`` when each had surely begun; where not given, a span without its beginning
            counts from its end.
    """
    if begun is None:
        begun = np.where((spans.doubt & Doubt.NO_START) != 0, spans.end, spans.start)
    open_ = (spans.doubt & Doubt.NO_END) != 0
    rows = np.flatnonzero(np.isin(place, np.unique(place[open_])))
    if not rows.size:
        return spans
    by = rows[np.lexsort((begun[rows], place[rows]))]
    changes = (np.diff(place[by], prepend=-2) != 0) | (np.diff(holder[by], prepend=-2) != 0)
    run = np.flatnonzero(changes)
    next_run = np.append(run[1:], len(by))[np.cumsum(changes) - 1]
    inside = next_run < len(by)
    other = by[np.where(inside, next_run, 0)]
    inside &= place[other] == place[by]
    limit = np.where(inside, begun[other], FAR)
    cut = np.maximum(np.minimum(spans.end[by], limit), spans.start[by])
    end = spans.end.copy()
    end[by[open_[by]]] = cut[open_[by]]
    return replace(spans, end=end)


def start_at_previous(spans: Spans, place: np.ndarray, holder: np.ndarray) -> Spans:
    """Let supposed beginnings be no earlier than the previous holder's end: `end_at_next`, mirrored in time."""
    mirrored = Spans(-spans.end, -spans.start, _ENDS_SWAPPED[spans.doubt], spans.last, spans.first)
    return replace(spans, start=-end_at_next(mirrored, place, holder).end)


def lease_spans(records: Records, role: np.ndarray, site: np.ndarray) -> Spans:
    """Spans of address and MAC from lease records of any kind.

    Renewals of one address by one MAC are joined while the lease that they renew still runs. A
    span ends at its release, or when its last lease runs out. That another MAC was given the
    address ends it only where its length is not known; else both stand, and that is a conflict.

    Args:
        records: Of the kind ``dhcp``.
        role: `Role` of each.
        site: Site code of each.

    Returns:
        Spans whose `first` and `last` are rows of `records`.
    """
    start, stop = records.nanos("ts"), records.nanos("ts_end")
    length = records.numbers("lease_s")
    start = np.where((start == NONE) & (stop != NONE) & (length > 0), stop - length * SECOND, start)
    stop = np.where((stop == NONE) & (start != NONE) & (length > 0), start + length * SECOND, stop)
    pairs = _pairs(records, site)
    usable = (records.known("client_ip") & records.known("client_mac")) & (role != Role.IGNORE)
    bounded = (start != NONE) & (stop != NONE)
    ending = usable & (role == Role.END)
    grant = usable & (start != NONE) & np.where(role == Role.START, True, bounded)
    known = _granted(pairs, start, stop, np.flatnonzero(grant), np.flatnonzero(ending))
    # A lease store that tells only the end (or a reservation that tells neither): a lead.
    vague = np.flatnonzero(usable & (role != Role.END) & (start == NONE))
    until = np.where(stop[vague] == NONE, FAR, stop[vague])
    since = np.where(stop[vague] == NONE, -FAR, until - LEASE_CAP_S * SECOND)
    doubt = np.where(stop[vague] == NONE, Doubt.NO_START | Doubt.NO_END, Doubt.NO_START)
    leads = Spans(since, until, doubt.astype(np.uint8), vague, vague)
    return concat([known, leads])


def seen_spans(records: Records, site: np.ndarray) -> Spans:
    """Spans of address and MAC from ARP records: each counts for `ARP_HOLD_S` after it was seen."""
    seen = records.nanos("ts")
    usable = records.known("client_ip") & records.known("client_mac") & (seen != NONE)
    rows = np.flatnonzero(usable)
    return _granted(_pairs(records, site), seen, seen + ARP_HOLD_S * SECOND, rows, rows[:0])


def _pairs(records: Records, site: np.ndarray) -> np.ndarray:
    return combine(records.codes("client_ip")[0], records.codes("client_mac")[0], site)


def _granted(
    pairs: np.ndarray, start: np.ndarray, stop: np.ndarray, grants: np.ndarray, endings: np.ndarray
) -> Spans:
    """Grants, cut where they were given back, renewals joined."""
    grants = grants[np.lexsort((start[grants], pairs[grants]))]
    if not grants.size:
        nothing = np.empty(0, np.int64)
        return Spans(nothing, nothing, nothing.astype(np.uint8), nothing, nothing)
    group, since, until = pairs[grants], start[grants], stop[grants]
    capped = until == NONE
    until = np.where(capped, since + LEASE_CAP_S * SECOND, until)
    until, capped, ended_by = _cut(group, since, until, capped, (pairs, start, stop, endings))
    until = np.maximum(until, since)
    reach = running_max(group, until)
    begins = np.diff(group, prepend=group[0] - 1) != 0
    begins[1:] |= since[1:] > reach[:-1]
    head = np.flatnonzero(begins)
    tail = np.append(head[1:], len(grants)) - 1
    doubt = np.where(capped[tail], Doubt.NO_END, 0).astype(np.uint8)
    last = np.where(ended_by[tail] >= 0, ended_by[tail], grants[tail])
    return Spans(since[head], reach[tail], doubt, grants[head], last)


def _cut(
    group: np.ndarray,
    since: np.ndarray,
    until: np.ndarray,
    capped: np.ndarray,
    ends: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Shorten each grant by the first ending that is about it.

    An ending that tells start and end (a lease store's ``free``) is about the lease with that
    start; one that tells its own time only (``DHCPRELEASE``) is about every lease begun by then.
    """
    pairs, start, stop, endings = ends
    ended_by = np.full(len(group), -1, np.int64)
    when = np.where(stop[endings] != NONE, stop[endings], start[endings])
    about = np.where(start[endings] != NONE, start[endings], when)
    placed = np.flatnonzero(when != NONE)
    if not placed.size:
        return until, capped, ended_by
    endings, when, about = endings[placed], when[placed], about[placed]
    order = np.lexsort((when, about, pairs[endings]))
    endings, when, about = endings[order], when[order], about[order]
    # Position of the first ending of the same pair that is about a start not before `since`.
    merged = np.lexsort(
        (
            np.concatenate((np.zeros(len(group)), np.ones(len(endings)))),
            np.concatenate((since, about)),
            np.concatenate((group, pairs[endings])),
        )
    )
    is_ending = merged >= len(group)
    before = np.cumsum(is_ending)
    position = np.empty(len(group), np.int64)
    position[merged[~is_ending]] = before[~is_ending]
    found = position < len(endings)
    at = np.where(found, position, 0)
    found &= pairs[endings[at]] == group
    shorter = found & ((when[at] < until) | capped)
    return (
        np.where(shorter, when[at], until),
        capped & ~shorter,
        np.where(shorter, endings[at], ended_by),
    )


def concat(parts: list[Spans]) -> Spans:
    """Spans one after another."""
    return Spans(*(np.concatenate([getattr(p, name) for p in parts]) for name in _FIELDS))
