"""What a rule says about a subject."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from netaudit.records.evidence import Evidence


class Outcome(StrEnum):
    """The five results. Missing data is never compliance."""

    VIOLATED = "violated"
    COMPLIED = "complied"
    NOT_APPLICABLE = "not_applicable"
    CANNOT_TELL = "cannot_tell"
    MANUAL = "manual"


class Basis(StrEnum):
    """How well a verdict is founded, best first (DOMAIN section 4, evidence grades)."""

    MEASURED = "measured"
    CONFIGURED = "configured"
    INSPECTED = "inspected"
    DECLARED = "declared"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One rule, one subject."""

    rule: str
    outcome: Outcome
    subject: str = ""
    """The SSID, segment, source, address or device judged; empty = the unit as a whole."""
    severity: str = ""
    """The rule's, or what its parameters make of it for this subject."""
    values: tuple[tuple[str, str], ...] = ()
    """What fills the slots of the rule's wording, and what papers may say instead, sorted by name; times RFC 3339 in UTC."""
    because: str = ""
    """For `cannot_tell`: the data that are missing; a message id in English."""
    basis: Basis = Basis.CONFIGURED
    evidence: tuple[Evidence, ...] = ()
    count: int = 0
    first_seen: dt.datetime | None = None
    last_seen: dt.datetime | None = None
    waived: str = ""
    """The reason of a waiver that is in force; the verdict stands but makes no finding."""
