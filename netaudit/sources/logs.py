"""One log to batches: recognised, parsed in pieces, every line accounted for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from itertools import chain, islice

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.config import Source
from netaudit.errors import InputError
from netaudit.intake.containers import Wanted, contained
from netaudit.intake.lines import Chunk, chunks, head_lines
from netaudit.intake.log_format import Parsed, Rows
from netaudit.intake.opening import ByteStream, Identity
from netaudit.intake.tally import Tally, ordinals
from netaudit.intake.times import Context, parse_zone
from netaudit.records.schemas import TIMESTAMP, conform
from netaudit.sources.left_out import show
from netaudit.sources.options import Options
from netaudit.sources.recognise import confidences, named, recognise, refuse_binary, tables

NOT_TEXT = "bytes that are no text in this file's encoding, or a line over 1 MiB"
NO_RECORD = "no line of this file gave a record"
NO_NAME = "look-ups whose name cannot be read"
OTHER = "lines that hold no record of this format (comments, other messages)"
MAX_ROWS = 64 << 10


def read_log(
    stream: ByteStream, tally: Tally, source: Source, options: Options, wanted: str
) -> Iterator[pa.RecordBatch]:
    """The records of one log, at most `MAX_ROWS` a batch; what was not read is told to `tally`.

    Args:
        stream: At its beginning.
        tally: Takes the account.
        source: What the configuration says about the file.
        options: What the command line says.
        wanted: The format that a person named; empty where it is to be recognised.

    Raises:
        UnknownFormatError: No format fits.
        InputError: The format was named, and nothing in the file is of it.
        ConfigError: Times carry no zone, and none is declared.
    """
    zone = options.timezone or source.timezone
    pieces = contained(stream, Wanted(tables(), tally.notes))
    ahead_of_all = list(islice(pieces or (), 1))
    if pieces is None:
        head = _head(stream, tally.identity)
    else:
        head = [line for chunk in ahead_of_all for line in chunk.lines[:200].to_pylist()]
    scores = {} if wanted else confidences(head, options.own)
    name = wanted or recognise(head, tally.identity.name, options.own, scores)
    member = named(name, options.own)
    tally.format = name
    if options.recognised:
        options.recognised(name, member, scores)
    context = Context(
        name=tally.identity.name,
        zone=parse_zone(zone) if zone else None,
        collected=_collected(tally.identity),
        options=source.options,
        tolerant=options.tolerant,
    )
    parse = member.open(context)
    shift = int(source.clock_offset_s * 1e9)
    for chunk in chunks(stream, member.starts) if pieces is None else chain(ahead_of_all, pieces):
        parsed = parse(chunk)
        _account(tally, chunk, parsed)
        if options.left_out:
            show(options.left_out, chunk, parsed, member, OTHER)
        for rows in parsed.rows:
            file = _file(tally.identity, options.promised)
            yield from _conform(rows, chunk, tally, file, source.site, shift)
    tally.notes |= context.notes
    _require_records(tally, forced=bool(wanted))


def _require_records(tally: Tally, *, forced: bool) -> None:
    """A log that gave nothing was not understood: that is never a clean result.

    Raises:
        InputError: The format was named by a person, and nothing in the file is of it.
    """
    if tally.records:
        return
    if forced:
        raise InputError(
            "not-of-format",
            "Nothing in this file is of the format {format}.",
            hint="Leave the format out, so that it is recognised; or see: netaudit formats try FILE",
            format=tally.format,
        )
    tally.skip(NO_RECORD, count=1)


def _head(stream: ByteStream, identity: Identity) -> list[str]:
    refuse_binary(stream.peek(4096), identity.name)
    return head_lines(stream)


def _conform(
    rows: Rows, chunk: Chunk, tally: Tally, file: str, site: str, shift: int
) -> Iterator[pa.RecordBatch]:
    count = len(rows.line)
    if rows.kind == "dns" and (nameless := _nameless(rows)).size:
        tally.skip(NO_NAME, ordinals(nameless, chunk.first), count=len(nameless))
    columns = dict(rows.columns, file=file, ordinal=rows.line.astype(np.uint64) + chunk.first)
    if site:
        columns["site"] = site
    batch = conform(rows.kind, columns, count)
    if shift:
        batch = _shifted(batch, shift)
    for start in range(0, count, MAX_ROWS):
        piece = batch.slice(start, MAX_ROWS)
        tally.add(piece, rows.kind)
        yield piece


def _file(identity: Identity, promised: dict[str, Identity] | None) -> str:
    """What rows say of their file: its id, or the key of a promise of it."""
    if promised is None or identity.is_known:
        return identity.id
    key = f"?{identity.path}"
    promised[key] = identity
    return key


def _nameless(rows: Rows) -> np.ndarray:
    """Lines of look-ups whose name cannot be read: they are events, but match nothing."""
    name = rows.columns.get("name")
    if name is None:
        return rows.line
    unknown = np.asarray(pc.is_null(name).to_numpy(zero_copy_only=False), bool)
    return np.asarray(rows.line[unknown])


def _shifted(batch: pa.RecordBatch, shift: int) -> pa.RecordBatch:
    """All times moved by the source's declared clock offset, nanoseconds."""
    for name in ("ts", "ts_end"):
        if name in batch.schema.names:
            moved = pc.add(batch.column(name).cast(pa.int64()), shift).cast(TIMESTAMP)
            batch = batch.set_column(batch.schema.get_field_index(name), name, moved)
    return batch


def _account(tally: Tally, chunk: Chunk, parsed: Parsed) -> None:
    if chunk.bad.size:
        tally.skip(
            NOT_TEXT,
            ordinals(chunk.bad, chunk.first),
            count=len(chunk.bad),
            size=int(chunk.sizes[chunk.bad].sum()),
            lines=True,
        )
    for reason, index in parsed.rejected.items():
        lines = np.setdiff1d(index, chunk.bad)
        if lines.size:
            tally.skip(
                reason,
                ordinals(lines, chunk.first),
                count=len(lines),
                size=int(chunk.sizes[lines].sum()),
                lines=True,
            )
    if parsed.other:
        tally.skip(OTHER, count=parsed.other, matters=False)


def _collected(identity: Identity) -> dt.datetime:
    return dt.datetime.fromtimestamp(identity.path.stat().st_mtime, dt.UTC)
