"""The time-line: which log covers when, where it is silent, and the moments that matter."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from netaudit.case.case import Case
from netaudit.case.finding import Finding, Grade
from netaudit.records.evidence import EvidenceFile
from netaudit.reports.catalogue import Catalogue, gaps, silences
from netaudit.reports.document import Bar, Chart, ChartRow, Mark
from netaudit.reports.vocabulary import EventFacts
from netaudit.reports.words import Words, defang

MAX_MARKS = 30
MAX_ROWS = 16
MAX_DAYS = 31
_ROWS = {
    "NAT": ("nat",),
    "DHCP": ("dhcp", "arp"),
    "AUTH": ("radius", "wlan"),
    "DNS": ("dns",),
    "FLOW": ("flow", "tls", "http", "quic", "proxy"),
}
_NOTICE = "NOTICE"
_HOP_ROW = {"nat": "NAT", "lease": "DHCP", "station": "AUTH"}
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a paper shows of the time: each mark is in the chart of its day, or else in the overview."""

    day: Chart | None = None
    overview: Chart | None = None
    events: tuple[EventFacts, ...] = ()


@dataclass(frozen=True, slots=True)
class _Event:
    at: dt.datetime
    row: str
    file: str
    """The file that shows it, or empty."""
    text: str


@dataclass(frozen=True, slots=True)
class _Log:
    """A row of the charts."""

    label: str
    kind: str
    files: tuple[EvidenceFile, ...]
    silent: tuple[tuple[dt.datetime, dt.datetime], ...]


def timeline(case: Case, catalogue: Catalogue, problems: dict[str, str]) -> Drawn:
    """The day of the notice's first clue, all the days of the logs, and the marks of both.

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
        return Drawn()
    events = sorted(_events(case, catalogue, problems, moment), key=lambda e: (e.at, e.text))[:MAX_MARKS]
    marked = [(f"T{n:02d}", event) for n, event in enumerate(events, 1)]
    logs = _logs(case, catalogue)
    until = clue.until if clue else None
    label = next((mark for mark, event in marked if event.row == _NOTICE), "")

    def chart(start: dt.datetime, end: dt.datetime, marks: list[tuple[str, _Event]], about: str) -> Chart:
        rows = tuple(row for log in logs if (row := _row(log, start, end, marks)) is not None)
        return Chart(rows, start, end, moment, until, label, words.zone_name(start), about)

    start = _midnight(moment, words)
    today = [(m, e) for m, e in marked if start <= e.at < start + _DAY]
    day = chart(start, start + _DAY, today, words.label("phrase", "chart", day=words.day(moment)))
    first, end = _days(case, moment, words)
    others = [(m, e) for m, e in marked if not start <= e.at < start + _DAY]
    about = words.label("phrase", "overview", first=words.day(first), last=words.day(end - _DAY))
    overview = chart(first, end, others, about) if end - first > _DAY else None
    return Drawn(
        day if day.rows else None,
        overview if overview and overview.rows else None,
        tuple(EventFacts(mark, words.stamp(e.at), e.text) for mark, e in marked),
    )


def _midnight(at: dt.datetime, words: Words) -> dt.datetime:
    return at.astimezone(words.zone).replace(hour=0, minute=0, second=0, microsecond=0)


def _days(case: Case, moment: dt.datetime, words: Words) -> tuple[dt.datetime, dt.datetime]:
    """First midnight and last, of all the days that the logs cover; at most `MAX_DAYS` around `moment`."""
    times = [t for f in case.ledger for t in (f.first, f.last) if t] + [moment]
    half = dt.timedelta(days=MAX_DAYS // 2)
    first = max(_midnight(min(times), words), _midnight(moment, words) - half)
    last = min(_midnight(max(times), words), _midnight(moment, words) + half)
    return first, last + _DAY


def _logs(case: Case, catalogue: Catalogue) -> list[_Log]:
    """One row per kind and source; per kind alone where that would be too many."""
    found: dict[str, list[tuple[dt.datetime, dt.datetime]]] = {}
    for source, start, end in silences(case):
        found.setdefault(source, []).append((start, end))
    for by_source in (True, False):
        rows: list[_Log] = []
        for label, kinds in _ROWS.items():
            files = [f for f in case.ledger if set(f.kinds) & set(kinds) and f.first and f.last]
            groups: dict[str, list[EvidenceFile]] = {}
            for f in files:
                groups.setdefault(f.source if by_source else "", []).append(f)
            for mine in groups.values():
                silent = [span for s in sorted({f.source for f in mine}) for span in found.get(s, [])]
                ref = _numbers(sorted(catalogue.numbers[f.id] for f in mine))
                rows.append(_Log(f"{label} {ref}", label, tuple(mine), (*gaps(mine), *silent)))
        if len(rows) <= MAX_ROWS:
            break
    return rows


def _numbers(refs: list[str]) -> str:
    """ASCII, as labels of charts are."""
    return refs[0] if len(refs) == 1 else f"{refs[0]}..{refs[-1]}"


def _row(
    log: _Log, start: dt.datetime, end: dt.datetime, marks: list[tuple[str, _Event]]
) -> ChartRow | None:
    bars = [_clip(f.first, f.last, start, end) for f in log.files if f.first and f.last]
    bars += [_clip(a, b, start, end, gap=True) for a, b in log.silent]
    kept = tuple(bar for bar in bars if bar is not None)
    ids = {f.id for f in log.files}
    mine = tuple(Mark(e.at, m) for m, e in marks if e.row == log.kind and (not e.file or e.file in ids))
    return ChartRow(log.label, kept, mine) if kept or mine else None


def _clip(
    first: dt.datetime, last: dt.datetime, start: dt.datetime, end: dt.datetime, *, gap: bool = False
) -> Bar | None:
    low, high = max(first, start), min(last, end)
    return Bar(low, high, gap) if low < high else None


def _events(
    case: Case, catalogue: Catalogue, problems: dict[str, str], moment: dt.datetime
) -> list[_Event]:
    """The notice, the records of its trace, and first contacts."""
    words = catalogue.words
    known = {f.id: f for f in case.ledger}
    found = [_Event(moment, _NOTICE, "", words.label("phrase", "notice_moment"))]
    for trace in case.traces[:1]:
        for hop in trace.hops:
            for candidate in hop.candidates[:1]:
                if candidate.start is not None:
                    text = words.label("phrase", "hop_record", hop=words.label("hop", hop.hop))
                    file = next((e.file for e in candidate.evidence), "")
                    found.append(_Event(candidate.start, _HOP_ROW.get(hop.hop, ""), file, text))
    for finding in case.findings:
        if finding.destination and finding.first_seen is not None and finding.id in problems:
            row = _row_of(finding)
            files = [e.file for e in finding.evidence if e.file in known]
            file = next((f for f in files if set(known[f].kinds) & set(_ROWS[row])), "")
            title = f"{problems[finding.id]} {defang(finding.destination)}"
            text = words.label("phrase", "first_seen", title=title)
            found.append(_Event(finding.first_seen, row, file, text))
    return found


def _row_of(finding: Finding) -> str:
    return "DNS" if finding.grade in {None, Grade.ASKED, Grade.ANSWERED} else "FLOW"
