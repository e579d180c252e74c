"""Rows out of real logs against the shared tables: all agree, or the difference is explained."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def samples():
    """docs/samples.py, which is no package."""
    spec = importlib.util.spec_from_file_location("sample_logs", ROOT / "docs" / "samples.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.mark.slow
def test_every_row_agrees_or_its_difference_is_explained(samples, shared, monkeypatch):
    monkeypatch.chdir(ROOT)
    text, unexplained = samples.page(shared / "samples")
    assert unexplained == []
    assert samples.PAGE.read_text(encoding="utf-8") == text, "run python docs/samples.py"


def test_every_reason_is_there_and_named(samples):
    reasons, files = samples.explanations()
    named = {why for said in files.values() for _, why in (*said.cells.values(), said.more)}
    named |= {said.otherwise for said in files.values()}
    assert named - {""} == set(reasons)


def test_a_difference_is_told_by_the_nearest_row(samples):
    def same(_column, want, got):
        return want == got

    want = [
        {"line": "1", "ip": "a", "mac": "b", "extra": "x"},
        {"line": "2", "ip": "a", "mac": "", "extra": ""},
        {"line": "3", "ip": "c", "mac": "d", "extra": ""},
    ]
    got = [
        {"line": "1", "ip": "z", "mac": "z"},
        {"line": "1", "ip": "a", "mac": "z"},
        {"line": "2", "ip": "a"},
    ]
    assert samples._differing(same, want, got, numbered=True) == {"mac": 1, samples.ABSENT: 1}
    assert samples._differing(same, want, got, numbered=False) == {"mac": 1, "ip,mac": 1}


def test_a_reason_that_says_how_to_read_is_tried(samples):
    def same(_column, want, got):
        return want == got

    answers = samples._without_types(same)
    assert answers("answers", "A:10.0.0.1;CNAME:a.test.", "10.0.0.1;a.test.")
    assert not answers("answers", "A:10.0.0.1", "10.0.0.2")
    assert not answers("qname", "A:a.test", "a.test")
    times = samples._to_the_microsecond(same)
    assert times("ts_utc", "2026-11-22T16:00:40.535882Z", "2026-11-22T16:00:40.535881997Z")
    assert not times("ts_utc", "2026-11-22T16:00:40.535882Z", "2026-11-22T16:00:40.535880Z")
