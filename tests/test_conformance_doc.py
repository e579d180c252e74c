"""The page on conformance is what a run gives; every absent name and every name more has its reason."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.slow
def test_the_page_is_fresh_and_nothing_is_unexplained(shared):
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "conformance.py"), "--check"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        env={**os.environ, "NETAUDIT_SHARED": str(shared), "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr[-3000:]
