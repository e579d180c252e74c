"""Interval columns: which spans of a key overlap a window, without looking at the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from netaudit.attribution.columns import SECOND

_MOST_INT32 = 2**31


@dataclass(frozen=True, slots=True)
class Pairs:
    """What many look-ups found: rows, each with the question that it answers."""

    question: np.ndarray
    """``(m,)`` int64."""
    row: np.ndarray
    """``(m,)`` int64."""

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self.row)

    def where(self, chosen: np.ndarray) -> Pairs:
        """Some of the pairs, by a mask or by their places."""
        return Pairs(self.question[chosen], self.row[chosen])

    def sorted(self) -> Pairs:
        """Each pair once, by question and row."""
        if not len(self):
            return self
        order = np.lexsort((self.row, self.question))
        question, row = self.question[order], self.row[order]
        fresh = (np.diff(question, prepend=-1) != 0) | (np.diff(row, prepend=-1) != 0)
        return Pairs(question[fresh], row[fresh])

    @staticmethod
    def joined(parts: Sequence[Pairs]) -> Pairs:
        """All pairs of several look-ups."""
        return Pairs(
            np.concatenate([part.question for part in parts]), np.concatenate([part.row for part in parts])
        )


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
        if len(chosen) == len(keys):  # the usual case, without copies
            order = np.lexsort((end, start, keys))
        else:
            order = chosen[np.lexsort((end[chosen], start[chosen], keys[chosen]))]
        del chosen
        sorted_keys = keys[order]
        heads = np.flatnonzero(np.diff(sorted_keys, prepend=-1) != 0)
        self._keys = sorted_keys[heads]
        self._bounds = np.append(heads, len(order))
        self._rows = order.astype(np.int32 if len(keys) < _MOST_INT32 else np.int64)
        self._start, self._end = start, end
        self._reach = running_max(sorted_keys, end[order])

    def overlapping(self, keys: np.ndarray, low: np.ndarray, high: np.ndarray) -> Pairs:
        """Rows of the spans of each key that share a moment with ``[low, high]``, by start.

        Args:
            keys: ``(n,)`` int64; negative where there is nothing to ask.
            low: ``(n,)`` int64.
            high: ``(n,)`` int64.
        """
        if not len(self._keys):
            nothing = np.empty(0, np.int64)
            return Pairs(nothing, nothing)
        at = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        asked = np.flatnonzero((self._keys[at] == keys) & (keys >= 0))
        first, stop = self._bounds[at[asked]], self._bounds[at[asked] + 1]
        until = bisect(self._start, high[asked], first, stop, right=True, at=self._rows)
        since = bisect(self._reach, low[asked], first, stop)
        question, place = spread(asked, since, until)
        row = self._rows[place].astype(np.int64)
        meets = self._end[row] >= low[question]
        return Pairs(question[meets], row[meets])


def bisect(
    values: np.ndarray,
    wanted: np.ndarray,
    first: np.ndarray,
    stop: np.ndarray,
    *,
    right: bool = False,
    at: np.ndarray | None = None,
) -> np.ndarray:
    """`np.searchsorted` of each wanted value in a part of its own, ``values[first:stop]``, which rises.

    Args:
        values: Sorted within each part.
        wanted: ``(n,)``.
        first: ``(n,)`` int64, where each part begins.
        stop: ``(n,)`` int64, where it ends.
        right: As for `np.searchsorted`.
        at: Where given, the parts are of ``values[at]``, which is not made as a whole.

    Returns:
        ``(n,)`` int64 places in `values` (or in `at`), from `first` to `stop`.
    """
    low, high = first.astype(np.int64), stop.astype(np.int64)
    for _ in range(int(np.max(high - low, initial=0)).bit_length()):
        middle = (low + high) >> 1
        open_ = low < high
        place = np.where(open_, middle, 0)
        value = values[place if at is None else at[place]]
        before = open_ & ((value <= wanted) if right else (value < wanted))
        low = np.where(before, middle + 1, low)
        high = np.where(open_ & ~before, middle, high)
    return low


def spread(owner: np.ndarray, since: np.ndarray, until: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Every place from `since` to before `until`, with the owner of its stretch.

    Returns:
        ``(m,)`` owners and ``(m,)`` places; nothing of a stretch that ends before it begins.
    """
    sizes = np.maximum(until - since, 0)
    ends = np.cumsum(sizes)
    total = int(ends[-1]) if len(ends) else 0
    step = np.arange(total) - np.repeat(ends - sizes, sizes)
    return np.repeat(owner, sizes), np.repeat(since, sizes) + step


def running_max(groups: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Running maximum of `values` inside each run of equal `groups`."""
    out = values.copy()
    step = 1
    # After a round each place holds the most of the last 2 * step; a round without change says of
    # every stretch that the one before it holds nothing more.
    while step < len(out):
        carried = (groups[step:] == groups[:-step]) & (out[:-step] > out[step:])
        if not carried.any():
            break
        out[step:][carried] = out[:-step][carried]
        step *= 2
    return out


def overlaps(start: np.ndarray, end: np.ndarray, low: int, high: int) -> np.ndarray:
    """Which of the spans share a moment with ``[low, high]``."""
    return (start <= high) & (end >= low)


def stable_range(
    start: np.ndarray, end: np.ndarray, mine: np.ndarray, low: int, high: int
) -> tuple[float, float] | None:
    """By how many seconds the clocks may differ before the answer is another one.

    Args:
        start: ``(n,)`` of all spans of the key near the window.
        end: ``(n,)``.
        mine: ``(n,)`` bool: those of the answer.
        low: Beginning of the time asked for, nanoseconds.
        high: Its end.

    Returns:
        The range of shifts of the window, around 0 or as near to it as the answer lies, over
        which it meets spans of the answer and of nobody else. None where there is no such range.
    """
    # A window shifted by d meets [start, end] exactly where start - high <= d <= end - low.
    earliest, latest = start - high, end - low
    order = np.argsort(earliest[mine], kind="stable")
    own_low, own_high = earliest[mine][order], latest[mine][order]
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
    other_low, other_high = earliest[~mine], latest[~mine]
    if ((other_low <= pivot) & (other_high >= pivot)).any():
        return None
    down = max(down, int(other_high[other_high < pivot].max(initial=down)))
    up = min(up, int(other_low[other_low > pivot].min(initial=up)))
    return down / SECOND, up / SECOND
