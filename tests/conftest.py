"""Fixtures with names of the domain."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real captures, logs and lists; skips where it is absent."""
    folder = Path(os.environ.get("NETAUDIT_SHARED", ROOT.parent / "shared"))
    if not (folder / "CONTRACT.md").is_file():
        pytest.skip("the shared reference data are absent (set NETAUDIT_SHARED)")
    return folder
