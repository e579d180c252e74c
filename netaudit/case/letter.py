"""A letter's text out of the file it came in: plain text or .docx, paragraphs and tables."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from netaudit.errors import InputError

MAX_BYTES = 20 << 20
MAX_EXPANDED = 200 << 20
MAX_LINES = 20_000
MAX_LINE = 20_000
_INVISIBLE = dict.fromkeys((0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF))
_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20, 0xA0: 0x20}


def read_letter(path: Path) -> list[str]:
    """The lines of a letter, without blank ends; a table's row is one line ``head: value; …``.

    Raises:
        InputError: Not readable, too large, of an unknown encoding or a damaged document.
    """
    try:
        data_size = path.stat().st_size
        with path.open("rb") as stream:
            head = stream.read(4)
    except OSError as error:
        raise InputError(
            "cannot-read",
            "This file cannot be read: {reason}.",
            where=str(path),
            hint="Check the path and the permissions.",
            reason=error.strerror or str(error),
        ) from error
    if data_size > MAX_BYTES:
        raise _too_large(path)
    lines = list(_docx_lines(path)) if head == b"PK\x03\x04" else _text_lines(path)
    if len(lines) > MAX_LINES or any(len(line) > MAX_LINE for line in lines):
        raise _too_large(path)
    return [line.strip() for line in lines if line.strip()]


def _too_large(path: Path) -> InputError:
    return InputError(
        "letter-too-large",
        "This file is too large for a letter.",
        where=str(path),
        hint="Give the letter itself, without its attachments.",
    )


def plain(text: str) -> str:
    """`text` with full-width letters, digits and punctuation as ASCII; the length stays the same."""
    return text.translate(_FULL_WIDTH)


def _text_lines(path: Path) -> list[str]:
    data = path.read_bytes()
    marked = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ["utf-16"] if marked else ["utf-8-sig", "gb18030"]:
        try:
            return data.decode(encoding).translate(_INVISIBLE).splitlines()
        except UnicodeDecodeError:
            continue
    raise InputError(
        "letter-encoding",
        "The text of this letter is neither UTF-8 nor GB18030.",
        where=str(path),
        hint="Save it as UTF-8 text or as .docx.",
    )


def _docx_lines(path: Path) -> Iterator[str]:
    import docx
    from docx.opc.exceptions import PackageNotFoundError
    from docx.table import Table

    try:
        with zipfile.ZipFile(path) as archive:
            if sum(item.file_size for item in archive.infolist()) > MAX_EXPANDED:
                raise InputError(
                    "expands-too-far",
                    "This document expands too far for a letter.",
                    where=str(path),
                    hint="It looks like a decompression bomb.",
                )
        document = docx.Document(str(path))
    except (zipfile.BadZipFile, PackageNotFoundError, SyntaxError, KeyError, ValueError) as error:
        raise InputError(
            "letter-damaged",
            "This is not a .docx document, or it is damaged.",
            where=str(path),
            hint="Open and save it again, or give it as text.",
        ) from error
    for block in document.iter_inner_content():
        if isinstance(block, Table):
            yield from _table_lines(block)
        else:
            yield from block.text.translate(_INVISIBLE).splitlines()


def _table_lines(table: Any) -> Iterator[str]:
    """Rows of a table. Under a head row each value follows its head; a two-column form is ``a: b``."""
    rows = [_cells(row) for row in table.rows]
    if not rows:
        return
    head = rows[0]
    if len(head) == 2:
        yield from (f"{row[0]}: {row[1]}" if len(row) == 2 else " ".join(row) for row in rows)
        return
    for row in rows[1:]:
        if len(row) == len(head):
            yield "; ".join(f"{name}: {value}" for name, value in zip(head, row, strict=True) if value)
        else:
            yield " ".join(row)


def _cells(row: Any) -> list[str]:
    """Texts of a row's cells; a merged cell counts once."""
    texts, seen = [], set()
    for cell in row.cells:
        if cell._tc not in seen:  # noqa: SLF001 -- python-docx repeats merged cells; only _tc tells
            seen.add(cell._tc)  # noqa: SLF001
            texts.append(" ".join(cell.text.translate(_INVISIBLE).split()))
    return texts
