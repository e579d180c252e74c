"""One packet or line of one input, as the original has it, and what is read in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from netaudit.config import Settings
from netaudit.errors import InputError, NetauditError, UsageError
from netaudit.intake.containers import Wanted, contained
from netaudit.intake.lines import chunks
from netaudit.intake.opening import ByteStream, Identity, identify
from netaudit.records.evidence import Ledger
from netaudit.records.schemas import kind_of
from netaudit.sources import Options, Progress
from netaudit.sources.inputs import opened
from netaudit.sources.recognise import tables
from netaudit.workflow.reading import events
from netaudit.workflow.selection import Selection

if TYPE_CHECKING:
    from netaudit.sources.blocks import Record

MAX_EVENTS = 1_000_000
"""As evidence at once; each is held in memory."""


@dataclass(frozen=True, slots=True)
class Shown:
    """The original behind an event."""

    identity: Identity
    ordinal: int
    record: Record | None
    """The packet; None where the input is a log."""
    line: str
    """The line; empty where the input is a capture."""
    kept: int
    """Octets of the packet that say where it went (see `sources.cut`); the rest is content."""
    events: tuple[pa.RecordBatch, ...]
    """What netaudit reads in it; accounts are pseudonyms."""


def show(
    argument: str,
    ordinal: int,
    settings: Settings,
    *,
    options: Options | None = None,
    progress: Progress | None = None,
) -> Shown:
    """The packet or line with that number, and its events.

    Raises:
        InputError: The input cannot be read, or has no such packet or line.
    """
    from netaudit.kernels.magics import is_capture

    with original(argument, settings) as identity, ByteStream(identity) as stream:
        record, line = None, ""
        if is_capture(stream.peek(64)):
            record = _packet(stream, ordinal)
        else:
            line = _line(stream, ordinal)
        found = _events(identity, ordinal, settings, options, progress)
        kept = 0 if record is None else _kept(record, found)
        return Shown(identity, ordinal, record, line, kept, found)


@contextmanager
def original(argument: str, settings: Settings) -> Iterator[Identity]:
    """The one file behind an argument.

    Raises:
        UsageError: It names several files, or standard input, which can be read only once.
        InputError: It cannot be read.
    """
    if argument == "-":
        raise UsageError(
            "needs-file", "Standard input can be read only once.", hint="Put it into a file first."
        )
    with opened([argument], settings) as (inputs, errors):
        for error in errors:
            raise error
        if len(inputs) != 1:
            raise UsageError(
                "needs-one-file", "This is not one file.", where=argument, hint="Name the file itself."
            )
        yield identify(inputs[0].path, inputs[0].name)


def packet_text(record: Record, size: int) -> list[str]:
    """The first `size` octets of a packet, field by field, as scapy reads them."""
    from scapy.config import conf
    from scapy.layers import all as _layers  # noqa: F401 -- it fills the table of link types
    from scapy.packet import Raw

    layer = conf.l2types.num2layer.get(record.link_type, Raw)
    text: str = layer(record.data[:size]).show(dump=True)
    return text.rstrip("\n").split("\n")


def wanted_of(
    batches: Iterator[pa.RecordBatch] | tuple[pa.RecordBatch, ...], wanted: Selection
) -> dict[str, dict[int, dict[str, frozenset[str]]]]:
    """File id, ordinal, kind of event and the names read: what `sources.parts` looks for.

    Raises:
        UsageError: More events fit than are taken as evidence at once.
    """
    rows_so_far = 0
    found: dict[str, dict[int, dict[str, frozenset[str]]]] = {}
    for batch in map(wanted.of, batches):
        kind, rows = kind_of(batch), batch.num_rows
        rows_so_far += rows
        if rows_so_far > MAX_EVENTS:
            raise UsageError(
                "too-many-events",
                "More than {limit} events fit.",
                hint="Narrow it down with further conditions.",
                limit=MAX_EVENTS,
            )
        names = batch.column("name").to_pylist() if "name" in batch.schema.names else [None] * rows
        files, ordinals = batch.column("file").to_pylist(), batch.column("ordinal").to_pylist()
        for file, ordinal, name in zip(files, ordinals, names, strict=True):
            kinds = found.setdefault(file, {}).setdefault(ordinal, {})
            kinds[kind] = kinds.get(kind, frozenset()) | ({name} if name else frozenset())
    return found


def _packet(stream: ByteStream, ordinal: int) -> Record:
    from netaudit.sources.blocks import records

    last = 0
    for record in records(stream):
        if record.ordinal == ordinal:
            return record
        last = record.ordinal
    raise _outside(stream.identity.name, last)


def _line(stream: ByteStream, ordinal: int) -> str:
    last = 0
    for chunk in contained(stream, Wanted(tables())) or chunks(stream):
        last = chunk.first + len(chunk.lines) - 1
        if chunk.first <= ordinal <= last:
            return str(chunk.lines[ordinal - chunk.first].as_py())
    raise _outside(stream.identity.name, last)


def _outside(name: str, last: int) -> InputError:
    return InputError(
        "ordinal-outside",
        "This file has no such number; its last is {last}.",
        where=name,
        hint="Events name it in their column ordinal.",
        last=last,
    )


def _events(
    identity: Identity, ordinal: int, settings: Settings, options: Options | None, progress: Progress | None
) -> tuple[pa.RecordBatch, ...]:
    """Those of that number; where the input cannot be read as a whole, those before that."""
    ledger = Ledger()
    numbered = Selection((("ordinal", str(ordinal)),))
    batches = events([str(identity.path)], settings, ledger, options=options, progress=progress)
    found = tuple(batch for batch in map(numbered.of, batches) if batch.num_rows)
    for error in ledger.errors:
        if not found:
            raise _placed(error, identity)
    return found


def _placed(error: NetauditError, identity: Identity) -> NetauditError:
    error.where = identity.name
    return error


def _kept(record: Record, found: tuple[pa.RecordBatch, ...]) -> int:
    from netaudit.sources.parts import Parts

    kinds = wanted_of(found, Selection()).get(next((_file(b) for b in found), ""), {})
    parts = Parts({record.ordinal: kinds.get(record.ordinal, {})})
    parts.see(record)
    return parts.kept[record.ordinal]


def _file(batch: pa.RecordBatch) -> str:
    return str(batch.column("file")[0].as_py())
