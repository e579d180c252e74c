"""Cisco Umbrella's DNS export: quoted CSV, mostly without a header, 10 to 20 columns, UTC.

An identity may hold commas and line breaks, so a record may span lines. The client is the internal
address; without the virtual appliance or the agent there is none.
"""

from __future__ import annotations

import datetime as dt
import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake import times
from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Rows, Sample, extract, said
from netaudit.records.addresses import ip_column
from netaudit.records.names import normalise_column
from netaudit.sources.dns_words import qtype_column, rcode_column
from netaudit.sources.formats._outcome import refused
from netaudit.sources.formats._stanzas import Stanzas
from netaudit.sources.formats._values import mask

BROKEN = "A record is cut off, or is none of this export."

_BEGINS = r'^\s*"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d",'
_CELL = r'"(?:[^"]|"")*"'
_RECORD = (
    rf'^\s*"(?P<ts>\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d)", ?{_CELL}, ?{_CELL}, ?"(?P<internal>[^"]*)", ?"[^"]*", ?'
    r'"(?P<action>[A-Za-z ]+)", ?"(?P<qtype>[^"]*)", ?"(?P<rcode>[^"]*)", ?"(?P<name>[^"]*)",'
)
_BEGUN, _WHOLE = re.compile(_BEGINS, re.MULTILINE), re.compile(_RECORD, re.MULTILINE)
_MOST = 1 << 16
_UTC = times.Context(zone=dt.UTC)


def _open(context: times.Context) -> Parse:  # noqa: ARG001 -- the export is UTC by definition
    def parse(chunk: Chunk) -> Parsed:
        records = Stanzas.beginning(_starts(chunk.lines))
        index, field = extract(_joined(chunk.lines, records.first), _RECORD)
        word = said(field["qtype"], r"\((?P<word>[A-Za-z0-9]+)\)")
        columns = {
            "ts": times.from_iso(field["ts"], _UTC),
            "client_ip": ip_column(field["internal"]),
            "name": normalise_column(field["name"]),
            "name_source": "qname",
            "qtype": qtype_column(pc.coalesce(word, field["qtype"])),
            "rcode": rcode_column(field["rcode"]),
            "action": pc.ascii_lower(field["action"]),
        }
        rows = Rows("dns", columns, records.first[index])
        orphans = records.orphans(chunk.lines)
        bad = np.setdiff1d(records.first, rows.line)
        return Parsed([rows] if len(index) else [], refused({BROKEN: bad}), len(orphans))

    return parse


def _joined(lines: pa.StringArray, first: np.ndarray) -> pa.Array:
    """Each record's lines as one text."""
    bounds = np.append(first, len(lines)).astype(np.int32)
    return pc.binary_join(pa.ListArray.from_arrays(pa.array(bounds), lines), "\n")


def _starts(lines: pa.StringArray) -> np.ndarray:
    return mask(pc.match_substring_regex(lines, _BEGINS))


def _sniff(lines: list[str]) -> float:
    text = "\n".join(lines)[:_MOST]
    begun = len(_BEGUN.findall(text))
    return len(_WHOLE.findall(text)) / begun if begun else 0.0


_SAMPLES = (
    Sample(
        ' "2021-02-21 15:30:49","CORP - IP INTERNET","CORP - IP INTERNET","10.1.1.1","192.0.2.1","Blocked","1 (A)",'
        '"NOERROR","something.net.","DNS Tunneling VPN","Networks","Networks","DNS Tunneling VPN"\n'
        '"2024-03-04 11:17:25","A Person (a.person@corp.example)","A Person \n'
        '(a.person@corp.example),""FR01"",CORP","10.1.1.2","192.0.2.1","Allowed","28 (AAAA)","NXDOMAIN","10.1.1.1_1.",'
        '"","AD Users","AD Users,AD \nComputers,Sites",""',
        (
            {
                "kind": "dns", "ts": "2021-02-21T15:30:49.000000000Z", "client_ip": "10.1.1.1", "name": "something.net",
                "qtype": "A", "rcode": "NOERROR", "action": "blocked",
            },
            {
                "kind": "dns", "client_ip": "10.1.1.2", "name": "10.1.1.1_1", "qtype": "AAAA", "rcode": "NXDOMAIN",
                "action": "allowed",
            },
        ),
        timezone="Asia/Shanghai",
        note="a blank before the first quote; a record of three lines",
    ),
    Sample(
        '"2015-01-16 17:48:41","ActiveDirectoryUserName", "ActiveDirectoryUserName,ADSite,Network", "10.10.1.100",'
        '"203.0.113.5","Allowed","1 (A)", "NOERROR","domain-visited.com.", "Chat,Photo Sharing,Social Networking,Allow List"',
        ({
            "kind": "dns", "ts": "2015-01-16T17:48:41.000000000Z", "client_ip": "10.10.1.100",
            "name": "domain-visited.com", "qtype": "A", "rcode": "NOERROR", "action": "allowed",
        },),
        note="the oldest version: ten columns, blanks behind commas",
    ),
    Sample('"2021-02-21 15:30:49","CORP - IP INTERNET","CORP - IP', note="cut: rejected"),
)  # fmt: skip

FORMAT = LogFormat(
    title="Cisco Umbrella DNS export (CSV)",
    kinds=("dns",),
    reference="https://docs.umbrella.com/deployment-umbrella/docs/dns-log-formats",
    sniff=_sniff,
    open=_open,
    samples=_SAMPLES,
    starts=_starts,
)
