"""What the configuration says about addresses and wireless networks."""

from __future__ import annotations

from netaudit.config import Segment, Settings, Wireless
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
    "asset": ("inventory",),
}


class Plan:
    """The unit's networks, ready to be asked about one address at a time."""

    def __init__(self, settings: Settings) -> None:
        """Read the networks; texts that are no network are the configuration check's business."""
        self._settings = settings
        egress = [*settings.unit.egress, *(s.egress for s in settings.segment if s.egress)]
        self.egress = tuple(n for n in map(_network, egress) if n is not None)
        self._segments = sorted(
            (
                (network, network_range(network), segment)
                for segment in settings.segment
                for network in map(_network, segment.network)
                if network is not None
            ),
            key=lambda part: (-part[0].prefixlen - (96 if part[0].version == 4 else 0), part[2].id),
        )

    @property
    def networks(self) -> tuple[Network, ...]:
        """Networks of all segments."""
        return tuple(network for network, _, _ in self._segments)

    def ours(self, public: bytes) -> bool:
        """Whether a public address is the unit's; yes where the configuration names none."""
        known = (*self.egress, *self.networks)
        return not self.egress or any(in_network(public, network) for network in known)

    def has(self, address: bytes) -> bool:
        """Whether an address is in a segment of any site, or is one that the unit leaves by."""
        return any(in_network(address, network) for network in (*self.networks, *self.egress))

    def segment(self, address: bytes, site: str) -> Segment | None:
        """The segment with the longest prefix; of that site, where one is known."""
        for _, (low, high), segment in self._segments:
            if low <= address <= high and (not site or segment.site in {"", site}):
                return segment
        return None

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


def is_private(address: bytes) -> bool:
    """Whether an address is of a range that never appears on the internet."""
    return any(in_network(address, network) for network in _BEHIND)


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
