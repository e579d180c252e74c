"""What somebody reached: the destinations in all sources that belong to their addresses at the time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit import sources
from netaudit.attribution import Logs, Questions, walk
from netaudit.attribution.columns import SECOND
from netaudit.attribution.packed import Packed
from netaudit.attribution.presence import Presence
from netaudit.attribution.trace import HopKind
from netaudit.attribution.walk import HELD
from netaudit.config import Settings
from netaudit.records.addresses import text_column
from netaudit.records.evidence import Ledger
from netaudit.records.schemas import DESTINATION_KINDS, IP, TIMESTAMP, kind_of

KINDS = (*DESTINATION_KINDS, "nat")
CONTACT = pa.schema(
    [
        ("destination", pa.string()),
        ("server_port", pa.uint16()),
        ("kind", pa.string()),
        ("sure", pa.bool_()),
        ("client_ip", IP),
        ("first", TIMESTAMP),
        ("last", TIMESTAMP),
        ("count", pa.int64()),
        ("file", pa.string()),
        ("ordinal", pa.uint64()),
    ]
)
"""`sure`: the walk-back of the record's own address and time leads to this device alone. `file` and
`ordinal` are those of the first record."""
_KEYS = ["destination", "server_port", "kind", "sure", "client_ip"]
_AT_ONCE = 500_000


@dataclass(frozen=True, slots=True)
class Contacts:
    """What was reached, and by which addresses."""

    presences: tuple[Presence, ...]
    table: pa.Table
    """Schema `CONTACT`, by time."""
    timeless: int
    """Records of these addresses whose time is not known; they belong to nobody."""


def contacts(
    arguments: Sequence[str],
    settings: Settings,
    ledger: Ledger,
    presences: Sequence[Presence],
    logs: Logs,
    *,
    skew_s: float,
    options: sources.Options | None = None,
    progress: sources.Progress | None = None,
) -> Contacts:
    """Read all inputs and keep what belongs to somebody's addresses in their times.

    Args:
        arguments: Files, folders, globs.
        settings: The office.
        ledger: Takes what was read.
        presences: Addresses with their times.
        logs: Say whether a record is of this device alone.
        skew_s: Clock error allowed, seconds.
        options: What the command line says about the inputs.
        progress: Told how far reading is.
    """
    found: list[pa.Table] = []
    waiting = timeless = 0
    wanted = pa.array(sorted({p.address for p in presences}), IP)
    for batch in sources.read(arguments, settings, ledger, options=options, progress=progress):
        if kind_of(batch) not in KINDS or not len(wanted):
            continue
        rows = batch.filter(pc.is_in(batch.column("client_ip"), value_set=wanted))
        timeless += rows.column("ts").null_count
        mine, sure = _belonging(rows, presences, logs, skew_s)
        if not mine.size:
            continue
        found.append(_contacts(rows.take(pa.array(mine)), sure))
        waiting += len(mine)
        if waiting > _AT_ONCE:
            found, waiting = [_summed(found)], 0
    table = _summed(found)
    return Contacts(
        tuple(presences), table.sort_by([("first", "ascending"), ("destination", "ascending")]), timeless
    )


def _belonging(
    rows: pa.RecordBatch, presences: Sequence[Presence], logs: Logs, skew_s: float
) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the presences, rising, and whether each is of their device alone."""
    since = pc.fill_null(rows.column("ts").cast(pa.int64()), -1).to_numpy(zero_copy_only=False)
    until = since
    if "ts_end" in rows.schema.names:
        ended = rows.column("ts_end").cast(pa.int64())
        until = np.maximum(since, pc.fill_null(ended, -1).to_numpy(zero_copy_only=False))
    client, mac = Packed.of(rows.column("client_ip")), _macs(rows)
    site = np.array(rows.column("site").cast(pa.string()).fill_null("").to_pylist(), object)
    mine = np.zeros(len(since), bool)
    device = Packed.none(len(since))
    for presence in presences:
        here = client.between(presence.address, presence.address) & (since >= 0)
        here &= (since <= presence.end) & (until >= presence.start)
        if presence.site:
            here &= (site == "") | (site == presence.site)
        if presence.mac is not None:
            own = Packed.of_values([presence.mac], 6)
            here &= ~mac.known | (mac.low == own.low[0])  # a frame that names another device is not theirs
            device = own.take(np.zeros(len(since), np.int64)).where(here, device)
        mine |= here
    index = np.flatnonzero(mine)
    return index, _sure(client.take(index), since[index], site[index], device.take(index), logs, skew_s)


def _macs(rows: pa.RecordBatch) -> Packed:
    if "client_mac" not in rows.schema.names:
        return Packed.none(rows.num_rows)
    return Packed.of(rows.column("client_mac"))


def _sure(
    client: Packed, at: np.ndarray, site: np.ndarray, device: Packed, logs: Logs, skew_s: float
) -> np.ndarray:
    """Whether the walk-back leads to the device; of an address that was asked for itself it need not."""
    count = len(at)
    nothing, unsaid = np.full(count, "", object), np.full(count, -1)
    skew = np.full(count, round(skew_s * SECOND))
    none = Packed.none(count)
    answers = walk(Questions(at, at, skew, none, client, none, unsaid, nothing, none, unsaid, site), logs)
    held = answers.outcome(HopKind.LEASE) == HELD
    sure: np.ndarray = ~device.known | (held & (answers.walks.mac.low == device.low))
    return sure


def _contacts(rows: pa.RecordBatch, sure: np.ndarray) -> pa.Table:
    server = text_column(rows.column("server_ip"))
    name = rows.column("name").cast(pa.string()) if "name" in rows.schema.names else server
    columns = {
        "destination": pc.coalesce(name, server, ""),
        "server_port": rows.column("server_port"),
        "kind": pa.array([kind_of(rows)] * rows.num_rows),
        "sure": pa.array(sure),
        "client_ip": rows.column("client_ip"),
        "first": rows.column("ts"),
        "last": rows.column("ts"),
        "count": pa.array(np.ones(rows.num_rows, np.int64)),
        "file": rows.column("file").cast(pa.string()),
        "ordinal": rows.column("ordinal"),
    }
    return pa.table([columns[field.name] for field in CONTACT], schema=CONTACT)


def _summed(parts: list[pa.Table]) -> pa.Table:
    """One row for each destination, kind and address."""
    if not parts:
        return CONTACT.empty_table()
    whole = pa.concat_tables(parts).sort_by([("first", "ascending"), ("ordinal", "ascending")])
    grouped = whole.group_by(_KEYS, use_threads=False).aggregate(
        [("first", "min"), ("last", "max"), ("count", "sum"), ("file", "first"), ("ordinal", "first")]
    )
    names = {"first": "first_min", "last": "last_max", "count": "count_sum"}
    names |= {"file": "file_first", "ordinal": "ordinal_first"}
    return pa.table([grouped.column(names.get(f.name, f.name)) for f in CONTACT], schema=CONTACT)
