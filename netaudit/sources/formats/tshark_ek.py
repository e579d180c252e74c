"""``tshark -T ek``: DNS packets as JSON, an index line and a document for each packet.

A document names the same key several times, so its fields are read by their unambiguous names and
not by a JSON parser.
"""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake import times
from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Sample, said
from netaudit.sources.formats._dissected import Packets, frame_times, lists_in, look_ups
from netaudit.sources.formats._outcome import parsed
from netaudit.sources.formats._values import mask, words

UNREADABLE = "The addresses of this packet cannot be read."

_NAME = '"dns_dns_qry_name":'
_TEXT = r'"(?P<v>(?:[^"\\]|\\.)*)"'


def _open(context: times.Context) -> Parse:
    def parse(chunk: Chunk) -> Parsed:
        index = np.flatnonzero(mask(pc.match_substring(chunk.lines, _NAME)))
        text = chunk.lines.take(pa.array(index))
        rows, bad = look_ups(_packets(text, index, context))
        return parsed(len(chunk.lines), [rows], {UNREADABLE: bad})

    return parse


def _packets(text: pa.Array, index: np.ndarray, context: times.Context) -> Packets:
    def field(key: str) -> pa.Array:
        """The first value of a field that is text, or a list of texts."""
        return said(text, rf'"{key}":\s*\[?{_TEXT}')

    def either(*keys: str) -> pa.Array:
        return pc.coalesce(*(field(key) for key in keys))

    udp, tcp = field("udp_udp_srcport"), field("tcp_tcp_srcport")
    flag = said(text, r'"dns_dns_flags_response":\s*"?(?P<v>true|false|1|0)')
    return Packets(
        line=index,
        ts=pc.coalesce(
            frame_times(field("frame_frame_time_epoch"), context), times.from_epoch(field("timestamp"))
        ),
        src=either("ip_ip_src", "ipv6_ipv6_src"),
        dst=either("ip_ip_dst", "ipv6_ipv6_dst"),
        sport=pc.coalesce(udp, tcp),
        dport=either("udp_udp_dstport", "tcp_tcp_dstport"),
        transport=pc.if_else(pc.is_valid(udp), "udp", pc.if_else(pc.is_valid(tcp), "tcp", None)).cast(
            pa.string()
        ),
        number=pc.fill_null(field("dns_dns_id"), ""),
        response=mask(pc.is_in(flag, value_set=pa.array(["true", "1"]))),
        name=words(field("dns_dns_qry_name"), _unescaped),
        qtype=pc.fill_null(field("dns_dns_qry_type"), ""),
        rcode=field("dns_dns_flags_rcode"),
        answers=_answers(text),
    )


def _unescaped(text: str) -> str | None:
    try:
        name: str = json.loads(f'"{text}"')
        name.encode()
    except ValueError:
        return None
    return name


def _answers(text: pa.Array) -> pa.Array:
    """Aliases and addresses, by type; null where there is none."""
    parts = [
        pc.replace_substring(said(text, rf'"dns_dns_{kind}":\s*(?P<v>"[^"\]]*"|\[[^\]]*\])'), '"', "")
        for kind in ("cname", "a", "aaaa")
    ]
    return lists_in([pc.utf8_trim(part, "[] ") for part in parts])


def _sniff(lines: list[str]) -> float:
    documents = [line for line in lines if line.startswith("{") and not line.startswith('{"index"')]
    ours = any('"layers":' in line and ('"dns_dns_' in line) for line in documents)
    return 0.95 if ours else 0.0


_SAMPLES = (
    Sample(
        '{"index":{"_index":"packets-2026-11-22","_type":"doc"}}\n'
        '{"timestamp":"1795363240295","layers":{"frame":{"frame_frame_time_epoch":"1795363240.295591000"},"ip":{'
        '"ip_ip_src":"10.20.30.13","ip_ip_dst":"10.20.30.53"},"udp":{"udp_udp_srcport":"46012","udp_udp_dstport":"53"},'
        '"dns":{"dns_dns_id":"0x1713","dns_dns_flags_response":false,"text":"Queries","text":"x",'
        '"dns_dns_qry_name":"Www.corp.test","dns_dns_qry_type":"1"}}}\n'
        '{"index":{"_index":"packets-2026-11-22","_type":"doc"}}\n'
        '{"timestamp":"1795363240296","layers":{"ip":{"ip_ip_src":"10.20.30.53","ip_ip_dst":"10.20.30.13"},"udp":{'
        '"udp_udp_srcport":"53","udp_udp_dstport":"46012"},"dns":{"dns_dns_id":"0x1713","dns_dns_flags_response":true,'
        '"dns_dns_flags_rcode":"0","dns_dns_qry_name":"Www.corp.test","dns_dns_qry_type":"1",'
        '"dns_dns_a":["192.0.2.1","192.0.2.2"]}}}',
        ({
            "kind": "dns", "ts": "2026-11-22T16:00:40.295591000Z", "client_ip": "10.20.30.13", "client_port": 46012,
            "server_ip": "10.20.30.53", "server_port": 53, "transport": "udp", "name": "www.corp.test", "qtype": "A",
            "rcode": "NOERROR", "answers": ["192.0.2.1", "192.0.2.2"],
        },),
        note="the same key occurs twice",
    ),
    Sample(
        '{"timestamp":"1795363240295","layers":{"ip":{"ip_ip_src":["10.20.30',
        note="no DNS in it",
    ),
)  # fmt: skip

FORMAT = LogFormat(
    title="tshark for Elasticsearch (-T ek) of DNS",
    kinds=("dns",),
    reference="https://www.wireshark.org/docs/man-pages/tshark.html",
    sniff=_sniff,
    open=_open,
    samples=_SAMPLES,
)
