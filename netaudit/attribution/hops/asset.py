"""MAC, or else the address as declared, to the asset in the register."""

from __future__ import annotations

import numpy as np

from netaudit.attribution.columns import SECOND
from netaudit.attribution.hops.answer import Answer, stability
from netaudit.attribution.intervals import Pairs
from netaudit.attribution.packed import Packed
from netaudit.attribution.questions import Questions
from netaudit.attribution.register import DETAILS, Register
from netaudit.attribution.trace import Candidate, HopKind, Reason
from netaudit.attribution.walk import AMBIGUOUS, DAY_S, HELD, MISSING, NO_HOP, NOT_COVERED, Walks
from netaudit.attribution.weighing import Weighed, weigh, with_details
from netaudit.records.addresses import format_ip, format_mac


def look_up(walks: Walks) -> Answer | None:
    """Ask the register; a row that names another MAC for the address contradicts."""
    register = walks.logs.register
    asking = ~walks.stopped & (walks.mac.known | walks.address.known)
    if not asking.any():
        return None
    mac, address = walks.mac.only(asking), walks.address.only(asking)
    low, high = walks.asked.wide
    by_mac = register.by_mac(mac, low, high)
    walks.confirmed[by_mac.question] = True
    declared = address.only(~walks.confirmed)
    found = Pairs.joined((by_mac, _declared(register, mac, declared, (low, high))))
    weighed = weigh(register.held, walks.here(register.held, found), walks.asked)
    named = mac.only(walks.confirmed | ~declared.known)
    stable = stability(
        walks, walks.asked, weighed, lambda one, at: _near(register, mac, named, declared, one, at)
    )
    outcome = np.select((weighed.count == 1, weighed.count > 1), (HELD, AMBIGUOUS), MISSING)
    outcome = np.where(asking, outcome, NO_HOP)
    held = outcome == HELD
    walks.asset = np.where(held, weighed.best, walks.asset)
    row = np.where(held, weighed.best, -1)
    walks.known_place("segment", register.texts("segment", row), held)
    switch, port = register.texts("switch", row), register.texts("switch_port", row)
    both = np.where((switch != "") & (port != ""), " ", "")
    walks.known_place("port", switch + both + port, held)
    unknown = asking & ~held
    random = unknown & walks.mac.is_random_mac()
    walks.because(Reason.RANDOM_MAC, random)
    clock = (outcome == AMBIGUOUS) & weighed.by_clock
    walks.because(Reason.CLOCK, clock)
    walks.because(Reason.ASSET_UNKNOWN, unknown & ~clock)
    if not register.records.count:
        outcome = np.where(outcome == MISSING, NOT_COVERED, outcome)
    return Answer(
        HopKind.ASSET,
        outcome,
        lambda i: _asked(mac.value(i, 6), address.value(i)),
        lambda i: _candidates(walks, weighed, i),
        stable,
    )


def _declared(
    register: Register, mac: Packed, addresses: Packed, times: tuple[np.ndarray, np.ndarray]
) -> Pairs:
    found = register.by_ip(addresses, *times)
    contradicts = mac.known[found.question] & register.names_mac(found.row)
    return found.where(~contradicts)


def _near(
    register: Register, mac: Packed, named: Packed, declared: Packed, one: Questions, at: np.ndarray
) -> Pairs:
    low, high = one.wide
    times = low - DAY_S * SECOND, high + DAY_S * SECOND
    by_mac = register.by_mac(named.take(at), *times)
    return Pairs.joined((by_mac, _declared(register, mac.take(at), declared.take(at), times)))


def _asked(mac: bytes | None, address: bytes | None) -> str:
    return format_mac(mac) if mac is not None else format_ip(address or b"")


def _candidates(walks: Walks, weighed: Weighed, question: int) -> tuple[Candidate, ...]:
    register = walks.logs.register
    found = weighed.candidates(question, walks.logs.sites)
    return tuple(
        with_details(c, **{name: register.texts(name, rows[:1])[0] for name in DETAILS})
        for c, rows in zip(found, weighed.spans_of(question), strict=True)
    )
