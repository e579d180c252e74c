"""The usual lines of a format by kernels; whatever they leave, by the format's own reader.

What a line means has one definition, the format's. A kernel reads only lines about which there is no
doubt, and reads in them what the format would: so which way a line took can never be seen in the rows.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake import times
from netaudit.intake.lines import Chunk, Framed
from netaudit.intake.log_format import Parse, Parsed, Rows
from netaudit.kernels import spanaddresses, spans, stamps
from netaudit.kernels.octets import Bytes, Ints, Octets, octets
from netaudit.kernels.text import texts
from netaudit.records.addresses import from_bytes
from netaudit.records.schemas import TIMESTAMP

_NONSENSE, _NOTHING = -1, -2


class Usual(NamedTuple):
    """What the usual lines of a chunk give."""

    rows: Rows
    """Each of a line of its own, ascending."""
    other: Ints = np.empty(0, np.int64)
    """Lines that hold no record on purpose."""


Quick = Callable[[Framed], Usual]
"""Reads those lines of one file that are beyond doubt, chunk by chunk."""


def by_kernels(quick: Quick, rest: Callable[[pa.StringArray], Parsed]) -> Parse:
    """A reader of chunks out of a quick one and one for the lines that it leaves."""

    def parse(chunk: Chunk) -> Parsed:
        if chunk.framed is None:
            return rest(chunk.lines)
        usual, other = quick(chunk.framed)
        left = np.ones(len(chunk.sizes), bool)
        left[usual.line] = left[other] = False
        held = [usual] if len(usual.line) else []
        if not left.any():
            return Parsed(held, other=len(other))
        index = np.flatnonzero(left)
        parsed = rest(chunk.take(index))
        return Parsed(
            held + [Rows(rows.kind, rows.columns, index[rows.line]) for rows in parsed.rows],
            {reason: index[lines] for reason, lines in parsed.rejected.items()},
            parsed.other + len(other),
        )

    return parse


class Columns:
    """Makes columns of spans, chunk by chunk of one file."""

    def __init__(self, context: times.Context) -> None:
        """Before the first chunk."""
        self._context = context
        self._seen = np.zeros((spanaddresses.SEEN, 4), np.uint64)
        self._key = np.frombuffer(secrets.token_bytes(16), np.uint64).copy()
        self._names = spans.Names(texts(0, 0, self._key), np.zeros(0, np.uint8))
        self._vocabularies: dict[str, _Vocabulary] = {}
        self._text: Octets
        self._good: Bytes

    def begin(self, text: Octets, count: int) -> None:
        """Columns of so many rows, out of the text of a chunk."""
        self._text = text
        self._good = np.ones(count, np.uint8)

    def end(self, kind: str, columns: dict[str, Any], line: Ints) -> Rows:
        """The rows all whose columns could be read."""
        good = self._good.view(np.bool_)
        if good.all():
            return Rows(kind, columns, line)
        keep = pa.array(good)
        held = {n: c.filter(keep) if isinstance(c, pa.Array) else c for n, c in columns.items()}
        return Rows(kind, held, line[good])

    def doubt(self, rows: pa.Array) -> None:
        """Leave these rows (bool) to the format's own reader."""
        self._good[rows.to_numpy(zero_copy_only=False)] = 0

    def addresses(self, where: Ints) -> pa.Array:
        """Addresses."""
        return from_bytes(self.packed(where))

    def packed(self, where: Ints) -> np.ndarray:
        """Addresses as octets, 16 a row."""
        out = np.empty((len(where), 2), np.uint64)
        spanaddresses.addresses(self._text, where, out, self._good, self._seen)
        return out.view(np.uint8)

    def ports(self, where: Ints) -> pa.Array:
        """Ports."""
        out = np.empty(len(where), np.uint16)
        spans.ports(self._text, where, out, self._good)
        return pa.array(out)

    def day_first(self, where: Ints) -> pa.Array:
        """Times as BIND writes them, in the declared zone."""
        out = np.empty(len(where), np.int64)
        stamps.day_first(self._text, where, out, self._good)
        return times.from_local(out, self._good == 0, self._context)

    def stamps(self, where: Ints, read: Callable[[pa.Array], pa.Array]) -> pa.Array:
        """Times of any spelling, each read once where rows of the same one follow each other.

        Args:
            where: Their spans.
            read: Gives times for texts; null for none.
        """
        firsts = np.empty(len(where), np.int64)
        firsts = firsts[: spans.runs(self._text, where, firsts)]
        begins, sizes = where[firsts] >> spans.WIDTH, where[firsts] & spans.SIZE
        texts_ = [
            self._text.u8[b : b + s].tobytes() for b, s in zip(begins.tolist(), sizes.tolist(), strict=True)
        ]
        nanos = read(pa.array(texts_, pa.string())).cast(pa.int64())
        self._good[np.repeat(nanos.is_null().to_numpy(zero_copy_only=False), _lengths(firsts, where))] = 0
        every = np.repeat(pc.fill_null(nanos, 0).to_numpy(), _lengths(firsts, where))
        return pa.array(every).cast(TIMESTAMP)

    def epochs(self, where: Ints) -> pa.Array:
        """Seconds since 1970 in ten digits, and a fraction."""
        out = np.empty(len(where), np.int64)
        stamps.epochs(self._text, where, out, self._good)
        return pa.array(out).cast(TIMESTAMP)

    def isos(self, where: Ints) -> pa.Array:
        """ISO 8601 times that say their offset from UTC."""
        out = np.empty(len(where), np.int64)
        stamps.isos(self._text, where, out, self._good)
        return pa.array(out).cast(TIMESTAMP)

    def lists(self, where: Ints, separator: str) -> pa.Array:
        """Lists of strings."""
        found = room_for_lists(len(where), int((where & spans.SIZE).sum()))
        written = spans.lists(self._text, where, ord(separator), found, self._good)
        return list_column(found, len(where), written)

    def names(self, where: Ints) -> pa.Array:
        """Names in normal form."""
        table = self._empty_table(int((where & spans.SIZE).sum()) + 2 * spans.MAX_NAME, len(where) + 1)
        out = np.empty(len(where), np.int32)
        spans.names(self._text, where, table, out, self._good)
        count, size = int(table.texts.size[0]), table.texts.written()
        offsets = np.zeros(count + 1, np.int32)
        offsets[1:] = table.texts.ends[:count]
        text = pa.py_buffer(table.texts.text.u8[:size].tobytes())
        return _coded(out, pa.Array.from_buffers(pa.string(), count, [None, pa.py_buffer(offsets), text]))

    def _empty_table(self, room: int, most: int) -> spans.Names:
        """Room for names; that of the chunk before, where it is enough."""
        kept = self._names.texts
        if len(kept.text.u8) < room or len(kept.ends) < most:
            room, most = room * 5 // 4, most * 5 // 4
            self._names = spans.Names(texts(room, most, self._key), np.zeros(most, np.uint8))
        else:
            kept.slots.fill(0)
            kept.size[0] = 0
        return self._names

    def words(
        self, where: Ints, name: str, meaning: Callable[[pa.Array], pa.Array], none: tuple[str, ...] = ()
    ) -> pa.Array:
        """Texts of which there are few, each as what it means; those that mean nothing are not good.

        Args:
            where: Their spans.
            name: Of the vocabulary, which lasts as long as the file.
            meaning: Gives strings for distinct texts; null for none.
            none: Texts that stand for no value.
        """
        vocabulary = self._vocabularies.setdefault(name, _Vocabulary())
        out = np.empty(len(where), np.int32)
        count = spans.words(self._text, where, vocabulary.known, out, self._good)
        vocabulary.learn(count, meaning, none)
        out = vocabulary.number[out]
        if vocabulary.has_nonsense:
            self._good &= out != _NONSENSE
        missing = out == _NOTHING if vocabulary.has_none else None
        return _coded(out, vocabulary.words, missing)


def room_for_lists(count: int, size: int) -> spans.Lists:
    """Room for so many lists with so much text."""
    return spans.Lists(
        np.zeros(count, np.uint8),
        np.zeros(count + 1, np.int32),
        np.zeros(count + size + 1, np.int32),
        octets(np.empty(size, np.uint8)),
    )


def list_column(found: spans.Lists, count: int, written: int) -> pa.Array:
    """Lists of strings out of `Lists` that were filled: so many, with so much text."""
    items = int(found.offsets[count])
    ends = np.concatenate(([0], found.ends[:items])).astype(np.int32)
    text = pa.py_buffer(found.text.u8[:written].tobytes())
    values = pa.Array.from_buffers(pa.string(), items, [None, pa.py_buffer(ends), text])
    missing = pa.array(found.known[:count] == 0)
    return pa.ListArray.from_arrays(pa.array(found.offsets[: count + 1]), values, mask=missing)


class _Vocabulary:
    """What the few texts of a column mean."""

    def __init__(self) -> None:
        self.known = np.zeros((spans.WORDS, 2), np.uint64)
        self.number = np.zeros(1, np.int32)
        self.words = pa.array([], pa.string())
        self.has_nonsense = self.has_none = False
        self._count = 0

    def learn(self, count: int, meaning: Callable[[pa.Array], pa.Array], none: tuple[str, ...]) -> None:
        """Take up new ones, if there are any."""
        if count == self._count:
            return
        spelled = [word.decode() for word in self.known[:count].view("S16").ravel().tolist()]
        coded = meaning(pa.array(spelled, pa.string())).dictionary_encode()
        number = pc.fill_null(coded.indices, _NONSENSE).to_numpy(zero_copy_only=False).astype(np.int32)
        number[[word in none for word in spelled]] = _NOTHING
        self.number, self.words, self._count = number, coded.dictionary, count
        self.has_nonsense, self.has_none = _NONSENSE in number, _NOTHING in number


def _lengths(firsts: Ints, rows: Ints) -> Ints:
    """How many rows each run has."""
    return np.diff(firsts, append=len(rows))


def _coded(index: np.ndarray, words: pa.Array, missing: np.ndarray | None = None) -> pa.Array:
    """A column of repeating words; rows that are not good may have any."""
    if not len(words):
        words = pa.array([""])
    indices = pa.array(np.maximum(index, 0), mask=missing)
    return pa.DictionaryArray.from_arrays(indices, words, safe=False)
