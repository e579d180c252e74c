"""Walks of a switch's or router's tables with ``snmpwalk``: MAC table, ARP and neighbour table.

``dot1dTpFdbPort`` and ``dot1qTpFdbPort`` (RFC 4188, RFC 4363): the object ends with the VLAN, where there
is one, and the six octets of the MAC; its value is a bridge port, which ``dot1dBasePortIfIndex`` leads to
an interface and ``ifName`` or ``ifDescr`` to its name, if they were walked too and stand before or in the
same part of the file. A Cisco switch needs one walk per VLAN: the source's ``vlan`` option then says which.
``ipNetToMediaPhysAddress`` and ``ipNetToPhysicalPhysAddress`` (RFC 4293): interface, address, MAC.

A walk is a moment, which the source's ``taken_at`` declares; the ``nas`` option names the device.
"""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Rows, Sample, extract, share
from netaudit.intake.times import Context, taken_at
from netaudit.records.addresses import by_distinct, ip_column, parse_mac
from netaudit.records.schemas import MAC, TIMESTAMP
from netaudit.sources.formats._outcome import refused
from netaudit.sources.formats._values import mask, whole, words

NO_ENTRY = "The object is cut off, or its value is none of this table."
_OBJECTS = {
    "dot1dTpFdbPort": "17.4.3.1.2",
    "dot1qTpFdbPort": "17.7.1.2.2.1.2",
    "dot1dTpFdbStatus": "17.4.3.1.3",
    "dot1qTpFdbStatus": "17.7.1.2.2.1.3",
    "dot1dBasePortIfIndex": "17.1.4.1.2",
    "ifName": "31.1.1.1.1",
    "ifDescr": "2.2.1.2",
    "ipNetToMediaPhysAddress": "4.22.1.2",
    "ipNetToPhysicalPhysAddress": "4.35.1.4",
}
_ROOT = r"^(?:[\w-]+::)?(?:(?:\.?1|iso|\.iso(?:\.org)?)\.3\.6\.1\.2\.1\.|(?:SNMPv2-SMI::)?mib-2\.)"
_TABLES = ("dot1dTpFdbPort", "dot1qTpFdbPort", "ipNetToMediaPhysAddress", "ipNetToPhysicalPhysAddress")
_SIX = r"(?P<mac>\d{1,3}(?:\.\d{1,3}){5})"
_VALUE = (
    r'(?:(?:Hex-STRING|STRING|Phys-Address): |)"?(?P<mac>[0-9A-Fa-f]{1,2}(?:[: -][0-9A-Fa-f]{1,2}){5}) ?"?'
)
_OWN = re.compile(
    "(?:"
    + "|".join(
        rf"[\w-]*:?:?{name}\.|{_ROOT[1:]}{number.replace('.', '[.]')}[.]"
        for name, number in _OBJECTS.items()
    )
    + r")\S* = "
)


def _object(name: str) -> str:
    """A pattern for an object by its name or its number, up to its index."""
    numbered = _ROOT[1:] + re.escape(_OBJECTS[name])
    return rf"^(?:(?:[\w-]+::)?{name}|{numbered})\."


def _open(context: Context) -> Parse:
    walk = _Walk(context)

    def parse(chunk: Chunk) -> Parsed:
        return walk.read(chunk.lines)

    return parse


class _Walk:
    """One file while it is read: which interface is behind a bridge port, and its name."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.interface: dict[str, str] = {}
        self.name: dict[str, str] = {}

    def read(self, lines: pa.StringArray) -> Parsed:
        """The entries of some lines."""
        self._learn(lines)
        rows = [self._fdb(lines, name) for name in _TABLES[:2]] + [
            self._arp(lines, name) for name in _TABLES[2:]
        ]
        used = np.zeros(len(lines), bool)
        for found in rows:
            used[found.line] = True
        like = np.zeros(len(lines), bool)
        for name in _TABLES:
            like |= mask(pc.match_substring_regex(lines, _object(name)))
        return Parsed(
            [found for found in rows if len(found.line)],
            refused({NO_ENTRY: np.flatnonzero(like & ~used)}),
            int((~used & ~like).sum()),
        )

    def _learn(self, lines: pa.StringArray) -> None:
        _, ports = extract(
            lines, _object("dot1dBasePortIfIndex") + r"(?P<port>\d+) = INTEGER: (?P<index>\d+)$"
        )
        self.interface |= dict(zip(ports["port"].to_pylist(), ports["index"].to_pylist(), strict=True))
        for name in ("ifDescr", "ifName"):
            _, names = extract(
                lines, _object(name) + r'(?P<index>\d+) = (?:STRING: )?"?(?P<name>[^"]+?)"?\s*$'
            )
            self.name |= dict(zip(names["index"].to_pylist(), names["name"].to_pylist(), strict=True))

    def _fdb(self, lines: pa.StringArray, name: str) -> Rows:
        vlan = r"(?P<vlan>\d{1,10})\." if "dot1q" in name else "(?P<vlan>)"
        index, got = extract(
            lines, _object(name) + vlan + _SIX + r" = (?:INTEGER: )?(?P<port>\d{1,10})\s*$"
        )
        given = self.context.options.get("vlan")
        columns = {
            "client_mac": by_distinct(got["mac"], _decimal_mac, MAC),
            "vlan": whole(pc.fill_null(got["vlan"], given) if given else got["vlan"], 4094, pa.uint16()),
            "nas_port": words(got["port"], self._port),
        }
        return self._rows("fdb", columns, index, pc.is_valid(columns["client_mac"]))

    def _arp(self, lines: pa.StringArray, name: str) -> Rows:
        if "Media" in name:
            address = r"(?P<ip>\d{1,3}(?:\.\d{1,3}){3})"
        else:
            address = r'(?:ipv[46]\."(?P<text>[0-9A-Fa-f.:]+)"|(?:1\.4|2\.16)\.(?P<ip>\d{1,3}(?:\.\d{1,3}){3}(?:(?:\.\d{1,3}){12})?))'
        index, got = extract(lines, _object(name) + rf"(?P<port>\d+)\.{address} = {_VALUE}\s*$")
        quoted = got.get("text", pa.nulls(len(index), pa.string()))
        text = pc.coalesce(words(quoted, _quoted_ip), words(got["ip"], _decimal_ip))
        columns = {
            "client_ip": ip_column(text),
            "client_mac": by_distinct(got["mac"], parse_mac, MAC),
            "nas_port": words(got["port"], lambda number: self.name.get(number, f"ifIndex {number}")),
        }
        good = pc.and_(pc.is_valid(columns["client_ip"]), pc.is_valid(columns["client_mac"]))
        return self._rows("arp", columns, index, good)

    def _rows(self, kind: str, columns: dict[str, pa.Array], index: np.ndarray, good: pa.Array) -> Rows:
        kept = {name: column.filter(good) for name, column in columns.items()}
        line = index[mask(good)]
        if len(line):
            moment = pa.array([taken_at(self.context)] * len(line), pa.int64())
            kept["ts"] = moment.cast(TIMESTAMP)
            kept["nas"] = pa.array([self.context.options.get("nas")] * len(line), pa.string())
        return Rows(kind, kept, line)

    def _port(self, number: str) -> str:
        """The name of the interface behind a bridge port, as far as it is known."""
        index = self.interface.get(number)
        if index is None:
            return f"bridge port {number}"
        return self.name.get(index, f"ifIndex {index}")


def _decimal_mac(text: str) -> bytes | None:
    octets = [int(part) for part in text.split(".")]
    return parse_mac(bytes(octets).hex(":")) if max(octets) < 256 else None


def _decimal_ip(text: str) -> str | None:
    octets = [int(part) for part in text.split(".")]
    if len(octets) == 4:
        return text
    digits = "".join(f"{octet:02x}" for octet in octets)
    return ":".join(digits[at : at + 4] for at in range(0, 32, 4)) if max(octets) < 256 else None


def _quoted_ip(text: str) -> str:
    """An address in words, an IPv6 one also as sixteen octets with colons."""
    octets = text.split(":")
    return (
        ":".join(a + b for a, b in zip(octets[::2], octets[1::2], strict=True))
        if len(octets) == 16
        else text
    )


FORMAT = LogFormat(
    title="SNMP walk of a MAC table or an ARP table (snmpwalk) (unverified)",
    kinds=("fdb", "arp"),
    reference="https://www.rfc-editor.org/rfc/rfc4363 https://www.rfc-editor.org/rfc/rfc4293",
    sniff=lambda lines: share(lines, _OWN.match),
    open=_open,
    samples=(
        Sample(
            "BRIDGE-MIB::dot1dBasePortIfIndex.5 = INTEGER: 10105\n"
            "IF-MIB::ifName.10105 = STRING: Gi0/5\n"
            "Q-BRIDGE-MIB::dot1qTpFdbPort.20.0.12.41.75.52.207 = INTEGER: 5\n"
            ".1.3.6.1.2.1.17.4.3.1.2.0.12.41.75.52.208 = INTEGER: 6",
            (
                {
                    "kind": "fdb",
                    "ts": None,
                    "client_mac": "00:0c:29:4b:34:cf",
                    "vlan": 20,
                    "nas_port": "Gi0/5",
                },
                {
                    "kind": "fdb",
                    "client_mac": "00:0c:29:4b:34:d0",
                    "vlan": None,
                    "nas_port": "bridge port 6",
                },
            ),
        ),
        Sample(
            "IP-MIB::ipNetToMediaPhysAddress.2.10.0.0.1 = STRING: 0:c:29:4b:34:cf\n"
            "iso.3.6.1.2.1.4.22.1.2.2.10.0.0.2 = Hex-STRING: 00 0C 29 4B 34 D0 \n"
            'IP-MIB::ipNetToPhysicalPhysAddress.2.ipv6."20:01:0d:b8:00:00:00:00:00:00:00:00:00:00:00:05" = STRING: '
            "0:c:29:4b:34:d1",
            (
                {
                    "kind": "arp",
                    "client_ip": "10.0.0.1",
                    "client_mac": "00:0c:29:4b:34:cf",
                    "nas_port": "ifIndex 2",
                },
                {"kind": "arp", "client_ip": "10.0.0.2", "client_mac": "00:0c:29:4b:34:d0"},
                {"kind": "arp", "client_ip": "2001:db8::5", "client_mac": "00:0c:29:4b:34:d1"},
            ),
        ),
        Sample("BRIDGE-MIB::dot1dTpFdbPort.0.12.41.75.52 = INTEGER: 5", note="an octet short"),
    ),
)
