"""dnsdist's log actions: ``[SECONDS.NANOS] Packet from IP:PORT for NAME TYPE with id N``.

The nanoseconds are not padded: ``261.81156435`` is 261.081156435. A response log repeats the time
of the query.
"""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake import carrier, times
from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Sample, extract, share
from netaudit.records.names import normalise_column
from netaudit.sources.dns_words import qtype_column, rcode_column
from netaudit.sources.formats._endpoints import endpoints
from netaudit.sources.formats._lookups import lookups

_LINE = (
    r"(?:^|: )(?:\[(?P<s>\d{10})\.(?P<ns>\d{1,9})\] )?(?:Packet from|Answer to) (?P<client>\S+) for (?P<name>\S*) "
    r"(?P<qtype>\S+)(?: \((?P<rcode>[^)]+)\))? with id \d+"
)
_OURS = re.compile(r"(?:Packet from|Answer to) \S+:\d+ for \S* \S+ (?:\([^)]+\) )?with id \d+")


def _open(context: times.Context) -> Parse:
    def parse(chunk: Chunk) -> Parsed:
        index, field = extract(chunk.lines, _LINE)
        client, client_port = endpoints(field["client"])
        columns = {
            "ts": _stamps(chunk.lines.take(pa.array(index)), field, context),
            "client_ip": client,
            "client_port": client_port,
            "name": normalise_column(field["name"]),
            "qtype": qtype_column(field["qtype"]),
            "rcode": rcode_column(field["rcode"]),
        }
        return lookups(chunk.lines, index, columns, r"\b(?:Packet from|Answer to) \S+:\d")

    return parse


def _stamps(lines: pa.Array, field: dict[str, pa.Array], context: times.Context) -> pa.Array:
    """The line's own time, else its carrier's."""
    padded = pc.utf8_lpad(field["ns"], 9, padding="0")
    own = times.from_epoch(pc.binary_join_element_wise(field["s"], padded, "."))
    if not own.null_count:
        return own
    carried = carrier.peel(pc.if_else(pc.is_null(own), lines, None)).stamp
    return pc.coalesce(own, carrier.read_stamps(carried, context))


def _sniff(lines: list[str]) -> float:
    return share(lines, _OURS.search)


_SAMPLES = (
    Sample(
        "[1795363240.535881997] Packet from 10.20.30.13:38966 for www.corp.test. A with id 4435\n"
        "[1795363261.81156435] Packet from [fd00:20:30::11]:48015 for we\\032ird.Corp.test. HTTPS with id 17594",
        (
            {
                "kind": "dns", "ts": "2026-11-22T16:00:40.535881997Z", "client_ip": "10.20.30.13",
                "client_port": 38966, "name": "www.corp.test", "qtype": "A",
            },
            {
                "kind": "dns", "ts": "2026-11-22T16:01:01.081156435Z", "client_ip": "fd00:20:30::11",
                "client_port": 48015, "name": "we\\032ird.corp.test", "qtype": "HTTPS",
            },
        ),
        note="nanoseconds without their zeros",
    ),
    Sample(
        "[1795363240.535881997] Answer to 10.20.30.13:38966 for nx.corp.test. A (Non-Existent domain) with id 4435",
        ({"kind": "dns", "name": "nx.corp.test", "rcode": "NXDOMAIN"},),
        note="LogResponseAction",
    ),
    Sample("[1795363240.535881997] Packet from 10.20.30.13:38966 for www.co", note="cut: rejected"),
)  # fmt: skip

FORMAT = LogFormat(
    title="dnsdist query log (LogAction)",
    kinds=("dns",),
    reference="https://dnsdist.org/reference/actions.html#LogAction",
    sniff=_sniff,
    open=_open,
    samples=_SAMPLES,
)
