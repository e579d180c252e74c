"""``netaudit lists``: what is listed, by whom, and whether the semantics are right."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click

from netaudit.cli.session import EXIT_CLEAN, EXIT_FINDINGS, Session

_list_option = click.option(
    "--list", "lists", multiple=True, metavar="FORMAT:FILE", help="Instead of the configured lists."
)


@click.group("lists")
def command() -> None:
    """Show and test block lists."""


@command.command("stats")
@_list_option
@click.pass_obj
def stats(session: Session, lists: tuple[str, ...]) -> None:
    """The lists in force: entries, what was skipped and why, age."""
    from netaudit import workflow
    from netaudit.cli.render import print_table

    in_use = workflow.lists_in_use(session.settings(), lists).lists
    say, today = session.say, dt.datetime.now(dt.UTC).date()
    rows = [
        (
            b.id,
            b.described.title.get(session.locale, b.described.title["en"]),
            b.described.category,
            b.described.format,
            str(len(b.rules)),
            f"{b.date or '-'} ({say(b.freshness(today))})",
            b.sha256[:16],
        )
        for b in in_use
    ]
    head = [say(w) for w in ("list", "title", "category", "format", "entries", "date", "SHA-256")]
    print_table(head, rows, colour=session.colour)
    skipped = [
        (b.id, say(s.reason), str(s.count), ", ".join(str(n) for n in s.first))
        for b in in_use
        for s in b.report.skipped
    ]
    if skipped:
        print_table(
            [say(w) for w in ("list", "skipped", "lines", "first at")], skipped, colour=session.colour
        )


@command.command("match")
@click.argument("subjects", nargs=-1, required=True, metavar="NAME|IP|URL...")
@_list_option
@click.pass_obj
def match(session: Session, subjects: tuple[str, ...], lists: tuple[str, ...]) -> None:
    """Is this listed? By which entry, in which line? Exit code 1 where something is.

    \b
    Example:  netaudit lists match www.flagged-site.example 198.51.100.77
    """  # noqa: D301
    from netaudit import workflow
    from netaudit.cli.render import print_table
    from netaudit.errors import UsageError
    from netaudit.matching.indicator import Polarity
    from netaudit.records.addresses import parse_ip
    from netaudit.records.names import normalise

    index = workflow.lists_in_use(session.settings(), lists).index()
    for subject in subjects:
        if not (parse_ip(subject) or normalise(subject) or "://" in subject):
            raise UsageError(
                "no-subject",
                "{text} is no name, address or URL.",
                text=subject,
                hint="Write www.example.com, 198.51.100.77 or https://www.example.com/",
            )
    found = [(subject, hit) for subject in subjects for hit in index.find(subject)]
    rows = [
        (
            subject,
            session.say("allowed" if hit.polarity is Polarity.ALLOW else "listed"),
            hit.list_id,
            hit.entry,
            str(hit.line),
            hit.category,
            hit.sha256[:16],
            hit.date or "-",
        )
        for subject, hit in found
    ]
    head = [
        session.say(w)
        for w in ("subject", "verdict", "list", "entry", "line", "category", "SHA-256", "date")
    ]
    if rows:
        print_table(head, rows, colour=session.colour)
    for subject in subjects:
        if subject not in {s for s, _ in found}:
            session.note("{subject}: not listed", subject=subject)
    listed = any(hit.polarity is Polarity.LIST for _, hit in found)
    raise click.exceptions.Exit(EXIT_FINDINGS if listed else EXIT_CLEAN)


@command.command("formats")
@click.pass_obj
def formats(session: Session) -> None:
    """The list formats by name."""
    from netaudit.cli.render import print_table
    from netaudit.matching.list_format import list_formats

    rows = [(name, session.say(member.title)) for name, member in sorted(list_formats().items())]
    print_table([session.say("format"), session.say("title")], rows, colour=session.colour)


@command.command("test")
@click.argument("table", type=click.Path(dir_okay=False))
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table")
@click.pass_obj
def test(session: Session, table: str, form: str) -> None:
    """Run a table of (format, rules, subject, expected) rows, and say per id what came out."""
    from netaudit.cli.render import print_json, print_table
    from netaudit.matching.vectors import run_vectors

    results = run_vectors(Path(table))
    if form == "json":
        print_json([{"id": r.id, "expected": r.expected, "got": r.got, "why": r.why} for r in results])
    else:
        rows = [(r.id, r.expected, r.got, r.why) for r in results if r.got != r.expected]
        print_table([session.say(w) for w in ("id", "expected", "got", "why")], rows, colour=session.colour)
        same = sum(r.got == r.expected for r in results)
        session.note("{same} of {total} as expected.", same=same, total=len(results))
    wrong = any(r.got not in {r.expected, "unsupported"} for r in results)
    raise click.exceptions.Exit(EXIT_FINDINGS if wrong else EXIT_CLEAN)
