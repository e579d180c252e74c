"""What carries a log line: syslog headers in their many spellings, journald, containers.

The carrier is peeled off first; its stamp, host and program are kept as fallbacks, because a
program's own stamp, where there is one, stands nearer to the event.

==========================  =================================================================
priority alone              ``<134>rest``, with or without an octet count before it
RFC 3164                    ``Nov 23 00:00:52 [host ]program[pid]: rest``, also with a year, a
                            fraction of a second or a weekday (OpenWrt's ``logread``), or with the
                            month in Chinese (``11月 23``, as ``journalctl`` prints it there)
ISO 8601                    ``2026-11-23T00:00:52.265+08:00 host program[pid]: rest``
RFC 5424                    ``<30>1 2026-11-23T00:00:52Z host program pid msgid - rest``
journald, Docker            JSON objects with ``MESSAGE`` or ``log``
==========================  =================================================================
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake import json_lines, times
from netaudit.intake.log_format import empty_to_null
from netaudit.records.schemas import TIMESTAMP

ISO = r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:[.,]\d{1,9})?(?:Z| ?[+-]\d{2}:?\d{2})?"
BSD = r"(?:[A-Z][a-z]{2} )?(?:[A-Z][a-z]{2}|1?\d月) [ \d]?\d (?:\d{4} )?\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?: \d{4}\b)?"

# RFC 6587 octet count, RFC 5424 priority and version; then RFC 3164 or ISO, host and tag optional
_HEADER = (
    r"^\s*(?:(?:\d{1,6} )?<\d{1,3}>(?:1 )?)?"
    rf"(?P<stamp>{ISO}|{BSD}):? +"
    r"(?:(?:(?P<host>\S*[^\s:]) +)??(?P<program>[^\s:\[\]=]+)(?:\[(?P<pid>\d+)\])?: +)?(?P<rest>.*)$"
)
# RFC 5424 section 6: HOSTNAME, APP-NAME, PROCID, MSGID, STRUCTURED-DATA
_HEADER_5424 = (
    rf"^\s*(?:\d{{1,6}} )?<\d{{1,3}}>1 (?P<stamp>{ISO}|-) (?P<host>\S+) (?P<program>\S+) (?P<pid>\S+) \S+ "
    r'(?:-|(?:\[(?:[^\]"]|"(?:[^"\\]|\\.)*")*\])+)(?: (?P<rest>.*))?$'
)
_PRIORITY = r"^\s*(?:\d{1,6} )?<\d{1,3}>(?P<rest>.*)$"
_GROUPS = ("stamp", "host", "program", "pid", "rest")

_JOURNAL = pa.schema(
    [
        (name, pa.string())
        for name in (
            "__REALTIME_TIMESTAMP",
            "_HOSTNAME",
            "SYSLOG_IDENTIFIER",
            "_PID",
            "MESSAGE",
            "log",
            "time",
        )
    ]
)


@dataclass(frozen=True, slots=True)
class Peeled:
    """Lines without their carriers; all columns have one value per line."""

    rest: pa.StringArray
    """What the program itself wrote; the whole line where no carrier was recognised."""
    stamp: pa.StringArray
    """The carrier's time as text, null where it has none: for `read_stamps`."""
    host: pa.StringArray
    """Who sent it; logread's ``daemon.info`` stands here too. Null where not given."""
    program: pa.StringArray
    """The syslog tag; null where not given."""
    pid: pa.StringArray
    """Process number as text; null where not given."""


def peel(lines: pa.StringArray) -> Peeled:
    """Take the carriers off some lines. A line may have any of them, or none."""
    groups = _matched(lines, _HEADER_5424)
    todo = pc.is_null(groups["rest"])
    if pc.any(todo).as_py():
        groups = _fill(groups, _matched(pc.if_else(todo, lines, None), _HEADER))
        todo = pc.is_null(groups["rest"])
    if pc.any(todo).as_py():
        left = pc.if_else(todo, lines, None)
        groups = _fill(groups, _matched(left, _PRIORITY))
        groups = _fill(groups, _unwrapped(left))
    words = {
        name: empty_to_null(pc.if_else(pc.equal(groups[name], "-"), None, groups[name]))
        for name in _GROUPS[:-1]
    }
    return Peeled(rest=pc.coalesce(groups["rest"], lines), **words)


def peel_text(lines: list[str]) -> list[str]:
    """The `Peeled.rest` of a few lines: what a `sniff` looks at."""
    rest: list[str] = peel(pa.array(lines, pa.string())).rest.to_pylist()
    return rest


def read_stamps(stamp: pa.StringArray, context: times.Context) -> pa.Array:
    """Carriers' stamps as times; null where there is none or it is no date.

    Args:
        stamp: `Peeled.stamp`: ISO, ``[Thu ]Nov 23 [2026 ]00:00:52[.265][ 2026]``, or epochs.
        context: For the zone, and for the year of stamps that carry none.

    Raises:
        ConfigError: Some stamp has no zone and none is declared.
    """
    parts = pc.extract_regex(
        stamp,
        r"^(?:[A-Z][a-z]{2} )?(?P<mon>[A-Z][a-z]{2}|1?\d月) +(?P<day>\d{1,2}) (?:(?P<before>\d{4}) )?"
        r"(?P<clock>\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?)(?: (?P<after>\d{4}))?$",
    )
    field = {f.name: pc.struct_field(parts, f.name) for f in parts.type}
    year = pc.coalesce(empty_to_null(field["before"]), empty_to_null(field["after"]))
    out = pa.nulls(len(stamp), TIMESTAMP)
    bsd = pc.is_valid(parts)
    dated = pc.and_(bsd, pc.is_valid(year))
    ways = (
        (pc.and_(bsd, pc.invert(dated)), _yearless),
        (dated, _dated),
        (pc.fill_null(pc.match_substring_regex(stamp, r"^\d{10}"), False), _epoch),
        (pc.fill_null(pc.match_substring_regex(stamp, r"^\d{4}-"), False), _iso),
    )
    for mask, way in ways:
        if pc.any(mask).as_py():
            rows = {n: c.filter(mask) for n, c in {**field, "year": year, "stamp": stamp}.items()}
            out = pc.replace_with_mask(out, mask, way(rows, context))
    return out


def _yearless(rows: dict[str, pa.Array], context: times.Context) -> pa.Array:
    return times.from_yearless(rows["mon"], rows["day"], rows["clock"], context)


def _dated(rows: dict[str, pa.Array], context: times.Context) -> pa.Array:
    month = pa.array(times.index_of_month(rows["mon"])).cast(pa.string())
    text = pc.binary_join_element_wise(rows["year"], month, rows["day"], "-")
    return times.from_iso(pc.binary_join_element_wise(text, rows["clock"], " "), context)


def _epoch(rows: dict[str, pa.Array], context: times.Context) -> pa.Array:  # noqa: ARG001 -- one signature
    return times.from_epoch(rows["stamp"])


def _iso(rows: dict[str, pa.Array], context: times.Context) -> pa.Array:
    return times.from_iso(rows["stamp"], context)


def _matched(lines: pa.Array, pattern: str) -> dict[str, pa.Array]:
    found = pc.extract_regex(lines, pattern)
    have = {f.name for f in found.type}
    none = pa.nulls(len(lines), pa.string())
    return {name: pc.struct_field(found, name) if name in have else none for name in _GROUPS}


def _fill(groups: dict[str, pa.Array], more: dict[str, pa.Array]) -> dict[str, pa.Array]:
    """`groups`, and for the lines that they do not hold those of `more`."""
    held = pc.is_valid(groups["rest"])
    return {name: pc.if_else(held, groups[name], more[name]) for name in _GROUPS}


def _unwrapped(lines: pa.Array) -> dict[str, pa.Array]:
    """Journald's and Docker's JSON, where a line is such an object; nulls elsewhere."""
    wrapped = pc.fill_null(pc.match_substring_regex(lines, r'^\s*\{.*"(?:MESSAGE|log)"\s*:\s*"'), False)
    out = {name: pa.nulls(len(lines), pa.string()) for name in _GROUPS}
    if not pc.any(wrapped).as_py():
        return out
    objects = json_lines.read(pc.if_else(wrapped, lines, ""), _JOURNAL)
    found = {
        "stamp": pc.coalesce(objects.column("__REALTIME_TIMESTAMP"), objects.column("time")),
        "host": objects.column("_HOSTNAME"),
        "program": objects.column("SYSLOG_IDENTIFIER"),
        "pid": objects.column("_PID"),
        "rest": pc.utf8_rtrim(pc.coalesce(objects.column("MESSAGE"), objects.column("log")), "\r\n"),
    }
    mask = np.zeros(len(lines), bool)
    mask[objects.index] = True
    return {name: pc.replace_with_mask(out[name], pa.array(mask), found[name]) for name in _GROUPS}
