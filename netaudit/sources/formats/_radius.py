"""The attributes of RADIUS (RFC 2865, RFC 2866) as columns, whoever wrote them down."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from netaudit.records.addresses import mac_column
from netaudit.records.schemas import TIMESTAMP
from netaudit.sources.formats._stations import called_station
from netaudit.sources.formats._values import whole


def columns(said: Callable[[str], pa.Array]) -> dict[str, pa.Array]:
    """Who, where and which session.

    Args:
        said: Gives the text of an attribute by the name that FreeRADIUS gives it, one value per
            record, null where a record has none.
    """
    return {
        "account": said("User-Name"),
        "client_mac": mac_column(said("Calling-Station-Id")),
        **called_station(said("Called-Station-Id"), said("NAS-Port-Type")),
        "nas": pc.coalesce(said("NAS-IP-Address"), said("NAS-IPv6-Address"), said("NAS-Identifier")),
        "nas_port": pc.coalesce(said("NAS-Port-Id"), said("NAS-Port")),
        "vlan": whole(said("Tunnel-Private-Group-Id"), 4094, pa.uint16()),
        "session": said("Acct-Session-Id"),
    }


def happened(stamp: pa.Array, delay: pa.Array) -> pa.Array:
    """When it happened: the stamp less ``Acct-Delay-Time`` (seconds as text), how long the NAS tried."""
    late = pc.fill_null(whole(delay, 86_400, pa.int64()), 0)
    return pc.subtract(stamp.cast(pa.int64()), pc.multiply(late, 10**9)).cast(TIMESTAMP)
