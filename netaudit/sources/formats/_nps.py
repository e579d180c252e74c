"""What the three files of Windows NPS have in common: packets by number, answers without a station.

An answer (accept, reject, challenge) names neither station nor access point: these are those of the
request before it that has the same `Class`, as long as a NAS waits for an answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.log_format import Parsed, Rows
from netaudit.intake.times import Context, from_iso
from netaudit.records.addresses import ip_column
from netaudit.sources.formats import _radius as radius
from netaudit.sources.formats._delimited import Cells
from netaudit.sources.formats._outcome import keep, parsed
from netaudit.sources.formats._values import mask, words

AMERICAN = r"^(\d{2})/(\d{2})/(\d{4})\b"
"""A date with the month first."""
NO_PACKET = "The event does not say which packet it is of."

WAIT_NS = 60 * 10**9
"""How long a request waits for its answer: RADIUS clients give up long before."""
KEPT = 4096
"""Requests of earlier pieces of the file that an answer may still belong to."""

_PACKETS = {
    "1": "Access-Request",
    "2": "Access-Accept",
    "3": "Access-Reject",
    "4": "Accounting-Request",
    "5": "Accounting-Response",
    "11": "Access-Challenge",
}
_STATUS = {"1": "Start", "2": "Stop", "3": "Interim-Update", "7": "Accounting-On", "8": "Accounting-Off"}
_PORT_TYPES = {"15": "Ethernet", "19": "Wireless-802.11"}
_OF_REQUEST = ("client_mac", "bssid", "ssid", "ap_name", "nas", "nas_port", "session")


@dataclass(slots=True)
class Requests:
    """The last requests of a file, which answers in its next piece may belong to."""

    key: pa.Array = field(default_factory=lambda: pa.array([], pa.string()))
    time: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    cells: dict[str, pa.Array] = field(default_factory=dict)


def records(said: Mapping[str, pa.Array], stamp: pa.Array, waiting: Requests) -> dict[str, pa.Array]:
    """Columns of the kind ``radius``.

    Args:
        said: Text by the name of the attribute as FreeRADIUS has it, and ``Packet-Type``,
            ``Acct-Status-Type``, ``NAS-Port-Type`` as numbers, ``Class`` and ``Qualified-Name``.
        stamp: When each was written.
        waiting: The requests so far; those of these records are added.
    """
    none = pa.nulls(len(stamp), pa.string())
    port_type = words(said.get("NAS-Port-Type", none), lambda number: _PORT_TYPES.get(number, number))
    named = {**said, "NAS-Port-Type": port_type}
    columns = radius.columns(lambda key: named.get(key, none))
    columns["account"] = pc.coalesce(columns["account"], said.get("Qualified-Name", none))
    packet = words(said["Packet-Type"], _PACKETS.get)
    status = words(said.get("Acct-Status-Type", none), _STATUS.get)
    # RFC 2866 section 5.1: no other packet has a status
    bare = pc.and_(pc.is_null(said["Packet-Type"]), pc.is_valid(status))
    packet = pc.if_else(bare, "Accounting-Request", packet)
    accounting = pc.equal(packet, "Accounting-Request")
    columns["message"] = pc.if_else(accounting, pc.coalesce(status, packet), packet)
    address = ip_column(said.get("Framed-IP-Address", none))
    columns["client_ip"] = pc.coalesce(address, ip_column(said.get("Framed-IPv6-Address", none)))
    columns["ts"] = radius.happened(stamp, said.get("Acct-Delay-Time", none))
    return columns | _of_requests(columns, said.get("Class", none), packet, waiting)


def outcome(
    count: int,
    columns: dict[str, pa.Array],
    index: np.ndarray,
    shaped: np.ndarray,
    cut: dict[str, np.ndarray],
) -> Parsed:
    """What the lines of a chunk came to.

    Args:
        count: Lines of the chunk.
        columns: Of `records`.
        index: The line of each.
        shaped: Which of them are whole.
        cut: Why lines that are not are refused.
    """
    known = mask(pc.is_valid(columns["message"]))
    rows = keep(Rows("radius", columns, index), shaped & known)
    return parsed(count, [rows], cut | {NO_PACKET: index[shaped & ~known]})


def cell_stamps(cells: Cells, shaped: np.ndarray, context: Context) -> pa.Array:
    """Times out of the third and fourth cell, ``03/07/2026`` and ``13:04:33``; null where a line is not whole."""
    day = pc.replace_substring_regex(cells.column(2), AMERICAN, r"\3-\1-\2")
    stamp = pc.binary_join_element_wise(day, cells.column(3), " ")
    return from_iso(pc.if_else(pa.array(shaped), stamp, None), context)


def _of_requests(
    columns: dict[str, pa.Array], key: pa.Array, packet: pa.Array, waiting: Requests
) -> dict[str, pa.Array]:
    """The cells that answers do not have, from their requests."""
    before = len(waiting.key)
    key = pa.concat_arrays([waiting.key, key])
    now = pc.fill_null(columns["ts"].cast(pa.int64()), 0).to_numpy(zero_copy_only=False)
    time = np.concatenate((waiting.time, now))
    cells = {
        name: pa.concat_arrays([waiting.cells.get(name, columns[name].slice(0, 0)), columns[name]])
        for name in _OF_REQUEST
    }
    is_request = np.append(np.ones(before, bool), mask(pc.equal(packet, "Access-Request")))
    answers = pc.is_in(packet, value_set=pa.array(["Access-Accept", "Access-Reject", "Access-Challenge"]))
    is_answer = np.append(np.zeros(before, bool), mask(answers))
    code = pc.fill_null(key.dictionary_encode().indices, -1).to_numpy(zero_copy_only=False)
    order = np.lexsort((np.arange(len(code)), code))
    last = np.maximum.accumulate(np.where(is_request[order], np.arange(len(order)), -1))
    asked = order[np.maximum(last, 0)]
    fits = is_answer[order] & (last >= 0) & (code[order] >= 0) & (code[asked] == code[order])
    fits &= np.abs(time[order] - time[asked]) <= WAIT_NS
    source = np.full(len(code), -1)
    source[order[fits]] = asked[fits]
    mine = pa.array(source[before:], mask=source[before:] < 0)
    kept = np.flatnonzero(is_request & (code >= 0))[-KEPT:]
    waiting.key, waiting.time = key.take(pa.array(kept)), time[kept]
    waiting.cells = {name: column.take(pa.array(kept)) for name, column in cells.items()}
    return {name: pc.coalesce(columns[name], cells[name].take(mine)) for name in _OF_REQUEST}
