"""The usual lines of a format by kernels; whatever they leave, by the format's own reader.

What a line means has one definition, the format's. A kernel reads only lines about which there is no
doubt, and reads in them what the format would: so which way a line took can never be seen in the rows.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake import times
from netaudit.intake.lines import Chunk, Framed
from netaudit.intake.log_format import Parse, Parsed, Rows
from netaudit.kernels import spans
from netaudit.kernels.octets import Bytes, Ints, Octets
from netaudit.kernels.text import texts
from netaudit.records.addresses import from_bytes

_SIZE = (1 << spans.WIDTH) - 1


class Quick(Protocol):
    """Reads the usual lines of one file."""

    def __call__(self, framed: Framed) -> Rows:
        """The rows of those lines that are beyond doubt; each of a line of its own, ascending."""


def by_kernels(quick: Quick, rest: Callable[[pa.StringArray], Parsed]) -> Parse:
    """A reader of chunks out of a quick one and one for the lines that it leaves."""

    def parse(chunk: Chunk) -> Parsed:
        if chunk.framed is None:
            return rest(chunk.lines)
        usual = quick(chunk.framed)
        left = np.ones(len(chunk.sizes), bool)
        left[usual.line] = False
        held = [usual] if len(usual.line) else []
        if not left.any():
            return Parsed(held)
        index = np.flatnonzero(left)
        parsed = rest(chunk.take(index))
        return Parsed(
            held + [Rows(rows.kind, rows.columns, index[rows.line]) for rows in parsed.rows],
            {reason: index[lines] for reason, lines in parsed.rejected.items()},
            parsed.other,
        )

    return parse


class Columns:
    """Makes columns of spans, chunk by chunk of one file."""

    def __init__(self, context: times.Context) -> None:
        """Before the first chunk."""
        self._context = context
        self._seen = np.zeros((spans.ADDRESSES, 4), np.uint64)
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

    def addresses(self, where: Ints) -> pa.Array:
        """Addresses."""
        out = np.empty((len(where), 2), np.uint64)
        spans.addresses(self._text, where, out, self._good, self._seen)
        return from_bytes(out.view(np.uint8))

    def ports(self, where: Ints) -> pa.Array:
        """Ports."""
        out = np.empty(len(where), np.uint16)
        spans.ports(self._text, where, out, self._good)
        return pa.array(out)

    def day_first(self, where: Ints) -> pa.Array:
        """Times as BIND writes them, in the declared zone."""
        out = np.empty(len(where), np.int64)
        spans.day_first(self._text, where, out, self._good)
        return times.from_local(out, self._good == 0, self._context)

    def names(self, where: Ints) -> pa.Array:
        """Names in normal form."""
        table = self._empty_table(int((where & _SIZE).sum()) + 2 * spans.MAX_NAME, len(where) + 1)
        out = np.empty(len(where), np.int32)
        spans.names(self._text, where, table, out, self._good)
        count, size = int(table.texts.size[0]), table.texts.written()
        offsets = np.zeros(count + 1, np.int32)
        offsets[1:] = table.texts.ends[:count]
        octets = pa.py_buffer(table.texts.text.u8[:size].tobytes())
        return _coded(out, pa.Array.from_buffers(pa.string(), count, [None, pa.py_buffer(offsets), octets]))

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

    def words(self, where: Ints, name: str, meaning: Callable[[pa.Array], pa.Array]) -> pa.Array:
        """Texts of which there are few, each as what it means; those that mean nothing are not good.

        Args:
            where: Their spans.
            name: Of the vocabulary, which lasts as long as the file.
            meaning: Gives strings for distinct texts; null for none.
        """
        vocabulary = self._vocabularies.setdefault(name, _Vocabulary())
        out = np.empty(len(where), np.int32)
        count = spans.words(self._text, where, vocabulary.known, out, self._good)
        vocabulary.learn(count, meaning)
        out = vocabulary.number[out]
        if vocabulary.has_nonsense:
            self._good &= out >= 0
        return _coded(out, vocabulary.words)


class _Vocabulary:
    """What the few texts of a column mean."""

    def __init__(self) -> None:
        self.known = np.zeros((spans.WORDS, 2), np.uint64)
        self.number = np.zeros(1, np.int32)
        self.words = pa.array([], pa.string())
        self.has_nonsense = False
        self._count = 0

    def learn(self, count: int, meaning: Callable[[pa.Array], pa.Array]) -> None:
        if count == self._count:
            return
        spelled = [word.decode() for word in self.known[:count].view("S16").ravel().tolist()]
        coded = meaning(pa.array(spelled, pa.string())).dictionary_encode()
        self.number = pc.fill_null(coded.indices, -1).to_numpy(zero_copy_only=False).astype(np.int32)
        self.words = coded.dictionary
        self.has_nonsense = bool(coded.null_count)
        self._count = count


def _coded(index: np.ndarray, words: pa.Array) -> pa.Array:
    """A column of repeating words; rows that are not good may have any."""
    if not len(words):
        words = pa.array([""])
    return pa.DictionaryArray.from_arrays(pa.array(np.maximum(index, 0)), words, safe=False)
