"""Fixed fields of many messages at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from netaudit.kernels.octets import Bytes, Ints
from netaudit.kernels.packet import Rows
from netaudit.records.addresses import V4_PREFIX, from_bytes
from netaudit.sources.messages import Messages, timestamps, tunnels


def field(messages: Messages, offset: Ints | int, width: int) -> Bytes:
    """``(n, width)`` octets from `offset` of each message on; what is outside of it is zero."""
    rows, here = messages.rows, np.arange(width)
    start = np.broadcast_to(np.asarray(offset, np.int64), len(rows))
    if not len(messages.arena.u8):
        return np.zeros((len(rows), width), np.uint8)
    found = messages.arena.u8.take((rows["at"] + start)[:, None] + here, mode="clip")
    short = np.flatnonzero((start < 0) | (start + width > rows["length"]))
    reach = start[short, None] + here
    found[short] *= (reach >= 0) & (reach < rows["length"][short, None])
    return found


def number(messages: Messages, offset: int, width: int) -> Ints:
    """The integer at `offset` of each message, in network order."""
    value = np.zeros(len(messages), np.int64)
    for octet in field(messages, offset, width).T:
        value = value << 8 | octet
    return value


def stations(octets: Bytes, known: np.ndarray) -> pa.Array:
    """``(n, 6)`` link addresses as a column; null where not `known`, all zero or broadcast."""
    return from_bytes(octets, known & (octets != 0).any(axis=1) & (octets != 0xFF).any(axis=1))


def hosts(octets: Bytes, known: np.ndarray) -> pa.Array:
    """``(n, 4)`` or ``(n, 16)`` addresses as a column; null where not `known`, unspecified or a group's."""
    if octets.shape[1] == 4:
        group = octets[:, 0] >= 0xE0
        octets = np.hstack([np.tile(np.frombuffer(V4_PREFIX, np.uint8), (len(octets), 1)), octets])
        zero = (octets[:, 12:] == 0).all(axis=1)
    else:
        group = octets[:, 0] == 0xFF
        zero = (octets == 0).all(axis=1)
    return from_bytes(octets, known & ~zero & ~group)


def frame(rows: Rows) -> dict[str, Any]:
    """The columns that every event has: time, encapsulation and ordinal."""
    return {
        "ts": timestamps(rows["ts"], rows["timed"] != 0),
        "tunnel": tunnels(rows["tunnel"]),
        "ordinal": pa.array(rows["ordinal"].astype(np.uint64)),
    }
