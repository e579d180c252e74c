"""The time that a switch or a controller wrote itself, somewhere before its message.

Relays put stamps of their own in front: the last one stands nearest to the event and is read.
An asterisk or a point right before it is the device's own word that its clock is not synchronised.
"""

from __future__ import annotations

import dataclasses
import datetime as dt

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake import times
from netaudit.intake.log_format import empty_to_null
from netaudit.records.schemas import TIMESTAMP
from netaudit.sources.formats._values import mask

UNSYNCHRONISED = "Some times are from a device whose clock was not synchronised, as it says itself."

_STAMP = (
    r"^(?P<before>.*[^A-Za-z0-9])?(?:(?P<mon>[A-Z][a-z]{2}) +(?P<day>\d{1,2}) (?:(?P<year>\d{4}) )?"
    r"(?P<clock>\d{2}:\d{2}:\d{2}(?:\.\d{1,9}|:\d{3}\b)?)(?::\d{1,2}\b)?(?: (?P<after>(?:19|20)\d{2})\b)?"
    r"|(?P<date>\d{4}[-/]\d{1,2}[-/]\d{1,2})[T ](?P<time>\d{2}:\d{2}:\d{2}(?:[.,]\d{1,9})?))"
    r"(?: ?(?P<zone>Z|[+-]\d{2}:?\d{2}|(?:UTC|GMT)(?:[+-]\d{1,2}(?::?\d{2})?)?)\b)?"
)


@dataclasses.dataclass(frozen=True, slots=True)
class Stamps:
    """The stamps of some lines."""

    naive: pa.Array
    """What the clock showed, as if UTC (int64 nanoseconds); null where there is no date with a year."""
    moment: pa.Array
    """Null where there is none, or it is no date."""
    unsynchronised: np.ndarray
    """Whether the device marks its clock so."""


def read(head: pa.Array, context: times.Context) -> Stamps:
    """The last stamp in each head of a line.

    Args:
        head: What stands before the message: ``<134>… Nov 23 00:00:52.123 CET: ``. Stamps may have a
            year before the month (NX-OS), before or after the clock, or be ISO 8601; milliseconds may follow a colon (H3C);
            where they have not three digits it is not known what they mean, and they are left out.
            UTC, GMT, Z and an offset count as zones (``UTC+1``, too), any other abbreviation does not.
        context: For the zone and the year of stamps without.

    Raises:
        ConfigError: Some stamp has no zone and none is declared.
    """
    found = pc.extract_regex(head, _STAMP)
    part = {f.name: empty_to_null(pc.struct_field(found, f.name)) for f in found.type}
    clock = pc.replace_substring_regex(pc.coalesce(part["clock"], part["time"]), r"^(.{8})[:,]", r"\1.")
    month = pa.array(times.index_of_month(pc.fill_null(part["mon"], ""))).cast(pa.string())
    ahead = pc.struct_field(pc.extract_regex(part["before"], r"(?:^|\s)(?P<year>(?:19|20)\d{2}) $"), "year")
    year = pc.coalesce(part["year"], part["after"], ahead)
    date = pc.coalesce(part["date"], pc.binary_join_element_wise(year, month, part["day"], "-"))
    naive = pc.binary_join_element_wise(date, clock, " ")
    zone = _offset(part["zone"])
    moment = times.from_iso(pc.binary_join_element_wise(naive, pc.fill_null(zone, ""), ""), context)
    yearless = pc.and_(pc.is_null(date), pc.is_valid(part["mon"]))
    for zoned in (True, False):
        here = pc.and_(yearless, pc.equal(pc.is_valid(zone), zoned))
        if mask(here).any():
            where = dataclasses.replace(context, zone=dt.UTC) if zoned else context
            month, day, hour = (pc.if_else(here, c, None) for c in (part["mon"], part["day"], clock))
            shown = times.from_yearless(month, day, hour, where)
            if zoned:
                shown = pc.subtract(shown.cast(pa.int64()), times.by_offset(zone)).cast(TIMESTAMP)
            moment = pc.coalesce(moment, shown)
    as_utc = times.from_iso(naive, dataclasses.replace(context, zone=dt.UTC)).cast(pa.int64())
    marked = mask(pc.match_substring_regex(part["before"], r"(?:^|[\s:>])[*.]$"))
    return Stamps(as_utc, moment, marked)


def _offset(zone: pa.Array) -> pa.Array:
    """Zones as ISO 8601 writes them: ``UTC+1`` is ``+01``."""
    bare = pc.replace_substring_regex(zone, r"^(?:UTC|GMT)", "")
    bare = pc.replace_substring_regex(bare, r"^([+-])(\d)(:|$)", r"\10\2\3")
    return pc.if_else(pc.equal(bare, ""), "Z", bare)
