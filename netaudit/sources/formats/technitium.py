"""Technitium DNS Server's query log: ``[time UTC] [IP:PORT] [UDP] QNAME: …; QTYPE: …; RCODE: …``."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake import times
from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Sample, empty_to_null, extract
from netaudit.records.names import normalise_column
from netaudit.sources.dns_words import qtype_column, rcode_column
from netaudit.sources.formats._endpoints import endpoints
from netaudit.sources.formats._lookups import lookups
from netaudit.sources.formats._transports import transports
from netaudit.sources.formats._values import among_others, words

_LINE = (
    r"^\[(?P<stamp>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?P<zone> UTC)?[^\]]*\] \[(?P<client>\S+)\] \[(?P<transport>[A-Z]+)\] "
    r"QNAME: (?P<name>\S*?); QTYPE: (?P<qtype>[^;\s]+);(?: QCLASS: [^;]+;)? RCODE: (?P<rcode>[A-Za-z]+)"
    r"(?:; ANSWER: \[(?P<answers>[^\]]*)\])?"
)
_LIKE = r"^\[\d{4}-\d\d-\d\d [^\]]*\] \[[^\]]+\] \[[A-Z]+\] QNAME: "
_OURS = re.compile(_LIKE)
_DETAIL = {"TLS": "dot", "HTTPS": "doh", "QUIC": "doq"}
_TRANSPORT = {"UDP": "UDP", "TCP": "TCP", "TLS": "TCP", "HTTPS": "TCP", "QUIC": "UDP"}


def _open(context: times.Context) -> Parse:
    def parse(chunk: Chunk) -> Parsed:
        index, field = extract(chunk.lines, _LINE)
        client, client_port = endpoints(field["client"])
        zone = pc.fill_null(pc.if_else(pc.is_valid(field["zone"]), "Z", None), "")
        answers = empty_to_null(pc.utf8_trim_whitespace(field["answers"]))
        columns = {
            "ts": times.from_iso(pc.binary_join_element_wise(field["stamp"], zone, ""), context),
            "client_ip": client,
            "client_port": client_port,
            "transport": transports(words(field["transport"], _TRANSPORT.get)),
            "transport_detail": words(field["transport"], _DETAIL.get),
            "name": normalise_column(field["name"]),
            "qtype": qtype_column(field["qtype"]),
            "rcode": rcode_column(field["rcode"]),
            "answers": pc.split_pattern_regex(answers, r",\s*").cast(pa.list_(pa.string())),
        }
        return lookups(chunk.lines, index, columns, _LIKE)

    return parse


def _sniff(lines: list[str]) -> float:
    return among_others(lines, _OURS.match)


_SAMPLES = (
    Sample(
        "[2026-11-22 16:00:40 UTC] [10.1.0.4:50000] [UDP] QNAME: www.example.org; QTYPE: A; QCLASS: IN; RCODE: NoError; "
        "ANSWER: [192.0.2.1, 192.0.2.2]\n"
        "[2026-11-23 00:00:40 Local] [[fd00::4]:50000] [HTTPS] QNAME: nx.example.org; QTYPE: AAAA; QCLASS: IN; "
        "RCODE: NxDomain; ANSWER: []",
        (
            {
                "kind": "dns", "ts": "2026-11-22T16:00:40.000000000Z", "client_ip": "10.1.0.4", "client_port": 50000,
                "transport": "udp", "name": "www.example.org", "qtype": "A", "rcode": "NOERROR",
                "answers": ["192.0.2.1", "192.0.2.2"],
            },
            {
                "kind": "dns", "ts": "2026-11-22T16:00:40.000000000Z", "client_ip": "fd00::4", "transport": "tcp",
                "transport_detail": "doh", "rcode": "NXDOMAIN", "answers": None,
            },
        ),
        timezone="Asia/Shanghai",
        note="written from the documentation",
    ),
    Sample("[2026-11-22 16:00:40 UTC] [10.1.0.4:50000] [UDP] QNAME: www.exa", note="cut: rejected"),
    Sample("[2026-11-22 16:00:40 UTC] DNS Server was started successfully.", note="no look-up"),
)  # fmt: skip

FORMAT = LogFormat(
    title="Technitium DNS Server query log (unverified)",
    kinds=("dns",),
    reference="https://github.com/TechnitiumSoftware/DnsServer",
    sniff=_sniff,
    open=_open,
    samples=_SAMPLES,
)
