"""Databases and frame streams become lines; what is hostile or cut is said and not believed."""

from __future__ import annotations

import gzip
import json
import sqlite3
from pathlib import Path

import pytest

from netaudit.config import Settings
from netaudit.errors import InputError
from netaudit.intake import containers
from netaudit.intake.containers import CUT_FRAMES, LATE_ROWS, TOO_MANY_ROWS, Wanted, contained
from netaudit.intake.opening import ByteStream, identify
from netaudit.records.evidence import Ledger
from netaudit.sources import read

START = b"\0\0\0\0\0\0\0\x22\0\0\0\2\0\0\0\1\0\0\0\x16protobuf:dnstap.Dnstap"
STOP = b"\0\0\0\0\0\0\0\4\0\0\0\3"


def lines(path: Path, *tables: str) -> tuple[list[str], str, set[str]]:
    wanted = Wanted(frozenset(tables))
    with ByteStream(identify(path)) as stream:
        pieces = contained(stream, wanted)
        assert pieces is not None
        found, first = [], 1
        for chunk in pieces:
            assert chunk.first == first
            assert len(chunk.sizes) == len(chunk.lines)
            first += len(chunk.lines)
            found += chunk.lines.to_pylist()
        assert stream.content_bytes > 0
        return found, stream.trouble, wanted.notes


def database(folder: Path, *statements: str) -> Path:
    path = folder / "some.db"
    with sqlite3.connect(path) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()
    return path


def frame(body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + body


def test_rows_are_objects_with_their_table(tmp_path):
    path = database(
        tmp_path,
        'CREATE TABLE "Wanted" (id INTEGER, "o""dd" TEXT, raw BLOB, real REAL)',
        "CREATE TABLE other (id INTEGER)",
        "INSERT INTO other VALUES (7)",
        "INSERT INTO Wanted VALUES (1, 'a\"b', x'00ff', 1.5), (2, NULL, NULL, NULL)",
        "CREATE VIEW seen AS SELECT id FROM Wanted",
    )
    found, trouble, notes = lines(path, "wanted", "seen")
    assert [json.loads(line) for line in found] == [
        {"#table": "wanted", "id": 1, 'o"dd': 'a"b', "raw": "00FF", "real": 1.5},
        {"#table": "wanted", "id": 2, 'o"dd': None, "raw": None, "real": None},
        {"#table": "seen", "id": 1},
        {"#table": "seen", "id": 2},
    ]
    assert (trouble, notes) == ("", set())
    assert lines(path)[0] == []


def test_compressed_database_reads_alike(tmp_path):
    path = database(tmp_path, "CREATE TABLE t (a)", "INSERT INTO t VALUES ('x')")
    packed = tmp_path / "some.db.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert lines(packed, "t") == lines(path, "t")


def test_rows_of_the_write_ahead_log_count_and_nothing_is_written_beside_it(tmp_path):
    path = database(tmp_path, "PRAGMA journal_mode = WAL", "CREATE TABLE t (a)")
    with sqlite3.connect(path) as writer:
        writer.execute("INSERT INTO t VALUES ('late')")
        writer.commit()
        folder = tmp_path / "copied"
        folder.mkdir()
        for name in ("some.db", "some.db-wal"):
            (folder / name).write_bytes((tmp_path / name).read_bytes())
    writer.close()
    found, _, notes = lines(folder / "some.db", "t")
    assert [json.loads(line)["a"] for line in found] == ["late"]
    assert notes == {LATE_ROWS}
    assert sorted(entry.name for entry in folder.iterdir()) == ["some.db", "some.db-wal"]
    (folder / "some.db-wal").unlink()
    assert lines(folder / "some.db", "t")[0] == []
    assert [entry.name for entry in folder.iterdir()] == ["some.db"]


def test_text_that_is_none_is_a_bad_line(tmp_path):
    path = database(tmp_path, "CREATE TABLE t (a)", "INSERT INTO t VALUES (CAST(x'ff41' AS TEXT)), ('b')")
    with ByteStream(identify(path)) as stream:
        (chunk,) = contained(stream, Wanted(frozenset({"t"})))
    assert chunk.bad.tolist() == [0]
    assert chunk.lines.to_pylist() == ["", '{"#table":"t","a":"b"}']


def test_view_without_end_is_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(containers, "FREE_STEPS", 1_000_000)
    path = database(
        tmp_path,
        "CREATE VIEW t AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n",
    )
    with pytest.raises(InputError) as caught:
        lines(path, "t")
    assert caught.value.code == "database-damaged"


def test_view_that_multiplies_rows_is_cut(tmp_path):
    path = database(
        tmp_path,
        "CREATE TABLE n (i)",
        "INSERT INTO n VALUES " + ", ".join(f"({i})" for i in range(200)),
        "CREATE VIEW t AS SELECT a.i FROM n a, n b, n c",
    )
    found, trouble, _ = lines(path, "t")
    assert trouble == TOO_MANY_ROWS
    assert len(found) < path.stat().st_size


@pytest.mark.parametrize("keep", [100, 1_000, 4_096, 6_000])
def test_damaged_database_is_an_error_of_its_file(tmp_path, keep):
    path = database(tmp_path, "CREATE TABLE t (a)", *["INSERT INTO t VALUES (randomblob(3000))"] * 5)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InputError):
        lines(path, "t")


def test_database_of_nobody_is_refused_in_words(tmp_path):
    ledger = Ledger()
    path = database(tmp_path, "CREATE TABLE t (a)", "INSERT INTO t VALUES (1)")
    assert list(read([str(path)], Settings(), ledger)) == []
    assert [error.code for error in ledger.errors] == ["format-not-recognised"]


def test_frames_are_lines_in_hex(tmp_path):
    path = tmp_path / "a.fstrm"
    path.write_bytes(START + frame(b"\1\2") + frame(b"\xff") + STOP + START + frame(b"\3") + STOP)
    word = "protobuf:dnstap.Dnstap"
    assert lines(path) == ([f"{word} 0102", f"{word} ff", f"{word} 03"], "", set())


@pytest.mark.parametrize(
    ("end", "count"),
    [(b"", 1), (b"\0\0", 1), (frame(b"abc")[:-1], 1), (b"\0\0\0\0\xff\xff\xff\xff", 1), (STOP[:-1], 1)],
)
def test_cut_frame_stream_gives_what_there_is(tmp_path, end, count):
    path = tmp_path / "a.fstrm"
    path.write_bytes(START + frame(b"\1\2") + end)
    found, trouble, _ = lines(path)
    assert len(found) == count
    assert trouble == CUT_FRAMES


def test_frame_too_long_is_a_bad_line(tmp_path):
    path = tmp_path / "a.fstrm"
    path.write_bytes(START + frame(bytes(containers.MAX_FRAME_BYTES + 1)) + frame(b"\1") + STOP)
    with ByteStream(identify(path)) as stream:
        (chunk,) = contained(stream, Wanted())
        assert not stream.trouble
    assert chunk.bad.tolist() == [0]
    assert chunk.lines.to_pylist()[1].endswith(" 01")


def test_every_cut_of_a_frame_stream_reads_without_a_failure(tmp_path):
    whole = START + frame(b"\1\2") + frame(b"\3\4\5") + STOP
    path = tmp_path / "a.fstrm"
    for keep in range(16, len(whole)):
        path.write_bytes(whole[:keep])
        found, trouble, _ = lines(path)
        assert len(found) == (keep >= len(START) + 6) + (keep >= len(START) + 13)
        assert trouble == CUT_FRAMES


def test_text_is_no_container(tmp_path):
    path = tmp_path / "a.log"
    path.write_text("SQLite format 3 is a text\n")
    with ByteStream(identify(path)) as stream:
        assert contained(stream, Wanted()) is None
