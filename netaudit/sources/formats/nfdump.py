"""Flows as nfdump prints them as CSV (NetFlow, IPFIX), with the columns of NAT events where sent.

Read by the header, whose names differ by version. Times are local to the machine that ran nfdump.
A flow goes one way: the client is its source as it was logged, which outside the translation is the
public address. Without translation columns nothing says who was behind it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Rows, Sample
from netaudit.intake.times import Context, from_epoch, from_iso
from netaudit.records.schemas import TIMESTAMP
from netaudit.sources.formats._delimited import Cells
from netaudit.sources.formats._flow_sides import Tuples, flow_sides, numbers
from netaudit.sources.formats._outcome import keep, parsed
from netaudit.sources.formats._transports import transport_column
from netaudit.sources.formats._values import mask

HEADLESS = "A flow stands before the header that names its columns."
CUT = "The line is no flow: its cells do not fit the header, or a time or an address is none."
_NAMES = {
    "begin": ("ts", "firstseen"),
    "end": ("te", "lastseen"),
    "span": ("td", "duration"),
    "src": ("sa", "srcaddr"),
    "dst": ("da", "dstaddr"),
    "sport": ("sp", "srcport"),
    "dport": ("dp", "dstport"),
    "proto": ("pr", "proto"),
    "new_src": ("xsa", "nsa", "srcxip"),
    "new_dst": ("xda", "nda", "dstxip"),
    "new_sport": ("xsp", "nsp", "srcxport"),
    "new_dport": ("xdp", "ndp", "dstxport"),
    "event": ("nevt", "natevent", "evt", "event"),
}
Getter = Callable[[str], pa.Array]
"""Gives a column by its key in `_NAMES`, null where the header does not name it."""
_COLUMN = {name: column for column, names in _NAMES.items() for name in names}
_NEEDED = frozenset({"begin", "src", "dst", "proto"})
_EVENTS = {
    "1": "create",
    "2": "delete",
    "4": "create",
    "5": "delete",
    "6": "create",
    "7": "delete",
    "8": "create",
    "9": "delete",
}
"""RFC 8158 natEvent: what begins and ends a session or a binding."""
_SUMMARY = r"^(?:Summary\b|flows,bytes,|(?:\d+,){5}\d+\s*$)"


def _columns_of(line: str) -> dict[str, int]:
    """Positions of the columns that a header names; empty where the line is none."""
    found: dict[str, int] = {}
    for position, cell in enumerate(line.split(",")):
        column = _COLUMN.get(cell.strip().lower())
        if column is not None:
            found.setdefault(column, position)
    return found if set(found) >= _NEEDED and ("end" in found or "span" in found) else {}


@dataclass(slots=True)
class _Reader:
    """A parser for one file; the header in force lives across its chunks."""

    context: Context
    columns: dict[str, int] = field(default_factory=dict)
    width: int = 0

    def __call__(self, chunk: Chunk) -> Parsed:
        lines = chunk.lines
        heading = mask(pc.match_substring_regex(lines, r"^[A-Za-z][A-Za-z0-9_]*,[A-Za-z]"))
        data = ~heading & ~mask(pc.match_substring_regex(lines, _SUMMARY))
        data &= ~mask(pc.equal(pc.utf8_trim_whitespace(lines), ""))
        rows: list[Rows] = []
        rejected: dict[str, list[np.ndarray]] = {}
        start = 0
        for mark in [*np.flatnonzero(heading).tolist(), len(lines)]:
            index = np.flatnonzero(data[start:mark]) + start
            if len(index):
                self._read(lines, index, rows, rejected)
            if mark < len(lines) and (found := _columns_of(lines[mark].as_py())):
                self.columns, self.width = found, lines[mark].as_py().count(",") + 1
            start = mark + 1
        joined = {reason: np.concatenate(parts) for reason, parts in rejected.items()}
        return parsed(len(lines), rows, joined)

    def _read(
        self, lines: pa.Array, index: np.ndarray, rows: list[Rows], rejected: dict[str, list[np.ndarray]]
    ) -> None:
        """Flows under one header."""
        if not self.columns:
            rejected.setdefault(HEADLESS, []).append(index)
            return
        cells = Cells.of(lines.take(pa.array(index)), ",")

        def get(column: str) -> pa.Array:
            if column not in self.columns:
                return pa.nulls(len(index), pa.string())
            return cells.column(self.columns[column])

        columns, good = self._flows(get)
        good &= (cells.counts == self.width) & mask(pc.is_valid(columns["ts"]))
        rows.append(keep(Rows("nat", columns, index), good))
        rejected.setdefault(CUT, []).append(index[~good])

    def _flows(self, get: Getter) -> tuple[dict[str, pa.Array], np.ndarray]:
        src, dst, sport, dport = get("src"), get("dst"), get("sport"), get("dport")
        new_src, new_dst = _address(get("new_src")), _address(get("new_dst"))
        asked = Tuples(src, dst, numbers(_port(sport)), numbers(_port(dport)))
        seen = Tuples(
            pc.coalesce(new_src, src),
            pc.coalesce(new_dst, dst),
            numbers(_port(pc.if_else(pc.is_valid(new_src), pc.coalesce(get("new_sport"), sport), sport))),
            numbers(_port(pc.if_else(pc.is_valid(new_dst), pc.coalesce(get("new_dport"), dport), dport))),
        )
        sides, good = flow_sides(asked, seen)
        begin = self._moments(get("begin"))
        event = pc.ascii_lower(get("event"))
        coded = pa.array(list(_EVENTS.values())).take(pc.index_in(event, value_set=pa.array(list(_EVENTS))))
        spoken = pc.if_else(pc.match_substring_regex(event, r"^[a-z]"), event, None)
        columns = {
            **sides,
            "ts": begin,
            "ts_end": pc.coalesce(self._moments(get("end")), _later(begin, get("span"))),
            "transport": transport_column(get("proto")),
            "message": pc.coalesce(coded, spoken, pa.scalar("flow")),
        }
        return columns, good

    def _moments(self, text: pa.Array) -> pa.Array:
        epoch = mask(pc.match_substring_regex(text, r"^\d{10}"))
        if not epoch.any():
            return from_iso(text, self.context)
        local = from_iso(pc.if_else(pa.array(epoch), None, text), self.context)
        return pc.coalesce(from_epoch(pc.if_else(pa.array(epoch), text, None)), local)


def _address(text: pa.Array) -> pa.Array:
    """What is translated; zeros stand for nothing."""
    return pc.if_else(pc.match_substring_regex(text, r"^[0.:]*$"), None, text)


def _port(text: pa.Array) -> pa.Array:
    """Of ICMP the type and code (``8.0``) are no port."""
    return pc.if_else(pc.match_substring_regex(text, r"^\d+\.\d+$"), None, text)


def _later(begin: pa.Array, seconds: pa.Array) -> pa.Array:
    whole = pc.if_else(pc.match_substring_regex(seconds, r"^\d{1,9}(?:\.\d{1,9})?$"), seconds, None)
    return pc.add(begin.cast(pa.int64()), from_epoch(whole).cast(pa.int64())).cast(TIMESTAMP)


def _open(context: Context) -> Parse:
    return _Reader(context)


_HEAD = "ts,te,td,sa,da,sp,dp,pr,flg,fwd,stos,ipkt,ibyt,opkt,obyt\n"
_FLOW: str = "2026-11-23 00:19:21,2026-11-23 00:20:03,41.994,203.0.113.5,198.51.100.7,20500,443,TCP,...AP.SF,0,0,36,2028,0,0"

FORMAT = LogFormat(
    title="nfdump CSV (NetFlow, IPFIX)",
    kinds=("nat",),
    reference="https://github.com/phaag/nfdump",
    sniff=lambda lines: float(any(_columns_of(line) for line in lines[:5])),
    open=_open,
    samples=(
        Sample(
            _HEAD
            + _FLOW
            + "\nSummary\nflows,bytes,packets,avg_bps,avg_pps,avg_bpp\n20,9044,120,335,0,75\n",
            (
                {
                    "kind": "nat",
                    "ts": "2026-11-22T16:19:21.000000000Z",
                    "ts_end": "2026-11-22T16:20:03.000000000Z",
                    "message": "flow",
                    "transport": "tcp",
                    "client_ip": "203.0.113.5",
                    "client_port": 20500,
                    "public_ip": None,
                    "server_ip": "198.51.100.7",
                    "server_port": 443,
                },
            ),
            timezone="Asia/Shanghai",
            note="outside the translation: the source is the public address",
        ),
        Sample(
            "firstSeen,duration,proto,srcAddr,srcPort,dstAddr,dstPort,packets,bytes,flows,event,srcXIP,srcXPort\n"
            "2026-11-23 00:19:21.500,41.994,TCP,10.1.0.12,20500,198.51.100.7,443,36,2028,1,CREATE,203.0.113.5,1024\n"
            "2026-11-23 00:19:22.000,0.000,ICMP,10.1.0.12,0,198.51.100.7,8.0,1,84,1,,0.0.0.0,0\n",
            (
                {
                    "kind": "nat",
                    "ts": "2026-11-23T00:19:21.500000000Z",
                    "ts_end": "2026-11-23T00:20:03.494000000Z",
                    "message": "create",
                    "client_ip": "10.1.0.12",
                    "public_ip": "203.0.113.5",
                    "public_port": 1024,
                    "server_port": 443,
                },
                {
                    "kind": "nat",
                    "message": "flow",
                    "transport": "icmp",
                    "public_ip": None,
                    "server_port": None,
                },
            ),
            note="newer names; a NAT event",
        ),
        Sample(_HEAD + _FLOW[:70], note="cut off"),
        Sample(_FLOW, note="without its header"),
    ),
)
