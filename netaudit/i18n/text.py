"""`Text`: one sentence of the content in the three languages, written beside what it describes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter

from netaudit.errors import ConfigError

LOCALES = ("en", "zh-CN", "zh-TW")
"""Every locale there is, in the order in which texts are written."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text of a rule, norm or list. Shipped files have all three; an office's own need one."""

    en: str = ""
    zh_cn: str = ""
    zh_tw: str = ""

    @classmethod
    def from_table(cls, data: object, where: str) -> Text:
        """A TOML table with the keys ``en``, ``zh-CN``, ``zh-TW``, at least one of them.

        Args:
            data: The parsed value.
            where: File and key, for the error.

        Raises:
            ConfigError: No table, an unknown locale, a value that is no text, or nothing at all.
        """
        if not isinstance(data, Mapping):
            raise _wrong(where, "it is no table of languages")
        unknown = sorted(set(data) - set(LOCALES))
        if unknown:
            raise _wrong(where, f"there is no language {unknown[0]}")
        if not all(isinstance(value, str) for value in data.values()):
            raise _wrong(where, "a language's value is no text")
        if not any(value.strip() for value in data.values()):
            raise _wrong(where, "it says nothing in any language")
        return cls(*(data.get(locale, "").strip() for locale in LOCALES))

    def in_(self, locale: str) -> str:
        """The text in `locale`, or where it lacks that, in the nearest language it has."""
        return next((text for text in map(self._own, _NEAREST.get(locale, LOCALES)) if text), "")

    def missing(self) -> tuple[str, ...]:
        """The locales in which it says nothing."""
        return tuple(locale for locale in LOCALES if not self._own(locale))

    def slots(self) -> frozenset[str]:
        """Names of the ``{slots}`` in any of the languages.

        Raises:
            ValueError: A brace that is never closed.
        """
        parts = (part for locale in LOCALES for part in Formatter().parse(self._own(locale)))
        return frozenset(name for _, name, _, _ in parts if name is not None)

    def _own(self, locale: str) -> str:
        return {"en": self.en, "zh-CN": self.zh_cn, "zh-TW": self.zh_tw}[locale]


_NEAREST = {
    "en": ("en", "zh-CN", "zh-TW"),
    "zh-CN": ("zh-CN", "zh-TW", "en"),
    "zh-TW": ("zh-TW", "zh-CN", "en"),
}


def _wrong(where: str, reason: str) -> ConfigError:
    return ConfigError(
        "text-table",
        "A text is wrong: {reason}.",
        where=where,
        hint='Write a table such as {{ en = "…", "zh-CN" = "…", "zh-TW" = "…" }}.',
        reason=reason,
    )
