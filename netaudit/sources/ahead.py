"""Work ahead: the next items are made in a thread while this one is being used."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterator
from typing import TypeVar

_Item = TypeVar("_Item")
_Message = tuple[str, object]

IN_FLIGHT = 3
"""Items that exist at once: one in use, one waiting, one in the making. Who makes them from buffers
needs as many."""


def ahead(items: Iterator[_Item], *, threaded: bool) -> Generator[_Item]:
    """The same items in the same order; where `threaded`, the next is made meanwhile.

    What the maker raises is raised here. When the user stops early, the maker stops too.
    """
    if not threaded:
        yield from items
        return
    waiting: queue.Queue[_Message] = queue.Queue(maxsize=IN_FLIGHT - 2)
    stopped = threading.Event()
    maker = threading.Thread(target=_make, args=(items, waiting, stopped), daemon=True)
    maker.start()
    try:
        while True:
            what, item = waiting.get()
            if what == "end":
                return
            if what == "error":
                assert isinstance(item, BaseException)  # noqa: S101 -- for the type checker
                raise item
            yield item  # type: ignore[misc]
    finally:
        stopped.set()
        while maker.is_alive():
            _empty(waiting)
            maker.join(0.05)


def _make(items: Iterator[object], waiting: queue.Queue[_Message], stopped: threading.Event) -> None:
    try:
        for item in items:
            waiting.put(("item", item))
            if stopped.is_set():
                return
    except BaseException as error:  # noqa: BLE001 -- raised again by the user of the items
        waiting.put(("error", error))
    else:
        waiting.put(("end", None))
    finally:
        close = getattr(items, "close", None)
        if close is not None:
            close()


def _empty(waiting: queue.Queue[_Message]) -> None:
    try:
        while True:
            waiting.get_nowait()
    except queue.Empty:
        pass
