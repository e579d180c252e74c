"""Windows DNS Server's analytical log as JSON lines: flat (NXLog), below ``winlog`` (Winlogbeat) or ``EventData``."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake import json_lines, times
from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Sample, share
from netaudit.sources.formats._dns_analytical import FIELDS, REFERENCE, Moments, events
from netaudit.sources.formats._outcome import parsed

UNREADABLE = "The client of this event cannot be read."

_DATA = [(name, pa.string()) for name in FIELDS]
_STAMPS = ("@timestamp", "SystemTime", "EventTime", "TimeCreated", "TimeStamp")
_NUMBERS = ("EventID", "EventId", "event_id", "Id")
_FIELDS_AT = ((), ("winlog", "event_data"), ("EventData",), ("XmlEventData",))
_SCHEMA = pa.schema([
    *((name, pa.string()) for name in (*_STAMPS, *_NUMBERS)),
    *_DATA,
    ("winlog", pa.struct([("event_id", pa.string()), ("event_data", pa.struct(_DATA))])),
    ("EventData", pa.struct(_DATA)),
    ("XmlEventData", pa.struct(_DATA)),
])  # fmt: skip
_AS_TEXT = (*_NUMBERS, "Port", "QTYPE", "RCODE", "TCP")
_OURS = re.compile(r'"QNAME"\s*:.*"InterfaceIP"\s*:|"InterfaceIP"\s*:.*"QNAME"\s*:')


def _open(context: times.Context) -> Parse:
    moments = Moments(context)

    def parse(chunk: Chunk) -> Parsed:
        objects = json_lines.read(chunk.lines, _SCHEMA, _AS_TEXT)

        def field(name: str) -> pa.Array:
            return pc.coalesce(*(objects.column(*path, name) for path in _FIELDS_AT))

        number = pc.coalesce(
            *(objects.column(name) for name in _NUMBERS),
            objects.column("winlog", "event_id"),
        )
        ts = moments.read(pc.coalesce(*(objects.column(name) for name in _STAMPS)))
        rows, bad = events(number, ts, field, objects.index)
        return parsed(len(chunk.lines), [rows], {**objects.rejected, UNREADABLE: bad})

    return parse


def _sniff(lines: list[str]) -> float:
    return share(lines, lambda line: line.lstrip().startswith("{") and _OURS.search(line))


_SAMPLES = (
    Sample(
        '{"@timestamp":"2026-11-22T16:00:40.123Z","winlog":{"event_id":"256","event_data":{"TCP":"0",'
        '"InterfaceIP":"10.1.0.53","Source":"10.1.0.7","QNAME":"www.Example.org.","QTYPE":"28","Port":"50123"}}}\n'
        '{"EventTime":"2026-11-23 00:00:40","EventID":258,"TCP":1,"InterfaceIP":"0.0.0.0","Destination":"10.1.0.7",'
        '"Port":50123,"QNAME":"nx.example.org.","QTYPE":"65","RCODE":"3"}\n'
        '{"EventTime":"2026-11-23 00:00:40","EventID":260,"InterfaceIP":"0.0.0.0","Destination":"8.8.8.8","QNAME":"a."}',
        (
            {
                "kind": "dns", "ts": "2026-11-22T16:00:40.123000000Z", "client_ip": "10.1.0.7", "client_port": 50123,
                "server_ip": "10.1.0.53", "transport": "udp", "name": "www.example.org", "qtype": "AAAA",
            },
            {
                "kind": "dns", "ts": "2026-11-22T16:00:40.000000000Z", "server_ip": None, "transport": "tcp",
                "qtype": "HTTPS", "rcode": "NXDOMAIN",
            },
        ),
        timezone="Asia/Shanghai",
        note="Winlogbeat's and NXLog's form",
    ),
    Sample(
        '{"@timestamp":"2026-11-22T16:00:40.123Z","EventID":256,"InterfaceIP":"10.1.0.53","Source":"","QNAME":"a."}',
        note="no client: rejected",
    ),
)  # fmt: skip

FORMAT = LogFormat(
    title="Windows DNS Server analytical log, JSON (unverified)",
    kinds=("dns",),
    reference=REFERENCE,
    sniff=_sniff,
    open=_open,
    samples=_SAMPLES,
)
