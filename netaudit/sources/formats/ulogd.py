"""ulogd2's text output of connection tracking: LOGEMU (as a system log) and GPRINT (keys, commas).

LOGEMU writes both tuples without the flow's number and local time without a year. Its packets
(NFLOG) look like those that the kernel itself logs, and are read there.
"""

from __future__ import annotations

import re
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.carrier import peel, read_stamps
from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Rows, Sample, empty_to_null, extract
from netaudit.intake.times import Context
from netaudit.sources.formats._flow_sides import BAD_END, CUT_OFF, Tuples, flow_sides, numbers
from netaudit.sources.formats._open_flows import OpenFlows
from netaudit.sources.formats._outcome import keep, parsed
from netaudit.sources.formats._ulogd import NO_ADDRESSES, nat_columns
from netaudit.sources.formats._values import among_others, mask

_SIDE = r"SRC=(?P<{0}src>\S+) DST=(?P<{0}dst>\S+) PROTO=(?P<{0}proto>\S+)(?: SPT=(?P<{0}sport>\d+) DPT=(?P<{0}dport>\d+))?"
_FLOW = (
    r"^(?:\S+ )?\[(?P<event>NEW|UPDATE|DESTROY)\] ORIG: "
    + _SIDE.format("o")
    + r".*?, REPLY: "
    + _SIDE.format("r")
    + r"(?: |$)"
)
_BEGUN = r"\[(?:NEW|UPDATE|DESTROY)\] ORIG: "
_KEY = r"(?:ct\.event|orig\.ip\.protocol|ip\.protocol|oob\.family)=\d+"
_KEYED = rf"(?:^|[ ,]){_KEY},|,{_KEY}$"
_OWN = re.compile(rf"{_BEGUN}SRC=|{_KEYED}")


def _open(context: Context) -> Parse:
    flows = OpenFlows()

    def parse(chunk: Chunk) -> Parsed:
        lines = chunk.lines
        tuples, bad = _flows(lines, context)
        keyed, bare = _keyed(lines, flows, context)
        begun = np.flatnonzero(mask(pc.match_substring_regex(lines, _BEGUN)))
        torn = np.setdiff1d(begun, np.concatenate((tuples.line, bad)))
        return parsed(len(lines), [tuples, keyed], {CUT_OFF: torn, BAD_END: bad, NO_ADDRESSES: bare})

    return parse


def _flows(lines: pa.StringArray, context: Context) -> tuple[Rows, np.ndarray]:
    """LOGEMU's flows, and the lines of those whose addresses or ports are none."""
    peeled = peel(lines)
    index, got = extract(peeled.rest, _FLOW)
    asked = Tuples(got["osrc"], got["odst"], numbers(got["osport"]), numbers(got["odport"]))
    seen = Tuples(got["rdst"], got["rsrc"], numbers(got["rdport"]), numbers(got["rsport"]))
    columns, good = flow_sides(asked, seen)
    columns |= {
        "ts": read_stamps(peeled.stamp.take(pa.array(index)), context),
        "transport": pc.ascii_lower(got["oproto"]),
        "message": pc.ascii_lower(got["event"]),
    }
    return keep(Rows("nat", columns, index), good), index[~good]


def _keyed(lines: pa.StringArray, flows: OpenFlows, context: Context) -> tuple[Rows, np.ndarray]:
    """GPRINT's records, and the lines of those without addresses."""
    index = np.flatnonzero(mask(pc.match_substring_regex(lines, _KEYED)))
    own = lines.take(pa.array(index))

    @cache
    def get(key: str) -> pa.Array:
        found = pc.extract_regex(own, rf"(?:^|[ ,]){re.escape(key)}=(?P<it>[^,]*)")
        return empty_to_null(pc.struct_field(found, "it"))

    columns, good = nat_columns(get, flows, context)
    return keep(Rows("nat", columns, index), good), index[~good]


_NEW = (
    "Nov 23 00:19:29 gw [NEW] ORIG: SRC=10.1.0.12 DST=198.51.100.7 PROTO=TCP SPT=20500 DPT=443 PKTS=0 BYTES=0 , "
    "REPLY: SRC=198.51.100.7 DST=203.0.113.5 PROTO=TCP SPT=443 DPT=20501 PKTS=0 BYTES=0 "
)
_GPRINT = (
    "orig.ip.saddr.str=10.1.0.12,orig.ip.daddr.str=198.51.100.7,orig.ip.protocol=17,orig.l4.sport=500,"
    "orig.l4.dport=53,reply.ip.saddr.str=198.51.100.7,reply.ip.daddr.str=203.0.113.5,reply.l4.sport=53,"
    "reply.l4.dport=1025,ct.id=9,ct.event=1,flow.start.sec=1795364361,flow.start.usec=299620"
)

FORMAT = LogFormat(
    title="ulogd2 text output (LOGEMU, GPRINT) of connection tracking",
    kinds=("nat",),
    reference="https://netfilter.org/projects/ulogd/",
    sniff=lambda lines: among_others(lines, _OWN.search),
    open=_open,
    samples=(
        Sample(
            _NEW,
            (
                {
                    "kind": "nat",
                    "ts": "2026-11-22T16:19:29.000000000Z",
                    "message": "new",
                    "transport": "tcp",
                    "client_ip": "10.1.0.12",
                    "client_port": 20500,
                    "public_ip": "203.0.113.5",
                    "public_port": 20501,
                    "server_ip": "198.51.100.7",
                    "server_port": 443,
                    "session": None,
                },
            ),
            timezone="Asia/Shanghai",
        ),
        Sample(
            _GPRINT,
            (
                {
                    "kind": "nat",
                    "ts": "2026-11-22T16:19:21.299620000Z",
                    "message": "new",
                    "transport": "udp",
                    "client_ip": "10.1.0.12",
                    "public_ip": "203.0.113.5",
                    "public_port": 1025,
                    "session": "9",
                },
            ),
            note="GPRINT",
        ),
        Sample(_NEW[:150], note="cut off"),
    ),
)
