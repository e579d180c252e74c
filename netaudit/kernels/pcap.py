"""Walking classic pcap: all byte orders and resolutions, past damage.

Format: https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap. A record is believed if its own
header is plausible or if the lengths after it are possible; else the walk goes on at the next offset
from which two headers in a row are plausible. What is decided does not depend on where a window ends:
the walk asks for more octets instead.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from netaudit.kernels.compiled import kernel, part
from netaudit.kernels.magics import PCAP
from netaudit.kernels.octets import Octets, le32, u32
from netaudit.kernels.packet import Rows

FILE_HEADER = 24
MAX_PACKET = 262_144
"""Octets of one packet: libpcap's own bound, and the one that tells a damaged length."""

FILE = np.dtype([
    ("big", "i8"), ("tick_ns", "i8"), ("header", "i8"), ("link", "i8"), ("snaplen", "i8"),
    ("ordinal", "i8"), ("last_s", "i8"), ("lost", "i8"), ("damaged", "i8"), ("gaps", "i8"),
])  # fmt: skip
"""What is known of one file: its header's fields; packets so far; the last believed second (-1: none);
whether the walk is searching; octets that are no record, and stretches of them."""

_WEEK_S = 7 * 86_400
_MOST_ON_WIRE = 1 << 24  # some writers leave nonsense, but not at random, in this field


def file_of(header: bytes) -> Rows:
    """The state of a walk, one `FILE` row, from the file header (24 octets with a known magic)."""
    order, tick_ns, size = PCAP[header[:4]]
    snaplen, network = (int.from_bytes(header[at : at + 4], order) for at in (16, 20))  # type: ignore[arg-type]
    state = np.zeros(1, FILE)
    state["big"], state["tick_ns"], state["header"] = order == "big", tick_ns, size
    state["link"] = network & 0xFFFF  # the upper half holds FCS length and reserved bits
    state["snaplen"] = snaplen if 0 < snaplen <= MAX_PACKET else MAX_PACKET
    state["last_s"] = -1
    return state


@kernel
def walk(
    data: Octets,
    at: int,
    size: int,
    final: bool,  # noqa: FBT001 -- no keywords in kernels
    files: Rows,
    packets: Rows,
) -> tuple[int, int]:
    """Index the whole records of ``data[at:size]``.

    Args:
        data: A window of the file.
        at: Where in it the records begin, or go on.
        size: Octets that are there.
        final: Whether nothing follows.
        files: One `FILE` row.
        packets: `PACKET` rows to fill.

    Returns:
        Packets found, and where the walk stands: what is behind belongs before the next window.
    """
    file = files[0]
    count = 0
    while count < len(packets) and at + file.header <= size:
        if file.lost:
            at = _resume(data, at, size, final, file)
            if file.lost:
                break
            continue
        caplen = _field(data, at + 8, file)
        stop = at + file.header + caplen
        verdict = _believed(data, at, stop, size, final, file)
        if verdict == _WAIT:
            break
        if verdict == _NO:
            file.lost, file.gaps = 1, file.gaps + 1
            file.damaged += 1
            at += 1
            continue
        if stop > size:
            break
        second = _field(data, at, file)
        packet = packets[count]
        packet.ts = second * 1_000_000_000 + _field(data, at + 4, file) * file.tick_ns
        packet.timed = 1
        packet.at, packet.end = at + file.header, stop
        packet.caplen, packet.wirelen = caplen, min(_field(data, at + 12, file), 0x7FFFFFFF)
        packet.link = file.link
        file.ordinal += 1
        packet.ordinal = file.ordinal
        file.last_s = second
        count += 1
        at = stop
    if final and at + file.header > size and file.lost:
        file.damaged += size - at
        at = size
    return count, at


_NO, _YES, _WAIT = 0, 1, 2


@part
def _field(data: Octets, at: int, file: Any) -> int:
    return u32(data, at) if file.big else le32(data, at)


@part
def _believed(data: Octets, at: int, stop: int, size: int, final: bool, file: Any) -> int:  # noqa: FBT001
    """Whether a record is taken for one: by its own header, or else by the one after it."""
    if _plausible(data, at, file):
        return _YES
    if stop - at - file.header > MAX_PACKET:
        return _NO
    if stop + file.header > size:
        return _WAIT if not final else (_YES if stop == size else _NO)
    following = (
        _field(data, stop + 8, file) <= MAX_PACKET and _field(data, stop + 12, file) <= _MOST_ON_WIRE
    )
    return _YES if following else _NO


@part
def _plausible(data: Octets, at: int, file: Any) -> bool:
    caplen, wirelen = _field(data, at + 8, file), _field(data, at + 12, file)
    fits = caplen <= file.snaplen and caplen <= wirelen <= MAX_PACKET
    return fits and _field(data, at + 4, file) * file.tick_ns < 1_000_000_000


@part
def _resume(data: Octets, at: int, size: int, final: bool, file: Any) -> int:  # noqa: FBT001
    """The next offset where two plausible headers in a row begin, or where more octets are needed."""
    begin = at
    while at + file.header <= size:
        near = file.last_s < 0 or abs(_field(data, at, file) - file.last_s) <= _WEEK_S
        if near and _plausible(data, at, file):
            following = at + file.header + _field(data, at + 8, file)
            if following + file.header <= size:
                good = _plausible(data, following, file)
            elif final:
                good = following == size
            else:
                break
            if good:
                file.lost = 0
                break
        at += 1
    file.damaged += at - begin
    return at
