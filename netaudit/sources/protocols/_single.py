"""Kinds of message that are rare enough to be read one at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from netaudit.kernels import packet
from netaudit.records.schemas import FIELDS, TIMESTAMP, WORD
from netaudit.sources.messages import Messages, tunnels

Row = dict[str, Any]
"""Cells of one event by column: packed addresses, text, whole numbers; times in nanoseconds."""

_LAST_NS = 2**63 - 1
NO_MAC = (b"\0" * 6, b"\xff" * 6)
"""Link addresses that are no station's."""


class Message(NamedTuple):
    """One message and what its packet says about it."""

    octets: bytes
    ordinal: int
    ts: int | None
    """Nanoseconds; None where the time is unknown."""
    src: bytes
    dst: bytes
    mac: bytes | None
    """The sender's on the link, where it is known."""
    cut: bool


def each(messages: Messages) -> Iterator[Message]:
    """The messages of a block, in file order."""
    rows = messages.rows
    src, dst = packet.addresses(rows, "src"), packet.addresses(rows, "dst")
    macs = packet.hardware(rows)
    for i in range(len(rows)):
        yield Message(
            messages.octets(i),
            int(rows["ordinal"][i]),
            int(rows["ts"][i]) if rows["timed"][i] else None,
            src[i].tobytes(),
            dst[i].tobytes(),
            macs[i].tobytes() if rows["has_mac"][i] else None,
            bool(rows["cut"][i]),
        )


def table(messages: Messages, of: Sequence[int], found: Sequence[Row]) -> dict[str, Any]:
    """Columns of events.

    Args:
        messages: Of a block.
        of: Of each event, the index of its message.
        found: The events; what one of them lacks is null.
    """
    rows = messages.rows[np.array(of, np.int64)]
    names = sorted(set().union(*found))
    columns: dict[str, Any] = {name: _column(name, [row.get(name) for row in found]) for name in names}
    return columns | {
        "tunnel": tunnels(rows["tunnel"]),
        "ordinal": pa.array(rows["ordinal"].astype(np.uint64)),
    }


def station(octets: bytes) -> bytes | None:
    """A link address of six octets; None where it is another kind or nobody's."""
    return octets if len(octets) == 6 and octets not in NO_MAC else None


def after(ts: int | None, seconds: int) -> int | None:
    """A time some seconds after another; None where either is none that can be held."""
    moved = None if ts is None else ts + seconds * 10**9
    return moved if moved is not None and abs(moved) <= _LAST_NS else None


def _column(name: str, values: list[Any]) -> pa.Array:
    type_ = FIELDS[name]
    if type_ == TIMESTAMP:
        return pa.array(values, pa.int64()).cast(TIMESTAMP)
    return pa.array(values, pa.string() if type_ == WORD else type_)
