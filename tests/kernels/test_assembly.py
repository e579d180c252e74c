"""Putting pieces together: against a model that keeps a dictionary of octets."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netaudit.kernels import assembly
from netaudit.kernels.assembly import LARGE, MAX_SPANS, SMALL
from netaudit.kernels.compiled import kernel
from netaudit.kernels.octets import octets_of

SOURCE = octets_of(bytes(range(256)) * 300)


@kernel
def _begin(pool, number):
    assembly.begin(pool, number)


@kernel
def _put(pool, number, source, at, length, offset):
    kept = assembly.put(pool, number, source, at, length, offset)
    return kept, assembly.prefix(pool.slots[number])


@kernel
def _drop(pool, number, size):
    assembly.drop(pool, pool.slots[number], size)


@kernel
def _clear(pool, number):
    assembly.clear(pool, number)


@kernel
def _candidate(pool):
    return assembly.candidate(pool)


def put(pool, number, at, length, offset):
    return _put(pool, number, SOURCE, at, length, offset)


def content(pool, number, size):
    at = pool.slots["at"][number]
    return pool.data.u8[at : at + size].tobytes()


class Model:
    def __init__(self):
        self.octets = {}

    def put(self, at, length, offset):
        for k in range(length):
            if offset + k >= 0:
                self.octets.setdefault(offset + k, SOURCE.u8[at + k])

    def drop(self, size):
        self.octets = {place - size: octet for place, octet in self.octets.items() if place >= size}

    def prefix(self):
        have = 0
        while have in self.octets:
            have += 1
        return have

    def text(self):
        return bytes(self.octets[k] for k in range(self.prefix()))

    def spans(self):
        places = sorted(self.octets)
        return sum(place - 1 not in self.octets for place in places)


PIECES = st.lists(
    st.tuples(st.integers(0, 60_000), st.integers(0, 3000), st.integers(-50, 9000)), min_size=1, max_size=12
)


@settings(max_examples=150, deadline=None)
@given(PIECES, st.integers(0, 4000))
def test_octets_are_where_they_belong_and_the_first_stay(pieces, dropped):
    pool, model = assembly.pool(4, 2), Model()
    _begin(pool, 1)
    for piece in pieces:
        before = dict(model.octets)
        model.put(*piece)
        kept, have = put(pool, 1, *piece)
        if not kept:
            assert model.spans() > MAX_SPANS
            model.octets = before
            return
        assert have == model.prefix()
    assert content(pool, 1, model.prefix()) == model.text()
    assert pool.slots["spans"][1] == model.spans()
    size = min(dropped, model.prefix())
    _drop(pool, 1, size)
    model.drop(size)
    assert content(pool, 1, model.prefix()) == model.text()
    assert pool.slots["spans"][1] == model.spans()
    assert pool.slots["base"][1] == size


def test_overlaps_are_noted_and_the_first_octets_stay():
    pool = assembly.pool(1, 1)
    _begin(pool, 0)
    put(pool, 0, 0, 10, 0)
    assert not pool.slots["overlap"][0]
    put(pool, 0, 100, 10, 5)
    assert pool.slots["overlap"][0]
    assert content(pool, 0, 15) == SOURCE.u8[:10].tobytes() + SOURCE.u8[105:110].tobytes()


def test_more_spans_than_are_kept_are_refused():
    pool = assembly.pool(1, 1)
    _begin(pool, 0)
    for k in range(MAX_SPANS):
        assert put(pool, 0, 0, 1, 2 * k)[0]
    assert not put(pool, 0, 0, 1, 2 * MAX_SPANS)[0]
    assert put(pool, 0, 0, 1, 1) == (True, 3)  # what closes a hole is welcome


@pytest.mark.parametrize(("offset", "kept"), [(LARGE - 10, True), (LARGE - 9, False), (1 << 40, False)])
def test_nothing_is_kept_beyond_the_largest_buffer(offset, kept):
    pool = assembly.pool(1, 1)
    _begin(pool, 0)
    assert put(pool, 0, 0, 10, offset)[0] is kept


def test_who_has_the_large_buffer_loses_it_to_the_next():
    pool = assembly.pool(3, 2)
    for number in range(3):
        _begin(pool, number)
        put(pool, number, number, SMALL + 100, 0)
    assert pool.slots["broken"].tolist() == [1, 0, 0]
    assert pool.slots["spans"].tolist() == [0, 1, 1]
    for number in (1, 2):
        assert content(pool, number, SMALL + 100) == SOURCE.u8[number : number + SMALL + 100].tobytes()
    _clear(pool, 1)
    _begin(pool, 1)
    assert put(pool, 1, 7, 9, 0) == (True, 9)  # a small one again
    assert content(pool, 1, 9) == SOURCE.u8[7:16].tobytes()


def test_large_buffers_move_what_small_ones_held():
    pool = assembly.pool(2, 1)
    _begin(pool, 0)
    put(pool, 0, 0, SMALL, 0)
    put(pool, 0, SMALL, 2000, SMALL)
    assert content(pool, 0, SMALL + 2000) == SOURCE.u8[: SMALL + 2000].tobytes()


def test_a_free_slot_is_preferred_and_the_turn_goes_round():
    pool = assembly.pool(20, 1)
    taken = []
    for _ in range(20):
        number = _candidate(pool)
        assert not pool.slots["used"][number]
        _begin(pool, number)
        taken.append(number)
    assert taken == list(range(20))
    assert [_candidate(pool) for _ in range(3)] == [0, 1, 2]
    _clear(pool, 7)
    assert _candidate(pool) == 7


def test_reads_and_writes_stay_inside():
    pool = assembly.pool(1, 1)
    _begin(pool, 0)
    short = octets_of(b"x" * 20)
    _put(pool, 0, short, 15, 100, 0)
    assert np.all(pool.data.u8[:5] == ord("x"))
