"""Moments and dates in a letter's words, Chinese and English, with the precision they are given in.

Works on text in which full-width digits and punctuation are ASCII (`letter.plain`). What a letter
does not say is not made up: a time without a year, or without a date, is settled only from the
letter itself (its date, the date before it), and the reading says so.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from netaudit.errors import ConfigError
from netaudit.intake.times import parse_zone

DAY, HOUR, MINUTE, SECOND = 86_400, 3_600, 60, 1
NO_ZONE = "The letter gives no time zone for this time."
YEAR_TAKEN = "A date without a year was read as the last one before the letter's own date."
APPROXIMATE = "The letter gives this time only approximately."
ABBREVIATION = "The zone abbreviation in the letter is ambiguous and was not used."

_MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
_MONTH = rf"(?P<month>{'|'.join(f'{m[:3]}(?:{m[3:]})?' if len(m) > 3 else m for m in _MONTHS)})\.?"
# A bare "-14:20" after a clock time is the end of a span; a bare negative offset needs the seconds before it.
_ZONE_NAME = (
    r"(?:时区[为:]?\s?)?(?P<zone>Z\b|北京时间|Beijing\s+time|(?:UTC|GMT)\s?[+-]\d{1,2}(?::?\d{2})?\b|\+\d{2}(?::?\d{2})?\b"
    r"|(?<=:\d\d:\d\d)-(?:0\d|1[0-2]):?00\b|UTC\b|GMT\b|CST\b)"
)
_ZONE = rf"(?:\s*\(?{_ZONE_NAME}\)?)?"
_CLOCK = (
    r"(?P<half>上午|下午|凌晨|晚上|晚|中午)?\s*(?P<h>\d{1,2})\s?(?:[:时点]\s?(?P<mi>\d{1,2})(?!\d))?"
    r"(?:\s?[:分]\s?(?P<s>\d{1,2})(?!\d)秒?(?:\.\d{1,9})?)?(?:[分时点])?(?:\s?(?P<ampm>[ap]\.?m\b\.?))?"
)
_NUMERIC_DAY = (
    r"(?:(?P<y>(?:19|20)\d{2})\s?[年./-]\s?(?P<mo>\d{1,2})\s?[月./-]\s?(?P<d>\d{1,2})(?!\d)\s?日?"
    r"|(?P<mo2>\d{1,2})\s?月\s?(?P<d2>\d{1,2})\s?日)"
)
_ENGLISH_DAY = rf"(?:(?P<d>\d{{1,2}})(?:st|nd|rd|th)?\s+{_MONTH}|{_MONTH.replace('month', 'month2')}\s+(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?)(?:,?\s+(?P<y>(?:19|20)\d{{2}}))?"
_NUMERIC = re.compile(
    rf"(?<![\d./-])(?<!\d:){_NUMERIC_DAY}(?:(?:\s*[T,]?\s*)(?=\D?\D?\s?\d{{1,2}}\s?[:时点]){_CLOCK}{_ZONE})?",
    re.IGNORECASE,
)
_ENGLISH = re.compile(
    rf"\b{_ENGLISH_DAY}(?:,?\s+(?:at\s+)?(?=\d{{1,2}}:\d){_CLOCK}{_ZONE})?", re.IGNORECASE
)
_CLOCK_FIRST = re.compile(
    rf"\b(?=\d{{1,2}}:\d){_CLOCK}{_ZONE}\s+(?:on|of)\s+(?P<day>.{{5,30}})", re.IGNORECASE
)
_SAME_DAY = re.compile(
    rf"(?:同日|当日|当天|same\s+day,?\s*(?:at\s+)?)\s*(?=\D?\D?\s?\d{{1,2}}\s?[:时点]){_CLOCK}{_ZONE}",
    re.IGNORECASE,
)
_RANGE = re.compile(
    rf"\s*(?:至|到|~|—+|–|-|\bto\b|\buntil\b|\band\b)\s*(?:同日|当日)?\s*(?=\D?\D?\s?\d{{1,2}}\s?[:时点]){_CLOCK}{_ZONE}",
    re.IGNORECASE,
)
_LATER_ZONE = re.compile(rf"\s*\(?{_ZONE_NAME}\)?", re.IGNORECASE)
_ALL_TIMES = re.compile(
    r"(?:时间均?(?:为|系|采用)|时区[为:]|all\s+times\s+(?:are\s+)?(?:in\s+)?|time\s?zone:?\s*)\s*"
    r"(北京时间|Beijing\s+time|(?:UTC|GMT)(?:\s?[+-]\d{1,2}(?::?\d{2})?)?)",
    re.IGNORECASE,
)
_ABOUT_BEFORE = re.compile(r"(?:约|大约|about|around|approximately)\s*\Z", re.IGNORECASE)
_ABOUT_AFTER = re.compile(r"\s*(?:许|左右|前后)")
_HAN_DATE = re.compile(
    r"([二〇○零一三四五六七八九]{4})年([一二三四五六七八九十]{1,3})月([一二三四五六七八九十]{1,3})日"
)
_HAN_DIGIT = {c: i for i, c in enumerate("〇一二三四五六七八九")} | {"零": 0, "○": 0}


@dataclass(frozen=True, slots=True)
class Moment:
    """One time or date found in a text."""

    start: int
    end: int
    """Where it stands in the text."""
    at: dt.datetime
    """Aware; midnight for a date without a clock time."""
    until: dt.datetime | None
    precision_s: int
    zone_stated: bool
    notes: tuple[str, ...] = ()


def find_moments(text: str, zone: dt.tzinfo, *, before: dt.date | None = None) -> list[Moment]:
    """Every date and time in `text`, in its order.

    Args:
        text: ASCII punctuation and digits (`letter.plain`).
        zone: Zone of times that carry none.
        before: The letter's date: settles dates without a year; without it they are left out.
    """
    found: list[Moment] = []
    for match in sorted(_matches(text), key=lambda m: (m.start(), -m.end())):
        if found and match.start() < found[-1].end:
            continue
        previous = found[-1].at.astimezone(zone).date() if found else None
        moment = _moment(match, text, zone, before, previous)
        if moment is not None:
            found.append(moment)
    return found


def find_date(text: str, *, before: dt.date | None = None) -> dt.date | None:
    """The first whole date in `text`, also in Chinese numerals (二〇二六年十一月三日)."""
    if match := _HAN_DATE.search(text):
        year = int("".join(str(_HAN_DIGIT[c]) for c in match[1]))
        return _date(year, han_number(match[2]), han_number(match[3]))
    moments = find_moments(text, dt.UTC, before=before)
    return moments[0].at.date() if moments else None


def is_only_date(text: str) -> bool:
    """Whether a line holds a date and nothing else, as the end of a letter does."""
    bare = text.strip().rstrip(".。")
    if _HAN_DATE.fullmatch(bare):
        return True
    day = _NUMERIC.fullmatch(bare) or _ENGLISH.fullmatch(bare)
    return bool(day and day["y"] and day["h"] is None)


def stated_zone(text: str) -> dt.tzinfo | None:
    """The zone that a letter gives for all its times (``以上时间均为北京时间``), or None."""
    match = _ALL_TIMES.search(text)
    return _stated_zone(match[1], []) if match else None


def _matches(text: str) -> list[re.Match[str]]:
    return [
        match
        for pattern in (_CLOCK_FIRST, _NUMERIC, _ENGLISH, _SAME_DAY)
        for match in pattern.finditer(text)
    ]


def _moment(
    match: re.Match[str], text: str, zone: dt.tzinfo, before: dt.date | None, previous: dt.date | None
) -> Moment | None:
    notes: list[str] = []
    end = match.end()
    if match.re is _SAME_DAY:
        day = previous
    elif match.re is _CLOCK_FIRST:
        inner = _ENGLISH.match(match["day"]) or _NUMERIC.match(match["day"])
        if inner is None:
            return None
        day = _day(inner, before, notes)
        end = match.start("day") + inner.end()
    else:
        day = _day(match, before, notes)
    if day is None:
        return None
    clock = _clock(match)
    if clock is None:
        if match["h"] is not None:
            return None
        at = dt.datetime(day.year, day.month, day.day, tzinfo=zone)
        return Moment(
            match.start(), end, at, at + dt.timedelta(days=1), DAY, zone_stated=False, notes=tuple(notes)
        )
    own_zone = _stated_zone(match["zone"], notes)
    if own_zone is None and match.re is _CLOCK_FIRST and (later := _LATER_ZONE.match(text, end)):
        own_zone, end = _stated_zone(later["zone"], notes), later.end()
    if _ABOUT_BEFORE.search(text[max(0, match.start() - 20) : match.start()]) or _ABOUT_AFTER.match(
        text, end
    ):
        notes.append(APPROXIMATE)
    hour, minute, second, precision = clock
    at = dt.datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=own_zone or zone)
    until = at + dt.timedelta(seconds=precision) if precision > SECOND else None
    if (span := _RANGE.match(text, end)) and (last := _clock(span)):
        end = span.end()
        own_zone = own_zone or _stated_zone(span["zone"], notes)
        at = at.replace(tzinfo=own_zone or zone)
        until = at.replace(hour=last[0], minute=last[1], second=last[2])
        until += dt.timedelta(seconds=last[3] if last[3] > SECOND else 0, days=1 if until < at else 0)
        precision = max(precision, last[3])
    return Moment(match.start(), end, at, until, precision, own_zone is not None, tuple(notes))


def _day(match: re.Match[str], before: dt.date | None, notes: list[str]) -> dt.date | None:
    parts = match.groupdict()
    name = parts.get("month") or parts.get("month2")
    if name:
        month = next(i for i, m in enumerate(_MONTHS, 1) if m.startswith(name.lower()[:3]))
    else:
        month = int(parts["mo"] or parts["mo2"])
    day = int(parts["d"] or parts.get("d2") or 0)
    if parts["y"]:
        return _date(int(parts["y"]), month, day)
    if before is None:
        return None
    notes.append(YEAR_TAKEN)
    this = _date(before.year, month, day)
    return this if this is None or this <= before else _date(before.year - 1, month, day)


def _clock(match: re.Match[str]) -> tuple[int, int, int, int] | None:
    """Hour, minute, second and precision in seconds; None where there is none or it is no time."""
    if match["h"] is None:
        return None
    hour, minute, second = int(match["h"]), int(match["mi"] or 0), int(match["s"] or 0)
    half = (match["half"] or "") + (match["ampm"] or "").lower()
    if half.startswith(("下午", "晚", "p")) and hour < 12:
        hour += 12
    if half.startswith(("凌晨", "a")) and hour == 12:
        hour = 0
    if hour > 23 or minute > 59 or second > 59:
        return None
    return hour, minute, second, SECOND if match["s"] else MINUTE if match["mi"] else HOUR


def _stated_zone(text: str | None, notes: list[str]) -> dt.tzinfo | None:
    if not text:
        return None
    bare = re.sub(r"\s", "", text).upper()
    if bare in {"北京时间", "BEIJINGTIME"}:
        return parse_zone("Asia/Shanghai")
    if short := re.fullmatch(r"(?:UTC|GMT)?([+-])(\d{1,2})(?::?(\d{2}))?", bare):
        bare = f"{short[1]}{short[2].zfill(2)}:{short[3] or '00'}"
    try:
        return parse_zone(bare)
    except (ConfigError, ValueError):
        notes.append(ABBREVIATION)
        return None


def _date(year: int, month: int, day: int) -> dt.date | None:
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None


def han_number(text: str) -> int:
    """1 to 99 in Chinese numerals; 0 for anything else."""
    match = re.fullmatch(r"([一二三四五六七八九]?)(十?)([一二三四五六七八九]?)", text)
    if match is None or (match[1] and match[3] and not match[2]):
        return 0
    tens = (_HAN_DIGIT[match[1]] if match[1] else 1) * 10 if match[2] else 0
    ones = match[3] if match[2] else match[1] + match[3]
    return tens + (_HAN_DIGIT[ones] if ones else 0)
