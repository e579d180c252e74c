"""dnsmasq's lease file: a snapshot without history and without the start of any lease.

Columns are expiry, MAC, address, name, client id. After the server's own ``duid`` line the second
column is an IAID and the last is the client's DUID. ``0`` never expires, ``*`` stands for nothing.
Builds without a clock write the length of the lease in place of its end.
"""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Rows, Sample, extract, share
from netaudit.intake.times import Context, from_epoch
from netaudit.records.addresses import by_distinct, ip_column, mac_column
from netaudit.records.schemas import MAC
from netaudit.sources.formats._outcome import refused
from netaudit.sources.formats._values import given, hex_duid_mac, mask, whole

LENGTHS = "This lease file holds lengths of leases, not their ends."
_LINE = (
    r"^(?P<expiry>\d{1,10}) (?:(?:[0-9a-f]{2}-)?(?P<mac>[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2})+)|(?P<iaid>T?\d{1,10})) "
    r"(?P<ip>[0-9a-fA-F.:]+) (?P<name>\S+) (?P<id>\S+)$"
)
_ABSENT = ("*",)
_SHORTEST_EPOCH = 10**9
"""Seconds; what is less is a length (31 years) and no time (September 2001)."""
_OWN = re.compile(
    r"(?:\d{1,10} (?:(?:[0-9a-f]{2}-)?[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5,}|T?\d{1,10}) [0-9a-fA-F.:]{3,45} \S+ \S+"
    r"|duid [0-9a-fA-F:]{8,})\s*\Z"
)


def _open(context: Context) -> Parse:
    def parse(chunk: Chunk) -> Parsed:
        index, got = extract(chunk.lines, _LINE)
        expiry = whole(got["expiry"], 10**10, pa.int64())
        length = pc.and_(pc.greater(expiry, 0), pc.less(expiry, _SHORTEST_EPOCH))
        if mask(length).any():
            context.notes.add(LENGTHS)
        forever = pc.or_(pc.equal(expiry, 0), pc.greater_equal(expiry, 2**32 - 1))
        v6 = pc.is_valid(got["iaid"])
        client_id = given(got["id"], _ABSENT)
        columns = {
            "ts_end": from_epoch(pc.if_else(pc.or_(length, forever), None, got["expiry"])),
            "lease_s": pc.if_else(length, expiry, None),
            "client_ip": ip_column(got["ip"]),
            "client_mac": pc.coalesce(
                mac_column(got["mac"]), by_distinct(pc.if_else(v6, client_id, None), hex_duid_mac, MAC)
            ),
            "hostname": given(got["name"], _ABSENT),
            "message": pc.if_else(v6, "lease6", "lease"),
            "client_id": client_id,
        }
        good = pc.is_valid(columns["client_ip"])
        here = mask(good)
        own = mask(pc.match_substring_regex(chunk.lines, r"^(?:duid [0-9a-fA-F:]+|\s*)$"))
        unread = ~own
        unread[index[here]] = False
        return Parsed(
            [Rows("dhcp", {n: c.filter(good) for n, c in columns.items()}, index[here])],
            refused({"The line is no lease: expiry, MAC, address, name, client id.": unread.nonzero()[0]}),
            int(own.sum()),
        )

    return parse


FORMAT = LogFormat(
    title="dnsmasq lease file (dnsmasq.leases)",
    kinds=("dhcp",),
    reference="https://thekelleys.org.uk/dnsmasq/docs/dnsmasq-man.html",
    sniff=lambda lines: share(lines, _OWN.match),
    open=_open,
    samples=(
        Sample(
            "1795363774 52:54:00:aa:00:02 10.1.0.110 pc-110 01:52:54:00:aa:00:02",
            (
                {
                    "kind": "dhcp",
                    "ts": None,
                    "ts_end": "2026-11-22T16:09:34.000000000Z",
                    "client_ip": "10.1.0.110",
                    "client_mac": "52:54:00:aa:00:02",
                    "hostname": "pc-110",
                    "message": "lease",
                    "client_id": "01:52:54:00:aa:00:02",
                },
            ),
        ),
        Sample(
            "0 06-52:54:00:aa:00:05 10.1.0.55 * *",
            (
                {
                    "kind": "dhcp",
                    "ts_end": None,
                    "client_mac": "52:54:00:aa:00:05",
                    "hostname": None,
                    "client_id": None,
                },
            ),
            note="never expires; another hardware type; nameless",
        ),
        Sample(
            "duid 00:01:00:01:32:95:cf:c1:ae:a9:2e:46:5b:8a\n"
            "1795363793 T11141128 fd00:60::1ea NA 00:01:00:01:32:95:cf:d8:52:54:00:aa:00:08",
            (
                {
                    "kind": "dhcp",
                    "message": "lease6",
                    "client_ip": "fd00:60::1ea",
                    "client_mac": "52:54:00:aa:00:08",
                    "hostname": "NA",
                },
            ),
            note="v6: the MAC comes out of the DUID; a host may be called NA",
        ),
        Sample(
            "3600 52:54:00:aa:00:02 10.1.0.110 pc-110 *",
            ({"kind": "dhcp", "ts_end": None, "lease_s": 3600},),
            note="a build without a clock writes lengths",
        ),
        Sample("1795363774 52:54:00:aa:00:02 10.1.0.410 pc-110 *", note="no address"),
        Sample("1795363774 52:54:00:aa:00", note="cut off"),
    ),
)
