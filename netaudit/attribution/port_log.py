"""Where stations were plugged in: sightings of their MAC on switch ports, uplinks left out."""

from __future__ import annotations

import numpy as np

from netaudit.attribution.columns import NONE, SECOND, Records, combine, dense
from netaudit.attribution.held import Held
from netaudit.attribution.intervals import Index, Pairs
from netaudit.attribution.packed import Codes, Packed
from netaudit.attribution.spans import Doubt, Spans

LEARNT_S = 300
"""A switch forgets a silent MAC after five minutes (IEEE 802.1D): an entry is as old as that at most."""
SEEN_HOLD_S = 1_200
"""A sighting counts for 20 minutes after, as one of an ARP table does."""
ACCESS_MACS = 3
"""A port that ever had more MACs than these at one moment is an uplink: a MAC is listed on every switch
of its path, and a desk has a computer, a telephone and a virtual machine."""


class PortLog:
    """The MAC tables of all switches, sorted once."""

    def __init__(self, records: Records, site: np.ndarray) -> None:
        """Build from records of the kind ``fdb`` and the site code of each row."""
        self._records = records
        mac, macs = records.codes("client_mac")
        switch, port = records.words("nas")[0], records.words("nas_port")[0]
        seen = records.nanos("ts")
        rows = np.flatnonzero((mac >= 0) & (port >= 0) & (seen != NONE))
        place = dense(combine(site[rows], switch[rows], port[rows]))
        kept = ~_is_uplink(place, seen[rows], mac[rows])[place]
        rows, place = rows[kept], place[kept]
        spans = Spans(
            seen[rows] - LEARNT_S * SECOND,
            seen[rows] + SEEN_HOLD_S * SECOND,
            np.full(len(rows), int(Doubt.NO_START | Doubt.NO_END), np.uint8),
            rows,
            rows,
        )
        self._macs = Codes(macs)
        self.held = Held(spans, place, site[rows], (records,), np.zeros(len(rows), np.int8), self._name)
        self._by_mac = Index(mac[rows], spans.start, spans.end)

    def __len__(self) -> int:
        """Number of sightings on access ports."""
        return len(self.held.holder)

    def around(self, macs: Packed, low: np.ndarray, high: np.ndarray) -> Pairs:
        """Sightings of each MAC in a time."""
        return self._by_mac.overlapping(self._macs.of(macs), low, high)

    def texts(self, spans: np.ndarray) -> np.ndarray:
        """``(n,)`` switch and port of some sightings; empty where the span is -1."""
        return np.array([self._name(int(span)) if span >= 0 else "" for span in spans], object)

    def details(self, span: int) -> dict[str, str]:
        """What a sighting says besides."""
        row = int(self.held.spans.first[span])
        vlan = self._records.value("vlan", row)
        return {
            "nas": self._records.text("nas", row),
            "nas_port": self._records.text("nas_port", row),
            "vlan": "" if vlan is None else str(vlan),
        }

    def _name(self, span: int) -> str:
        details = self.details(span)
        return " ".join(filter(None, (details["nas"], details["nas_port"])))


def _is_uplink(place: np.ndarray, seen: np.ndarray, mac: np.ndarray) -> np.ndarray:
    """By place, whether more than `ACCESS_MACS` stations were ever listed there in one print."""
    uplink = np.zeros(int(place.max(initial=-1)) + 1, bool)
    if not len(place):
        return uplink
    printed = dense(combine(place, dense(seen)))
    distinct = np.unique(np.stack([printed, mac]), axis=1)[0]
    crowded = np.flatnonzero(np.bincount(distinct) > ACCESS_MACS)
    uplink[np.unique(place[np.isin(printed, crowded)])] = True
    return uplink
