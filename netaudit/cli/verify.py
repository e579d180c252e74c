"""``netaudit verify``: is everything as it was?"""

from __future__ import annotations

from pathlib import Path

import click

from netaudit.cli.session import EXIT_CLEAN, EXIT_FINDINGS, Session


@click.command("verify")
@click.argument("case", type=click.Path(file_okay=False))
@click.pass_obj
def command(session: Session, case: str) -> None:
    """Check that a case's evidence files, findings and log of looks are unaltered."""
    from netaudit import workflow
    from netaudit.cli.render import inert

    problems = workflow.verify_case(Path(case))
    for problem in problems:
        click.echo(f"✗ {session.say(problem.what)}: {inert(problem.where)}")
    if not problems:
        click.echo(f"✓ {session.say('everything holds')}")
    raise click.exceptions.Exit(EXIT_FINDINGS if problems else EXIT_CLEAN)
