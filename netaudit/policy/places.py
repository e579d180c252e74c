"""Which declared segment an address lies in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from netaudit.config import Segment
from netaudit.errors import ConfigError
from netaudit.policy.observed import locate
from netaudit.records.addresses import Network, network_range, parse_network


@dataclass(frozen=True, slots=True)
class _Part:
    network: Network
    segment: Segment


class Places:
    """The declared segments; where networks lie in each other, the smallest that holds an address counts."""

    def __init__(self, segments: Sequence[Segment]) -> None:
        """Read the segments' networks.

        Raises:
            ConfigError: A network that is none.
        """
        parts = [_Part(_network(text, s), s) for s in segments for text in s.network]
        self._parts = sorted(parts, key=lambda p: (-_width(p.network), p.segment.id, str(p.network)))
        self._ranges = [network_range(part.network) for part in self._parts]
        self._by_id = {segment.id: segment for segment in segments}

    def locate(self, addresses: pa.Array) -> pa.Table:
        """Columns ``segment``, ``segment_name``, ``zone``, ``segment_purpose`` for a column of addresses."""
        index = locate(addresses, self._ranges)
        return self._columns(pa.array(index, mask=index < 0), [part.segment for part in self._parts])

    def __bool__(self) -> bool:
        return bool(self._by_id)

    def of(self, addresses: pa.Array) -> set[str]:
        """Ids of the segments in which any of the addresses lies."""
        index = np.unique(locate(addresses, self._ranges))
        return {self._parts[i].segment.id for i in index if i >= 0}

    def get(self, id_: str) -> Segment | None:
        """A segment by id."""
        return self._by_id.get(id_)

    def overlapping(self, id_: str) -> list[str]:
        """Ids of other segments of which a network is the same as one of this segment's, or lies in it."""
        mine = [part.network for part in self._parts if part.segment.id == id_]
        others = {
            part.segment.id
            for part in self._parts
            for network in mine
            if part.segment.id != id_
            and part.network.version == network.version
            and part.network.overlaps(network)
        }
        return sorted(others)

    def _columns(self, index: pa.Array, segments: Sequence[Segment]) -> pa.Table:
        columns = {
            "segment": [s.id for s in segments],
            "segment_name": [s.name or None for s in segments],
            "zone": [s.zone or None for s in segments],
            "segment_purpose": [s.purpose or None for s in segments],
        }
        return pa.table({name: pa.array(words, pa.string()).take(index) for name, words in columns.items()})


def _network(text: str, segment: Segment) -> Network:
    try:
        return parse_network(text)
    except ValueError as error:
        raise ConfigError(
            "segment-network",
            "{text} is no network.",
            where=f"segment {segment.id}",
            hint="Write an address with a prefix length, such as 10.1.2.0/24.",
            text=text,
        ) from error


def _width(network: Network) -> int:
    """Prefix length as of a 128-bit address."""
    return network.prefixlen + (96 if network.version == 4 else 0)
