"""Thrift's compact protocol, as far as Parquet's metadata are written in it.

Reference: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

_TRUE, _FALSE, _BYTE, _I32, _I64, _BINARY, _LIST, STRUCT = 1, 2, 3, 5, 6, 8, 9, 12
_SHORT_LIST = 15


class Value(NamedTuple):
    """A value as it is written, and its type."""

    type: int
    octets: bytes


def uvarint(number: int) -> bytes:
    """An unsigned number, seven bits an octet."""
    if number < len(_SHORT):
        return _SHORT[number]
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


_SHORT = [bytes([n]) for n in range(0x80)] + [bytes([n & 0x7F | 0x80, n >> 7]) for n in range(0x80, 0x4000)]


def i8(number: int) -> Value:
    """An octet."""
    return Value(_BYTE, bytes([number]))


def i32(number: int) -> Value:
    """A number of 32 bits that is not negative."""
    return Value(_I32, uvarint(number << 1))


def i64(number: int) -> Value:
    """A number of 64 bits that is not negative."""
    return Value(_I64, uvarint(number << 1))


def boolean(value: bool) -> Value:  # noqa: FBT001 -- a value, no switch
    """True or false, within a struct."""
    return Value(_TRUE if value else _FALSE, b"")


def binary(octets: bytes) -> Value:
    """Octets or text."""
    return Value(_BINARY, uvarint(len(octets)) + octets)


def listed(values: Sequence[Value]) -> Value:
    """A list of values of one type, at least one."""
    size, type_ = len(values), values[0].type if values else STRUCT
    head = bytes([size << 4 | type_]) if size < _SHORT_LIST else bytes([0xF0 | type_]) + uvarint(size)
    return Value(_LIST, head + b"".join(value.octets for value in values))


def struct(fields: Iterable[tuple[int, Value]], after: int = 0) -> Value:
    """A struct of fields by their number, ascending, no two more than fifteen apart.

    Args:
        fields: Number and value of each.
        after: The number of a field that stands before them.
    """
    out, before = [], after
    for number, value in fields:
        out += [bytes([number - before << 4 | value.type]), value.octets]
        before = number
    return Value(STRUCT, b"".join(out) + b"\0")
