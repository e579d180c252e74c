r"""``dnscap -g``: DNS packets as text, one over several lines that end in a backslash, UTC.

The first line has size and time, the second ``[address].port`` of both ends, the third opcode,
response code, id and flags; then the sections, each with a count before it.
"""

from __future__ import annotations

import datetime as dt
import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake import times
from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Sample, extract, said
from netaudit.sources.formats._dissected import Packets, look_ups
from netaudit.sources.formats._outcome import refused
from netaudit.sources.formats._owned import lists_of, members
from netaudit.sources.formats._stanzas import Stanzas
from netaudit.sources.formats._values import mask

UNREADABLE = "The addresses of this packet cannot be read."
CUT = "A packet is cut off, or asks nothing."

_BEGIN = r"^\[\d+\] \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ \[#\d+ "
# a record's text never begins with digits and a blank: that is the next section's count
_RECORD = r"[^\s,]+,\S+,\S+(?: [^\\]*[^\\\s])?"
_PACKET = (
    r"^\[\d+\] (?P<ts>\S+ \S+) \[#[^\]]*\] \\ +\[(?P<src>[^\]]+)\]\.(?P<sport>\d+) \[(?P<dst>[^\]]+)\]\.(?P<dport>\d+) +\\ "
    r"+dns (?P<opcode>[A-Z0-9]+),(?P<rcode>[A-Z0-9]+),(?P<id>\d+),?(?P<flags>[a-z|0-9]*) \\ "
    r"+[1-9]\d* (?P<name>[^\s,]+),[A-Z0-9]+,(?P<qtype>[A-Z0-9]+)"
    rf"(?: \\ +[1-9]\d* (?P<records>{_RECORD}(?: \\ +{_RECORD})*))?"
)
_DATA = r"^\S+,[A-Z0-9]+,[A-Z0-9]+,\d+,(?P<data>.*\S)\s*$"
_UTC = times.Context(zone=dt.UTC)
_OURS = re.compile(_BEGIN)


def _open(context: times.Context) -> Parse:  # noqa: ARG001 -- dnscap prints UTC
    def parse(chunk: Chunk) -> Parsed:
        records = Stanzas.beginning(_starts(chunk.lines))
        bounds = np.append(records.first, len(chunk.lines)).astype(np.int32)
        lines = pc.replace_substring(chunk.lines, "\t", "")
        text = pc.binary_join(pa.ListArray.from_arrays(pa.array(bounds), lines), " ")
        index, field = extract(text, _PACKET)
        rows, bad = look_ups(_packets(field, records.first[index]))
        torn = np.setdiff1d(records.first, records.first[index])
        return Parsed(
            [rows] if len(rows.line) else [],
            refused({UNREADABLE: bad, CUT: torn}),
            len(records.first) - len(torn) - len(rows.line) - len(bad) + len(records.orphans(chunk.lines)),
        )

    return parse


def _packets(field: dict[str, pa.Array], line: np.ndarray) -> Packets:
    return Packets(
        line=line,
        ts=times.from_iso(field["ts"], _UTC),
        src=field["src"],
        dst=field["dst"],
        sport=field["sport"],
        dport=field["dport"],
        transport=pa.nulls(len(line), pa.string()),
        number=field["id"],
        response=mask(pc.match_substring_regex(field["flags"], r"\bqr\b")),
        name=field["name"],
        qtype=field["qtype"],
        rcode=field["rcode"],
        answers=_answers(field["records"]),
    )


def _answers(records: pa.Array) -> pa.Array:
    owner, record = members(pc.split_pattern(records, " \\ ").cast(pa.list_(pa.string())))
    data = said(pc.utf8_trim_whitespace(record), _DATA)
    return lists_of(len(records), owner, data)


def _starts(lines: pa.StringArray) -> np.ndarray:
    return mask(pc.match_substring_regex(lines, _BEGIN))


def _queries(lines: pa.StringArray) -> np.ndarray:
    """Where packets begin that are no response: there a file may be parted, so that pairs stay together."""
    begins = np.flatnonzero(_starts(lines))
    told = np.append(
        mask(pc.match_substring_regex(lines, r"^\s*dns [A-Z0-9]+,[A-Z0-9]+,\d+,(?:[^q]|$)")), values=False
    )
    found = np.zeros(len(lines), bool)
    found[begins[told[np.minimum(begins + 2, len(lines))]]] = True
    return found


def _sniff(lines: list[str]) -> float:
    return 0.95 if any(_OURS.match(line) for line in lines) else 0.0


_SAMPLES = (
    Sample(
        "[56] 2016-10-20 15:23:01.075993 [#0 dns.pcap 4095] \\\n"
        "\t[172.17.0.10].53199 [8.8.8.8].53  \\\n"
        "\tdns QUERY,NOERROR,59311,rd \\\n"
        "\t1 google.com.,IN,A 0 0 0\n"
        "[208] 2016-10-20 15:23:01.077982 [#1 dns.pcap 4095] \\\n"
        "\t[8.8.8.8].53 [172.17.0.10].53199  \\\n"
        "\tdns QUERY,NOERROR,59311,qr|rd|ra \\\n"
        "\t1 google.com.,IN,A \\\n"
        "\t2 google.com.,IN,A,44,216.58.218.206 \\\n"
        "\tgoogle.com.,IN,A,44,216.58.218.207 \\\n"
        "\t4 google.com.,IN,NS,157880,ns4.google.com. \\\n"
        "\tgoogle.com.,IN,NS,157880,ns3.google.com.",
        ({
            "kind": "dns", "ts": "2016-10-20T15:23:01.075993000Z", "client_ip": "172.17.0.10", "client_port": 53199,
            "server_ip": "8.8.8.8", "server_port": 53, "name": "google.com", "qtype": "A", "rcode": "NOERROR",
            "answers": ["216.58.218.206", "216.58.218.207"],
        },),
        timezone="Asia/Shanghai",
        note="a query and its response",
    ),
    Sample("[56] 2016-10-20 15:23:01.075993 [#0 dns.pcap 4095] \\\n\t[172.17.0.10].53199", note="cut: rejected"),
)  # fmt: skip

FORMAT = LogFormat(
    title="dnscap text (dnscap -g)",
    kinds=("dns",),
    reference="https://www.dns-oarc.net/tools/dnscap",
    sniff=_sniff,
    open=_open,
    samples=_SAMPLES,
    starts=_queries,
)
