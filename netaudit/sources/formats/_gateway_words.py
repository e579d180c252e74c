"""What gateways of other makers call the parts of a session: one table for columns and for keys.

An underscore stands for whatever parts the words of an English key (``src_ip``, ``srcip``,
``Src-IP``). The preferred word of each part stands first.
"""

from __future__ import annotations

import re

from netaudit.sources.formats._delimited import title

_WORDS = {
    "ts": (
        "会话开始时间 开始时间 起始时间 建立时间 创建时间 访问时间 日志时间 记录时间 发生时间 产生时间 日期时间 时间 start_time "
        "begin_time gen_time log_time event_time date_time timestamp time"
    ),
    "date": "日期 date",
    "ts_end": "会话结束时间 结束时间 终止时间 关闭时间 删除时间 老化时间 end_time close_time finish_time",
    "duration": "duration",
    "source": (
        "源ip 源ip地址 源地址 内网ip 内网ip地址 内网地址 私网ip 私网地址 转换前源ip 转换前源地址 转换前ip 转换前地址 用户ip "
        "src_ip source_ip src_addr source_addr source_address inside_ip private_ip local_ip before_trans_addr src"
    ),
    "source_port": (
        "源端口 源端口号 内网端口 私网端口 转换前源端口 转换前端口 src_port source_port inside_port private_port "
        "before_trans_port sport"
    ),
    "target": (
        "目的ip 目的ip地址 目的地址 目标ip 目标ip地址 目标地址 外网ip 对端ip dst_ip dest_ip destination_ip dst_addr "
        "dest_addr destination_addr destination_address remote_ip dst"
    ),
    "target_port": (
        "目的端口 目的端口号 目标端口 目标端口号 对端端口 dst_port dest_port destination_port remote_port dport"
    ),
    "nat_source": (
        "转换后源ip 转换后源地址 转换后的源ip 转换后的源地址 nat源ip nat源地址 nat后源ip nat_src_ip src_nat_ip snat_ip "
        "nat_src_addr trans_src_ip src-xlated_ip"
    ),
    "nat_source_port": (
        "转换后源端口 转换后的源端口 nat源端口 nat后源端口 nat_src_port src_nat_port snat_port trans_src_port"
    ),
    "nat_target": (
        "转换后目的ip 转换后目的地址 转换后的目的ip 转换后的目的地址 nat目的ip nat目的地址 nat_dst_ip dst_nat_ip dnat_ip "
        "nat_dst_addr trans_dst_ip dst-xlated_ip"
    ),
    "nat_target_port": (
        "转换后目的端口 转换后的目的端口 nat目的端口 nat_dst_port dst_nat_port dnat_port trans_dst_port"
    ),
    "nat": (
        "转换后ip 转换后ip地址 转换后地址 转换后的ip 转换后的地址 公网ip 公网ip地址 公网地址 映射ip 映射地址 nat_ip natip地址 "
        "nat地址 public_ip global_ip after_trans_addr translated_ip"
    ),
    "nat_port": (
        "转换后端口 转换后端口号 转换后的端口 公网端口 映射端口 nat端口 nat_port public_port global_port after_trans_port "
        "translated_port"
    ),
    "first_port": "起始端口 端口块起始 起始端口号 start_port port_start",
    "last_port": "结束端口 终止端口 端口块结束 结束端口号 end_port port_end",
    "way": "nat类型 转换类型 nat方向 nat_type",
    "protocol": "协议 协议类型 传输协议 协议名称 协议号 protocol proto protocol_name proto_name",
    "account": "用户 用户名 用户名称 登录用户 账号 帐号 账户 user user_name account",
    "action": "动作 处理动作 系统动作 策略动作 action",
    "message": "事件 事件类型 会话事件 会话状态 日志类型 类型 event event_type session_event content reason",
    "session": "会话id 会话编号 session_id",
    "mac": "源mac 源mac地址 用户mac 终端mac mac地址 mac src_mac source_mac",
}
COLUMNS = {
    column: tuple(title(word.replace("_", "")) for word in words.split())
    for column, words in _WORDS.items()
}
"""The words as titles of a table."""


def key_pattern(column: str) -> str:
    """The words as keys of a line, as an expression."""
    words = sorted(_WORDS[column].split(), key=len, reverse=True)
    if column in {"nat_source_port", "nat_target_port"}:  # NetScreen: ``src-xlated ip=1.2.3.4 port=5``
        side = "src" if column == "nat_source_port" else "dst"
        return "|".join([*(_spelt(word) for word in words), rf"{side}-xlated ip=\S+ port"])
    return "|".join(_spelt(word) for word in words)


def _spelt(word: str) -> str:
    return r"[ _.-]?".join(re.escape(part) for part in word.split("_"))
