"""The narrowing: how many addresses are still possible after each piece of evidence.

Each step keeps those of the step before that its evidence allows, so the counts never rise. A
step for which there is no log keeps everybody and says so.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa

from netaudit.attribution.columns import FAR, NONE, Records, to_moment
from netaudit.attribution.logs import Logs
from netaudit.attribution.questions import Questions, Window, window_of
from netaudit.attribution.trace import FunnelName, FunnelStep, Question
from netaudit.records.addresses import format_ip, in_network, network_range
from netaudit.records.moments import nanoseconds

KEPT = 20
"""Addresses that are named, where no more remain."""
SEEING = ("nat", "dhcp", "arp", "radius", "wlan")
"""Kinds of log that show an address to be in use."""

COUNTABLE = 1 << 24
"""Addresses of the largest network that is counted whole; of an IPv6 /64, those seen count."""

PLAN = "Addresses of the unit's segments, and others that were seen in use."
SEEN_ONLY = "Addresses seen in the logs; the configuration names no segment."
ACTIVE = "Addresses seen in use on that day: lease, session, translation or contact."
NO_LOG = "Not narrowed: no log covers that day."
TRANSLATED = "Those with a translation to the public address within the time searched."
NOT_ASKED = "Not narrowed: the question names no public address."
NO_NAT = "Not narrowed: no log of translations covers the time."
CONTACTED = "Those that contacted the destination within the time searched."
NO_DESTINATION = "Not narrowed: no log says who contacted the destination."
BY_PORT = "Those that had the source port within the time searched."
NO_PORT = "Not narrowed: the question names no source port."
BY_ADDRESS = "The inside address that the question names."


def _nat_covers(logs: Logs, question: Question, window: Window) -> bool:
    behind = logs.plan.behind(question.public_ip) if question.public_ip is not None else ()
    return logs.coverage.covers(("nat",), question.site, window.low, window.high, segments=behind)


@dataclass(slots=True)
class _Funnel:
    """What remains after each step."""

    count: int
    remaining: set[bytes] | None = None
    """None = every address of the plan."""
    steps: list[FunnelStep] = field(default_factory=list)

    def take(
        self, step: FunnelName, basis: str, allowed: set[bytes] | None, files: tuple[str, ...] = ()
    ) -> None:
        """Keep those allowed; everybody where `allowed` is None."""
        if allowed is not None:
            self.remaining = allowed if self.remaining is None else self.remaining & allowed
            self.count = len(self.remaining)
        few = self.remaining is not None and self.count <= KEPT
        kept = tuple(map(format_ip, sorted(self.remaining or ()))) if few else ()
        self.steps.append(FunnelStep(step, self.count, basis, files, kept))


def narrow(question: Question, logs: Logs, contacts: pa.Table | None) -> tuple[FunnelStep, ...]:
    """Narrow the unit's addresses down to those that may be behind a question.

    Args:
        question: As for `walk_back`.
        logs: The unit's logs.
        contacts: Events of any kind of destination whose destination is the one asked for, with
            the columns client_ip, server_ip, name, ts and file; None = there is no such log.

    Returns:
        The steps ``all``, ``active``, ``nat``, ``contacted``, ``device``.
    """
    window = window_of(question)
    callers, caller_files = _callers(contacts, window)
    day = _days(window, logs.settings.unit.timezone)
    active = logs.nat.active(*day) | logs.addresses.active(*day) | callers
    for log in logs.access:
        active |= log.active(*day)
    if question.client_ip is not None:
        active.add(question.client_ip)
    funnel = _Funnel(_everything(active, logs))
    funnel.take(FunnelName.ALL, PLAN if logs.plan.networks else SEEN_ONLY, None)
    coverage, site = logs.coverage, question.site
    read = (*coverage.of(SEEING, site).files, *coverage.captured(SEEING, site))
    files = tuple(sorted({*read, *caller_files}))
    funnel.take(FunnelName.ACTIVE, *((ACTIVE, active, files) if active else (NO_LOG, None)))
    _translated(funnel, question, logs, window)
    _contacted(funnel, question, logs, (contacts is not None, callers, caller_files))
    _device(funnel, question, logs, window)
    return tuple(funnel.steps)


def _translated(funnel: _Funnel, question: Question, logs: Logs, window: Window) -> None:
    if question.public_ip is None:
        funnel.take(FunnelName.TRANSLATED, NOT_ASKED, None)
        return
    anywhere = replace(question, port=None, dst_ip=None, dst_port=None, transport="")
    found = _inside(anywhere, logs)
    covered = _nat_covers(logs, question, window)
    if found or covered:
        funnel.take(
            FunnelName.TRANSLATED, TRANSLATED, found, logs.coverage.of(("nat",), question.site).files
        )
    else:
        funnel.take(FunnelName.TRANSLATED, NO_NAT, None)


def _contacted(
    funnel: _Funnel,
    question: Question,
    logs: Logs,
    seen: tuple[bool, set[bytes], tuple[str, ...]],
) -> None:
    """By the translations' own destinations, and by any other log of destinations."""
    logged, callers, files = seen
    found: set[bytes] | None = set(callers) if logged else None
    if question.public_ip is not None and question.dst_ip is not None:
        asked = Questions.of([replace(question, port=None)])
        rows = logs.nat.around(asked, *asked.wide).row
        named = rows[logs.nat.names_destination(rows)]
        if named.size or logs.nat.tells_destinations:
            found = (found or set()) | {logs.nat.address(int(row)) for row in named}
            files = tuple(sorted({*files, *logs.coverage.of(("nat",), question.site).files}))
    funnel.take(FunnelName.CONTACTED, NO_DESTINATION if found is None else CONTACTED, found, files)


def _device(funnel: _Funnel, question: Question, logs: Logs, window: Window) -> None:
    if question.client_ip is not None and question.public_ip is None:
        funnel.take(FunnelName.DEVICE, BY_ADDRESS, {question.client_ip})
    elif question.public_ip is None:
        funnel.take(FunnelName.DEVICE, NOT_ASKED, None)
    elif question.port is None:
        funnel.take(FunnelName.DEVICE, NO_PORT, None)
    else:
        found = _inside(question, logs)
        covered = _nat_covers(logs, question, window)
        files = logs.coverage.of(("nat",), question.site).files
        funnel.take(FunnelName.DEVICE, *((BY_PORT, found, files) if found or covered else (NO_NAT, None)))


def _inside(question: Question, logs: Logs) -> set[bytes]:
    """Inside addresses behind a question within the widened window, at its site."""
    asked = Questions.of([question])
    rows = logs.at_site(logs.nat.held, logs.nat.around(asked, *asked.wide), asked.site).row
    _, first = np.unique(logs.nat.held.holder[rows], return_index=True)
    return {logs.nat.address(int(rows[at])) for at in first}


def _callers(contacts: pa.Table | None, window: Window) -> tuple[set[bytes], tuple[str, ...]]:
    """Who contacted the destination in time; events whose time is not known count."""
    if contacts is None:
        return set(), ()
    records = Records(contacts)
    when = records.nanos("ts")
    inside = (when == NONE) | ((when >= window.wide_low) & (when <= window.wide_high))
    clients, addresses = records.codes("client_ip")
    files, names = records.words("file")
    callers = {addresses[int(c)].as_py() for c in np.unique(clients[inside]) if c >= 0}
    return callers, tuple(sorted(names[int(f)] for f in np.unique(files) if f >= 0))


def _everything(seen: set[bytes], logs: Logs) -> int:
    """Addresses of the plan's countable networks (where they nest, each once), and all others seen."""
    networks = [n for n in logs.plan.networks if n.num_addresses <= COUNTABLE]
    total, reached = 0, -1
    for low, high in sorted(network_range(network) for network in networks):
        since = max(int.from_bytes(low), reached + 1)
        total += max(0, int.from_bytes(high) - since + 1)
        reached = max(reached, int.from_bytes(high))
    outside = (a for a in seen if not any(in_network(a, network) for network in networks))
    return total + sum(1 for _ in outside)


def _days(window: Window, timezone: str) -> tuple[int, int]:
    """The whole days, in the unit's zone, that the widened window touches."""
    zone: dt.tzinfo = dt.UTC
    if timezone:
        try:
            zone = zoneinfo.ZoneInfo(timezone)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError):
            zone = dt.UTC  # the configuration check says so; a day is a day in any zone
    low, high = to_moment(window.wide_low), to_moment(window.wide_high)
    if low is None or high is None:
        return -FAR, FAR
    first, last = (moment.astimezone(zone).date() for moment in (low, high))
    midnight = dt.time(tzinfo=zone)
    start = dt.datetime.combine(first, midnight)
    stop = dt.datetime.combine(last + dt.timedelta(days=1), midnight)
    return nanoseconds(start), nanoseconds(stop) - 1
