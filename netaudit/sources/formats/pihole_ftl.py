"""Pi-hole's long-term database (`pihole-FTL.db`): queries, and its map of addresses to stations.

`intake.containers` gives each row as a JSON object. The queries are a view over four tables since
database version 10, before that a table: both have these columns. The map says when an address was
last seen at a station; it is no history.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake import json_lines, times
from netaudit.intake.containers import TABLE
from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Rows, Sample, share
from netaudit.records.addresses import by_distinct, ip_column, mac_column
from netaudit.records.names import normalise_column
from netaudit.records.schemas import TIMESTAMP
from netaudit.sources.dns_words import qtype_column
from netaudit.sources.formats._outcome import keep, parsed
from netaudit.sources.formats._values import mask

UNREADABLE = "The client or the question of this row cannot be read."
ANONYMOUS = "Pi-hole's privacy level hid clients or names in this database."

_SCHEMA = pa.schema([
    (TABLE, pa.string()), ("timestamp", pa.float64()), ("type", pa.int64()), ("status", pa.int64()),
    ("domain", pa.string()), ("client", pa.string()), ("reply_type", pa.int64()),
    ("id", pa.int64()), ("hwaddr", pa.string()), ("interface", pa.string()),
    ("network_id", pa.int64()), ("ip", pa.string()), ("lastSeen", pa.int64()),
])  # fmt: skip
# https://docs.pi-hole.net/database/query-database/: its own numbers
_TYPES = [
    "A",
    "AAAA",
    "ANY",
    "SRV",
    "SOA",
    "PTR",
    "TXT",
    "NAPTR",
    "MX",
    "DS",
    "RRSIG",
    "DNSKEY",
    "NS",
    "OTHER",
    "SVCB",
    "HTTPS",
]
_BLOCKED = (1, 4, 5, 6, 7, 8, 9, 10, 11, 15, 16, 18)
_RCODES = {1: "NOERROR", 2: "NXDOMAIN", 3: "NOERROR", 4: "NOERROR", 5: "NOERROR", 6: "NOERROR", 7: "SERVFAIL",
           8: "REFUSED", 9: "NOTIMP", 13: "NOERROR"}  # fmt: skip
_HIDDEN_CLIENT, _HIDDEN_NAME = ("0.0.0.0", "::"), "hidden"  # noqa: S104 -- what FTL writes instead
_MOST_STATIONS = 1 << 20
_YEAR_2201_S = 7_289_654_400


def _open(context: times.Context) -> Parse:
    stations: dict[int, tuple[str | None, str | None]] = {}

    def parse(chunk: Chunk) -> Parsed:
        objects = json_lines.read(chunk.lines, _SCHEMA)
        table = objects.column(TABLE)
        rows, bad = [], np.zeros(len(objects.index), bool)
        asked = mask(pc.equal(table, "queries"))
        if asked.any():
            queries, readable = _queries(objects, asked, context)
            bad[asked] = ~readable
            rows.append(queries)
        known = mask(pc.equal(table, "network"))
        if known.any() and len(stations) < _MOST_STATIONS:
            names = [_of(objects, known, name).to_pylist() for name in ("id", "hwaddr", "interface")]
            stations.update({key: (mac, port) for key, mac, port in zip(*names, strict=True)})
        seen = mask(pc.equal(table, "network_addresses"))
        if seen.any():
            rows.append(_addresses(objects, seen, stations))
        rejected = {**objects.rejected, UNREADABLE: objects.index[bad]}
        return parsed(len(chunk.lines), rows, rejected)

    return parse


def _of(objects: json_lines.Objects, which: np.ndarray, name: str) -> pa.Array:
    return objects.column(name).filter(pa.array(which))


def _queries(
    objects: json_lines.Objects, which: np.ndarray, context: times.Context
) -> tuple[Rows, np.ndarray]:
    """Rows, and which of the objects they are."""
    field = {name: _of(objects, which, name) for name in _SCHEMA.names}
    nobody = pc.is_in(field["client"], value_set=pa.array(_HIDDEN_CLIENT))
    nameless = pc.equal(field["domain"], _HIDDEN_NAME)
    if pc.any(pc.or_(nobody, nameless)).as_py():
        context.notes.add(ANONYMOUS)
    client = ip_column(pc.if_else(nobody, None, field["client"]))
    blocked = pc.is_in(field["status"], value_set=pa.array(_BLOCKED))
    columns = {
        "ts": _moments(field["timestamp"]),
        "client_ip": client,
        "name": normalise_column(pc.if_else(nameless, None, field["domain"])),
        "name_source": "qname",
        "qtype": qtype_column(by_distinct(field["type"], _type, pa.string())),
        "rcode": by_distinct(field["reply_type"], _RCODES.get, pa.string()),
        "action": pc.if_else(blocked, "blocked", pa.scalar(None, pa.string())),
    }
    readable = mask(pc.or_(pc.is_valid(client), nobody))
    return keep(Rows("dns", columns, objects.index[which]), readable), readable


def _type(number: int) -> str | None:
    if number > 100:
        return str(number - 100)
    return _TYPES[number - 1] if 0 < number <= len(_TYPES) else None


def _moments(seconds: pa.Array) -> pa.Array:
    """Epoch seconds with a fraction, to the microsecond that they are exact to; 0 is no time."""
    values = pc.fill_null(seconds, 0.0).to_numpy(zero_copy_only=False)
    wrong = ~((values > 0) & (values < _YEAR_2201_S))
    micros = np.round(np.where(wrong, 0, values) * 1e6).astype(np.int64)
    return pa.array(micros * 1_000, mask=wrong).cast(TIMESTAMP)


def _addresses(objects: json_lines.Objects, which: np.ndarray, stations: dict[int, Any]) -> Rows:
    """Addresses of stations whose MAC is known (FTL writes ``ip-…`` where it is not)."""
    owner = [stations.get(key, (None, None)) for key in _of(objects, which, "network_id").to_pylist()]
    columns = {
        "ts": _moments(_of(objects, which, "lastSeen").cast(pa.float64(), safe=False)),
        "client_ip": ip_column(_of(objects, which, "ip")),
        "client_mac": mac_column(pa.array([mac for mac, _ in owner], pa.string())),
        "nas_port": pa.array([port for _, port in owner], pa.string()),
        "message": "seen",
    }
    whole = pc.and_(pc.is_valid(columns["client_ip"]), pc.is_valid(columns["client_mac"]))
    return keep(Rows("arp", columns, objects.index[which]), mask(whole))


def _sniff(lines: list[str]) -> float:
    def is_ours(line: str) -> bool:
        return (
            line.startswith(f'{{"{TABLE}":"queries"') and '"domain":' in line and '"status":' in line
        ) or (line.startswith(f'{{"{TABLE}":"network') and ('"hwaddr":' in line or '"network_id":' in line))

    return share(lines, is_ours)


_SAMPLES = (
    Sample(
        '{"#table":"network","id":1,"hwaddr":"00:11:22:33:44:55","interface":"eth0","firstSeen":0,"lastQuery":0}\n'
        '{"#table":"network_addresses","network_id":1,"ip":"10.1.0.6","lastSeen":1592886833,"name":null}\n'
        '{"#table":"network_addresses","network_id":1,"ip":"10.1.0.7","lastSeen":0,"name":null}\n'
        '{"#table":"queries","id":1,"timestamp":1592886833.25,"type":16,"status":1,"domain":"Ads.Example",'
        '"client":"10.1.0.6","forward":null,"additional_info":null,"reply_type":4}\n'
        '{"#table":"queries","id":2,"timestamp":1592886834,"type":101,"status":2,"domain":"hidden","client":"0.0.0.0"}',
        (
            {
                "kind": "arp", "ts": "2020-06-23T04:33:53.000000000Z", "client_ip": "10.1.0.6",
                "client_mac": "00:11:22:33:44:55", "nas_port": "eth0",
            },
            {"kind": "arp", "ts": None, "client_ip": "10.1.0.7"},
            {
                "kind": "dns", "ts": "2020-06-23T04:33:53.250000000Z", "client_ip": "10.1.0.6", "name": "ads.example",
                "qtype": "HTTPS", "rcode": "NOERROR", "action": "blocked",
            },
            {"kind": "dns", "client_ip": None, "name": None, "qtype": "A", "action": None},
        ),
        note="rows of the database as the reader gets them",
    ),
    Sample(
        '{"#table":"queries","id":1,"timestamp":1592886833.25,"type":1,"status":1,"domain":"a.example","client":"pc"}',
        note="no client: rejected",
    ),
)  # fmt: skip

FORMAT = LogFormat(
    title="Pi-hole database (pihole-FTL.db)",
    kinds=("dns", "arp"),
    reference="https://docs.pi-hole.net/database/query-database/",
    sniff=_sniff,
    open=_open,
    samples=_SAMPLES,
    tables=("queries", "network", "network_addresses"),
)
