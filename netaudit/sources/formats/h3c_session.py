"""H3C's session and NAT logs: Comware 7 lines with numbered keys, Comware 5 records of four lines.

The keys' numbers, their case and the ``v6`` in them come and go with the version. ``BeginTime_e``
and ``EndTime_e`` are UTC (``MMDDYYYYhhmmss``) and the header is the device's local time, which
counts only where they are empty. A session gives a line when it begins and one when it ends. NAT444 gives a line for
each block of ports; of these nobody's real lines were seen.
"""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Sample, extract, said
from netaudit.intake.times import Context, from_iso, from_parts
from netaudit.records.schemas import TIMESTAMP
from netaudit.sources.formats import _device_stamps
from netaudit.sources.formats._flow_sides import NO_ADDRESS, Printed, session_sides
from netaudit.sources.formats._outcome import refused
from netaudit.sources.formats._sessions import CUT, settle
from netaudit.sources.formats._stanzas import Stanzas
from netaudit.sources.formats._transports import transport_column
from netaudit.sources.formats._values import among_others, given, mask, port, whole

_NUMBERED = (
    r"(?i:session|nat|aft|dslite|lb)/\d/"
    r"(?P<what>[A-Z0-9_]*(?:_FLOW|_MATCH|PORTBLOCK|PORT_BLOCK|NAT444)[A-Z0-9_]*)(?:\([a-z]\))?:(?P<body>.*)$"
)
_BEFORE = r"^(?P<v>.*?)(?i:session|nat|aft|dslite|lb)/\d/"
_FIVE = (
    r"USERLOG/\d/[A-Z0-9_]+(?:\([a-z]\))?:(?: *-\w+=[^;]*;)* *"
    r"(?P<proto>[A-Za-z0-9-]+); *(?P<source>[0-9.]+)(?::(?P<sport>\d+))?--->(?P<nat>[0-9.]+)(?::(?P<nport>\d+))?"
    r"; *(?P<target>[0-9.]+)(?::(?P<dport>\d+))?; *"
    r"\[(?P<begin>[0-9/]+ [0-9:]+)-(?P<end>[0-9/]+ [0-9:]+)\]; *Operator *(?P<event>.*?)\.?$"
)
_GOES_ON = r"^\s*(?:[A-Za-z0-9-]+; *[0-9.]+(?::\d+)?--->|\[\d{4}/\d\d/\d\d |Operator\b)"
"""Second to fourth line of a Comware 5 record."""
_BEGUN = r"(?i:session|nat)/\d/[A-Z0-9_]*(?:_FLOW|NAT_IPV\d_MATCH|PORTBLOCK|PORT_BLOCK|NAT444)|USERLOG/\d/"
_OWN = re.compile(rf"{_BEGUN}|{_GOES_ON}")
_BLOCK = r"PORT_?BLOCK|NAT444"
_ALIVE = r"(?i)\bactive\b"
_NO_BLOCK = "A block of ports names no first and last port."


def _starts(lines: pa.StringArray) -> np.ndarray:
    return ~mask(pc.match_substring_regex(lines, _GOES_ON))


def _open(context: Context) -> Parse:
    def parse(chunk: Chunk) -> Parsed:
        records = Stanzas.beginning(_starts(chunk.lines))
        text = _joined(chunk.lines, records)
        parts = [_seven(text, context), _five(text, context)]
        read = np.concatenate([index for index, _, _ in parts])
        torn = np.setdiff1d(np.flatnonzero(mask(pc.match_substring_regex(text, _BEGUN))), read)
        rows, rejected = [], {CUT: np.concatenate((records.orphans(chunk.lines)[:1], records.first[torn]))}
        for index, columns, refusals in parts:
            held, lost = settle(columns, refusals, records.first[index])
            rows.append(held)
            rejected |= {
                why: np.concatenate((rejected.get(why, lines[:0]), lines)) for why, lines in lost.items()
            }
        return Parsed(
            [held for held in rows if len(held.line)],
            refused(rejected),
            len(records.first) - len(read) - len(torn),
        )

    return parse


def _joined(lines: pa.StringArray, records: Stanzas) -> pa.StringArray:
    """Each record as one line."""
    if len(records.first) == len(lines):
        return lines
    begins = int(records.first[0]) if len(records.first) else len(lines)
    offsets = np.append(records.first, len(lines)) - begins
    lists = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), lines.slice(begins))
    return pc.binary_join(lists, " ")


Part = tuple[np.ndarray, dict[str, pa.Array], dict[str, np.ndarray]]
"""Records of some shape: which, their columns, and what some are refused for."""


def _seven(text: pa.StringArray, context: Context) -> Part:
    index, got = extract(text, _NUMBERED)
    body = got["body"]
    transport = transport_column(_key(body, "Protocol"))
    printed = Printed(
        _key(body, "SrcIP(?:v6)?[Aa]ddr"),
        _key(body, "SrcPort"),
        _key(body, "DstIP(?:v6)?[Aa]ddr"),
        _key(body, "DstPort"),
        _key(body, "N(?:at|AT)SrcIP(?:v6)?[Aa]ddr"),
        _key(body, "N(?:at|AT)SrcPort"),
        _key(body, "N(?:at|AT)DstIP(?:v6)?[Aa]ddr"),
        _key(body, "N(?:at|AT)DstPort"),
    )
    ends, refusals = session_sides(printed, transport, context)
    event = pc.utf8_rtrim(_key(body, "Event"), ".")
    lines = text.take(pa.array(index))
    columns = ends | _times(lines, _key(body, "BeginTime_e"), _key(body, "EndTime_e"), event, context)
    columns |= {"message": pc.coalesce(event, got["what"]), "account": _key(body, "UserName")}
    block = mask(pc.match_substring_regex(got["what"], _BLOCK))
    whole_line = mask(pc.match_substring_regex(body, r"(?:[; ]Event(?:\(\d+\))? *=|;\s*$)"))
    refusals = {CUT: ~block & ~whole_line} | refusals
    if block.any():
        columns |= _blocks(body, pa.array(block), columns)
        known = mask(pc.is_valid(columns["client_ip"])) & mask(pc.is_valid(columns["public_ip"]))
        refusals[NO_ADDRESS] &= ~(block & known & mask(pc.is_null(printed.target)))
        refusals[_NO_BLOCK] = block & ~mask(
            pc.less_equal(columns["public_port"], columns["public_port_end"])
        )
    return index, columns, refusals


def _key(body: pa.Array, name: str) -> pa.Array:
    value = said(body, rf"(?:^|[;\s]){name}(?:\(\d+\))? *= *(?P<v>[^;]*)")
    return given(pc.utf8_trim_whitespace(value))


def _blocks(body: pa.Array, block: pa.Array, columns: dict[str, pa.Array]) -> dict[str, pa.Array]:
    """First and last port of blocks; the other rows keep what they have."""
    found = pc.extract_regex(body, r"(?i)Port(?:Block|Range)(?:\(\d+\))? *= *\(?(?P<low>\d+)-(?P<high>\d+)")
    low, high = (pc.struct_field(found, name) for name in ("low", "high"))
    first = port(
        pc.coalesce(_key(body, "(?:NatSrc)?(?:Start|Begin)Port"), _key(body, "PortBlockStart"), low)
    )
    last = port(pc.coalesce(_key(body, "(?:NatSrc)?EndPort"), _key(body, "PortBlockEnd"), high))
    return {
        "public_port": pc.if_else(block, first, columns["public_port"]),
        "public_port_end": pc.if_else(block, last, None),
        "client_port": pc.if_else(block, None, columns["client_port"]),
    }


def _times(
    lines: pa.Array, begin: pa.Array, end: pa.Array, event: pa.Array, context: Context
) -> dict[str, pa.Array]:
    """Begin and end; the header's local time for what the line does not say itself.

    A report that the flow is still active bears the time of the report for an end: that is none.
    """
    begun, ended = _utc(begin), _utc(end)
    alive = pc.fill_null(pc.match_substring_regex(event, _ALIVE), False)
    is_over = pc.and_(
        pc.invert(alive), pc.invert(pc.fill_null(pc.match_substring_regex(event, r"(?i)created"), False))
    )
    is_over = pc.and_(is_over, pc.is_valid(event))
    wanted = pc.if_else(is_over, pc.is_null(ended), pc.is_null(begun))
    header = _device_stamps.read(said(pc.if_else(wanted, lines, None), _BEFORE), context).moment
    return {
        "ts": pc.coalesce(begun, pc.if_else(is_over, None, header)),
        "ts_end": pc.if_else(alive, None, pc.coalesce(ended, pc.if_else(is_over, header, None))),
    }


def _utc(text: pa.Array) -> pa.Array:
    """``MMDDYYYYhhmmss`` as times."""
    pattern = r"^(?P<mo>\d\d)(?P<d>\d\d)(?P<y>\d{4})(?P<h>\d\d)(?P<mi>\d\d)(?P<s>\d\d)$"
    found = pc.extract_regex(text, pattern)
    year, month, day, hour, minute, second = (
        pc.fill_null(whole(pc.struct_field(found, name), 9999, pa.int64()), 0).to_numpy(
            zero_copy_only=False
        )
        for name in ("y", "mo", "d", "h", "mi", "s")
    )
    nanos, wrong = from_parts(year, month, day, hour, minute, second, np.zeros(len(text), np.int64))
    return pa.array(nanos, mask=wrong | mask(pc.is_null(found))).cast(TIMESTAMP)


def _five(text: pa.StringArray, context: Context) -> Part:
    index, got = extract(text, _FIVE)
    none = Printed.nothing(len(index))
    printed = Printed(
        got["source"], got["sport"], got["target"], got["dport"], got["nat"], got["nport"], none, none
    )
    ends, refusals = session_sides(printed, transport_column(got["proto"]), context)
    event = pc.replace_substring_regex(got["event"], r"^\(?(\d+)\)?:? *", r"(\1)")
    alive = mask(pc.match_substring_regex(event, _ALIVE))
    begin, end = (pc.if_else(pc.starts_with(got[n], "0000"), None, got[n]) for n in ("begin", "end"))
    columns = ends | {
        "ts": from_iso(begin, context),
        "ts_end": pc.if_else(pa.array(alive), None, from_iso(end, context)),
        "message": event,
    }
    return index, columns, refusals


_HEAD = "<6> Dec 01 16:15:43 2019 F1050-1&2 %%10session/6/SESSION_IPV4_FLOW: "
_FLOW = (
    "Protocol(1001)=TCP;Application(1002)=http;SrcIPAddr(1003)=192.168.187.20;SrcPort(1004)=32926;NatSrcIPAddr(1005)="
    "112.35.18.188;NatSrcPort(1006)=60295;DstIPAddr(1007)=59.252.162.151;DstPort(1008)=80;NatDstIPAddr(1009)="
    "59.252.162.151;NatDstPort(1010)=80;RcvVPNInstance(1042)=;BeginTime_e(1013)=12012019081051;"
)
_ENDED = f"{_HEAD}{_FLOW}EndTime_e(1014)=12012019081543;Event(1048)=(1)Normal over;"
_SERVER = (
    "<6>Mar 13 18:20:09 2026 fw-1 %%10 VsysId:1 nat/6/NAT_IPV4_MATCH: Protocol(1001)=TCP;SrcIPAddr(1003)=68.183.184.83;"
    "SrcPort(1004)=46644;NatSrcIPAddr(1005)=68.183.184.83;NatSrcPort(1006)=46644;DstIPAddr(1007)=102.134.120.157;"
    "DstPort(1008)=22;NatDstIPAddr(1009)=10.17.0.13;NatDstPort(1010)=22;BeginTime_e(1013)=03132026162009;"
    "EndTime_e(1014)=;Event(1048)=(8)Session created; VlanID(1175)=--; DstAddrTransConfig(1248)=NAT server."
)
_USERLOG: str = (
    "%@250005%Jul 7 04:20:04:72 2005 Sysname USERLOG/7/NAT:\n"
    "ICMP; 192.168.1.6:768--->1.1.1.1:12288; 2.2.2.2:768;\n"
    "[2005/07/07 04:20:03-0000/00/00 00:00:00];\n"
    "Operator 8: Data flow created\n"
    "%@250006%Jul 7 04:20:10:72 2005 Sysname USERLOG/7/NAT:\n"
    "ICMP; 192.168.1.6:768--->1.1.1.1:12288; 2.2.2.2:768;\n"
    "[2005/07/07 04:20:03-2005/07/07 04:20:09];\n"
    "Operator 1: Normal over"
)

FORMAT = LogFormat(
    title="H3C session and NAT log (Comware 7 and 5)",
    kinds=("nat",),
    reference="https://www.h3c.com/en/d_202102/1383690_294551_0.htm",
    sniff=lambda lines: among_others(lines, _OWN.search),
    open=_open,
    starts=_starts,
    samples=(
        Sample(
            _ENDED,
            (
                {
                    "kind": "nat", "ts": "2019-12-01T08:10:51.000000000Z", "ts_end": "2019-12-01T08:15:43.000000000Z",
                    "message": "(1)Normal over", "transport": "tcp", "client_ip": "192.168.187.20", "client_port": 32926,
                    "public_ip": "112.35.18.188", "public_port": 60295, "server_ip": "59.252.162.151", "server_port": 80,
                },
            ),
            timezone="Asia/Shanghai",
            note="the header is local time, the fields are UTC",
        ),
        Sample(
            _SERVER,
            (
                {
                    "kind": "nat", "ts": "2026-03-13T16:20:09.000000000Z", "ts_end": None, "message": "(8)Session created",
                    "client_ip": "10.17.0.13", "client_port": 22, "public_ip": "102.134.120.157", "public_port": 22,
                    "server_ip": "68.183.184.83", "server_port": 46644,
                },
            ),
            note="a published server",
        ),
        Sample(
            _USERLOG,
            (
                {
                    "kind": "nat", "ts": "2005-07-06T20:20:03.000000000Z", "ts_end": None, "transport": "icmp",
                    "message": "(8)Data flow created", "client_ip": "192.168.1.6", "client_port": 768,
                    "public_ip": "1.1.1.1", "public_port": 12288, "server_ip": "2.2.2.2",
                },
                {"kind": "nat", "ts_end": "2005-07-06T20:20:09.000000000Z", "message": "(1)Normal over"},
            ),
            timezone="Asia/Shanghai",
            note="Comware 5: a record over four lines, local time",
        ),
        Sample(_ENDED[:90], note="cut off"),
        Sample(_ENDED.replace("60295", "602950"), note="no port"),
    ),
)  # fmt: skip
