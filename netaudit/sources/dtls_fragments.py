"""DTLS ClientHellos out of datagrams, put together where they come in parts (RFC 6347 section 4.2.3)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from netaudit.intake.tally import Tally
from netaudit.kernels.packet import MESSAGE, Rows
from netaudit.sources.messages import Messages

MAX_WAITING = 1024
"""Hellos that wait for a part at the same time; the oldest goes when there are more."""

MAX_HELLO = 0x8000
"""Octets of a hello that is put together; no real one comes near."""

_HANDSHAKE, _CLIENT_HELLO = 0x16, 1
_RECORD_HEAD, _HANDSHAKE_HEAD = 13, 12


@dataclass(slots=True)
class _Waiting:
    """The parts of one hello that have come."""

    row: Rows
    """`MESSAGE` of the first of them, one row."""
    length: int
    parts: dict[int, bytes] = field(default_factory=dict)
    """By offset, the longest."""

    def add(self, offset: int, octets: bytes) -> None:
        """Keep a part where it is new and fits; parts that overlap may not take twice a hello's room."""
        held = sum(map(len, self.parts.values()))
        is_new = len(octets) > len(self.parts.get(offset, b""))
        if is_new and offset + len(octets) <= self.length and held + len(octets) <= 2 * self.length:
            self.parts[offset] = octets

    def body(self) -> bytes:
        """What there is without a gap from the beginning on."""
        whole = b""
        for offset in sorted(self.parts):
            if offset > len(whole):
                break
            whole += self.parts[offset][len(whole) - offset :]
        return whole


@dataclass(frozen=True, slots=True)
class _Part:
    sequence: int
    length: int
    offset: int
    octets: bytes


class Fragments:
    """Hellos of one file that came in parts, until they are whole."""

    def __init__(self, tally: Tally) -> None:
        """Nothing waits."""
        self._tally = tally
        self._waiting: dict[tuple[object, ...], _Waiting] = {}

    def read(self, messages: Messages) -> tuple[Rows, list[bytes]]:
        """Hellos that are whole now, as if they had come over TLS but for the cookie, and their messages."""
        rows: list[Rows] = []
        hellos: list[bytes] = []
        for index in range(len(messages)):
            row = messages.rows[index : index + 1]
            for part in _parts(messages.octets(index)):
                first, body = self._add(row, part)
                if body is not None:
                    rows.append(first)
                    hellos.append(_headed(part.length, body))
        return _joined(rows), hellos

    def rest(self) -> tuple[Rows, list[bytes]]:
        """What waits in vain, as far as it goes from the beginning on."""
        left = list(self._waiting.values())
        self._waiting.clear()
        return _joined([one.row for one in left]), [_headed(one.length, one.body()) for one in left]

    def _add(self, row: Rows, part: _Part) -> tuple[Rows, bytes | None]:
        """The hello that a part makes whole, and the message that it began with."""
        if part.offset == 0 and len(part.octets) == part.length:
            return row, part.octets
        ends = tuple(row[0][["src0", "src1", "dst0", "dst1", "sport", "dport"]].tolist())
        key = (*ends, part.sequence, part.length)
        if part.length > MAX_HELLO:
            self._tally.skip("a DTLS hello is longer than any", [int(row["ordinal"][0])])
            return row, None
        waiting = self._waiting.setdefault(key, _Waiting(row, part.length))
        waiting.add(part.offset, part.octets)
        body = waiting.body()
        if len(body) >= part.length:
            return self._waiting.pop(key).row, body
        if len(self._waiting) > MAX_WAITING:
            oldest = self._waiting.pop(next(iter(self._waiting)))
            self._tally.skip("a DTLS hello was given up: too many wait", oldest.row["ordinal"].tolist())
        return row, None


def _parts(datagram: bytes) -> Iterator[_Part]:
    """Parts of ClientHellos in the records of one datagram, in their order."""
    at = 0
    while at + _RECORD_HEAD <= len(datagram) and datagram[at] == _HANDSHAKE:
        stop = at + _RECORD_HEAD + int.from_bytes(datagram[at + 11 : at + 13], "big")
        at += _RECORD_HEAD
        while at + _HANDSHAKE_HEAD <= min(stop, len(datagram)) and datagram[at] == _CLIENT_HELLO:
            length, sequence, offset, size = (
                int.from_bytes(datagram[at + a : at + b], "big")
                for a, b in ((1, 4), (4, 6), (6, 9), (9, 12))
            )
            at += _HANDSHAKE_HEAD
            yield _Part(sequence, length, offset, datagram[at : min(at + size, stop)])
            at += size
        at = stop


def _headed(length: int, body: bytes) -> bytes:
    return bytes([_CLIENT_HELLO]) + length.to_bytes(3, "big") + body


def _joined(rows: list[Rows]) -> Rows:
    return np.concatenate(rows) if rows else np.zeros(0, MESSAGE)
