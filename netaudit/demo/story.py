"""The demo's story: write the week, run the ordinary commands on its files, say what came out.

Nothing is handed over in memory: each step is a command that a person could type.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from netaudit.demo import Week, write_week

AS_OF = "2026-11-09T09:00:00+08:00"
"""The Monday after the week: the day on which the demo's office works on the letter."""

RECEIVED = "2026-11-06T09:10:00+08:00"
"""When the letter came in."""

CASE = "case"

COMMANDS = (
    (
        "Open a case for the letter; what was read from it is shown.",
        (
            "case",
            "new",
            CASE,
            "--notice",
            "letter.txt",
            "--received",
            RECEIVED,
            "--as-of",
            AS_OF,
            "--by",
            "demo",
        ),
    ),
    (
        "Read the captures and logs, match them, walk back, check the rules.",
        ("scan", "evidence", "inventory.csv", "--case", CASE, "--as-of", AS_OF, "--by", "demo"),
    ),
    (
        "Show the case: how far the letter's visit can be traced, and why no further.",
        ("case", "show", CASE),
    ),
    ("Print the rectification report.", ("report", CASE, "--format", "docx,html", "--by", "demo")),
    ("Verify that evidence, findings and the log of looks hold together.", ("verify", CASE)),
)
"""What each command does (a message id in English), and its words."""


@dataclass(frozen=True, slots=True)
class Step:
    """One command of the story and what came of it."""

    words: str
    """What it does; a message id in English."""
    command: str
    code: int
    output: str
    trouble: str


def tell(folder: Path, locale: str) -> Iterator[Week | Step]:
    """The files, then each command with its result, in the order of the work."""
    week = write_week(folder)
    yield week
    for words, arguments in COMMANDS:
        run = subprocess.run(
            [sys.executable, "-m", "netaudit", "--lang", locale, *arguments],
            cwd=folder,
            env={**os.environ, "COLUMNS": str(max(100, shutil.get_terminal_size((160, 40)).columns - 4))},
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        yield Step(words, "netaudit " + " ".join(arguments), run.returncode, run.stdout, run.stderr)
