"""Events of the Windows DNS Server's analytical log, whatever they were exported to.

Events 256 (query received), 257 and 258 (response), 259 (query ignored) are of clients; the others
are between this server and other servers, or about zones. A query and its response are two rows.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake import times
from netaudit.intake.log_format import Rows, said
from netaudit.records.addresses import ip_column
from netaudit.records.names import normalise_column
from netaudit.records.schemas import TIMESTAMP
from netaudit.sources.dns_words import qtype_column, rcode_column
from netaudit.sources.formats._date_order import STAMP, DateOrder
from netaudit.sources.formats._outcome import keep
from netaudit.sources.formats._values import mask, port
from netaudit.sources.formats._wire import from_hex, read_messages

REFERENCE = "https://learn.microsoft.com/previous-versions/windows/it-pro/windows-server-2012-r2-and-2012/dn800669(v=ws.11)"
FIELDS = ("Source", "Destination", "Port", "InterfaceIP", "QNAME", "QTYPE", "RCODE", "TCP", "PacketData")
"""Fields of an event that are read, by the names that the provider gives them."""

_ASKED, _ANSWERED = pa.array(["256", "259"]), pa.array(["257", "258"])
_ANY_ADDRESS = pa.array(["0.0.0.0", "::"])  # noqa: S104 -- what the log says where it does not know


def events(
    number: pa.Array, ts: pa.Array, field: Callable[[str], pa.Array], line: np.ndarray
) -> tuple[Rows, np.ndarray]:
    """Rows out of events.

    Args:
        number: Event ids as text.
        ts: Their times.
        field: Gives a field of `FIELDS` as text; null where an event has none.
        line: Line of each.

    Returns:
        Rows, and the lines of events that should have been rows.
    """
    asked, answered = (mask(pc.is_in(number, value_set=ids)) for ids in (_ASKED, _ANSWERED))
    server = field("InterfaceIP")
    client = ip_column(pc.if_else(pa.array(answered), field("Destination"), field("Source")))
    data = pc.replace_substring_regex(field("PacketData"), r"^0[xX]", "")
    read = read_messages(from_hex(pc.if_else(pa.array(answered), data, None)))
    tcp = field("TCP")
    columns = {
        "ts": ts,
        "client_ip": client,
        "client_port": port(field("Port")),
        "server_ip": ip_column(pc.if_else(pc.is_in(server, value_set=_ANY_ADDRESS), None, server)),
        "transport": pc.if_else(pc.is_in(tcp, value_set=pa.array(["1", "true", "True"])), "tcp", pc.if_else(pc.is_valid(tcp), "udp", None)),
        "name": pc.coalesce(normalise_column(field("QNAME")), read.name),
        "name_source": "qname",
        "qtype": qtype_column(field("QTYPE")),
        "rcode": pc.if_else(pa.array(answered), pc.coalesce(rcode_column(field("RCODE")), read.rcode), None),
        "answers": read.answers,
    }  # fmt: skip
    good = (asked | answered) & mask(pc.is_valid(client))
    bad = line[(asked | answered) & ~good & ~mask(pc.equal(number, "259"))]
    return keep(Rows("dns", columns, line), good), bad


class Moments:
    """Times in the spellings of exporters: ISO 8601, ``/Date(ms)/``, or by the exporter's locale."""

    def __init__(self, context: times.Context) -> None:
        """For one file."""
        self._context = context
        self._order = DateOrder(context)

    def read(self, text: pa.Array) -> pa.Array:
        """Times; null for what is none."""
        millis = said(text, r"^/Date\((?P<ms>\d{13})(?:[+-]\d{4})?\)/$")
        found = pc.extract_regex(text, f"^{STAMP}$")
        local = {f.name: pc.struct_field(found, f.name) for f in found.type}
        iso = pc.match_substring_regex(
            text, r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?: ?(?:Z|[+-]\d\d:?\d\d))?$"
        )
        iso = pc.fill_null(iso, False)
        out = times.from_epoch(millis) if millis.null_count < len(text) else pa.nulls(len(text), TIMESTAMP)
        if pc.any(iso).as_py():
            out = pc.coalesce(out, times.from_iso(pc.if_else(iso, text, None), self._context))
        rest = pc.and_(pc.is_null(out), pc.invert(iso))
        if pc.any(pc.and_(rest, pc.is_valid(found))).as_py():
            local = {name: pc.if_else(rest, column, None) for name, column in local.items()}
            halves = {n: pc.if_else(pc.equal(local[n], ""), None, local[n]) for n in ("before", "after")}
            out = pc.coalesce(out, self._order.moments({**local, **halves}))
        return out
