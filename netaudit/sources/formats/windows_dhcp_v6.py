"""Audit log of the Windows DHCP server for IPv6 (``DhcpV6SrvLog-Mon.log``), from its documentation.

Events are the messages of the protocol as the server received them: a request is no lease yet. The
client is known by its DUID; one of type 4 (UUID) or 2 holds no MAC.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.log_format import LogFormat, Sample
from netaudit.records.addresses import by_distinct
from netaudit.records.schemas import MAC
from netaudit.sources.formats._values import hex_duid_mac
from netaudit.sources.formats._windows_audit import opener, sniffer

_WORDS = {
    "11000": "solicit",
    "11001": "advertise",
    "11002": "request",
    "11003": "confirm",
    "11004": "renew",
    "11005": "rebind",
    "11006": "decline",
    "11007": "release",
    "11008": "information-request",
    "11014": "declined",
    "11015": "conflict",
    "11016": "deleted",
    "11017": "expired-not-deleted",
    "11018": "expired",
    "11022": "dns-update",
    "11023": "dns-update-failed",
    "11024": "dns-update-ok",
}
_TAIL = r"[^,]*,[^,]*,(?P<duid>[^,]*)"  # error code, length of the DUID, DUID


def _stations(got: dict[str, pa.Array]) -> dict[str, pa.Array]:
    duid = pc.ascii_lower(pc.replace_substring_regex(got["duid"], "^0[xX]", ""))
    return {"client_mac": by_distinct(duid, hex_duid_mac, MAC), "client_id": duid}


FORMAT = LogFormat(
    title="Windows DHCP Server audit log for IPv6 (DhcpV6SrvLog) (unverified)",
    kinds=("dhcp",),
    reference="https://learn.microsoft.com/en-us/previous-versions/windows/it-pro/windows-server-2008-R2-and-2008/"
    "dd759190(v=ws.10)",
    sniff=sniffer(r"11\d{3}"),
    open=opener(r"11\d{3}", _TAIL, _WORDS, _stations),
    samples=(
        Sample(
            "11010,11/23/26,01:00:00,DHCPV6 Started,,,,,,\n"
            "11004,11/23/26,01:01:01,DHCPV6 Renew,2001:db8::20,host.test.com,0,14,"
            "0001000132959DC0525400AA0008,,,",
            (
                {
                    "kind": "dhcp",
                    "ts": "2026-11-22T17:01:01.000000000Z",
                    "message": "renew",
                    "client_ip": "2001:db8::20",
                    "client_mac": "52:54:00:aa:00:08",
                    "client_id": "0001000132959dc0525400aa0008",
                    "hostname": "host.test.com",
                },
            ),
            timezone="Asia/Shanghai",
        ),
        Sample("11004,11/23/26,01:01:01,DHCPV6 Renew,2001:db8", note="cut off"),
    ),
)
