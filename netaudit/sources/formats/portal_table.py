"""Sessions of a portal (SMS, WeChat, password) as its page exports them: a table with titles.

Columns are told by their Chinese or English titles, in any order and with any separator. A session
gives a row when it began and one when it ended.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Rows, Sample
from netaudit.intake.times import Context, from_epoch, from_iso
from netaudit.records.addresses import ip_column, mac_column
from netaudit.sources.formats._delimited import Cells, header_cells, title
from netaudit.sources.formats._outcome import keep, refused
from netaudit.sources.formats._values import given, mask, whole

_TITLES = {
    "account": "用户名 账号 帐号 用户账号 上网账号 认证账号 登录名 登录账号 手机号 手机号码 联系电话 用户 用户名称 "
    "username account user userid phone phonenumber mobile mobilenumber",
    "name": "姓名 真实姓名",
    "mac": "mac mac地址 终端mac 终端mac地址 用户mac 用户mac地址 设备mac 设备mac地址 客户端mac 客户端mac地址 "
    "macaddress usermac clientmac stationmac",
    "ip": "ip ip地址 终端ip 终端ip地址 用户ip 用户ip地址 客户端ip 上网ip 私网ip 内网ip ipaddress userip clientip",
    "ap_name": "ap ap名称 接入ap 关联ap 热点 热点名称 apname accesspoint",
    "bssid": "apmac apmac地址 bssid",
    "ssid": "ssid ssid名称 无线名称 wifi名称 无线网络 接入ssid",
    "vlan": "vlan vlanid vlan号",
    "nas": "接入设备 接入设备ip nas nasip 认证设备 设备名称 ac ac名称",
    "start": "上线时间 登录时间 认证时间 接入时间 上网时间 登录日期 上线日期 认证成功时间 logintime onlinetime starttime "
    "connecttime logontime",
    "end": "下线时间 离线时间 注销时间 登出时间 退出时间 断开时间 logouttime offlinetime disconnecttime logofftime",
}
"""Titles by column, in the form that `_delimited.title` gives; the preferred one first."""

_COLUMN = {name: column for column, names in _TITLES.items() for name in names.split()}
_NOT_OURS = frozenset(
    [
        "目的ip",
        "目的地址",
        "目的端口",
        "源端口",
        "url",
        "网址",
        "域名",
        "网站",
        "访问网址",
        "访问域名",
        "协议",
        "应用",
        "应用名称",
        "destinationip",
        "dstip",
        "destination",
        "sourceport",
        "protocol",
        "application",
        "resourceid",
        "acctsessionid",
    ]
)
"""Titles of what a device did: a table with one is a log of behaviour and none of sessions."""

_FORMS = (
    (r"^(\d{4})[年/.](\d{1,2})[月/.](\d{1,2})日? +(\d{1,2}:\d{2}(?::\d{2})?)(?:\.\d+)?$", r"\1-\2-\3 \4"),
)
_EMPTY = ("-", "--", "/", "无", "null", "NULL", "N/A")


def columns_of(line: str) -> tuple[str, dict[str, int]]:
    """The separator of a header line and the places of its columns; none where it is no such header."""
    separator, cells = header_cells(line)
    titles = [title(cell) for cell in cells]
    places: dict[str, int] = {}
    for place, name in enumerate(titles):
        column = _COLUMN.get(name)
        if column and column not in places:
            places[column] = place
    found = set(places)
    whole_header = "start" in found and found & {"account", "name"} and found & {"mac", "ip"}
    return separator, places if whole_header and not _NOT_OURS.intersection(titles) else {}


def _sniff(lines: list[str]) -> float:
    return float(any(columns_of(line)[1] for line in lines[:20]))


def _open(context: Context) -> Parse:
    separator, places, header = ",", dict[str, int](), ""

    def parse(chunk: Chunk) -> Parsed:
        nonlocal separator, places, header
        empty = mask(pc.equal(pc.utf8_trim_whitespace(chunk.lines), ""))
        first = 0
        if not places:
            for number, line in enumerate(chunk.lines.slice(0, 50).to_pylist()):
                separator, places = columns_of(line)
                if places:
                    first, header = number + 1, line
                    break
        empty[:first] = True  # the header, and what stands above it
        empty |= mask(pc.equal(chunk.lines, header))  # each page may have its own
        index = np.flatnonzero(~empty)
        if not places:
            return Parsed(
                rejected=refused({"A session stands before the header that names its columns.": index}),
                other=int(empty.sum()),
            )
        rows, wrong = _sessions(
            Cells.of(chunk.lines.take(pa.array(index)), separator), places, index, context
        )
        return Parsed(
            [part for part in rows if len(part.line)],
            refused(
                {"The line is no session: it has no time of its beginning, or nobody's address.": wrong}
            ),
            int(empty.sum()),
        )

    return parse


def _sessions(
    cells: Cells, places: dict[str, int], index: np.ndarray, context: Context
) -> tuple[list[Rows], np.ndarray]:
    none = pa.nulls(len(index), pa.string())

    def cell(column: str) -> pa.Array:
        text = cells.column(places[column]) if column in places else none
        return given(text, _EMPTY)

    columns = {
        "account": pc.coalesce(cell("account"), cell("name")),
        "client_mac": mac_column(cell("mac")),
        "client_ip": ip_column(cell("ip")),
        "ap_name": cell("ap_name"),
        "bssid": mac_column(cell("bssid")),
        "ssid": cell("ssid"),
        "vlan": whole(cell("vlan"), 4094, pa.uint16()),
        "nas": cell("nas"),
    }
    start, end = (_time(cell(name), context) for name in ("start", "end"))
    somebody = pc.or_(pc.is_valid(columns["client_mac"]), pc.is_valid(columns["client_ip"]))
    good = mask(pc.and_(somebody, pc.is_valid(cell("start")))) & (cells.counts > max(places.values()))
    begun = Rows("radius", {**columns, "ts": start, "message": "login"}, index)
    over = Rows("radius", {**columns, "ts": end, "message": "logout"}, index)
    return [keep(begun, good), keep(over, good & mask(pc.is_valid(end)))], index[~good]


def _time(text: pa.Array, context: Context) -> pa.Array:
    """Dates in the order of ISO 8601, with Chinese words or slashes; epochs."""
    for pattern, iso in _FORMS:
        text = pc.replace_substring_regex(text, pattern, iso)
    epoch = pc.fill_null(pc.match_substring_regex(text, r"^\d{10}(?:\d{3})?$"), False)
    return pc.coalesce(
        from_epoch(pc.if_else(epoch, text, None)), from_iso(pc.if_else(epoch, None, text), context)
    )


FORMAT = LogFormat(
    title="Portal sessions as a table (SMS, WeChat, password) (unverified)",
    kinds=("radius",),
    reference="no maker documents its export: the titles are those that such pages show",
    sniff=_sniff,
    open=_open,
    samples=(
        Sample(
            "序号,手机号,MAC地址,IP地址,AP名称,SSID,上线时间,下线时间,认证方式\n"
            "1,13800000001,52-54-00-AA-00-01,10.2.0.7,ap-3f,GUEST,2026/11/23 9:05:41,2026-11-23 10:05:41,短信\n"
            "2,13800000002,5254-00AA-0002,10.2.0.8,ap-3f,GUEST,2026年11月23日 09:06:41,--,短信",
            (
                {
                    "kind": "radius",
                    "ts": "2026-11-23T01:05:41.000000000Z",
                    "message": "login",
                    "account": "13800000001",
                    "client_mac": "52:54:00:aa:00:01",
                    "client_ip": "10.2.0.7",
                    "ap_name": "ap-3f",
                    "ssid": "GUEST",
                },
                {"kind": "radius", "ts": "2026-11-23T02:05:41.000000000Z", "message": "logout"},
                {"kind": "radius", "ts": "2026-11-23T01:06:41.000000000Z", "message": "login"},
            ),
            timezone="Asia/Shanghai",
            note="the second is still there, or its end was lost",
        ),
        Sample("用户名\tMAC地址\tIP地址\t上线时间\nlisi\t52-54-00-AA-00-01", note="cut off"),
    ),
)
