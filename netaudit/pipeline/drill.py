"""The drill: how far a trace would get, tried on the office's own outgoing flows.

Flows to the outside are drawn from whatever the inputs show. For each one a letter is imagined that
names what the far side saw: the public address and port by which the flow left, and its time. The
walk back must come to the host that is known to have made it. What was drawn depends on the seed and
the records alone, so that a drill can be repeated and checked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit import sources
from netaudit.attribution import Answers, Logs, Questions, walk
from netaudit.attribution.columns import SECOND
from netaudit.attribution.intervals import Index
from netaudit.attribution.packed import Packed
from netaudit.attribution.plan import is_private
from netaudit.attribution.trace import HopKind, Outcome, Reach, Reason
from netaudit.attribution.walk import HELD, NO_HOP, OUTCOMES, REACHES
from netaudit.config import Settings
from netaudit.records.addresses import network_range
from netaudit.records.evidence import Ledger
from netaudit.records.schemas import DESTINATION_KINDS, FIELDS, kind_of

SLACK = SECOND
"""A flow's own time and the translation's may differ so much, as two devices write them."""
NOWHERE = b"\0" * 10 + b"\xff\xff" + bytes((192, 0, 2, 1))
"""Stands for the unit's public address where nothing tells it (RFC 5737)."""

KINDS = (*(kind for kind in DESTINATION_KINDS if kind != "dns"), "nat")
"""Kinds that show a flow itself; a look-up ends at the office's own resolver."""
_COLUMNS = (
    "ts",
    "client_ip",
    "client_port",
    "server_ip",
    "server_port",
    "transport",
    "site",
    "file",
    "ordinal",
)
_PLAIN = {n: pa.string() if pa.types.is_dictionary(FIELDS[n]) else FIELDS[n] for n in _COLUMNS}
FLOW = pa.schema([*_PLAIN.items(), ("draw", pa.uint64())])


class Sample:
    """The flows with the smallest draws: the same ones in whatever order they are read."""

    def __init__(self, count: int, seed: int) -> None:
        """Keep `count` flows, drawn under `seed`."""
        self._count, self._seed = count, seed
        self._kept: list[pa.Table] = []
        self._limit: int | None = None
        self.seen = 0
        """Outgoing flows that were drawn from."""

    def add(self, rows: pa.RecordBatch) -> None:
        """Draw from outgoing flows."""
        self.seen += rows.num_rows
        draw = _draws(rows, self._seed)
        chosen = (
            np.flatnonzero(draw <= np.uint64(self._limit))
            if self._limit is not None
            else np.arange(len(draw))
        )
        if not chosen.size:
            return
        some = rows.take(pa.array(chosen))
        columns = [some.column(name).cast(type_) for name, type_ in _PLAIN.items()]
        self._kept.append(pa.table([*columns, pa.array(draw[chosen])], schema=FLOW))
        if sum(part.num_rows for part in self._kept) > 4 * self._count + 10_000:
            self._trim()

    def flows(self) -> pa.Table:
        """What was drawn, in the order of the draws."""
        self._trim()
        return self._kept[0] if self._kept else FLOW.empty_table()

    def _trim(self) -> None:
        if not self._kept:
            return
        whole = pa.concat_tables(self._kept).sort_by(
            [("draw", "ascending"), ("file", "ascending"), ("ordinal", "ascending")]
        )
        whole = whole.slice(0, self._count)
        self._kept = [whole.combine_chunks()]
        if whole.num_rows == self._count and self._count:
            self._limit = whole.column("draw")[-1].as_py()


def sample(
    arguments: Sequence[str],
    settings: Settings,
    drawn: Sample,
    *,
    options: sources.Options | None = None,
    progress: sources.Progress | None = None,
) -> None:
    """Draw from all outgoing flows of the inputs: from an inside host to an address of the internet."""
    for batch in sources.read(arguments, settings, Ledger(), options=options, progress=progress):
        if kind_of(batch) in KINDS:
            drawn.add(batch.filter(pa.array(_outgoing(batch))))


def _outgoing(batch: pa.RecordBatch) -> np.ndarray:
    client, server = Packed.of(batch.column("client_ip")), Packed.of(batch.column("server_ip"))
    timed = batch.column("ts").is_valid().to_numpy(zero_copy_only=False)
    outgoing: np.ndarray = timed & is_private(client) & server.known & ~is_private(server)
    return outgoing


def _draws(rows: pa.RecordBatch, seed: int) -> np.ndarray:
    """A number for each row from the seed, its file and its ordinal (splitmix64)."""
    coded = rows.column("file").cast(pa.string()).dictionary_encode()
    files = np.array([int(name[:16] or "0", 16) for name in coded.dictionary.to_pylist()] or [0], np.uint64)
    mixed = files[coded.indices.to_numpy()] ^ np.uint64(seed % 2**64)
    mixed = mixed + rows.column("ordinal").to_numpy(zero_copy_only=False) * np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    draws: np.ndarray = mixed ^ (mixed >> np.uint64(31))
    return draws


@dataclass(frozen=True, slots=True)
class SegmentScore:
    """How far traces got in one segment."""

    segment: str
    """Id; empty for addresses outside of the plan."""
    flows: int
    reach: dict[Reach, int]
    """Right answers by how far they got."""
    wrong: int
    """Answers that led to another host than the flow's own."""
    breaks: dict[tuple[HopKind, Outcome], int]
    """Where the trace broke, by the first hop that did not hold."""
    reasons: dict[Reason, int]


@dataclass(frozen=True, slots=True)
class Drill:
    """The scores of a drill."""

    seen: int
    """Outgoing flows that were drawn from."""
    drawn: int
    segments: tuple[SegmentScore, ...]


def score(drawn: Sample, logs: Logs, *, skew_s: float) -> Drill:
    """Walk every drawn flow back and score by segment."""
    flows = drawn.flows()
    count = flows.num_rows
    if not count:
        return Drill(drawn.seen, 0, ())
    inside = Packed.of(flows.column("client_ip").combine_chunks())
    asked, known = _letters(flows, inside, logs, skew_s)
    answers = walk(asked, logs)
    address = answers.walks.address
    same = (address.high == inside.high) & (address.low == inside.low)
    right = ~address.known | (same & known)
    sites = np.array(flows.column("site").fill_null("").to_pylist(), object)
    segment = logs.plan.segment_of(inside, sites)
    return Drill(
        drawn.seen,
        count,
        tuple(
            _score(logs.plan.segments[number].id if number >= 0 else "", segment == number, right, answers)
            for number in np.unique(segment).tolist()
        ),
    )


def _letters(flows: pa.Table, inside: Packed, logs: Logs, skew_s: float) -> tuple[Questions, np.ndarray]:
    """What the far side of each flow would write: public address and port, time and destination.

    Where no translation of the flow is known, the letter names a public address of the unit and a port
    that no host has: the trace breaks at its first hop.

    Returns:
        The questions, and ``(n,)`` bool: where the public side is known.
    """
    count = flows.num_rows
    at = flows.column("ts").cast(pa.int64()).to_numpy()
    port = pc.fill_null(flows.column("client_port").cast(pa.int64()), -1).to_numpy()
    server = Packed.of(flows.column("server_ip").combine_chunks())
    found = _translations(flows, inside, logs)
    log, known = logs.nat, found >= 0
    public = _some_public(logs, count)
    if len(log):
        public = log.publics.take(np.where(known, log.public[found], -1)).where(known, public)
        port = np.where(known, log.low[found], 0)
    if logs.settings.unit.nat is False:
        public, known = inside.where(~known, public), np.ones(count, bool)
    skew = np.full(count, round(skew_s * SECOND))
    none, nothing = Packed.none(count), np.full(count, "", object)
    transport = np.array([t.lower() for t in flows.column("transport").fill_null("").to_pylist()], object)
    transport = np.where(known, transport, nothing)
    server_port = pc.fill_null(flows.column("server_port").cast(pa.int64()), -1).to_numpy()
    asked = Questions(at, at, skew, public, none, none, port, transport, server, server_port, nothing)
    return asked, known


def _some_public(logs: Logs, count: int) -> Packed:
    """An address of the unit, for letters about flows whose own is not known."""
    egress = [network_range(network)[0] for network in logs.plan.egress]
    address = egress[0] if egress else (logs.nat.publics.values.value(0) if len(logs.nat) else None)
    return Packed.of_values([address or NOWHERE]).take(np.zeros(count, np.int64))


def _translations(flows: pa.Table, inside: Packed, logs: Logs) -> np.ndarray:
    """``(n,)`` the span that translated each flow: same host, port and destination at its time; -1 = none."""
    log, count = logs.nat, flows.num_rows
    found = np.full(count, -1)
    if not len(log):
        return found
    host = log.insides.of(inside)
    spans = log.held.spans
    rows = np.flatnonzero(np.isin(log.held.holder, np.unique(host[host >= 0])))
    at = flows.column("ts").cast(pa.int64()).to_numpy()
    index = Index(log.held.holder, spans.start, spans.end, rows)
    pairs = index.overlapping(host, at - SLACK, at + SLACK)
    server = log.servers.of(Packed.of(flows.column("server_ip").combine_chunks()))
    port = pc.fill_null(flows.column("client_port").cast(pa.int64()), -1).to_numpy()
    own = log.client_ports(pairs.row)
    fits = (own < 0) | (port[pairs.question] < 0) | (own == port[pairs.question])
    fits &= (log.server[pairs.row] < 0) | (log.server[pairs.row] == server[pairs.question])
    some = pairs.where(fits)
    found[some.question[::-1]] = some.row[::-1]
    return found


def _score(segment: str, chosen: np.ndarray, right: np.ndarray, answers: Answers) -> SegmentScore:
    rows = np.flatnonzero(chosen)
    good = rows[right[rows]]
    reach = Counter(REACHES[i] for i in answers.reach[good].tolist())
    breaks: Counter[tuple[HopKind, Outcome]] = Counter()
    open_ = np.zeros(len(right), bool)
    open_[good] = True
    for kind in HopKind:
        outcome = answers.outcome(kind)
        broken = open_ & (outcome != HELD) & (outcome != NO_HOP)
        for number, many in zip(*np.unique(outcome[broken], return_counts=True), strict=True):
            breaks[kind, OUTCOMES[number]] += int(many)
        open_ &= ~broken
    reasons = {reason: int(some[rows].sum()) for reason, some in answers.reasons()}
    return SegmentScore(
        segment,
        len(rows),
        {step: reach[step] for step in Reach},
        len(rows) - len(good),
        dict(sorted(breaks.items())),
        {reason: count for reason, count in reasons.items() if count},
    )
