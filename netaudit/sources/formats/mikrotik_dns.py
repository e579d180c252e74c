"""MikroTik RouterOS's ``dns`` topic: debug lines of its forwarder.

``query from IP: #N NAME TYPE``, and later ``done query: #N NAME VALUE``, which has the same number.
"""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake import carrier, times
from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Sample, extract, said
from netaudit.records.addresses import ip_column
from netaudit.records.names import normalise_column
from netaudit.sources.dns_words import qtype_column
from netaudit.sources.formats._lookups import lookups
from netaudit.sources.formats._owned import first_of, latest_before, lists_of
from netaudit.sources.formats._values import among_others, mask

_ASKS = r"\bquery from (?P<ip>[0-9a-fA-F:.]*[0-9a-fA-F]):? #(?P<id>\d+) (?P<name>\S+) (?P<qtype>[A-Za-z0-9]+|#\d+)\.?\s*$"
_LIKE = r"\bquery from [0-9a-fA-F:.]+:? #\d"
_DONE = r"\bdone query: #(?P<id>\d+) (?P<text>.*)$"
_VALUE = r"^\S+ (?P<ip>[0-9a-fA-F]*[.:][0-9a-fA-F.:]+)$"
_OURS = re.compile(rf"{_LIKE}|\bdone query: #\d+ ")


def _open(context: times.Context) -> Parse:
    def parse(chunk: Chunk) -> Parsed:
        index, field = extract(chunk.lines, _ASKS)
        told, done = extract(chunk.lines, _DONE)
        question, reply = latest_before(field["id"], index, done["id"], told)
        text = done["text"].take(pa.array(reply))
        value = said(text, _VALUE)
        absent = pc.if_else(
            pc.match_substring(text, "name does not exist"), "NXDOMAIN", pa.scalar(None, pa.string())
        )
        stamp = carrier.peel(chunk.lines.take(pa.array(index))).stamp
        columns = {
            "ts": carrier.read_stamps(stamp, context),
            "client_ip": ip_column(field["ip"]),
            "name": normalise_column(field["name"]),
            "qtype": qtype_column(pc.utf8_ltrim(field["qtype"], "#")),
            "rcode": first_of(len(index), question, absent),
            "answers": lists_of(len(index), question, value),
        }
        return lookups(chunk.lines, index, columns, _LIKE)

    return parse


def _starts(lines: pa.StringArray) -> np.ndarray:
    return mask(pc.match_substring_regex(lines, _LIKE))


def _sniff(lines: list[str]) -> float:
    return among_others(lines, _OURS.search)


_SAMPLES = (
    Sample(
        "2026-11-23T00:00:40+08:00 gw dns query from 192.168.88.10: #421 www.example.org. A\n"
        "2026-11-23T00:00:40+08:00 gw dns done query: #421 www.example.org 192.0.2.1",
        ({
            "kind": "dns", "ts": "2026-11-22T16:00:40.000000000Z", "client_ip": "192.168.88.10", "client_port": None,
            "name": "www.example.org", "qtype": "A", "answers": ["192.0.2.1"],
        },),
        note="written from the documentation",
    ),
    Sample("2026-11-23T00:00:40+08:00 gw dns query from 192.168.88.10: #421 www.exam", note="cut: rejected"),
)  # fmt: skip

FORMAT = LogFormat(
    title="MikroTik RouterOS dns topic (unverified)",
    kinds=("dns",),
    reference="https://help.mikrotik.com/docs/display/ROS/Log",
    sniff=_sniff,
    open=_open,
    samples=_SAMPLES,
    starts=_starts,
)
