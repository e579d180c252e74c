"""Syslog of Meraki security appliances: new leases, flows with and without translation, URLs.

Times are epochs with nanoseconds. ``flows`` and ``firewall`` lines are rules that were applied and
tell of no translation; ``ip_flow_start`` and ``ip_flow_end`` do. Addresses with ports are written
``address:port`` without brackets: the last colon parts them.
"""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.carrier import peel, peel_text
from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Rows, Sample, extract, said
from netaudit.intake.times import Context, from_epoch
from netaudit.records.addresses import ip_column, mac_column
from netaudit.sources.formats._endpoints import endpoints
from netaudit.sources.formats._flow_sides import PRIVATE, Tuples, flow_sides, numbers
from netaudit.sources.formats._key_values import KeyValues
from netaudit.sources.formats._outcome import keep, parsed
from netaudit.sources.formats._torn import torn_line
from netaudit.sources.formats._transports import transport_column
from netaudit.sources.formats._urls import destinations
from netaudit.sources.formats._values import among_others, mask

CUT = "A Meraki event of a known kind is cut off or names no address."
_FLOWS = "flows|ip_flow_start|ip_flow_end|(?:[a-z_]{1,40}_)?firewall"
_LINE = (
    r"^(?:\S+ ){0,3}?(?P<ts>\d{9,10}\.\d{1,9}) (?P<nas>\S+) "
    rf"(?:(?P<flow>{_FLOWS}) (?P<verdict>allow |deny )?(?P<pairs>.*)|events dhcp lease (?P<lease>.*)|urls (?P<url>.*))$"
)
_OWN = re.compile(
    rf"(?:\S+ ){{0,3}}?\d{{9,10}}\.\d{{1,9}} \S+ (?:(?:{_FLOWS}) (?:allow |deny )?\S+=|events \S|urls src=|ids-alerts )"
)
_LEASE = (
    r"^of ip (?P<ip>[0-9.]+) from (?:mx|server) mac (?P<server>\S+) for client mac (?P<mac>\S+)"
    r"(?: from router (?P<router>[0-9.]+) )?"
)
_URL = r"^src=(?P<src>\S+) dst=(?P<dst>\S+)(?: mac=(?P<mac>\S+))?.*? request: (?P<method>[A-Z]+) (?P<target>\S+)"
_PATTERN = r"pattern: (?P<it>allow|deny|0|1)\b"


def _open(context: Context) -> Parse:
    del context  # epochs

    def parse(chunk: Chunk) -> Parsed:
        rest = peel(chunk.lines).rest
        index, got = extract(rest, _LINE)
        torn = index == torn_line(chunk)
        ts = from_epoch(got["ts"])
        rows, seen = [], np.zeros(0, np.int64)
        for name, read in (("flow", _flows), ("lease", _leases), ("url", _urls)):
            here = mask(pc.is_valid(got[name]))
            seen = np.concatenate((seen, index[here]))
            here &= ~torn if name == "flow" else True  # a flow ends with a port
            part = {n: c.filter(pa.array(here)) for n, c in got.items()}
            rows.append(read(part, ts.filter(pa.array(here)), index[here]))
        held = np.concatenate([r.line for r in rows])
        return parsed(len(chunk.lines), rows, {CUT: np.setdiff1d(seen, held)})

    return parse


def _flows(got: dict[str, pa.Array], ts: pa.Array, index: np.ndarray) -> Rows:
    """Sessions; what was translated to an address that is not inside is left out of the sides."""
    pairs = KeyValues(got["pairs"])
    src, dst, sport, dport = (pairs.get(key) for key in ("src", "dst", "sport", "dport"))
    new_src, new_dst = pairs.get("translated_src_ip"), pairs.get("translated_dst_ip")
    new_dst = pc.if_else(pc.match_substring_regex(new_dst, PRIVATE), new_dst, None)
    new_port = pairs.get("translated_port")
    asked = Tuples(src, dst, numbers(sport), numbers(dport))
    seen = Tuples(
        pc.coalesce(new_src, src),
        pc.coalesce(new_dst, dst),
        numbers(pc.if_else(pc.is_valid(new_src), pc.coalesce(new_port, sport), sport)),
        numbers(pc.if_else(pc.is_valid(new_dst), pc.coalesce(new_port, dport), dport)),
    )
    sides, good = flow_sides(asked, seen)
    rule = said(got["pairs"], _PATTERN)
    rule = pc.if_else(pc.is_in(rule, value_set=pa.array(["1", "deny"])), "deny", _or_null(rule, "allow"))
    columns = {
        **sides,
        "ts": ts,
        "message": got["flow"],
        "transport": transport_column(pairs.get("protocol")),
        "action": pc.coalesce(pc.utf8_trim_whitespace(got["verdict"]), rule),
    }
    return keep(Rows("nat", columns, index), good)


def _or_null(text: pa.Array, word: str) -> pa.Array:
    return pc.if_else(pc.is_valid(text), word, pa.scalar(None, pa.string()))


def _leases(got: dict[str, pa.Array], ts: pa.Array, index: np.ndarray) -> Rows:
    """New leases. The server's own MAC is no client."""
    parts = pc.extract_regex(got["lease"], _LEASE)
    columns = {
        "ts": ts,
        "message": "lease",
        "client_ip": ip_column(pc.struct_field(parts, "ip")),
        "client_mac": mac_column(pc.struct_field(parts, "mac")),
        "server_ip": ip_column(pc.struct_field(parts, "router")),
        "nas": got["nas"],
    }
    who = pc.and_(pc.is_valid(columns["client_ip"]), pc.is_valid(columns["client_mac"]))
    return keep(Rows("dhcp", columns, index), mask(who))


def _urls(got: dict[str, pa.Array], ts: pa.Array, index: np.ndarray) -> Rows:
    """Requests. Of HTTPS no method is known: the appliance saw the name in the handshake."""
    parts = pc.extract_regex(got["url"], _URL)
    method, target = pc.struct_field(parts, "method"), pc.struct_field(parts, "target")
    client_ip, client_port = endpoints(pc.struct_field(parts, "src"))
    server_ip, server_port = endpoints(pc.struct_field(parts, "dst"))
    asked = destinations(target)
    hidden = pc.and_(pc.equal(method, "UNKNOWN"), pc.starts_with(target, "https:"))
    columns = {
        **asked,
        "ts": ts,
        "client_ip": client_ip,
        "client_port": client_port,
        "client_mac": mac_column(pc.struct_field(parts, "mac")),
        "server_ip": server_ip,
        "server_port": pc.coalesce(server_port, asked["server_port"]),
        "transport": "tcp",
        "method": pc.if_else(hidden, "TLS", method),
    }
    return keep(Rows("proxy", columns, index), mask(pc.is_valid(client_ip)))


_START = (
    "1673277245.262063982 FW_MX_01 ip_flow_start src=10.1.0.12 dst=198.51.100.9 protocol=tcp sport=64365 dport=443 "
    "translated_src_ip=203.0.113.9 translated_port=64366"
)

FORMAT = LogFormat(
    title="Meraki security appliance syslog: leases, flows, URLs",
    kinds=("nat", "dhcp", "proxy"),
    reference="https://documentation.meraki.com/General_Administration/Monitoring_and_Reporting/"
    "Syslog_Event_Types_and_Log_Samples",
    sniff=lambda lines: among_others(peel_text(lines), _OWN.match),
    open=_open,
    samples=(
        Sample(
            _START,
            (
                {
                    "kind": "nat",
                    "ts": "2023-01-09T15:14:05.262063982Z",
                    "message": "ip_flow_start",
                    "transport": "tcp",
                    "client_ip": "10.1.0.12",
                    "client_port": 64365,
                    "public_ip": "203.0.113.9",
                    "public_port": 64366,
                    "server_ip": "198.51.100.9",
                    "server_port": 443,
                },
            ),
        ),
        Sample(
            "<134>1 1673277245.252432409 FW_MX_01 ip_flow_end src=198.51.100.4 dst=203.0.113.9 protocol=tcp sport=38866 "
            "dport=8080 translated_dst_ip=10.1.0.13 translated_port=80\n"
            "1673277244.954105815 FW_MX_01 flows deny src=10.1.0.12 dst=198.51.100.7 protocol=17 sport=42644 dport=543",
            (
                {
                    "kind": "nat",
                    "message": "ip_flow_end",
                    "client_ip": "10.1.0.13",
                    "client_port": 80,
                    "public_ip": "203.0.113.9",
                    "public_port": 8080,
                    "server_ip": "198.51.100.4",
                    "server_port": 38866,
                },
                {
                    "kind": "nat",
                    "message": "flows",
                    "action": "deny",
                    "transport": "udp",
                    "public_ip": None,
                },
            ),
            note="a published server; a rule that was applied",
        ),
        Sample(
            "<134>1 948136486.721741837 MX60 bridge_anyconnect_client_vpn_firewall src=10.10.10.11 dst=198.51.100.7 "
            "mac=00:18:0A:00:00:01 protocol=udp sport=9562 dport=53 pattern: allow all",
            (
                {
                    "kind": "nat",
                    "ts": "2000-01-17T19:14:46.721741837Z",
                    "message": "bridge_anyconnect_client_vpn_firewall",
                    "client_ip": "10.10.10.11",
                    "action": "allow",
                },
            ),
            note="newer firmware names the firewall; the clock of a device that was never set",
        ),
        Sample(
            "1673516966.834663913 FW_MX_01 events dhcp lease of ip 10.1.0.14 from mx mac AA:BB:CC:DD:EE:FF for client mac "
            "52:54:00:AA:00:06 from router 10.1.0.1 on subnet 255.255.255.0 with dns 192.0.2.53",
            (
                {
                    "kind": "dhcp",
                    "ts": "2023-01-12T09:49:26.834663913Z",
                    "message": "lease",
                    "client_ip": "10.1.0.14",
                    "client_mac": "52:54:00:aa:00:06",
                    "nas": "FW_MX_01",
                },
            ),
            note="of the two MACs the client's counts",
        ),
        Sample(
            "1673277245.257656306 FW_MX_01 urls src=10.1.0.12:51960 dst=198.51.100.7:443 mac=52:54:00:AA:00:06 request: "
            "UNKNOWN https://www.example.org/...\n"
            "1673277244.773622789 FW_MX_01 urls src=fd00:20:30:0:0:0:0:11:64194 dst=2001:db8:0:0:0:0:0:7:80 request: "
            "GET http://www.example.com/secret?q=1",
            (
                {
                    "kind": "proxy",
                    "client_ip": "10.1.0.12",
                    "client_port": 51960,
                    "server_ip": "198.51.100.7",
                    "server_port": 443,
                    "name": "www.example.org",
                    "method": "TLS",
                },
                {"kind": "proxy", "client_ip": "fd00:20:30::11", "client_port": 64194, "method": "GET"},
            ),
        ),
        Sample(_START[:70], note="cut off"),
        Sample(
            "1673541902.311547724 FW_MX_01 events dhcp no offers for mac AA:BB:CC:DD:EE:FF", note="no lease"
        ),
    ),
)
