"""Walking pcapng: sections of either byte order, interfaces of their own kind and clock.

Format: https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng. Each step takes at least twelve
octets, so no block length makes the walk stand still.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from netaudit.kernels.compiled import kernel, part
from netaudit.kernels.octets import Octets, int64, le16, le32, u8, u16, u32
from netaudit.kernels.packet import Rows
from netaudit.kernels.pcap import MAX_PACKET

SECTION, INTERFACE, OLD_PACKET, SIMPLE, STATISTICS, ENHANCED = 0x0A0D0D0A, 1, 2, 3, 5, 6
_LITTLE_MAGIC, _OTHER_MAGIC = 0x1A2B3C4D, 0x4D3C2B1A
MAX_BLOCK = 4 << 20
"""Octets of one block; larger ones hold nothing that is read here and are damage."""
MAX_INTERFACES = 65_536
UNDESCRIBED = -1
"""Link type of a packet whose interface the file does not describe."""
_LAST_S = 2**63 // 10**9 - 1

FILE = np.dtype([
    ("big", "i8"), ("interfaces", "i8"), ("ordinal", "i8"), ("lost", "i8"), ("damaged", "i8"), ("gaps", "i8"),
    ("dropped", "i8"), ("foreign", "i8"),
])  # fmt: skip
"""What is known of one file. `dropped`: packets that the capturing machines themselves lost, as the
interface statistics blocks say. `foreign`: this section is of a version that is not known, so that
its interfaces, and with them its packets, mean nothing."""

INTERFACES = np.dtype([
    ("link", "i8"), ("snaplen", "i8"), ("tick", "i8"), ("offset_s", "i8"), ("dropped", "i8"),
])  # fmt: skip
"""An interface description; `tick` is the if_tsresol octet, -1 where it is impossible."""


def file_of() -> tuple[Rows, Rows]:
    """The state of a walk before the first section: one `FILE` row, and room for interfaces."""
    return np.zeros(1, FILE), np.zeros(MAX_INTERFACES, INTERFACES)


@kernel
def walk(
    data: Octets,
    at: int,
    size: int,
    final: bool,  # noqa: FBT001 -- no keywords in kernels
    files: Rows,
    interfaces: Rows,
    packets: Rows,
) -> tuple[int, int]:
    """Index the packets of the whole blocks of ``data[at:size]``; as `pcap.walk`."""
    file = files[0]
    count = 0
    while count < len(packets) and at + 12 <= size:
        if file.lost:
            at = _resume(data, at, size, final, file)
            if file.lost:
                break
            continue
        if u32(data, at) == SECTION and file.big != _is_big(data, at):
            file.big = _is_big(data, at)  # a section header brings its own byte order
        type_, length = _u32(data, at, file), _u32(data, at + 4, file)
        sane = 12 <= length <= MAX_BLOCK and length % 4 == 0
        if sane and at + length > size:
            break
        verdict = _ends_well(data, at, length, size, final, file) if sane else _NO
        if verdict == _WAIT:
            break
        if verdict == _NO:
            step = min(12, size - at)
            file.lost, file.gaps, file.damaged = 1, file.gaps + 1, file.damaged + step
            at += step
            continue
        if type_ == SECTION:
            file.interfaces = 0
            file.foreign = _u16(data, at + 12, file) != 1  # section 4.1: the major version
        elif type_ == INTERFACE and not file.foreign:
            _describe(data, at, length, file, interfaces)
        elif type_ == STATISTICS:
            _count_drops(data, at, length, file, interfaces)
        elif type_ == ENHANCED or type_ == SIMPLE or type_ == OLD_PACKET:
            count += _packet(data, at, length, type_, file, interfaces, packets[count])
        at += length
    if final and at + 12 > size and file.lost:
        file.damaged += size - at
        at = size
    return count, at


_NO, _YES, _WAIT = 0, 1, 2


@part
def _u16(data: Octets, at: int, file: Any) -> int:
    return u16(data, at) if file.big else le16(data, at)


@part
def _u32(data: Octets, at: int, file: Any) -> int:
    return u32(data, at) if file.big else le32(data, at)


@part
def _is_big(data: Octets, at: int) -> int:
    return int64(u32(data, at + 8) == _LITTLE_MAGIC)


@part
def _is_known(type_: int) -> bool:
    return 1 <= type_ <= 6 or type_ == 9 or type_ == 10 or type_ == SECTION


@part
def _ends_well(data: Octets, at: int, length: int, size: int, final: bool, file: Any) -> int:  # noqa: FBT001
    """The length is said again at the end; where it is not, the next block must be one."""
    if _u32(data, at + length - 4, file) == length:
        return _YES
    stop = at + length
    if stop + 8 > size:
        return _WAIT if not final else (_YES if stop == size else _NO)
    following = _u32(data, stop + 4, file)
    sane = 12 <= following <= MAX_BLOCK and following % 4 == 0
    return _YES if _is_known(_u32(data, stop, file)) and sane else _NO


@part
def _resume(data: Octets, at: int, size: int, final: bool, file: Any) -> int:  # noqa: FBT001
    """The next offset of a known block with an equal length at its end, or where more is needed."""
    begin = at
    while at + 12 <= size:
        if u32(data, at) == SECTION and (
            u32(data, at + 8) == _LITTLE_MAGIC or u32(data, at + 8) == _OTHER_MAGIC
        ):
            file.lost = 0  # a section may change the byte order: its length is read later
            break
        length = _u32(data, at + 4, file)
        if _is_known(_u32(data, at, file)) and 12 <= length <= MAX_BLOCK and length % 4 == 0:
            if at + length > size and not final:
                break
            if at + length <= size and _u32(data, at + length - 4, file) == length:
                file.lost = 0
                break
        at += 1
    file.damaged += at - begin
    return at


@part
def _describe(data: Octets, at: int, length: int, file: Any, interfaces: Rows) -> None:
    """Interface description block (section 4.2)."""
    if length < 20 or file.interfaces >= len(interfaces):
        return
    interface = interfaces[file.interfaces]
    file.interfaces += 1
    interface.link, interface.snaplen = _u16(data, at + 8, file), _u32(data, at + 12, file)
    interface.tick, interface.offset_s, interface.dropped = 6, 0, 0
    where = _option(data, at + 16, at + length - 4, 9, 1, file)  # if_tsresol, by default microseconds
    if where:
        exponent = u8(data, where) & 0x7F
        most = 40 if u8(data, where) & 0x80 else 12
        interface.tick = u8(data, where) if 1 <= exponent <= most else -1
    where = _option(data, at + 16, at + length - 4, 14, 8, file)  # if_tsoffset
    if where:
        interface.offset_s = _i64(data, where, file)


@part
def _count_drops(data: Octets, at: int, length: int, file: Any, interfaces: Rows) -> None:
    """Interface statistics block (section 4.6): the counts are totals, so the last one stands."""
    number = _u32(data, at + 8, file)
    if number >= file.interfaces:
        return
    dropped = int64(0)
    for code in range(5, 8, 2):  # isb_ifdrop, isb_osdrop
        where = _option(data, at + 20, at + length - 4, code, 8, file)
        if where:
            dropped += min(max(_i64(data, where, file), 0), 1 << 48)
    file.dropped += max(dropped - interfaces[number].dropped, 0)
    interfaces[number].dropped = max(dropped, interfaces[number].dropped)


@part
def _i64(data: Octets, at: int, file: Any) -> int:
    first, second = _u32(data, at, file), _u32(data, at + 4, file)
    return first << 32 | second if file.big else second << 32 | first


@part
def _option(data: Octets, at: int, end: int, wanted: int, least: int, file: Any) -> int:
    """Where the value of the first option of a code begins; 0 where there is none of that length."""
    while at + 4 <= end:
        code, length = _u16(data, at, file), _u16(data, at + 2, file)
        if code == 0:
            break
        if code == wanted:
            return at + 4 if length >= least and at + 4 + length <= end else 0
        at += 4 + (length + 3) // 4 * 4
    return 0


@part
def _packet(
    data: Octets, at: int, length: int, type_: int, file: Any, interfaces: Rows, packet: Any
) -> int:
    """One packet block (sections 4.3, 4.4, and the obsolete one of appendix A); 1 where it is one."""
    header = 12 if type_ == SIMPLE else 28
    if length < header + 4:
        return 0
    number = int64(0)
    if type_ == ENHANCED:
        number = _u32(data, at + 8, file)
    elif type_ == OLD_PACKET:
        number = _u16(data, at + 8, file)
    known = number < file.interfaces
    interface = interfaces[number if known else 0]
    said = _u32(data, at + (8 if type_ == SIMPLE else 20), file)
    packet.wirelen = min(_u32(data, at + (8 if type_ == SIMPLE else 24), file), 0x7FFFFFFF)
    if type_ == SIMPLE and known and interface.snaplen:
        said = min(said, interface.snaplen)
    packet.caplen = min(said, length - header - 4, MAX_PACKET)
    packet.at = at + header
    packet.end = packet.at + packet.caplen
    packet.link = interface.link if known else UNDESCRIBED
    packet.ts, packet.timed = 0, 0
    if known and type_ != SIMPLE:
        _stamp(_u32(data, at + 12, file), _u32(data, at + 16, file), interface, packet)
    file.ordinal += 1
    packet.ordinal = file.ordinal
    return 1


@part
def _stamp(high: int, low: int, interface: Any, packet: Any) -> None:
    """Nanoseconds since 1970, where the resolution is possible and they fit 64 bits."""
    if interface.tick < 0 or abs(interface.offset_s) > _LAST_S:
        return
    ticks = np.uint64(high) << np.uint64(32) | np.uint64(low)
    exponent = interface.tick & 0x7F
    billion = np.uint64(1_000_000_000)
    if interface.tick & 0x80:
        second = ticks >> np.uint64(exponent)
        fraction = ticks & ((np.uint64(1) << np.uint64(exponent)) - np.uint64(1))
        spare = max(exponent - 33, 0)  # keeps fraction * 10^9 within 64 bits
        nanos = ((fraction >> np.uint64(spare)) * billion) >> np.uint64(exponent - spare)
    else:
        per_s = np.uint64(1)
        for _ in range(exponent):
            per_s *= np.uint64(10)
        second, fraction = ticks // per_s, ticks % per_s
        nanos = fraction * billion // per_s if exponent <= 9 else fraction // (per_s // billion)
    if second > np.uint64(_LAST_S):
        return
    whole = int64(second) + interface.offset_s
    if 0 <= whole <= _LAST_S:
        packet.ts, packet.timed = whole * 1_000_000_000 + int64(nanos), 1
