"""Interval columns: which spans of a key overlap a window, without looking at the others."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np

from netaudit.attribution.columns import FAR, SECOND
from netaudit.attribution.trace import Question
from netaudit.records.moments import nanoseconds

SKEW_CAP_S = 366 * 86_400
"""A clock error of more than a year is none."""


@dataclass(frozen=True, slots=True)
class Window:
    """The time asked for, nanoseconds, both ends included."""

    low: int
    high: int
    skew: int
    """Clock error allowed on either side."""

    @property
    def wide_low(self) -> int:
        """Beginning, widened by the clock error."""
        return self.low - self.skew

    @property
    def wide_high(self) -> int:
        """End, widened by the clock error."""
        return self.high + self.skew


def window_of(question: Question) -> Window:
    """The window of a question; an `until` before `at` counts as `at`.

    Times are kept between 1970 and 2116 and the clock error below `SKEW_CAP_S`, so that sums of
    them stay numbers of 64 bits.
    """
    low = _bounded(question.at)
    high = max(low, _bounded(question.until)) if question.until else low
    return Window(low, high, round(min(max(question.skew_s, 0.0), SKEW_CAP_S) * SECOND))


def _bounded(moment: dt.datetime) -> int:
    return min(max(nanoseconds(moment), 0), FAR)


class Index:
    """Spans sorted by key and start. Looking up costs two binary searches and the overlap.

    Inside a key the starts rise, and so does the running maximum of the ends: the spans that
    overlap ``[low, high]`` lie between the first whose running maximum reaches `low` and the last
    that starts by `high`.
    """

    def __init__(
        self, keys: np.ndarray, start: np.ndarray, end: np.ndarray, rows: np.ndarray | None = None
    ) -> None:
        """Sort once.

        Args:
            keys: ``(n,)`` int64; spans with a negative key are left out.
            start: ``(n,)`` int64.
            end: ``(n,)`` int64, not before start.
            rows: What to index and to give back; all rows where not given.
        """
        chosen = np.flatnonzero(keys >= 0) if rows is None else rows[keys[rows] >= 0]
        order = chosen[np.lexsort((end[chosen], start[chosen], keys[chosen]))]
        self._rows = order
        self._keys = keys[order]
        self._start = start[order]
        self._end = end[order]
        self._reach = running_max(self._keys, self._end)

    def overlapping(self, key: int, low: int, high: int) -> np.ndarray:
        """Rows of the spans of `key` that share a moment with ``[low, high]``, by start."""
        if key < 0 or not self._rows.size:
            return self._rows[:0]
        first, stop = self._keys.searchsorted(key), self._keys.searchsorted(key, "right")
        if first == stop:
            return self._rows[:0]
        until = first + self._start[first:stop].searchsorted(high, "right")
        since = first + self._reach[first:stop].searchsorted(low, "left")
        part = slice(since, max(since, until))
        found: np.ndarray = self._rows[part][self._end[part] >= low]
        return found


def running_max(groups: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Running maximum of `values` inside each run of equal `groups`."""
    if not len(values):
        return values
    # Replace values by their rank and add a step per group that is larger than any rank: then
    # one maximum over everything never carries from one group into the next.
    ordered, rank = np.unique(values, return_inverse=True)
    step = np.cumsum(np.diff(groups, prepend=groups[0]) != 0) * len(ordered)
    reached: np.ndarray = ordered[np.maximum.accumulate(rank + step) - step]
    return reached


def overlaps(start: np.ndarray, end: np.ndarray, low: int, high: int) -> np.ndarray:
    """Which of the spans share a moment with ``[low, high]``."""
    return (start <= high) & (end >= low)


def stable_range(
    start: np.ndarray, end: np.ndarray, mine: np.ndarray, window: Window
) -> tuple[float, float] | None:
    """By how many seconds the clocks may differ before the answer is another one.

    Args:
        start: ``(n,)`` of all spans of the key near the window.
        end: ``(n,)``.
        mine: ``(n,)`` bool: those of the answer.
        window: The time asked for.

    Returns:
        The range of shifts of the window, around 0 or as near to it as the answer lies, over
        which it meets spans of the answer and of nobody else. None where there is no such range.
    """
    # A window shifted by d meets [start, end] exactly where start - high <= d <= end - low.
    low, high = start - window.high, end - window.low
    order = np.argsort(low[mine], kind="stable")
    own_low, own_high = low[mine][order], high[mine][order]
    if not own_low.size:
        return None
    reach = np.maximum.accumulate(own_high)
    begins = np.concatenate(([True], own_low[1:] > reach[:-1]))
    first = np.flatnonzero(begins)
    last = np.append(first[1:], len(own_low)) - 1
    lows, highs = own_low[first], reach[last]
    away = np.maximum(np.maximum(lows, -highs), 0)
    nearest = int(np.argmin(away))
    down, up = int(lows[nearest]), int(highs[nearest])
    pivot = min(max(0, down), up)
    other_low, other_high = low[~mine], high[~mine]
    if ((other_low <= pivot) & (other_high >= pivot)).any():
        return None
    down = max(down, int(other_high[other_high < pivot].max(initial=down)))
    up = min(up, int(other_low[other_low > pivot].min(initial=up)))
    return down / SECOND, up / SECOND
