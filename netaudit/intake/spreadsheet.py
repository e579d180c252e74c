"""Spreadsheets (XLSX) as lines of comma-separated text, so that a table is read in one way only.

Everything is taken as the text that it shows: whole numbers without ``.0``, dates as ISO 8601, line
breaks in a cell as blanks. Each sheet begins with a form feed. The package is a ZIP of XML, so its
expanded size is bounded and document type declarations are refused before anything is parsed.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import ParseError

import numpy as np
import pyarrow as pa

from netaudit.errors import InputError
from netaudit.intake.lines import MAX_LINE_BYTES, Chunk
from netaudit.intake.opening import FREE_BYTES, MAX_RATIO, ByteStream

SHEET = "\f"
"""Begins the first line of each sheet."""
MAX_FILE_BYTES = 64 << 20
MAX_EXPANDED_BYTES = 512 << 20
MAX_ROWS = 1 << 20
MAX_COLUMNS = 256
CHUNK_ROWS = 16 << 10

_BREAKS = re.compile(r"[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]+")
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    ParseError,
    OSError,
    EOFError,
    RuntimeError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
)
"""What openpyxl is known to raise over a package that is not as it should be."""


def sheet_chunks(stream: ByteStream) -> Iterator[Chunk]:
    """The rows of all sheets of a workbook, one line each, in the workbook's order.

    Line numbers are row numbers; those of the second sheet go on where the first ends. A line's
    size counts as 0, because no bytes of a compressed file are one row's own.

    Raises:
        InputError: No workbook, damaged, encrypted, or larger than is read.
    """
    where = stream.identity.name
    body = stream.read(MAX_FILE_BYTES + 1)
    if len(body) > MAX_FILE_BYTES:
        raise _too_large(where)
    _inspect(body, where)
    first = 1
    rows: list[str] = []
    for line in _lines(body, where):
        rows.append(line)
        if len(rows) == CHUNK_ROWS:
            yield _chunk(rows, first)
            first += len(rows)
            rows = []
    if rows:
        yield _chunk(rows, first)


def _inspect(body: bytes, where: str) -> None:
    """Refuse bombs and document types before any XML is parsed."""
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as package:
            size = sum(member.file_size for member in package.infolist())
            if size > MAX_EXPANDED_BYTES or size > max(FREE_BYTES, MAX_RATIO * len(body)):
                raise _too_large(where)
            for member in package.infolist():
                if member.filename.endswith((".xml", ".rels")):
                    with package.open(member) as part:
                        if b"<!DOCTYPE" in part.read(4096).replace(b"\0", b""):
                            raise _damaged(where, "document type declaration")
    except _DAMAGE as error:
        raise _damaged(where, str(error)) from error


def _lines(body: bytes, where: str) -> Iterator[str]:
    from openpyxl import load_workbook

    try:
        book = load_workbook(io.BytesIO(body), read_only=True, data_only=True, keep_links=False)
        for sheet in book.worksheets:
            sheet.reset_dimensions()  # what the sheet says of its own size is not believed
            begin = SHEET
            for row in sheet.iter_rows(max_row=MAX_ROWS, max_col=MAX_COLUMNS, values_only=True):
                yield begin + _line(row)
                begin = ""
    except _DAMAGE as error:
        raise _damaged(where, str(error)) from error


def _line(row: tuple[Any, ...]) -> str:
    if row.count(None) == len(row):  # quick, because a row may say that it is the millionth
        return ""
    cells = [_text(value) for value in row]
    while cells and not cells[-1]:
        cells.pop()
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(cells)
    return out.getvalue()


def _text(value: Any) -> str:
    """A cell's value as it reads."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, dt.datetime):
        return value.isoformat(" ") if value.time() != dt.time() else value.date().isoformat()
    return _BREAKS.sub(" ", str(value).encode(errors="replace").decode())


def _chunk(rows: list[str], first: int) -> Chunk:
    bad = [i for i, row in enumerate(rows) if len(row.encode()) > MAX_LINE_BYTES]
    for i in bad:
        rows[i] = ""
    return Chunk(pa.array(rows, pa.string()), first, np.array(bad, np.int64), np.zeros(len(rows), np.int64))


def _too_large(where: str) -> InputError:
    return InputError(
        "spreadsheet-too-large",
        "This workbook is larger than netaudit reads.",
        where=where,
        hint="Save the sheet as CSV.",
    )


def _damaged(where: str, reason: str) -> InputError:
    return InputError(
        "spreadsheet-damaged",
        "This workbook cannot be read: {reason}.",
        where=where,
        hint="Open it in a spreadsheet program and save it again, or save the sheet as CSV.",
        reason=reason,
    )
