"""`facts_for`: the case as the values that templates name (`vocabulary.Facts`)."""

from __future__ import annotations

from collections.abc import Mapping

from netaudit.case.case import Case
from netaudit.case.notice import Clue, Notice
from netaudit.case.rectification import TaskState
from netaudit.intake.times import parse_zone
from netaudit.policy.citation import Norm, read_norms
from netaudit.policy.observed import PRIVATE
from netaudit.policy.shape import Rule
from netaudit.records.addresses import format_ip, parse_network
from netaudit.reports import catalogue as evidence
from netaudit.reports import chain, digest, timeline
from netaudit.reports import problems as found
from netaudit.reports.catalogue import Catalogue
from netaudit.reports.vocabulary import (
    CaseFacts,
    ClueFacts,
    CountFacts,
    Facts,
    MeasureFacts,
    NoticeFacts,
    ProblemFacts,
    SegmentFacts,
    StatementFacts,
    UnknownFacts,
)
from netaudit.reports.words import Words, defang


def words_for(case: Case, locale: str, audience: str) -> Words:
    """The voice of a paper about `case`."""
    clues = case.notice.clues if case.notice else ()
    ours = {c.public_ip for c in clues if c.public_ip}
    ours |= {format_ip(t.question.public_ip) for t in case.traces if t.question.public_ip is not None}
    networks = {text.strip() for _, _, texts in case.segments for text in texts.split(",") if text.strip()}
    inside = (*PRIVATE, *(parse_network(text) for text in sorted(networks)))
    return Words(locale, parse_zone(case.timezone or "UTC"), audience, inside, frozenset(ours))


def facts_for(
    case: Case,
    locale: str,
    audience: str,
    *,
    rules: Mapping[str, Rule] | None = None,
    norms: Mapping[str, Norm] | None = None,
) -> Facts:
    """Everything that a template may name.

    Args:
        case: The case.
        locale: ``en``, ``zh-CN`` or ``zh-TW``.
        audience: ``regulator`` (inside addresses masked) or ``internal``.
        rules: Rules by id; the shipped ones where absent.
        norms: Norms by id; the shipped ones where absent.

    Raises:
        ConfigError: The case's time zone does not exist.
        RuleError, NormError: A rule or norm file that does not load.
    """
    if rules is None:
        from netaudit.policy.rule import read_rules

        rules = read_rules()
    norms = read_norms() if norms is None else norms
    words = words_for(case, locale, audience)
    catalogue = evidence.catalogue_of(case, words)
    problems = found.problems(case, catalogue, rules, norms)
    measures = found.measures(case, catalogue, rules)
    unknowns = digest.unknowns(case, catalogue, rules)
    drawn = timeline.timeline(case, catalogue, found.numbered(case))
    return Facts(
        unit=case.unit,
        superior=case.superior,
        audience=audience,
        case=CaseFacts(
            case.id,
            case.title,
            words.moment(case.opened_at),
            words.day(case.as_of),
            words.zone_name(case.as_of),
            case.tool_version,
        ),
        notice=_notice(case.notice, catalogue) if case.notice else None,
        traces=chain.traces(case, catalogue),
        funnel=chain.funnel(case, catalogue),
        problems=problems,
        measures=measures,
        themes=digest.themes(case, measures, rules, words),
        others=digest.others(problems, words),
        doubts=digest.doubts(problems, words),
        unknowns=unknowns,
        sources=evidence.sources(case, catalogue),
        limits=evidence.limits(case, catalogue),
        lists=evidence.lists(case, words),
        exhibits=evidence.exhibits(case, catalogue),
        events=drawn.events,
        statements=tuple(
            StatementFacts(
                str(s.kind),
                words.label("statement", s.kind),
                words.masked(s.text),
                words.person(s.by),
                words.moment(s.at),
                catalogue.ref(s.evidence) or "—",
            )
            for s in case.statements
        ),
        segments=tuple(SegmentFacts(id_, name or id_, networks) for id_, name, networks in case.segments),
        count=_counts(case, problems, measures, unknowns),
        chart=drawn.day,
        overview=drawn.overview,
    )


def _counts(
    case: Case,
    problems: tuple[ProblemFacts, ...],
    measures: tuple[MeasureFacts, ...],
    unknowns: tuple[UnknownFacts, ...],
) -> CountFacts:
    closed = sum(m.state in {TaskState.CLOSED, TaskState.STANDING} for m in measures)
    proposed = sum(m.state == TaskState.UNCLAIMED for m in measures)
    return CountFacts(
        problems=len(problems),
        policy_problems=sum(p.kind == "policy" for p in problems),
        measures=len(measures),
        measures_closed=closed,
        measures_proposed=proposed,
        measures_open=len(measures) - closed - proposed,
        unknowns=sum(not u.by_hand for u in unknowns),
        by_hand=sum(u.by_hand for u in unknowns),
        sources=len(case.ledger),
        records=sum(f.records for f in case.ledger),
        segments=len(case.segments),
        funnel_first=case.funnel[0].count if case.funnel else 0,
        funnel_last=case.funnel[-1].count if case.funnel else 0,
    )


def _notice(notice: Notice, catalogue: Catalogue) -> NoticeFacts:
    words = catalogue.words
    received = words.day(notice.received_at) if notice.received_at else ""
    return NoticeFacts(
        issuer=notice.issuer,
        number=notice.number,
        subject=notice.subject,
        issued=words.day(notice.issued_on) if notice.issued_on else "",
        received=words.moment(notice.received_at) if notice.received_at else "",
        received_day=received,
        due=words.day(notice.due) if notice.due else "",
        due_text=notice.due_text,
        file=evidence.base_name(notice.file_name, words) if notice.file_name else "",
        ref=catalogue.letter or "—",
        clues=tuple(_clue(n, c, words) for n, c in enumerate(notice.clues, 1)),
        missing=tuple(words.message(m) for m in notice.missing),
        assumptions=tuple(words.message(m) for m in notice.assumptions),
    )


def _clue(number: int, clue: Clue, words: Words) -> ClueFacts:
    return ClueFacts(
        number=number,
        time=words.moment(clue.at, clue.precision_s) if clue.at else "",
        precision=words.label("precision", str(clue.precision_s)) if clue.precision_s else "",
        zone_stated=clue.zone_stated,
        public_ip=clue.public_ip,
        port=str(clue.port) if clue.port is not None else "",
        transport=clue.transport.upper(),
        destination=chain.destination(clue),
        destination_ip=defang(clue.dst_ip) if clue.dst_ip else "",
        destination_port=str(clue.dst_port) if clue.dst_port is not None else "",
        missing=tuple(words.message(m) for m in clue.missing),
    )
