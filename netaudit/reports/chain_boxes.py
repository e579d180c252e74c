"""A walk-back as the boxes of a diagram: what was asked, what was found, and where it breaks."""

from __future__ import annotations

import datetime as dt

from netaudit.attribution.reasons import needed, sentence
from netaudit.attribution.trace import Candidate, Hop, HopKind, Outcome, Question, Reach, Reason, Trace
from netaudit.records.addresses import format_ip, format_mac
from netaudit.reports.catalogue import Catalogue
from netaudit.reports.document import Chain, ChainLine, ChainReason, ChainStep, StepKind, visible
from netaudit.reports.words import INTERNAL, Words, defang

MAX_CANDIDATES = 3
"""Answers that a box shows; the others are counted."""
MAX_TEXT = 240
"""Characters of a value that a box shows: a name of 64 kB would be a diagram of pages."""
PLACE_KEYS = ("segment", "ssid", "ap", "port", "department", "floor", "room", "location")
"""Details of a record that a paper may print; others can name a person."""

_KINDS = {Outcome.HELD: StepKind.HELD, Outcome.AMBIGUOUS: StepKind.OPEN}
_OF_HOP: dict[HopKind, frozenset[Reason]] = {
    HopKind.NAT: frozenset(
        {Reason.NO_PORT, Reason.NO_NATLOG, Reason.NAT_AMBIGUOUS, Reason.NOT_OURS, Reason.UPSTREAM_NAT}
    ),
    HopKind.LEASE: frozenset(
        {Reason.LEASE_CONFLICT, Reason.STATIC_IP, Reason.NOT_OURS, Reason.UPSTREAM_NAT}
    ),
    HopKind.STATION: frozenset({Reason.NO_ACCT, Reason.SHARED_ACCOUNT, Reason.SHARED_KEY}),
    HopKind.ASSET: frozenset({Reason.RANDOM_MAC, Reason.ASSET_UNKNOWN}),
    HopKind.PORT: frozenset(),
}
_OF_OUTCOME = {
    Outcome.HELD: frozenset[Reason](),
    Outcome.AMBIGUOUS: frozenset({Reason.CLOCK}),
    Outcome.MISSING: frozenset({Reason.CLOCK}),
    Outcome.NOT_COVERED: frozenset({Reason.LOG_GAP, Reason.RETENTION_EXPIRED}),
}
"""A trace has its reasons as a whole; these say which of them a hop without one answer can have."""
_REACHED: dict[Reach, tuple[tuple[HopKind, str], ...]] = {
    Reach.NOTHING: (),
    Reach.ADDRESS: ((HopKind.NAT, ""),),
    Reach.DEVICE: ((HopKind.ASSET, ""), (HopKind.LEASE, ""), (HopKind.STATION, "")),
    Reach.ACCOUNT: ((HopKind.STATION, "account"),),
    Reach.PERSON: ((HopKind.ASSET, "owner"),),
}
"""Which hop's answer, or detail, a reach comes down to: the first here that held, the last of its kind."""


def boxes(trace: Trace, catalogue: Catalogue) -> Chain:
    """The diagram of a walk-back.

    Args:
        trace: The walk-back.
        catalogue: How its evidence and segments are called, and the voice of the paper: for any
            audience but the house, addresses are masked and only places printed of the records.
    """
    words = catalogue.words
    asked = _shown(asked_for(trace, words))
    reach = words.label("reach", trace.reach)
    hops = [_box(number, hop, trace, catalogue) for number, hop in enumerate(trace.hops, 1)]
    lines = [ChainLine(reach, text, strong=True) for text in _reached(trace, words) if text]
    lines += [ChainLine(words.label("detail", k), _shown(v)) for k, v in place(trace, catalogue)]
    kind = StepKind.LOST if trace.reach is Reach.NOTHING else StepKind.END
    end = ChainStep(kind, words.label("chain", "reach", reach=reach), "", tuple(lines))
    listing = "; " if words.locale == "en" else "；"
    said = listing.join(f"{hop.title}, {hop.state}" for hop in hops)
    return Chain(
        title=words.label("chain", "title", asked=asked),
        steps=(_question(trace, words), *hops, end),
        reasons_title=words.label("chain", "reasons"),
        reasons=tuple(
            ChainReason(
                sentence(r, words.locale),
                words.label("chain", "needed", what=needed(r, words.locale)),
            )
            for r in trace.reasons
        ),
        locale=words.locale,
        description=words.label("chain", "about", asked=asked, steps=said or "—", reach=reach),
    )


def asked_for(trace: Trace, words: Words) -> str:
    """What the question names: the public address with its port, else the inside address or device."""
    question = trace.question
    if question.mac is not None:
        return words.masked(format_mac(question.mac))
    packed = question.public_ip if question.public_ip is not None else question.client_ip
    if packed is None:
        return "—"
    address = format_ip(packed) if question.public_ip is not None else words.masked(format_ip(packed))
    return _with_port(address, question.port)


def place(trace: Trace, catalogue: Catalogue) -> list[tuple[str, str]]:
    """Where it was, as far as known: name of a detail and its text, a segment by what papers call it."""
    words = catalogue.words
    return [
        (key, words.masked(catalogue.named(value) if key == "segment" else value))
        for key, value in trace.place
        if key in PLACE_KEYS and value
    ]


def answer(hop: Hop, candidate: Candidate, words: Words) -> str:
    """What a record names, as the paper may say it."""
    masked = words.masked(candidate.value)
    if masked != candidate.value or hop.hop in {HopKind.NAT, HopKind.LEASE}:
        return masked
    return words.person(candidate.value)


def stable(hop: Hop, words: Words) -> str:
    """Over which errors of the clocks the answer is the same; a dash where there is none."""
    if hop.outcome is not Outcome.HELD:
        return "—"
    if hop.skew_stable_s is None:
        return words.label("phrase", "unbounded")
    low, high = hop.skew_stable_s
    return words.label("phrase", "stable", low=f"{int(low):+d}", high=f"{int(high):+d}")


def validity(candidate: Candidate, words: Words) -> str:
    """From when to when a record holds; a question mark for the end that no record tells."""
    if (candidate.start is None) == (candidate.end is None):
        return words.span(candidate.start, candidate.end)
    return "–".join("?" if at is None else words.stamp(at) for at in (candidate.start, candidate.end))


def difference(candidate: Candidate | None, question: Question, words: Words) -> str:
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


def besides(hop: Hop, candidate: Candidate, catalogue: Catalogue) -> str:
    """What else a record says, in words; of a paper that leaves the house, only places."""
    words = catalogue.words
    kept = [
        (key, value)
        for key, value in candidate.details
        if value
        and value != candidate.value
        and (words.audience == INTERNAL or (hop.hop != HopKind.NAT and key in PLACE_KEYS))
    ]
    said = [
        words.label("detail", "pair", name=words.label("detail", key), value=text)
        for key, text in (_detail(hop, key, value, catalogue) for key, value in kept)
    ]
    return ("; " if words.locale == "en" else "；").join(said)


def because(hop: Hop, trace: Trace, words: Words) -> tuple[str, ...]:
    """Why a hop has not one answer."""
    if hop.outcome is Outcome.HELD:
        return ()
    mine = _OF_HOP[HopKind(hop.hop)] | _OF_OUTCOME[hop.outcome]
    return tuple(sentence(r, words.locale) for r in trace.reasons if r in mine)


def _reached(trace: Trace, words: Words) -> list[str]:
    """What the answer comes down to: the address, device, account or person of the last sure record."""
    for kind, key in _REACHED[trace.reach]:
        for hop in reversed(trace.hops):
            if hop.hop == kind and hop.outcome is Outcome.HELD and hop.candidates:
                first = hop.candidates[0]
                named = dict(first.details).get(key, "")
                return [_shown(words.person(named) if named else answer(hop, first, words))]
    given = trace.reach is Reach.ADDRESS and trace.question.public_ip is None
    return [_shown(asked_for(trace, words))] if given else []


def _detail(hop: Hop, key: str, value: str, catalogue: Catalogue) -> tuple[str, str]:
    words = catalogue.words
    match key:
        case "port" if hop.hop == HopKind.NAT:
            return "client_port", value
        case "destination":
            return key, defang(words.masked(value))
        case "source":
            return key, words.joined([words.label("kind", kind) for kind in value.split()])
        case "segment":
            return key, catalogue.named(value)
        case "transport":
            return key, value.upper()
    return key, words.masked(value)


def _question(trace: Trace, words: Words) -> ChainStep:
    question = trace.question
    word = "device" if question.mac is not None else "address"
    time = words.label(
        "chain",
        "time_in",
        time=words.span(question.at, question.until),
        zone=words.zone_name(question.at),
        skew=f"±{question.skew_s:g}",
    )
    lines = [
        ChainLine(words.label("chain", word), _shown(asked_for(trace, words)), strong=True),
        ChainLine(words.label("chain", "time"), time),
    ]
    destination = " ".join(filter(None, (question.transport.upper(), _destination(question))))
    if destination:
        lines.append(ChainLine(words.label("chain", "destination"), _shown(destination)))
    return ChainStep(StepKind.START, words.label("chain", "question"), "", tuple(lines))


def _destination(question: Question) -> str:
    if question.dst_ip is None:
        return f":{question.dst_port}" if question.dst_port is not None else ""
    return _with_port(defang(format_ip(question.dst_ip)), question.dst_port)


def _with_port(address: str, port: int | None) -> str:
    if port is None:
        return address
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _box(number: int, hop: Hop, trace: Trace, catalogue: Catalogue) -> ChainStep:
    words = catalogue.words
    lines = [ChainLine(words.label("chain", "asked"), _shown(words.masked(hop.asked)))]
    shown = hop.candidates[:MAX_CANDIDATES]
    for n, candidate in enumerate(shown, 1):
        lines += _found(n, hop, candidate, trace.question, catalogue)
    if len(hop.candidates) > len(shown):
        lines.append(ChainLine("", words.label("chain", "more", n=len(hop.candidates) - len(shown))))
    if hop.outcome is Outcome.HELD:
        lines.append(ChainLine(words.label("chain", "clock"), stable(hop, words)))
    lines += [
        ChainLine(words.label("chain", "because") if not n else "", text)
        for n, text in enumerate(because(hop, trace, words))
    ]
    return ChainStep(
        _KINDS.get(hop.outcome, StepKind.BROKEN),
        f"{number} {words.label('hop', hop.hop)}",
        words.label("outcome", hop.outcome),
        tuple(lines),
    )


def _found(
    number: int, hop: Hop, candidate: Candidate, question: Question, catalogue: Catalogue
) -> list[ChainLine]:
    """The lines of one answer."""
    words = catalogue.words
    if hop.outcome is Outcome.HELD:
        label = words.label("chain", "found")
    elif hop.outcome is Outcome.AMBIGUOUS:
        label = words.label("chain", "candidate", n=number)
    else:
        label = words.label("chain", "supposed")
    lines = [ChainLine(label, _shown(answer(hop, candidate, words)) or "—", strong=True)]
    if candidate.start or candidate.end:
        lines.append(ChainLine(words.label("chain", "valid"), validity(candidate, words)))
    if candidate.start and hop.outcome is Outcome.HELD:
        lines.append(ChainLine(words.label("chain", "moment"), difference(candidate, question, words)))
    for word, text in (
        ("details", besides(hop, candidate, catalogue)),
        ("ref", catalogue.ref(candidate.evidence)),
    ):
        if text:
            lines.append(ChainLine(words.label("chain", word), _shown(text)))
    return lines


def _shown(text: str) -> str:
    """A value with nothing invisible in it, and not longer than a box takes."""
    text = visible(text[: MAX_TEXT + 1])
    return text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + "…"
