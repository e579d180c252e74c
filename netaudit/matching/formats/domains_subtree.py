"""Lists of names, one a line, that cover everything below as well (UT1, squidGuard, "onlydomains")."""

from __future__ import annotations

from netaudit.intake.lines import Chunk
from netaudit.matching.entry_columns import take_names, without_comment
from netaudit.matching.indicator import Scope
from netaudit.matching.list_format import ListFormat, ListSample
from netaudit.matching.rules import RuleSink


def _parse(chunk: Chunk, sink: RuleSink) -> None:
    index, lines = sink.content(chunk, r"[#!;\[]")
    take_names(sink, index, without_comment(lines, "#"), lines, scope=Scope.SUBTREE, single_labels=True)


FORMAT = ListFormat(
    title="Names, one a line, each with everything below",
    names=("domains-subtree",),
    reference="squidGuard and UT1 blacklists, https://dsi.ut-capitole.fr/blacklists/",
    parse=_parse,
    samples=(
        ListSample(
            "casino.example\n198.51.100.77\n",
            hits=("casino.example", "www.casino.example", "a.b.casino.example", "198.51.100.77"),
            misses=("mycasino.example", "casino.example.net", "example", r"x\.casino.example.net"),
        ),
        ListSample(
            r"a\.b.example" + "\n",
            hits=(r"a\.b.example",),
            misses=("a.b.example", "b.example"),
            note="An escaped dot is part of its label.",
        ),
    ),
)
