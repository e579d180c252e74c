"""passivedns: one line for each answer record that a sensor saw, however often it was given.

``ts||client||server||class||name||type||answer||ttl||count``. The client is the one that asked
when the record was noted; others who asked are not in the file.
"""

from __future__ import annotations

import pyarrow.compute as pc

from netaudit.intake import times
from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Sample, extract, share
from netaudit.records.addresses import ip_column
from netaudit.records.names import normalise_column
from netaudit.sources.dns_words import qtype_column, rcode_column
from netaudit.sources.formats._lookups import lookups, single

AGGREGATED = (
    "A line stands for all times that an answer was seen; only one of the clients that asked is in it."
)

_LINE = (
    r"^(?P<ts>\d{9,11}\.\d{1,9})\|\|(?P<client>[^|]+)\|\|(?P<server>[^|]+)\|\|[A-Z]+\|\|(?P<name>.+?)\|\|"
    r"(?P<qtype>[^|]+)\|\|(?P<answer>.*?)\|\|\d+\|\|\d+(?:\|\|.*)?$"
)


def _open(context: times.Context) -> Parse:
    def parse(chunk: Chunk) -> Parsed:
        index, field = extract(chunk.lines, _LINE)
        # a name that does not exist is noted with its response code in place of the record
        failed = pc.fill_null(
            pc.match_substring_regex(field["answer"], r"^(?:NXDOMAIN|SERVFAIL|REFUSED)$"), False
        )
        columns = {
            "ts": times.from_epoch(field["ts"]),
            "client_ip": ip_column(field["client"]),
            "server_ip": ip_column(field["server"]),
            "name": normalise_column(field["name"]),
            "qtype": qtype_column(field["qtype"]),
            "rcode": rcode_column(pc.if_else(failed, field["answer"], None)),
            "answers": single(pc.if_else(failed, None, field["answer"])),
        }
        if len(index):
            context.notes.add(AGGREGATED)
        return lookups(chunk.lines, index, columns, r"^\d+\.\d+\|\|")

    return parse


def _sniff(lines: list[str]) -> float:
    return share(lines, lambda line: line.count("||") >= 8 and line[:9].isdigit())


_SAMPLES = (
    Sample(
        "1322849924.408856||10.1.1.1||8.8.8.8||IN||upload.youtube.com.||A||74.125.43.117||46587||5\n"
        "1322849924.408858||10.1.1.1||8.8.8.8||IN||www.adobe.com.||CNAME||www.wip4.adobe.com.||43200||8",
        (
            {
                "kind": "dns", "ts": "2011-12-02T18:18:44.408856000Z", "client_ip": "10.1.1.1",
                "server_ip": "8.8.8.8", "name": "upload.youtube.com", "qtype": "A", "answers": ["74.125.43.117"],
            },
            {"kind": "dns", "qtype": "CNAME", "answers": ["www.wip4.adobe.com."]},
        ),
    ),
    Sample("1322849924.408856||10.1.1.1||8.8.8.8||IN||upload.yout", note="cut: rejected"),
)  # fmt: skip

FORMAT = LogFormat(
    title="passivedns log",
    kinds=("dns",),
    reference="https://github.com/gamelinux/passivedns",
    sniff=_sniff,
    open=_open,
    samples=_SAMPLES,
)
