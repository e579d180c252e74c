"""Who was this? From a public address, an inside address or a MAC to the device, hop by hop.

The verb is `walk_back`. It never picks the newest or the likeliest: an answer is held by one
candidate alone, or it is ambiguous with all of them, or it is missing, or no log covers the time.
"""

from __future__ import annotations

from collections.abc import Iterable

from netaudit.attribution.hops import HOPS
from netaudit.attribution.intervals import window_of
from netaudit.attribution.logs import Logs
from netaudit.attribution.trace import Hop, Question, Trace
from netaudit.attribution.walk import Walk

__all__ = ["Logs", "walk_back", "walk_back_all"]


def walk_back(question: Question, logs: Logs) -> Trace:
    """Answer one question as far as the logs hold.

    Args:
        question: One of `public_ip`, `client_ip` and `mac`, with a time (aware).
        logs: The unit's logs.

    Returns:
        The hops that could be asked, how far the answer holds, and why no further.
    """
    walk = Walk(
        logs,
        question,
        window_of(question),
        question.site,
        address=question.client_ip if question.public_ip is None else None,
        mac=question.mac if question.public_ip is None else None,
    )
    hops: list[Hop] = []
    for look_up in HOPS:
        hop = look_up(walk)
        hops += [hop] if hop is not None else []
        if walk.stopped:
            break
    return Trace(
        question, tuple(hops), walk.reach(), tuple(sorted(walk.place.items())), tuple(walk.reasons)
    )


def walk_back_all(questions: Iterable[Question], logs: Logs) -> list[Trace]:
    """Answer many questions; equal ones are walked once."""
    answered: dict[Question, Trace] = {}
    asked = list(questions)
    for question in asked:
        if question not in answered:
            answered[question] = walk_back(question, logs)
    return [answered[question] for question in asked]
