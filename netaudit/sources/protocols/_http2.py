"""One direction of an HTTP/2 connection: octets to frames to header fields (RFC 9113, RFC 7541).

What is held is bounded: a frame, a header block, some bodies of the one type that is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from hpack import Decoder
from hpack.exceptions import HPACKError

from netaudit.kernels.http import PREFACE
from netaudit.kernels.packet import Rows

DATA, HEADERS, RST_STREAM, SETTINGS, PUSH_PROMISE, CONTINUATION = 0, 1, 3, 4, 5, 9
_END_STREAM, _END_HEADERS, _PADDED, _PRIORITY = 0x01, 0x04, 0x08, 0x20
_FRAME_HEADER = 9

MAX_FRAME = 65_536
"""Octets of a frame that is read; those of other kinds may have any size."""
MAX_BLOCK = 65_536
"""Octets of a header block, and of its fields when they are expanded."""
MAX_TABLE = 65_536
"""Octets of HPACK's table that a peer may use: what browsers allow."""
MAX_BODIES = 131_072
"""Octets of all bodies that are being put together; the oldest gives way."""
MAX_STREAMS = 256
"""Bodies that are being put together."""
WANTED = frozenset({b":method", b":authority", b":path", b"host", b"content-type"})
"""Fields that are kept; cookies and the like are not."""


class Damage(Exception):  # noqa: N818 -- it is no error of this program
    """What follows on this side cannot be read."""


class Head(NamedTuple):
    """The header fields of a request or a response."""

    row: Rows
    """Of the message in which they begin."""
    stream: int
    fields: dict[bytes, bytes]
    """The first of each name of `WANTED`."""


class Body(NamedTuple):
    """A whole body of the type that was asked for."""

    row: Rows
    stream: int
    octets: bytes


class _Frame(NamedTuple):
    kind: int
    flags: int
    stream: int
    row: Rows
    payload: bytes


class _Block:
    """A header block that may go on in further frames."""

    __slots__ = ("ends_stream", "fragments", "is_push", "row", "stream")

    def __init__(self, frame: _Frame, fragment: bytes) -> None:
        self.stream, self.row = frame.stream, frame.row
        self.ends_stream = bool(frame.flags & _END_STREAM)
        self.is_push = frame.kind == PUSH_PROMISE
        self.fragments = bytearray(fragment)


class Side:
    """What one end sends, from its beginning on, in order."""

    def __init__(self, body_type: bytes, *, is_client: bool) -> None:
        """Begin.

        Args:
            body_type: The content type of the bodies to put together.
            is_client: Whether the preface comes first.
        """
        self._body_type = body_type
        self._preface = PREFACE if is_client else b""
        self._decoder = Decoder(max_header_list_size=MAX_BLOCK)
        self._decoder.max_allowed_table_size = MAX_TABLE
        self._rest = bytearray()  # the beginning of a frame
        self._begun: Rows | None = None  # of the message that the rest began in
        self._skip = 0
        self._block: _Block | None = None
        self._bodies: dict[int, tuple[Rows | None, bytearray]] = {}

    def feed(self, octets: bytes, row: Rows) -> Iterator[Head | Body]:
        """Read on.

        Args:
            octets: The next ones.
            row: The message that they are, one row of its own.

        Raises:
            Damage: They are not HTTP/2, or go beyond a bound.
        """
        octets = self._after_preface(octets)
        for frame in self._frames(octets, row):
            if self._block is not None and (frame.kind, frame.stream) != (CONTINUATION, self._block.stream):
                raise Damage
            if frame.kind == DATA:
                yield from self._data(frame)
            elif frame.kind == RST_STREAM:
                self._bodies.pop(frame.stream, None)
            else:
                yield from self._headers(frame)

    def _after_preface(self, octets: bytes) -> bytes:
        size = min(len(self._preface), len(octets))
        if octets[:size] != self._preface[:size]:
            raise Damage
        self._preface = self._preface[size:]
        return octets[size:]

    def _frames(self, octets: bytes, row: Rows) -> Iterator[_Frame]:
        """Frames that these octets complete; of those that nobody reads not even the octets are kept."""
        skipped = min(self._skip, len(octets))
        self._skip -= skipped
        begun = self._begun if self._rest else row
        rest, at = self._rest, 0
        rest += octets[skipped:]
        while len(rest) - at >= _FRAME_HEADER:
            size, kind, flags = int.from_bytes(rest[at : at + 3]), rest[at + 3], rest[at + 4]
            stream = int.from_bytes(rest[at + 5 : at + 9]) & 0x7FFF_FFFF
            end = at + _FRAME_HEADER + size
            if not self._is_read(kind, stream, size):
                self._skip = max(end - len(rest), 0)
                at = min(end, len(rest))
            elif end > len(rest):
                break
            else:
                yield _Frame(
                    kind, flags, stream, row if begun is None else begun, bytes(rest[at + 9 : end])
                )
                at = end
            begun = row
        del rest[:at]
        self._begun = begun

    def _is_read(self, kind: int, stream: int, size: int) -> bool:
        if self._block is not None and kind != CONTINUATION:
            raise Damage  # RFC 9113 section 6.10
        if kind in {HEADERS, PUSH_PROMISE, CONTINUATION} and size > MAX_FRAME:
            raise Damage
        if kind == DATA and size > MAX_FRAME:
            self._bodies.pop(stream, None)
        return kind in {HEADERS, PUSH_PROMISE, CONTINUATION, RST_STREAM} or (
            kind == DATA and stream in self._bodies
        )

    def _data(self, frame: _Frame) -> Iterator[Body]:
        row, body = self._bodies[frame.stream]
        row = frame.row if row is None else row
        body += _unpadded(frame, 0)
        self._bodies[frame.stream] = row, body
        if frame.flags & _END_STREAM:
            del self._bodies[frame.stream]
            yield Body(row, frame.stream, bytes(body))
        while sum(len(held) for _, held in self._bodies.values()) > MAX_BODIES:
            self._give_up_oldest()

    def _headers(self, frame: _Frame) -> Iterator[Head]:
        if frame.kind == CONTINUATION:
            if self._block is None or len(self._block.fragments) > MAX_BLOCK:
                raise Damage
            self._block.fragments += frame.payload
        else:
            prefix = 4 if frame.kind == PUSH_PROMISE else 5 if frame.flags & _PRIORITY else 0
            self._block = _Block(frame, _unpadded(frame, prefix))
        if frame.flags & _END_HEADERS:
            block, self._block = self._block, None
            yield from self._fields(block)

    def _fields(self, block: _Block) -> Iterator[Head]:
        try:
            decoded = self._decoder.decode(bytes(block.fragments), raw=True)
        except HPACKError as error:
            raise Damage from error
        if block.is_push:
            return
        fields: dict[bytes, bytes] = {}
        for name, value in decoded:
            if name in WANTED:
                fields.setdefault(bytes(name), bytes(value))
        type_ = fields.get(b"content-type", b"").partition(b";")[0].strip().lower()
        if type_ == self._body_type and not block.ends_stream:
            self._bodies[block.stream] = None, bytearray()
            if len(self._bodies) > MAX_STREAMS:
                self._give_up_oldest()
        yield Head(block.row, block.stream, fields)

    def _give_up_oldest(self) -> None:
        del self._bodies[next(iter(self._bodies))]


def _unpadded(frame: _Frame, prefix: int) -> bytes:
    """A payload without its padding and a prefix (RFC 9113 sections 6.1, 6.2 and 6.6)."""
    begin, end = prefix, len(frame.payload)
    if frame.flags & _PADDED and frame.payload:
        begin += 1
        end -= frame.payload[0]
    if begin > end:
        raise Damage
    return frame.payload[begin:end]
