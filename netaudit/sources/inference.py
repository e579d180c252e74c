"""Names of flows that carried none: what an earlier answer of DNS to the same client suggests.

It is a guess and is marked as one, with its age: many names share an address, so all that led this
client there are told. Only answers from before the flow count.
"""

from __future__ import annotations

import secrets
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from netaudit.kernels import inference
from netaudit.kernels.octets import Bytes, Ints
from netaudit.kernels.text import Words


class Learned(NamedTuple):
    """Addresses that answers gave; one row an address."""

    client: Bytes
    """``(n, 16)``: whom the answer was sent to."""
    name: pa.Array
    """What was asked for, whatever aliases it led over; a string column."""
    address: Bytes
    """``(n, 16)``."""
    ts: Ints
    """When the answer came, nanoseconds."""


class Inferred(NamedTuple):
    """One row a flow."""

    name: pa.Array
    """The name of the latest answer before the flow; null where there was none."""
    age_s: pa.Array
    """Seconds from that answer to the flow's beginning."""
    also: pa.Array
    """Other names that led this client to that address, the latest first; null for none."""


class Answers:
    """What the answers in one file taught, bounded: what was learnt first is forgotten first."""

    def __init__(self, entries: int = inference.MAX_ENTRIES, text: int = inference.MAX_TEXT) -> None:
        """Room for so many pairs of client and address, and so many octets of names (powers of two)."""
        key = np.array([secrets.randbits(64), secrets.randbits(64)], np.uint64)
        self._table = inference.answers(key, entries, text)

    def learn(self, client: Bytes, name: pa.Array, address: Bytes, ts: Ints) -> None:
        """Take in answers, those of earlier in the file first; the arguments are those of `Learned`."""
        coded = name if pa.types.is_dictionary(name.type) else name.dictionary_encode()
        text, ends = _octets(coded.dictionary)
        numbers = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
        inference.learn(self._table, _words(client), _words(address), _times(ts), text, ends, numbers)

    def infer(self, client: Bytes, server: Bytes, ts: Ints) -> Inferred:
        """Names for flows.

        Args:
            client: ``(n, 16)``: who opened them.
            server: ``(n, 16)``: to whom; a multicast group has no name.
            ts: When they began, nanoseconds.
        """
        places = np.empty((len(ts), inference.NAMES), np.int64)
        times = np.empty_like(places)
        inference.infer(self._table, _words(client), _words(server), _times(ts), places, times)
        known = places >= 0
        age = np.where(known[:, 0], ts - times[:, 0], 0) / 1e9
        also = self._names(places[:, 1:][known[:, 1:]])
        offsets = np.concatenate(([0], np.cumsum(known[:, 1:].sum(axis=1)))).astype(np.int32)
        return Inferred(
            self._names(places[:, 0]),
            pa.array(age, pa.float64(), mask=~known[:, 0]),
            pa.ListArray.from_arrays(pa.array(offsets), also, mask=pa.array(offsets[1:] == offsets[:-1])),
        )

    @property
    def forgotten(self) -> int:
        """Pairs that had to make room for others."""
        return max(int(self._table.written[0]) - len(self._table.entries), 0)

    def _names(self, places: Ints) -> pa.Array:
        known = places >= 0
        chosen = places[known]
        sizes = np.zeros(len(places), np.int64)
        sizes[known] = self._table.entries["size"][chosen]
        offsets = np.concatenate(([0], np.cumsum(sizes))).astype(np.int32)
        text = np.empty(int(offsets[-1]), np.uint8)
        inference.spell(self._table, chosen, text)
        valid = pa.py_buffer(np.packbits(known, bitorder="little"))
        return pa.Array.from_buffers(
            pa.string(), len(places), [valid, pa.py_buffer(offsets), pa.py_buffer(text)]
        )


def _octets(texts: pa.Array) -> tuple[Bytes, Ints]:
    """The text of a string column, and where each ends in it; nulls are empty."""
    plain = pa.concat_arrays([texts.cast(pa.string()).fill_null("")])  # begins at 0
    offsets = (
        np.frombuffer(plain.buffers()[1], np.int32, len(plain) + 1) if len(plain) else np.zeros(1, np.int32)
    )
    data: Any = plain.buffers()[2]
    text = np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)
    return text.copy(), offsets[1:].astype(np.int64)


def _words(octets: Bytes) -> Words:
    """``(n, 16)`` octets as ``(n, 2)`` integers as they lie in memory."""
    return np.ascontiguousarray(octets).copy().view("<u8")


def _times(ts: Ints) -> Ints:
    return np.array(ts, np.int64)
