"""The filters of templates. They choose and join; they compute nothing that a fact should say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from netaudit.reports.template import Missing


def joined(items: Iterable[object], separator: str = "、") -> str:
    """Texts in one line."""
    return separator.join(str(item) for item in items)


def ask(value: object, label: str) -> object:
    """`value`, or where it is empty a visible placeholder with `label`."""
    return Missing(label) if value in ("", None) or value == () else value


def only(items: Sequence[Any], field: str, *wanted: object) -> tuple[Any, ...]:
    """Items whose `field` is one of `wanted`."""
    if field.startswith("_"):
        raise ValueError(f"there is no field {field}")
    return tuple(item for item in items if getattr(item, field) in wanted)


def without(items: Sequence[Any], field: str, *unwanted: object) -> tuple[Any, ...]:
    """Items whose `field` is none of `unwanted`."""
    chosen = only(items, field, *unwanted)
    return tuple(item for item in items if item not in chosen)


def first(items: Sequence[Any], count: int) -> tuple[Any, ...]:
    """The first `count` items."""
    return tuple(items[: max(count, 0)])


def short(text: str, length: int = 12) -> str:
    """The first characters of a hash."""
    return text[:length]


FILTERS: dict[str, Callable[..., Any]] = {
    "ask": ask,
    "first": first,
    "joined": joined,
    "length": len,
    "only": only,
    "short": short,
    "without": without,
}

CHOOSING = frozenset({"first", "only", "without"})
"""Filters that give some of the items that they are given."""
