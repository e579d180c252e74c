"""``netaudit formats``: which formats there are, and what one makes of a file."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from netaudit.cli.session import EXIT_CLEAN, EXIT_ERROR, EXIT_INCONCLUSIVE, Session

if TYPE_CHECKING:
    import pyarrow as pa

_ALIAS = {
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

_COLUMNS = {
    "dns": "line ts_utc client_ip client_port transport qname qtype rcode answers server_ip extra",
    "proxy": "line ts_utc client_ip client_port user method host port status action extra",
    "dhcp": "line event ip mac hostname start_utc end_utc client_id extra",
    "nat": "line event ts_utc end_utc proto inside_ip inside_port public_ip public_port dst_ip dst_port action user"
    " extra",
    "access": "line ts_utc event mac ip user ap_name ap_mac ssid nas_ip port vlan session_id extra",
    "table": "line ip mac vlan port type age extra",
    "asset": "line ip mac name model owner site location segment vlan switch port extra",
}
_CONSTANT = {"flow": {"event": "conn"}, "tls": {"method": "TLS"}, "quic": {"method": "QUIC"}}
"""Cells that every record of a kind has, which its table calls by another word."""

_TABLE_OF = {
    "radius": "access",
    "wlan": "access",
    "tls": "proxy",
    "quic": "proxy",
    "http": "proxy",
    "flow": "nat",
    "arp": "table",
    "fdb": "table",
}


@click.group("formats")
def command() -> None:
    """Show the log formats, and try one on a file."""


@command.command("list")
@click.pass_obj
def list_(session: Session) -> None:
    """All formats: name, what they are of, what they give."""
    from netaudit.cli.render import print_table
    from netaudit.sources.recognise import formats

    rows = [("pcap, pcapng", session.say("Packet captures"), "dns, tls, http, flow")]
    rows += [
        (name, session.say(member.title), ", ".join(member.kinds)) for name, member in formats().items()
    ]
    print_table([session.say(w) for w in ("format", "title", "kinds")], rows, colour=session.colour)


@command.command("try")
@click.argument("file", type=click.Path())
@click.option("--as", "name", default="", help="The format, instead of recognising it.")
@click.option("--tz", default="", help="Time zone of stamps that carry none.")
@click.option("--format", "form", type=click.Choice(["table", "csv", "jsonl"]), default="table")
@click.pass_obj
def try_(session: Session, file: str, name: str, tz: str, form: str) -> None:
    """What is read out of one file, and what is rejected and why.

    \b
    Example:  netaudit formats try dhcpd.log --tz Asia/Shanghai
    """  # noqa: D301
    from netaudit.cli.render import print_ledger
    from netaudit.intake.times import ZONELESS
    from netaudit.records.evidence import Ledger
    from netaudit.records.printed import json_lines
    from netaudit.records.schemas import kind_of
    from netaudit.sources import Options, read

    ledger = Ledger()
    table = _Table(form, session)
    with session.progress() as progress:
        for batch in read(
            [file],
            session.settings(),
            ledger,
            options=Options(name, tz, session.jobs or 0, tolerant=True, recognised=table.of_format),
            progress=progress,
        ):
            if form == "jsonl":
                sys.stdout.write(json_lines(batch))
            else:
                table.write(batch, _TABLE_OF.get(kind_of(batch), kind_of(batch)))
    table.close()
    if not session.quiet:
        print_ledger(ledger, session.locale)
    if not ledger.usable:
        raise click.exceptions.Exit(EXIT_ERROR)
    timed = not any(ZONELESS in entry.notes for entry in ledger.files)
    raise click.exceptions.Exit(EXIT_CLEAN if ledger.complete and timed else EXIT_INCONCLUSIVE)


class _Table:
    """Rows under the columns of their kind of table; a new head where the kind changes."""

    EYE_LIMIT = 200

    def __init__(self, form: str, session: Session) -> None:
        self._form = form
        self._session = session
        self._kind = ""
        self._rows: list[tuple[str, ...]] = []
        self._numbered = True

    def of_format(self, name: str) -> None:
        """Print what a format's records are told by."""
        from netaudit.sources.recognise import named

        self._numbered = named(name).numbered

    def write(self, batch: pa.RecordBatch, kind: str) -> None:
        if kind not in _COLUMNS:
            return
        if kind != self._kind:
            self.close()
            self._kind = kind
            if self._form == "csv":
                click.echo(",".join(_COLUMNS[kind].split()))
        if self._form == "csv":
            sys.stdout.write(_csv(batch, kind, numbered=self._numbered))
        elif len(self._rows) < self.EYE_LIMIT:
            left = self.EYE_LIMIT - len(self._rows)
            self._rows += _cells(batch.slice(0, left), kind, numbered=self._numbered)

    def close(self) -> None:
        from netaudit.cli.render import print_table

        if self._rows:
            print_table(_COLUMNS[self._kind].split(), self._rows, colour=self._session.colour)
            self._rows = []


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
