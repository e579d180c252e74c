"""arpwatch: its store of pairs (``arp.dat``), its mails about changes, its lines in the system log.

The store keeps the last sight of each pair of addresses. A mail is some lines of ``title: value`` below
a subject that says what happened; of a change the new hardware address is taken.
"""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.carrier import peel, peel_text, read_stamps
from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Rows, Sample, extract, share
from netaudit.intake.times import MONTHS, Context, from_epoch, from_iso
from netaudit.records.addresses import ip_column, mac_column
from netaudit.sources.formats._outcome import refused
from netaudit.sources.formats._stanzas import Stanzas
from netaudit.sources.formats._values import among_others, mask

NO_PAIR = "The line names no pair of addresses."
_MAC = r"[0-9A-Fa-f]{1,2}(?::[0-9A-Fa-f]{1,2}){5}"
_EVENTS = (
    r"new station|new activity|flip flop|changed ethernet address|reused old ethernet address"
    r"|suppressed DECnet flip flop|bogon|ethernet mismatch|ethernet broadcast|ip broadcast"
)
_STORED = (
    rf"^(?P<mac>{_MAC})\t(?P<ip>[0-9A-Fa-f.:]+)\t(?P<ts>\d{{9,10}})(?:\t[^\t]*(?:\t(?P<port>[^\t]*))?)?$"
)
_LOGGED = rf"^(?P<message>{_EVENTS}) (?P<ip>[0-9A-Fa-f.:]+) (?P<mac>{_MAC})(?: \([0-9A-Fa-f:]+\))?(?: (?P<port>\S+))?\s*$"
_FIELD = (
    r"(?i)^\s*(?P<key>subject|hostname|ip address|interface|ethernet address|ethernet vendor|old ethernet address"
    r"|old ethernet vendor|timestamp|previous timestamp|delta|from|to|date):(?: (?P<value>.*))?$"
)
_TIMESTAMP = (
    r"(?P<mon>[A-Z][a-z]{2})[a-z]* +(?P<d>\d{1,2}), (?P<y>\d{4}) +(?P<h>\d{1,2}):(?P<rest>\d{2}:\d{2})"
    r"(?: +(?P<off>[+-]\d{4}))?"
)
_OWN_LINE = re.compile(rf"{_MAC}\t[0-9A-Fa-f.:]+\t\d{{9,10}}(?:\t|\Z)")
_OWN_ADDRESS = re.compile(rf" +ethernet address: {_MAC}\s*\Z", re.IGNORECASE)
_OWN_FIELD = re.compile(_FIELD)
_OWN_LOG = re.compile(rf"(?:{_EVENTS}) [0-9A-Fa-f.:]+ {_MAC}(?:\s|\Z)")


def _open(context: Context) -> Parse:
    def parse(chunk: Chunk) -> Parsed:
        stored, pairs = extract(chunk.lines, _STORED)
        peeled = peel(chunk.lines)
        logged, events = extract(peeled.rest, _LOGGED)
        at = pa.array(logged)
        mailed, mails, inside = _mails(chunk.lines, context)
        found = [
            (stored, pairs | {"ts": from_epoch(pairs["ts"])}),
            (
                logged,
                events | {"ts": read_stamps(peeled.stamp.take(at), context), "nas": peeled.host.take(at)},
            ),
            (mailed, mails),
        ]
        rows, wrong = [], []
        for index, cells in found:
            columns = cells | {"client_ip": ip_column(cells["ip"]), "client_mac": mac_column(cells["mac"])}
            columns["nas_port"] = columns.pop("port")
            good = pc.and_(pc.is_valid(columns["client_ip"]), pc.is_valid(columns["client_mac"]))
            kept = {n: c.filter(good) for n, c in columns.items() if n not in {"ip", "mac"}}
            here = mask(good)
            wrong.append(index[~here])
            if here.any():
                rows.append(Rows("arp", kept, index[here]))
        rest = np.ones(len(chunk.lines), bool)
        rest[np.concatenate([stored, logged, inside])] = False
        like = rest & mask(pc.match_substring_regex(chunk.lines, r"\t.*\t\d{9,10}(?:\t|$)"))
        reasons = {NO_PAIR: np.sort(np.concatenate([*wrong, np.flatnonzero(like)]))}
        return Parsed(rows, refused(reasons), int((rest & ~like).sum()))

    return parse


def _mails(lines: pa.StringArray, context: Context) -> tuple[np.ndarray, dict[str, pa.Array], np.ndarray]:
    """First line and cells of each mail, and every line that belongs to one."""
    index, got = extract(lines, _FIELD)
    key = pc.utf8_lower(got["key"])
    begins = np.zeros(len(lines), bool)
    begins[index[_begin(key)]] = True
    mails = Stanzas.beginning(begins)
    inside = index[mails.owner[index] >= 0]

    def column(name: str) -> pa.Array:
        at = mask(pc.equal(key, name))
        return mails.column(index[at], got["value"].filter(pa.array(at)))

    parts = pc.extract_regex(column("timestamp"), _TIMESTAMP)
    part = {f.name: pc.struct_field(parts, f.name) for f in parts.type}
    month = pc.add(pc.index_in(part["mon"], value_set=pa.array(MONTHS)), 1).cast(pa.string())
    date = pc.binary_join_element_wise(part["y"], month, part["d"], "-")
    clock = pc.binary_join_element_wise(part["h"], part["rest"], ":")
    subject = pc.extract_regex(column("subject"), rf"^(?P<message>{_EVENTS})\b")
    cells = {
        "ip": pc.utf8_trim_whitespace(column("ip address")),
        "mac": pc.utf8_trim_whitespace(column("ethernet address")),
        "port": pc.utf8_trim_whitespace(column("interface")),
        "message": pc.struct_field(subject, "message"),
        "ts": from_iso(pc.binary_join_element_wise(date, clock, part["off"], " "), context),
    }
    return mails.first, cells, inside


def _begin(key: pa.Array) -> np.ndarray:
    """Which fields begin a mail: its subject, or the host's name where no subject stands before."""
    names = key.to_pylist()
    has_subject = False
    begins = np.zeros(len(names), bool)
    for number, name in enumerate(names):
        begins[number] = name == "subject" or (name == "hostname" and not has_subject)
        has_subject = name == "subject" or (has_subject and name != "hostname")
    return begins


def _starts(lines: pa.StringArray) -> np.ndarray:
    """Pairs and logged lines stand alone; a mail begins with its subject, or with the host's name."""
    subject = mask(pc.match_substring_regex(lines, r"(?i)^Subject: "))
    own = mask(
        pc.match_substring_regex(
            lines, r"^[0-9A-Fa-f]{1,2}:.*\t|ethernet address .*:|(?:station|activity) "
        )
    )
    name = mask(pc.match_substring_regex(lines, r"(?i)^\s*hostname: "))
    begins: np.ndarray = subject | own | (name & (not subject.any()))
    return begins


def _sniff(lines: list[str]) -> float:
    """By the share of its own lines; in a system log others write as well."""
    if any(map(_OWN_LINE.match, lines)) or any(map(_OWN_ADDRESS.match, lines)):
        return share(lines, lambda line: _OWN_LINE.match(line) or _OWN_FIELD.match(line))
    return among_others(peel_text(lines), _OWN_LOG.match)


FORMAT = LogFormat(
    title="arpwatch (arp.dat, its mails, its lines in the system log)",
    kinds=("arp",),
    reference="https://ee.lbl.gov/ (arpwatch(8))",
    sniff=_sniff,
    open=_open,
    starts=_starts,
    samples=(
        Sample(
            "52:54:00:aa:00:01\t10.60.0.109\t1795363659\t\tvm\n0:1c:2:a:b:c\t10.60.0.110\t1795363655\tpc-110\tvm",
            (
                {
                    "kind": "arp",
                    "ts": "2026-11-22T16:07:39.000000000Z",
                    "client_ip": "10.60.0.109",
                    "client_mac": "52:54:00:aa:00:01",
                    "nas_port": "vm",
                    "message": None,
                },
                {"kind": "arp", "client_mac": "00:1c:02:0a:0b:0c"},
            ),
            note="without the leading zeros in some builds",
        ),
        Sample(
            "From: arpwatch (Arpwatch gw)\n"
            "To: root\n"
            "Subject: changed ethernet address (pc-7) vm\n"
            "\n"
            "            hostname: pc-7\n"
            "          ip address: 10.60.0.7\n"
            "           interface: vm\n"
            "    ethernet address: 52:54:0:aa:0:7\n"
            "     ethernet vendor: <unknown>\n"
            "old ethernet address: 52:54:0:aa:0:8\n"
            " old ethernet vendor: <unknown>\n"
            "           timestamp: Monday, November 23, 2026 0:07:39 +0800\n"
            "  previous timestamp: Monday, November 23, 2026 0:01:12 +0800\n"
            "               delta: 6 minutes",
            (
                {
                    "kind": "arp",
                    "ts": "2026-11-22T16:07:39.000000000Z",
                    "client_ip": "10.60.0.7",
                    "client_mac": "52:54:00:aa:00:07",
                    "message": "changed ethernet address",
                    "nas_port": "vm",
                },
            ),
        ),
        Sample(
            "Nov 23 00:07:39 gw arpwatch: flip flop 10.60.0.7 52:54:0:aa:0:7 (52:54:0:aa:0:8) vm",
            (
                {
                    "kind": "arp",
                    "ts": "2026-11-23T00:07:39.000000000Z",
                    "client_mac": "52:54:00:aa:00:07",
                    "message": "flip flop",
                    "nas": "gw",
                    "nas_port": "vm",
                },
            ),
        ),
        Sample("52:54:00:aa:00:01\t10.60.0.409\t1795363659\t\tvm", note="no address"),
    ),
)
