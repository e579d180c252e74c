"""QiAnXin (formerly 360) NSG firewalls: ``key="value"`` pairs, one line when a session is over.

``time`` is an epoch and the moment of the line; ``duration`` is in seconds. What ``session_time``
counts is not certain, and it is not read. ``::`` and ``0`` mean that nothing was translated.
"""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Sample
from netaudit.intake.times import Context, from_epoch
from netaudit.records.schemas import TIMESTAMP
from netaudit.sources.formats._flow_sides import Printed, session_sides
from netaudit.sources.formats._key_values import KeyValues
from netaudit.sources.formats._outcome import refused
from netaudit.sources.formats._sessions import CUT, settle
from netaudit.sources.formats._transports import transport_column
from netaudit.sources.formats._values import among_others, given, mask, whole

_BEGUN = r'\bdevid="[^"]*" dname="[^"]*" .*\bmodule="flow"'
_OWN = re.compile(r'\bdevid="[^"]*" dname="[^"]*" serial="')
_MOST_SECONDS = 10 * 366 * 86_400


def _open(context: Context) -> Parse:
    def parse(chunk: Chunk) -> Parsed:
        index = np.flatnonzero(mask(pc.match_substring_regex(chunk.lines, _BEGUN)))
        columns, refusals = _columns(chunk.lines.take(pa.array(index)), context)
        rows, rejected = settle(columns, refusals, index)
        return Parsed([rows] if len(rows.line) else [], refused(rejected), len(chunk.lines) - len(index))

    return parse


def _columns(lines: pa.Array, context: Context) -> tuple[dict[str, pa.Array], dict[str, np.ndarray]]:
    value = KeyValues(lines).get
    printed = Printed(
        value("addr_src"), value("port_src"), value("addr_dst"), value("port_dst"),
        value("nataddr_src"), value("natport_src"),
        value("nataddr_dst"), value("natport_dst"),
    )  # fmt: skip
    ends, refusals = session_sides(printed, transport_column(value("proto")), context)
    what, moment = value("type"), from_epoch(value("time"))
    is_over = pc.fill_null(pc.ends_with(what, "-end"), False)
    length = whole(value("duration"), _MOST_SECONDS, pa.int64())
    began = pc.subtract(moment.cast(pa.int64()), pc.multiply(length, 10**9)).cast(TIMESTAMP)
    columns = ends | {
        "ts": pc.if_else(is_over, began, moment),
        "ts_end": pc.if_else(is_over, moment, None),
        "message": what,
        "action": value("action"),
        "account": given(value("user_src")),
        "session": value("session_id"),
    }
    cut = mask(pc.is_null(what)) | mask(pc.and_(is_over, pc.is_null(length)))
    return columns, {CUT: cut} | refusals


_LINE: str = (
    '<6> Dec 28 15:22:43 2019 NSG devid="3" dname="NSG" serial="7d06c102" module="flow" severity="info" vsys="root-vsys" '
    'type="traffic-end" session_id="3463080" time="1577517763" addr_src="192.168.134.117" addr_dst="192.168.181.105" '
    'nataddr_src="::" nataddr_dst="::" natport_src="0" natport_dst="0" proto="TCP" hit_num="0" action="permit" '
    'session_time="5170863" port_src="61877" port_dst="54970" user_src="" user_dst="" rule="ftp同步" duration="1" bytes_sent="178"'
)

FORMAT = LogFormat(
    title="QiAnXin (360) NSG traffic log",
    kinds=("nat",),
    reference="https://www.qianxin.com/",
    sniff=lambda lines: among_others(lines, _OWN.search),
    open=_open,
    samples=(
        Sample(
            _LINE,
            (
                {
                    "kind": "nat", "ts": "2019-12-28T07:22:42.000000000Z", "ts_end": "2019-12-28T07:22:43.000000000Z",
                    "message": "traffic-end", "action": "permit", "transport": "tcp", "client_ip": "192.168.134.117",
                    "client_port": 61877, "server_ip": "192.168.181.105", "public_ip": None, "public_port": None,
                    "account": None, "session": "3463080",
                },
            ),
            note="the header is local time, the epoch wins",
        ),
        Sample(
            _LINE.replace('src="::"', 'src="203.0.113.5"').replace('natport_src="0"', 'natport_src="20500"'),
            ({"kind": "nat", "public_ip": "203.0.113.5", "public_port": 20500},),
            note="translated",
        ),
        Sample(_LINE[:300], note="cut off"),
        Sample(_LINE.replace('module="flow"', 'module="system"'), note="another message"),
    ),
)  # fmt: skip
