"""Cisco ASA's table of translations (``show xlate``): a moment, useful only where it is polled.

A translation of single addresses is a record; one of whole networks is none, as it does not say
which host had which address. The table has no time: the source says when it was taken (``taken_at``).
"""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Rows, Sample, extract
from netaudit.intake.times import Context, taken_at
from netaudit.records.addresses import ip_column
from netaudit.records.schemas import TIMESTAMP
from netaudit.sources.formats._flow_sides import TORN
from netaudit.sources.formats._torn import rows_or_torn
from netaudit.sources.formats._values import among_others, port

_BEGUN = r"^\s*(?:(?:TCP|UDP|ICMP|SCTP) PAT|NAT) from [^\s:]+:"
_ENTRY = (
    r"^\s*(?:(?P<proto>TCP|UDP|ICMP|SCTP) PAT|NAT) from [^\s:]+:(?P<real>[0-9A-Fa-f.:]+)(?:/(?P<port>\d+))?"
    r" to [^\s:]+:(?P<map>[0-9A-Fa-f.:]+)(?:/(?P<mapport>\d+))?(?:\s|$)"
)
_NETWORKS = r"^\s*NAT from [^\s:]+:[^ ]*(?:/|,)|^\s*NAT from \S+ to [^\s:]+:[0-9A-Fa-f.:]+/"
_OWN = re.compile(_BEGUN)


def _open(context: Context) -> Parse:
    def parse(chunk: Chunk) -> Parsed:
        networks = pc.match_substring_regex(chunk.lines, _NETWORKS)
        entries = pc.if_else(networks, "", chunk.lines)
        index, got = extract(entries, _ENTRY)
        columns = {
            "ts": pa.array([taken_at(context)] * len(index), pa.int64()).cast(TIMESTAMP),
            "client_ip": ip_column(got["real"]),
            "client_port": port(got["port"]),
            "public_ip": ip_column(got["map"]),
            "public_port": port(got["mapport"]),
            "transport": pc.ascii_lower(got["proto"]),
            "message": pa.array(["entry"] * len(index), pa.string()),
        }
        rows = Rows("nat", columns, index)
        return rows_or_torn(entries, rows, ("client_ip", "public_ip"), _BEGUN, TORN)

    return parse


FORMAT = LogFormat(
    title="Cisco ASA table of translations (show xlate)",
    kinds=("nat",),
    reference="https://www.cisco.com/c/en/us/td/docs/security/asa/asa-cli-reference/S/asa-command-ref-S.html",
    sniff=lambda lines: among_others(lines, _OWN.match),
    open=_open,
    numbered=False,
    samples=(
        Sample(
            "5 in use, 5 most used\nFlags: D - DNS, i - dynamic, r - portmap, s - static, I - identity, T - twice\n"
            "NAT from any:10.1.1.0/24 to any:172.16.1.0/24\n    flags idle 277:05:26 timeout 0:00:00\n"
            "NAT from inside:192.168.1.150 to outside:203.0.113.252 flags s idle 0:01:37 timeout 0:00:00\n"
            "TCP PAT from inside:10.1.1.50/59782 to outside:203.0.113.1/1024 flags ri idle 0:00:54 timeout 0:00:30",
            (
                {
                    "kind": "nat",
                    "ts": None,
                    "message": "entry",
                    "transport": None,
                    "client_ip": "192.168.1.150",
                    "public_ip": "203.0.113.252",
                    "public_port": None,
                },
                {
                    "kind": "nat",
                    "transport": "tcp",
                    "client_ip": "10.1.1.50",
                    "client_port": 59782,
                    "public_ip": "203.0.113.1",
                    "public_port": 1024,
                },
            ),
        ),
        Sample("TCP PAT from inside:10.1.1.50/59782 to outs", note="cut off"),
    ),
)
