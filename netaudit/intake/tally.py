"""Counting what one file gave and what it did not: the maker of ledger entries."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.opening import ByteStream, Identity
from netaudit.records.evidence import EvidenceFile, Skipped
from netaudit.records.moments import moment

FIRST_KEPT = 5
TOLERATED = 0.001
"""Share of a log's lines that may be unreadable before "nothing found" is inconclusive."""


class Tally:
    """The running account of one file, turned into an `EvidenceFile` at its end."""

    def __init__(self, identity: Identity) -> None:
        """Start counting for one file."""
        self.identity = identity
        self.format = ""
        self.kinds: set[str] = set()
        self.records = 0
        self.bytes_skipped = 0
        self.truncated = False
        self.notes: set[str] = set()
        self.error = ""
        self._skipped: dict[str, tuple[int, list[int], bool]] = {}
        self._lines: set[str] = set()
        self._first: int | None = None
        self._last: int | None = None

    @classmethod
    def of_nothing(cls) -> Tally:
        """An account that nobody will ask for."""
        return cls(Identity(Path(), "", "", 0))

    def skip(
        self,
        reason: str,
        ordinals: Iterable[int] = (),
        *,
        count: int | None = None,
        size: int = 0,
        matters: bool = True,
        lines: bool = False,
    ) -> None:
        """Count records that were not read.

        Args:
            reason: A message id in English; equal reasons are added up.
            ordinals: Packet or line numbers, from 1; the first few are kept.
            count: How many, where there are more than `ordinals`.
            size: Their bytes, as expanded.
            matters: Whether "nothing found" is inconclusive because of them.
            lines: Whether they are single lines of a log, of which a few are tolerated (`TOLERATED`).
        """
        if lines:
            self._lines.add(reason)
        numbers = [int(n) for n in ordinals]
        before, first, mattered = self._skipped.get(reason, (0, [], False))
        first = (first + numbers)[:FIRST_KEPT]
        total = before + (len(numbers) if count is None else count)
        self._skipped[reason] = (total, first, mattered or matters)
        self.bytes_skipped += size

    def add(self, batch: pa.RecordBatch, kind: str) -> None:
        """Count the records of a batch and its span of time."""
        self.records += batch.num_rows
        self.kinds.add(kind)
        for name in ("ts", "ts_end"):
            if name in batch.schema.names and kind != "asset":
                self._span(batch.column(name))

    def entry(
        self,
        stream: ByteStream,
        *,
        clock_offset_s: float = 0.0,
        timezone: str = "",
        site: str = "",
        source: str = "",
        segments: tuple[str, ...] = (),
    ) -> EvidenceFile:
        """The ledger entry, once the file is read."""
        if stream.trouble:
            self.truncated = True
            self.skip(stream.trouble, count=1)
        skipped = self._on_disk(self.bytes_skipped, stream)
        tolerated = self._lines if self._few_lines() else set()
        return EvidenceFile(
            id=self.identity.id,
            name=self.identity.name,
            sha256=self.identity.sha256,
            size=self.identity.size,
            format=self.format,
            kinds=tuple(sorted(self.kinds)),
            first=None if self._first is None else moment(self._first),
            last=None if self._last is None else moment(self._last),
            records=self.records,
            skipped=tuple(
                Skipped(reason, count, tuple(first), matters and reason not in tolerated)
                for reason, (count, first, matters) in sorted(self._skipped.items())
            ),
            content_size=stream.content_bytes,
            bytes_read=self.identity.size - skipped,
            bytes_skipped=skipped,
            truncated=self.truncated,
            clock_offset_s=clock_offset_s,
            timezone=timezone,
            site=site,
            source=source,
            segments=segments,
            notes=tuple(sorted(self.notes)),
            error=self.error,
        )

    def duplicate(self) -> EvidenceFile:
        """The entry of a file that is not read, because its content was read under another name."""
        size = self.identity.size
        return EvidenceFile(
            id=self.identity.id,
            name=self.identity.name,
            sha256=self.identity.sha256,
            size=size,
            format="",
            skipped=tuple(Skipped(r, n, tuple(f), m) for r, (n, f, m) in sorted(self._skipped.items())),
            bytes_skipped=size,
        )

    def _few_lines(self) -> bool:
        """Whether so few of the lines were unreadable that the log counts as read."""
        lost = sum(count for reason, (count, _, _) in self._skipped.items() if reason in self._lines)
        return lost <= TOLERATED * (self.records + lost)

    def _on_disk(self, skipped: int, stream: ByteStream) -> int:
        """Skipped bytes of the file as it lies on disk; of a compressed one, in proportion.

        Two layers may give up the same bytes (segments that overlap, in a stream that is lost):
        they are never more than there are.
        """
        skipped = min(skipped, stream.content_bytes)
        if not stream.compression or not stream.content_bytes:
            return skipped if stream.content_bytes else 0
        return round(self.identity.size * skipped / stream.content_bytes)

    def _span(self, column: pa.Array) -> None:
        nanos = column.cast(pa.int64())
        low, high = pc.min_max(nanos).as_py().values()
        if low is None:
            return
        far = 253_402_300_799 * 10**9  # infinity in lease files
        self._first = low if self._first is None else min(self._first, low)
        self._last = high if self._last is None else max(self._last, min(high, far))


def ordinals(index: np.ndarray, first: int) -> list[int]:
    """Line numbers of the first few of some indices of a chunk."""
    return [int(i) + first for i in index[:FIRST_KEPT]]
