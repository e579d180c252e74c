"""What people see in the terminal: errors, tables, the ledger. Everything from outside is inert."""

from __future__ import annotations

import json
import os
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

import click

from netaudit.errors import NetauditError
from netaudit.i18n import translate
from netaudit.records.evidence import EvidenceFile, Ledger

_BIDI = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


def inert(text: str) -> str:
    """`text` without anything that a terminal would obey: control and bidi characters as escapes."""
    return "".join(c if _harmless(c) else f"\\u{ord(c):04x}" for c in text)


def _harmless(char: str) -> bool:
    return char not in _BIDI and unicodedata.category(char) not in {"Cc", "Cs"}


def print_error(error: NetauditError, locale: str) -> None:
    """One error: what is wrong, where, what to do."""
    values = {k: inert(translate(str(v), locale)) for k, v in error.values.items()}
    click.echo(f"{translate('error', locale)}: {translate(error.message, locale, **values)}", err=True)
    if error.where:
        click.echo(f"  {translate('where', locale)}: {inert(error.where)}", err=True)
    if error.hint:
        click.echo(
            f"  {translate('to do', locale)}: {inert(translate(error.hint, locale, **values))}", err=True
        )
    click.echo(f"  [{error.code}]", err=True)


def print_defect(error: Exception) -> None:
    """Something that should not have happened: one sentence, no traceback."""
    click.echo(
        f"error: netaudit failed in a way it should not: {type(error).__name__}: {inert(str(error))[:300]}\n"
        "  to do: run the same command with --debug and report what it prints.\n  [defect]",
        err=True,
    )


def print_json(value: Any) -> None:
    """A value as JSON on stdout, keys in their order."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def print_table(head: Sequence[str], rows: Iterable[Sequence[str]], *, colour: bool) -> None:
    """A table on stdout, wide characters counted as two; full width where it is no terminal."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(no_color=not colour, width=_width(), highlight=False)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for title in head:
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(*(Text(inert(str(cell))) for cell in row))
    console.print(table)


def _width() -> int | None:
    """Of the terminal (None = rich finds out); in a pipe what COLUMNS says, else as wide as rows are."""
    if sys.stdout.isatty():
        return None
    columns = os.environ.get("COLUMNS", "")
    return int(columns) if columns.isdigit() else 400


def print_ledger(ledger: Ledger, locale: str) -> None:
    """One line per input and the reasons for what was skipped, on stderr."""
    for entry in ledger.files:
        click.echo(_ledger_line(entry, locale), err=True)
        for skipped in entry.skipped:
            first = ", ".join(str(n) for n in skipped.first)
            where = f" ({translate('first at', locale)} {first})" if first else ""
            share = f" = {skipped.count / (entry.records + skipped.count):.2%}" if first else ""
            click.echo(f"    {skipped.count}{share} × {translate(skipped.reason, locale)}{where}", err=True)
        for note in entry.notes:
            click.echo(f"    {translate(note, locale)}", err=True)
    for error in ledger.errors:
        print_error(error, locale)


def _ledger_line(entry: EvidenceFile, locale: str) -> str:
    if entry.error:
        return f"  ✗ {inert(entry.name)}: {translate('not used', locale)}"
    mark = "✓" if entry.complete else "!"
    span = (
        f"{entry.first:%Y-%m-%d %H:%M} – {entry.last:%Y-%m-%d %H:%M} UTC"
        if entry.first and entry.last
        else "-"
    )
    cut = f", {translate('cut short', locale)}" if entry.truncated else ""
    records = translate("{count} records", locale, count=entry.records)
    return f"  {mark} {inert(entry.name)}: {entry.format or '-'}, {records}, {span}{cut}"


def ledger_json(ledger: Ledger) -> list[dict[str, Any]]:
    """The ledger as ``scan --format json`` prints it under ``inputs``."""
    return [entry_json(entry) for entry in ledger.files]


def entry_json(entry: EvidenceFile) -> dict[str, Any]:
    """One input of the ledger."""
    return {
        "id": entry.id,
        "name": entry.name,
        "sha256": entry.sha256,
        "size": entry.size,
        "format": entry.format,
        "kinds": list(entry.kinds),
        "first": moment(entry.first),
        "last": moment(entry.last),
        "records": entry.records,
        "content_size": entry.content_size,
        "bytes_read": entry.bytes_read,
        "bytes_skipped": entry.bytes_skipped,
        "skipped": [
            {"reason": s.reason, "count": s.count, "first": list(s.first), "matters": s.matters}
            for s in entry.skipped
        ],
        "truncated": entry.truncated,
        "clock_offset_s": entry.clock_offset_s,
        "timezone": entry.timezone,
        "site": entry.site,
        "notes": list(entry.notes),
        "error": entry.error,
        "complete": entry.complete,
    }


def moment(value: Any) -> str | None:
    """A datetime as RFC 3339 UTC."""
    return None if value is None else value.isoformat().replace("+00:00", "Z")
