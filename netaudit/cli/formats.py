"""``netaudit formats``: which formats there are, and what one makes of a file."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from netaudit.cli.format_table import Table
from netaudit.cli.session import EXIT_CLEAN, EXIT_ERROR, EXIT_INCONCLUSIVE, Session

if TYPE_CHECKING:
    from netaudit.config import Settings
    from netaudit.intake.log_format import LogFormat, Sample

LINES_SHOWN = 3
"""Of those that gave no record, for each reason."""
MAX_SHOWN = 2_000
"""Characters of a line that are kept to be shown."""
UNVERIFIED = "(unverified)"


@click.group("formats")
def command() -> None:
    """Show the log formats, and try one on a file."""


@command.command("list")
@click.pass_obj
def list_(session: Session) -> None:
    """All formats: name, what they are of, what they give, whose they are."""
    from netaudit.cli.render import print_table
    from netaudit.sources.recognise import formats, own_formats

    own = own_formats(session.settings())
    rows = [("pcap, pcapng", session.say("Packet captures"), "dns, tls, http, flow", "")]
    rows += [
        (
            name,
            _title(session, member, own=name in own),
            ", ".join(member.kinds),
            _origin(session, name, member, own),
        )
        for name, member in sorted({**formats(), **own}.items())
    ]
    print_table(
        [session.say(word) for word in ("format", "title", "kinds", "origin")], rows, colour=session.colour
    )


def _title(session: Session, member: LogFormat, *, own: bool) -> str:
    """An office's title is its own words, and no message."""
    return member.title if own else session.say(member.title)


def _origin(session: Session, name: str, member: LogFormat, own: Mapping[str, LogFormat]) -> str:
    if name in own:
        return session.say("the office's own")
    if member.title.endswith(UNVERIFIED):
        return session.say("from its documentation only")
    return ""


@command.command("show")
@click.argument("name")
@click.pass_obj
def show(session: Session, name: str) -> None:
    """One format: what it is of, where it is documented, samples and what they give.

    \b
    Example:  netaudit formats show hostapd
    """  # noqa: D301
    from netaudit.cli.render import inert
    from netaudit.sources.recognise import named, own_formats

    own = own_formats(session.settings())
    member = named(name, own)
    origin = _origin(session, name, member, own)
    title = inert(_title(session, member, own=name in own))
    click.echo(f"{name}: {title}{f' - {origin}' if origin else ''}")
    click.echo(session.say("Gives: {kinds}", kinds=", ".join(member.kinds)))
    if member.reference:
        click.echo(session.say("Reference: {reference}", reference=inert(member.reference)))
    words: dict[tuple[str, str], str] = {}
    for number, sample in enumerate(member.samples, 1):
        click.echo()
        click.echo(
            session.say("Sample {number}", number=number)
            + (f": {inert(sample.note)}" if sample.note else "")
        )
        _show_sample(session, member, sample, words)
    if words:
        _show_words(session, words)


def _show_sample(
    session: Session, member: LogFormat, sample: Sample, words: dict[tuple[str, str], str]
) -> None:
    """A sample's lines, its records, and why others are none; notes what its messages mean."""
    from netaudit.cli.render import print_table
    from netaudit.sources.trial import try_sample

    for line in sample.text.split("\n"):
        click.echo(f"    {_cut(line, 4)}")
    trial = try_sample(member, sample)
    names = [name for name in _names(trial.records) if any(_shown(r.get(name)) for r in trial.records)]
    if trial.records:
        rows = [[_shown(record.get(name)) for name in names] for record in trial.records]
        print_table(names, rows, colour=session.colour)
    else:
        click.echo("  " + session.say("It gives no record."))
    for reason, numbers in trial.rejected.items():
        lines = ", ".join(map(str, numbers[:LINES_SHOWN]))
        click.echo(
            "  " + session.say("rejected, line {lines}: {reason}", lines=lines, reason=session.say(reason))
        )
    for record in trial.records:
        kind, word = str(record["kind"]), record.get("message")
        if isinstance(word, str) and (meaning := _meaning(kind, word)):
            words[kind, word] = meaning


def _names(records: tuple[dict[str, object], ...]) -> list[str]:
    return list(dict.fromkeys(name for record in records for name in record))


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ";".join(map(str, value))
    return "" if value is None else str(value)


def _meaning(kind: str, word: str) -> str:
    """What netaudit takes a log's word for; empty for kinds whose words it does not look at."""
    from netaudit.attribution.words import access_role, lease_role, nat_role

    readers = {"nat": nat_role, "dhcp": lease_role, "radius": access_role, "wlan": access_role}
    return readers[kind](word).name if kind in readers else ""


def _show_words(session: Session, words: Mapping[tuple[str, str], str]) -> None:
    """The samples' messages, and what walking back takes them for."""
    from netaudit.cli.render import print_table

    said = {
        "START": session.say("begins"),
        "SEEN": session.say("goes on"),
        "END": session.say("ends"),
        "IGNORE": session.say("says nothing of a session"),
        "RESET": session.say("ends all sessions"),
    }
    click.echo()
    rows = [(kind, word, said[meaning]) for (kind, word), meaning in sorted(words.items())]
    print_table([session.say(w) for w in ("kind", "message", "is taken as")], rows, colour=session.colour)


@command.command("test")
@click.argument("files", nargs=-1, required=True, type=click.Path(dir_okay=False), metavar="FILE.toml...")
@click.pass_obj
def test(session: Session, files: tuple[str, ...]) -> None:
    """Test formats of your own: their files, their samples, and whether they fit other logs too.

    \b
    Example:  netaudit formats test formats/door_gateway.toml
    """  # noqa: D301
    from netaudit.cli.render import inert
    from netaudit.sources.declared import name_taken, read_format
    from netaudit.sources.recognise import CAPTURES, formats

    shipped, doubtful = formats(), False
    for file in files:
        name = Path(file).stem
        member = read_format(Path(file))
        if name in shipped or name in CAPTURES:
            raise name_taken(name, file)
        doubts = list(_doubts(session, name, member, shipped))
        doubtful |= bool(doubts)
        mark = "!" if doubts else "✓"
        good = session.say("{count} samples are read as they say", count=len(member.samples))
        click.echo(f"  {mark} {inert(name)}: {good}")
        for doubt in doubts:
            click.echo(f"    {inert(doubt)}")
    raise click.exceptions.Exit(EXIT_INCONCLUSIVE if doubtful else EXIT_CLEAN)


def _doubts(session: Session, name: str, member: LogFormat, shipped: Mapping[str, LogFormat]) -> list[str]:
    """What may go wrong when files are recognised by their content."""
    from netaudit.errors import UnknownFormatError
    from netaudit.sources.recognise import SURE, recognise

    doubts = []
    if not any(sample.records for sample in member.samples):
        doubts.append(session.say("No sample gives a record, so nothing is tested."))
    else:
        lines = "\n".join(sample.text for sample in member.samples).split("\n")
        try:
            found = recognise(lines, name, {name: member})
        except UnknownFormatError as error:
            doubts.append(session.say(error.message, **error.values))
        else:
            if found != name:
                doubts.append(
                    session.say("Its samples are taken for {format}: choose a marker.", format=found)
                )
    claimed = [
        other
        for other, its in shipped.items()
        if any(member.sniff(sample.text.split("\n")) > SURE for sample in its.samples)
    ]
    if claimed:
        said = session.say(
            "It also fits samples of {formats}: choose a marker.", formats=", ".join(claimed[:5])
        )
        doubts.append(said)
    return doubts


@command.command("try")
@click.argument("file", type=click.Path())
@click.option(
    "--as", "name", default="", help="The format (or your own FILE.toml), instead of recognising it."
)
@click.option("--tz", default="", help="Time zone of stamps that carry none.")
@click.option("--format", "form", type=click.Choice(["table", "csv", "jsonl"]), default="table")
@click.pass_obj
def try_(session: Session, file: str, name: str, tz: str, form: str) -> None:
    """What is read out of one file, and what is rejected and why.

    \b
    Example:  netaudit formats try dhcpd.log --tz Asia/Shanghai
    """  # noqa: D301
    from netaudit.cli.render import print_ledger
    from netaudit.intake.times import ZONELESS
    from netaudit.records.evidence import Ledger
    from netaudit.records.printed import json_lines
    from netaudit.sources import Options, read

    settings = session.settings()
    if name.endswith(".toml"):
        settings, name = _with_own(settings, Path(name))
    ledger = Ledger()
    trial = _Trial(session, Table(form, session))
    options = Options(
        name,
        tz,
        session.jobs or 0,
        tolerant=True,
        recognised=trial.recognised,
        left_out=trial.left_out if form == "table" else None,
    )
    with session.progress() as progress:
        for batch in read([file], settings, ledger, options=options, progress=progress):
            if form == "jsonl":
                sys.stdout.write(json_lines(batch))
            else:
                trial.table.write(batch)
    trial.table.close()
    if not session.quiet:
        print_ledger(ledger, session.locale)
    if form == "table":
        trial.tell()
    if not ledger.usable:
        raise click.exceptions.Exit(EXIT_ERROR)
    timed = not any(ZONELESS in entry.notes for entry in ledger.files)
    raise click.exceptions.Exit(EXIT_CLEAN if ledger.complete and timed else EXIT_INCONCLUSIVE)


def _with_own(settings: Settings, path: Path) -> tuple[Settings, str]:
    """The settings with the folder of a format's file, and the format's name."""
    from dataclasses import replace

    from netaudit.config import OwnFormats
    from netaudit.sources.declared import read_format

    read_format(path)  # what is wrong with this file is said before anything about its neighbours
    folders = {(settings.folder / folder).resolve(): folder for folder in settings.formats.folders}
    folders.setdefault(path.resolve().parent, str(path.resolve().parent))
    return replace(settings, formats=OwnFormats(tuple(folders.values()))), path.stem


class _Trial:
    """What is told of one file besides its records: how it was recognised, which lines gave none."""

    def __init__(self, session: Session, table: Table) -> None:
        self.table = table
        self._session = session
        self._scores: dict[str, dict[str, float]] = {}
        self._left_out: dict[str, list[tuple[int, str]]] = {}

    def recognised(self, name: str, member: LogFormat, scores: Mapping[str, float]) -> None:
        """Keep by what the next records are told, and how sure the format is."""
        self.table.numbered = member.numbered
        self._scores[name] = dict(scores)

    def left_out(self, reason: str, number: int, line: str) -> None:
        """Keep the first lines of a reason."""
        kept = self._left_out.setdefault(reason, [])
        if len(kept) < LINES_SHOWN:
            kept.append((number, line[:MAX_SHOWN]))

    def tell(self) -> None:
        """Print it, as notes."""
        from netaudit.sources.recognise import CLOSE

        if self._session.quiet:
            return
        say, note = self._session.say, self._session.note
        for name, scores in self._scores.items():
            if name not in scores:
                continue
            note(
                "Recognised as {format}, {confidence} sure.", format=name, confidence=f"{scores[name]:.0%}"
            )
            near = [f"{n} ({s:.0%})" for n, s in scores.items() if n != name and s >= scores[name] - CLOSE]
            if near:
                note(
                    "Nearly as sure: {formats}. If it is one of these, name it with --as.",
                    formats=", ".join(near[:3]),
                )
        if self._left_out:
            note("The first lines that gave no record:")
        for reason, lines in sorted(self._left_out.items()):
            click.echo(f"  {say(reason)}", err=True)
            for number, line in lines:
                head = f"    {number}: "
                click.echo(head + _cut(line, len(head)), err=True)


def _cut(text: str, used: int) -> str:
    """A log's line, inert and cut at the width of the terminal, wide characters counted as two."""
    from rich.cells import cell_len, set_cell_size

    from netaudit.cli.render import inert

    text = inert(text[:MAX_SHOWN].expandtabs())
    width = max(shutil.get_terminal_size((160, 24)).columns - used, 20)
    return text if cell_len(text) <= width else set_cell_size(text, width - 1).rstrip() + "…"
