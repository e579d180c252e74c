"""One entry of a list in normal form, whatever its list's syntax was."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Scope(StrEnum):
    """Which names a name entry covers."""

    EXACT = "exact"
    SUBTREE = "subtree"
    """Itself and everything below."""
    BELOW = "below"
    """Below only."""
    ONE_LABEL = "one-label"
    """Exactly one label below."""


class Polarity(StrEnum):
    """What a hit means."""

    LIST = "list"
    ALLOW = "allow"
