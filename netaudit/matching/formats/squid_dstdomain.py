"""Squid's ``dstdomain`` lists: a leading dot means everything below as well."""

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
    index, lines = sink.content(chunk, "#")
    words = without_comment(lines, "#")
    dotted = as_mask(pc.starts_with(words, "."))
    below, alone = np.flatnonzero(dotted), np.flatnonzero(~dotted)
    names = pc.utf8_slice_codeunits(words.take(pa.array(below)), 1)
    raw = lines.take(pa.array(below))
    take_names(sink, index[below], names, raw, scope=Scope.SUBTREE, single_labels=True, addresses=False)
    words, raw = words.take(pa.array(alone)), lines.take(pa.array(alone))
    take_names(sink, index[alone], words, raw, scope=Scope.EXACT)


FORMAT = ListFormat(
    title="Squid dstdomain",
    names=("squid-dstdomain",),
    reference="https://www.squid-cache.org/Doc/config/acl/",
    parse=_parse,
    samples=(
        ListSample(
            ".bad.example\nalone.example # note\n",
            hits=("bad.example", "http://a.bad.example/x", "alone.example:8080"),
            misses=("notbad.example", "www.alone.example"),
        ),
    ),
)
