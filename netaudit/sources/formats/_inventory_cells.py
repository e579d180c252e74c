"""Cells of inventories that people typed: several addresses in one, ranges, networks, dates."""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
import unicodedata
from functools import lru_cache

from netaudit.records.addresses import V4_PREFIX, in_network, parse_ip, parse_mac, parse_network

_SPLIT = re.compile(r"[\s,;、|]+|/(?=[0-9a-fA-F]*[.:])")
_DASH = re.compile(r"(?<=[\d.])\s*(?:[-~–—]+|至|到)\s*(?=\d)")
_RANGE = re.compile(r"(?P<low>\d{1,3}(?:\.\d{1,3}){3})-(?P<high>\d{1,3}(?:\.\d{1,3}){3}|\d{1,3})\Z")
_MOST = 256
"""Addresses of one range, and of one cell."""
_LONGEST = 4_096
"""Characters of a cell of addresses: what is longer is none."""
_NETWORK = re.compile(r"(?<![\d.])(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F:]*::)/\d{1,3}(?!\d)")
_VLAN = re.compile(r"vlan(?:\s?id)?\s?[:=]?\s?(?P<number>\d{1,4})\b", re.IGNORECASE)
_MACS = re.compile(
    r"(?<![0-9a-f:.-])(?:[0-9a-f]{1,2}(?P<a>[:-])(?:[0-9a-f]{1,2}(?P=a)){4}[0-9a-f]{1,2}"
    r"|[0-9a-f]{4}(?P<b>[.-])[0-9a-f]{4}(?P=b)[0-9a-f]{4}|[0-9a-f]{6}-[0-9a-f]{6}|[0-9a-f]{12})(?![0-9a-f]|[:.-][0-9a-f])",
    re.IGNORECASE,
)
_SERIAL = re.compile(r"(?P<days>[2-7]\d{4})(?:\.\d+)?\Z")
"""Days since the epoch of a spreadsheet: 1954 to 2119."""
DATE_SYSTEMS = {"1900": dt.date(1899, 12, 30), "1904": dt.date(1904, 1, 1)}
"""Day 0 of each (the first one counts a 29 February 1900 that never was)."""


@lru_cache(1024)
def addresses(cell: str) -> tuple[bytes, ...] | None:
    """The addresses in a cell, ranges of up to 256 written out; None where something in it is none.

    A length behind an address is dropped (``10.1.2.7/24``); a whole network is no address.
    """
    text = _DASH.sub("-", unicodedata.normalize("NFKC", cell[:_LONGEST]))
    found = [_address(part) for part in _SPLIT.split(text) if part]
    good = tuple(dict.fromkeys(ip for some in found for ip in some))
    if len(cell) > _LONGEST or len(good) > _MOST:
        return None
    return good if all(found) else (good or None)


def _address(part: str) -> list[bytes]:
    span = _RANGE.match(part)
    if span:
        return _span(span["low"], span["high"])
    if network(part):
        return []
    one = parse_ip(re.sub(r"/\d{1,3}$", "", part))
    return [one] if one else []


def _span(low: str, high: str) -> list[bytes]:
    """Every address from one to another of the same network; none where that is no range."""
    begin = parse_ip(low)
    end = parse_ip(high if "." in high else f"{low.rpartition('.')[0]}.{high}")
    if begin is None or end is None:
        return []
    first, last = (int.from_bytes(ip[-4:]) for ip in (begin, end))
    if not 0 <= last - first < _MOST:
        return []
    return [V4_PREFIX + number.to_bytes(4) for number in range(first, last + 1)]


def network(text: str) -> str | None:
    """The network that a text names with its host bits clear (``10.1.2.0/24``), or None."""
    found = _NETWORK.search(text)
    try:
        named = ipaddress.ip_network(found[0]) if found else None
    except ValueError:
        return None
    return str(named) if named and named.num_addresses > 1 else None


def section(text: str) -> dict[str, str]:
    """What a line above a block of addresses says of them: ``10.1.2.0/24 - Office (vlan: 20)``."""
    plain = unicodedata.normalize("NFKC", text)
    named, vlan = network(plain), _VLAN.search(plain)
    return {"segment": named, **({"vlan": vlan["number"]} if vlan else {})} if named else {}


@lru_cache(4096)
def within(address: bytes, segment: str) -> bool:
    """Whether an address lies in a network as `network` gives it."""
    return in_network(address, parse_network(segment))


@lru_cache(1024)
def stations(cell: str) -> tuple[bytes, ...] | None:
    """The hardware addresses in a cell; None where there is none."""
    text = unicodedata.normalize("NFKC", cell[:_LONGEST])
    good = tuple(mac for found in _MACS.finditer(text) if (mac := parse_mac(found[0])))
    return good or None


def serial_date(cell: str, day_zero: dt.date) -> str | None:
    """The date behind a spreadsheet's serial number, ISO; None where the cell is none."""
    found = _SERIAL.match(cell)
    return (day_zero + dt.timedelta(days=int(found["days"]))).isoformat() if found else None
