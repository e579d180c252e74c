"""Kea's legal log (``kea-legal.20180106.txt``): who was given which address for how long, in words.

The zone is an abbreviation, which names several zones: the time is read in the declared one. Option
82 tells the port (circuit-id) and the switch (remote-id); where it does not, the relay is named.
"""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Rows, Sample, empty_to_null, extract, share
from netaudit.intake.times import Context, from_iso
from netaudit.records.addresses import by_distinct, ip_column, mac_column
from netaudit.records.schemas import MAC, TIMESTAMP
from netaudit.sources.formats._outcome import keep, parsed
from netaudit.sources.formats._values import hex_duid_mac, mask, whole

_BEGINS = r"^\s*\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? +\S+ +(?:Address|Prefix): \S+ has been (?:assigned|renewed|released)"
_LINE = (
    r"^\s*(?P<stamp>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?) +(?P<zone>\S+) +(?:Address|Prefix): "
    r"(?P<ip>[0-9a-fA-F.:]+)(?:/\d+)? has been (?P<verb>assign|renew|release)(?:ed|d) (?P<text>.*)$"
)
_LENGTH = (
    r"^for (?:(?P<days>\d{1,5}) days? ?)?(?:(?P<hours>\d{1,7}) hrs? ?)?(?:(?P<minutes>\d{1,8}) mins? ?)?"
    r"(?:(?P<seconds>\d{1,9}) secs? ?)?(?:to|from) "
)
_UNITS = {"days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1}
_OCTETS = r"[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2})*"
_PARTS = {
    "mac": r"hardware address: (?:hwtype=\d+ )?(?P<it>{0})",
    "duid": r"DUID: (?P<it>{0})",
    "client": r"client-id: (?P<it>{0})",
    "relay": r"relay at address: (?P<it>[0-9a-fA-F.:]+)",
    "circuit": r"circuit-id: (?:{0} \((?P<it>[^)]+)\)|(?P<hex>{0}))",
    "remote": r"remote-id: (?:{0} \((?P<it>[^)]+)\)|(?P<hex>{0}))",
}
CUT = "A line of the legal log names no address or no client, or is cut off."


def _open(context: Context) -> Parse:
    def parse(chunk: Chunk) -> Parsed:
        begun = mask(pc.match_substring_regex(chunk.lines, _BEGINS))
        index, got = extract(chunk.lines, _LINE)
        said = {name: _said(got["text"], pattern) for name, pattern in _PARTS.items()}
        ts, length = _moments(got, context), _seconds(got["text"])
        columns = {
            "ts": ts,
            "ts_end": pc.add(ts.cast(pa.int64()), pc.multiply(length, 10**9)).cast(TIMESTAMP),
            "message": got["verb"],
            "client_ip": ip_column(got["ip"]),
            "client_mac": pc.coalesce(
                mac_column(said["mac"]), by_distinct(said["duid"], hex_duid_mac, MAC)
            ),
            "lease_s": whole(length.cast(pa.string()), 2**32 - 1, pa.uint32()),
            "client_id": pc.coalesce(said["duid"], said["client"]),
            "nas": pc.coalesce(said["remote"], said["relay"]),
            "nas_port": said["circuit"],
        }
        who = pc.or_(pc.is_valid(columns["client_mac"]), pc.is_valid(columns["client_id"]))
        rows = keep(Rows("dhcp", columns, index), mask(pc.and_(who, pc.is_valid(columns["client_ip"]))))
        begun[rows.line] = False
        return parsed(len(chunk.lines), [rows], {CUT: begun.nonzero()[0]})

    return parse


def _moments(got: dict[str, pa.Array], context: Context) -> pa.Array:
    """An offset and UTC are what they say; any other word for a zone is left out."""
    known = mask(pc.match_substring_regex(got["zone"], r"^(?:UTC|GMT|Z|[+-]\d{2}:?\d{2})$"))
    offset = pc.if_else(pc.match_substring_regex(got["zone"], r"^[UGZ]"), "Z", got["zone"])
    zoned = pc.binary_join_element_wise(got["stamp"], offset, "")
    return from_iso(pc.if_else(pa.array(known), zoned, got["stamp"]), context)


def _seconds(text: pa.Array) -> pa.Array:
    """The length in words as seconds; null where it is infinite or not said."""
    parts = pc.extract_regex(text, _LENGTH)
    total = pa.nulls(len(text), pa.int64())
    for name, unit in _UNITS.items():
        number = whole(pc.struct_field(parts, name), 10**9, pa.int64())
        part = pc.multiply(number, unit)
        total = pc.coalesce(pc.add(total, part), part, total)
    return total


def _said(text: pa.Array, pattern: str) -> pa.Array:
    found = pc.extract_regex(text, pattern.replace("{0}", _OCTETS))
    words = [empty_to_null(pc.struct_field(found, field.name)) for field in found.type]
    return pc.coalesce(*words)


_RENEWED = (
    "2018-01-06 01:02:03 CET Address: 192.2.1.100 has been renewed for 1 hrs 52 min 15 secs to a device with hardware "
    "address: hwtype=1 08:00:2b:02:3f:4e, client-id: 17:34:e2:ff:09:92:54 connected via relay at address: 192.2.16.33, "
    "identified by circuit-id: 68:6f:77:64:79 (howdy) and remote-id: 87:f6:79:77:ef"
)

FORMAT = LogFormat(
    title="Kea legal log (kea-legal.txt)",
    kinds=("dhcp",),
    reference="https://kea.readthedocs.io/en/latest/arm/hooks.html#libdhcp-legal-log-so-forensic-logging",
    sniff=lambda lines: share(lines, re.compile(_BEGINS).match),
    open=_open,
    samples=(
        Sample(
            _RENEWED,
            (
                {
                    "kind": "dhcp",
                    "ts": "2018-01-06T00:02:03.000000000Z",
                    "ts_end": "2018-01-06T01:54:18.000000000Z",
                    "message": "renew",
                    "client_ip": "192.2.1.100",
                    "client_mac": "08:00:2b:02:3f:4e",
                    "client_id": "17:34:e2:ff:09:92:54",
                    "lease_s": 6735,
                    "nas": "87:f6:79:77:ef",
                    "nas_port": "howdy",
                },
            ),
            timezone="Europe/Berlin",
            note="the abbreviation is a hint only: the zone must be declared",
        ),
        Sample(
            _RENEWED.replace("renewed for 1 hrs 52 min 15 secs to", "released from"),
            ({"kind": "dhcp", "message": "release", "ts_end": None, "lease_s": None},),
        ),
        Sample(
            "2018-01-06 01:02:03 UTC Address: 2001:db8:1:: has been assigned for infinite duration to a device with DUID: "
            "00:03:00:01:52:54:00:cc:00:04 connected via relay at address: fe80::20c",
            (
                {
                    "kind": "dhcp",
                    "ts": "2018-01-06T01:02:03.000000000Z",
                    "ts_end": None,
                    "message": "assign",
                    "client_ip": "2001:db8:1::",
                    "client_mac": "52:54:00:cc:00:04",
                    "nas": "fe80::20c",
                },
            ),
            timezone="Asia/Shanghai",
            note="for ever; the MAC comes out of the DUID",
        ),
        Sample(_RENEWED[:90], note="cut off"),
    ),
)
