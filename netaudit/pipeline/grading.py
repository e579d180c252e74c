"""What the evidence shows of each hit: asked, answered, blocked, connected, exchanged.

A look-up is never called a visit. A DNS hit rises above `answered` only if the same client then
opened a connection to one of the answered addresses, and that connection named nothing else: not in
its own record, nor in a TLS, QUIC or HTTP record of the same connection.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.case.finding import Grade
from netaudit.records.addresses import Network, in_network, parse_ip
from netaudit.records.schemas import IP

FOLLOW_S = 600
"""A connection this long after an answer may still follow from it, seconds."""
SLACK_NS = 2 * 10**9
"""Records of one connection may differ by this much in their times."""

_RANK = {grade: rank for rank, grade in enumerate(Grade)}
_BLOCKED_CODES = ("NXDOMAIN", "REFUSED")
_SINKS = ("0.0.0.0", "::", "127.0.0.1", "::1")  # noqa: S104 -- answers of sinkholes, not bindings

_ENDS = ["client_ip", "client_port", "server_ip", "server_port"]
_NAMING_KINDS = ("tls", "quic", "http")
READ_BACK = frozenset({"flow", *_NAMING_KINDS})
"""Kinds of which events are read again once all are known."""
_NOT_THE_DESTINATION = "ech_outer"
"""Source of a name that hides the real one: a connection with it names nothing."""

_FLOW_COLUMNS = [
    *_ENDS,
    "ts",
    "ts_end",
    "name",
    "name_source",
    "payload_out",
    "payload_in",
    "handshake",
    "file",
    "ordinal",
]


class _Flows(Protocol):
    def read(
        self, kind: str, columns: list[str] | None = None, where: pc.Expression | None = None
    ) -> pa.Table: ...


def grade(hits: pa.Table, events: _Flows, own: Sequence[Network] = ()) -> pa.Table:
    """Grade each hit.

    Args:
        hits: As `hits.HIT`.
        events: Where flows and the records that name them are read.
        own: The unit's own networks. An answer that leads there shows no contact with the listed
            name: it is a sinkhole's or a forger's, and a connection to one's own server is no visit.

    Returns:
        `hits` with the columns `grade` (int8, rank in `Grade`) and `flow_file`, `flow_ordinal` (the
        connection that the grade rests on, where it is another row than the hit).
    """
    ranks = _own_rank(hits)
    files: list[str | None] = [None] * hits.num_rows
    ordinals: list[int | None] = [None] * hits.num_rows
    if hits.num_rows:
        flows = _flows_of(hits, events)
        for row, rank, file, ordinal in _followed(hits, flows, ranks, own):
            if rank > ranks[row]:
                ranks[row], files[row], ordinals[row] = rank, file, ordinal
    return (
        hits.append_column("grade", pa.array(ranks, pa.int8()))
        .append_column("flow_file", pa.array(files, pa.string()))
        .append_column("flow_ordinal", pa.array(ordinals, pa.uint64()))
    )


def _own_rank(hits: pa.Table) -> np.ndarray:
    """Rank by the hit's own row alone."""
    kind = _strings(hits, "kind")
    action = pc.fill_null(hits.column("action"), "")
    denied = pc.is_in(action, value_set=pa.array(["blocked", "denied"])).to_numpy(zero_copy_only=False)
    handshake, out, back = (_flags(hits, n) for n in ("handshake", "payload_out", "payload_in"))
    status = _flags(hits, "status")
    udp = _strings(hits, "transport") == "udp"
    ranks = np.full(hits.num_rows, _RANK[Grade.ASKED], np.int8)
    dns = kind == "dns"
    ranks[dns] = _dns_rank(hits, denied)[dns]
    ranks[np.isin(kind, ["tls", "http"])] = _RANK[
        Grade.CONNECTED
    ]  # after the handshake; a QUIC Initial is before
    ranks[(kind == "http") & status] = _RANK[Grade.EXCHANGED]
    flow = kind == "flow"
    ranks[flow & handshake] = _RANK[Grade.CONNECTED]
    ranks[flow & back & (out | udp)] = _RANK[Grade.EXCHANGED]
    proxy = kind == "proxy"
    ranks[proxy] = _RANK[Grade.CONNECTED]
    ranks[proxy & _flags(hits, "bytes_in")] = _RANK[Grade.EXCHANGED]
    ranks[proxy & denied] = _RANK[Grade.BLOCKED]
    return ranks


def _dns_rank(hits: pa.Table, denied: np.ndarray) -> np.ndarray:
    rcode = _strings(hits, "rcode")
    refused = np.isin(rcode, _BLOCKED_CODES)
    count = pc.fill_null(pc.list_value_length(hits.column("answers")), 0).to_numpy()
    sunk = np.zeros(hits.num_rows, bool)
    parents = pc.list_parent_indices(hits.column("answers")).to_numpy()
    sink = pc.is_in(pc.list_flatten(hits.column("answers")), value_set=pa.array(_SINKS))
    sunk[parents[sink.to_numpy(zero_copy_only=False)]] = True
    resolver = _strings(hits, "field") == "server_ip"  # the server that was asked is what is listed
    return np.select(
        [resolver & ((rcode != "") | (count > 0)), resolver, denied | refused | sunk, count > 0],
        [_RANK[g] for g in (Grade.EXCHANGED, Grade.ASKED, Grade.BLOCKED, Grade.ANSWERED)],
        _RANK[Grade.ASKED],
    )


def _flows_of(hits: pa.Table, events: _Flows) -> pa.Table:
    """Flows of the clients concerned to the addresses concerned."""
    clients = pc.drop_null(pc.unique(hits.column("client_ip")))
    servers = pa.array(sorted(_addresses(hits)), IP)
    where = pc.field("client_ip").isin(clients) & pc.field("server_ip").isin(servers)
    flows = _with_rank(events.read("flow", _FLOW_COLUMNS, where))
    return _named(
        flows, [events.read(k, [*_ENDS, "ts", "name", "name_source"], where) for k in _NAMING_KINDS]
    )


def _named(flows: pa.Table, others: list[pa.Table]) -> pa.Table:
    """`flows`, once for each name of theirs in other records; null where nothing names them."""
    names = pa.concat_tables(
        [
            t.select(_ENDS).append_column("name_ts", t.column("ts")).append_column("other", _name(t))
            for t in others
        ]
    )
    flows = flows.append_column("number", pa.array(np.arange(flows.num_rows)))
    pairs = flows.join(names.filter(pc.is_valid(names.column("other"))), _ENDS, join_type="inner")
    begun = pc.subtract(pairs.column("name_ts").cast(pa.int64()), pairs.column("flow_ts").cast(pa.int64()))
    over = pc.subtract(pairs.column("name_ts").cast(pa.int64()), pairs.column("flow_end").cast(pa.int64()))
    during = pc.and_(pc.greater_equal(begun, -SLACK_NS), pc.less_equal(over, SLACK_NS))
    kept = pairs.filter(pc.fill_null(during, fill_value=True)).select(["number", "other"])
    named = flows.join(kept.group_by(["number", "other"]).aggregate([]), "number", join_type="left outer")
    name = pc.coalesce(named.column("flow_name"), named.column("other"))
    return named.set_column(named.schema.get_field_index("flow_name"), "flow_name", name)


def _name(rows: pa.Table) -> pa.ChunkedArray:
    """What rows name as their destination, as text; null where that is hidden."""
    hidden = pc.equal(rows.column("name_source").cast(pa.string()), _NOT_THE_DESTINATION)
    return pc.if_else(pc.fill_null(hidden, fill_value=False), None, rows.column("name").cast(pa.string()))


def _addresses(hits: pa.Table) -> set[bytes]:
    """Servers that were contacted, and addresses that were answered."""
    servers = set(pc.drop_null(pc.unique(hits.column("server_ip"))).to_pylist())
    texts = pc.drop_null(pc.unique(pc.list_flatten(hits.column("answers")))).to_pylist()
    return servers | {packed for packed in map(parse_ip, texts) if packed is not None}


def _followed(
    hits: pa.Table, flows: pa.Table, ranks: np.ndarray, own: Sequence[Network]
) -> list[tuple[int, int, str, int]]:
    """(row of the hit, rank, file and ordinal of the flow) for connections that belong to hits."""
    if not flows.num_rows:
        return []
    pairs = _pairs(hits, ranks, own)
    joined = pairs.join(flows, ["client_ip", "server_ip"], join_type="inner")
    if not joined.num_rows:
        return []
    before = pc.subtract(joined.column("flow_ts").cast(pa.int64()), joined.column("ts").cast(pa.int64()))
    near = pc.and_(
        pc.greater_equal(before, -FOLLOW_S * 10**9 // 10), pc.less_equal(before, FOLLOW_S * 10**9)
    )
    same_port = pc.fill_null(
        pc.equal(joined.column("hit_port"), joined.column("client_port")), fill_value=False
    )
    looked_up = joined.column("looked_up")
    same_name = pc.fill_null(pc.equal(joined.column("name"), joined.column("flow_name")), fill_value=True)
    belongs = pc.and_kleene(near, pc.or_(same_port, pc.and_(looked_up, same_name)))
    kept = joined.filter(pc.fill_null(belongs, fill_value=False)).sort_by(
        [("row", "ascending"), ("flow_rank", "descending")]  # the best, of these the first
        + [(name, "ascending") for name in ("flow_ts", "flow_file", "flow_ordinal")]
    )
    columns = (kept.column(n).to_pylist() for n in ("row", "flow_rank", "flow_file", "flow_ordinal"))
    return list(zip(*columns, strict=True))


def _pairs(hits: pa.Table, ranks: np.ndarray, own: Sequence[Network]) -> pa.Table:
    """One row per hit and address it may have led to: its own server, or its answers.

    What was blocked led nowhere, whatever connection carried the refusal.
    """
    rows = np.arange(hits.num_rows)
    dns = (_strings(hits, "kind") == "dns") & (ranks == _RANK[Grade.ANSWERED])
    direct = rows[(_strings(hits, "kind") != "dns") & (ranks != _RANK[Grade.BLOCKED])]
    parents = pc.list_parent_indices(hits.column("answers")).to_numpy()
    texts = pc.list_flatten(hits.column("answers")).to_pylist()
    outside = {t: p for t in set(texts) if (p := parse_ip(t)) and not any(in_network(p, n) for n in own)}
    answered = [
        (int(r), outside[t]) for r, t in zip(parents, texts, strict=True) if dns[r] and t in outside
    ]
    order = np.concatenate([direct, np.array([r for r, _ in answered], np.int64)])
    servers = pa.concat_arrays(
        [
            hits.column("server_ip").combine_chunks().take(pa.array(direct)),
            pa.array([p for _, p in answered], IP),
        ]
    )
    taken = hits.select(["ts", "client_ip", "client_port", "name"]).take(pa.array(order))
    return (
        taken.rename_columns(["ts", "client_ip", "hit_port", "name"])
        .append_column("server_ip", servers)
        .append_column("row", pa.array(order, pa.int64()))
        .append_column("looked_up", pa.array(np.arange(len(order)) >= len(direct)))
    )


def _with_rank(flows: pa.Table) -> pa.Table:
    handshake, out, back = (_flags(flows, n) for n in ("handshake", "payload_out", "payload_in"))
    ranks = np.select([out & back, handshake], [_RANK[Grade.EXCHANGED], _RANK[Grade.CONNECTED]], 0)
    return pa.table(
        {
            **{name: flows.column(name) for name in _ENDS},
            "flow_ts": flows.column("ts"),
            "flow_end": flows.column("ts_end"),
            "flow_name": _name(flows),
            "flow_rank": pa.array(ranks, pa.int8()),
            "flow_file": flows.column("file").cast(pa.string()),
            "flow_ordinal": flows.column("ordinal"),
        }
    )


def _strings(table: pa.Table, name: str) -> np.ndarray:
    return np.asarray(pc.fill_null(table.column(name), "").to_numpy(zero_copy_only=False), str)


def _flags(table: pa.Table, name: str) -> np.ndarray:
    """Truth of a bool or count column; null is false."""
    column = table.column(name)
    if not pa.types.is_boolean(column.type):
        column = pc.greater(column, 0)
    return np.asarray(pc.fill_null(column, fill_value=False).to_numpy(zero_copy_only=False), bool)
