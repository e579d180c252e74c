"""Who held an inside address: leases, ARP tables and the access sessions that name one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from netaudit.attribution.access_log import AccessLog
from netaudit.attribution.columns import Records, codes_of, combine
from netaudit.attribution.held import Held
from netaudit.attribution.intervals import Index, overlaps
from netaudit.attribution.spans import Doubt, Spans, concat, end_at_next, lease_spans, seen_spans
from netaudit.attribution.words import roles
from netaudit.records.addresses import format_mac
from netaudit.records.schemas import IP, MAC

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
        ip, ips = _encode(pa.concat_arrays([part[1] for part in parts]))
        mac, macs = _encode(pa.concat_arrays([part[2] for part in parts]))
        site = np.concatenate([part[3] for part in parts])
        source = np.repeat(np.arange(len(parts)), sizes)
        spans = end_at_next(spans, combine(ip, site), mac)
        self.ips, self.macs = ips, macs
        self._ip, self._ips = ip, codes_of(ips)
        self.held = Held(spans, mac, site, records, source, self._name)
        self._by_ip = Index(ip, spans.start, spans.end)

    def around(self, address: bytes, low: int, high: int) -> np.ndarray:
        """Spans of an address in a time."""
        return self._by_ip.overlapping(self._ips.get(address, -2), low, high)

    def knows(self, address: bytes) -> bool:
        """Whether any source ever names `address`."""
        return address in self._ips

    def mac(self, span: int) -> bytes:
        """MAC of a span."""
        packed: bytes = self.macs[int(self.held.holder[span])].as_py()
        return packed

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
        return {self.ips[int(code)].as_py() for code in np.unique(self._ip[now])}

    def _name(self, span: int) -> str:
        return format_mac(self.mac(span))


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


def _encode(values: pa.Array) -> tuple[np.ndarray, pa.Array]:
    """Codes in the order of the values."""
    ordered = np.array(sorted(set(values.to_pylist())), object)
    distinct = pa.array(list(ordered), IP if values.type == IP else MAC)
    place = codes_of(distinct)
    coded = values.dictionary_encode()
    rank = np.array([place[v] for v in coded.dictionary.to_pylist()], np.int64)
    return rank[coded.indices.to_numpy(zero_copy_only=False)], distinct
