from __future__ import annotations

import os

import numpy as np
import pyarrow as pa
import pytest

from netaudit.store import snapshots
from netaudit.store.snapshots import KEPT, Snapshots


@pytest.fixture
def kept(tmp_path):
    return Snapshots(tmp_path / "read")


def test_what_is_kept_is_found_again(kept):
    value = {"a": np.arange(1000), "b": pa.array(["x", None, "y"]), "c": ("text", 3)}
    assert kept.keep("key", value)
    found = kept.find("key")
    assert found["a"].tolist() == list(range(1000))
    assert found["b"].to_pylist() == ["x", None, "y"]
    assert found["c"] == ("text", 3)
    assert not found["a"].flags.writeable
    assert kept.find("another") is None


def test_nobody_else_can_read_it(kept, tmp_path):
    kept.keep("key", [1])
    assert (tmp_path / "read").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "read" / "key.snapshot").stat().st_mode & 0o777 == 0o600


def test_a_folder_that_others_can_write_to_is_not_trusted(kept, tmp_path):
    kept.keep("key", [1])
    (tmp_path / "read").chmod(0o770)
    assert kept.find("key") is None
    assert not kept.keep("key", [2])


@pytest.mark.parametrize("cut", [1, 20, 60, 2000])
def test_a_cut_file_is_thrown_away(kept, tmp_path, cut):
    kept.keep("key", np.arange(1000))
    path = tmp_path / "read" / "key.snapshot"
    path.write_bytes(path.read_bytes()[:-cut])
    assert kept.find("key") is None
    assert not path.exists()


def test_the_oldest_goes_first(kept, tmp_path):
    for number in range(KEPT + 2):
        kept.keep(f"k{number}", [number])
        os.utime(tmp_path / "read" / f"k{number}.snapshot", (number, number))
    kept.keep("last", [0])
    names = {path.stem for path in (tmp_path / "read").iterdir()}
    assert names == {"last", *(f"k{number}" for number in range(3, KEPT + 2))}


def test_it_is_forgotten_after_a_time(kept):
    kept.keep("key", [1])
    assert kept.forget(days=1) == 0
    assert kept.forget(days=-1) == 1
    assert kept.find("key") is None


def test_a_full_disk_keeps_nothing(kept, monkeypatch):
    monkeypatch.setattr(snapshots, "SHARE", 10**30)
    assert not kept.keep("key", np.arange(10))
    assert kept.find("key") is None
