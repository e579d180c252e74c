"""The vocabulary: what it says, what it refuses, and that unknown stays unknown."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netaudit.policy.conditions import check_condition, evaluate, look_up, parse_condition
from netaudit.policy.conditions import tests_of as parts_of

COLUMNS = {"auth": pa.string(), "age": pa.int64(), "own": pa.bool_()}
TABLE = pa.table(
    {"auth": ["psk", "open", None], "age": [10, None, 30], "own": [True, False, None]},
    schema=pa.schema(list(COLUMNS.items())),
)


def holds(data, parameters=None, table=TABLE):
    condition = parse_condition(data, "where")
    check_condition(
        condition, {n: table.schema.field(n).type for n in table.column_names}, parameters or {}, "where"
    )
    refs = {t.value for t in parts_of(condition) if getattr(t.value, "by", "")}
    return evaluate(condition, look_up(table, refs, parameters or {}), parameters or {}).to_pylist()


@pytest.mark.parametrize(
    ("data", "want"),
    [
        ({}, [True, True, True]),
        ({"auth": "psk"}, [True, False, None]),
        ({"auth": {"is_not": "psk"}}, [False, True, None]),
        ({"auth": {"in": ["psk", "sae"]}}, [True, False, None]),
        ({"auth": {"not_in": ["psk"]}}, [False, True, None]),
        ({"auth": {"in": []}}, [False, False, None]),
        ({"age": {"over": 10}}, [False, None, True]),
        ({"age": {"at_least": 10}}, [True, None, True]),
        ({"age": {"below": 30}}, [True, None, False]),
        ({"age": {"at_most": 30}}, [True, None, True]),
        ({"age": {"known": True}}, [True, False, True]),
        ({"age": {"known": False}}, [False, True, False]),
        ({"not": {"auth": "psk"}}, [False, True, None]),
        ({"any": [{"auth": "psk"}, {"age": 30}]}, [True, None, True]),
        ({"all": [{"auth": "psk"}, {"age": 30}]}, [False, False, None]),
        ({"own": True, "age": 10}, [True, False, False]),
        ({"age": {"over": "$limit"}}, [True, None, True]),
        ({"$limit": {"known": True}}, [True, True, True]),
        ({"$none": {"known": False}}, [True, True, True]),
        ({"auth": {"in": "$none"}, "$none": {"known": True}}, [False, False, False]),
        ({"age": {"over": "$limits[auth]"}}, [True, None, None]),
    ],
)
def test_what_conditions_say(data, want):
    assert holds(data, {"limit": 5, "limits": {"psk": 9, "other": 90}, "none": []}) == want


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"auht": "psk"}, "did you mean auth"),
        ({"age": {"ovr": 1}}, "did you mean over"),
        ({"age": {"over": 1, "below": 3}}, "one comparison"),
        ({"age": "ten"}, "is no int64"),
        ({"age": True}, "is no int64"),
        ({"own": 1}, "is no bool"),
        ({"auth": {"over": "a"}}, "numbers and times only"),
        ({"auth": {"in": "psk"}}, "take a list"),
        ({"auth": ["psk"]}, "take a list"),
        ({"age": {"known": "yes"}}, "true or false"),
        ({"age": {"over": "$limti"}}, "did you mean limit"),
        ({"age": {"over": "$limits"}}, "write $name[column]"),
        ({"age": {"over": "$limit[auth]"}}, "write $name[column]"),
        ({"age": {"over": "$limits[own]"}}, "no column of words"),
        ({"age": {"over": "$__import__('os')"}}, "is no parameter"),
        ({"$limti": {"known": True}}, "did you mean limit"),
        ({"$limit": {"over": 1}}, "only known can be asked"),
        ({"$limit": {"known": 1}}, "true or false"),
        ({"any": []}, "list of conditions"),
        ({"not": 1}, "a table of tests"),
    ],
)
def test_what_is_refused(data, words):
    with pytest.raises(ValueError, match=words.replace("[", r"\[").replace("$", r"\$")):
        holds(data, {"limit": 5, "limits": {"psk": 9}})


KLEENE = st.recursive(
    st.sampled_from([{"age": {"over": 10}}, {"auth": "psk"}, {"own": True}, {"auth": {"in": ["open"]}}]),
    lambda inner: st.one_of(
        inner.map(lambda c: {"not": c}),
        st.lists(inner, min_size=1, max_size=3).map(lambda c: {"any": c}),
        st.lists(inner, min_size=1, max_size=3).map(lambda c: {"all": c}),
    ),
    max_leaves=6,
)


@settings(max_examples=80, deadline=None)
@given(KLEENE, st.sampled_from(["psk", "open", "x"]), st.integers(0, 20), st.booleans())
def test_learning_more_never_turns_an_answer_round(data, auth, age, own):
    full = {"auth": auth, "age": age, "own": own}
    schema = pa.schema(list(COLUMNS.items()))
    (certain,) = holds(data, table=pa.Table.from_pylist([full], schema=schema))
    for gone in full:
        (less,) = holds(data, table=pa.Table.from_pylist([full | {gone: None}], schema=schema))
        assert less in {None, certain}
