"""Who shares what: accounts on one device, and devices of one account at one time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from netaudit.attribution.access_log import AccessLog
from netaudit.attribution.columns import combine
from netaudit.attribution.intervals import running_max
from netaudit.attribution.packed import Packed


class Sharing:
    """What the access logs together say about accounts and devices."""

    def __init__(self, logs: Sequence[AccessLog]) -> None:
        """Count once over all sessions."""
        words = sorted({word for log in logs for word in log.accounts})
        place = {word: code for code, word in enumerate(words)}
        self.accounts = np.array([*words, ""], object)
        """Texts by code; the last, -1, is none."""
        self._code_of = [np.array([place[w] for w in log.accounts] + [-1], np.int64) for log in logs]
        self.devices = np.zeros(len(words) + 1, np.int64)
        """By account, the most devices that it ever had online at one time; of -1 none."""
        pairs = []
        for number, log in enumerate(logs):
            rows = np.flatnonzero((log.account >= 0) & (log.mac >= 0))
            account = self.codes(number, rows, log)
            most = most_at_once(account, log.mac[rows], log.spans.start[rows], log.spans.end[rows])
            self.devices[most[0]] = np.maximum(self.devices[most[0]], most[1])
            pairs.append((log.macs_of(rows).low, account))
        macs = np.concatenate([mac for mac, _ in pairs] or [np.empty(0, np.uint64)])
        accounts = np.concatenate([code for _, code in pairs] or [np.empty(0, np.int64)])
        order = np.lexsort((accounts, macs))
        macs, accounts = macs[order], accounts[order]
        fresh = np.ones(len(macs), bool)
        fresh[1:] = (macs[1:] != macs[:-1]) | (accounts[1:] != accounts[:-1])
        self._macs, self._count = np.unique(macs[fresh], return_counts=True)

    def codes(self, number: int, spans: np.ndarray, log: AccessLog) -> np.ndarray:
        """The account of each session of the log `number`, as a code of all logs; -1 where none."""
        found: np.ndarray = self._code_of[number][log.account[spans]]
        return found

    def accounts_on(self, macs: Packed) -> np.ndarray:
        """``(n,)`` int64: how many accounts were ever seen on each device."""
        if not len(self._macs):
            return np.zeros(len(macs), np.int64)
        at = np.minimum(np.searchsorted(self._macs, macs.low), len(self._macs) - 1)
        found: np.ndarray = np.where(macs.known & (self._macs[at] == macs.low), self._count[at], 0)
        return found


def most_at_once(
    account: np.ndarray, device: np.ndarray, start: np.ndarray, end: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The largest number of distinct devices of each account whose spans share a moment.

    Args:
        account: ``(n,)`` codes.
        device: ``(n,)`` codes.
        start: ``(n,)``.
        end: ``(n,)``; a span that ends as another begins does not share the moment.

    Returns:
        The accounts, rising, and their numbers.
    """
    if not len(account):
        return account, account
    order = np.lexsort((start, device, account))
    account, start, end = account[order], start[order], end[order]
    both = combine(account, device[order])
    reach = running_max(both, end)
    begins = np.diff(both, prepend=-1) != 0
    begins[1:] |= start[1:] > reach[:-1]
    head = np.flatnonzero(begins)
    since, until = start[head], reach[np.append(head[1:], len(account)) - 1]
    owner = np.concatenate((account[head], account[head]))
    steps = np.repeat(np.array([1, -1]), len(head))
    order = np.lexsort((steps, np.concatenate((since, until)), owner))
    owner, online = owner[order], np.cumsum(steps[order])
    first = np.flatnonzero(np.diff(owner, prepend=-1) != 0)
    return owner[first], np.maximum(1, np.maximum.reduceat(online, first))
