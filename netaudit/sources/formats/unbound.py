"""Unbound's query and reply lines (also pfSense's and OPNsense's resolver).

With ``log-queries`` and ``log-replies`` both, a look-up is two rows: that is what the log says. The
lines of a local zone repeat a query that has its own line and are passed over. Unbound prints every
odd octet of a name as ``?``, also the dot inside a label: such a name is kept as it stands, and the
context notes that.
"""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake import carrier, times
from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Sample, extract, said
from netaudit.records.addresses import ip_column
from netaudit.records.names import normalise_column
from netaudit.records.schemas import TIMESTAMP
from netaudit.sources.dns_words import qtype_column, rcode_column
from netaudit.sources.formats._lookups import lookups
from netaudit.sources.formats._values import among_others

LOSSY = "Unbound prints octets of names that are no letters as ?; such a name may match no list entry."

_EPOCH = r"^\[(?P<epoch>\d{10})\] (?:unbound)?\[\d+:[0-9a-f]+\] "
_HEAD = r"(?:^|[\s\]]|unbound)\[\d+:[0-9a-f]+\] (?:info|query|reply): "
_LOOKUP = (
    rf"{_HEAD}(?P<ip>[0-9a-fA-F:.]+(?:%\S+)?) (?P<name>\S+) (?P<qtype>\S+) (?P<class>IN|CH|HS|ANY|NONE|CLASS\d+)"
    r"(?: (?P<rcode>[A-Z0-9]+) \d+\.\d+ [01] \d+)?$"
)
_LIKE_ONE = rf"{_HEAD}\d[0-9a-fA-F:.]* \S+ \S+ (?:IN|CH|CLASS\d+)\b|{_HEAD}[0-9a-fA-F:.]+(?: \S+){{0,2}}$"
_OURS = re.compile(
    r"\bunbound(?:\[\d+(?::[0-9a-f]+)?\]:?|:| (?:\d+|-) -) |^\[\d+:[0-9a-f]+\] (?:info|query|reply): "
)


def _open(context: times.Context) -> Parse:
    def parse(chunk: Chunk) -> Parsed:
        peeled = carrier.peel(chunk.lines)
        text = pc.if_else(pc.starts_with(chunk.lines, "{"), peeled.rest, chunk.lines)
        index, field = extract(text, _LOOKUP)
        columns = {
            "ts": _stamps(chunk.lines.take(pa.array(index)), peeled.stamp.take(pa.array(index)), context),
            "client_ip": ip_column(field["ip"]),
            "name": _names(field["name"], field["qtype"], context),
            "qtype": pc.if_else(pc.equal(field["qtype"], "TYPE0"), None, qtype_column(field["qtype"])),
            "rcode": rcode_column(field["rcode"]),
        }
        return lookups(text, index, columns, _LIKE_ONE)

    return parse


def _stamps(lines: pa.Array, stamp: pa.Array, context: times.Context) -> pa.Array:
    """The bracketed epoch, else the carrier's time."""
    epoch = said(lines, _EPOCH)
    if epoch.null_count == len(epoch):
        return carrier.read_stamps(stamp, context) if len(stamp) else pa.nulls(0, TIMESTAMP)
    rest = pc.if_else(pc.is_valid(epoch), None, stamp)
    return pc.coalesce(times.from_epoch(epoch), carrier.read_stamps(rest, context))


def _names(name: pa.Array, qtype: pa.Array, context: times.Context) -> pa.Array:
    """A query refused before its question was read is printed as ``null TYPE0``: it has no name."""
    if pc.any(pc.match_substring(name, "?")).as_py():
        context.notes.add(LOSSY)
    return normalise_column(pc.if_else(pc.equal(qtype, "TYPE0"), None, name))


def _sniff(lines: list[str]) -> float:
    return among_others(lines, _OURS.search)


_SAMPLES = (
    Sample(
        "[1795363253] unbound[11670:0] info: 10.20.30.11 corp.test. MX IN\n"
        "[1795363253] unbound[11670:0] info: test. static 10.20.30.11@42263 corp.test. MX IN\n"
        "[1795363253] unbound[11670:0] info: 10.20.30.11 corp.test. MX IN NXDOMAIN 0.000000 1 97",
        (
            {
                "kind": "dns", "ts": "2026-11-22T16:00:53.000000000Z", "client_ip": "10.20.30.11",
                "name": "corp.test", "qtype": "MX", "rcode": None,
            },
            {"kind": "dns", "client_ip": "10.20.30.11", "name": "corp.test", "rcode": "NXDOMAIN"},
        ),
        note="log-queries and log-replies; a local zone's line between them",
    ),
    Sample(
        "Nov 23 00:00:57 unbound[11671:0] reply: 192.168.50.22 www.corp.test. A IN NOERROR 0.000000 1 74",
        ({
            "kind": "dns", "ts": "2026-11-22T16:00:57.000000000Z", "client_ip": "192.168.50.22",
            "name": "www.corp.test", "qtype": "A", "rcode": "NOERROR",
        },),
        timezone="Asia/Shanghai",
        note="log-time-ascii, log-tag-queryreply",
    ),
    Sample(
        "2025-10-14T17:44:30+02:00 fw unbound[901988]: [901988:1f] query: 5.6.7.8 9.10.11.12.example.com. PTR IN",
        ({"kind": "dns", "ts": "2025-10-14T15:44:30.000000000Z", "client_ip": "5.6.7.8", "qtype": "PTR"},),
        note="through a system log",
    ),
    Sample(
        '<30>1 2022-09-06T18:37:34+02:00 opnsense unbound 69805 - [meta sequenceId="2633353"] [69805:2] info: 192.168.1.20 '
        "api.example.org. A IN",
        ({"kind": "dns", "ts": "2022-09-06T16:37:34.000000000Z", "client_ip": "192.168.1.20", "qtype": "A"},),
        note="through a system log of RFC 5424",
    ),
    Sample(
        "[1795363264] unbound[11670:1] info: 172.16.9.9 null TYPE0 CLASS0 REFUSED 0.000000 1 12\n"
        "[1795363264] unbound[11670:1] info: 172.16.9.9 we?ird.corp.test. A IN",
        (
            {"kind": "dns", "client_ip": "172.16.9.9", "name": None, "qtype": None, "rcode": "REFUSED"},
            {"kind": "dns", "client_ip": "172.16.9.9", "name": "we?ird.corp.test", "qtype": "A"},
        ),
        note="a name that the log does not tell, and one of which an octet is lost",
    ),
    Sample("[1795363236] unbound[11670:0] info: start of service (unbound 1.17.1).", note="no look-up"),
    Sample("[1795363253] unbound[11670:0] info: 10.20.30.11 corp", note="cut: rejected"),
)  # fmt: skip

FORMAT = LogFormat(
    title="Unbound log (also pfSense, OPNsense)",
    kinds=("dns",),
    reference="https://unbound.docs.nlnetlabs.nl/en/latest/manpages/unbound.conf.html",
    sniff=_sniff,
    open=_open,
    samples=_SAMPLES,
)
