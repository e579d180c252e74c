"""What other programs read."""

from __future__ import annotations

import csv
import io
import json

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from netaudit.records.addresses import parse_ip
from netaudit.records.printed import PRINTED, csv_cell, csv_lines, json_lines, printed_batch
from netaudit.records.schemas import IP, TIMESTAMP, conform


def batch(names=("a.test", None), answers=(["10.0.0.9", "x;y"], None)):
    return conform(
        "dns",
        {
            "ts": pa.array([1_795_363_253_187_088_867, None], pa.int64()).cast(TIMESTAMP),
            "client_ip": pa.array([parse_ip("10.0.0.1"), parse_ip("2001:db8::1")], IP),
            "client_port": pa.array([5, None]),
            "name": list(names),
            "answers": list(answers),
            "file": "abc",
            "ordinal": [1, 2],
        },
        2,
    )


def test_json_leaves_out_what_is_not_known():
    first, second = (json.loads(line) for line in json_lines(batch()).splitlines())
    assert first == {
        "schema_version": 1,
        "kind": "dns",
        "ts": "2026-11-22T16:00:53.187088867Z",
        "client_ip": "10.0.0.1",
        "client_port": 5,
        "name": "a.test",
        "answers": ["10.0.0.9", "x;y"],
        "file": "abc",
        "ordinal": 1,
    }
    assert second == {
        "schema_version": 1,
        "kind": "dns",
        "client_ip": "2001:db8::1",
        "file": "abc",
        "ordinal": 2,
    }


def test_a_slice_prints_its_own_rows():
    assert json.loads(json_lines(batch().slice(1)))["ordinal"] == 2


@given(
    st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20),
    st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20),
)
def test_json_of_any_text(name, answer):
    line = json.loads(json_lines(batch(names=(name, None), answers=([answer], None))).split("}\n")[0] + "}")
    assert line["name"] == name
    assert line["answers"] == [answer]


def test_csv_has_every_column_and_reads_back():
    rows = list(csv.DictReader(io.StringIO(",".join(PRINTED) + "\r\n" + csv_lines(batch()))))
    assert rows[0]["name"] == "a.test"
    assert rows[0]["answers"] == "10.0.0.9;x;y"
    assert rows[1]["client_ip"] == "2001:db8::1"


def test_cells_are_no_formulas():
    for word in ("=1+1", "+1", "-1", "@x", "\tx", "\rx"):
        assert csv_cell(word).lstrip('"').startswith("'")


def test_parquet_form_has_real_types():
    printed = printed_batch(batch())
    assert printed.column("ts").type == TIMESTAMP
    assert printed.column("client_ip").to_pylist() == ["10.0.0.1", "2001:db8::1"]
