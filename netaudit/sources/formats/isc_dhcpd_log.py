"""ISC dhcpd's messages in a system log: the history that its lease file forgets.

Only an acknowledgement says that a client has an address. The lines have no time, and plain dhcpd
writes no length of the lease (Infoblox and EfficientIP add it): the time is the system log's. What stands in parentheses is the client's own name for
itself, so the pattern reads address and MAC before it and nothing after it. Infoblox also writes the port of
the switch (option 82) and one-line leases.
"""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.carrier import Peeled, peel, peel_text, read_stamps
from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Rows, Sample, extract, said
from netaudit.intake.times import Context, from_epoch
from netaudit.records.addresses import by_distinct, ip_column, mac_column
from netaudit.records.schemas import MAC
from netaudit.sources.formats._outcome import refused
from netaudit.sources.formats._values import among_others, hex_duid_mac, mask, whole

_KINDS = "ACK|OFFER|NAC?K|REQUEST|RELEASE|DECLINE|EXPIRE|INFORM|DISCOVER"
_V4 = (
    rf"^(?:\[\d+\] )?DHCP(?P<message>{_KINDS})\b"
    r"(?: (?:on|for|of) (?P<ip>[0-9.]+))?(?: \((?P<server>[0-9.]+)\))?"
    r"(?: from (?P<asker>[0-9]{1,3}(?:\.[0-9]{1,3}){3}))?"
    r"(?: (?:from|to) (?P<mac>[0-9a-fA-F]{1,2}(?::[0-9a-fA-F]{1,2}){5}))?(?: \((?P<name>.*)\))? via (?P<tail>.*)$"
)
_V6 = (
    r"^Reply (?P<kind>NA|TA): address (?P<ip>[0-9a-fA-F:.]+) to client with duid (?P<duid>[0-9a-fA-F:]+)"
    r" iaid = -?\d+ valid for (?P<valid>\d+) seconds"
)
_OPTION_82 = (
    r"^Option 82: received a (?P<message>[A-Z]+) DHCP packet from relay-agent (?P<relay>\S+) with a "
    r'(?:(?:,? (?:and )?a )?(?:circuit-id of "(?P<circuit>[^"]*)"|remote-id of "(?P<remote>[^"]*)"|[a-z-]+ of "[^"]*"))+'
    r" for (?P<ip>[0-9.]+) "
    r"\((?P<mac>[0-9a-fA-F:]{11,17})\)"
)
# Infoblox: address, state, host, MAC, begin, end
_RECORD = (
    r"^r-l-e:(?P<ip>[0-9a-fA-F.:]+),(?P<state>[A-Za-z]+),(?P<name>[^,]*),(?P<mac>[^,]*),"
    r"(?P<begin>\d{1,10}),(?P<end>\d{1,10})(?:,|$)"
)
# Infoblox's members name the server twice; an expiry has no interface
_TWICE = r"^\S+ \S+ dhcpd(?:v6)?\[\d+\]: "
_EXPIRED = r"^(DHCPEXPIRE on \S+ to [0-9a-fA-F:]+)\s*$"
_BEGUN = rf"^(?:(?:\[\d+\] )?DHCP(?:{_KINDS}) (?:on|for|of|from|to)\b|Option 82: received|r-l-e:)"
_OWN = re.compile(
    rf"(?:\[\d+\] )?DHCP(?:{_KINDS}) (?:on|for|of|from|to) \S+.* via "
    r"|DHCPEXPIRE on \S+ to |Reply [NT]A: address \S+ to client with duid |reuse_lease: lease age |Option 82: received a |r-l-e:[^,]+,\w+,"
)
_UNPRINTABLE: str = "Hostname Unsuitable for Printing"


def _open(context: Context) -> Parse:
    def parse(chunk: Chunk) -> Parsed:
        peeled = peel(chunk.lines)
        peeled = replace(peeled, rest=_bare(peeled.rest))
        rows = [read(peeled, context) for read in (_v4, _v6, _option_82, _record)]
        torn = _torn(peeled.rest, np.concatenate([r.line for r in rows]))
        kept = [_addressed(r) for r in rows]
        lost = np.concatenate([np.setdiff1d(r.line, k.line) for r, k in zip(rows, kept, strict=True)])
        records = sum(len(k.line) for k in kept)
        return Parsed(
            [k for k in kept if len(k.line)],
            refused(
                {
                    "A DHCP message is cut off or of an unknown shape.": torn,
                    "A DHCP message has neither an address nor a hardware address.": lost,
                }
            ),
            len(chunk.lines) - records - len(torn) - len(lost),
        )

    return parse


def _bare(rest: pa.StringArray) -> pa.StringArray:
    """Messages in the one shape that is read."""
    return pc.replace_substring_regex(pc.replace_substring_regex(rest, _TWICE, ""), _EXPIRED, r"\1 via -")


def _v4(peeled: Peeled, context: Context) -> Rows:
    index, got = extract(peeled.rest, _V4)
    stamp = peeled.stamp.take(pa.array(index))
    columns = {
        "ts": read_stamps(stamp, context),
        "message": pc.ascii_lower(got["message"]),
        "client_ip": ip_column(pc.coalesce(got["ip"], got["asker"])),
        "client_mac": mac_column(got["mac"]),
        "hostname": pc.if_else(pc.equal(got["name"], _UNPRINTABLE), None, got["name"]),
        "server_ip": ip_column(got["server"]),
        "lease_s": whole(
            _said(got["tail"], r"(?:\blease-duration |\[)(?P<it>\d+)"), 0xFFFF_FFFF, pa.uint32()
        ),
        "client_id": _said(got["tail"], r"\buid (?P<it>[0-9a-fA-F]{1,2}(?::[0-9a-fA-F]{1,2})*)"),
    }
    return Rows("dhcp", columns, index)


def _said(tail: pa.Array, pattern: str) -> pa.Array:
    """What appliances add behind the interface."""
    return said(tail, pattern)


def _v6(peeled: Peeled, context: Context) -> Rows:
    index, got = extract(peeled.rest, _V6)
    columns = {
        "ts": read_stamps(peeled.stamp.take(pa.array(index)), context),
        "message": pa.array(["reply"] * len(index), pa.string()),
        "client_ip": ip_column(got["ip"]),
        "client_mac": by_distinct(got["duid"], hex_duid_mac, MAC),
        "client_id": got["duid"],
        "lease_s": whole(got["valid"], 0xFFFF_FFFF, pa.uint32()),
    }
    return Rows("dhcp", columns, index)


def _option_82(peeled: Peeled, context: Context) -> Rows:
    """Where a client sits: the relay's words for the switch (remote-id) and its port (circuit-id)."""
    index, got = extract(peeled.rest, _OPTION_82)
    columns = {
        "ts": read_stamps(peeled.stamp.take(pa.array(index)), context),
        "message": pc.binary_join_element_wise("option82", pc.ascii_lower(got["message"]), "-"),
        "client_ip": ip_column(got["ip"]),
        "client_mac": mac_column(got["mac"]),
        "nas": pc.coalesce(got["remote"], got["relay"]),
        "nas_port": got["circuit"],
    }
    return Rows("dhcp", columns, index)


def _record(peeled: Peeled, context: Context) -> Rows:
    """Infoblox's lease in one line; its own times are epochs."""
    del context
    index, got = extract(peeled.rest, _RECORD)
    columns = {
        "ts": from_epoch(got["begin"]),
        "ts_end": from_epoch(got["end"]),
        "message": pc.ascii_lower(got["state"]),
        "client_ip": ip_column(got["ip"]),
        "client_mac": mac_column(got["mac"]),
        "hostname": got["name"],
    }
    return Rows("dhcp", columns, index)


def _addressed(rows: Rows) -> Rows:
    good = mask(pc.or_(pc.is_valid(rows.columns["client_ip"]), pc.is_valid(rows.columns["client_mac"])))
    return Rows(rows.kind, {n: c.filter(pa.array(good)) for n, c in rows.columns.items()}, rows.line[good])


def _torn(rest: pa.StringArray, read: np.ndarray) -> np.ndarray:
    """Lines that begin as a message of the server and could not be read."""
    begun = mask(pc.match_substring_regex(rest, _BEGUN))
    return np.setdiff1d(np.flatnonzero(begun), read)


def _texts(lines: list[str]) -> list[str]:
    rest: list[str] = _bare(pa.array(peel_text(lines), pa.string())).to_pylist()
    return rest


FORMAT = LogFormat(
    title="ISC dhcpd in a system log (also Infoblox and EfficientIP)",
    kinds=("dhcp",),
    reference="https://kb.isc.org/docs/isc-dhcp-44-manual-pages-dhcpd",
    sniff=lambda lines: among_others(_texts(lines), _OWN.match),
    open=_open,
    samples=(
        Sample(
            "Nov 23 00:07:36 gw dhcpd[812]: DHCPACK on 10.1.0.101 to 52:54:00:aa:00:02 (pc-101) via eth1",
            (
                {
                    "kind": "dhcp",
                    "message": "ack",
                    "client_ip": "10.1.0.101",
                    "client_mac": "52:54:00:aa:00:02",
                    "hostname": "pc-101",
                },
            ),
            note="the year is inferred",
        ),
        Sample(
            "2026-11-23T00:07:36+08:00 gw dhcpd[812]: DHCPREQUEST for 10.1.0.108 (10.1.0.1) from 52:54:00:aa:00:0a "
            "via 10.1.0.2: wrong network.",
            (
                {
                    "kind": "dhcp",
                    "ts": "2026-11-22T16:07:36.000000000Z",
                    "message": "request",
                    "client_ip": "10.1.0.108",
                    "server_ip": "10.1.0.1",
                    "hostname": None,
                },
            ),
            note="through a relay, and refused",
        ),
        Sample(
            "DHCPACK on 10.1.0.102 to 52:54:00:aa:00:03 (Hostname Unsuitable for Printing) via vd",
            ({"kind": "dhcp", "ts": None, "message": "ack", "hostname": None},),
            note="no time at all; the name could not be printed",
        ),
        Sample(
            "DHCPACK on 10.1.0.103 to 52:54:00:aa:00:04 (x) via vd DHCPACK on 10.9.9.9 to 52:54:00:ff:ff:01 (y) via vd",
            ({"kind": "dhcp", "client_ip": "10.1.0.103", "client_mac": "52:54:00:aa:00:04"},),
            note="a client that calls itself like a message changes nothing",
        ),
        Sample(
            "Nov 23 00:07:36 gw dhcpd[812]: Reply NA: address 2001:db8:1::60 to client with duid "
            "00:01:00:01:32:95:dc:02:52:54:00:cc:00:01 iaid = 13369345 valid for 600 seconds",
            (
                {
                    "kind": "dhcp",
                    "message": "reply",
                    "client_ip": "2001:db8:1::60",
                    "client_mac": "52:54:00:cc:00:01",
                    "lease_s": 600,
                },
            ),
        ),
        Sample(
            "DHCPACK on 10.1.0.103 to 52:54:00:aa:00:04 (pc-4) via eth2 relay 10.1.0.2 lease-duration 7200 uid "
            "01:52:54:00:aa:00:04\nDHCPNACK on 10.1.0.9 to 52:54:00:aa:00:09 via 10.1.0.2\n"
            "DHCPACK on 10.1.0.3 to 52:54:00:aa:00:03 (pc-3) via 10.1.0.2 [14400]",
            (
                {"kind": "dhcp", "message": "ack", "lease_s": 7200, "client_id": "01:52:54:00:aa:00:04"},
                {"kind": "dhcp", "message": "nack"},
                {"kind": "dhcp", "message": "ack", "lease_s": 14400, "hostname": "pc-3"},
            ),
            note="of appliances",
        ),
        Sample(
            'Option 82: received a REQUEST DHCP packet from relay-agent eth2 with a circuit-id of "1a:02:30:00", a remote-id '
            'of "0a:44:70:46" for 192.168.1.222 (00:50:56:ae:b3:44) lease time is undefined seconds. (NEW)\n'
            "r-l-e:10.1.0.103,Issued,pc-3,52:54:00:aa:00:03,1795363600,1795370800,3,1,\n"
            'Option 82: received a DISCOVER DHCP packet from relay-agent 203.0.113.1 with a link-selection of "203.0.113.0", '
            'a server-id-override of "203.0.113.2" for 203.0.113.10 (02:00:00:00:00:00) lease time is undefined seconds.',
            (
                {
                    "kind": "dhcp",
                    "message": "option82-request",
                    "client_ip": "192.168.1.222",
                    "client_mac": "00:50:56:ae:b3:44",
                    "nas": "0a:44:70:46",
                    "nas_port": "1a:02:30:00",
                },
                {
                    "kind": "dhcp",
                    "ts": "2026-11-22T16:06:40.000000000Z",
                    "ts_end": "2026-11-22T18:06:40.000000000Z",
                    "message": "issued",
                    "client_ip": "10.1.0.103",
                    "client_mac": "52:54:00:aa:00:03",
                    "hostname": "pc-3",
                },
                {
                    "kind": "dhcp",
                    "message": "option82-discover",
                    "client_ip": "203.0.113.10",
                    "nas": "203.0.113.1",
                    "nas_port": None,
                },
            ),
            note="Infoblox: a switch port; a lease in one line (this one is documented only)",
        ),
        Sample(
            "<30>Mar 27 08:32:59 infoblox.localdomain dhcpd[20397]: DHCPEXPIRE on 192.168.0.4 to 00:50:56:83:6c:a0\n"
            "<30>Mar 27 08:32:59 infoblox.localdomain 10.0.0.1 dhcpd[7024]: DHCPDISCOVER from 00:50:56:83:6c:a0 via eth3 "
            "TransID b5e92c59 uid 01:00:50:56:83:6c:a0: database update failed",
            (
                {
                    "kind": "dhcp",
                    "message": "expire",
                    "client_ip": "192.168.0.4",
                    "client_mac": "00:50:56:83:6c:a0",
                },
                {"kind": "dhcp", "message": "discover", "client_id": "01:00:50:56:83:6c:a0"},
            ),
            note="Infoblox: the end of a lease; a relay's second name",
        ),
        Sample("DHCPACK on 10.1.0.101 to 52:54:0", note="cut off"),
        Sample(
            "reuse_lease: lease age 11 (secs) under 25% threshold, reply with unaltered, existing lease for 10.1.0.1"
        ),
    ),
)
