"""``netaudit events``: what the captures and logs say."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

import click

from netaudit.cli.session import EXIT_CLEAN, EXIT_ERROR, EXIT_INCONCLUSIVE, Session

if TYPE_CHECKING:
    import pyarrow as pa

    from netaudit.intake.opening import Identity


@click.command("events")
@click.argument("inputs", nargs=-1, required=True)
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write here instead of stdout.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["jsonl", "json", "csv", "parquet", "table"]),
    default=None,
    help="Default: by the ending of -o, else table on a terminal and jsonl elsewhere. json: with --judge only.",
)
@click.option("--kind", "kinds", multiple=True, help="Only events of this kind (dns, tls, flow …).")
@click.option("--input-format", default="", help="Name the inputs' format instead of recognising it.")
@click.option("--tz", default="", help="Time zone of stamps that carry none, such as Asia/Shanghai.")
@click.option("--judge", type=click.Choice(["tshark"]), help="Compare with what this program reads.")
@click.option(
    "--sample", type=click.IntRange(min=0), default=20_000, help="Packets that the judge reads; 0 = all."
)
@click.pass_obj
def command(
    session: Session,
    inputs: tuple[str, ...],
    output: str | None,
    form: str | None,
    kinds: tuple[str, ...],
    input_format: str,
    tz: str,
    judge: str | None,
    sample: int,
) -> None:
    """Show what captures and logs say, one row per event.

    With --judge the names that netaudit and tshark read are compared instead, and the differences
    printed: exit code 0 where they agree, 1 where they differ, 3 where tshark did not finish.

    \b
    Example:  netaudit events mirror.pcapng dns.log.gz --tz Asia/Shanghai -o events.jsonl
    """  # noqa: D301
    from netaudit import workflow
    from netaudit.cli.render import print_ledger
    from netaudit.records.evidence import Ledger
    from netaudit.records.schemas import EVENT_KINDS, kind_of
    from netaudit.sources import Options

    if judge:
        from netaudit.cli.judge import print_opinions

        raise click.exceptions.Exit(print_opinions(session, inputs, form or "table", output, sample))
    if form is None:
        form = _usual_form(output)
    wanted = set(kinds or EVENT_KINDS)
    ledger = Ledger()
    with ExitStack() as stack:
        progress = stack.enter_context(session.progress())
        promised: dict[str, Identity] | None = {} if form == "parquet" else None
        writer = stack.enter_context(_open(form, output, session, promised))
        options = Options(input_format, tz, session.jobs or 0, promised=promised)
        for batch in workflow.events(
            inputs, session.settings(), ledger, options=options, progress=progress
        ):
            if kind_of(batch) in wanted:
                writer.write(batch)
    if not session.quiet:
        print_ledger(ledger, session.locale)
    raise click.exceptions.Exit(_code(ledger))


def _usual_form(output: str | None) -> str:
    """By the ending of the file that is written, else what suits the reader."""
    if output is None:
        return "table" if sys.stdout.isatty() else "jsonl"
    ending = Path(output).suffix.lower().removeprefix(".")
    return ending if ending in {"csv", "parquet"} else "jsonl"


def _code(ledger: Any) -> int:
    from netaudit.errors import ConfigError

    if not ledger.usable or any(isinstance(e, ConfigError) for e in ledger.errors):
        return EXIT_ERROR
    return EXIT_CLEAN if ledger.complete else EXIT_INCONCLUSIVE


class _Writer(Protocol):
    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None: ...

    def write(self, batch: pa.RecordBatch) -> None: ...


def _open(form: str, output: str | None, session: Session, promised: dict[str, Identity] | None) -> _Writer:
    from netaudit.errors import UsageError

    if form == "parquet":
        if output is None:
            raise UsageError("needs-output", "Parquet cannot be printed.", hint="Name a file with -o.")
        return _ParquetWriter(output, promised)
    if form == "table":
        return _TableWriter(session)
    if form == "json":
        raise UsageError("no-such-form", "Events are not printed so.", hint="Use --format jsonl.")
    return _TextWriter(form, output)


class _TextWriter:
    """JSON Lines or CSV; a file appears under its name only when it is whole."""

    def __init__(self, form: str, output: str | None) -> None:
        self._csv = form == "csv"
        self._target = Path(output) if output else None
        part = self._target.with_name(self._target.name + ".part") if self._target else None
        self._part = part
        self._out = part.open("w", encoding="utf-8", newline="") if part else sys.stdout

    def __enter__(self) -> Self:
        from netaudit.records.printed import PRINTED

        if self._csv:
            self._out.write(",".join(PRINTED) + "\r\n")
        return self

    def __exit__(self, *exc: object) -> None:
        if self._part is None or self._target is None:
            self._out.flush()
            return
        self._out.close()
        if exc[0] is None:
            self._part.replace(self._target)
        else:
            self._part.unlink(missing_ok=True)

    def write(self, batch: pa.RecordBatch) -> None:
        from netaudit.records.printed import csv_lines, json_lines

        self._out.write(csv_lines(batch) if self._csv else json_lines(batch))


class _ParquetWriter:
    """All kinds in one file, with the columns of the CSV form and real types.

    Rows of one kind stand together, as many as make a row group: that is how columns compress.
    """

    GROUP_ROWS = 32_768

    def __init__(self, output: str, promised: dict[str, Identity] | None) -> None:
        from netaudit.records.parquet import ParquetFile
        from netaudit.records.printed import printed_schema

        self._promised = promised
        self._target = Path(output)
        self._part = self._target.with_name(self._target.name + ".part")
        self._out = self._part.open("wb")
        self._file = ParquetFile(self._out, printed_schema())
        self._gathered: dict[str, list[pa.RecordBatch]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        if exc[0] is None:
            for kind in sorted(self._gathered):
                self._flush(kind)
            self._file.close({key: identity.id for key, identity in (self._promised or {}).items()})
        self._out.close()
        if exc[0] is None:
            self._part.replace(self._target)
        else:
            self._part.unlink(missing_ok=True)

    def write(self, batch: pa.RecordBatch) -> None:
        from netaudit.records.schemas import kind_of

        kind = kind_of(batch)
        gathered = self._gathered.setdefault(kind, [])
        gathered.append(batch)
        if sum(one.num_rows for one in gathered) >= self.GROUP_ROWS:
            self._flush(kind)

    def _flush(self, kind: str) -> None:
        from netaudit.records.printed import printed_batch
        from netaudit.records.schemas import concat

        gathered, self._gathered[kind] = self._gathered[kind], []
        if len(gathered) == 1:
            self._file.write(printed_batch(gathered[0]), late="file")
        elif gathered:
            (whole,) = concat(kind, gathered).combine_chunks().to_batches()
            self._file.write(printed_batch(whole), late="file")


class _TableWriter:
    """A few columns for the eye; the first thousand events."""

    LIMIT = 1000

    def __init__(self, session: Session) -> None:
        self._session = session
        self._rows: list[tuple[str, ...]] = []
        self._more = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        from netaudit.cli.render import print_table

        if exc[0] is not None:
            return
        say = self._session.say
        head = [
            say("time (UTC)"),
            say("kind"),
            say("client"),
            say("destination"),
            say("detail"),
            say("evidence"),
        ]
        print_table(head, self._rows, colour=self._session.colour)
        if self._more:
            self._session.note(
                "{count} more events are not shown; write them with -o FILE.", count=self._more
            )

    def write(self, batch: pa.RecordBatch) -> None:
        from netaudit.records.printed import summary_rows

        room = self.LIMIT - len(self._rows)
        self._rows += summary_rows(batch.slice(0, max(room, 0)))
        self._more += max(0, batch.num_rows - max(room, 0))
