"""What walking a capture file gives, and how its two containers are told apart."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np

from netaudit.kernels.window import Bools, Ints, Window

MAX_PACKET = 262_144
"""Octets of one packet: libpcap's own bound, and the one that tells a damaged length."""

PCAP_MAGICS: dict[bytes, tuple[str, int, int]] = {
    b"\xa1\xb2\xc3\xd4": (">", 1000, 16), b"\xd4\xc3\xb2\xa1": ("<", 1000, 16),
    b"\xa1\xb2\x3c\x4d": (">", 1, 16), b"\x4d\x3c\xb2\xa1": ("<", 1, 16),
    b"\xa1\xb2\xcd\x34": (">", 1000, 24), b"\x34\xcd\xb2\xa1": ("<", 1000, 24),
}  # fmt: skip
"""Magic to byte order, nanoseconds a tick, octets of a record header (the last: Kuznetsov's)."""

PCAPNG_MAGIC = b"\x0a\x0d\x0d\x0a"


class Packets(NamedTuple):
    """Where the packets of a window are. ``at + caplen`` lies within the window."""

    at: Ints
    caplen: Ints
    wirelen: Ints
    ts: Ints
    """Nanoseconds since 1970; 0 where unknown."""
    timed: Bools
    """Whether the time is known."""
    link_type: Ints
    """-1: of an interface that the file does not describe."""


class Walked(NamedTuple):
    """One step through a file."""

    packets: Packets
    used: int
    """Octets of the window that are done with; the rest belongs before the next piece."""
    damaged: int
    """Octets among them that are no record."""
    gaps: int
    """Stretches of such octets."""


class Walker(Protocol):
    """Walks one file piece by piece."""

    format: str

    def walk(self, window: Window, *, final: bool) -> Walked:
        """Index the whole records of `window`; `final` says that nothing follows."""


def no_packets() -> Packets:
    """An index of nothing."""
    none = np.zeros(0, np.int64)
    return Packets(none, none, none, none, np.zeros(0, np.bool_), none)


def concatenate(parts: list[Packets]) -> Packets:
    """Several indices of one window as one."""
    if len(parts) == 1:
        return parts[0]
    return Packets(*(np.concatenate(c) for c in zip(no_packets(), *parts, strict=True)))
