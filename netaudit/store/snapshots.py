"""Large results kept between runs: written once, mapped into memory afterwards.

A snapshot is one file in a folder of the user's cache that nobody else can write to: what it holds
is taken as it is, like compiled code. Its arrays are not read but mapped, so that a question about
ten million records costs only the pages that it touches. Snapshots hold what the logs hold, names
included: they are for their owner alone, and are forgotten after a time or when there are too many.
"""

from __future__ import annotations

import mmap
import os
import pickle
import shutil
import stat
import struct
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

MAGIC = b"netaudit snapshot 1\n"
KEPT = 8
"""Snapshots that are kept at most; the one that was used longest ago goes first."""
SHARE = 4
"""A snapshot may take at most one part in so many of the free disk."""
_SUFFIX = ".snapshot"
_ALIGNED = 64
_HEAD = struct.Struct("<QQ")


class Snapshots:
    """The snapshots of one user."""

    def __init__(self, folder: Path | None = None) -> None:
        """Use `folder`, else the one in the user's cache."""
        self._folder = folder or _cache_folder()

    def find(self, key: str) -> Any | None:
        """What was kept under `key`; None where nothing is, or it cannot be used."""
        path = self._folder / f"{key}{_SUFFIX}"
        if not path.is_file() or not _is_ours_alone(self._folder):
            return None
        try:
            value = _read(path)
        except (
            OSError,
            ValueError,
            EOFError,
            struct.error,
            pickle.UnpicklingError,
            AttributeError,
            ImportError,
        ):
            path.unlink(missing_ok=True)  # cut off, or of another version
            return None
        with suppress(OSError):
            os.utime(path)
        return value

    def keep(self, key: str, value: Any) -> bool:
        """Keep a value; False where the folder or the disk does not allow it."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not _is_ours_alone(self._folder):
                return False
            _write(self._folder / f"{key}{_SUFFIX}", value)
        except OSError:
            return False
        self._drop(sorted(self._all(), key=_age)[KEPT:])
        return True

    def forget(self, *, days: float) -> int:
        """Remove what was made more than some days ago; gives how many."""
        limit = time.time() - days * 86_400
        return self._drop([path for path in self._all() if _made(path) < limit])

    def _all(self) -> list[Path]:
        return sorted(self._folder.glob(f"*{_SUFFIX}")) if self._folder.is_dir() else []

    @staticmethod
    def _drop(paths: list[Path]) -> int:
        for path in paths:
            with suppress(PermissionError):  # Windows lets go of no file that is still mapped
                path.unlink(missing_ok=True)
        return sum(not path.exists() for path in paths)


def _write(path: Path, value: Any) -> None:
    buffers: list[pickle.PickleBuffer] = []
    body = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
    parts = [buffer.raw() for buffer in buffers]
    if sum(part.nbytes for part in parts) > shutil.disk_usage(path.parent).free // SHARE:
        raise OSError("not enough room")
    sizes = struct.pack(f"<{len(parts)}Q", *(part.nbytes for part in parts))
    scratch = path.with_suffix(f".{os.getpid()}")
    try:
        with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            out.write(MAGIC + _HEAD.pack(len(body), len(parts)) + sizes + body)
            for part in parts:
                out.write(bytes(-out.tell() % _ALIGNED))
                out.write(part)
            out.write(MAGIC)  # whole
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)


def _read(path: Path) -> Any:
    with path.open("rb") as stream:
        whole = memoryview(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ))
    if whole[: len(MAGIC)] != MAGIC or whole[-len(MAGIC) :] != MAGIC:
        raise ValueError("not a whole snapshot")
    size, count = _HEAD.unpack_from(whole, len(MAGIC))
    at = len(MAGIC) + _HEAD.size
    sizes = struct.unpack_from(f"<{count}Q", whole, at)
    at += 8 * count
    body = whole[at : at + size]
    at += size
    buffers = []
    for length in sizes:
        at += -at % _ALIGNED
        buffers.append(whole[at : at + length])
        at += length
    return pickle.loads(body, buffers=buffers)  # noqa: S301 -- our own file in a folder of ours alone


def _cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "netaudit" / "read"


def _is_ours_alone(folder: Path) -> bool:
    if not hasattr(os, "getuid"):
        return True  # Windows keeps a user's profile to the user
    status = folder.stat()
    return status.st_uid == os.getuid() and not status.st_mode & (stat.S_IRWXG | stat.S_IRWXO)


def _made(path: Path) -> float:
    return path.stat().st_ctime


def _age(path: Path) -> float:
    return -path.stat().st_mtime
