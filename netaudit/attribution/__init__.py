"""Who was this? From a public address, an inside address or a MAC to the device, hop by hop.

The verb is `walk_back`. It never picks the newest or the likeliest: an answer is held by one
candidate alone, or it is ambiguous with all of them, or it is missing, or no log covers the time.
"""

from __future__ import annotations

from collections.abc import Iterable

from netaudit.attribution.answers import Answers, walk
from netaudit.attribution.logs import Logs
from netaudit.attribution.questions import Questions
from netaudit.attribution.trace import Question, Trace

__all__ = ["Answers", "Logs", "Questions", "walk", "walk_back", "walk_back_all"]


def walk_back(question: Question, logs: Logs) -> Trace:
    """Answer one question as far as the logs hold.

    Args:
        question: One of `public_ip`, `client_ip` and `mac`, with a time (aware).
        logs: The unit's logs.

    Returns:
        The hops that could be asked, how far the answer holds, and why no further.
    """
    return walk_back_all([question], logs)[0]


def walk_back_all(questions: Iterable[Question], logs: Logs) -> list[Trace]:
    """Answer many questions in words; equal ones are walked once."""
    asked = list(questions)
    distinct = list(dict.fromkeys(asked))
    answers = walk(Questions.of(distinct), logs)
    traces = {question: answers.trace(row, question) for row, question in enumerate(distinct)}
    return [traces[question] for question in asked]
