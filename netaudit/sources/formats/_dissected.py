"""DNS packets that a dissector printed one by one: a query and its response become one look-up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.log_format import Rows
from netaudit.intake.times import Context, from_epoch, from_iso
from netaudit.records.addresses import ip_column
from netaudit.records.names import normalise_column
from netaudit.sources.dns_words import qtype_column, rcode_column
from netaudit.sources.formats._owned import latest_before
from netaudit.sources.formats._values import mask, port

_ROOT = "<Root>"


@dataclass(frozen=True, slots=True)
class Packets:
    """DNS packets as columns of equal length; all but `ts`, `answers` and `line` are text."""

    line: np.ndarray
    ts: pa.Array
    src: pa.Array
    dst: pa.Array
    sport: pa.Array
    dport: pa.Array
    transport: pa.Array
    number: pa.Array
    """The message's id."""
    response: np.ndarray
    """Whether it is a response."""
    name: pa.Array
    qtype: pa.Array
    rcode: pa.Array
    answers: pa.Array
    """Lists, null where there are none."""


def look_ups(packets: Packets) -> tuple[Rows, np.ndarray]:
    """Rows, and the lines of packets whose addresses cannot be read.

    A response is put to the last query of the same client, server, id and question before it; both
    are then one row, which stands at the query. Where only one port of each packet is there, it is not
    compared: a response's is the server's. A response without a query in these packets is a row of its own.
    """
    back = pa.array(packets.response)
    client, server = _sides(back, packets.src, packets.dst)
    client_port, server_port = _sides(back, packets.sport, packets.dport)
    asker = pc.if_else(pc.is_valid(server_port), pc.fill_null(client_port, ""), "")
    key = pc.binary_join_element_wise(
        client, asker, server, packets.number, packets.name, packets.qtype, " "
    )
    asked, told = np.flatnonzero(~packets.response), np.flatnonzero(packets.response)
    question, reply = latest_before(
        key.take(pa.array(asked)), packets.line[asked], key.take(pa.array(told)), packets.line[told]
    )
    question, first = np.unique(question, return_index=True)
    said = np.where(packets.response, np.arange(len(packets.line)), -1)
    said[asked[question]] = told[reply[first]]
    spoken = pa.array(said, mask=said < 0)
    address = ip_column(client)
    left = np.ones(len(said), bool)
    left[told[reply]] = False
    readable = mask(pc.is_valid(address))
    rows = np.flatnonzero(left & readable)
    ports = port(server_port)
    columns = {
        "ts": packets.ts,
        "client_ip": address,
        "client_port": port(client_port),
        "server_ip": ip_column(server),
        "server_port": ports,
        "transport": packets.transport,
        "transport_detail": pc.if_else(pc.equal(ports, 5353), "mdns", pc.if_else(pc.equal(ports, 5355), "llmnr", pa.scalar(None, pa.string()))),
        "name": normalise_column(_spelled(packets.name)),
        "qtype": qtype_column(packets.qtype),
        "rcode": rcode_column(packets.rcode).take(spoken),
        "answers": packets.answers.take(spoken),
    }  # fmt: skip
    at = pa.array(rows)
    taken: dict[str, pa.Array | str] = {name: column.take(at) for name, column in columns.items()}
    return Rows("dns", {**taken, "name_source": "qname"}, packets.line[rows]), packets.line[
        left & ~readable
    ]


def frame_times(text: pa.Array, context: Context) -> pa.Array:
    """When frames came: seconds since the epoch, or (of tshark 4.4 and later) ISO 8601; null for others."""
    dated = pc.fill_null(pc.match_substring_regex(text, r"^\d{4}-\d\d-\d\d"), False)
    return pc.coalesce(
        from_epoch(pc.if_else(dated, None, text)), from_iso(pc.if_else(dated, text, None), context)
    )


def _spelled(name: pa.Array) -> pa.Array:
    """Names as tshark spells them in presentation form."""
    return pc.if_else(pc.equal(name, _ROOT), ".", pc.replace_substring(name, " ", "\\032"))


def _sides(back: pa.Array, source: pa.Array, target: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Client's and server's values out of sender's and receiver's."""
    return pc.if_else(back, target, source), pc.if_else(back, source, target)


def lists_in(values: list[pa.Array]) -> pa.Array:
    """The comma-joined values of some columns as one list each; null where there is none."""
    joined = pc.binary_join_element_wise(*(pc.fill_null(column, "") for column in values), ",")
    joined = pc.utf8_trim(pc.replace_substring_regex(joined, r"[, ]+", ","), ",")
    joined = pc.if_else(pc.equal(joined, ""), pa.scalar(None, pa.string()), joined)
    return pc.split_pattern(joined, ",").cast(pa.list_(pa.string()))
