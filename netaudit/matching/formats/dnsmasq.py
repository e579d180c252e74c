"""dnsmasq configuration: ``address=/name/…``, ``server=/name/`` and ``local=/name/``.

The longest name wins, so a rule's rank is its number of labels. A name that is sent to a real
server, or to the usual ones (``#``), is an exception from a shorter one.
"""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.lines import Chunk
from netaudit.matching.entry_columns import PLAIN_NAME, OddEntries, listed_name
from netaudit.matching.indicator import Scope
from netaudit.matching.list_format import ListFormat, ListSample
from netaudit.matching.rules import INVALID, RuleSink
from netaudit.records.names import split_labels

OTHER = "the line configures something else"

_USUAL = rf"^(?:address=/(?P<a>{PLAIN_NAME})/(?:#|0\.0\.0\.0|::)?|(?:server|local)=/(?P<s>{PLAIN_NAME})/)$"
_RULE = re.compile(r"(address|server|local)=/(.*)/([^/]*)\Z")


def _parse(chunk: Chunk, sink: RuleSink) -> None:
    index, lines = sink.content(chunk, "#")
    lines = pc.utf8_trim_whitespace(pc.replace_substring_regex(lines, r"\s#.*$", ""))
    found = pc.extract_regex(lines, _USUAL)
    usual = pc.is_valid(found).to_numpy(zero_copy_only=False)
    matched = found.take(pa.array(np.flatnonzero(usual)))
    names = pc.binary_join_element_wise(pc.struct_field(matched, "a"), pc.struct_field(matched, "s"), "")
    short = pc.binary_length(names).to_numpy(zero_copy_only=False) <= 253
    kept = np.flatnonzero(usual)[short]
    names = names.filter(pa.array(short))
    labels = pc.count_substring(names, ".").to_numpy(zero_copy_only=False) + 1
    sink.names(index[kept], names, lines.take(pa.array(kept)), scope=Scope.SUBTREE.code, rank=2 * labels)
    rest = OddEntries()
    odd = np.setdiff1d(np.arange(len(lines)), kept)
    for line, text in zip(index[odd].tolist(), lines.take(pa.array(odd)).to_pylist(), strict=True):
        _read_odd(rest, line, text)
    rest.put_into(sink)


def _read_odd(rest: OddEntries, line: int, text: str) -> None:
    match = _RULE.match(text)
    if match is None:
        rest.skip(INVALID if re.match(r"(?:address|server|local)=/|[^=]*$", text) else OTHER, line)
        return
    allow = match[1] != "address" and match[3] != ""
    for word in match[2].split("/"):
        _add(rest, line, word, text, allow=allow)


def _add(rest: OddEntries, line: int, word: str, text: str, *, allow: bool) -> None:
    if word == "#":
        rest.add_pattern(line, "^", text, allow=allow, rank=int(allow))
        return
    scope = Scope.BELOW if word.startswith("*.") else Scope.SUBTREE
    name = listed_name(word.removeprefix("*.").removeprefix("*").removeprefix("."))
    if name is None:
        rest.skip(INVALID, line)
        return
    rank = 2 * len(split_labels(name)) + allow
    if word.startswith("*") and scope is Scope.SUBTREE:
        rest.add_pattern(line, re.escape(name) + "$", text, allow=allow, rank=rank)
    else:
        rest.add_name(line, name, text, scope, allow=allow, rank=rank)


FORMAT = ListFormat(
    title="dnsmasq configuration",
    names=("dnsmasq",),
    reference="dnsmasq(8)",
    parse=_parse,
    samples=(
        ListSample(
            "address=/bad.example/#\nserver=/www.bad.example/#\nlocal=/one.example/two.example/\n",
            hits=("bad.example", "mail.bad.example", "one.example", "a.two.example"),
            misses=("www.bad.example", "x.www.bad.example", "notbad.example"),
        ),
        ListSample(
            "address=/*.wild.example/#\nserver=/fwd.example/192.0.2.53\ncache-size=1000\n",
            hits=("a.b.wild.example",),
            misses=("wild.example", "fwd.example"),
            note="A real server is forwarding, not a listing.",
        ),
    ),
)
