"""From the spans that fit to ranked candidates, and whether one of them is the answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from netaudit.attribution.columns import to_moment
from netaudit.attribution.held import Held
from netaudit.attribution.intervals import Window, overlaps, stable_range
from netaudit.attribution.spans import Doubt
from netaudit.attribution.trace import Candidate, Outcome
from netaudit.records.evidence import Evidence

EVIDENCE_KEPT = 5

AT_THE_TIME = "It covers the time that was asked for."
NEAR_THE_TIME = "It covers the time that was asked for only if the clocks differ."
_WHY = {
    (True, 0): AT_THE_TIME,
    (False, 0): NEAR_THE_TIME,
    (True, Doubt.NO_START): "It covers the time if it began early enough; its beginning is in no log.",
    (
        False,
        Doubt.NO_START,
    ): "It covers the time only if the clocks differ, and its beginning is in no log.",
    (True, Doubt.NO_END): "It covers the time if it was still open; its end is in no log.",
    (False, Doubt.NO_END): "It covers the time only if the clocks differ, and its end is in no log.",
    (True, 3): "It covers the time if it was open then; neither its beginning nor its end is in any log.",
    (
        False,
        3,
    ): "It covers the time only if the clocks differ; neither its beginning nor its end is in any log.",
}
"""Why a candidate fits: by whether it fits without clock error, and by what is supposed."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """The candidates of a hop, ranked, and the spans behind each."""

    candidates: tuple[Candidate, ...]
    spans: tuple[np.ndarray, ...]
    """For each candidate its spans, best first."""
    exact: int
    """How many of the candidates fit the time without clock error."""
    stable: tuple[float, float] | None

    @property
    def outcome(self) -> Outcome:
        """Held by one, or by several; MISSING where by none."""
        if not self.candidates:
            return Outcome.MISSING
        return Outcome.HELD if len(self.candidates) == 1 else Outcome.AMBIGUOUS

    @property
    def by_clock(self) -> bool:
        """Whether only the clock error makes it several."""
        return len(self.candidates) > 1 and self.exact <= 1


NOTHING = Weighed((), (), 0, None)


def weigh(
    held: Held,
    rows: np.ndarray,
    window: Window,
    *,
    near: Callable[[], np.ndarray] | None,
    sites: tuple[str, ...],
    preferred: np.ndarray | None = None,
) -> Weighed:
    """Group spans by holder and site, and rank the holders.

    What fits the time without clock error comes first, then what names the destination, then
    what shares more of the time asked for, then what is nearer to it, then what has both its
    bounds in the log, then what begins nearer to it.

    Args:
        held: The log.
        rows: Spans that overlap the widened window.
        window: The time asked for.
        near: Looks up the spans of the same key further away, which bound `Weighed.stable`;
            where not given, that stays None.
        sites: Names of site codes.
        preferred: ``(len(rows),)`` bool: those that name the destination asked for.
    """
    if not rows.size:
        return NOTHING
    spans = held.spans
    start, end, doubt = spans.start[rows], spans.end[rows], spans.doubt[rows]
    exact = overlaps(start, end, window.low, window.high)
    apart = np.maximum(start, window.low) - np.minimum(end, window.high)
    begins = np.abs(start - window.low)
    destined = np.zeros(len(rows), bool) if preferred is None else preferred
    who, site = held.holder[rows], _site_of(held.site[rows])
    order = np.lexsort((site, who, begins, doubt != 0, apart, ~destined, ~exact))
    groups: dict[tuple[int, int], list[int]] = {}
    for at in order.tolist():
        groups.setdefault((int(who[at]), int(site[at])), []).append(at)
    members = [np.array(group) for group in groups.values()]
    found = tuple(
        _candidate(held, rows[group], exact=bool(exact[group].any()), site=sites[where])
        for (_, where), group in zip(groups, members, strict=True)
    )
    stable = None
    if len(found) == 1 and near is not None:
        others = near()
        mine = held.holder[others] == who[0]
        stable = stable_range(spans.start[others], spans.end[others], mine, window)
    return Weighed(
        found,
        tuple(rows[group] for group in members),
        sum(bool(exact[group].any()) for group in members),
        stable,
    )


def with_details(candidate: Candidate, **details: str) -> Candidate:
    """A candidate that says more about itself; empty texts are left out."""
    merged = dict(candidate.details) | {name: text for name, text in details.items() if text}
    return replace(candidate, details=tuple(sorted(merged.items())))


def _site_of(site: np.ndarray) -> np.ndarray:
    """Rows of no named site count to the one that is named, where exactly one is."""
    named = np.unique(site[site > 0])
    return np.full_like(site, named[0]) if named.size == 1 else site


def _candidate(held: Held, rows: np.ndarray, *, exact: bool, site: str) -> Candidate:
    spans, best = held.spans, int(rows[0])
    kept: list[Evidence] = []
    for row in rows[:EVIDENCE_KEPT].tolist():
        kept += [e for e in held.evidence(row) if e not in kept]
    doubt = int(spans.doubt[best])
    return Candidate(
        value=held.name(best),
        details=(("site", site),) if site else (),
        start=None if doubt & Doubt.NO_START else to_moment(int(spans.start[best])),
        end=None if doubt & Doubt.NO_END else to_moment(int(spans.end[best])),
        evidence=tuple(kept[:EVIDENCE_KEPT]),
        why=_WHY[exact, doubt],
    )
