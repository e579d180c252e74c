"""Writing packets as evidence: pcapng (draft-ietf-opsawg-pcapng), one section, each packet with a comment.

The octets depend on nothing but what is given: no time of day, no name of this machine.
"""

from __future__ import annotations

import struct
from typing import BinaryIO, NamedTuple

_SECTION, _INTERFACE, _PACKET = 0x0A0D0D0A, 1, 6
_END, _COMMENT, _APPLICATION, _IF_NAME, _IF_RESOLUTION = 0, 1, 4, 2, 9
_NANOSECONDS = b"\x09"
_MAX_OPTION = 65_535


class Piece(NamedTuple):
    """One packet, or the beginning of it."""

    ts: int | None
    """Nanoseconds since 1970; None where it is not known (such a packet is written with time 0)."""
    link_type: int
    wirelen: int
    """Octets it had on the wire."""
    data: bytes
    comment: str


class EvidenceWriter:
    """A pcapng file that is written from its beginning to its end."""

    def __init__(self, out: BinaryIO, comment: str, application: str) -> None:
        """Begin the one section.

        Args:
            out: Takes the octets.
            comment: Of the section: what was selected, from what.
            application: Who writes it, with the version.
        """
        self._out = out
        self._interfaces: dict[int, int] = {}
        options = _option(_COMMENT, comment) + _option(_APPLICATION, application)
        self._block(_SECTION, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + _options(options))

    def write(self, piece: Piece) -> None:
        """Add a packet; the first of a link type has its interface described before it."""
        if piece.link_type not in self._interfaces:
            self._interfaces[piece.link_type] = len(self._interfaces)
            options = _option(_IF_NAME, f"link type {piece.link_type}") + _option(
                _IF_RESOLUTION, _NANOSECONDS
            )
            self._block(_INTERFACE, struct.pack("<HHI", piece.link_type, 0, 0) + _options(options))
        ts = piece.ts or 0
        head = struct.pack(
            "<IIIII",
            self._interfaces[piece.link_type],
            ts >> 32 & 0xFFFFFFFF,
            ts & 0xFFFFFFFF,
            len(piece.data),
            max(piece.wirelen, len(piece.data)),
        )
        self._block(_PACKET, head + _padded(piece.data) + _options(_option(_COMMENT, piece.comment)))

    def _block(self, kind: int, body: bytes) -> None:
        length = struct.pack("<I", len(body) + 12)
        self._out.write(struct.pack("<I", kind) + length + body + length)


def _options(some: bytes) -> bytes:
    return some + struct.pack("<HH", _END, 0)


def _option(code: int, value: str | bytes) -> bytes:
    octets = value.encode()[:_MAX_OPTION] if isinstance(value, str) else value
    return struct.pack("<HH", code, len(octets)) + _padded(octets)


def _padded(octets: bytes) -> bytes:
    return octets + b"\0" * (-len(octets) % 4)
