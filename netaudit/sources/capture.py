"""Capture files to events: pieces of a few megabytes through the kernels, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from netaudit.errors import CaptureError
from netaudit.intake.opening import ByteStream
from netaudit.intake.tally import Tally
from netaudit.kernels import cursor, flows, headers, http, tls
from netaudit.kernels.capture import PCAP_MAGICS, PCAPNG_MAGIC, Packets, Walked, Walker
from netaudit.kernels.pcap import FILE_HEADER, PcapWalker
from netaudit.kernels.pcapng import PcapngWalker
from netaudit.kernels.status import Status
from netaudit.kernels.window import Ints, Window
from netaudit.records.schemas import conform
from netaudit.sources import dns_events, web_events
from netaudit.sources import traffic as packets
from netaudit.sources.flow_table import EVICTED, FlowTable
from netaudit.sources.slow_path import Reassembler, first_part
from netaudit.sources.streams import Found, Streams
from netaudit.sources.traffic import Traffic

PIECE_BYTES = 8 << 20
PIECE_PACKETS = 32_768
"""Packets that go through the kernels together: small ones must not cost more memory."""
BATCH_ROWS = 65_536
CUT = "the file ends in the middle of a packet"

_RAW_IP = 101  # LINKTYPE_RAW
_ARP_WORDS: list[str | None] = [None, "request", "reply"]
_REASONS = {
    Status.TRUNCATED: "a packet is too short for its headers",
    Status.MALFORMED: "a packet's headers contradict themselves",
    Status.TOO_DEEP: "a packet has too many layers inside each other",
}


def is_capture(head: bytes) -> bool:
    """Whether a file's first bytes are those of pcap or pcapng."""
    return head[:4] in PCAP_MAGICS or head[:4] == PCAPNG_MAGIC


def read_capture(
    stream: ByteStream, tally: Tally, *, site: str = "", clock_offset_s: float = 0.0
) -> Iterator[pa.RecordBatch]:
    """Events of a capture, in roughly the order of their time.

    Args:
        stream: At its beginning.
        tally: Counts records, and whatever could not be read with the reason.
        site: Goes into the events.
        clock_offset_s: Is added to every time.

    Yields:
        Conforming batches of ``dns``, ``tls``, ``http``, ``arp`` and ``flow``, at most 65,536 rows
        each. Bytes of flows are those on the wire, link layer included.

    Raises:
        CaptureError: Not a capture.
        InputError: The file expands too far.
    """
    head = stream.peek(FILE_HEADER)
    if not is_capture(head):
        raise CaptureError(
            "not-a-capture",
            "This is no pcap or pcapng file.",
            where=tally.identity.name,
            hint="Check what the file is; a capture begins with its own mark.",
        )
    walker: Walker
    if head[:4] == PCAPNG_MAGIC:
        walker = PcapngWalker()
    elif len(head) == FILE_HEADER:
        walker = PcapWalker(stream.read(FILE_HEADER))
    else:
        tally.format, tally.truncated = "pcap", True
        tally.skip(CUT, count=1, size=len(stream.read(FILE_HEADER)))
        return
    tally.format = walker.format
    reader = _Reader(tally, site, round(clock_offset_s * 10**9))
    rest = b""
    while True:
        block = stream.read(PIECE_BYTES)
        window = Window(rest + block if rest else block)
        walked = walker.walk(window, final=not block)
        rest = window.data[walked.used :]
        yield from reader.piece(window, walked)
        if not block:
            break
    if rest:
        tally.truncated = True
        tally.skip(CUT, [reader.read_so_far + 1], size=len(rest))
    yield from reader.close()


class _Reader:
    """Everything that lives from one piece of a file to the next."""

    def __init__(self, tally: Tally, site: str, offset_ns: int) -> None:
        self._tally = tally
        self._site = site
        self._offset_ns = offset_ns
        self._fragments = Reassembler(tally)
        self._streams = Streams(tally)
        self._joiner = dns_events.Joiner()
        self._flows = FlowTable()
        self.read_so_far = 0

    def piece(self, window: Window, walked: Walked) -> Iterator[pa.RecordBatch]:
        """Events of one piece."""
        if walked.gaps:
            self._tally.skip("a stretch of the file is no packet", count=walked.gaps, size=walked.damaged)
        for start in range(0, len(walked.packets.at), PIECE_PACKETS):
            some = Packets._make(column[start : start + PIECE_PACKETS] for column in walked.packets)
            yield from self._packets(window, some)

    def _packets(self, window: Window, index: Packets) -> Iterator[pa.RecordBatch]:
        ordinal = np.arange(len(index.at)) + self.read_so_far + 1
        self.read_so_far += len(index.at)
        head = headers.read_headers(window, index.at, index.caplen, index.link_type)
        self._count(index, head, ordinal)
        yield from self._events(window, self._traffic(index, head, ordinal))
        yield from self._slow(window, index, head, ordinal)
        yield from self._batches("flow", self._flows.flush(final=False))

    def close(self) -> Iterator[pa.RecordBatch]:
        """What was held back until the end of the file."""
        self._fragments.close()
        self._streams.close()
        yield from self._batches("dns", self._joiner.join(None, final=True))
        yield from self._batches("flow", self._flows.flush(final=True))
        if self._flows.evicted:
            self._tally.notes.add(EVICTED)

    def _traffic(self, index: Packets, head: headers.Headers, ordinal: Ints) -> Traffic:
        rows = np.flatnonzero(head.status == Status.OK)
        return Traffic._make((
            index.ts[rows] + self._offset_ns, index.timed[rows], ordinal[rows], index.wirelen[rows],
            *(column[rows] for column in (
                head.protocol, head.src, head.dst, head.sport, head.dport, head.mac, head.has_mac,
                head.tunnel, head.seq, head.flags, head.at, head.length, head.cut,
            )),
        ))  # fmt: skip

    def _count(self, index: Packets, head: headers.Headers, ordinal: Ints) -> None:
        """Put what the headers' kernel could not read into the ledger."""
        for status, reason in _REASONS.items():
            rows = np.flatnonzero(head.status == status)
            self._skip(reason, rows, index, ordinal)
        unsupported = head.status == Status.UNSUPPORTED
        for link_type in np.unique(index.link_type[unsupported]):
            rows = np.flatnonzero(unsupported & (index.link_type == link_type))
            reason = f"link type {link_type} is not supported"
            if link_type < 0:
                reason = "a packet of an interface that the file does not describe"
            self._skip(reason, rows, index, ordinal)
        if not index.timed.all():
            self._tally.notes.add("some packets carry no usable time")

    def _skip(self, reason: str, rows: Ints, index: Packets, ordinal: Ints) -> None:
        if rows.size:
            size = int(index.caplen[rows].sum())
            self._tally.skip(reason, ordinal[rows[:5]], count=len(rows), size=size)

    def _slow(
        self, window: Window, index: Packets, head: headers.Headers, ordinal: Ints
    ) -> Iterator[pa.RecordBatch]:
        """Fragments: whole datagrams go through the same kernels as a small window of their own."""
        done: list[tuple[int, bytes]] = []
        for row in np.flatnonzero(head.status == Status.SLOW).tolist():
            begin, at, length = int(head.ip_at[row]), int(head.at[row]), int(head.length[row])
            packet = window.data[begin : at + length]
            if head.cut[row]:
                self._tally.skip("an IP fragment is cut short", [int(ordinal[row])])
                datagram = first_part(packet)
            else:
                datagram = self._fragments.add(packet, at - begin, int(ordinal[row]))
            if datagram is not None:
                done.append((row, datagram))
        if not done:
            return
        rows = np.array([row for row, _ in done])
        caplen = np.array([len(data) for _, data in done])
        raw = Packets(
            np.cumsum(caplen) - caplen,
            caplen,
            index.wirelen[rows],
            index.ts[rows],
            index.timed[rows],
            np.full(len(rows), _RAW_IP),
        )
        small = Window(b"".join(data for _, data in done))
        inner = headers.read_headers(small, raw.at, raw.caplen, raw.link_type)
        self._count(raw, inner, ordinal[rows])
        inner = inner._replace(mac=head.mac[rows], has_mac=head.has_mac[rows], tunnel=head.tunnel[rows])
        yield from self._events(small, self._traffic(raw, inner, ordinal[rows]))

    def _events(self, window: Window, traffic: Traffic) -> Iterator[pa.RecordBatch]:
        is_dns = dns_events.is_dns(traffic)
        is_arp = traffic.protocol == cursor.ARP
        rest = traffic.take(~is_dns & ~is_arp)
        keys, swapped = flows.flow_keys(rest.src, rest.dst, rest.sport, rest.dport, rest.protocol)
        groups = flows.group(keys)
        names = np.ascontiguousarray(keys[groups.first]).view("S40").ravel().tolist()
        self._flows.add(rest, groups, swapped, names)
        segment = np.flatnonzero((rest.protocol == cursor.TCP) & (rest.length > 0))
        found = self._streams.read(window, rest.take(segment), groups.of[segment], swapped[segment], names)
        yield from self._dns([(window, traffic.take(is_dns)), *((f.window, f.traffic) for f in found.dns)])
        for part in found.tls:
            yield from self._hellos(part, dtls=False)
        yield from self._dtls(window, rest, groups.of, names)
        for part in found.http:
            yield from self._requests(part)
        yield from self._arp(traffic.take(is_arp))

    def _dns(self, parts: list[tuple[Window, Traffic]]) -> Iterator[pa.RecordBatch]:
        asks = [
            dns_events.read_asks(window, traffic, self._tally)
            for window, traffic in parts
            if len(traffic.ts)
        ]
        joined = self._joiner.join(dns_events.concatenate(asks) if asks else None, final=False)
        yield from self._batches("dns", joined)

    def _dtls(
        self, window: Window, traffic: Traffic, of: Ints, keys: list[bytes]
    ) -> Iterator[pa.RecordBatch]:
        is_udp = traffic.protocol == cursor.UDP
        rows = np.flatnonzero(is_udp & tls.is_dtls_hello(window, traffic.at, traffic.length))
        part = traffic.take(rows)
        part = part._replace(at=part.at + 13, length=part.length - 13)  # RFC 6347 section 4.1
        yield from self._hellos(Found(window, part, [keys[k] for k in of[rows]]), dtls=True)

    def _hellos(self, found: Found, *, dtls: bool) -> Iterator[pa.RecordBatch]:
        window, traffic, flow = found
        if not len(traffic.ts):
            return
        hello = tls.read_hellos(window, traffic.at, traffic.length, dtls=dtls)
        good = web_events.readable(hello)
        bad = np.flatnonzero(~good)
        if bad.size:
            self._tally.skip("a TLS hello is malformed", traffic.ordinal[bad[:5]], count=len(bad))
        hello = tls.Hellos(*(column[good] for column in hello))
        columns = web_events.hello_columns(window, traffic.take(good), hello)
        self._name_flows(columns, np.flatnonzero(good), flow)
        yield from self._batches("tls", columns)

    def _requests(self, found: Found) -> Iterator[pa.RecordBatch]:
        window, traffic, flow = found
        if not len(traffic.ts):
            return
        request = http.read_requests(window, traffic.at, traffic.length)
        good = request.status == Status.OK
        request = request.take(good)
        columns = web_events.request_columns(traffic, request)
        self._name_flows(columns, request.payload, flow)
        yield from self._batches("http", columns)

    def _name_flows(self, columns: dict[str, Any], rows: Ints, flow: list[bytes]) -> None:
        names, sources = columns["name"].to_pylist(), columns["name_source"].to_pylist()
        for row, name, source in zip(rows.tolist(), names, sources, strict=True):
            if name is not None:
                self._flows.name(flow[row], name, source)

    def _arp(self, traffic: Traffic) -> Iterator[pa.RecordBatch]:
        columns = packets.columns(traffic)
        kept = {c: columns[c] for c in ("ts", "client_ip", "client_mac", "server_ip", "tunnel", "ordinal")}
        kept["message"] = packets.words(np.where(traffic.flags <= 2, traffic.flags, 0), _ARP_WORDS)
        yield from self._batches("arp", kept)

    def _batches(self, kind: str, columns: dict[str, Any]) -> Iterator[pa.RecordBatch]:
        rows = len(columns["ordinal"]) if columns else 0
        if not rows:
            return
        columns = {**columns, "file": self._tally.identity.id}
        if self._site:
            columns["site"] = self._site
        whole = conform(kind, columns, rows)
        for start in range(0, rows, BATCH_ROWS):
            batch = whole.slice(start, BATCH_ROWS)
            self._tally.add(batch, kind)
            yield batch
