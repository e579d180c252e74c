"""The walk turned round: where a device or an account was in a time, as addresses with their spans."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from netaudit.attribution.columns import to_moment
from netaudit.attribution.intervals import overlaps
from netaudit.attribution.logs import Logs
from netaudit.attribution.packed import Packed
from netaudit.attribution.questions import window_of
from netaudit.attribution.spans import Doubt
from netaudit.attribution.trace import Question
from netaudit.records.evidence import Evidence


@dataclass(frozen=True, slots=True)
class Presence:
    """An inside address that somebody had for a time."""

    address: bytes
    """16 bytes."""
    mac: bytes | None
    start: int
    """Nanoseconds, cut to the time asked for."""
    end: int
    """Included."""
    doubt: Doubt
    """A bound that no record tells."""
    site: str
    evidence: tuple[Evidence, ...]

    @property
    def since(self) -> dt.datetime | None:
        """Beginning as a time."""
        return to_moment(self.start)

    @property
    def until(self) -> dt.datetime | None:
        """End as a time."""
        return to_moment(self.end)


def presences(question: Question, logs: Logs, *, account: str = "") -> tuple[Presence, ...]:
    """The addresses that a device, an account or an address itself had in the time of a question.

    Args:
        question: With `client_ip` or `mac`; with neither for an account.
        logs: The unit's logs.
        account: Whose sessions are meant.

    Returns:
        By beginning and address; of an address that is asked for itself the whole time.
    """
    window = window_of(question)
    if question.client_ip is not None:
        return (Presence(question.client_ip, None, window.low, window.high, Doubt(0), question.site, ()),)
    if question.mac is not None:
        found = list(_of_device(question.mac, window.low, window.high, logs))
    else:
        found = [
            p for span in _sessions(account, window.low, window.high, logs) for p in _of_device(*span, logs)
        ]
    here = [p for p in found if not question.site or p.site in {"", question.site}]
    return tuple(sorted(dict.fromkeys(here), key=lambda p: (p.start, p.address, p.end)))


def _of_device(mac: bytes, low: int, high: int, logs: Logs) -> Iterator[Presence]:
    log = logs.addresses
    code = int(log.macs.of(Packed.of_values([mac], 6))[0])
    spans = log.held.spans
    mine = (log.held.holder == code) & overlaps(spans.start, spans.end, low, high)
    for span in np.flatnonzero(mine & ~log.is_lead(np.arange(len(spans)))).tolist():
        yield Presence(
            log.address_of(span),
            mac,
            max(low, int(spans.start[span])),
            min(high, int(spans.end[span])),
            Doubt(int(spans.doubt[span])),
            logs.sites[log.held.site[span]],
            log.held.evidence(span),
        )


def _sessions(account: str, low: int, high: int, logs: Logs) -> Iterator[tuple[bytes, int, int]]:
    """The devices that an account was on, each with the time of the session."""
    for log in logs.access:
        if account not in log.accounts:
            continue
        mine = log.account == log.accounts.index(account)
        mine &= overlaps(log.spans.start, log.spans.end, low, high)
        for span in np.flatnonzero(mine).tolist():
            mac = log.mac_of(span)
            if mac is not None:
                yield mac, max(low, int(log.spans.start[span])), min(high, int(log.spans.end[span]))
