"""Workbooks become lines of text; what is no workbook is refused."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from pathlib import Path

import pytest
from openpyxl import Workbook

from netaudit.errors import InputError
from netaudit.intake.opening import ByteStream, identify
from netaudit.intake.spreadsheet import CHUNK_ROWS, SHEET, sheet_chunks

CELL = b'<c r="A2" t="inlineStr"><is><t>b</t></is></c>'
XML = "xl/worksheets/sheet1.xml"


def write(folder: Path, *sheets: list[list[object]]) -> Path:
    book = Workbook()
    book.remove(book.active)
    for rows in sheets:
        sheet = book.create_sheet()
        for row in rows:
            sheet.append(row)
    path = folder / "table.xlsx"
    book.save(path)
    return path


def lines(path: Path) -> list[str]:
    with ByteStream(identify(path)) as stream:
        return [line for chunk in sheet_chunks(stream) for line in chunk.lines.to_pylist()]


def rewritten(path: Path, change) -> Path:
    """The workbook with its first sheet's XML changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w") as new:
        for member in old.infolist():
            body = old.read(member)
            new.writestr(member.filename, change(body) if member.filename == XML else body)
    path.write_bytes(out.getvalue())
    return path


def test_values_read_as_they_show(tmp_path):
    moment = dt.datetime.fromisoformat("2026-03-01 08:30")
    row = ["NA", None, 12.0, 1.5, True, moment.replace(hour=0, minute=0), moment, "a\nb", 'q"c,d', "007"]
    assert lines(write(tmp_path, [row])) == [
        SHEET + 'NA,,12,1.5,TRUE,2026-03-01,2026-03-01 08:30:00,a b,"q""c,d",007'
    ]


def test_empty_rows_count_and_sheets_are_told_apart(tmp_path):
    path = write(tmp_path, [["a"], [], ["b"]], [["c"]])
    assert lines(path) == [SHEET + "a", "", "b", SHEET + "c"]


def test_chunks_number_on(tmp_path):
    path = write(tmp_path, [["x"] for _ in range(CHUNK_ROWS + 2)])
    with ByteStream(identify(path)) as stream:
        chunks = list(sheet_chunks(stream))
    assert [(c.first, len(c.lines)) for c in chunks] == [(1, CHUNK_ROWS), (CHUNK_ROWS + 1, 2)]


def test_a_row_over_a_mebibyte_is_bad(tmp_path):
    path = write(tmp_path, [["x" * 30_000] * 40, ["ok"]])
    with ByteStream(identify(path)) as stream:
        (chunk,) = sheet_chunks(stream)
    assert chunk.lines.to_pylist() == ["", "ok"]
    assert chunk.bad.tolist() == [0]


def test_a_row_number_beyond_all_sheets_ends_it(tmp_path):
    path = write(tmp_path, [["a"], ["b"]])
    rewritten(
        path,
        lambda body: body.replace(b'<row r="2"', b'<row r="99999999999"').replace(
            b'"A2"', b'"A99999999999"'
        ),
    )
    assert lines(path)[:1] == [SHEET + "a"]


@pytest.mark.parametrize(
    "change",
    [
        lambda body: b'<!DOCTYPE x [<!ENTITY a "b">]>' + body,
        lambda body: body[: len(body) // 2],
        lambda body: body.replace(CELL, b'<c r="A2" t="s"><v>999</v></c>'),
        lambda body: body.replace(CELL, b'<c r="A2" t="s"><v>x</v></c>'),
    ],
    ids=["document type", "cut", "string out of range", "string index that is none"],
)
def test_damage_is_an_input_error(tmp_path, change):
    with pytest.raises(InputError) as caught:
        lines(rewritten(write(tmp_path, [["a"], ["b"]]), change))
    assert caught.value.code == "spreadsheet-damaged"


def test_what_is_no_workbook_is_an_input_error(tmp_path):
    path = tmp_path / "no.xlsx"
    for body in (b"PK\x03\x04nothing", b"", b"plain"):
        path.write_bytes(body)
        with pytest.raises(InputError):
            lines(path)


def test_a_bomb_is_refused_before_it_is_expanded(tmp_path):
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr(XML, b"\0" * (80 << 20))
    with pytest.raises(InputError) as caught:
        lines(path)
    assert caught.value.code == "spreadsheet-too-large"
