"""Text framing: decode, split into chunks of whole lines or records, count what cannot be read.

Chunks are Arrow string columns, so that formats work on columns. UTF-8 (with or without mark),
UTF-16 and GB18030 are told apart once per file.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.opening import ByteStream

CHUNK_BYTES = 4 << 20
MAX_LINE_BYTES = 1 << 20
HEAD_BYTES = 64 << 10
_REPLACED = "\ufffd".encode()


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some whole lines of a file, without their line ends."""

    lines: pa.StringArray
    first: int
    """Physical number of the first line, from 1."""
    bad: np.ndarray
    """Indices of lines that are not text in the file's encoding, or too long; they are empty."""
    sizes: np.ndarray
    """Bytes of each line as expanded, line end included."""


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


def _decodes(body: bytes, encoding: str) -> bool:
    try:
        body.decode(encoding)
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
        number += len(chunk.lines)
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

    text: bytes
    dropped: int
    """Bytes left out of the first line, which is too long."""
    size: int
    """Bytes in the file."""
    recoded: bool
    """Whether the file is not UTF-8; what could not be decoded is then U+FFFD."""


def _whole_lines(stream: ByteStream, encoding: str) -> Iterator[_Block]:
    """Blocks ending at line ends, whatever the file's encoding; at most a line and 4 MiB are held."""
    decoder = None
    size = 0
    if encoding not in {"utf-8", "utf-8-sig"}:
        decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    elif encoding == "utf-8-sig":
        size = len(stream.read(len(codecs.BOM_UTF8)))
    rest, dropped = b"", 0
    while True:
        data = stream.read(CHUNK_BYTES)
        final = not data
        size += len(data)
        block = rest + (decoder.decode(data, final).encode() if decoder else data)
        end = len(block) if final else block.rfind(b"\n") + 1
        rest = block[end:]
        if end:
            share = size if final else size * (dropped + end) // (dropped + len(block))
            yield _Block(block[:end], dropped, share, decoder is not None)
            size -= share
            dropped = 0
        if len(rest) > MAX_LINE_BYTES + 1:  # it is too long already: only its length still matters
            dropped += len(rest) - MAX_LINE_BYTES - 1
            rest = rest[: MAX_LINE_BYTES + 1]
        if final:
            return


def _split(block: _Block, first: int) -> Chunk:
    raw = block.text
    octets = np.frombuffer(raw, np.uint8)
    ends = np.flatnonzero(octets == 0x0A) + 1
    if not ends.size or ends[-1] != len(raw):
        ends = np.append(ends, len(raw))
    offsets = np.concatenate(([0], ends))
    sizes = np.diff(offsets)
    bad = np.flatnonzero(sizes > MAX_LINE_BYTES)
    if not _decodes(raw, "utf-8"):
        suspects = np.flatnonzero(np.maximum.reduceat(octets, offsets[:-1]) >= 0x80)
        wrong = [i for i in suspects if not _decodes(raw[offsets[i] : offsets[i + 1]], "utf-8")]
        bad = np.union1d(bad, np.array(wrong, np.int64))
    elif block.recoded and _REPLACED in raw:
        lost = [i for i in range(len(sizes)) if _REPLACED in raw[offsets[i] : offsets[i + 1]]]
        bad = np.union1d(bad, np.array(lost, np.int64))
    sizes = _file_sizes(sizes, block)
    if bad.size:
        raw, offsets = _blank(raw, offsets, bad)
    array = pa.Array.from_buffers(
        pa.string(),
        len(sizes),
        [None, pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(raw)],
    )
    return Chunk(pc.utf8_rtrim(array, characters="\r\n\0"), first, bad, sizes)


def _file_sizes(sizes: np.ndarray, block: _Block) -> np.ndarray:
    """Bytes of each line in the file: exact for UTF-8, else the block's bytes in proportion."""
    sizes[0] += block.dropped
    ends = np.cumsum(sizes)
    if ends[-1] != block.size:
        ends = ends * block.size // ends[-1]
    return np.diff(ends, prepend=0)


def _blank(raw: bytes, offsets: np.ndarray, bad: np.ndarray) -> tuple[bytes, np.ndarray]:
    keep = np.ones(len(raw), bool)
    for index in bad:
        keep[offsets[index] : offsets[index + 1]] = False
    sizes = np.diff(offsets)
    sizes[bad] = 0
    return (
        np.frombuffer(raw, np.uint8)[keep].tobytes(),
        np.concatenate(([0], np.cumsum(sizes))),
    )


def _slice(chunk: Chunk, start: int, stop: int) -> Chunk:
    inside = (chunk.bad >= start) & (chunk.bad < stop)
    return Chunk(
        chunk.lines.slice(start, stop - start),
        chunk.first + start,
        chunk.bad[inside] - start,
        chunk.sizes[start:stop],
    )


def _join(held: Chunk | None, chunk: Chunk) -> Chunk:
    if held is None:
        return chunk
    return Chunk(
        pa.concat_arrays([held.lines, chunk.lines]),
        held.first,
        np.concatenate((held.bad, chunk.bad + len(held.lines))),
        np.concatenate((held.sizes, chunk.sizes)),
    )
