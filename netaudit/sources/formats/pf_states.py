"""pf's state table as ``pfctl -ss`` prints it: a moment, useful only where it is polled.

Outwards a line is ``IF PROTO PUBLIC (INSIDE) -> FAR``, inwards ``IF PROTO INSIDE (PUBLIC) <- FAR``;
what stands in parentheses is the side before the translation and is left out where nothing changed.
The table has no time: the source says when it was taken (``taken_at``).
"""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Rows, Sample, extract, share
from netaudit.intake.times import Context, taken_at
from netaudit.records.schemas import TIMESTAMP
from netaudit.sources.formats._flow_sides import TORN, Tuples, flow_sides, numbers
from netaudit.sources.formats._outcome import keep, parsed
from netaudit.sources.formats._values import mask

_HOST = r"(?P<{0}>[0-9a-fA-F.:]+?)(?:[:\[](?P<{0}_port>\d+)\]?)?"
_LINE = (
    r"^(?P<interface>\S+) (?P<proto>[a-z0-9-]+) "
    + _HOST.format("near")
    + r"(?: \("
    + _HOST.format("near_before")
    + r"\))? (?P<way>->|<-) "
    + _HOST.format("far")
    + r"(?: \("
    + _HOST.format("far_before")
    + r"\))?\s+[A-Z0-9_]+:[A-Z0-9_]+\s*$"
)
_BEGUN = r"^\S+ [a-z0-9-]+ \S+ (?:\(\S+\) )?(?:->|<-) "
_OWN = re.compile(
    r"\S+ [a-z0-9-]+ [0-9a-fA-F.:\[\]]+ (?:\([0-9a-fA-F.:\[\]]+\) )?(?:->|<-) [0-9a-fA-F.:\[\]]+ "
)


def _open(context: Context) -> Parse:
    def parse(chunk: Chunk) -> Parsed:
        index, got = extract(chunk.lines, _LINE)
        before = {n: pc.coalesce(got[f"{n}_before"], got[n]) for n in ("near", "far")}
        ports = {n: numbers(got[f"{n}_port"]) for n in ("near", "near_before", "far", "far_before")}
        was = {
            n: np.where(mask(pc.is_valid(got[f"{n}_before"])), ports[f"{n}_before"], ports[n])
            for n in ("near", "far")
        }
        outward = pc.equal(got["way"], "->")
        out = mask(outward)
        asked = Tuples(
            pc.if_else(outward, before["near"], before["far"]),
            pc.if_else(outward, before["far"], before["near"]),
            np.where(out, was["near"], was["far"]),
            np.where(out, was["far"], was["near"]),
        )
        seen = Tuples(
            pc.if_else(outward, got["near"], got["far"]),
            pc.if_else(outward, got["far"], got["near"]),
            np.where(out, ports["near"], ports["far"]),
            np.where(out, ports["far"], ports["near"]),
        )
        columns, good = flow_sides(asked, seen)
        columns |= {
            "transport": pc.if_else(pc.equal(got["proto"], "ipv6-icmp"), "icmpv6", got["proto"]),
            "message": pa.array(["entry"] * len(index), pa.string()),
            "ts": pa.array([taken_at(context)] * len(index), pa.int64()).cast(TIMESTAMP),
        }
        rows = keep(Rows("nat", columns, index), good)
        begun = np.flatnonzero(mask(pc.match_substring_regex(chunk.lines, _BEGUN)))
        torn = np.setdiff1d(np.union1d(begun, index), rows.line)
        return parsed(len(chunk.lines), [rows], {TORN: torn})

    return parse


FORMAT = LogFormat(
    title="pf state table (pfctl -ss)",
    kinds=("nat",),
    reference="https://man.freebsd.org/cgi/man.cgi?query=pfctl",
    sniff=lambda lines: share(lines, _OWN.match),
    open=_open,
    samples=(
        Sample(
            "all tcp 203.0.113.5:50444 (10.0.0.100:54191) -> 198.51.100.7:443       ESTABLISHED:ESTABLISHED",
            (
                {
                    "kind": "nat",
                    "ts": None,
                    "message": "entry",
                    "transport": "tcp",
                    "client_ip": "10.0.0.100",
                    "client_port": 54191,
                    "public_ip": "203.0.113.5",
                    "public_port": 50444,
                    "server_ip": "198.51.100.7",
                    "server_port": 443,
                },
            ),
        ),
        Sample(
            "all tcp 10.30.50.3:80 (203.0.113.5:8080) <- 198.51.100.2:35520       FIN_WAIT_2:FIN_WAIT_2\n"
            "em1 tcp 198.51.100.7:443 <- 10.0.0.100:54191       ESTABLISHED:ESTABLISHED\n"
            "em0 udp 2001:db8::9[4000] -> 2001:db8:ff::7[53]       MULTIPLE:SINGLE",
            (
                {
                    "kind": "nat",
                    "client_ip": "10.30.50.3",
                    "client_port": 80,
                    "public_ip": "203.0.113.5",
                    "public_port": 8080,
                    "server_ip": "198.51.100.2",
                    "server_port": 35520,
                },
                {"kind": "nat", "client_ip": "10.0.0.100", "public_ip": None, "server_port": 443},
                {"kind": "nat", "client_ip": "2001:db8::9", "client_port": 4000, "server_port": 53},
            ),
            note="a published server; a state on the inner interface; IPv6",
        ),
        Sample("all tcp 203.0.113.5:50444 (10.0.0.100:54191) -> 198.51", note="cut off"),
    ),
)
