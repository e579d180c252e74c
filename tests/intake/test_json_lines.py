from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netaudit.intake import json_lines
from netaudit.intake.json_lines import read

SCHEMA = pa.schema(
    [
        ("ts", pa.string()),
        ("n", pa.int64()),
        ("f", pa.float64()),
        ("b", pa.bool_()),
        ("l", pa.list_(pa.string())),
        ("d", pa.struct([("x", pa.string()), ("y", pa.list_(pa.struct([("z", pa.string())])))])),
    ]
)


def rows(texts: list[str], as_text: tuple[str, ...] = ()) -> list[dict[str, object]]:
    found = read(pa.array(texts, pa.string()), SCHEMA, as_text)
    return [{k: v for k, v in row.items() if v is not None} for row in found.table.to_pylist()]


def test_wanted_fields_come_and_others_are_ignored() -> None:
    text = '{"n":1,"other":{"deep":[1,{"x":2}]},"l":["a",null],"d":{"x":"y","y":[{"z":"q","w":0}]},"b":true,"f":2}'
    assert rows([text]) == [
        {"n": 1, "l": ["a", None], "d": {"x": "y", "y": [{"z": "q"}]}, "b": True, "f": 2.0}
    ]


BAD = [
    ("[1]", json_lines.NOT_JSON),
    ("null", json_lines.NOT_JSON),
    ("{", json_lines.NOT_JSON),
    ('{"n":1', json_lines.NOT_JSON),
    ('{"n":1}{"n":2}', json_lines.NOT_JSON),
    ('{"n":1}\0', json_lines.NOT_JSON),
    ('{"ts":"\\udc00"}', json_lines.NOT_JSON),
    ('{"ts":"a\tb"}', json_lines.NOT_JSON),
    ('{"n":1,"n":2}', json_lines.TWICE),
    ('{"d":{"x":"1","x":"2"}}', json_lines.TWICE),
    ('{"n":"1"}', json_lines.WRONG_TYPE),
    ('{"n":1.0}', json_lines.WRONG_TYPE),
    ('{"n":true}', json_lines.WRONG_TYPE),
    ('{"n":92233720368547758080}', json_lines.WRONG_TYPE),
    ('{"ts":5}', json_lines.WRONG_TYPE),
    ('{"d":[]}', json_lines.WRONG_TYPE),
    ('{"l":{}}', json_lines.WRONG_TYPE),
    ('{"o":' + "[" * 50_000 + "]" * 50_000 + "}", json_lines.TOO_DEEP),
]


@pytest.mark.parametrize(("text", "reason"), BAD, ids=range(len(BAD)))
def test_a_bad_line_is_rejected_alone(text: str, reason: str) -> None:
    found = read(pa.array(['{"n":1}', text, "", '{"n":3}']), SCHEMA)
    assert found.index.tolist() == [0, 3]
    assert found.column("n").to_pylist() == [1, 3]
    assert found.blank == 1
    assert [lines.tolist() for lines in found.rejected.values()] == [[1]]
    assert list(found.rejected) == [reason]


@pytest.mark.parametrize("number", ["9" * 400, "9" * 5_000, "1e300", "NaN"])
def test_odd_numbers_are_the_same_both_ways(number: str) -> None:
    texts = [f'{{"f":{number},"o":{number}}}']
    assert repr(rows(texts)) == repr(rows([*texts, '{"n":"x"}']))


def test_an_object_over_two_lines_never_slips_between_rows() -> None:
    found = read(pa.array(['{"d":{"x":"a"}', '{"n":1},"n":2}', '{"n":3}{"n":4}', '{"n":5}']), SCHEMA)
    assert found.index.tolist() == [3]
    assert found.column("n").to_pylist() == [5]


def test_a_field_named_like_the_line_number_does_no_harm() -> None:
    found = read(pa.array(['{"#line":7,"n":1}', '{"n":2}']), SCHEMA)
    assert found.column("n").to_pylist() == [1, 2]


def test_numbers_as_text_keep_every_digit() -> None:
    texts = [
        '{"ts":1521911720.865716}',
        '{"ts" : 2.9e-05}',
        '{"ts":"2018-03-24T17:15:20Z"}',
        '{"o":"\\"ts\\":1"}',
    ]
    assert [row.get("ts") for row in rows(texts, ("ts",))] == [
        "1521911720.865716", "2.9e-05", "2018-03-24T17:15:20Z", None,
    ]  # fmt: skip


def test_columns_of_nothing_are_typed() -> None:
    found = read(pa.array([], pa.string()), SCHEMA)
    assert found.column("d", "x").type == pa.string()
    assert len(found.index) == 0


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.text(max_size=5)
    | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("xyz"), inner, max_size=3),
    max_leaves=6,
)
OBJECTS = st.dictionaries(st.sampled_from(["ts", "n", "f", "b", "l", "d", "o"]), VALUES, max_size=5).map(
    json.dumps
)
LINES = st.lists(
    OBJECTS | st.text(st.characters(exclude_characters="\n", codec="utf-8"), max_size=8), max_size=8
)


@settings(max_examples=120, deadline=None)
@given(texts=LINES)
def test_a_line_gives_the_same_whatever_its_neighbours(texts: list[str]) -> None:
    together = read(pa.array(texts, pa.string()), SCHEMA)
    single = [read(pa.array([text], pa.string()), SCHEMA) for text in texts]
    assert together.index.tolist() == [i for i, one in enumerate(single) if len(one.index)]
    assert together.table.to_pylist() == [row for one in single for row in one.table.to_pylist()]
    lost = np.concatenate([np.array([], np.int64), *together.rejected.values()])
    assert len(lost) + len(together.index) + together.blank == len(texts)


@settings(max_examples=60, deadline=None)
@given(texts=st.lists(OBJECTS, max_size=6))
def test_both_ways_of_reading_agree(texts: list[str]) -> None:
    quick = read(pa.array(texts, pa.string()), SCHEMA)
    slow = read(pa.array([*texts, '{"n":"x"}'], pa.string()), SCHEMA)  # the bad line sends all the slow way
    assert quick.table.to_pylist() == slow.table.to_pylist()
    assert quick.index.tolist() == slow.index.tolist()
