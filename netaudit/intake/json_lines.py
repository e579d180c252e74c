"""Newline-delimited JSON as columns: one object a line, only the fields that were asked for.

A chunk is read at once by Arrow's parser. Where that refuses it, or where a line is of a kind
that both parsers might not see alike, the lines are read one by one, so that only the bad ones
are lost. Both ways give the same rows: which way a line took can never be seen in the result.

Usage in a format::

    SCHEMA = pa.schema([("ts", pa.string()), ("dns", pa.struct([("rrname", pa.string())]))])

    def parse(chunk: Chunk) -> Parsed:
        objects = json_lines.read(chunk.lines, SCHEMA)
        names = objects.column("dns", "rrname")   # one value for each of objects.index
        return Parsed([Rows("dns", {...}, objects.index)], objects.rejected, objects.blank)
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

NOT_JSON = "The line is no JSON object."
TWICE = "The object names a field twice."
WRONG_TYPE = "A field holds a value of the wrong type."
TOO_DEEP = "The object is nested too deeply."

_LINE = "#line"  # added to each object, so that a row is known to be its line's and no other's
_MANY_BRACKETS = 200
_MOST_DIGITS = 300
_FEW = 64
_ODD = r"\\u[dD][89a-fA-F]"  # halves of surrogate pairs


@dataclass(frozen=True, slots=True)
class Objects:
    """The objects of one chunk, as columns."""

    table: pa.Table
    """One row per object; the fields of the schema."""
    index: np.ndarray
    """Index in the chunk of each row's line, ascending."""
    rejected: dict[str, np.ndarray]
    """Reason to indices of lines that are no such object."""
    blank: int
    """Lines without any text."""

    def column(self, *path: str) -> pa.Array:
        """A field, or a field within an object within …; absent and null are both null."""
        array = self.table.column(path[0]).combine_chunks()
        if isinstance(array, pa.ChunkedArray):
            array = pa.array([], array.type)
        for name in path[1:]:
            array = pc.struct_field(array, name)
        return array


def read(lines: pa.StringArray, schema: pa.Schema, as_text: Iterable[str] = ()) -> Objects:
    """Read one object from each line that has text.

    Args:
        lines: Lines of a chunk. Blanks around an object are allowed.
        schema: The fields wanted: strings, int64, float64, bool, lists and structs of these.
            Fields that are not named here are ignored, whatever they hold.
        as_text: Names of string fields, at any depth, that some writers print as a bare number;
            the number is taken as the text that it is, so that no digit is lost.

    Returns:
        Rows and rejected lines. A field of another type than the schema's rejects its line; so
        does a wanted field that is there twice. Nothing raises.
    """
    text = pc.utf8_trim_whitespace(lines)
    for name in as_text:
        text = _quote_number(text, name)
    blank = _flags(pc.equal(text, ""))
    shaped = _flags(pc.and_(pc.starts_with(text, "{"), pc.ends_with(text, "}")))
    unusual = shaped & (_flags(pc.match_substring_regex(text, _ODD)) | _bracket_rich(text))
    tables: list[tuple[np.ndarray, pa.Table]] = []
    refused = [np.flatnonzero(unusual)]
    _read_parts(text, np.flatnonzero(shaped & ~unusual), schema, tables, refused)
    rows, slow_index, rejected = _read_each(text, np.sort(np.concatenate(refused)), schema)
    rejected[NOT_JSON] = np.union1d(rejected.get(NOT_JSON, []), np.flatnonzero(~shaped & ~blank))
    index = np.concatenate([*(part for part, _ in tables), slow_index]).astype(np.int64)
    table = pa.concat_tables([*(part for _, part in tables), rows])
    if tables and len(slow_index):
        order = np.argsort(index)
        index, table = index[order], table.take(pa.array(order))
    kept = {reason: found.astype(np.int64) for reason, found in rejected.items() if len(found)}
    return Objects(table, index, kept, int(blank.sum()))


def _read_parts(
    text: pa.Array,
    index: np.ndarray,
    schema: pa.Schema,
    tables: list[tuple[np.ndarray, pa.Table]],
    refused: list[np.ndarray],
) -> None:
    """Read lines `index` at once; where that fails, its halves, down to `_FEW` lines."""
    table = _read_at_once(text, index, schema)
    if table is not None:
        tables.append((index, table))
    elif len(index) <= _FEW:
        refused.append(index)
    else:
        middle = len(index) // 2
        _read_parts(text, index[:middle], schema, tables, refused)
        _read_parts(text, index[middle:], schema, tables, refused)


def _quote_number(text: pa.Array, name: str) -> pa.Array:
    bare = rf'("{re.escape(name)}"\s*:\s*)(-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)'
    if not pc.any(pc.match_substring_regex(text, bare)).as_py():
        return text
    return pc.replace_substring_regex(text, bare, r'\1"\2"')


def _flags(mask: pa.Array) -> np.ndarray:
    flags: np.ndarray = mask.to_numpy(zero_copy_only=False)
    return flags


def _bracket_rich(text: pa.Array) -> np.ndarray:
    brackets = pc.add(pc.count_substring(text, "{"), pc.count_substring(text, "["))
    return _flags(pc.greater(brackets, _MANY_BRACKETS))


def _read_at_once(text: pa.Array, index: np.ndarray, schema: pa.Schema) -> pa.Table | None:
    """The objects of lines `index`, or None where Arrow refuses any or sees other ones."""
    import pyarrow.json as arrow_json

    if not len(index):
        return schema.empty_table()
    body = pc.utf8_slice_codeunits(text.take(pa.array(index)), 1)
    numbers = pa.array(index).cast(pa.string())
    whole = pc.binary_join_element_wise(f'{{"{_LINE}":', numbers, ",", body, "\n", "")
    start, end = (int(n) for n in np.frombuffer(whole.buffers()[1], np.int32)[[0, len(whole)]])
    wanted = schema.append(pa.field(_LINE, pa.int64()))
    try:
        table = arrow_json.read_json(
            pa.BufferReader(whole.buffers()[2][start:end]),
            read_options=arrow_json.ReadOptions(use_threads=False, block_size=end - start + 1),
            parse_options=arrow_json.ParseOptions(
                explicit_schema=wanted, unexpected_field_behavior="ignore"
            ),
        )
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None
    seen = table.column(_LINE).to_numpy()
    if not np.array_equal(seen, index):
        return None
    return table.select(schema.names)


def _read_each(
    text: pa.Array, index: np.ndarray, schema: pa.Schema
) -> tuple[pa.Table, np.ndarray, dict[str, np.ndarray]]:
    """The objects of lines `index` one by one: rows, their lines, and rejected lines by reason."""
    convert = _struct_converter(schema)
    rows: list[dict[str, Any]] = []
    good: list[int] = []
    bad: dict[str, list[int]] = {}
    for number, line in zip(
        index.tolist(), text.take(pa.array(index, pa.int64())).to_pylist(), strict=True
    ):
        try:
            rows.append(convert(json.loads(line, object_pairs_hook=_pairs, parse_int=_number)))
            good.append(number)
        except _Unfit as error:
            bad.setdefault(str(error), []).append(number)
        except RecursionError:
            bad.setdefault(TOO_DEEP, []).append(number)
        except ValueError:
            bad.setdefault(NOT_JSON, []).append(number)
    table = pa.Table.from_pylist(rows, schema=schema)
    return table, np.array(good, np.int64), {k: np.array(v, np.int64) for k, v in bad.items()}


class _Unfit(Exception):  # noqa: N818 -- no error for the user: a reason to reject one line
    """An object that does not fit the schema."""


class _Doubled(dict[str, Any]):
    """An object that names some field twice."""

    twice: frozenset[str]


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    doubled = _Doubled(found)
    names = [name for name, _ in pairs]
    doubled.twice = frozenset(name for name in found if names.count(name) > 1)
    return doubled


Convert = Callable[[Any], Any]


def _converter(type_: pa.DataType) -> Convert:
    """What checks a JSON value to be of `type_` in JSON's own sense; nothing is converted."""
    if pa.types.is_struct(type_):
        return _struct_converter([type_.field(i) for i in range(type_.num_fields)])
    if pa.types.is_list(type_):
        item = _converter(type_.value_type)
        return lambda value: [None if v is None else item(v) for v in _only(list, value)]
    if pa.types.is_string(type_):
        return _text
    if pa.types.is_boolean(type_):
        return lambda value: _only(bool, value)
    return _real if pa.types.is_floating(type_) else _whole


def _struct_converter(fields: Iterable[pa.Field]) -> Convert:
    plan = [(field.name, _converter(field.type)) for field in fields]

    def convert(found: Any) -> dict[str, Any]:
        if isinstance(found, _Doubled) and any(name in found.twice for name, _ in plan):
            raise _Unfit(TWICE)
        get = _only(dict, found).get
        return {name: None if (value := get(name)) is None else check(value) for name, check in plan}

    return convert


def _only(type_: type, value: Any) -> Any:
    if not isinstance(value, type_):
        raise _Unfit(WRONG_TYPE)
    return value


def _text(value: Any) -> str:
    text: str = _only(str, value)
    if not text.isascii():
        text.encode()  # half a surrogate pair is no text: UnicodeEncodeError is a ValueError
    return text


def _whole(value: Any) -> int:
    if type(value) is not int or not -(2**63) <= value < 2**63:
        raise _Unfit(WRONG_TYPE)
    return value


def _real(value: Any) -> float:
    if type(value) not in {int, float}:
        raise _Unfit(WRONG_TYPE)
    return float(value)


def _number(digits: str) -> float:
    """Whole numbers as int; those of hundreds of digits as float, which Python does not refuse."""
    return int(digits) if len(digits) <= _MOST_DIGITS else float(digits)
