"""What FortiGate's DNS filter and web filter let through or block: the names that hosts asked for.

The records are those of requests: a ``dns-response``, too, has the asking host as its source.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.log_format import Rows
from netaudit.records.addresses import ip_column
from netaudit.records.names import normalise_column
from netaudit.sources.dns_words import qtype_column
from netaudit.sources.formats._clf import count
from netaudit.sources.formats._flow_sides import NO_ADDRESS
from netaudit.sources.formats._outcome import keep
from netaudit.sources.formats._transports import transport_column
from netaudit.sources.formats._urls import named
from netaudit.sources.formats._values import given, mask, port

Found = tuple[Rows, dict[str, np.ndarray]]
Get = Callable[[str], pa.Array]
"""Gives the text of a key of FortiOS for all lines; null where a line has none."""


def queries(get: Get, moment: pa.Array, index: np.ndarray) -> Found:
    """Rows of `dns`, and reason to lines of those that do not hold."""
    columns = _ends(get) | {
        "ts": moment,
        "name": normalise_column(get("qname")),
        "name_source": "qname",
        "qtype": qtype_column(get("qtype")),
        "answers": pc.split_pattern_regex(get("ipaddr"), r",\s*"),
        "action": pc.ascii_lower(get("action")),
    }
    return _settled(Rows("dns", columns, index))


def requests(get: Get, moment: pa.Array, index: np.ndarray) -> Found:
    """Rows of `proxy`: the host, never the path."""
    asked, ends = named(get("hostname")), _ends(get)
    columns = ends | {
        "ts": moment,
        "name": asked["name"],
        "name_source": asked["name_source"],
        "server_ip": pc.coalesce(ends["server_ip"], asked["server_ip"]),
        "method": get("httpmethod"),
        "action": pc.ascii_lower(get("action")),
        "account": given(get("user")),
        "bytes_out": count(get("sentbyte")),
        "bytes_in": count(get("rcvdbyte")),
    }
    return _settled(Rows("proxy", columns, index))


def _ends(get: Get) -> dict[str, pa.Array]:
    return {
        "client_ip": ip_column(get("srcip")),
        "client_port": port(get("srcport")),
        "server_ip": ip_column(get("dstip")),
        "server_port": port(get("dstport")),
        "transport": transport_column(get("proto")),
    }


def _settled(rows: Rows) -> Found:
    good = mask(pc.is_valid(rows.columns["client_ip"]))
    return keep(rows, good), {NO_ADDRESS: rows.line[~good]}
