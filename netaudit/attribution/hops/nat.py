"""Public address and port to the inside host that had them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from netaudit.attribution.columns import SECOND
from netaudit.attribution.hops.answer import Answer, Near, stability
from netaudit.attribution.intervals import Pairs
from netaudit.attribution.plan import is_private, label
from netaudit.attribution.questions import ABSENT, Questions
from netaudit.attribution.trace import Candidate, HopKind, Reason
from netaudit.attribution.walk import (
    AMBIGUOUS,
    DAY_S,
    HELD,
    MISSING,
    NO_HOP,
    NOT_COVERED,
    Walks,
)
from netaudit.attribution.weighing import Weighed, weigh, with_details

LAYERS = 4
"""Devices that translate one behind the other; more are taken for a ring."""


def look_up(walks: Walks) -> Answer | None:
    """Ask the log of translations; what is held is the address for the next hop."""
    asked, logs = walks.asked, walks.logs
    public = asked.public.known
    if not public.any():
        return None
    foreign = public & ~logs.plan.ours(asked.public)
    walks.because(Reason.NOT_OURS, foreign)
    walks.stopped = walks.stopped | foreign
    found = logs.nat.around(asked, *asked.wide)
    seen = np.bincount(found.question, minlength=len(asked)) > 0
    itself = public & ~foreign & ~seen & _untranslated(walks)
    walks.address = asked.public.where(itself, walks.address)
    asking = public & ~foreign & ~itself
    walks.because(Reason.NO_PORT, asking & (asked.port == ABSENT))
    return _layer(walks, asked, found.where(asking[found.question]), asking)


def inner(walks: Walks) -> Answer | None:
    """Ask again where the host that was found is itself one that others hide behind."""
    asking = walks.behind
    if not asking.any():
        return None
    walks.layer += 1
    asked = replace(walks.asked, public=walks.address.only(asking), port=walks.port)
    walks.behind = np.zeros(len(asking), bool)
    found = walks.logs.nat.around(asked, *asked.wide)
    seen = np.bincount(walks.here(walks.logs.nat.held, found).question, minlength=len(asking)) == 0
    walks.because(Reason.UPSTREAM_NAT, asking & seen)
    return _layer(walks, asked, found, asking)


def _layer(walks: Walks, asked: Questions, found: Pairs, asking: np.ndarray) -> Answer:
    """Who was behind the addresses and ports of one layer of translation."""
    log = walks.logs.nat
    here = walks.here(log.held, found)
    weighed = weigh(log.held, here, asked, log.names_destination(here.row))
    stable = stability(walks, asked, weighed, _near(walks))
    outcome = np.select((weighed.count == 1, weighed.count > 1), (HELD, AMBIGUOUS), MISSING)
    outcome = _missing(walks, asked, np.where(asking, outcome, NO_HOP))
    several = outcome == AMBIGUOUS
    walks.because(Reason.NAT_AMBIGUOUS, several)
    walks.because(Reason.CLOCK, several & weighed.by_clock)
    _common_segment(walks, weighed, several)
    _follow(walks, weighed, outcome == HELD)
    walks.stopped = walks.stopped | np.isin(outcome, (MISSING, NOT_COVERED, AMBIGUOUS))
    # Without a port the neighbours are all the unit's traffic: the stable range means nothing.
    portless = asked.port == ABSENT
    return Answer(
        HopKind.NAT,
        outcome,
        lambda i: label(asked.public.value(i) or b"", None if portless[i] else int(asked.port[i])),
        lambda i: _candidates(walks, weighed, i),
        lambda i: None if portless[i] else stable(i),
    )


def _untranslated(walks: Walks) -> np.ndarray:
    """Whether a public address is itself a host's: the plan says so, and no translation denies it."""
    logs, asked = walks.logs, walks.asked
    planned = logs.plan.segment_of(asked.public, walks.site) >= 0
    if logs.settings.unit.nat is False:
        planned = np.ones(len(asked), bool)
    itself: np.ndarray = planned & ~logs.nat.is_public(asked.public)
    return itself


def _near(walks: Walks) -> Near:
    reach = DAY_S * SECOND

    def near(one: Questions, _: np.ndarray) -> Pairs:
        low, high = one.wide
        return walks.logs.nat.around(one, low - reach, high + reach)

    return near


def _missing(walks: Walks, asked: Questions, outcome: np.ndarray) -> np.ndarray:
    """What it means that no translation is known.

    A log that covers the time and has no entry: the clocks may be wrong where the port was used
    within the day around; what translates to private addresses only lies behind another device;
    and else no translation is recorded.
    """
    log, chosen = walks.logs.nat, outcome == MISSING
    if not chosen.any():
        return outcome
    missing, why = walks.absent(chosen, ("nat",), without=Reason.NO_NATLOG, rows=len(log))
    for reason, some in why:
        walks.because(reason, some)
    publics = log.publics.values
    if len(publics) and bool(is_private(publics).all()):
        walks.because(Reason.UPSTREAM_NAT, chosen)
    else:
        walks.because(Reason.NO_NATLOG, missing)
        rows = np.flatnonzero(missing & (asked.port != ABSENT))
        low, high = walks.around
        found = log.around(asked.take(rows), low[rows], high[rows])
        found = walks.logs.at_site(log.held, found, walks.site[rows])
        near = np.zeros(len(outcome), bool)
        near[rows[found.question]] = True
        walks.because(Reason.CLOCK, near)
    return np.where(chosen & ~missing, NOT_COVERED, outcome)


def _common_segment(walks: Walks, weighed: Weighed, several: np.ndarray) -> None:
    """The segment of all candidates, where they share one."""
    pairs, log, plan = weighed.pairs, walks.logs.nat, walks.logs.plan
    mine = several[pairs.question]
    question, row = pairs.question[mine], pairs.row[mine]
    segment = plan.segment_of(log.insides.take(log.held.holder[row]), walks.site[question])
    least, most = np.full(len(several), len(plan.segments)), np.full(len(several), -1)
    np.minimum.at(least, question, segment)
    np.maximum.at(most, question, segment)
    names = np.array([*(s.id for s in plan.segments), ""], object)
    shared = several & (least == most) & (most >= 0)
    walks.known_place("segment", names[np.where(shared, most, -1)], shared)


def _follow(walks: Walks, weighed: Weighed, held: np.ndarray) -> None:
    """Take the inside address of what was held, and note where others hide behind it."""
    log = walks.logs.nat
    walks.hold(weighed.best_site, held)
    if not held.any():
        return
    inside = log.insides.take(log.held.holder[weighed.best])
    walks.address = inside.only(held).where(held, walks.address)
    walks.port = np.where(held, log.client_ports(weighed.best), walks.port)
    behind = held & log.is_public(inside)
    ring = behind & (walks.layer >= LAYERS)
    walks.because(Reason.UPSTREAM_NAT, ring)
    walks.stopped = walks.stopped | ring
    walks.behind = walks.behind | (behind & ~ring)


def _candidates(walks: Walks, weighed: Weighed, question: int) -> tuple[Candidate, ...]:
    found = weighed.candidates(question, walks.logs.sites)
    spans = weighed.spans_of(question)
    return tuple(_translation(walks, c, rows) for c, rows in zip(found, spans, strict=True))


def _translation(walks: Walks, candidate: Candidate, spans: np.ndarray) -> Candidate:
    records, row = walks.logs.nat.held.record(int(spans[0]))
    server, port = records.value("server_ip", row), records.value("server_port", row)
    inside = records.value("client_port", row)
    return with_details(
        candidate,
        port="" if inside is None else str(inside),
        destination=label(server, int(str(port)) if port is not None else None)
        if isinstance(server, bytes)
        else "",
        transport=records.text("transport", row),
        account=records.text("account", row),
        sessions=str(len(spans)),
    )
