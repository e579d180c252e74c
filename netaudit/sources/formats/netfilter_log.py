"""Packets that Linux's firewall logs: the LOG target of iptables and nftables, and ulogd's NFLOG.

One packet is no session, and the public side is never in it: the log stands before the translation.
The source of the packet is the client, whichever way it goes. The administrator's prefix is free
text: where it says what was done with the packet (DROP, ACCEPT), that is the action. ``MAC=`` is
destination, source and type glued together; the source is the neighbour that sent the packet,
and is kept for private addresses only.
"""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.carrier import peel, read_stamps
from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Rows, Sample, empty_to_null, extract, said
from netaudit.intake.times import Context
from netaudit.records.addresses import ip_column, mac_column
from netaudit.sources.formats._flow_sides import PRIVATE, TORN_PACKET
from netaudit.sources.formats._torn import rows_or_torn
from netaudit.sources.formats._transports import transport_column
from netaudit.sources.formats._values import among_others, port

_PACKET = (
    r"^(?P<before>.*?)(?:\b(?:IN|[A-Z]{2})=\S* )?(?:PHYSIN=\S* )?OUT=\S* .*?"
    r"\bSRC=(?P<src>[0-9a-fA-F.:]+) DST=(?P<dst>[0-9a-fA-F.:]+) LEN=\d+ .*?\bPROTO=(?P<proto>[A-Za-z0-9]+)"
    r"(?: SPT=(?P<sport>\d+) DPT=(?P<dport>\d+)| TYPE=(?:8|128) CODE=0 ID=(?P<query>\d+))?"
)
_MAC = r" MAC=(?:[0-9a-fA-F]{2}:){6}(?P<mac>[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5}):[0-9a-fA-F]{2}"
_BEGUN = r"\bOUT=\S* (?:[A-Z]+=\S* ){0,8}SRC=[0-9a-fA-F.:]{2,45} DST="
_DONE = r"(?i)(?:^|[^a-z])(?P<it>accept|allow|pass|drop|reject|deny|block)(?:p?ed|ied)?(?:[^a-z]|$)"
_OWN = re.compile(_BEGUN)


def _open(context: Context) -> Parse:
    def parse(chunk: Chunk) -> Parsed:
        peeled = peel(chunk.lines)
        index, got = extract(peeled.rest, _PACKET)
        here = pa.array(index)
        kernel = pc.or_kleene(
            pc.is_null(peeled.stamp.take(here)),
            pc.or_kleene(
                pc.is_valid(peeled.program.take(here)), pc.match_substring_regex(got["before"], r"\[ *\d")
            ),
        )
        prefix = _prefix(got["before"], kernel)
        inside = pc.match_substring_regex(got["src"], PRIVATE)
        mac = said(peeled.rest.take(here), _MAC)
        columns = {
            "ts": read_stamps(peeled.stamp.take(here), context),
            "client_ip": ip_column(got["src"]),
            "client_port": port(pc.coalesce(got["sport"], got["query"])),
            "server_ip": ip_column(got["dst"]),
            "server_port": port(got["dport"]),
            "client_mac": mac_column(pc.if_else(inside, mac, None)),
            "transport": transport_column(got["proto"]),
            "message": pc.if_else(kernel, "packet", pc.coalesce(prefix, "packet")),
            "action": pc.ascii_lower(said(prefix, _DONE)),
        }
        rows = Rows("nat", columns, index)
        return rows_or_torn(
            peeled.rest, rows, ("client_ip", "server_ip"), r"\bOUT=\S* .*\bSRC=", TORN_PACKET
        )

    return parse


def _prefix(before: pa.Array, kernel: pa.Array) -> pa.Array:
    """The administrator's words; ulogd writes the host before them, the kernel its uptime."""
    text = pc.replace_substring_regex(before, r"^\s*\[\s*\d+\.\d+\]\s*", "")
    without_host = pc.replace_substring_regex(text, r"^\S+\s+", "")
    return empty_to_null(pc.utf8_trim_whitespace(pc.if_else(kernel, text, without_host)))


_DROPPED = (
    "Sep 27 20:56:38 gw kernel: [  203.842973] IPTABLES-DROP: IN=lan OUT= MAC=b6:c9:20:2b:b3:9d:2a:d1:24:5f:4c:ba:08:00 "
    "SRC=10.1.0.11 DST=10.1.0.1 LEN=76 TOS=0x00 PREC=0x00 TTL=64 ID=25029 DF PROTO=UDP SPT=49007 DPT=53 LEN=56 "
)
_NFLOG = (
    "Nov 23 00:19:08 gw FWD-NEW  IN=lan OUT=wan MAC=b6:c9:20:2b:b3:9d:2a:d1:24:5f:4c:ba:08:00 SRC=10.1.0.11 "
    "DST=198.51.100.7 LEN=60 TOS=00 PREC=0x00 TTL=63 ID=32487 DF PROTO=TCP SPT=50001 DPT=443 SEQ=279330893 ACK=0 "
    "WINDOW=64240 SYN URGP=0 MARK=0x0 "
)

FORMAT = LogFormat(
    title="Linux firewall packet log (iptables and nftables LOG, ulogd2 NFLOG)",
    kinds=("nat",),
    reference="https://manpages.debian.org/iptables-extensions",
    sniff=lambda lines: among_others(lines, _OWN.search),
    open=_open,
    samples=(
        Sample(
            _DROPPED,
            (
                {
                    "kind": "nat",
                    "ts": "2026-09-27T12:56:38.000000000Z",
                    "message": "packet",
                    "action": "drop",
                    "transport": "udp",
                    "client_ip": "10.1.0.11",
                    "client_port": 49007,
                    "client_mac": "2a:d1:24:5f:4c:ba",
                    "server_ip": "10.1.0.1",
                    "server_port": 53,
                    "public_ip": None,
                },
            ),
            timezone="Asia/Shanghai",
            note="the kernel's own",
        ),
        Sample(
            _NFLOG,
            (
                {
                    "kind": "nat",
                    "message": "FWD-NEW",
                    "action": None,
                    "client_ip": "10.1.0.11",
                    "server_ip": "198.51.100.7",
                    "server_port": 443,
                },
            ),
            note="ulogd's",
        ),
        Sample(
            "IPTABLES IN=net0 OUT=docker0 MAC=00:e0:4c:68:00:64:70:df:2f:d0:8c:a7:08:00 SRC=172.217.22.142 DST=172.17.0.2 "
            "LEN=84 TOS=0x00 PREC=0x00 TTL=54 ID=0 PROTO=ICMP TYPE=0 CODE=0 ID=20 SEQ=",
            ({"kind": "nat", "ts": None, "transport": "icmp", "client_port": None, "client_mac": None},),
            note="without any header",
        ),
        Sample(_DROPPED[:150], note="cut off"),
    ),
)
