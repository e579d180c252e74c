"""Spamhaus DROP as JSON lines: ``{"cidr": …, "sblid": …}``."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.lines import Chunk
from netaudit.matching.columns import as_mask
from netaudit.matching.entry_columns import take_addresses
from netaudit.matching.list_format import ListFormat, ListSample
from netaudit.matching.rules import INVALID, RuleSink


def _parse(chunk: Chunk, sink: RuleSink) -> None:
    index, lines = sink.content(chunk, r'\{[^}]*"type"\s*:\s*"metadata"')
    found = pc.extract_regex(lines, r'^\{.*"cidr"\s*:\s*"(?P<cidr>[0-9A-Fa-f.:/]+)".*\}$')
    rows = np.flatnonzero(as_mask(pc.is_valid(found)))
    sink.skip(INVALID, np.delete(index, rows))
    chosen = pa.array(rows)
    take_addresses(sink, index[rows], pc.struct_field(found.take(chosen), "cidr"), lines.take(chosen))


FORMAT = ListFormat(
    title="Spamhaus DROP (JSON lines)",
    names=("spamhaus-drop-json",),
    reference="https://www.spamhaus.org/drop/drop_v4.json",
    parse=_parse,
    samples=(
        ListSample(
            '{"cidr":"192.0.2.0/24","sblid":"SBL1","rir":"x"}\n{"type":"metadata","records":1}\n',
            hits=("192.0.2.200",),
            misses=("192.0.3.1",),
        ),
    ),
)
