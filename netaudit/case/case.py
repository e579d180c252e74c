"""The case: everything that papers are printed from."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from netaudit.attribution.trace import FunnelStep, Trace
from netaudit.case.finding import Finding, Statement
from netaudit.case.notice import Notice
from netaudit.case.rectification import Task
from netaudit.i18n import Text
from netaudit.policy.verdict import Verdict
from netaudit.records.evidence import EvidenceFile


class CaseState(StrEnum):
    """Whether a case is still worked on."""

    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class ListVersion:
    """A block list as it was used."""

    list_id: str
    title: Text
    sha256: str
    entries: int
    date: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """One notice, inspection or drill, and all that became of it."""

    id: str
    title: str
    unit: str
    superior: str
    timezone: str
    """IANA zone in which papers print times."""
    opened_at: dt.datetime
    as_of: dt.datetime
    """The date of the papers: when the case last changed. Never the clock at printing."""
    state: CaseState = CaseState.OPEN
    notice: Notice | None = None
    findings: tuple[Finding, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    """All of them: also what could not be told."""
    traces: tuple[Trace, ...] = ()
    """Of the notice's clues, in their order."""
    funnel: tuple[FunnelStep, ...] = ()
    ledger: tuple[EvidenceFile, ...] = ()
    lists: tuple[ListVersion, ...] = ()
    tasks: tuple[Task, ...] = ()
    statements: tuple[Statement, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)
    """``[report.facts]`` of the configuration and what people added to the case."""
    tool_version: str = ""
    segments: tuple[tuple[str, str, str], ...] = ()
    """(id, name, networks) of the configured segments."""
