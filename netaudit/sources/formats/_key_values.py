"""Lines of ``key=value`` and ``key="value"``, with blanks or commas between them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.log_format import empty_to_null
from netaudit.sources.formats._owned import first_of, members
from netaudit.sources.formats._values import mask


class KeyValues:
    """Some lines, for looking up values by key. A key within a quoted value is none.

    Lines are cut at quotation marks: what stands between a pair of them is a value. The rest is cut
    into words, and a word that ends in an equals sign right before a quoted value is its key.
    """

    def __init__(self, lines: pa.StringArray, before: str = r"[\s,>]", *, quotes: bool = True) -> None:
        """Cut the lines.

        Args:
            lines: Of any content.
            before: What stands between pairs, as an expression for one character.
            quotes: Whether values may be quoted; a quotation mark is text like any other where not.
        """
        self._count = len(lines)
        mark = '"' if quotes else "\0"
        plain = pc.replace_substring(pc.replace_substring(pc.fill_null(lines, ""), "\0", " "), '\\"', "'")
        pieces = pc.split_pattern(plain, mark)
        line, self._pieces = members(pieces)
        counts = pc.list_value_length(pieces).to_numpy(zero_copy_only=False).astype(np.int64)
        place = np.arange(len(line)) - np.repeat(np.cumsum(counts) - counts, counts)
        outside = np.flatnonzero(place % 2 == 0)
        words = pc.split_pattern_regex(self._pieces.take(pa.array(outside)), before)
        owner, self._words = members(words)
        self._piece = outside[owner]
        self._line = line[self._piece]
        last = np.append(np.diff(owner) != 0, [True])[: len(owner)]
        self._before_value = last & (place[self._piece] + 2 < counts[self._line])

    def get(self, key: str) -> pa.Array:
        """The first value of `key` on each line that is not empty; null where there is none."""
        here = np.flatnonzero(mask(pc.starts_with(self._words, f"{key}=")))
        bare = empty_to_null(pc.utf8_slice_codeunits(self._words.take(pa.array(here)), len(key) + 1))
        value = pa.array(self._piece[here] + 1, mask=~self._before_value[here])
        quoted = empty_to_null(self._pieces.take(value))
        return first_of(self._count, self._line[here], pc.coalesce(bare, quoted))
