"""What the command line names, as files: folders, globs, standard input, members of archives."""

from __future__ import annotations

import fnmatch
import glob
import os
import shutil
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from netaudit.config import Settings, Source
from netaudit.errors import InputError

MAX_EXPANDED = 64 << 30
MAX_RATIO = 200
MAX_MEMBERS = 2_000
JUST_NOW_S = 2.0
"""A file that was changed so short a time ago may change again under the same time stamp."""
_ZIP = b"PK\x03\x04"
_SQLITE = b"SQLite format 3\0"
_LATE, _SHARED = "-wal", "-shm"
"""Ends of the names of a database's newest pages and their index, beside it (SQLite file format, section 4)."""


@dataclass(frozen=True, slots=True)
class Input:
    """One file to read, and what the configuration says about it."""

    path: Path
    name: str
    """For people: the path as given, with ``!member`` for what came out of an archive."""
    source: Source


@contextmanager
def opened(arguments: Sequence[str], settings: Settings) -> Iterator[tuple[list[Input], list[InputError]]]:
    """The files behind the arguments, and what could not be found; temporary copies last as long.

    Files of a folder come sorted by path. The same file named twice comes once.
    """
    with tempfile.TemporaryDirectory(prefix="netaudit-") as folder:
        inputs: dict[str, Input] = {}
        errors: list[InputError] = []
        for argument in arguments:
            try:
                for found in _expand(argument, Path(folder), settings):
                    if isinstance(found, InputError):
                        errors.append(found)
                    else:
                        inputs.setdefault(os.path.realpath(found.path), found)
            except InputError as error:
                errors.append(error)
        yield list(inputs.values()), errors


def source_of(path: Path, settings: Settings) -> Source:
    """What the configuration declares for a file: the first ``[[source]]`` whose path fits."""
    resolved = os.path.realpath(path)
    for source in settings.source:
        pattern = str((settings.folder / source.path).resolve())
        if resolved == pattern or fnmatch.fnmatch(resolved, pattern) or resolved.startswith(pattern + "/"):
            return source
    inventory = settings.inventory.path
    if inventory and resolved == str((settings.folder / inventory).resolve()):
        return Source(path=inventory, role="inventory")
    return Source(path="")


def states(arguments: Sequence[str]) -> tuple[tuple[str, int, int, int], ...] | None:
    """The files behind the arguments as they lie there now: path, size, time of change, number.

    Equal states stand for equal content. None where that cannot be told: standard input, a file that
    cannot be looked at, or one that was changed just now.
    """
    found = []
    for part in (part for argument in arguments for file in _files(argument) for part in _parts(file)):
        try:
            state = part.stat()
        except OSError:
            return None
        if time.time() - state.st_mtime < JUST_NOW_S:
            return None
        found.append((os.path.realpath(part), state.st_size, state.st_mtime_ns, state.st_ino))
    return None if "-" in arguments else tuple(found)


def _files(argument: str) -> list[Path]:
    """The files that an argument names; of a folder all but parts of databases in it, sorted."""
    path = Path(argument)
    if path.is_dir():
        return sorted(p for p in path.rglob("*") if not p.is_dir() and not _is_part(p))
    if path.exists() or not glob.has_magic(argument):
        return [path]
    found = glob.glob(argument, recursive=True)  # noqa: PTH207 -- Path.glob takes no absolute pattern
    return sorted(Path(p) for p in found if Path(p).is_file())


def _expand(argument: str, scratch: Path, settings: Settings) -> Iterator[Input | InputError]:
    """The files of one argument; what is wrong with one of them does not stop the others."""
    if argument == "-":
        yield Input(_spool_stdin(scratch), "-", Source(path=""))
        return
    files = _files(argument)
    if not files:
        raise InputError(
            "nothing-there", "There is no file here.", where=argument, hint="Check the path or the pattern."
        )
    for file in files:
        if Path(argument).is_dir() and file.is_symlink():
            yield InputError(
                "link-not-followed",
                "This is a link; links inside a folder are not followed.",
                where=shown(file),
                hint="Name the file it leads to, if it is evidence.",
            )
            continue
        source = source_of(file, settings)
        if _is_archive(file):
            yield from _members(file, scratch, source)
        else:
            yield Input(file, shown(file), source)


def _spool_stdin(scratch: Path) -> Path:
    """Standard input as a file: evidence is hashed before it is read."""
    target = scratch / "stdin"
    with target.open("wb") as out:
        shutil.copyfileobj(sys.stdin.buffer, out, 1 << 20)
    return target


def shown(path: Path) -> str:
    """A path as valid text, whatever octets its name has."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _is_part(path: Path) -> bool:
    """Whether a file is read together with the database beside it, and is no input of its own."""
    end = path.name[-4:]
    return end in {_LATE, _SHARED} and _begins_with(path.with_name(path.name[:-4]), _SQLITE)


def _parts(path: Path) -> tuple[Path, ...]:
    """A file, and what of its content lies beside it."""
    late = path.with_name(path.name + _LATE)
    return (path, late) if late.exists() else (path,)


def _begins_with(path: Path, magic: bytes) -> bool:
    if not path.is_file():
        return False
    try:
        with path.open("rb") as stream:
            return stream.read(len(magic)) == magic
    except OSError:
        return False


def _is_archive(path: Path) -> bool:
    """A zip of files; an office workbook is a zip too, but one document."""
    if not _begins_with(path, _ZIP):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return "[Content_Types].xml" not in archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return False


def _members(path: Path, scratch: Path, source: Source) -> Iterator[Input | InputError]:
    with zipfile.ZipFile(path) as archive:
        members = [m for m in archive.infolist() if not m.is_dir()]
        if len(members) > MAX_MEMBERS:
            raise InputError(
                "too-many-members",
                "This archive holds more than {limit} files.",
                where=str(path),
                hint="Unpack it by hand.",
                limit=MAX_MEMBERS,
            )
        for member in members:
            name = f"{shown(path)}!{member.filename}"
            if member.file_size > min(MAX_EXPANDED, MAX_RATIO * max(member.compress_size, 1 << 20)):
                yield InputError(
                    "expands-too-far",
                    "This file expands to more than {ratio} times its size.",
                    where=name,
                    hint="It looks like a decompression bomb. Expand it by hand if you trust it.",
                    ratio=MAX_RATIO,
                )
                continue
            target = scratch / f"{len(list(scratch.iterdir()))}"
            try:
                _unpack(archive, member, target, name)
            except InputError as error:
                yield error
            else:
                yield Input(target, name, source)


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, name: str) -> None:
    """One member under a name of our own: a member's name never becomes a path."""
    try:
        with archive.open(member) as packed, target.open("wb") as out:
            left = member.file_size
            while left > 0 and (block := packed.read(min(1 << 20, left))):
                out.write(block)
                left -= len(block)
    except (zipfile.BadZipFile, RuntimeError, OSError, EOFError) as error:
        raise InputError(
            "archive-damaged",
            "A member of this archive cannot be read: {reason}.",
            where=name,
            hint="Unpack it by hand.",
            reason=str(error),
        ) from error
