"""Session and translation logs of gateways without a format of their own here: one table of words.

Two shapes: lines of ``key=value`` or ``Key:value`` (Venustech, Topsec, DPtech, NetScreen and what
is like them), and tables with titles as the device's page exports them (Ruijie, iKuai and others; CSV
or XLSX, Chinese or English). The words are in `_gateway_words`. A line's own time is taken, else
the system log's; none of them has a zone.
"""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Sample, empty_to_null, said, share
from netaudit.intake.times import Context
from netaudit.records.addresses import mac_column
from netaudit.records.schemas import TIMESTAMP
from netaudit.sources.formats import _device_stamps
from netaudit.sources.formats._delimited import record_starts
from netaudit.sources.formats._flow_sides import NO_ADDRESS, NO_PUBLIC_PORT, Printed, session_sides
from netaudit.sources.formats._gateway_words import COLUMNS, key_pattern
from netaudit.sources.formats._outcome import keep, refused
from netaudit.sources.formats._sessions import settle
from netaudit.sources.formats._titled import (
    NO_HEADER,
    Cell,
    Made,
    Table,
    TableKind,
    dated,
    headless,
    table_times,
)
from netaudit.sources.formats._torn import torn_line
from netaudit.sources.formats._transports import transport_column
from netaudit.sources.formats._values import given, mask, port, whole

_BEFORE = r"(?:^|[\s,;|\"'\[(，；>])"
_VALUE = r"\s*[=:：]\s*(?:\"(?P<q>[^\"]*)\"|(?P<b>(?:\d{4}[-/]\d{1,2}[-/]\d{1,2}[ T])?[^\s,;|\"，；]*))"
_KEYS = {column: rf"(?i){_BEFORE}(?:{key_pattern(column)}){_VALUE}" for column in COLUMNS}
_HEAD = rf"(?i)^(?P<v>.*?){_BEFORE}(?:{'|'.join(key_pattern(column) for column in COLUMNS)})\s*[=:：]"
"""What stands before the first key."""
_NATS = "|".join(key_pattern(column) for column in ("nat", "nat_source", "nat_target"))
_TOLD = rf"(?i){_BEFORE}(?:{key_pattern('source')})\s*[=:：]\s*\"?[0-9a-f]"
_TOLD_TARGET = rf"(?i){_BEFORE}(?:{key_pattern('target')}|{_NATS})\s*[=:：]\s*\"?[0-9a-f]"
_TRANSLATED = re.compile(rf"(?i){_BEFORE}(?:{_NATS})\s*[=:：]\s*\"?[0-9a-f]")
_SOURCE = re.compile(_TOLD)
_MAKERS = re.compile(
    r"\bSerialNum=\S+ GenTime=\"\d|\bid=\"?(?:ngtos|NGTOS|tos)\"? (?:version|time)=|%%--FW/SESSION/"
)
_OTHERS = re.compile(r"日志类型:|%%\d\d|\bdevid=|\blogid=|RT_FLOW|@FLOW:")
"""Marks of products that have a format of their own."""
_SURE, _LIKELY = 0.9, 0.6
_DESTINATION = r"(?i)dnat|dest|目的|目标|server"
_PAIRED = r"^\[?(?P<ip>\d+\.\d+\.\d+\.\d+|[0-9a-fA-F:]+(?P<six>\])):(?P<port>\d+)$"
_CUT = "The last line of the file is cut off."
_MOST_SECONDS = 10 * 366 * 86_400


def _suffices(columns: set[str]) -> bool:
    has_nat = bool(columns & {"nat", "nat_source", "nat_target"})
    has_flow = "target" in columns and bool(columns & {"source_port", "target_port"})
    return bool(columns & {"ts", "date"}) and "source" in columns and (has_nat or has_flow)


_TITLES = TableKind(COLUMNS, _suffices)


def _sniff(lines: list[str]) -> float:
    if _TITLES.heads(lines):
        return _SURE
    own = share(lines, lambda line: not _OTHERS.search(line) and (_MAKERS.search(line) or _both(line)))
    return _LIKELY if own >= 0.05 else 0.0


def _both(line: str) -> bool:
    return bool(_SOURCE.search(line) and _TRANSLATED.search(line))


def _open(context: Context) -> Parse:
    table = Table(_TITLES)

    def parse(chunk: Chunk) -> Parsed:
        parsed, below = table.read(chunk.lines, lambda cell, index: _sessions(cell, None, index, context))
        lines = chunk.lines.take(pa.array(below))
        told = mask(pc.match_substring_regex(lines, _TOLD))
        told &= mask(pc.match_substring_regex(lines, _TOLD_TARGET))
        rest = below[~told]
        lost = {NO_HEADER: headless(chunk.lines, rest) if table.headed else rest[:0]}
        keyed = lines.filter(pa.array(told))
        rows, rejected = _sessions(
            lambda name: _value(keyed, name), said(keyed, _HEAD), below[told], context
        )
        short = rows.line == torn_line(chunk)
        rows, cut = keep(rows, ~short), {_CUT: rows.line[short]}
        parsed.rows += [rows] if len(rows.line) else []
        for reason, where in refused(lost | rejected | cut).items():
            parsed.rejected[reason] = np.concatenate((parsed.rejected.get(reason, where[:0]), where))
        parsed.other += len(rest) - len(lost[NO_HEADER])
        return parsed

    return parse


def _value(lines: pa.Array, column: str) -> pa.Array:
    """The value of the first key of a column on each line, in quotes or bare."""
    found = pc.extract_regex(lines, _KEYS[column])
    quoted, bare = (empty_to_null(pc.struct_field(found, name)) for name in ("q", "b"))
    return pc.coalesce(quoted, bare)


def _sessions(cell: Cell, head: pa.Array | None, index: np.ndarray, context: Context) -> Made:
    def text(name: str) -> pa.Array:
        return given(cell(name))

    source, source_port = _parted(text("source"), text("source_port"))
    target, target_port = _parted(text("target"), text("target_port"))
    nat, nat_port = _parted(text("nat"), text("nat_port"))
    is_target = pc.fill_null(pc.match_substring_regex(text("way"), _DESTINATION), False)
    printed = Printed(
        source,
        source_port,
        target,
        target_port,
        pc.coalesce(text("nat_source"), pc.if_else(is_target, None, nat)),
        pc.coalesce(text("nat_source_port"), pc.if_else(is_target, None, nat_port)),
        pc.coalesce(text("nat_target"), pc.if_else(is_target, nat, None)),
        pc.coalesce(text("nat_target_port"), pc.if_else(is_target, nat_port, None)),
    )
    ends, refusals = session_sides(printed, transport_column(text("protocol")), context)
    columns = ends | _times(text, head, context)
    columns |= {name: text(name) for name in ("account", "action", "message", "session")}
    columns["client_mac"] = mac_column(text("mac"))
    first, last = port(text("first_port")), port(text("last_port"))
    block = pc.and_(pc.is_valid(first), pc.is_valid(last))
    columns["public_port"] = pc.if_else(block, first, columns["public_port"])
    columns["public_port_end"] = pc.if_else(block, last, None)
    # A block of ports, or an address, is given to somebody without a destination.
    only_target = (
        mask(pc.is_null(target))
        & mask(pc.is_valid(columns["client_ip"]))
        & mask(pc.is_valid(columns["public_ip"]))
    )
    refusals[NO_ADDRESS] &= ~only_target
    refusals[NO_PUBLIC_PORT] |= mask(pc.less(last, first))
    return settle(columns, refusals, index)


def _times(text: Cell, head: pa.Array | None, context: Context) -> dict[str, pa.Array]:
    """Begin and end; where a line has a length (seconds), it tells of a session that is over."""
    joined = dated(text("date"), text("ts"))
    begun = table_times(joined, context)
    if head is not None:
        without = pc.if_else(pc.is_null(joined), head, None)
        begun = pc.coalesce(begun, _device_stamps.read(without, context).moment)
    length = whole(text("duration"), _MOST_SECONDS, pa.int64())
    after = pc.add(begun.cast(pa.int64()), pc.multiply(length, 10**9)).cast(TIMESTAMP)
    lasted = pc.fill_null(pc.greater(length, 0), False)
    return {
        "ts": begun,
        "ts_end": pc.coalesce(table_times(text("ts_end"), context), pc.if_else(lasted, after, None)),
    }


def _parted(address: pa.Array, number: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Address and port, which some write in one cell."""
    found = pc.extract_regex(address, _PAIRED)
    paired = pc.is_valid(found)
    bare = pc.utf8_rtrim(pc.struct_field(found, "ip"), "]")
    return pc.if_else(paired, bare, address), pc.coalesce(number, pc.struct_field(found, "port"))


_RUIJIE = (
    "NAT日志导出\n"
    "时间,用户,源IP,源端口,转换后IP,转换后端口,目的IP,目的端口,协议\n"
    "2026-11-23 08:01:02,zhang,10.1.0.12,20501,203.0.113.9,1024,198.51.100.9,443,TCP\n"
    "2026/11/23 下午 3:05:06,-,10.1.0.13,5353,203.0.113.9,1025,198.51.100.9,53,17\n"
)
_VENUS = (
    'Jul 29 07:36:10 48.1.1.206 NAT: SerialNum=100022002000001807193963 GenTime="2019-07-29 15:34:12" NatType="Source NAT" '
    "SrcIP=20.1.1.11 SrcPort=137 DstIP=20.1.1.255 DstPort=137 BeforeTransAddr=20.1.1.11 AfterTransAddr=100.1.1.1 "
    'Protocol=UDP BeforeTransPort=137 AfterTransPort=137 PolicyID=1 Content="Session Backout" '
)
_DPTECH = (
    'Apr 22 07:29:39 2015 DPTECH %%--FW/SESSION/5/SYSLOG(7): traffic start_time="2015-04-22 07:29:39" duration=132 '
    "service=ICMP/port:80 proto=1 sent=10124 rcvd=10124 src=10.28.6.6 dst=8.8.8.2 src_port=7 dst_port=89 "
    "src-xlated ip=8.8.8.1 port=3 dst-xlated ip=8.8.8.2 port=89 reason=Close - ICMP TIMEOUT."
)
_KEYED: str = "2026-11-23 08:00:01 gw 源IP:10.1.0.12;源端口:1024;转换后IP:203.0.113.9;转换后端口:2048;目的IP:198.51.100.9;目的端口:80;协议:TCP"

FORMAT = LogFormat(
    title="Gateway log by its words, of Ruijie, iKuai, Topsec, Venustech, DPtech (unverified)",
    kinds=("nat",),
    reference="the words that are known are those of netaudit/sources/formats/_gateway_words.py",
    sniff=_sniff,
    open=_open,
    starts=record_starts,
    samples=(
        Sample(
            _RUIJIE,
            (
                {
                    "kind": "nat", "ts": "2026-11-23T00:01:02.000000000Z", "transport": "tcp", "client_ip": "10.1.0.12",
                    "client_port": 20501, "public_ip": "203.0.113.9", "public_port": 1024, "server_ip": "198.51.100.9",
                    "server_port": 443, "account": "zhang",
                },
                {"kind": "nat", "ts": "2026-11-23T07:05:06.000000000Z", "transport": "udp", "account": None},
            ),
            timezone="Asia/Shanghai",
            note="a page's export",
        ),
        Sample(
            _VENUS,
            (
                {
                    "kind": "nat", "ts": "2019-07-29T07:34:12.000000000Z", "message": "Session Backout", "transport": "udp",
                    "client_ip": "20.1.1.11", "public_ip": "100.1.1.1", "public_port": 137, "server_ip": "20.1.1.255",
                },
            ),
            timezone="Asia/Shanghai",
            note="Venustech",
        ),
        Sample(
            _DPTECH,
            (
                {
                    "kind": "nat", "ts": "2015-04-21T23:29:39.000000000Z", "ts_end": "2015-04-21T23:31:51.000000000Z",
                    "client_ip": "10.28.6.6", "client_port": 7, "public_ip": "8.8.8.1", "public_port": 3,
                    "server_ip": "8.8.8.2", "server_port": 89,
                },
            ),
            timezone="Asia/Shanghai",
            note="DPtech, as NetScreen wrote it",
        ),
        Sample(
            _KEYED,
            ({"kind": "nat", "ts": "2026-11-23T08:00:01.000000000Z", "client_ip": "10.1.0.12", "public_port": 2048},),
            note="Chinese keys; the time is the system log's",
        ),
        Sample("时间,源IP,转换后IP\n合计,,\n", note="nothing that names a session"),
    ),
)  # fmt: skip
