"""NAT444 lines of carriers' gateways (Huawei NE and CGN boards, Hillstone, others by the same rule).

One line for each session or block of ports that is given (``A``) or taken back (``W``)::

    NAT444:SessionbasedA [PROTOCOL INSIDE VPN PUBLIC INPORT PUBPORT -]
    NAT444:sessionbasedA [PROTOCOL INSIDE VPN PUBLIC INPORT PUBPORT - DESTINATION PORT]
    NAT444:UserbasedA [- INSIDE VPN PUBLIC - FIRST LAST]

The header has a year but no zone: local time or UTC, as the box was told. Of blocks nobody's real
lines were seen.
"""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.log_format import LogFormat, Parse, Sample
from netaudit.intake.times import Context, from_iso, index_of_month
from netaudit.records.addresses import ip_column
from netaudit.sources.formats import _device_stamps
from netaudit.sources.formats._flow_sides import Told
from netaudit.sources.formats._sessions import read_lines
from netaudit.sources.formats._transports import transport_column
from netaudit.sources.formats._values import among_others, mask, port

_LINE = (
    r"^(?P<head>.*?)(?i:NAT444):(?P<what>[A-Za-z]+[AaWw]) *\[(?P<proto>\d+|-) (?P<inside>\S+) \S+ (?P<public>\S+) "
    r"(?P<inport>\d+|-) (?P<low>\d+|-) (?P<high>\d+|-)(?: (?P<target>[0-9a-fA-F.:]+) (?P<dport>\d+))?(?: -)?\]"
)
_HEAD = r"(?P<y>\d{4}) (?P<month>[A-Z][a-z]{2})[a-z]* (?P<day>\d{1,2}) (?P<clock>\d{2}:\d{2}:\d{2})"
_BEGUN = r"(?i)\bNAT444:[a-z]+"
_OWN = re.compile(_BEGUN)
_NONE = "An address or port of the NAT444 log is none."


def _open(context: Context) -> Parse:
    return lambda chunk: read_lines(chunk, _LINE, _BEGUN, lambda got: _told(got, context))


def _told(got: dict[str, pa.Array], context: Context) -> Told:
    columns = _columns(got)
    return columns | {"ts": _times(got["head"], context)}, {_NONE: _wrong(columns, got)}


def _columns(got: dict[str, pa.Array]) -> dict[str, pa.Array]:
    return {
        "message": got["what"],
        "transport": transport_column(got["proto"]),
        "client_ip": ip_column(got["inside"]),
        "client_port": port(got["inport"]),
        "public_ip": ip_column(got["public"]),
        "public_port": port(got["low"]),
        "public_port_end": port(got["high"]),
        "server_ip": ip_column(got["target"]),
        "server_port": port(got["dport"]),
    }


def _wrong(columns: dict[str, pa.Array], got: dict[str, pa.Array]) -> np.ndarray:
    """Lines whose inside or public side is none, or whose block ends before it begins."""
    missing = np.zeros(len(got["what"]), bool)
    for name in ("client_ip", "public_ip", "public_port"):
        missing |= mask(pc.is_null(columns[name]))
    last = columns["public_port_end"]
    missing |= mask(pc.not_equal(got["high"], "-")) & mask(pc.is_null(last))
    missing |= mask(pc.less(last, columns["public_port"]))
    return missing


def _times(head: pa.Array, context: Context) -> pa.Array:
    """``2019 January 18 14:09:22`` of these boxes; else the stamp of whatever carried the line."""
    found = pc.extract_regex(head, _HEAD)
    part = {field.name: pc.struct_field(found, field.name) for field in found.type}
    month = pa.array(index_of_month(part["month"])).cast(pa.string())
    date = pc.binary_join_element_wise(part["y"], month, part["day"], "-")
    own = from_iso(pc.binary_join_element_wise(date, part["clock"], " "), context)
    return pc.coalesce(own, _device_stamps.read(pc.if_else(pc.is_null(found), head, None), context).moment)


FORMAT = LogFormat(
    title="NAT444 log of carriers' gateways (Huawei NE, Hillstone)",
    kinds=("nat",),
    reference="http://a10.tagan.ru/huawei/netengine8000f1a/command/8090/nat_position.html",
    sniff=lambda lines: among_others(lines, _OWN.search),
    open=_open,
    samples=(
        Sample(
            "<134> 1 2026 Apr 14 18:54:19 PLAYLINK - - NAT444:sessionbasedA "
            "[6 100.64.6.37 - 200.219.30.159 48558 38287 - 157.240.12.54 5222]",
            (
                {
                    "kind": "nat", "ts": "2026-04-14T18:54:19.000000000Z", "message": "sessionbasedA",
                    "transport": "tcp", "client_ip": "100.64.6.37", "client_port": 48558,
                    "public_ip": "200.219.30.159", "public_port": 38287, "public_port_end": None,
                    "server_ip": "157.240.12.54", "server_port": 5222,
                },
            ),
            note="a session with its destination",
        ),
        Sample(
            "<134> 1 2019 January 18 14:09:22 192.0.2.1 cnelog - NAT444:SessionbasedW "
            "[17 10.0.1.7 - 203.0.113.9 1052 2000 -]\n"
            "<134> 1 2019 January 18 14:09:30 192.0.2.1 cnelog - NAT444:UserbasedA [- 10.0.1.8 - 203.0.113.9 - 1024 1535]",
            (
                {
                    "kind": "nat", "ts": "2019-01-18T06:09:22.000000000Z", "message": "SessionbasedW",
                    "transport": "udp", "client_ip": "10.0.1.7", "public_port": 2000, "server_ip": None,
                },
                {
                    "kind": "nat", "message": "UserbasedA", "transport": None, "client_ip": "10.0.1.8",
                    "client_port": None, "public_port": 1024, "public_port_end": 1535,
                },
            ),
            timezone="Asia/Shanghai",
            note="a session taken back; a block of ports",
        ),
        Sample("<134> 1 2019 January 18 14:09:22 192.0.2.1 - - NAT444:SessionbasedA [17 10.0.1.7 - 203.0", note="cut off"),
    ),
)  # fmt: skip
