"""DNS messages' names, numbers and answers as columns, out of what the kernels wrote."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.kernels import dnsrecords, dnswire
from netaudit.kernels import text as spelling
from netaudit.kernels.octets import Bytes, Ints, Octets
from netaudit.kernels.packet import Rows
from netaudit.sources.messages import Messages
from netaudit.sources.rdata import rdata_text

MAX_TEXT = 32 << 20
"""Octets of names, or of answers, that are held at once; what is more comes in further events."""


def names_column(names: spelling.Texts, numbers: Ints) -> pa.DictionaryArray:
    """Names by number, with a dictionary of just those; -1 is null."""
    count = int(names.size[0])
    known = numbers >= 0
    wanted = np.zeros(count, np.bool_)
    wanted[numbers[known]] = True
    place = np.cumsum(wanted, dtype=np.int32) - 1
    texts = _strings(names.text.u8, names.ends[:count]).filter(pa.array(wanted))
    indices = place[np.where(known, numbers, 0)] if count else np.zeros(len(numbers), np.int32)
    return pa.DictionaryArray.from_arrays(pa.array(indices, pa.int32(), mask=~known), texts)


def mnemonics(numbers: Ints, to_text: Callable[[Any], str]) -> pa.DictionaryArray:
    """Words for numbers of 16 bits at most; -1 is null."""
    known = numbers >= 0
    seen = np.zeros(1 << 16, np.bool_)
    seen[numbers[known]] = True
    place = np.cumsum(seen, dtype=np.int32) - 1
    texts = pa.array([to_text(int(number)) for number in np.flatnonzero(seen)], pa.string())
    indices = place[np.where(known, numbers, 0)]
    return pa.DictionaryArray.from_arrays(pa.array(indices, pa.int32(), mask=~known), texts)


def _strings(text: Bytes, ends: Ints) -> pa.Array:
    """ASCII texts that stand one behind the other."""
    offsets = np.zeros(len(ends) + 1, np.int32)
    offsets[1:] = ends
    return pa.Array.from_buffers(
        pa.string(), len(ends), [None, pa.py_buffer(offsets), pa.py_buffer(text[: offsets[-1]])]
    )


class Spelled(NamedTuple):
    """The answers of some events."""

    lists: pa.Array
    """One list an event, null for none."""
    learnt: Rows
    """`dnsrecords.LEARNT`."""


def spell_answers(messages: Messages, asks: Rows, said: Ints, trouble: Bytes) -> Spelled:
    """The answers of events, of the first at least: record data as dnspython prints them, null for none."""
    counts = asks["answers"][said]
    most = min(int(counts.sum()), MAX_TEXT // 16) + dnswire.RECORDS_ROOM
    if not counts.any():
        nothing = pa.nulls(len(said), pa.list_(pa.string()))
        return Spelled(nothing, np.zeros(0, dnsrecords.LEARNT))
    size = int(messages.rows["length"][asks["message"][said[counts > 0]]].sum())
    text = np.empty(min(2 * size, MAX_TEXT) + dnswire.TEXT_ROOM, np.uint8)
    ends, lists = np.empty(most, np.int64), np.empty(len(said), np.int64)
    odd, learnt = np.empty(most, dnsrecords.ODD), np.empty(most, dnsrecords.LEARNT)
    events, records, odds, learnts = dnsrecords.spell_answers(
        messages.rows, messages.arena, asks, said, text, ends, lists, odd, learnt, trouble
    )
    values = _strings(text, ends[:records])
    if odds:
        values = _with_odd(values, odd[:odds], messages.arena)
    offsets = np.zeros(events + 1, np.int32)
    offsets[1:] = lists[:events]
    empty = pa.array(offsets[1:] == offsets[:-1])
    return Spelled(pa.ListArray.from_arrays(pa.array(offsets), values, mask=empty), learnt[:learnts].copy())


def _with_odd(values: pa.Array, odd: Rows, arena: Octets) -> pa.Array:
    """The texts with those of rarer types in their places."""
    size = dnsrecords.SPREAD_ODD * int(odd["length"].sum()) + dnsrecords.ROOM_ODD * len(odd)
    text, ends, known = np.empty(size, np.uint8), np.empty(len(odd), np.int64), np.empty(len(odd), np.uint8)
    dnsrecords.spell_odd(arena, odd, text, ends, known)
    rest = odd[known == 0]
    where = (rest[name].tolist() for name in ("start", "at", "length", "rdclass", "type"))
    texts = pa.array([rdata_text(arena.u8, *one) for one in zip(*where, strict=True)], pa.string())
    spelled = pc.replace_with_mask(_strings(text, ends), pa.array(known == 0), texts)
    is_odd = np.zeros(len(values), np.bool_)
    is_odd[odd["record"]] = True
    return pc.replace_with_mask(values, pa.array(is_odd), spelled)
