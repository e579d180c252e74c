"""Many questions at once: one column for each thing that a question says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from netaudit.attribution.columns import FAR, SECOND
from netaudit.attribution.packed import Packed
from netaudit.attribution.trace import Question
from netaudit.records.moments import nanoseconds

SKEW_CAP_S = 366 * 86_400
"""A clock error of more than a year is none."""
ABSENT = -1
"""A port that a question does not say."""


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


@dataclass(frozen=True, slots=True)
class Questions:
    """Columns of equal length. A row is asked by `public`, or else by `client` or `mac`."""

    low: np.ndarray
    """int64 nanoseconds, the beginning of the time asked for."""
    high: np.ndarray
    """Its end, included; not before `low`."""
    skew: np.ndarray
    """Clock error allowed on either side, nanoseconds."""
    public: Packed
    client: Packed
    mac: Packed
    port: np.ndarray
    """int64, `ABSENT` where not said."""
    transport: np.ndarray
    """Text in lower case, empty where not said."""
    destination: Packed
    destination_port: np.ndarray
    """int64, `ABSENT` where not said."""
    site: np.ndarray
    """Text, empty where not said."""

    @staticmethod
    def of(questions: Sequence[Question]) -> Questions:
        """Columns of some questions."""
        windows = [window_of(question) for question in questions]
        ports = [[_said(q.port), _said(q.dst_port)] for q in questions]
        port, destination_port = np.array(ports, np.int64).reshape(-1, 2).T
        return Questions(
            np.array([w.low for w in windows], np.int64),
            np.array([w.high for w in windows], np.int64),
            np.array([w.skew for w in windows], np.int64),
            Packed.of_values([q.public_ip for q in questions]),
            Packed.of_values([q.client_ip for q in questions]),
            Packed.of_values([q.mac for q in questions], 6),
            port,
            np.array([q.transport.lower() for q in questions], object),
            Packed.of_values([q.dst_ip for q in questions]),
            destination_port,
            np.array([q.site for q in questions], object),
        )

    def __len__(self) -> int:
        """Number of questions."""
        return len(self.low)

    def take(self, rows: np.ndarray | slice) -> Questions:
        """Some of the questions."""
        columns = {field.name: getattr(self, field.name) for field in fields(self)}
        taken: dict[str, Any] = {
            name: column.take(rows) if isinstance(column, Packed) else column[rows]
            for name, column in columns.items()
        }
        return Questions(**taken)

    @property
    def wide(self) -> tuple[np.ndarray, np.ndarray]:
        """The times, widened by the clock error."""
        return self.low - self.skew, self.high + self.skew


def _said(port: int | None) -> int:
    return ABSENT if port is None else port


def _bounded(moment: dt.datetime) -> int:
    return min(max(nanoseconds(moment), 0), FAR)
