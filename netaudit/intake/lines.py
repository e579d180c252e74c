"""Text framing: decode, split into chunks of whole lines or records, count what cannot be read.

Chunks are Arrow string columns, so that formats work on columns; kernels that read the usual lines of
a format find the text itself there. UTF-8 (with or without mark), UTF-16 and GB18030 are told apart
once per file.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.opening import ByteStream
from netaudit.kernels import ROOM

if TYPE_CHECKING:
    from netaudit.kernels.octets import Bytes, Ints, Octets

CHUNK_BYTES = 8 << 20
MAX_LINE_BYTES = 1 << 20
HEAD_BYTES = 64 << 10
_REPLACED = "\ufffd".encode()
_USUAL_LINE = 40  # octets at least


class Framed(NamedTuple):
    """Lines as kernels take them."""

    text: Octets
    """All lines with their ends, and `ROOM` zeros."""
    ends: Ints
    """Where each line ends; the first begins at 0."""
    high: Bytes
    """1 for each line that is not ASCII."""


class Chunk:
    """Some whole lines of a file, without their line ends."""

    __slots__ = ("_lines", "bad", "first", "framed", "sizes")

    def __init__(
        self,
        lines: pa.StringArray | None,
        first: int,
        bad: np.ndarray,
        sizes: np.ndarray,
        framed: Framed | None = None,
    ) -> None:
        """Take lines as a column, or as they are `framed`.

        Args:
            lines: None to make it of `framed`, when somebody asks for it.
            first: Physical number of the first line, from 1.
            bad: Indices of lines that are not text in the file's encoding, or too long; they are
                empty.
            sizes: Bytes of each line as expanded, line end included.
            framed: The text of the lines; None where they are no file's text.
        """
        self._lines = lines
        self.first = first
        self.bad = bad
        self.sizes = sizes
        self.framed = framed

    @property
    def lines(self) -> pa.StringArray:
        """All lines."""
        if self._lines is None:
            self._lines = self.take(slice(None))
        return self._lines

    def take(self, index: np.ndarray | slice) -> pa.StringArray:
        """Some lines by their indices, ascending."""
        if self._lines is not None:
            return self._lines if isinstance(index, slice) else self._lines.take(pa.array(index))
        assert self.framed is not None  # noqa: S101 -- for the type checker: one of both is there
        text, ends, _ = self.framed
        offsets = np.concatenate(([0], ends + 1)).astype(np.int32)
        offsets[-1] = min(offsets[-1], len(text.u8) - ROOM)  # the last line may have no end
        buffers = [None, pa.py_buffer(offsets), pa.py_buffer(text.u8)]
        found = pa.Array.from_buffers(pa.string(), len(ends), buffers)
        if self.bad.size:
            found = pc.if_else(pa.array(np.isin(np.arange(len(ends)), self.bad)), "", found)
        if not isinstance(index, slice):
            found = found.take(pa.array(index))
        return pc.utf8_rtrim(found, characters="\r\n\0")


def detect_encoding(head: bytes) -> str:
    """``utf-8``, ``utf-8-sig``, ``utf-16`` or ``gb18030`` from a file's first bytes."""
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    body = head.rstrip(b"\0")
    if len(body) >= 8 and body[1:8:2] == b"\0" * 4 and 0 not in body[0:8:2]:
        return "utf-16-le"
    return "utf-8" if _begins_as(head, "utf-8") else _legacy(head[: head.rfind(b"\n") + 1] or head)


def _begins_as(head: bytes, encoding: str) -> bool:
    """Whether `head` is text, its last character perhaps cut."""
    try:
        codecs.getincrementaldecoder(encoding)().decode(head)
    except UnicodeDecodeError:
        return False
    return True


def _legacy(body: bytes) -> str:
    """GB18030 where most of the lines with high bytes read so; else UTF-8 with bad lines."""
    odd = [line for line in body.split(b"\n") if not line.isascii()]
    as_utf8 = sum(_decodes(line, "utf-8") for line in odd)
    as_gb = sum(_decodes(line, "gb18030") for line in odd)
    return "gb18030" if as_gb > as_utf8 else "utf-8"


def _decodes(body: bytes | memoryview, encoding: str) -> bool:
    try:
        str(body, encoding)
    except UnicodeDecodeError:
        return False
    return True


def head_lines(stream: ByteStream, limit: int = 200) -> list[str]:
    """The first lines of a stream, without moving on: what formats are recognised by."""
    head = stream.peek(HEAD_BYTES)
    text = head.decode(detect_encoding(head), errors="replace").replace("\r\n", "\n")
    return text.split("\n")[:limit]


def chunks(
    stream: ByteStream, starts: Callable[[pa.StringArray], np.ndarray] | None = None
) -> Iterator[Chunk]:
    """Whole lines of `stream` in chunks of about 4 MiB.

    Args:
        stream: At its beginning.
        starts: For formats whose records span lines: which lines begin a record (bool array).
            A chunk then ends before the last beginning, so that no record is torn.

    Yields:
        Chunks in order. Line numbers count physical lines of the expanded file from 1.
    """
    number = 1
    held: Chunk | None = None
    for block in _whole_lines(stream, detect_encoding(stream.peek(HEAD_BYTES))):
        chunk = _split(block, number)
        number += len(chunk.sizes)
        if starts is None:
            yield chunk
            continue
        chunk = _join(held, chunk)
        held = None
        marks = np.flatnonzero(starts(chunk.lines))
        cut = int(marks[-1]) if marks.size else 0
        if cut == 0 and int(chunk.sizes.sum()) > 4 * CHUNK_BYTES:
            cut = len(chunk.lines)  # no beginning in 16 MiB: give it up as it is
        if cut:
            yield _slice(chunk, 0, cut)
        if cut < len(chunk.lines):
            held = _slice(chunk, cut, len(chunk.lines))
    if held is not None:
        yield held


@dataclass(frozen=True, slots=True)
class _Block:
    """Whole lines as UTF-8, and what they were in the file."""

    text: np.ndarray
    """uint8, with `ROOM` octets behind the lines."""
    size: int
    """Octets of lines."""
    dropped: int
    """Bytes left out of the first line, which is too long."""
    in_file: int
    """Bytes in the file."""
    recoded: bool
    """Whether the file is not UTF-8; what could not be decoded is then U+FFFD."""


def _whole_lines(stream: ByteStream, encoding: str) -> Iterator[_Block]:
    """Blocks ending at line ends, whatever the file's encoding; at most a line and 4 MiB are held."""
    decoder = None
    in_file = 0
    if encoding not in {"utf-8", "utf-8-sig"}:
        decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    elif encoding == "utf-8-sig":
        in_file = len(stream.read(len(codecs.BOM_UTF8)))
    rest, dropped = np.empty(0, np.uint8), 0
    while True:
        if decoder is None:
            text, size, count = _filled(stream, rest)
        else:
            data = stream.read(CHUNK_BYTES)
            count = len(data)
            text, size = _after(rest, decoder.decode(data, not data).encode())
        in_file += count
        end = _last_end(text, size) if count else size
        rest = text[end:size]
        if end:
            share = in_file * (dropped + end) // (dropped + size) if count else in_file
            kept = rest.copy()
            text[end : end + ROOM] = 0
            yield _Block(text, end, dropped, share, decoder is not None)
            rest = kept
            in_file -= share
            dropped = 0
        if len(rest) > MAX_LINE_BYTES + 1:  # it is too long already: only its length still matters
            dropped += len(rest) - MAX_LINE_BYTES - 1
            rest = rest[: MAX_LINE_BYTES + 1]
        if not count:
            return


def _filled(stream: ByteStream, rest: np.ndarray) -> tuple[np.ndarray, int, int]:
    """`rest`, the next bytes and room behind them; how many in all, and how many are new."""
    text = np.empty(len(rest) + CHUNK_BYTES + ROOM, np.uint8)
    text[: len(rest)] = rest
    count = stream.readinto(text.data[len(rest) : len(rest) + CHUNK_BYTES])
    return text, len(rest) + count, count


def _after(rest: np.ndarray, data: bytes) -> tuple[np.ndarray, int]:
    """`rest`, `data` and room behind them; how many in all."""
    size = len(rest) + len(data)
    text = np.empty(size + ROOM, np.uint8)
    text[: len(rest)] = rest
    text[len(rest) : size] = np.frombuffer(data, np.uint8)
    return text, size


def _last_end(text: np.ndarray, size: int) -> int:
    """The offset behind the last line end; 0 where there is none."""
    step = 4 << 10
    while True:
        begin = max(size - step, 0)
        place = text[begin:size].tobytes().rfind(b"\n")
        if place >= 0 or begin == 0:
            return begin + place + 1 if place >= 0 else 0
        step *= 8


def _split(block: _Block, first: int) -> Chunk:
    framed = _framed(block)
    sizes = np.diff(framed.ends, prepend=-1)
    sizes[-1] -= framed.ends[-1] == block.size
    bad = np.flatnonzero(sizes > MAX_LINE_BYTES)
    suspects = np.flatnonzero(framed.high)
    if suspects.size:
        body = block.text.data[: block.size]
        is_wrong = _has_lost if block.recoded else _is_no_text
        if is_wrong(body):
            begins = np.concatenate(([0], framed.ends[:-1] + 1))
            pieces = (body[int(begins[i]) : int(framed.ends[i])] for i in suspects)
            wrong = suspects[np.fromiter(map(is_wrong, pieces), bool, len(suspects))]
            bad = np.union1d(bad, wrong)
    return Chunk(None, first, bad, _file_sizes(sizes, block), framed)


def _framed(block: _Block) -> Framed:
    from netaudit.kernels.loglines import line_ends
    from netaudit.kernels.octets import octets

    text = octets(block.text[: block.size + ROOM])
    room = block.size // _USUAL_LINE + 16
    while True:
        ends, high = np.empty(room, np.int64), np.zeros(room, np.uint8)
        count = line_ends(text, block.size, ends, high)
        if count <= room:
            return Framed(text, ends[:count], high[:count])
        room = count


def _is_no_text(octets_: memoryview) -> bool:
    return not _decodes(octets_, "utf-8")


def _has_lost(octets_: memoryview) -> bool:
    return _REPLACED in bytes(octets_)


def _file_sizes(sizes: np.ndarray, block: _Block) -> np.ndarray:
    """Bytes of each line in the file: exact for UTF-8, else the block's bytes in proportion."""
    sizes[0] += block.dropped
    if not block.recoded and not block.dropped and block.in_file == block.size:
        return sizes
    ends = np.cumsum(sizes)
    if ends[-1] != block.in_file:
        ends = ends * block.in_file // ends[-1]
    return np.diff(ends, prepend=0)


def _slice(chunk: Chunk, start: int, stop: int) -> Chunk:
    from netaudit.kernels.octets import octets

    inside = (chunk.bad >= start) & (chunk.bad < stop)
    framed = chunk.framed
    if framed is not None:
        begin = int(framed.ends[start - 1]) + 1 if start else 0
        text = octets(framed.text.u8[begin:])
        framed = Framed(text, framed.ends[start:stop] - begin, framed.high[start:stop])
    return Chunk(
        chunk.lines.slice(start, stop - start),
        chunk.first + start,
        chunk.bad[inside] - start,
        chunk.sizes[start:stop],
        framed,
    )


def _join(held: Chunk | None, chunk: Chunk) -> Chunk:
    from netaudit.kernels.octets import octets

    if held is None:
        return chunk
    framed = None
    if held.framed is not None and chunk.framed is not None:
        (text, ends, high), more = held.framed, chunk.framed
        before = text.u8[:-ROOM]
        framed = Framed(
            octets(np.concatenate((before, more.text.u8))),
            np.concatenate((ends, more.ends + len(before))),
            np.concatenate((high, more.high)),
        )
    return Chunk(
        pa.concat_arrays([held.lines, chunk.lines]),
        held.first,
        np.concatenate((held.bad, chunk.bad + len(held.sizes))),
        np.concatenate((held.sizes, chunk.sizes)),
        framed,
    )
