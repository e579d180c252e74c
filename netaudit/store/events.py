"""Events as Parquet, one folder a kind: written as they stream by, read back by column."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from netaudit.records.schemas import schema

ROW_GROUP = 256 << 10


class EventSet:
    """A folder ``<kind>.parquet``; replaced as a whole by each scan."""

    def __init__(self, folder: Path, kinds: Collection[str] | None = None) -> None:
        """Use `folder`; nothing is written before the first `write`.

        Args:
            folder: Where they go.
            kinds: Those that somebody will read; all by default.
        """
        self.folder = folder
        self._kinds = kinds
        self._writers: dict[str, pq.ParquetWriter] = {}
        self._waiting: dict[str, list[pa.RecordBatch]] = {}

    def write(self, kind: str, batch: pa.RecordBatch) -> None:
        """Append a batch; it becomes readable with `finish`, and lasting with `commit`."""
        if self._kinds is not None and kind not in self._kinds:
            return
        waiting = self._waiting.setdefault(kind, [])
        waiting.append(batch)
        if sum(b.num_rows for b in waiting) >= ROW_GROUP:
            self._flush(kind)

    def finish(self) -> None:
        """Make what was written readable; what was there before stays until `commit`."""
        for kind in list(self._waiting):
            self._flush(kind)
        for writer in self._writers.values():
            writer.close()
        self._writers.clear()
        self._fresh.mkdir(parents=True, exist_ok=True)

    def commit(self) -> None:
        """Put what was written in the place of what was there before."""
        if self._fresh.exists():
            shutil.rmtree(self.folder, ignore_errors=True)
            self._fresh.replace(self.folder)

    def abandon(self) -> None:
        """Drop what was written since the last `commit`."""
        for writer in self._writers.values():
            writer.close()
        self._writers.clear()
        self._waiting.clear()
        shutil.rmtree(self._fresh, ignore_errors=True)

    def read(
        self, kind: str, columns: list[str] | None = None, where: pc.Expression | None = None
    ) -> pa.Table:
        """Rows of one kind, filtered while reading; an empty typed table where there are none."""
        path = self._current / f"{kind}.parquet"
        empty = schema(kind).empty_table()
        if not path.is_file():
            return empty.select(columns) if columns else empty
        return ds.dataset(path, format="parquet").to_table(columns=columns, filter=where)

    def digests(self) -> dict[str, str]:
        """SHA-256 of each kind's file."""
        paths = sorted(self._current.glob("*.parquet"))
        return {path.stem: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}

    @property
    def _current(self) -> Path:
        """Where the latest finished events are."""
        return self._fresh if self._fresh.is_dir() else self.folder

    @property
    def _fresh(self) -> Path:
        return self.folder.with_name(self.folder.name + ".new")

    def _flush(self, kind: str) -> None:
        waiting = self._waiting.pop(kind, [])
        if not waiting:
            return
        if kind not in self._writers:
            self._fresh.mkdir(parents=True, exist_ok=True)
            options: dict[str, Any] = {"compression": "zstd", "use_dictionary": True}
            self._writers[kind] = pq.ParquetWriter(self._fresh / f"{kind}.parquet", schema(kind), **options)
        self._writers[kind].write_table(pa.Table.from_batches(waiting).unify_dictionaries())
