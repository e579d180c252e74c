"""Matched rows of every kind in one table: what grading and findings are made from."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.matching import Matches
from netaudit.matching.indicator import Field
from netaudit.records.addresses import parse_ip, text_column
from netaudit.records.schemas import FIELDS, kind_of

COPIED = (
    "ts",
    "client_ip",
    "client_port",
    "server_ip",
    "server_port",
    "transport",
    "name",
    "rcode",
    "answers",
    "action",
    "status",
    "bytes_in",
    "payload_out",
    "payload_in",
    "handshake",
    "site",
    "file",
    "ordinal",
)
"""Columns taken from the event; null where its kind has none of them."""

HIT = pa.schema(
    [pa.field(n, pa.string() if pa.types.is_dictionary(FIELDS[n]) else FIELDS[n]) for n in COPIED]
    + [
        pa.field("kind", pa.string()),
        pa.field("entry", pa.int64()),
        pa.field("field", pa.string()),
        pa.field("destination", pa.string()),
    ]
)
"""`entry` indexes the `IndicatorIndex`; `field` is ``name``, ``answer`` or ``server_ip``;
`destination` is the name that was asked for or contacted, else the address as text; of a DNS row whose
server is listed, that server."""


_FIELD_NAMES = [field.value for field in Field]


class Hits:
    """Collects the matched rows of a run."""

    def __init__(self) -> None:
        """Start empty."""
        self.allowed = 0
        self._tables: list[pa.Table] = []

    def add(self, batch: pa.RecordBatch, matches: Matches) -> None:
        """Keep the rows of `batch` that matched."""
        self.allowed += len(matches.allowed_row)
        if not len(matches.row):
            return
        rows = batch.take(pa.array(matches.row))
        columns = {name: _plain(rows, name) for name in COPIED}
        columns["answers"] = _listed_answers(columns["answers"], matches)
        columns["kind"] = pa.array([kind_of(batch)] * len(matches.row))
        columns["entry"] = pa.array(matches.entry, pa.int64())
        columns["field"] = pa.array(_FIELD_NAMES).take(pa.array(matches.field))
        server = text_column(rows.column("server_ip"))
        resolver = pc.and_(
            pc.equal(columns["kind"], "dns"), pc.equal(columns["field"], Field.SERVER_IP.value)
        )
        columns["destination"] = pc.if_else(resolver, server, pc.coalesce(columns["name"], server))
        self._tables.append(pa.table([columns[f.name].cast(f.type) for f in HIT], schema=HIT))

    def table(self) -> pa.Table:
        """All hits so far, schema `HIT`."""
        return pa.concat_tables(self._tables) if self._tables else HIT.empty_table()


def _listed_answers(answers: pa.Array, matches: Matches) -> pa.Array:
    """Of an event that was hit by an answered address, that address alone: the client may have gone
    to another one, and that is no contact with the listed one.
    """  # noqa: D205 -- one sentence
    listed = np.flatnonzero(matches.field == Field.ANSWER.code)
    if not listed.size:
        return answers
    rows = answers.to_pylist()
    for row in listed:
        answer = rows[row][matches.position[row]]
        if parse_ip(answer) is not None:
            rows[row] = [answer]
    return pa.array(rows, answers.type)


def _plain(rows: pa.RecordBatch, name: str) -> pa.Array:
    if name not in rows.schema.names:
        return pa.nulls(rows.num_rows, HIT.field(name).type)
    column = rows.column(name)
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
