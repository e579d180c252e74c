"""Walking pcapng: sections of either byte order, interfaces of their own kind and clock.

Format: https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng. Packets are indexed for all
blocks of a run at once; only sections and interfaces are read one at a time.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

import numpy as np

from netaudit.kernels.capture import MAX_PACKET, Packets, Walked, concatenate, no_packets
from netaudit.kernels.window import Bools, Ints, Window

SECTION, INTERFACE, OLD_PACKET, SIMPLE, ENHANCED = 0x0A0D0D0A, 1, 2, 3, 6
_KNOWN = (1, 2, 3, 4, 5, 6, 9, 10, SECTION)
MAX_BLOCK = 4 << 20
"""Octets of one block; larger ones hold nothing that is read here and are damage."""
MAX_INTERFACES = 65_536
_SCAN = 1 << 20
_LAST_S = 2**63 // 10**9 - 1


class Interface(NamedTuple):
    """What an interface description says."""

    link_type: int
    snaplen: int
    tick: int
    """The if_tsresol octet, or -1 where it is impossible."""
    offset_s: int


class PcapngWalker:
    """State of one pcapng file between pieces."""

    format = "pcapng"

    def __init__(self) -> None:
        """Begin before the first section."""
        self._order = "<"
        self._interfaces: list[Interface] = []

    def walk(self, window: Window, *, final: bool) -> Walked:
        """Index the whole blocks of `window`."""
        parts, at, damaged, gaps = [no_packets()], 0, 0, 0
        run: list[tuple[int, int]] = []  # offset and type of packet blocks under one set of interfaces
        data, size = window.data, len(window.data)
        candidates = None
        while at + 12 <= size:
            order = self._section_order(data, at)
            type_, length = struct.unpack_from(order + "II", data, at)
            if 12 <= length <= MAX_BLOCK and length % 4 == 0:
                if at + length > size:
                    break
                if self._ends_well(data, at, length, order, final=final):
                    if type_ in (SECTION, INTERFACE):
                        parts.append(self._packets(window, run))
                        run = []
                        self._describe(data, at, length, type_, order)
                    elif type_ in (ENHANCED, SIMPLE, OLD_PACKET):
                        run.append((at, type_))
                    at += length
                    continue
            if candidates is None:
                candidates = self._candidates(window, final=final)
            index = int(np.searchsorted(candidates, at + 12))
            resumed = size if final else max(at + 12, size - 11)
            resumed = int(candidates[index]) if index < len(candidates) else min(resumed, size)
            damaged, gaps, at = damaged + resumed - at, gaps + 1, resumed
        parts.append(self._packets(window, run))
        return Walked(concatenate(parts), at, damaged, gaps)

    def _section_order(self, data: bytes, at: int) -> str:
        """Byte order of the block at `at`: a section header brings its own."""
        if data[at : at + 4] != b"\x0a\x0d\x0d\x0a":
            return self._order
        return ">" if data[at + 8 : at + 12] == b"\x1a\x2b\x3c\x4d" else "<"

    @staticmethod
    def _ends_well(data: bytes, at: int, length: int, order: str, *, final: bool) -> bool:
        """The length is said again at the end; where it is not, the next block must be one."""
        (again,) = struct.unpack_from(order + "I", data, at + length - 4)
        if again == length:
            return True
        stop = at + length
        if stop + 8 > len(data):
            return not final or stop == len(data)
        type_, following = struct.unpack_from(order + "II", data, stop)
        return type_ in _KNOWN and 12 <= following <= MAX_BLOCK and following % 4 == 0

    def _describe(self, data: bytes, at: int, length: int, type_: int, order: str) -> None:
        if type_ == SECTION:
            self._order, self._interfaces = order, []
        elif length >= 20 and len(self._interfaces) < MAX_INTERFACES:
            link_type, _, snaplen = struct.unpack_from(order + "HHI", data, at + 8)
            options = _options(data[at + 16 : at + length - 4], order)
            tick = options.get(9, b"\x06")[:1]  # if_tsresol, by default microseconds
            offset = options.get(14, b"")  # if_tsoffset
            offset_s = struct.unpack(order + "q", offset)[0] if len(offset) == 8 else 0
            self._interfaces.append(
                Interface(link_type, snaplen, _possible(tick[0]) if tick else 6, offset_s)
            )

    def _candidates(self, window: Window, *, final: bool) -> Ints:
        """Every offset where a known block with an equal length at its end begins."""
        size = len(window.data)
        found = [np.zeros(0, np.int64)]
        for start in range(0, max(size - 11, 0), _SCAN):
            at = np.arange(start, min(start + _SCAN, size - 11))
            at = at[np.isin(window.u32(at, self._order), _KNOWN)]
            length = window.u32(at + 4, self._order)
            sane = (length >= 12) & (length <= MAX_BLOCK) & (length % 4 == 0)
            is_section = window.u32(at) == SECTION  # may change the byte order
            at, length, sane, is_section = (c[sane | is_section] for c in (at, length, sane, is_section))
            inside = sane & (at + length <= size)
            good = is_section | (sane & ~inside & (not final))
            good[inside] |= window.u32((at + length - 4)[inside], self._order) == length[inside]
            found.append(at[good])
        return np.concatenate(found)

    def _packets(self, window: Window, run: list[tuple[int, int]]) -> Packets:
        """Packets of the blocks of a run, in file order."""
        if not run:
            return no_packets()
        at, type_ = np.array(run, np.int64).T
        order = self._order
        length = window.u32(at + 4, order)
        header = np.select([type_ == SIMPLE], [12], 28)
        fits = length >= header + 4
        at, type_, length, header = at[fits], type_[fits], length[fits], header[fits]
        is_simple = type_ == SIMPLE
        number = np.zeros(len(at), np.int64)
        for kind, width in ((ENHANCED, window.u32), (OLD_PACKET, window.u16)):
            number[type_ == kind] = width(at[type_ == kind] + 8, order)
        wirelen = window.u32(at + np.where(is_simple, 8, 24), order)
        room = length - header - 4
        link_type, snaplen, known = self._by_interface(number)
        said = np.where(is_simple, np.minimum(wirelen, snaplen), 0)
        said[~is_simple] = window.u32(at[~is_simple] + 20, order)
        caplen = np.minimum(np.minimum(said, room), MAX_PACKET)
        ts = np.zeros(len(at), np.int64)
        timed = np.zeros(len(at), np.bool_)
        stamped = np.flatnonzero(~is_simple & known)
        high, low = (window.u32(at[stamped] + k, order) for k in (12, 16))
        ticks = (high.astype(np.uint64) << np.uint64(32)) | low.astype(np.uint64)
        ts[stamped], timed[stamped] = self._times(number[stamped], ticks)
        return Packets(at + header, caplen, wirelen, ts, timed, link_type)

    def _by_interface(self, number: Ints) -> tuple[Ints, Ints, Bools]:
        count = len(self._interfaces)
        known = number < count
        links = np.array([*(i.link_type for i in self._interfaces), -1])
        snaps = np.array([*(i.snaplen or MAX_PACKET for i in self._interfaces), MAX_PACKET])
        index = np.where(known, number, count)
        return links[index], snaps[index], known

    def _times(self, number: Ints, ticks: np.ndarray) -> tuple[Ints, Bools]:
        ts = np.zeros(len(number), np.int64)
        timed = np.zeros(len(number), np.bool_)
        for one in np.unique(number):
            rows = np.flatnonzero(number == one)
            interface = self._interfaces[int(one)]
            if interface.tick >= 0:
                ts[rows], timed[rows] = _nanoseconds(ticks[rows], interface.tick, interface.offset_s)
        return ts, timed


def _possible(tick: int) -> int:
    """The if_tsresol octet where it can be meant: 10^-1 to 10^-12, 2^-1 to 2^-40; else -1."""
    exponent = tick & 0x7F
    return tick if 1 <= exponent <= (40 if tick & 0x80 else 12) else -1


def _nanoseconds(ticks: np.ndarray, tick: int, offset_s: int) -> tuple[Ints, Bools]:
    """Nanoseconds since 1970, and whether they fit 64 bits."""
    exponent = np.uint64(tick & 0x7F)
    billion = np.uint64(10**9)
    if tick & 0x80:
        second = ticks >> exponent
        fraction = ticks & ((np.uint64(1) << exponent) - np.uint64(1))
        spare = np.uint64(max(int(exponent) - 33, 0))  # keeps fraction * 10^9 within 64 bits
        nanos = ((fraction >> spare) * billion) >> (exponent - spare)
    else:
        per_s = np.uint64(10) ** exponent
        second, fraction = ticks // per_s, ticks % per_s
        nanos = fraction * billion // per_s if exponent <= 9 else fraction // (per_s // billion)
    fits = second <= np.uint64(_LAST_S)
    whole = np.where(fits, second, np.uint64(0)).astype(np.int64)
    if not -_LAST_S <= offset_s <= _LAST_S:
        return np.zeros(len(ticks), np.int64), np.zeros(len(ticks), np.bool_)
    whole += offset_s
    fits &= (whole >= 0) & (whole <= _LAST_S)
    ts = np.where(fits, whole, 0) * 10**9 + np.where(fits, nanos.astype(np.int64), 0)
    return ts, fits


def _options(data: bytes, order: str) -> dict[int, bytes]:
    """Options of a block: code, length, value padded to four octets; the first of each code."""
    options: dict[int, bytes] = {}
    at = 0
    while at + 4 <= len(data):
        code, length = struct.unpack_from(order + "HH", data, at)
        if code == 0:
            break
        options.setdefault(code, data[at + 4 : at + 4 + length])
        at += 4 + (length + 3) // 4 * 4
    return options
