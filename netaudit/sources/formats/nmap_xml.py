"""Scan results of nmap (``nmap -oX``): which hosts there were, by address, MAC and name.

A MAC is known for hosts on the scanner's own segment only. The file is read host by host with
expressions and never by an XML parser: its document type is ignored, no entity is expanded, and an
aborted scan without its closing tags loses no more than its last host. A host that was down is
valid for the moment of the scan only: it says that nobody answered there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Rows, Sample
from netaudit.intake.times import Context, from_epoch
from netaudit.records.addresses import parse_ip, parse_mac
from netaudit.records.schemas import IP, MAC
from netaudit.sources.formats._outcome import refused
from netaudit.sources.formats._values import mask

CUT = "A host of the scan is cut off."
NOBODY = "A host of the scan has no address, or was down at a time that is not given."
_BEGINS = r"<host(?:\s|>)"
_HOST = re.compile(r"<host(?P<attributes>(?:\s[^<>]*)?)>(?P<body>.*?)(?P<end></host>|\Z)", re.DOTALL)
_SCAN = re.compile(r"<nmaprun\s[^<]*?\bstart=\"(?P<start>\d{1,11})\"")
_ELEMENT = re.compile(r"<(?P<name>status|address|hostname)\s(?P<attributes>[^<]*?)/?>")
_ATTRIBUTE = re.compile(r"(?P<name>[a-z]{1,20})=(?:\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)')")
_HEAD = 1 << 16
"""Characters of a host in which its addresses and names stand; ports and scripts come behind."""


def _starts(lines: pa.StringArray) -> np.ndarray:
    return mask(pc.match_substring_regex(lines, _BEGINS))


def _sniff(lines: list[str]) -> float:
    return float(any("<nmaprun" in line for line in lines[:50]))


@dataclass(slots=True)
class _Reader:
    """A parser for one file; the time of the scan stands before its first host."""

    scanned: str | None = None
    _rows: list[dict[str, object]] = field(default_factory=list)

    def __call__(self, chunk: Chunk) -> Parsed:
        begins = np.flatnonzero(_starts(chunk.lines))
        texts = chunk.lines.to_pylist()
        first = int(begins[0]) if len(begins) else len(texts)
        if found := _SCAN.search("\n".join(texts[:first])):
            self.scanned = found["start"]
        self._rows = []
        refusals: dict[str, list[int]] = {}
        for begin, end in pairwise([*begins.tolist(), len(texts)]):
            for reason in self._hosts("\n".join(texts[begin:end]), begin):
                refusals.setdefault(reason, []).append(begin)
        rejected = refused({reason: np.unique(index) for reason, index in refusals.items()})
        rows = [_columns(self._rows)] if self._rows else []
        return Parsed(rows, rejected, first)

    def _hosts(self, text: str, line: int) -> Iterator[str]:
        """Read the hosts that begin on a line; why one of them cannot be."""
        for found in _HOST.finditer(text):
            if not found["end"]:
                yield CUT
                continue
            elements = [
                (element["name"], _attributes(element["attributes"]))
                for element in _ELEMENT.finditer(found["body"][:_HEAD])
            ]
            rows = list(self._assets(elements, _attributes(found["attributes"])))
            self._rows += [{**row, "line": line} for row in rows]
            if not rows:
                yield NOBODY

    def _assets(
        self, elements: list[tuple[str, dict[str, str]]], host: dict[str, str]
    ) -> Iterator[dict[str, object]]:
        """One row for each IP address of a host, or one for its MAC alone."""
        addresses = [words for name, words in elements if name == "address"]
        ips: list[bytes | None] = [ip for words in addresses if (ip := parse_ip(words.get("addr", "")))]
        macs = [words for words in addresses if words.get("addrtype") == "mac"]
        mac = parse_mac(macs[0].get("addr", "")) if macs else None
        names = [words["name"] for name, words in elements if name == "hostname" and words.get("name")]
        down = any(name == "status" and words.get("state") == "down" for name, words in elements)
        moment = host.get("starttime") or self.scanned if down else None
        if down and moment is None:
            return
        for ip in ips or [None] * bool(mac):
            yield {
                "ip": ip,
                "mac": mac,
                "hostname": names[0] if names else None,
                "model": macs[0].get("vendor") if macs else None,
                "ts": moment,
            }


def _attributes(text: str) -> dict[str, str]:
    """Attributes with the references that XML itself has; others stand as they are."""
    return {
        found["name"]: unescape(found["double"] if found["double"] is not None else found["single"])
        for found in _ATTRIBUTE.finditer(text)
    }


def _columns(rows: list[dict[str, object]]) -> Rows:
    def column(name: str, type_: pa.DataType) -> pa.Array:
        return pa.array([row[name] for row in rows], type_)

    moment = from_epoch(column("ts", pa.string()))
    columns = {
        "ip": column("ip", IP),
        "mac": column("mac", MAC),
        "hostname": column("hostname", pa.string()),
        "model": column("model", pa.string()),
        "ts": moment,
        "ts_end": moment,
    }
    return Rows("asset", columns, np.array([row["line"] for row in rows], np.int64))


def _open(context: Context) -> Parse:
    del context  # epochs
    return _Reader()


_TOP = (
    '<?xml version="1.0"?>\n<!DOCTYPE nmaprun>\n<nmaprun scanner="nmap" args="nmap -sn 172.28.1.0/24" start="1607282135" '
    'version="7.91">\n'
)
_UP: str = (
    '<host starttime="1607282135" endtime="1607282136"><status state="up" reason="arp-response" reason_ttl="0"/>\n'
    '<address addr="172.28.1.3" addrtype="ipv4"/>\n'
    '<address addr="02:42:AC:1C:01:04" addrtype="mac" vendor="A &amp; B"/>\n'
    '<hostnames>\n<hostname name="dionaea" type="user"/>\n</hostnames>\n</host>\n'
)

FORMAT = LogFormat(
    title="nmap scan (XML)",
    kinds=("asset",),
    reference="https://nmap.org/book/nmap-dtd.html",
    sniff=_sniff,
    open=_open,
    starts=_starts,
    numbered=False,
    samples=(
        Sample(
            _TOP
            + _UP
            + '<host><status state="down"/>\n<address addr="172.28.1.4" addrtype="ipv4"/>\n</host>\n</nmaprun>',
            (
                {
                    "kind": "asset",
                    "ip": "172.28.1.3",
                    "mac": "02:42:ac:1c:01:04",
                    "hostname": "dionaea",
                    "model": "A & B",
                    "ts": None,
                },
                {
                    "kind": "asset",
                    "ip": "172.28.1.4",
                    "hostname": None,
                    "ts": "2020-12-06T19:15:35.000000000Z",
                    "ts_end": "2020-12-06T19:15:35.000000000Z",
                },
            ),
            note="a host that was down is valid at the moment of the scan only",
        ),
        Sample(_TOP + _UP[:200], note="an aborted scan: cut off"),
    ),
)
