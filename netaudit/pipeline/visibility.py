"""How much of the traffic has a name: per host, per segment and in all, counted as flows stream by.

A run without findings says little where most flows have no name; this figure says how little.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.config import Segment
from netaudit.policy.observed import PRIVATE, inside
from netaudit.policy.places import Places
from netaudit.records.addresses import format_ip, network_range
from netaudit.records.schemas import IP

MAX_HOSTS = 10_000
"""Hosts that are told one by one: the office's own first, then those with the most flows."""

_INFERRED, _HIDDEN = "dns_answer", "ech_outer"
_ASPECTS = ("known", "inferred", "hidden", "unknown")
_HOSTS = pa.schema([("client_ip", IP), *((aspect, pa.int64()) for aspect in _ASPECTS)])


@dataclass(frozen=True, slots=True)
class Shares:
    """Flows by what is known of their destination's name."""

    known: int = 0
    """Said by the flow itself: SNI, Host, a look-up."""
    inferred: int = 0
    """Only suggested, by an earlier DNS answer to the same client."""
    hidden: int = 0
    """Encrypted ClientHello: the name that is visible is not the destination's."""
    unknown: int = 0

    @property
    def flows(self) -> int:
        """All of them."""
        return self.known + self.inferred + self.hidden + self.unknown

    def share(self, aspect: str) -> float:
        """Part of the flows, 0 to 1; 0 where there are none."""
        count: int = getattr(self, aspect)
        return count / self.flows if self.flows else 0.0


@dataclass(frozen=True, slots=True)
class SegmentShares:
    """The flows of one segment's hosts."""

    id: str
    """Empty for addresses that lie in no declared segment."""
    name: str
    shares: Shares


@dataclass(frozen=True, slots=True)
class HostShares:
    """The flows that one host opened."""

    address: str
    segment: str
    """Its id; empty where it lies in none."""
    shares: Shares


@dataclass(frozen=True, slots=True)
class Visibility:
    """The figure of a run."""

    total: Shares = Shares()
    segments: tuple[SegmentShares, ...] = ()
    """Those with flows, in the order of their ids; what lies in none is last."""
    hosts: tuple[HostShares, ...] = ()
    """At most `MAX_HOSTS`, in the order of their addresses."""
    others: Shares = Shares()
    """The flows of all hosts that are not told one by one."""


class Tallied:
    """Add every batch of flows, then take `figure`."""

    def __init__(self, segments: Sequence[Segment], limit: int = MAX_HOSTS) -> None:
        """Start with no flows.

        Raises:
            ConfigError: A segment's network is none.
        """
        self._segments = {segment.id: segment for segment in segments}
        self._places = Places(segments)
        self._own = [network_range(network) for network in PRIVATE]
        self._limit = limit
        self._hosts = _HOSTS.empty_table()
        self._by_segment: dict[str, npt.NDArray[np.int64]] = {}
        self._others = np.zeros(len(_ASPECTS), np.int64)

    def add(self, batch: pa.RecordBatch) -> None:
        """Add a batch of the kind ``flow``."""
        hosts = _by_host([_sorted_out(batch)])
        self._add_segments(hosts)
        self._hosts = _by_host([self._hosts, hosts])
        if self._hosts.num_rows > 2 * self._limit:
            self._prune()

    def figure(self) -> Visibility:
        """What was added so far."""
        self._prune()
        segments = self._segment_of(self._hosts)
        hosts = tuple(
            HostShares(format_ip(address), segment, Shares(*counts))
            for address, segment, counts in zip(
                self._hosts.column("client_ip").to_pylist(), segments, _counts(self._hosts).tolist(), strict=True
            )
            if address is not None
        )  # fmt: skip
        return Visibility(
            total=_shares(sum(self._by_segment.values(), np.zeros(len(_ASPECTS), np.int64))),
            segments=tuple(
                SegmentShares(id_, self._segments[id_].name if id_ else "", _shares(counts))
                for id_, counts in sorted(self._by_segment.items(), key=lambda item: (not item[0], item[0]))
            ),
            hosts=hosts,
            others=_shares(self._others),
        )

    def _add_segments(self, hosts: pa.Table) -> None:
        names, counts = np.array(self._segment_of(hosts), object), _counts(hosts)
        for name in dict.fromkeys(names.tolist()):
            so_far = self._by_segment.setdefault(name, np.zeros(len(_ASPECTS), np.int64))
            so_far += counts[names == name].sum(axis=0)

    def _segment_of(self, hosts: pa.Table) -> list[str]:
        located = self._places.locate(hosts.column("client_ip")).column("segment")
        return [name or "" for name in located.to_pylist()]

    def _prune(self) -> None:
        """Down to the limit; what goes is summed. Flows without a client's address are no host's."""
        addresses, counts = self._hosts.column("client_ip"), _counts(self._hosts)
        known = np.asarray(addresses.is_valid())
        declared = np.array([bool(name) for name in self._segment_of(self._hosts)], bool)
        is_own = declared | inside(addresses, self._own)
        order = np.lexsort((-counts.sum(axis=1), ~is_own, ~known))
        kept = np.sort(order[: min(self._limit, int(known.sum()))])
        self._others += counts.sum(axis=0) - counts[kept].sum(axis=0)
        self._hosts = self._hosts.take(pa.array(kept))


def _sorted_out(batch: pa.RecordBatch) -> pa.Table:
    """One row a flow: its client, and a one in the column of what is known of its name."""
    source = batch.column("name_source").cast(pa.string())
    named = np.asarray(batch.column("name").is_valid())
    inferred = named & np.asarray(pc.fill_null(pc.equal(source, _INFERRED), False))
    hidden = named & np.asarray(pc.fill_null(pc.equal(source, _HIDDEN), False))
    columns: Iterable[Any] = (named & ~inferred & ~hidden, inferred, hidden, ~named)
    return pa.table([batch.column("client_ip"), *(pa.array(c.astype(np.int64)) for c in columns)], _HOSTS)


def _by_host(tables: list[pa.Table]) -> pa.Table:
    grouped = pa.concat_tables(tables).group_by("client_ip", use_threads=False)
    summed = grouped.aggregate([(aspect, "sum") for aspect in _ASPECTS])
    columns = [summed.column("client_ip"), *(summed.column(f"{aspect}_sum") for aspect in _ASPECTS)]
    return pa.table(columns, _HOSTS).sort_by("client_ip")


def _counts(hosts: pa.Table) -> npt.NDArray[np.int64]:
    """``(n, 4)`` flows, in the order of `_ASPECTS`."""
    return np.stack([hosts.column(aspect).to_numpy() for aspect in _ASPECTS], axis=1)


def _shares(counts: npt.NDArray[np.int64]) -> Shares:
    return Shares(*counts.tolist())
