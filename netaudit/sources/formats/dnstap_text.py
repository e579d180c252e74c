"""dnstap as ``dnstap-read`` and as DNS-collector print it: one line a message, UTC.

Their times are UTC by definition, whatever zone is declared. Answers are not printed, and the
response code and no server by DNS-collector only. Rows are messages between a client and this server
(``CQ``, ``CR``, ``AQ``, ``AR``; ``CLIENT_QUERY`` and so on).
"""

from __future__ import annotations

import datetime as dt
import re

import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake import times
from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Sample, extract, share
from netaudit.records.addresses import by_distinct, ip_column
from netaudit.records.names import normalise_column
from netaudit.sources.dns_words import qtype_column, rcode_column
from netaudit.sources.formats._endpoints import endpoints
from netaudit.sources.formats._lookups import lookups
from netaudit.sources.formats._values import port, words

_STAMP = r"\d{2}-[A-Z][a-z]{2}-\d{4} \d{2}:\d{2}:\d{2}(?:\.\d{1,9})?"
_LINE = (
    r"^(?P<day>\d\d)-(?P<month>[A-Z][a-z]{2})-(?P<year>\d{4}) (?P<clock>\S+) [CA][QR] "
    r"(?P<client>\S+) (?:->|<-) (?P<server>\S+) (?P<transport>[A-Z]+) \d+b (?P<name>\S+)/[^/\s]+/(?P<qtype>[^/\s]+)$"
)
# "timestamp-rfc3339ns identity operation rcode queryip queryport family protocol length-unit qname qtype latency"
_COLLECTED = (
    r"^(?P<ts>\d{4}-\d\d-\d\dT\S+) \S+ (?:CLIENT|AUTH)_(?:QUERY|RESPONSE) (?P<rcode>\S+) (?P<client>\S+) (?P<port>\S+) "
    r"\S+ (?P<transport>[A-Z]+) \d+b (?P<name>\S+) (?P<qtype>\S+)(?: .*)?$"
)
_OURS = re.compile(
    rf"{_STAMP} [A-Z]{{2}} \S+ (?:->|<-) \S+ [A-Z]+ \d+b "
    r"|\d{4}-\d\d-\d\dT\S+ \S+ [A-Z]+_(?:QUERY|RESPONSE) \S+ \S+ \S+ \S+ [A-Z]+ \d+b "
)
_LIKE = rf"^{_STAMP} [CA][QR] |^\d{{4}}-\d\d-\d\dT\S+ \S+ (?:CLIENT|AUTH)_(?:QUERY|RESPONSE) "
_TRANSPORT = {"UDP": "udp", "TCP": "tcp", "DOT": "tcp", "DOH": "tcp", "DOQ": "udp"}
_DETAIL = {"DOT": "dot", "DOH": "doh", "DOQ": "doq"}


def _open(context: times.Context) -> Parse:  # noqa: ARG001 -- always UTC
    def parse(chunk: Chunk) -> Parsed:
        index, field = extract(chunk.lines, _LINE)
        if not len(index):
            return _collected(chunk.lines)
        client, client_port = endpoints(field["client"])
        server, server_port = endpoints(field["server"])
        columns = {
            "ts": _stamps(field),
            "client_ip": client,
            "client_port": client_port,
            "server_ip": server,
            "server_port": server_port,
            **_asked(field),
        }
        return lookups(chunk.lines, index, columns, _LIKE)

    return parse


def _collected(lines: pa.StringArray) -> Parsed:
    """Lines of DNS-collector; a file is of one program or of the other."""
    index, field = extract(lines, _COLLECTED)
    answered = pc.match_substring_regex(lines.take(pa.array(index)), r"_RESPONSE ")
    columns = {
        "ts": times.from_iso(field["ts"], times.Context(zone=dt.UTC)),
        "client_ip": ip_column(field["client"]),
        "client_port": port(field["port"]),
        "rcode": pc.if_else(answered, rcode_column(field["rcode"]), None),
        **_asked(field),
    }
    return lookups(lines, index, columns, _LIKE)


def _asked(field: dict[str, pa.Array]) -> dict[str, pa.Array]:
    return {
        "transport": words(field["transport"], _TRANSPORT.get),
        "transport_detail": words(field["transport"], _DETAIL.get),
        "name": normalise_column(field["name"]),
        "qtype": qtype_column(field["qtype"]),
    }


def _stamps(field: dict[str, pa.Array]) -> pa.Array:
    month = by_distinct(field["month"], _month, pa.string())
    date = pc.binary_join_element_wise(field["year"], month, field["day"], "-")
    stamp = pc.binary_join_element_wise(date, field["clock"], " ")
    return times.from_iso(stamp, times.Context(zone=dt.UTC))


def _month(name: str) -> str | None:
    return f"{times.MONTHS.index(name) + 1:02}" if name in times.MONTHS else None


def _sniff(lines: list[str]) -> float:
    return share(lines, _OURS.match)


_SAMPLES = (
    Sample(
        "22-Nov-2026 16:00:40.293 CQ 10.20.30.13:46012 -> 10.20.30.53:53 UDP 54b www.corp.test/IN/A\n"
        "22-Nov-2026 16:00:40.293 CR 10.20.30.13:46012 <- 10.20.30.53:53 UDP 102b www.corp.test/IN/A\n"
        "22-Nov-2026 16:00:40.290 RQ 10.20.30.53:46012 -> 192.0.2.53:53 UDP 54b www.corp.test/IN/A",
        (
            {
                "kind": "dns", "ts": "2026-11-22T16:00:40.293000000Z", "client_ip": "10.20.30.13",
                "client_port": 46012, "server_ip": "10.20.30.53", "transport": "udp", "name": "www.corp.test",
                "qtype": "A",
            },
            {"kind": "dns", "client_ip": "10.20.30.13", "name": "www.corp.test"},
        ),
        timezone="Asia/Shanghai",
        note="a query and its response; what the resolver itself asked is passed over",
    ),
    Sample(
        "2023-08-28T07:59:24.028882855Z 9116ac214d22 CLIENT_QUERY NOERROR 172.17.0.1 51492 IPv4 TCP 55b www.google.com A 0.000000\n"
        "2023-08-28T07:59:24.028911293Z 9116ac214d22 FORWARDER_QUERY NOERROR 172.17.0.1 51492 IPv4 TCP 55b www.google.com A 0.0\n"
        "2023-08-28T07:59:24.052069329Z 9116ac214d22 CLIENT_RESPONSE NOERROR 172.17.0.1 51492 IPv4 TCP 73b www.google.com A 0.02",
        (
            {
                "kind": "dns", "ts": "2023-08-28T07:59:24.028882855Z", "client_ip": "172.17.0.1", "client_port": 51492,
                "server_ip": None, "transport": "tcp", "name": "www.google.com", "qtype": "A", "rcode": None,
            },
            {"kind": "dns", "client_ip": "172.17.0.1", "name": "www.google.com", "rcode": "NOERROR"},
        ),
        timezone="Asia/Shanghai",
        note="DNS-collector; what was forwarded is passed over",
    ),
    Sample("22-Nov-2026 16:00:40.293 CQ 10.20.30.13:46012 -> 10.20.30.53", note="cut: rejected"),
)  # fmt: skip

FORMAT = LogFormat(
    title="dnstap as text (dnstap-read)",
    kinds=("dns",),
    reference="https://bind9.readthedocs.io/en/latest/manpages.html#dnstap-read-print-dnstap-data-in-human-readable-form",
    sniff=_sniff,
    open=_open,
    samples=_SAMPLES,
)
