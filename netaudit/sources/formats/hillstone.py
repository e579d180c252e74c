"""Hillstone firewalls: the address translation and the session are two messages.

The NAT line has the public side and no end; the SESSION line has begin and end and no public side.
Neither has an id, so the flow as it is printed (``10.6.2.43:49608->192.168.20.160:11800(TCP)``)
stands in `session` and joins the two. The same flow may come again, like any id. Lines have the
device's serial number for a host, no year, and often a NUL at their end; commas became full stops
with newer versions, and the newest write the interface behind each end and the protocol behind both.
The oldest NAT lines name their parts (``srcip 10.1.0.5, srcport 40000, …``): they are read as if
written like the newer ones.
"""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Sample, empty_to_null, said
from netaudit.intake.times import Context, from_iso
from netaudit.sources.formats import _device_stamps
from netaudit.sources.formats._flow_sides import Printed, Told, session_sides
from netaudit.sources.formats._sessions import CUT, read_lines
from netaudit.sources.formats._transports import transport_column
from netaudit.sources.formats._values import among_others, mask, words

_ADDRESS = r"\[?[0-9a-fA-F.:]+?\]?"
_LINE = (
    r"^(?P<head>.*?)@FLOW: *(?P<what>NAT|SESSION)6?: *(?P<flow>"
    rf"(?P<source>{_ADDRESS}):(?P<sport>\d+)(?:\([^()]*\))?->(?P<target>{_ADDRESS}):(?P<dport>\d+)"
    r"(?:\([^()]*\), Protocol (?P<named>\w+)|\((?P<proto>[^()]*)\)))(?P<rest>[,.].*)$"
)
_NAMED_PARTS = (
    rf"@FLOW: *srcip ({_ADDRESS}), *srcport (\d+), *dstip ({_ADDRESS}), *dstport (\d+), *protocol (\w+)(,.*?)"
    rf", *nattype ([sd]nat), *transip ({_ADDRESS}), *transport (\d+)(,|$)"
)
_AS_NEWER = r"@FLOW: NAT: \1:\2->\3:\4(\5)\6, \7 to \8:\9, "
_NAT = rf"\b(?P<way>[sd]nat) to (?P<nat>{_ADDRESS}):(?P<nport>\d+)[,. ]"
_CLOCK = r" *(?P<v>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)[,. ]"
_WORDS = r"\b(?P<v>session (?:start|end)|policy (?:deny|permit)|deny)\b"
_BEGUN = r"@FLOW: *(?:(?:NAT|SESSION)6?:|srcip) "
_OWN = re.compile(r"[A-Za-z]@FLOW: *(?:(?:NAT|SESSION)6?:|srcip) ")
_NO_WORD = "The line does not say what became of the session."


def _open(context: Context) -> Parse:
    return lambda chunk: read_lines(_newer(chunk), _LINE, _BEGUN, lambda got: _columns(got, context))


def _newer(chunk: Chunk) -> Chunk:
    """The lines with the oldest form written like the newer one."""
    lines = pc.replace_substring_regex(chunk.lines, _NAMED_PARTS, _AS_NEWER)
    return Chunk(lines, chunk.first, chunk.bad, chunk.sizes)


def _columns(got: dict[str, pa.Array], context: Context) -> Told:
    told = pc.extract_regex(pc.if_else(pc.equal(got["what"], "NAT"), got["rest"], None), _NAT)
    way, nat, nport = (pc.struct_field(told, name) for name in ("way", "nat", "nport"))
    is_source = pc.equal(way, "snat")
    is_target = pc.equal(way, "dnat")
    source, target, nat = (_bare(text) for text in (got["source"], got["target"], nat))
    printed = Printed(
        source,
        got["sport"],
        target,
        got["dport"],
        pc.if_else(is_source, nat, None),
        pc.if_else(is_source, nport, None),
        pc.if_else(is_target, nat, None),
        pc.if_else(is_target, nport, None),
    )
    ends, refusals = session_sides(
        printed, transport_column(pc.coalesce(empty_to_null(got["proto"]), got["named"])), context
    )
    word = pc.coalesce(way, said(got["rest"], _WORDS))
    start, close = (
        from_iso(said(got["rest"], name + _CLOCK), context) for name in ("start time", "close time")
    )
    header = _device_stamps.read(pc.if_else(pc.is_null(start), got["head"], None), context).moment
    is_end = pc.equal(word, "session end")
    joins = pc.fill_null(pc.or_(pc.is_valid(way), is_end), False)
    columns = ends | {
        "ts": pc.coalesce(start, header),
        "ts_end": close,
        "message": word,
        "account": words(said(got["rest"], r"\buser (?P<v>\S+?)(?:[,.]? host\b|, |$)"), _account),
        "session": pc.if_else(joins, got["flow"], None),
    }
    closed = mask(
        pc.match_substring_regex(got["rest"], r"\bclose time *\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[,. ]")
    )
    return columns, {_NO_WORD: ~mask(pc.is_valid(word)), CUT: mask(is_end) & ~closed} | refusals


def _bare(text: pa.Array) -> pa.Array:
    """Addresses without the brackets of IPv6."""
    return pc.utf8_trim(text, characters="[]")


def _account(text: str) -> str | None:
    """``NAME@SERVER``; what nobody logged on from is ``-@UNKNOWN`` or ``-@-``."""
    name = text.partition("@")[0]
    return None if name in {"-", ""} else name


_SNAT = (
    "<190>Mar  6 11:04:19 1304415150001934(root) 46083623 Traffic@FLOW: NAT: 10.26.176.40:62338->180.153.105.157:80(TCP), "
    "snat to 218.78.247.169:55490, vr trust-vr, user -@UNKNOWN, host -, rule 4"
)
_DNAT = (
    "<190>Sep 29 00:06:00 1304415172001433(root) 46083624 Traffic@FLOW: NAT: 180.96.16.254:19419->58.218.194.50:80(TCP), "
    "dnat to 172.17.196.129:80, vr trust-vr, user -@UNKNOWN, host -, rule 30 "
)
_END = (
    "<190>Nov 29 17:24:52 1404726150004842(root) 44243624 Traffic@FLOW: SESSION: 10.6.2.43:49608->192.168.20.160:11800(TCP), "
    "application TCP-ANY, interface tunnel6, vr trust-vr, policy 1, user -@-, host -, send packets 1,send bytes 74,"
    "receive packets 1,receive bytes 110,start time 2019-11-29 17:24:50,close time 2019-11-29 17:24:52,session end,TCP RST"
)
_STOPS = (
    "<190>Nov 25 13:34:03 2812239202000738(root) 44243630 Traffic@FLOW: SESSION: 10.18.9.34:58813->10.16.6.14:8004(TCP), "
    "application Redis, interface ethernet0/8, vr trust-vr, policy 1198, user zhang@local host - mac 0000.0000.0000, "
    "send packets 11, receive bytes 428, start time 2021-11-25 13:32:32. close time 2021-11-25 13:34:03. session end. TCP RST"
)
_DENY: str = (
    "Aug  7 18:52:22 2812008195003847(root) 4424362f Traffic@FLOW: SESSION: 172.19.112.25:64141->10.11.183.156:445(TCP), "
    "interface ethernet0/1, vr trust-vr, policy 16, user -@-, host -, mac 0000.0000.0000, policy deny"
)

FORMAT = LogFormat(
    title="Hillstone NAT and session log",
    kinds=("nat",),
    reference="https://www.hillstonenet.com/",
    sniff=lambda lines: among_others(lines, _OWN.search),
    open=_open,
    samples=(
        Sample(
            _SNAT,
            (
                {
                    "kind": "nat", "ts": "2026-03-06T03:04:19.000000000Z", "ts_end": None, "message": "snat",
                    "transport": "tcp", "client_ip": "10.26.176.40", "client_port": 62338,
                    "public_ip": "218.78.247.169", "public_port": 55490, "server_ip": "180.153.105.157",
                    "server_port": 80, "account": None, "session": "10.26.176.40:62338->180.153.105.157:80(TCP)",
                },
            ),
            timezone="Asia/Shanghai",
        ),
        Sample(
            _DNAT,
            (
                {
                    "kind": "nat", "message": "dnat", "client_ip": "172.17.196.129", "client_port": 80,
                    "public_ip": "58.218.194.50", "public_port": 80, "server_ip": "180.96.16.254", "server_port": 19419,
                },
            ),
            note="a published server",
        ),
        Sample(
            _END,
            (
                {
                    "kind": "nat", "ts": "2019-11-29T09:24:50.000000000Z", "ts_end": "2019-11-29T09:24:52.000000000Z",
                    "message": "session end", "public_ip": None, "server_ip": "192.168.20.160",
                },
            ),
            timezone="Asia/Shanghai",
        ),
        Sample(
            f"{_STOPS}\n{_DENY}",
            (
                {"kind": "nat", "message": "session end", "ts_end": "2021-11-25T13:34:03.000000000Z", "account": "zhang"},
                {"kind": "nat", "message": "policy deny", "client_port": 64141, "session": None},
            ),
            note="another generation; a refusal",
        ),
        Sample(
            "46083603 Traffic@FLOW: srcip 198.51.100.170, srcport 54645, dstip 203.0.113.7, dstport 443, protocol TCP, "
            "vr trust-vr, nattype dnat, transip 192.168.16.1, transport 443, ruleid 11\n"
            "<188>Mar 8 17:26:44 5821838205000143(root) 4424363e HillstoneNetworks#Traffic@FLOW: SESSION: "
            "10.1.1.200:53262(ethernet0/1)->198.51.100.20:21(ethernet0/0), Protocol TCP, vr trustvr, policy 11, user -@-, "
            "host -, mac 0000.0000.0000, zone from trust to trust, session start",
            (
                {
                    "kind": "nat", "ts": None, "message": "dnat", "transport": "tcp", "client_ip": "192.168.16.1",
                    "client_port": 443, "public_ip": "203.0.113.7", "public_port": 443, "server_ip": "198.51.100.170",
                },
                {
                    "kind": "nat", "message": "session start", "transport": "tcp", "client_ip": "10.1.1.200",
                    "client_port": 53262, "server_ip": "198.51.100.20", "server_port": 21,
                },
            ),
            note="the oldest form of a NAT line; the newest form of a session",
        ),
        Sample(_END[:200], note="cut off"),
    ),
)  # fmt: skip
