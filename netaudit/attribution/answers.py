"""The answers to many questions, as columns; and each of them in words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from netaudit.attribution.hops import HOPS
from netaudit.attribution.hops.answer import Answer
from netaudit.attribution.logs import Logs
from netaudit.attribution.questions import Questions
from netaudit.attribution.trace import HopKind, Question, Reason, Trace
from netaudit.attribution.walk import NO_HOP, REACHES, Walks


@dataclass(frozen=True, slots=True)
class Answers:
    """What the walk found for each question."""

    walks: Walks
    hops: tuple[Answer, ...]
    """Those that any question got to."""
    reach: np.ndarray
    """``(n,)`` place among `walk.REACHES`."""

    def outcome(self, kind: HopKind) -> np.ndarray:
        """``(n,)`` place among `walk.OUTCOMES` of a hop; `NO_HOP` where it was not asked."""
        for hop in self.hops:
            if hop.kind is kind:
                return hop.outcome
        return np.full(len(self.reach), NO_HOP)

    def reasons(self) -> list[tuple[Reason, np.ndarray]]:
        """Each reason that was noted, with ``(n,)`` bool: for which questions."""
        noted = dict.fromkeys(reason for reason, _ in self.walks.reasons)
        return [(reason, self.walks.has(reason)) for reason in noted]

    def trace(self, row: int, question: Question) -> Trace:
        """One answer in words."""
        hops = (hop.hop(row) for hop in self.hops)
        place = {name: texts[row] for name, texts in self.walks.place.items() if texts[row]}
        reasons = dict.fromkeys(reason for reason, chosen in self.walks.reasons if chosen[row])
        return Trace(
            question,
            tuple(hop for hop in hops if hop is not None),
            REACHES[self.reach[row]],
            tuple(sorted(place.items())),
            tuple(reasons),
        )


def walk(asked: Questions, logs: Logs) -> Answers:
    """Walk all questions back, hop by hop."""
    walks = Walks.begin(logs, asked)
    hops = [hop for look_up in HOPS if (hop := look_up(walks)) is not None]
    return Answers(walks, tuple(hops), walks.reach())
