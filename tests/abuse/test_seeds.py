"""A17: what damaged captures once brought about, and a short run of new ones; `tests/fuzz.py` runs longer."""

import itertools

import fuzz
import pytest

KEPT = sorted(fuzz.SEEDS.glob("*.pcap"))


@pytest.mark.parametrize("path", KEPT, ids=[path.name for path in KEPT])
def test_a17_what_failed_once(path):
    fuzz.check(path.read_bytes())


def test_a17_damaged_captures(monkeypatch):
    monkeypatch.setenv("NETAUDIT_SHARED", "")
    for content in itertools.islice(fuzz.inputs(2026), 150):
        fuzz.check(content)
