"""Tasks of the rectification ledger and the table of allowed transitions.

The table is that of the closing procedure (销号制): a task is claimed, worked on, reported done
with evidence, reviewed by somebody else and closed; what comes back after closing is re-opened
with its record. Overdue is a flag, not a state.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from netaudit.case.finding import Finding, FindingKind
from netaudit.errors import CaseError


class TaskState(StrEnum):
    """States of report_structures section 3; overdue is a flag, not a state."""

    UNCLAIMED = "unclaimed"
    IN_PROGRESS = "in_progress"
    EXTENSION_REQUESTED = "extension_requested"
    EXTENDED = "extended"
    IN_REVIEW = "in_review"
    RETURNED = "returned"
    CLOSED = "closed"
    STANDING = "standing"
    RELAPSED = "relapsed"


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of a task's history."""

    at: dt.datetime
    by: str
    state: TaskState
    note: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be done about a finding."""

    id: str
    """``M01`` …"""
    finding: str
    measure: str
    """The id of a text: ``<rule id>.action`` for what a rule proposes; or people's own words."""
    owner: str = ""
    department: str = ""
    due: dt.date | None = None
    state: TaskState = TaskState.UNCLAIMED
    done_at: dt.datetime | None = None
    """When it was last reported done; empty again once it is returned or relapses."""
    evidence: tuple[str, ...] = ()
    history: tuple[Step, ...] = ()

    def overdue(self, on: dt.date) -> bool:
        """Whether the date has passed and nobody has reported it done."""
        return self.due is not None and on > self.due and self.state in _OPEN


class HasId(Protocol):
    """What `tasks_for` needs of a rule."""

    @property
    def id(self) -> str:
        """The rule's id."""
        ...


_S = TaskState
TRANSITIONS: dict[TaskState, tuple[TaskState, ...]] = {
    _S.UNCLAIMED: (_S.IN_PROGRESS,),
    _S.IN_PROGRESS: (_S.EXTENSION_REQUESTED, _S.IN_REVIEW),
    _S.EXTENSION_REQUESTED: (_S.EXTENDED, _S.IN_PROGRESS),
    _S.EXTENDED: (_S.EXTENSION_REQUESTED, _S.IN_REVIEW),
    _S.IN_REVIEW: (_S.RETURNED, _S.CLOSED, _S.STANDING),
    _S.RETURNED: (_S.IN_PROGRESS, _S.IN_REVIEW),
    _S.CLOSED: (_S.RELAPSED,),
    _S.STANDING: (_S.IN_REVIEW, _S.RELAPSED),
    _S.RELAPSED: (_S.IN_PROGRESS,),
}
"""From each state to those that may follow it."""

_OPEN = frozenset(_S) - {_S.IN_REVIEW, _S.CLOSED, _S.STANDING}
_NEEDS_NOTE = frozenset({_S.EXTENSION_REQUESTED, _S.RETURNED, _S.STANDING, _S.RELAPSED})
_NEEDS_OTHER = frozenset({_S.EXTENDED, _S.RETURNED, _S.CLOSED, _S.STANDING})
_UNDONE = frozenset({_S.RETURNED, _S.RELAPSED, _S.IN_PROGRESS})


def advance(
    task: Task, to: TaskState, *, by: str, at: dt.datetime, note: str = "", evidence: Iterable[str] = ()
) -> Task:
    """The task one step further.

    Args:
        task: The task as it stands.
        to: The state wanted.
        by: Who does it. Whoever claims a task without an owner becomes its owner.
        at: When (aware).
        note: The reason; required for an extension, a return, a standing measure and a relapse.
        evidence: Ids of what proves it; at least one must be on the task for a review.

    Raises:
        CaseError: The table does not allow the step, or a condition of it is not met.
    """
    _check(task, to, by.strip(), at, note.strip())
    proofs = tuple(dict.fromkeys((*task.evidence, *(e.strip() for e in evidence if e.strip()))))
    if to is TaskState.IN_REVIEW and not proofs:
        raise _refusal(
            "task-evidence",
            "Task {task} cannot be reviewed without evidence.",
            task,
            hint="Add at least one photograph, record or re-test.",
        )
    claimed = task.owner or (by.strip() if to is TaskState.IN_PROGRESS else "")
    done_at = at if to is TaskState.IN_REVIEW else None if to in _UNDONE else task.done_at
    step = Step(at, by.strip(), to, note.strip())
    return replace(
        task, state=to, owner=claimed, evidence=proofs, done_at=done_at, history=(*task.history, step)
    )


def _check(task: Task, to: TaskState, by: str, at: dt.datetime, note: str) -> None:
    allowed = TRANSITIONS[task.state]
    if to not in allowed:
        raise _refusal(
            "task-transition",
            "Task {task} is {state}; it cannot become {wanted}.",
            task,
            hint="Allowed now: " + ", ".join(allowed),
            wanted=str(to),
        )
    if not by:
        raise _refusal(
            "task-person",
            "Task {task}: somebody must answer for this step.",
            task,
            hint="Say who takes it.",
        )
    if task.history and at < task.history[-1].at:
        raise _refusal(
            "task-time",
            "Task {task}: this step would lie before the one before it.",
            task,
            hint="Check the time of the step.",
        )
    if to in _NEEDS_NOTE and not note:
        raise _refusal(
            "task-note",
            "Task {task}: this step needs a reason.",
            task,
            hint="Write one sentence that says why.",
        )
    if to in _NEEDS_OTHER and _same(by) in _doers(task):
        raise _refusal(
            "task-second-person",
            "Task {task} needs a second person: {by} did the work.",
            task,
            hint="Somebody other than the owner reviews and decides.",
            by=by,
        )


def _doers(task: Task) -> set[str]:
    """The owner and whoever last reported it done."""
    reports = [s.by for s in task.history if s.state is TaskState.IN_REVIEW]
    return {_same(name) for name in (task.owner, *reports[-1:])} - {""}


def _same(name: str) -> str:
    """A name as it is compared: blanks and letter case make no other person."""
    return " ".join(name.split()).casefold()


def _refusal(code: str, message: str, task: Task, *, hint: str, **values: object) -> CaseError:
    return CaseError(code, message, where=task.id, hint=hint, task=task.id, state=str(task.state), **values)


def tasks_for(
    findings: Sequence[Finding], rules: Iterable[HasId], existing: Sequence[Task] = ()
) -> tuple[Task, ...]:
    """One task per rule and subject: those there are, as they are, then new ones that nobody owns yet.

    A task whose finding is not among `findings` stays: it is closed by a re-test, never by absence.

    Args:
        findings: The case's findings.
        rules: Rules whose action texts may be proposed; a policy finding of another rule, and
            any other kind of finding, is proposed for verification only.
        existing: Tasks of the case so far.
    """
    known = {rule.id for rule in rules}
    groups: dict[tuple[str, str], list[str]] = {}
    for finding in findings:
        groups.setdefault((_measure(finding, known), finding.subject), []).append(finding.id)
    covered = {task.finding for task in existing}
    number = max((int(task.id[1:]) for task in existing), default=0)
    new = [(measure, ids[0]) for (measure, _), ids in groups.items() if covered.isdisjoint(ids)]
    proposed = (
        Task(id=f"M{n:02d}", finding=finding, measure=measure)
        for n, (measure, finding) in enumerate(new, number + 1)
    )
    return (*existing, *proposed)


def _measure(finding: Finding, known: set[str]) -> str:
    if finding.rule in known:
        return f"{finding.rule}.action"
    return "destination.verify" if finding.kind is FindingKind.DESTINATION else "finding.verify"
