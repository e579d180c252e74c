"""Reading a letter into a `Notice`: who, which number, when, until when, and about which visits.

Only what the letter says. What it leaves out is listed, what had to be settled to read it (the
zone of its times, a year) is said, and the whole is shown for confirmation.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
import re
from dataclasses import replace
from pathlib import Path

from netaudit.case.letter import plain, read_letter
from netaudit.case.letter_clues import read_clues
from netaudit.case.letter_times import (
    NO_ZONE,
    find_date,
    find_moments,
    han_number,
    is_only_date,
    stated_zone,
)
from netaudit.case.notice import Notice
from netaudit.intake.times import parse_zone

NO_ISSUER = "The letter does not say who sent it."
NO_NUMBER = "The letter bears no number."
NO_SUBJECT = "The letter bears no subject."
NO_DATE = "The letter bears no date."
NO_DUE = "The letter gives no deadline."
NO_CLUE = "The letter names no visit: no address, port or destination could be read."
NO_RECEIPT = "The deadline counts from receipt; the date of receipt is needed."
WORKING_DAYS = "The deadline counts working days; its date needs the calendar of public holidays."
YEAR_TAKEN_DUE = "The deadline names no year; the first such date after the letter was taken."
DUE_START = "The deadline does not say from when it counts."
ZONE_TAKEN = "Times without a zone were read in the unit's zone."

_NUMBER = re.compile(
    r"(?:(?:编号|文号|发文字号)\s?:?\s*)?(?P<who>[\u4e00-\u9fff]{0,16})\s?[〔\[【(]\s?(?P<year>20\d{2})\s?[〕\]】)]"
    r"\s?(?P<di>第)?\s?(?P<n>\d{1,4})\s?(?P<kind>[号期])(?:\s+签发人.*)?"
)
_ENGLISH_NUMBER = re.compile(
    r"(?:ref(?:erence)?|no|number|our\s+ref)\.?\s?(?:no\.?)?\s?:\s?(\S.{0,60})", re.IGNORECASE
)
_LABELLED = {
    "issuer": re.compile(
        r"(?:来文机关|发文机关|发文单位|签发单位|from|issued\s+by|issuer)\s?:\s?(.{2,80})", re.IGNORECASE
    ),
    "subject": re.compile(r"(?:主题|事由|标题|subject|re)\s?:\s?(.{2,120})", re.IGNORECASE),
    "date": re.compile(r"(?:发文日期|成文日期|日期|date|dated)\s?:\s?(.{6,40})", re.IGNORECASE),
}
_OFFICE = re.compile(
    r".{2,50}(?:办公室|委员会|网信办|公安局|支队|大队|中心|局|office|administration|bureau|department|authority|cert)",
    re.IGNORECASE,
)
_KINDS = r"(?:通报|通知|通知书|告知书|提示函|函|预警|督办单|notice)"
_SUBJECT = re.compile(rf"(?:.{{0,40}}关于.{{2,90}}的?{_KINDS}|(?:责令|网络安全)\S{{2,40}}{_KINDS})")
_HAN_COUNT = re.compile(r"[一二两三四五六七八九十]{1,3}(?=\s?个?(?:工作日|自然日|日|天|小时))")
_SENTENCE = re.compile(r"[^。;!]+")
_DUE_WORDS = re.compile(
    r"[于在][^。;]{2,40}?(?:前|内)|[\d一二两三四五六七八九十]{1,3}\s?(?:个工作日|个自然日|日|天|小时)[之以]?内|(?:反馈|整改)时限|截止"
    r"|\bby\b|no\s+later\s+than|not\s+later\s+than|\bbefore\b|deadline"
    r"|within\s+\w{1,9}\s+(?:(?:working|business|calendar)\s+)?(?:days?|hours?)",
    re.IGNORECASE,
)
_DUTY = re.compile(
    r"反馈|报送|整改|上报|回复|书面|报告|时限|截止|report|reply|respond|response|rectif|feedback|deadline|submit",
    re.IGNORECASE,
)
_SPAN = re.compile(
    r"(?P<n>\d{1,3})\s?(?:个)?\s?(?P<unit>工作日|自然日|日历日|日|天|小时|(?:(?:working|business|calendar)\s+)?(?:days?|hours?))[之以]?\s?内?",
    re.IGNORECASE,
)
_ENGLISH_NUMERALS = {
    w: str(n)
    for n, w in enumerate(
        ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"], 1
    )
}


def read_notice(path: Path, *, timezone: str, received_at: dt.datetime | None = None) -> Notice:
    """Read a letter (.txt in UTF-8 or GB18030, or .docx).

    Args:
        path: The letter.
        timezone: The unit's zone; times without one are read in it, and the notice says so.
        received_at: When it came in (aware), for deadlines that count from receipt.

    Raises:
        InputError: The file is no readable letter.
        ConfigError: There is no such zone.
    """
    original = read_letter(path)
    lines = [plain(line) for line in original]
    own_zone = stated_zone("\n".join(lines))
    zone = own_zone or parse_zone(timezone)
    issued_on = _date(lines)
    clues, notes = read_clues(lines, zone, before=issued_on, zone_stated=own_zone is not None)
    due, due_text, due_missing, due_notes = _deadline(lines, original, issued_on, received_at, zone)
    notice = Notice(
        issuer=_issuer(lines),
        number=_number(lines),
        subject=_subject(lines),
        issued_on=issued_on,
        received_at=received_at,
        due=due,
        due_text=due_text,
        clues=clues,
        file_name=path.name,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        timezone=timezone,
    )
    missing = {m for clue in clues for m in clue.missing} | set(due_missing)
    missing |= {
        message
        for message, value in (
            (NO_ISSUER, notice.issuer),
            (NO_NUMBER, notice.number),
            (NO_SUBJECT, notice.subject),
            (NO_DATE, issued_on),
            (NO_DUE, due_text),
            (NO_CLUE, clues),
        )
        if not value
    }
    assumptions = {*notes, *due_notes, *([ZONE_TAKEN] if NO_ZONE in missing else [])}
    return replace(notice, missing=tuple(sorted(missing)), assumptions=tuple(sorted(assumptions)))


def _number(lines: list[str]) -> str:
    """The letter's own number: one that has a line for itself near the top."""
    for line in lines[:25]:
        if match := _NUMBER.fullmatch(line):
            return f"{match['who']}〔{match['year']}〕{match['di'] or ''}{match['n']}{match['kind']}"
    for line in lines[:25]:
        if match := _ENGLISH_NUMBER.fullmatch(line):
            return match[1].strip()
    return ""


def _labelled(lines: list[str], what: str) -> str:
    return next((m[1].strip() for line in lines if (m := _LABELLED[what].fullmatch(line))), "")


def _issuer(lines: list[str]) -> str:
    """By its label, else the line above the closing date, else the letterhead."""
    if named := _labelled(lines, "issuer"):
        return named
    closing = [i for i, line in enumerate(lines) if i and is_only_date(line)]
    if closing and _OFFICE.fullmatch(lines[closing[-1] - 1]):
        return lines[closing[-1] - 1]
    for line in lines[:3]:
        bare = re.sub(r"\s?文件\Z", "", line).replace(" ", "")
        if _OFFICE.fullmatch(bare) and not line.endswith(":"):
            return bare if re.search(r"[\u4e00-\u9fff]", bare) else line
    return ""


def _subject(lines: list[str]) -> str:
    if named := _labelled(lines, "subject"):
        return named
    top = lines[:20]
    pairs = [a + b for a, b in itertools.pairwise(top) if "关于" in a]  # a title broken by meaning
    fits = (t for t in top + pairs if len(t) <= 120 and "。" not in t and _SUBJECT.fullmatch(t))
    return next(fits, "")


def _date(lines: list[str]) -> dt.date | None:
    if named := _labelled(lines, "date"):
        return find_date(named)
    closing = [line for line in lines if is_only_date(line)]
    return find_date(closing[-1]) if closing else None


def _deadline(
    lines: list[str],
    original: list[str],
    issued_on: dt.date | None,
    received_at: dt.datetime | None,
    zone: dt.tzinfo,
) -> tuple[dt.date | None, str, list[str], list[str]]:
    """The due date, its wording, what it lacks and how it was read."""
    for line, own in zip(lines, original, strict=True):
        for match in _SENTENCE.finditer(line):
            if not (_DUE_WORDS.search(match[0]) and _DUTY.search(match[0])):
                continue
            words = own[match.start() : match.end()].strip(" ,，、")
            due, missing, notes = _due_date(match[0], issued_on, received_at, zone)
            return due, words, missing, notes
    return None, "", [], []


def _due_date(
    words: str, issued_on: dt.date | None, received_at: dt.datetime | None, zone: dt.tzinfo
) -> tuple[dt.date | None, list[str], list[str]]:
    if moments := find_moments(words, zone):
        return moments[-1].at.astimezone(zone).date(), [], []
    if issued_on is not None:  # a deadline follows its letter: the last such date before a year has gone
        later = find_moments(words, zone, before=issued_on + dt.timedelta(days=364))
        if later:
            return later[-1].at.date(), [], [YEAR_TAKEN_DUE]
    counted = re.sub(
        "|".join(_ENGLISH_NUMERALS), lambda m: _ENGLISH_NUMERALS[m[0].lower()], words, flags=re.IGNORECASE
    )
    counted = _HAN_COUNT.sub(lambda m: str(han_number(m[0].replace("两", "二")) or m[0]), counted)
    span = _SPAN.search(counted)
    if span is None:
        return None, [], []
    unit = span["unit"].lower()
    if "工作" in unit or "working" in unit or "business" in unit:
        return None, [WORKING_DAYS], []
    start, missing = _start(words, issued_on, received_at, zone)
    if start is None:
        return None, [missing], []
    hours = "小时" in unit or "hour" in unit
    length = dt.timedelta(hours=int(span["n"])) if hours else dt.timedelta(days=int(span["n"]))
    return (start.astimezone(zone) + length).date(), [], []


def _start(
    words: str, issued_on: dt.date | None, received_at: dt.datetime | None, zone: dt.tzinfo
) -> tuple[dt.datetime | None, str]:
    """From when a deadline counts, or what is missing to say it."""
    if re.search(r"收到|接到|接收|receipt|receiv", words):
        return received_at, NO_RECEIPT
    if issued_on is not None and re.search(r"印发|发出|发文|下发|date\s+of\s+this", words):
        return dt.datetime.combine(issued_on, dt.time(), tzinfo=zone), DUE_START
    return None, DUE_START
