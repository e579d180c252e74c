"""The values of the walk-back: a question, its hops, and how far the answer holds."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from netaudit.records.evidence import Evidence


class Reach(StrEnum):
    """How far a trace holds."""

    NOTHING = "nothing"
    ADDRESS = "address"
    DEVICE = "device"
    ACCOUNT = "account"
    PERSON = "person"


class HopKind(StrEnum):
    """The steps of the walk, in order; the port is a place beside the asset."""

    NAT = "nat"
    LEASE = "lease"
    STATION = "station"
    ASSET = "asset"
    PORT = "port"


class FunnelName(StrEnum):
    """The steps of the narrowing, in order."""

    ALL = "all"
    ACTIVE = "active"
    TRANSLATED = "nat"
    CONTACTED = "contacted"
    DEVICE = "device"


class Outcome(StrEnum):
    """What one hop gave."""

    HELD = "held"
    AMBIGUOUS = "ambiguous"
    MISSING = "missing"
    """The log covers the time and has no entry."""
    NOT_COVERED = "not_covered"
    """No log for that time."""


class Reason(StrEnum):
    """Why a trace goes no further. The sentences are in `attribution.reasons`."""

    NO_PORT = "R-NO-PORT"
    NO_NATLOG = "R-NO-NATLOG"
    NAT_AMBIGUOUS = "R-NAT-AMBIGUOUS"
    LOG_GAP = "R-LOG-GAP"
    CLOCK = "R-CLOCK"
    LEASE_CONFLICT = "R-LEASE-CONFLICT"
    STATIC_IP = "R-STATIC-IP"
    RANDOM_MAC = "R-RANDOM-MAC"
    SHARED_ACCOUNT = "R-SHARED-ACCOUNT"
    SHARED_KEY = "R-SHARED-KEY"
    NO_ACCT = "R-NO-ACCT"
    ASSET_UNKNOWN = "R-ASSET-UNKNOWN"
    RETENTION_EXPIRED = "R-RETENTION-EXPIRED"
    UPSTREAM_NAT = "R-UPSTREAM-NAT"
    NOT_OURS = "R-NOT-OURS"


@dataclass(frozen=True, slots=True)
class Question:
    """Who was this? One of `public_ip`, `client_ip`, `mac` is given. Addresses are 16 bytes."""

    at: dt.datetime
    until: dt.datetime | None = None
    """End of the window that the notice names; None = the moment `at`."""
    public_ip: bytes | None = None
    client_ip: bytes | None = None
    mac: bytes | None = None
    port: int | None = None
    transport: str = ""
    dst_ip: bytes | None = None
    dst_port: int | None = None
    skew_s: float = 120.0
    """Clock error allowed between the notice and our logs, and among our logs, seconds."""
    site: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One possible answer of a hop."""

    value: str
    """The key of the next hop: an address, a MAC, an account, an asset."""
    details: tuple[tuple[str, str], ...] = ()
    """What the record says besides: host name, SSID, AP, department …, sorted by name."""
    start: dt.datetime | None = None
    end: dt.datetime | None = None
    evidence: tuple[Evidence, ...] = ()
    why: str = ""
    """Why it fits; a message id in English."""


@dataclass(frozen=True, slots=True)
class Hop:
    """One step of the walk."""

    hop: HopKind
    asked: str
    """The key that was looked up."""
    outcome: Outcome
    candidates: tuple[Candidate, ...] = ()
    """Ranked; all are kept."""
    skew_stable_s: tuple[float, float] | None = None
    """Range of clock error, seconds, over which the answer stays the same; None = not bounded."""


@dataclass(frozen=True, slots=True)
class Trace:
    """The answer, and how far it holds."""

    question: Question
    hops: tuple[Hop, ...]
    reach: Reach
    place: tuple[tuple[str, str], ...] = ()
    """``segment``, ``ssid``, ``ap``, ``port`` as far as known."""
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """One step of the narrowing: how many addresses are still possible, and by which evidence."""

    step: FunnelName
    count: int
    basis: str
    """Where the number comes from; a message id in English."""
    files: tuple[str, ...] = ()
    """Ids of the evidence files it rests on."""
    kept: tuple[str, ...] = ()
    """The addresses that remain, as text, where they are few (20 at most)."""
