"""Exports of gateways that audit behaviour (上网行为管理: Sangfor AC, QiAnXin, Ruijie, H3C ACG).

A table that the device's page exports (CSV, most often GBK, or XLSX): who, from which address,
visited which site, when. Of a URL the host alone is taken; group, terminal and title are not read.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Rows, Sample
from netaudit.intake.times import Context
from netaudit.records.addresses import ip_column, mac_column
from netaudit.sources.formats._delimited import record_starts, title
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
from netaudit.sources.formats._urls import visited
from netaudit.sources.formats._values import given, mask, port

NOBODY = "The row names neither an address, a hardware address nor a user."
NOWHERE = "The row names no site."
_WORDS = {
    "ts": "访问时间 开始时间 起始时间 记录时间 日志时间 发生时间 产生时间 上网时间 日期时间 时间 visit_time access_time log_time date_time timestamp time",
    "date": "日期 date",
    "ts_end": "结束时间 end_time",
    "account": "用户 用户名 用户名称 登录用户 上网用户 账号 帐号 账户 user user_name account login_name",
    "client_ip": "ip ip地址 用户ip 用户ip地址 源ip 源ip地址 源地址 内网ip 终端ip 客户端ip 主机ip 上网ip ip_address user_ip src_ip source_ip client_ip host_ip",
    "client_mac": "mac mac地址 用户mac 终端mac 源mac 主机mac mac_address user_mac src_mac",
    "url": "url url地址 网址 访问网址 网站地址 网站 访问网站 域名 访问域名 网站域名 目标网址 url_address website site visited_url",
    "server_ip": "目的ip 目的ip地址 目的地址 目标ip 目标地址 服务器ip dst_ip dest_ip destination_ip",
    "server_port": "目的端口 目标端口 服务器端口 dst_port dest_port destination_port",
    "action": "动作 处理动作 系统动作 控制动作 action",
}  # fmt: skip
_COLUMNS = {column: tuple(title(word) for word in words.split()) for column, words in _WORDS.items()}
_SURE = 0.8


def _suffices(columns: set[str]) -> bool:
    return (
        {"url"} <= columns
        and bool(columns & {"ts", "date"})
        and bool(columns & {"account", "client_ip", "client_mac"})
    )


_TITLES = TableKind(_COLUMNS, _suffices)


def _open(context: Context) -> Parse:
    table = Table(_TITLES)

    def parse(chunk: Chunk) -> Parsed:
        parsed, below = table.read(chunk.lines, lambda cell, index: _visits(cell, index, context))
        lost = headless(chunk.lines, below)
        if len(lost):
            parsed.rejected[NO_HEADER] = lost
        parsed.other += len(below) - len(lost)
        return parsed

    return parse


def _visits(cell: Cell, index: np.ndarray, context: Context) -> Made:
    where = visited(given(cell("url")))
    columns = where | {
        "ts": table_times(dated(given(cell("date")), given(cell("ts"))), context),
        "ts_end": table_times(given(cell("ts_end")), context),
        "client_ip": ip_column(given(cell("client_ip"))),
        "client_mac": mac_column(given(cell("client_mac"))),
        "server_ip": pc.coalesce(ip_column(given(cell("server_ip"))), where["server_ip"]),
        "server_port": pc.coalesce(port(cell("server_port")), where["server_port"]),
        "account": given(cell("account")),
        "action": given(cell("action")),
    }
    nobody = np.ones(len(index), bool)
    for name in ("client_ip", "client_mac", "account"):
        nobody &= mask(pc.is_null(columns[name]))
    nowhere = ~nobody & mask(pc.is_null(columns["name"])) & mask(pc.is_null(where["server_ip"]))
    good = pa.array(~nobody & ~nowhere)
    rows = Rows("proxy", {n: c.filter(good) for n, c in columns.items()}, index[~nobody & ~nowhere])
    return rows, {NOBODY: index[nobody], NOWHERE: index[nowhere]}


_CHINESE = (
    "上网行为日志,,,,,,\n"
    "序号,用户,用户组,IP地址,MAC地址,终端类型,URL,访问时间\n"
    "1,zhangsan,/综合科,10.1.2.7,52-54-00-AA-00-07,PC,http://www.example.org:8080/a?token=1,2026-11-23 08:01:02\n"
    "2,-,/,10.1.2.8,,移动终端,news.example.net/index.htm,2026/11/23 08:01\n"
)
_ENGLISH: str = (
    "Time\tUser\tGroup\tIP\tURL\tAction\n"
    "2026-11-23 08:01:02\tlisi\tOffice\t10.1.2.9\thttps://198.51.100.7/x\tDeny\n"
)

FORMAT = LogFormat(
    title="Visited sites from a behaviour-audit gateway, of Sangfor, QiAnXin, Ruijie, H3C (unverified)",
    kinds=("proxy",),
    reference="the titles that are known are those of netaudit/sources/formats/audit_export.py",
    sniff=lambda lines: _SURE if _TITLES.heads(lines) else 0.0,
    open=_open,
    starts=record_starts,
    samples=(
        Sample(
            _CHINESE,
            (
                {
                    "kind": "proxy", "ts": "2026-11-23T00:01:02.000000000Z", "client_ip": "10.1.2.7",
                    "client_mac": "52:54:00:aa:00:07", "account": "zhangsan", "name": "www.example.org",
                    "name_source": "host", "server_port": 8080,
                },
                {
                    "kind": "proxy", "ts": "2026-11-23T00:01:00.000000000Z", "client_ip": "10.1.2.8", "account": None,
                    "name": "news.example.net", "server_port": None,
                },
            ),
            timezone="Asia/Shanghai",
            note="a title above the header; a host without a scheme",
        ),
        Sample(
            _ENGLISH,
            (
                {
                    "kind": "proxy", "client_ip": "10.1.2.9", "name": None, "server_ip": "198.51.100.7",
                    "server_port": 443, "action": "Deny",
                },
            ),
            note="English titles, tabs; a site by its address",
        ),
        Sample("时间,用户,IP地址,URL\n2026-11-23 08:01:02,,,\n", note="a row that names nobody"),
    ),
)  # fmt: skip
