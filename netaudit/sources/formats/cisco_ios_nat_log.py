"""Cisco IOS and IOS XE translations in a system log (``ip nat log translations syslog``).

Behind the protocol stand inside local, inside global, outside local and outside global. The
destination is the outside global one, as it is met on the wire. Releases differ in the message's name:
``%IPNAT-6-NAT_CREATED: Created tcp``, ``%IPNAT-6-CREATED: tcp``, ``LOG_TRANSLATION: Created Translation TCP``.
"""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Rows, Sample, extract
from netaudit.intake.times import Context
from netaudit.sources.formats import _device_stamps
from netaudit.sources.formats._flow_sides import TORN
from netaudit.sources.formats._ios_nat import translation
from netaudit.sources.formats._torn import rows_or_torn
from netaudit.sources.formats._values import among_others

_MARK = r"%(?:IPNAT-\d-(?:NAT_)?(?:CREATED|DELETED)|NAT-\d-LOG_TRANSLATION): "
_CELL = r" (?P<{0}>\d+\.\d+\.\d+\.\d+)(?::(?P<{0}_port>\d+))?"
_LINE = (
    rf"^(?P<head>.*?)(?P<mark>{_MARK})(?:(?:Created|Deleted) (?:Translation )?)?(?P<proto>[A-Za-z]{{2,6}})"
    + "".join(_CELL.format(name) for name in ("inside", "public", "far_inside", "far"))
    + r"(?: |$)"
)
_DELETED = r"(?i)deleted"
_OWN = re.compile(_MARK)


def _open(context: Context) -> Parse:
    def parse(chunk: Chunk) -> Parsed:
        index, got = extract(chunk.lines, _LINE)
        lines = chunk.lines.take(pa.array(index))
        stamps = _device_stamps.read(got["head"], context)
        if stamps.unsynchronised.any():
            context.notes.add(_device_stamps.UNSYNCHRONISED)
        columns = {
            "ts": stamps.moment,
            **translation(got),
            "transport": pc.ascii_lower(got["proto"]),
            "message": pc.if_else(pc.match_substring_regex(lines, _DELETED), "deleted", "created"),
        }
        rows = Rows("nat", columns, index)
        return rows_or_torn(chunk.lines, rows, ("client_ip", "public_ip"), _MARK, TORN)

    return parse


FORMAT = LogFormat(
    title="Cisco IOS translations in a system log (unverified)",
    kinds=("nat",),
    reference="https://blog.ipspace.net/2008/12/nat-translation-logging.html",
    sniff=lambda lines: among_others(lines, _OWN.search),
    open=_open,
    samples=(
        Sample(
            "<190>45: gw: Nov 23 2026 12:17:12.503 UTC: %IPNAT-6-NAT_CREATED: Created tcp 10.0.0.1:43800 203.0.113.32:1024 "
            "192.168.0.1:80 198.51.100.2:80\n"
            "<190>46: gw: Nov 23 2026 12:18:47.751 UTC: %IPNAT-6-NAT_DELETED: Deleted tcp 10.0.0.1:43800 203.0.113.32:1024 "
            "192.168.0.1:80 198.51.100.2:80",
            (
                {
                    "kind": "nat",
                    "ts": "2026-11-23T12:17:12.503000000Z",
                    "message": "created",
                    "transport": "tcp",
                    "client_ip": "10.0.0.1",
                    "client_port": 43800,
                    "public_ip": "203.0.113.32",
                    "public_port": 1024,
                    "server_ip": "198.51.100.2",
                    "server_port": 80,
                },
                {"kind": "nat", "ts": "2026-11-23T12:18:47.751000000Z", "message": "deleted"},
            ),
        ),
        Sample(
            "Nov 23 12:17:12 gw 45: %IPNAT-6-CREATED: udp 10.0.0.1:53 203.0.113.32:1025 198.51.100.2:53 198.51.100.2:53\n"
            "Nov 23 12:17:12 gw 46: %NAT-6-LOG_TRANSLATION: Deleted Translation UDP 10.0.0.1:53 203.0.113.32:1025 "
            "198.51.100.2:53 198.51.100.2:53 0",
            (
                {
                    "kind": "nat",
                    "ts": "2026-11-23T12:17:12.000000000Z",
                    "message": "created",
                    "transport": "udp",
                },
                {"kind": "nat", "message": "deleted", "public_port": 1025},
            ),
            note="other releases",
        ),
        Sample("Nov 23 12:17:12 gw 45: %IPNAT-6-CREATED: udp 10.0.0.1:53 203.0.1", note="cut off"),
    ),
)
