"""Capture files to blocks of messages and flows: the first half of reading a capture.

Pieces of a file go through the walk and the headers, then in order through the flows and the streams.
What comes out depends on the packets alone: a block ends after so many packets, or when it is full,
never where a piece ends.
"""

from __future__ import annotations

import secrets
import zlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from netaudit.errors import CaptureError
from netaudit.intake.opening import ByteStream
from netaudit.intake.tally import Tally
from netaudit.kernels import assembly, collect, dissect, fragments, losses, pcap, pcapng, quic, traffic
from netaudit.kernels.magics import PCAPNG, is_capture
from netaudit.kernels.octets import Bytes, Octets, octets
from netaudit.kernels.packet import PACKET, Rows, Status
from netaudit.sources.ahead import IN_FLIGHT, ahead
from netaudit.sources.flow_table import FlowTable
from netaudit.sources.messages import Messages

PIECE_BYTES = 4 << 20
"""Octets read at once."""
PIECE_PACKETS = 16_384
"""Packets that go through the kernels together."""
BLOCK_PACKETS = 65_536
BLOCK_BYTES = 16 << 20
"""Octets of messages after which a block ends early."""
FILE_SHIFT = 40
"""An ordinal inside is ``file << FILE_SHIFT | packet``, so that a series of files is one stream."""
CUT = "the file ends in the middle of a packet"
DROPPED = "packets that the capturing machine itself dropped"
GAP = "a stretch of the file is no packet"
UNTIMED = "some packets carry no usable time"
OVERLAPPING = "segments or IP fragments overlap; what came first was taken"
EVICTED = "more flows at once than are held; some are told in several rows"
_CARRY = pcapng.MAX_BLOCK + pcap.MAX_PACKET
_SPILL = 4 << 20
"""Room behind a piece for the datagrams that its fragments make whole."""

_REASONS = {
    Status.TRUNCATED: "a packet is too short for its headers",
    Status.MALFORMED: "a packet's headers contradict themselves",
    Status.TOO_DEEP: "a packet has too many layers inside each other",
    Status.UNDESCRIBED: "a packet of an interface that the file does not describe",
}
_LOSSES = {
    losses.LOST_TLS: "a TLS hello without its rest",
    losses.LOST_HTTP: "an HTTP request without its rest",
    losses.LOST_DNS: "a DNS message over TCP without its rest",
    losses.LOST_HTTP2: "an HTTP/2 stream with a hole",
    losses.LOST_SOCKS: "a SOCKS request without its rest",
    losses.LOST_FRAGMENT: "an IP fragment without the rest of its datagram",
    losses.BAD_FRAGMENT: "an IP fragment that no datagram can have",
    losses.CUT_FRAGMENT: "an IP fragment is cut short",
    losses.UNTABLED: "a packet of a flow that there was no room for",
}


class Capture(NamedTuple):
    """One file of a series."""

    stream: ByteStream
    """At its beginning."""
    tally: Tally


class Record(NamedTuple):
    """One packet as it lies in the file."""

    ordinal: int
    ts: int | None
    """Nanoseconds since 1970; None where unknown."""
    link_type: int
    wirelen: int
    data: bytes


class Block(NamedTuple):
    """What a run of packets gave."""

    messages: Messages
    flows: Rows
    """`kernels.flows.FLOW` rows of flows that are over, by their first packets."""


class _Piece(NamedTuple):
    data: Octets
    packets: Rows


class _Walker:
    """Walks one file, whichever its container."""

    def __init__(self, capture: Capture, number: int) -> None:
        stream, tally = capture
        head = stream.peek(pcap.FILE_HEADER)
        self.is_ng = head[:4] == PCAPNG
        tally.format = "pcapng" if self.is_ng else "pcap"
        self.is_whole = self.is_ng or len(head) == pcap.FILE_HEADER
        if self.is_ng:
            self.file, self._interfaces = pcapng.file_of()
        elif self.is_whole:
            self.file = pcap.file_of(stream.read(pcap.FILE_HEADER))
        else:
            tally.truncated = True
            tally.skip(CUT, count=1, size=len(stream.read(pcap.FILE_HEADER)))
            return
        self.file["ordinal"] = number << FILE_SHIFT

    def walk(self, data: Octets, at: int, size: int, packets: Rows, *, final: bool) -> tuple[int, int]:
        if self.is_ng:
            return pcapng.walk(data, at, size, final, self.file, self._interfaces, packets)
        return pcap.walk(data, at, size, final, self.file, packets)

    def close(self, tally: Tally, left: int) -> None:
        """Into the tally what was no record, and what was left at the end."""
        (file,) = self.file
        if file["gaps"]:
            tally.skip(GAP, count=int(file["gaps"]), size=int(file["damaged"]))
        if left:
            tally.truncated = True
            tally.skip(CUT, [int(file["ordinal"]) % (1 << FILE_SHIFT) + 1], size=left)
        if self.is_ng and file["dropped"]:
            tally.skip(DROPPED, count=int(file["dropped"]))


def blocks(captures: Iterable[Capture], offset_ns: int = 0, *, threaded: bool = False) -> Iterator[Block]:
    """Read a series of capture files as one stream of packets.

    A block's arrays are used again: whoever takes the next block is done with the one before.

    Args:
        captures: In the order of their time. Each is opened as it is reached.
        offset_ns: Added to every time.
        threaded: Whether reading, and everything up to whole blocks, runs in threads of its own.

    Raises:
        CaptureError: A file is no capture.
        InputError: A file expands too far.
    """
    tallies: list[Tally] = []
    joiner, collector = _Joiner(), _Collector()
    pieces = ahead(_pieces(_noting(captures, tallies), offset_ns, joiner), threaded=threaded)
    yield from ahead(collector.blocks(pieces), threaded=threaded)
    if tallies:
        _account_losses(joiner.losses, tallies)
        _account_losses(collector.losses, tallies)
        if collector.flows.evicted:
            tallies[0].notes.add(EVICTED)


def _noting(captures: Iterable[Capture], tallies: list[Tally]) -> Iterator[Capture]:
    for capture in captures:
        tallies.append(capture.tally)
        yield capture


def _pieces(captures: Iterator[Capture], offset_ns: int, joiner: _Joiner) -> Iterator[_Piece]:
    """Packets with their headers read, a few megabytes at a time."""
    buffers = _Buffers()
    for number, capture in enumerate(captures):
        if not is_capture(capture.stream.peek(4)):
            raise CaptureError(
                "not-a-capture",
                "This is no pcap or pcapng file.",
                where=capture.tally.identity.name,
                hint="Check what the file is; a capture begins with its own mark.",
            )
        walker = _Walker(capture, number)
        if not walker.is_whole:
            continue
        at = size = 0
        final = False
        while not final:
            buffers.turn(at, size)
            at, size = 0, size - at
            got = capture.stream.readinto(buffers.octets.data[size : size + PIECE_BYTES])
            size, final = size + got, got == 0
            count = PIECE_PACKETS
            while count == PIECE_PACKETS:
                count, at = walker.walk(octets(buffers.octets), at, size, buffers.packets, final=final)
                packets = buffers.packets[:count]
                if offset_ns:
                    packets["ts"] += offset_ns
                dissect.dissect(octets(buffers.octets), packets, 0, count)
                data = joiner.join(buffers.octets, packets, size)
                _account(packets, capture.tally)
                yield _Piece(data, packets)
                if count == PIECE_PACKETS:
                    buffers.turn(0, size)
        walker.close(capture.tally, size - at)
    joiner.close()


def records(stream: ByteStream) -> Iterator[Record]:
    """The packets of one capture, one at a time: for whoever needs a few of them whole."""
    walker = _Walker(Capture(stream, Tally(stream.identity)), 0)
    buffers = _Buffers()
    at = size = 0
    final = not walker.is_whole
    while not final:
        buffers.turn(at, size)
        at, size = 0, size - at
        got = stream.readinto(buffers.octets.data[size : size + PIECE_BYTES])
        size, final = size + got, got == 0
        count = PIECE_PACKETS
        while count == PIECE_PACKETS:
            count, at = walker.walk(octets(buffers.octets), at, size, buffers.packets, final=final)
            for row in buffers.packets[:count]:
                yield Record(
                    int(row["ordinal"]),
                    int(row["ts"]) if row["timed"] else None,
                    int(row["link"]),
                    int(row["wirelen"]),
                    buffers.octets[row["at"] : row["end"]].tobytes(),
                )


class _Buffers:
    """Room for a piece and its packets, in turn: whoever has the one before may still look at it."""

    def __init__(self) -> None:
        self._all = [
            (np.empty(_CARRY + PIECE_BYTES + _SPILL, np.uint8), np.zeros(PIECE_PACKETS, PACKET))
            for _ in range(IN_FLIGHT + 1)
        ]
        self.octets, self.packets = self._all[0]

    def turn(self, at: int, size: int) -> None:
        """Go on with the next; what is left of this one goes along."""
        left = self.octets[at:size]
        self._all.append(self._all.pop(0))
        self.octets, self.packets = self._all[0]
        self.octets[: len(left)] = left


def _expand(data: Bytes, packets: Rows, spill: int) -> tuple[Bytes, int]:
    """Expand what IPComp compressed, within a datagram's size, behind ``data[:spill]``."""
    for row in np.flatnonzero(packets["status"] == Status.PACKED).tolist():
        packed = data[packets["at"][row] : packets["end"][row]].tobytes()
        try:
            plain = zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, fragments.MAX_DATAGRAM)
        except zlib.error:
            packets["status"][row] = Status.OTHER  # by another algorithm, which only its ends know
            continue
        if spill + len(plain) > len(data):
            data = np.concatenate((data[:spill], np.empty(_SPILL, np.uint8)))
        data[spill : spill + len(plain)] = np.frombuffer(plain, np.uint8)
        fragments.expanded(octets(data), packets, row, spill, spill + len(plain))
        spill += len(plain)
    return data, spill


class _Joiner:
    """Fragments of a series of files."""

    def __init__(self) -> None:
        self._pool = assembly.pool(1024, 128)
        self.losses = losses.losses()

    def join(self, data: Bytes, packets: Rows, size: int) -> Octets:
        """Put fragments together, behind ``data[:size]``; the octets, moved where there was no room."""
        at, spill = 0, size
        counts = np.bincount(packets["status"], minlength=len(Status))
        if counts[Status.PACKED]:
            data, spill = _expand(data, packets, spill)
        elif not counts[Status.FRAGMENT]:
            return octets(data)
        while True:
            at, spill = fragments.join(
                octets(data), packets, at, len(packets), spill, self._pool, self.losses
            )
            if at == len(packets):
                return octets(data)
            data = np.concatenate((data[:spill], np.empty(_SPILL, np.uint8)))

    def close(self) -> None:
        """Count what never became whole."""
        fragments.close(self._pool, self.losses)


def _account(packets: Rows, tally: Tally) -> None:
    """Put what the headers could not be read of into the ledger."""
    counts = np.bincount(packets["status"], minlength=len(Status))
    for status, reason in _REASONS.items():
        if counts[status]:
            _skip(reason, packets[packets["status"] == status], tally)
    if counts[Status.UNSUPPORTED]:
        unsupported = packets[packets["status"] == Status.UNSUPPORTED]
        for link in np.unique(unsupported["link"]):
            _skip(f"link type {link} is not supported", unsupported[unsupported["link"] == link], tally)
    if not packets["timed"].all():
        tally.notes.add(UNTIMED)


def _skip(reason: str, packets: Rows, tally: Tally) -> None:
    ordinals = packets["ordinal"][:5] % (1 << FILE_SHIFT)
    tally.skip(reason, ordinals, count=len(packets), size=int(packets["caplen"].sum()))


class _Collector:
    """Packets in order through the flows and the streams, and their messages into blocks."""

    def __init__(self) -> None:
        self._pool = assembly.pool(2048, 128)
        self._spare = [collect.block(BLOCK_PACKETS, BLOCK_BYTES) for _ in range(IN_FLIGHT)]
        self._block = self._spare[0]
        self._scratch = np.zeros(1, quic.PACKET)
        self.losses = losses.losses()
        self.flows = FlowTable(self._pool, self.losses, secrets.randbits(62))

    def blocks(self, pieces: Iterator[_Piece]) -> Iterator[Block]:
        """All of them; the last one has what is left."""
        filled = 0
        for piece in pieces:
            row = 0
            while row < len(piece.packets):
                stop = min(len(piece.packets), row + BLOCK_PACKETS - filled)
                reached = traffic.take(
                    piece.data,
                    piece.packets,
                    row,
                    stop,
                    self.flows.table,
                    self._pool,
                    self._block,
                    self.losses,
                    self._scratch,
                )
                filled += reached - row
                row = reached
                if filled == BLOCK_PACKETS or reached < stop:
                    yield self._done(final=False)
                    self._next()
                    filled = 0
        yield self._done(final=True)

    def _done(self, *, final: bool) -> Block:
        messages, arena, used = self._block
        now = int(used[collect.NOW])
        return Block(
            Messages(messages[: used[collect.MESSAGES]], arena, now), self.flows.flush(now, final=final)
        )

    def _next(self) -> None:
        """Go on with an empty block; the time is the file's."""
        now = self._block.used[collect.NOW]
        self._spare.append(self._spare.pop(0))
        self._block = self._spare[0]
        self._block.used[:] = 0
        self._block.used[collect.NOW] = now


def _account_losses(lost: Rows, tallies: list[Tally]) -> None:
    """Put what never became whole into the ledger of the file where it began."""
    for reason, text in _LOSSES.items():
        loss = lost[reason]
        if loss["count"]:
            first = loss["first"][: loss["kept"]]
            file = min(int(first[0]) >> FILE_SHIFT, len(tallies) - 1)
            ordinals = first[first >> FILE_SHIFT == file] % (1 << FILE_SHIFT)
            tallies[file].skip(text, ordinals, count=int(loss["count"]), size=int(loss["size"]))
    if lost[losses.OVERLAP]["count"]:
        tallies[0].notes.add(OVERLAPPING)
