"""Grouping is exact, whatever the keys."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from netaudit.kernels import flows


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), max_size=40))
def test_groups_are_those_of_a_dictionary(rows):
    groups = flows.group(np.array(rows, np.uint64).reshape(-1, 2))
    seen: dict[tuple[int, int], int] = {}
    expected = [seen.setdefault(row, len(seen)) for row in rows]
    assert groups.of.tolist() == expected
    assert [rows[i] for i in groups.first] == list(seen)


def test_colliding_hashes_are_told_apart(monkeypatch):
    monkeypatch.setattr(flows, "_mix", lambda keys: np.zeros(len(keys), np.uint64))
    keys = np.array([[1, 2], [3, 4], [1, 2], [3, 5]], np.uint64)
    assert flows.group(keys).of.tolist() == [0, 1, 0, 2]


def test_both_directions_have_one_key():
    ends = np.zeros((2, 16), np.uint8)
    ends[:, 15] = (1, 2)
    keys, swapped = flows.flow_keys(
        ends, ends[::-1], np.array([5, 80]), np.array([80, 5]), np.array([6, 6], np.uint8)
    )
    assert (keys[0] == keys[1]).all()
    assert swapped.tolist() == [False, True]
