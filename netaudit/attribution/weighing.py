"""From the spans that fit to ranked candidates, of many questions at once."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from netaudit.attribution.columns import combine, to_moment
from netaudit.attribution.held import Held
from netaudit.attribution.intervals import Pairs, overlaps
from netaudit.attribution.questions import Questions
from netaudit.attribution.spans import Doubt
from netaudit.attribution.trace import Candidate
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
    """The candidates of many questions: the spans behind them, ranked."""

    held: Held
    pairs: Pairs
    """By question, and of one question by candidate; of one candidate the best span first."""
    candidate: np.ndarray
    """``(m,)`` int64: number of each pair's candidate in its question, from 0, the best first."""
    site: np.ndarray
    """``(m,)`` int64: site of each pair; a row of no named site counts to the one that is named."""
    fits: np.ndarray
    """``(m,)`` bool: without clock error."""
    first: np.ndarray
    """``(n + 1,)``: where each question's pairs begin."""
    count: np.ndarray
    """``(n,)`` candidates of each question."""
    exact: np.ndarray
    """``(n,)`` how many of them fit without clock error."""

    @property
    def by_clock(self) -> np.ndarray:
        """Which questions have several candidates for the clock error alone."""
        alone: np.ndarray = (self.count > 1) & (self.exact <= 1)
        return alone

    @property
    def best(self) -> np.ndarray:
        """``(n,)`` the best span of each question, -1 where there is none."""
        return self._of_best(self.pairs.row, -1)

    @property
    def best_site(self) -> np.ndarray:
        """``(n,)`` the site of the best candidate, 0 where none is named."""
        return self._of_best(self.site, 0)

    def _of_best(self, values: np.ndarray, absent: int) -> np.ndarray:
        out = np.full(len(self.count), absent)
        some = self.count > 0
        out[some] = values[self.first[:-1][some]]
        return out

    def heads(self) -> np.ndarray:
        """Places of the pairs that are the best of their candidate."""
        question = np.diff(self.pairs.question, prepend=-1) != 0
        return np.flatnonzero(question | (np.diff(self.candidate, prepend=-1) != 0))

    def spans_of(self, question: int) -> list[np.ndarray]:
        """For each candidate of one question its spans, best first."""
        part = slice(int(self.first[question]), int(self.first[question + 1]))
        number, rows = self.candidate[part], self.pairs.row[part]
        return [rows[number == one] for one in range(int(self.count[question]))]

    def candidates(self, question: int, sites: tuple[str, ...]) -> tuple[Candidate, ...]:
        """The candidates of one question, ranked, in words."""
        low, high = int(self.first[question]), int(self.first[question + 1])
        found = []
        for one in range(int(self.count[question])):
            at = low + np.flatnonzero(self.candidate[low:high] == one)
            rows, fits = self.pairs.row[at], bool(self.fits[at].any())
            found.append(_candidate(self.held, rows, exact=fits, site=sites[self.site[at[0]]]))
        return tuple(found)


def weigh(held: Held, found: Pairs, asked: Questions, destined: np.ndarray | None = None) -> Weighed:
    """Group spans by holder and site, and rank the holders of each question.

    What fits the time without clock error comes first, then what names the destination, then
    what shares more of the time asked for, then what is nearer to it, then what has both its
    bounds in the log, then what begins nearer to it.

    Args:
        held: The log.
        found: Spans that overlap the widened time of each question.
        asked: The questions.
        destined: ``(len(found),)`` bool: spans that name the destination asked for.
    """
    spans, question, row = held.spans, found.question, found.row
    low, high = asked.low[question], asked.high[question]
    start, end = spans.start[row], spans.end[row]
    exact = overlaps(start, end, low, high)
    apart = np.maximum(start, low) - np.minimum(end, high)
    begins = np.abs(start - low)
    preferred = np.zeros(len(row), bool) if destined is None else destined
    site = _sites(question, held.site[row], len(asked))
    who = held.holder[row]
    order = np.lexsort((row, site, who, begins, spans.doubt[row] != 0, apart, ~preferred, ~exact, question))
    question, row, site, exact = question[order], row[order], site[order], exact[order]
    number = _numbered(question, combine(question, who[order], site))
    order = np.lexsort((np.arange(len(row)), number, question))
    question, row, site, exact, number = (c[order] for c in (question, row, site, exact, number))
    first = np.searchsorted(question, np.arange(len(asked) + 1))
    fresh = np.flatnonzero((np.diff(question, prepend=-1) != 0) | (np.diff(number, prepend=-1) != 0))
    fits = np.logical_or.reduceat(exact, fresh) if len(fresh) else exact[:0]
    return Weighed(
        held,
        Pairs(question, row),
        number,
        site,
        exact,
        first,
        np.bincount(question[fresh], minlength=len(asked)),
        np.bincount(question[fresh[fits]], minlength=len(asked)),
    )


def with_details(candidate: Candidate, **details: str) -> Candidate:
    """A candidate that says more about itself; empty texts are left out."""
    merged = dict(candidate.details) | {name: text for name, text in details.items() if text}
    return replace(candidate, details=tuple(sorted(merged.items())))


def _numbered(question: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Number of each pair's group in its question, in the order in which the groups first come."""
    if not len(group):
        return group
    _, first, of = np.unique(group, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty(len(first), np.int64)
    rank[order] = np.arange(len(first))
    overall = rank[of]
    begins = np.flatnonzero(np.diff(question, prepend=-1) != 0)
    least = np.repeat(overall[begins], np.diff(np.append(begins, len(question))))
    numbered: np.ndarray = overall - least
    return numbered


def _sites(question: np.ndarray, site: np.ndarray, count: int) -> np.ndarray:
    """Rows of no named site count to the one that is named, where a question has exactly one."""
    named = site > 0
    least, most = np.full(count, np.iinfo(np.int64).max), np.zeros(count, np.int64)
    np.minimum.at(least, question[named], site[named])
    np.maximum.at(most, question[named], site[named])
    return np.where((least == most)[question], most[question], site)


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
