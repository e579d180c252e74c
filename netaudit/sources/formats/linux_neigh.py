"""Neighbour tables of Linux: ``ip neigh`` (also ``-s`` and ``-j``) and ``/proc/net/arp``.

A table is a moment, which the source's ``taken_at`` declares; the source's ``nas`` option names the
host. Neighbours that did not answer are kept without a MAC. Objects of one line of JSON are numbered
on from that line.
"""

from __future__ import annotations

import json
import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Sample, share
from netaudit.intake.times import Context
from netaudit.records.addresses import parse_ip
from netaudit.sources.formats._neighbours import neighbour, only_ipv6
from netaudit.sources.formats._table_records import parsed
from netaudit.sources.formats._table_rows import Cells, Entries, Entry
from netaudit.sources.formats._values import mask

NO_NEIGHBOUR = "The line is no neighbour: address, device, MAC, state."
_PROC_HEAD = re.compile(r"IP address +HW type +Flags +HW address +Mask +Device\s*\Z")
_PROC = re.compile(
    r"(?P<ip>\d+\.\d+\.\d+\.\d+) +0x[0-9a-f]+ +(?P<type>0x[0-9a-f]+) +(?P<mac>[0-9a-fA-F:]+) +\S+ +(?P<port>\S+)\s*\Z"
)
_OBJECT = re.compile(r"\{[^{}]*\}?")
_KEYS = {"dst": "ip", "lladdr": "mac", "dev": "port"}


def _line(line: str) -> Cells | None:
    """One neighbour of ``ip neigh`` or ``/proc/net/arp``."""
    if found := _PROC.match(line):
        return (
            None
            if parse_ip(found["ip"]) is None
            else found.groupdict() | {"type": f"flags={found['type']}"}
        )
    return neighbour(line)


def _object(text: str) -> Cells | None:
    """One neighbour of ``ip -j neigh``."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    cells = {role: value[key] for key, role in _KEYS.items() if isinstance(value.get(key), str)}
    state = value.get("state")
    if parse_ip(cells.get("ip", "")) is None or not isinstance(state, list):
        return None
    used = [value[key] for key in ("used", "confirmed", "updated") if isinstance(value.get(key), int)]
    return cells | {"type": ",".join(map(str, state)), "age": "/".join(map(str, used))}


def _read_lines(lines: list[str]) -> Entries:
    out = Entries()
    for number, line in enumerate(lines):
        if cells := _line(line):
            out.found.append(Entry(cells, number, None, "arp", frozenset(cells)))
        elif not line.strip() or _PROC_HEAD.match(line):
            out.other += 1
        else:
            out.refuse(NO_NEIGHBOUR, number)
    return out


def _read_objects(lines: list[str]) -> Entries:
    out = Entries()
    whole = "\n".join(lines)
    line = at = same = 0
    for found in _OBJECT.finditer(whole):
        passed = whole.count("\n", at, found.start())
        line, at, same = line + passed, found.start(), 0 if passed else same
        if cells := _object(found[0]):
            out.found.append(Entry(cells, line + same, None, "arp", frozenset(cells)))
        else:
            out.refuse(NO_NEIGHBOUR, line)
        same += 1
    return out


def _open(context: Context) -> Parse:
    is_json: bool | None = None

    def parse(chunk: Chunk) -> Parsed:
        nonlocal is_json
        lines = [line or "" for line in chunk.lines.to_pylist()]
        if is_json is None:
            is_json = next((line.lstrip()[0] in "[{" for line in lines if line.strip()), None)
        return parsed(_read_objects(lines) if is_json else _read_lines(lines), context)

    return parse


def _starts(lines: pa.StringArray) -> np.ndarray:
    """Every line, but of JSON only those that open an object."""
    inside = mask(pc.match_substring_regex(lines, r'^\s*(?:["\[\]}]|$)'))
    begins: np.ndarray = mask(pc.match_substring_regex(lines, r"\{")) | ~inside
    return begins


def _sniff(lines: list[str]) -> float:
    text = [line for line in lines if line.strip()]
    if text and text[0].lstrip()[0] in "[{":
        found = [_object(m[0]) for m in _OBJECT.finditer("\n".join(lines)[: 1 << 16])]
        return 0.9 * bool(found and found[0])
    if any(map(_PROC_HEAD.match, text)):
        return 0.9
    return 0.0 if only_ipv6(text) else share(text, neighbour)


FORMAT = LogFormat(
    title="Neighbour table of Linux (ip neigh, also -s and -j; /proc/net/arp)",
    kinds=("arp",),
    reference="https://man7.org/linux/man-pages/man8/ip-neighbour.8.html",
    sniff=_sniff,
    open=_open,
    starts=_starts,
    samples=(
        Sample(
            "10.60.0.118 dev vm lladdr 52:54:00:aa:00:0a REACHABLE \n10.60.0.9 dev vm FAILED\n",
            (
                {
                    "kind": "arp",
                    "ts": None,
                    "client_ip": "10.60.0.118",
                    "client_mac": "52:54:00:aa:00:0a",
                    "nas_port": "vm",
                    "message": "REACHABLE",
                },
                {"kind": "arp", "client_ip": "10.60.0.9", "client_mac": None, "message": "FAILED"},
            ),
        ),
        Sample(
            "10.60.0.1 dev vm lladdr ae:a9:2e:46:5b:8a ref 1 used 12/7/7 probes 4 REACHABLE",
            ({"kind": "arp", "age": "12/7/7", "message": "REACHABLE"},),
            note="-s: seconds since it was used, confirmed, changed",
        ),
        Sample(
            '[{"dst":"10.60.0.118","dev":"vm","lladdr":"52:54:00:aa:00:0a","state":["REACHABLE"]},'
            '{"dst":"fe80::5054:ff:feaa:8","dev":"vm","lladdr":"52:54:00:aa:00:08","state":["STALE"]}]\n',
            (
                {"kind": "arp", "client_ip": "10.60.0.118", "message": "REACHABLE"},
                {"kind": "arp", "client_ip": "fe80::5054:ff:feaa:8", "client_mac": "52:54:00:aa:00:08"},
            ),
        ),
        Sample(
            "IP address       HW type     Flags       HW address            Mask     Device\n"
            "10.60.0.118      0x1         0x2         52:54:00:aa:00:0a     *        vm\n"
            "10.60.0.9        0x1         0x0         00:00:00:00:00:00     *        vm\n",
            (
                {
                    "kind": "arp",
                    "client_mac": "52:54:00:aa:00:0a",
                    "nas_port": "vm",
                    "message": "flags=0x2",
                },
                {"kind": "arp", "client_mac": None, "message": "flags=0x0"},
            ),
        ),
        Sample("10.60.0.418 dev vm lladdr 52:54:00:aa:00:0a REACHABLE", note="no address"),
        Sample('[{"dst":"10.60.0.118","dev":"vm","lladdr":"52:54', note="cut off"),
    ),
)
