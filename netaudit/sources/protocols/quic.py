"""ClientHellos in QUIC Initials, and the CHLOs of Google's QUIC: ``quic`` events (RFC 9000, RFC 9001)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from netaudit.intake.tally import FIRST_KEPT, Tally
from netaudit.kernels import quic, tls
from netaudit.kernels.octets import Bytes, Ints, Octets, octets, octets_of
from netaudit.kernels.packet import MESSAGE, Kind, Rows
from netaudit.sources import encrypted_dns, hello
from netaudit.sources.messages import Messages, columns, words
from netaudit.sources.protocols import Events, Protocol
from netaudit.sources.quic_connections import MAX_CONNECTIONS, Connection, Flow, Flows, opened, opened_cut
from netaudit.sources.quic_keys import spelled

_AT_A_TIME = 4096
"""Datagrams that are opened before hellos are read."""

_TURNED = (2, 3, 0, 1, 5, 4)
"""The ends of a message as its receiver has them."""

_NO_KEY = "QUIC, name unknown: no key opens its packets"
_NOT_WHOLE = "QUIC, name unknown: its hello is not whole"


class _Quic:
    """Connections of one file."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._flows = Flows(self._leave)
        self._touched: dict[Connection, None] = {}
        self._left: dict[Connection, Flow] = {}

    def read(self, messages: Messages) -> Iterator[Events]:
        """Events of hellos that are whole now."""
        for start in range(0, len(messages), _AT_A_TIME):
            some = messages.take(np.arange(start, min(start + _AT_A_TIME, len(messages))))
            found = np.zeros(len(some) * quic.MAX_COALESCED, quic.PACKET)
            count = quic.find_packets(some.arena, some.rows["at"], some.rows["length"], found)
            yield from self._plain(some, self._open(some, found[:count]))
            yield from self._give()

    def close(self) -> Iterator[Events]:
        """Hellos that never became whole, as far as they go."""
        self._flows.forget_all()
        yield from self._give()

    def _open(self, messages: Messages, packets: Rows) -> Rows:
        """Put each Initial where it belongs; gives the plain CHLOs of new connections."""
        view, rows, raw = messages.arena.u8.data, messages.rows, messages.rows.tobytes()
        ends = [rows[name].tolist() for name in ("src0", "src1", "dst0", "dst1", "sport", "dport")]
        senders = list(zip(*ends, strict=True))
        receivers = list(zip(*[ends[which] for which in _TURNED], strict=True))
        stops = (rows["at"] + rows["length"]).tolist()
        plain = []
        names = ("message", "at", "dcid_at", "dcid_length", "number_at", "end", "version", "plain")
        for place, (message, at, dcid_at, dcid_length, number_at, end, version, is_plain) in enumerate(
            zip(*(packets[name].tolist() for name in names), strict=True)
        ):
            answered = self._flows.get(receivers[message])
            if answered is not None and answered.by_id:
                continue  # a server's
            flow = self._flows.sent_by(senders[message])
            dcid = bytes(view[dcid_at : dcid_at + dcid_length])
            known = flow.by_id.get(dcid)
            if known is not None and known.done:
                continue
            first = raw[message * rows.itemsize : (message + 1) * rows.itemsize]
            if is_plain:
                if len(flow.by_id) < MAX_CONNECTIONS:
                    flow.by_id[dcid] = Connection(first, version, None, done=True)
                plain.append(place)
                continue
            is_whole = end <= stops[message]
            packet = bytes(view[at : min(end, stops[message])])
            way = opened if is_whole else opened_cut
            may_be = is_whole or rows["cut"][message]
            connection = way(flow, dcid, version, packet, number_at - at, first) if may_be else None
            if connection is not None:
                self._touched[connection] = None
                if answered is not None:
                    answered.failed = 0  # the server's, seen first
            elif not rows["back"][message]:
                flow.failed = flow.failed or int(rows["ordinal"][message])
        return packets[plain]

    def _leave(self, flow: Flow) -> None:
        """A flow is forgotten: what it waited for did not come."""
        if flow.failed and not flow.by_id:
            self._tally.skip(_NO_KEY, [flow.failed])
        self._left.update(dict.fromkeys((one for one in flow.by_id.values() if not one.done), flow))

    def _ready(self, waiting: list[Connection], whole: np.ndarray) -> np.ndarray:
        """Which are whole, or are given up although nothing of their flow was given.

        After a Retry or a negotiation of versions, a client says the same hello once more.
        """
        for one, is_whole in zip(waiting, whole.tolist(), strict=True):
            one.done = is_whole
        left = [self._left.get(one) for one in waiting]
        given_up = [flow is not None and not any(c.done for c in flow.by_id.values()) for flow in left]
        ready: np.ndarray = whole | np.array(given_up)
        return ready

    def _give(self) -> Iterator[Events]:
        """Hellos that are whole, and all that there is of those of connections that are forgotten."""
        waiting = [one for one in {**self._touched, **self._left} if not one.done]
        yield from self._hellos([one for one in waiting if one.version != quic.Q050])
        yield from self._google([one for one in waiting if one.version == quic.Q050])
        self._touched.clear()
        self._left.clear()

    def _hellos(self, waiting: list[Connection]) -> Iterator[Events]:
        """ClientHellos of TLS."""
        if not waiting:
            return
        data, begins, sizes = _streams(waiting)
        ready = self._ready(waiting, _are_whole(data.u8, begins, sizes))
        rows, versions, ready = _finished(waiting, ready)
        hellos = hello.read(data, begins[ready], sizes[ready], tls.QUIC)
        good = hellos.readable()
        self._unknown(_NOT_WHOLE, rows[~good])
        if good.any():
            version = _versions(versions[good])
            yield Events("quic", *hello.events(rows[good], hellos.take(good), self._tally, version))

    def _google(self, waiting: list[Connection]) -> Iterator[Events]:
        """CHLOs that are encrypted as Initials are (Q050)."""
        if not waiting:
            return
        data, begins, sizes = _streams(waiting)
        spans = np.array(
            [quic.server_name(data, *span) for span in zip(begins, sizes, strict=True)], np.int64
        )
        ready = self._ready(waiting, spans[:, 2] > 0)
        rows, versions, ready = _finished(waiting, ready)
        if len(rows):
            yield _named(rows, versions, data, spans[ready, 1], spans[ready, 2])

    def _plain(self, messages: Messages, packets: Rows) -> Iterator[Events]:
        """CHLOs that are not encrypted."""
        if len(packets):
            rows = messages.rows[packets["message"]]
            yield _named(
                rows, packets["version"], messages.arena, packets["name_at"], packets["name_length"]
            )

    def _unknown(self, reason: str, rows: Rows) -> None:
        if len(rows):
            self._tally.skip(reason, rows["ordinal"][:FIRST_KEPT], count=len(rows))


def _streams(connections: list[Connection]) -> tuple[Octets, Ints, Ints]:
    """The CRYPTO streams of connections, as far as they go without a gap: octets, begins, sizes."""
    contents = [piece for one in connections for piece in one.contents]
    length = np.array([len(piece) for piece in contents], np.int64)
    stream = np.repeat(np.arange(len(connections)), [len(one.contents) for one in connections])
    out = np.zeros(int(length.sum()), np.uint8)
    begins, sizes = np.zeros(len(connections), np.int64), np.zeros(len(connections), np.int64)
    data = octets_of(b"".join(contents))
    quic.put_together(
        data,
        np.cumsum(length) - length,
        length,
        stream,
        np.zeros(2 * quic.MAX_STREAM, np.uint8),
        out,
        begins,
        sizes,
    )
    return octets(out), begins, sizes


def _are_whole(data: Bytes, begins: Ints, sizes: Ints) -> np.ndarray:
    """Which streams hold a handshake message to its end (RFC 8446 section 4)."""
    whole = sizes >= 4
    heads = data[begins[whole, None] + np.arange(1, 4)].astype(np.int64)
    whole[whole] = (heads @ [1 << 16, 1 << 8, 1]) + 4 <= sizes[whole]
    return whole


def _finished(waiting: list[Connection], ready: np.ndarray) -> tuple[Rows, Ints, Ints]:
    """Those that are ready, from which nothing more is wanted, in the file's order: rows, versions, places."""
    places = np.flatnonzero(ready)
    chosen = [waiting[place] for place in places.tolist()]
    for one in chosen:
        one.finish()
    rows = np.frombuffer(b"".join(one.first for one in chosen), MESSAGE)
    order = np.argsort(rows["ordinal"], kind="stable")
    return rows[order], np.array([one.version for one in chosen], np.int64)[order], places[order]


def _named(rows: Rows, version: Ints, data: Octets, at: Ints, length: Ints) -> Events:
    """Events of CHLOs, which have a server name and nothing else that a ClientHello has."""
    name = hello.host_names(hello.gather(data.u8, at, length))
    known = name.is_valid().to_numpy(zero_copy_only=False)
    source = np.where(known, 1, 0)
    found = {
        **columns(rows),
        "name": name,
        "name_source": words(source, [None, "sni"]),
        "version": _versions(version),
        "transport_detail": encrypted_dns.marks(name, rows["dport"], np.full(len(rows), True)),
    }
    return Events("quic", found, np.where(known, rows["flow"], -1))


def _versions(numbers: Ints) -> pa.Array:
    distinct, index = np.unique(numbers, return_inverse=True)
    return pa.array([spelled(int(number)) for number in distinct], pa.string()).take(pa.array(index))


PROTOCOL = Protocol("quic", (Kind.QUIC,), _Quic)
