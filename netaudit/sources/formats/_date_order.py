"""Dates as Windows writes them by the locale of an account: which part is day, month, year.

``2019/08/20`` and ``20.08.2019`` tell it themselves. ``3/4/2024`` does not: the file's other dates
decide, else whoever asks must be told; it is never tossed up.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.errors import ConfigError
from netaudit.intake import times
from netaudit.intake.log_format import empty_to_null
from netaudit.sources.formats._values import mask, whole

DAY_FIRST, MONTH_FIRST = "dmy", "mdy"
UNDECIDED = (
    'The dates do not tell day from month: the times are left out. Declare date_order = "dmy" or "mdy".'
)
BY_HALF_DAY = "Day and month could be exchanged; AM and PM were taken as a sign that the month comes first."
BY_ORDER = "Day and month could be exchanged; the order in which the dates follow each other decided."

_HALVES = r"上午|下午|午前|午後|오전|오후|[AaPp]\.? ?[Mm]\.?"
STAMP = (
    rf"(?P<date>\d{{1,4}}[-/.]\d{{1,2}}[-/.]\d{{1,4}}|\d{{8}}) (?:(?P<before>{_HALVES}) ?)?"
    rf"(?P<clock>\d{{1,2}}:\d{{2}}:\d{{2}}(?:\.\d{{1,9}})?)(?: ?(?P<after>{_HALVES}))?"
)
"""A date and a time of day (RE2), the half of the day before or after it."""
_DATE = r"^(?:(?P<y>\d{4})[-/.]?(?P<m>\d{1,2})[-/.]?(?P<d>\d{1,2})|(?P<one>\d{1,2})(?P<mark>[-/.])(?P<two>\d{1,2})[-/.](?P<year>\d{4}))$"
_LATE = ("下", "後", "후")


class DateOrder:
    """The order that the dates of one file have."""

    def __init__(self, context: times.Context) -> None:
        """Nothing is known but what the source's ``date_order`` declares."""
        self._context = context
        self._order = context.options.get("date_order", "")

    def moments(self, part: dict[str, pa.Array]) -> pa.Array:
        """Times out of the groups of `STAMP`; null for what is no date.

        Raises:
            ConfigError: No order is declared and nothing decides it, or no zone is declared.
        """
        found = pc.extract_regex(part["date"], _DATE)
        field = {f.name: empty_to_null(pc.struct_field(found, f.name)) for f in found.type}
        turned = mask(pc.is_valid(field["one"]))
        one, two = _numbers(field["one"]), _numbers(field["two"])
        year = _numbers(pc.coalesce(field["y"], field["year"]))
        month, day = _numbers(field["m"]), _numbers(field["d"])
        slashed = turned & mask(pc.equal(field["mark"], "/"))
        halved = bool(mask(pc.is_valid(pc.coalesce(part["before"], part["after"]))).any())
        order = self._decided(one[slashed], two[slashed], year[slashed], halved=halved)
        month_first = slashed & (order == MONTH_FIRST)
        month = np.where(turned, np.where(month_first, one, two), month)
        day = np.where(turned, np.where(month_first, two, one), day)
        clock, invalid = _clock(part)
        nanos, wrong = times.from_parts(year, month, day, *clock)
        wrong |= invalid | mask(pc.is_null(found)) | (slashed & (order == ""))
        return times.from_local(nanos, wrong, self._context)

    def _decided(self, one: np.ndarray, two: np.ndarray, year: np.ndarray, *, halved: bool) -> str:
        """The order of dates with strokes; found once, empty where the times are to be left out."""
        if not self._order and len(one):
            self._order = self._found(one, two, year) or (MONTH_FIRST if halved else "")
            if self._order == MONTH_FIRST and halved and not (two > 12).any():
                self._context.notes.add(BY_HALF_DAY)
        if self._order or not len(one):
            return self._order
        if self._context.tolerant:
            self._context.notes.add(UNDECIDED)
            return ""
        raise ConfigError(
            "date-order-missing",
            "The dates in this file do not tell day from month, and it is not declared.",
            where=self._context.name,
            hint='Declare it in its [[source]] options: date_order = "dmy", or "mdy".',
        )

    def _found(self, one: np.ndarray, two: np.ndarray, year: np.ndarray) -> str:
        if (one > 12).any() != (two > 12).any():
            return DAY_FIRST if (one > 12).any() else MONTH_FIRST
        if (one > 12).any():
            return ""
        change = np.flatnonzero((np.diff(one) != 0) | (np.diff(two) != 0) | (np.diff(year) != 0)) + 1
        at = np.concatenate(([0], change))
        by_day, by_month = _days(year[at], two[at], one[at]), _days(year[at], one[at], two[at])
        limit = (self._context.collected or dt.datetime.max.replace(tzinfo=dt.UTC)).toordinal() + 1
        future = (by_day > limit).any(), (by_month > limit).any()
        if future[0] != future[1]:
            return MONTH_FIRST if future[0] else DAY_FIRST
        steps = [(int((np.diff(days) < 0).sum()), int(np.ptp(days))) for days in (by_day, by_month)]
        if steps[0] == steps[1]:
            return ""
        self._context.notes.add(BY_ORDER)
        return DAY_FIRST if steps[0] < steps[1] else MONTH_FIRST


def _days(year: np.ndarray, month: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Days since the year 1, as `datetime.date.toordinal` counts; months that are none as the first."""
    nanos, _ = times.from_parts(year, month, day, *[np.zeros(len(year), np.int64)] * 4)
    return nanos // (86_400 * 10**9) + dt.date(1970, 1, 1).toordinal()


def _clock(part: dict[str, pa.Array]) -> tuple[list[np.ndarray], np.ndarray]:
    """Hours of 24, minutes, seconds and nanoseconds; and which are none."""
    found = pc.extract_regex(
        part["clock"], r"^(?P<h>\d{1,2}):(?P<m>\d{2}):(?P<s>\d{2})(?:\.(?P<f>\d{1,9}))?$"
    )
    hour, minute, second = (_numbers(pc.struct_field(found, name)) for name in "hms")
    fraction = _numbers(pc.utf8_rpad(empty_to_null(pc.struct_field(found, "f")), 9, padding="0"))
    half = pc.coalesce(part["before"], part["after"])
    late = mask(pc.match_substring_regex(half, rf"^[Pp]|[{''.join(_LATE)}]"))
    halved = mask(pc.is_valid(half))
    invalid = mask(pc.is_null(found)) | (halved & ((hour > 12) | (hour == 0)))
    hour = np.where(halved, hour % 12 + 12 * late, hour)
    return [hour, minute, second, fraction], invalid


def _numbers(text: pa.Array) -> np.ndarray:
    numbers: np.ndarray = pc.fill_null(whole(text, 10**9, pa.int64()), 0).to_numpy(zero_copy_only=False)
    return numbers
