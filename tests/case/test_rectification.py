"""The table of transitions, its conditions, and proposed tasks."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from itertools import product

import pytest

from netaudit.case.finding import Finding, FindingKind, Severity
from netaudit.case.rectification import TRANSITIONS, Task, TaskState, advance, tasks_for
from netaudit.errors import CaseError

NOW = dt.datetime(2026, 11, 8, tzinfo=dt.UTC)
TASK = Task("M01", "F-1", "NA-CRED-01.action", owner="李某")


def step(task: Task, to: TaskState, by: str = "王某", hours: int = 0, **more) -> Task:
    return advance(task, to, by=by, at=NOW + dt.timedelta(hours=hours), **more)


@pytest.mark.parametrize(("start", "to"), list(product(TaskState, TaskState)))
def test_exactly_the_table_is_allowed(start, to):
    task = replace(TASK, state=start, evidence=("E001",))
    if to in TRANSITIONS[start]:
        assert step(task, to, note="理由").state is to
        return
    with pytest.raises(CaseError) as caught:
        step(task, to, note="理由")
    assert caught.value.code == "task-transition"
    assert all(str(name) in caught.value.hint for name in TRANSITIONS[start])


def test_the_usual_way():
    task = replace(TASK, owner="")
    task = step(task, TaskState.IN_PROGRESS, by="李某")
    assert task.owner == "李某"
    task = step(task, TaskState.IN_REVIEW, by="李某", hours=1, evidence=["E007", "E007"])
    assert (task.evidence, task.done_at) == (("E007",), NOW + dt.timedelta(hours=1))
    task = step(task, TaskState.CLOSED, by="王某", hours=2)
    relapsed = step(task, TaskState.RELAPSED, by="netaudit", hours=3, note="再次命中")
    assert relapsed.done_at is None
    assert [s.state for s in relapsed.history] == [
        TaskState.IN_PROGRESS,
        TaskState.IN_REVIEW,
        TaskState.CLOSED,
        TaskState.RELAPSED,
    ]
    assert step(relapsed, TaskState.IN_PROGRESS, by="赵某", hours=4).owner == "李某"


def test_review_needs_evidence():
    with pytest.raises(CaseError) as caught:
        step(replace(TASK, state=TaskState.IN_PROGRESS), TaskState.IN_REVIEW)
    assert caught.value.code == "task-evidence"


@pytest.mark.parametrize("to", [TaskState.CLOSED, TaskState.STANDING, TaskState.RETURNED])
@pytest.mark.parametrize("by", ["李某", "陈某", " 李某 "])
def test_nobody_reviews_their_own_work(to, by):
    task = replace(TASK, state=TaskState.IN_PROGRESS)
    task = step(task, TaskState.IN_REVIEW, by="陈某", evidence=["E001"])
    with pytest.raises(CaseError) as caught:
        step(task, to, by=by, note="x")
    assert caught.value.code == "task-second-person"


def test_owner_does_not_grant_their_own_extension():
    task = step(
        replace(TASK, state=TaskState.IN_PROGRESS), TaskState.EXTENSION_REQUESTED, by="李某", note="等设备"
    )
    with pytest.raises(CaseError):
        step(task, TaskState.EXTENDED, by="李某")


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"by": " "}, "task-person"), ({"note": " "}, "task-note"), ({"hours": -5}, "task-time")],
)
def test_conditions(changes, code):
    task = step(replace(TASK, owner="", state=TaskState.UNCLAIMED), TaskState.IN_PROGRESS, by="李某")
    given = {"by": "李某", "note": "等设备", **changes}
    with pytest.raises(CaseError) as caught:
        step(task, TaskState.EXTENSION_REQUESTED, **given)
    assert caught.value.code == code


def test_overdue_is_a_flag():
    task = replace(TASK, due=dt.date(2026, 11, 7), state=TaskState.IN_PROGRESS)
    assert task.overdue(dt.date(2026, 11, 8))
    assert not task.overdue(dt.date(2026, 11, 7))
    assert not replace(task, state=TaskState.IN_REVIEW).overdue(dt.date(2026, 11, 8))


@dataclass(frozen=True)
class KnownRule:
    id: str


def finding(
    id_: str, rule: str, subject: str = "ServiceHall", kind: FindingKind = FindingKind.POLICY
) -> Finding:
    return Finding(id_, kind, Severity.HIGH, subject, "t", rule=rule)


def test_tasks_are_proposed_once_per_rule_and_subject():
    tasks = tasks_for(
        [
            finding("F-1", "NA-CRED-01"),
            finding("F-2", "NA-CRED-01"),
            finding("F-3", "NA-CRED-01", "Office"),
            finding("F-4", "", "10.0.0.1", FindingKind.DESTINATION),
            finding("F-5", "OWN-1"),
        ],
        [KnownRule("NA-CRED-01")],
    )
    assert [(t.id, t.finding, t.measure) for t in tasks] == [
        ("M01", "F-1", "NA-CRED-01.action"),
        ("M02", "F-3", "NA-CRED-01.action"),
        ("M03", "F-4", "destination.verify"),
        ("M04", "F-5", "finding.verify"),
    ]
    assert {t.state for t in tasks} == {TaskState.UNCLAIMED}
    assert not any(t.owner or t.due for t in tasks)
