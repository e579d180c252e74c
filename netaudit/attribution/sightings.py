"""Sightings of an address at a MAC (ARP), reduced while they stream by to what spans are made of.

A capture has one for each packet of ARP, mostly saying again what was said a moment before. A
sighting counts for `ARP_HOLD_S`; so of one address and MAC within a stretch of that length, the
first and the last make the same span as all of them, with the same records at its ends.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa

from netaudit.attribution.columns import NONE, SECOND, Records, combine
from netaudit.attribution.spans import ARP_HOLD_S
from netaudit.records.schemas import concat

LIMIT = 500_000
"""Rows that are kept; what would need more is forgotten and counted."""


class Sightings:
    """Add every batch of the kind ``arp``, then take `table`."""

    def __init__(self) -> None:
        """Start with nothing seen."""
        self._kept = concat("arp", [])
        self._waiting: list[pa.RecordBatch] = []
        self._rows = 0
        self.lost: Counter[str] = Counter()
        """By file, how many found no room."""

    def add(self, batch: pa.RecordBatch) -> None:
        """Add a batch; its order is that of reading."""
        chosen = batch.take(pa.array(telling(pa.table(batch))))
        self._waiting.append(chosen)
        self._rows += chosen.num_rows
        if self._rows > LIMIT // 2:
            self._merge()

    def table(self) -> pa.Table:
        """What was kept, in the order of reading."""
        self._merge()
        return self._kept

    def _merge(self) -> None:
        whole = concat("arp", [*self._kept.to_batches(), *self._waiting])
        whole = whole.take(pa.array(telling(whole)))
        for found in whole.slice(LIMIT).column("file").cast(pa.string()).value_counts().to_pylist():
            self.lost[found["values"]] += found["counts"]
        self._kept = whole.slice(0, LIMIT)
        self._waiting, self._rows = [], 0


def telling(sightings: pa.Table) -> np.ndarray:
    """Rows, rising, without which the spans of `sightings` would be others.

    Args:
        sightings: Of the kind ``arp``.
    """
    records = Records(sightings.select(["client_ip", "client_mac", "site", "ts"]))
    ip, mac, site = (records.groups(name) for name in ("client_ip", "client_mac", "site"))
    when = records.nanos("ts")
    rows = np.flatnonzero((ip >= 0) & (mac >= 0) & (when != NONE))
    if not rows.size:
        return rows
    when = when[rows]
    stretch = when // (ARP_HOLD_S * SECOND)
    group = combine(ip[rows], mac[rows], site[rows], stretch - stretch.min())
    order = np.lexsort((when, group))
    changes = np.diff(group[order]) != 0
    keep = np.zeros(sightings.num_rows, np.bool_)
    keep[rows[order[np.append([True], changes)]]] = True
    keep[rows[order[np.append(changes, [True])]]] = True
    return np.flatnonzero(keep)
