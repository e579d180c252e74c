"""Plain lists of names, one a line; a name covers itself and nothing below."""

from __future__ import annotations

from netaudit.intake.lines import Chunk
from netaudit.matching.entry_columns import take_names, without_comment
from netaudit.matching.indicator import Scope
from netaudit.matching.list_format import ListFormat, ListSample
from netaudit.matching.rules import RuleSink


def _parse(chunk: Chunk, sink: RuleSink) -> None:
    index, lines = sink.content(chunk, r"[#!;\[]")
    take_names(sink, index, without_comment(lines, "#"), lines, scope=Scope.EXACT)


FORMAT = ListFormat(
    title="Names, one a line, each alone",
    names=("domains",),
    reference="Pi-hole, https://docs.pi-hole.net (src/tools/gravity-parseList.c)",
    parse=_parse,
    samples=(
        ListSample(
            "! note\nbad.example # since May\nTRAILING.example.\nbücher.example\n192.0.2.7\n",
            hits=("bad.example", "BAD.example.", "trailing.example", "xn--bcher-kva.example", "192.0.2.7"),
            misses=("x.bad.example", "notbad.example", "bad.example.net"),
        ),
        ListSample(
            "http://with-scheme.example/\nlocalhost\nsingle\n*.wild.example\n",
            misses=("with-scheme.example", "localhost", "single", "a.wild.example"),
            note="A URL or a mask is an error that is counted, not something to guess from.",
        ),
    ),
)
