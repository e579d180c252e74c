"""Address and port in one word."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from netaudit.records.addresses import ip_column
from netaudit.sources.formats._values import port

_PAIR = r"^\[?(?P<ip>[0-9a-fA-F:.]*[0-9a-fA-F](?:%[^\]\s]+?)?)\]?[:#@.](?P<port>\d{1,5})$"


def endpoints(text: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Addresses and ports out of ``10.0.0.1:53``, ``[fd00::1]:53``, ``fd00::1#53``, ``fd00::1@53``.

    The last mark parts them, so an IPv6 address without brackets must have a port. What is no such
    pair is null in both columns.
    """
    pair = pc.extract_regex(text, _PAIR)
    address, number = ip_column(pc.struct_field(pair, "ip")), port(pc.struct_field(pair, "port"))
    return address, pc.if_else(pc.is_valid(address), number, None)
