"""squid's access log: its own format, the combined one, and any declared logformat.

The time is that of the end of a request; a tunnel is logged when it closes. So the begin is the time
less the time that it took, where that is logged. Other layouts are read as far as a line says
itself what is what; with the option ``logformat`` of the source they are read as declared.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.carrier import peel_text
from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Rows, Sample, extract, said, share
from netaudit.intake.times import Context, from_epoch
from netaudit.records.addresses import ip_column
from netaudit.records.schemas import TIMESTAMP
from netaudit.sources.formats._clf import bare, count, moments, requests, status
from netaudit.sources.formats._log_layout import expression
from netaudit.sources.formats._outcome import keep, parsed
from netaudit.sources.formats._urls import destinations, named
from netaudit.sources.formats._values import DASH, given, mask, port, whole

CUT = "The line is no request that squid logged, or is cut off."
GUESSED = "This squid log has a layout of its own; declare its logformat in the [[source]] options to read all of it."
_CLIENT = r"(?P<client>\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]*:[0-9A-Fa-f:.]*)"
_RESULT = r"(?P<action>[A-Z][A-Z0-9_]*)/(?P<status>\d{3})"
_NATIVE = r"^ *\d{9,11}\.\d{3} +-?\d+ +[0-9A-Fa-f:.]+ [A-Z][A-Z0-9_]*/\d{3} +(?:\d+|-) +[^ ]+ +[^ ]+ +[^ ]+ +[A-Z_]+/[^ ]+(?: .*)?$"
_NATIVE_CELLS = ("epoch", "elapsed", "client", "result", "bytes_in", "method", "url", "account", "peer")
_COMBINED = (
    rf"^\s*{_CLIENT} \S+ (?P<account>\S+) \[(?P<stamp>[^\]]+)\] \"(?P<request>.*?)\" (?P<status>\d{{1,3}}) "
    r"(?P<bytes_in>\d+|-) .*?(?P<action>[A-Z][A-Z0-9_]*):(?P<hierarchy>[A-Z][A-Z_]*)$"
)
# each part says itself what it is: an epoch, an address, a method before a URL, a result with a status
_OTHER = (
    rf"^\s*(?P<epoch>\d{{9,11}}\.\d{{3}}) (?:[^\"]*? )??{_CLIENT}(?::(?P<client_port>\d{{1,5}}))? [^\"]*?"
    rf"\b(?P<method>[A-Z][A-Z_-]{{2,19}}) (?P<url>\S+) [^\"]*?\b{_RESULT} (?P<bytes_in>\d+|-)(?: .*)?$"
)
_OWN = re.compile(f"{_NATIVE}|{_COMBINED}")
_RESULTS = re.compile(r"\s*\d{9,11}\.\d{3} .* (?:TCP|UDP|NONE|ICP)_[A-Z_]+/\d{3} ")
_LONGEST = 2_000
_CODE = (
    r"%[\"'\[#/]?(?:-?\d+(?:\.\d+)?)?(?:\{[^}]*\})?((?:[a-z]+::)?[<>]?(?:rd|rm|ru|rp|rP|ts|tu|tl|tg|tr|Ss|Sh|Hs|un|ul|ui|us"
    r"|ue|st|sh|mt|et|ea|A|a|p|h|eui|la|lp|%))(?:\{[^}]*\})?"
)
_MEANING = {
    "ts": "epoch", "tu": "milliseconds", "tl": "stamp", "tg": "stamp", "tr": "elapsed", ">a": "client",
    ">p": "client_port", "un": "account", "ul": "account", "ui": "account", "us": "account", "rm": "method",
    ">rm": "method", "ru": "url", ">ru": "url", "rd": "host", ">rd": "host", "<a": "server", "<p": "server_port",
    "Ss": "action", "Sh": "hierarchy", ">Hs": "status", "Hs": "status", "<st": "bytes_in", ">st": "bytes_out",
}  # fmt: skip
_OPTION = "logformat"


def _open(context: Context) -> Parse:
    layout = context.options.get(_OPTION, "")
    ways = (expression(layout, _CODE, _MEANING, context),) if layout else (_NATIVE, _COMBINED, _OTHER)

    def parse(chunk: Chunk) -> Parsed:
        rest = bare(chunk.lines)
        todo = np.arange(len(rest))
        rows: list[Rows] = []
        for pattern in ways:
            left = rest.take(pa.array(todo))
            index, got = _native(left) if pattern is _NATIVE else extract(left, pattern)
            if pattern is _OTHER and len(index):
                context.notes.add(GUESSED)
            columns = _columns(got, context)
            good = mask(pc.and_(pc.is_valid(columns["client_ip"]), pc.is_valid(columns["ts"])))
            rows.append(keep(Rows("proxy", columns, todo[index]), good))
            todo = np.setdiff1d(todo, rows[-1].line)
        blank = mask(pc.equal(pc.utf8_trim_whitespace(rest), ""))
        return parsed(len(chunk.lines), rows, {CUT: todo[~blank[todo]]})

    return parse


def _native(lines: pa.StringArray) -> tuple[np.ndarray, dict[str, pa.Array]]:
    """What `extract` would give; cutting at the blanks is much quicker than groups."""
    index = np.flatnonzero(mask(pc.match_substring_regex(lines, _NATIVE)))
    whole_lines = pc.ascii_ltrim(lines.take(pa.array(index)), " ")
    cut = pc.split_pattern_regex(whole_lines, " +", max_splits=len(_NATIVE_CELLS))
    begin = np.cumsum(lengths := pc.list_value_length(cut).to_numpy()) - lengths
    got = {name: cut.flatten().take(pa.array(begin + at)) for at, name in enumerate(_NATIVE_CELLS)}
    for both, names in (("result", ("action", "status")), ("peer", ("hierarchy", "server"))):
        halves = pc.split_pattern(got.pop(both), "/", max_splits=1).flatten()
        got |= {
            name: halves.take(pa.array(np.arange(len(index)) * 2 + at)) for at, name in enumerate(names)
        }
    return index, got


def _columns(got: dict[str, pa.Array], context: Context) -> dict[str, pa.Array]:
    """What the groups of one layout say, whichever it has."""
    none = pa.nulls(len(next(iter(got.values()))), pa.string())

    def cell(name: str) -> pa.Array:
        return given(got[name], DASH) if name in got else none

    end = _end(cell, context)
    direct = pc.match_substring_regex(cell("hierarchy"), "DIRECT|ORIGINAL_DST")
    asked = requests(cell("request")) if "request" in got else {"method": cell("method")}
    asked |= destinations(cell("url")) if "url" in got else {}
    asked |= named(cell("host")) if "host" in got and "name" not in asked else {}
    server = pc.if_else(direct, ip_column(cell("server")), None)  # of a parent it is the next proxy
    return {
        **asked,
        "ts": _begin(end, cell("elapsed")),
        "ts_end": end,
        "client_ip": ip_column(cell("client")),
        "client_port": port(cell("client_port")),
        "server_ip": pc.coalesce(asked.get("server_ip", server), server),
        "transport": "tcp",
        "status": status(cell("status")),
        "action": cell("action"),
        "account": cell("account"),
        "bytes_in": count(cell("bytes_in")),
        "bytes_out": count(cell("bytes_out")),
    }


def _end(cell: Callable[[str], pa.Array], context: Context) -> pa.Array:
    """When a request was logged, which is when it ended."""
    thousandths = pc.utf8_lpad(cell("milliseconds"), 3, "0")
    whole_epoch = said(cell("epoch"), r"^(?P<whole>\d+)")
    parted = pc.binary_join_element_wise(whole_epoch, thousandths, ".")
    return pc.coalesce(from_epoch(pc.coalesce(parted, cell("epoch"))), moments(cell("stamp"), context))


def _begin(end: pa.Array, elapsed: pa.Array) -> pa.Array:
    """The end less the milliseconds that a request took; the end where these are not logged."""
    spent = pc.fill_null(whole(elapsed, 10**9, pa.int64()), 0)
    return pc.subtract(end.cast(pa.int64()), pc.multiply(spent, 10**6)).cast(TIMESTAMP)


def _sniff(lines: list[str]) -> float:
    return share(
        peel_text(lines), lambda line: _OWN.match(line[:_LONGEST]) or _RESULTS.match(line[:_LONGEST])
    )


_CUSTOM = (
    "1795364506.696 10.20.30.11:36116 10.20.30.11 - GET http://www.corp.test:8000/ www.corp.test 127.0.0.1:8000 "
    'TCP_MISS/200 298 "curl/7.88.1"'
)
_TUNNEL: str = "1587042596.494   1717 10.1.0.39 TCP_TUNNEL/200 3512 CONNECT svc.example.net:443 - HIER_DIRECT/198.51.100.7 -"

FORMAT = LogFormat(
    title="squid access log",
    kinds=("proxy",),
    reference="https://wiki.squid-cache.org/Features/LogFormat",
    sniff=_sniff,
    open=_open,
    samples=(
        Sample(
            _TUNNEL
            + "\n1795364506.815      0 fd00:20::21 TCP_DENIED/403 3462 GET http://flagged-site.example/a.exe?x lisi HIER_NONE/- "
            "text/html\n1795364510.899      0 10.20.30.12 NONE_NONE/400 3389 GARBAGE error:invalid-request - HIER_NONE/- -",
            (
                {
                    "kind": "proxy",
                    "ts": "2020-04-16T13:09:54.777000000Z",
                    "ts_end": "2020-04-16T13:09:56.494000000Z",
                    "client_ip": "10.1.0.39",
                    "name": "svc.example.net",
                    "server_ip": "198.51.100.7",
                    "server_port": 443,
                    "method": "CONNECT",
                    "status": 200,
                    "action": "TCP_TUNNEL",
                    "bytes_in": 3512,
                    "account": None,
                },
                {
                    "kind": "proxy",
                    "client_ip": "fd00:20::21",
                    "name": "flagged-site.example",
                    "server_port": 80,
                    "account": "lisi",
                },
                {"kind": "proxy", "name": None, "method": "GARBAGE", "status": 400},
            ),
            note="the logged time is the end",
        ),
        Sample(
            '10.20.30.12 - - [23/Nov/2026:00:21:46 +0800] "GET http://intra.corp.test:8000/nope HTTP/1.1" 404 604 "-" '
            '"curl "quoted" UA" TCP_MISS:HIER_DIRECT\n'
            '10.20.30.12 - - [23/Nov/2026:00:21:46 +0800] "CONNECT [2001:db8::1]:443 HTTP/1.1" 200 39 "-" "-" '
            "TCP_TUNNEL:HIER_DIRECT",
            (
                {
                    "kind": "proxy",
                    "ts": "2026-11-22T16:21:46.000000000Z",
                    "name": "intra.corp.test",
                    "server_port": 8000,
                    "status": 404,
                    "action": "TCP_MISS",
                },
                {"kind": "proxy", "name": None, "server_ip": "2001:db8::1", "server_port": 443},
            ),
            note="combined: quotes within quotes; an address as the destination",
        ),
        Sample(
            _CUSTOM,
            (
                {
                    "kind": "proxy",
                    "client_ip": "10.20.30.11",
                    "client_port": 36116,
                    "name": "www.corp.test",
                    "server_port": 8000,
                    "status": 200,
                    "bytes_in": 298,
                    "account": None,
                },
            ),
            note="a layout of its own, not declared",
        ),
        Sample(_TUNNEL[:60], note="cut off"),
    ),
)
