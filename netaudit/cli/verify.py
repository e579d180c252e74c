"""``netaudit verify``: is everything as it was?"""

from __future__ import annotations

from pathlib import Path

import click

from netaudit.cli.session import EXIT_CLEAN, EXIT_FINDINGS, Session


@click.command("verify")
@click.argument("case", type=click.Path(), metavar="CASE|REPORT")
@click.pass_obj
def command(session: Session, case: str) -> None:
    """Check that a case, its evidence, its log of looks and its papers are unaltered; or one paper.

    \b
    Example:  netaudit verify cases/2026-12
    """  # noqa: D301
    from netaudit import workflow
    from netaudit.cli.render import inert

    path = Path(case)
    problems = workflow.verify_paper(path) if path.is_file() else workflow.verify_case(path)
    for problem in problems:
        click.echo(f"✗ {session.say(problem.what)}: {inert(problem.where)}")
    if not problems:
        click.echo(f"✓ {session.say('everything holds')}")
    raise click.exceptions.Exit(EXIT_FINDINGS if problems else EXIT_CLEAN)
