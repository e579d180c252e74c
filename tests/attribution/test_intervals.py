from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from netaudit.attribution.columns import SECOND
from netaudit.attribution.intervals import Index, bisect, overlaps, running_max, spread, stable_range

SPAN = st.tuples(st.integers(-1, 3), st.integers(0, 30), st.integers(0, 12))


def columns(spans):
    array = np.array(spans, np.int64).reshape(-1, 3)
    return array[:, 0], array[:, 1], array[:, 1] + array[:, 2]


ASKED = st.tuples(st.integers(-1, 4), st.integers(-3, 45), st.integers(0, 10))


@settings(max_examples=200, deadline=None)
@given(st.lists(SPAN, max_size=30), st.lists(ASKED, max_size=5))
def test_index_finds_what_a_loop_finds(spans, asked):
    keys, start, end = columns(spans)
    wanted, low, high = columns(asked)
    found = Index(keys, start, end).overlapping(wanted, low, high)
    for number, (key, since, width) in enumerate(asked):
        naive = [
            i
            for i in range(len(spans))
            if keys[i] == key and key >= 0 and start[i] <= since + width and end[i] >= since
        ]
        rows = found.row[found.question == number]
        assert sorted(rows.tolist()) == naive
        assert np.all(np.diff(start[rows]) >= 0)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(st.integers(0, 9), max_size=6), max_size=5), st.integers(-1, 10), st.booleans())
def test_bisect_searches_each_part(parts, wanted, right):
    parts = [sorted(part) for part in parts]
    ends = np.cumsum([len(part) for part in parts], dtype=np.int64)
    first = ends - np.array([len(part) for part in parts], np.int64)
    values = np.array([value for part in parts for value in part], np.int64)
    found = bisect(values, np.full(len(parts), wanted), first, ends, right=right)
    side = "right" if right else "left"
    assert found.tolist() == [
        int(first[i] + np.searchsorted(part, wanted, side)) for i, part in enumerate(parts)
    ]


def test_spread():
    owner, place = spread(np.array([7, 8, 9]), np.array([2, 5, 3]), np.array([4, 5, 1]))
    assert (owner.tolist(), place.tolist()) == ([7, 7], [2, 3])


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
    until = width * SECOND

    def answers(shift: float) -> set[bool]:
        low, high = (int(edge + shift * SECOND) for edge in (0, until))
        return set(mine[overlaps(start, end, low, high)].tolist())

    found = stable_range(start, end, mine, 0, until)
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
