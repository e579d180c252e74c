"""Findings, and the three kinds of statement that a paper may make."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from enum import StrEnum

from netaudit.attribution.trace import Trace
from netaudit.i18n import translate
from netaudit.policy.rule import read_rules
from netaudit.records.evidence import Evidence


class Severity(StrEnum):
    """How grave, in rising order of `rank`."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for low to 3 for critical."""
        return list(Severity).index(self)


class Grade(StrEnum):
    """What the evidence of a destination shows, in rising order. A look-up is never a visit."""

    ASKED = "asked"
    ANSWERED = "answered"
    BLOCKED = "blocked"
    CONNECTED = "connected"
    EXCHANGED = "exchanged"


class FindingKind(StrEnum):
    """What a finding is about."""

    DESTINATION = "destination"
    POLICY = "policy"
    NETWORK = "network"


@dataclass(frozen=True, slots=True)
class ListEntry:
    """The list entry that a destination finding rests on."""

    list_id: str
    entry: str
    line: int
    sha256: str
    date: str = ""
    category: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact that somebody has to answer for. Its id is derived from what it says."""

    id: str
    kind: FindingKind
    severity: Severity
    subject: str
    """The client's address, the SSID, the segment, the source."""
    title: str
    """English; papers take the wording of the rule or list in their language."""
    rule: str = ""
    listed: ListEntry | None = None
    destination: str = ""
    place: tuple[tuple[str, str], ...] = ()
    first_seen: dt.datetime | None = None
    last_seen: dt.datetime | None = None
    count: int = 0
    grade: Grade | None = None
    trace: Trace | None = None
    evidence: tuple[Evidence, ...] = ()
    """Capped at `EVIDENCE_CAP`; `count` is the total."""
    doubts: tuple[str, ...] = ()
    """Message ids in English."""
    values: tuple[tuple[str, str], ...] = ()
    """What fills the slots of a rule's wording, sorted by name."""
    from_notice: bool = False
    """Whether it is the visit that the notice names."""

    def title_in(self, locale: str) -> str:
        """What it is, in words: of a policy finding the rule's own title."""
        rule = read_rules().get(self.rule) if self.kind is FindingKind.POLICY else None
        return rule.title.in_(locale) if rule else translate(self.title, locale)


EVIDENCE_CAP = 20


def finding_id(*parts: object) -> str:
    """``F-`` and 12 hex digits: the same facts give the same id."""
    digest = hashlib.sha256("\x1f".join(str(p) for p in parts).encode()).hexdigest()
    return f"F-{digest[:12]}"


class StatementKind(StrEnum):
    """Who stands behind a sentence."""

    MEASURED = "measured"
    DECLARED = "declared"
    DECIDED = "decided"


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence of fact on the case, and who stands behind it."""

    kind: StatementKind
    text: str
    by: str = ""
    at: dt.datetime | None = None
    evidence: tuple[Evidence, ...] = ()
