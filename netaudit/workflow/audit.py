"""Scan, trace, check: the verbs that look at evidence."""

from __future__ import annotations

import datetime as dt
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from netaudit import pipeline, sources
from netaudit.case.case import Case
from netaudit.case.rectification import tasks_for
from netaudit.config import Settings
from netaudit.pipeline import Scan
from netaudit.pipeline.grading import READ_BACK
from netaudit.policy import check as check_rules
from netaudit.policy.facts import gather
from netaudit.policy.rule import Rule, read_rules
from netaudit.policy.verdict import Verdict
from netaudit.privacy import Pseudonymiser
from netaudit.records.evidence import EvidenceFile, Ledger
from netaudit.store import EventSet, Store
from netaudit.workflow.hiding import pseudonymiser
from netaudit.workflow.integrity import EVENTS, SCAN, written
from netaudit.workflow.lists import ListsInUse
from netaudit.workflow.persons import HiddenEvents, hide_in_finding, hide_in_trace


@dataclass(frozen=True, slots=True)
class Checked:
    """What the rules say, and what was read for it."""

    ledger: Ledger
    verdicts: tuple[Verdict, ...]
    rules: dict[str, Rule]


def scan(
    arguments: Sequence[str],
    settings: Settings,
    lists: ListsInUse,
    *,
    now: dt.datetime,
    case_folder: Path | None = None,
    options: sources.Options | None = None,
    progress: sources.Progress | None = None,
    actor: str = "",
) -> Scan:
    """Look for listed destinations; into a case, also check the rules and keep everything.

    Args:
        arguments: Files, folders, globs.
        settings: The office.
        lists: The block lists in force.
        now: The date of judgement.
        case_folder: The case that takes the result; None = only look.
        options: What the command line says about the inputs.
        progress: Told how far reading is.
        actor: Who runs it, for the case's log.
    """
    if case_folder is None:
        with tempfile.TemporaryDirectory(prefix="netaudit-") as scratch:
            result = pipeline.scan(
                arguments,
                settings,
                index=lists.index(),
                events=EventSet(Path(scratch) / EVENTS, READ_BACK),
                rules=(),
                notice=None,
                now=now,
                options=options,
                progress=progress,
            )
        return _hidden(result, pseudonymiser(settings, None))
    with Store(case_folder) as store:
        case = store.read_case()
        pseudonym = pseudonymiser(settings, case_folder)
        events = HiddenEvents(case_folder / EVENTS, pseudonym)
        try:
            result = pipeline.scan(
                arguments,
                settings,
                index=lists.index(case_folder, case.notice),
                events=events,
                rules=tuple(_rules(settings).values()),
                notice=case.notice,
                now=now,
                options=options,
                progress=progress,
            )
            result = _hidden(result, pseudonym)
            with store.transaction():
                store.write_case(_with(case, result, lists, settings, now, case_folder))
                store.remember(pseudonym.known)
                store.log(
                    at=now,
                    actor=actor,
                    action=SCAN,
                    subject=", ".join(f.id for f in result.ledger.files),
                    reason=written(events.digests()),
                )
        except BaseException:
            events.abandon()
            raise
        events.commit()
    return result


def check(
    arguments: Sequence[str],
    settings: Settings,
    lists: ListsInUse,
    *,
    now: dt.datetime,
    only: Sequence[str] = (),
    options: sources.Options | None = None,
    progress: sources.Progress | None = None,
) -> Checked:
    """Check the policy rules over the configuration and whatever evidence is given."""
    rules = _rules(settings, only)
    evidence = pipeline.gather_evidence(
        arguments, settings, index=lists.index(), measure=True, options=options, progress=progress
    )
    facts = gather(
        settings,
        evidence.ledger.files,
        evidence.observed,
        evidence.tables,
        (),
        now,
        evidence.measured,
    )
    return Checked(
        evidence.ledger, tuple(check_rules(facts, tuple(rules.values()), settings.policy, now=now)), rules
    )


def _rules(settings: Settings, only: Sequence[str] = ()) -> dict[str, Rule]:
    rules = read_rules([settings.folder / folder for folder in settings.policy.folders])
    if not only:
        return rules
    from netaudit.errors import UsageError

    unknown = sorted(set(only) - set(rules))
    if unknown:
        raise UsageError(
            "rule-unknown", "There is no rule {name}.", name=unknown[0], hint="See: netaudit rules list"
        )
    return {name: rules[name] for name in only}


def _hidden(result: Scan, pseudonym: Pseudonymiser) -> Scan:
    return replace(
        result,
        findings=tuple(hide_in_finding(f, pseudonym) for f in result.findings),
        traces=tuple(hide_in_trace(t, pseudonym) for t in result.traces),
    )


def _placed(entry: EvidenceFile, folder: Path) -> EvidenceFile:
    """`entry` with its place as seen from the case, so that it is found from anywhere."""
    if not entry.sha256 or "!" in entry.name or entry.name == "-":
        return entry
    return replace(entry, path=os.path.relpath(entry.name, folder))


def _with(
    case: Case, result: Scan, lists: ListsInUse, settings: Settings, now: dt.datetime, folder: Path
) -> Case:
    """The case after a scan; tasks that people already work on stay as they are."""
    return replace(
        case,
        as_of=now,
        findings=result.findings,
        verdicts=result.verdicts,
        traces=result.traces,
        funnel=result.funnel,
        ledger=tuple(_placed(entry, folder) for entry in result.ledger.files),
        lists=lists.versions(),
        tasks=tasks_for(result.findings, _rules(settings).values(), case.tasks),
        segments=tuple((s.id, s.name, ", ".join(s.network)) for s in settings.segment),
    )
