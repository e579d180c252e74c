"""The database of Technitium's query log app (SQLite): table ``dns_logs``, times UTC.

`intake.containers` gives each row as a JSON object.
"""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake import json_lines, times
from netaudit.intake.containers import TABLE
from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Rows, Sample, empty_to_null, share
from netaudit.records.addresses import by_distinct, ip_column
from netaudit.records.names import normalise_column
from netaudit.sources.dns_words import qtype_column, rcode_column
from netaudit.sources.formats._outcome import keep, parsed
from netaudit.sources.formats._values import mask

UNREADABLE = "The client or the question of this row cannot be read."

_TEXTS = ("timestamp", "client_ip", "qname", "answer", "protocol", "response_type", "rcode", "qtype")
_SCHEMA = pa.schema([(name, pa.string()) for name in (TABLE, *_TEXTS)])
_NUMBERS = ("protocol", "response_type", "rcode", "qtype")
# DnsTransportProtocol and DnsServerResponseType of the server
_TRANSPORT = {"0": "udp", "1": "tcp", "2": "tcp", "3": "tcp", "5": "udp"}
_DETAIL = {"2": "dot", "3": "doh", "5": "doq"}
_BLOCKED = pa.array(["4", "5", "6"])
_UTC = times.Context(zone=dt.UTC)


def _open(context: times.Context) -> Parse:  # noqa: ARG001 -- its times are UTC by definition
    def parse(chunk: Chunk) -> Parsed:
        objects = json_lines.read(chunk.lines, _SCHEMA, _NUMBERS)
        field = {name: objects.column(name) for name in _SCHEMA.names}
        answers = empty_to_null(pc.utf8_trim_whitespace(field["answer"]))
        blocked = pc.is_in(field["response_type"], value_set=_BLOCKED)
        columns = {
            "ts": times.from_iso(field["timestamp"], _UTC),
            "client_ip": ip_column(field["client_ip"]),
            "transport": by_distinct(field["protocol"], _TRANSPORT.get, pa.string()),
            "transport_detail": by_distinct(field["protocol"], _DETAIL.get, pa.string()),
            "name": normalise_column(field["qname"]),
            "name_source": "qname",
            "qtype": qtype_column(field["qtype"]),
            "rcode": rcode_column(field["rcode"]),
            "answers": pc.split_pattern_regex(answers, r",\s*").cast(pa.list_(pa.string())),
            "action": pc.if_else(blocked, "blocked", pa.scalar(None, pa.string())),
        }
        logged = mask(pc.equal(field[TABLE], "dns_logs"))
        good = logged & mask(pc.is_valid(columns["client_ip"]))
        rows = keep(Rows("dns", columns, objects.index), good)
        return parsed(
            len(chunk.lines), [rows], {**objects.rejected, UNREADABLE: objects.index[logged & ~good]}
        )

    return parse


def _sniff(lines: list[str]) -> float:
    return share(lines, lambda line: line.startswith(f'{{"{TABLE}":"dns_logs"') and '"qname":' in line)


_SAMPLES = (
    Sample(
        '{"#table":"dns_logs","dlid":1,"timestamp":"2026-11-22 16:00:40.1234567","client_ip":"10.1.0.4","protocol":0,'
        '"response_type":4,"rcode":0,"qname":"Ads.example.org","qtype":1,"qclass":1,"answer":"0.0.0.0"}',
        ({
            "kind": "dns", "ts": "2026-11-22T16:00:40.123456700Z", "client_ip": "10.1.0.4", "transport": "udp",
            "name": "ads.example.org", "qtype": "A", "rcode": "NOERROR", "action": "blocked",
            "answers": ["0.0.0.0"],  # noqa: S104 -- what a filter answers
        },),
        timezone="Asia/Shanghai",
        note="written from the documentation",
    ),
    Sample(
        '{"#table":"dns_logs","dlid":1,"timestamp":"2026-11-22 16:00:40","client_ip":null,"qname":"a.example"}',
        note="no client: rejected",
    ),
)  # fmt: skip

FORMAT = LogFormat(
    title="Technitium DNS Server query log database (unverified)",
    kinds=("dns",),
    reference="https://github.com/TechnitiumSoftware/DnsServer/tree/master/Apps",
    sniff=_sniff,
    open=_open,
    samples=_SAMPLES,
    tables=("dns_logs",),
)
