"""Records as other programs and people read them: text columns, JSON Lines, CSV.

Everything is built by column: words are escaped once per distinct value, and lines are joined by
Arrow. Absent cells are left out of JSON and empty in CSV.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cache

import pyarrow as pa
import pyarrow.compute as pc

from netaudit.records.addresses import text_column, word_column
from netaudit.records.schemas import (
    EVENT_KINDS,
    FIELDS,
    IP,
    KINDS,
    MAC,
    SCHEMA_VERSION,
    TIMESTAMP,
    WORD,
    kind_of,
    nulls,
    zeros,
)

INTERNAL = frozenset({"payload_out", "payload_in", "handshake"})
"""Columns that grading needs and that are not printed."""

_WANTED = {name for kind in EVENT_KINDS for name in KINDS[kind]} - INTERNAL
PRINTED: tuple[str, ...] = ("schema_version", "kind", *(n for n in FIELDS if n in _WANTED))
"""Columns of the CSV and Parquet forms, in order."""

_FORMULA = "=+-@\t\r"


def rfc3339(column: pa.Array) -> pa.Array:
    """A timestamp column as ``2026-11-03T06:05:09.123456789Z``, nine digits."""
    return pc.strftime(column.cast(pa.timestamp("ns")), format="%Y-%m-%dT%H:%M:%SZ")


def text(column: pa.Array) -> pa.Array:
    """Any column as strings: addresses and MACs in text form, lists joined by ``;``."""
    type_ = column.type
    if type_ == TIMESTAMP:
        return rfc3339(column)
    if type_ in {IP, MAC}:
        return text_column(column)
    if pa.types.is_list(type_):
        return pc.binary_join(column, ";")
    if pa.types.is_dictionary(type_):
        return column.dictionary_decode()
    return column.cast(pa.string())


def json_lines(batch: pa.RecordBatch) -> str:
    """A batch as JSON Lines, one object a row, keys in the order of `PRINTED`."""
    if not batch.num_rows:
        return ""
    head = pa.array([f'{{"schema_version":{SCHEMA_VERSION},"kind":"{kind_of(batch)}"'] * batch.num_rows)
    parts = [head] + [_member(name, batch.column(name)) for name in PRINTED if name in batch.schema.names]
    body = pc.binary_join_element_wise(*parts, ",", null_handling="skip")
    lines = pc.binary_join_element_wise(body, "}\n", "")
    return "".join(lines.to_pylist())


def csv_lines(batch: pa.RecordBatch, columns: Sequence[str] = PRINTED) -> str:
    """A batch as CSV rows of `columns` (RFC 4180), safe against formula injection."""
    if not batch.num_rows:
        return ""
    constant = {"schema_version": str(SCHEMA_VERSION), "kind": kind_of(batch)}
    cells = []
    for name in columns:
        if name in constant:
            cells.append(pa.array([constant[name]] * batch.num_rows))
        elif name in batch.schema.names:
            cells.append(by_word(text(batch.column(name)), csv_cell))
        else:
            cells.append(pa.array([""] * batch.num_rows))
    rows = pc.binary_join_element_wise(*cells, ",", null_handling="replace", null_replacement="")
    return "".join(pc.binary_join_element_wise(rows, "\r\n", "").to_pylist())


def csv_cell(word: str) -> str:
    """One cell: quoted where it must be, and never read as a formula by a spreadsheet.

    A sign alone is no formula.
    """
    if word[:1] in _FORMULA and word[:1] and word not in {"-", "+"}:
        word = "'" + word
    if any(c in word for c in ',"\r\n'):
        return '"' + word.replace('"', '""') + '"'
    return word


def by_word(column: pa.Array, convert: Callable[[str], str]) -> pa.Array:
    """`convert` once per distinct value; nulls stay."""
    coded = column.dictionary_encode()
    words = [None if v is None else convert(v) for v in coded.dictionary.to_pylist()]
    return pa.array(words, pa.string()).take(coded.indices)


def _member(name: str, column: pa.Array) -> pa.Array:
    """``"name":value`` per row; null where the cell is."""
    key = f'"{name}":'
    type_ = column.type
    if pa.types.is_list(type_):
        lists = _rebuilt(column, by_word(pc.list_flatten(column), _quote))
        value = pc.binary_join_element_wise("[", pc.binary_join(lists, ","), "]", "")
        value = pc.if_else(pc.is_valid(column), value, None)
    elif type_ == TIMESTAMP:
        value = pc.binary_join_element_wise('"', rfc3339(column), '"', "")
    elif pa.types.is_integer(type_) or pa.types.is_floating(type_):
        value = column.cast(pa.string())
    elif pa.types.is_boolean(type_):
        value = pc.if_else(column, "true", "false")
    else:
        value = by_word(text(column), _quote)
    return pc.binary_join_element_wise(key, value, "")


def _rebuilt(lists: pa.Array, flat: pa.Array) -> pa.Array:
    """`lists` with `flat` as its values; a null list becomes an empty one."""
    lengths = pc.fill_null(pc.list_value_length(lists), 0)
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), pc.cumulative_sum(lengths)])
    return pa.ListArray.from_arrays(offsets, flat)


def _quote(word: str) -> str:
    return json.dumps(word, ensure_ascii=False).replace("\x7f", "\\u007f")


@cache
def printed_schema() -> pa.Schema:
    """The schema of the Parquet form: `PRINTED` with real types, addresses as text, texts by distinct value."""
    return pa.schema([pa.field(name, _printed_type(name)) for name in PRINTED])


def _printed_type(name: str) -> pa.DataType:
    if name == "schema_version":
        return pa.uint16()
    type_ = FIELDS.get(name, WORD)
    return WORD if type_ in {IP, MAC} else type_


def printed_batch(batch: pa.RecordBatch) -> pa.RecordBatch:
    """A batch in `printed_schema`."""
    rows = batch.num_rows
    arrays = []
    for field in printed_schema():
        if field.name == "kind":
            arrays.append(_repeated(kind_of(batch), rows))
        elif field.name == "schema_version":
            arrays.append(pa.repeat(pa.scalar(SCHEMA_VERSION, pa.uint16()), rows))
        elif field.name not in batch.schema.names:
            arrays.append(nulls(field.type, rows))
        else:
            column = batch.column(field.name)
            arrays.append(word_column(column) if column.type in {IP, MAC} else column)
    return pa.RecordBatch.from_arrays(arrays, schema=printed_schema())


def _repeated(word: str, rows: int) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(zeros(rows), pa.array([word]), safe=False)


def readable(batch: pa.RecordBatch) -> pa.RecordBatch:
    """A batch with its addresses as text and its other columns as they are."""
    return pa.RecordBatch.from_arrays(
        [text(c) if c.type in {IP, MAC} or pa.types.is_dictionary(c.type) else c for c in batch.columns],
        names=batch.schema.names,
    )


_DETAIL = (
    "qtype",
    "rcode",
    "answers",
    "alpn",
    "version",
    "method",
    "status",
    "message",
    "hostname",
    "account",
    "ssid",
    "action",
    "bytes_out",
    "bytes_in",
    "lease_s",
    "public_ip",
    "public_port",
)


def summary_rows(batch: pa.RecordBatch) -> list[tuple[str, ...]]:
    """A few rows for the eye: time, kind, client, destination, detail, evidence."""
    names = batch.schema.names
    cells = {n: text(batch.column(n)).to_pylist() for n in names if n not in INTERNAL}
    kind = kind_of(batch)

    def cell(name: str, row: int) -> str:
        return (cells[name][row] or "") if name in cells else ""

    rows: list[tuple[str, ...]] = []
    for row in range(batch.num_rows):
        client = cell("client_ip", row) or cell("client_mac", row)
        port = cell("client_port", row)
        server = cell("name", row) or cell("server_ip", row)
        detail = " ".join(cell(n, row) for n in _DETAIL if cell(n, row))
        rows.append(
            (
                cell("ts", row)[:23].replace("T", " "),
                kind,
                f"{client}:{port}" if port else client,
                server,
                detail,
                f"{cell('file', row)}:{cell('ordinal', row)}",
            )
        )
    return rows
