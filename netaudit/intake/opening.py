"""Opening a file as evidence: hash it, expand it within bounds, survive a cut end."""

from __future__ import annotations

import bz2
import hashlib
import lzma
import stat
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol, Self

from netaudit.errors import InputError

BLOCK = 1 << 20
MAX_RATIO = 200
"""Expanded to compressed bytes; above it, and past `FREE_BYTES`, an input is refused as a bomb."""
FREE_BYTES = 64 << 20
ID_DIGITS = 16

_MAGIC = {
    b"\x1f\x8b": "gz",
    b"BZh": "bz2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zst",
}


class _Decompressor(Protocol):
    unused_data: bytes
    eof: bool

    def decompress(self, data: bytes, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Identity:
    """What a file is, whatever it is called."""

    path: Path
    name: str
    sha256: str
    size: int

    @property
    def id(self) -> str:
        """The first 16 hex digits of the hash."""
        return self.sha256[:ID_DIGITS]


def identify(path: Path, name: str | None = None) -> Identity:
    """Hash a regular file.

    Raises:
        InputError: Not there, not a regular file, or not readable.
    """
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise InputError(
                "not-a-file",
                "This is not a regular file.",
                where=str(path),
                hint="Give a file, a folder, or '-' for standard input.",
            )
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256")
            size = stream.tell()
    except OSError as error:
        raise InputError(
            "cannot-read",
            "This file cannot be read: {reason}.",
            where=str(path),
            hint="Check the path and the permissions.",
            reason=error.strerror or str(error),
        ) from error
    return Identity(path, name or str(path), digest.hexdigest(), size)


class ByteStream:
    """The expanded content of one file, read forward once.

    A compressed stream that ends early or fails its check gives what could be expanded and says
    so in `trouble`; it never raises for it and never passes for complete.
    """

    def __init__(self, identity: Identity) -> None:
        """Open `identity`'s file; exactly the bytes that were hashed are read."""
        self.identity = identity
        self.trouble = ""
        """A message id, empty while all is well."""
        self.content_bytes = 0
        """Expanded bytes handed out so far."""
        self._raw: BinaryIO = identity.path.open("rb")
        self._left = identity.size
        self._pending = bytearray()
        head = self._take(6)
        self.compression = next((n for magic, n in _MAGIC.items() if head.startswith(magic)), "")
        self._unexpanded = head
        self._inflater: _Decompressor | None = _inflater(self.compression)
        self._done = False
        self._taken = 0

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; fewer only at the end.

        Raises:
            InputError: The expansion passes the bound (a decompression bomb).
        """
        while len(self._pending) < size and not self._done:
            self._pending += self._next_block()
        out = bytes(self._pending[:size])
        del self._pending[:size]
        self.content_bytes += len(out)
        return out

    def peek(self, size: int) -> bytes:
        """The next bytes without moving on."""
        while len(self._pending) < size and not self._done:
            self._pending += self._next_block()
        return bytes(self._pending[:size])

    def close(self) -> None:
        """Close the file."""
        self._raw.close()

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Close."""
        self.close()

    def _take(self, size: int) -> bytes:
        data = self._raw.read(min(size, self._left))
        self._left -= len(data)
        return data

    def _next_block(self) -> bytes:
        data = self._unexpanded or self._take(BLOCK)
        self._unexpanded = b""
        if self._inflater is None:
            self._done = not data
            return data
        return self._expand(data)

    def _expand(self, data: bytes) -> bytes:
        assert self._inflater is not None  # noqa: S101 -- _next_block calls this only then
        if not data:
            self._done = True
            if not self._inflater.eof:
                self.trouble = "the compressed stream ended early"
            return b""
        try:
            out = self._inflater.decompress(data)
        except (OSError, EOFError, zlib.error, lzma.LZMAError, ValueError, _zst_error()):
            self._done = True
            self.trouble = "the compressed stream is damaged"
            return b""
        if self._inflater.eof:
            self._start_next_member()
        self._taken += len(out)
        if self._taken > FREE_BYTES and self._taken > MAX_RATIO * (self.identity.size or 1):
            raise InputError(
                "expands-too-far",
                "This file expands to more than {ratio} times its size.",
                where=self.identity.name,
                hint="It looks like a decompression bomb. Expand it by hand if you trust it.",
                ratio=MAX_RATIO,
            )
        return out

    def _start_next_member(self) -> None:
        assert self._inflater is not None  # noqa: S101
        rest = self._inflater.unused_data.lstrip(b"\0") or self._take(BLOCK)
        if rest:
            self._inflater = _inflater(self.compression)
            self._unexpanded = rest
        else:
            self._done = True


def _inflater(compression: str) -> Any:
    match compression:
        case "gz":
            return _Gunzip()
        case "bz2":
            return bz2.BZ2Decompressor()
        case "xz":
            return lzma.LZMADecompressor()
        case "zst":
            import zstandard

            return zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj()
        case _:
            return None


class _Gunzip:
    """zlib's gzip reader with the attributes of the others."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(wbits=31)

    def decompress(self, data: bytes) -> bytes:
        return self._inner.decompress(data)

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    @property
    def eof(self) -> bool:
        return self._inner.eof


def _zst_error() -> type[Exception]:
    import zstandard

    return zstandard.ZstdError
