"""What an expression finds in each line, and names that are none."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.log_format import empty_to_null

_NOTHING = ("-", "--", "N/A", "n/a", "NULL", "null", "(null)", "unknown", "UNKNOWN", "none", "None")


def said(lines: pa.Array, pattern: str) -> pa.Array:
    """Group ``v`` of the first place that `pattern` (RE2) fits in each line.

    Null where it fits nowhere or is empty. The first place counts, because what stands later may
    be a value that a client chose (a URL, a name).
    """
    return empty_to_null(pc.struct_field(pc.extract_regex(lines, pattern), "v"))


def named(text: pa.Array) -> pa.Array:
    """Names, null where the product writes that there is none."""
    return pc.if_else(pc.is_in(text, value_set=pa.array(_NOTHING)), None, text)
