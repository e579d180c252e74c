"""pf's packet log on pfSense and OPNsense (``filterlog``): comma-separated, one packet a line.

It never carries the translation: it says who asked for what, and what the firewall did. The source
of the packet is the client, whichever way it goes. IPv4 has the protocol's number before its name,
IPv6 has them the other way round.
"""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.carrier import peel, peel_text, read_stamps
from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Rows, Sample, extract, said
from netaudit.intake.times import Context
from netaudit.records.addresses import ip_column
from netaudit.sources.formats._flow_sides import TORN_PACKET
from netaudit.sources.formats._outcome import keep, parsed
from netaudit.sources.formats._values import among_others, mask, port

# rule, subrule, anchor, tracker, interface, reason, action, direction
_HEAD = r"^[0-9]*,[^,]*,[^,]*,[^,]*,(?P<interface>[^,]*),[a-z-]+,(?P<action>[a-z]+),(?:in|out|in/out),"
_PACKET = (
    _HEAD + r"(?:4,[^,]*,[^,]*,[^,]*,[^,]*,[^,]*,[^,]*,[^,]*,(?P<four>[^,]+)"
    r"|6,[^,]*,[^,]*,[^,]*,(?P<six>[^,]+),[^,]*),[^,]*,(?P<src>[^,]+),(?P<dst>[^,]+)(?:,(?P<tail>.*))?$"
)
_PORTS = r"^(?P<sport>\d+),(?P<dport>\d+),"
_QUERY = r"^request,(?P<query>\d+),"
_BEGUN = r"^[0-9]*,[^,]*,[^,]*,[^,]*,[^,]*,[a-z-]+,(?:pass|block|nat|rdr|binat|match|scrub|reject|log)\b"
_NEIGHBOURLY = pa.array(["carp", "vrrp", "pfsync"])
"""What firewalls say to each other."""
_OWN = re.compile(_HEAD + "[46],")


def _open(context: Context) -> Parse:
    def parse(chunk: Chunk) -> Parsed:
        peeled = peel(chunk.lines)
        index, got = extract(peeled.rest, _PACKET)
        proto = pc.ascii_lower(pc.coalesce(got["four"], got["six"]))
        tail = pc.fill_null(got["tail"], "")
        ported = pc.extract_regex(tail, _PORTS)
        named = pc.is_in(proto, value_set=pa.array(["tcp", "udp", "sctp"]))
        sport, dport = (pc.if_else(named, pc.struct_field(ported, n), None) for n in ("sport", "dport"))
        query = said(tail, _QUERY)
        columns = {
            "ts": read_stamps(peeled.stamp.take(pa.array(index)), context),
            "client_ip": ip_column(got["src"]),
            "client_port": port(pc.coalesce(sport, query)),
            "server_ip": ip_column(got["dst"]),
            "server_port": port(dport),
            "transport": pc.if_else(pc.equal(proto, "ipv6-icmp"), "icmpv6", proto),
            "message": got["action"],
            "action": got["action"],
        }
        among = mask(pc.is_in(proto, value_set=_NEIGHBOURLY))
        good = mask(pc.and_(pc.is_valid(columns["client_ip"]), pc.is_valid(columns["server_ip"]))) & ~among
        rows = keep(Rows("nat", columns, index), good)
        begun = np.flatnonzero(mask(pc.match_substring_regex(peeled.rest, _BEGUN)))
        torn = np.setdiff1d(np.union1d(begun, index), np.concatenate((rows.line, index[among])))
        return parsed(len(chunk.lines), [rows], {TORN_PACKET: torn})

    return parse


_BLOCKED = (
    "Sep 28 10:38:24 pfSense filterlog: 53,,,1000102631,em0,match,block,in,4,0x0,,64,600,0,none,6,tcp,44,10.0.2.2,"
    "10.0.2.15,53792,22,0,S,31552001,,65535,,mss"
)

FORMAT = LogFormat(
    title="pf filterlog (pfSense, OPNsense)",
    kinds=("nat",),
    reference="https://docs.netgate.com/pfsense/en/latest/monitoring/logs/raw-filter-format.html",
    sniff=lambda lines: among_others(peel_text(lines), _OWN.match),
    open=_open,
    samples=(
        Sample(
            _BLOCKED,
            (
                {
                    "kind": "nat",
                    "ts": "2026-09-28T10:38:24.000000000Z",
                    "message": "block",
                    "action": "block",
                    "transport": "tcp",
                    "client_ip": "10.0.2.2",
                    "client_port": 53792,
                    "server_ip": "10.0.2.15",
                    "server_port": 22,
                    "public_ip": None,
                },
            ),
            note="pfSense",
        ),
        Sample(
            '<134>1 2022-09-06T19:00:06+02:00 opnsense filterlog 57126 - [meta sequenceId="2667099"] 98,,,'
            "881dd59a3e942966c90498ac104715a0,re0,match,pass,in,6,0x00,0x0ea87,51,udp,17,73,2001:db8:ce00::2f8a,"
            "2001:db8:d900::1738,6881,51918,73",
            (
                {
                    "kind": "nat",
                    "ts": "2022-09-06T17:00:06.000000000Z",
                    "message": "pass",
                    "transport": "udp",
                    "client_ip": "2001:db8:ce00::2f8a",
                    "server_port": 51918,
                },
            ),
            note="OPNsense, IPv6",
        ),
        Sample(
            "69,,,1000006765,vmx1,match,pass,out,4,0x0,,31,42511,0,none,1,icmp,60,10.0.0.4,198.51.100.8,request,77,100140",
            ({"kind": "nat", "ts": None, "transport": "icmp", "client_port": 77, "server_port": None},),
            note="without a header",
        ),
        Sample(
            "183,,,41cb,vtnet9,match,block,out,4,0x0,,63,18292,0,DF,112,vrrp,72,1.2.3.4,5.6.7.8,3,255,13,2,0,1",
            note="firewalls among themselves",
        ),
        Sample(_BLOCKED[:110], note="cut off"),
    ),
)
