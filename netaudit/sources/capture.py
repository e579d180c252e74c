"""Capture files to events: blocks of messages through every protocol, and flows with their names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.tally import Tally
from netaudit.kernels import packet
from netaudit.kernels.octets import Ints
from netaudit.kernels.packet import Kind, Rows
from netaudit.plugins import discover
from netaudit.records.schemas import conform
from netaudit.sources import encrypted_dns, flow_table
from netaudit.sources.blocks import FILE_SHIFT, Block, Capture, blocks
from netaudit.sources.inference import Answers
from netaudit.sources.messages import Messages
from netaudit.sources.protocols import Events, Reader
from netaudit.sources.warming import prepare

FAMILY = "netaudit.sources.protocols"
BATCH_ROWS = 65_536
MAX_WAITING = 400_000
"""Rows that are held back while the file is still being hashed; they say which file they are from."""
_PACKET = (1 << FILE_SHIFT) - 1


class Series(Tally):
    """The accounts of several files that are read as one stream: each loss goes to its packet's file."""

    def __init__(self) -> None:
        """Before the first file."""
        self.files: list[Tally] = []

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
        """As `Tally.skip`; the first ordinal says in which file."""
        numbers = [int(n) for n in ordinals]
        file = min(numbers[0] >> FILE_SHIFT, len(self.files) - 1) if numbers else -1
        packets = [n & _PACKET for n in numbers if n >> FILE_SHIFT == file]
        total = len(numbers) if count is None else count
        self.files[file].skip(reason, packets, count=total, size=size, matters=matters, lines=lines)

    @property
    def notes(self) -> set[str]:  # type: ignore[override]
        """Of the file that is being read."""
        return self.files[-1].notes


def read_capture(
    captures: Iterable[Capture], *, site: str = "", clock_offset_s: float = 0.0, threaded: bool = False
) -> Iterator[pa.RecordBatch]:
    """Events of a series of captures, read as one stream, in roughly the order of their time.

    Args:
        captures: Files in the order of their time, each at its beginning; most often one. Tallies
            count records, and whatever could not be read with the reason.
        site: Goes into the events.
        clock_offset_s: Is added to every time.
        threaded: Whether more than one core may work; what comes out is the same.

    Yields:
        Conforming batches, at most 65,536 rows each. Bytes of flows are those on the wire, link
        layer included.

    Raises:
        CaptureError: Not a capture.
        InputError: The file expands too far.
    """
    ready = prepare(threaded=threaded)
    reader = _Reader(site)
    offset_ns = round(clock_offset_s * 10**9)
    for block in blocks(reader.noting(captures), offset_ns, threaded=threaded):
        ready()
        yield from reader.block(block)
    yield from reader.close()


class _Reader:
    """Everything that lives from one block of a series to the next."""

    def __init__(self, site: str) -> None:
        self._site = site
        self._series = Series()
        family = sorted(discover(FAMILY, "PROTOCOL").values(), key=lambda member: member.name)
        self._readers: list[tuple[tuple[Kind, ...], Reader]] = [
            (member.takes, member.open(self._series)) for member in family
        ]
        # of each flow the name that was said first: where, the name, and how it was said
        self._names: dict[int, tuple[int, str, str | None]] = {}
        self._answers = Answers()
        self._waiting: list[Events] = []
        self._rows_waiting = 0

    def noting(self, captures: Iterable[Capture]) -> Iterator[Capture]:
        """The same files, remembered."""
        for capture in captures:
            self._series.files.append(capture.tally)
            yield capture

    def block(self, block: Block) -> Iterator[pa.RecordBatch]:
        """Events of one block."""
        for takes, reader in self._readers:
            for events in reader.read(block.messages.of(takes)):
                yield from self._batches(events)
            self._learn(reader)
        yield from self._flows(block.flows)

    def close(self) -> Iterator[pa.RecordBatch]:
        """What was held back until the end."""
        for _, reader in self._readers:
            for events in reader.close():
                yield from self._batches(events)
        yield from self._release()

    def _learn(self, reader: Reader) -> None:
        learned = getattr(reader, "learned", None)
        if learned is not None:
            for one in learned():
                self._answers.learn(*one)

    def _flows(self, rows: Rows) -> Iterator[pa.RecordBatch]:
        named = [self._names.pop(number, (0, None, None))[1:] for number in rows["number"].tolist()]
        told = flow_table.told(rows)
        if len(told) != len(rows):
            kept = np.isin(rows["number"], told["number"])
            named = [one for one, keep in zip(named, kept.tolist(), strict=True) if keep]
        if not len(told):
            return
        columns = flow_table.columns(told) | self._flow_names(told, named)
        yield from self._batches(Events("flow", columns))

    def _flow_names(self, rows: Rows, named: Sequence[tuple[str | None, str | None]]) -> dict[str, Any]:
        """Names that the flows themselves said, else those that an earlier answer of the client suggests."""
        names = pa.array([name for name, _ in named], pa.string())
        sources = pa.array([source for _, source in named], pa.string())
        client, server = flow_table.ends(rows)
        begun = np.where(rows["timed"] != 0, rows["ts"], -1)
        inferred, age, also = self._answers.infer(client, server, begun)
        ports = flow_table.server_port(rows)
        detail = encrypted_dns.marks(names, ports, rows["protocol"] == packet.UDP)
        unnamed = names.is_null()
        usable = pc.and_(unnamed, inferred.is_valid())
        nothing = pa.scalar(None, pa.float64())
        return {
            "name": pc.coalesce(names, inferred),
            "name_source": pc.if_else(usable, "dns_answer", sources),
            "age_s": pc.if_else(usable, age, nothing),
            "also_named": pc.if_else(usable, also, pa.scalar(None, also.type)),
            "transport_detail": detail,
        }

    def _name_flows(self, events: Events) -> None:
        if events.flow is None:
            return
        names, sources = _words(events.columns["name"]), _words(events.columns["name_source"])
        ordinals = np.asarray(events.columns["ordinal"]).tolist()
        for flow, ordinal, name, source in zip(
            events.flow.tolist(), ordinals, names, sources, strict=False
        ):
            if name is None or flow < 0:
                continue
            if flow not in self._names or ordinal < self._names[flow][0]:
                self._names[flow] = (ordinal, name, source)

    def _batches(self, events: Events) -> Iterator[pa.RecordBatch]:
        """Batches of events, once the hashes of the files that they are from are known."""
        self._name_flows(events)
        rows = len(events.columns["ordinal"])
        if not rows:
            return
        self._waiting.append(events)
        self._rows_waiting += rows
        known = all(tally.identity.is_known for tally in self._series.files)
        if known or self._rows_waiting >= MAX_WAITING:
            yield from self._release()

    def _release(self) -> Iterator[pa.RecordBatch]:
        waiting, self._waiting, self._rows_waiting = self._waiting, [], 0
        for events in waiting:
            yield from self._told(events)

    def _told(self, events: Events) -> Iterator[pa.RecordBatch]:
        ordinal = np.asarray(events.columns["ordinal"]).astype(np.int64)
        columns = {
            **events.columns, "ordinal": (ordinal & _PACKET).astype(np.uint64), "file": self._files(ordinal),
        }  # fmt: skip
        if self._site:
            columns["site"] = self._site
        whole = conform(events.kind, columns, len(ordinal))
        for start in range(0, len(ordinal), BATCH_ROWS):
            batch = whole.slice(start, BATCH_ROWS)
            self._count(batch, events.kind, ordinal[start : start + BATCH_ROWS] >> FILE_SHIFT)
            yield batch

    def _files(self, ordinal: Ints) -> Any:
        ids = [tally.identity.id for tally in self._series.files]
        if len(ids) == 1:
            return ids[0]
        return pa.DictionaryArray.from_arrays(
            pa.array((ordinal >> FILE_SHIFT).astype(np.int32)), pa.array(ids)
        )

    def _count(self, batch: pa.RecordBatch, kind: str, file: Ints) -> None:
        for number in np.unique(file).tolist():
            rows = batch if len(self._series.files) == 1 else batch.filter(pa.array(file == number))
            self._series.files[number].add(rows, kind)


def _words(column: Any) -> Iterable[str | None]:
    """The texts of a column, each distinct one made once; a plain string stands for all rows."""
    if isinstance(column, str):
        return repeat(column)
    coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    words = [*coded.dictionary.to_pylist(), None]
    index = pc.fill_null(coded.indices, len(words) - 1).to_numpy()
    return map(words.__getitem__, index.tolist())


__all__ = ["Capture", "Messages", "read_capture"]
