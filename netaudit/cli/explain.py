"""``netaudit explain``: one finding in full."""

from __future__ import annotations

from pathlib import Path

import click

from netaudit.cli.session import Session


@click.command("explain")
@click.argument("finding")
@click.option(
    "--case",
    "folder",
    type=click.Path(file_okay=False),
    default=".",
    help="The case; default: this folder.",
)
@click.pass_obj
def command(session: Session, finding: str, folder: str) -> None:
    """Explain a finding: the rule or list entry, the evidence, the doubts, the next step.

    \b
    Example:  netaudit explain F-1a2b3c4d5e6f --case cases/2026-12
    """  # noqa: D301
    from netaudit import workflow
    from netaudit.cli.render import inert
    from netaudit.cli.trace import print_trace
    from netaudit.errors import CaseError
    from netaudit.policy.rule import read_rules

    case = workflow.read_case(Path(folder))
    found = next((f for f in case.findings if f.id == finding), None)
    if found is None:
        raise CaseError(
            "no-finding",
            "This case has no finding {finding}.",
            finding=finding,
            where=folder,
            hint="See: netaudit case show {folder}",
            folder=folder,
        )
    say = session.say
    rule = read_rules().get(found.rule)
    click.echo(f"{found.id}  [{say(found.severity.value)}]  {found.title_in(session.locale)}")
    click.echo(f"  {say('subject')}: {inert(found.subject)}")
    if found.listed:
        listed = found.listed
        click.echo(f"  {say('destination')}: {inert(found.destination)}")
        click.echo(f"  {say('list')}: {listed.list_id}, {say('line')} {listed.line}: {inert(listed.entry)}")
        click.echo(f"    SHA-256 {listed.sha256}  {listed.date}")
    if found.grade:
        click.echo(f"  {say('grade')}: {say(found.grade.value)}")
    if rule:
        click.echo(f"  {say('rule')}: {rule.id} {rule.title.in_(session.locale)}")
        click.echo(f"    {inert(rule.finding.in_(session.locale).format_map(_Blank(found.values)))}")
    names = {entry.id: entry.name for entry in case.ledger}
    click.echo(f"  {say('evidence')} ({found.count}):")
    for evidence in found.evidence:
        click.echo(f"    {inert(names.get(evidence.file, evidence.file))} #{evidence.ordinal}")
    for doubt in found.doubts:
        click.echo(f"  {say('doubt')}: {say(doubt)}")
    if found.trace:
        print_trace(found.trace, session, case.ledger)
    if rule:
        click.echo(f"  {say('next step')}: {rule.action.in_(session.locale)}")


class _Blank(dict[str, str]):
    """Values of a wording; what is not known prints as a question mark."""

    def __init__(self, values: tuple[tuple[str, str], ...]) -> None:
        super().__init__(values)

    def __missing__(self, key: str) -> str:
        return "?"
