"""The captive portal of pfSense and OPNsense in a system log (``logportalauth``)."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.carrier import peel, read_stamps
from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Rows, Sample, extract
from netaudit.intake.times import Context
from netaudit.records.addresses import ip_column, mac_column
from netaudit.sources.formats._outcome import refused
from netaudit.sources.formats._patterns import CUT_OFF, MAC
from netaudit.sources.formats._values import among_others, mask

_PROGRAM = "logportalauth"
# The user's name may hold anything: MAC and address are the last cells before the portal's remark
_LINE = (
    r"^(?:Zone: (?P<zone>.*?) - )?(?P<message>[A-Z][A-Z _-]*[A-Z]): (?P<user>.*), "
    rf"(?P<mac>{MAC})?, (?P<ip>[0-9a-fA-F.:]+)(?:, .*)?$"
)
_OWN = re.compile(rf".*\b{_PROGRAM}\b(?:\[\d+\])?(?:: | \d* ?- )")
_NOBODY = ("unauthenticated", "anonymous")


def _open(context: Context) -> Parse:
    def parse(chunk: Chunk) -> Parsed:
        peeled = peel(chunk.lines)
        own = mask(pc.equal(peeled.program, _PROGRAM))
        index, got = extract(pc.if_else(pa.array(own), peeled.rest, None), _LINE)
        here = pa.array(index)
        columns = {
            "ts": read_stamps(peeled.stamp.take(here), context),
            "message": got["message"],
            "account": pc.if_else(pc.is_in(got["user"], value_set=pa.array(_NOBODY)), None, got["user"]),
            "client_mac": mac_column(got["mac"]),
            "client_ip": ip_column(got["ip"]),
            "nas": peeled.host.take(here),
        }
        torn = np.setdiff1d(np.flatnonzero(own), index)
        return Parsed(
            [Rows("radius", columns, index)] if len(index) else [],
            refused({CUT_OFF: torn}),
            len(chunk.lines) - len(index) - len(torn),
        )

    return parse


FORMAT = LogFormat(
    title="Captive portal of pfSense and OPNsense (unverified)",
    kinds=("radius",),
    reference="https://docs.netgate.com/pfsense/en/latest/captiveportal/",
    sniff=lambda lines: among_others(lines, _OWN.match),
    open=_open,
    samples=(
        Sample(
            "Jun 27 2026 21:05:41 fw logportalauth[11593]: Zone: guest - ACCEPT: lisi, 52:54:00:aa:00:01, 10.2.9.8\n"
            "Jun 27 2026 22:05:41 fw logportalauth[11593]: Zone: guest - IDLE TIMEOUT: lisi, 52:54:00:aa:00:01, 10.2.9.8\n"
            "Jun 27 2026 22:06:41 fw logportalauth[11593]: Zone: guest - USER LOGIN: x, y, , 10.2.9.9",
            (
                {
                    "kind": "radius",
                    "ts": "2026-06-27T13:05:41.000000000Z",
                    "message": "ACCEPT",
                    "account": "lisi",
                    "client_mac": "52:54:00:aa:00:01",
                    "client_ip": "10.2.9.8",
                    "nas": "fw",
                },
                {"kind": "radius", "message": "IDLE TIMEOUT"},
                {"kind": "radius", "message": "USER LOGIN", "account": "x, y", "client_mac": None},
            ),
            timezone="Asia/Shanghai",
        ),
        Sample(
            "Jun 27 2026 21:05:41 fw logportalauth[11593]: Zone: guest - ACCEPT: lisi, 52:54",
            note="cut off",
        ),
    ),
)
