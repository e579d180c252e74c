from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from netaudit.attribution.columns import SECOND
from netaudit.attribution.intervals import Index, Window, overlaps, running_max, stable_range

SPAN = st.tuples(st.integers(-1, 3), st.integers(0, 30), st.integers(0, 12))


def columns(spans):
    array = np.array(spans, np.int64).reshape(-1, 3)
    return array[:, 0], array[:, 1], array[:, 1] + array[:, 2]


@settings(max_examples=200, deadline=None)
@given(st.lists(SPAN, max_size=30), st.integers(-1, 4), st.integers(-3, 45), st.integers(0, 10))
def test_index_finds_what_a_loop_finds(spans, key, low, width):
    keys, start, end = columns(spans)
    found = Index(keys, start, end).overlapping(key, low, low + width)
    naive = [
        i
        for i in range(len(spans))
        if keys[i] == key and key >= 0 and start[i] <= low + width and end[i] >= low
    ]
    assert sorted(found.tolist()) == naive
    assert np.all(np.diff(start[found]) >= 0)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(-5, 5)), max_size=20))
def test_running_max_stays_inside_its_group(rows):
    rows = sorted(rows, key=lambda row: row[0])
    groups, values = (np.array([row[i] for row in rows], np.int64) for i in (0, 1))
    best: dict[int, int] = {}
    naive = []
    for group, value in rows:
        best[group] = max(best.get(group, value), value)
        naive.append(best[group])
    assert running_max(groups, values).tolist() == naive


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), st.integers(-20, 20), st.integers(0, 8)), min_size=1, max_size=8),
    st.integers(0, 4),
)
def test_stable_range_is_where_the_answer_stays(spans, width):
    mine = np.array([s[0] for s in spans])
    start = np.array([s[1] for s in spans], np.int64) * SECOND
    end = start + np.array([s[2] for s in spans], np.int64) * SECOND
    window = Window(0, width * SECOND, 0)

    def answers(shift: float) -> set[bool]:
        low, high = (int(edge + shift * SECOND) for edge in (window.low, window.high))
        return set(mine[overlaps(start, end, low, high)].tolist())

    found = stable_range(start, end, mine, window)
    if found is None:
        assert answers(0) != {True}
        return
    low, high = found
    middle = [low + (high - low) * part for part in (0.25, 0.5, 0.75)]
    assert all(answers(shift) == {True} for shift in middle if low < shift < high)
    if answers(0) == {True}:
        assert low <= 0 <= high
        for edge, step in ((low, -0.25), (high, 0.25)):  # another's span may be a single moment
            assert {True} not in (answers(edge), answers(edge + step)) or answers(edge) != answers(
                edge + step
            )
