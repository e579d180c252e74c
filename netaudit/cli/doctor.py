"""``netaudit doctor``: what works here, and what does not."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import click

from netaudit.cli.session import EXIT_CLEAN, EXIT_FINDINGS, Session


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    ok: bool
    what: str
    detail: str
    needed: bool = True


@click.command("doctor")
@click.pass_obj
def command(session: Session) -> None:
    """Say what works here and what does not: versions, configuration, lists, fonts, permissions."""
    from netaudit.cli.render import inert

    results = [
        _python(),
        *_libraries(),
        _configuration(session),
        *_lists(session),
        _engine(),
        _fonts(),
        *_tools(),
    ]
    for result in results:
        mark = "✓" if result.ok else ("✗" if result.needed else "·")
        click.echo(f"{mark} {session.say(result.what)}: {inert(result.detail)}")
    bad = any(not r.ok and r.needed for r in results)
    raise click.exceptions.Exit(EXIT_FINDINGS if bad else EXIT_CLEAN)


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding(sys.version_info >= (3, 11), "Python", version)


def _libraries() -> list[Finding]:
    from importlib.metadata import PackageNotFoundError, version

    found = []
    for name in (
        "numpy",
        "numba",
        "pyarrow",
        "pandas",
        "scapy",
        "cryptography",
        "dnspython",
        "jinja2",
        "python-docx",
        "matplotlib",
    ):
        try:
            found.append(Finding(ok=True, what=name, detail=version(name)))
        except PackageNotFoundError:
            found.append(Finding(ok=False, what=name, detail=f"pip install {name}"))
    return found


def _configuration(session: Session) -> Finding:
    from netaudit.errors import NetauditError

    try:
        settings = session.settings()
    except NetauditError as error:
        return Finding(ok=False, what="configuration", detail=f"{error} ({error.where})")
    missing = [s.path for s in settings.source if not list(settings.folder.glob(s.path))]
    if missing:
        return Finding(ok=False, what="configuration", detail="no file for source " + ", ".join(missing))
    name = settings.unit.name or "-"
    return Finding(
        ok=True, what="configuration", detail=f"{settings.folder}: {name}, {len(settings.source)} sources"
    )


def _lists(session: Session) -> list[Finding]:
    from netaudit import workflow
    from netaudit.errors import NetauditError

    try:
        versions = workflow.lists_in_use(session.settings(), ()).versions()
    except NetauditError as error:
        return [Finding(ok=False, what="block lists", detail=f"{error} ({error.where})")]
    detail = ", ".join(f"{v.list_id} ({v.entries}, {v.date or '-'})" for v in versions)
    return [Finding(ok=bool(versions), what="block lists", detail=detail or "-")]


def _engine() -> Finding:
    """Whether the capture engine is compiled for this computer, and where that is kept."""
    from netaudit.kernels import compiled

    if compiled.FOLDER is None:
        detail = "no folder that only you can write to; each run compiles anew (set XDG_CACHE_HOME)"
        return Finding(ok=False, what="capture engine", detail=detail, needed=False)
    state = "compiled" if compiled.is_warm() else "compiled at the first capture"
    return Finding(ok=True, what="capture engine", detail=f"{state}: {compiled.FOLDER}")


def _fonts() -> Finding:
    """CJK fonts, asked of fontconfig where it is there."""
    import subprocess

    program = shutil.which("fc-list")
    if program is None:
        return Finding(
            ok=False, what="Chinese fonts", detail="fc-list is not here; cannot tell", needed=False
        )
    out = subprocess.run(
        [program, ":lang=zh", "family"], capture_output=True, text=True, timeout=20, check=False
    )
    families = sorted({line.split(",")[0] for line in out.stdout.splitlines() if line})
    detail = ", ".join(families[:5]) or "none; install fonts-noto-cjk (docx and HTML work without)"
    return Finding(ok=bool(families), what="Chinese fonts", detail=detail, needed=False)


def _tools() -> list[Finding]:
    folder = Path.cwd()
    return [
        Finding(
            ok=shutil.which("tshark") is not None,
            what="tshark",
            detail=shutil.which("tshark") or "only for comparison; not needed",
            needed=False,
        ),
        Finding(ok=os.access(folder, os.W_OK), what="writing here", detail=str(folder)),
    ]
