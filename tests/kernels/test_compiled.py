"""Where compiled kernels are kept."""

import os
import subprocess
import sys

import pytest

ASK = "from netaudit.kernels import compiled; print(compiled.FOLDER)"


def folder(cache):
    run = subprocess.run(
        [sys.executable, "-c", ASK],
        env={**os.environ, "XDG_CACHE_HOME": str(cache)},
        capture_output=True,
        text=True,
        check=True,
    )
    return run.stdout.strip()


def test_a_folder_named_after_the_kernels_text(tmp_path):
    kept = folder(tmp_path)
    assert kept.startswith(str(tmp_path / "netaudit" / "kernels-"))
    assert folder(tmp_path) == kept


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="POSIX permissions")
def test_a_folder_that_others_may_write_to_is_not_used(tmp_path):
    folder(tmp_path)
    (tmp_path / "netaudit").chmod(0o777)
    assert folder(tmp_path) == "None"


def test_no_folder_is_no_error(tmp_path):
    (tmp_path / "netaudit").write_text("in the way", encoding="ascii")
    assert folder(tmp_path) == "None"
