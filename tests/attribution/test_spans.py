from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from netaudit.attribution.columns import NONE
from netaudit.attribution.spans import Doubt, Spans, end_at_next, pair
from netaudit.attribution.words import Role

EVENTS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 20), st.sampled_from([Role.START, Role.SEEN, Role.END])),
    max_size=25,
)
CAP = 7


def naive(events, grace):
    """The same joining, one event at a time."""
    spans = []
    for group in sorted({e[0] for e in events}):
        open_: dict | None = None
        ended = -99
        rows = sorted((e[1], i, e[2]) for i, e in enumerate(events) if e[0] == group)
        for time, _, role in rows:
            if open_ is not None and role is Role.START:
                spans.append((group, open_["start"], min(open_["seen"] + CAP, time), open_["doubt"] | 2))
                open_ = None
            if role is Role.END and open_ is None and time - ended <= grace:
                ended = time
                continue
            if open_ is None:
                known = role is Role.START
                open_ = {"start": time if known else max(time - CAP, ended), "doubt": 0 if known else 1}
            open_["seen"] = time
            if role is Role.END:
                spans.append((group, open_["start"], time, open_["doubt"]))
                open_, ended = None, time
        if open_ is not None:
            spans.append((group, open_["start"], open_["seen"] + CAP, open_["doubt"] | 2))
    return sorted(spans)


@settings(max_examples=200, deadline=None)
@given(EVENTS, st.integers(-1, 3))
def test_pair_joins_like_a_loop(events, grace):
    group, time, role = (np.array([e[i] for e in events], np.int64) for i in range(3))
    count = len(events)
    spans = pair(
        group,
        time,
        np.arange(count),
        role,
        begun=np.full(count, NONE),
        cap=np.full(count, CAP),
        grace=grace,
    )
    found = zip(
        group[spans.first].tolist(),
        spans.start.tolist(),
        spans.end.tolist(),
        spans.doubt.tolist(),
        strict=True,
    )
    assert sorted(found) == naive(events, grace)


def test_an_end_that_is_said_again_ends_nothing_more():
    group = np.zeros(4, np.int64)
    spans = pair(
        group,
        np.array([0, 10, 10, 11]),
        np.arange(4),
        np.array([Role.START, Role.END, Role.END, Role.END]),
        begun=np.full(4, NONE),
        cap=np.full(4, 86_400),
        grace=30,
    )
    assert (spans.start.tolist(), spans.end.tolist(), spans.doubt.tolist()) == ([0], [10], [0])
    assert (spans.first.tolist(), spans.last.tolist()) == ([0], [1])


def test_an_end_that_tells_its_beginning_needs_no_start():
    spans = pair(
        np.array([0]),
        np.array([50]),
        np.array([0]),
        np.array([Role.END]),
        begun=np.array([20]),
        cap=np.array([CAP]),
    )
    assert (spans.start[0], spans.end[0], spans.doubt[0]) == (20, 50, 0)


def test_a_supposed_end_gives_way_to_the_next_holder_and_a_known_one_does_not():
    nothing = np.zeros(3, np.int64)
    spans = Spans(
        np.array([0, 10, 20]),
        np.array([100, 100, 100]),
        np.array([Doubt.NO_END, 0, 0], np.uint8),
        nothing,
        nothing,
    )
    cut = end_at_next(spans, np.zeros(3, np.int64), np.array([1, 2, 3]))
    assert cut.end.tolist() == [10, 100, 100]
