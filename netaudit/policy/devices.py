"""Which device has an address: what records show, and what an IPv6 address says by itself."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.records.addresses import from_bytes, to_bytes
from netaudit.records.schemas import MAC

_UNIVERSAL, _GROUP = 0x02, 0x01
"""Bits of an interface identifier's first octet; the first is set for a globally unique MAC."""


def with_macs(sums: pa.Table, registered: pa.Array) -> pa.Table:
    """`Observed`'s sum of hosts with the MACs that can be known, one row per address and MAC.

    A row without a MAC takes the one that other records show for its address; where they show
    several, the row is left out, because those devices have rows of their own. Else an IPv6
    address gives the MAC that it was made of, but only where a second sign confirms it: a record
    that shows this MAC, or the register. What is left has no MAC.

    Args:
        sums: Columns ``client_ip``, ``client_mac`` and the figures of a sum.
        registered: MACs of the register.
    """
    known = sums.filter(sums.column("client_mac").is_valid())
    by_ip = known.group_by("client_ip", use_threads=False).aggregate(
        [("client_mac", "count_distinct"), ("client_mac", "min")]
    )
    index = pc.index_in(sums.column("client_ip"), by_ip.column("client_ip"))
    count = by_ip.column("client_mac_count_distinct").take(index)
    only = pc.if_else(pc.equal(count, 1), by_ip.column("client_mac_min").take(index), pa.scalar(None, MAC))
    confirmed = pa.concat_arrays([known.column("client_mac").combine_chunks(), registered])
    said = interface_macs(sums.column("client_ip").combine_chunks())
    said = pc.if_else(pc.is_in(said, confirmed), said, pa.scalar(None, MAC))
    mac = pc.coalesce(sums.column("client_mac"), only, said)
    kept = pc.or_(mac.is_valid(), pc.fill_null(pc.less(count, 1), True))
    rows = sums.set_column(sums.column_names.index("client_mac"), "client_mac", mac).filter(kept)
    return _merged(rows)


def _merged(rows: pa.Table) -> pa.Table:
    """Rows of the same address and MAC as one, which cites the earliest record."""
    order = [("first", "ascending"), ("file", "ascending"), ("ordinal", "ascending")]
    grouped = (
        rows.sort_by(order)
        .group_by(["client_ip", "client_mac"], use_threads=False)
        .aggregate(
            [("first", "min"), ("last", "max"), ("events", "sum"), ("file", "first"), ("ordinal", "first")]
        )
    )
    return grouped.rename_columns(["client_ip", "client_mac", "first", "last", "events", "file", "ordinal"])


def interface_macs(addresses: pa.Array) -> pa.Array:
    """MACs of which the interface identifiers of IPv6 addresses were made (RFC 4291 appendix A).

    Such an identifier has ``ff:fe`` in its middle and the universal bit turned round. Others are
    null: random ones (RFC 8981, RFC 7217), those of private MACs, and every IPv4 address.
    """
    octets = to_bytes(addresses)
    made = (octets[:, 11] == 0xFF) & (octets[:, 12] == 0xFE)
    made &= (octets[:, 8] & (_UNIVERSAL | _GROUP)) == _UNIVERSAL
    macs = octets[:, [8, 9, 10, 13, 14, 15]]
    macs[:, 0] ^= _UNIVERSAL
    return from_bytes(macs, made & np.any(macs, axis=1))
