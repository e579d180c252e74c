"""Graded hits to destination findings: one per client device and destination."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.attribution import Logs, walk_back_all
from netaudit.attribution.trace import Hop, HopKind, Outcome, Question, Trace
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

WINDOW_S = 600
"""Hits of one client within this many seconds are taken to be of one device when they are traced."""

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
    """The traces of all hits: which trace belongs to which row."""

    traces: list[Trace]
    of_row: np.ndarray


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
            asked.traces[trace] if trace >= 0 else None,
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
    """One walk-back per client and stretch of time."""
    ts = graded.column("ts").cast(pa.int64())
    bucket = pc.divide(pc.fill_null(ts, 0), WINDOW_S * 10**9)
    clients = graded.column("client_ip").to_pylist()
    sites = _sites(graded)
    times = ts.to_pylist()
    questions: list[Question] = []
    number: dict[tuple[object, ...], int] = {}
    of_row = np.full(graded.num_rows, -1)
    for row, stretch in enumerate(bucket.to_pylist()):
        if clients[row] is None or times[row] is None:
            continue
        key = (clients[row], sites[row], stretch)
        if key not in number:
            number[key] = len(questions)
            questions.append(
                Question(at=moment(times[row]), client_ip=clients[row], skew_s=skew_s, site=sites[row])
            )
        of_row[row] = number[key]
    return _Asked(walk_back_all(questions, logs), of_row)


def _groups(graded: pa.Table, asked: _Asked) -> Iterable[tuple[list[int], str, int]]:
    """Rows of each finding, in time order, its site, and the trace of its strongest row."""
    clients = graded.column("client_ip").to_pylist()
    sites = _sites(graded)
    destinations = graded.column("destination").to_pylist()
    ranks = graded.column("grade").to_pylist()
    times = graded.column("ts").cast(pa.int64()).to_pylist()
    files, ordinals = graded.column("file").to_pylist(), graded.column("ordinal").to_pylist()
    devices = [_device(t) for t in asked.traces]
    groups: dict[tuple[str, str, str, str], list[int]] = {}
    for row in range(graded.num_rows):
        device = devices[asked.of_row[row]] if asked.of_row[row] >= 0 else ""
        key = ((clients[row] or b"").hex(), sites[row], device, destinations[row] or "")
        groups.setdefault(key, []).append(row)
    for (_, site, _, _), rows in sorted(groups.items()):
        rows.sort(key=lambda r: (times[r] or 0, files[r], ordinals[r], r))
        strongest = max(rows, key=lambda r: ranks[r])
        yield rows, site, int(asked.of_row[strongest])


def _sites(graded: pa.Table) -> list[str]:
    """Site of each row; one without counts to the site that names its client, where just one does."""
    clients, sites = graded.column("client_ip").to_pylist(), graded.column("site").to_pylist()
    named: dict[bytes | None, set[str]] = {}
    for client, site in zip(clients, sites, strict=True):
        named.setdefault(client, set()).update({site} if site else ())
    only = {client: next(iter(names)) for client, names in named.items() if len(names) == 1}
    return [site or only.get(client, "") for client, site in zip(clients, sites, strict=True)]


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
    hop: Hop | None = next((h for h in trace.hops if h.hop is HopKind.NAT), None)
    if hop is None or hop.outcome is not Outcome.HELD:
        return None
    return parse_ip(hop.candidates[0].value)
