"""Read -> match -> walk back -> check: the one room that knows this order.

It has no database and prints nothing. Events stream through once; what later steps need of them
is kept in columns (matches, leases, sessions) or read back from the event set (flows).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit import sources
from netaudit.attribution import Logs, walk_back_all
from netaudit.attribution.funnel import narrow
from netaudit.attribution.log_facts import LogFacts, LogWatch
from netaudit.attribution.sightings import Sightings
from netaudit.attribution.trace import FunnelStep, Question, Trace
from netaudit.case.finding import Finding
from netaudit.case.notice import Clue, Notice
from netaudit.config import Settings
from netaudit.intake.times import parse_zone
from netaudit.matching import Matches, match
from netaudit.matching.index import IndicatorIndex
from netaudit.pipeline.destinations import destination_findings
from netaudit.pipeline.grading import grade
from netaudit.pipeline.hits import Hits
from netaudit.pipeline.violations import policy_findings
from netaudit.pipeline.visibility import Tallied, Visibility
from netaudit.policy import check
from netaudit.policy.facts import gather, own_networks
from netaudit.policy.observed import PRIVATE, Observed
from netaudit.policy.rule import Rule
from netaudit.policy.verdict import Verdict
from netaudit.records.addresses import parse_ip
from netaudit.records.evidence import Ledger, Skipped
from netaudit.records.schemas import DESTINATION_KINDS, concat, kind_of

KEPT_KINDS = ("nat", "dhcp", "radius", "wlan", "fdb", "asset")
"""Kinds that the walk-back joins whole; far fewer rows than DNS and flows. Of ARP it needs less."""

FORGOTTEN = "which MAC an address had was forgotten: too many different ones"

DOH_CATEGORY = "doh-resolver"
PLAIN_DNS_PORT = 53


class Events(Protocol):
    """Where events go as they stream by, and where flows are read back from."""

    def write(self, kind: str, batch: pa.RecordBatch) -> None:
        """Append a batch."""

    def finish(self) -> None:
        """Make what was written readable."""

    def read(
        self, kind: str, columns: list[str] | None = None, where: pc.Expression | None = None
    ) -> pa.Table:
        """Rows of one kind."""


@dataclass(frozen=True, slots=True)
class Scan:
    """What one run over the evidence gave."""

    ledger: Ledger
    findings: tuple[Finding, ...]
    verdicts: tuple[Verdict, ...]
    traces: tuple[Trace, ...]
    """Of the notice's clues, in their order."""
    funnel: tuple[FunnelStep, ...]
    allowed: int
    """Matches that an allow-list silenced."""
    events: dict[str, int]
    """Rows read, by kind."""
    visibility: Visibility
    """How many of the flows have a name."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that was read, in the shape that the later steps ask of it."""

    ledger: Ledger
    tables: dict[str, pa.Table]
    observed: Observed
    hits: Hits
    counts: dict[str, int]
    visibility: Visibility
    measured: LogFacts
    """Continuity and clocks of the logs; empty where nobody asked for them."""


def gather_evidence(
    arguments: Sequence[str],
    settings: Settings,
    *,
    index: IndicatorIndex | None,
    events: Events | None = None,
    measure: bool = False,
    options: sources.Options | None = None,
    progress: sources.Progress | None = None,
) -> Evidence:
    """Read all inputs once; match each batch against `index` on the way, `measure` the logs where asked to."""
    watch = LogWatch() if measure else None
    ledger, hits, flows = Ledger(), Hits(), Tallied(settings.segment)
    observed = Observed(
        own_networks(settings), lists=index is not None and DOH_CATEGORY in index.categories
    )
    kept: dict[str, list[pa.RecordBatch]] = {kind: [] for kind in KEPT_KINDS}
    sightings = Sightings()
    counts: dict[str, int] = {}
    for batch in sources.read(arguments, settings, ledger, options=options, progress=progress):
        kind = kind_of(batch)
        counts[kind] = counts.get(kind, 0) + batch.num_rows
        observed.add(batch)
        if watch is not None:
            watch.add(batch)
        if kind == "flow":
            flows.add(batch)
        if events is not None:
            events.write(kind, batch)
        if kind in kept:
            kept[kind].append(batch)
        if kind == "arp":
            sightings.add(batch)
        if index is not None and kind in DESTINATION_KINDS:
            matches = match(batch, index)
            hits.add(batch, matches)
            if kind != "dns":  # a look-up of a resolver's name is no use of that resolver
                observed.add_encrypted(_encrypted_dns(batch, matches, index))
    if events is not None:
        events.finish()
    tables = {kind: concat(kind, batches) for kind, batches in kept.items()} | {"arp": sightings.table()}
    _count_forgotten(ledger, sightings.lost)
    zone = parse_zone(settings.unit.timezone) if settings.unit.timezone else None
    measured = watch.facts(ledger.files, zone) if watch is not None else LogFacts()
    return Evidence(ledger, tables, observed, hits, counts, flows.figure(), measured)


def _count_forgotten(ledger: Ledger, lost: Mapping[str, int]) -> None:
    """Say in the ledger, file by file, how many sightings found no room."""
    for index, entry in enumerate(ledger.files):
        if lost.get(entry.id):
            skipped = Skipped(FORGOTTEN, lost[entry.id], matters=False)
            ledger.files[index] = replace(entry, skipped=(*entry.skipped, skipped))


def scan(
    arguments: Sequence[str],
    settings: Settings,
    *,
    index: IndicatorIndex,
    events: Events,
    rules: Sequence[Rule],
    notice: Notice | None,
    now: dt.datetime,
    skew_s: float = 120.0,
    options: sources.Options | None = None,
    progress: sources.Progress | None = None,
) -> Scan:
    """The whole walk over a set of inputs.

    Args:
        arguments: Files, folders, globs.
        settings: The office.
        index: The block lists in force, the notice's own destinations among them.
        events: Where events are kept.
        rules: Policy rules to check; none = destinations only.
        notice: The letter, where there is one.
        now: The date of judgement (key ages, retention); never the clock.
        skew_s: Clock error allowed between the notice and our logs, seconds.
        options: What the command line says about the inputs.
        progress: Told how far reading is.
    """
    evidence = gather_evidence(
        arguments,
        settings,
        index=index,
        events=events,
        measure=bool(rules),
        options=options,
        progress=progress,
    )
    logs = Logs.build(tables=evidence.tables, ledger=evidence.ledger.files, settings=settings)
    graded = grade(evidence.hits.table(), events, (*own_networks(settings), *PRIVATE))
    questions = [clue_question(clue, skew_s) for clue in (notice.clues if notice else ())]
    asked = [q for q in questions if q is not None]
    traces = walk_back_all(asked, logs)
    found = destination_findings(graded, index, logs, notice=notice, notice_traces=traces, skew_s=skew_s)
    verdicts: list[Verdict] = []
    if rules:
        facts = gather(
            settings,
            evidence.ledger.files,
            evidence.observed,
            evidence.tables,
            traces,
            now,
            evidence.measured,
        )
        verdicts = check(facts, rules, settings.policy, now=now)
    funnel = narrow(asked[0], logs, _contacts(graded, notice)) if asked else ()
    return Scan(
        ledger=evidence.ledger,
        findings=tuple(found) + policy_findings(verdicts, rules),
        verdicts=tuple(verdicts),
        traces=tuple(traces),
        funnel=tuple(funnel),
        allowed=evidence.hits.allowed,
        events=evidence.counts,
        visibility=evidence.visibility,
    )


def _encrypted_dns(batch: pa.RecordBatch, matches: Matches, index: IndicatorIndex) -> pa.RecordBatch:
    """Rows whose destination a list knows as an encrypted resolver; plain DNS to it is none."""
    entries, of_row = np.unique(matches.entry, return_inverse=True)
    is_resolver = np.array([index.hit(int(e)).category == DOH_CATEGORY for e in entries], bool)
    chosen = np.unique(matches.row[is_resolver[of_row]]) if len(entries) else matches.row
    rows = batch.take(pa.array(chosen))
    return rows.filter(pc.fill_null(pc.not_equal(rows.column("server_port"), PLAIN_DNS_PORT), True))


def clue_question(clue: Clue, skew_s: float) -> Question | None:
    """What the walk-back is asked for one visit that the notice names; None without a time."""
    if clue.at is None or not clue.public_ip:
        return None
    return Question(
        at=clue.at,
        until=clue.until,
        public_ip=parse_ip(clue.public_ip),
        port=clue.port,
        transport=clue.transport,
        dst_ip=parse_ip(clue.dst_ip) if clue.dst_ip else None,
        dst_port=clue.dst_port,
        skew_s=skew_s,
    )


def _contacts(graded: pa.Table, notice: Notice | None) -> pa.Table:
    """The matched events whose destination is one that the notice names."""
    named = {c.dst_name for c in notice.clues} | {c.dst_ip for c in notice.clues} if notice else set()
    named.discard("")
    return graded.filter(
        pc.is_in(graded.column("destination"), value_set=pa.array(sorted(named), pa.string()))
    )
