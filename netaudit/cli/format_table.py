"""Records of a log under the columns of their kind of table, for ``netaudit formats try``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from netaudit.cli.session import Session

if TYPE_CHECKING:
    import pyarrow as pa

_ALIAS: dict[str, dict[str, str]] = {
    "dns": {"line": "ordinal", "ts_utc": "ts", "qname": "name"},
    "proxy": {
        "line": "ordinal",
        "ts_utc": "ts_end ts",
        "host": "name server_ip",
        "user": "account",
        "port": "server_port",
    },
    "dhcp": {
        "line": "ordinal",
        "event": "message",
        "ip": "client_ip",
        "mac": "client_mac",
        "start_utc": "ts",
        "end_utc": "ts_end",
    },
    "nat": {
        "line": "ordinal",
        "event": "message",
        "ts_utc": "ts",
        "end_utc": "ts_end",
        "proto": "transport",
        "inside_ip": "client_ip",
        "inside_port": "client_port",
        "dst_ip": "server_ip",
        "dst_port": "server_port",
        "user": "account",
    },
    "access": {
        "line": "ordinal",
        "ts_utc": "ts",
        "event": "message",
        "mac": "client_mac",
        "ip": "client_ip",
        "user": "account",
        "ap_mac": "bssid",
        "nas_ip": "nas",
        "port": "nas_port",
        "session_id": "session",
    },
    "table": {
        "line": "ordinal",
        "ip": "client_ip",
        "mac": "client_mac",
        "port": "nas_port",
        "type": "message",
    },
    "asset": {"line": "ordinal", "name": "hostname", "port": "switch_port"},
}
"""Column of a `try` table to the record's own, where they differ (formats dossier, section 8); of several
the first that a record fills: a proxy stamps a line when a request ends, and an address may stand for a host."""

_COLUMNS: dict[str, str] = {
    "dns": "line ts_utc client_ip client_port transport qname qtype rcode answers server_ip extra",
    "proxy": "line ts_utc client_ip client_port user method host port status action extra",
    "dhcp": "line event ip mac hostname start_utc end_utc client_id extra",
    "nat": "line event ts_utc end_utc proto inside_ip inside_port public_ip public_port dst_ip dst_port action user"
    " extra",
    "access": "line ts_utc event mac ip user ap_name ap_mac ssid nas_ip port vlan session_id extra",
    "table": "line ip mac vlan port type age extra",
    "asset": "line ip mac name model owner site location segment vlan switch port extra",
}
_CONSTANT: dict[str, dict[str, str]] = {
    "flow": {"event": "conn"},
    "tls": {"method": "TLS"},
    "quic": {"method": "QUIC"},
}
"""Cells that every record of a kind has, which its table calls by another word."""

_TABLE_OF: dict[str, str] = {
    "radius": "access",
    "wlan": "access",
    "tls": "proxy",
    "quic": "proxy",
    "http": "proxy",
    "flow": "nat",
    "arp": "table",
    "fdb": "table",
}


class Table:
    """Rows under the columns of their kind of table; a new head where the kind changes."""

    EYE_LIMIT = 200

    def __init__(self, form: str, session: Session) -> None:
        self._form = form
        self._session = session
        self._kind = ""
        self._rows: list[tuple[str, ...]] = []
        self._left = 0
        self.numbered = True
        """Whether people tell the records of the format by their line."""

    def write(self, batch: pa.RecordBatch) -> None:
        """Some more records."""
        from netaudit.records.schemas import kind_of

        kind = _TABLE_OF.get(kind_of(batch), kind_of(batch))
        if kind not in _COLUMNS:
            return
        if kind != self._kind:
            self.close()
            self._kind = kind
            if self._form == "csv":
                click.echo(",".join(_COLUMNS[kind].split()))
        if self._form == "csv":
            sys.stdout.write(_csv(batch, kind, numbered=self.numbered))
            return
        shown = batch.slice(0, self.EYE_LIMIT - len(self._rows))
        self._rows += _cells(shown, kind, numbered=self.numbered)
        self._left += batch.num_rows - shown.num_rows

    def close(self) -> None:
        """Print what is not yet printed; for the eye without the columns that are empty throughout."""
        from netaudit.cli.render import print_table

        if self._rows:
            used = [at for at, cells in enumerate(zip(*self._rows, strict=True)) if any(cells)]
            names = _COLUMNS[self._kind].split()
            rows = [[row[at] for at in used] for row in self._rows]
            print_table([names[at] for at in used], rows, colour=self._session.colour)
        if self._left:
            self._session.note("{count} more records are not shown.", count=self._left)
        self._rows, self._left = [], 0


def _renamed(batch: pa.RecordBatch, kind: str, *, numbered: bool) -> pa.RecordBatch:
    """The batch as text under the names of the table; columns that it does not have stay away."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from netaudit.records.printed import text
    from netaudit.records.schemas import kind_of

    columns = {}
    for column in _COLUMNS[kind].split():
        own = _ALIAS.get(kind, {}).get(column, column).split()
        found = [text(batch.column(name)) for name in own if name in batch.schema.names]
        if found and (numbered or column != "line"):
            columns[column] = pc.coalesce(*found)
    constant = _CONSTANT.get(kind_of(batch), {})
    columns |= {c: pa.array([word] * batch.num_rows) for c, word in constant.items()}
    fields = [pa.field(c, column.type) for c, column in columns.items()]
    return pa.RecordBatch.from_arrays(
        list(columns.values()), schema=pa.schema(fields, metadata=batch.schema.metadata)
    )


def _csv(batch: pa.RecordBatch, kind: str, *, numbered: bool) -> str:
    from netaudit.records.printed import csv_lines

    return csv_lines(_renamed(batch, kind, numbered=numbered), _COLUMNS[kind].split())


def _cells(batch: pa.RecordBatch, kind: str, *, numbered: bool) -> list[tuple[str, ...]]:
    named = _renamed(batch, kind, numbered=numbered)
    columns = [
        named.column(c).to_pylist() if c in named.schema.names else [""] * batch.num_rows
        for c in _COLUMNS[kind].split()
    ]
    return [tuple(cell or "" for cell in row) for row in zip(*columns, strict=True)]
