"""DNS messages that a log holds in wire form (RFC 1035 section 4), as columns."""

from __future__ import annotations

import binascii
import secrets
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.sources.formats._values import mask

_MAX_MESSAGE = 65_535


@dataclass(frozen=True, slots=True)
class Read:
    """What messages say, one value for each; null where it cannot be read."""

    name: pa.Array
    """Of the first question, in normal form."""
    qtype: pa.Array
    rcode: pa.Array
    """Null in a query."""
    answers: pa.Array
    """Lists, null where there is none."""


def from_hex(text: pa.Array) -> pa.Array:
    """Octets out of hexadecimal digits; null where a value is anything else."""
    sound = pc.fill_null(pc.match_substring_regex(text, r"^(?:[0-9A-Fa-f]{2})+$"), False)
    text = pc.if_else(sound, text, "")
    sizes = pc.binary_length(text).to_numpy(zero_copy_only=False) // 2
    return _pieces(binascii.unhexlify(body(text)), sizes)


def from_base64(text: pa.Array) -> pa.Array:
    """Octets out of padded base64 (RFC 4648 section 4); null where a value is anything else."""
    sound = r"^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"
    text = pc.if_else(pc.fill_null(pc.match_substring_regex(text, sound), False), text, "")
    sixes = _SIXES[np.frombuffer(body(text), np.uint8)].reshape(-1, 4).astype(np.uint32)
    word = sixes[:, 0] << 18 | sixes[:, 1] << 12 | sixes[:, 2] << 6 | sixes[:, 3]
    octets = np.stack([word >> 16, word >> 8, word], 1).astype(np.uint8).reshape(-1)
    lengths = pc.binary_length(text).to_numpy(zero_copy_only=False)
    padding = pc.count_substring(text, "=").to_numpy(zero_copy_only=False)
    ends = np.cumsum(lengths // 4 * 3)
    keep = np.ones(len(octets), bool)
    keep[ends[padding > 0] - 1] = keep[ends[padding > 1] - 2] = False
    return _pieces(octets[keep].tobytes(), lengths // 4 * 3 - padding)


_SIXES = np.zeros(256, np.uint8)
_SIXES[np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", np.uint8)] = (
    range(64)
)


def body(column: pa.Array) -> bytes:
    """The octets of a string or binary column, one value behind the other; nulls must be empty."""
    if not len(column):
        return b""
    ends = np.frombuffer(column.buffers()[1], np.int32)
    octets: bytes = column.buffers()[2][
        int(ends[column.offset]) : int(ends[column.offset + len(column)])
    ].to_pybytes()
    return octets


def pieces(octets: np.ndarray, at: np.ndarray, size: np.ndarray) -> pa.Array:
    """Pieces of some octets as a binary column; those of size 0 are null."""
    shift = np.repeat(at - (np.cumsum(size) - size), size)
    return _pieces(octets[shift + np.arange(len(shift))].tobytes(), size)


def _pieces(octets: bytes, sizes: np.ndarray) -> pa.Array:
    """Octets as a binary column; those of size 0 are null."""
    ends = np.concatenate(([0], np.cumsum(sizes))).astype(np.int32)
    valid = pa.py_buffer(np.packbits(sizes > 0, bitorder="little"))
    return pa.Array.from_buffers(pa.binary(), len(sizes), [valid, pa.py_buffer(ends), pa.py_buffer(octets)])


def read_messages(messages: pa.Array) -> Read:
    """Read a binary column of messages; null or empty is no message."""
    parts: list[tuple[np.ndarray, Read]] = []
    held = mask(pc.greater(pc.binary_length(messages), 0))
    index = np.flatnonzero(held & ~mask(pc.greater(pc.binary_length(messages), _MAX_MESSAGE)))
    if len(index):
        parts = _blocks(messages.take(pa.array(index)))
    place = np.full(len(messages), -1)
    place[index[np.concatenate([at for at, _ in parts])] if parts else []] = np.arange(
        sum(len(at) for at, _ in parts)
    )
    rows = pa.array(place, mask=place < 0)

    def whole(name: str, type_: pa.DataType) -> pa.Array:
        found = [getattr(part, name).cast(type_) for _, part in parts]
        return pa.concat_arrays([*found, pa.array([], type_)]).take(rows)

    text = pa.string()
    return Read(
        whole("name", text), whole("qtype", text), whole("rcode", text), whole("answers", pa.list_(text))
    )


def _blocks(messages: pa.Array) -> list[tuple[np.ndarray, Read]]:
    """Which messages could be read, and what they say, in one or more blocks."""
    from netaudit.kernels import dnswire
    from netaudit.kernels import text as spelling
    from netaudit.kernels.octets import octets_of
    from netaudit.kernels.packet import MESSAGE
    from netaudit.sources.dns_columns import MAX_TEXT
    from netaudit.sources.messages import Messages

    lengths = pc.binary_length(messages).to_numpy(zero_copy_only=False)
    rows = np.zeros(len(messages), MESSAGE)
    rows["length"], rows["at"] = lengths, np.cumsum(lengths) - lengths
    block = Messages(rows, octets_of(body(messages)), 0)
    trouble = np.zeros(len(rows), np.uint8)
    key = np.array([secrets.randbits(64), secrets.randbits(64)], np.uint64)
    parts, done = [], 0
    while done < len(rows):
        most = len(rows) - done + dnswire.QUESTIONS_ROOM
        room = min(int(lengths[done:].sum()), MAX_TEXT) + dnswire.TEXT_ROOM
        asks, names = np.empty(most, dnswire.ASK), spelling.texts(room, most, key)
        done, count = dnswire.read_questions(rows, block.arena, done, asks, 0, names, trouble)
        parts.append(_part(block, asks[:count], names, trouble))
    return parts


def _part(block: Any, asks: Any, names: Any, trouble: np.ndarray) -> tuple[np.ndarray, Read]:
    """The first question of each message of some asks."""
    import dns.rcode
    import dns.rdatatype

    from netaudit.sources.dns_columns import mnemonics, names_column, spell_answers

    message, first = np.unique(asks["message"], return_index=True)
    answers, done = [], 0
    while done < len(first):
        found = spell_answers(block, asks, first[done:], trouble).lists
        answers.append(found)
        done += len(found)
    rcode = np.where(asks["response"][first] != 0, asks["rcode"][first].astype(np.int64), -1)
    return message, Read(
        names_column(names, asks["name"][first]),
        mnemonics(asks["qtype"][first], dns.rdatatype.to_text),
        mnemonics(rcode, dns.rcode.to_text),
        pa.concat_arrays([*answers, pa.array([], pa.list_(pa.string()))]),
    )
