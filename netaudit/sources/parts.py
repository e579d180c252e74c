"""Which packets hold a message, and how much of each: what is kept of a capture as evidence.

An event names the first packet that holds a part of its message. The other parts are found again
here: of a TCP stream the segments that the message needs, of QUIC the client's further Initials to
the same connection id, of an IP datagram its fragments, before and after.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from netaudit.kernels import packet
from netaudit.kernels.packet import Status
from netaudit.records.addresses import V4_PREFIX
from netaudit.sources.cut import essential, initial_of

if TYPE_CHECKING:
    from netaudit.sources.blocks import Record

MAX_PARTS = 64
"""Packets that are looked at for one message."""
NEAR = 4096
"""Packets before and after a fragment among which the others of its datagram are looked for: after
more, its identification may be another datagram's."""
Wanted = Mapping[int, Mapping[str, frozenset[str]]]
"""Ordinal of a packet to the kinds of its events and the names that they read."""
_IN_STREAMS = frozenset({"tls", "dns", "http", "proxy"})


class Headers(NamedTuple):
    """Where a packet's payload lies, and whose it is."""

    at: int
    """Octets of headers."""
    end: int
    """Where the payload ends; what follows is padding."""
    protocol: int
    """Of IP; see `kernels.packet`."""
    ends: tuple[int, ...]
    """Addresses and ports, in the direction of the packet."""
    seq: int
    fragment: tuple[int, ...]
    """Addresses and identification of the datagram; empty where the packet is whole."""
    readable: bool


def headers_of(record: Record) -> Headers:
    """The headers of one packet, as the reader of captures sees them."""
    row = _dissected(record)
    ends = tuple(int(row[name]) for name in ("src0", "src1", "dst0", "dst1", "sport", "dport"))
    fragment = (*ends[:4], int(row["ident"])) if row["status"] == Status.FRAGMENT else ()
    readable = row["status"] == Status.OK
    at, end = int(row["at"]), min(int(row["end"]), len(record.data))
    return Headers(min(at, end), end, int(row["protocol"]), ends, int(row["seq"]), fragment, readable)


@dataclass(slots=True)
class _Stream:
    """A message in a TCP stream whose end is not yet seen."""

    kind: str
    names: frozenset[str]
    segments: dict[int, tuple[int, int, bytes]] = field(default_factory=dict)
    """Ordinal to sequence number (from that of the first packet), octets of headers, payload."""

    def resolve(self) -> dict[int, int]:
        """Octets to keep of each packet that holds a part; empty while octets are missing."""
        for begin in sorted({at for at, _, _ in self.segments.values()}):
            stream = self._from(begin)
            need = essential(self.kind, stream, self.names, stream=True)
            if 0 < need <= len(stream):
                return {
                    ordinal: head + min(len(payload), begin + need - at)
                    for ordinal, (at, head, payload) in self.segments.items()
                    if begin <= at < begin + need
                }
        return {}

    def _from(self, begin: int) -> bytes:
        """The octets in order from `begin` up to the first hole."""
        stream = bytearray()
        for at, _, payload in sorted(self.segments.values()):
            done = begin + len(stream) - at
            if begin <= at and done >= 0:
                stream += payload[done:]
        return bytes(stream)


class Parts:
    """Goes over the packets of one file, in order, and learns what to keep of which."""

    def __init__(self, wanted: Wanted) -> None:
        """Look for the messages of `wanted`."""
        self.kept: dict[int, int] = {}
        """Ordinal to octets of the captured packet that are evidence."""
        self._wanted = wanted
        self._left = len(wanted)
        self._streams: dict[tuple[int, ...], _Stream] = {}
        self._initials: dict[tuple[int, ...], tuple[bytes, int]] = {}
        self._datagrams: dict[tuple[int, ...], list[int]] = {}
        self._ends: set[bytes] = set()

    @property
    def done(self) -> bool:
        """Whether no packet that follows can matter."""
        return not (self._left or self._streams or self._initials)

    @property
    def fragmented(self) -> bool:
        """Whether the packets have to be gone over once more, with `see_fragment`."""
        return bool(self._datagrams)

    def see(self, record: Record) -> None:
        """Take the next packet."""
        events = self._wanted.get(record.ordinal)
        if events is None and not (self._streams or self._initials):
            return
        headers = headers_of(record)
        payload = record.data[headers.at : headers.end]
        if events is not None:
            self._left -= 1
            self._keep(record.ordinal, headers.at)
            self._begin(record, headers, payload, events)
        if headers.readable:
            self._go_on(record, headers, payload)

    def see_fragment(self, record: Record) -> None:
        """Take a packet again: is it of a datagram that has an event?"""
        if not any(ends in record.data for ends in self._ends):
            return
        headers = headers_of(record)
        if any(abs(record.ordinal - at) <= NEAR for at in self._datagrams.get(headers.fragment, ())):
            self._keep(record.ordinal, headers.end)

    def _begin(
        self, record: Record, headers: Headers, payload: bytes, events: Mapping[str, frozenset[str]]
    ) -> None:
        if headers.fragment and any(kind != "flow" for kind in events):
            self._datagrams.setdefault(headers.fragment, []).append(record.ordinal)
            self._ends.add(_on_wire(headers.fragment))
        if not headers.readable:
            return
        in_stream = headers.protocol == packet.TCP
        for kind, names in sorted(events.items()):
            need = essential(kind, payload, names, stream=in_stream)
            self._keep(record.ordinal, headers.at + min(need, len(payload)))
            if in_stream and kind in _IN_STREAMS and payload and not 0 < need <= len(payload):
                self._streams.setdefault(headers.ends, _Stream(kind, names))
            if kind == "quic" and (initial := initial_of(payload)):
                self._initials[headers.ends] = (initial, MAX_PARTS)

    def _go_on(self, record: Record, headers: Headers, payload: bytes) -> None:
        if headers.protocol == packet.TCP and payload and headers.ends in self._streams:
            self._segment(record, headers, payload)
        elif headers.protocol == packet.UDP and headers.ends in self._initials:
            self._initial(record, headers, payload)

    def _segment(self, record: Record, headers: Headers, payload: bytes) -> None:
        stream = self._streams[headers.ends]
        first = next(iter(stream.segments.values()), None)
        at = headers.seq if first is None else _near(headers.seq, first[0])
        stream.segments[record.ordinal] = (at, headers.at, payload)
        found = stream.resolve()
        for ordinal, size in found.items():
            self._keep(ordinal, size)
        if found or len(stream.segments) >= MAX_PARTS:
            del self._streams[headers.ends]

    def _initial(self, record: Record, headers: Headers, payload: bytes) -> None:
        initial, left = self._initials[headers.ends]
        if initial_of(payload) != initial or not left:
            del self._initials[headers.ends]
            return
        self._initials[headers.ends] = (initial, left - 1)
        self._keep(record.ordinal, headers.at + essential("quic", payload, (), stream=False))

    def _keep(self, ordinal: int, size: int) -> None:
        self.kept[ordinal] = max(size, self.kept.get(ordinal, 0))


def _on_wire(fragment: tuple[int, ...]) -> bytes:
    """Source and destination as they stand in an IP header (IPv4 ones come as ::ffff:a.b.c.d)."""
    octets = b"".join(part.to_bytes(8, "little") for part in fragment[:4])
    is_v4 = octets[:12] == octets[16:28] == V4_PREFIX
    return octets[12:16] + octets[28:32] if is_v4 else octets


def _near(seq: int, first: int) -> int:
    """A sequence number of 32 bits beside another, not wrapped."""
    return first + ((seq - first + (1 << 31)) & 0xFFFFFFFF) - (1 << 31)


def _dissected(record: Record) -> Any:
    """One `PACKET` row."""
    import numpy as np

    from netaudit.kernels.dissect import dissect
    from netaudit.kernels.octets import octets_of

    rows = np.zeros(1, packet.PACKET)
    rows["end"] = rows["caplen"] = len(record.data)
    rows["wirelen"], rows["link"] = record.wirelen, record.link_type
    dissect(octets_of(record.data), rows, 0, 1)
    return rows[0]
