"""Domain lists of Clash and mihomo, where a star is one label."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.lines import Chunk
from netaudit.matching.columns import as_mask
from netaudit.matching.entry_columns import OddEntries, listed_name, take_names
from netaudit.matching.indicator import Scope
from netaudit.matching.list_format import ListFormat, ListSample
from netaudit.matching.rules import INVALID, RuleSink

_SHAPES = (
    (r"^\+\.[^*]+$", 2, Scope.SUBTREE),
    (r"^\*\.[^*]+$", 2, Scope.ONE_LABEL),
    (r"^\.[^*]+$", 1, Scope.BELOW),
    (r"^[^+.*][^*]*\.[^*]*$", 0, Scope.EXACT),
)


def _parse(chunk: Chunk, sink: RuleSink) -> None:
    index, lines = sink.content(chunk, "#")
    left = np.ones(len(lines), bool)
    for shape, marks, scope in _SHAPES:
        rows = np.flatnonzero(as_mask(pc.match_substring_regex(lines, shape)))
        left[rows] = False
        raw = lines.take(pa.array(rows))
        words = pc.utf8_slice_codeunits(raw, marks)
        take_names(
            sink,
            index[rows],
            words,
            raw,
            scope=scope,
            single_labels=True,
            addresses=scope is Scope.EXACT,
        )
    rest = OddEntries()
    odd = np.flatnonzero(left)
    for line, text in zip(index[odd].tolist(), lines.take(pa.array(odd)).to_pylist(), strict=True):
        _read_odd(rest, line, text)
    rest.put_into(sink)


def _read_odd(rest: OddEntries, line: int, text: str) -> None:
    """A single label, or a mask with stars in places of their own."""
    name = listed_name(text)
    labels = text.lower().split(".")
    if name is not None:
        rest.add_name(line, name, text, Scope.EXACT)
    elif all(re.fullmatch(r"\*|[a-z0-9_-]{1,63}", label) for label in labels[1:]):
        start = {"": r"^.+", "+": r"(?:^|.+\.)", "*": r"^[^.]+"}.get(labels[0], "^" + re.escape(labels[0]))
        parts = [r"[^.]+" if label == "*" else re.escape(label) for label in labels[1:]]
        joined = r"\.".join(parts)
        rest.add_pattern(line, f"{start}{joined}$" if labels[0] == "+" else rf"{start}\.{joined}$", text)
    else:
        rest.skip(INVALID, line)


FORMAT = ListFormat(
    title="Clash and mihomo domain list",
    names=("clash-domain",),
    reference="https://wiki.metacubex.one/en/handbook/syntax/#domain-wildcards",
    parse=_parse,
    samples=(
        ListSample(
            "*.one.example\n.below.example\n+.all.example\nalone.example\nsub.*.mid.example\n",
            hits=(
                "a.one.example",
                "a.b.below.example",
                "all.example",
                "a.all.example",
                "alone.example",
                "sub.x.mid.example",
            ),
            misses=(
                "one.example",
                "a.b.one.example",
                "below.example",
                "www.alone.example",
                "sub.x.y.mid.example",
            ),
        ),
    ),
)
