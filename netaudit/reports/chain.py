"""The narrowing and the walk-backs as rows that papers print."""

from __future__ import annotations

import datetime as dt
import ipaddress

from netaudit.attribution.reasons import needed, sentence
from netaudit.attribution.trace import Candidate, Hop, Outcome, Question, Trace
from netaudit.case.case import Case
from netaudit.case.notice import Clue
from netaudit.records.addresses import format_ip, format_mac, in_network, parse_ip
from netaudit.reports.catalogue import Catalogue
from netaudit.reports.vocabulary import FunnelFacts, HopFacts, TraceFacts
from netaudit.reports.words import Words, defang

MAX_ANSWERS = 5
PLACE_KEYS = ("segment", "ssid", "ap", "port", "department", "floor", "room", "location")
"""Details of a record that a paper may print; others can name a person."""


def funnel(case: Case, catalogue: Catalogue) -> tuple[FunnelFacts, ...]:
    """The steps of the narrowing, in their order."""
    words = catalogue.words
    return tuple(
        FunnelFacts(
            n,
            words.label("funnel", s.step),
            s.count,
            words.message(s.basis),
            catalogue.files(s.files) or "—",
            words.joined(list(dict.fromkeys(words.masked(a) for a in s.kept))) or "—",
        )
        for n, s in enumerate(case.funnel, 1)
    )


def traces(case: Case, catalogue: Catalogue) -> tuple[TraceFacts, ...]:
    """The walk-backs of the notice's clues."""
    names = {id_: name for id_, name, _ in case.segments}
    return tuple(
        _trace(n, t, catalogue, names, _online(case, t) if n == 1 else "")
        for n, t in enumerate(case.traces, 1)
    )


def _online(case: Case, trace: Trace) -> str:
    """How many addresses of the trace's segment had a translation within the time searched."""
    segment = dict(trace.place).get("segment", "")
    networks = next((text for id_, _, text in case.segments if id_ == segment), "").split(", ")
    step = next((s for s in case.funnel if s.step == "nat"), None)
    if step is None or len(step.kept) != step.count:
        return ""
    inside = sum(
        packed is not None and any(in_network(packed, ipaddress.ip_network(n)) for n in networks if n)
        for packed in map(parse_ip, step.kept)
    )
    return str(inside or "")


def _trace(
    number: int, trace: Trace, catalogue: Catalogue, names: dict[str, str], online: str
) -> TraceFacts:
    words = catalogue.words
    place = dict(trace.place)
    hops = tuple(_hop(n, h, trace, catalogue) for n, h in enumerate(trace.hops, 1))
    broken = next((h.hop for h in hops if not h.held), "")
    asked = _asked(trace, words)
    answers = [f"{h.hop} {h.answer}" if h.held else f"{h.hop}【{h.outcome}】" for h in hops]
    segment = place.get("segment", "")
    listing = "; " if words.locale == "en" else "；"
    return TraceFacts(
        number=number,
        time=words.moment(trace.question.at),
        asked=asked,
        reach=str(trace.reach),
        reach_label=words.label("reach", trace.reach),
        first_broken=broken,
        place=words.joined([words.masked(v) for k, v in trace.place if k in PLACE_KEYS]),
        segment=names.get(segment) or segment,
        ssid=place.get("ssid", ""),
        hops=hops,
        reasons=tuple(sentence(r, words.locale) for r in trace.reasons),
        wanted=tuple(needed(r, words.locale) for r in trace.reasons),
        chain=" → ".join([asked, *answers]),
        because=listing.join(sentence(r, words.locale).rstrip(".。") for r in trace.reasons),
        online=online,
    )


def _asked(trace: Trace, words: Words) -> str:
    question = trace.question
    if question.public_ip is not None:
        address = format_ip(question.public_ip)
        port = f":{question.port}" if question.port is not None else ""
        return (f"[{address}]" if port and ":" in address else address) + port
    if question.client_ip is not None:
        return words.masked(format_ip(question.client_ip))
    return words.masked(format_mac(question.mac)) if question.mac is not None else "—"


def _hop(number: int, hop: Hop, trace: Trace, catalogue: Catalogue) -> HopFacts:
    words = catalogue.words
    shown = [_answer(hop.hop, c, words) for c in hop.candidates[:MAX_ANSWERS]]
    more = len(hop.candidates) - len(shown)
    answer = words.joined(shown) + (words.label("phrase", "more", n=more) if more else "")
    first = hop.candidates[0] if hop.candidates else None
    details = [words.masked(v) for c in hop.candidates[:1] for k, v in c.details if k in PLACE_KEYS]
    return HopFacts(
        number=number,
        hop=words.label("hop", hop.hop),
        asked=words.masked(hop.asked),
        outcome=words.label("outcome", hop.outcome),
        held=hop.outcome is Outcome.HELD,
        answer=answer or "—",
        details=words.joined(details) or "—",
        record=words.span(first.start, first.end) if first else "—",
        difference=_difference(first, trace.question, words),
        stable=_stable(hop, words),
        ref=catalogue.ref(e for c in hop.candidates[:MAX_ANSWERS] for e in c.evidence) or "—",
    )


def _answer(hop: str, candidate: Candidate, words: Words) -> str:
    masked = words.masked(candidate.value)
    if masked != candidate.value or hop in {"nat", "lease"}:
        return masked
    return words.person(candidate.value)


def _difference(candidate: Candidate | None, question: Question, words: Words) -> str:
    """How the asked moment, or the span that the notice's precision leaves, lies to the record's."""
    at = question.at
    if candidate is None or candidate.start is None:
        return words.label("phrase", "no_record")
    if question.until is not None and at <= candidate.start < question.until:
        return words.label("phrase", "in_window", n=_seconds(candidate.start - at))
    if at < candidate.start:
        return words.label("phrase", "before_record", n=_seconds(candidate.start - at))
    if candidate.end is not None and at > candidate.end:
        return words.label("phrase", "after_record", n=_seconds(at - candidate.end))
    return words.label("phrase", "in_record", n=_seconds(at - candidate.start))


def _seconds(span: dt.timedelta) -> str:
    return f"{round(span.total_seconds(), 1):g}"


def _stable(hop: Hop, words: Words) -> str:
    if hop.outcome is not Outcome.HELD:
        return "—"
    if hop.skew_stable_s is None:
        return words.label("phrase", "unbounded")
    low, high = hop.skew_stable_s
    return words.label("phrase", "stable", low=f"{int(low):+d}", high=f"{int(high):+d}")


def destination(clue: Clue) -> str:
    """What a clue says was visited, defanged."""
    return defang(clue.dst_name or clue.dst_ip)
