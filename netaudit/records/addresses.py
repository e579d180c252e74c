"""IP, network and MAC values: one 16-byte or 6-byte form inside, text only at the edge.

IPv4 is held as v4-mapped IPv6 (RFC 4291 section 2.5.5.2), so that there is one code path for
both. Text follows RFC 5952. Column functions work on distinct values and take the result back.
"""

from __future__ import annotations

import ipaddress
import re
import secrets
import socket
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.records.schemas import IP, MAC, WORD, nulls

V4_PREFIX = b"\x00" * 10 + b"\xff\xff"

_MANY = 4_096  # rows from which on loading a kernel is worth its while

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def parse_ip(text: str) -> bytes | None:
    """16 bytes, or None where `text` is no address. A scope suffix (``%eth0``) is dropped."""
    try:
        return V4_PREFIX + socket.inet_pton(socket.AF_INET, text)  # ten times as fast as ipaddress
    except (OSError, ValueError):
        pass
    try:
        address = ipaddress.ip_address(text.strip().split("%", 1)[0])
    except ValueError:
        return None
    return V4_PREFIX + address.packed if address.version == 4 else address.packed


@lru_cache(maxsize=1 << 16)
def format_ip(packed: bytes) -> str:
    """Text of 16 bytes; IPv4-mapped as dotted quad."""
    if packed[:12] == V4_PREFIX:
        return socket.inet_ntop(socket.AF_INET, packed[12:])
    if packed[:12] == bytes(12):  # the C library writes ::102:304 as ::1.2.3.4
        return str(ipaddress.IPv6Address(packed))
    return socket.inet_ntop(socket.AF_INET6, packed)  # five times as fast as ipaddress


_NOT_HEX = re.compile(r"[\s.:：-]+")


def parse_mac(text: str) -> bytes | None:
    """6 bytes of any usual spelling, or None.

    Reads ``52:54:00:aa:00:01``, ``52-54-…``, ``5254.00aa.0002``, ``b8d6-f6ff-7390``,
    ``525400-aa0001``, bare hex, and BSD's dropped zeros (``0:1c:2:a:b:c``). All-zero and
    broadcast are no station's address and give None.
    """
    parts = [p for p in _NOT_HEX.split(text.strip()) if p]
    if len(parts) == 6 and all(len(p) <= 2 for p in parts):
        parts = [p.zfill(2) for p in parts]
    digits = "".join(parts)
    if len(digits) != 12 or digits in {"0" * 12, "f" * 12, "F" * 12}:
        return None
    try:
        return bytes.fromhex(digits)
    except ValueError:
        return None


@lru_cache(maxsize=1 << 14)
def format_mac(packed: bytes) -> str:
    """Twelve lower-case hex digits with colons."""
    return packed.hex(":")


def is_random_mac(packed: bytes) -> bool:
    """Whether the address is locally administered (IEEE 802: second-lowest bit of octet 0)."""
    return bool(packed[0] & 0x02)


def by_distinct(array: pa.Array, convert: Callable[[Any], object], type_: pa.DataType) -> pa.Array:
    """`convert` applied once to each distinct value of a string or binary column.

    Nulls, empty strings and values for which `convert` gives None become null.
    """
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    coded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
    values = [convert(v) if v else None for v in coded.dictionary.to_pylist()]
    return pa.array(values, type_).take(coded.indices)


def ip_column(text: pa.Array) -> pa.Array:
    """A string column of addresses as `IP`; what is no address is null."""
    return by_distinct(text, parse_ip, IP)


def mac_column(text: pa.Array) -> pa.Array:
    """A string column of MAC addresses as `MAC`; what is none is null."""
    return by_distinct(text, parse_mac, MAC)


def word_column(packed: pa.Array) -> pa.DictionaryArray:
    """An `IP` or `MAC` column as text, each distinct one once."""
    if packed.null_count == len(packed):
        return nulls(WORD, len(packed))
    if packed.type == IP and len(packed) >= _MANY and not isinstance(packed, pa.ChunkedArray):
        codes, words = _coded(packed)
        return pa.DictionaryArray.from_arrays(codes, words, safe=False)
    convert = format_ip if packed.type == IP else format_mac
    coded = packed.dictionary_encode()
    if isinstance(coded, pa.ChunkedArray):
        coded = coded.unify_dictionaries().combine_chunks()
    words = pa.array([convert(v) for v in coded.dictionary.to_pylist()], pa.string())
    return pa.DictionaryArray.from_arrays(coded.indices, words)


def _coded(packed: pa.Array) -> tuple[pa.Array, pa.Array]:
    """The number of each row of an `IP` column, and the texts that the numbers stand for."""
    from netaudit.kernels import text
    from netaudit.kernels.octets import Octets

    octets = to_bytes(packed if packed.null_count == 0 else packed.drop_null())
    count = len(octets)
    flat = np.ascontiguousarray(octets).reshape(-1)
    flat.flags.writeable = False  # as most of Arrow's buffers are: kernels are compiled for one type
    key = np.frombuffer(secrets.token_bytes(16), np.uint64)
    codes, firsts = np.zeros(len(packed), np.int32), np.empty(count, np.int64)
    slots = np.zeros(text.table_size(count), np.int64)
    found = text.distinct(flat.view(np.uint64).reshape(-1, 2), slots, key, codes, firsts)
    out, ends = np.empty(text.ROOM * found, np.uint8), np.zeros(found + 1, np.int32)
    if text.written(Octets(flat), firsts[:found], out, ends[1:]) == found:
        buffers = [None, pa.py_buffer(ends), pa.py_buffer(out[: ends[-1]].tobytes())]
        words = pa.Array.from_buffers(pa.string(), found, buffers)
    else:
        words = pa.array([format_ip(octets[row].tobytes()) for row in firsts[:found]], pa.string())
    if not packed.null_count:
        return pa.array(codes), words
    missing = packed.is_null().to_numpy(zero_copy_only=False)
    codes[~missing] = codes[:count].copy()
    return pa.array(codes, mask=missing), words


def text_column(packed: pa.Array) -> pa.Array:
    """An `IP` or `MAC` column as text, for the edge."""
    return word_column(packed).dictionary_decode()


def from_bytes(rows: np.ndarray, valid: np.ndarray | None = None) -> pa.Array:
    """An Arrow column over an ``(n, 16)`` or ``(n, 6)`` uint8 array, without a copy where it can.

    Args:
        rows: The addresses' bytes.
        valid: Optional bool mask; False rows become null.
    """
    count, width = rows.shape
    data = pa.py_buffer(np.ascontiguousarray(rows))
    mask = None
    if valid is not None and not valid.all():
        mask = pa.py_buffer(np.packbits(valid, bitorder="little"))
    return pa.Array.from_buffers(pa.binary(width), count, [mask, data])


def to_bytes(column: pa.Array) -> np.ndarray:
    """The bytes of an `IP` or `MAC` column as ``(n, width)`` uint8; nulls are zeros."""
    width = column.type.byte_width
    filled = pc.fill_null(column, bytes(width)) if column.null_count else column
    if isinstance(filled, pa.ChunkedArray):
        filled = filled.combine_chunks()
    raw = np.frombuffer(filled.buffers()[1], np.uint8)
    start = filled.offset * width
    return raw[start : start + len(filled) * width].reshape(-1, width)


def parse_network(text: str) -> Network:
    """An IPv4 or IPv6 network; host bits are cleared.

    Raises:
        ValueError: Not a network.
    """
    return ipaddress.ip_network(text.strip(), strict=False)


def network_range(network: Network) -> tuple[bytes, bytes]:
    """First and last address of a network, 16 bytes each."""
    if network.version == 4:
        return (
            V4_PREFIX + network.network_address.packed,
            V4_PREFIX + network.broadcast_address.packed,
        )
    return network.network_address.packed, network.broadcast_address.packed


def in_network(packed: bytes, network: Network) -> bool:
    """Whether a 16-byte address lies in `network`."""
    low, high = network_range(network)
    return low <= packed <= high
