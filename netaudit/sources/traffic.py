"""Packets as columns between the kernels and the events: what every event of a capture has."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from netaudit.kernels import cursor
from netaudit.kernels.flows import group
from netaudit.kernels.window import Bools, Ints, Octets
from netaudit.records.addresses import from_bytes
from netaudit.records.schemas import TIMESTAMP

DNS_PORTS = {53: "", 5353: "mdns", 5355: "llmnr"}
"""Ports whose datagrams are DNS (RFC 1035, 6762, 4795), and the detail that is said of them."""


class Traffic(NamedTuple):
    """One row a packet with a transport layer (or ARP)."""

    ts: Ints
    timed: Bools
    ordinal: Ints
    size: Ints
    """Octets on the wire, link layer included."""
    protocol: Octets
    src: Octets
    dst: Octets
    sport: Ints
    dport: Ints
    mac: Octets
    has_mac: Bools
    tunnel: np.ndarray
    seq: Ints
    flags: Octets
    at: Ints
    length: Ints
    cut: Bools

    def take(self, rows: np.ndarray) -> Traffic:
        """Some rows, by index or mask."""
        if rows.dtype == np.bool_:
            rows = np.flatnonzero(rows)
            if len(rows) == len(self.ts):
                return self
        return Traffic(*(column[rows] for column in self))


def concatenate(parts: list[Traffic]) -> Traffic:
    """Several as one; at least one is needed."""
    if len(parts) == 1:
        return parts[0]
    return Traffic(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def columns(traffic: Traffic, answered: Bools | None = None) -> dict[str, Any]:
    """The columns that every event has but file and site.

    Args:
        traffic: One row an event.
        answered: Rows whose packet comes from the server; none by default.
    """
    back = np.zeros(len(traffic.ts), np.bool_) if answered is None else answered
    return {
        "ts": timestamps(traffic.ts, traffic.timed),
        "client_ip": from_bytes(np.where(back[:, None], traffic.dst, traffic.src)),
        "client_port": pa.array(np.where(back, traffic.dport, traffic.sport).astype(np.uint16)),
        "server_ip": from_bytes(np.where(back[:, None], traffic.src, traffic.dst)),
        "server_port": pa.array(np.where(back, traffic.sport, traffic.dport).astype(np.uint16)),
        "client_mac": from_bytes(traffic.mac, traffic.has_mac & ~back),
        "transport": transports(traffic.protocol),
        "tunnel": tunnels(traffic.tunnel),
        "ordinal": pa.array(traffic.ordinal.astype(np.uint64)),
    }


def timestamps(nanos: Ints, known: Bools) -> pa.Array:
    """A time column; null where it is not known."""
    return pa.array(nanos, pa.int64(), mask=~known).cast(TIMESTAMP)


def transports(protocol: Octets) -> pa.Array:
    """Words for IP protocol numbers."""
    return words(np.where(protocol == cursor.UDP, 1, 0), ["tcp", "udp"])


def words(index: np.ndarray, vocabulary: list[str | None]) -> pa.Array:
    """A column of repeating words by their index in a vocabulary."""
    return pa.array(vocabulary, pa.string()).take(pa.array(index)).dictionary_encode()


def tunnels(tags: np.ndarray) -> pa.Array:
    """Encapsulations, outermost first, as lists of words; null where there is none."""
    if not tags.any():
        return pa.nulls(len(tags), pa.list_(pa.string()))
    groups = group(np.ascontiguousarray(tags).view(np.uint64))
    spelled = [[_tag(int(t)) for t in tags[row] if t] or None for row in groups.first]
    return pa.array(spelled, pa.list_(pa.string())).take(pa.array(groups.of))


def _tag(tag: int) -> str:
    kind = cursor.Tunnel(tag >> 24)
    word = kind.name.lower()
    return f"{word}:{tag & 0xFFFFFF}" if kind in cursor.NUMBERED else word
