"""Nanoseconds since 1970 and aware UTC times: the one place that turns one into the other."""

from __future__ import annotations

import datetime as dt

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
SECOND_NS = 10**9


def moment(nanos: int) -> dt.datetime:
    """An aware time, cut to the microsecond.

    Raises:
        OverflowError: Outside the years 1 to 9999.
    """
    return EPOCH + dt.timedelta(microseconds=nanos // 1000)


def nanoseconds(when: dt.datetime) -> int:
    """Nanoseconds since 1970 of an aware time, exactly."""
    return (when - EPOCH) // dt.timedelta(microseconds=1) * 1000
