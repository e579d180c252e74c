"""Windows DNS Server's analytical log as XML (``wevtutil qe /lf:true /f:xml``, ``Get-WinEvent … ToXml()``).

The records are flat and are read by regular expressions: no XML parser, so no entity is expanded.
"""

from __future__ import annotations

import html
import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake import times
from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Sample, said
from netaudit.sources.formats._dns_analytical import REFERENCE, Moments, events
from netaudit.sources.formats._outcome import refused
from netaudit.sources.formats._stanzas import Stanzas
from netaudit.sources.formats._values import mask, words

UNREADABLE = "The client of this event cannot be read."
TORN = "An event is cut off, or more than one stands in a line."

_BEGIN = r"<Event[ >]"
_PROVIDER = re.compile(r"""<Provider Name=['"]Microsoft-Windows-DNS-?Server['"]""")


def _open(context: times.Context) -> Parse:
    moments = Moments(context)

    def parse(chunk: Chunk) -> Parsed:
        records = Stanzas.beginning(_starts(chunk.lines))
        bounds = np.append(records.first, len(chunk.lines)).astype(np.int32)
        text = pc.binary_join(pa.ListArray.from_arrays(pa.array(bounds), chunk.lines), " ")
        whole = mask(pc.equal(pc.count_substring_regex(text, _BEGIN), 1))
        whole &= mask(pc.match_substring(text, "</Event>"))
        line, text = records.first[whole], text.filter(pa.array(whole))

        def field(name: str) -> pa.Array:
            pattern = rf"""<Data Name=['"]{name}['"]\s*>\s*(?P<v>[^<]*?)\s*</Data>"""
            return words(said(text, pattern), html.unescape) if name == "QNAME" else said(text, pattern)

        number = said(text, r"<EventID[^>]*>\s*(?P<v>\d+)\s*</EventID>")
        ts = moments.read(said(text, r"""<TimeCreated SystemTime=['"](?P<v>[^'"]+)['"]"""))
        rows, bad = events(number, ts, field, line)
        rejected = refused({UNREADABLE: bad, TORN: records.first[~whole]})
        return Parsed(
            [rows] if len(rows.line) else [],
            rejected,
            len(line) - len(rows.line) - len(bad) + len(records.orphans(chunk.lines)),
        )

    return parse


def _starts(lines: pa.StringArray) -> np.ndarray:
    return mask(pc.match_substring_regex(lines, _BEGIN))


def _sniff(lines: list[str]) -> float:
    return 0.95 if any(_PROVIDER.search(line) for line in lines) else 0.0


def _event(number: int, time: str, **fields: str) -> str:
    data = "".join(f"<Data Name='{name}'>{value}</Data>" for name, value in fields.items())
    return (
        "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider "
        f"Name='Microsoft-Windows-DNSServer' Guid='{{EB79061A-A566-4698-9119-3ED2807060E7}}'/><EventID>{number}"
        f"</EventID><TimeCreated SystemTime='{time}'/><Channel>Microsoft-Windows-DNSServer/Analytical</Channel>"
        f"</System><EventData>{data}</EventData></Event>"
    )


_SAMPLES = (
    Sample(
        _event(
            256, "2026-11-22T16:00:40.1234567Z", TCP="0", InterfaceIP="10.1.0.53", Source="10.1.0.7", Port="50123",
            QNAME="www.Example.org.", QTYPE="1", XID="4711",
        )
        + "\n"
        + _event(
            257, "2026-11-22T16:00:40.2000000Z", TCP="0", InterfaceIP="10.1.0.53", Destination="10.1.0.7", Port="50123",
            QNAME="www.example.org.", QTYPE="1", RCODE="0",
            PacketData="0x12678180000100010000000003777777076578616d706c65036f72670000010001c00c000100010000003c0004c0000201",
        )
        + "\n"
        + _event(260, "2026-11-22T16:00:40.2000000Z", TCP="0", Destination="8.8.8.8", QNAME="www.example.org."),
        (
            {
                "kind": "dns", "ts": "2026-11-22T16:00:40.123456700Z", "client_ip": "10.1.0.7", "client_port": 50123,
                "server_ip": "10.1.0.53", "transport": "udp", "name": "www.example.org", "qtype": "A", "rcode": None,
            },
            {"kind": "dns", "client_ip": "10.1.0.7", "rcode": "NOERROR", "answers": ["192.0.2.1"]},
        ),
        note="a query, its response with the message; what the server asked others is passed over",
    ),
    Sample(
        "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider "
        "Name='Microsoft-Windows-DNSServer'/><EventID>256</Ev",
        note="cut: rejected",
    ),
)  # fmt: skip

FORMAT = LogFormat(
    title="Windows DNS Server analytical log, XML (unverified)",
    kinds=("dns",),
    reference=REFERENCE,
    sniff=_sniff,
    open=_open,
    samples=_SAMPLES,
    starts=_starts,
)
