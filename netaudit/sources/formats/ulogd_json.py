"""ulogd2's JSON output: connection tracking (NFCT) and logged packets (NFLOG).

The plugin renames the opener's addresses to ``src_ip`` and ``dest_ip`` and leaves those of the reply
as they are. ``timestamp`` is when the line was written; the flow's own begin and end are used where
there is none.
"""

from __future__ import annotations

import re
from functools import cache

import pyarrow as pa

from netaudit.intake import json_lines
from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Rows, Sample
from netaudit.intake.times import Context
from netaudit.sources.formats._open_flows import OpenFlows
from netaudit.sources.formats._outcome import keep, refused
from netaudit.sources.formats._ulogd import KEYS, NO_ADDRESSES, nat_columns
from netaudit.sources.formats._values import among_others

_NUMBERED = re.compile(r"(?:port|sec|protocol|\.id|\.event)\Z")
_SCHEMA = pa.schema([(key, pa.int64() if _NUMBERED.search(key) else pa.string()) for key in KEYS])
_OWN = re.compile(r'\s*\{.*"(?:ct\.event|orig\.ip\.protocol|oob\.prefix|oob\.family)"\s*:')


def _open(context: Context) -> Parse:
    flows = OpenFlows()

    def parse(chunk: Chunk) -> Parsed:
        objects = json_lines.read(chunk.lines, _SCHEMA)

        @cache
        def get(key: str) -> pa.Array:
            return objects.column(key).cast(pa.string())

        columns, good = nat_columns(get, flows, context)
        return Parsed(
            [keep(Rows("nat", columns, objects.index), good)],
            refused({**objects.rejected, NO_ADDRESSES: objects.index[~good]}),
            objects.blank,
        )

    return parse


_DESTROY = (
    '{"timestamp": "2026-11-23T00:19:29+0800", "dvc": "Netfilter", "orig.ip.protocol": 6, "orig.l4.sport": 20500, '
    '"orig.l4.dport": 443, "reply.ip.protocol": 6, "reply.l4.sport": 443, "reply.l4.dport": 20501, "ct.mark": 0, '
    '"ct.id": 732671963, "ct.event": 4, "flow.start.sec": 1795364361, "flow.start.usec": 299456, '
    '"flow.end.sec": 1795364367, "flow.end.usec": 498566, "oob.family": 2, "oob.protocol": 0, '
    '"src_ip": "10.1.0.11", "dest_ip": "198.51.100.7", "reply.ip.saddr.str": "198.51.100.7", '
    '"reply.ip.daddr.str": "203.0.113.5"}'
)

FORMAT = LogFormat(
    title="ulogd2 JSON output (connection tracking and packets)",
    kinds=("nat",),
    reference="https://netfilter.org/projects/ulogd/",
    sniff=lambda lines: among_others(lines, _OWN.match),
    open=_open,
    samples=(
        Sample(
            _DESTROY,
            (
                {
                    "kind": "nat",
                    "ts": "2026-11-22T16:19:21.299456000Z",
                    "ts_end": "2026-11-22T16:19:27.498566000Z",
                    "message": "destroy",
                    "transport": "tcp",
                    "client_ip": "10.1.0.11",
                    "client_port": 20500,
                    "public_ip": "203.0.113.5",
                    "public_port": 20501,
                    "server_ip": "198.51.100.7",
                    "server_port": 443,
                    "session": "732671963",
                },
            ),
        ),
        Sample(
            _DESTROY.replace('"timestamp": "2026-11-23T00:19:29+0800", ', ""),
            (
                {
                    "kind": "nat",
                    "ts": "2026-11-22T16:19:21.299456000Z",
                    "ts_end": "2026-11-22T16:19:27.498566000Z",
                },
            ),
            note="without a stamp of its own: begin and end of the flow",
        ),
        Sample(_DESTROY.replace('"src_ip": "10.1.0.11", ', ""), note="without an address"),
    ),
)
