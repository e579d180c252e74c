"""``netaudit web``: cases in the browser."""

from __future__ import annotations

from pathlib import Path

import click

from netaudit.cli.session import Session


@click.command("web")
@click.argument("folder", type=click.Path(file_okay=False, exists=True), default=".")
@click.option("--port", type=click.IntRange(1024, 65535), default=8765)
@click.pass_obj
def command(session: Session, folder: str, port: int) -> None:
    """Show the cases in FOLDER in the browser, on this machine only. Ctrl-C ends it."""
    from werkzeug.serving import make_server

    from netaudit.errors import UsageError
    from netaudit.web.app import make_app

    try:
        server = make_server("127.0.0.1", port, make_app(Path(folder), session.locale))
    except (OSError, SystemExit) as error:
        raise UsageError(
            "port-in-use", "Port {port} is in use.", port=port, hint="Choose another with --port."
        ) from error
    click.echo(f"http://127.0.0.1:{port}/")
    server.serve_forever()
