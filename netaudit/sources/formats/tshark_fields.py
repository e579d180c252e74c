"""``tshark -T fields -E header=y``: DNS packets as columns, one a line.

The header says what the columns are; without ``dns.qry.name`` and addresses there is nothing to read.
Several values of a field are joined with commas, so the separator must be another one. The addresses
of a response come by type, not in the order in which it gave them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake import times
from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Sample
from netaudit.sources.formats._delimited import Cells
from netaudit.sources.formats._dissected import Packets, frame_times, lists_in, look_ups
from netaudit.sources.formats._outcome import parsed
from netaudit.sources.formats._values import mask

UNREADABLE = "The addresses of this packet cannot be read."

_TRUE = pa.array(["1", "True", "true"])
_DNS = "53"
_DATA = ("dns.cname", "dns.a", "dns.aaaa")
_BOOL = "dns.flags.response"


def _open(context: times.Context) -> Parse:
    titles, separator = list[str](), "\t"

    def parse(chunk: Chunk) -> Parsed:
        nonlocal titles, separator
        begin = 0
        if not titles:
            begin = 1
            separator, titles = _header(chunk.lines[0].as_py() if len(chunk.lines) else "")
        cells = Cells.of(chunk.lines.slice(begin), separator)
        count = len(cells.counts)

        def column(*names: str) -> pa.Array:
            found = [cells.column(titles.index(name)) for name in names if name in titles]
            return pc.coalesce(*found) if found else pa.nulls(count, pa.string())

        index = np.flatnonzero(mask(pc.is_valid(column("dns.qry.name"))))
        rows, bad = look_ups(_packets(column, index, begin, context))
        return parsed(len(chunk.lines), [rows], {UNREADABLE: bad})

    return parse


def _packets(
    column: Callable[..., pa.Array], index: np.ndarray, begin: int, context: times.Context
) -> Packets:
    at = pa.array(index)

    def of(*names: str) -> pa.Array:
        return column(*names).take(at)

    sport, dport = of("udp.srcport", "tcp.srcport"), of("udp.dstport", "tcp.dstport")
    flag = of(_BOOL)
    from_port = pc.and_(pc.is_null(flag), pc.fill_null(pc.equal(sport, _DNS), False))
    udp, tcp = (pc.coalesce(of(f"{p}.srcport"), of(f"{p}.dstport")) for p in ("udp", "tcp"))
    transport = pc.if_else(pc.is_valid(udp), "udp", pc.if_else(pc.is_valid(tcp), "tcp", None))
    return Packets(
        line=index + begin,
        ts=frame_times(of("frame.time_epoch", "frame.time_utc", "frame.time"), context),
        src=of("ip.src", "ipv6.src"),
        dst=of("ip.dst", "ipv6.dst"),
        sport=sport,
        dport=dport,
        transport=transport.cast(pa.string()),
        number=pc.fill_null(of("dns.id"), ""),
        response=mask(pc.or_(pc.is_in(flag, value_set=_TRUE), from_port)),
        name=of("dns.qry.name"),
        qtype=pc.replace_substring_regex(pc.fill_null(of("dns.qry.type"), ""), ",.*", ""),
        rcode=of("dns.flags.rcode"),
        answers=lists_in([of(name) for name in _DATA]),
    )


def _header(line: str) -> tuple[str, list[str]]:
    separator = max("\t;|,", key=line.count)
    return separator, [title.strip().strip('"') for title in line.split(separator)]


def _sniff(lines: list[str]) -> float:
    titles = _header(lines[0])[1] if lines else []
    return 0.95 if "dns.qry.name" in titles and {"ip.src", "ipv6.src"} & set(titles) else 0.0


_HEAD = (
    "frame.time_epoch\tip.src\tip.dst\tudp.srcport\tudp.dstport\ttcp.srcport\tdns.id\tdns.flags.response\tdns.qry.name\t"
    "dns.qry.type\tdns.flags.rcode\tdns.a\tdns.aaaa\n"
)
_SAMPLES = (
    Sample(
        _HEAD + "1795363240.295591000\t10.20.30.13\t10.20.30.53\t46012\t53\t\t0x1713\t0\tWww.corp.test\t1\t\t\t\n"
        "1795363240.296602000\t10.20.30.53\t10.20.30.13\t53\t46012\t\t0x1713\t1\tWww.corp.test\t1\t0\t192.0.2.1,192.0.2.2\t\n"
        "1795363246.787748000\t10.20.30.53\t10.20.30.11\t\t\t53\t0x6eb1\t1\tnx ird.corp.test\t65\t3\t\t",
        (
            {
                "kind": "dns", "ts": "2026-11-22T16:00:40.295591000Z", "client_ip": "10.20.30.13",
                "client_port": 46012, "server_ip": "10.20.30.53", "server_port": 53, "transport": "udp",
                "name": "www.corp.test", "qtype": "A", "rcode": "NOERROR", "answers": ["192.0.2.1", "192.0.2.2"],
            },
            {
                "kind": "dns", "client_ip": "10.20.30.11", "transport": "tcp", "name": "nx\\032ird.corp.test",
                "qtype": "HTTPS", "rcode": "NXDOMAIN",
            },
        ),
        note="a query and its response; a response whose query is not here",
    ),
    Sample(
        _HEAD + "1795363240.295591000\t10.20.30.13,10.0.0.1\t10.20.30.53\t46012\t53\t\t0x1713\t0\twww.corp.test\t1\t\t\t",
        note="a packet within a packet: rejected",
    ),
)  # fmt: skip

FORMAT = LogFormat(
    title="tshark fields (-T fields -E header=y) of DNS",
    kinds=("dns",),
    reference="https://www.wireshark.org/docs/man-pages/tshark.html",
    sniff=_sniff,
    open=_open,
    samples=_SAMPLES,
    numbered=False,
)
