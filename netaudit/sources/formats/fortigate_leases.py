"""FortiGate's leases as ``execute dhcp lease-list`` prints them: one table for each interface.

Columns are cut where the header has them. A name that runs over its column cannot be told from the
next cell, and is left out. Newer builds do not align at all: there a name follows the hardware
address after one blank, or there is none. The expiry is local time; when a lease began is not printed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from netaudit.intake.carrier import read_stamps
from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Rows, Sample
from netaudit.intake.times import Context
from netaudit.records.addresses import ip_column, mac_column
from netaudit.sources.formats._outcome import parsed
from netaudit.sources.formats._values import mask

CUT = "A lease of this table is cut off, or has no readable address."
_HEAD = re.compile(r"\s*IP\s+MAC-Address\s+Hostname\s+VCI\s+(?:SSID\s+AP\s+)?Expiry\s*\Z")
_LEASE = re.compile(
    r"\s*(?P<ip>[0-9A-Fa-f.:]{2,45})\s+(?P<mac>[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5})(?P<between> .*?)?\s"
    r"(?P<expiry>[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]?\d \d\d:\d\d:\d\d \d{4})\s*\Z"
)
_BEGUN = re.compile(r"\s*\d{1,3}(?:\.\d{1,3}){3}\s+[0-9A-Fa-f]{2}:")
_INTERFACE = re.compile(r"[\w.@/ -]{1,64}\Z")
_MOST = 2_000


@dataclass(frozen=True, slots=True)
class _Lease:
    line: int
    interface: str | None
    ip: str
    mac: str
    hostname: str | None
    vendor_class: str | None
    expiry: str


def _open(context: Context) -> Parse:
    state = _Place()

    def parse(chunk: Chunk) -> Parsed:
        leases: list[_Lease] = []
        torn: list[int] = []
        for number, line in enumerate(chunk.lines.to_pylist()):
            lease = state.read(number, line[:_MOST])
            if lease is not None:
                leases.append(lease)
            elif _BEGUN.match(line[:_MOST]):
                torn.append(number)

        def text(name: str) -> pa.Array:
            return pa.array([getattr(lease, name) for lease in leases], pa.string())

        columns = {
            "ts_end": read_stamps(text("expiry"), context),
            "client_ip": ip_column(text("ip")),
            "client_mac": mac_column(text("mac")),
            "hostname": text("hostname"),
            "vendor_class": text("vendor_class"),
            "nas_port": text("interface"),
            "message": pa.array(["lease"] * len(leases), pa.string()),
        }
        line = np.array([lease.line for lease in leases], np.int64)
        good = mask(columns["client_ip"].is_valid())
        rows = Rows("dhcp", {n: c.filter(pa.array(good)) for n, c in columns.items()}, line[good])
        return parsed(
            len(chunk.lines), [rows], {CUT: np.sort(np.append(line[~good], torn)).astype(np.int64)}
        )

    return parse


class _Place:
    """Where in the print the reading is: the interface, and the header's columns."""

    def __init__(self) -> None:
        self._interface: str | None = None
        self._before = ""
        self._columns: dict[str, int] = {}

    def read(self, number: int, line: str) -> _Lease | None:
        """The lease on a line; None where it holds none."""
        if _HEAD.match(line):
            self._interface = self._before if _INTERFACE.match(self._before) else None
            self._columns = {title: line.index(title) for title in ("MAC-Address", "Hostname", "VCI")}
            after = line.find("SSID")
            self._columns["after"] = after if after >= 0 else line.index("Expiry")
            return None
        found = _LEASE.match(line)
        if found is None or not self._columns:
            self._before = line.strip() or self._before
            return None
        hostname, vendor_class = self._cells(line, found)
        return _Lease(
            number, self._interface, found["ip"], found["mac"], hostname, vendor_class, found["expiry"]
        )

    def _cells(self, line: str, found: re.Match[str]) -> tuple[str | None, str | None]:
        host, vci, after = (self._columns[name] for name in ("Hostname", "VCI", "after"))
        if found.start("mac") == self._columns["MAC-Address"]:
            if line[vci - 1] != " ":
                return None, None
            vendor_class = line[vci:after] if line[after - 1] == " " else line[vci : found.start("expiry")]
            return line[host:vci].strip() or None, vendor_class.strip() or None
        between = found["between"] or ""
        hostname, _, rest = ("", "", between) if between.startswith("  ") else between[1:].partition("  ")
        return hostname.strip() or None, rest.strip() or None


def _sniff(lines: list[str]) -> float:
    return 1.0 if any(_HEAD.match(line) for line in lines) else 0.0


FORMAT = LogFormat(
    title="FortiGate lease table (execute dhcp lease-list)",
    kinds=("dhcp",),
    reference="https://docs.fortinet.com/document/fortigate/7.4.0/administration-guide",
    sniff=_sniff,
    open=_open,
    numbered=False,
    samples=(
        Sample(
            "Staff_Wifi\n"
            "IP            MAC-Address             Hostname        VCI             Expiry\n"
            "10.0.0.4      cc:cc:cc:cc:cc:c1       MyOtherPhone    MSFT 5.0        Sat Aug 10 04:55:47 2019\n"
            "10.0.0.6      ee:ee:ee:ee:ee:e1       Joes Phone                      Fri Aug  9 21:12:36 2019",
            (
                {
                    "kind": "dhcp",
                    "ts": None,
                    "ts_end": "2019-08-09T20:55:47.000000000Z",
                    "message": "lease",
                    "client_ip": "10.0.0.4",
                    "client_mac": "cc:cc:cc:cc:cc:c1",
                    "hostname": "MyOtherPhone",
                    "vendor_class": "MSFT 5.0",
                    "nas_port": "Staff_Wifi",
                },
                {"kind": "dhcp", "hostname": "Joes Phone", "vendor_class": None},
            ),
            timezone="Asia/Shanghai",
        ),
        Sample(
            "lan\n  IP   MAC-Address  Hostname  VCI   Expiry\n"
            "  192.168.2.51  02:0f:b5:c9:54:23 Dell-L1  MSFT 5.0  Sun Sep  2 12:56:14 2018\n"
            "  192.168.2.52  d0:c1:93:02:1d:a0   udhcp 1.10.4  Sun Sep  2 12:56:34 2018",
            (
                {"kind": "dhcp", "hostname": "Dell-L1", "vendor_class": "MSFT 5.0", "nas_port": "lan"},
                {"kind": "dhcp", "hostname": None, "vendor_class": "udhcp 1.10.4"},
            ),
            note="not aligned",
        ),
        Sample(
            "IP            MAC-Address             Hostname        VCI             Expiry\n10.0.0.4      cc:cc:cc:cc:c",
            note="cut off",
        ),
    ),
)
