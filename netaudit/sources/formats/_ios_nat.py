"""A translation as Cisco IOS prints it, in its log and in its table."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from netaudit.records.addresses import ip_column
from netaudit.sources.formats._values import port


def translation(got: dict[str, pa.Array]) -> dict[str, pa.Array]:
    """The ends of translations; the far end's port as the far end sees it, of ICMP as the inside does.

    Args:
        got: Addresses ``inside``, ``public`` and ``far``, their ports, ``far_inside_port``, and ``proto``.
    """
    icmp = pc.equal(pc.ascii_lower(got["proto"]), "icmp")
    return {
        "client_ip": ip_column(got["inside"]),
        "client_port": port(got["inside_port"]),
        "public_ip": ip_column(got["public"]),
        "public_port": port(got["public_port"]),
        "server_ip": ip_column(got["far"]),
        "server_port": port(pc.if_else(icmp, got["far_inside_port"], got["far_port"])),
    }
