"""Palo Alto firewalls' TRAFFIC log: cells by position, of which each version appends some.

Times are the device's local time without a zone; newest versions append a stamp with an offset,
which settles the zone of its line. A session that is over lasted from its start to the moment of
its line: so long its port was taken, while the elapsed seconds end with its last packet. Files
that went through a spreadsheet have lost their seconds and the order of month and day; such a time
is read only where day and month are beyond doubt.
"""

from __future__ import annotations

import datetime as dt
import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.carrier import peel
from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Sample, extract, said
from netaudit.intake.times import Context, from_iso
from netaudit.sources.formats._damaged import repaired
from netaudit.sources.formats._delimited import Cells
from netaudit.sources.formats._flow_sides import Printed, session_sides
from netaudit.sources.formats._outcome import refused
from netaudit.sources.formats._sessions import settle
from netaudit.sources.formats._transports import transport_column
from netaudit.sources.formats._values import among_others, mask

_LINE = r"^(?P<head>.*?)(?P<cells>\w*,[^,]*,[^,]*,TRAFFIC,.*)$"
_NEEDED = r"^(?P<v>(?:[^,\"]*,){36}[^,\"]*)"
"""The cells that are read, where none of them is quoted."""
_FEWEST = 31
_CUT = "A line of the traffic log is cut off, or a quoted cell does not close."
_OWN = re.compile(r",TRAFFIC,(?:start|end|drop|deny),")
_WORDS = ("start", "end", "drop", "deny")
_PRECISE = r",(?P<v>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d)(?:,|$)"
_NEAR = 600 * 10**9


def _open(context: Context) -> Parse:
    def parse(chunk: Chunk) -> Parsed:
        index, got = extract(chunk.lines, _LINE)
        cells = Cells.of(pc.coalesce(said(got["cells"], _NEEDED), got["cells"]), ",")
        columns, refusals = _columns(cells, got, context)
        rows, rejected = settle(columns, refusals, index)
        return Parsed([rows] if len(rows.line) else [], refused(rejected), len(chunk.lines) - len(index))

    return parse


def _columns(
    cells: Cells, got: dict[str, pa.Array], context: Context
) -> tuple[dict[str, pa.Array], dict[str, np.ndarray]]:
    def cell(number: int) -> pa.Array:
        """As the maker counts them, from 1."""
        return cells.column(number - 1)

    printed = Printed(cell(8), cell(25), cell(9), cell(26), cell(10), cell(27), cell(11), cell(28))
    ends, refusals = session_sides(printed, transport_column(cell(30)), context)
    what = cell(5)
    header, offset = peel(got["head"]).stamp, _offset(got["cells"], cell(7))
    logged, begun = (
        from_iso(pc.binary_join_element_wise(repaired(cell(n), header, context), offset, ""), context)
        for n in (7, 36)
    )
    is_over = pc.fill_null(pc.equal(what, "end"), False)
    columns = ends | {
        "ts": pc.coalesce(begun, pc.if_else(is_over, None, logged)),
        "ts_end": pc.if_else(is_over, logged, None),
        "message": what,
        "action": cell(31),
        "account": cell(13),
        "session": cell(23),
    }
    whole_line = mask(pc.is_in(what, value_set=pa.array(_WORDS))) & (cells.counts >= _FEWEST)
    return columns, {_CUT: ~whole_line} | refusals


def _offset(cells: pa.Array, logged: pa.Array) -> pa.Array:
    """The offset of each line's clock, from the precise stamp where one stands near; else empty."""
    precise = said(cells, _PRECISE)
    there, here = (
        from_iso(text, Context(zone=dt.UTC)).cast(pa.int64())
        for text in (pc.utf8_slice_codeunits(precise, 0, 19), logged)
    )
    near = pc.less_equal(pc.abs(pc.subtract(there, here)), _NEAR)
    return pc.if_else(pc.fill_null(near, False), pc.utf8_slice_codeunits(precise, 23), "")


_PING = (
    "<14>Sep 16 10:00:02 PP 1,9/16/19 10:00,1801017000,TRAFFIC,start,2049,9/16/19 10:00,1.2.3.4,4.3.2.1,1.2.3.4,10.0.1.2,PING,"
    ",,ping,vsys,AAAAA,Zone1,ethernet1/1,ae2.11,Secure,9/16/19 10:00,24100,3,0,0,0,0,0x500000,icmp,allow,222,222,0,3,"
    "9/16/19 10:00,0,any,0,50660388939,0x0"
)
_END = (
    "1,2024/01/03 13:15:29,026701002040,TRAFFIC,end,2816,2024/01/03 13:15:29,10.2.3.4,5.6.7.8,203.0.113.5,5.6.7.8,MyRule,corp\\zhang,"
    ",ssl,vsys1,Z_DMZ,Z_WAN,ethernet1/22.301,ethernet1/3.104,Log Profile,2024/01/03 13:15:29,219781,1,60975,443,20500,443,"
    "0x41c,tcp,allow,5773,758,5015,14,2024/01/03 13:15:14,0,not-resolved,,7312415129244589397,0x0"
)
_QUOTED = _END.replace("MyRule", '"web, mail"').replace("zhang", "li")
_PRECISELY: str = (
    _END + ',,United States,,2024-01-03T13:15:30.547+01:00,,,4,"used-by-malware,able-to-transfer-file",,ssl'
)

FORMAT = LogFormat(
    title="Palo Alto TRAFFIC log",
    kinds=("nat",),
    reference="https://docs.paloaltonetworks.com/pan-os/11-1/pan-os-admin/monitoring/use-syslog-for-monitoring/syslog-field-descriptions/traffic-log-fields",
    sniff=lambda lines: among_others(lines, _OWN.search),
    open=_open,
    samples=(
        Sample(
            _PING,
            (
                {
                    "kind": "nat", "ts": "2019-09-16T10:00:00.000000000Z", "ts_end": None, "message": "start",
                    "action": "allow", "transport": "icmp", "client_ip": "10.0.1.2", "public_ip": "4.3.2.1",
                    "server_ip": "1.2.3.4", "session": "24100",
                },
            ),
            note="a published host; times that a spreadsheet damaged",
        ),
        Sample(
            f"{_END}\n{_QUOTED}",
            (
                {
                    "kind": "nat", "ts": "2024-01-03T05:15:14.000000000Z", "ts_end": "2024-01-03T05:15:29.000000000Z",
                    "message": "end", "transport": "tcp", "client_ip": "10.2.3.4", "client_port": 60975,
                    "public_ip": "203.0.113.5", "public_port": 20500, "server_ip": "5.6.7.8", "server_port": 443,
                    "account": "corp\\zhang", "session": "219781",
                },
                {"kind": "nat", "public_port": 20500, "account": "corp\\li"},
            ),
            timezone="Asia/Shanghai",
            note="a quoted cell holds a comma",
        ),
        Sample(
            _PRECISELY,
            ({"kind": "nat", "ts": "2024-01-03T12:15:14.000000000Z", "ts_end": "2024-01-03T12:15:29.000000000Z"},),
            timezone="Asia/Shanghai",
            note="the precise stamp settles the zone",
        ),
        Sample(_END[:150], note="cut off"),
        Sample(_END.replace(",20500,", ",205000,"), note="no port"),
        Sample(_END.replace("TRAFFIC,end", "THREAT,url"), note="another log"),
    ),
)  # fmt: skip
