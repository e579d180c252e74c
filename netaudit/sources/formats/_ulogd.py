"""What ulogd's keys mean, whichever output plugin wrote them: JSON, GPRINT, OPRINT.

Flows (NFCT) have both tuples, packets (NFLOG) have one. Addresses are read from the keys of the
IP2STR filter only: without it OPRINT prints them with their bytes reversed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.times import Context, from_epoch, from_iso
from netaudit.records.addresses import mac_column
from netaudit.sources.formats._flow_sides import Tuples, flow_sides, numbers
from netaudit.sources.formats._open_flows import OpenFlows, keys_of
from netaudit.sources.formats._transports import transport_column
from netaudit.sources.formats._values import mask, words

NO_ADDRESSES = "A record has no readable addresses: it is cut off, or written without the filter IP2STR."
KEYS = [
    "timestamp",
    "oob.prefix",
    "src_ip",
    "dest_ip",
    "src_port",
    "dest_port",
    "ip.protocol",
    "ip.saddr.str",
    "ip.daddr.str",
    "tcp.sport",
    "tcp.dport",
    "udp.sport",
    "udp.dport",
    "raw.mac.saddr.str",
    "oob.time.sec",
    "oob.time.usec",
    "orig.ip.protocol",
    "orig.l4.sport",
    "orig.l4.dport",
    "orig.ip.saddr.str",
    "orig.ip.daddr.str",
    "reply.ip.saddr.str",
    "reply.ip.daddr.str",
    "reply.l4.sport",
    "reply.l4.dport",
    "ct.id",
    "ct.event",
    "flow.start.sec",
    "flow.start.usec",
    "flow.end.sec",
    "flow.end.usec",
]
"""Keys that are read."""
_EVENTS = {"1": "new", "2": "update", "4": "destroy"}
"""``enum nf_conntrack_msg_type`` of libnetfilter_conntrack, as bits."""

Get = Callable[[str], pa.Array]
"""Gives the text of a key for all records; null where a record has none."""


def nat_columns(get: Get, flows: OpenFlows, context: Context) -> tuple[dict[str, Any], np.ndarray]:
    """The columns of records of the kind ``nat``, and which of the records hold.

    Args:
        get: The records' keys.
        flows: Those of the file that were seen to begin.
        context: For stamps without a zone.
    """
    src = pc.coalesce(get("orig.ip.saddr.str"), get("src_ip"), get("ip.saddr.str"))
    dst = pc.coalesce(get("orig.ip.daddr.str"), get("dest_ip"), get("ip.daddr.str"))
    sport = pc.coalesce(*map(get, ("orig.l4.sport", "src_port", "tcp.sport", "udp.sport")))
    dport = pc.coalesce(*map(get, ("orig.l4.dport", "dest_port", "tcp.dport", "udp.dport")))
    back_src, back_dst = get("reply.ip.saddr.str"), get("reply.ip.daddr.str")
    flow = pc.or_(pc.is_valid(get("ct.event")), pc.is_valid(get("orig.ip.protocol")))
    asked = Tuples(src, dst, numbers(sport), numbers(dport))
    seen = Tuples(
        pc.if_else(flow, back_dst, src),
        pc.if_else(flow, back_src, dst),
        numbers(pc.if_else(flow, get("reply.l4.dport"), sport)),
        numbers(pc.if_else(flow, get("reply.l4.sport"), dport)),
    )
    columns, good = flow_sides(asked, seen)
    event = words(get("ct.event"), lambda text: _EVENTS.get(text, text))
    prefix = pc.utf8_trim_whitespace(pc.coalesce(get("oob.prefix"), ""))
    packet = pc.if_else(pc.equal(prefix, ""), "packet", prefix)
    return {
        **columns,
        **_times(get, _begun_here(get, flows), context),
        "client_mac": mac_column(get("raw.mac.saddr.str")),
        "transport": transport_column(pc.coalesce(get("orig.ip.protocol"), get("ip.protocol"))),
        "message": pc.coalesce(event, pc.if_else(flow, "flow", packet)),
        "session": get("ct.id"),
    }, good


def _begun_here(get: Get, flows: OpenFlows) -> np.ndarray:
    """Whether the log has the beginning of each flow that ends."""
    new = mask(pc.equal(get("ct.event"), "1"))
    both = np.flatnonzero(new | mask(pc.equal(get("ct.event"), "4")))
    some = pa.array(both)
    names = ("ct.id", "orig.l4.sport", "orig.l4.dport", "orig.ip.saddr.str", "src_ip")
    begun = np.ones(len(new), bool)
    begun[both], _ = flows.recall(keys_of(*(get(n).take(some) for n in names)), new[both], new[both])
    return begun


def _times(get: Get, begun_here: np.ndarray, context: Context) -> dict[str, pa.Array]:
    """The record's own stamp, and the flow's end, which is earlier than the record of it.

    The flow's begin dates the record where it has no stamp, and an end whose beginning is not in
    the log.
    """
    stamp = pc.coalesce(from_iso(get("timestamp"), context), _clock(get, "oob.time"))
    begun = _clock(get, "flow.start")
    return {
        "ts": pc.if_else(pa.array(begun_here), pc.coalesce(stamp, begun), pc.coalesce(begun, stamp)),
        "ts_end": _clock(get, "flow.end"),
    }


def _clock(get: Get, name: str) -> pa.Array:
    """Seconds and microseconds that stand in two keys."""
    micro = pc.utf8_lpad(pc.coalesce(get(f"{name}.usec"), "0"), 6, "0")
    return from_epoch(pc.binary_join_element_wise(get(f"{name}.sec"), micro, "."))
