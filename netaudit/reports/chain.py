"""The narrowing, the walk-backs and the time-line as rows that papers print."""

from __future__ import annotations

import datetime as dt

from netaudit.attribution.reasons import needed, sentence
from netaudit.attribution.trace import Candidate, Hop, Outcome, Trace
from netaudit.case.case import Case
from netaudit.case.notice import Clue
from netaudit.records.addresses import format_ip, format_mac
from netaudit.reports.catalogue import Catalogue, gaps
from netaudit.reports.document import Bar, Chart, ChartRow, Mark
from netaudit.reports.vocabulary import EventFacts, FunnelFacts, HopFacts, TraceFacts
from netaudit.reports.words import Words, defang

MAX_ANSWERS = 5
MAX_MARKS = 30
PLACE_KEYS = ("segment", "ssid", "ap", "port", "department", "floor", "room", "location")
"""Details of a record that a paper may print; others can name a person."""
_ROWS = {
    "DNS": ("dns",),
    "FLOW": ("flow", "tls", "http", "quic", "proxy"),
    "NAT": ("nat",),
    "DHCP": ("dhcp", "arp"),
    "AUTH": ("radius", "wlan"),
}
_NOTICE = "NOTICE"
_HOP_ROW = {"nat": "NAT", "lease": "DHCP", "station": "AUTH"}


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
    return tuple(_trace(n, t, catalogue, names) for n, t in enumerate(case.traces, 1))


def _trace(number: int, trace: Trace, catalogue: Catalogue, names: dict[str, str]) -> TraceFacts:
    words = catalogue.words
    place = dict(trace.place)
    hops = tuple(_hop(n, h, trace.question.at, catalogue) for n, h in enumerate(trace.hops, 1))
    broken = next((h.hop for h in hops if not h.held), "")
    asked = _asked(trace, words)
    answers = [f"{h.hop} {h.answer}" if h.held else f"{h.hop}【{h.outcome}】" for h in hops]
    segment = place.get("segment", "")
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


def _hop(number: int, hop: Hop, at: dt.datetime, catalogue: Catalogue) -> HopFacts:
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
        difference=_difference(first, at, words),
        stable=_stable(hop, words),
        ref=catalogue.ref(e for c in hop.candidates[:MAX_ANSWERS] for e in c.evidence) or "—",
    )


def _answer(hop: str, candidate: Candidate, words: Words) -> str:
    masked = words.masked(candidate.value)
    if masked != candidate.value or hop in {"nat", "lease"}:
        return masked
    return words.person(candidate.value)


def _difference(candidate: Candidate | None, at: dt.datetime, words: Words) -> str:
    """How the asked moment lies to the record's span."""
    if candidate is None or candidate.start is None:
        return words.label("phrase", "no_record")
    if at < candidate.start:
        return words.label("phrase", "before_record", n=_seconds(candidate.start - at))
    if candidate.end is not None and at > candidate.end:
        return words.label("phrase", "after_record", n=_seconds(at - candidate.end))
    return words.label("phrase", "in_record", n=_seconds(at - candidate.start))


def _seconds(span: dt.timedelta) -> str:
    return f"{span.total_seconds():g}"


def _stable(hop: Hop, words: Words) -> str:
    if hop.outcome is not Outcome.HELD:
        return "—"
    if hop.skew_stable_s is None:
        return words.label("phrase", "unbounded")
    low, high = hop.skew_stable_s
    return words.label("phrase", "stable", low=f"{low:+g}", high=f"{high:+g}")


def destination(clue: Clue) -> str:
    """What a clue says was visited, defanged."""
    return defang(clue.dst_name or clue.dst_ip)


def timeline(
    case: Case, catalogue: Catalogue, problems: dict[str, str]
) -> tuple[Chart | None, tuple[EventFacts, ...]]:
    """The day of the notice's first clue: what the logs cover, and what happened.

    Args:
        case: The case.
        catalogue: Numbers of its evidence.
        problems: Finding id to problem number.
    """
    words = catalogue.words
    clue = next((c for c in case.notice.clues if c.at), None) if case.notice else None
    moment = clue.at if clue else None
    if moment is None and case.traces:
        moment = case.traces[0].question.at
    if moment is None:
        return None, ()
    there = moment.astimezone(words.zone)
    start = there.replace(hour=0, minute=0, second=0, microsecond=0)
    end = start + dt.timedelta(days=1)
    events = sorted(_events(case, catalogue, problems, moment), key=lambda e: (e[0], e[2]))[:MAX_MARKS]
    marked = [(at, f"T{n:02d}", row, text) for n, (at, row, text) in enumerate(events, 1)]
    rows = []
    for label, kinds in _ROWS.items():
        files = [f for f in case.ledger if set(f.kinds) & set(kinds) and f.first and f.last]
        bars = [_clip(f.first, f.last, start, end) for f in files if f.first and f.last]
        bars += [_clip(a, b, start, end, gap=True) for a, b in gaps(files)]
        marks = tuple(Mark(at, mark) for at, mark, row, _ in marked if row == label and start <= at < end)
        kept = tuple(bar for bar in bars if bar is not None)
        if kept or marks:
            rows.append(ChartRow(label, kept, marks))
    legend = tuple(EventFacts(mark, words.moment(at), text) for at, mark, _, text in marked)
    chart = Chart(
        tuple(rows),
        start,
        end,
        moment,
        clue.until if clue else None,
        moment_label=next((mark for _, mark, row, _ in marked if row == _NOTICE), ""),
        timezone=words.zone_name(moment),
        description=words.label("phrase", "chart", day=words.day(moment)),
    )
    return (chart if rows else None), legend


def _clip(
    first: dt.datetime, last: dt.datetime, start: dt.datetime, end: dt.datetime, *, gap: bool = False
) -> Bar | None:
    low, high = max(first, start), min(last, end)
    return Bar(low, high, gap) if low < high else None


def _events(
    case: Case, catalogue: Catalogue, problems: dict[str, str], moment: dt.datetime
) -> list[tuple[dt.datetime, str, str]]:
    """(moment, chart row, words) of the notice, the records of its trace, and first contacts."""
    words = catalogue.words
    found = [(moment, _NOTICE, words.label("phrase", "notice_moment"))]
    for trace in case.traces[:1]:
        found += [
            (
                c.start,
                _HOP_ROW.get(h.hop, ""),
                words.label("phrase", "hop_record", hop=words.label("hop", h.hop)),
            )
            for h in trace.hops
            for c in h.candidates[:1]
            if c.start is not None
        ]
    found += [
        (
            f.first_seen,
            "DNS",
            words.label("phrase", "first_seen", title=f"{problems[f.id]} {defang(f.destination)}"),
        )
        for f in case.findings
        if f.destination and f.first_seen is not None and f.id in problems
    ]
    return found
