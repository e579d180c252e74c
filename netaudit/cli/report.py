"""``netaudit report``: papers of a case, and the check of a template."""

from __future__ import annotations

from pathlib import Path

import click

from netaudit.cli.session import EXIT_CLEAN, EXIT_FINDINGS, Session, as_of


class _CaseOrVerb(click.Group):
    """``report CASE …`` prints; ``report lint TEMPLATE`` checks. A folder called lint is ``./lint``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the printing command in front where none is named."""
        if args and args[0] not in {"lint", "-h", "--help"}:
            args = [_PRINT, *args]
        return super().parse_args(ctx, args)


_PRINT = "of-case"


@click.group("report", cls=_CaseOrVerb)
def command() -> None:
    """Print the papers of a case: netaudit report CASE [--format docx,html]; or lint a template."""


@command.command(_PRINT)
@click.argument("folder", type=click.Path(file_okay=False), metavar="CASE")
@click.option("--template", default="rectification-report", help="Id of a template, or a template file.")
@click.option("--format", "forms", default="docx,html", help="docx, html, json; several joined by commas.")
@click.option("--audience", type=click.Choice(["regulator", "internal", "public"]), default="regulator")
@click.option("--out", type=click.Path(file_okay=False), help="Folder; default: reports/ in the case.")
@click.option("--locale", default="zh-CN", help="Language of the paper.")
@click.option("--by", "actor", default="")
@click.pass_obj
def print_case(
    session: Session, folder: str, template: str, forms: str, audience: str, out: str | None, locale: str, actor: str
) -> None:
    """Print the papers of a case.

    \b
    Example:  netaudit report cases/2026-12 --format docx,html
    """  # noqa: D301
    from netaudit import workflow

    settings = session.settings()
    paths = workflow.report(
        Path(folder), settings, template=template, formats=[f.strip() for f in forms.split(",") if f.strip()],
        locale=locale, audience=audience, out=Path(out) if out else None, now=as_of(None, settings), actor=actor,
    )
    for path in paths:
        click.echo(path)


@command.command("lint")
@click.argument("template", type=click.Path())
@click.pass_obj
def lint_template(session: Session, template: str) -> None:
    """Check a template: unknown names, missing front matter, before anything is printed."""
    from netaudit.cli.render import inert
    from netaudit.reports.lint import lint

    problems = lint(Path(template))
    for problem in problems:
        click.echo(f"{inert(template)}:{problem.line}: {inert(session.say(problem.message))}")
    raise click.exceptions.Exit(EXIT_FINDINGS if problems else EXIT_CLEAN)
