"""``netaudit scan``: events -> matches -> traces -> findings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from netaudit.cli.session import (
    EXIT_CLEAN,
    EXIT_ERROR,
    EXIT_FINDINGS,
    EXIT_INCONCLUSIVE,
    Session,
    as_of,
)

if TYPE_CHECKING:
    from netaudit.pipeline import Scan

SEVERITIES = ["low", "medium", "high", "critical"]


@click.command("scan")
@click.argument("inputs", nargs=-1, required=True)
@click.option(
    "--case", "case_folder", type=click.Path(file_okay=False), help="Put the result into this case."
)
@click.option(
    "--list",
    "lists",
    multiple=True,
    metavar="FORMAT:FILE",
    help="A block list to use instead of the configured ones, such as domains:bad.txt.",
)
@click.option(
    "--format", "form", type=click.Choice(["table", "json", "jsonl", "csv", "sarif"]), default="table"
)
@click.option(
    "--fail-on", type=click.Choice(SEVERITIES), default="low", help="Exit 1 from this severity on."
)
@click.option("--input-format", default="", help="Name the inputs' format instead of recognising it.")
@click.option("--tz", default="", help="Time zone of stamps that carry none.")
@click.option("--as-of", "as_of_text", help="Date of judgement; default: now.")
@click.option("--by", "actor", default="", help="Who runs this, for the case's log.")
@click.pass_obj
def command(
    session: Session,
    inputs: tuple[str, ...],
    case_folder: str | None,
    lists: tuple[str, ...],
    form: str,
    fail_on: str,
    input_format: str,
    tz: str,
    as_of_text: str | None,
    actor: str,
) -> None:
    """Find contacts with listed destinations, and trace who they were.

    With --case the policy rules are checked too, and everything is kept in the case.

    \b
    Example:  netaudit scan logs/ mirror.pcapng --case cases/2026-12
    """  # noqa: D301
    from netaudit import workflow
    from netaudit.cli.findings import print_findings
    from netaudit.sources import Options

    settings = session.settings()
    with session.progress() as progress:
        result = workflow.scan(
            inputs,
            settings,
            workflow.lists_in_use(settings, lists),
            now=as_of(as_of_text, settings),
            case_folder=Path(case_folder) if case_folder else None,
            options=Options(input_format, tz, session.jobs or 0),
            progress=progress,
            actor=actor,
        )
    print_findings(result, form, session)
    raise click.exceptions.Exit(exit_code(result, fail_on))


def exit_code(result: Scan, fail_on: str) -> int:
    """1 with findings, 2 where a setting is wrong or nothing could be used, 3 where we could not look."""
    from netaudit.case.finding import Severity
    from netaudit.errors import ConfigError

    if not result.ledger.usable or any(isinstance(e, ConfigError) for e in result.ledger.errors):
        return EXIT_ERROR
    if any(f.severity.rank >= Severity(fail_on).rank for f in result.findings):
        return EXIT_FINDINGS
    return EXIT_CLEAN if result.ledger.complete else EXIT_INCONCLUSIVE
