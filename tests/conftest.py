"""Fixtures with names of the domain."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real captures, logs and lists; skips where it is absent."""
    folder = Path(os.environ.get("NETAUDIT_SHARED", ROOT.parent / "shared"))
    if not (folder / "CONTRACT.md").is_file():
        pytest.skip("the shared reference data are absent (set NETAUDIT_SHARED)")
    return folder


@pytest.fixture(autouse=True, scope="session")
def snapshots_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What is kept between runs stays out of the user's own cache."""
    folder = tmp_path_factory.mktemp("cache") / "read"
    with mock.patch("netaudit.store.snapshots._cache_folder", return_value=folder):
        yield
