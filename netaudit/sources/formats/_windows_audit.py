"""The audit log of the Windows DHCP server: what its two layouts, IPv4 and IPv6, have in common.

The description is text in the server's language, so the event is known by its number. Times are the
server's local time with a year of two digits. Thirty lines that explain the numbers stand in front,
and again after every restart.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import Parse, Parsed, Rows, extract
from netaudit.intake.times import Context, from_iso
from netaudit.records.addresses import ip_column
from netaudit.sources.formats._outcome import keep, parsed
from netaudit.sources.formats._values import mask

CUT = "An event of the audit log is cut off or of an unknown shape."
NOBODY = "An event of the audit log names neither an address nor a station."
_NUMBERED = re.compile(r"\s*\d+,")
_STAMP = (
    r",(?P<month>\d{1,2})/(?P<day>\d{1,2})/(?P<year>(?:\d\d)?\d\d),(?P<clock>\d{1,2}:\d{2}:\d{2}),[^,]*,"
    r"(?P<ip>[^,]*),(?P<host>[^,]*),"
)

Stations = Callable[[dict[str, pa.Array]], dict[str, pa.Array]]
"""Columns about the client out of the groups of a layout's own pattern."""


def opener(
    digits: str, tail: str, words: Mapping[str, str], stations: Stations
) -> Callable[[Context], Parse]:
    """What reads one layout.

    Args:
        digits: Pattern of its event numbers.
        tail: Pattern of the cells behind the host name, with groups for `stations`.
        words: Event number to message. Events that are not named here tell of the server.
        stations: Makes columns out of the groups of `tail`.
    """
    begins = rf"^\s*{digits},"
    pattern = rf"^\s*(?P<id>{digits}){_STAMP}{tail}"
    numbers, messages = pa.array(list(words)), pa.array(list(words.values()))

    def open_(context: Context) -> Parse:
        def parse(chunk: Chunk) -> Parsed:
            ours = mask(pc.match_substring_regex(chunk.lines, begins))
            index, got = extract(chunk.lines, pattern)
            told = messages.take(pc.index_in(got["id"], value_set=numbers))
            columns = {
                "ts": _moments(got, context),
                "message": told,
                "client_ip": ip_column(got["ip"]),
                "hostname": got["host"],
                **stations(got),
            }
            wanted = mask(pc.is_valid(told))
            who = mask(pc.or_(pc.is_valid(columns["client_ip"]), pc.is_valid(columns["client_mac"])))
            who |= mask(pc.is_valid(columns["client_id"])) if "client_id" in columns else False
            rows = keep(Rows("dhcp", columns, index), wanted & who)
            cut = np.setdiff1d(np.flatnonzero(ours), index)
            return parsed(len(chunk.lines), [rows], {CUT: cut, NOBODY: index[wanted & ~who]})

        return parse

    return open_


def sniffer(digits: str) -> Callable[[list[str]], float]:
    """Confidence by the share of a layout's events among the lines that begin with a number."""
    own = re.compile(rf"\s*{digits},\d\d?/\d\d?/(?:\d\d)?\d\d,\d\d?:\d\d:\d\d,[^,]*,")

    def sniff(lines: list[str]) -> float:
        numbered = [line for line in lines if _NUMBERED.match(line)]
        return sum(bool(own.match(line)) for line in numbered) / len(numbered) if numbered else 0.0

    return sniff


def _moments(got: dict[str, pa.Array], context: Context) -> pa.Array:
    year = pc.if_else(
        pc.equal(pc.utf8_length(got["year"]), 2),
        pc.binary_join_element_wise("20", got["year"], ""),
        got["year"],
    )
    date = pc.binary_join_element_wise(year, got["month"], got["day"], "-")
    return from_iso(pc.binary_join_element_wise(date, got["clock"], " "), context)
