"""``netaudit report``: papers of a case, and the check of a template."""

from __future__ import annotations

from pathlib import Path

import click

from netaudit.cli.session import EXIT_CLEAN, EXIT_FINDINGS, Session, as_of


class _CaseOrVerb(click.Group):
    """``report CASE …`` prints; ``report lint`` and ``report list`` do not. A folder called so is ``./lint``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the printing command in front where none is named."""
        if args and args[0] not in {_PRINT, "lint", "list", "-h", "--help"}:
            args = [_PRINT, *args]
        return super().parse_args(ctx, args)


_PRINT = "print"


@click.group("report", cls=_CaseOrVerb)
def command() -> None:
    """Print the papers of a case: netaudit report CASE [--format docx,html]; or lint a template."""


@command.command(_PRINT)
@click.argument("folder", type=click.Path(file_okay=False), metavar="CASE")
@click.option("--template", default="rectification-report", help="Id of a template, or a template file.")
@click.option("--format", "forms", default="docx,html", help="docx, html, json; several joined by commas.")
@click.option("--audience", type=click.Choice(["regulator", "internal"]), default="regulator")
@click.option("--out", type=click.Path(file_okay=False), help="Folder; default: reports/ in the case.")
@click.option("--locale", default="zh-CN", help="Language of the paper.")
@click.option("--by", "actor", default="")
@click.pass_obj
def print_case(
    session: Session,
    folder: str,
    template: str,
    forms: str,
    audience: str,
    out: str | None,
    locale: str,
    actor: str,
) -> None:
    """Print the papers of a case.

    \b
    Example:  netaudit report cases/2026-12 --format docx,html
    """  # noqa: D301
    from netaudit import workflow

    settings = session.settings()
    paths = workflow.report(
        Path(folder),
        settings,
        template=template,
        formats=[f.strip() for f in forms.split(",") if f.strip()],
        locale=locale,
        audience=audience,
        out=Path(out) if out else None,
        now=as_of(None, settings),
        actor=actor,
    )
    for path in paths:
        click.echo(path)


@command.command("lint")
@click.argument("template", type=click.Path())
@click.option("--locale", default="zh-CN", help="Language of the paper, where an id is given.")
@click.pass_obj
def lint_template(session: Session, template: str, locale: str) -> None:
    """Check a template: unknown names, missing front matter, before anything is printed."""
    from netaudit.cli.render import inert
    from netaudit.reports import find_template, lint, read_template

    settings = session.settings()
    folders = [settings.folder / f for f in settings.report.folders]
    path = Path(template)
    problems = lint(read_template(path if path.is_file() else find_template(template, locale, folders)))
    for problem in problems:
        click.echo(
            f"{inert(template)}:{problem.line}: {inert(problem.message)} {inert(problem.hint)}".rstrip()
        )
    raise click.exceptions.Exit(EXIT_FINDINGS if problems else EXIT_CLEAN)


@command.command("list")
@click.pass_obj
def list_templates(session: Session) -> None:
    """The templates: those that netaudit ships and the office's own."""
    from netaudit.cli.render import print_table
    from netaudit.reports import read_template
    from netaudit.resources import folder

    settings = session.settings()
    folders = [*(settings.folder / f for f in settings.report.folders), folder("report_templates")]
    paths = [path for place in folders for path in sorted(place.glob("*.md.j2"))]
    fronts = [(read_template(path).front, path) for path in paths]
    rows = [(f.id, f.locale or "-", f.title, ", ".join(f.audience), str(path)) for f, path in fronts]
    print_table(
        [session.say(w) for w in ("template", "language", "title", "audience", "file")],
        rows,
        colour=session.colour,
    )
