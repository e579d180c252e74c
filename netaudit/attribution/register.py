"""The asset register: which asset a MAC or an address belonged to at a time."""

from __future__ import annotations

import numpy as np

from netaudit.attribution.columns import FAR, NONE, Records, combine
from netaudit.attribution.held import Held
from netaudit.attribution.intervals import Index, Pairs
from netaudit.attribution.packed import Codes, Packed
from netaudit.attribution.spans import Spans
from netaudit.records.addresses import format_ip, format_mac

DETAILS = ("department", "hostname", "location", "model", "owner", "segment", "switch", "switch_port")


class Register:
    """All rows of the inventories, sorted once. A row without dates counts as valid throughout."""

    def __init__(self, records: Records, site: np.ndarray) -> None:
        """Build from records of the kind ``asset`` and the site code of each row."""
        self.records = records
        start, end = records.nanos("ts"), records.nanos("ts_end")
        start = np.where(start == NONE, -FAR, start)
        end = np.where(end == NONE, FAR, end)
        row = np.arange(records.count)
        spans = Spans(start, np.maximum(start, end), np.zeros(records.count, np.uint8), row, row)
        ip, ips = records.codes("ip")
        mac, macs = records.codes("mac")
        asset, _ = records.words("asset")
        host, _ = records.words("hostname")
        named = np.where(asset >= 0, -1, host)
        bare = (asset < 0) & (host < 0)
        who = combine(
            asset,
            named,
            np.where(bare, mac, -1),
            np.where(bare & (mac < 0), ip, -1),
            records.words("owner")[0],
            records.words("department")[0],
        )
        self.held = Held(spans, who, site, (records,), np.zeros(records.count, np.int8), self._name)
        self._macs, self._ips = Codes(macs), Codes(ips)
        self._texts: dict[str, np.ndarray] = {}
        self._has_mac = mac >= 0
        self._by_mac = Index(mac, spans.start, spans.end)
        self._by_ip = Index(ip, spans.start, spans.end)

    def by_mac(self, macs: Packed, low: np.ndarray, high: np.ndarray) -> Pairs:
        """Rows that name each MAC, valid in a time."""
        return self._by_mac.overlapping(self._macs.of(macs), low, high)

    def by_ip(self, addresses: Packed, low: np.ndarray, high: np.ndarray) -> Pairs:
        """Rows that name each address, valid in a time."""
        return self._by_ip.overlapping(self._ips.of(addresses), low, high)

    def names_mac(self, rows: np.ndarray) -> np.ndarray:
        """``(n,)`` bool: which rows name a MAC."""
        named: np.ndarray = self._has_mac[rows]
        return named

    def knows(self, addresses: Packed) -> np.ndarray:
        """``(n,)`` bool: which any row ever names."""
        return self._ips.of(addresses) >= 0

    def texts(self, name: str, rows: np.ndarray) -> np.ndarray:
        """``(n,)`` cells as text, empty for null and where the row is -1."""
        if name not in self._texts:
            self._texts[name] = self.records.texts(name)
        found: np.ndarray = self._texts[name][rows]
        return found

    def detail(self, row: int, name: str) -> str:
        """A cell as text, empty for null."""
        return self.records.text(name, row)

    def _name(self, span: int) -> str:
        records = self.records
        named = records.text("asset", span) or records.text("hostname", span)
        mac, ip = records.value("mac", span), records.value("ip", span)
        if named:
            return named
        if isinstance(mac, bytes):
            return format_mac(mac)
        return format_ip(ip) if isinstance(ip, bytes) else ""
