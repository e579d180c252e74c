"""Audit log of the Windows DHCP server for IPv4 (``DhcpSrvLog-Mon.log``).

One file a weekday, overwritten a week later. There is no length of a lease: that is in the scope, and
a client renews (11) at half of it. The lines of DNS updates (30 to 32) may carry the address with its
octets turned round; their message says that they are no lease.
"""

from __future__ import annotations

import pyarrow as pa

from netaudit.intake.log_format import LogFormat, Sample
from netaudit.records.addresses import mac_column
from netaudit.sources.formats._windows_audit import opener, sniffer

_WORDS = {
    "10": "assign",
    "11": "renew",
    "12": "release",
    "13": "conflict",
    "14": "failed-no-address",
    "15": "denied",
    "16": "deleted",
    "17": "expired-not-deleted",
    "18": "expired",
    "20": "bootp-assign",
    "21": "bootp-assign",
    "22": "failed-no-address",
    "23": "deleted",
    "30": "dns-update",
    "31": "dns-update-failed",
    "32": "dns-update-ok",
    "33": "dropped",
    "36": "dropped",
}
# MAC[, user, transaction, result, probation, correlation, DHCID, vendor class as hex[, as text]]
_TAIL = r"(?P<mac>[^,]*)(?:(?:,[^,]*){7},(?P<vendor>[^,]*))?"


def _stations(got: dict[str, pa.Array]) -> dict[str, pa.Array]:
    return {"client_mac": mac_column(got["mac"]), "vendor_class": got["vendor"]}


FORMAT = LogFormat(
    title="Windows DHCP Server audit log (DhcpSrvLog)",
    kinds=("dhcp",),
    reference="https://learn.microsoft.com/en-us/previous-versions/windows/it-pro/windows-server-2008-R2-and-2008/"
    "dd183591(v=ws.10)",
    sniff=sniffer(r"\d{2}"),
    open=opener(r"\d{2}", _TAIL, _WORDS, _stations),
    samples=(
        Sample(
            "ID,Date,Time,Description,IP Address,Host Name,MAC Address\n"
            "00,04/19/20,12:43:06,Started,,,\n"
            "10,11/23/26,01:01:01,Assign,192.0.2.20,host.test.com,76691ED45C90,,3096562285,0,,,,0x4D53465420352E30,"
            "MSFT 5.0,,,,0\n"
            "30,09/20/21,09:16:09,DNS Update Request,172.28.53.173,1-07.test.com,,,0,6,,,,,,,,,0\n"
            "12,11/23/26,09:00:00,释放,192.0.2.20,host.test.com,76691ED45C90,",
            (
                {
                    "kind": "dhcp",
                    "ts": "2026-11-22T17:01:01.000000000Z",
                    "message": "assign",
                    "client_ip": "192.0.2.20",
                    "client_mac": "76:69:1e:d4:5c:90",
                    "hostname": "host.test.com",
                    "vendor_class": "MSFT 5.0",
                },
                {"kind": "dhcp", "message": "dns-update", "client_mac": None},
                {"kind": "dhcp", "message": "release", "vendor_class": None},
            ),
            timezone="Asia/Shanghai",
            note="the description is in the server's language",
        ),
        Sample("55,04/19/20,12:43:54,Authorized(servicing),,domain.local,", note="of the server: no event"),
        Sample("10,11/23/26,01:01:01,Assign,192.0.2.20,ho", note="cut off"),
    ),
)
