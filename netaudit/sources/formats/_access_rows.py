"""Records of stations as rows: one per address that a record names, and each under its kind."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.log_format import Rows
from netaudit.intake.times import Context, taken_at
from netaudit.records.schemas import KINDS, TIMESTAMP
from netaudit.sources.formats._outcome import keep
from netaudit.sources.formats._values import mask


def per_address(records: np.ndarray, owner: np.ndarray, address: pa.Array) -> tuple[np.ndarray, pa.Array]:
    """Records and addresses: one row per address, and one for a record without any.

    Args:
        records: The records that become rows, ascending.
        owner: Of each address its record; those of others are left out.
        address: Null where a text was no address.
    """
    usable = mask(address.is_valid()) & np.isin(owner, records)
    bare = np.setdiff1d(records, owner[usable])
    record = np.concatenate((owner[usable], bare))
    addresses = pa.concat_arrays([address.filter(pa.array(usable)), pa.nulls(len(bare), address.type)])
    order = np.argsort(record, kind="stable")
    return record[order], addresses.take(pa.array(order))


def by_kind(columns: Mapping[str, pa.Array], line: np.ndarray, of: Mapping[str, np.ndarray]) -> list[Rows]:
    """The rows of each kind, with those of the columns that the kind has; kinds without rows stay away.

    Args:
        columns: All rows' columns.
        line: Index in the chunk of each row's first line.
        of: By kind, which rows are of it (bool).
    """
    return [
        Rows(
            kind, {n: c.filter(pa.array(here)) for n, c in columns.items() if n in KINDS[kind]}, line[here]
        )
        for kind, here in of.items()
        if here.any()
    ]


def printed(
    kind: str, columns: Mapping[str, pa.Array], line: np.ndarray, since_s: pa.Array, context: Context
) -> list[Rows]:
    """The rows of a print that shows what holds at one moment.

    Where the moment is declared, a session that says how long it lasts gives two rows: its beginning,
    and that it was still seen. Else there is one row, of the moment or without a time.

    Args:
        kind: Of the rows.
        columns: All but `ts`.
        line: Index in the chunk of each row's first line.
        since_s: Seconds that each session lasts (int64), null where it does not say.
        context: For the moment of the print.

    Raises:
        ConfigError: The declared moment is none.
    """
    if not len(line):
        return []
    taken = taken_at(context)
    if taken is None:
        return [Rows(kind, dict(columns), line)]
    now = pa.array(np.full(len(line), taken, np.int64))
    begun = pc.coalesce(pc.subtract(now, pc.multiply(since_s, 10**9)), now).cast(TIMESTAMP)
    seen = pa.array(["seen"] * len(line), pa.string())
    again = Rows(kind, {**columns, "ts": now.cast(TIMESTAMP), "message": seen}, line)
    return [Rows(kind, {**columns, "ts": begun}, line), keep(again, mask(pc.is_valid(since_s)))]
