"""Lists of addresses, networks and ranges, one a line, with or without remarks behind them."""

from __future__ import annotations

import pyarrow.compute as pc

from netaudit.intake.lines import Chunk
from netaudit.matching.entry_columns import take_addresses
from netaudit.matching.list_format import ListFormat, ListSample
from netaudit.matching.rules import RuleSink

_REMARK = r"^([^\s,#;]+(?:\s*-\s*[0-9A-Fa-f.:]+)?).*$"


def _parse(chunk: Chunk, sink: RuleSink) -> None:
    index, lines = sink.content(chunk, "[#;]")
    first = pc.replace_substring_regex(lines, _REMARK, r"\1")
    take_addresses(sink, index, first, lines)


FORMAT = ListFormat(
    title="Addresses, networks and ranges, one a line",
    names=("cidr-list", "netset", "ip-list", "ip-comment", "ip-count", "spamhaus-drop-txt"),
    reference="FireHOL, https://iplists.firehol.org; Spamhaus DROP, https://www.spamhaus.org/drop/",
    parse=_parse,
    samples=(
        ListSample(
            "# note\n192.0.2.0/24 ; SBL1\n198.51.100.7,text\n203.0.113.0 - 203.0.113.63\n2001:DB8::/32\n",
            hits=("192.0.2.255", "198.51.100.7", "203.0.113.63", "2001:db8::1", "::ffff:192.0.2.1"),
            misses=("192.0.3.0", "198.51.100.8", "203.0.113.64", "2001:db9::1"),
        ),
        ListSample(
            "010.0.0.1\n1.2.3\n192.0.2.9/255.255.255.0\n",
            hits=("192.0.2.77",),
            misses=("10.0.0.1", "8.0.0.1", "1.2.3.0"),
            note="Octal and short forms are refused, host bits are cleared and noted.",
        ),
    ),
)
