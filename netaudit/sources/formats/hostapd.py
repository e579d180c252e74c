"""hostapd's messages in a system log (OpenWrt's ``logread``, and any access point with syslog).

A line names the interface and the station, and neither SSID nor access point: these come from the
source's options, per interface (``ssid.wlan1``) or per sending host and interface
(``ssid.ap-3f/wlan1``); so do ``ap.`` and ``bssid.``. The router's own DHCP acknowledgements stand
in the same log and are read as such.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.carrier import Peeled, peel, peel_text, read_stamps
from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Rows, Sample, extract
from netaudit.intake.times import Context
from netaudit.records.addresses import by_distinct, ip_column, mac_column, parse_mac
from netaudit.records.schemas import MAC
from netaudit.sources.formats._outcome import refused
from netaudit.sources.formats._values import among_others, mask

_MAC = r"[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5}"
_STATION = (
    rf"^(?P<port>[A-Za-z][A-Za-z0-9._-]*): (?:AP-STA-(?P<changed>CONNECTED|DISCONNECTED) (?P<changed_mac>{_MAC})\b"
    rf"|STA (?P<mac>{_MAC}) (?:IEEE 802\.11: (?P<state>associated|disassociated|deauthenticated)\b"
    r"|IEEE 802\.1X: STA identity '(?P<account>.*)'|RADIUS: (?P<accounting>starting|stopped) accounting session "
    r"(?P<session>[0-9A-Fa-f-]+)))"
)
_LEASE = rf"^DHCPACK\((?P<port>[^()\s]+)\) (?P<ip>[0-9.]+) (?P<mac>{_MAC})(?: (?P<name>\S+))?$"
_OWN = re.compile(rf"[A-Za-z][A-Za-z0-9._-]*: (?:AP-STA-[A-Z-]+ {_MAC}|STA {_MAC} [A-Z])")
_FACILITY = r"^(?:kern|user|mail|daemon|auth|authpriv|syslog|cron|local\d)\.[a-z]+$"
"""logread writes facility and level where other logs have the sending host."""


def _open(context: Context) -> Parse:
    lookups = {prefix: _lookup(context.options, prefix) for prefix in ("ssid", "ap", "bssid")}

    def parse(chunk: Chunk) -> Parsed:
        peeled = peel(chunk.lines)
        stations, leases = _stations(peeled, context, lookups), _leases(peeled, context)
        read = np.concatenate((stations.line, leases.line))
        begun = mask(
            pc.match_substring_regex(peeled.rest, r"^[A-Za-z][A-Za-z0-9._-]*: AP-STA-(?:DIS)?CONNECTED\b")
        )
        torn = np.setdiff1d(np.flatnonzero(begun), read)
        return Parsed(
            [rows for rows in (stations, leases) if len(rows.line)],
            refused({"A station's address is cut off or none.": torn}),
            len(chunk.lines) - len(read) - len(torn),
        )

    return parse


def _stations(peeled: Peeled, context: Context, lookups: dict[str, Callable[[str], str | None]]) -> Rows:
    index, got = extract(peeled.rest, _STATION)
    here = pa.array(index)
    host = peeled.host.take(here)
    host = pc.if_else(pc.match_substring_regex(host, _FACILITY), None, host)
    place = pc.binary_join_element_wise(pc.fill_null(host, ""), got["port"], "/")
    accounting = pc.if_else(pc.equal(got["accounting"], "starting"), "start", "stop")
    identity = pc.if_else(pc.is_valid(got["account"]), "identity", None)
    columns = {
        "ts": read_stamps(peeled.stamp.take(here), context),
        "client_mac": mac_column(pc.coalesce(got["changed_mac"], got["mac"])),
        "message": pc.coalesce(
            pc.ascii_lower(got["changed"]),
            got["state"],
            identity,
            pc.if_else(pc.is_valid(got["accounting"]), accounting, None),
        ),
        "account": got["account"],
        "session": got["session"],
        "ssid": by_distinct(place, lookups["ssid"], pa.string()),
        "ap_name": by_distinct(place, lookups["ap"], pa.string()),
        "bssid": by_distinct(place, lambda text: parse_mac(lookups["bssid"](text) or ""), MAC),
        "nas": host,
        "nas_port": got["port"],
    }
    good = pc.and_(pc.is_valid(columns["client_mac"]), pc.is_valid(columns["message"]))
    return Rows("wlan", {n: c.filter(good) for n, c in columns.items()}, index[mask(good)])


def _leases(peeled: Peeled, context: Context) -> Rows:
    index, got = extract(peeled.rest, _LEASE)
    columns = {
        "ts": read_stamps(peeled.stamp.take(pa.array(index)), context),
        "message": pa.array(["ack"] * len(index), pa.string()),
        "client_ip": ip_column(got["ip"]),
        "client_mac": mac_column(got["mac"]),
        "hostname": got["name"],
    }
    return Rows("dhcp", columns, index)


def _lookup(options: dict[str, str], prefix: str) -> Callable[[str], str | None]:
    """What the source's options say about ``HOST/INTERFACE``; the exact one before the interface's."""

    def find(place: str) -> str | None:
        interface = place.rpartition("/")[2]
        return options.get(f"{prefix}.{place}") or options.get(f"{prefix}.{interface}")

    return find


FORMAT = LogFormat(
    title="hostapd in a system log (OpenWrt and other access points)",
    kinds=("wlan", "dhcp"),
    reference="https://w1.fi/hostapd/",
    sniff=lambda lines: among_others(peel_text(lines), _OWN.match),
    open=_open,
    samples=(
        Sample(
            "Thu Aug 17 22:58:44 2023 daemon.info hostapd: wlan1: STA 2a:85:8f:00:00:e3 IEEE 802.11: associated (aid 7)",
            (
                {
                    "kind": "wlan",
                    "ts": "2023-08-17T14:58:44.000000000Z",
                    "message": "associated",
                    "client_mac": "2a:85:8f:00:00:e3",
                    "nas_port": "wlan1",
                    "nas": None,
                    "ssid": None,
                },
            ),
            timezone="Asia/Shanghai",
        ),
        Sample(
            "2023-08-17T22:58:45+08:00 ap-3f hostapd[1311]: phy0-ap0: AP-STA-CONNECTED 2a:85:8f:00:00:e3 auth_alg=ft\n"
            "2023-08-17T22:59:45+08:00 ap-3f hostapd[1311]: phy0-ap0: STA 2a:85:8f:00:00:e3 IEEE 802.11: "
            "disassociated due to inactivity",
            (
                {
                    "kind": "wlan",
                    "ts": "2023-08-17T14:58:45.000000000Z",
                    "message": "connected",
                    "nas": "ap-3f",
                    "nas_port": "phy0-ap0",
                },
                {"kind": "wlan", "message": "disassociated"},
            ),
        ),
        Sample(
            "2023-08-17T22:58:45+08:00 ap-3f hostapd[1311]: wlan0: STA 2a:85:8f:00:00:e3 IEEE 802.1X: STA identity 'lisi'\n"
            "2023-08-17T22:58:45+08:00 ap-3f hostapd[1311]: wlan0: STA 2a:85:8f:00:00:e3 RADIUS: starting accounting "
            "session 5F3A0001-00000002",
            (
                {"kind": "wlan", "message": "identity", "account": "lisi"},
                {"kind": "wlan", "message": "start", "session": "5F3A0001-00000002"},
            ),
            note="with 802.1X",
        ),
        Sample(
            "Thu Aug 17 22:58:45 2023 daemon.notice hostapd: wlan1: EAPOL-4WAY-HS-COMPLETED 2a:85:8f:00:00:e3",
            note="no event of its own",
        ),
        Sample(
            "Thu Aug 17 22:58:45 2023 daemon.notice hostapd: wlan1: AP-STA-CONNECTED 2a:85:8f:0",
            note="cut off",
        ),
    ),
)
