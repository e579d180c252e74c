"""Cells of text logs as values: bounded numbers, escaped strings, addresses inside identifiers."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.log_format import share
from netaudit.records.addresses import by_distinct, format_mac, parse_mac

NOTHING = ("", "-", "--", "N/A", "n/a", "NULL", "null", "(null)", "unknown", "UNKNOWN", "none", "None")
"""Words of products for what is not there."""
DASH = ("", "-")
_C_ESCAPE = re.compile(r"\\([0-7]{3}|x[0-9a-fA-F]{2}|.)", re.DOTALL)
_C_NAMED = {"n": b"\n", "r": b"\r", "t": b"\t"}


def whole(text: pa.Array, limit: int, type_: pa.DataType) -> pa.Array:
    """Digit strings up to `limit` as integers; anything else is null."""
    digits = pc.if_else(pc.match_substring_regex(text, r"^\d{1,18}$"), text, pa.scalar(None, pa.string()))
    numbers = digits.cast(pa.int64())
    fits = pc.less_equal(numbers, limit)
    return pc.if_else(fits, numbers, pa.scalar(None, pa.int64())).cast(type_)


def port(text: pa.Array) -> pa.Array:
    """A column of port numbers, or of ICMP query ids; what is none is null."""
    return whole(text, 65_535, pa.uint16())


def octets(text: str) -> bytes:
    r"""The bytes of a C-escaped string (``\001RT\000`` with printable bytes as they are)."""
    parts = _C_ESCAPE.split(text)
    out = [parts[0].encode()]
    for escape, plain in zip(parts[1::2], parts[2::2], strict=True):
        out += [_escaped(escape), plain.encode()]
    return b"".join(out)


def unescape(text: str) -> str:
    r"""A C-escaped string as text; as it stands where the bytes are no UTF-8."""
    if "\\" not in text:
        return text
    try:
        return octets(text).decode()
    except UnicodeDecodeError:
        return text


def _escaped(escape: str) -> bytes:
    if escape[0] in "01234567" and len(escape) == 3:
        return bytes([int(escape, 8) & 0xFF])
    if escape[0] == "x" and len(escape) == 3:
        return bytes([int(escape[1:], 16)])
    return _C_NAMED.get(escape, escape.encode())


def duid_mac(duid: bytes) -> str | None:
    """The MAC in a DUID of type 1 (link layer and time) or 3 (link layer), RFC 8415 section 11.

    Hardware type 1 (Ethernet) or 6 (IEEE 802) only; the other DUIDs hold none.
    """
    head = {b"\x00\x01": 8, b"\x00\x03": 4}.get(duid[:2])
    if head is None or duid[2:4] not in {b"\x00\x01", b"\x00\x06"} or len(duid) != head + 6:
        return None
    return format_mac(duid[head:])


def hex_octets(text: str) -> bytes:
    """The bytes of ``00:01:00:01:…``; empty where `text` is no such string."""
    try:
        return bytes.fromhex(text.replace(":", ""))
    except ValueError:
        return b""


def hex_duid_mac(text: str) -> bytes | None:
    """The MAC bytes in a DUID that is written as hex with colons, or None."""
    mac = duid_mac(hex_octets(text))
    return parse_mac(mac) if mac else None


def words(text: pa.Array, convert: Callable[[str], object]) -> pa.Array:
    """`convert` on each distinct string of a column, as strings."""
    return by_distinct(text, convert, pa.string())


def given(text: pa.Array, nothing: Sequence[str] = NOTHING) -> pa.Array:
    """Texts, null where the product writes that there is none."""
    return pc.if_else(pc.is_in(text, value_set=pa.array(nothing, pa.string())), None, text)


def mask(array: pa.Array) -> np.ndarray:
    """A boolean column as an array; null is False."""
    flags: np.ndarray = pc.fill_null(array, False).to_numpy(zero_copy_only=False)
    return flags


def among_others(lines: list[str], test: Callable[[str], object]) -> float:
    """Confidence for one program's lines in a system log that other programs write to as well.

    Over a half once a twentieth of the lines are this program's; the program with the most wins.
    """
    own = share(lines, test)
    return 0.5 + own / 2 if own >= 0.05 else 0.0
