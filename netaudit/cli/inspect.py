"""``netaudit inspect``: what is due, and draws that anybody can repeat."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import asdict
from pathlib import Path

import click

from netaudit.cli.session import EXIT_CLEAN, EXIT_FINDINGS, Session, as_of, unit_zone


@click.group("inspect")
def command() -> None:
    """Plan inspections; draw at random, provably."""


@command.command("plan")
@click.argument("plan", type=click.Path(dir_okay=False))
@click.pass_obj
def show_plan(session: Session, plan: str) -> None:
    """Check a plan and show what it says."""
    from netaudit.cli.render import print_table
    from netaudit.inspection.plan import read_plan

    read = read_plan(Path(plan))
    rows = [(i.id, i.title, str(i.every_days), i.starts.isoformat(), ", ".join(i.rules)) for i in read.item]
    head = [session.say(w) for w in ("inspection", "title", "every (days)", "from", "rules")]
    print_table(head, rows, colour=session.colour)


@command.command("due")
@click.argument("plan", type=click.Path(dir_okay=False))
@click.option("--done", multiple=True, metavar="ITEM=DATE", help="When an item was last carried out.")
@click.option("--as-of", "as_of_text", help="Default: today.")
@click.pass_obj
def show_due(session: Session, plan: str, done: tuple[str, ...], as_of_text: str | None) -> None:
    """What is due now. Exit code 1 where something is."""
    from netaudit.cli.render import print_table
    from netaudit.errors import UsageError
    from netaudit.inspection.plan import due, read_plan

    settings = session.settings()
    today = as_of(as_of_text, settings).astimezone(unit_zone(settings) or dt.UTC).date()
    try:
        last = {k: dt.date.fromisoformat(v) for k, _, v in (d.partition("=") for d in done)}
    except ValueError as error:
        raise UsageError(
            "no-date", "{text} is no date.", text=str(error), hint="Write --done wifi=2026-10-01."
        ) from error
    waiting = due(read_plan(Path(plan)), last, today)
    rows = [(i.id, i.title, date.isoformat(), str((today - date).days)) for i, date in waiting]
    print_table(
        [session.say(w) for w in ("inspection", "title", "due", "days over")], rows, colour=session.colour
    )
    raise click.exceptions.Exit(EXIT_FINDINGS if waiting else EXIT_CLEAN)


@command.command("draw")
@click.argument("population", type=click.Path(dir_okay=False))
@click.option("--n", type=int, required=True, help="How many are drawn.")
@click.option("--label", required=True, help="Name of this draw; a repeated draw needs a new one.")
@click.option("--entropy", required=True, help="Where the entropy comes from, named before it is known.")
@click.option("--kind", type=click.Choice(["object", "inspector"]), default="object")
@click.option(
    "--reveal", "revealed", help="The entropy, once it is known; without it only the commitment is printed."
)
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write the record here.")
@click.pass_obj
def draw_(
    session: Session,
    population: str,
    n: int,
    label: str,
    entropy: str,
    kind: str,
    revealed: str | None,
    output: str | None,
) -> None:
    """Commit to a draw, and draw once the entropy is known.

    \b
    First:  netaudit inspect draw offices.txt --n 3 --label 2026-11-R1 --entropy "dice, two witnesses"
    Then:   the same with --reveal "4 1 6 2 2 5" -o draw.json
    """  # noqa: D301
    from netaudit.inspection.draw import commit, draw, to_record

    ids = _lines(Path(population))
    commitment = commit(ids, label=label, n=n, entropy=entropy, kind=kind)
    if revealed is None:
        click.echo(
            json.dumps(
                {**asdict(commitment), "commitment_sha256": commitment.hash}, ensure_ascii=False, indent=2
            )
        )
        session.note("Publish this commitment before the entropy is known.")
        return
    result = draw(ids, commitment, revealed)
    if output:
        Path(output).write_text(to_record(result), encoding="utf-8")
    for drawn in result.drawn:
        click.echo(drawn)


@command.command("verify")
@click.argument("record", type=click.Path(dir_okay=False))
@click.pass_obj
def verify_(session: Session, record: str) -> None:
    """Repeat a recorded draw and say whether it holds."""
    from netaudit.inspection.draw import verify

    _, wrong = verify("\n".join(_lines(Path(record))))
    for key in wrong:
        click.echo(f"✗ {session.say('this does not follow from the draw')}: {key}")
    if not wrong:
        click.echo(f"✓ {session.say('everything holds')}")
    raise click.exceptions.Exit(EXIT_FINDINGS if wrong else EXIT_CLEAN)


def _lines(path: Path) -> list[str]:
    from netaudit.intake.opening import identify

    identify(path)  # says in words what is wrong with it
    return path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
