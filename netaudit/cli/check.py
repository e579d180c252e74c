"""``netaudit check``: the policy rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from netaudit.cli.session import EXIT_CLEAN, EXIT_FINDINGS, EXIT_INCONCLUSIVE, Session, as_of

if TYPE_CHECKING:
    from netaudit.policy.rule import Rule
    from netaudit.policy.verdict import Verdict


@click.command("check")
@click.argument("rules", nargs=-1, metavar="[RULE...]")
@click.option(
    "--input", "inputs", multiple=True, help="Evidence to use; default: all sources of netaudit.toml."
)
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table")
@click.option("--all", "show_all", is_flag=True, help="Show also what is in order.")
@click.option("--as-of", "as_of_text", help="Date of judgement; default: now.")
@click.pass_obj
def command(
    session: Session,
    rules: tuple[str, ...],
    inputs: tuple[str, ...],
    form: str,
    as_of_text: str | None,
    *,
    show_all: bool,
) -> None:
    """Check the policy rules over configuration, logs and evidence.

    \b
    Example:  netaudit check NA-CRED-01 NA-CRED-02
    """  # noqa: D301
    from netaudit import workflow
    from netaudit.cli.findings import verdict_json
    from netaudit.cli.render import ledger_json, print_json, print_ledger, print_table
    from netaudit.config import configured_inputs
    from netaudit.policy.verdict import Outcome

    settings = session.settings()
    with session.progress() as progress:
        checked = workflow.check(
            inputs or configured_inputs(settings),
            settings,
            workflow.lists_in_use(settings),
            now=as_of(as_of_text, settings),
            only=rules,
            progress=progress,
        )
    verdicts = checked.verdicts
    if form == "json":
        print_json(
            {
                "schema_version": 1,
                "inputs": ledger_json(checked.ledger),
                "verdicts": [verdict_json(v, session.locale) for v in verdicts],
            }
        )
    else:
        quiet_outcomes = set() if show_all else {Outcome.COMPLIED, Outcome.NOT_APPLICABLE}
        say = session.say
        print_table(
            [say(w) for w in ("rule", "outcome", "severity", "subject", "what")],
            [
                (
                    v.rule,
                    say(v.outcome.value),
                    say(v.severity) if v.severity else "-",
                    v.subject or "-",
                    _sentence(checked.rules, v, session),
                )
                for v in verdicts
                if v.outcome not in quiet_outcomes
            ],
            colour=session.colour,
        )
        if not session.quiet:
            print_ledger(checked.ledger, session.locale)
    found = {v.outcome for v in verdicts if not v.waived}
    if Outcome.VIOLATED in found:
        raise click.exceptions.Exit(EXIT_FINDINGS)
    raise click.exceptions.Exit(EXIT_INCONCLUSIVE if Outcome.CANNOT_TELL in found else EXIT_CLEAN)


def _sentence(rules: dict[str, Rule], verdict: Verdict, session: Session) -> str:
    from netaudit.policy.verdict import Outcome

    rule = rules.get(verdict.rule)
    if rule is None:
        return verdict.rule
    match verdict.outcome:
        case Outcome.CANNOT_TELL:
            return rule.wording("because", verdict, session.locale)
        case Outcome.VIOLATED:
            return rule.wording("finding", verdict, session.locale)
        case _:
            return rule.title.in_(session.locale)
