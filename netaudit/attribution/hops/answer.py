"""What one hop gave to many questions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from netaudit.attribution.intervals import Pairs, stable_range
from netaudit.attribution.questions import Questions
from netaudit.attribution.trace import Candidate, Hop, HopKind
from netaudit.attribution.walk import HELD, NO_HOP, OUTCOMES, Walks
from netaudit.attribution.weighing import Weighed

Near = Callable[[Questions, np.ndarray], Pairs]
"""Looks up the spans of the same keys within the day around some questions, given with their numbers."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcomes of a hop as a column, and the words for each question on demand."""

    kind: HopKind
    outcome: np.ndarray
    """``(n,)`` place among `OUTCOMES`; `NO_HOP` where there was nothing to ask."""
    asked: Callable[[int], str]
    """The key that was looked up for a question."""
    candidates: Callable[[int], tuple[Candidate, ...]]
    stable: Callable[[int], tuple[float, float] | None] | None = None
    """For an answer that one candidate holds: the clock error over which it stays the same."""

    def hop(self, question: int) -> Hop | None:
        """The hop of one question in words; None where there was none."""
        outcome = int(self.outcome[question])
        if outcome == NO_HOP:
            return None
        stable = self.stable(question) if self.stable and outcome == HELD else None
        return Hop(self.kind, self.asked(question), OUTCOMES[outcome], self.candidates(question), stable)


def stability(
    walks: Walks, asked: Questions, weighed: Weighed, near: Near
) -> Callable[[int], tuple[float, float] | None]:
    """`Answer.stable` of what was weighed, as the walk stands now."""
    sites, logs = walks.site, walks.logs
    held, best = weighed.held, weighed.best

    def stable(question: int) -> tuple[float, float] | None:
        if weighed.count[question] != 1:
            return None
        number = np.array([question])
        found = logs.at_site(held, near(asked.take(number), number), sites[number])
        mine = held.holder[found.row] == held.holder[best[question]]
        spans = held.spans
        return stable_range(
            spans.start[found.row],
            spans.end[found.row],
            mine,
            int(asked.low[question]),
            int(asked.high[question]),
        )

    return stable
