"""Entries of printed tables as records: of a MAC table, of an ARP table, of leases."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.log_format import Parsed, Rows
from netaudit.intake.times import Context, taken_at
from netaudit.records.addresses import parse_ip
from netaudit.records.schemas import FIELDS, TIMESTAMP, WORD
from netaudit.sources.formats._lease_cells import client_mac, lease_end, seconds_left
from netaudit.sources.formats._outcome import refused
from netaudit.sources.formats._printed_table import mac_of
from netaudit.sources.formats._table_rows import Cells, Entries, Entry

Record = dict[str, object]
_NO_LEASE = re.compile(
    r"offer|delet|terminat|select|expire|releas|conflict|free|idle|abandon|declin|wait", re.IGNORECASE
)


def parsed(entries: Entries, context: Context) -> Parsed:
    """What some lines gave. Entries that are of nobody, such as the broadcast address', count as other."""
    out = Parsed(
        rejected=refused({why: np.array(lines, np.int64) for why, lines in entries.refused.items()})
    )
    out.other = entries.other + len(entries.found)
    for kind, make in _MAKERS.items():
        pairs = [(e, record) for e in entries.found if e.kind == kind and (record := make(e)) is not None]
        if pairs:
            out.rows.append(as_rows(kind, pairs, context))
            out.other -= len(pairs)
    return out


def as_rows(kind: str, pairs: list[tuple[Entry, Record]], context: Context) -> Rows:
    """Records of one kind as columns, with the time of the print and the device that printed."""
    moment = taken_at(context)
    device = context.options.get("nas")
    columns: dict[str, pa.Array] = {
        "ts": pa.array([moment] * len(pairs), pa.int64()).cast(TIMESTAMP),
        "nas": pa.array([entry.nas or device for entry, _ in pairs], pa.string()),
    }
    cells = {name: [record[name] for _, record in pairs] for name in pairs[0][1]}
    if kind == "dhcp":
        columns |= _times(
            [str(v or "") for v in cells.pop("start")], cells.pop("lease"), columns["ts"], context
        )
    for name, values in cells.items():
        columns[name] = pa.array(values, pa.string() if FIELDS[name] == WORD else FIELDS[name])
    return Rows(kind, columns, np.array([entry.line for entry, _ in pairs], np.int64))


def _times(start: list[str], lease: list[object], taken: pa.Array, context: Context) -> dict[str, pa.Array]:
    """Begin and end of leases: the begin printed, or the moment of the print."""
    texts = pa.array([str(text or "") for text in lease], pa.string())
    left = pc.add(taken.cast(pa.int64()), pc.multiply(seconds_left(texts), 10**9)).cast(TIMESTAMP)
    return {
        "ts": pc.coalesce(lease_end(pa.array(start, pa.string()), context), taken),
        "ts_end": pc.coalesce(lease_end(texts, context), left),
    }


def fdb_record(entry: Entry) -> Record | None:
    """An entry of a MAC table; that of the broadcast address is nobody's."""
    cells = entry.cells
    mac = mac_of(cells.get("mac", ""))
    if mac is None:
        return None
    return {
        "client_mac": mac,
        "nas_port": port_of(cells),
        "vlan": vlan_of(cells),
        "message": cells.get("type") or cells.get("state") or cells.get("flags"),
        "age": cells.get("age"),
    }


def arp_record(entry: Entry) -> Record | None:
    """An entry of an ARP or neighbour table; never resolved addresses have no MAC."""
    cells = entry.cells
    ip = parse_ip(cells.get("ip", "").strip("()"))
    if ip is None:
        return None
    return {
        "client_ip": ip,
        "client_mac": mac_of(cells.get("mac", "")),
        "nas_port": port_of(cells),
        "vlan": vlan_of(cells),
        "message": cells.get("type") or cells.get("state"),
        "age": cells.get("age"),
    }


def lease_record(entry: Entry) -> Record | None:
    """An entry of a table of leases; a state that is no lease is kept as the message."""
    cells, roles = entry.cells, entry.roles
    ip = parse_ip(cells.get("ip", ""))
    if ip is None:
        return None
    client = cells.get("client", "")
    mac = mac_of(cells.get("mac", "")) or mac_of(client)
    whole_client = None if mac else client or None
    word = "snooping" if {"vlan", "port"} <= roles else "lease" if "pool" in roles else "binding"
    state = cells.get("state") or cells.get("type", "")
    return {
        "client_ip": ip,
        "client_mac": mac or client_mac(client),
        "hostname": cells.get("name"),
        "client_id": whole_client,
        "message": _no_lease(state) or word,
        "nas_port": port_of(cells),
        "vlan": vlan_of(cells),
        "start": cells.get("start"),
        "lease": cells.get("lease") or (cells.get("term") if "vlan" in roles else None),
    }


def _no_lease(state: str) -> str:
    """The state of an entry that is no lease, said so that its end or its offer is understood; else empty."""
    if found := re.search(r"\(([FO])\)\Z", state):  # H3C: free static binding, offered and not confirmed
        return f"{state} {'free' if found[1] == 'F' else 'offered'}"
    return state if _NO_LEASE.search(state) else ""


_MAKERS: dict[str, Callable[[Entry], Record | None]] = {
    "fdb": fdb_record,
    "arp": arp_record,
    "dhcp": lease_record,
}


_JOINT = re.compile(r"(?<=,) (?=\S)|(?<=[A-Za-z]) (?=\d)")
"""Blanks inside one name or one list as the device writes it: ``Te 0/22``, ``Vlan10, Po2``."""
_IN_CIRCUIT = re.compile(r" vlan-id (\d{1,4})\Z")


def port_of(cells: Cells) -> str | None:
    """The port of an entry; several that are parted by blanks or commas are joined by semicolons."""
    text = re.sub(r"(?i)^port: ?", "", cells.get("port", ""))
    text = _JOINT.sub("\N{NO-BREAK SPACE}", re.sub(r" ?/ ?", "/", _IN_CIRCUIT.sub("", text)))
    parts = [part for part in re.split(r"[; ]+|,(?!\N{NO-BREAK SPACE})", text) if part]
    good = [part for part in parts if not re.fullmatch(r"-+|N/A", part)]
    return ";".join(good).replace("\N{NO-BREAK SPACE}", " ") or None


def vlan_of(cells: Cells) -> int | None:
    """The number of an entry's VLAN; None for all of them, for none, and for a name."""
    text = cells.get("vlan", "")
    inside = re.search(r"\((\d{1,4})\)\Z", text) or _IN_CIRCUIT.search(cells.get("port", ""))
    found = inside or re.match(r"(?:[*+=\w] ?)??(?:vl(?:an)?[ -]?)?(\d{1,4})(?![\w.])", text, re.IGNORECASE)
    number = int(found[1]) if found else 0
    return number if 0 < number < 4095 else None
