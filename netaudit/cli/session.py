"""What the global options say, and the pieces that every verb needs of them."""

from __future__ import annotations

import datetime as dt
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from netaudit.config import Settings, find_config, read_settings
from netaudit.i18n import translate

if TYPE_CHECKING:
    from netaudit.sources import Progress

EXIT_CLEAN, EXIT_FINDINGS, EXIT_ERROR, EXIT_INCONCLUSIVE = 0, 1, 2, 3


@dataclass(frozen=True, slots=True)
class Session:
    """The global options of this run."""

    config_path: str | None
    locale: str
    quiet: bool
    verbose: bool
    no_color: bool
    jobs: int | None
    debug: bool

    def settings(self) -> Settings:
        """The configuration in force; empty where there is none."""
        if self.config_path:
            return read_settings(Path(self.config_path))
        found = find_config(Path.cwd())
        return read_settings(found) if found else Settings(folder=Path.cwd())

    def say(self, message: str, /, **values: object) -> str:
        """A message in the reader's language."""
        return translate(message, self.locale, **values)

    def note(self, message: str, /, **values: object) -> None:
        """A word on stderr."""
        if not self.quiet:
            click.echo(self.say(message, **values), err=True)

    @property
    def colour(self) -> bool:
        """Whether stdout takes colours."""
        return not self.no_color and "NO_COLOR" not in os.environ and sys.stdout.isatty()

    @contextmanager
    def progress(self) -> Iterator[Progress | None]:
        """A progress bar per input on stderr; none where that is no terminal."""
        self._limit_threads()
        notes = _Notes(self)
        logger = logging.getLogger("netaudit")
        logger.addHandler(notes)
        logger.setLevel(logging.INFO)
        try:
            with self._bars() as advance:
                yield advance
        finally:
            logger.removeHandler(notes)

    @contextmanager
    def _bars(self) -> Iterator[Progress | None]:
        if self.quiet or not sys.stderr.isatty():
            yield None
            return
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

        columns: tuple[Any, ...] = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            DownloadColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
            tasks: dict[str, Any] = {}

            def advance(name: str, done: int, size: int) -> None:
                if name not in tasks:
                    tasks[name] = bars.add_task(Path(name).name, total=size)
                bars.update(tasks[name], completed=min(done, size))

            yield advance

    def _limit_threads(self) -> None:
        if self.jobs is not None:
            import pyarrow as pa

            pa.set_cpu_count(self.jobs)
            pa.set_io_thread_count(self.jobs)


class _Notes(logging.Handler):
    """What the rooms below have to say meanwhile, as notes on stderr."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session

    def emit(self, record: logging.LogRecord) -> None:
        self._session.note(str(record.msg))


def parse_time(text: str, zone: dt.tzinfo | None) -> dt.datetime:
    """A time from the command line: ISO 8601; without an offset it is read in the unit's zone.

    Raises:
        UsageError: No time, or no zone to read it in.
    """
    from netaudit.errors import UsageError

    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            "no-time", "{text} is no time.", text=text, hint="Write it as 2026-11-04T14:05:09+08:00."
        ) from error
    if moment.tzinfo is not None:
        return moment.astimezone(dt.UTC)
    if zone is None:
        raise UsageError(
            "time-without-zone",
            "The time {text} has no zone.",
            text=text,
            hint="Add the offset (2026-11-04T14:05:09+08:00), or set [unit] timezone.",
        )
    return moment.replace(tzinfo=zone).astimezone(dt.UTC)


def unit_zone(settings: Settings) -> dt.tzinfo | None:
    """The zone of the unit's papers, where it is configured."""
    from netaudit.intake.times import parse_zone

    return parse_zone(settings.unit.timezone) if settings.unit.timezone else None


def as_of(text: str | None, settings: Settings) -> dt.datetime:
    """The date of judgement: ``--as-of``, else now."""
    return (
        parse_time(text, unit_zone(settings) or dt.UTC)
        if text
        else dt.datetime.now(dt.UTC).replace(microsecond=0)
    )
