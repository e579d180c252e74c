"""Everything that a template may name: plain values, each computed from the case.

The classes below are the vocabulary of templates (`lint` walks their annotations). A number
stands here once; papers that print it twice print the same.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from netaudit.reports.document import Chain, Chart


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """The case itself."""

    id: str
    title: str
    opened: str
    date: str
    """The paper's date: when the case last changed."""
    timezone: str
    tool_version: str


@dataclass(frozen=True, slots=True)
class ClueFacts:
    """One visit that the notice names."""

    number: int
    time: str
    precision: str
    zone_stated: bool
    public_ip: str
    port: str
    transport: str
    destination: str
    """Defanged; name, else address."""
    destination_ip: str
    destination_port: str
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NoticeFacts:
    """The authority's letter."""

    issuer: str
    number: str
    subject: str
    issued: str
    received: str
    received_day: str
    """Month and day of receipt, or empty."""
    due: str
    due_text: str
    file: str
    ref: str
    clues: tuple[ClueFacts, ...]
    missing: tuple[str, ...]
    assumptions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HopFacts:
    """One step of a walk-back."""

    number: int
    hop: str
    asked: str
    outcome: str
    held: bool
    answer: str
    details: str
    record: str
    """Time span of the record."""
    difference: str
    stable: str
    ref: str


@dataclass(frozen=True, slots=True)
class TraceFacts:
    """One walk-back."""

    number: int
    time: str
    asked: str
    reach: str
    """``nothing``, ``address``, ``device``, ``account``, ``person``: for tests in templates."""
    reach_label: str
    first_broken: str
    """Label of the first hop that did not hold, or empty."""
    place: str
    segment: str
    ssid: str
    hops: tuple[HopFacts, ...]
    reasons: tuple[str, ...]
    """Why it goes no further, as full sentences."""
    wanted: tuple[str, ...]
    """What would have made the next hop possible."""
    chain: str
    """The chain in one line, masked."""
    because: str
    """The reasons in one clause, without a full stop; empty where there are none."""
    online: str
    """Addresses of the segment with a translation within the time searched, where that was measured."""
    diagram: Chain
    """The walk-back drawn, with its reasons: only for ``@chain`` with the trace's number."""


@dataclass(frozen=True, slots=True)
class FunnelFacts:
    """One step of the narrowing."""

    number: int
    step: str
    count: int
    basis: str
    ref: str
    kept: str


@dataclass(frozen=True, slots=True)
class ProblemFacts:
    """A finding, or several of one rule, as one problem of the paper."""

    number: str
    """``P01`` …"""
    kind: str
    """``policy``, ``destination``, ``network``."""
    grade: str
    """Of a destination: ``asked``, ``answered``, ``blocked``, ``connected``, ``exchanged``."""
    explains: bool
    """Whether it is about the visit of the notice, or the networks and logs that the visit passed."""
    cause: str
    """``direct``, ``management``, ``technical``; ``trace`` for a visit that cannot be traced; or empty."""
    rule: str
    title: str
    text: str
    brief: str
    """`text` without its full stop."""
    cites: str
    cites_brief: str
    """The first confirmed citation, or else the first; `cites` has all."""
    severity: str
    basis: str
    source: str
    subject: str
    count: int
    time: str
    ref: str
    doubts: tuple[str, ...]
    measure: str
    """Its measures' numbers."""


@dataclass(frozen=True, slots=True)
class MeasureFacts:
    """What is to be done, and how far it is."""

    number: str
    problem: str
    text: str
    owner: str
    department: str
    due: str
    state: str
    state_label: str
    done: str
    ref: str
    overdue: bool


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """Measures of one text and state, said once."""

    numbers: str
    """``M01``, or a range of them."""
    problems: str
    text: str
    """Without a full stop."""


@dataclass(frozen=True, slots=True)
class ThemeFacts:
    """Proposed measures that belong together."""

    label: str
    plans: tuple[PlanFacts, ...]


@dataclass(frozen=True, slots=True)
class OtherFacts:
    """Numbers of the problems that do not explain the notice."""

    rules: str
    """Of rules."""
    contacts: str
    """Of destinations and networks."""


@dataclass(frozen=True, slots=True)
class DoubtFacts:
    """A doubt, and the problems that it is about."""

    problems: str
    text: str


@dataclass(frozen=True, slots=True)
class UnknownFacts:
    """A rule that could not be judged, for all its subjects with one reason."""

    rule: str
    title: str
    subject: str
    because: str
    by_hand: bool
    """Whether people have to look; else data are missing."""


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """A file that was read."""

    number: str
    name: str
    kinds: str
    format: str
    span: str
    records: int
    skipped: int
    clock: str
    sha256: str
    complete: bool


@dataclass(frozen=True, slots=True)
class LimitFacts:
    """Something that was not there, or could not be read."""

    kind: str
    """``unread``, ``gap``, ``note``."""
    ref: str
    text: str
    matters: bool


@dataclass(frozen=True, slots=True)
class ListFacts:
    """A block list as it was used."""

    id: str
    title: str
    entries: int
    date: str
    sha256: str


@dataclass(frozen=True, slots=True)
class ExhibitFacts:
    """An entry of the evidence catalogue."""

    number: str
    name: str
    what: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class EventFacts:
    """A mark of the time-line."""

    mark: str
    time: str
    text: str


@dataclass(frozen=True, slots=True)
class StatementFacts:
    """A sentence on the case, and who stands behind it."""

    kind: str
    kind_label: str
    text: str
    by: str
    at: str
    ref: str


@dataclass(frozen=True, slots=True)
class SegmentFacts:
    """A configured segment."""

    id: str
    name: str
    networks: str


@dataclass(frozen=True, slots=True)
class CountFacts:
    """Numbers that papers repeat."""

    problems: int
    policy_problems: int
    measures: int
    measures_closed: int
    measures_open: int
    measures_proposed: int
    unknowns: int
    """Rules that lack data, by reason."""
    by_hand: int
    """Rules that people have to check."""
    sources: int
    records: int
    segments: int
    funnel_first: int
    funnel_last: int


@dataclass(frozen=True, slots=True)
class Facts:
    """The names of a template."""

    unit: str
    superior: str
    audience: str
    case: CaseFacts
    notice: NoticeFacts | None
    traces: tuple[TraceFacts, ...]
    funnel: tuple[FunnelFacts, ...]
    problems: tuple[ProblemFacts, ...]
    measures: tuple[MeasureFacts, ...]
    themes: tuple[ThemeFacts, ...]
    others: OtherFacts
    doubts: tuple[DoubtFacts, ...]
    unknowns: tuple[UnknownFacts, ...]
    sources: tuple[SourceFacts, ...]
    limits: tuple[LimitFacts, ...]
    lists: tuple[ListFacts, ...]
    exhibits: tuple[ExhibitFacts, ...]
    events: tuple[EventFacts, ...]
    statements: tuple[StatementFacts, ...]
    segments: tuple[SegmentFacts, ...]
    count: CountFacts
    chart: Chart | None
    """The day of the notice: only for ``@chart`` and ``{% if chart %}``."""
    overview: Chart | None
    """All days that the logs cover: only for ``@chart overview`` and ``{% if overview %}``."""

    def names(self) -> dict[str, Any]:
        """Name to value."""
        return {f.name: getattr(self, f.name) for f in fields(self)}
