"""ulogd2's OPRINT output: one key a line, ``===>PACKET BOUNDARY`` before each record."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Rows, Sample, extract, share
from netaudit.intake.times import Context
from netaudit.sources.formats._open_flows import OpenFlows
from netaudit.sources.formats._outcome import keep, refused
from netaudit.sources.formats._stanzas import Stanzas
from netaudit.sources.formats._ulogd import NO_ADDRESSES, nat_columns
from netaudit.sources.formats._values import mask

_OWN = re.compile(r"===>PACKET BOUNDARY\s*\Z|[a-z][a-z0-9]*(?:\.[a-z0-9]+)+=|ct=")


def _starts(lines: pa.StringArray) -> np.ndarray:
    return mask(pc.starts_with(lines, "===>PACKET BOUNDARY"))


def _sniff(lines: list[str]) -> float:
    return share(lines, _OWN.match) if any(line.startswith("===>PACKET") for line in lines) else 0.0


def _open(context: Context) -> Parse:
    flows = OpenFlows()

    def parse(chunk: Chunk) -> Parsed:
        records = Stanzas.beginning(_starts(chunk.lines))
        index, got = extract(chunk.lines, r"^(?P<key>[a-z][a-z0-9.]*)=(?P<value>.*)$")

        def get(key: str) -> pa.Array:
            here = mask(pc.equal(got["key"], key))
            return records.column(index[here], got["value"].filter(pa.array(here)))

        columns, good = nat_columns(get, flows, context)
        lost = np.concatenate((records.orphans(chunk.lines)[:1], records.first[~good]))
        rows = keep(Rows("nat", columns, records.first), good)
        return Parsed([rows], refused({NO_ADDRESSES: lost}))

    return parse


_HEAD = "===>PACKET BOUNDARY\norig.ip.saddr=11.0.1.10\norig.ip.daddr=7.100.51.198\n"
_TUPLES = (
    "orig.ip.protocol=6\norig.l4.sport=20500\norig.l4.dport=443\nreply.ip.protocol=6\nreply.l4.sport=443\n"
    "reply.l4.dport=20501\nct.id=732671963\nct.event=4\nflow.start.sec=1795364361\nflow.start.usec=299620\n"
    "flow.end.sec=1795364367\nflow.end.usec=498566\nct=default\n"
)
_TEXTS = (
    "orig.ip.saddr.str=10.1.0.11\norig.ip.daddr.str=198.51.100.7\nreply.ip.saddr.str=198.51.100.7\n"
    "reply.ip.daddr.str=203.0.113.5"
)

FORMAT = LogFormat(
    title="ulogd2 OPRINT output (connection tracking and packets)",
    kinds=("nat",),
    reference="https://netfilter.org/projects/ulogd/",
    sniff=_sniff,
    open=_open,
    starts=_starts,
    samples=(
        Sample(
            _HEAD + _TUPLES + _TEXTS,
            (
                {
                    "kind": "nat",
                    "ts": "2026-11-22T16:19:21.299620000Z",
                    "ts_end": "2026-11-22T16:19:27.498566000Z",
                    "message": "destroy",
                    "transport": "tcp",
                    "client_ip": "10.1.0.11",
                    "public_ip": "203.0.113.5",
                    "public_port": 20501,
                    "server_ip": "198.51.100.7",
                    "session": "732671963",
                },
            ),
            note="the numeric addresses are reversed; those of the filter IP2STR are read",
        ),
        Sample(_HEAD + _TUPLES.rstrip(), note="cut off"),
    ),
)
