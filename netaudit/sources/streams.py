"""TCP: what stands in one segment is read at once; what is spread over several is put together.

Only streams that began something they did not finish (a hello, a request head, a DNS message) are
held, each within bounds, so the many that hold nothing of interest cost nothing.
"""

from __future__ import annotations

import re
import struct
from collections import OrderedDict
from typing import NamedTuple

import numpy as np

from netaudit.intake.tally import Tally
from netaudit.kernels import http, tls
from netaudit.kernels.status import Status
from netaudit.kernels.window import Bools, Ints, Window
from netaudit.sources import traffic as packets
from netaudit.sources.traffic import Traffic

MAX_STREAM = 65_536 + 2
"""Octets held of one stream: the greatest DNS message and its length."""
MAX_STREAMS = 4096
MAX_HELD = 32 << 20

_DNS_PORTS = (53, 5353)
TLS, HTTP, DNS = 0, 1, 2
LOST = (
    "a TLS hello without its rest",
    "an HTTP request without its rest",
    "a DNS message over TCP without its rest",
)

_HOST_OR_END = re.compile(rb"\n(?:\r?\n|host:[^\n]*\n)", re.IGNORECASE)


class Found(NamedTuple):
    """Payloads to be read, of one protocol, in one window; `traffic.at` and `length` say where."""

    window: Window
    traffic: Traffic
    flow: list[bytes]
    """The flow of each, as a key of the flow table."""


class Pieces(NamedTuple):
    """What the TCP segments of one piece of a file hold."""

    tls: list[Found]
    """From the handshake type octet on."""
    http: list[Found]
    dns: list[Found]


class _Open:
    """One stream from where something began."""

    __slots__ = ("base", "flow", "held", "kind", "origin", "parts", "ready", "row")

    def __init__(self, kind: int, base: int, row: int, flow: bytes) -> None:
        self.kind = kind
        self.base = base
        self.row = row
        self.flow = flow
        self.origin: Traffic | None = None
        self.parts: dict[int, bytes] = {}
        self.ready = bytearray()
        self.held = 0

    def put(self, seq: int, data: bytes) -> None:
        """Take a segment, whatever its place; what is there already stays."""
        offset = (seq - self.base + 0x80000000) % 0x100000000 - 0x80000000  # RFC 9293 section 3.4
        begin = len(self.ready)
        if offset + len(data) <= begin or offset >= MAX_STREAM:
            return
        if offset > begin:
            if len(self.parts.get(offset, b"")) < len(data):
                self.held += len(data) - len(self.parts.get(offset, b""))
                self.parts[offset] = data
            return
        self.ready += data[begin - offset :]
        while self.parts and (nearest := min(self.parts)) <= len(self.ready):
            self.ready += self.parts.pop(nearest)[len(self.ready) - nearest :]
        self.held = len(self.ready) + sum(map(len, self.parts.values()))


class Streams:
    """Streams of a file that wait for more segments."""

    def __init__(self, tally: Tally) -> None:
        """Losses are counted in `tally`."""
        self._tally = tally
        self._open: OrderedDict[tuple[bytes, int], _Open] = OrderedDict()
        self._held = 0
        self._out: tuple[list[tuple[_Open, bytes]], ...] = ([], [], [])

    def read(self, window: Window, segments: Traffic, of: Ints, side: Bools, keys: list[bytes]) -> Pieces:
        """Find hellos, requests and DNS messages in TCP segments.

        Args:
            window: Where the segments lie.
            segments: TCP packets with a payload, in file order.
            of: Of each: index of its flow in `keys`.
            side: Of each: its direction within the flow.
            keys: The flows of this piece.
        """
        self._out = ([], [], [])
        stream = of * 2 + side
        is_new = _not_sent_twice(stream, segments.seq, segments.length)
        is_tls = is_new & tls.is_hello(window, segments.at, segments.length)
        is_http = is_new & http.is_request(window, segments.at, segments.length)
        is_dns = np.isin(segments.sport, _DNS_PORTS) | np.isin(segments.dport, _DNS_PORTS)
        waiting = self._waiting(keys)
        busy = np.zeros(2 * len(keys), np.bool_)
        busy[waiting] = True

        whole_hello = _whole_hello(window, segments, is_tls)
        request, begun = _requests(window, segments, np.flatnonzero(is_http & ~is_tls))
        whole_message = _whole_message(window, segments, is_dns)
        busy[stream[is_tls & ~whole_hello]] = True
        busy[stream[begun >= 0]] = True
        busy[stream[is_dns & ~whole_message]] = True
        whole_message &= is_new & ~busy[stream]

        begun[is_tls & ~whole_hello] = 0
        begun[is_dns] = 0
        kind = np.select([is_dns, is_tls], [DNS, TLS], HTTP)
        rows = np.flatnonzero(busy[stream])
        rows = rows[np.argsort(stream[rows], kind="stable")]
        for part in np.split(rows, np.flatnonzero(np.diff(stream[rows])) + 1):
            if part.size:
                number = int(stream[part[0]])
                self._follow(
                    (keys[number // 2], number % 2), window, segments, part, begun=begun, kind=kind
                )
        self._keep_origins(segments)
        return Pieces(
            [_direct(window, segments, whole_hello, of, keys, skip=5), *self._collect(TLS, segments)],
            [_direct(window, segments, request, of, keys, skip=0), *self._collect(HTTP, segments)],
            [_direct(window, segments, whole_message, of, keys, skip=2), *self._collect(DNS, segments)],
        )

    def close(self) -> None:
        """Count what never became whole."""
        while self._open:
            self._give_up(self._open.popitem(last=False)[1])

    def _waiting(self, keys: list[bytes]) -> list[int]:
        if not self._open:
            return []
        index = {key: number for number, key in enumerate(keys)}
        return [2 * index[key] + side for key, side in self._open if key in index]

    def _follow(
        self,
        key: tuple[bytes, int],
        window: Window,
        segments: Traffic,
        rows: Ints,
        *,
        begun: Ints,
        kind: Ints,
    ) -> None:
        """Put the segments of one stream together."""
        held = self._open.pop(key, None)
        self._held -= held.held if held else 0
        seqs, begins, kinds = segments.seq[rows].tolist(), begun[rows].tolist(), kind[rows].tolist()
        at, length = segments.at[rows].tolist(), segments.length[rows].tolist()
        for number, row in enumerate(rows.tolist()):
            begin = begins[number]
            if held is not None and begin >= 0 and _is_stuck(held, seqs[number]):
                self._give_up(held)
                held = None
            if held is None:
                if begin < 0:
                    continue
                held = _Open(kinds[number], seqs[number] + begin, row, key[0])
                for k in range(number):  # segments that overtook their beginning
                    if 0 < (seqs[k] - held.base) % 0x100000000 < MAX_STREAM:
                        held.put(seqs[k], window.data[at[k] : at[k] + length[k]])
            held.put(seqs[number], window.data[at[number] : at[number] + length[number]])
            held = self._advance(held, row)
        if held is not None:
            self._open[key] = held
            self._held += held.held
            self._make_room()

    def _advance(self, held: _Open, row: int) -> _Open | None:
        """Take out what is complete; None where nothing more is awaited."""
        if held.kind == DNS:
            return self._advance_dns(held, row)
        whole = _handshake(held.ready) if held.kind == TLS else _request_head(held.ready)
        if whole is None:
            if len(held.ready) < MAX_STREAM - 2:
                return held
            self._give_up(held)
        elif whole:
            self._out[held.kind].append((held, whole))
        return None

    def _advance_dns(self, held: _Open, row: int) -> _Open | None:
        while len(held.ready) >= 2:
            (size,) = struct.unpack_from("!H", held.ready)
            if size < 12:  # no DNS message is that short: the stream was joined in its middle
                self._give_up(held)
                return None
            if len(held.ready) < 2 + size:
                break
            self._out[DNS].append((held, bytes(held.ready[2 : 2 + size])))
            rest = _Open(DNS, (held.base + 2 + size) % 0x100000000, row, held.flow)
            rest.ready = held.ready[2 + size :]
            rest.parts = {k - 2 - size: v for k, v in held.parts.items()}
            rest.held = held.held - 2 - size
            held = rest
        return held if held.ready or held.parts else None

    def _keep_origins(self, segments: Traffic) -> None:
        """Row numbers end with the piece; what stays open takes its row along."""
        for held in self._open.values():
            if held.row >= 0:
                held.origin = segments.take(np.array([held.row]))
                held.row = -1

    def _make_room(self) -> None:
        while len(self._open) > MAX_STREAMS or self._held > MAX_HELD:
            _, oldest = self._open.popitem(last=False)
            self._held -= oldest.held
            self._give_up(oldest)

    def _give_up(self, held: _Open) -> None:
        ordinals = [] if held.origin is None else held.origin.ordinal.tolist()
        self._tally.skip(LOST[held.kind], ordinals, count=1, size=held.held)

    def _collect(self, kind: int, segments: Traffic) -> list[Found]:
        """What was put together, as one window."""
        out = self._out[kind]
        if not out:
            return []
        out.sort(key=lambda one: one[0].row)  # those from earlier pieces have row -1
        carried = [held.origin for held, _ in out if held.origin is not None]
        rows = np.array([held.row for held, _ in out[len(carried) :]], np.int64)
        traffic = packets.concatenate([*carried, segments.take(rows)])
        sizes = np.array([len(data) for _, data in out])
        at = np.cumsum(sizes) - sizes
        return [
            Found(
                Window(b"".join(data for _, data in out)),
                traffic._replace(at=at, length=sizes),
                [held.flow for held, _ in out],
            )
        ]


def _direct(
    window: Window, segments: Traffic, chosen: Bools, of: Ints, keys: list[bytes], *, skip: int
) -> Found:
    """What is whole in its segment, behind `skip` octets of framing."""
    rows = np.flatnonzero(chosen)
    part = segments.take(rows)
    part = part._replace(at=part.at + skip, length=part.length - skip)
    return Found(window, part, [keys[flow] for flow in of[rows].tolist()])


def _not_sent_twice(stream: Ints, seq: Ints, length: Ints) -> Bools:
    """Without segments that were seen before with the same beginning and end."""
    identity = np.column_stack((stream << 32 | seq, length))
    fresh = np.zeros(len(stream), np.bool_)
    if len(stream):
        order = np.lexsort((identity[:, 1], identity[:, 0]))
        differs = (identity[order[1:]] != identity[order[:-1]]).any(axis=1)
        fresh[order[np.append(True, differs)]] = True
    return fresh


def _whole_hello(window: Window, segments: Traffic, is_tls: Bools) -> Bools:
    """Hellos that lie whole in one record of one segment."""
    whole = np.zeros(len(is_tls), np.bool_)
    rows = np.flatnonzero(is_tls & (segments.length >= 9))
    at = segments.at[rows]
    record = window.u16(at + 3)
    message = (window.u8(at + 6) << 16) | window.u16(at + 7)
    whole[rows] = (message + 4 <= record) & (message + 9 <= segments.length[rows])
    return whole


def _whole_message(window: Window, segments: Traffic, is_dns: Bools) -> Bools:
    """Segments that are just one DNS message with its length (RFC 1035 section 4.2.2)."""
    whole = np.zeros(len(is_dns), np.bool_)
    rows = np.flatnonzero(is_dns & (segments.length >= 14))
    whole[rows] = window.u16(segments.at[rows]) + 2 == segments.length[rows]
    return whole


def _requests(window: Window, segments: Traffic, rows: Ints) -> tuple[Bools, Ints]:
    """Segments with a whole request, and of each where in it an unfinished one begins (or -1)."""
    whole = np.zeros(len(segments.at), np.bool_)
    begun = np.full(len(segments.at), -1, np.int64)
    if rows.size:
        found = http.read_requests(window, segments.at[rows], segments.length[rows])
        whole[rows[found.payload[found.status == Status.OK]]] = True
        is_open = found.status == Status.TRUNCATED
        begun[rows[found.payload[is_open]]] = found.begin[is_open]
    return whole, begun


def _is_stuck(held: _Open, seq: int) -> bool:
    """Whether something new begins where what is held cannot reach any more, or before it."""
    ahead = (seq - held.base) % 0x100000000
    return ahead >= MAX_STREAM


def _handshake(data: bytearray) -> bytes | None:
    """The hello without record headers; None while it is not whole, empty where it is none."""
    body = bytearray()
    at = 0
    while at + 5 <= len(data):
        if data[at] != 0x16:
            return b""
        (size,) = struct.unpack_from("!H", data, at + 3)
        body += data[at + 5 : at + 5 + size]
        at += 5 + size
        if len(body) >= 4 and len(body) >= 4 + int.from_bytes(body[1:4], "big"):
            return bytes(body)
        if size == 0:
            return b""
    return None


def _request_head(data: bytearray) -> bytes | None:
    """The request once its Host line or its end is there."""
    return bytes(data) if _HOST_OR_END.search(data) else None
