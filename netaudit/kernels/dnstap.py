"""Dnstap frames: protobuf as dnstap.proto has it, read in one pass over all of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from netaudit.kernels.compiled import kernel, part
from netaudit.kernels.octets import Ints, Octets, le32, u8
from netaudit.kernels.packet import Rows

TAP = np.dtype([
    ("query_s", "i8"), ("query_ns", "i8"), ("response_s", "i8"), ("response_ns", "i8"),
    ("client_at", "i8"), ("client_size", "i8"), ("server_at", "i8"), ("server_size", "i8"),
    ("client_port", "i8"), ("server_port", "i8"),
    ("query_at", "i8"), ("query_size", "i8"), ("response_at", "i8"), ("response_size", "i8"),
    ("type", "i8"), ("protocol", "i8"), ("sound", "u1"),
], align=True)  # fmt: skip
"""A frame's fields; -1 for a number that it does not hold, and size 0 for octets that it does not."""

_MESSAGE = 14
_VARINT, _FIXED64, _OCTETS, _FIXED32 = 0, 1, 2, 5
_MOST = (1 << 62) - 1
BAD = -1


@part
def _varint(data: Octets, at: int, end: int) -> tuple[int, int]:
    """A number of up to ten octets, least first: the number, and where it ends or `BAD`."""
    value: Any = np.int64(0)
    for step in range(10):
        if at + step >= end:
            return 0, BAD
        octet = u8(data, at + step)
        if step < 9:
            value |= (octet & 0x7F) << (7 * step)
        if octet < 0x80:
            return value & _MOST, at + step + 1
    return 0, BAD


@part
def _field(data: Octets, at: int, end: int) -> tuple[int, int, int, int, int]:
    """One field: number, wire type, value (or where its octets begin), size, where it ends or `BAD`."""
    key, at = _varint(data, at, end)
    number, wire = key >> 3, key & 7
    if at == BAD:
        return 0, 0, 0, 0, BAD
    if wire == _VARINT:
        value, at = _varint(data, at, end)
        return number, wire, value, 0, at
    if wire == _OCTETS:
        size, at = _varint(data, at, end)
        whole = at != BAD and size <= end - at
        return number, wire, at, size, (at + size if whole else BAD)
    size = 4 if wire == _FIXED32 else 8
    known = (wire == _FIXED32 or wire == _FIXED64) and at + size <= end
    return number, wire, le32(data, at), size, (at + size if known else BAD)


@kernel
def read_taps(data: Octets, ends: Ints, taps: Rows) -> None:
    """Read frames that stand one behind the other.

    Args:
        data: Their octets.
        ends: Where each of them ends.
        taps: `TAP`, one a frame, to be filled.
    """
    begin: Any = np.int64(0)
    for row in range(len(ends)):
        tap = taps[row]
        tap.query_s = tap.query_ns = tap.response_s = tap.response_ns = -1
        tap.client_port = tap.server_port = tap.type = tap.protocol = -1
        tap.client_size = tap.server_size = tap.query_size = tap.response_size = 0
        tap.client_at = tap.server_at = tap.query_at = tap.response_at = begin
        at, sound = begin, False
        while at != BAD and at < ends[row]:
            number, wire, value, size, at = _field(data, at, ends[row])
            if at != BAD and number == _MESSAGE and wire == _OCTETS:
                sound = _message(data, value, value + size, tap)
        tap.sound = sound and at != BAD
        begin = ends[row]


@part
def _message(data: Octets, at: int, end: int, tap: Any) -> Any:
    """The message of a frame: whether it could be read to its end."""
    while at != BAD and at < end:
        number, wire, value, size, at = _field(data, at, end)
        if at == BAD:
            return False
        if wire == _VARINT:
            if number == 1:
                tap.type = value
            elif number == 3:
                tap.protocol = value
            elif number == 6:
                tap.client_port = value
            elif number == 7:
                tap.server_port = value
            elif number == 8:
                tap.query_s = value
            elif number == 12:
                tap.response_s = value
        elif wire == _FIXED32:
            if number == 9:
                tap.query_ns = value
            elif number == 13:
                tap.response_ns = value
        elif wire == _OCTETS:
            if number == 4:
                tap.client_at, tap.client_size = value, size
            elif number == 5:
                tap.server_at, tap.server_size = value, size
            elif number == 10:
                tap.query_at, tap.query_size = value, size
            elif number == 14:
                tap.response_at, tap.response_size = value, size
    return True
