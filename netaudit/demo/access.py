"""Who was let in: the Internet office's RADIUS accounting and the hall's access point."""

from __future__ import annotations

import hashlib
from pathlib import Path

from netaudit.demo.clock import HOUR, MINUTE, SECOND, ctime, radius_stamp
from netaudit.demo.logs import numbered
from netaudit.demo.office import Segment
from netaudit.demo.traffic import Schedule, Stay
from netaudit.demo.week import END_US

NAS = "192.168.20.2"
NAS_MAC = "00-00-5E-00-53-F3"
_INTERIM_US = 30 * MINUTE
_INACTIVE_US = 5 * MINUTE
_GROUP_REKEY_US = HOUR


def write_accounting(path: Path, schedule: Schedule, segment: Segment) -> dict[str, list[int]]:
    """Write a FreeRADIUS detail file of the wired 802.1X; returns the first line of each tag's records."""
    records: list[tuple[int, str, list[str], str]] = []
    for stay in schedule.stays:
        if stay.device.segment is segment and stay.device.account:
            records += [
                (at, stay.device.mac, _record(stay, at, status), stay.tag)
                for at, status in _accounting(stay)
            ]
    lines: list[str] = []
    numbers: dict[str, list[int]] = {}
    for _, _, record, tag in sorted(records, key=lambda record: record[:2]):
        if tag:
            numbers.setdefault(tag, []).append(len(lines) + 1)
        lines += record
    path.write_text("\n".join([*lines, ""]), encoding="utf-8", newline="\n")
    return numbers


def write_access_point_log(path: Path, schedule: Schedule, segment: Segment) -> dict[str, list[int]]:
    """Write what OpenWrt's ``logread`` keeps of hostapd; returns the line numbers of each tag."""
    events: list[tuple[int, str, str]] = []
    for stay in schedule.stays:
        if stay.device.segment is segment:
            events += [(at, text, stay.tag) for at, text in _station_lines(stay) if at < END_US]
    events.sort(key=lambda event: event[0])
    path.write_text(
        "".join(f"{ctime(at)} daemon.{text}\n" for at, text, _ in events), encoding="utf-8", newline="\n"
    )
    return numbered([tag for _, _, tag in events])


def _accounting(stay: Stay) -> list[tuple[int, str]]:
    """When the switch reports a session, and what: start, every half hour, stop."""
    first_interim = stay.start_us + 4 * SECOND  # the address becomes known after the start
    interims = range(first_interim, stay.end_us, _INTERIM_US)
    stop = [(stay.end_us, "Stop")] if stay.end_us < END_US else []
    return [(stay.start_us, "Start"), *((at, "Interim-Update") for at in interims), *stop]


def _record(stay: Stay, at_us: int, status: str) -> list[str]:
    device = stay.device
    session = f"{stay.start_us // SECOND:08X}{device.host:02X}"
    unique = hashlib.md5(f"{NAS},{session}".encode(), usedforsecurity=False).hexdigest()
    seconds = (at_us - stay.start_us) // SECOND
    known = [] if status == "Start" else [f"Framed-IP-Address = {stay.address}"]
    counted = (
        []
        if status == "Start"
        else [
            f"Acct-Session-Time = {seconds}",
            f"Acct-Input-Octets = {seconds * 311}",
            f"Acct-Output-Octets = {seconds * 1277}",
        ]
    )
    ended = ["Acct-Terminate-Cause = User-Request"] if status == "Stop" else []
    pairs = [
        f"Acct-Status-Type = {status}",
        f'User-Name = "{device.account}"',
        f'Acct-Session-Id = "{session}"',
        *known,
        f'Calling-Station-Id = "{device.mac.replace(":", "-").upper()}"',
        f'Called-Station-Id = "{NAS_MAC}"',
        f"NAS-IP-Address = {NAS}",
        f'NAS-Identifier = "{device.switch}"',
        f"NAS-Port = {device.port.rpartition('/')[2]}",
        "NAS-Port-Type = Ethernet",
        f'NAS-Port-Id = "{device.port}"',
        *counted,
        *ended,
        f'Event-Timestamp = "{radius_stamp(at_us)}"',
        f'Acct-Unique-Session-Id = "{unique}"',
        f"Timestamp = {at_us // SECOND}",
    ]
    return [ctime(at_us), *(f"\t{pair}" for pair in pairs), ""]


def _station_lines(stay: Stay) -> list[tuple[int, str]]:
    mac, start, end = stay.device.mac, stay.start_us, stay.end_us
    radio = f"wlan{int(mac[-1], 16) % 2}"
    association = 1 + int(mac[-2:], 16) % 24
    station = f"info hostapd: {radio}: STA {mac}"
    lines = [
        (start - 2 * SECOND, f"{station} IEEE 802.11: authenticated"),
        (start - 2 * SECOND, f"{station} IEEE 802.11: associated (aid {association})"),
        (start - SECOND, f"notice hostapd: {radio}: AP-STA-CONNECTED {mac}"),
        (start - SECOND, f"{station} WPA: pairwise key handshake completed (RSN)"),
        (start - SECOND, f"notice hostapd: {radio}: EAPOL-4WAY-HS-COMPLETED {mac}"),
    ]
    rekeys = range(start // _GROUP_REKEY_US * _GROUP_REKEY_US + _GROUP_REKEY_US, end, _GROUP_REKEY_US)
    lines += [(at, f"{station} WPA: group key handshake completed (RSN)") for at in rekeys]
    if association % 3:  # most phones say goodbye; the others just go
        return [
            *lines,
            (end, f"notice hostapd: {radio}: AP-STA-DISCONNECTED {mac}"),
            (end, f"{station} IEEE 802.11: disassociated"),
        ]
    gone = end + _INACTIVE_US
    return [
        *lines,
        (gone, f"notice hostapd: {radio}: AP-STA-DISCONNECTED {mac}"),
        (gone, f"{station} IEEE 802.11: disassociated due to inactivity"),
        (gone + SECOND, f"{station} IEEE 802.11: deauthenticated due to inactivity (timer DEAUTH/REMOVE)"),
    ]
