"""Address and port in one word, and what a chunk of lines came to."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.log_format import Parsed, Rows
from netaudit.records.addresses import ip_column
from netaudit.sources.formats._values import port, refused

_PAIR = r"^\[?(?P<ip>[0-9a-fA-F:.]*[0-9a-fA-F](?:%[^\]\s]+?)?)\]?[:#@.](?P<port>\d{1,5})$"


def endpoints(text: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Addresses and ports out of ``10.0.0.1:53``, ``[fd00::1]:53``, ``fd00::1#53``, ``fd00::1@53``.

    The last mark parts them, so an IPv6 address without brackets must have a port. What is no such
    pair is null in both columns.
    """
    pair = pc.extract_regex(text, _PAIR)
    address, number = ip_column(pc.struct_field(pair, "ip")), port(pc.struct_field(pair, "port"))
    return address, pc.if_else(pc.is_valid(address), number, None)


def parsed(count: int, rows: list[Rows], rejected: dict[str, np.ndarray]) -> Parsed:
    """What `count` lines came to: those that are neither a row nor rejected hold no record.

    Args:
        count: Lines of the chunk.
        rows: Records, one a line at most; kinds without a record are left out.
        rejected: Reasons; those without a line are left out.
    """
    kept = [one for one in rows if len(one.line)]
    reasons = refused(rejected)
    held = sum(len(one.line) for one in kept) + sum(len(lines) for lines in reasons.values())
    return Parsed(kept, reasons, count - held)
