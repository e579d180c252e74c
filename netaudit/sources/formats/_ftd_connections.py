"""Connection events of Firepower Threat Defense (430002 begin, 430003 end): ``Key: value, Key: value``.

Who opened the connection is told, so no side has to be found out. Versions before 6.5 tell neither
the first packet's time nor an id; before 7.1 no translation: then the public side is unknown.
"""

from __future__ import annotations

import dataclasses
import datetime as dt

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.log_format import Rows, extract, said
from netaudit.intake.times import Context, from_iso
from netaudit.records.schemas import TIMESTAMP
from netaudit.sources.formats import _device_stamps
from netaudit.sources.formats._flow_sides import Printed, session_sides
from netaudit.sources.formats._sessions import settle
from netaudit.sources.formats._transports import transport_column
from netaudit.sources.formats._values import given, whole

_EVENT = r"^(?P<head>.*?)%FTD-(?:[A-Za-z]+-)?\d-(?P<number>43000[23]):? (?P<body>.*)$"
_NOBODY = ("No Authentication Required", "Not Found", "Unknown", "Unauthenticated", "N/A")
_MOST_SECONDS = 10 * 366 * 86_400


def connections(lines: pa.StringArray, context: Context) -> tuple[Rows, dict[str, np.ndarray]]:
    """The connection events among lines: rows of `nat`, and reason to lines of those that do not hold."""
    index, got = extract(lines, _EVENT)

    def told(key: str) -> pa.Array:
        return said(got["body"], rf"(?:^|, ){key}: (?P<v>.*?)(?:, [A-Z][A-Za-z_ ]*: |\s*$)")

    printed = Printed(
        told("SrcIP"), told("SrcPort"), told("DstIP"), told("DstPort"),
        told("NAT_InitiatorIP"), told("NAT_InitiatorPort"), told("NAT_ResponderIP"), told("NAT_ResponderPort"),
    )  # fmt: skip
    ends, refusals = session_sides(printed, transport_column(told("Protocol")), context)
    over = pc.equal(got["number"], "430003")
    first = from_iso(told("FirstPacketSecond"), dataclasses.replace(context, zone=dt.UTC)).cast(pa.int64())
    stamp = _device_stamps.read(got["head"], context).moment.cast(pa.int64())
    length = pc.multiply(whole(told("ConnectionDuration"), _MOST_SECONDS, pa.int64()), 10**9)
    began = pc.coalesce(first, pc.if_else(over, pc.subtract(stamp, length), stamp))
    ended = pc.if_else(over, pc.coalesce(pc.add(first, length), stamp), None)
    verdict = pc.ascii_lower(told("AccessControlRuleAction"))
    blocked = pc.fill_null(pc.starts_with(verdict, "block"), False)
    word = pc.if_else(blocked, "blocked", pc.if_else(over, "end", "start"))
    columns = ends | {
        "ts": began.cast(TIMESTAMP),
        "ts_end": ended.cast(TIMESTAMP),
        "message": pc.binary_join_element_wise(got["number"], word, " "),
        "action": verdict,
        "account": given(told("User"), _NOBODY),
        "session": pc.binary_join_element_wise(told("InstanceID"), told("ConnectionID"), "/"),
    }
    return settle(columns, refusals, index)
