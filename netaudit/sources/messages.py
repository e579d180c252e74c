"""Messages of a block as columns, and the columns that all events share."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from netaudit.kernels import packet
from netaudit.kernels import tunnels as tunnels_
from netaudit.kernels.octets import Ints, Octets
from netaudit.kernels.packet import Rows
from netaudit.records.addresses import from_bytes
from netaudit.records.schemas import TIMESTAMP


@dataclass(frozen=True, slots=True)
class Messages:
    """Messages of one block, in file order, and the octets that they lie in."""

    rows: Rows
    """`packet.MESSAGE`."""
    arena: Octets
    now: int
    """The time of the last packet, nanoseconds; what waits is late by it."""

    def __len__(self) -> int:
        """How many."""
        return len(self.rows)

    def take(self, index: np.ndarray) -> Messages:
        """Some of them, by index or mask."""
        return Messages(self.rows[index], self.arena, self.now)

    def of(self, kinds: Collection[int]) -> Messages:
        """Those of some kinds, in their order; nothing is copied where that is all or none."""
        wanted = np.zeros(256, np.bool_)
        wanted[list(kinds)] = True
        mine = wanted[self.rows["kind"]]
        count = int(np.count_nonzero(mine))
        if count in (0, len(mine)):
            return Messages(self.rows[:count], self.arena, self.now)
        return self.take(mine)

    def octets(self, row: int) -> bytes:
        """One message's octets."""
        at = int(self.rows["at"][row])
        return self.arena.u8[at : at + int(self.rows["length"][row])].tobytes()


def columns(rows: Rows, answered: np.ndarray | None = None) -> dict[str, Any]:
    """The columns that every event has but file and site.

    Args:
        rows: `packet.MESSAGE`, one an event.
        answered: Rows that come from the server; none by default.
    """
    back = np.zeros(len(rows), np.bool_) if answered is None else answered
    src, dst = packet.addresses(rows, "src"), packet.addresses(rows, "dst")
    return {
        "ts": timestamps(rows["ts"], rows["timed"] != 0),
        "client_ip": from_bytes(np.where(back[:, None], dst, src)),
        "client_port": pa.array(np.where(back, rows["dport"], rows["sport"])),
        "server_ip": from_bytes(np.where(back[:, None], src, dst)),
        "server_port": pa.array(np.where(back, rows["sport"], rows["dport"])),
        "client_mac": from_bytes(packet.hardware(rows), (rows["has_mac"] != 0) & ~back),
        "transport": transports(rows["protocol"]),
        "tunnel": tunnels(rows["tunnel"]),
        "ordinal": pa.array(rows["ordinal"].astype(np.uint64)),
    }


def timestamps(nanos: Ints, known: np.ndarray) -> pa.Array:
    """A time column; null where it is not known."""
    return pa.array(nanos, pa.int64(), mask=~known).cast(TIMESTAMP)


def transports(protocol: np.ndarray) -> pa.Array:
    """Words for IP protocol numbers."""
    return words(np.where(protocol == packet.UDP, 1, 0), ["tcp", "udp"])


def words(index: np.ndarray, vocabulary: list[str | None]) -> pa.Array:
    """A column of repeating words by their index in a vocabulary."""
    known = pa.array([word for word in vocabulary if word is not None], pa.string())
    place = np.cumsum([word is not None for word in vocabulary]) - 1
    missing = np.array([word is None for word in vocabulary])
    indices = pa.array(place[index].astype(np.int32), mask=missing[index])
    return pa.DictionaryArray.from_arrays(indices, known)


def tunnels(tags: np.ndarray) -> pa.Array:
    """Encapsulations, outermost first, as lists of words; null where there is none."""
    if not tags.any():
        return pa.nulls(len(tags), pa.list_(pa.string()))
    distinct, index = np.unique(np.ascontiguousarray(tags), axis=0, return_inverse=True)
    spelled = [[tag_word(int(t)) for t in row if t] or None for row in distinct]
    return pa.array(spelled, pa.list_(pa.string())).take(pa.array(index.ravel()))


def tag_word(tag: int) -> str:
    """One encapsulation as it is printed: ``vlan:83``, ``gre``."""
    kind = tag >> 24
    word = tunnels_.WORDS[kind]
    return f"{word}:{tag & 0xFFFFFF}" if kind in tunnels_.NUMBERED else word
