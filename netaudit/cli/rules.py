"""``netaudit rules``: list, explain, test."""

from __future__ import annotations

from pathlib import Path

import click

from netaudit.cli.session import EXIT_CLEAN, EXIT_FINDINGS, Session, as_of


@click.group("rules")
def command() -> None:
    """Show, explain and test policy rules."""


@command.command("list")
@click.pass_obj
def list_(session: Session) -> None:
    """All rules in force."""
    from netaudit.cli.render import print_table
    from netaudit.policy.rule import read_rules

    settings = session.settings()
    rules = read_rules([settings.folder / f for f in settings.policy.folders])
    rows = [(r.id, session.say(r.severity), r.title.in_(session.locale)) for r in rules.values()]
    print_table([session.say(w) for w in ("rule", "severity", "title")], rows, colour=session.colour)


@command.command("explain")
@click.argument("rule")
@click.pass_obj
def explain(session: Session, rule: str) -> None:
    """What a rule asks, why, by which norm, and what to do."""
    from netaudit.errors import UsageError
    from netaudit.policy.citation import cite, read_norms
    from netaudit.policy.rule import read_rules

    settings = session.settings()
    rules = read_rules([settings.folder / f for f in settings.policy.folders])
    if rule not in rules:
        raise UsageError(
            "rule-unknown", "There is no rule {name}.", name=rule, hint="See: netaudit rules list"
        )
    found, say, norms = rules[rule], session.say, read_norms()
    click.echo(f"{found.id}  {found.title.in_(session.locale)}  [{say(found.severity)}]")
    click.echo(f"  {say('finding')}: {found.finding.in_(session.locale)}")
    click.echo(f"  {say('to do')}: {found.action.in_(session.locale)}")
    click.echo(f"  {say('closed by')}: {found.verify_by.in_(session.locale)}")
    click.echo(f"  {say('data needed')}: {found.data_needed.in_(session.locale)}")
    for unknown in found.unknown_if:
        click.echo(f"  {say('cannot_tell')}: {unknown.because.in_(session.locale)}")
    for name, parameter in found.parameters.items():
        policy = f" ({say('the unit decides this, not the law')})" if parameter.unit_policy else ""
        click.echo(
            f"  {say('parameter')} {name} = {parameter.default}{policy}: {parameter.note.in_(session.locale)}"
        )
    if remark := found.remark.in_(session.locale):
        click.echo(f"  {say('mind')}: {remark}")
    for citation in found.cites:
        click.echo(
            f"  {say('norm')}: {cite(citation, as_of(None, settings).date(), session.locale, norms=norms)}"
        )


@command.command("test")
@click.argument("file", type=click.Path(dir_okay=False))
@click.pass_obj
def test(session: Session, file: str) -> None:
    """Run the examples inside a rule's file.

    \b
    Example:  netaudit rules test our-rules/OFFICE-01.toml
    """  # noqa: D301
    from netaudit.cli.render import inert
    from netaudit.policy.rule import read_rule, run_examples

    results = run_examples(read_rule(Path(file)))
    failures = [result for result in results if not result.passed]
    for failure in failures:
        wanted, got = session.say(failure.example.outcome), session.say(failure.got)
        click.echo(
            f"✗ {inert(failure.example.name)}: {session.say('expected')} {wanted}, {session.say('got')} {got}"
        )
    if not failures:
        click.echo(f"✓ {session.say('all examples come out as they say')}")
    raise click.exceptions.Exit(EXIT_FINDINGS if failures else EXIT_CLEAN)
