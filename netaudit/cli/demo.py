"""``netaudit demo``: the whole job on a made-up week."""

from __future__ import annotations

from pathlib import Path

import click

from netaudit.cli.session import EXIT_CLEAN, EXIT_ERROR, Session

EXPECTED_CODES = {0, 1}


@click.command("demo")
@click.option(
    "--out", type=click.Path(file_okay=False), default="netaudit-demo", help="Folder to write into."
)
@click.pass_obj
def command(session: Session, out: str) -> None:
    """Make a small office's week, do the whole job on it, leave a report.

    \b
    Example:  netaudit demo --out netaudit-demo
    """  # noqa: D301
    from netaudit.demo.story import Step, tell
    from netaudit.errors import UsageError

    folder = Path(out)
    if folder.exists() and any(folder.iterdir()) and not (folder / "truth.json").is_file():
        raise UsageError(
            "demo-folder",
            "This folder holds something else than a demo.",
            where=str(folder),
            hint="Choose an empty folder with --out.",
        )
    _clear(folder)
    say = session.say
    click.echo(say("A small office's working week is being written to {folder}.", folder=folder))
    failed = False
    for number, part in enumerate(tell(folder, session.locale)):
        if not isinstance(part, Step):
            for path in (part.letter, *part.evidence, part.inventory, part.configuration):
                click.echo(f"    {path.relative_to(folder)}")
            continue
        click.echo(f"\n{number}. {say(part.words)}\n   $ {part.command}")
        click.echo("\n".join("   " + line for line in part.output.splitlines()))
        failed = failed or part.code not in EXPECTED_CODES
        if part.code not in EXPECTED_CODES or session.verbose:
            click.echo("\n".join("   " + line for line in part.trouble.splitlines()), err=True)
    _print_end(folder, session)
    raise click.exceptions.Exit(EXIT_ERROR if failed else EXIT_CLEAN)


def _clear(folder: Path) -> None:
    """Remove an earlier demo, and nothing else."""
    import shutil

    if (folder / "truth.json").is_file():
        shutil.rmtree(folder)


def _print_end(folder: Path, session: Session) -> None:
    say = session.say
    click.echo()
    click.echo(
        say(
            "The story: the letter's visit leads to one phone on the service-hall Wi-Fi, and no further: one"
            " shared key, a random device address, no account. The report says so, and why."
        )
    )
    for path in sorted((folder / "case" / "reports").glob("*")):
        click.echo(f"    {path}")
    click.echo(
        say("Go on from here: cd {folder}, and try the commands above with your own files.", folder=folder)
    )
