"""Languages: the words of the program, and dates by locale.

Messages are English ids; catalogues lie in ``locale/<zh_CN|zh_TW>/LC_MESSAGES/netaudit.po`` with
the compiled ``.mo`` beside them. Content (rules, lists) carries its own languages, see `Text`.
"""

from __future__ import annotations

import datetime as dt
import gettext
import locale as system_locale
import os
from functools import cache
from pathlib import Path

from netaudit.i18n.text import LOCALES, Text

_FOLDER = Path(__file__).parent / "locale"

__all__ = ["LOCALES", "Text", "default_locale", "local_date", "local_time", "translate"]


@cache
def _catalogue(locale: str) -> gettext.NullTranslations:
    return gettext.translation("netaudit", _FOLDER, [locale.replace("-", "_")], fallback=True)


def translate(message: str, locale: str, /, **values: object) -> str:
    """`message` in `locale` (the English id itself where there is none), with its slots filled."""
    words = _catalogue(locale).gettext(message) if message else ""
    return words.format(**values) if values else words


def default_locale() -> str:
    """The reader's language from the environment; English where it is none of ours."""
    name = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    name = system_locale.normalize(name).split(".", 1)[0] if name else ""
    if name.startswith("zh"):
        return "zh-TW" if name in {"zh_TW", "zh_HK", "zh_MO"} else "zh-CN"
    return "en"


def local_date(day: dt.date, locale: str) -> str:
    """A date as papers print it: ``2026年11月3日``, ``3 November 2026``."""
    if locale.startswith("zh"):
        return f"{day.year}年{day.month}月{day.day}日"
    return f"{day.day} {day:%B} {day.year}"


def local_time(moment: dt.datetime, zone: dt.tzinfo, locale: str) -> str:
    """A moment in the unit's zone, to the second."""
    there = moment.astimezone(zone)
    return f"{local_date(there.date(), locale)} {there:%H:%M:%S}"
