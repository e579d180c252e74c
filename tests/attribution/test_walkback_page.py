"""The page on the walk-back says what the program does: no reason, hop, outcome or constant is missing or other."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

from netaudit.attribution import access_log, nat_log, port_log, spans
from netaudit.attribution.hops import nat, station
from netaudit.attribution.reasons import needed, sentence
from netaudit.attribution.trace import HopKind, Outcome, Question, Reach, Reason
from tests.attribution.conftest import NOON

PAGE = (Path(__file__).parents[2] / "docs" / "walkback.md").read_text("utf-8")
MODULES = {
    "access_log": access_log,
    "nat_log": nat_log,
    "port_log": port_log,
    "spans": spans,
    "station": station,
    "walk": import_module("netaudit.attribution.walk"),
}
SECONDS = {"s": 1, "min": 60, "hour": 3_600, "day": 86_400}
ROWS = re.findall(
    r"^\| .* \| (\d+) (s|min|hour|day)s? \| .* \| `(\w+)\.(\w+)(?:\[(\w+)\])?` \|$", PAGE, re.MULTILINE
)


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_is_explained_in_its_own_words(reason):
    assert f"| `{reason}` | {sentence(reason, 'en')} | {needed(reason, 'en')} |\n" in PAGE


@pytest.mark.parametrize("word", [*HopKind, *Outcome])
def test_every_hop_and_outcome_has_its_row(word):
    assert PAGE.count(f"\n| `{word}` | ") == 1


@pytest.mark.parametrize("word", list(Reach))
def test_every_reach_is_named(word):
    assert f"`{word}`" in PAGE


@pytest.mark.parametrize(
    ("count", "unit", "module", "name", "key"), ROWS, ids=[f"{r[3]}{r[4]}" for r in ROWS]
)
def test_a_constant_is_what_the_page_says(count, unit, module, name, key):
    value = getattr(MODULES[module], name)
    assert (value[key] if key else value) == int(count) * SECONDS[unit]


def test_no_constant_of_the_spans_is_missing():
    told = {(module, name) for _, _, module, name, _ in ROWS}
    bounds = {
        (m, name)
        for m in ("access_log", "nat_log", "port_log", "spans")
        for name in vars(MODULES[m])
        if name.endswith("_S")
    }
    assert {name for _, name in bounds} == {name for _, name in told} - {"DAY_S"}


def test_numbers_in_the_text():
    assert f"more than {station.SHARED_ACCOUNT_DEVICES} devices online" in PAGE
    assert f"up to {nat.LAYERS} layers deep" in PAGE
    assert f"with more than {port_log.ACCESS_MACS} MACs in one print" in PAGE
    assert f"({Question(at=NOON).skew_s:.0f} s where it is not said)" in PAGE
