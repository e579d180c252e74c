"""Who held an inside address: leases, ARP tables and the access sessions that name one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from netaudit.attribution.access_log import AccessLog
from netaudit.attribution.columns import Records, codes_of, combine
from netaudit.attribution.held import Held
from netaudit.attribution.intervals import Index, Pairs, overlaps
from netaudit.attribution.packed import Codes, Packed
from netaudit.attribution.spans import Doubt, Spans, concat, end_at_next, lease_spans, seen_spans
from netaudit.attribution.words import roles
from netaudit.records.addresses import format_mac

SOURCES = ("dhcp", "arp", "radius", "wlan")


class AddressLog:
    """Spans of inside address and MAC from every source, sorted once."""

    def __init__(
        self,
        leases: Records,
        lease_site: np.ndarray,
        seen: Records,
        seen_site: np.ndarray,
        sessions: Sequence[AccessLog],
    ) -> None:
        """Build from leases, ARP records and access sessions, with the site of each row."""
        parts = [
            _part(lease_spans(leases, roles("dhcp", leases), lease_site), leases, lease_site),
            _part(seen_spans(seen, seen_site), seen, seen_site),
            *(_sessions(log) for log in sessions),
        ]
        records = (leases, seen, *(log.records for log in sessions))
        sizes = [len(part[0]) for part in parts]
        spans = concat([part[0] for part in parts])
        ip, ips = codes_of(pa.concat_arrays([part[1] for part in parts]))
        mac, macs = codes_of(pa.concat_arrays([part[2] for part in parts]))
        site = np.concatenate([part[3] for part in parts])
        source = np.repeat(np.arange(len(parts), dtype=np.int8), sizes)
        spans = end_at_next(spans, combine(ip, site), mac)
        self.ips, self.macs = Codes(ips), Codes(macs)
        self._ip = ip
        self.held = Held(spans, mac, site, records, source, self._name)
        self._by_ip = Index(ip, spans.start, spans.end)

    def around(self, addresses: Packed, low: np.ndarray, high: np.ndarray) -> Pairs:
        """Spans of each address in a time."""
        return self._by_ip.overlapping(self.ips.of(addresses), low, high)

    def knows(self, addresses: Packed) -> np.ndarray:
        """``(n,)`` bool: which any source ever names."""
        return self.ips.of(addresses) >= 0

    def macs_of(self, spans: np.ndarray) -> Packed:
        """MAC of each span; none where the span is -1."""
        if not len(self.held.holder):
            return Packed.none(len(spans))
        return self.macs.take(np.where(spans < 0, -1, self.held.holder[spans]))

    def is_lead(self, spans: np.ndarray) -> np.ndarray:
        """Which spans come of a lease store that does not tell when a lease began.

        They prove nothing about a time before their end: such a lease is shown and is no answer.
        """
        unbegun = (self.held.spans.doubt[spans] & Doubt.NO_START) != 0
        lead: np.ndarray = unbegun & (self.held.source[spans] == SOURCES.index("dhcp"))
        return lead

    def address_of(self, span: int) -> bytes:
        """Address of a span."""
        return self.ips.values.value(int(self._ip[span])) or b""

    def source(self, span: int) -> str:
        """Kind of record that a span comes from."""
        return SOURCES[int(self.held.source[span])]

    def hostname(self, span: int) -> str:
        """Host name that the lease names; empty where none."""
        records, row = self.held.record(span)
        return records.text("hostname", row) if self.source(span) == "dhcp" else ""

    def active(self, low: int, high: int) -> set[bytes]:
        """Addresses that somebody held in a time."""
        spans = self.held.spans
        reserved = spans.doubt == Doubt.NO_START | Doubt.NO_END  # an address kept free is not in use
        now = overlaps(spans.start, spans.end, low, high) & ~reserved
        found = self.ips.take(np.unique(self._ip[now]))
        return {found.value(row) or b"" for row in range(len(found))}

    def _name(self, span: int) -> str:
        return format_mac(self.macs.values.value(int(self.held.holder[span]), 6) or b"")


Part = tuple[Spans, pa.Array, pa.Array, np.ndarray]


def _part(spans: Spans, records: Records, site: np.ndarray) -> Part:
    ip, ips = records.codes("client_ip")
    mac, macs = records.codes("client_mac")
    row = spans.first
    return spans, ips.take(pa.array(ip[row])), macs.take(pa.array(mac[row])), site[row]


def _sessions(log: AccessLog) -> Part:
    rows = np.flatnonzero(log.mac[log.session] >= 0)
    owner = log.session[rows]
    return (
        log.address.take(rows),
        log.ips.take(pa.array(log.ip[rows])),
        log.macs.take(pa.array(log.mac[owner])),
        log.site[owner],
    )
