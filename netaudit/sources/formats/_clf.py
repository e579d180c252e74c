"""The common log format of web servers and proxies: its time, its request line, its numbers."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.carrier import peel
from netaudit.intake.times import Context, from_epoch, from_iso, index_of_month
from netaudit.sources.formats._urls import destinations
from netaudit.sources.formats._values import mask, whole

# 23/Nov/2026:00:21:46 +0800; some writers add a fraction
_STAMP = (
    r"^(?P<day>\d{1,2})/(?P<month>[A-Za-z]{3})/(?P<year>\d{4}):(?P<clock>\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?)"
    r"(?: ?(?P<zone>[+-]\d{2}:?\d{2}|Z))?$"
)
_CARRIED = r"^\s*(?:\d+ )?<\d|^[A-Z][a-z]{2} |^\d{4}-\d\d-|^\s*\{.*\"(?:MESSAGE|log)\""
# RFC 9112 section 3; a target may hold blanks that a client should have escaped
_REQUEST = r"^(?P<method>[A-Z][A-Z_-]{0,19}) (?P<target>\S.*?)(?: HTTP/\d(?:\.\d)?)?$"


def bare(lines: pa.StringArray) -> pa.StringArray:
    """Lines without a system log's header, which few of these logs have."""
    carried = mask(pc.match_substring_regex(lines, _CARRIED)).any()
    return peel(lines).rest if carried else lines


def moments(text: pa.Array, context: Context) -> pa.Array:
    """Stamps of the common log format, ISO stamps, or epochs; what is none of them is null."""
    coded = text.dictionary_encode()  # busy servers write many lines a second
    return _moments(coded.dictionary, context).take(coded.indices)


def _moments(text: pa.Array, context: Context) -> pa.Array:
    parts = pc.extract_regex(text, _STAMP)
    got = {field.name: pc.struct_field(parts, field.name) for field in parts.type}
    month = pa.array(index_of_month(got["month"])).cast(pa.string())
    date = pc.binary_join_element_wise(got["year"], month, got["day"], "-")
    common = pc.binary_join_element_wise(
        pc.binary_join_element_wise(date, got["clock"], " "), got["zone"], ""
    )
    epoch = pc.if_else(pc.match_substring_regex(text, r"^\d{10}(?:\d{3})?(?:\.\d+)?$"), text, None)
    iso = pc.if_else(pc.match_substring_regex(text, r"^\d{4}-"), text, None)
    return pc.coalesce(from_iso(pc.coalesce(common, iso), context), from_epoch(epoch))


def requests(line: pa.Array) -> dict[str, pa.Array]:
    """`method` and the destination of request lines; all null where a line is broken or has no host.

    Returns:
        ``method``, and the columns of `_urls.destinations`.
    """
    parts = pc.extract_regex(line, _REQUEST)
    return {
        "method": pc.struct_field(parts, "method"),
        **destinations(pc.struct_field(parts, "target")),
    }


def status(text: pa.Array) -> pa.Array:
    """Status codes; ``000`` is 0, of requests that were given up."""
    return whole(text, 999, pa.uint16())


def count(text: pa.Array) -> pa.Array:
    """Bytes; ``-`` is null."""
    return whole(text, 2**62, pa.uint64())
