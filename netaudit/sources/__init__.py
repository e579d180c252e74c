"""Files to events. The verb of this room is `read`."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import pyarrow as pa

from netaudit.config import Settings
from netaudit.errors import CaptureError, InputError, NetauditError
from netaudit.intake.opening import ByteStream, Identity, identify, unreadable
from netaudit.intake.tally import Tally
from netaudit.kernels.magics import is_capture
from netaudit.records.evidence import EvidenceFile, Ledger
from netaudit.records.printed import readable
from netaudit.records.schemas import kind_of
from netaudit.sources.ahead import ahead
from netaudit.sources.inputs import Input, opened
from netaudit.sources.options import Options
from netaudit.sources.recognise import own_formats
from netaudit.sources.rotation import series

EMPTY = "the file is empty"
DUPLICATE = "the same content was read already, under another name"
GROWN = "the file has grown since it was opened; what came after is not read"
Progress = Callable[[str, int, int], None]
"""Called with a file's name, bytes done and its size."""


def read(
    arguments: Sequence[str],
    settings: Settings,
    ledger: Ledger,
    *,
    options: Options | None = None,
    progress: Progress | None = None,
) -> Iterator[pa.RecordBatch]:
    """Everything that the inputs say, as batches of one kind each (`records.schemas.KINDS`).

    One entry per input is added to `ledger` once it is read; an input that cannot be used has
    its reason there and in ``ledger.errors`` and does not stop the others. At most 64 Ki rows a
    batch; memory is bounded whatever the size of the inputs.

    Example:
        >>> ledger = Ledger()
        >>> for batch in read(["mirror.pcapng"], Settings(), ledger):  # doctest: +SKIP
        ...     print(batch.to_pandas())
    """
    options = replace(options or Options(), own=own_formats(settings))
    batches = _read(arguments, settings, ledger, options, progress)
    return ahead(batches, threaded=options.jobs != 1)


def _read(
    arguments: Sequence[str],
    settings: Settings,
    ledger: Ledger,
    options: Options,
    progress: Progress | None,
) -> Iterator[pa.RecordBatch]:
    seen = _Seen()
    with opened(arguments, settings) as (inputs, missing):
        for error in missing:
            ledger.errors.append(error)
        for group in series(inputs):
            yield from _read_group(group, ledger, seen, options, progress)


class _Seen:
    """Contents that were read already. A hash is waited for only where the size alone does not tell."""

    def __init__(self) -> None:
        self._by_size: dict[int, list[Identity]] = {}

    def has(self, identity: Identity) -> bool:
        """Whether the same content came before; it counts as seen from now on."""
        same_size = self._by_size.setdefault(identity.size, [])
        found = any(one.sha256 == identity.sha256 for one in same_size)
        same_size.append(identity)
        return found


@dataclass(slots=True)
class _Opened:
    """One input that is being read."""

    item: Input
    tally: Tally
    stream: ByteStream


_Fresh = list[tuple[Input, Identity]]


def _read_group(
    group: list[Input], ledger: Ledger, seen: _Seen, options: Options, progress: Progress | None
) -> Iterator[pa.RecordBatch]:
    """Inputs that are one stream: most often one file, else captures that one sniffer wrote in turn."""
    fresh = [found for item in group if (found := _identified(item, ledger, seen, options)) is not None]
    while fresh:  # an error ends a stream, and the files behind it are another
        fresh = yield from _read_stream(fresh, ledger, options, progress)


def _read_stream(
    fresh: _Fresh, ledger: Ledger, options: Options, progress: Progress | None
) -> Generator[pa.RecordBatch, None, _Fresh]:
    """What files say up to their end, or an error's; gives those that were not reached."""
    begun: list[_Opened] = []
    with ExitStack() as stack:

        def opening() -> Iterator[_Opened]:
            for item, identity in fresh:
                one = _Opened(item, Tally(identity), stack.enter_context(ByteStream(identity)))
                begun.append(one)
                yield one

        try:
            for batch in _batches(opening(), options):
                if progress:
                    now = begun[-1]
                    progress(now.tally.identity.name, now.stream.content_bytes, now.tally.identity.size)
                yield batch
        except NetauditError as error:
            _note_error(error, begun, fresh, ledger)
        except Exception as failure:  # noqa: BLE001 -- one file's defect stops neither the others nor the ledger
            _note_error(_defect(failure, fresh[max(len(begun) - 1, 0)][1]), begun, fresh, ledger)
        for one in begun:
            _finish(one, ledger, options)
    return fresh[max(len(begun), 1) :]


def _defect(failure: Exception, identity: Identity) -> NetauditError:
    """What netaudit itself did wrong, as an error of one file."""
    if isinstance(failure, OSError):
        error = unreadable(identity.path, failure)
    else:
        error = InputError(
            "reader-failed",
            "netaudit itself failed on this file ({reason}); what it says was not read to its end.",
            where=identity.name,
            hint="Report it with the file's hash {sha256}; the other inputs were read.",
            reason=f"{type(failure).__name__}: {failure}",
            sha256=identity.sha256,
        )
    error.__cause__ = failure
    return error


def _identified(
    item: Input, ledger: Ledger, seen: _Seen, options: Options
) -> tuple[Input, Identity] | None:
    """What an input is; None where it cannot be used, or was read already."""
    try:
        identity = identify(item.path, item.name, meanwhile=options.jobs != 1)
        is_known = seen.has(identity)
    except InputError as error:
        ledger.errors.append(error)
        ledger.files.append(_unusable(item.name, error))
        return None
    if is_known:
        tally = Tally(identity)
        tally.skip(DUPLICATE, count=1, matters=False)
        ledger.files.append(tally.duplicate())
        return None
    return item, identity


def _note_error(error: NetauditError, begun: list[_Opened], fresh: _Fresh, ledger: Ledger) -> None:
    """Say of the file at which it happened what went wrong."""
    error.where = error.where or fresh[max(len(begun) - 1, 0)][1].name
    ledger.errors.append(error)
    if begun:
        begun[-1].tally.error = str(error)
    else:
        ledger.files.append(_unusable(fresh[0][0].name, error))


def _finish(one: _Opened, ledger: Ledger, options: Options) -> None:
    """The ledger's entry of a file that was read."""
    source = one.item.source
    _account_for_rest(one.stream, one.tally)
    with suppress(FileNotFoundError):  # deleted since: what was opened was read to its end
        if one.item.path.stat().st_size > one.tally.identity.size:
            one.tally.notes.add(GROWN)
    try:
        entry = one.tally.entry(
            one.stream,
            clock_offset_s=source.clock_offset_s,
            timezone=options.timezone or source.timezone,
            site=source.site,
            source=source.id or source.path,
            segments=source.segments,
        )
    except InputError as error:  # it could not be hashed: nothing that it says has a source
        entry = _unusable(one.item.name, error)
    ledger.files.append(entry)


def _batches(files: Iterator[_Opened], options: Options) -> Iterator[pa.RecordBatch]:
    first = next(files, None)
    if first is None:
        return
    source, tally = first.item.source, first.tally
    head = first.stream.peek(64)
    if not head:
        tally.skip(EMPTY, count=1)
        return
    wanted = options.input_format or source.format
    if is_capture(head) and wanted in {"", "pcap", "pcapng"}:
        from netaudit.sources.capture import Capture, read_capture  # with all its compiled loops

        yield from read_capture(
            (Capture(one.stream, one.tally) for one in chain([first], files)),
            site=source.site,
            clock_offset_s=source.clock_offset_s,
            threaded=options.jobs != 1,
        )
        return
    if wanted in {"pcap", "pcapng"}:
        raise CaptureError(
            "not-a-capture",
            "This file is no capture.",
            hint="Leave the format out, so that it is recognised.",
        )
    from netaudit.sources.logs import read_log

    yield from read_log(first.stream, tally, source, options, wanted)


def _account_for_rest(stream: ByteStream, tally: Tally) -> None:
    """What an error left unread is skipped, not forgotten."""
    if not tally.error:
        return
    before = stream.content_bytes
    try:
        while stream.read(1 << 20):
            pass
    except InputError:
        tally.truncated = True
    tally.bytes_skipped += stream.content_bytes - before
    tally.bytes_skipped = stream.content_bytes if tally.records == 0 else tally.bytes_skipped


def _unusable(name: str, error: NetauditError) -> EvidenceFile:
    return EvidenceFile(id="", name=name, sha256="", size=0, format="", error=str(error))


def read_frames(arguments: Sequence[str], *, timezone: str = "", input_format: str = "") -> dict[str, Any]:
    """Everything that some files say, for a notebook: kind to pandas DataFrame.

    Addresses are text, times aware UTC. Holds everything in memory; `read` does not.

    Args:
        arguments: Files, folders, globs.
        timezone: Of stamps that carry none, such as ``Asia/Shanghai``.
        input_format: Instead of recognising it.

    Raises:
        NetauditError: An input cannot be used.
    """
    ledger = Ledger()
    batches: dict[str, list[pa.RecordBatch]] = {}
    for batch in read(arguments, Settings(), ledger, options=Options(input_format, timezone)):
        batches.setdefault(kind_of(batch), []).append(readable(batch))
    for error in ledger.errors:
        raise error
    return {kind: pa.Table.from_batches(found).to_pandas() for kind, found in sorted(batches.items())}


__all__ = ["Options", "read", "read_frames"]
