"""A table of one kind as plain arrays: codes, nanoseconds, numbers, and the evidence of a row."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.records.evidence import Evidence
from netaudit.records.moments import moment

SECOND = 10**9
NONE = int(np.iinfo(np.int64).min)
"""Stands for a time that is not known."""
FAR = 2**62
"""Later than any record (year 2116); ``-FAR`` is earlier than any."""
_ROOM = 2**62
_SHORT_BITS = 16


class Records:
    """One kind's table, each column in one piece."""

    def __init__(self, table: pa.Table) -> None:
        """Keep the columns of `table`, which conforms to its kind's schema."""
        self.count = table.num_rows
        self._columns = {name: _one_piece(table.column(name)) for name in table.column_names}

    def codes(self, name: str) -> tuple[np.ndarray, pa.Array]:
        """``(n,)`` int32 codes in the order of the values (-1 for null), and the sorted values."""
        return codes_of(self._coded(name))

    def groups(self, name: str) -> np.ndarray:
        """``(n,)`` int64 codes (-1 for null) that are equal where the values are, in no order: much cheaper."""
        codes = pc.fill_null(self._coded(name).indices, -1)
        found: np.ndarray = codes.to_numpy(zero_copy_only=False).astype(np.int64)
        return found

    def nanos(self, name: str) -> np.ndarray:
        """``(n,)`` int64 nanoseconds since 1970, `NONE` for null, at most `FAR`."""
        whole = self._columns[name].cast(pa.int64())
        values = pc.fill_null(whole, NONE).to_numpy(zero_copy_only=False)
        bounded: np.ndarray = np.minimum(values, FAR)
        return bounded

    def numbers(self, name: str) -> np.ndarray:
        """``(n,)`` values of a column of counts (int64) or ports (int32), -1 for null."""
        column = self._columns[name]
        wide = pa.int32() if column.type.bit_width <= _SHORT_BITS else pa.int64()
        filled = pc.fill_null(column.cast(wide), -1)
        values: np.ndarray = filled.to_numpy(zero_copy_only=False)
        return values

    def _coded(self, name: str) -> pa.DictionaryArray:
        column = self._columns[name]
        return column if pa.types.is_dictionary(column.type) else column.dictionary_encode()

    def words(self, name: str) -> tuple[np.ndarray, list[str]]:
        """Codes (-1 for null or empty) and words of a column of words."""
        codes, values = self.codes(name)
        words = values.to_pylist()
        if words and words[0] == "":
            codes = np.where(codes == 0, -1, codes)
        return codes, words

    def texts(self, name: str) -> np.ndarray:
        """``(n + 1,)`` object: a column of words as text, empty for null; the last is empty too.

        So the row -1, none, has an empty text.
        """
        codes, words = self.words(name)
        found: np.ndarray = np.array([*words, ""], object)[np.append(codes, -1)]
        return found

    def known(self, name: str) -> np.ndarray:
        """``(n,)`` bool: where the column has a value."""
        known: np.ndarray = pc.is_valid(self._columns[name]).to_numpy(zero_copy_only=False)
        return known

    def value(self, name: str, row: int) -> object:
        """One cell, None for null."""
        return self._columns[name][row].as_py()

    def text(self, name: str, row: int) -> str:
        """One cell of a column of words, empty for null."""
        return self._columns[name][row].as_py() or ""

    def evidence(self, row: int) -> Evidence | None:
        """Where a row comes from; None where it does not say."""
        file, ordinal = self.value("file", row), self.value("ordinal", row)
        if not isinstance(file, str) or not isinstance(ordinal, int):
            return None
        return Evidence(file, ordinal)

    def order(self) -> np.ndarray:
        """``(n,)`` rank of each row by file and ordinal: what came first in the files."""
        files, ordinal = self.codes("file")[0], self.numbers("ordinal")
        later = files[1:] > files[:-1]
        later |= (files[1:] == files[:-1]) & (ordinal[1:] >= ordinal[:-1])
        rank = np.arange(self.count, dtype=np.int32)
        if not later.all():
            rank[np.lexsort((ordinal, files))] = np.arange(self.count, dtype=np.int32)
        return rank


def combine(*codes: np.ndarray) -> np.ndarray:
    """One code for each combination of several code columns (-1 is a value like others).

    Returns:
        ``(n,)`` int64, not negative; dense only where the columns' widths would not fit 62 bits.
    """
    out, width = np.zeros(len(codes[0]), np.int64), 1
    for column in codes:
        more = column + 1
        step = int(more.max(initial=0)) + 1
        if width * step >= _ROOM:
            out, more = dense(out), dense(more)
            width, step = int(out.max(initial=0)) + 1, int(more.max(initial=0)) + 1
        out, width = out * step + more, width * step
    return out


def codes_of(column: pa.Array) -> tuple[np.ndarray, pa.Array]:
    """``(n,)`` int32 codes of a column in the order of its values (-1 for null), and the sorted values."""
    coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    order = pc.array_sort_indices(coded.dictionary).to_numpy()
    rank = np.full(len(order) + 1, -1, np.int32)
    rank[order] = np.arange(len(order))
    codes = rank[pc.fill_null(coded.indices, -1).to_numpy(zero_copy_only=False)]
    return codes, coded.dictionary.take(pa.array(order))


def to_moment(nanos: int) -> dt.datetime | None:
    """An aware time, to the microsecond; None for what stands for no bound."""
    if not -FAR < nanos < FAR:
        return None
    return moment(int(nanos))


def dense(codes: np.ndarray) -> np.ndarray:
    """The same groups numbered from 0, without holes, in the order in which they first come."""
    indices = pa.array(codes).dictionary_encode().indices
    numbers: np.ndarray = indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return numbers


def _one_piece(column: pa.ChunkedArray) -> pa.Array:
    if column.num_chunks == 1:
        return column.chunk(0)
    if pa.types.is_dictionary(column.type):
        column = column.unify_dictionaries()
    if column.num_chunks == 0:
        return pa.array([], column.type)
    whole = column.combine_chunks()
    return whole.chunk(0) if isinstance(whole, pa.ChunkedArray) else whole
