"""Where the shipped folders are: in a checkout at the top, in a wheel beside the package."""

from __future__ import annotations

from pathlib import Path

from netaudit.errors import ConfigError

_PACKAGE = Path(__file__).resolve().parent


def folder(name: str) -> Path:
    """The shipped folder `name` (``blocklists``, ``report_templates``, ``examples``).

    Raises:
        ConfigError: The installation is incomplete.
    """
    for candidate in (_PACKAGE / "_shipped" / name, _PACKAGE.parent / name):
        if candidate.is_dir():
            return candidate
    raise ConfigError(
        "installation-incomplete",
        "The folder {name} that netaudit ships is missing.",
        where=str(_PACKAGE),
        hint="Install netaudit again: pip install --force-reinstall netaudit",
        name=name,
    )
