from __future__ import annotations

import json
import re

import pytest

from netaudit.attribution import walk_back
from netaudit.attribution.presentation import trace_dict
from netaudit.attribution.reasons import EXPLANATIONS, LOCALES, needed, sentence
from netaudit.attribution.trace import Reason


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_speaks_three_languages(reason):
    said = [text(reason, locale) for text in (sentence, needed) for locale in LOCALES]
    assert len(set(said)) == 6
    assert all(said)
    assert re.search(r"[\u4e00-\u9fff]", sentence(reason, "zh-CN"))
    assert sentence(reason, "de") == sentence(reason, "en")


def test_no_reason_too_many():
    assert set(EXPLANATIONS) == set(Reason)


def test_a_trace_as_json(make_logs, ask, nat_row):
    logs = make_logs(nat=[nat_row("new", 0, "10.1.0.11"), nat_row("destroy", 10.5, "10.1.0.11")])
    said = trace_dict(walk_back(ask(5, public_ip="203.0.113.5", port=20500), logs), "zh-CN")
    assert json.loads(json.dumps(said)) == said
    assert said["question"] == {
        "at": "2026-11-23T04:00:05Z",
        "public_ip": "203.0.113.5",
        "port": 20500,
        "skew_s": 120.0,
    }
    first = said["hops"][0]
    assert (first["outcome"], first["skew_stable"]) == ("held", [-5.0, 5.5])
    assert first["candidates"][0]["end"] == "2026-11-23T04:00:10.500000Z"
    assert first["candidates"][0]["evidence"] == [
        {"file": "file-nat", "ordinal": 1},
        {"file": "file-nat", "ordinal": 2},
    ]
    assert said["reasons"][0] == {
        "code": "R-LOG-GAP",
        "sentence": sentence(Reason.LOG_GAP, "zh-CN"),
        "needed": needed(Reason.LOG_GAP, "zh-CN"),
    }
    assert (said["reach"], said["place"]) == ("address", {"segment": "office"})
