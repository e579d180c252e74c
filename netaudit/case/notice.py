"""The notice (letter) of the authority: what it names, and what it leaves out."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Clue:
    """One visit that the notice names. Missing fields stay empty and are asked for."""

    at: dt.datetime | None = None
    """Aware."""
    until: dt.datetime | None = None
    """End of the span that the notice's precision allows (a minute for ``14:05``)."""
    precision_s: int | None = None
    """1, 60, 3600 or 86400: the letter's own precision."""
    public_ip: str = ""
    port: int | None = None
    """Source port."""
    transport: str = ""
    dst_ip: str = ""
    dst_port: int | None = None
    dst_name: str = ""
    """Normal form, refanged."""
    zone_stated: bool = False
    """Whether the letter itself gives the zone of the time."""
    text: str = ""
    """The letter's words that this was read from."""
    missing: tuple[str, ...] = ()
    """What this clue lacks; message ids in English."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A letter as read; shown for confirmation, never silently assumed."""

    issuer: str = ""
    number: str = ""
    subject: str = ""
    issued_on: dt.date | None = None
    received_at: dt.datetime | None = None
    due: dt.date | None = None
    due_text: str = ""
    """The deadline in the letter's own words."""
    clues: tuple[Clue, ...] = ()
    file_name: str = ""
    sha256: str = ""
    missing: tuple[str, ...] = field(default=())
    """Fields that matter and are not in the letter; message ids in English."""
    timezone: str = ""
    """Zone in which times without one were read."""
    assumptions: tuple[str, ...] = ()
    """How the letter was read where it leaves something open; message ids, to be confirmed."""
