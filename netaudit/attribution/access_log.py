"""Associations, logins and accounting as sessions, found again by MAC, address and account."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pyarrow as pa

from netaudit.attribution.columns import FAR, NONE, SECOND, Records, combine
from netaudit.attribution.held import Held
from netaudit.attribution.intervals import Index, Pairs, overlaps
from netaudit.attribution.packed import Codes, Packed
from netaudit.attribution.spans import STATION_CAP_S, STATION_LEAD_S, Doubt, Spans, end_at_next, pair
from netaudit.attribution.words import Role, roles
from netaudit.records.addresses import format_mac, parse_mac

DETAILS = ("account", "ap_name", "bssid", "nas", "nas_port", "session", "ssid", "vlan")

NOTHING, CHANGES = -1, -2
"""Codes of what a session says at a time: no word, and more than one."""
_COMPUTER = re.compile(r"(?i:host/.+)|.+\$")
"""Accounts by which Windows logs a computer on, and not who sits at it."""
_MOST_SECONDS = 2**32 - 1

PHASES_S = 30
"""Beginnings of one station that follow each other this soon, without an end between, are one; so
are ends with no beginning between. An access point writes a line for each phase: hostapd says
*disassociated*, *AP-STA-DISCONNECTED* and, up to 3 s later, *deauthenticated*."""


class AccessLog:
    """The sessions of one kind, ``radius`` or ``wlan``, sorted once."""

    def __init__(self, kind: str, records: Records, site: np.ndarray) -> None:
        """Build from the records of a kind.

        Args:
            kind: ``radius`` or ``wlan``.
            records: The table.
            site: ``(n,)`` site code of each row.
        """
        self.kind, self.records = kind, records
        role = roles(kind, records)
        mac, macs = records.codes("client_mac")
        ip, ips = records.codes("client_ip")
        time = records.nanos("ts")
        device = combine(mac, np.where(mac < 0, ip, -1))
        anybody = (mac >= 0) | (ip >= 0)
        events = np.flatnonzero(anybody & (time != NONE) & (role != Role.IGNORE) & (role != Role.RESET))
        session, _ = records.words("session")
        nas, _ = records.words("nas")
        # Without a session's id, what tells two sessions of a device on one server apart is the port.
        port = np.where(session < 0, records.words("nas_port")[0], -1)
        group = combine(session, nas, port, device, site)[events]
        when, order = time[events], records.order()[events]
        account, self.accounts = records.words("account")
        user = _users(self.accounts)[account[events]]
        steps = np.where(session[events] < 0, _phases(group, when, order, role[events]), role[events])
        part = _by_user(group, when, order, steps, user)
        found = pair(
            part,
            when,
            order,
            steps,
            begun=np.full(len(events), NONE),
            cap=np.full(len(events), STATION_CAP_S * SECOND),
            grace=PHASES_S * SECOND,
        )
        found = _after_previous(found, group[found.first], when)
        self._seen = _Seen(time, events, found, np.lexsort((order, when, part)))
        sure = np.maximum(found.start, when[found.first] - STATION_LEAD_S * SECOND)
        unbegun = (found.doubt & Doubt.NO_START) != 0
        spans = replace(
            found,
            start=np.where(unbegun, sure, found.start),
            first=events[found.first],
            last=events[found.last],
        )
        resets = np.flatnonzero((role == Role.RESET) & (time != NONE))
        row = spans.first
        spans = _close_at_resets(spans, nas[row], (nas[resets], time[resets]))
        # A device that begins a session elsewhere has left the one whose stop was lost.
        begun = np.where(unbegun, when[found.first], spans.start)
        self.spans = end_at_next(spans, combine(device[row], site[row]), np.arange(len(row)), begun)
        self.site = site[row]
        self.mac, self.macs = mac[row], macs
        self.ips = ips
        self.address, self.ip, self.session = self._seen.addresses(ip, ips, time, self.spans)
        self.account = _persons(self._seen.codes(account), self.accounts)
        self._macs, self._ips = Codes(macs), Codes(ips)
        self._words: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]] = {}
        """By column what each event tells of it, how often that changed up to then, and the texts."""
        self._by_mac = Index(self.mac, self.spans.start, self.spans.end)
        self._by_ip = Index(self.ip, self.address.start, self.address.end)
        self._leads_by_mac = Index(self.mac, found.start, self.spans.end, np.flatnonzero(unbegun))
        first_address = (self.address.doubt & Doubt.NO_START) != 0
        self._leads_by_ip = Index(
            self.ip, found.start[self.session], self.address.end, np.flatnonzero(first_address)
        )
        self.held = Held(
            self.spans,
            combine(self.account, np.where(self.account < 0, self.mac, -1)),
            self.site,
            (records,),
            np.zeros(len(row), np.int8),
            self._name,
        )
        self.leads = replace(self.held, spans=replace(self.spans, start=found.start))
        """The same sessions, those without a start as early as they may have begun."""

    def around(self, macs: Packed, addresses: Packed, low: np.ndarray, high: np.ndarray) -> Pairs:
        """Sessions of each MAC (or of an address, where no MAC is known) in a time."""
        by_ip = self._by_ip.overlapping(self._ips.of(addresses.only(~macs.known)), low, high)
        return self._joined(self._by_mac.overlapping(self._macs.of(macs), low, high), by_ip)

    def leads_around(self, macs: Packed, addresses: Packed, low: np.ndarray, high: np.ndarray) -> Pairs:
        """Sessions without a start that may have begun by then, of `leads`; asked as `around` is."""
        by_ip = self._leads_by_ip.overlapping(self._ips.of(addresses.only(~macs.known)), low, high)
        return self._joined(self._leads_by_mac.overlapping(self._macs.of(macs), low, high), by_ip)

    def _joined(self, by_mac: Pairs, by_ip: Pairs) -> Pairs:
        return Pairs.joined((by_mac, Pairs(by_ip.question, self.session[by_ip.row]).sorted()))

    def account_of(self, span: int) -> str:
        """The account of a session; empty where none is known."""
        code = int(self.account[span])
        return self.accounts[code] if code >= 0 else ""

    def mac_of(self, span: int) -> bytes | None:
        """The MAC of a session, where known."""
        code = int(self.mac[span])
        return self.macs[code].as_py() if code >= 0 else None

    def macs_of(self, spans: np.ndarray) -> Packed:
        """MAC of each session; none where it is not known."""
        return self._macs.take(self.mac[spans])

    def said(self, name: str, spans: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """``(n,)`` codes of what the records of each session say of a column at a time.

        Who roams says another access point in each record. What counts at a time is what the last
        record before it says, and the next one after it; `NOTHING` where neither says a word,
        `CHANGES` where they differ.
        """
        told, changes, _ = self._told(name)
        first, last = self._seen.around(spans, low, high)
        return np.where(changes[first] == changes[last], told[first], CHANGES)

    def texts(self, name: str, spans: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """``(n,)`` texts of what is `said`; empty where nothing is, or it changes."""
        said, words = self.said(name, spans, low, high), self._told(name)[2]
        texts: np.ndarray = words[np.where(said == CHANGES, NOTHING, said)]
        return texts

    def _told(self, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        if name not in self._words:
            codes, values = self.records.codes(name)
            words = [v.hex(":") if isinstance(v, bytes) else str(v) for v in values.to_pylist()]
            said = np.array([bool(word) for word in words] + [False])
            told = self._seen.filled(np.where(said[codes], codes, NOTHING))
            changes = np.cumsum(np.diff(told, prepend=told[:1]) != 0)
            self._words[name] = told, changes, np.array([*words, ""], object)
        return self._words[name]

    def active(self, low: int, high: int) -> set[bytes]:
        """Addresses with a session in a time."""
        now = overlaps(self.address.start, self.address.end, low, high)
        return {self.ips[int(code)].as_py() for code in np.unique(self.ip[now])}

    def _name(self, span: int) -> str:
        mac = self.mac_of(span)
        return self.account_of(span) or (format_mac(mac) if mac else "")


def _persons(account: np.ndarray, accounts: list[str]) -> np.ndarray:
    """Account codes without those of a machine: its own address (MAC authentication), or a computer's name."""
    machine = [parse_mac(word) is not None or bool(_COMPUTER.fullmatch(word)) for word in accounts]
    persons: np.ndarray = np.where(np.array([*machine, True])[account], -1, account)
    return persons


def _users(accounts: list[str]) -> np.ndarray:
    """Codes that are equal where accounts differ in domain, realm and case only; the last, of none, is -1."""
    bare = [word.rpartition("\\")[2].partition("@")[0].lower() for word in accounts]
    place = {word: code for code, word in enumerate(dict.fromkeys(bare))}
    return np.array([*(place[word] for word in bare), -1])


def _by_user(
    group: np.ndarray, time: np.ndarray, order: np.ndarray, role: np.ndarray, user: np.ndarray
) -> np.ndarray:
    """``(n,)`` groups, in the order of `group` and time, that begin anew where a session names another user.

    A switch lets the MAC in, then the computer, then who logs on to it, all with one session id.
    """
    by = np.lexsort((order, time, group))
    place, who, what = np.arange(len(by)), user[by], role[by]
    fresh = np.diff(group[by], prepend=-1) != 0
    begins = np.maximum.accumulate(np.where(fresh, place, 0))
    before = np.append([-1], np.maximum.accumulate(np.where(who >= 0, place, -1)))[: len(by)]
    ended = np.append([-1], np.maximum.accumulate(np.where(what == Role.END, place, -1)))[: len(by)]
    other = (who >= 0) & (who != who[before]) & (before >= begins) & (before > ended) & (what == Role.SEEN)
    out = np.empty(len(by), np.int64)
    out[by] = np.cumsum(fresh | other)
    return out


def _after_previous(found: Spans, group: np.ndarray, when: np.ndarray) -> Spans:
    """Let supposed beginnings be no earlier than the last record of the span before in the same group."""
    same = np.diff(group, prepend=-1) == 0
    earliest = np.where(same, np.roll(when[found.last], 1), found.start)
    unbegun = (found.doubt & Doubt.NO_START) != 0
    return replace(found, start=np.where(unbegun, np.maximum(found.start, earliest), found.start))


def _phases(group: np.ndarray, time: np.ndarray, order: np.ndarray, role: np.ndarray) -> np.ndarray:
    """Roles in which *associated*, *authenticated*, *connected* in a row are one beginning."""
    by = np.lexsort((order, time, group))
    soon = (np.diff(group[by], prepend=-2) == 0) & (np.diff(time[by], prepend=0) <= PHASES_S * SECOND)
    again = (role[by] == Role.START) & soon & (np.append([Role.END], role[by][:-1]) != Role.END)
    out = role.copy()
    out[by[again]] = Role.SEEN
    return out


def _close_at_resets(spans: Spans, nas: np.ndarray, resets: tuple[np.ndarray, np.ndarray]) -> Spans:
    """End what was open when its access server said Accounting-On or -Off (RFC 2866 5.1)."""
    end, doubt = spans.end.copy(), spans.doubt.copy()
    for server in np.unique(resets[0][resets[0] >= 0]):
        times = np.sort(resets[1][resets[0] == server])
        mine = np.flatnonzero((nas == server) & ((spans.doubt & Doubt.NO_END) != 0))
        position = np.searchsorted(times, spans.start[mine], "left")
        mine, position = mine[position < len(times)], position[position < len(times)]
        earlier = times[position] <= end[mine]
        end[mine[earlier]] = times[position][earlier]
        doubt[mine[earlier]] &= ~np.uint8(Doubt.NO_END)
    return replace(spans, end=end, doubt=doubt)


class _Seen:
    """What the events of a session say."""

    def __init__(self, time: np.ndarray, events: np.ndarray, found: Spans, by: np.ndarray) -> None:
        """Keep the events in the order `by` in which they were paired to the spans `found`."""
        self._rows = events[by]
        place = np.empty(len(by), np.int64)
        place[by] = np.arange(len(by))
        self._low: np.ndarray = place[found.first]
        # Ends that are said again come after the last record of the span and belong to it too.
        self._high: np.ndarray = np.append(self._low[1:], len(by))[: len(self._low)] - 1
        self._session = np.repeat(np.arange(len(self._low)), self._high - self._low + 1)
        when = time[self._rows]
        self._origin = int(when.min(initial=FAR))
        self._key = self._moment(self._session, when)

    def codes(self, values: np.ndarray) -> np.ndarray:
        """Of a column of codes, each session's last that is not -1."""
        if not len(self._rows):
            return self._low
        seen = values[self._rows]
        last = np.maximum.accumulate(np.where(seen >= 0, np.arange(len(seen)), -1))[self._high]
        found: np.ndarray = np.where(last >= self._low, seen[last], -1)
        return found

    def filled(self, values: np.ndarray) -> np.ndarray:
        """Of a column of codes, each event's; where it has none, the one before it in its session, or after it."""
        seen, place = values[self._rows], np.arange(len(self._rows))
        before = np.maximum.accumulate(np.where(seen >= 0, place, -1))
        after = np.minimum.accumulate(np.where(seen >= 0, place, len(seen))[::-1])[::-1]
        low, high = self._low[self._session], self._high[self._session]
        told = np.where(before >= low, before, np.where(after <= high, after, -1))
        return np.where(told >= 0, seen[told], NOTHING)

    def around(self, spans: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The last event of each session before a time, and the first after it; to the second."""
        first = np.searchsorted(self._key, self._moment(spans, low), "right") - 1
        last = np.searchsorted(self._key, self._moment(spans, high), "left")
        return np.maximum(first, self._low[spans]), np.minimum(last, self._high[spans])

    def _moment(self, session: np.ndarray, time: np.ndarray) -> np.ndarray:
        seconds = np.clip((time - self._origin) // SECOND, 0, _MOST_SECONDS)
        key: np.ndarray = session * (_MOST_SECONDS + 1) + seconds
        return key

    def addresses(
        self, ip: np.ndarray, ips: pa.Array, time: np.ndarray, sessions: Spans
    ) -> tuple[Spans, np.ndarray, np.ndarray]:
        """Spans of the addresses that the sessions had, their codes, and the session of each.

        The first IPv4 address counts from the session's beginning, for it comes with the first
        interim record; it counts until another takes its place, or the session ends. A session has
        many IPv6 addresses at a time: each counts throughout.
        """
        named = np.flatnonzero(ip[self._rows] >= 0)
        code, of, row = ip[self._rows[named]], self._session[named], self._rows[named]
        v4 = Packed.of(ips).is_v4()
        slot = combine(of, np.where(v4[code], -1, code))
        order = np.lexsort((named, slot))
        code, of, row, slot = code[order], of[order], row[order], slot[order]
        fresh = np.diff(slot, prepend=-2) != 0
        head = np.flatnonzero(fresh | (np.diff(code, prepend=-2) != 0))
        tail = np.append(head[1:], [len(code)])[: len(head)] - 1
        initial = fresh[head]
        final = np.append(initial[1:], [True])[: len(head)]
        owner = of[head]
        start = np.where(initial, sessions.start[owner], time[row[head]])
        end = np.where(final, sessions.end[owner], np.append(start[1:], [NONE])[: len(head)])
        doubt = sessions.doubt[owner] & (initial * Doubt.NO_START + final * Doubt.NO_END)
        spans = Spans(
            start,
            np.maximum(start, end),
            doubt.astype(np.uint8),
            np.where(initial, sessions.first[owner], row[head]),
            np.where(final, sessions.last[owner], row[tail]),
        )
        return spans, code[head], owner
