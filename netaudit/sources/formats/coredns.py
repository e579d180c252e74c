"""CoreDNS's ``log`` plugin in the common and the combined form, through any carrier.

The line has no time of its own: the container's or journal's stamp counts, where there is one.
"""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake import carrier, times
from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Sample, extract, said
from netaudit.records.names import normalise_column
from netaudit.sources.dns_words import qtype_column, rcode_column
from netaudit.sources.formats._endpoints import endpoints
from netaudit.sources.formats._lookups import lookups
from netaudit.sources.formats._transports import transports
from netaudit.sources.formats._values import among_others

# the combined form goes on with the opcode
# {remote}:{port} - {>id} "{type} {class} {name} {proto} {size} {>do} {>bufsize}" {rcode} {>rflags} {rsize} {duration}
_LINE = (
    r"\[INFO\] (?P<client>\S+) - \d+ \"(?P<qtype>\S+) \S+ (?P<name>\S+) (?P<transport>[a-z]+) \d+ (?:true|false) \d+\" "
    r"(?P<rcode>[A-Z0-9]+|-) \S+ \d+ \S+"
)
_OURS = re.compile(r'\[INFO\] \S+:\d+ - \d+ "\S+ \S+ \S+ [a-z]+ \d+ (?:true|false) \d+" ')
_ISO = r"^\s*(?P<stamp>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))"


def _open(context: times.Context) -> Parse:
    def parse(chunk: Chunk) -> Parsed:
        peeled = carrier.peel(chunk.lines)
        text = pc.if_else(pc.starts_with(chunk.lines, "{"), peeled.rest, chunk.lines)
        index, field = extract(text, _LINE)
        client, client_port = endpoints(field["client"])
        at = pa.array(index)
        begun = said(text.take(at), _ISO)
        columns = {
            "ts": carrier.read_stamps(pc.coalesce(peeled.stamp.take(at), begun), context),
            "client_ip": client,
            "client_port": client_port,
            "transport": transports(field["transport"]),
            "name": normalise_column(field["name"]),
            "qtype": qtype_column(field["qtype"]),
            "rcode": rcode_column(pc.if_else(pc.equal(field["rcode"], "-"), None, field["rcode"])),
        }
        return lookups(text, index, columns, r'\[INFO\] \S+:\d+ - \d+ "')

    return parse


def _sniff(lines: list[str]) -> float:
    return among_others(carrier.peel_text(lines), _OURS.search)


_SAMPLES = (
    Sample(
        '[INFO] [::1]:50759 - 29008 "A IN example.org. udp 41 false 4096" NOERROR qr,rd,ra,ad 68 0.037990251s',
        ({
            "kind": "dns", "ts": None, "client_ip": "::1", "client_port": 50759, "transport": "udp",
            "name": "example.org", "qtype": "A", "rcode": "NOERROR",
        },),
        note="the line of the manual",
    ),
    Sample(
        '{"log":"[INFO] 10.1.0.4:33321 - 7 \\"AAAA IN nx.example.org. tcp 41 false 512\\" NXDOMAIN qr,rd 68 0.1s\\n",'
        '"stream":"stdout","time":"2026-11-22T16:00:41.123456789Z"}',
        ({
            "kind": "dns", "ts": "2026-11-22T16:00:41.123456789Z", "client_ip": "10.1.0.4", "transport": "tcp",
            "name": "nx.example.org", "qtype": "AAAA", "rcode": "NXDOMAIN",
        },),
        note="Docker's JSON log",
    ),
    Sample('[INFO] 10.1.0.4:33321 - 7 "AAAA IN nx.exam', note="cut: rejected"),
    Sample("[INFO] plugin/reload: Running configuration SHA512 = 0123", note="no look-up"),
)  # fmt: skip

FORMAT = LogFormat(
    title="CoreDNS log plugin",
    kinds=("dns",),
    reference="https://coredns.io/plugins/log/",
    sniff=_sniff,
    open=_open,
    samples=_SAMPLES,
)
