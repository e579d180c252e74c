"""How a paper of one language and audience says values: labels, times, masked addresses."""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from netaudit.i18n import Text, local_date, local_time, translate
from netaudit.privacy import mask_ip, mask_mac
from netaudit.records.addresses import Network, in_network, parse_ip
from netaudit.reports.document import visible

INTERNAL = "internal"
_MAC = re.compile(r"(?<![0-9A-Fa-f:])(?:[0-9a-f]{2}:){5}[0-9a-f]{2}(?![0-9A-Fa-f:])", re.IGNORECASE)
_IPV4 = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.]|/\d)")
_IPV6 = re.compile(
    r"(?<![0-9A-Fa-f:.])(?=[0-9a-f:]*:[0-9a-f:]*:)[0-9a-f:]{3,39}(?![0-9A-Fa-f:.]|/\d)", re.IGNORECASE
)
_ISO_MOMENT = re.compile(
    r"(?<![\d-])\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})(?![\d:])"
)
_ISO_DAY = re.compile(r"(?<![\d-])\d{4}-\d{2}-\d{2}(?![\d-])")
_PSEUDONYM = re.compile(r"[a-z]+-[0-9a-f]{8}\Z")


@cache
def _labels() -> dict[str, dict[str, Text]]:
    path = Path(__file__).with_name("wording.toml")
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    return {
        table: {key: Text.from_table(value, f"{path}: {table}.{key}") for key, value in entries.items()}
        for table, entries in tables.items()
    }


@dataclass(frozen=True, slots=True)
class Words:
    """The voice of one paper."""

    locale: str
    zone: dt.tzinfo
    audience: str
    inside: tuple[Network, ...] = ()
    """Networks whose addresses stand for devices of the unit, and through them for persons."""
    ours: frozenset[str] = frozenset()
    """Our public addresses: printed whole. Every other address is taken for an inside one."""

    def label(self, table: str, key: str, **values: object) -> str:
        """A label of ``wording.toml``; a key that it lacks prints as it is, made visible."""
        text = _labels()[table].get(key)
        if text is None:
            return visible(key)
        words = text.in_(self.locale)
        return words.format(**values) if values else words

    def message(self, message: str) -> str:
        """A message id of the program in this language."""
        return translate(message, self.locale)

    def day(self, day: dt.date) -> str:
        """``2026年11月3日``; of a moment, the day in the unit's zone."""
        if isinstance(day, dt.datetime):
            day = day.astimezone(self.zone).date()
        return local_date(day, self.locale)

    def spoken(self, text: str) -> str:
        """The wording of a rule for this paper: addresses masked, ISO times and dates as they are said."""
        return _ISO_DAY.sub(self._say_day, _ISO_MOMENT.sub(self._say_moment, self.masked(text)))

    def moment(self, at: dt.datetime | None, precision_s: int | None = 1) -> str:
        """A moment in a sentence, in the unit's zone: ``2026年11月4日14时05分09秒``.

        Args:
            at: Aware; a dash is said where there is none.
            precision_s: What is known of it, seconds; 60 leaves out the seconds, 86400 the time.
        """
        if at is None:
            return "—"
        if not self.locale.startswith("zh"):
            return local_time(at, self.zone, self.locale)
        there, known = at.astimezone(self.zone), precision_s or 1
        parts = ((86400, f"{there:%H}时"), (3600, f"{there:%M}分"), (60, f"{there:%S}秒"))
        said = "".join(part for limit, part in parts if known < limit)
        return self.day(at) + (said.replace("时", "時") if self.locale == "zh-TW" else said)

    def stamp(self, at: dt.datetime | None) -> str:
        """A moment in a table, in the unit's zone: ``2026-11-04 14:05:09``."""
        return f"{at.astimezone(self.zone):%Y-%m-%d %H:%M:%S}" if at else "—"

    def span(self, start: dt.datetime | None, end: dt.datetime | None) -> str:
        """From–to in a table; the year and the date once where both lie in one."""
        if start is None or end is None or start == end:
            return self.stamp(start or end)
        first, last = start.astimezone(self.zone), end.astimezone(self.zone)
        if first.date() == last.date():
            return f"{self.stamp(start)}–{last:%H:%M:%S}"
        return (
            f"{self.stamp(start)}–{last:%m-%d %H:%M:%S}"
            if first.year == last.year
            else (f"{self.stamp(start)}–{self.stamp(end)}")
        )

    def zone_name(self, at: dt.datetime) -> str:
        """``UTC+8``."""
        offset = at.astimezone(self.zone).utcoffset() or dt.timedelta()
        hours, minutes = divmod(int(abs(offset).total_seconds()) // 60, 60)
        sign = "-" if offset < dt.timedelta() else "+"
        return f"UTC{sign}{hours}" + (f":{minutes:02d}" if minutes else "")

    def masked(self, text: str) -> str:
        """`text` with inside addresses and MACs masked, unless the paper stays in the house."""
        if self.audience == INTERNAL:
            return text
        text = _MAC.sub(lambda m: mask_mac(m[0].lower()), text)
        text = _IPV4.sub(lambda m: self._mask_address(m[0]), text)
        return _IPV6.sub(lambda m: self._mask_address(m[0]), text)

    def person(self, name: str) -> str:
        """An account or owner: pseudonyms stand, names keep their first character."""
        if self.audience == INTERNAL or not name or _PSEUDONYM.match(name):
            return name
        masked = self.masked(name)
        return masked if masked != name else name[0] + "**"

    def joined(self, parts: tuple[str, ...] | list[str]) -> str:
        """A list in a sentence."""
        return (", " if self.locale == "en" else "、").join(parts)

    def ranges(self, numbers: Iterable[str]) -> str:
        """Numbers such as ``P03`` in a sentence, neighbours as a range: ``P01、P16至P20``."""
        runs: list[list[str]] = []
        for number in sorted(set(numbers)):
            before = runs[-1][-1] if runs else ""
            follows = before[:1] == number[:1] and before[1:].isdigit() and number[1:].isdigit()
            if follows and int(number[1:]) == int(before[1:]) + 1:
                runs[-1].append(number)
            else:
                runs.append([number])
        said = [
            part
            for run in runs
            for part in (
                [self.label("phrase", "range", first=run[0], last=run[-1])] if len(run) > 2 else run
            )
        ]
        return self.joined(said)

    def _say_moment(self, match: re.Match[str]) -> str:
        try:
            return self.moment(dt.datetime.fromisoformat(match[0]))
        except (ValueError, OverflowError):
            return match[0]

    def _say_day(self, match: re.Match[str]) -> str:
        try:
            return self.day(dt.date.fromisoformat(match[0]))
        except ValueError:
            return match[0]

    def _mask_address(self, text: str) -> str:
        packed = parse_ip(text)
        if packed is None or text in self.ours or not any(in_network(packed, n) for n in self.inside):
            return text
        return mask_ip(text)


def defang(text: str) -> str:
    """A destination that nobody can click: ``bad[.]example``, ``2001[:]db8…``."""
    return re.sub(r"(?<!\[)([.:])(?!\])", r"[\1]", text) if parse_ip(text) else text.replace(".", "[.]")
