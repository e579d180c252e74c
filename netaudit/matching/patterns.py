"""Masks and regular expressions of lists: linear time whatever a list's author wrote.

Patterns are RE2 through Arrow. One that RE2 does not know (look-ahead, back reference) or that
needs more room than RE2 allows is refused when the list is read.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

MAX_EXPRESSION = 1000
"""Characters of an expression."""
GROUP = 24
"""Patterns that are asked for together before each is asked for alone."""
_NOTHING = pa.array([""])


def usable(expression: str) -> bool:
    """Whether RE2 takes `expression`."""
    if len(expression) > MAX_EXPRESSION:
        return False
    try:
        pc.match_substring_regex(_NOTHING, expression, ignore_case=True)
    except pa.ArrowInvalid:
        return False
    return True


class PatternTable:
    """Patterns of all lists, asked for in groups: almost no name matches any."""

    def __init__(self, expressions: list[str]) -> None:
        """Take `expressions`, each of which is `usable`."""
        self._expressions = expressions
        self._groups = [
            range(first, min(first + GROUP, len(expressions)))
            for first in range(0, len(expressions), GROUP)
        ]

    def search(self, texts: pa.Array) -> tuple[np.ndarray, np.ndarray]:
        """Pairs (index of the text, index of a pattern that occurs in it)."""
        found = [self._search_group(texts, group) for group in self._groups]
        empty = np.empty(0, np.int64)
        return (
            np.concatenate([empty, *(index for index, _ in found)]),
            np.concatenate([empty, *(pattern for _, pattern in found)]),
        )

    def _search_group(self, texts: pa.Array, group: range) -> tuple[np.ndarray, np.ndarray]:
        joined = "|".join(f"(?:{self._expressions[n]})" for n in group)
        suspects = np.arange(len(texts))
        if len(group) > 1 and usable(joined):
            suspects = _found(texts, joined)
        some = texts.take(pa.array(suspects))
        hits = [suspects[_found(some, self._expressions[n])] for n in group] if len(suspects) else []
        empty = np.empty(0, np.int64)
        patterns = [np.full(len(h), n) for h, n in zip(hits, group, strict=False)]
        return np.concatenate([empty, *hits]), np.concatenate([empty, *patterns])


def _found(texts: pa.Array, expression: str) -> np.ndarray:
    mask = pc.match_substring_regex(texts, expression, ignore_case=True)
    return np.flatnonzero(mask.to_numpy(zero_copy_only=False))
