"""Flows over the pieces of a file: a bounded table of five-tuples, rows out when they fall idle."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from netaudit.kernels import cursor, flows
from netaudit.kernels.window import Bools, Ints
from netaudit.records.addresses import from_bytes
from netaudit.sources.traffic import DNS_PORTS, Traffic, timestamps, transports, tunnels

IDLE_NS = 300 * 10**9
"""A flow without a packet for this long is over (RFC 4787 section 4.3 asks NATs for as much)."""
MAX_FLOWS = 131_072
SWEEP_EVERY = 16_384
"""New flows between two searches for idle ones."""
EVICTED = "more flows at once than are held; some are told in several rows"

_WELL_KNOWN = 1024

_ROW = np.dtype([
    ("key", "S40"),
    ("src", "u1", (2, 16)), ("port", "u2", 2), ("protocol", "u1"),  # the lesser end, the greater
    ("ts", "i8"), ("ts_end", "i8"), ("timed", "?"), ("ordinal", "u8"), ("last", "u8"), ("opener", "u1"),
    ("packets", "i8", 2), ("octets", "i8", 2),
    ("payload", "?", 2), ("syn", "?", 2), ("syn_ack", "?", 2),  # from the lesser end, the greater
    ("mac", "u1", (2, 6)), ("has_mac", "?", 2), ("tunnel", "u4", cursor.MAX_DEPTH),
])  # fmt: skip


class FlowTable:
    """Flows that are not over yet. Octets are those on the wire, link layer included."""

    def __init__(self) -> None:
        self.evicted = 0
        self._rows = np.zeros(1024, _ROW)
        self._count = 0
        self._slots: dict[bytes, int] = {}
        self._names: dict[bytes, tuple[str, str]] = {}
        self._sweep_at = SWEEP_EVERY

    def add(self, traffic: Traffic, groups: flows.Groups, swapped: Bools, keys: list[bytes]) -> None:
        """Add packets, grouped into flows whose keys are `keys`."""
        slots = self._slots_of(keys)
        rows = self._rows
        fresh = rows["packets"][slots].sum(axis=1) == 0
        self._open(traffic.take(groups.first[fresh]), swapped[groups.first[fresh]], slots[fresh])
        sums = flows.add_up(groups, swapped, traffic.size, traffic.length, traffic.flags)
        rows["packets"][slots] += sums.packets
        rows["octets"][slots] += sums.octets
        for name, value in (("payload", sums.payload), ("syn", sums.syn), ("syn_ack", sums.syn_ack)):
            rows[name][slots] |= value
        of = slots[groups.of]
        timed = traffic.timed
        np.minimum.at(rows["ts"], of[timed], traffic.ts[timed])
        np.maximum.at(rows["ts_end"], of[timed], traffic.ts[timed])
        rows["timed"][of[timed]] = True
        rows["last"][of] = traffic.ordinal  # of equal indices the last assignment stays
        for side in (0, 1):
            first = sums.first[:, side]
            learn = (first >= 0) & ~rows["has_mac"][slots, side]
            rows["mac"][slots[learn], side] = traffic.mac[first[learn]]
            rows["has_mac"][slots[learn], side] = traffic.has_mac[first[learn]]

    def name(self, key: bytes, name: str, source: str) -> None:
        """Say what a flow was to; its first name stays."""
        if key in self._slots:
            self._names.setdefault(key, (name, source))

    def flush(self, *, final: bool) -> dict[str, Any]:
        """Columns of the flows that are over, in the order of their first packets."""
        if not final and self._count < self._sweep_at:
            return {}
        live = self._rows[: self._count]
        over = np.ones(self._count, np.bool_) if final else self._over(live)
        out = live[over]
        out = out[np.argsort(out["ordinal"], kind="stable")]
        result = self._columns(out) if len(out) else {}
        self._keep(live[~over], out["key"].tolist())
        return result

    def _over(self, live: np.ndarray) -> Bools:
        now = live["ts_end"].max(initial=0)
        over = live["timed"] & (live["ts_end"] < now - IDLE_NS)
        if len(live) - over.sum() > MAX_FLOWS:
            quiet = np.argsort(live["last"], kind="stable")[: len(live) // 2]
            self.evicted += int((~over[quiet]).sum())
            over[quiet] = True
        result: Bools = over
        return result

    def _keep(self, live: np.ndarray, gone: list[bytes]) -> None:
        self._rows = np.concatenate((live, np.zeros(1024, _ROW)))
        self._count = len(live)
        self._slots = dict(zip(live["key"].tolist(), range(len(live)), strict=True))
        for key in gone:
            self._names.pop(key, None)
        self._sweep_at = self._count + SWEEP_EVERY

    def _slots_of(self, keys: list[bytes]) -> Ints:
        slots = self._slots
        found = [slots.setdefault(key, len(slots)) for key in keys]
        self._count = len(slots)
        if self._count > len(self._rows):
            more = max(self._count - len(self._rows), len(self._rows))
            self._rows = np.concatenate((self._rows, np.zeros(more, _ROW)))
        index = np.array(found, np.int64)
        self._rows["key"][index] = keys
        return index

    def _open(self, first: Traffic, swapped: Bools, slots: Ints) -> None:
        """Begin flows with their first packets."""
        rows = self._rows
        side = swapped.astype(np.int64)
        rows["src"][slots, side] = first.src
        rows["src"][slots, 1 - side] = first.dst
        rows["port"][slots, side] = first.sport
        rows["port"][slots, 1 - side] = first.dport
        rows["protocol"][slots] = first.protocol
        rows["ts"][slots] = np.iinfo(np.int64).max
        rows["ts_end"][slots] = np.iinfo(np.int64).min
        rows["ordinal"][slots] = first.ordinal
        rows["opener"][slots] = side
        rows["tunnel"][slots] = first.tunnel

    def _columns(self, rows: np.ndarray) -> dict[str, Any]:
        rows = rows[
            ~((rows["protocol"] == cursor.TCP) & np.isin(rows["port"], list(DNS_PORTS)).any(axis=1))
        ]
        client = _client_side(rows)
        index, server = np.arange(len(rows)), 1 - client
        named = [self._names.get(key, (None, None)) for key in rows["key"].tolist()]
        shaken = rows["syn"][index, client] & rows["syn_ack"][index, server]
        is_tcp = rows["protocol"] == cursor.TCP
        return {
            "ts": timestamps(rows["ts"], rows["timed"]),
            "ts_end": timestamps(rows["ts_end"], rows["timed"]),
            "client_ip": from_bytes(rows["src"][index, client]),
            "client_port": pa.array(rows["port"][index, client]),
            "server_ip": from_bytes(rows["src"][index, server]),
            "server_port": pa.array(rows["port"][index, server]),
            "client_mac": from_bytes(rows["mac"][index, client], rows["has_mac"][index, client]),
            "transport": transports(rows["protocol"]),
            "name": pa.array([name for name, _ in named], pa.string()),
            "name_source": pa.array([source for _, source in named], pa.string()),
            "bytes_out": pa.array(rows["octets"][index, client].astype(np.uint64)),
            "bytes_in": pa.array(rows["octets"][index, server].astype(np.uint64)),
            "packets_out": pa.array(rows["packets"][index, client].astype(np.uint64)),
            "packets_in": pa.array(rows["packets"][index, server].astype(np.uint64)),
            "payload_out": pa.array(rows["payload"][index, client]),
            "payload_in": pa.array(rows["payload"][index, server]),
            "handshake": pa.array(shaken, mask=~is_tcp),
            "tunnel": tunnels(rows["tunnel"]),
            "ordinal": pa.array(rows["ordinal"]),
        }


def _client_side(rows: np.ndarray) -> Ints:
    """Which end opened: who sent the SYN or got the SYN-ACK.

    A capture may begin in the middle: then the end without a well-known port where just one has
    one; else who was seen first.
    """
    opener = rows["opener"].astype(np.int64)
    known = rows["port"] < _WELL_KNOWN
    by_port = np.where(known[:, 0], 1, 0)
    guess = np.where(known[:, 0] != known[:, 1], by_port, opener)
    syn, syn_ack = rows["syn"], rows["syn_ack"]
    guess = np.where(syn_ack[:, 0] != syn_ack[:, 1], np.where(syn_ack[:, 0], 1, 0), guess)
    return np.where(syn[:, 0] != syn[:, 1], np.where(syn[:, 0], 0, 1), guess)
