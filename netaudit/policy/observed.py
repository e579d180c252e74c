"""`Observed`: what rules need of the bulk, added up batch by batch in bounded memory.

Three sums: which devices were seen on the unit's own addresses, which resolvers they asked, and
in which stretches of time each file has records. A batch is reduced to its distinct combinations
at once; the sums are merged now and then, and stop growing at `LIMIT` rows, which is said.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.records.addresses import Network, network_range, to_bytes
from netaudit.records.schemas import IP, MAC, kind_of

LIMIT = 500_000
"""Rows that a sum may have; what comes after is counted as lost."""
STRETCH_S = 600
"""Silences shorter than this are not looked for."""

PRIVATE: tuple[Network, ...] = tuple(
    ipaddress.ip_network(text)
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
)
"""RFC 1918, RFC 6598, RFC 4193: an office's own even where no segment is declared."""

_DOT_PORT = 853
"""DNS over TLS (RFC 7858) and over QUIC (RFC 9250)."""
_RESOLVER_PORTS = pa.array([53, _DOT_PORT], pa.uint16())
_PATH_KINDS = frozenset({"dns", "tls", "quic", "flow", "nat"})
"""Kinds that show where a device's packets went."""

_SUMS = [("first", "min"), ("last", "max"), ("events", "sum"), ("file", "first"), ("ordinal", "first")]


class Observed:
    """Add every batch of events, then take `tables`."""

    def __init__(self, own: Sequence[Network] = (), *, lists: bool = False) -> None:
        """Start with nothing seen.

        Args:
            own: Networks of the declared segments; the private ranges belong to it anyway.
            lists: Whether a list of encrypted resolvers is in use, by which `add_encrypted` is called.
        """
        self._own = [network_range(network) for network in (*own, *PRIVATE)]
        self._sums = {name: _Sum(keys) for name, keys in _KEYS.items()}
        self.kinds: set[str] = set()
        """Kinds of which at least one record was seen."""
        self.paths_seen = False
        """Whether any record shows where packets of a device went."""
        self.lists_seen = lists
        """Whether encrypted DNS beyond port 853 could have been seen."""

    def add(self, batch: pa.RecordBatch) -> None:
        """Add a batch of any kind of event (`records.schemas`)."""
        if batch.num_rows == 0:
            return
        kind = kind_of(batch)
        self.kinds.add(kind)
        columns = _columns(batch)
        self._sums["stretch"].add(_stretches(columns))
        if "client_ip" not in batch.schema.names:
            return
        mine = self._mine(columns)
        self._sums["host"].add(mine)
        if kind in _PATH_KINDS:
            path = mine.filter(
                pc.and_(mine.column("server_ip").is_valid(), mine.column("server_port").is_valid())
            )
            self.paths_seen = self.paths_seen or path.num_rows > 0
            asked = path.filter(pc.fill_null(pc.is_in(path.column("server_port"), _RESOLVER_PORTS), False))
            self._sums["resolver_use"].add(_uses(asked, known_encrypted=False))

    def add_encrypted(self, batch: pa.RecordBatch) -> None:
        """Add rows of which a list says that they are encrypted DNS, whatever their port.

        Args:
            batch: Rows of a kind with ``client_ip``, ``server_ip`` and ``server_port``, of a batch
                that is also given to `add`; what that counts by its port is not counted again.
        """
        mine = self._mine(_columns(batch))
        mine = mine.filter(mine.column("server_ip").is_valid())
        self.lists_seen = self.lists_seen or mine.num_rows > 0
        self.paths_seen = self.paths_seen or mine.num_rows > 0
        if kind_of(batch) in _PATH_KINDS:
            mine = mine.filter(pc.fill_null(pc.not_equal(mine.column("server_port"), _DOT_PORT), True))
        self._sums["resolver_use"].add(_uses(mine, known_encrypted=True))

    def tables(self) -> dict[str, pa.Table]:
        """``host``, ``resolver_use`` and ``stretch``, each sorted by its keys."""
        return {name: total.table() for name, total in self._sums.items()}

    def _mine(self, columns: Mapping[str, pa.Array]) -> pa.Table:
        """Rows whose client has one of the unit's own addresses."""
        return pa.table(dict(columns)).filter(pa.array(inside(columns["client_ip"], self._own)))

    @property
    def lost(self) -> dict[str, int]:
        """How many combinations found no room, by sum; empty where all did."""
        return {name: total.lost for name, total in self._sums.items() if total.lost}


_FIGURES = {
    "first": pa.int64(),
    "last": pa.int64(),
    "events": pa.int64(),
    "file": pa.string(),
    "ordinal": pa.int64(),
}
"""Figures of each combination; times in nanoseconds since 1970."""

_KEYS: dict[str, dict[str, pa.DataType]] = {
    "host": {"client_ip": IP, "client_mac": MAC},
    "resolver_use": {"client_ip": IP, "server_ip": IP, "server_port": pa.uint16(), "encrypted": pa.bool_()},
    "stretch": {"file": pa.string(), "stretch": pa.int64()},
}


class _Sum:
    """One running sum by key."""

    def __init__(self, keys: Mapping[str, pa.DataType]) -> None:
        self._keys = dict(keys)
        self._cites = "file" not in keys
        figures = {name: type_ for name, type_ in _FIGURES.items() if name not in keys}
        self._schema = pa.schema([*keys.items(), *figures.items()])
        self._parts: list[pa.Table] = []
        self._unmerged = 0
        self.lost = 0

    def add(self, rows: pa.Table) -> None:
        """Reduce `rows` to its combinations and keep them."""
        reduced = self._reduce(rows.select(self._schema.names).cast(self._schema))
        self._parts.append(reduced)
        self._unmerged += reduced.num_rows
        if self._unmerged > LIMIT // 2:
            self._merge()

    def table(self) -> pa.Table:
        self._merge()
        order = [(name, "ascending") for name in self._keys]
        return self._parts[0].sort_by(order)

    def _merge(self) -> None:
        whole = self._reduce(pa.concat_tables([self._schema.empty_table(), *self._parts]))
        if whole.num_rows > LIMIT:
            self.lost += whole.num_rows - LIMIT
            whole = whole.slice(0, LIMIT)
        self._parts, self._unmerged = [whole], 0

    def _reduce(self, rows: pa.Table) -> pa.Table:
        if self._cites:
            rows = _earliest_first(rows)
        asked = [(name, how) for name, how in _SUMS if name not in self._keys]
        grouped = rows.group_by(list(self._keys), use_threads=False).aggregate(asked)
        return (
            grouped.rename_columns([*self._keys, *(name for name, _ in asked)])
            .select(self._schema.names)
            .cast(self._schema)
        )


def _earliest_first(rows: pa.Table) -> pa.Table:
    """Rows in order of time, so that the record which a sum cites is the first that shows it."""
    times = pc.fill_null(rows.column("first"), np.iinfo(np.int64).max).to_numpy()
    if (times[1:] >= times[:-1]).all():
        return rows
    return rows.take(pa.array(np.argsort(times, kind="stable")))


def _columns(batch: pa.RecordBatch) -> dict[str, pa.Array]:
    """The batch's columns as the sums want them; columns that its kind lacks are null."""
    rows = batch.num_rows
    ts = _column(batch, "ts", pa.int64())
    return {
        "first": ts,
        "last": ts,
        "events": pa.array(np.ones(rows, np.int64)),
        "file": _column(batch, "file", pa.string()),
        "ordinal": _column(batch, "ordinal", pa.int64()),
        "client_ip": _column(batch, "client_ip", IP),
        "client_mac": _column(batch, "client_mac", MAC),
        "server_ip": _column(batch, "server_ip", IP),
        "server_port": _column(batch, "server_port", pa.uint16()),
    }


def _column(batch: pa.RecordBatch, name: str, type_: pa.DataType) -> pa.Array:
    if name not in batch.schema.names:
        return pa.nulls(batch.num_rows, type_)
    column = batch.column(name)
    return column if column.type == type_ else column.cast(type_)


def _stretches(columns: Mapping[str, pa.Array]) -> pa.Table:
    ts = columns["first"]
    table = pa.table({**columns, "stretch": pc.divide(ts, STRETCH_S * 10**9)})
    return table.filter(ts.is_valid())


def _uses(rows: pa.Table, *, known_encrypted: bool) -> pa.Table:
    port = rows.column("server_port")
    encrypted = pc.or_(pc.equal(port, _DOT_PORT), known_encrypted)
    return rows.append_column("encrypted", pc.fill_null(encrypted, known_encrypted))


def inside(addresses: pa.Array, ranges: Sequence[tuple[bytes, bytes]]) -> np.ndarray:
    """Whether each address lies in any of `ranges` (first and last address, 16 bytes each).

    Nulls lie in none. Bool array of the column's length.
    """
    return locate(addresses, ranges) >= 0


def locate(addresses: pa.Array, ranges: Sequence[tuple[bytes, bytes]]) -> np.ndarray:
    """Index of the first of `ranges` in which each address lies; -1 for none and for nulls."""
    if isinstance(addresses, pa.ChunkedArray):
        addresses = addresses.combine_chunks()
    found = np.full(len(addresses), -1, np.int64)
    if not len(addresses):
        return found
    words = np.ascontiguousarray(to_bytes(addresses)).view(">u8").astype(np.uint64)
    high, low = words[:, 0], words[:, 1]
    valid = np.asarray(addresses.is_valid())
    for index in range(len(ranges) - 1, -1, -1):
        (first_high, first_low), (last_high, last_low) = (_halves(end) for end in ranges[index])
        after = (high > first_high) | ((high == first_high) & (low >= first_low))
        before = (high < last_high) | ((high == last_high) & (low <= last_low))
        found[after & before & valid] = index
    return found


def _halves(packed: bytes) -> tuple[np.uint64, np.uint64]:
    return np.uint64(int.from_bytes(packed[:8], "big")), np.uint64(int.from_bytes(packed[8:], "big"))
