"""Translation records as spans, found again by public address and port."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from netaudit.attribution.columns import NONE, SECOND, Records, codes_of, combine
from netaudit.attribution.held import Held
from netaudit.attribution.intervals import Index
from netaudit.attribution.spans import Spans, end_at_next, pair
from netaudit.attribution.trace import Question
from netaudit.attribution.words import Role, denied, momentary, roles
from netaudit.records.addresses import format_ip

CAPS_S = {"tcp": 432_000, "udp": 180, "icmp": 30, "icmpv6": 30}
"""Longest life of a session without traffic, Linux conntrack's defaults: what a session counts
for at most where its end (or its beginning) is not in the log."""
OTHER_CAP_S = 600
BLOCK_CAP_S = 432_000
"""A block of ports stays with its subscriber as long as a session does."""
PORTS = 65_536


class NatLog:
    """All translations, sorted once."""

    def __init__(self, records: Records, site: np.ndarray) -> None:
        """Build from records of the kind ``nat``.

        Args:
            records: The table.
            site: ``(n,)`` site code of each row.
        """
        self._records = records
        inside, insides = records.codes("client_ip")
        public, publics = records.codes("public_ip")
        transport, transports = records.words("transport")
        server, servers = records.codes("server_ip")
        low, high = records.numbers("public_port"), records.numbers("public_port_end")
        spans = _sessions(records, site, transport, transports)
        chosen = np.flatnonzero((public[spans.first] >= 0) & (inside[spans.first] >= 0))
        spans = spans.take(chosen)
        row = spans.first
        self.public, self.low = public[row], np.where(low[row] < 0, 0, low[row])
        self.high = np.where(low[row] < 0, PORTS - 1, np.maximum(high[row], low[row]))
        self.server, self.server_port = server[row], records.numbers("server_port")[row]
        self.transport = transport[row]
        place = combine(
            self.public, self.low, self.high, self.transport, self.server, self.server_port, site[row]
        )
        spans = end_at_next(spans, place, inside[row])
        self.insides = insides
        self._publics = codes_of(publics)
        self._inside_codes = codes_of(insides)
        self._servers = codes_of(servers)
        self._transports = {word.lower(): code for code, word in enumerate(transports)}
        self.held = Held(
            spans, inside[row], site[row], (records,), np.zeros(len(row), np.int64), self._name
        )
        single = np.flatnonzero(self.low == self.high)
        block = np.flatnonzero(self.low != self.high)
        self._by_port = Index(self.public * PORTS + self.low, spans.start, spans.end, single)
        self._by_block = Index(self.public, spans.start, spans.end, block)
        self._by_public = Index(self.public, spans.start, spans.end)

    def __len__(self) -> int:
        """Number of spans."""
        return len(self.public)

    def around(self, question: Question, low: int, high: int) -> np.ndarray:
        """Spans that fit address, port, transport and destination of `question`, in a time.

        What a record does not say (a pool's log without destination) fits.
        """
        public = self._publics.get(question.public_ip, -1)
        if public < 0:
            return np.empty(0, np.int64)
        if question.port is None:
            rows = self._by_public.overlapping(public, low, high)
        else:
            blocks = self._by_block.overlapping(public, low, high)
            inside = (self.low[blocks] <= question.port) & (question.port <= self.high[blocks])
            single = self._by_port.overlapping(public * PORTS + question.port, low, high)
            rows = np.concatenate((single, blocks[inside]))
        fitting: np.ndarray = rows[self._fits(question, rows)]
        return fitting

    def names_destination(self, rows: np.ndarray) -> np.ndarray:
        """Which spans say where they went."""
        named: np.ndarray = self.server[rows] >= 0
        return named

    @property
    def tells_destinations(self) -> bool:
        """Whether every translation says where it went."""
        return len(self) > 0 and bool((self.server >= 0).all())

    def active(self, low: int, high: int) -> set[bytes]:
        """Inside addresses with a session in a time."""
        spans = self.held.spans
        seen = np.unique(self.held.holder[(spans.start <= high) & (spans.end >= low)])
        return {self.insides[int(code)].as_py() for code in seen}

    def address(self, span: int) -> bytes:
        """Inside address of a span."""
        packed: bytes = self.insides[int(self.held.holder[span])].as_py()
        return packed

    def knows(self, address: bytes) -> bool:
        """Whether any translation names `address` as an inside one."""
        return address in self._inside_codes

    def is_public(self, address: bytes) -> bool:
        """Whether `address` is itself one that others hide behind."""
        code = self._publics.get(address, -1)
        own = self._inside_codes.get(address, -2)
        return code >= 0 and bool(((self.public == code) & (self.held.holder != own)).any())

    def publics(self) -> list[bytes]:
        """Every public address in the log."""
        return [p for p in self._publics if isinstance(p, bytes)]

    def _fits(self, question: Question, rows: np.ndarray) -> np.ndarray:
        fits = np.ones(len(rows), bool)
        if question.transport:
            wanted = self._transports.get(question.transport.lower(), -2)
            fits &= np.isin(self.transport[rows], (-1, wanted))
        if question.dst_ip is not None:
            fits &= np.isin(self.server[rows], (-1, self._servers.get(question.dst_ip, -2)))
        if question.dst_port is not None:
            fits &= np.isin(self.server_port[rows], (-1, question.dst_port))
        return fits

    def _name(self, span: int) -> str:
        return format_ip(self.address(span))


def _sessions(records: Records, site: np.ndarray, transport: np.ndarray, transports: list[str]) -> Spans:
    """NEW and DESTROY (or their like) joined by session id and tuple, and order."""
    begun, ended = records.nanos("ts"), records.nanos("ts_end")
    role = roles("nat", records)
    role = np.where((ended != NONE) & (role != Role.IGNORE), Role.END, role)
    time = np.where((role == Role.END) & (ended != NONE), ended, begun)
    events = np.flatnonzero((role != Role.IGNORE) & ~denied(records) & (time != NONE))
    session, _ = records.words("session")
    # An end may leave the public side out (ASA's teardown); then the session id stands for it.
    unnamed = session < 0
    public = np.where(unnamed, records.codes("public_ip")[0], -1)
    port = np.where(unnamed, records.numbers("public_port"), -1)
    group = combine(
        session,
        site,
        transport,
        records.codes("client_ip")[0],
        records.numbers("client_port"),
        records.codes("server_ip")[0],
        records.numbers("server_port"),
        public,
        port,
    )
    caps = np.array([CAPS_S.get(word.lower(), OTHER_CAP_S) for word in transports] + [OTHER_CAP_S])
    block = records.numbers("public_port_end") > records.numbers("public_port")
    cap = np.where(block, BLOCK_CAP_S, caps[transport]) * SECOND
    cap = np.where(momentary(records), 0, cap)
    spans = pair(
        group[events],
        time[events],
        records.order()[events],
        role[events],
        begun=np.where(ended != NONE, begun, NONE)[events],
        cap=cap[events],
    )
    return replace(spans, first=events[spans.first], last=events[spans.last])
