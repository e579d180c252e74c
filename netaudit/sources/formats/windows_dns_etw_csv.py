"""Windows DNS Server's analytical log as CSV with one column a field.

``Export-Csv`` of plain events glues all fields into one localised message: that is not read; such a
file should be exported as XML.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake import times
from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Sample
from netaudit.sources.formats._delimited import Cells, header_cells
from netaudit.sources.formats._dns_analytical import REFERENCE, Moments, events
from netaudit.sources.formats._outcome import parsed
from netaudit.sources.formats._values import mask

UNREADABLE = "The client of this event cannot be read."

_NUMBERS = ("id", "eventid", "event id", "event_id")
_STAMPS = ("timecreated", "systemtime", "eventtime", "timestamp", "@timestamp", "date and time")
_NEEDED = {"qname", "interfaceip"}


def _open(context: times.Context) -> Parse:
    moments = Moments(context)
    separator, titles = ",", list[str]()

    def parse(chunk: Chunk) -> Parsed:
        nonlocal separator, titles
        begin = 0
        if not titles:
            head = chunk.lines[:20].to_pylist()
            begin = next((i + 1 for i, line in enumerate(head) if _is_header(line)), 0)
            separator, titles = header_cells(head[begin - 1]) if begin else (",", ["qname"])
        lines = chunk.lines.slice(begin)
        cells = Cells.of(lines, separator)
        empty = pa.nulls(len(lines), pa.string())

        def column(*names: str) -> pa.Array:
            at = next((titles.index(name) for name in names if name in titles), None)
            return empty if at is None else cells.column(at)

        line = np.arange(begin, len(chunk.lines))
        rows, bad = events(
            column(*_NUMBERS), moments.read(column(*_STAMPS)), lambda name: column(name.lower()), line
        )
        torn = line[(cells.counts == 0) & mask(pc.not_equal(lines, ""))]
        return parsed(len(chunk.lines), [rows], {UNREADABLE: np.union1d(bad, torn)})

    return parse


def _is_header(line: str) -> bool:
    titles = header_cells(line)[1]
    return set(titles) >= _NEEDED and any(name in titles for name in _NUMBERS)


def _sniff(lines: list[str]) -> float:
    return 0.95 if any(_is_header(line) for line in lines[:20] if "QNAME" in line) else 0.0


_SAMPLES = (
    Sample(
        '"TimeCreated","Id","InterfaceIP","Source","Destination","Port","QNAME","QTYPE","RCODE","TCP"\n'
        '"11/23/2026 12:00:40 AM","256","10.1.0.53","10.1.0.7","","50123","www.example.org.","1","","0"\n'
        '"11/23/2026 12:00:41 AM","260","10.1.0.53","","8.8.8.8","53","www.example.org.","1","","0"',
        ({
            "kind": "dns", "ts": "2026-11-22T16:00:40.000000000Z", "client_ip": "10.1.0.7", "client_port": 50123,
            "name": "www.example.org", "qtype": "A", "transport": "udp",
        },),
        timezone="Asia/Shanghai",
    ),
    Sample(
        '"TimeCreated","Id","InterfaceIP","Source","Port","QNAME","QTYPE"\n'
        '"11/23/2026 12:00:40 AM","256","10.1.0.53","","50123","www.example.org.","1"',
        note="no client: rejected",
    ),
)  # fmt: skip

FORMAT = LogFormat(
    title="Windows DNS Server analytical log, CSV (unverified)",
    kinds=("dns",),
    reference=REFERENCE,
    sniff=_sniff,
    open=_open,
    samples=_SAMPLES,
)
