"""Graded hits to destination findings: one per client device and destination."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.attribution import Answers, Logs, Questions, walk
from netaudit.attribution.columns import SECOND, codes_of, combine, dense
from netaudit.attribution.packed import Packed
from netaudit.attribution.questions import ABSENT
from netaudit.attribution.trace import HopKind, Outcome, Question, Trace
from netaudit.attribution.walk import HELD
from netaudit.case.finding import (
    EVIDENCE_CAP,
    Finding,
    FindingKind,
    Grade,
    ListEntry,
    Severity,
    finding_id,
)
from netaudit.case.notice import Clue, Notice
from netaudit.matching.index import IndicatorIndex
from netaudit.records.addresses import format_ip, parse_ip
from netaudit.records.evidence import Evidence
from netaudit.records.moments import moment

UNTIMED = np.iinfo(np.int64).min

LOOK_UP_ONLY = "Only a look-up was seen; a look-up is not a visit (browsers look names up in advance)."
ADDRESS_ONLY = "The listing is of the address; other names may be served there."
ANSWER_ONLY = "The listing is of a name or address in the answer, not of the name that was asked for."
NO_PAYLOAD = "A connection was seen, but not that data came back."
ATTEMPT_ONLY = "Only an attempt to connect was seen; no connection came about."
NO_TIME = "Some of these records carry no usable time."
SHORT_OF_NOTICE = (
    "It fits the notice's destination and time, but the notice cannot be traced to this one client."
)


_NEEDED = (
    "client_ip",
    "server_ip",
    "destination",
    "grade",
    "entry",
    "field",
    "kind",
    "file",
    "ordinal",
    "flow_file",
    "flow_ordinal",
)
_Cells = dict[str, list[Any]]
"""Columns of some rows as lists; ts in nanoseconds."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """The walk-back of all hits."""

    answers: Answers
    questions: Questions
    of_row: np.ndarray
    """The question of each row; -1 where its client or time is not known."""
    client: np.ndarray
    """Code of each row's client, -1 for none."""
    site: np.ndarray
    """Code of each row's site among `sites`, -1 for none."""
    sites: np.ndarray
    skew_s: float

    def devices(self) -> np.ndarray:
        """A code for each row's device; -1 where none holds the address alone."""
        held = self.answers.outcome(HopKind.LEASE) == HELD
        device = np.append(np.where(held, self.answers.walks.mac.low.astype(np.int64), -1), -1)
        found: np.ndarray = device[self.of_row]
        return found

    def trace(self, number: int) -> Trace | None:
        """A question's answer in words; None for -1."""
        if number < 0:
            return None
        asked = self.questions
        question = Question(
            at=moment(int(asked.low[number])),
            client_ip=asked.client.value(number),
            skew_s=self.skew_s,
            site=str(asked.site[number]),
        )
        return self.answers.trace(number, question)


def destination_findings(
    graded: pa.Table,
    index: IndicatorIndex,
    logs: Logs,
    *,
    notice: Notice | None,
    notice_traces: Sequence[Trace],
    skew_s: float,
) -> tuple[Finding, ...]:
    """Findings, gravest first, then by time.

    Args:
        graded: Hits with their grades (`grading.grade`).
        index: The lists, for what each hit's entry says.
        logs: For the walk-back of each client.
        notice: The letter, where there is one.
        notice_traces: The walk-back of its clues.
        skew_s: Clock error allowed, seconds.
    """
    if not graded.num_rows:
        return ()
    asked = _trace_rows(graded, logs, skew_s)
    named = _NoticeView(notice, notice_traces, skew_s)
    cells = _cells(graded)
    findings = [
        _finding(
            {name: [column[r] for r in rows] for name, column in cells.items()},
            site,
            asked.trace(trace),
            index,
            named,
        )
        for rows, site, trace in _groups(graded, asked)
    ]
    return tuple(sorted(findings, key=_order))


def _cells(graded: pa.Table) -> _Cells:
    """What findings need of the rows, as lists: taking many small groups out of Arrow is slow."""
    cells: _Cells = {name: graded.column(name).to_pylist() for name in _NEEDED}
    cells["ts"] = graded.column("ts").cast(pa.int64()).to_pylist()
    return cells


def _order(finding: Finding) -> tuple[object, ...]:
    first = finding.first_seen.timestamp() if finding.first_seen else 0.0
    return (not finding.from_notice, -finding.severity.rank, first, finding.id)


def _trace_rows(graded: pa.Table, logs: Logs, skew_s: float) -> _Asked:
    """The walk-back of every row's client at its own time; equal questions are asked once."""
    ts = pc.fill_null(graded.column("ts").cast(pa.int64()), UNTIMED).to_numpy()
    client, values = codes_of(graded.column("client_ip").combine_chunks())
    site, sites = _sites(graded, client)
    rows = np.flatnonzero((client >= 0) & (ts != UNTIMED))
    same = combine(client[rows], site[rows], ts[rows] - ts[rows].min(initial=0))
    _, first, number = np.unique(same, return_index=True, return_inverse=True)
    of_row = np.full(graded.num_rows, -1)
    of_row[rows] = number
    asking = rows[first]
    count = len(asking)
    nothing, unsaid, none = np.full(count, "", object), np.full(count, ABSENT), Packed.none(count)
    at, skew = ts[asking], np.full(count, round(skew_s * SECOND))
    inside = Packed.of(values.take(pa.array(client[asking])))
    where = sites[site[asking]]
    asked = Questions(at, at, skew, none, inside, none, unsaid, nothing, none, unsaid, where)
    return _Asked(walk(asked, logs), asked, of_row, client, site, sites, skew_s)


def _groups(graded: pa.Table, asked: _Asked) -> Iterable[tuple[list[int], str, int]]:
    """Rows of each finding, in time order, its site, and the question of its strongest row."""
    destination = codes_of(graded.column("destination").combine_chunks())[0]
    file = codes_of(graded.column("file").combine_chunks())[0]
    rank = graded.column("grade").to_numpy()
    ts = pc.fill_null(graded.column("ts").cast(pa.int64()), 0).to_numpy()
    group = dense(combine(asked.client, asked.site, asked.devices(), destination))
    order = np.lexsort((graded.column("ordinal").to_numpy(), file, ts, group))
    for rows in np.split(order, np.flatnonzero(np.diff(group[order])) + 1):
        strongest = rows[np.argmax(rank[rows])]
        yield rows.tolist(), str(asked.sites[asked.site[strongest]]), int(asked.of_row[strongest])


def _sites(graded: pa.Table, client: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Site of each row as a code, and the names; a row without one counts to the site that names its
    client, where just one does.
    """  # noqa: D205 -- one sentence
    code, names = codes_of(graded.column("site").combine_chunks())
    texts = np.array([*names.to_pylist(), ""], object)
    said = (code >= 0) & (texts[code] != "")
    least, most = np.full(client.max(initial=-1) + 2, len(names)), np.full(client.max(initial=-1) + 2, -1)
    np.minimum.at(least, client[said], code[said])
    np.maximum.at(most, client[said], code[said])
    only = np.where(least == most, most, -1)
    return np.where(said, code, only[client]), texts


def _severity(listed: Severity, grade: Grade, *, certain: bool) -> Severity:
    """The list's for a contact; one step less for a mere look-up; low for what was blocked.

    The visit that the notice names, traced to this client, is critical (rule NA-DEST-01).
    """
    if grade is Grade.BLOCKED:
        return Severity.LOW
    rank = Severity.CRITICAL.rank if certain else listed.rank
    lower = 1 if grade in {Grade.ASKED, Grade.ANSWERED} else 0
    return list(Severity)[max(0, rank - lower)]


def _device(trace: Trace) -> str:
    held = [hop for hop in trace.hops if hop.hop is HopKind.LEASE and hop.outcome is Outcome.HELD]
    return held[0].candidates[0].value if held else ""


def _finding(
    rows: _Cells, site: str, trace: Trace | None, index: IndicatorIndex, named: _NoticeView
) -> Finding:
    entries = sorted(set(rows["entry"]), key=lambda e: _entry_order(index, e))
    best = index.hit(entries[0])
    client = rows["client_ip"][0]
    destination = rows["destination"][0] or ""
    grade = list(Grade)[max(rows["grade"])]
    times = [moment(t) for t in rows["ts"] if t is not None]
    fits, certain = named.fits(rows, destination, client)
    subject = format_ip(client) if client else ""
    device = _device(trace) if trace else ""
    also = sorted({f"{index.hit(e).list_id}: {index.hit(e).entry}" for e in entries[1:]})
    return Finding(
        id=finding_id("destination", subject, device, destination, site),
        kind=FindingKind.DESTINATION,
        severity=_severity(Severity(best.severity), grade, certain=certain),
        subject=subject,
        title="Contact with a listed destination"
        if grade in {Grade.CONNECTED, Grade.EXCHANGED}
        else "Look-up of a listed destination",
        rule="NA-DEST-01",
        destination=destination,
        listed=ListEntry(best.list_id, best.entry, best.line, best.sha256, best.date, best.category),
        place=trace.place if trace else (),
        first_seen=min(times, default=None),
        last_seen=max(times, default=None),
        count=_distinct(rows),
        grade=grade,
        trace=trace,
        evidence=_evidence(rows),
        doubts=_doubts(rows, grade, fits=fits, certain=certain),
        values=tuple(("also_listed", text) for text in also),
        from_notice=certain,
    )


def _entry_order(index: IndicatorIndex, entry: int) -> tuple[object, ...]:
    hit = index.hit(entry)
    return (-Severity(hit.severity).rank, hit.list_id, hit.line)


def _distinct(rows: _Cells) -> int:
    """Events, not hits: a row on two lists counts once."""
    return len(set(zip(rows["file"], rows["ordinal"], rows["kind"], strict=True)))


def _evidence(rows: _Cells) -> tuple[Evidence, ...]:
    """The records that show most first, of these the ones that hold the name itself before the flow
    that carried it; of equals the earliest. `EVIDENCE_CAP` at most.
    """  # noqa: D205 -- one sentence
    order = sorted(range(len(rows["grade"])), key=lambda r: (-rows["grade"][r], rows["kind"][r] == "flow"))
    found: dict[Evidence, None] = {}
    for row in order[: EVIDENCE_CAP * 2]:
        for file, ordinal in (("file", "ordinal"), ("flow_file", "flow_ordinal")):
            if (id_ := rows[file][row]) is not None:
                found[Evidence(id_, rows[ordinal][row])] = None
    return tuple(found)[:EVIDENCE_CAP]


def _doubts(rows: _Cells, grade: Grade, *, fits: bool, certain: bool) -> tuple[str, ...]:
    fields = set(rows["field"])
    kinds = set(rows["kind"])
    doubts = []
    if grade in {Grade.ASKED, Grade.ANSWERED}:
        doubts.append(ATTEMPT_ONLY if "flow" in kinds else LOOK_UP_ONLY)
    if grade is Grade.CONNECTED:
        doubts.append(NO_PAYLOAD)
    if fields == {"server_ip"}:
        doubts.append(ADDRESS_ONLY)
    if fields == {"answer"}:
        doubts.append(ANSWER_ONLY)
    if None in rows["ts"]:
        doubts.append(NO_TIME)
    if fits and not certain:
        doubts.append(SHORT_OF_NOTICE)
    return tuple(doubts)


class _NoticeView:
    """Whether rows are the visit that the notice names."""

    def __init__(self, notice: Notice | None, traces: Sequence[Trace], skew_s: float) -> None:
        self._clues = [c for c in (notice.clues if notice else ()) if c.at is not None]
        self._hosts = [_inside_host(trace) for trace in traces]
        self._skew = dt.timedelta(seconds=skew_s)

    def fits(self, rows: _Cells, destination: str, client: bytes | None) -> tuple[bool, bool]:
        """(destination and time are the notice's, and the trace leads to this very client)."""
        fits = certain = False
        for number, clue in enumerate(self._clues):
            if self._destination_fits(clue, rows, destination) and self._time_fits(clue, rows):
                fits = True
                host = self._hosts[number] if number < len(self._hosts) else None
                certain = certain or (host is not None and host == client)
        return fits, certain

    @staticmethod
    def _destination_fits(clue: Clue, rows: _Cells, destination: str) -> bool:
        if clue.dst_name and (destination == clue.dst_name or destination.endswith("." + clue.dst_name)):
            return True
        packed = parse_ip(clue.dst_ip) if clue.dst_ip else None
        return packed is not None and packed in set(rows["server_ip"])

    def _time_fits(self, clue: Clue, rows: _Cells) -> bool:
        assert clue.at is not None  # noqa: S101 -- __init__ keeps only clues with a time
        low = clue.at - self._skew
        high = (clue.until or clue.at) + self._skew
        return any(low <= moment(n) <= high for n in rows["ts"] if n is not None)


def _inside_host(trace: Trace) -> bytes | None:
    layers = [hop for hop in trace.hops if hop.hop is HopKind.NAT]
    if not layers or layers[-1].outcome is not Outcome.HELD:
        return None
    return parse_ip(layers[-1].candidates[0].value)
