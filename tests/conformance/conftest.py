"""The shared folder's own programs compare; they run this tree's command line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def compare(shared, tmp_path):
    """Run ``compare.py`` of a folder of the shared data; gives what it prints."""
    command = tmp_path / "netaudit"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m netaudit "$@"\n', encoding="utf-8")
    command.chmod(0o755)

    def run(folder, *arguments):
        program = shared / folder / "compare.py"
        if not program.is_file():
            pytest.skip(f"no {folder}/compare.py among the shared data")
        done = subprocess.run(
            [sys.executable, str(program), "--netaudit", str(command), *arguments],
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"},
        )
        assert "Traceback" not in done.stderr, done.stderr[-2000:]
        return done.stdout

    return run
