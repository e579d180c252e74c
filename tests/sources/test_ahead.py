"""Working ahead: the same items, errors where they happen, and nothing left behind."""

import threading

import pytest

from netaudit.sources.ahead import ahead


@pytest.mark.parametrize("threaded", [False, True])
def test_the_same_items_in_the_same_order(threaded):
    assert list(ahead(iter(range(100)), threaded=threaded)) == list(range(100))


@pytest.mark.parametrize("threaded", [False, True])
def test_an_error_comes_after_the_items_before_it(threaded):
    def failing():
        yield 1
        raise ValueError("here")

    items = ahead(failing(), threaded=threaded)
    assert next(items) == 1
    with pytest.raises(ValueError, match="here"):
        next(items)


@pytest.mark.parametrize("threaded", [False, True])
def test_who_stops_early_ends_the_maker_too(threaded):
    closed = threading.Event()

    def endless():
        try:
            number = 0
            while True:
                yield number
                number += 1
        finally:
            closed.set()

    source = endless()
    items = ahead(source, threaded=threaded)
    assert [next(items) for _ in range(3)] == [0, 1, 2]
    items.close()
    if not threaded:
        source.close()
    assert closed.wait(5)
