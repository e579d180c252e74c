"""Tasks of the rectification ledger and the table of allowed transitions."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum


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
    owner: str = ""
    department: str = ""
    due: dt.date | None = None
    state: TaskState = TaskState.UNCLAIMED
    done_at: dt.datetime | None = None
    evidence: tuple[str, ...] = ()
    history: tuple[Step, ...] = ()
