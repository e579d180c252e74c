"""Cases: open, show, work on, close, look behind a pseudonym, forget, verify."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from netaudit import __version__
from netaudit.case.case import Case, CaseState
from netaudit.case.finding import Statement, StatementKind
from netaudit.case.reading import read_notice
from netaudit.case.rectification import Task, TaskState, advance
from netaudit.config import Settings
from netaudit.errors import CaseError, InputError, NetauditError, UsageError
from netaudit.store import Store
from netaudit.store.database import FILE_NAME
from netaudit.workflow.hiding import pseudonymiser
from netaudit.workflow.integrity import EVENTS, PURGE, SCAN


def open_case(
    folder: Path,
    settings: Settings,
    *,
    now: dt.datetime,
    notice_path: Path | None = None,
    title: str = "",
    case_id: str = "",
    received_at: dt.datetime | None = None,
    actor: str = "",
) -> Case:
    """Open a case, for a notice where there is one.

    Raises:
        UsageError: There is a case in this folder already, or the unit's zone is not configured.
        InputError: The notice cannot be read.
    """
    if (folder / FILE_NAME).exists():
        raise UsageError(
            "case-exists",
            "There is a case in this folder already.",
            where=str(folder),
            hint="Choose another folder, or work on this case.",
        )
    if not settings.unit.timezone:
        raise UsageError(
            "unit-without-zone",
            "The unit's time zone is not configured.",
            hint='Set timezone = "Asia/Shanghai" under [unit] in netaudit.toml.',
        )
    notice = None
    if notice_path is not None:
        notice = read_notice(notice_path, timezone=settings.unit.timezone, received_at=received_at)
        if not (notice.number or notice.issuer):
            raise InputError(
                "no-letter",
                "No number and no issuer of a letter were found in this file.",
                where=str(notice_path),
                hint="Give the authority's letter (txt or docx), or open the case without it.",
            )
    case = Case(
        id=case_id or _next_number(folder, f"{settings.unit.code or 'NA'}-网安-{now.year}-"),
        title=title or (notice.subject if notice else ""),
        unit=settings.unit.name,
        superior=settings.unit.superior,
        timezone=settings.unit.timezone,
        opened_at=now,
        as_of=now,
        notice=notice,
        facts=dict(settings.report.facts),
        tool_version=__version__,
    )
    with Store(folder, create=True) as store, store.transaction():
        store.write_case(case)
        store.log(at=now, actor=actor, action="open", subject=case.id)
    pseudonymiser(settings, folder)
    return case


def _next_number(folder: Path, prefix: str) -> str:
    """The first case number of the year that no case beside this one has."""
    taken = {case.id for _, case in list_cases(folder.resolve().parent)[0]}
    return next(number for n in range(1, len(taken) + 2) if (number := f"{prefix}{n:03d}") not in taken)


def read_case(folder: Path) -> Case:
    """The case in a folder."""
    with Store(folder) as store:
        return store.read_case()


def list_cases(folder: Path) -> tuple[list[tuple[Path, Case]], list[NetauditError]]:
    """All cases in a folder and one level below, by path; and why some of them cannot be read."""
    places = sorted(p.parent for pattern in (FILE_NAME, f"*/{FILE_NAME}") for p in folder.glob(pattern))
    cases: list[tuple[Path, Case]] = []
    errors: list[NetauditError] = []
    for place in places:
        try:
            cases.append((place, read_case(place)))
        except NetauditError as error:
            errors.append(error)
    return cases, errors


def state(
    folder: Path,
    text: str,
    *,
    kind: StatementKind,
    by: str,
    now: dt.datetime,
    facts: Sequence[tuple[str, str]] = (),
) -> Case:
    """Put a statement on the case, and facts that papers may print."""
    with Store(folder) as store, store.transaction():
        case = store.read_case()
        statements = (*case.statements, Statement(kind, text, by, now)) if text else case.statements
        case = replace(case, statements=statements, facts={**case.facts, **dict(facts)}, as_of=now)
        store.write_case(case)
        store.log(at=now, actor=by, action=kind.value, subject=text or ", ".join(k for k, _ in facts))
    return case


def advance_task(
    folder: Path,
    task_id: str,
    to: TaskState | None,
    *,
    by: str,
    now: dt.datetime,
    note: str = "",
    evidence: Sequence[str] = (),
    owner: str = "",
    department: str = "",
    due: dt.date | None = None,
) -> Task:
    """Move one task of the rectification ledger; where `to` is None, only set its owner and dates.

    Raises:
        CaseError: No such task, or a step that is not allowed now.
    """
    with Store(folder) as store, store.transaction():
        case = store.read_case()
        task = next((t for t in case.tasks if t.id == task_id), None)
        if task is None:
            raise CaseError(
                "no-task",
                "This case has no task {task}.",
                task=task_id,
                where=str(folder),
                hint="See: netaudit case show {folder}",
                folder=str(folder),
            )
        task = replace(
            task, owner=owner or task.owner, department=department or task.department, due=due or task.due
        )
        moved = (
            task if to is None else advance(task, to, by=by, at=now, note=note, evidence=tuple(evidence))
        )
        tasks = tuple(moved if t.id == task_id else t for t in case.tasks)
        store.write_case(replace(case, tasks=tasks, as_of=now))
        store.log(
            at=now, actor=by, action=f"task {to.value if to else 'assigned'}", subject=task_id, reason=note
        )
    return moved


def close_case(folder: Path, *, by: str, now: dt.datetime) -> Case:
    """Close a case all of whose tasks are closed or standing.

    Raises:
        CaseError: Tasks are still open.
    """
    with Store(folder) as store, store.transaction():
        case = store.read_case()
        still = [t.id for t in case.tasks if t.state not in {TaskState.CLOSED, TaskState.STANDING}]
        if still:
            raise CaseError(
                "tasks-open",
                "The case cannot be closed: these tasks are open: {tasks}.",
                tasks=", ".join(still),
                where=str(folder),
                hint="Close each task first, with its review.",
            )
        case = replace(case, state=CaseState.CLOSED, as_of=now)
        store.write_case(case)
        store.log(at=now, actor=by, action="close", subject=case.id)
    return case


def reveal(folder: Path, pseudonym: str, *, by: str, reason: str, now: dt.datetime) -> str:
    """What a pseudonym stands for. The look is logged before the answer is given.

    Raises:
        UsageError: No name or no reason is given.
        CaseError: The pseudonym is not of this case, or its identity was purged.
    """
    if not by.strip() or not reason.strip():
        raise UsageError(
            "reveal-needs-reason",
            "A look at an identity needs a name and a reason.",
            hint="Add --by NAME --reason TEXT.",
        )
    with Store(folder) as store:
        with store.transaction():
            store.log(at=now, actor=by, action="reveal", subject=pseudonym, reason=reason)
        value = store.identity(pseudonym)
    if value is None:
        raise CaseError(
            "pseudonym-unknown",
            "This case knows nothing behind {pseudonym}.",
            pseudonym=pseudonym,
            where=str(folder),
            hint="Check the spelling; it may have been purged.",
        )
    return value


def purge(folder: Path, *, by: str, reason: str, now: dt.datetime) -> None:
    """Forget the identities and the events of a case; findings and papers stay."""
    with Store(folder) as store, store.transaction():
        store.log(at=now, actor=by, action=PURGE, subject="identities, events", reason=reason)
        store.forget_identities()
        shutil.rmtree(folder / EVENTS, ignore_errors=True)


def purge_due(folder: Path, settings: Settings, *, now: dt.datetime) -> bool:
    """Whether what a case knows of persons is older than ``[privacy] retention_days``."""
    with Store(folder) as store:
        last = next((e for e in reversed(store.audit()) if e.action in {SCAN, PURGE}), None)
    if last is None or last.action == PURGE:
        return False
    return dt.datetime.fromisoformat(last.at) + dt.timedelta(days=settings.privacy.retention_days) <= now
