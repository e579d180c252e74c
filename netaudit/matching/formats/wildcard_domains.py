"""Lists of ``*.name`` lines as list publishers mean them: the name and everything below."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.lines import Chunk
from netaudit.matching.columns import as_mask
from netaudit.matching.entry_columns import take_names, without_comment
from netaudit.matching.indicator import Scope
from netaudit.matching.list_format import ListFormat, ListSample
from netaudit.matching.rules import RuleSink


def _parse(chunk: Chunk, sink: RuleSink) -> None:
    index, lines = sink.content(chunk, r"[#!;\[]")
    words = without_comment(lines, "#")
    starred = as_mask(pc.starts_with(words, "*."))
    for rows, scope in ((np.flatnonzero(starred), Scope.SUBTREE), (np.flatnonzero(~starred), Scope.EXACT)):
        some, raw = words.take(pa.array(rows)), lines.take(pa.array(rows))
        if scope is Scope.SUBTREE:
            some = pc.utf8_slice_codeunits(some, 2)
        subtree = scope is Scope.SUBTREE
        take_names(sink, index[rows], some, raw, scope=scope, single_labels=subtree, addresses=not subtree)


FORMAT = ListFormat(
    title="*.name lines, each the name and everything below",
    names=("wildcard-domains",),
    reference="hagezi wildcard lists, https://github.com/hagezi/dns-blocklists",
    parse=_parse,
    samples=(
        ListSample(
            "# note\n*.example.com\nalone.example\n",
            hits=("example.com", "www.example.com", "a.b.example.com", "alone.example"),
            misses=("anexample.com", "com", "www.alone.example"),
            note="A name without a star stands for itself.",
        ),
    ),
)
