"""pfnattrack: the translations of pf, each written when its state ends.

``osrc`` and ``odst`` are the tuple as the opener asked, ``tsrc`` and ``tdst`` the one behind the
translation. The stamp is the end; the state began ``duration`` seconds before it.
"""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Rows, Sample, extract, said
from netaudit.intake.times import Context, from_iso
from netaudit.records.addresses import mac_column
from netaudit.records.schemas import TIMESTAMP
from netaudit.sources.formats._flow_sides import TORN, Tuples, flow_sides, numbers
from netaudit.sources.formats._outcome import keep, parsed
from netaudit.sources.formats._transports import transport_column
from netaudit.sources.formats._values import among_others, mask

_END = r"{0}=\[?(?P<{0}>[0-9a-fA-F.:]+?)\]?:(?P<{0}_port>\d+)(?: \((?P<{0}_mac>[0-9a-fA-F:]+)\))?"
_LINE = (
    r"^(?P<date>\d{4}-\d{2}-\d{2})[ ,T](?P<clock>\d{2}:\d{2}:\d{2})(?P<zone> (?:UTC|GMT)|Z)?(?: [A-Z]{3,5})? "
    r"(?:proto=)?(?P<proto>[a-z0-9]+) "
)
_ENDS = tuple(_END.format(name) for name in ("osrc", "odst", "tsrc", "tdst"))
_DURATION = r" duration=(?P<it>\d{1,9})\b"
_BEGUN = r"^\d{4}-\d{2}-\d{2}[ ,T]\d{2}:\d{2}:\d{2}.* (?:osrc|tsrc)="
_OWN = re.compile(_BEGUN)


def _open(context: Context) -> Parse:
    def parse(chunk: Chunk) -> Parsed:
        begun = np.flatnonzero(mask(pc.match_substring_regex(chunk.lines, _BEGUN)))
        index, got = extract(chunk.lines.take(pa.array(begun)), _LINE)
        index = begun[index]
        lines = chunk.lines.take(pa.array(index))
        for pattern in _ENDS:  # the order of the tuples differs between versions
            found = pc.extract_regex(lines, pattern)
            got |= {field.name: pc.struct_field(found, field.name) for field in found.type}
        asked = Tuples(got["osrc"], got["odst"], numbers(got["osrc_port"]), numbers(got["odst_port"]))
        seen = Tuples(got["tsrc"], got["tdst"], numbers(got["tsrc_port"]), numbers(got["tdst_port"]))
        columns, good = flow_sides(asked, seen)
        columns |= {
            **_times(got, said(lines, _DURATION), context),
            "client_mac": mac_column(got["osrc_mac"]),
            "transport": transport_column(got["proto"]),
            "message": pa.array(["end"] * len(lines), pa.string()),
        }
        rows = keep(Rows("nat", columns, index), good)
        torn = np.setdiff1d(begun, rows.line)
        return parsed(len(chunk.lines), [rows], {TORN: torn})

    return parse


def _times(got: dict[str, pa.Array], duration: pa.Array, context: Context) -> dict[str, pa.Array]:
    zone = pc.if_else(pc.is_valid(got["zone"]), "Z", "")
    over = from_iso(
        pc.binary_join_element_wise(pc.binary_join_element_wise(got["date"], got["clock"], " "), zone, ""),
        context,
    )
    nanos = pc.multiply(duration.cast(pa.int64()), 10**9)
    return {"ts": pc.subtract(over.cast(pa.int64()), nanos).cast(TIMESTAMP), "ts_end": over}


_FIRST = (
    "2020-09-27 20:44:56 proto=6 osrc=10.10.0.100:54191 odst=198.51.100.7:443 tsrc=203.0.113.5:50444 "
    "tdst=198.51.100.7:443 duration=90"
)

FORMAT = LogFormat(
    title="pfnattrack: translations of pf (unverified)",
    kinds=("nat",),
    reference="https://github.com/italovalcy/pfnattrack",
    sniff=lambda lines: among_others(lines, _OWN.match),
    open=_open,
    samples=(
        Sample(
            _FIRST,
            (
                {
                    "kind": "nat",
                    "ts": "2020-09-27T12:43:26.000000000Z",
                    "ts_end": "2020-09-27T12:44:56.000000000Z",
                    "message": "end",
                    "transport": "tcp",
                    "client_ip": "10.10.0.100",
                    "client_port": 54191,
                    "public_ip": "203.0.113.5",
                    "public_port": 50444,
                    "server_ip": "198.51.100.7",
                    "server_port": 443,
                },
            ),
            timezone="Asia/Shanghai",
        ),
        Sample(
            "2020-10-04 17:05:30 UTC udp osrc=10.10.0.1:123 (00:1b:21:00:00:7e) odst=198.51.100.9:123 "
            "tsrc=203.0.113.5:9689 tdst=198.51.100.9:123 duration=34",
            (
                {
                    "kind": "nat",
                    "ts": "2020-10-04T17:04:56.000000000Z",
                    "transport": "udp",
                    "client_mac": "00:1b:21:00:00:7e",
                    "public_port": 9689,
                },
            ),
            timezone="Asia/Shanghai",
            note="a later version: in UTC, with the MAC",
        ),
        Sample(
            "2020-10-04,17:05:30 proto=6 osrc=198.51.100.4:38866 tsrc=198.51.100.4:38866 odst=203.0.113.5:8080 "
            "tdst=10.10.0.13:80 duration=2",
            ({"kind": "nat", "client_ip": "10.10.0.13", "public_port": 8080, "server_ip": "198.51.100.4"},),
            note="a published server",
        ),
        Sample(_FIRST[:70], note="cut off"),
    ),
)
