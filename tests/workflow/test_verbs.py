"""Trace, check, lists in use: the verbs without a case."""

from __future__ import annotations

import datetime as dt

import pytest

from netaudit import workflow
from netaudit.attribution.trace import Question, Reach
from netaudit.config import configured_inputs
from netaudit.errors import UsageError
from netaudit.policy.verdict import Outcome
from netaudit.records.addresses import parse_ip

NOW = dt.datetime(2026, 11, 9, 1, 0, tzinfo=dt.UTC)
AT = dt.datetime(2026, 11, 4, 6, 5, 9, tzinfo=dt.UTC)


def test_who_was_this(done):
    question = Question(at=AT, public_ip=parse_ip("203.0.113.5"), port=31877, transport="tcp")
    inputs = [str(done.folder / "logs"), str(done.folder / "register.csv")]
    trace, ledger = workflow.trace(inputs, done.settings, question)
    assert trace.reach is Reach.PERSON
    assert [hop.hop for hop in trace.hops] == ["nat", "lease", "station", "asset"]
    assert "zhang.san" not in repr(trace)
    assert "Li Si" not in repr(trace)
    assert ledger.complete


def test_check_of_some_rules(done):
    settings = done.settings
    checked = workflow.check(
        configured_inputs(settings),
        settings,
        workflow.lists_in_use(settings),
        now=NOW,
        only=["NA-ASSET-01"],
    )
    assert {v.rule for v in checked.verdicts} == {"NA-ASSET-01"}
    assert Outcome.VIOLATED in {v.outcome for v in checked.verdicts}


def test_rules_that_are_none(done):
    with pytest.raises(UsageError) as raised:
        workflow.check(
            [],
            done.settings,
            workflow.lists_in_use(done.settings),
            now=NOW,
            only=["NA-NONE"],
        )
    assert raised.value.code == "rule-unknown"


def test_configured_inputs_are_sources_and_register_once(done):
    names = [p.removeprefix(str(done.folder) + "/") for p in configured_inputs(done.settings)]
    assert names == ["logs/detail", "logs/queries.log", "register.csv"]


def test_lists_given_on_the_command_line_come_before_the_configured(done):
    assert [b.id for b in workflow.lists_in_use(done.settings).lists] == ["own"]
    given = workflow.lists_in_use(done.settings, [f"domains:{done.folder / 'own.txt'}"])
    assert [(b.id, b.described.format) for b in given.lists] == [("own", "domains")]


def test_a_list_needs_its_format(done):
    with pytest.raises(UsageError) as raised:
        workflow.lists_in_use(done.settings, ["own.txt"])
    assert raised.value.code == "list-form"


def test_lists_that_are_not_shipped(done, tmp_path):
    from netaudit.config import ListChoice, Settings

    with pytest.raises(UsageError) as raised:
        workflow.lists_in_use(Settings(folder=tmp_path, blocklist=(ListChoice("nothing"),)))
    assert raised.value.code == "list-unknown"


def test_the_letters_destinations_are_a_list_of_their_own(done):
    case = workflow.read_case(done.case)
    index = workflow.lists_in_use(done.settings).index(done.case, case.notice)
    assert [m.id for m in index.lists] == ["own", "notice"]
    text = (done.case / "notice.list").read_text(encoding="utf-8")
    assert text.split() == ["198.51.100.77", "bad.example"]
