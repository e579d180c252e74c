"""Look-ups as rows: what the logs of all DNS servers have in common."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.log_format import Parsed, Rows
from netaudit.sources.formats._outcome import keep, parsed
from netaudit.sources.formats._values import mask

UNREADABLE = "The client or the question of this line cannot be read."


def lookups(lines: pa.StringArray, index: np.ndarray, columns: dict[str, Any], like: str) -> Parsed:
    """Rows of `dns` where the client is an address; everything else is rejected or no record.

    Args:
        lines: Of the chunk, without their carriers.
        index: Lines of the rows.
        columns: Without `name_source`.
        like: A pattern (RE2, searched) of lines that should be rows.
    """
    rows = keep(
        Rows("dns", {**columns, "name_source": "qname"}, index), mask(pc.is_valid(columns["client_ip"]))
    )
    should = np.flatnonzero(mask(pc.match_substring_regex(lines, like)))
    return parsed(len(lines), [rows], {UNREADABLE: np.setdiff1d(should, rows.line)})


def single(values: pa.Array) -> pa.Array:
    """Lists of one value each; null where it is null."""
    offsets = pa.array(np.arange(len(values) + 1, dtype=np.int32))
    return pa.ListArray.from_arrays(offsets, values, mask=pc.is_null(values))
