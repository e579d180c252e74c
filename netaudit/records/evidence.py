"""Where a fact comes from, and what could be read of that file: the ledger's entries."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from netaudit.errors import NetauditError


@dataclass(frozen=True, slots=True, order=True)
class Evidence:
    """One packet or line: enough to show the original again."""

    file: str
    """`EvidenceFile.id`."""
    ordinal: int
    """Packet or physical line number, from 1."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """Records that were not read, and why."""

    reason: str
    """A message id in English."""
    count: int
    first: tuple[int, ...] = ()
    """The first few packet or line numbers."""
    matters: bool = True
    """Whether an answer "nothing found" is inconclusive because of it."""


@dataclass(frozen=True, slots=True)
class EvidenceFile:
    """One input's entry in the ledger. ``bytes_read + bytes_skipped == size``, always."""

    id: str
    """First 16 hex digits of the SHA-256 of the file as it lies on disk."""
    name: str
    sha256: str
    size: int
    format: str
    """Name of the recognised format; empty where none was."""
    kinds: tuple[str, ...] = ()
    """Kinds of record that came out."""
    first: dt.datetime | None = None
    last: dt.datetime | None = None
    records: int = 0
    skipped: tuple[Skipped, ...] = ()
    content_size: int = 0
    """Bytes after expansion; equals `size` where the file is not compressed."""
    bytes_read: int = 0
    bytes_skipped: int = 0
    """Of a compressed file, in proportion to its content."""
    truncated: bool = False
    clock_offset_s: float = 0.0
    timezone: str = ""
    """Zone that was declared for naive times; empty where the format carries its own."""
    site: str = ""
    source: str = ""
    """Id (else path) of the ``[[source]]`` that declares it; empty where none does."""
    segments: tuple[str, ...] = ()
    """Segments that the source covers; empty = all."""
    notes: tuple[str, ...] = ()
    """What was inferred or doubted, as message ids."""
    path: str = ""
    """Where it lies as seen from the case's folder; empty outside of a case and for what came out of
    an archive or a pipe."""
    error: str = ""
    """Why the file could not be used at all; a message, empty where it could."""

    @property
    def complete(self) -> bool:
        """Whether everything in this file that mattered was read."""
        return not (self.error or self.truncated or any(s.matters for s in self.skipped))


@dataclass(slots=True)
class Ledger:
    """Every input of a run, in the order in which it was read."""

    files: list[EvidenceFile] = field(default_factory=list)
    errors: list[NetauditError] = field(default_factory=list)
    """Why inputs could not be used, as raised."""

    @property
    def complete(self) -> bool:
        """Whether "nothing found" may be said."""
        return bool(self.files) and not self.errors and all(f.complete for f in self.files)

    @property
    def usable(self) -> bool:
        """Whether any input could be used at all."""
        return any(not f.error for f in self.files)

    def by_id(self, id_: str) -> EvidenceFile:
        """The entry of one file; KeyError where it is not part of this run."""
        for entry in self.files:
            if entry.id == id_:
                return entry
        raise KeyError(id_)
