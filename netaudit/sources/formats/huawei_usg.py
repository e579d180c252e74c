"""Huawei USG firewalls: ``SECLOG`` session lines as pairs or as a sentence.

Three clocks may stand in a line: a relay's, the device's, and ``BeginTime``/``EndTime``, which are
true epochs and win. The device's header is local time or UTC by configuration and counts only
where a line has no epoch (the sentence). The box sends session logs in binary unless it is told
otherwise. A URL line is a request of which the host alone is taken; what stands behind ``Page=`` is
the client's own and is never read.
"""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Rows, Sample, extract, said
from netaudit.intake.times import Context, from_epoch
from netaudit.records.names import normalise_column
from netaudit.sources.formats import _device_stamps
from netaudit.sources.formats._flow_sides import Printed, session_sides
from netaudit.sources.formats._outcome import refused
from netaudit.sources.formats._sessions import CUT, settle
from netaudit.sources.formats._transports import transport_column
from netaudit.sources.formats._values import among_others, given, mask

_LINE = (
    r"^(?P<head>.*?)%%\d\d(?i:SECLOG)/\d/(?P<what>SESSION_[A-Z_]+)(?:\([a-z]\))?(?:\[\d+\])?: *"
    r"(?P<body>.*?)(?P<page>, *Page=.*)?$"
)
_SENTENCE = (
    r"^\w+(?: \w+)?? an? (?P<proto>[A-Za-z0-9-]+) session, \[?(?P<source>[0-9a-fA-F.:]+?)\]?:(?P<sport>\d+) "
    r"?(?:\([^()]*\))? to \[?(?P<target>[0-9a-fA-F.:]+?)\]?:(?P<dport>\d+)\b"
)
_OWN = re.compile(r"%%\d\dSECLOG/\d/SESSION_[A-Z_]+")
_URL = "SESSION_URL"


def _open(context: Context) -> Parse:
    def parse(chunk: Chunk) -> Parsed:
        index, got = extract(chunk.lines, _LINE)
        is_url = mask(pc.equal(got["what"], _URL))
        columns, refusals = _sessions(got, context)
        sessions, rejected = settle(columns, refusals, index)
        page = is_url[np.isin(index, sessions.line)]
        rows = [_part(sessions, "nat", ~page), _requests(_part(sessions, "http", page), got["page"], index)]
        return Parsed(
            [held for held in rows if len(held.line)], refused(rejected), len(chunk.lines) - len(index)
        )

    return parse


def _sessions(
    got: dict[str, pa.Array], context: Context
) -> tuple[dict[str, pa.Array], dict[str, np.ndarray]]:
    body = got["body"]
    phrase = pc.extract_regex(body, _SENTENCE)

    def key(name: str, group: str = "") -> pa.Array:
        value = said(body, rf"(?:^|, *){name}=(?P<v>[^,]*)")
        value = given(pc.utf8_rtrim(pc.utf8_trim_whitespace(value), "."))
        return pc.coalesce(value, pc.struct_field(phrase, group)) if group else value

    printed = Printed(
        key("SourceIP", "source"), key("SourcePort", "sport"),
        key("DestinationIP", "target"), key("DestinationPort", "dport"),
        key("SourceNatIP"), key("SourceNatPort"), key("DestinationNatIP"), key("DestinationNatPort"),
    )  # fmt: skip
    ends, refusals = session_sides(printed, transport_column(key("Protocol", "proto")), context)
    begin, end = from_epoch(key("BeginTime")), from_epoch(key("EndTime"))
    untimed = pc.and_(pc.is_null(begin), pc.is_null(end))
    header = _device_stamps.read(pc.if_else(untimed, got["head"], None), context).moment
    columns = ends | {
        "ts": pc.coalesce(begin, header),
        "ts_end": end,
        "message": got["what"],
        "account": key("UserName"),
    }
    # Every line ends with a full stop: without it the last number may lack digits.
    cut = ~mask(pc.match_substring_regex(pc.coalesce(got["page"], body), r"\.\s*$"))
    return columns, {CUT: cut} | refusals


def _part(sessions: Rows, kind: str, chosen: np.ndarray) -> Rows:
    keep = pa.array(chosen)
    return Rows(kind, {n: c.filter(keep) for n, c in sessions.columns.items()}, sessions.line[chosen])


def _requests(sessions: Rows, page: pa.Array, index: np.ndarray) -> Rows:
    """URL lines as requests: client, server and the host, which is the last thing in the line."""
    here = page.take(pa.array(np.searchsorted(index, sessions.line)))
    host = said(here, r"^.*, *Host=(?P<v>[^,/:]*)")
    ends = ("ts", "client_ip", "client_port", "server_ip", "server_port", "transport")
    columns = {name: sessions.columns[name] for name in ends}
    return Rows("http", columns | {"name": normalise_column(host), "name_source": "host"}, sessions.line)


_TEARDOWN = (
    "Sep 9 11:56:41 10.123.169.1 2020-09-09 10:05:11 FW-OUT-01 %%01SECLOG/6/SESSION_TEARDOWN(l):IPVer=4,Protocol=udp,"
    "SourceIP=10.123.169.167,DestinationIP=8.8.8.8,SourcePort=52451,DestinationPort=53,SourceNatIP=84.10.61.54,"
    "SourceNatPort=3711,BeginTime=1599645876,EndTime=1599645911,SendPkts=1,PolicyName=Permit_all,"
    "UserName=user.name,CloseReason=aged-out."
)
_BUILT = (
    "<190>2016-01-08 10:21:48 USG6000E %%01SECLOG/6/SESSION_BUILT(l):IPVer=4,Protocol=udp,SourceIP=10.1.1.1, "
    "DestinationIP=10.1.1.2,SourcePort=1,DestinationPort=1,BeginTime=1452219708,SourceVpnID=0,DestinationVpnID=0."
)
_PHRASE = (
    "<190> 2016-01-08 01:18:58 USG6000E %%01SECLOG/6/SESSION_BUILT(l): "
    "Built an udp session, 10.1.1.1:1 (trust) to 10.1.1.2:1 (trust)."
)
_REQUEST: str = (
    "Jun 19 17:42:29 10.123.169.1 2020-06-19 15:43:30 FW-OUT-01 %%01SECLOG/6/SESSION_URL(l):IPVer=4,Protocol=tcp,"
    "SourceIP=10.123.169.152,DestinationIP=34.196.179.197,SourcePort=52858,DestinationPort=80,SourceNatIP=84.10.61.54,"
    "SourceNatPort=2465,BeginTime=1592581410,EndTime=1592581410,SourceVpnID=0,DestinationVpnID=0,"
    "Page=/pulse?user=5E2F&x=20,0,SourceIP=10.9.9.9,Host=heartbeat.dm.origin.com."
)

FORMAT = LogFormat(
    title="Huawei USG session log (SECLOG)",
    kinds=("nat", "http"),
    reference="https://usg.zrnko.cz/resources/admin/sec_admin_log_0089.html",
    sniff=lambda lines: among_others(lines, _OWN.search),
    open=_open,
    samples=(
        Sample(
            _TEARDOWN,
            (
                {
                    "kind": "nat", "ts": "2020-09-09T10:04:36.000000000Z", "ts_end": "2020-09-09T10:05:11.000000000Z",
                    "message": "SESSION_TEARDOWN", "transport": "udp", "client_ip": "10.123.169.167",
                    "client_port": 52451, "public_ip": "84.10.61.54", "public_port": 3711, "server_ip": "8.8.8.8",
                    "server_port": 53, "account": "user.name",
                },
            ),
            timezone="Asia/Shanghai",
            note="three clocks; the epochs win",
        ),
        Sample(
            _BUILT,
            ({"kind": "nat", "ts": "2016-01-08T02:21:48.000000000Z", "ts_end": None, "public_ip": None},),
            note="nothing is translated; a blank after a comma",
        ),
        Sample(
            _PHRASE,
            (
                {
                    "kind": "nat", "ts": "2016-01-07T17:18:58.000000000Z", "message": "SESSION_BUILT",
                    "transport": "udp", "client_ip": "10.1.1.1", "client_port": 1, "server_ip": "10.1.1.2",
                },
            ),
            timezone="Asia/Shanghai",
            note="a sentence: its only clock is the header",
        ),
        Sample(
            _REQUEST,
            (
                {
                    "kind": "http", "ts": "2020-06-19T15:43:30.000000000Z", "name": "heartbeat.dm.origin.com",
                    "client_ip": "10.123.169.152", "server_ip": "34.196.179.197", "server_port": 80,
                },
            ),
            note="a request: its host, and nothing of its page",
        ),
        Sample(_TEARDOWN[:240], note="cut off"),
    ),
)  # fmt: skip
