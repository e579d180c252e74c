"""Cisco IOS's translations (``show ip nat translations``): a moment, useful only where it is polled.

The columns are inside global (public), inside local, outside local and outside global. The
destination is the outside global one, as it is met on the wire; for ICMP the query id that the inside
host sent stands for a port. A static entry has ``---`` for what it leaves open. The table has no
time: the source says when it was taken (``taken_at``).
"""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Rows, Sample, extract
from netaudit.intake.times import Context, taken_at
from netaudit.records.schemas import TIMESTAMP
from netaudit.sources.formats._flow_sides import TORN
from netaudit.sources.formats._ios_nat import translation
from netaudit.sources.formats._torn import rows_or_torn

_CELL = r"(?:(?P<{0}>\d+\.\d+\.\d+\.\d+)(?::(?P<{0}_port>\d+))?|---)"
_ENTRY = (
    r"^\s*(?P<proto>[a-z]{2,6}|---)\s+"
    + r"\s+".join(_CELL.format(name) for name in ("public", "inside", "far_inside", "far"))
    + r"\s*$"
)
_BEGUN = r"^\s*(?:tcp|udp|icmp|gre|esp|---)\s+\d+\.\d+\.\d+\.\d+[: ]"
_HEAD = re.compile(r"\s*Pro\s+Inside global\s+Inside local\s+Outside local\s+Outside global")


def _open(context: Context) -> Parse:
    def parse(chunk: Chunk) -> Parsed:
        index, got = extract(chunk.lines, _ENTRY)
        columns = {
            "ts": pa.array([taken_at(context)] * len(index), pa.int64()).cast(TIMESTAMP),
            **translation(got),
            "transport": pc.if_else(pc.equal(got["proto"], "---"), None, got["proto"]),
            "message": pa.array(["entry"] * len(index), pa.string()),
        }
        rows = Rows("nat", columns, index)
        return rows_or_torn(chunk.lines, rows, ("client_ip", "public_ip"), _BEGUN, TORN)

    return parse


_TITLES = "Pro Inside global      Inside local       Outside local      Outside global\n"

FORMAT = LogFormat(
    title="Cisco IOS table of translations (show ip nat translations)",
    kinds=("nat",),
    reference="https://www.cisco.com/c/en/us/td/docs/ios-xml/ios/ipaddr/command/ipaddr-cr-book.html",
    sniff=lambda lines: 1.0 if any(_HEAD.match(line) for line in lines) else 0.0,
    open=_open,
    numbered=False,
    samples=(
        Sample(
            _TITLES
            + "tcp 203.0.113.9:51776     10.1.0.2:41776     198.51.100.2:21        198.51.100.2:21\n"
            "icmp 203.0.113.9:513     10.1.0.2:512     198.51.100.2:512        198.51.100.2:513\n"
            "\n--- 203.0.113.10     10.1.0.3     ---        ---",
            (
                {
                    "kind": "nat",
                    "ts": None,
                    "message": "entry",
                    "transport": "tcp",
                    "client_ip": "10.1.0.2",
                    "client_port": 41776,
                    "public_ip": "203.0.113.9",
                    "public_port": 51776,
                    "server_ip": "198.51.100.2",
                    "server_port": 21,
                },
                {
                    "kind": "nat",
                    "transport": "icmp",
                    "client_port": 512,
                    "public_port": 513,
                    "server_port": 512,
                },
                {
                    "kind": "nat",
                    "transport": None,
                    "client_ip": "10.1.0.3",
                    "public_port": None,
                    "server_ip": None,
                },
            ),
        ),
        Sample(_TITLES + "tcp 203.0.113.9:51776     10.1.0.2:41776     198.51", note="cut off"),
    ),
)
