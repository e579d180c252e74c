"""Findings as numbered problems with the wording and citations of their rules, and the measures."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from netaudit.case.case import Case
from netaudit.case.finding import Finding, FindingKind, Grade
from netaudit.case.rectification import Task, TaskState, tasks_for
from netaudit.policy.citation import Citation, Norm, cite
from netaudit.policy.shape import Rule
from netaudit.policy.verdict import Basis, Outcome, Verdict
from netaudit.policy.words import SEPARATOR, UNKNOWN, in_words
from netaudit.records.addresses import format_ip, parse_ip
from netaudit.reports.catalogue import Catalogue
from netaudit.reports.vocabulary import MeasureFacts, ProblemFacts
from netaudit.reports.words import Words, defang

VERIFY = frozenset({"destination.verify", "finding.verify"})
"""Measures that only ask to look."""
_CAUSES = {
    "segmentation": "direct",
    "dual_homing": "direct",
    "credentials": "management",
    "asset": "management",
    "management": "management",
}
"""Group of a rule to the kind of cause; others are technical."""
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
    brief: str = ""
    """The citation that the body of a paper prints."""
    basis: str = Basis.MEASURED
    cause: str = ""


def problems(
    case: Case, catalogue: Catalogue, rules: Mapping[str, Rule], norms: Mapping[str, Norm]
) -> tuple[ProblemFacts, ...]:
    """The findings as problems, in the order of their numbers."""
    tasks = tasks_of(case, rules)
    known = {f.id: f for f in case.findings}
    passed = _passed(case)
    made = []
    for id_, number in numbered(case).items():
        finding, rule = known[id_], rules.get(known[id_].rule)
        said = _by_rule(finding, rule, case, catalogue, norms) if rule else _by_kind(finding, catalogue)
        measures = [t.id for t in tasks if t.finding == id_]
        about = {finding.subject, *(value for _, value in finding.values)}
        explains = finding.from_notice or (
            finding.kind is FindingKind.POLICY and (not passed or not about.isdisjoint(passed))
        )
        made.append(_problem(finding, number, measures, said, catalogue, explains=explains))
    return tuple(made)


def _passed(case: Case) -> frozenset[str]:
    """What the notice's visits passed: segments, networks, public addresses, their logs, the visits.

    Empty where no walk-back says so; then every problem of a rule may explain the notice.
    """
    places = {value for t in case.traces for key, value in t.place if key in {"segment", "ssid"}}
    if not places:
        return frozenset()
    questions = [t.question for t in case.traces]
    addresses = {format_ip(q.public_ip) for q in questions if q.public_ip is not None}
    sources = {f.source for f in case.ledger if f.source and not places.isdisjoint(f.segments)}
    visits = {
        v.subject
        for v in case.verdicts
        if any(key == "visit" for key, _ in v.values) and v.subject.startswith(tuple(addresses))
    }
    return frozenset(places | addresses | sources | visits)


def _by_rule(
    finding: Finding, rule: Rule, case: Case, catalogue: Catalogue, norms: Mapping[str, Norm]
) -> Wording:
    words = catalogue.words
    verdict = _verdict_of(finding, case, catalogue)
    on = _conduct(finding, case).astimezone(words.zone).date()
    return Wording(
        rule.wording("title", verdict, words.locale),
        rule.wording("finding", verdict, words.locale),
        _cited(rule.cites, on, words, norms),
        _cited_in_brief(rule.cites, on, words, norms),
        verdict.basis,
        "trace" if rule.over == "trace" else _CAUSES.get(rule.group, "technical"),
    )


def _cited(
    citations: Iterable[Citation], on: dt.date, words: Words, norms: Mapping[str, Norm]
) -> tuple[str, ...]:
    """Citations in words; a norm that is cited again is not named again."""
    said: list[str] = []
    before = ""
    for citation in citations:
        if not _wanted(citation.norm, norms, words.locale):
            continue
        text = cite(citation, on, words.locale, norms=norms)
        if citation.norm == before:
            name = cite(Citation(citation.norm), on, words.locale, norms=norms)
            text = text.removeprefix(name.removesuffix(UNKNOWN.in_(words.locale)).rstrip()).lstrip()
        said.append(text)
        before = citation.norm
    return tuple(said)


def _cited_in_brief(
    citations: Iterable[Citation], on: dt.date, words: Words, norms: Mapping[str, Norm]
) -> str:
    """The first confirmed citation, else the first, by the number in force only; whether there are more."""
    wanted = [c for c in citations if _wanted(c.norm, norms, words.locale)]
    said = []
    for citation in wanted:
        norm = norms.get(citation.norm)
        renumbered = norm is not None and norm.renumbered_on is not None and on >= norm.renumbered_on
        said.append(cite(citation, dt.date.max if renumbered else on, words.locale, norms=norms))
    unsure = UNKNOWN.in_(words.locale)
    first = next((text for text in said if not text.endswith(unsure)), said[0] if said else "")
    return words.label("phrase", "among_others", first=first) if len(said) > 1 else first


def _by_kind(finding: Finding, catalogue: Catalogue) -> Wording:
    words = catalogue.words
    if not finding.destination:
        return Wording(words.message(finding.title), words.message(finding.title))
    segment = next((value for key, value in finding.place if key == "segment"), "")
    text = words.label(
        "destination",
        finding.grade or Grade.ASKED,
        subject=words.label(
            "destination",
            "subject_in" if segment else "subject",
            subject=words.masked(finding.subject),
            segment=catalogue.named(segment),
        ),
        destination=defang(finding.destination),
        count=finding.count,
    )
    entry = finding.listed
    listed = words.label("destination", "basis", list=entry.list_id, line=entry.line) if entry else ""
    return Wording(words.label("destination", "title"), text, (listed,) if listed else (), listed)


def _problem(
    finding: Finding,
    number: str,
    measures: list[str],
    said: Wording,
    catalogue: Catalogue,
    *,
    explains: bool,
) -> ProblemFacts:
    words = catalogue.words
    listing = "; " if words.locale == "en" else "；"
    text = words.spoken(said.text)
    total = finding.count if finding.destination else 0
    return ProblemFacts(
        number=number,
        kind=str(finding.kind),
        grade=str(finding.grade or ""),
        explains=explains,
        cause=said.cause,
        rule=finding.rule or "—",
        title=words.spoken(said.title),
        text=text,
        brief=text.rstrip(".。"),
        cites=listing.join(said.cites) or "—",
        cites_brief=said.brief or "—",
        severity=words.label("severity", finding.severity),
        basis=words.label("basis", said.basis),
        source=words.label("source", "notice" if finding.from_notice else "technical"),
        subject=words.spoken(subject_of(finding.subject, catalogue)),
        count=finding.count,
        time=words.span(finding.first_seen, finding.last_seen),
        ref=catalogue.ref(finding.evidence, total) or "—",
        doubts=tuple(words.message(d) for d in finding.doubts),
        measure=words.joined(measures) or "—",
    )


def subject_of(subject: str, catalogue: Catalogue) -> str:
    """What is judged as papers call it; an empty subject is the unit as a whole."""
    words = catalogue.words
    if not subject:
        return words.label("phrase", "unit_whole")
    asked, _, time = subject.rpartition(" ")
    try:
        moment = dt.datetime.fromisoformat(time) if asked else None
    except ValueError:
        moment = None
    if moment is not None and moment.tzinfo is not None:
        return words.label("phrase", "visit", asked=asked, time=words.moment(moment))
    return in_words("what", catalogue.named(subject), words.locale)


def _verdict_of(finding: Finding, case: Case, catalogue: Catalogue) -> Verdict:
    """The verdict behind a policy finding; its values fill the rule's wording."""
    wanted = (finding.rule, finding.subject, Outcome.VIOLATED)
    given = Verdict(finding.rule, Outcome.VIOLATED, finding.subject)
    verdict = next((v for v in case.verdicts if (v.rule, v.subject, v.outcome) == wanted), given)
    values = finding.values or verdict.values
    return replace(verdict, values=tuple((key, _said(key, value, catalogue)) for key, value in values))


def _said(key: str, value: str, catalogue: Catalogue) -> str:
    """A value as a paper says it: ids by their names, lists of addresses masked, each once."""
    if key in {"segment", "source", "visit"}:
        return subject_of(value, catalogue) if value else value
    parts = value.split(SEPARATOR)
    if len(parts) > 1 and all(parse_ip(part) is not None or part == "…" for part in parts):
        return catalogue.words.joined(list(dict.fromkeys(map(catalogue.words.masked, parts))))
    return value


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
            text=measure_text(t, known.get(t.finding), case, catalogue, rules),
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


def measure_text(
    task: Task, finding: Finding | None, case: Case, catalogue: Catalogue, rules: Mapping[str, Rule]
) -> str:
    """A rule's action in words, or what people wrote."""
    words = catalogue.words
    rule_id, _, part = task.measure.rpartition(".")
    if part == "action" and rule_id in rules:
        verdict = _verdict_of(finding, case, catalogue) if finding else Verdict(rule_id, Outcome.VIOLATED)
        return words.spoken(rules[rule_id].wording("action", verdict, words.locale))
    if task.measure in VERIFY:
        return words.label("measure", "verify")
    return words.masked(task.measure)
