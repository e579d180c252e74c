"""Times in the spelling that a format's file gives: to readers of columns.

==========  ==========================================================================
``iso``     ``2026-11-23T08:00:52``, with a blank, slashes, fraction, offset or without; a date alone
``epoch``   seconds since 1970, or milli-, micro-, nanoseconds by the number of digits
``syslog``  ``Nov 23 08:00:52``, also with a year or a weekday
parts       ``%Y %y %m %b %d %H %I %p %M %S %f %z``, anything else as it stands
==========  ==========================================================================

``%p`` is AM, PM, 上午 or 下午; a blank stands for one or more. Without ``%Y`` the year is inferred as
that of a system log.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake import times
from netaudit.intake.carrier import read_stamps

Clockwork = Callable[[pa.Array, times.Context], pa.Array]
"""Texts to moments; null where a text is no time. Raises ConfigError where a zone is missing."""

_PARTS = {
    "Y": r"\d{4}",
    "y": r"\d{2}",
    "m": r"\d{1,2}",
    "b": r"[A-Za-z]{3}",
    "d": r"\d{1,2}",
    "H": r"\d{1,2}",
    "I": r"\d{1,2}",
    "p": r"(?i:[AP]\.?M\.?|上午|下午)",
    "M": r"\d{1,2}",
    "S": r"\d{1,2}",
    "f": r"\d{1,9}",
    "z": r"Z|[+-]\d{2}:?\d{2}",
}
_HALVES = [
    (f"{half}{hour:{width}}", f"{hour % 12 + (12 if half == 'p' else 0):02}")
    for half in "ap"
    for hour in range(1, 13)
    for width in ("", "02")
]
"""Half of the day and hour to the hour of the day: 12 AM is 00, 12 PM is 12."""


def clockwork(form: str) -> Clockwork:
    """The reader for a form of times.

    Raises:
        ValueError: Why `form` is none.
    """
    if form == "iso":
        return _iso
    if form == "epoch":
        return lambda text, _: times.from_epoch(text)
    if form == "syslog":
        return read_stamps
    pattern, parts = _pattern(form)

    def read(text: pa.Array, context: times.Context) -> pa.Array:
        found = pc.extract_regex(text, pattern)
        part = {name: pc.struct_field(found, name) for name in parts}
        if not {"Y", "y"} & parts:
            month = part["b"] if "b" in parts else _named(part["m"])
            return times.from_yearless(month, part["d"], _clock(part), context)
        day = pc.binary_join_element_wise(_year(part), _month(part), part["d"], "-")
        return times.from_iso(
            pc.binary_join_element_wise(
                pc.binary_join_element_wise(day, _clock(part), " "), part.get("z", ""), ""
            ),
            context,
        )

    return read


def in_workbook(clock: Clockwork) -> Clockwork:
    """The same for a workbook: its cells that are dates come as ISO 8601, whatever the form of the texts."""

    def read(text: pa.Array, context: times.Context) -> pa.Array:
        date = pc.match_substring_regex(text, r"^\d{4}-\d\d-\d\d(?: \d\d:\d\d:\d\d(?:\.\d+)?)?$")
        return pc.coalesce(
            _iso(pc.if_else(date, text, None), context), clock(pc.if_else(date, None, text), context)
        )

    return read


def _iso(text: pa.Array, context: times.Context) -> pa.Array:
    alone = pc.match_substring_regex(text, r"^\d{4}[-/]\d{1,2}[-/]\d{1,2}$")
    return times.from_iso(pc.if_else(alone, pc.binary_join_element_wise(text, "00:00", " "), text), context)


def _pattern(form: str) -> tuple[str, set[str]]:
    """RE2 of a form by parts, and which parts it has."""
    out, parts = [], []
    for piece in re.findall(r"%.?|\s+|[^%\s]+", form):
        if piece == "%%":
            out.append("%")
        elif piece[0] == "%":
            name = piece[1:]
            if name not in _PARTS:
                raise ValueError(f"{piece} is no part")
            out.append(f"(?P<{name}>{_PARTS[name]})")
            parts.append(name)
        else:
            out.append(r"\s+" if piece.isspace() else re.escape(piece))
    have = set(parts)
    if len(parts) != len(have) or {"Y", "y"} <= have or {"m", "b"} <= have or {"H", "I"} <= have:
        raise ValueError("a part stands twice")
    if not {"m", "b"} & have or "d" not in have:
        raise ValueError("month (%m or %b) and day (%d) are missing")
    if ("I" in have) != ("p" in have):
        raise ValueError("%I and %p go together")
    if {"M", "S", "f"} & have and not {"H", "I"} & have:
        raise ValueError("the hour (%H or %I) is missing")
    if "z" in have and not {"Y", "y"} & have:
        raise ValueError("%z needs a year (%Y)")
    return rf"^\s*{''.join(out)}\s*$", have


def _year(part: dict[str, pa.Array]) -> pa.Array:
    return part["Y"] if "Y" in part else pc.binary_join_element_wise("20", part["y"], "")


def _month(part: dict[str, pa.Array]) -> pa.Array:
    if "m" in part:
        return part["m"]
    return pa.array(times.index_of_month(pc.fill_null(part["b"], ""))).cast(pa.string())


def _named(month: pa.Array) -> pa.Array:
    """Month numbers as English abbreviations, for `times.from_yearless`."""
    index = pc.index_in(pc.utf8_lpad(month, 2, "0"), value_set=pa.array([f"{n:02}" for n in range(1, 13)]))
    return pc.fill_null(pa.array(times.MONTHS).take(index), "")


def _clock(part: dict[str, pa.Array]) -> pa.Array:
    """``HH:MM:SS[.f]``; parts that the form does not have are zero."""
    if "I" in part:
        half = pc.if_else(pc.match_substring_regex(part["p"], r"(?i)^a|上"), "a", "p")
        index = pc.index_in(
            pc.binary_join_element_wise(half, part["I"], ""), value_set=pa.array([k for k, _ in _HALVES])
        )
        hour = pc.fill_null(pa.array([v for _, v in _HALVES]).take(index), "99")
    else:
        hour = part.get("H", "00")
    minute, second = (pc.utf8_lpad(part[name], 2, "0") if name in part else "00" for name in ("M", "S"))
    if "f" in part:
        second = pc.binary_join_element_wise(second, part["f"], ".")
    clock = pc.binary_join_element_wise(hour, minute, second, ":")
    return pc.if_else(pc.is_valid(part["d"]), clock, None)
