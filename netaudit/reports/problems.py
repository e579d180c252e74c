"""Findings as numbered problems with the wording and citations of their rules, and the measures."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace

from netaudit.case.case import Case
from netaudit.case.finding import Finding, FindingKind, Grade
from netaudit.case.rectification import Task, TaskState, tasks_for
from netaudit.policy.citation import Citation, Norm, cite
from netaudit.policy.shape import Rule
from netaudit.policy.verdict import Basis, Outcome, Verdict
from netaudit.policy.words import UNKNOWN
from netaudit.reports.catalogue import Catalogue
from netaudit.reports.vocabulary import MeasureFacts, ProblemFacts, UnknownFacts
from netaudit.reports.words import Words, defang

_KIND_ORDER = (FindingKind.POLICY, FindingKind.NETWORK, FindingKind.DESTINATION)


def numbered(case: Case) -> dict[str, str]:
    """Finding id to problem number: the visit of the notice first, then by kind, gravity and rule."""
    ordered = sorted(
        case.findings,
        key=lambda f: (
            not f.from_notice,
            _KIND_ORDER.index(f.kind),
            -f.severity.rank,
            f.rule,
            f.subject,
            f.id,
        ),
    )
    return {f.id: f"P{n:02d}" for n, f in enumerate(ordered, 1)}


@dataclass(frozen=True, slots=True)
class Wording:
    """What a problem says."""

    title: str
    text: str
    cites: tuple[str, ...] = ()
    basis: str = Basis.MEASURED


def problems(
    case: Case, catalogue: Catalogue, rules: Mapping[str, Rule], norms: Mapping[str, Norm]
) -> tuple[ProblemFacts, ...]:
    """The findings as problems, in the order of their numbers."""
    words = catalogue.words
    tasks = tasks_of(case, rules)
    known = {f.id: f for f in case.findings}
    made = []
    for id_, number in numbered(case).items():
        finding, rule = known[id_], rules.get(known[id_].rule)
        said = _by_rule(finding, rule, case, words, norms) if rule else _by_kind(finding, words)
        measures = [t.id for t in tasks if t.finding == id_]
        made.append(_problem(finding, number, measures, said, catalogue))
    return tuple(made)


def _by_rule(finding: Finding, rule: Rule, case: Case, words: Words, norms: Mapping[str, Norm]) -> Wording:
    verdict = _verdict_of(finding, case)
    on = _conduct(finding, case).astimezone(words.zone).date()
    return Wording(
        rule.wording("title", verdict, words.locale),
        rule.wording("finding", verdict, words.locale),
        _cited(rule, on, words, norms),
        verdict.basis,
    )


def _cited(rule: Rule, on: dt.date, words: Words, norms: Mapping[str, Norm]) -> tuple[str, ...]:
    """The rule's citations; a norm that is cited again is not named again."""
    said: list[str] = []
    before = ""
    for citation in rule.cites:
        if not _wanted(citation.norm, norms, words.locale):
            continue
        text = cite(citation, on, words.locale, norms=norms)
        if citation.norm == before:
            name = cite(Citation(citation.norm), on, words.locale, norms=norms)
            text = text.removeprefix(name.removesuffix(UNKNOWN.in_(words.locale)).rstrip()).lstrip()
        said.append(text)
        before = citation.norm
    return tuple(said)


def _by_kind(finding: Finding, words: Words) -> Wording:
    if not finding.destination:
        return Wording(words.message(finding.title), words.message(finding.title))
    text = words.label(
        "destination",
        finding.grade or Grade.ASKED,
        subject=words.masked(finding.subject),
        destination=defang(finding.destination),
        count=finding.count,
    )
    entry = finding.listed
    listed = words.label("destination", "basis", list=entry.list_id, line=entry.line) if entry else ""
    return Wording(words.label("destination", "title"), text, (listed,) if listed else ())


def _problem(
    finding: Finding, number: str, measures: list[str], said: Wording, catalogue: Catalogue
) -> ProblemFacts:
    words = catalogue.words
    return ProblemFacts(
        number=number,
        kind=str(finding.kind),
        rule=finding.rule or "—",
        title=words.spoken(said.title),
        text=words.spoken(said.text),
        cites=("; " if words.locale == "en" else "；").join(said.cites) or "—",
        severity=words.label("severity", finding.severity),
        basis=words.label("basis", said.basis),
        source=words.label("source", "notice" if finding.from_notice else "technical"),
        subject=words.masked(finding.subject) or words.label("phrase", "unit_whole"),
        count=finding.count,
        time=words.span(finding.first_seen, finding.last_seen),
        ref=catalogue.ref(finding.evidence) or "—",
        doubts=tuple(words.message(d) for d in finding.doubts),
        measure=words.joined(measures) or "—",
    )


def _verdict_of(finding: Finding, case: Case) -> Verdict:
    """The verdict behind a policy finding; its values fill the rule's wording."""
    wanted = (finding.rule, finding.subject, Outcome.VIOLATED)
    given = Verdict(finding.rule, Outcome.VIOLATED, finding.subject)
    verdict = next((v for v in case.verdicts if (v.rule, v.subject, v.outcome) == wanted), given)
    names = {id_: name for id_, name, _ in case.segments if name}
    values = finding.values or verdict.values
    return replace(verdict, values=tuple((k, names.get(v, v) if k == "segment" else v) for k, v in values))


def _conduct(finding: Finding, case: Case) -> dt.datetime:
    """The date by which the law is cited: of the conduct, else of the notice's visit, else of the case."""
    visits = [c.at for c in case.notice.clues if c.at] if case.notice else []
    return finding.last_seen or (visits[0] if visits else case.opened_at)


def _wanted(norm: str, norms: Mapping[str, Norm], locale: str) -> bool:
    """A Chinese paper cites Chinese norms; others cite all."""
    return not locale.startswith("zh") or norm not in norms or norms[norm].language.startswith("zh")


def tasks_of(case: Case, rules: Mapping[str, Rule]) -> tuple[Task, ...]:
    """The case's tasks; where nobody has opened the ledger yet, what is proposed."""
    numbers = numbered(case)
    ordered = sorted(case.findings, key=lambda f: numbers[f.id])
    return case.tasks or tasks_for(ordered, rules.values())


def measures(case: Case, catalogue: Catalogue, rules: Mapping[str, Rule]) -> tuple[MeasureFacts, ...]:
    """The rectification ledger's rows."""
    words = catalogue.words
    numbers = numbered(case)
    known = {f.id: f for f in case.findings}
    today = case.as_of.astimezone(words.zone).date()
    return tuple(
        MeasureFacts(
            number=t.id,
            problem=numbers.get(t.finding, "—"),
            text=_measure_text(t, known.get(t.finding), case, words, rules),
            owner=words.person(t.owner),
            department=t.department,
            due=words.day(t.due) if t.due else "",
            state=str(t.state),
            state_label=words.label("state", t.state),
            done=words.moment(t.done_at) if t.done_at and t.state in _DONE else "",
            ref=words.joined(list(t.evidence)),
            overdue=t.overdue(today),
        )
        for t in tasks_of(case, rules)
    )


_DONE = frozenset({TaskState.IN_REVIEW, TaskState.CLOSED, TaskState.STANDING})


def _measure_text(
    task: Task, finding: Finding | None, case: Case, words: Words, rules: Mapping[str, Rule]
) -> str:
    """A rule's action in words, or what people wrote."""
    rule_id, _, part = task.measure.rpartition(".")
    if part == "action" and rule_id in rules:
        verdict = _verdict_of(finding, case) if finding else Verdict(rule_id, Outcome.VIOLATED)
        return words.spoken(rules[rule_id].wording("action", verdict, words.locale))
    if task.measure in {"destination.verify", "finding.verify"}:
        return words.label("measure", "verify")
    return words.masked(task.measure)


def unknowns(case: Case, words: Words, rules: Mapping[str, Rule]) -> tuple[UnknownFacts, ...]:
    """Rules that could not be judged, each with the data that are missing."""
    wanted = (Outcome.CANNOT_TELL, Outcome.MANUAL)
    return tuple(
        UnknownFacts(
            rule=v.rule,
            title=rules[v.rule].wording("title", v, words.locale) if v.rule in rules else v.rule,
            subject=words.masked(v.subject) or words.label("phrase", "unit_whole"),
            because=words.spoken(
                rules[v.rule].wording("because", v, words.locale)
                if v.rule in rules and v.because
                else words.message(v.because)
            )
            or "—",
        )
        for v in case.verdicts
        if v.outcome in wanted
    )
