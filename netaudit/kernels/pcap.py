"""Walking classic pcap: all byte orders and resolutions, past damage.

The hop from record to record is serial; everything else is done for all records at once. A record
is believed if its own header is plausible or if the header after it is; else the walk goes on at
the next offset from which two headers in a row are plausible.
"""

from __future__ import annotations

import struct

import numpy as np

from netaudit.kernels.capture import MAX_PACKET, PCAP_MAGICS, Packets, Walked, concatenate, no_packets
from netaudit.kernels.window import Bools, Ints, Window

FILE_HEADER = 24
_WEEK_S = 7 * 86_400
_SCAN = 1 << 20
_MOST_ON_WIRE = 1 << 24  # some writers leave nonsense, but not at random, in this field
_LEAST_HOPS, _MOST_HOPS = 16, 8192


class PcapWalker:
    """State of one pcap file between pieces."""

    format = "pcap"

    def __init__(self, header: bytes) -> None:
        """Read the file header (24 octets, of which the magic is known to be one)."""
        self._order, self._tick_ns, self._record = PCAP_MAGICS[header[:4]]
        snaplen, network = struct.unpack(self._order + "II", header[16:24])
        self._link_type = network & 0xFFFF  # the upper half holds FCS length and reserved bits
        self._snaplen = snaplen if 0 < snaplen <= MAX_PACKET else MAX_PACKET
        self._last_s = -1
        self._per_s = 10**9 // self._tick_ns

    def walk(self, window: Window, *, final: bool) -> Walked:
        """Index the whole records of `window`."""
        parts, at, damaged, gaps = [no_packets()], 0, 0, 0
        hops, candidates = _LEAST_HOPS, None
        while True:
            offsets, stop, oversize = self._hop(window, at, hops)
            trusted = self._trusted(window, offsets, stop, final=final)
            doubtful = np.flatnonzero(~trusted)
            if doubtful.size:
                stop, oversize = int(offsets[doubtful[0]]), True
                offsets = offsets[: doubtful[0]]
            parts.append(self._packets(window, offsets))
            at = stop
            if final and len(offsets) < hops and at + self._record <= len(window.data):
                oversize |= not self._plausible(window, np.array([at]))[0]
            if not oversize:
                if len(offsets) < hops:
                    break
                hops = min(hops * 2, _MOST_HOPS)
                continue
            hops = _LEAST_HOPS
            if candidates is None:
                candidates = self._candidates(window, final=final)
            at = self._resume(window, candidates, stop, final=final)
            damaged += at - stop
            gaps += 1
        return Walked(concatenate(parts), at, damaged, gaps)

    def _hop(self, window: Window, at: int, most: int) -> tuple[Ints, int, bool]:
        """Offsets of up to `most` whole records; where the walk stands; whether a length is absurd."""
        data, size, record = window.data, len(window.data), self._record
        length_at = struct.Struct(self._order + "I").unpack_from
        offsets: list[int] = []
        last = size - record
        for _ in range(most):
            if at > last:
                break
            (caplen,) = length_at(data, at + 8)
            stop = at + record + caplen
            if stop > size or caplen > MAX_PACKET:
                return np.array(offsets, np.int64), at, caplen > MAX_PACKET
            offsets.append(at)
            at = stop
        return np.array(offsets, np.int64), at, False

    def _trusted(self, window: Window, offsets: Ints, stop: int, *, final: bool) -> Bools:
        """Whether each record's own header is plausible, or the length after it is possible."""
        plausible = self._plausible(window, offsets)
        if plausible.all():
            return plausible
        following = np.append(offsets[1:], stop)
        whole = following + self._record <= len(window.data)
        vouched = ~whole & (not final)  # the next header is not here yet
        vouched |= final & (following == len(window.data))
        after = following[whole]
        vouched[whole] = (window.u32(after + 8, self._order) <= MAX_PACKET) & (
            window.u32(after + 12, self._order) <= _MOST_ON_WIRE
        )
        return plausible | vouched

    def _plausible(self, window: Window, at: Ints) -> Bools:
        """Whether a sane record header stands at each offset (16 octets are there)."""
        fraction, caplen, wirelen = (window.u32(at + k, self._order) for k in (4, 8, 12))
        fits = (caplen <= self._snaplen) & (caplen <= wirelen) & (wirelen <= MAX_PACKET)
        return fits & (fraction < self._per_s)

    def _near(self, second: Ints) -> Bools:
        """Whether a time fits the last good record's; only a search is this strict."""
        if self._last_s < 0:
            return np.ones(len(second), np.bool_)
        return np.abs(second - self._last_s) <= _WEEK_S

    def _candidates(self, window: Window, *, final: bool) -> Ints:
        """Every offset of the window where two plausible headers in a row begin."""
        size, record = len(window.data), self._record
        found = [np.zeros(0, np.int64)]
        for start in range(0, max(size - record + 1, 0), _SCAN):
            at = np.arange(start, min(start + _SCAN, size - record + 1))
            at = at[self._plausible(window, at)]
            at = at[self._near(window.u32(at, self._order))]
            following = at + record + window.u32(at + 8, self._order)
            inside = following + record <= size
            good = ~inside & (not final) & (following <= size + MAX_PACKET)
            good |= final & (following == size)
            good[inside] = self._plausible(window, following[inside])
            found.append(at[good])
        return np.concatenate(found)

    def _resume(self, window: Window, candidates: Ints, lost: int, *, final: bool) -> int:
        index = int(np.searchsorted(candidates, lost + 1))
        if index < len(candidates):
            return int(candidates[index])
        size = len(window.data)
        return size if final else max(lost + 1, size - self._record + 1)

    def _packets(self, window: Window, offsets: Ints) -> Packets:
        count = len(offsets)
        second, fraction, caplen, wirelen = (window.u32(offsets + k, self._order) for k in (0, 4, 8, 12))
        if count:
            self._last_s = int(second[-1])
        return Packets(
            offsets + self._record,
            caplen,
            wirelen,
            second * 10**9 + fraction * self._tick_ns,
            np.ones(count, np.bool_),
            np.full(count, self._link_type),
        )
