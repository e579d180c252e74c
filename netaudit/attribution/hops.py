"""The hop table: translation, address, presence, asset. A new hop is one more row.

Each hop looks up the key that the hops before it found and answers with a `Hop`, or with None
where there is nothing to ask. Only an answer that one candidate holds is a key for the next hop.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from netaudit.attribution.access_log import DETAILS as SESSION_DETAILS
from netaudit.attribution.access_log import AccessLog
from netaudit.attribution.plan import is_private, label, shares_key
from netaudit.attribution.register import DETAILS as ASSET_DETAILS
from netaudit.attribution.spans import Doubt
from netaudit.attribution.trace import Candidate, Hop, HopKind, Outcome, Reason
from netaudit.attribution.walk import Walk
from netaudit.attribution.weighing import Weighed, with_details
from netaudit.records.addresses import format_ip, format_mac, is_random_mac

SHARED_ACCOUNT_DEVICES = 3
"""An account with more devices than this online at one moment is shared: one person carries a
computer, a telephone and a tablet."""


def nat(walk: Walk) -> Hop | None:
    """Public address and port to the inside host that had them."""
    question, logs = walk.question, walk.logs
    if question.public_ip is None:
        return None
    if not logs.plan.ours(question.public_ip):
        walk.because(Reason.NOT_OURS)
        walk.stopped = True
        return None
    rows = logs.nat.around(question, *walk.wide)
    if not rows.size and _untranslated(walk, question.public_ip):
        walk.address = question.public_ip
        return None

    def near() -> np.ndarray:
        return logs.nat.around(question, *walk.around)

    # Without a port the neighbours are all the unit's traffic: the stable range means nothing.
    found = walk.weigh(
        logs.nat.held, rows, near if question.port is not None else None, logs.nat.names_destination(rows)
    )
    walk.because(Reason.NO_PORT if question.port is None else None)
    outcome = found.outcome
    if outcome is Outcome.MISSING:
        outcome = _no_translation(walk)
        walk.stopped = True
    elif outcome is Outcome.AMBIGUOUS:
        walk.because(Reason.NAT_AMBIGUOUS, Reason.CLOCK if found.by_clock else None)
        _common_segment(walk, [logs.nat.address(int(spans[0])) for spans in found.spans])
        walk.stopped = True
    else:
        walk.hold(found.candidates[0])
        walk.address = logs.nat.address(int(found.spans[0][0]))
        if logs.nat.is_public(walk.address):
            walk.because(Reason.UPSTREAM_NAT)
            walk.stopped = True
    candidates = tuple(
        _translation(walk, candidate, spans)
        for candidate, spans in zip(found.candidates, found.spans, strict=True)
    )
    asked = label(question.public_ip, question.port)
    return Hop(HopKind.NAT, asked, outcome, candidates, found.stable)


def lease(walk: Walk) -> Hop | None:
    """Inside address to the MAC that held it."""
    address, log = walk.address, walk.logs.addresses
    if address is None:
        return None
    if _foreign(walk, address):
        walk.because(Reason.NOT_OURS)
        walk.address, walk.stopped = None, True
        return None
    rows = log.around(address, *walk.wide)
    spans = log.held.spans
    # A lease store that does not tell when a lease began proves nothing about a time before its
    # end: such a lease is shown as a lead and is no answer.
    lead = ((spans.doubt[rows] & Doubt.NO_START) != 0) & (log.held.source[rows] == 0)
    found = walk.weigh(log.held, rows[~lead], lambda: log.around(address, *walk.around))
    outcome = found.outcome
    if outcome is Outcome.MISSING:
        found = walk.weigh(log.held, rows[lead])
        outcome = _no_lease(walk, address, leads=bool(found.candidates))
    elif outcome is Outcome.AMBIGUOUS:
        walk.because(Reason.CLOCK if found.by_clock else Reason.LEASE_CONFLICT)
        walk.stopped = True
    else:
        walk.hold(found.candidates[0])
        walk.mac = log.mac(int(found.spans[0][0]))
    segment = walk.segment
    walk.known_place(segment=segment.id if segment else "")
    candidates = tuple(
        with_details(
            candidate,
            hostname=next(filter(None, map(log.hostname, members.tolist())), ""),
            source=" ".join(sorted({log.source(int(m)) for m in members})),
        )
        for candidate, members in zip(found.candidates, found.spans, strict=True)
    )
    return Hop(HopKind.LEASE, format_ip(address), outcome, candidates, found.stable)


def station(walk: Walk) -> Hop | None:
    """MAC (or address, where no MAC is known) to the session: account, SSID, access point."""
    mac, address = walk.mac, walk.address
    if mac is None and address is None:
        return None
    answers: list[tuple[AccessLog, Weighed]] = []
    for log in walk.logs.access:
        near = partial(log.around, mac, address, *walk.around)
        answers.append((log, walk.weigh(log.held, log.around(mac, address, *walk.wide), near)))
    merged = _sessions(answers)
    asked = format_mac(mac) if mac is not None else format_ip(address or b"")
    if not merged:
        leads = _leads(walk)
        return Hop(HopKind.STATION, asked, _no_session(walk, leads=bool(leads)), leads)
    candidates = tuple(candidate for candidate, _, _ in merged)
    _, log, best = merged[0]
    details = [dict(c.details) for c in candidates]
    ap = _shared_text(details, "ap_name") or _shared_text(details, "bssid")
    walk.known_place(ssid=_shared_text(details, "ssid"), ap=ap, port=_shared_text(details, "nas_port"))
    if len(candidates) > 1:
        walk.because(Reason.CLOCK)
        return Hop(HopKind.STATION, asked, Outcome.AMBIGUOUS, candidates)
    walk.hold(candidates[0])
    walk.mac = mac or log.mac_of(best)
    _judge_account(walk, log.account_of(best), details[0].get("bssid", ""))
    stable = next(found.stable for owner, found in answers if owner is log)
    return Hop(HopKind.STATION, asked, Outcome.HELD, candidates, stable)


def asset(walk: Walk) -> Hop | None:
    """MAC, or else the address as declared, to the asset in the register."""
    mac, address, register = walk.mac, walk.address, walk.logs.register
    if mac is None and address is None:
        return None
    rows = register.by_mac(mac, *walk.wide) if mac is not None else np.empty(0, np.int64)
    walk.confirmed = bool(rows.size)
    by_address = not rows.size and address is not None

    def look_up(low: int, high: int) -> np.ndarray:
        if mac is not None and not by_address:
            return register.by_mac(mac, low, high)
        rows = register.by_ip(address or b"", low, high)
        # A row that names another MAC for this address contradicts.
        return rows if mac is None else register.without_mac(rows)

    rows = look_up(*walk.wide) if by_address else rows
    found = walk.weigh(register.held, rows, lambda: look_up(*walk.around))
    candidates = tuple(
        with_details(c, **{name: register.detail(int(spans[0]), name) for name in ASSET_DETAILS})
        for c, spans in zip(found.candidates, found.spans, strict=True)
    )
    outcome = found.outcome
    if outcome is Outcome.HELD:
        walk.asset = candidates[0]
        details = dict(walk.asset.details)
        port = " ".join(filter(None, (details.get("switch"), details.get("switch_port"))))
        walk.known_place(segment=details.get("segment", ""), port=port)
    else:
        random = mac is not None and is_random_mac(mac)
        clock = outcome is Outcome.AMBIGUOUS and found.by_clock
        walk.because(Reason.RANDOM_MAC if random else None, Reason.CLOCK if clock else Reason.ASSET_UNKNOWN)
        if outcome is Outcome.MISSING and not register.records.count:
            outcome = Outcome.NOT_COVERED
    asked = format_mac(mac) if mac is not None else format_ip(address or b"")
    return Hop(HopKind.ASSET, asked, outcome, candidates, found.stable)


HOPS: tuple[Callable[[Walk], Hop | None], ...] = (nat, lease, station, asset)
"""The hops in the order in which they are walked."""


def _untranslated(walk: Walk, address: bytes) -> bool:
    """Whether a public address is itself a host's: the plan says so, and no translation denies it."""
    if walk.logs.nat.is_public(address):
        return False
    return walk.logs.plan.segment(address, walk.site) is not None or walk.logs.settings.unit.nat is False


def _no_translation(walk: Walk) -> Outcome:
    """What it means that no translation is known.

    A log that covers the time and has no entry: the clocks may be wrong where the port was used
    within the day around; what translates to private addresses only lies behind another device;
    and else no translation is recorded.
    """
    question, log = walk.question, walk.logs.nat
    outcome, reason = walk.absent(("nat",), without=Reason.NO_NATLOG, rows=len(log))
    walk.because(reason)
    if log.publics() and all(map(is_private, log.publics())):
        walk.because(Reason.UPSTREAM_NAT)
    elif outcome is Outcome.MISSING:
        walk.because(Reason.NO_NATLOG)
        port_known = question.port is not None
        if port_known and walk.at_site(log.held, log.around(question, *walk.around)).size:
            walk.because(Reason.CLOCK)
    return outcome


def _translation(walk: Walk, candidate: Candidate, spans: np.ndarray) -> Candidate:
    records, row = walk.logs.nat.held.record(int(spans[0]))
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


def _common_segment(walk: Walk, addresses: list[bytes]) -> None:
    segments = {walk.logs.plan.segment(address, walk.site) for address in addresses}
    only = segments.pop() if len(segments) == 1 else None
    walk.known_place(segment=only.id if only else "")


def _no_lease(walk: Walk, address: bytes, *, leads: bool) -> Outcome:
    """What it means that nobody is known to have held an address."""
    logs, segment = walk.logs, walk.segment
    outcome, reason = walk.absent(("dhcp",), without=Reason.LOG_GAP, rows=len(logs.addresses.held.spans))
    declared = logs.register.by_ip(address, *walk.wide).size > 0
    static = segment is not None and segment.addressing == "static"
    if leads:
        walk.because(Reason.LOG_GAP)
        return Outcome.NOT_COVERED
    if static or declared:
        walk.because(Reason.STATIC_IP)
    if static:
        return Outcome.MISSING
    walk.because(reason)
    if logs.plan.networks and segment is None and not logs.knows(address):
        walk.because(Reason.UPSTREAM_NAT)
    elif outcome is Outcome.MISSING:  # the log is whole and has no lease: not from this server
        walk.because(Reason.STATIC_IP)
    return outcome


def _foreign(walk: Walk, address: bytes) -> bool:
    """Whether an address is nobody's here: outside of the plan, of private space and of every log."""
    plan = walk.logs.plan
    if not plan.networks or plan.has(address) or is_private(address):
        return False
    return not walk.logs.knows(address)


def _leads(walk: Walk) -> tuple[Candidate, ...]:
    """Sessions that may have begun by then, for their beginning is in no log: shown, no answer."""
    answers = []
    for log in walk.logs.access:
        rows = log.leads_around(walk.mac, walk.address, *walk.wide)
        answers.append((log, walk.weigh(log.leads, rows)))
    return tuple(candidate for candidate, _, _ in _sessions(answers))


def _no_session(walk: Walk, *, leads: bool) -> Outcome:
    """What it means that no session is known, or that one is only supposed."""
    logs, segment = walk.logs, walk.segment
    rows = sum(log.records.count for log in logs.access)
    outcome, reason = walk.absent(("radius", "wlan"), without=Reason.NO_ACCT, rows=rows)
    wireless = logs.plan.wireless_on(segment.id) if segment else None
    if wireless is not None and shares_key(wireless):
        walk.known_place(ssid=wireless.ssid)
        walk.because(Reason.SHARED_KEY)
    if leads:
        walk.because(Reason.LOG_GAP)
        return Outcome.NOT_COVERED
    walk.because(reason or Reason.NO_ACCT)
    return outcome


def _sessions(answers: list[tuple[AccessLog, Weighed]]) -> list[tuple[Candidate, AccessLog, int]]:
    """One candidate for each account; for each device where no account is known.

    A log that knows no account (a controller beside a RADIUS server) adds its SSID and access
    point to the account of the same device.
    """
    found: list[tuple[Candidate, AccessLog, int]] = []
    for log, weighed in answers:
        for candidate, spans in zip(weighed.candidates, weighed.spans, strict=True):
            best = int(spans[0])
            details = {name: log.detail(best, name) for name in SESSION_DETAILS}
            found.append((with_details(candidate, **details), log, best))
    named = [entry for entry in found if entry[1].account_of(entry[2])]
    merged: dict[str, tuple[Candidate, AccessLog, int]] = {}
    for candidate, log, best in named or found:
        if candidate.value not in merged:
            merged[candidate.value] = (candidate, log, best)
    for extra, _, _ in found:
        for value, (candidate, log, best) in merged.items():
            if len(merged) == 1 or extra.value == value:
                known = dict(extra.details) | dict(candidate.details)
                merged[value] = (with_details(candidate, **known), log, best)
    return list(merged.values())


def _judge_account(walk: Walk, account: str, bssid: str) -> None:
    """Whether the account stands for one person, and if there is none, why."""
    plan, segment = walk.logs.plan, walk.segment
    ssid = walk.place.get("ssid", "")
    wireless = plan.wireless(ssid) or plan.wireless_at(bssid)
    if wireless is None and segment is not None and not ssid:
        wireless = plan.wireless_on(segment.id)
    if wireless is not None:
        walk.known_place(segment=wireless.segment, ssid=wireless.ssid)
    shared_key = wireless is not None and shares_key(wireless)
    devices = max(log.devices_of(account) for log in walk.logs.access) if account else 0
    if devices > SHARED_ACCOUNT_DEVICES:
        walk.because(Reason.SHARED_ACCOUNT)
    elif account and not (shared_key and wireless is not None and wireless.per_user_auth is False):
        walk.account = account
        return
    if shared_key:
        walk.because(Reason.SHARED_KEY)
    elif not account:
        walk.because(Reason.NO_ACCT)


def _shared_text(details: list[dict[str, str]], name: str) -> str:
    """What all candidates say alike; empty where they differ."""
    texts = {detail.get(name, "") for detail in details}
    return texts.pop() if len(texts) == 1 else ""
