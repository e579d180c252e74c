"""What became of a row: one word for all kernels."""

from __future__ import annotations

from enum import IntEnum


class Status(IntEnum):
    """How far one packet, name or message could be read."""

    OK = 0
    OTHER = 1
    """Sound, and nothing that is read here (ICMP, spanning tree, ...)."""
    SLOW = 2
    """Declined: one at a time, elsewhere (an IP fragment)."""
    TRUNCATED = 3
    """Ends before its own lengths say so."""
    MALFORMED = 4
    """Contradicts its protocol."""
    UNSUPPORTED = 5
    """A link layer that is not read here."""
    TOO_DEEP = 6
    """More layers inside each other than the bound."""
