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


class Records:
    """One kind's table, each column in one piece."""

    def __init__(self, table: pa.Table) -> None:
        """Keep the columns of `table`, which conforms to its kind's schema."""
        self.count = table.num_rows
        self._columns = {name: _one_piece(table.column(name)) for name in table.column_names}

    def codes(self, name: str) -> tuple[np.ndarray, pa.Array]:
        """``(n,)`` int64 codes in the order of the values (-1 for null), and the sorted values."""
        coded = self._coded(name)
        order = pc.array_sort_indices(coded.dictionary).to_numpy()
        rank = np.empty(len(order), np.int64)
        rank[order] = np.arange(len(order))
        codes = pc.fill_null(coded.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
        known = codes >= 0
        codes[known] = rank[codes[known]]
        return codes, coded.dictionary.take(pa.array(order))

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
        """``(n,)`` int64 values of a column of counts or ports, -1 for null."""
        filled = pc.fill_null(self._columns[name].cast(pa.int64()), -1)
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
        files, _ = self.codes("file")
        rank = np.empty(self.count, np.int64)
        rank[np.lexsort((self.numbers("ordinal"), files))] = np.arange(self.count)
        return rank


def combine(*codes: np.ndarray) -> np.ndarray:
    """One dense code for each combination of several code columns (-1 is a value like others)."""
    out = codes[0] + 1
    for more in codes[1:]:
        width = int(more.max(initial=-1)) + 2
        out = _dense(out * width + more + 1)
    return out


def codes_of(values: pa.Array) -> dict[object, int]:
    """Each value's code."""
    return {value: code for code, value in enumerate(values.to_pylist())}


def to_moment(nanos: int) -> dt.datetime | None:
    """An aware time, to the microsecond; None for what stands for no bound."""
    if not -FAR < nanos < FAR:
        return None
    return moment(int(nanos))


def _dense(codes: np.ndarray) -> np.ndarray:
    indices = pa.array(codes).dictionary_encode().indices
    dense: np.ndarray = indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return dense


def _one_piece(column: pa.ChunkedArray) -> pa.Array:
    if pa.types.is_dictionary(column.type):
        column = column.unify_dictionaries()
    if column.num_chunks == 0:
        return pa.array([], column.type)
    whole = column.combine_chunks()
    return whole.chunk(0) if isinstance(whole, pa.ChunkedArray) else whole
