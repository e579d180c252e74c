"""Times that went through a spreadsheet: ``9/16/19 10:00`` for ``2019/09/16 10:00:02``."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.times import Context, index_of_month
from netaudit.sources.formats._values import mask, whole

SPREADSHEET = "A spreadsheet damaged the times of this file: they have no seconds."
UNCERTAIN = "Some times that a spreadsheet damaged could mean two days and were left out."
_DAMAGED = r"^(?P<one>\d{1,2})/(?P<two>\d{1,2})/(?P<year>\d{2}|\d{4}) (?P<clock>\d{1,2}:\d\d)(?::\d\d)?$"
_DAY = r"^(?:\d{4}-(?P<number>\d{1,2})-|(?P<name>[A-Z][a-z]{2}) +)(?P<day>\d{1,2})[ T]"


def repaired(text: pa.Array, header: pa.Array, context: Context) -> pa.Array:
    """Times with their date in the order of ISO 8601; what is not damaged stays as it is.

    Which number is the month is not guessed: one of the two can be none, or the header that the
    line came with names the day. Else the time is null.

    Args:
        text: A column of times.
        header: `carrier.Peeled.stamp` of each line, null where there is none.
        context: Gets notes of what was damaged and what was left out.
    """
    damaged = pc.extract_regex(text, _DAMAGED)
    spoilt = mask(pc.is_valid(damaged))
    if not spoilt.any():
        return text
    one, two, year, clock = (pc.struct_field(damaged, n) for n in ("one", "two", "year", "clock"))
    first, second = _number(one), _number(two)
    month, day = _dates(header)
    month_first = (second > 12) | (first == second) | ((first == month) & (second == day))
    day_first = (first > 12) | ((second == month) & (first == day))
    sure = spoilt & ((month_first != day_first) | (first == second))
    context.notes.add(SPREADSHEET)
    if (spoilt & ~sure).any():
        context.notes.add(UNCERTAIN)
    swap = pa.array(day_first & ~month_first)
    century = pc.if_else(pc.equal(pc.utf8_length(year), 2), "20", "")
    date = pc.binary_join_element_wise(
        pc.binary_join_element_wise(century, year, ""),
        pc.if_else(swap, two, one),
        pc.if_else(swap, one, two),
        "-",
    )
    fixed = pc.if_else(pa.array(sure), pc.binary_join_element_wise(date, clock, " "), None)
    return pc.if_else(pa.array(spoilt), fixed, text)


def _dates(header: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Month and day of stamps; -1 where there is none."""
    found = pc.extract_regex(header, _DAY)
    named = index_of_month(pc.struct_field(found, "name"))
    month = np.where(named > 0, named, _number(pc.struct_field(found, "number")))
    return month, _number(pc.struct_field(found, "day"))


def _number(text: pa.Array) -> np.ndarray:
    numbers: np.ndarray = pc.fill_null(whole(text, 9999, pa.int64()), -1).to_numpy(zero_copy_only=False)
    return numbers
