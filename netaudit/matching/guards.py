"""What no list may do: cover a public suffix, or a great part of the Internet.

A poisoned or broken list with ``com``, ``gov.cn``, ``*`` or ``0.0.0.0/0`` in it would accuse
everybody. Such entries are refused unless the office says, list by list, that it wants them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.matching.columns import as_mask
from netaudit.matching.indicator import Scope
from netaudit.records.names import normalise

WIDEST_V4 = 8
WIDEST_V6 = 16
_V4_HIGH, _V4_LOW = np.uint64(0), np.uint64(0xFFFF)

_UNRELATED = pa.array(
    ["m4.invalid", "www.zx-7.example", "k.9q.test", "203.0.113.9", "vf8h2.wpl.internal", "jy.localhost"]
)
"""Subjects that have so little in common that only a pattern for everything finds them all."""

_PRIVATE_SECTION = "// ===BEGIN PRIVATE DOMAINS==="


def public_suffixes(names: pa.Array, scope: np.ndarray) -> np.ndarray:
    """Which entries cover a public suffix.

    A suffix of a registry (``com``, ``gov.cn``) is refused in every scope. One of a company
    (``github.io``) stands for its many customers and is refused only with what is below it; so is
    any single label.

    Args:
        names: large_string, normal form.
        scope: `Scope.code` of each.
    """
    known = _suffixes()
    spared = as_mask(pc.is_in(names, value_set=known.exceptions))
    single = ~as_mask(pc.match_substring(names, "."))
    of_registry = known.registry.covers(names) & ~spared
    beyond = (scope != Scope.EXACT.code) & (known.company.covers(names) | single)
    either: np.ndarray = of_registry | beyond
    return either


def wide_networks(high: np.ndarray, low: np.ndarray, prefix: np.ndarray) -> np.ndarray:
    """Which networks are wider than /8 (IPv4) or /16 (IPv6).

    Args:
        high: uint64, upper half of the address; IPv4 is v4-mapped.
        low: uint64, lower half.
        prefix: uint8, 0 to 128.
    """
    mapped = (prefix >= 96) & (high == _V4_HIGH) & ((low >> np.uint64(32)) == _V4_LOW)
    wide: np.ndarray = np.where(mapped, prefix < 96 + WIDEST_V4, prefix < WIDEST_V6)
    return wide


def catches_all(expression: str) -> bool:
    """Whether a pattern (RE2) finds subjects that have nothing in common."""
    return bool(pc.all(pc.match_substring_regex(_UNRELATED, expression, ignore_case=True)).as_py())


def registrable(name: str) -> str | None:
    """The part of a name that somebody registered, by the whole public suffix list; else None."""
    found: str | None = _library().privatesuffix(name.lower())
    return found


@cache
def _library() -> Any:
    import publicsuffixlist

    return publicsuffixlist.PublicSuffixList()


@dataclass(frozen=True, slots=True)
class _Section:
    """One section of the public suffix list."""

    plain: pa.Array
    below: str
    """RE2 for the names that the section's ``*.`` rules cover."""

    def covers(self, names: pa.Array) -> np.ndarray:
        listed = as_mask(pc.is_in(names, value_set=self.plain))
        return np.asarray(listed | as_mask(pc.match_substring_regex(names, self.below)))


@dataclass(frozen=True, slots=True)
class _Suffixes:
    registry: _Section
    company: _Section
    exceptions: pa.Array


@cache
def _suffixes() -> _Suffixes:
    """The public suffix list that `publicsuffixlist` carries."""
    import publicsuffixlist

    text = Path(publicsuffixlist.PSLFILE).read_text(encoding="utf-8")
    lines = [line.split(maxsplit=1)[0] for line in text.splitlines() if line.strip()]
    private = text[: text.index(_PRIVATE_SECTION)].count("\n")
    before = sum(1 for line in text.splitlines()[:private] if line.strip())
    exceptions = [normalise(line[1:]) for line in lines if line.startswith("!")]
    return _Suffixes(
        _section(lines[:before]), _section(lines[before:]), pa.array(exceptions, pa.large_string())
    )


def _section(lines: list[str]) -> _Section:
    rules = [line for line in lines if not line.startswith(("//", "!"))]
    plain = [normalise(rule) for rule in rules if not rule.startswith("*.")]
    stars = [normalise(rule[2:]) or "" for rule in rules if rule.startswith("*.")]
    bases = "|".join(re.escape(star) for star in sorted(stars))
    return _Section(pa.array(plain, pa.large_string()), rf"^[^.]+\.(?:{bases})$")
