"""RADIUS identifiers of stations and access points, as NASes of every make spell them."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from netaudit.records.addresses import format_mac, mac_column, parse_mac
from netaudit.sources.formats._values import words

_CALLED = re.compile(
    r"(?P<mac>[0-9a-f]{2}(?:[-:.]?[0-9a-f]{2}){5}|[0-9a-f]{4}([.-])[0-9a-f]{4}\2[0-9a-f]{4})(?::(?P<ssid>.*))?\Z",
    re.IGNORECASE | re.DOTALL,
)


def called_station(called: pa.Array, port_type: pa.Array) -> dict[str, pa.Array]:
    """``Called-Station-Id`` (RFC 3580 section 3.20) as `bssid`, `ssid` and `ap_name`.

    ``AP-MAC:SSID`` in any spelling, the MAC alone, or ``AP-NAME:SSID``. On a wired port (by
    ``NAS-Port-Type``) the MAC is the switch's and no access point is named.
    """
    wired = pc.fill_null(pc.match_substring_regex(port_type, "(?i)^ethernet"), False)
    text = pc.if_else(wired, None, called)
    return {
        "bssid": mac_column(words(text, _bssid)),
        "ssid": words(text, _ssid),
        "ap_name": words(text, _ap_name),
    }


def _bssid(text: str) -> str | None:
    found = _CALLED.match(text)
    mac = parse_mac(found["mac"]) if found else None
    return format_mac(mac) if mac else None


def _ssid(text: str) -> str | None:
    found = _CALLED.match(text)
    return (found["ssid"] if found else text.partition(":")[2]) or None


def _ap_name(text: str) -> str | None:
    return None if _CALLED.match(text) or ":" not in text else text.partition(":")[0]
