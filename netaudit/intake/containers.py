"""Inputs that are no text as lines of text, so that formats read them like any log.

==============  =============================================  ======================================
container       begins with                                    one line is
==============  =============================================  ======================================
workbook        ``PK``                                         a row, see `intake.spreadsheet`
SQLite          ``SQLite format 3``                            a row as a JSON object, its table `TABLE`
Frame Streams   a START or READY frame                         the content type and a frame in hex
==============  =============================================  ======================================

Nothing is written beside an input, and what a database makes of itself when it is opened for writing
never happens to the original.
"""

from __future__ import annotations

import binascii
import shutil
import sqlite3
import struct
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.errors import InputError
from netaudit.intake.lines import CHUNK_BYTES, MAX_LINE_BYTES, Chunk
from netaudit.intake.opening import ByteStream
from netaudit.intake.spreadsheet import sheet_chunks

TABLE = "#table"
"""The member of a row's JSON object that names its table."""
CHUNK_ROWS = 16 << 10
MAX_COLUMNS = 60
"""Of a table; an SQL function takes 127 arguments."""
FREE_STEPS = 10_000_000
STEPS_PER_BYTE = 100
"""Of SQLite's machine: a view can ask for endless work."""
LEAST_ROW = 4
"""Octets of a database for each row that is read out of it."""
MAX_FRAME_BYTES = (MAX_LINE_BYTES - 64) // 2
MAX_CONTROL_BYTES = 512
"""The limit of the Frame Streams library."""
CUT_FRAMES = "the frame stream ended without its last frame"
TOO_MANY_ROWS = "a table of the database gives more rows than its size can hold"
LATE_ROWS = (
    "The newest rows come from the database's write-ahead log, which lies beside it and is not hashed."
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of a container."""

    tables: frozenset[str] = frozenset()
    """Tables and views of a database, in lower case."""
    notes: set[str] = field(default_factory=set)
    """What is to be known about how it was read is added here."""


@dataclass(frozen=True, slots=True)
class Container:
    """One way of packing records."""

    is_one: Callable[[bytes], bool]
    """Whether a file is one, by its first 64 octets."""
    chunks: Callable[[ByteStream, Wanted], Iterator[Chunk]]
    """Its records as lines. What is damaged or cut is said in `ByteStream.trouble`."""


def contained(stream: ByteStream, wanted: Wanted) -> Iterator[Chunk] | None:
    """The lines of an input that is a container, or None where it is none."""
    head = stream.peek(64)
    for container in _CONTAINERS:
        if container.is_one(head):
            return container.chunks(stream, wanted)
    return None


def _chunk(rows: list[str], first: int) -> Chunk:
    """Lines that have no bytes of the file as their own; those too long are bad."""
    lines = pa.array(rows, pa.string())
    too_long = pc.greater(pc.binary_length(lines), MAX_LINE_BYTES)
    bad = np.flatnonzero(pc.or_(too_long, pc.match_substring(lines, "\ufffd")))
    if bad.size:
        lines = pc.if_else(pa.array(~np.isin(np.arange(len(rows)), bad)), lines, "")
    return Chunk(lines, first, bad, np.zeros(len(rows), np.int64))


def _is_sqlite(head: bytes) -> bool:
    return head.startswith(b"SQLite format 3\0")


def _database_chunks(stream: ByteStream, wanted: Wanted) -> Iterator[Chunk]:
    """The rows of the tables wanted, table by table, in the tables' own order.

    Raises:
        InputError: It is damaged, or more work than is done for one of its size.
    """
    where = stream.identity.name
    try:
        with _private(stream, wanted) as uri, closing(_connected(uri)) as database:
            size = stream.content_bytes
            steps = iter(range((FREE_STEPS + STEPS_PER_BYTE * size) // 100_000))
            database.set_progress_handler(lambda: next(steps, -1) < 0, 100_000)
            first = 1
            for query in _queries(database, wanted.tables):
                begin, most = first, 1_000 + size // LEAST_ROW
                cursor = database.execute(f"{query} LIMIT {most}")
                while found := cursor.fetchmany(CHUNK_ROWS):
                    yield _chunk([line for (line,) in found], first)
                    first += len(found)
                if first - begin == most:
                    stream.trouble = TOO_MANY_ROWS
    except (sqlite3.Error, OverflowError) as error:
        raise InputError(
            "database-damaged",
            "This database cannot be read ({reason}).",
            where=where,
            hint="Copy it again, with its -wal file, while its program is stopped.",
            reason=str(error),
        ) from error


@contextmanager
def _private(stream: ByteStream, wanted: Wanted) -> Iterator[str]:
    """Where to open the database so that nothing is written beside it.

    The file itself, where it is complete; a copy where it was compressed, or has a write-ahead log
    that must be played back first.
    """
    path = stream.identity.path
    log = path.with_name(path.name + "-wal")
    is_late = not stream.compression and log.is_file() and log.stat().st_size > 0
    if not stream.compression and not is_late:
        _drain(stream, None)
        yield f"{path.absolute().as_uri()}?mode=ro&immutable=1"
        return
    with tempfile.TemporaryDirectory(prefix="netaudit-") as folder:
        copy = Path(folder) / "copy.db"
        _drain(stream, copy)
        if is_late:
            shutil.copyfile(log, copy.with_name(copy.name + "-wal"))
            wanted.notes.add(LATE_ROWS)
        yield f"{copy.as_uri()}?mode=rw"


def _drain(stream: ByteStream, copy: Path | None) -> None:
    """Read a stream to its end, so that its octets are accounted for; into a file where one is given."""
    if copy is None:
        while stream.read(1 << 20):
            pass
        return
    with copy.open("wb") as target:
        while block := stream.read(1 << 20):
            target.write(block)


def _connected(uri: str) -> sqlite3.Connection:
    """A connection on which a hostile schema can do nothing but be read."""
    database = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    database.text_factory = lambda octets: octets.decode(errors="replace")
    database.execute("PRAGMA trusted_schema = OFF")
    database.execute("PRAGMA cell_size_check = ON")
    database.execute("PRAGMA mmap_size = 0")
    database.execute("PRAGMA query_only = ON")
    database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 16 * MAX_LINE_BYTES)
    database.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    return database


def _queries(database: sqlite3.Connection, wanted: frozenset[str]) -> Iterator[str]:
    """For each table wanted, in the order of their names: its rows as JSON objects."""
    names = database.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY name")
    for (name,) in names.fetchmany(1_000):
        if name.lower() not in wanted:
            continue
        columns = [row[1] for row in database.execute(f"PRAGMA table_info({_quoted(name)})")]
        cells = [f"{_text(column)}, {_cell(_quoted(column))}" for column in columns[:MAX_COLUMNS]]
        table = [f"{_text(TABLE)}, {_text(name.lower())}"]
        yield f"SELECT json_object({', '.join(table + cells)}) FROM {_quoted(name)}"  # noqa: S608 -- all quoted


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(word: str) -> str:
    return "'" + word.replace("'", "''") + "'"


def _cell(column: str) -> str:
    """JSON holds no octets: they are given in hex."""
    return f"iif(typeof({column}) = 'blob', hex({column}), {column})"


_START, _STOP, _READY = 2, 3, 4


def _is_frames(head: bytes) -> bool:
    """A control frame: no length, its own length, START or READY (Frame Streams, fstrm/control.h)."""
    return head[:4] == b"\0" * 4 and head[4:6] == b"\0\0" and head[8:12] in {b"\0\0\0\2", b"\0\0\0\4"}


class _Octets:
    """A stream in larger blocks, for what is read in small pieces."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream, self._block, self._at = stream, b"", 0

    def take(self, size: int) -> bytes:
        """The next `size` octets; fewer only at the end."""
        end = self._at + size
        if end > len(self._block):
            self._block = self._block[self._at :] + self._stream.read(max(size, CHUNK_BYTES))
            self._at, end = 0, size
        self._at = min(end, len(self._block))
        return self._block[end - size : end]


def _frame_chunks(stream: ByteStream, wanted: Wanted) -> Iterator[Chunk]:  # noqa: ARG001 -- one signature
    """Each data frame as ``CONTENT-TYPE HEX``. Frames over half a line's length are bad lines."""
    octets, content_type, stopped = _Octets(stream), "", False
    frames: list[bytes] = []
    bad: list[int] = []
    first, held = 1, 0
    while len(head := octets.take(4)) == 4:
        length = int.from_bytes(head, "big")
        if length == 0:
            kind, content_type = _control(octets, content_type)
            stopped = kind == _STOP
            if kind < 0:
                break
            continue
        stopped = False
        too_long = length > MAX_FRAME_BYTES
        frame = b"" if too_long else octets.take(length)
        if too_long and _skip(octets, length):
            bad.append(len(frames))
        elif len(frame) < length:
            break
        frames.append(frame)
        held += len(frame)
        if len(frames) == CHUNK_ROWS or held > MAX_LINE_BYTES:
            yield _frames(frames, bad, content_type, first)
            first += len(frames)
            frames, bad, held = [], [], 0
    if frames:
        yield _frames(frames, bad, content_type, first)
    if not stopped and not stream.trouble:
        stream.trouble = CUT_FRAMES


def _control(octets: _Octets, content_type: str) -> tuple[int, str]:
    """Kind of a control frame and the content type that holds from now on; -1 where it is none."""
    length = int.from_bytes(octets.take(4).rjust(4, b"\xff"), "big")
    body = octets.take(length) if 4 <= length <= MAX_CONTROL_BYTES else b""
    if len(body) < 4 or len(body) != length:
        return -1, content_type
    kind = int.from_bytes(body[:4], "big")
    if kind in {_START, _READY} and len(body) >= 12 and body[4:8] == b"\0\0\0\1":
        (size,) = struct.unpack_from(">I", body, 8)
        content_type = body[12 : 12 + size].decode("ascii", "replace")
    return kind, content_type


def _skip(octets: _Octets, length: int) -> bool:
    """Pass over octets that are not kept; whether they were all there."""
    while length > 0:
        got = len(octets.take(min(length, CHUNK_BYTES)))
        if not got:
            return False
        length -= got
    return True


def _frames(frames: list[bytes], bad: list[int], content_type: str, first: int) -> Chunk:
    sizes = np.array([len(frame) for frame in frames], np.int64)
    ends = np.concatenate(([0], 2 * np.cumsum(sizes))).astype(np.int32)
    text = pa.py_buffer(binascii.hexlify(b"".join(frames)))
    digits = pa.Array.from_buffers(pa.string(), len(frames), [None, pa.py_buffer(ends), text])
    word = content_type.replace("\n", " ")
    return Chunk(pc.binary_join_element_wise(word, digits, " "), first, np.array(bad, np.int64), sizes + 4)


def _is_workbook(head: bytes) -> bool:
    return head.startswith(b"PK\x03\x04")


_CONTAINERS = (
    Container(_is_workbook, lambda stream, wanted: sheet_chunks(stream)),  # noqa: ARG005 -- one signature
    Container(_is_sqlite, _database_chunks),
    Container(_is_frames, _frame_chunks),
)
