"""A pcapng file (draft-ietf-opsawg-pcapng): one section with a comment, named interfaces, packets."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

_SECTION, _INTERFACE, _PACKET = 0x0A0D0D0A, 1, 6
_COMMENT, _APPLICATION, _IF_NAME, _IF_DESCRIPTION, _IF_RESOLUTION = 1, 4, 2, 3, 9
_ETHERNET, _SNAP_BYTES = 1, 262_144


class Captured(NamedTuple):
    """One packet as a mirror port delivers it."""

    at_us: int
    interface: int
    frame: bytes
    tag: str = ""


def pcapng_blocks(
    comment: str, interfaces: Iterable[tuple[str, str]], packets: Iterable[Captured]
) -> Iterator[bytes]:
    """The blocks of a capture file.

    Args:
        comment: For the section.
        interfaces: Name and description of each; times are in microseconds.
        packets: In order of time.
    """
    options = (
        _option(_COMMENT, comment.encode()) + _option(_APPLICATION, b"netaudit demo") + _option(0, b"")
    )
    yield _block(_SECTION, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + options)
    for name, description in interfaces:
        options = (
            _option(_IF_NAME, name.encode())
            + _option(_IF_DESCRIPTION, description.encode())
            + _option(_IF_RESOLUTION, b"\x06")
            + _option(0, b"")
        )
        yield _block(_INTERFACE, struct.pack("<HHI", _ETHERNET, 0, _SNAP_BYTES) + options)
    for packet in packets:
        size = len(packet.frame)
        head = struct.pack(
            "<IIIII", packet.interface, packet.at_us >> 32, packet.at_us & 0xFFFFFFFF, size, size
        )
        yield _block(_PACKET, head + _padded(packet.frame))


def _block(kind: int, body: bytes) -> bytes:
    length = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + length + body + length


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + _padded(value)


def _padded(octets: bytes) -> bytes:
    return octets + b"\0" * (-len(octets) % 4)
