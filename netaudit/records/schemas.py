"""The one table of columns, and which kind of record has which of them.

Column names are those of the printed contract, so nothing is renamed between the kernels and
the paper. A record batch holds one kind; its schema's metadata names the kind and the version.
`ts` may be null (time unknown); such rows are kept and matched, never dropped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import pyarrow as pa

SCHEMA_VERSION = 1

TIMESTAMP = pa.timestamp("ns", tz="UTC")
IP = pa.binary(16)  # IPv4 as ::ffff:a.b.c.d
MAC = pa.binary(6)
WORD = pa.dictionary(pa.int32(), pa.string())  # strings that repeat
PORT = pa.uint16()
COUNT = pa.uint64()

FIELDS: dict[str, pa.DataType] = {
    "ts": TIMESTAMP,
    "ts_end": TIMESTAMP,
    "client_ip": IP,
    "client_port": PORT,
    "server_ip": IP,
    "server_port": PORT,
    "client_mac": MAC,
    "transport": WORD,  # udp, tcp, icmp, ...
    "transport_detail": WORD,  # mdns, llmnr, doh, dot, doq
    "name": WORD,  # lower case, A-labels, no root dot, RFC 4343 escapes
    "name_source": WORD,  # qname, sni, ech_outer, host, dns_answer
    "qtype": WORD,
    "rcode": WORD,
    "answers": pa.list_(pa.string()),
    "opcode": WORD,
    "action": WORD,  # what the logging device did: blocked, allowed, denied
    "method": WORD,
    "status": pa.uint16(),
    "alpn": pa.list_(pa.string()),
    "version": WORD,
    "ja4": WORD,
    "bytes_out": COUNT,
    "bytes_in": COUNT,
    "packets_out": COUNT,
    "packets_in": COUNT,
    "payload_out": pa.bool_(),  # transport payload was seen from client to server
    "payload_in": pa.bool_(),  # and from server to client
    "handshake": pa.bool_(),  # the TCP three-way handshake was seen
    "also_named": pa.list_(pa.string()),  # other names that led the same client to the same address
    "age_s": pa.float64(),  # of an inferred name: seconds since the DNS answer
    "hostname": WORD,
    "vendor_class": WORD,
    "lease_s": pa.uint32(),
    "message": WORD,  # the protocol's or log's own word: ack, release, start, stop, new, destroy
    "client_id": WORD,
    "ssid": WORD,
    "bssid": MAC,
    "security": WORD,  # OPEN, WEP, WPA, WPA2, WPA3, OWE, WAPI
    "auth": WORD,  # ways into the network: open, wep, psk, sae, 802.1x, owe, certificate, joined by +
    "channel": pa.uint16(),
    "ap_name": WORD,
    "account": WORD,
    "nas": WORD,
    "nas_port": WORD,
    "vlan": pa.uint16(),
    "age": WORD,  # of a table's entry, as the device prints it; makers count in different units
    "session": WORD,
    "public_ip": IP,
    "public_port": PORT,
    "public_port_end": PORT,  # of a port block; null for a single session
    "ip": IP,
    "mac": MAC,
    "asset": WORD,  # inventory number or name
    "model": WORD,
    "owner": WORD,
    "department": WORD,
    "location": WORD,
    "segment": WORD,
    "switch": WORD,
    "switch_port": WORD,
    "tunnel": pa.list_(pa.string()),
    "site": WORD,
    "file": WORD,  # EvidenceFile.id: the first 16 hex digits of the SHA-256
    "ordinal": COUNT,  # packet or line number, from 1
}
"""Every column there is, in the order in which it is printed."""

_ENDS = ("ts", "client_ip", "client_port", "server_ip", "server_port", "client_mac", "transport")
_EVIDENCE = ("tunnel", "site", "file", "ordinal")

KINDS: dict[str, tuple[str, ...]] = {
    "dns": (
        *_ENDS,
        "transport_detail",
        "name",
        "name_source",
        "qtype",
        "rcode",
        "answers",
        "opcode",
        "action",
        *_EVIDENCE,
    ),
    "tls": (*_ENDS, "transport_detail", "name", "name_source", "alpn", "version", "ja4", *_EVIDENCE),
    "quic": (*_ENDS, "transport_detail", "name", "name_source", "alpn", "version", "ja4", *_EVIDENCE),
    "http": (*_ENDS, "name", "name_source", "method", "status", "version", *_EVIDENCE),
    "proxy": (
        *_ENDS,
        "ts_end",
        "name",
        "name_source",
        "method",
        "status",
        "action",
        "bytes_out",
        "bytes_in",
        "account",
        *_EVIDENCE,
    ),
    "flow": (
        *_ENDS,
        "ts_end",
        "transport_detail",
        "name",
        "name_source",
        "also_named",
        "bytes_out",
        "bytes_in",
        "packets_out",
        "packets_in",
        "payload_out",
        "payload_in",
        "handshake",
        "age_s",
        *_EVIDENCE,
    ),
    "dhcp": (
        "ts",
        "ts_end",
        "client_ip",
        "client_mac",
        "hostname",
        "vendor_class",
        "lease_s",
        "message",
        "client_id",
        "server_ip",
        "nas",
        "nas_port",
        "vlan",
        *_EVIDENCE,
    ),
    "wlan": (
        "ts",
        "client_ip",
        "client_mac",
        "message",
        "account",
        "ssid",
        "bssid",
        "security",
        "auth",
        "channel",
        "ap_name",
        "nas",
        "nas_port",
        "vlan",
        "session",
        *_EVIDENCE,
    ),
    "radius": (
        "ts",
        "client_ip",
        "client_mac",
        "message",
        "account",
        "ssid",
        "bssid",
        "ap_name",
        "nas",
        "nas_port",
        "vlan",
        "session",
        *_EVIDENCE,
    ),
    "arp": (
        "ts",
        "client_ip",
        "client_mac",
        "server_ip",
        "message",
        "nas",
        "nas_port",
        "vlan",
        "age",
        *_EVIDENCE,
    ),
    "fdb": ("ts", "client_mac", "message", "nas", "nas_port", "vlan", "age", *_EVIDENCE),
    "nat": (
        *_ENDS,
        "ts_end",
        "public_ip",
        "public_port",
        "public_port_end",
        "message",
        "action",
        "account",
        "session",
        *_EVIDENCE,
    ),
    "asset": (
        "ts",
        "ts_end",
        "ip",
        "mac",
        "hostname",
        "asset",
        "model",
        "owner",
        "department",
        "location",
        "segment",
        "vlan",
        "switch",
        "switch_port",
        *_EVIDENCE,
    ),
}
"""Columns of each kind. In `nat`, client is the inside host, server the destination. In `asset`
and `dhcp`, ts and ts_end bound the validity (null end = open, null start = unknown). `fdb` is a
switch's forwarding database, its MAC table: nas is the switch, nas_port where it learnt the MAC."""

EVENT_KINDS = ("dns", "tls", "quic", "http", "proxy", "flow", "dhcp", "wlan", "radius", "arp", "fdb", "nat")
"""What ``netaudit events`` prints; an inventory row is no event."""

DESTINATION_KINDS = ("dns", "tls", "quic", "http", "proxy", "flow")
"""Kinds that say who asked for or contacted what: those that matching looks at."""


def schema(kind: str) -> pa.Schema:
    """The Arrow schema of `kind`, columns in the order of `FIELDS`."""
    wanted = set(KINDS[kind])
    return pa.schema(
        [pa.field(name, type_) for name, type_ in FIELDS.items() if name in wanted],
        metadata={"netaudit.kind": kind, "netaudit.version": str(SCHEMA_VERSION)},
    )


def kind_of(batch: pa.RecordBatch | pa.Table) -> str:
    """The kind that a conforming batch or table holds."""
    return str(batch.schema.metadata[b"netaudit.kind"], "ascii")


def conform(kind: str, columns: Mapping[str, Any], rows: int) -> pa.RecordBatch:
    """A batch of `kind` from some of its columns; those not given are null.

    Args:
        kind: One of `KINDS`.
        columns: Arrow arrays, NumPy arrays or sequences of `rows` values each. A plain string
            stands for a column of that one word.
        rows: Number of rows.

    Raises:
        KeyError: A column that this kind does not have (a defect in a parser).
    """
    target = schema(kind)
    unknown = set(columns) - set(target.names)
    if unknown:
        raise KeyError(f"{kind} has no column {sorted(unknown)}")
    arrays = [_column(columns.get(field.name), field.type, rows) for field in target]
    return pa.RecordBatch.from_arrays(arrays, schema=target)


def _column(values: Any, type_: pa.DataType, rows: int) -> pa.Array:
    if values is None:
        return nulls(type_, rows)
    if isinstance(values, str):
        return pa.DictionaryArray.from_arrays(zeros(rows), pa.array([values]), safe=False)
    array = values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(values)
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if array.type == type_:
        return array
    if type_ == WORD and not pa.types.is_dictionary(array.type):
        return array.cast(pa.string()).dictionary_encode()
    return array.cast(type_)


_AT_ONCE = 1 << 17


def zeros(rows: int) -> pa.Array:
    """So many numbers 0 (int32): for a column of one word. Most batches look at the same memory."""
    return _many_zeros().slice(0, rows) if rows <= _AT_ONCE else pa.repeat(_ZERO, rows)


_ZERO = pa.scalar(0, pa.int32())


@cache
def _many_zeros() -> pa.Array:
    return pa.repeat(_ZERO, _AT_ONCE)


def nulls(type_: pa.DataType, rows: int) -> pa.Array:
    """A column without any value."""
    return _many_nulls(type_).slice(0, rows) if rows <= _AT_ONCE else pa.nulls(rows, type_)


@cache
def _many_nulls(type_: pa.DataType) -> pa.Array:
    return pa.nulls(_AT_ONCE, type_)


def concat(kind: str, batches: Iterable[pa.RecordBatch]) -> pa.Table:
    """One table of all batches of a kind (empty but typed where there is none)."""
    return pa.Table.from_batches(list(batches), schema=schema(kind)).unify_dictionaries()
