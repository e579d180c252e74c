"""Lists as Pi-hole reads them: names, hosts lines, and of Adblock's syntax ``||name^`` only."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.lines import Chunk
from netaudit.matching.columns import as_mask
from netaudit.matching.entry_columns import take_names, without_comment
from netaudit.matching.formats.hosts import take_hosts
from netaudit.matching.indicator import Scope
from netaudit.matching.list_format import ListFormat, ListSample
from netaudit.matching.rules import INVALID, RuleSink


def _parse(chunk: Chunk, sink: RuleSink) -> None:
    index, lines = sink.content(chunk, r"[#!;\[]")
    marked = as_mask(pc.match_substring_regex(lines, r"^[|@]"))
    usual = as_mask(pc.match_substring_regex(lines, r"^\|\|[^*^/$|]+\^$"))
    cosmetic = as_mask(pc.match_substring_regex(lines, r"#[@?$%]?#|\$\$"))
    hosts = ~marked & as_mask(pc.match_substring_regex(lines, r"^[0-9A-Fa-f.:]*[.:][0-9A-Fa-f.:]*\s+\S"))
    sink.skip(INVALID, index[(marked & ~usual) | cosmetic])
    rows = np.flatnonzero(usual)
    raw = lines.take(pa.array(rows))
    names = pc.utf8_slice_codeunits(raw, 2, -1)
    take_names(sink, index[rows], names, raw, scope=Scope.SUBTREE, single_labels=True, addresses=False)
    take_hosts(sink, index[hosts], lines.filter(pa.array(hosts)))
    rows = np.flatnonzero(~(marked | hosts | cosmetic))
    raw = lines.take(pa.array(rows))
    words = without_comment(raw, "#")
    take_names(sink, index[rows], words, raw, scope=Scope.EXACT, addresses=False)


FORMAT = ListFormat(
    title="Pi-hole subscribed list",
    names=("pihole-list",),
    reference="https://docs.pi-hole.net (src/tools/gravity-parseList.c)",
    parse=_parse,
    samples=(
        ListSample(
            "||bad.example^\n0.0.0.0 host.example\nplain.example\n||open.example\n@@||ok.example^\n",
            hits=("bad.example", "x.bad.example", "host.example", "plain.example"),
            misses=("open.example", "ok.example", "x.plain.example"),
        ),
    ),
)
