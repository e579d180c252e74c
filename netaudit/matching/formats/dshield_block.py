"""DShield's block list: first address, last address, prefix length, and more, between tabs."""

from __future__ import annotations

import pyarrow.compute as pc

from netaudit.intake.lines import Chunk
from netaudit.matching.entry_columns import take_addresses
from netaudit.matching.list_format import ListFormat, ListSample
from netaudit.matching.rules import RuleSink


def _parse(chunk: Chunk, sink: RuleSink) -> None:
    index, lines = sink.content(chunk, r"#|Start\t")
    first = pc.replace_substring_regex(lines, r"^(\S+)\t(\S+)\t.*$", r"\1-\2")
    take_addresses(sink, index, first, lines)


FORMAT = ListFormat(
    title="DShield block list",
    names=("dshield-block",),
    reference="https://feeds.dshield.org/block.txt",
    parse=_parse,
    samples=(
        ListSample(
            "# note\nStart\tEnd\tNetblock\tAttacks\n203.0.113.0\t203.0.113.255\t24\t788\n",
            hits=("203.0.113.9",),
            misses=("203.0.114.9",),
        ),
    ),
)
