"""Sangfor's firewall and behaviour gateways (AF, AC): lines of Chinese keys, as UTF-8 or GBK.

``日志类型`` says what a line is: a session that a rule let pass or refused (no translation in it), a
translation (``NAT日志``), a web page that was asked for. Of a page only the host is taken. Other
types (attacks, viruses, administration) tell of no session. The time is the system log's, local
and without a year. No line tells of an end.
"""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Rows, Sample, extract, said
from netaudit.intake.times import Context
from netaudit.records.addresses import ip_column
from netaudit.sources.formats import _device_stamps
from netaudit.sources.formats._flow_sides import Printed, session_sides
from netaudit.sources.formats._outcome import refused
from netaudit.sources.formats._sessions import CUT, settle
from netaudit.sources.formats._torn import torn_line
from netaudit.sources.formats._transports import transport_column
from netaudit.sources.formats._urls import visited
from netaudit.sources.formats._values import among_others, given, mask

_LINE = r"^(?P<head>.*?)\b(?:fwlog|nat|aclog)(?:\[\d+\])?: *(?P<body>(?:所属系统:[^,]*, *)?日志类型:(?P<what>[^,]*),.*)$"
_OWN = re.compile(r"(?:^|[ \]>])(?:fwlog|nat|aclog)(?:\[\d+\])?: *(?:所属系统:[^,]*, *)?日志类型:")
_SESSION = "服务控制或应用控制"
_NAT = "NAT日志"
_PAGE = "网站访问"
_NO_HOST = "The line names no client or no host."


def _open(context: Context) -> Parse:
    def parse(chunk: Chunk) -> Parsed:
        index, got = extract(chunk.lines, _LINE)
        is_session = mask(pc.is_in(got["what"], value_set=pa.array([_SESSION, _NAT])))
        is_page = mask(pc.equal(got["what"], _PAGE))
        short = index == torn_line(chunk)
        sessions, rejected = _sessions(_of(got, is_session), index[is_session], short[is_session], context)
        pages, hostless = _pages(_of(got, is_page), index[is_page], context)
        return Parsed(
            [rows for rows in (sessions, pages) if len(rows.line)],
            refused(rejected | {_NO_HOST: hostless}),
            len(chunk.lines) - int(is_session.sum()) - int(is_page.sum()),
        )

    return parse


def _of(got: dict[str, pa.Array], chosen: np.ndarray) -> dict[str, pa.Array]:
    return {name: column.filter(pa.array(chosen)) for name, column in got.items()}


def _key(body: pa.Array, name: str) -> pa.Array:
    return given(pc.utf8_trim_whitespace(said(body, rf"(?:^|, *){name}:(?P<v>[^,]*)")))


def _sessions(
    got: dict[str, pa.Array], index: np.ndarray, short: np.ndarray, context: Context
) -> tuple[Rows, dict[str, np.ndarray]]:
    body = got["body"]
    is_nat = pc.equal(got["what"], _NAT)
    way = _key(body, "NAT类型")
    address, number = _key(body, "转换后的?IP"), _key(body, "转换后的?端口")
    is_target = pc.fill_null(pc.match_substring_regex(way, "(?i)dnat"), False)
    printed = Printed(
        _key(body, "源IP"),
        _key(body, "源端口"),
        _key(body, "目的IP"),
        _key(body, "目的端口"),
        pc.if_else(is_target, None, address),
        pc.if_else(is_target, None, number),
        pc.if_else(is_target, address, None),
        pc.if_else(is_target, number, None),
    )
    ends, refusals = session_sides(printed, transport_column(_key(body, "协议")), context)
    columns = ends | {
        "ts": _device_stamps.read(got["head"], context).moment,
        "message": pc.if_else(is_nat, pc.coalesce(way, got["what"]), got["what"]),
        "action": _key(body, "系统动作"),
        "account": _key(body, "用户"),
    }
    last = pc.if_else(is_nat, number, columns["action"])
    return settle(columns, {CUT: mask(pc.is_null(last)) | short} | refusals, index)


def _pages(got: dict[str, pa.Array], index: np.ndarray, context: Context) -> tuple[Rows, np.ndarray]:
    body = got["body"]
    where = visited(_key(body, "URL"))
    columns = where | {
        "ts": _device_stamps.read(got["head"], context).moment,
        "client_ip": ip_column(_key(body, "源IP")),
        "server_ip": pc.coalesce(ip_column(_key(body, "目的IP")), where["server_ip"]),
        "action": _key(body, "系统动作"),
        "account": _key(body, "用户"),
    }
    good = mask(pc.is_valid(columns["client_ip"])) & mask(
        pc.or_(pc.is_valid(columns["name"]), pc.is_valid(where["server_ip"]))
    )
    kept = {name: column.filter(pa.array(good)) for name, column in columns.items()}
    return Rows("proxy", kept, index[good]), index[~good]


_CONTROL = (
    "localhost fwlog: 日志类型:服务控制或应用控制, 用户:(null), 源IP:192.168.1.133, 源端口:38378, 目的IP:222.46.22.226, "
    "目的端口:10240, 应用类型:Other, 应用名称:any, 系统动作:被记录"
)
_CONTROL_8 = (
    "<134>Aug  3 15:35:55 sfos-x86_64 fwlog[1408064]: 所属系统:public, 日志类型:服务控制或应用控制, 策略名称:应用控制策略, "
    "用户:zhang, 源IP:192.168.10.123, 源端口:9026, 目的IP:203.209.246.138, 目的端口:9000, 应用类型:any, 应用名称:, 系统动作:拒绝"
)
_SNAT = (
    "Apr 28 00:00:23 localhost nat: 日志类型:NAT日志, NAT类型:snat, 源IP:2.55.81.106, 源端口:1799, 目的IP:140.205.70.178, "
    "目的端口:443, 协议:6, 转换后的IP:58.216.48.6, 转换后的端口:1799"
)
_DNAT = (
    "Apr 28 00:00:25 localhost nat: 日志类型:NAT日志, NAT类型:dnat, 源IP:4.4.4.4, 源端口:443, 目的IP:5.5.5.5, 目的端口:80, "
    "协议:17, 转换后的IP:10.6.6.6, 转换后的端口:8080"
)
_VISIT = (
    "<23>May 25 11:12:42 localhost fwlog: 日志类型:网站访问, 用户:(null), 源IP:192.168.200.1, 目的IP:192.168.200.100, "
    "应用名称:IT相关, 系统动作:被记录, URL:http://www.shenxinfu.com/simple.php"
)
_FLOW: str = (
    "<134>Dec  1 18:37:58 localhost fwlog: 日志类型:流量审计, 应用类型:Other, 用户名/主机:192.168.100.26, 上行流量(KB):14450, "
    "下行流量(KB):38055, 总流量(KB):52505"
)

FORMAT = LogFormat(
    title="Sangfor firewall and gateway log (fwlog, nat)",
    kinds=("nat", "proxy"),
    reference="https://bbs.sangfor.com.cn/",
    sniff=lambda lines: among_others(lines, _OWN.search),
    open=_open,
    samples=(
        Sample(
            f"{_CONTROL}\n{_CONTROL_8}",
            (
                {
                    "kind": "nat", "ts": None, "message": "服务控制或应用控制", "action": "被记录", "account": None,
                    "client_ip": "192.168.1.133", "client_port": 38378, "server_ip": "222.46.22.226",
                    "server_port": 10240, "public_ip": None,
                },
                {"kind": "nat", "ts": "2026-08-03T07:35:55.000000000Z", "action": "拒绝", "account": "zhang"},
            ),
            timezone="Asia/Shanghai",
            note="sessions that a rule decided on; another generation",
        ),
        Sample(
            f"{_SNAT}\n{_DNAT}",
            (
                {
                    "kind": "nat", "message": "snat", "transport": "tcp", "client_ip": "2.55.81.106", "client_port": 1799,
                    "public_ip": "58.216.48.6", "public_port": 1799, "server_ip": "140.205.70.178", "server_port": 443,
                },
                {
                    "kind": "nat", "message": "dnat", "transport": "udp", "client_ip": "10.6.6.6", "client_port": 8080,
                    "public_ip": "5.5.5.5", "public_port": 80, "server_ip": "4.4.4.4", "server_port": 443,
                },
            ),
            note="translations",
        ),
        Sample(
            _VISIT,
            ({"kind": "proxy", "client_ip": "192.168.200.1", "name": "www.shenxinfu.com", "action": "被记录"},),
            note="a page: its host, and nothing of its path",
        ),
        Sample(_FLOW, note="an account of traffic, no session"),
        Sample(_SNAT[:90], note="cut off"),
    ),
)  # fmt: skip
