"""Parquet files of records: many columns of which most are empty, words that repeat, rising numbers.

Arrow's own writer spends most of its time on the columns that hold nothing. This one writes what such
records need and no more: every column optional, one page a column and row group, words by their
dictionary, whole numbers by their differences.

Reference: https://parquet.apache.org/docs/file-format/
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.kernels import packing
from netaudit.kernels.octets import Octets, octets
from netaudit.records.thrift import STRUCT, Value, binary, boolean, i8, i32, i64, listed, struct, uvarint

MAGIC = b"PAR1"
_INT32, _INT64, _DOUBLE, _BYTE_ARRAY = 1, 2, 5, 6
_OPTIONAL, _REPEATED = 1, 2
_PLAIN, _RLE, _DELTA, _DICTIONARY = 0, 3, 5, 8
_UNCOMPRESSED, _ZSTD = 0, 6
_DATA_PAGE, _DICTIONARY_PAGE = 0, 2
_LIST, _UTF8, _UINT_16, _UINT_32, _UINT_64 = 3, 0, 12, 13, 14
_SMALL = 256
"""Octets that are not worth compressing."""

_TEXT = (_BYTE_ARRAY, [(6, i32(_UTF8)), (10, struct([(1, struct([]))]))])


def _unsigned(bits: int, converted: int) -> tuple[int, list[tuple[int, Value]]]:
    logical = struct([(10, struct([(1, i8(bits)), (2, boolean(False))]))])
    return (_INT64 if bits == 64 else _INT32), [(6, i32(converted)), (10, logical)]


_NANOS = struct([(8, struct([(1, boolean(True)), (2, struct([(3, struct([]))]))]))])
_TYPES: dict[pa.DataType, tuple[int, list[tuple[int, Value]]]] = {
    pa.uint16(): _unsigned(16, _UINT_16),
    pa.uint32(): _unsigned(32, _UINT_32),
    pa.uint64(): _unsigned(64, _UINT_64),
    pa.float64(): (_DOUBLE, []),
    pa.timestamp("ns", "UTC"): (_INT64, [(10, _NANOS)]),
    pa.dictionary(pa.int32(), pa.string()): _TEXT,
    pa.list_(pa.string()): _TEXT,
}


@dataclass(frozen=True, slots=True)
class _Pages:
    """A column of a row group as it lies in the file."""

    size: int
    """Octets."""
    expanded: int
    """Octets before compression."""
    values: int
    nulls: int
    dictionary: int = 0
    """Octets of the dictionary's page, which comes first; 0 where there is none."""
    encoding: int = _DICTIONARY
    codec: int = _UNCOMPRESSED
    bounds: tuple[bytes, bytes] | None = None
    """Least and largest value."""


@dataclass(slots=True)
class _Group:
    """A row group that was written: where each column begins."""

    rows: int
    columns: list[tuple[int, _Pages]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Words:
    """A column of words but for its dictionary."""

    body: bytes
    """Levels, width and numbers."""
    values: int
    nulls: int

    @classmethod
    def of(cls, column: pa.Array) -> _Words:
        levels, values = _levels(column)
        numbers = column.indices.drop_null() if column.null_count else column.indices
        return cls(levels + _numbered(numbers, len(column.dictionary)), values, column.null_count)


class ParquetFile:
    """Writes record batches of one schema, each a row group."""

    def __init__(self, out: BinaryIO, schema: pa.Schema) -> None:
        """Begin a file.

        Args:
            out: Is written to from here to `close`, forward only.
            schema: Of uint16, uint32, uint64, float64, UTC nanoseconds, words by dictionary and
                lists of strings.
        """
        self._out = out
        self._schema = schema
        self._at = 0
        self._groups: list[_Group] = []
        self._late: list[tuple[_Group, int, _Words, pa.Array]] = []
        self._codec = pa.Codec("zstd", compression_level=1)
        self._kinds: dict[tuple[int, int, bool], bytes] = {}
        self._put(MAGIC)

    def write(self, batch: pa.RecordBatch, late: str = "") -> None:
        """Append a row group.

        Args:
            batch: Of the file's schema.
            late: A column whose words are settled later (`close`).
        """
        rows = batch.num_rows
        if not rows:
            return
        group = _Group(rows)
        self._groups.append(group)
        empty = {is_list: _nothing(rows, is_list=is_list) for is_list in (False, True)}
        written = []
        at = self._at
        for number, column in enumerate(batch.columns):
            octets_, pages = empty[pa.types.is_list(column.type)]
            if self._schema.names[number] == late:
                self._late.append((group, number, _Words.of(column), column.dictionary))
                octets_ = b""
            elif column.null_count < rows:
                octets_, pages = self._pages(column)
            group.columns.append((at, pages))
            written.append(octets_)
            at += len(octets_)
        self._put(b"".join(written))

    def close(self, settled: Mapping[str, str] | None = None) -> None:
        """Write what came late and the end of the file.

        Args:
            settled: For each word of the columns that came late the word that it stands for; it is
                itself where it is not named.
        """
        for group, number, words, dictionary in self._late:
            renamed = [(settled or {}).get(word, word) for word in dictionary.to_pylist()]
            octets_, pages = self._coded(words, pa.array(renamed, pa.string()))
            group.columns[number] = (self._at, pages)
            self._put(octets_)
        footer = self._footer()
        self._put(footer + len(footer).to_bytes(4, "little") + MAGIC)

    def _put(self, octets_: bytes) -> None:
        self._out.write(octets_)
        self._at += len(octets_)

    def _pages(self, column: pa.Array) -> tuple[bytes, _Pages]:
        if pa.types.is_dictionary(column.type):
            return self._coded(_Words.of(column), column.dictionary)
        if not pa.types.is_list(column.type):
            return _numbers(column)
        items = column.flatten().dictionary_encode()
        levels, values = _list_levels(column)
        known = items.indices.drop_null()
        body = levels + _numbered(known, len(items.dictionary))
        return self._coded(_Words(body, values, values - len(known)), items.dictionary)

    def _coded(self, words: _Words, dictionary: pa.Array) -> tuple[bytes, _Pages]:
        """Words by their number in a dictionary."""
        plain = [_plain(dictionary), words.body]
        is_small = sum(map(len, plain)) < _SMALL
        packed = plain if is_small else [self._codec.compress(part, asbytes=True) for part in plain]
        sizes = [(len(part), len(packed_)) for part, packed_ in zip(plain, packed, strict=True)]
        head = _page(_DICTIONARY_PAGE, *sizes[0], 7, [(1, i32(len(dictionary))), (2, i32(_PLAIN))])
        first = head + packed[0]
        head_behind = _data_page(*sizes[1], words.values, _DICTIONARY)
        octets_ = first + head_behind + packed[1]
        expanded = len(head) + len(head_behind) + sum(map(len, plain))
        codec = _UNCOMPRESSED if is_small else _ZSTD
        return octets_, _Pages(
            len(octets_), expanded, words.values, words.nulls, len(first), _DICTIONARY, codec
        )

    def _footer(self) -> bytes:
        arrow = base64.b64encode(self._schema.serialize().to_pybytes())
        orders = listed([struct([(1, struct([]))]) for _ in self._schema])
        pairs = listed([struct([(1, binary(b"ARROW:schema")), (2, binary(arrow))])])
        groups = [self._described(group) for group in self._groups]
        parts = [
            (1, i32(2)), (2, listed(_elements(self._schema))),
            (3, i64(sum(group.rows for group in self._groups))), (4, listed(groups)),
            (5, pairs), (6, binary(b"netaudit")), (7, orders),
        ]  # fmt: skip
        return struct(parts).octets

    def _described(self, group: _Group) -> Value:
        chunks = []
        told: dict[
            int, tuple[bytes, bytes]
        ] = {}  # most columns are empty, and then they are the same pages
        for number, (at, pages) in enumerate(group.columns):
            if id(pages) not in told:
                told[id(pages)] = _sizes(pages), _statistics(pages)
            sizes, statistics = told[id(pages)]
            place = i64(at + pages.dictionary).octets
            if pages.dictionary:
                place += _DICTIONARY_AT + i64(at).octets + _STATISTICS_BEHIND
            else:
                place += _STATISTICS_AT
            chunks.append(Value(STRUCT, self._kind(number, pages) + sizes + place + statistics))
        size = sum(pages.expanded for _, pages in group.columns)
        return struct([(1, listed(chunks)), (2, i64(size)), (3, i64(group.rows))])

    def _kind(self, number: int, pages: _Pages) -> bytes:
        """A column chunk's description up to its codec, which is the same in most row groups."""
        key = (number, pages.encoding, pages.dictionary > 0)
        if key not in self._kinds:
            arrow = self._schema.field(number)
            path = [arrow.name.encode(), *([b"list", b"element"] if pa.types.is_list(arrow.type) else [])]
            encodings = sorted({_RLE, pages.encoding} | ({_PLAIN} if pages.dictionary else set()))
            told = struct([
                (1, i32(_TYPES[arrow.type][0])), (2, listed([i32(e) for e in encodings])),
                (3, listed([binary(word) for word in path])),
            ])  # fmt: skip
            begin = struct([(2, i64(0)), (3, Value(STRUCT, b""))]).octets[:-1]
            self._kinds[key] = begin + told.octets[:-1]
        return self._kinds[key]


# the heads of the fields behind `data_page_offset` (9), by how far their numbers are apart
_DICTIONARY_AT, _STATISTICS_AT, _STATISTICS_BEHIND = b"\x26", b"\x3c", b"\x1c"


def _sizes(pages: _Pages) -> bytes:
    """Codec, values and sizes, up to the head of `data_page_offset`."""
    parts = [(4, i32(pages.codec)), (5, i64(pages.values)), (6, i64(pages.expanded)), (7, i64(pages.size))]
    return struct(parts, after=3).octets[:-1] + b"\x26"


def _statistics(pages: _Pages) -> bytes:
    """How many nulls, least and largest value; and the ends of the two structs around them."""
    parts = [(3, i64(pages.nulls))]
    if pages.bounds:
        parts += [(5, binary(pages.bounds[1])), (6, binary(pages.bounds[0]))]
    return struct(parts).octets + b"\0\0"


def _elements(schema: pa.Schema) -> list[Value]:
    """The schema as a tree in depth-first order."""
    found = [struct([(4, binary(b"schema")), (5, i32(len(schema)))])]
    for arrow in schema:
        type_, details = _TYPES[arrow.type]
        name = arrow.name.encode()
        if pa.types.is_list(arrow.type):
            logical = struct([(3, struct([]))])
            found += [
                struct(
                    [(3, i32(_OPTIONAL)), (4, binary(name)), (5, i32(1)), (6, i32(_LIST)), (10, logical)]
                ),
                struct([(3, i32(_REPEATED)), (4, binary(b"list")), (5, i32(1))]),
            ]
            name = b"element"
        found.append(struct([(1, i32(type_)), (3, i32(_OPTIONAL)), (4, binary(name)), *details]))
    return found


def _page(type_: int, size: int, packed: int, number: int, details: list[tuple[int, Value]]) -> bytes:
    return struct([(1, i32(type_)), (2, i32(size)), (3, i32(packed)), (number, struct(details))]).octets


def _data_page(size: int, packed: int, values: int, encoding: int) -> bytes:
    details = [(1, i32(values)), (2, i32(encoding)), (3, i32(_RLE)), (4, i32(_RLE))]
    return _page(_DATA_PAGE, size, packed, 5, details)


def _nothing(rows: int, *, is_list: bool) -> tuple[bytes, _Pages]:
    """A column without any value."""
    level = _sized(_run(rows, 0))
    body = level * 2 if is_list else level
    octets_ = _data_page(len(body), len(body), rows, _PLAIN) + body
    return octets_, _Pages(len(octets_), len(octets_), rows, rows, encoding=_PLAIN)


def _numbers(column: pa.Array) -> tuple[bytes, _Pages]:
    """Whole numbers by their differences, others as they are."""
    levels, count = _levels(column)
    values = column.drop_null() if column.null_count else column
    is_real = pa.types.is_floating(column.type)
    if is_real or column.type == pa.uint32():
        encoding, body = _PLAIN, levels + np.ascontiguousarray(values.to_numpy()).tobytes()
    else:
        encoding, body = _DELTA, levels + _delta(values)
    octets_ = _data_page(len(body), len(body), count, encoding) + body
    bounds = None if is_real else _bounds(values)
    size = len(octets_)
    return octets_, _Pages(size, size, count, column.null_count, 0, encoding, _UNCOMPRESSED, bounds)


def _numbered(numbers: pa.Array, distinct: int) -> bytes:
    """Numbers of words: their width in bits, and they."""
    width = max(distinct - 1, 0).bit_length()
    return bytes([width]) + _hybrid(numbers, width)


def _levels(column: pa.Array) -> tuple[bytes, int]:
    """Definition levels of a flat column, 0 where it is null; and how many there are."""
    count = len(column)
    if not column.null_count:
        return _sized(_run(count, 1)), count
    bits = np.packbits(np.asarray(column.is_valid().to_numpy(zero_copy_only=False)), bitorder="little")
    return _sized(uvarint(len(bits) << 1 | 1) + bits.tobytes()), count


def _list_levels(column: pa.Array) -> tuple[bytes, int]:
    """Repetition and definition levels of lists of strings; and how many there are."""
    lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy(zero_copy_only=False).astype(np.int64)
    slots = np.maximum(lengths, 1)
    begins = np.cumsum(slots) - slots
    total = int(slots.sum())
    repetition, definition = np.ones(total, np.int32), np.empty(total, np.int32)
    repetition[begins] = 0
    items = np.repeat(lengths > 0, slots)
    definition[items] = np.where(column.flatten().is_valid().to_numpy(zero_copy_only=False), 3, 2)
    known = column.is_valid().to_numpy(zero_copy_only=False)
    definition[begins[lengths == 0]] = known[lengths == 0]
    levels = [_sized(_hybrid(pa.array(part), width)) for part, width in ((repetition, 1), (definition, 2))]
    return b"".join(levels), total


def _hybrid(values: pa.Array, width: int) -> bytes:
    """RLE and bit packing in one: a single run of either."""
    count = len(values)
    if width == 0 or count == 0:
        return _run(count, 0, width)
    groups = -(-count // 8)
    out = np.zeros(packing.packed_words(8 * groups, width), np.uint64)
    packing.pack(values.to_numpy(zero_copy_only=False), width, out)
    return uvarint(groups << 1 | 1) + out.view(np.uint8)[: groups * width].tobytes()


def _run(count: int, value: int, width: int = 1) -> bytes:
    return uvarint(count << 1) + value.to_bytes((width + 7) // 8, "little")


def _sized(levels: bytes) -> bytes:
    return len(levels).to_bytes(4, "little") + levels


def _plain(words: pa.Array) -> bytes:
    """Strings, each with its length before it."""
    count = len(words)
    _, offsets, data = words.buffers()
    if not count or data is None:
        return bytes(4 * count)
    ends = _frozen(np.frombuffer(offsets, np.int32)[words.offset : words.offset + count + 1])
    size = int(ends[-1] - ends[0]) + 4 * count
    out = octets(np.empty(size + 8, np.uint8))
    packing.plain(Octets(_frozen(np.frombuffer(data, np.uint8))), ends, out)
    return out.u8[:size].tobytes()


def _frozen(array: np.ndarray) -> np.ndarray:
    """Read-only, as most of Arrow's buffers are: kernels are compiled for one type."""
    array.flags.writeable = False
    return array


def _delta(values: pa.Array) -> bytes:
    numbers = values.cast(pa.int64(), safe=False).to_numpy(zero_copy_only=False)
    out = np.zeros(packing.delta_octets(len(numbers)), np.uint8)
    return out[: packing.delta(numbers, out)].tobytes()


def _bounds(values: pa.Array) -> tuple[bytes, bytes]:
    size = 8 if values.type.bit_width == 64 else 4
    found = pc.min_max(
        values.cast(pa.int64(), safe=False) if pa.types.is_timestamp(values.type) else values
    )
    is_signed = pa.types.is_timestamp(values.type)
    low, high = (
        int(found[end].as_py()).to_bytes(size, "little", signed=is_signed) for end in ("min", "max")
    )
    return low, high
