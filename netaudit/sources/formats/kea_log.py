"""Server log of Kea: what was allocated, renewed and released, to a file or to the system log.

The time is local, without a zone. An allocation says its length; a renewal of version 6 does not.
"""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.carrier import peel, peel_text, read_stamps
from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Rows, Sample, extract
from netaudit.intake.times import Context
from netaudit.records.addresses import by_distinct, ip_column, mac_column
from netaudit.records.schemas import MAC
from netaudit.sources.formats._outcome import keep, parsed
from netaudit.sources.formats._values import among_others, given, hex_duid_mac, mask, whole

_EVENTS = {
    "LEASE_ADVERT": "advertise",
    "LEASE_OFFER": "offer",
    "LEASE_ALLOC": "allocated",
    "LEASE_RENEW": "renewed",
    "LEASE_REUSE": "renewed",
    "PD_LEASE_ADVERT": "advertise",
    "PD_LEASE_ALLOC": "allocated",
    "PD_LEASE_RENEW": "renewed",
    "PD_LEASE_REUSE": "renewed",
    "RELEASE": "released",
    "RELEASE_NA": "released",
    "RELEASE_PD": "released",
    "RELEASE_DELETED": "released",
    "RELEASE_EXPIRED": "released",
    "DECLINE_LEASE": "declined",
}
_OWN = r"^(?:FATAL|ERROR|WARN|INFO|DEBUG) +\[kea-dhcp[46]\.[^\]]*\] "
_ID = rf"{_OWN}DHCP[46]_(?P<event>[A-Z_]+) (?P<text>.*)$"
_WHO = (
    r"^(?:\[hwtype=\d+ (?P<mac>[0-9a-fA-F:]+)\](?:, cid=\[(?P<cid>[0-9a-fA-F:]+|no info)\])?|duid=\[(?P<duid>[0-9a-fA-F:]+)\])"
    r"[^:]*: (?:.*? )??(?:lease|address|addr|prefix) (?P<ip>[0-9a-fA-F.:]*[.:][0-9a-fA-F.:]*)(?:/\d+)? "
)
_LENGTH = r" for (?P<seconds>\d+) seconds"
CUT = "An event of Kea names no address or no client, or is cut off."


def _open(context: Context) -> Parse:
    events, words = pa.array(list(_EVENTS)), pa.array(list(_EVENTS.values()))

    def parse(chunk: Chunk) -> Parsed:
        peeled = peel(chunk.lines)
        index, got = extract(peeled.rest, _ID)
        message = words.take(pc.index_in(got["event"], value_set=events))
        who = pc.extract_regex(got["text"], _WHO)
        said = {name: pc.struct_field(who, name) for name in ("mac", "cid", "duid", "ip")}
        length = pc.struct_field(pc.extract_regex(got["text"], _LENGTH), "seconds")
        columns = {
            "ts": read_stamps(peeled.stamp.take(pa.array(index)), context),
            "message": message,
            "client_ip": ip_column(said["ip"]),
            "client_mac": pc.coalesce(
                mac_column(said["mac"]), by_distinct(said["duid"], hex_duid_mac, MAC)
            ),
            "client_id": given(
                pc.if_else(pc.equal(said["duid"], ""), said["cid"], said["duid"]), ("", "no info")
            ),
            "lease_s": whole(length, 2**32 - 1, pa.uint32()),
        }
        wanted = mask(pc.is_valid(message))
        good = wanted & mask(pc.is_valid(columns["client_ip"]))
        rows = keep(Rows("dhcp", columns, index), good)
        return parsed(len(chunk.lines), [rows], {CUT: index[wanted & ~good]})

    return parse


_V4 = (
    "2026-11-23 00:07:34.026 INFO  [kea-dhcp4.leases/19463.140417242472960] DHCP4_LEASE_ALLOC [hwtype=1 "
    "52:54:00:aa:00:01], cid=[01:52:54:00:aa:00:01], tid=0x9b75e94f: lease 10.1.0.100 has been allocated for 40 seconds"
)

FORMAT = LogFormat(
    title="Kea server log (kea-dhcp4.log, kea-dhcp6.log)",
    kinds=("dhcp",),
    reference="https://kea.readthedocs.io/en/latest/kea-messages.html",
    sniff=lambda lines: among_others(peel_text(lines), re.compile(_OWN).match),
    open=_open,
    samples=(
        Sample(
            "2026-11-23 00:07:33.994 INFO  [kea-dhcp4.leases/19463.1] DHCP4_LEASE_ADVERT [hwtype=1 52:54:00:aa:00:01], "
            "cid=[no info], tid=0x9b75e94f: lease 10.1.0.100 will be advertised\n" + _V4,
            (
                {"kind": "dhcp", "message": "advertise", "client_ip": "10.1.0.100", "client_id": None},
                {
                    "kind": "dhcp",
                    "ts": "2026-11-22T16:07:34.026000000Z",
                    "message": "allocated",
                    "client_ip": "10.1.0.100",
                    "client_mac": "52:54:00:aa:00:01",
                    "client_id": "01:52:54:00:aa:00:01",
                    "lease_s": 40,
                },
            ),
            timezone="Asia/Shanghai",
        ),
        Sample(
            "2026-11-23 00:59:57.885 INFO  [kea-dhcp6.leases/22953.1] DHCP6_LEASE_RENEW duid=[00:01:00:01:32:95:dc:02:"
            "52:54:00:cc:00:01], tid=0x90b8cc: lease for address fd00:70::100 and iaid=13369345 has been allocated\n"
            "2026-11-23 01:00:32.916 INFO  [kea-dhcp6.leases/22953.1] DHCP6_PD_LEASE_ALLOC duid=[00:03:00:01:52:54:00:cc:"
            "00:04], tid=0x1e9d53: lease for prefix fd00:71::/64 and iaid=13369348 has been allocated for 40 seconds",
            (
                {
                    "kind": "dhcp",
                    "message": "renewed",
                    "client_ip": "fd00:70::100",
                    "client_mac": "52:54:00:cc:00:01",
                    "client_id": "00:01:00:01:32:95:dc:02:52:54:00:cc:00:01",
                    "lease_s": None,
                },
                {"kind": "dhcp", "message": "allocated", "client_ip": "fd00:71::", "lease_s": 40},
            ),
        ),
        Sample(_V4[:150], timezone="Asia/Shanghai", note="cut off"),
        Sample(
            "2026-11-23 00:07:30.000 INFO  [kea-dhcp4.dhcp4/19463.1] DHCP4_STARTED Kea DHCPv4 server version 2.2.0 started",
            note="of the server itself",
        ),
    ),
)
