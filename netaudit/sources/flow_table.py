"""Flows that are over, as events: rows out of the table when they fall idle, or at the end."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from netaudit.kernels import flows, packet, streams
from netaudit.kernels.assembly import Pool
from netaudit.kernels.octets import Ints
from netaudit.kernels.packet import Rows
from netaudit.records.addresses import from_bytes
from netaudit.sources.messages import timestamps, transports, tunnels

IDLE_NS = 300 * 10**9
"""A flow without a packet for this long is over (RFC 4787 section 4.3 asks NATs for as much)."""
MAX_FLOWS = 65_536
"""Flows that may stay at the end of a block; each block can add as many packets."""
CAPACITY = 2 * MAX_FLOWS
SWEEP_EVERY = 16_384
"""New flows between two searches for idle ones."""

_DNS_PORTS = (53, 5353, 5355)
_WELL_KNOWN = 1024


class FlowTable:
    """The flows that are not over yet, and the octets that are held of their streams."""

    def __init__(self, pool: Pool, losses: Rows, seed: int) -> None:
        """An empty table; `pool` holds its streams, `losses` counts those that are given up."""
        self.table = flows.table(CAPACITY, seed)
        self.evicted = 0
        self._pool = pool
        self._losses = losses
        self._sweep_at = SWEEP_EVERY

    def flush(self, now: int, *, final: bool) -> Rows:
        """Take out the flows that are over at a time, in the order of their first packets."""
        table = self.table
        count = int(table.counts[0])
        if not final and count < self._sweep_at:
            return table.rows[:0]
        live = table.rows[:count]
        over = np.ones(count, np.bool_) if final else self._over(live, now)
        out, kept = live[over], live[~over]
        self._move_streams(over)
        table.rows[: len(kept)] = kept
        table.counts[0] = len(kept)
        flows.reindex(table)
        self._sweep_at = min(len(kept) + SWEEP_EVERY, MAX_FLOWS)  # whatever a block adds, there is room
        result: Rows = out[np.argsort(out["ordinal"], kind="stable")]
        return result

    def _over(self, live: Rows, now: int) -> np.ndarray:
        over = (live["timed"] != 0) & (live["ts_end"] < now - IDLE_NS)
        if len(live) - over.sum() > MAX_FLOWS:
            quiet = np.argsort(live["last"], kind="stable")[: len(live) // 2]
            self.evicted += int((~over[quiet]).sum())
            over[quiet] = True
        result: np.ndarray = over
        return result

    def _move_streams(self, over: np.ndarray) -> None:
        """Held octets follow their flow to its new row; those of a flow that is over are given up."""
        streams.close(self._pool, self._losses, over.astype(np.uint8))
        slots = self._pool.slots
        used = np.flatnonzero(slots["used"])
        slots["flow"][used] = (np.cumsum(~over) - 1)[slots["flow"][used]]


def columns(rows: Rows) -> dict[str, Any]:
    """Columns of ``flow`` events; `number_of` and `ends_of` say more about the same rows."""
    client = client_side(rows)
    index, server = np.arange(len(rows)), 1 - client
    is_tcp = rows["protocol"] == packet.TCP
    shaken = (rows["syn"][index, client] & rows["syn_ack"][index, server]) != 0
    client_ip, server_ip = ends(rows)
    return {
        "ts": timestamps(rows["ts"], rows["timed"] != 0),
        "ts_end": timestamps(rows["ts_end"], rows["timed"] != 0),
        "client_ip": from_bytes(client_ip),
        "client_port": pa.array(rows["port"][index, client]),
        "server_ip": from_bytes(server_ip),
        "server_port": pa.array(rows["port"][index, server]),
        "client_mac": from_bytes(_station(rows, index, client), rows["has_mac"][index, client] != 0),
        "transport": transports(rows["protocol"]),
        "bytes_out": pa.array(rows["octets"][index, client].astype(np.uint64)),
        "bytes_in": pa.array(rows["octets"][index, server].astype(np.uint64)),
        "packets_out": pa.array(rows["packets"][index, client].astype(np.uint64)),
        "packets_in": pa.array(rows["packets"][index, server].astype(np.uint64)),
        "payload_out": pa.array(rows["payload"][index, client] != 0),
        "payload_in": pa.array(rows["payload"][index, server] != 0),
        "handshake": pa.array(shaken, mask=~is_tcp),
        "tunnel": tunnels(rows["tunnel"]),
        "ordinal": pa.array(rows["ordinal"].astype(np.uint64)),
    }


def told(rows: Rows) -> Rows:
    """Flows that are events: a look-up over TCP is told as such."""
    is_dns = (rows["protocol"] == packet.TCP) & np.isin(rows["port"], _DNS_PORTS).any(axis=1)
    result: Rows = rows[~is_dns]
    return result


def ends(rows: Rows) -> tuple[np.ndarray, np.ndarray]:
    """``(n, 16)`` octets of the clients' and the servers' addresses."""
    lesser, greater = (
        np.stack((rows[side + "0"], rows[side + "1"]), axis=1).view(np.uint8) for side in "ab"
    )
    is_lesser = (client_side(rows) == 0)[:, None]
    return np.where(is_lesser, lesser, greater), np.where(is_lesser, greater, lesser)


def server_port(rows: Rows) -> np.ndarray:
    """The servers' ports."""
    result: np.ndarray = rows["port"][np.arange(len(rows)), 1 - client_side(rows)]
    return result


def _station(rows: Rows, index: Ints, client: Ints) -> np.ndarray:
    return np.ascontiguousarray(rows["mac"][index, client].view(np.uint8).reshape(-1, 8)[:, :6])


def client_side(rows: Rows) -> Ints:
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
