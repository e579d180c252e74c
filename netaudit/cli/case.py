"""``netaudit case``: open, show and work on cases."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import click

from netaudit.cli import reached
from netaudit.cli.session import EXIT_ERROR, Session, as_of, parse_time, unit_zone

if TYPE_CHECKING:
    from netaudit.case.case import Case
    from netaudit.case.notice import Notice

_folder = click.argument("folder", type=click.Path(file_okay=False))


def _named(_: click.Context, __: click.Parameter, value: str) -> str:
    """Refuse a blank name: the log of looks must say who."""
    if not value.strip():
        raise click.BadParameter("a name is needed")
    return value.strip()


_by = click.option("--by", required=True, callback=_named, help="Who does this.")
_when = click.option("--as-of", "as_of_text", help="When; default: now.")


@click.group("case")
def command() -> None:
    """Open, show and work on cases."""


command.add_command(reached.command)


@command.command("new")
@_folder
@click.option("--notice", type=click.Path(), help="The letter (txt, docx).")
@click.option("--title", default="")
@click.option(
    "--id", "case_id", default="", help="Case number; default: from the unit's code and the year."
)
@click.option("--received", help="When the letter came in.")
@click.option("--by", "actor", default="")
@_when
@click.pass_obj
def new(
    session: Session,
    folder: str,
    notice: str | None,
    title: str,
    case_id: str,
    received: str | None,
    actor: str,
    as_of_text: str | None,
) -> None:
    """Open a case in FOLDER, for a letter where there is one. What was read is shown.

    \b
    Example:  netaudit case new cases/2026-12 --notice letter.docx
    """  # noqa: D301
    from netaudit import workflow

    settings = session.settings()
    case = workflow.open_case(
        Path(folder),
        settings,
        now=as_of(as_of_text, settings),
        title=title,
        case_id=case_id,
        actor=actor,
        notice_path=Path(notice) if notice else None,
        received_at=parse_time(received, unit_zone(settings)) if received else None,
    )
    _print_head(case, session)
    if case.notice:
        _print_notice(case, case.notice, session)


@command.command("list")
@click.argument("folder", type=click.Path(file_okay=False), default=".")
@click.pass_obj
def list_(session: Session, folder: str) -> None:
    """The cases in FOLDER."""
    from netaudit import workflow
    from netaudit.cli.render import print_error, print_table

    cases, errors = workflow.list_cases(Path(folder))
    rows = [
        (
            str(place),
            case.id,
            session.say(case.state),
            case.title,
            f"{case.as_of:%Y-%m-%d}",
            str(sum(t.state.value not in {"closed", "standing"} for t in case.tasks)),
        )
        for place, case in cases
    ]
    head = [session.say(w) for w in ("folder", "case", "state", "title", "as of", "open tasks")]
    print_table(head, rows, colour=session.colour)
    for error in errors:
        print_error(error, session.locale)
    if errors:
        raise click.exceptions.Exit(EXIT_ERROR)


@command.command("show")
@_folder
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table")
@click.pass_obj
def show(session: Session, folder: str, form: str) -> None:
    """Everything about one case, in short."""
    from netaudit import workflow
    from netaudit.cli.findings import print_findings_rows
    from netaudit.cli.render import print_json, print_table
    from netaudit.cli.trace import print_trace
    from netaudit.store import case_json

    case = workflow.read_case(Path(folder))
    if form == "json":
        print_json(case_json(case))
        return
    _print_head(case, session)
    if case.notice:
        _print_notice(case, case.notice, session)
    say = session.say
    for trace in case.traces:
        click.echo()
        print_trace(trace, session, case.ledger)
    if case.funnel:
        click.echo()
        print_table(
            [say("narrowing"), say("addresses left"), say("by")],
            [(say(s.step), str(s.count), say(s.basis)) for s in case.funnel],
            colour=session.colour,
        )
    click.echo()
    print_findings_rows(case.findings, session)
    click.echo()
    print_table(
        [say(w) for w in ("task", "finding", "state", "owner", "due", "measure")],
        [
            (
                t.id,
                t.finding,
                say(t.state.value),
                t.owner or "-",
                str(t.due or "-"),
                _measure(t.measure, session),
            )
            for t in case.tasks
        ],
        colour=session.colour,
    )


@command.command("note")
@_folder
@click.argument("text")
@_by
@click.option("--decided", is_flag=True, help="A leader's decision; default: a declaration.")
@click.option("--fact", "facts", multiple=True, metavar="NAME=VALUE", help="A fact that papers print.")
@_when
@click.pass_obj
def note(
    session: Session,
    folder: str,
    text: str,
    by: str,
    facts: tuple[str, ...],
    as_of_text: str | None,
    *,
    decided: bool,
) -> None:
    """Put a declaration, a decision, or facts for the papers on the case."""
    from netaudit import workflow
    from netaudit.case.finding import StatementKind
    from netaudit.errors import UsageError

    pairs = []
    for fact in facts:
        name, equals, value = fact.partition("=")
        if not equals:
            raise UsageError(
                "fact-form", "{fact} is no NAME=VALUE.", fact=fact, hint="Write --fact leader=…"
            )
        pairs.append((name.strip(), value.strip()))
    kind = StatementKind.DECIDED if decided else StatementKind.DECLARED
    workflow.state(
        Path(folder), text, kind=kind, by=by, now=as_of(as_of_text, session.settings()), facts=pairs
    )


@command.command("approve")
@_folder
@click.argument("text")
@_by
@_when
@click.pass_obj
def approve(session: Session, folder: str, text: str, by: str, as_of_text: str | None) -> None:
    """Record a leader's approval."""
    from netaudit import workflow
    from netaudit.case.finding import StatementKind

    now = as_of(as_of_text, session.settings())
    workflow.state(Path(folder), text, kind=StatementKind.DECIDED, by=by, now=now)


@command.command("task")
@_folder
@click.argument("task")
@click.option("--to", "to", default="", help="The next state, such as in_progress, in_review, closed.")
@_by
@click.option("--note", "note_", default="")
@click.option("--evidence", multiple=True, help="What proves it (needed for in_review).")
@click.option("--owner", default="")
@click.option("--department", default="")
@click.option("--due", type=click.DateTime(["%Y-%m-%d"]))
@_when
@click.pass_obj
def task(
    session: Session,
    folder: str,
    task: str,
    to: str,
    by: str,
    note_: str,
    evidence: tuple[str, ...],
    owner: str,
    department: str,
    due: dt.datetime | None,
    as_of_text: str | None,
) -> None:
    """Move a task of the rectification ledger; steps that are not allowed are refused.

    Without --to, only its owner, department or date is set.
    """
    from netaudit import workflow
    from netaudit.case.rectification import TaskState
    from netaudit.errors import UsageError

    known = {s.value for s in TaskState}
    if to and to not in known:
        raise UsageError(
            "no-state", "{state} is no state.", state=to, hint="States: " + ", ".join(sorted(known))
        )
    moved = workflow.advance_task(
        Path(folder),
        task,
        TaskState(to) if to else None,
        by=by,
        now=as_of(as_of_text, session.settings()),
        note=note_,
        evidence=evidence,
        owner=owner,
        department=department,
        due=due.date() if due else None,
    )
    click.echo(f"{moved.id}: {session.say(moved.state.value)}")


@command.command("close")
@_folder
@_by
@_when
@click.pass_obj
def close(session: Session, folder: str, by: str, as_of_text: str | None) -> None:
    """Close a case whose tasks are all closed."""
    from netaudit import workflow

    workflow.close_case(Path(folder), by=by, now=as_of(as_of_text, session.settings()))


@command.command("reveal")
@_folder
@click.argument("pseudonym")
@_by
@click.option("--reason", required=True, help="Why the name is needed; it is logged.")
@_when
@click.pass_obj
def reveal(
    session: Session, folder: str, pseudonym: str, by: str, reason: str, as_of_text: str | None
) -> None:
    """Who stands behind a pseudonym. Every look is logged."""
    from netaudit import workflow
    from netaudit.cli.render import inert

    now = as_of(as_of_text, session.settings())
    click.echo(inert(workflow.reveal(Path(folder), pseudonym, by=by, reason=reason, now=now)))


@command.command("purge")
@_folder
@_by
@click.option("--reason", default="")
@click.option(
    "--if-due", is_flag=True, help="Only where the last scan is older than [privacy] retention_days."
)
@_when
@click.pass_obj
def purge(
    session: Session, folder: str, by: str, reason: str, as_of_text: str | None, *, if_due: bool
) -> None:
    """Forget the identities and events of a case; findings and papers stay."""
    from netaudit import workflow

    settings = session.settings()
    now = as_of(as_of_text, settings)
    if not if_due or workflow.purge_due(Path(folder), settings, now=now):
        workflow.purge(Path(folder), by=by, reason=reason, now=now)


def _print_head(case: Case, session: Session) -> None:
    from netaudit.cli.render import inert

    click.echo(f"{inert(case.id)}  {inert(case.title)}  [{session.say(case.state)}]")


def _print_notice(case: Case, notice: Notice, session: Session) -> None:
    from netaudit.cli.render import inert
    from netaudit.intake.times import parse_zone

    zone = parse_zone(case.timezone)

    say = session.say
    click.echo(
        f"{say('letter')}: {inert(notice.issuer)} {inert(notice.number)}; "
        f"{say('due')}: {notice.due or inert(notice.due_text) or '-'}"
    )
    for clue in notice.clues:
        when = f"{clue.at.astimezone(zone):%Y-%m-%d %H:%M:%S %z}" if clue.at else "?"
        span = f" (+{clue.precision_s} s)" if clue.precision_s and clue.precision_s > 1 else ""
        source = clue.public_ip + (f":{clue.port}" if clue.port else "")
        target = " ".join(filter(None, (clue.dst_name, clue.dst_ip, str(clue.dst_port or ""))))
        click.echo(f"  {when}{span}  {inert(source)} → {inert(target)}")
    for missing in notice.missing:
        click.echo(f"  ! {say(missing)}")


_MEASURES = {
    "destination.verify": "Verify the device and its use; disconnect it where needed, and clean it.",
    "finding.verify": "Verify the finding.",
}


def _measure(measure: str, session: Session) -> str:
    from netaudit.policy.rule import read_rules

    rule = read_rules().get(measure.removesuffix(".action"))
    return rule.action.in_(session.locale) if rule else session.say(_MEASURES.get(measure, measure))
