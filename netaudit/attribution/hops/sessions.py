"""The sessions of several access logs put together: one candidate for each account.

Where no account is known, one for each device. A log that knows no account (a controller beside a
RADIUS server) adds its SSID and access point to the account of the same device.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from netaudit.attribution.access_log import CHANGES, DETAILS, AccessLog
from netaudit.attribution.columns import combine, dense
from netaudit.attribution.logs import Logs
from netaudit.attribution.packed import Packed
from netaudit.attribution.questions import Questions
from netaudit.attribution.trace import Candidate
from netaudit.attribution.weighing import Weighed, with_details

_DEVICE = 1 << 61
_NOBODY = 1 << 62


@dataclass(frozen=True, slots=True)
class _Entries:
    """What each log answered: the best session of each of its candidates, by question and log."""

    question: np.ndarray
    log: np.ndarray
    candidate: np.ndarray
    span: np.ndarray
    site: np.ndarray
    account: np.ndarray
    """Code among the accounts of all logs, -1 for none."""
    value: np.ndarray
    """What makes two of them the same: the account, else the device."""

    @staticmethod
    def of(logs: Logs, answers: Sequence[Weighed]) -> _Entries:
        parts = [_entries(logs, number, weighed) for number, weighed in enumerate(answers)]
        columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
        order = np.lexsort((columns[2], columns[1], columns[0]))
        return _Entries(*(column[order] for column in columns))


def _entries(logs: Logs, number: int, weighed: Weighed) -> tuple[np.ndarray, ...]:
    log = logs.access[number]
    at = weighed.heads()
    span = weighed.pairs.row[at]
    account = logs.sharing.codes(number, span, log)
    mac = log.macs_of(span)
    device = np.where(mac.known, _DEVICE + mac.low.astype(np.int64), _NOBODY)
    return (
        weighed.pairs.question[at],
        np.full(len(at), number),
        weighed.candidate[at],
        span,
        weighed.site[at],
        account,
        np.where(account >= 0, account, device),
    )


class Sessions:
    """The candidates of many questions, each with the entries that speak of it."""

    def __init__(self, logs: Logs, answers: Sequence[Weighed], asked: Questions) -> None:
        """Put together what the access logs answered to the questions."""
        self._logs, self._answers = logs, answers
        self._times, count = asked.wide, len(asked)
        self._entries = entries = _Entries.of(logs, answers)
        question = entries.question
        named = np.zeros(count, bool)
        named[question[entries.account >= 0]] = True
        kept = np.flatnonzero((entries.account >= 0) | ~named[question])
        same = dense(combine(question, entries.value))
        _, first = np.unique(same[kept], return_index=True)
        self._own = own = np.sort(kept[first])
        """The entry that each candidate is of, by question and rank."""
        self.question = question[own]
        self.count = np.bincount(self.question, minlength=count)
        """``(n,)`` candidates of each question."""
        self._first = np.searchsorted(self.question, np.arange(count + 1))
        group = np.full(int(same.max(initial=-1)) + 1, -1)
        group[same[own]] = np.arange(len(own))
        only = self._first[:-1][question]
        about = np.where(self.count[question] == 1, only, group[same])
        telling = np.flatnonzero(about >= 0)
        is_own = np.zeros(len(question), bool)
        is_own[own] = True
        order = telling[np.lexsort((telling, ~is_own[telling], about[telling]))]
        self._telling, self._about = order, about[order]
        """Entries that speak of each candidate, its own first; and the candidate of each."""
        self._bounds = np.searchsorted(self._about, np.arange(len(own) + 1))

    @property
    def _best(self) -> np.ndarray:
        """``(n,)`` entry of each question's first candidate; -1 where there is none."""
        best = np.full(len(self.count), -1)
        some = self.count > 0
        best[some] = self._own[self._first[:-1][some]]
        return best

    @property
    def account(self) -> np.ndarray:
        """``(n,)`` code of the first candidate's account, -1 for none."""
        best = self._best
        return np.where(best >= 0, self._entries.account[best], -1) if len(self._own) else best

    @property
    def log(self) -> np.ndarray:
        """``(n,)`` number of the log that the first candidate is of; 0 where there is none."""
        best = self._best
        return np.where(best >= 0, self._entries.log[best], 0) if len(self._own) else best + 1

    @property
    def mac(self) -> Packed:
        """MAC of the first candidate."""
        best, out = self._best, Packed.none(len(self.count))
        for number, log in enumerate(self._logs.access):
            mine = (best >= 0) & (self.log == number)
            if mine.any():
                span = np.where(mine, self._entries.span[best], 0)
                out = log.macs_of(span).where(mine, out)
        return out

    @property
    def site(self) -> np.ndarray:
        """``(n,)`` site code of the first candidate, 0 where none is named."""
        sites = self._told(self._entries.site, 0)
        out = np.zeros(len(self.count), np.int64)
        some = self.count > 0
        out[some] = sites[self._first[:-1][some]]
        return out

    def alike(self, name: str) -> np.ndarray:
        """``(n,)`` text that all candidates of a question say alike of a column; empty where they differ.

        Or where a log says different things of the time asked for: who walks from one access point
        to another within the clock error was at one of the two.
        """
        out = np.full(len(self.count), "", object)
        if not len(self._own):
            return out
        texts = np.full(len(self._entries.span), "", object)
        for number, log in enumerate(self._logs.access):
            mine = self._entries.log == number
            texts[mine] = log.texts(
                name, self._entries.span[mine], *self._when(self._entries.question[mine])
            )
        told = self._told(texts, "")
        first = self._first[:-1][self.count > 0]
        same = told == np.repeat(told[first], self.count[self.count > 0])
        out[self.count > 0] = np.where(np.logical_and.reduceat(same, first), told[first], "")
        out[self._at_odds(name)] = ""
        return out

    def _at_odds(self, name: str) -> np.ndarray:
        """``(n,)`` bool: of which questions the sessions of one log say different things of a column."""
        odds = np.zeros(len(self.count), bool)
        for log, weighed in zip(self._logs.access, self._answers, strict=True):
            question = weighed.pairs.question
            said = log.said(name, weighed.pairs.row, *self._when(question))
            odds[question[said == CHANGES]] = True
            question, said = question[said >= 0], said[said >= 0]
            odds[question[1:][(np.diff(question) == 0) & (np.diff(said) != 0)]] = True
        return odds

    def _when(self, question: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The times that some of the questions ask for."""
        low, high = self._times
        return low[question], high[question]

    def _told(self, values: np.ndarray, nothing: str | int) -> np.ndarray:
        """Of each candidate the first value that its entries say."""
        if not len(self._own):
            return values[:0]
        told = values[self._telling]
        place = np.where(told != nothing, np.arange(len(told)), len(told))
        first = np.minimum.reduceat(place, self._bounds[:-1])
        found: np.ndarray = np.where(first < len(told), told[np.minimum(first, len(told) - 1)], nothing)
        return found

    def candidates(self, question: int) -> tuple[Candidate, ...]:
        """The candidates of one question in words."""
        found = []
        for number in range(int(self._first[question]), int(self._first[question + 1])):
            told = [
                self._worded(int(entry), question)
                for entry in self._telling[self._bounds[number] : self._bounds[number + 1]]
            ]
            known: dict[str, str] = {}
            for candidate in reversed(told):
                known |= dict(candidate.details)
            found.append(with_details(told[0], **known))
        return tuple(found)

    def _worded(self, entry: int, question: int) -> Candidate:
        entries, number = self._entries, int(self._entries.log[entry])
        log: AccessLog = self._logs.access[number]
        worded = self._answers[number].candidates(question, self._logs.sites)
        span, when = entries.span[[entry]], self._when(np.array([question]))
        details = {name: log.texts(name, span, *when)[0] for name in DETAILS}
        return with_details(worded[int(entries.candidate[entry])], **details)
