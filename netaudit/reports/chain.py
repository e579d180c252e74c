"""The narrowing and the walk-backs as rows that papers print."""

from __future__ import annotations

import datetime as dt
import ipaddress
from collections.abc import Mapping

from netaudit.attribution.reasons import needed, sentence
from netaudit.attribution.trace import Hop, Outcome, Trace
from netaudit.case.case import Case
from netaudit.case.notice import Clue
from netaudit.records.addresses import in_network, parse_ip
from netaudit.reports.catalogue import Catalogue
from netaudit.reports.chain_boxes import PLACE_KEYS, answer, asked_for, boxes, difference, stable, validity
from netaudit.reports.chain_drawing import draw_chain
from netaudit.reports.vocabulary import FunnelFacts, HopFacts, TraceFacts
from netaudit.reports.words import INTERNAL, Words, defang

MAX_ANSWERS = 5
SHORT_ID = 8
"""Digits of a file's id by which evidence is called where no catalogue numbers it."""


def chain_svg(
    trace: Trace,
    locale: str,
    zone: dt.tzinfo,
    *,
    files: Mapping[str, str] | None = None,
    segments: Mapping[str, str] | None = None,
) -> str:
    """A walk-back drawn, for those inside the house: nothing is masked.

    Args:
        trace: The walk-back; the same gives the same text.
        locale: ``en``, ``zh-CN`` or ``zh-TW``.
        zone: Times are printed in it.
        files: Id of an evidence file to its name; the id's first digits where absent.
        segments: Id of a segment to its name.

    Returns:
        A standalone SVG.
    """
    return draw_chain(boxes(trace, house_catalogue(trace, locale, zone, files=files, segments=segments)))


def house_catalogue(
    trace: Trace,
    locale: str,
    zone: dt.tzinfo,
    *,
    files: Mapping[str, str] | None = None,
    segments: Mapping[str, str] | None = None,
) -> Catalogue:
    """What a trace's evidence and segments are called where there is no case. See `chain_svg`."""
    known = files or {}
    ids = sorted({e.file for hop in trace.hops for c in hop.candidates for e in c.evidence})
    numbers = {id_: known.get(id_) or id_[:SHORT_ID] for id_ in ids}
    named = {id_: name for id_, name in (segments or {}).items() if name}
    return Catalogue(numbers, "", Words(locale, zone, INTERNAL), named)


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
    asked = asked_for(trace, words)
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
        diagram=boxes(trace, catalogue),
    )


def _hop(number: int, hop: Hop, trace: Trace, catalogue: Catalogue) -> HopFacts:
    words = catalogue.words
    shown = [answer(hop, c, words) for c in hop.candidates[:MAX_ANSWERS]]
    more = len(hop.candidates) - len(shown)
    answers = words.joined(shown) + (words.label("phrase", "more", n=more) if more else "")
    first = hop.candidates[0] if hop.candidates else None
    details = [words.masked(v) for c in hop.candidates[:1] for k, v in c.details if k in PLACE_KEYS]
    return HopFacts(
        number=number,
        hop=words.label("hop", hop.hop),
        asked=words.masked(hop.asked),
        outcome=words.label("outcome", hop.outcome),
        held=hop.outcome is Outcome.HELD,
        answer=answers or "—",
        details=words.joined(details) or "—",
        record=validity(first, words) if first else "—",
        difference=difference(first, trace.question, words),
        stable=stable(hop, words),
        ref=catalogue.ref(e for c in hop.candidates[:MAX_ANSWERS] for e in c.evidence) or "—",
    )


def destination(clue: Clue) -> str:
    """What a clue says was visited, defanged."""
    return defang(clue.dst_name or clue.dst_ip)
