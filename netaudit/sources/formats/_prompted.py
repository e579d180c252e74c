"""Which device printed a line: the one that the last prompt before it names."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.times import Context
from netaudit.records.addresses import by_distinct
from netaudit.sources.formats._terminal import prompt
from netaudit.sources.formats._values import mask

_LIKE_PROMPT = r"^\s*[<\[(]?[A-Za-z][A-Za-z0-9._@:/()-]{0,100}[>#\]]"


class Device:
    """The device of a saved session, from one chunk to the next."""

    def __init__(self, context: Context) -> None:
        """Begin a session; before any prompt it is the source's own option ``nas``."""
        self._now = context.options.get("nas")

    def of(self, lines: pa.StringArray) -> pa.Array:
        """The device of each line, null where none was named before it."""
        likely = pc.and_(
            pc.match_substring_regex(lines, _LIKE_PROMPT), pc.less(pc.binary_length(lines), 200)
        )
        named = by_distinct(pc.if_else(likely, lines, None), prompt, pa.string())
        names = pa.concat_arrays([pa.array([self._now], pa.string()), named])
        known = np.append(True, mask(pc.is_valid(named)))
        names = names.take(pa.array(np.maximum.accumulate(np.where(known, np.arange(len(known)), 0))))
        self._now = names[-1].as_py()
        return names.slice(1)
