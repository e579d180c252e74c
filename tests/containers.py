"""pcap records and pcapng blocks, octet by octet."""

from __future__ import annotations

import struct

START = 1_700_000_000


def record(frame, second=START, fraction=0, order="<", caplen=None, wirelen=None, extra=b""):
    """One pcap record; lengths are the frame's unless they shall lie."""
    caplen = len(frame) if caplen is None else caplen
    wirelen = max(len(frame), 60) if wirelen is None else wirelen
    return struct.pack(order + "IIII", second & 0xFFFFFFFF, fraction, caplen, wirelen) + extra + frame


def pcap_header(link=1, order="<", magic=0xA1B2C3D4, snaplen=262_144):
    return struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, snaplen, link)


def block(type_, body, order="<", length=None, trailer=None):
    """One pcapng block; its two lengths are right unless they shall lie."""
    body += b"\0" * (-len(body) % 4)
    size = len(body) + 12
    first, last = (size if said is None else said for said in (length, trailer))
    return struct.pack(order + "II", type_, first) + body + struct.pack(order + "I", last)


def section(order="<"):
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def interface(order="<", link=1, options=b"", snaplen=0):
    return block(1, struct.pack(order + "HHI", link, 0, snaplen) + options, order)


def enhanced(frame, ticks=START * 10**6, order="<", number=0, **lies):
    ticks &= 0xFFFFFFFFFFFFFFFF
    head = struct.pack(order + "IIIII", number, ticks >> 32, ticks & 0xFFFFFFFF, len(frame), len(frame))
    return block(6, head + frame, order, **lies)


def resolution(value, order="<"):
    """The option if_tsresol."""
    return struct.pack(order + "HHB3x", 9, 1, value)


def pcapng(*frames):
    """One frame a second from `START`."""
    return (
        section()
        + interface()
        + b"".join(enhanced(frame, (START + k) * 10**6) for k, frame in enumerate(frames))
    )
