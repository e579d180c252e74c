"""MAC to the switch port where it was learnt."""

from __future__ import annotations

import numpy as np

from netaudit.attribution.columns import SECOND
from netaudit.attribution.hops.answer import Answer, stability
from netaudit.attribution.intervals import Pairs
from netaudit.attribution.questions import Questions
from netaudit.attribution.trace import HopKind, Reason
from netaudit.attribution.walk import AMBIGUOUS, DAY_S, HELD, MISSING, NO_HOP, NOT_COVERED, Walks
from netaudit.attribution.weighing import weigh, with_details
from netaudit.records.addresses import format_mac


def look_up(walks: Walks) -> Answer | None:
    """Ask the switches' MAC tables, where there are any; what is held is a place, and no key."""
    log = walks.logs.ports
    asking = ~walks.stopped & walks.mac.known
    if not len(log) or not asking.any():
        return None
    mac = walks.mac.only(asking)
    weighed = weigh(log.held, walks.here(log.held, log.around(mac, *walks.asked.wide)), walks.asked)
    reach = DAY_S * SECOND

    def near(one: Questions, at: np.ndarray) -> Pairs:
        low, high = one.wide
        return log.around(mac.take(at), low - reach, high + reach)

    stable = stability(walks, walks.asked, weighed, near)
    outcome = np.select((weighed.count == 1, weighed.count > 1), (HELD, AMBIGUOUS), MISSING)
    outcome = np.where(asking, outcome, NO_HOP)
    missing, _ = walks.absent(outcome == MISSING, ("fdb",), without=Reason.LOG_GAP, rows=len(log))
    outcome = np.where((outcome == MISSING) & ~missing, NOT_COVERED, outcome)
    held = outcome == HELD
    walks.known_place("port", log.texts(np.where(held, weighed.best, -1)), held)
    sites = walks.logs.sites
    return Answer(
        HopKind.PORT,
        outcome,
        lambda i: format_mac(mac.value(i, 6) or b""),
        lambda i: tuple(
            with_details(candidate, **log.details(int(spans[0])))
            for candidate, spans in zip(weighed.candidates(i, sites), weighed.spans_of(i), strict=True)
        ),
        stable,
    )
