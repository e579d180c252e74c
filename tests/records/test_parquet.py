from __future__ import annotations

import io
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netaudit.records.parquet import ParquetFile
from netaudit.records.schemas import TIMESTAMP, WORD

SCHEMA = pa.schema(
    [("port", pa.uint16()), ("lease", pa.uint32()), ("count", pa.uint64()), ("age", pa.float64()), ("ts", TIMESTAMP),
     ("name", WORD), ("answers", pa.list_(pa.string())), ("file", WORD)]
)  # fmt: skip
ROWS = st.tuples(
    st.none() | st.integers(0, 2**16 - 1),
    st.none() | st.integers(0, 2**32 - 1),
    st.none() | st.integers(0, 2**64 - 1),
    st.none() | st.floats(allow_nan=False),
    st.none() | st.integers(-(2**63) + 1, 2**63 - 1),
    st.none() | st.sampled_from(["", "a", "例子", "x" * 300]) | st.text(max_size=3),
    st.none() | st.lists(st.none() | st.sampled_from(["", "192.0.2.1", "b"]), max_size=3),
    st.just("?file"),
)


def batch_of(rows: list[tuple[object, ...]]) -> pa.RecordBatch:
    arrays = []
    for number, field in enumerate(SCHEMA):
        values = [row[number] for row in rows]
        if field.type == WORD:
            arrays.append(pa.array(values, pa.string()).dictionary_encode())
        elif field.type == TIMESTAMP:
            arrays.append(pa.array(values, pa.int64()).cast(TIMESTAMP))
        else:
            arrays.append(pa.array(values, field.type))
    return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)


def written(batches: list[pa.RecordBatch], settled: dict[str, str]) -> pa.Table:
    out = io.BytesIO()
    file = ParquetFile(out, batches[0].schema if batches else SCHEMA)
    for batch in batches:
        file.write(batch, late="file")
    file.close(settled)
    return pq.read_table(io.BytesIO(out.getvalue()))


@settings(deadline=None, max_examples=60)
@given(st.lists(st.lists(ROWS, max_size=40), max_size=3))
def test_what_was_written_is_read(groups: list[list[tuple[object, ...]]]) -> None:
    batches = [batch_of(rows) for rows in groups]
    found = written(batches, {"?file": "0123456789abcdef"})
    assert found.schema.equals(SCHEMA)
    wanted = [batch.to_pydict() for batch in batches]
    for name in SCHEMA.names[:-1]:
        column = found.column(name)
        flat = column.cast(pa.int64()).to_pylist() if name == "ts" else column.to_pylist()
        rows = [row[SCHEMA.names.index(name)] for group in groups for row in group]
        assert flat == rows
    assert set(found.column("file").to_pylist()) <= {"0123456789abcdef"}
    assert sum(len(group["file"]) for group in wanted) == found.num_rows


@pytest.mark.parametrize("count", [1, 2, 8, 31, 32, 33, 127, 128, 129, 130, 257, 5_000])
def test_numbers_of_every_width(count: int) -> None:
    rng = np.random.default_rng(count)
    steps = rng.integers(0, 2 ** rng.integers(1, 62, count, dtype=np.int64))
    columns = {"ts": pa.array(np.cumsum(steps)).cast(TIMESTAMP), "count": pa.array(steps.astype(np.uint64)),
               "port": pa.array((steps & 0xFFFF).astype(np.uint16))}  # fmt: skip
    batch = pa.RecordBatch.from_pydict(columns)
    assert written([batch], {}).to_batches()[0].equals(batch)


@pytest.mark.parametrize("count", [1, 2, 3, 255, 256, 257, 40_000])
def test_words_by_dictionaries_of_every_size(count: int) -> None:
    words = pa.array([f"w{number}" for number in range(count)])
    rows = pa.DictionaryArray.from_arrays(pa.array(np.arange(3 * count) % count, pa.int32()), words)
    batch = pa.RecordBatch.from_arrays([rows, rows.slice(0, 3 * count)], names=["name", "file"])
    found = written([batch], {})
    assert found.column("name").to_pylist() == rows.to_pylist()
    assert found.column("file").to_pylist() == rows.to_pylist()


def test_statistics_let_readers_skip_row_groups() -> None:
    groups = [
        pa.RecordBatch.from_pydict({"port": pa.array([a, b], pa.uint16())}) for a, b in pairwise((1, 5, 9))
    ]
    out = io.BytesIO()
    file = ParquetFile(out, groups[0].schema)
    for group in groups:
        file.write(group)
    file.close()
    told = pq.ParquetFile(io.BytesIO(out.getvalue())).metadata
    bounds = [told.row_group(n).column(0).statistics for n in range(told.num_row_groups)]
    assert [(one.min, one.max, one.null_count) for one in bounds] == [(1, 5, 0), (5, 9, 0)]
    assert pq.read_table(io.BytesIO(out.getvalue()), filters=[("port", ">", 5)]).column(
        "port"
    ).to_pylist() == [9]
