"""MikroTik RouterOS log: packets that a firewall rule logged, the DHCP server's leases, stations, logins.

A line is one packet, not a session. The translation stands there only where source NAT had decided
before the rule logged: ``NAT (inside->public)->far end``, or the other way round for a published
server. What ``log print`` shows has dates of its own (``jan/02/2026``), and none for today. The lease
lines are known from documentation only, those of the hotspot's logins, too.
"""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.carrier import Peeled, peel, peel_text, read_stamps
from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Rows, Sample, extract
from netaudit.intake.times import Context
from netaudit.records.addresses import ip_column, mac_column
from netaudit.sources.formats._flow_sides import Tuples, flow_sides, numbers
from netaudit.sources.formats._outcome import keep, parsed
from netaudit.sources.formats._values import among_others, mask

CUT = "A packet of the firewall is cut off, or an address in it is none."
_BEGUN = r"(?:^|\s)[^\s:]+: in:.* out:.*, "
_ENDS = r"\S+->\S+"
_PACKET = (
    r"(?:^|\s)(?P<chain>[^\s:]+): in:.+? out:.+?, (?:connection-mark:\S+ )?(?:connection-state:[a-z,]+ )?"
    r"(?:src-mac (?P<mac>[0-9A-Fa-f:]{17}), )?proto (?P<proto>[A-Za-z0-9-]+)(?: \([^)]*\))*, "
    rf"(?P<ends>{_ENDS})(?:, NAT (?P<nat>{_ENDS}))?(?:, prio \S+)?, len \d+"
)
_LEASE = (
    r"(?:^|\s)(?P<server>\S+) (?P<message>assigned|deassigned) (?P<ip>[0-9.]+) (?:for|to|from) "
    r"(?P<mac>[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5})(?: (?P<name>\S.*))?$"
)
_STATION = (
    r"(?:^|\s)(?P<mac>[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5})@(?P<port>[^\s:,]+):? (?P<message>connected|disconnected|roamed)\b"
    r"(?: to (?:[0-9A-Fa-f:]{17}@)?(?P<to>[^\s,]+))?"
)
_LOGIN = (
    r"(?:^|\s)hotspot,\S+ (?:->: )?(?P<user>\S.*?) \((?P<ip>[0-9.]{7,15})\): "
    r"(?:(?P<in>logged in)|(?P<out>logged out)|(?P<failed>login failed))(?::|$)"
)
_PRINTED = r"^\s*(?P<month>[a-z]{3})/(?P<day>\d{2})(?P<year>/\d{4})? (?P<rest>\d{2}:\d{2}:\d{2} .*)$"
_OWN = re.compile(
    r"(?:^|\s)[^\s:]{1,64}: in:.{1,64}? out:.{1,64}?, (?:connection-|src-mac |proto )"
    r"|\s(?:de)?assigned [0-9.]{7,15} (?:for|to|from) [0-9A-Fa-f:]{17}(?:\s|$)"
    r"|\b(?:wireless|caps),\S+ [0-9A-Fa-f:]{17}@\S{1,64} (?:dis)?connected\b"
    r"|\bhotspot,\S+ \S.{0,64} \([0-9.]{7,15}\): logged (?:in|out)\b"
)
_END = r"(?:\[(?P<{0}six>[0-9A-Fa-f:.]+)\]|(?P<{0}four>[0-9.]+)|(?P<{0}bare>[0-9A-Fa-f]*:[0-9A-Fa-f:.]*))(?::(?P<{0}port>\d+))?"
_PAIR = f"^{_END.format('a')}->{_END.format('b')}$"
_TRANSLATED = r"^\((?P<from>[^()]+)\)->(?P<far>[^()]+)$|^(?P<near>[^()]+)->\((?P<to>[^()]+)\)$"


def _open(context: Context) -> Parse:
    def parse(chunk: Chunk) -> Parsed:
        peeled = peel(_dated(chunk.lines))
        text = _with_chain(peeled)
        begun = mask(pc.match_substring_regex(text, _BEGUN))
        rows = [make(text, peeled, context) for make in (_packets, _leases, _stations, _logins)]
        begun[rows[0].line] = False
        return parsed(len(chunk.lines), rows, {CUT: begun.nonzero()[0]})

    return parse


def _dated(lines: pa.StringArray) -> pa.StringArray:
    """Lines with the dates of ``log print`` as a system log writes them."""
    found = pc.extract_regex(lines, _PRINTED)
    month, day, year, rest = (pc.struct_field(found, name) for name in ("month", "day", "year", "rest"))
    head = pc.binary_join_element_wise(pc.utf8_title(month), day, " ")
    head = pc.binary_join_element_wise(head, pc.replace_substring(year, "/", " "), "")
    return pc.coalesce(pc.binary_join_element_wise(head, rest, " "), lines)


def _with_chain(peeled: Peeled) -> pa.Array:
    """A line whose chain was taken for the name of a program (``Mar 18 20:35:05 gw input: in:…``)."""
    lost = pc.and_(pc.starts_with(peeled.rest, "in:"), pc.is_valid(peeled.program))
    return pc.if_else(lost, pc.binary_join_element_wise(peeled.program, peeled.rest, ": "), peeled.rest)


def _packets(text: pa.Array, peeled: Peeled, context: Context) -> Rows:
    index, got = extract(text, _PACKET)
    asked = _pair(got["ends"])
    sides, good = flow_sides(asked, _seen(asked, got["nat"]))
    columns = {
        **sides,
        "ts": read_stamps(peeled.stamp.take(pa.array(index)), context),
        "message": got["chain"],
        "client_mac": mac_column(got["mac"]),
        "transport": pc.ascii_lower(got["proto"]),
    }
    return keep(Rows("nat", columns, index), good)


def _pair(text: pa.Array) -> Tuples:
    parts = pc.extract_regex(text, _PAIR)
    got = {field.name: pc.struct_field(parts, field.name) for field in parts.type}

    def address(end: str) -> pa.Array:
        six, four, bare = (got[f"{end}{form}"] for form in ("six", "four", "bare"))
        return pc.if_else(pc.not_equal(six, ""), six, pc.if_else(pc.not_equal(four, ""), four, bare))

    def number(end: str) -> np.ndarray:
        return numbers(pc.if_else(pc.equal(got[f"{end}port"], ""), None, got[f"{end}port"]))

    return Tuples(address("a"), address("b"), number("a"), number("b"))


def _seen(asked: Tuples, nat: pa.Array) -> Tuples:
    """The tuple behind the translation; that before it where none is written."""
    parts = pc.extract_regex(nat, _TRANSLATED)
    source, target = _pair(pc.struct_field(parts, "from")), _pair(pc.struct_field(parts, "to"))
    translated, published = (mask(pc.is_valid(pair.src)) for pair in (source, target))
    return Tuples(
        pc.if_else(pa.array(translated), source.dst, asked.src),
        pc.if_else(pa.array(published), target.dst, asked.dst),
        np.where(translated, source.dport, asked.sport),
        np.where(published, target.dport, asked.dport),
    )


def _leases(rest: pa.Array, peeled: Peeled, context: Context) -> Rows:
    index, got = extract(rest, _LEASE)
    columns = {
        "ts": read_stamps(peeled.stamp.take(pa.array(index)), context),
        "message": got["message"],
        "client_ip": ip_column(got["ip"]),
        "client_mac": mac_column(got["mac"]),
        "hostname": got["name"],
    }
    return keep(Rows("dhcp", columns, index), mask(pc.is_valid(columns["client_ip"])))


def _stations(rest: pa.Array, peeled: Peeled, context: Context) -> Rows:
    index, got = extract(rest, _STATION)
    columns = {
        "ts": read_stamps(peeled.stamp.take(pa.array(index)), context),
        "message": got["message"],
        "client_mac": mac_column(got["mac"]),
        "nas_port": pc.coalesce(got["to"], got["port"]),
    }
    return keep(Rows("wlan", columns, index), mask(pc.is_valid(columns["client_mac"])))


def _logins(rest: pa.Array, peeled: Peeled, context: Context) -> Rows:
    index, got = extract(rest, _LOGIN)
    words = [
        pc.if_else(pc.is_valid(got[name]), word, None)
        for name, word in (("in", "login"), ("out", "logout"), ("failed", "login failed"))
    ]
    columns = {
        "ts": read_stamps(peeled.stamp.take(pa.array(index)), context),
        "message": pc.coalesce(*words),
        "client_ip": ip_column(got["ip"]),
        "account": got["user"],
    }
    return keep(Rows("radius", columns, index), mask(pc.is_valid(columns["client_ip"])))


_HEAD = "2026-05-31T00:04:27.696749+02:00 gw firewall,info"

FORMAT = LogFormat(
    title="MikroTik RouterOS log: firewall packets; leases (these unverified)",
    kinds=("nat", "dhcp", "wlan", "radius"),
    reference="https://help.mikrotik.com/docs/spaces/ROS/pages/328094/Log",
    sniff=lambda lines: among_others(
        peel_text(_dated(pa.array(lines, pa.string())).to_pylist()), _OWN.search
    ),
    open=_open,
    samples=(
        Sample(
            f"{_HEAD} forward: in:LAN out:ether1-WAN, connection-state:new,snat src-mac e4:41:64:93:a8:0f, proto TCP (SYN), "
            "10.1.0.12:51000->198.51.100.9:443, NAT (10.1.0.12:51000->203.0.113.9:1024)->198.51.100.9:443, len 52",
            (
                {
                    "kind": "nat",
                    "ts": "2026-05-30T22:04:27.696749000Z",
                    "message": "forward",
                    "transport": "tcp",
                    "client_ip": "10.1.0.12",
                    "client_port": 51000,
                    "client_mac": "e4:41:64:93:a8:0f",
                    "public_ip": "203.0.113.9",
                    "public_port": 1024,
                    "server_ip": "198.51.100.9",
                    "server_port": 443,
                },
            ),
        ),
        Sample(
            f"{_HEAD} input: in:WAN out:(unknown 0), connection-state:new proto TCP (SYN), "
            "[2001:db8:1234::1]:40384->[2001:db8:1234::2]:20461, len 24\n"
            f"{_HEAD} drop ping input: in:WAN out:(unknown 0), proto ICMP (type 8, code 0), 192.0.2.1->192.0.2.2, len 84",
            (
                {
                    "kind": "nat",
                    "message": "input",
                    "client_ip": "2001:db8:1234::1",
                    "client_port": 40384,
                    "public_ip": None,
                },
                {"kind": "nat", "transport": "icmp", "client_ip": "192.0.2.1", "client_port": None},
            ),
        ),
        Sample(
            "Nov 23 00:07:36 gw dstnat: in:WAN out:(unknown 0), connection-state:new,dnat proto TCP (SYN), "
            "198.51.100.4:38866->203.0.113.9:8080, NAT 198.51.100.4:38866->(203.0.113.9:8080->10.1.0.13:80), len 60",
            (
                {
                    "kind": "nat",
                    "message": "dstnat",
                    "client_ip": "10.1.0.13",
                    "client_port": 80,
                    "public_ip": "203.0.113.9",
                    "public_port": 8080,
                    "server_ip": "198.51.100.4",
                },
            ),
            note="a published server; the year is inferred",
        ),
        Sample(
            "2026-11-23T00:07:36+08:00 gw dhcp,info dhcp1 assigned 10.1.0.14 for 52:54:00:AA:00:06 pc-14\n"
            "2026-11-23T08:07:36+08:00 gw dhcp,info dhcp1 deassigned 10.1.0.14 for 52:54:00:AA:00:06 pc-14\n",
            (
                {
                    "kind": "dhcp",
                    "message": "assigned",
                    "client_ip": "10.1.0.14",
                    "client_mac": "52:54:00:aa:00:06",
                    "hostname": "pc-14",
                },
                {"kind": "dhcp", "message": "deassigned"},
            ),
        ),
        Sample(
            "jan/02/2026 20:04:20 wireless,info 0C:B3:19:29:08:13@wlan1_office: disconnected, received deauth: sending station "
            "leaving (3)\n"
            "2026-01-02 20:04:29 wireless,info 0C:B3:19:29:08:13@wifi1 connected, signal strength -50\n"
            "jan/02/2026 20:05:00 hotspot,info,debug dani (192.168.88.254): logged in",
            (
                {
                    "kind": "wlan",
                    "ts": "2026-01-02T20:04:20.000000000Z",
                    "message": "disconnected",
                    "client_mac": "0c:b3:19:29:08:13",
                    "nas_port": "wlan1_office",
                },
                {
                    "kind": "wlan",
                    "ts": "2026-01-02T20:04:29.000000000Z",
                    "message": "connected",
                    "nas_port": "wifi1",
                },
                {"kind": "radius", "message": "login", "account": "dani", "client_ip": "192.168.88.254"},
            ),
            timezone="UTC",
            note="stations and a login, as printed",
        ),
        Sample(
            f"{_HEAD} input: in:WAN out:LAN, connection-state:new proto TCP (SYN), 192.0.2.1:56282->192.0",
            note="cut",
        ),
        Sample(
            "2023-03-19T12:34:09.757188+01:00 10.120.127.1 system,error,critical login failure for user admin "
            "from 10.127.0.35 via winbox",
            note="of the router itself",
        ),
    ),
)
