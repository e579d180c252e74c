"""Clock steps: where the times of a file go back, or jump, against the order of its records.

A log is written in order, give or take what its format brings along: threads, buffers, sessions
that are written down at their end. Records that come late are no step, however many; a clock that
was set back is one, because what follows goes on from the earlier time. So a step is said where

* a run of records lies further behind the latest time than three times the file's own disorder
  and two seconds (8 records in a row where the file is orderly, 32 where it is not), and
* the run does not end by leaping back to where it was: it reaches the end of the file, or has
  itself lasted for half of the step.

A clock that was set forward looks like a silence. It is told from one in two cases only: where it
undoes a step back of the same size in the same file, and where a few first records lie thirty days
or more before all others (a device that starts without knowing the time).
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

import numpy as np

from netaudit.attribution.columns import SECOND

BLOCK = 64
"""Records over which disorder is measured."""
TOLERANCE = 2 * SECOND
"""Times that are whole seconds swap by one; two are no step yet."""
BEYOND = 3
"""A step is so many times the file's disorder."""
RUN_ORDERLY, RUN_DISORDERLY = 8, 32
MOST = 50
"""Steps of one file that are told; a file with more has no clock to speak of."""
UNSET = 30 * 86_400 * SECOND
UNSET_SHARE = 100
"""The records before a clock was set last less than this part of the leap."""
FEWEST = 16
"""Records from which an order can be told."""
_SAME_WAY = 0.8


class Order(StrEnum):
    """How the records of a file lie in time."""

    RISING = "in order of time"
    FALLING = "newest first"
    NONE = "in no order of time"
    UNKNOWN = "too few records to tell"


def order_of(times: np.ndarray) -> Order:
    """The order of a file, from the medians of its blocks.

    Args:
        times: ``(n,)`` int64 nanoseconds, in the order of the records.
    """
    if len(times) < FEWEST:
        return Order.UNKNOWN
    size = min(BLOCK, len(times) // FEWEST)
    blocks = times[: len(times) // size * size].reshape(-1, size)
    moves = np.diff(np.partition(blocks, size // 2, axis=1)[:, size // 2])
    moves = moves[moves != 0]
    if not moves.size or (rising := float((moves > 0).mean())) >= _SAME_WAY:
        return Order.RISING
    return Order.FALLING if rising <= 1 - _SAME_WAY else Order.NONE


def steps(times: np.ndarray) -> list[tuple[int, int]]:
    """Clock steps of a file whose records are in order of time, at most `MOST`.

    Args:
        times: ``(n,)`` int64 nanoseconds, in the order of the records. Takes time and memory in
            proportion to n.

    Returns:
        Index of the first record after each step, and its size in nanoseconds (negative: set back).
    """
    if len(times) < FEWEST:
        return []
    smooth = _smooth(times)
    least, back = RUN_ORDERLY, []
    if (smooth[1:] < smooth[:-1] - TOLERANCE).any():
        disorder, usual = _disorder(smooth)
        least = RUN_ORDERLY if usual <= TOLERANCE else RUN_DISORDERLY
        back = list(_back(smooth, BEYOND * disorder + TOLERANCE, least))
    found = []
    for place, size in (*back, *_forward(smooth, back)):
        at = _exact(times, place)
        found.append((at, int(times[at]) - int(times[at - 1]) if least == RUN_ORDERLY else size))
    return sorted(found)


def _smooth(times: np.ndarray) -> np.ndarray:
    """Medians of five neighbours: without what one or two odd records say; steps stay where they are."""
    a, b, c, d, e = (times[i : len(times) - 4 + i] for i in range(5))
    low = np.maximum(np.minimum(a, b), np.minimum(c, d))
    high = np.minimum(np.maximum(a, b), np.maximum(c, d))
    out = times.copy()
    out[2:-2] = np.maximum(np.minimum(low, high), np.minimum(np.maximum(low, high), e))
    out[:2], out[-2:] = out[2], out[-3]
    return out


def _disorder(times: np.ndarray) -> tuple[np.ndarray, int]:
    """How far three in four records lie behind the latest time of their block: ``(n,)`` before each, and usually."""
    whole = len(times) // BLOCK * BLOCK
    blocks = times[:whole].reshape(-1, BLOCK)
    if not len(blocks):
        return np.zeros(len(times), np.int64), 0
    behind = np.maximum.accumulate(blocks, axis=1) - blocks
    rank = BLOCK * 3 // 4
    most = np.partition(behind, rank, axis=1)[:, rank]
    usual = int(np.quantile(most, 0.25, method="lower"))  # of a few blocks, one may hold a step
    before = np.full(len(blocks) + 3, usual, np.int64)
    before[1 : len(blocks) + 1] = np.maximum(most, usual)
    before[2 : len(blocks) + 2] = np.maximum(before[2 : len(blocks) + 2], most)
    return np.repeat(before[: len(blocks) + 1], BLOCK)[: len(times)], usual


def _back(times: np.ndarray, limit: np.ndarray, least: int) -> Iterator[tuple[int, int]]:
    start = 0
    for _ in range(MOST):
        found = _first_back(times[start:], limit[start:], least)
        if found is None:
            return
        at, size = found
        yield start + at, size
        start += at


def _first_back(times: np.ndarray, limit: np.ndarray, least: int) -> tuple[int, int] | None:
    high = np.maximum.accumulate(times)
    low = high - times > limit
    edges = np.flatnonzero(np.diff(low, prepend=False, append=False))
    passed = 0
    for start, stop in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if start < passed or stop - start < RUN_ORDERLY:
            continue
        latest = int(high[start - 1])
        size = latest - int(times[start])
        passed = _reaches(times, start, latest - int(limit[start]))
        if passed - start < least:
            continue
        lasted = int(times[start:passed].max()) - int(times[start])
        if passed == len(times) or lasted * 2 >= size:
            front = start if least == RUN_ORDERLY else start + int(times[start : start + least].argmax())
            return start, int(times[front]) - latest
    return None


def _reaches(times: np.ndarray, start: int, level: int) -> int:
    """First index from `start` on whose time is at least `level`; the length where there is none."""
    width = BLOCK
    while start < len(times):
        there = times[start : start + width] >= level
        if there.any():
            return start + int(there.argmax())
        start, width = start + width, width * 2
    return len(times)


def _forward(times: np.ndarray, back: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    leaps = np.diff(times)
    usual = int(np.quantile(leaps, 0.9, method="lower"))
    taken: set[int] = set()
    for _, size in back:
        fits = (leaps >= -size * 9 // 10) & (leaps <= -size * 11 // 10 + 60 * SECOND)
        undoes = np.flatnonzero(fits & (leaps > max(10 * usual, 60 * SECOND)))
        if len(undoes) == 1:
            taken.add(int(undoes[0]) + 1)
    begins = np.array([0, *(at for at, _ in back)])
    for at in (np.flatnonzero(leaps[: -RUN_ORDERLY + 1] >= UNSET) + 1).tolist():
        begin = int(begins[np.searchsorted(begins, at, "right") - 1])
        if (int(times[at - 1]) - int(times[begin])) * UNSET_SHARE < leaps[at - 1]:
            taken.add(at)
    yield from ((at, int(leaps[at - 1])) for at in sorted(taken)[:MOST])


def _exact(times: np.ndarray, at: int) -> int:
    """The record next to `at` where the times themselves break the most."""
    low, high = max(at - 2, 1), min(at + 3, len(times))
    return low + int(np.abs(np.diff(times[low - 1 : high])).argmax())
