"""MAC (or address, where no MAC is known) to the session: account, SSID, access point."""

from __future__ import annotations

from functools import partial

import numpy as np
import pyarrow as pa

from netaudit.attribution.access_log import AccessLog
from netaudit.attribution.columns import SECOND, combine
from netaudit.attribution.hops.answer import Answer, stability
from netaudit.attribution.hops.sessions import Sessions
from netaudit.attribution.intervals import Pairs
from netaudit.attribution.packed import Packed
from netaudit.attribution.plan import shares_key
from netaudit.attribution.questions import Questions
from netaudit.attribution.trace import HopKind, Reason
from netaudit.attribution.walk import AMBIGUOUS, DAY_S, HELD, MISSING, NO_HOP, NOT_COVERED, Walks
from netaudit.attribution.weighing import weigh
from netaudit.config import Wireless
from netaudit.records.addresses import format_ip, format_mac

SHARED_ACCOUNT_DEVICES = 3
"""An account with more devices than this online at one moment is shared: one person carries a
computer, a telephone and a tablet."""


def look_up(walks: Walks) -> Answer | None:
    """Ask the access logs; what is held is the account, and the MAC where none was known."""
    asking = ~walks.stopped & (walks.mac.known | walks.address.known)
    if not asking.any():
        return None
    mac, address = walks.mac.only(asking), walks.address.only(asking)
    logs, wide = walks.logs.access, walks.asked.wide
    answers = [
        weigh(log.held, walks.here(log.held, log.around(mac, address, *wide)), walks.asked) for log in logs
    ]
    stables = [
        stability(walks, walks.asked, answer, partial(_near, log, mac, address))
        for log, answer in zip(logs, answers, strict=True)
    ]
    found = Sessions(walks.logs, answers, walks.asked)
    outcome = np.select((found.count == 1, found.count > 1), (HELD, AMBIGUOUS), MISSING)
    outcome = np.where(asking, outcome, NO_HOP)
    led = _leads(walks, mac.only(outcome == MISSING), address.only(outcome == MISSING))
    outcome = _missing(walks, outcome, leads=led.count > 0)
    some, held = found.count > 0, outcome == HELD
    bssid, ap = found.alike("bssid"), found.alike("ap_name")
    walks.known_place("ssid", found.alike("ssid"), some)
    walks.known_place("ap", np.where(ap == "", bssid, ap), some)
    walks.known_place("port", found.alike("nas_port"), some)
    walks.because(Reason.CLOCK, outcome == AMBIGUOUS)
    walks.hold(found.site, held)
    walks.mac = found.mac.where(held & ~walks.mac.known, walks.mac)
    owner = found.log
    on_air = np.array([log.kind == "wlan" for log in logs])[owner] | (bssid != "") | (ap != "")
    _judge_accounts(walks, held, found.account, (bssid, on_air))
    return Answer(
        HopKind.STATION,
        outcome,
        lambda i: (
            format_mac(mac.value(i, 6) or b"") if mac.known[i] else format_ip(address.value(i) or b"")
        ),
        lambda i: found.candidates(i) or led.candidates(i),
        lambda i: stables[owner[i]](i),
    )


def _leads(walks: Walks, mac: Packed, address: Packed) -> Sessions:
    """Sessions that may have begun by then, for their beginning is in no log: shown, no answer."""
    leads = []
    for log in walks.logs.access:
        found = log.leads_around(mac, address, *walks.asked.wide)
        leads.append(weigh(log.leads, walks.here(log.leads, found), walks.asked))
    return Sessions(walks.logs, leads, walks.asked)


def _near(log: AccessLog, mac: Packed, address: Packed, one: Questions, at: np.ndarray) -> Pairs:
    low, high = one.wide
    reach = DAY_S * SECOND
    return log.around(mac.take(at), address.take(at), low - reach, high + reach)


def _missing(walks: Walks, outcome: np.ndarray, *, leads: np.ndarray) -> np.ndarray:
    """What it means that no session is known, or that one is only supposed."""
    logs, chosen = walks.logs, outcome == MISSING
    if not chosen.any():
        return outcome
    rows = sum(log.records.count for log in logs.access)
    missing, why = walks.absent(chosen, ("radius", "wlan"), without=Reason.NO_ACCT, rows=rows)
    keyed = [logs.plan.wireless_on(segment.id) for segment in logs.plan.segments]
    ssids = np.array([w.ssid if w and shares_key(w) else "" for w in keyed] + [""], object)
    shared = np.array([w is not None and shares_key(w) for w in keyed] + [False])
    segment = walks.segment
    walks.known_place("ssid", ssids[segment], chosen)
    walks.because(Reason.SHARED_KEY, chosen & shared[segment])
    led, left = chosen & leads, chosen & ~leads
    walks.because(Reason.LOG_GAP, led)
    for reason, some in why:
        walks.because(reason, some & left)
    walks.because(Reason.NO_ACCT, left & missing)
    return np.where(chosen & (leads | ~missing), NOT_COVERED, outcome)


def _judge_accounts(
    walks: Walks, held: np.ndarray, account: np.ndarray, air: tuple[np.ndarray, np.ndarray]
) -> None:
    """Whether each account stands for one person, and where there is none, why.

    Args:
        walks: The walks.
        held: ``(n,)`` bool: sessions that one candidate holds.
        account: ``(n,)`` code of its account, -1 for none.
        air: ``(n,)`` the BSSID as text, and bool: the session's records show that it was on the
            air. What may as well be on a wire gets no SSID from the plan.
    """
    bssid, on_air = air
    rows = np.flatnonzero(held)
    if not rows.size:
        return
    networks, of_row = _networks(walks, rows, bssid[rows])
    segment, ssid = np.full(len(held), "", object), np.full(len(held), "", object)
    segment[rows] = np.array([w.segment if w else "" for w in networks], object)[of_row]
    ssid[rows] = np.array([w.ssid if w else "" for w in networks], object)[of_row]
    walks.known_place("segment", segment, held)
    walks.known_place("ssid", ssid, held & on_air)
    shared, common = np.zeros(len(held), bool), np.zeros(len(held), bool)
    shared[rows] = np.array([w is not None and shares_key(w) for w in networks])[of_row]
    common[rows] = np.array([w is not None and w.per_user_auth is False for w in networks])[of_row]
    many = held & (walks.logs.sharing.devices[account] > SHARED_ACCOUNT_DEVICES)
    walks.because(Reason.SHARED_ACCOUNT, many)
    personal = held & (account >= 0) & ~many & ~(shared & common)
    walks.personal = walks.personal | personal
    walks.because(Reason.SHARED_KEY, held & ~personal & shared)
    walks.because(Reason.NO_ACCT, held & ~personal & ~shared & (account < 0))


def _networks(
    walks: Walks, rows: np.ndarray, bssid: np.ndarray
) -> tuple[list[Wireless | None], np.ndarray]:
    """The wireless networks that some sessions may be of, and which each is of."""
    plan, segment, ssid = walks.logs.plan, walks.segment[rows], walks.place["ssid"][rows]
    codes = [pa.array(texts, pa.string()).dictionary_encode().indices.to_numpy() for texts in (ssid, bssid)]
    _, first, of_row = np.unique(combine(*codes, segment), return_index=True, return_inverse=True)
    found = []
    for at in first.tolist():
        wireless = plan.wireless(ssid[at]) or plan.wireless_at(bssid[at])
        if wireless is None and segment[at] >= 0 and not ssid[at]:
            wireless = plan.wireless_on(plan.segments[segment[at]].id)
        found.append(wireless)
    return found, of_row
