"""AdGuard's syntax for DNS filtering: the part of Adblock syntax that can be decided from a name.

Lines of the usual shapes (``||name^``, ``@@||name^``, ``||*.name^``, plain names) are read as
columns; all others one by one, by `matching.adblock_rule`.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.lines import Chunk
from netaudit.matching.adblock_rule import read_rules
from netaudit.matching.columns import as_mask
from netaudit.matching.entry_columns import PLAIN_NAME, plain_names
from netaudit.matching.formats.hosts import take_hosts
from netaudit.matching.indicator import Scope
from netaudit.matching.list_format import ListFormat, ListSample
from netaudit.matching.rules import RuleSink

ALLOW_RANK = 1

_COMMENT = r"!|#(?:[^#@?$%]|$)|\[Adblock|\[AdBlock|\[uBlock"
_HOSTS_LINE = r"^[0-9A-Fa-f.:]*[.:][0-9A-Fa-f.:]*(?:%\w+)?\s+\S"
_SHAPES = (
    ("||", "^", Scope.SUBTREE, 0),
    ("||*.", "^", Scope.BELOW, 0),
    ("@@||", "^", Scope.SUBTREE, ALLOW_RANK),
    ("", "", Scope.EXACT, 0),
)


def _parse(chunk: Chunk, sink: RuleSink) -> None:
    index, lines = sink.content(chunk, _COMMENT)
    left = np.arange(len(lines))
    for shape in _SHAPES:
        left = _take_shape(sink, index, lines, left, shape)
    rest = lines.take(pa.array(left))
    hosts = as_mask(pc.match_substring_regex(rest, _HOSTS_LINE))
    take_hosts(sink, index[left[hosts]], rest.filter(pa.array(hosts)))
    read_rules(sink, index[left[~hosts]].tolist(), rest.filter(pa.array(~hosts)).to_pylist())


def _take_shape(
    sink: RuleSink,
    index: np.ndarray,
    lines: pa.Array,
    left: np.ndarray,
    shape: tuple[str, str, Scope, int],
) -> np.ndarray:
    """Take the lines among `left` that are a plain name between two marks; those that remain."""
    start, end, scope, rank = shape
    some = lines.take(pa.array(left))
    shaped = as_mask(
        pc.match_substring_regex(some, rf"^\Q{start}\E{PLAIN_NAME}\Q{end}\E$", ignore_case=True)
    )
    rows = some.filter(pa.array(shaped))
    words = pc.utf8_slice_codeunits(rows, len(start), -len(end) or None)
    names, plain = plain_names(words)
    fits = np.flatnonzero(plain)
    sink.names(
        index[left[shaped][fits]],
        names.take(pa.array(fits)),
        rows.take(pa.array(fits)),
        scope=scope.code,
        allow=rank == ALLOW_RANK,
        rank=rank,
    )
    taken = np.zeros(len(left), bool)
    taken[np.flatnonzero(shaped)[fits]] = True
    return left[~taken]


FORMAT = ListFormat(
    title="AdGuard DNS filter (Adblock syntax for names)",
    names=("adguard-dns",),
    reference="https://adguard-dns.io/kb/general/dns-filtering-syntax/",
    parse=_parse,
    samples=(
        ListSample(
            "! note\n||bad.example^\n@@||good.bad.example^\n|only.example^\nalone.example\n",
            hits=("bad.example", "a.bad.example", "only.example", "alone.example"),
            misses=(
                "notbad.example",
                "good.bad.example",
                "x.good.bad.example",
                "a.only.example",
                "a.alone.example",
                "bad.example.net",
            ),
        ),
        ListSample(
            "||bad.example^$important\n@@||bad.example^\n||gone.example^\n||gone.example^$badfilter\n",
            hits=("bad.example",),
            misses=("gone.example",),
            note="An important rule beats an exception; badfilter takes a rule back.",
        ),
        ListSample(
            "||shop.example^$third-party\n||shop.example/pay.js\nshop.example##.banner\n",
            misses=("shop.example",),
            note="What a browser alone can decide is left out and counted.",
        ),
        ListSample(
            "track*.example^\n/^stats?[0-9]+\\./\n://203.0.113.\n",
            hits=("tracker.example", "xtrack.example", "stat12.site.test", "203.0.113.9"),
            misses=("track.example.net", "mystat12.site.test", "192.0.2.203"),
        ),
    ),
)
