"""What the configuration says about addresses and wireless networks, asked by columns."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from netaudit.attribution.packed import Packed
from netaudit.config import Settings, Wireless
from netaudit.records.addresses import (
    Network,
    format_ip,
    in_network,
    network_range,
    parse_mac,
    parse_network,
)

SHARED_AUTH = frozenset({"open", "wep", "psk", "sae"})
"""Ways into a wireless network that tell nobody apart."""
_BEHIND = tuple(
    parse_network(text)
    for text in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "169.254.0.0/16",
        "fc00::/7",
        "fe80::/10",
    )
)
"""RFC 1918, RFC 6598 (carrier-grade NAT), RFC 4193, and link-local (RFC 3927, RFC 4291): never
seen on the internet."""
_ROLES = {
    "nat": ("nat",),
    "dhcp": ("dhcp",),
    "arp": ("dhcp", "access"),
    "radius": ("access",),
    "wlan": ("access",),
    "fdb": ("access",),
    "asset": ("inventory",),
}


class Plan:
    """The unit's networks, ready to be asked about one address at a time."""

    def __init__(self, settings: Settings) -> None:
        """Read the networks; texts that are no network are the configuration check's business."""
        self._settings = settings
        egress = [*settings.unit.egress, *(s.egress for s in settings.segment if s.egress)]
        self.egress = tuple(n for n in map(_network, egress) if n is not None)
        self.segments = settings.segment
        parts = sorted(
            (
                (network, number)
                for number, segment in enumerate(settings.segment)
                for network in map(_network, segment.network)
                if network is not None
            ),
            key=lambda part: (
                -part[0].prefixlen - (96 if part[0].version == 4 else 0),
                settings.segment[part[1]].id,
            ),
        )
        self.networks: tuple[Network, ...] = tuple(network for network, _ in parts)
        """Networks of all segments, the longest prefix first."""
        self._owner = tuple(number for _, number in parts)

    def ours(self, public: Packed) -> np.ndarray:
        """``(n,)`` bool: which public addresses are the unit's; all where the configuration names none."""
        if not self.egress:
            return np.ones(len(public), bool)
        return _in_any(public, (*self.egress, *self.networks))

    def has(self, addresses: Packed) -> np.ndarray:
        """``(n,)`` bool: which are in a segment of any site, or are ones that the unit leaves by."""
        return _in_any(addresses, (*self.networks, *self.egress))

    def segment_of(self, addresses: Packed, sites: np.ndarray) -> np.ndarray:
        """``(n,)`` int64: the segment with the longest prefix, of the site where one is known; -1 = none.

        Args:
            addresses: ``(n,)``.
            sites: ``(n,)`` names of sites, empty where not known.
        """
        found = np.full(len(addresses), -1)
        for network, owner in zip(self.networks, self._owner, strict=True):
            site = self.segments[owner].site
            here = (found < 0) & addresses.between(*network_range(network))
            if site:
                here &= (sites == "") | (sites == site)
            found[here] = owner
        return found

    def behind(self, public: bytes) -> tuple[str, ...]:
        """Ids of the segments that are declared to leave by a public address."""
        return tuple(
            s.id
            for s in self._settings.segment
            if (network := _network(s.egress)) is not None and in_network(public, network)
        )

    def wireless(self, ssid: str) -> Wireless | None:
        """A wireless network by its SSID."""
        return next((w for w in self._settings.wireless if w.ssid == ssid), None)

    def wireless_at(self, bssid: str) -> Wireless | None:
        """The wireless network that a BSSID (as text) is declared for."""
        mac = parse_mac(bssid)
        for wireless in self._settings.wireless:
            if mac is not None and mac in map(parse_mac, wireless.bssids):
                return wireless
        return None

    def wireless_on(self, segment: str) -> Wireless | None:
        """The wireless network of a segment, where there is exactly one."""
        found = [w for w in self._settings.wireless if w.segment == segment]
        return found[0] if len(found) == 1 else None

    def retention_days(self, kind: str, site: str, segment: str = "") -> int | None:
        """How long a kind of log is kept; the longest of its sources, None = unknown."""
        roles = _ROLES[kind]
        days = [
            source.retention_days
            for source in self._settings.source
            if source.role in roles
            and (not site or source.site in {"", site})
            and (not segment or not source.segments or segment in source.segments)
        ]
        known = [d for d in days if d is not None]
        return max(known) if known and len(known) == len(days) else None


def shares_key(wireless: Wireless) -> bool:
    """Whether who comes in through this network cannot be told apart by how."""
    return wireless.auth in SHARED_AUTH and not wireless.per_user_auth


def is_private(addresses: Packed) -> np.ndarray:
    """``(n,)`` bool: which are of a range that never appears on the internet."""
    return _in_any(addresses, _BEHIND)


def _in_any(addresses: Packed, networks: Iterable[Network]) -> np.ndarray:
    inside = np.zeros(len(addresses), bool)
    for network in networks:
        inside |= addresses.between(*network_range(network))
    return inside


def _network(text: str) -> Network | None:
    try:
        return parse_network(text)
    except ValueError:
        return None


def label(address: bytes, port: int | None) -> str:
    """An address and port as text."""
    text = format_ip(address)
    if port is None:
        return text
    return f"[{text}]:{port}" if ":" in text else f"{text}:{port}"
