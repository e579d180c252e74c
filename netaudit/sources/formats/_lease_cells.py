"""Cells of tables of leases: client identifiers and the many ways to print an end."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.times import MONTHS, Context, from_iso
from netaudit.records.addresses import parse_mac
from netaudit.sources.formats._values import duid_mac, whole

_IN_WORDS = re.compile(r"(?:cisco-)?(?P<mac>[0-9a-f]{4}[.-][0-9a-f]{4}[.-][0-9a-f]{4})-", re.IGNORECASE)
_ETHERNET = 1
_DUID = 255
"""First octet of a client identifier that holds an IAID of four octets and a DUID (RFC 4361)."""
_ENGLISH = (
    r"^(?P<mon>[A-Z][a-z]{2}) +(?P<d>\d{1,2}),? (?:(?P<y1>\d{4}) )?(?P<h>\d{1,2}):(?P<m>\d{2})(?::(?P<s>\d{2}))?"
    r" ?(?P<half>[AP]M)?(?: (?P<y2>\d{4}))?$"
)


def client_mac(text: str) -> bytes | None:
    """The MAC in a client identifier: after its type octet, in a DUID, or spelled out in words."""
    digits = re.sub(r"[.:\s-]", "", text)
    if len(digits) % 2 or len(digits) > 512 or not re.fullmatch(r"[0-9a-fA-F]+", digits):
        return None
    octets = bytes.fromhex(digits)
    if len(octets) == 7 and octets[0] == _ETHERNET:
        return parse_mac(octets[1:].hex(":"))
    if octets[0] == _DUID:
        return parse_mac(duid_mac(octets[5:]) or "")
    found = _IN_WORDS.search(octets.decode("latin-1"))
    return parse_mac(found["mac"]) if found else None


def lease_end(text: pa.Array, context: Context) -> pa.Array:
    """Dates with a time of day, read in the declared zone; anything else is null.

    ``Mar 02 1993 12:01 AM``, ``May 1 14:02:49 2009``, ``2020.09.21-10:05``, ``2021/09/18 12:33:02``.
    """
    parts = pc.extract_regex(text, _ENGLISH)
    part = {name: pc.struct_field(parts, name) for name in ("mon", "d", "y1", "y2", "h", "m", "s", "half")}
    month = pc.index_in(part["mon"], value_set=pa.array(MONTHS))
    hour = whole(part["h"], 23, pa.int64())
    by_half = pc.add(
        pc.if_else(pc.equal(hour, 12), 0, hour), pc.if_else(pc.equal(part["half"], "PM"), 12, 0)
    )
    hour = pc.if_else(pc.equal(part["half"], ""), hour, by_half)
    year = pc.if_else(pc.equal(part["y1"], ""), part["y2"], part["y1"])
    date = pc.binary_join_element_wise(year, pc.add(month, 1).cast(pa.string()), part["d"], "-")
    second = pc.if_else(pc.equal(part["s"], ""), "00", part["s"])
    clock = pc.binary_join_element_wise(hour.cast(pa.string()), part["m"], second, ":")
    english = pc.binary_join_element_wise(date, clock, " ")
    dotted = pc.replace_substring_regex(text, r"^(\d{4})\.(\d{2})\.(\d{2})-(\d{2}:\d{2})", r"\1-\2-\3 \4")
    dated = pc.match_substring_regex(dotted, r"^\d{4}[-/]\d{1,2}[-/]\d{1,2} \d")
    return from_iso(pc.coalesce(english, pc.if_else(dated, dotted, None)), context)


def seconds_left(text: pa.Array) -> pa.Array:
    """Whole seconds that are left of a lease (int64); null where the cell is no number of seconds."""
    return whole(text, 2**32 - 2, pa.int64())
