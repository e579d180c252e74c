"""Opening a file as evidence: hash it, expand it within bounds, survive a cut end."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import stat
import threading
import zlib
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Self

from netaudit.errors import InputError

BLOCK = 1 << 20
_HASHED_AT_ONCE = 8 << 20  # each step needs Python's lock twice, which another thread may hold
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


@dataclass(frozen=True, slots=True)
class Identity:
    """What a file is, whatever it is called."""

    path: Path
    name: str
    digest: str | Future[str]
    """The hash, or its promise while another thread is at it."""
    size: int

    @property
    def sha256(self) -> str:
        """The hash of the file as it lies on disk; waits for it.

        Raises:
            InputError: The file could not be read to its end.
        """
        return self.digest if isinstance(self.digest, str) else self.digest.result()

    @property
    def id(self) -> str:
        """The first 16 hex digits of the hash."""
        return self.sha256[:ID_DIGITS]

    @property
    def is_known(self) -> bool:
        """Whether the hash is there without waiting."""
        return isinstance(self.digest, str) or self.digest.done()


def identify(path: Path, name: str | None = None, *, meanwhile: bool = False) -> Identity:
    """Hash a regular file.

    Args:
        path: The file.
        name: What people know it by.
        meanwhile: Whether to hash in a thread while the file is being read.

    Raises:
        InputError: Not there, not a regular file, or not readable.
    """
    shown = name or str(path)
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise InputError(
                "not-a-file",
                "This is not a regular file.",
                where=str(path),
                hint="Give a file, a folder, or '-' for standard input.",
            )
        with path.open("rb") as stream:
            stream.read(1)
    except OSError as error:
        raise unreadable(path, error) from error
    if not meanwhile:
        return Identity(path, shown, _hash(path, status.st_size), status.st_size)
    promise: Future[str] = Future()
    threading.Thread(target=_keep_promise, args=(promise, path, status.st_size), daemon=True).start()
    return Identity(path, shown, promise, status.st_size)


def _hash(path: Path, size: int) -> str:
    """Of the first `size` octets: a file that is still being written has that many now."""
    digest = hashlib.sha256()
    try:
        with path.open("rb", buffering=0) as stream:
            buffer = memoryview(bytearray(min(size, _HASHED_AT_ONCE) or 1))
            while size > 0 and (count := stream.readinto(buffer[: min(size, len(buffer))])):
                digest.update(buffer[:count])
                size -= count
    except OSError as error:
        raise unreadable(path, error) from error
    return digest.hexdigest()


def _keep_promise(promise: Future[str], path: Path, size: int) -> None:
    try:
        promise.set_result(_hash(path, size))
    except InputError as error:
        promise.set_exception(error)


def unreadable(path: Path, error: OSError) -> InputError:
    """The error of a file that the system does not let us read."""
    return InputError(
        "cannot-read",
        "This file cannot be read: {reason}.",
        where=str(path),
        hint="Check the path and the permissions.",
        reason=error.strerror or str(error),
    )


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
        self._raw = _Bounded(identity.path.open("rb"), identity.size)
        head = self._raw.peek(6)
        self.compression = next((n for magic, n in _MAGIC.items() if head.startswith(magic)), "")
        self._expanded = _expander(self.compression, self._raw)
        self._ahead = b""  # looked at, not yet read
        self._total = 0

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; fewer only at the end.

        Raises:
            InputError: The expansion passes the bound (a decompression bomb).
        """
        out, self._ahead = self._ahead[:size], self._ahead[size:]
        if len(out) < size:
            out += self._more(size - len(out))
        self.content_bytes += len(out)
        return out

    def readinto(self, buffer: memoryview) -> int:
        """Fill `buffer` as far as there are bytes; how many; fewer than it holds only at the end.

        Raises:
            InputError: The expansion passes the bound (a decompression bomb).
        """
        done = min(len(self._ahead), len(buffer))
        buffer[:done], self._ahead = self._ahead[:done], self._ahead[done:]
        while done < len(buffer) and not self.trouble:
            if self.compression:
                part = self._step(min(len(buffer) - done, BLOCK))
                buffer[done : done + len(part)] = part
                count = len(part)
            else:
                count = self._raw.readinto(buffer[done:])
                self._total += count
            if not count:
                break
            done += count
        self.content_bytes += done
        return done

    def peek(self, size: int) -> bytes:
        """The next bytes without moving on."""
        if len(self._ahead) < size:
            self._ahead += self._more(size - len(self._ahead))
        return self._ahead[:size]

    def close(self) -> None:
        """Close the file."""
        self._raw.close()

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Close."""
        self.close()

    def _more(self, size: int) -> bytes:
        parts: list[bytes] = []
        while size > 0 and not self.trouble and (part := self._step(size)):
            parts.append(part)
            size -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _step(self, size: int) -> bytes:
        try:
            part = self._expanded(size)
        except EOFError:
            self.trouble = "the compressed stream ended early"
            return b""
        except _DAMAGE:
            self.trouble = "the compressed stream is damaged"
            return b""
        self._total += len(part)
        if self.compression and self._total > max(FREE_BYTES, MAX_RATIO * self.identity.size):
            raise InputError(
                "expands-too-far",
                "This file expands to more than {ratio} times its size.",
                where=self.identity.name,
                hint="It looks like a decompression bomb. Expand it by hand if you trust it.",
                ratio=MAX_RATIO,
            )
        return part


_DAMAGE = (OSError, zlib.error, lzma.LZMAError, ValueError)
"""What the standard library's expanders raise over bytes that are not as they should be."""


def _expander(compression: str, raw: _Bounded) -> Callable[[int], bytes]:
    """Reads up to so many expanded bytes; EOFError where the stream ends before its end."""
    match compression:
        case "gz":
            return gzip.GzipFile(fileobj=raw, mode="rb").read1
        case "bz2":
            return bz2.BZ2File(raw).read1
        case "xz":
            return lzma.LZMAFile(raw).read1
        case "zst":
            return _Zstandard(raw).read
        case _:
            return raw.read


class _Bounded(io.BufferedReader):
    """A file that ends where it ended when it was hashed, however much it has grown since."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        super().__init__(_FirstBytes(file, size), BLOCK)


class _FirstBytes(io.RawIOBase):
    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self._left = file, size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)[: self._left]
        count = self._file.readinto(view) if len(view) else 0  # type: ignore[attr-defined]
        self._left -= count
        return int(count)

    def close(self) -> None:
        self._file.close()
        super().close()


class _Zstandard:
    """zstd frames in small steps: one step of input cannot expand without measure."""

    STEP = 256
    """Octets a step: a block of four can stand for 128 KiB (RFC 8878 section 3.1.1.2)."""

    def __init__(self, raw: _Bounded) -> None:
        import zstandard

        self._raw = raw
        self._library: Any = zstandard
        self._frame = self._new()
        self._ready = b""

    def read(self, size: int) -> bytes:
        while not self._ready:
            packed = self._raw.read(self.STEP)
            if not packed:
                if not self._frame.eof:
                    raise EOFError
                return b""
            self._ready = self._expand(packed)
        out, self._ready = self._ready[:size], self._ready[size:]
        return out

    def _new(self) -> Any:
        return self._library.ZstdDecompressor(max_window_size=1 << 27).decompressobj()

    def _expand(self, packed: bytes) -> bytes:
        out = b""
        try:
            while packed:
                if self._frame.eof:
                    self._frame = self._new()
                out += self._frame.decompress(packed)
                packed = self._frame.unused_data if self._frame.eof else b""
        except self._library.ZstdError as error:
            raise ValueError(str(error)) from error
        return out
