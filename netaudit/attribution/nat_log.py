"""Translation records as spans, found again by public address and port."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa

from netaudit.attribution.columns import NONE, SECOND, Records, combine
from netaudit.attribution.held import Held
from netaudit.attribution.intervals import Index, Pairs
from netaudit.attribution.packed import Codes, Packed
from netaudit.attribution.questions import ABSENT, Questions
from netaudit.attribution.spans import Spans, concat, end_at_next, pair, start_at_previous
from netaudit.attribution.words import Role, denied, momentary, roles
from netaudit.records.addresses import format_ip

CAPS_S = {"tcp": 432_000, "udp": 180, "icmp": 30, "icmpv6": 30}
"""Longest life of a session without traffic, Linux conntrack's defaults: what a session counts
for at most where its end (or its beginning) is not in the log."""
OTHER_CAP_S = 600
BLOCK_CAP_S = 432_000
"""A block of ports stays with its subscriber as long as a session does; so does a whole address,
where a record names neither port nor transport (a static or one-to-one translation)."""
PORTS = 65_536
BEGINS_NEAR_S = 60
"""How far a translation and the beginning that the end of a session tells may lie apart, for an end
that names neither public side nor id: both are of the first packet, of one clock."""
AT_ONCE = 2_000_000
"""Records that are joined at a time, so that memory is bounded."""
_UNHEARD = -2
"""Stands for a transport or destination that a question says and no record has."""


class NatLog:
    """All translations, sorted once."""

    def __init__(self, records: Records, site: np.ndarray) -> None:
        """Build from records of the kind ``nat``.

        Args:
            records: The table.
            site: ``(n,)`` site code of each row.
        """
        self._records = records
        self._client_port: np.ndarray | None = None
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
        spans = start_at_previous(spans, place, inside[row])
        self.publics, self.insides, self.servers = Codes(publics), Codes(insides), Codes(servers)
        self._transports = {word.lower(): code for code, word in enumerate(transports)}
        self.held = Held(spans, inside[row], site[row], (records,), np.zeros(len(row), np.int8), self._name)
        single = np.flatnonzero(self.low == self.high)
        block = np.flatnonzero(self.low != self.high)
        ports = self.public.astype(np.int64) * PORTS + self.low
        self._by_port = Index(ports, spans.start, spans.end, single)
        self._by_block = Index(self.public, spans.start, spans.end, block)
        self._by_public = Index(self.public, spans.start, spans.end)
        self._first_behind = np.full(len(publics), len(insides))
        self._last_behind = np.full(len(publics), -1)
        np.minimum.at(self._first_behind, self.public, self.held.holder)
        np.maximum.at(self._last_behind, self.public, self.held.holder)

    def __len__(self) -> int:
        """Number of spans."""
        return len(self.public)

    def around(self, asked: Questions, low: np.ndarray, high: np.ndarray) -> Pairs:
        """Spans that fit address, port, transport and destination of each question, in a time.

        What a record does not say (a pool's log without destination) fits.
        """
        public = self.publics.of(asked.public)
        anywhere = np.where(asked.port == ABSENT, public, -1)
        within = np.where((asked.port >= 0) & (asked.port < PORTS), public, -1)
        blocks = self._by_block.overlapping(within, low, high)
        port = asked.port[blocks.question]
        found = Pairs.joined(
            (
                self._by_public.overlapping(anywhere, low, high),
                self._by_port.overlapping(np.where(within < 0, -1, within * PORTS + asked.port), low, high),
                blocks.where((self.low[blocks.row] <= port) & (port <= self.high[blocks.row])),
            )
        )
        return found.where(self._fits(asked, found))

    def client_ports(self, rows: np.ndarray) -> np.ndarray:
        """``(n,)`` source port of the inside host of some spans, -1 where it is not said."""
        if self._client_port is None:
            self._client_port = self._records.numbers("client_port")
        ports: np.ndarray = self._client_port[self.held.spans.first[rows]]
        return ports

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
        return {self._inside(int(code)) for code in seen}

    def address(self, span: int) -> bytes:
        """Inside address of a span."""
        return self._inside(int(self.held.holder[span]))

    def knows(self, addresses: Packed) -> np.ndarray:
        """``(n,)`` bool: which some translation names as an inside one."""
        return self.insides.of(addresses) >= 0

    def is_public(self, addresses: Packed) -> np.ndarray:
        """``(n,)`` bool: which are themselves such that others hide behind."""
        code, own = self.publics.of(addresses), self.insides.of(addresses)
        if not len(self.publics):
            return code >= 0
        first, last = self._first_behind[code], self._last_behind[code]
        others: np.ndarray = (code >= 0) & (last >= 0) & ~((first == own) & (last == own))
        return others

    def _fits(self, asked: Questions, found: Pairs) -> np.ndarray:
        fits = np.ones(len(found), bool)
        for wanted, have in (
            (self._wanted_transport(asked), self.transport),
            (
                np.where(asked.destination.known, _or_unheard(self.servers.of(asked.destination)), ABSENT),
                self.server,
            ),
            (asked.destination_port, self.server_port),
        ):
            said, known = wanted[found.question], have[found.row]
            fits &= (said == ABSENT) | (known == -1) | (known == said)
        return fits

    def _wanted_transport(self, asked: Questions) -> np.ndarray:
        coded = pa.array(asked.transport, pa.string()).dictionary_encode()
        code_of = {"": ABSENT} | self._transports
        codes = [code_of.get(word, _UNHEARD) for word in coded.dictionary.to_pylist()]
        wanted: np.ndarray = np.array([*codes, ABSENT], np.int64)[coded.indices.to_numpy()]
        return wanted

    def _inside(self, code: int) -> bytes:
        return self.insides.values.value(code) or b""

    def _name(self, span: int) -> str:
        return format_ip(self.address(span))


def _or_unheard(codes: np.ndarray) -> np.ndarray:
    return np.where(codes < 0, _UNHEARD, codes)


def _sessions(records: Records, site: np.ndarray, transport: np.ndarray, transports: list[str]) -> Spans:
    """NEW and DESTROY (or their like) joined by session id and tuple, and order."""
    begun, ended = records.nanos("ts"), records.nanos("ts_end")
    role = roles("nat", records)
    role[(ended != NONE) & (role != Role.IGNORE)] = Role.END
    time = np.where((role == Role.END) & (ended != NONE), ended, begun)
    begun[(ended == NONE) | (begun > ended)] = NONE  # an end's own stamp is no beginning
    del ended
    events = np.flatnonzero((role != Role.IGNORE) & ~denied(records) & (time != NONE))
    if (begun[events] != NONE).all():  # each record tells a whole session: nothing is to be joined
        return Spans(
            np.minimum(begun, time)[events],
            time[events],
            np.zeros(len(events), np.uint8),
            events.astype(np.int32),
            events.astype(np.int32),
        )
    group = _tuples(records, site, transport, (time, role, begun))
    cap = _caps(records, transport, transports)
    order = records.order()
    parts = []
    count = -(-len(events) // AT_ONCE)
    for part in range(count):
        some = events[group[events] % count == part]
        spans = pair(
            group[some], time[some], order[some], role[some], begun=begun[some], cap=cap[some] * SECOND
        )
        first, last = some[spans.first].astype(np.int32), some[spans.last].astype(np.int32)
        parts.append(replace(spans, first=first, last=last))
    return concat(parts)


Happened = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Of each record its time, its `Role`, and the beginning that it tells itself."""


def _tuples(records: Records, site: np.ndarray, transport: np.ndarray, happened: Happened) -> np.ndarray:
    """``(n,)`` what the records of one session share.

    An end may leave the public side out (ASA's teardown); then the session id stands for it.
    """
    session, _ = records.words("session")
    unnamed = session < 0
    inside = combine(
        session,
        site,
        transport,
        records.codes("client_ip")[0],
        records.numbers("client_port"),
        records.codes("server_ip")[0],
        records.numbers("server_port"),
    )
    public, port = records.codes("public_ip")[0], records.numbers("public_port")
    bare = unnamed & (public < 0) & (happened[1] == Role.END) & (happened[0] != NONE)
    if bare.any():
        public, port = _lent(records, inside, bare, (public, port), happened)
    return combine(inside, np.where(unnamed, public, -1), np.where(unnamed, port, -1))


def _lent(
    records: Records,
    inside: np.ndarray,
    bare: np.ndarray,
    sides: tuple[np.ndarray, np.ndarray],
    happened: Happened,
) -> tuple[np.ndarray, np.ndarray]:
    """Public sides, with those of the ends that name neither public side nor id (`bare`).

    Such an end is of the last translation of its inside tuple before it; and where it tells when
    the session began, only of one that began then.
    """
    (public, port), (time, role, begun) = (sides[0].copy(), sides[1].copy()), happened
    rows = np.flatnonzero((time != NONE) & np.isin(inside, np.unique(inside[bare])))
    rows = rows[np.lexsort((records.order()[rows], time[rows], inside[rows]))]
    translates = (public[rows] >= 0) & (role[rows] != Role.END) & (role[rows] != Role.IGNORE)
    last = np.maximum.accumulate(np.where(translates, np.arange(len(rows)), -1))
    found = np.flatnonzero(bare[rows] & (last >= 0))
    ends, of = rows[found], rows[last[found]]
    near = (begun[ends] == NONE) | (np.abs(begun[ends] - time[of]) <= BEGINS_NEAR_S * SECOND)
    fits = near & (inside[ends] == inside[of])
    public[ends[fits]], port[ends[fits]] = public[of[fits]], port[of[fits]]
    return public, port


def _caps(records: Records, transport: np.ndarray, transports: list[str]) -> np.ndarray:
    """``(n,)`` seconds that a session counts for at most where one of its bounds is not known."""
    caps = np.array([CAPS_S.get(word.lower(), OTHER_CAP_S) for word in transports] + [OTHER_CAP_S])
    cap: np.ndarray = caps[transport]
    port = records.numbers("public_port")
    cap[(records.numbers("public_port_end") > port) | ((port < 0) & (transport < 0))] = BLOCK_CAP_S
    cap[momentary(records)] = 0
    return cap
