"""Linux connection tracking as XML: ``conntrack -E -o xml`` and ``conntrack -L -o xml``.

One flow stands on a line. While events stream, the closing tag of the file is missing, so this is
read by line and is no document; no XML parser sees it, and entities are not expanded. ``<when>`` is
the local time of the router, in seconds.
"""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Rows, Sample, extract, said
from netaudit.intake.times import Context, from_iso, taken_at
from netaudit.records.schemas import TIMESTAMP
from netaudit.sources.formats._flow_sides import (
    BAD_END,
    CUT_OFF,
    Tuples,
    flow_sides,
    numbers,
    snapshot_begin,
)
from netaudit.sources.formats._outcome import keep, parsed
from netaudit.sources.formats._values import among_others, mask

_SIDE = (
    r'<meta direction="{0}"><layer3[^>]*><src>(?P<{1}src>[^<]*)</src><dst>(?P<{1}dst>[^<]*)</dst></layer3>'
    r'<layer4[^>]*\bprotoname="(?P<{1}proto>[^"]*)"[^>]*(?:/>|>(?P<{1}ends>.*?)</layer4>).*?</meta>'
)
_LINE = (
    r'<flow(?: type="(?P<event>[a-z]+)")?[^>]*>'
    + _SIDE.format("original", "o")
    + _SIDE.format("reply", "r")
    + r'<meta direction="independent">(?P<about>.*?)</meta>(?:<when>(?P<when>.*?)</when>)?</flow>'
)
_OWN = re.compile(r'\s*(?:<flow(?: type="[a-z]+")?><meta direction="original">|<conntrack>\s*\Z)')


def _open(context: Context) -> Parse:
    def parse(chunk: Chunk) -> Parsed:
        index, got = extract(chunk.lines, _LINE)
        ends, good = flow_sides(
            _ends(got, "osrc", "odst", "oends"), _ends(got, "rdst", "rsrc", "rends", back=True)
        )
        columns = {
            **ends,
            **_times(got, context),
            "transport": got["oproto"],
            "message": pc.fill_null(got["event"], "entry"),
            "session": _tag(got["about"], "id"),
        }
        rows = keep(Rows("nat", columns, index), good)
        begun = np.flatnonzero(mask(pc.match_substring(chunk.lines, "<flow")))
        torn = np.setdiff1d(begun, index)
        return parsed(len(chunk.lines), [rows], {CUT_OFF: torn, BAD_END: index[~good]})

    return parse


def _ends(got: dict[str, pa.Array], src: str, dst: str, ends: str, *, back: bool = False) -> Tuples:
    """One tuple; that of the reply is turned round. ICMP's id stands for the opener's port."""
    query = numbers(_tag(got[ends], "id"))
    sport, dport = (numbers(_tag(got[ends], name)) for name in ("sport", "dport"))
    opener, far = (dport, sport) if back else (sport, dport)
    return Tuples(got[src], got[dst], np.maximum(opener, query), far)


def _times(got: dict[str, pa.Array], context: Context) -> dict[str, pa.Array]:
    parts = {n: _tag(got["when"], n) for n in ("year", "month", "day", "hour", "min", "sec")}
    minute, second = (pc.utf8_lpad(parts[n], 2, "0") for n in ("min", "sec"))
    date = pc.binary_join_element_wise(parts["year"], parts["month"], parts["day"], "-")
    clock = pc.binary_join_element_wise(parts["hour"], minute, second, ":")
    when = from_iso(pc.binary_join_element_wise(date, clock, " "), context)
    entry = pc.is_null(got["event"])
    over = pa.nulls(len(entry), TIMESTAMP)
    if not mask(entry).any() or (taken := taken_at(context)) is None:
        return {"ts": when, "ts_end": over}
    age = pc.if_else(entry, _tag(got["about"], "deltatime"), None)
    moment = pa.scalar(taken, pa.int64()).cast(TIMESTAMP)
    begun = snapshot_begin(over, age, taken)
    return {
        "ts": pc.if_else(entry, pc.coalesce(begun, when, moment), when),
        "ts_end": pc.if_else(pc.is_valid(begun), moment, over),
    }


def _tag(text: pa.Array, name: str) -> pa.Array:
    """The digits within a tag; null where it is not there."""
    return said(text, rf"<{name}>(?P<it>\d{{1,18}})</{name}>")


_NEW = (
    '<flow type="new"><meta direction="original"><layer3 protonum="2" protoname="ipv4"><src>10.1.0.11</src>'
    '<dst>198.51.100.7</dst></layer3><layer4 protonum="6" protoname="tcp"><sport>50001</sport><dport>443</dport>'
    '</layer4></meta><meta direction="reply"><layer3 protonum="2" protoname="ipv4"><src>198.51.100.7</src>'
    '<dst>203.0.113.5</dst></layer3><layer4 protonum="6" protoname="tcp"><sport>443</sport><dport>20721</dport>'
    '</layer4></meta><meta direction="independent"><state>SYN_SENT</state><timeout>120</timeout>'
    "<id>2238849261</id><unreplied/></meta><when><hour>0</hour><min>19</min><sec>08</sec><wday>2</wday>"
    "<day>23</day><month>11</month><year>2026</year></when></flow>"
)

FORMAT = LogFormat(
    title="Linux conntrack as XML (conntrack -o xml)",
    kinds=("nat",),
    reference="https://manpages.debian.org/conntrack",
    sniff=lambda lines: among_others(lines, _OWN.match),
    open=_open,
    samples=(
        Sample(
            '<?xml version="1.0" encoding="utf-8"?>\n<conntrack>\n' + _NEW,
            (
                {
                    "kind": "nat",
                    "ts": "2026-11-22T16:19:08.000000000Z",
                    "message": "new",
                    "transport": "tcp",
                    "client_ip": "10.1.0.11",
                    "client_port": 50001,
                    "public_ip": "203.0.113.5",
                    "public_port": 20721,
                    "server_ip": "198.51.100.7",
                    "server_port": 443,
                    "session": "2238849261",
                },
            ),
            timezone="Asia/Shanghai",
            note="the head of the file, and an event",
        ),
        Sample(_NEW[:300], note="cut off"),
    ),
)
