"""Inside address to the MAC that held it."""

from __future__ import annotations

import numpy as np

from netaudit.attribution.columns import SECOND
from netaudit.attribution.hops.answer import Answer, stability
from netaudit.attribution.intervals import Pairs
from netaudit.attribution.packed import Packed
from netaudit.attribution.plan import is_private
from netaudit.attribution.questions import Questions
from netaudit.attribution.trace import Candidate, HopKind, Reason
from netaudit.attribution.walk import AMBIGUOUS, DAY_S, HELD, MISSING, NO_HOP, NOT_COVERED, Walks
from netaudit.attribution.weighing import Weighed, weigh, with_details
from netaudit.records.addresses import format_ip


def look_up(walks: Walks) -> Answer | None:
    """Ask leases, ARP tables and sessions; what is held is the MAC for the next hops."""
    logs, log = walks.logs, walks.logs.addresses
    foreign = ~walks.stopped & walks.address.known & _foreign(walks)
    walks.because(Reason.NOT_OURS, foreign)
    walks.address = walks.address.only(~foreign)
    walks.stopped = walks.stopped | foreign
    asking = ~walks.stopped & walks.address.known
    if not asking.any():
        return None
    address = walks.address.only(asking)
    found = walks.here(log.held, log.around(address, *walks.asked.wide))
    lead = log.is_lead(found.row)
    sure = np.zeros(len(asking), bool)
    sure[found.question[~lead]] = True
    weighed = weigh(log.held, found.where(~lead | ~sure[found.question]), walks.asked)
    stable = stability(walks, walks.asked, weighed, lambda one, at: _near(walks, address.take(at), one))
    count = np.where(sure, weighed.count, 0)
    outcome = np.select((count == 1, count > 1), (HELD, AMBIGUOUS), MISSING)
    outcome = np.where(asking, outcome, NO_HOP)
    outcome = _missing(walks, outcome, leads=weighed.count > 0)
    several = outcome == AMBIGUOUS
    walks.because(Reason.CLOCK, several & weighed.by_clock)
    walks.because(Reason.LEASE_CONFLICT, several & ~weighed.by_clock)
    walks.stopped = walks.stopped | several
    held = outcome == HELD
    walks.hold(weighed.best_site, held)
    walks.mac = log.macs_of(weighed.best).where(held, walks.mac)
    names = np.array([*(s.id for s in logs.plan.segments), ""], object)
    walks.known_place("segment", names[walks.segment], asking)
    return Answer(
        HopKind.LEASE,
        outcome,
        lambda i: format_ip(address.value(i) or b""),
        lambda i: _candidates(walks, weighed, i),
        stable,
    )


def _foreign(walks: Walks) -> np.ndarray:
    """Whether an address is nobody's here: outside of the plan, of private space and of every log."""
    plan, address = walks.logs.plan, walks.address
    if not plan.networks:
        return np.zeros(len(address), bool)
    foreign: np.ndarray = ~(plan.has(address) | is_private(address) | walks.logs.knows(address))
    return foreign


def _near(walks: Walks, address: Packed, one: Questions) -> Pairs:
    low, high = one.wide
    reach = DAY_S * SECOND
    return walks.logs.addresses.around(address, low - reach, high + reach)


def _missing(walks: Walks, outcome: np.ndarray, *, leads: np.ndarray) -> np.ndarray:
    """What it means that nobody is known to have held an address."""
    logs, chosen = walks.logs, outcome == MISSING
    if not chosen.any():
        return outcome
    missing, why = walks.absent(
        chosen, ("dhcp",), without=Reason.LOG_GAP, rows=len(logs.addresses.held.spans)
    )
    declared = np.zeros(len(chosen), bool)
    declared[logs.register.by_ip(walks.address.only(chosen), *walks.asked.wide).question] = True
    segment = walks.segment
    manual = np.array([*(s.addressing == "static" for s in logs.plan.segments), False])[segment]
    led = chosen & leads
    walks.because(Reason.LOG_GAP, led)
    left = chosen & ~leads
    walks.because(Reason.STATIC_IP, left & (manual | declared))
    static, left = left & manual, left & ~manual
    for reason, some in why:
        walks.because(reason, some & left)
    unplanned = left & (segment < 0) & ~logs.knows(walks.address)
    unplanned &= bool(logs.plan.networks)
    walks.because(Reason.UPSTREAM_NAT, unplanned)
    # The log is whole and has no lease: the address is not from this server.
    walks.because(Reason.STATIC_IP, left & ~unplanned & missing)
    return np.where(chosen & ~static & (led | ~missing), NOT_COVERED, outcome)


def _candidates(walks: Walks, weighed: Weighed, question: int) -> tuple[Candidate, ...]:
    log = walks.logs.addresses
    found = weighed.candidates(question, walks.logs.sites)
    return tuple(
        with_details(
            candidate,
            hostname=next(filter(None, map(log.hostname, members.tolist())), ""),
            source=" ".join(sorted({log.source(int(m)) for m in members})),
        )
        for candidate, members in zip(found, weighed.spans_of(question), strict=True)
    )
