"""All lists in one immutable index over `kernels.lookup`: what covers these names and addresses?

Entries are numbered: names first, then networks, then patterns, each in the order of the lists.
Everything that is large is a NumPy or Arrow array that only hits are looked up in.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.kernels.lookup import Hasher, HashTable, equal_bytes, mask_addresses, suffixes
from netaudit.matching.blocklist import Blocklist
from netaudit.matching.columns import text_bytes
from netaudit.matching.indicator import (
    NETWORK,
    PATTERN,
    Condition,
    Hit,
    Polarity,
    Scope,
    network_text,
)
from netaudit.matching.patterns import PatternTable
from netaudit.matching.precedence import NONE, silencers
from netaudit.matching.subject import host_of
from netaudit.records.addresses import V4_PREFIX, format_ip, parse_ip

NAMES_AT_ONCE = 1 << 17
"""Names looked up together; bounds the memory of their parents' hashes."""


@dataclass(frozen=True, slots=True)
class ListMeta:
    """What a finding says about the list that it rests on."""

    id: str
    title: dict[str, str]
    category: str
    severity: str
    sha256: str
    date: str
    allow: bool
    reason: str
    entries: int


@dataclass(frozen=True, slots=True)
class Silenced:
    """A hit that is no finding, and the exception that says so."""

    hit: Hit
    by: Hit


@dataclass(frozen=True, slots=True)
class _Columns:
    """What is known of each entry, by its number."""

    source: np.ndarray  # uint16, index in `lists`
    line: np.ndarray  # uint32
    rank: np.ndarray  # uint16
    allow: np.ndarray  # bool
    condition: np.ndarray  # uint32, index in `conditions`
    written: pa.Array  # large_string, null where the entry is the name itself


class IndicatorIndex:
    """Built once by `build_index`, never changed."""

    def __init__(self, blocklists: Iterable[Blocklist], seed: int) -> None:
        """Index `blocklists`; results do not depend on the 64-bit `seed`."""
        held = tuple(blocklists)
        rules = [b.rules for b in held]
        self.lists = tuple(_meta(b) for b in held)
        self._hasher = Hasher(seed)
        self._names = _joined([r.names for r in rules])
        self._scope = _stacked([r.scope for r in rules], np.uint8)
        self._data, self._offsets = text_bytes(self._names)
        self._name_table = HashTable.build(self._hasher.strings(self._data, self._offsets))
        self._high = _stacked([r.high for r in rules], np.uint64)
        self._low = _stacked([r.low for r in rules], np.uint64)
        self._prefix = _stacked([r.prefix for r in rules], np.uint8)
        self._network_table = HashTable.build(self._hasher.networks(self._high, self._low, self._prefix))
        self._expressions = [e for r in rules for e in r.patterns.to_pylist()]
        self._patterns = PatternTable(self._expressions)
        self._columns, self._conditions = _columns(held)

    def __len__(self) -> int:
        """Number of entries."""
        return len(self._columns.line)

    @property
    def categories(self) -> frozenset[str]:
        """Categories of its lists."""
        return frozenset(meta.category for meta in self.lists)

    @property
    def nbytes(self) -> int:
        """Bytes of its arrays."""
        arrays = (
            self._scope,
            self._high,
            self._low,
            self._prefix,
            self._columns.source,
            self._columns.line,
            self._columns.rank,
            self._columns.allow,
            self._columns.condition,
            *(
                getattr(t, part)
                for t in (self._name_table, self._network_table)
                for part in ("hashes", "rows", "filter")
            ),
        )
        strings: int = self._names.nbytes + self._columns.written.nbytes
        numbers = sum(int(a.nbytes) for a in arrays)
        return numbers + strings

    def look_up_names(self, names: pa.Array) -> tuple[np.ndarray, np.ndarray]:
        """Entries that cover names, conditions and exceptions aside.

        Args:
            names: String column of distinct names in normal form; null covers nothing.

        Returns:
            Pairs (index of the name, entry), in no particular order.
        """
        found = [
            self._look_up_some(names.slice(at, NAMES_AT_ONCE), at)
            for at in range(0, len(names), NAMES_AT_ONCE)
        ]
        found.append(self.look_up_text(names))
        return _pairs(found)

    def look_up_addresses(self, packed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Entries for networks that cover addresses; see `look_up_names`.

        Args:
            packed: uint8, ``(n, 16)``, distinct.
        """
        words = np.ascontiguousarray(packed).view(">u8").astype(np.uint64)
        high, low = words[:, 0], words[:, 1]
        is_v4 = (packed[:, :12] == np.frombuffer(V4_PREFIX, np.uint8)).all(axis=1)
        found = []
        for prefix in np.unique(self._prefix).tolist():
            asked = np.arange(len(packed)) if prefix >= 96 else np.flatnonzero(~is_v4)
            upper, lower = mask_addresses(high[asked], low[asked], prefix)
            lengths = np.full(len(asked), prefix, np.uint8)
            probes = self._hasher.networks(upper, lower, lengths)
            index, row = self._network_table.candidates(probes)
            same = (
                (self._high[row] == upper[index])
                & (self._low[row] == lower[index])
                & (self._prefix[row] == prefix)
            )
            found.append((asked[index[same]], row[same] + len(self._names)))
        return _pairs(found)

    def look_up_text(self, texts: pa.Array) -> tuple[np.ndarray, np.ndarray]:
        """Patterns that occur in names or in the text of addresses; see `look_up_names`."""
        index, pattern = self._patterns.search(pc.fill_null(texts, ""))
        valid = pc.is_valid(texts).to_numpy(zero_copy_only=False)[index]
        return index[valid], pattern[valid] + len(self._names) + len(self._prefix)

    def conditions_of(self, entries: np.ndarray) -> np.ndarray:
        """Number of each entry's condition; 0 always holds."""
        numbers: np.ndarray = self._columns.condition[entries]
        return numbers

    def condition(self, number: int) -> Condition:
        """The condition behind a number of `conditions_of`."""
        return self._conditions[number]

    def silencers(
        self, row: np.ndarray, value: np.ndarray, asked: np.ndarray, entry: np.ndarray
    ) -> np.ndarray:
        """`precedence.silencers` for hits on `entry`."""
        source = self._columns.source[entry].astype(np.int64)
        local = np.array([meta.allow for meta in self.lists], bool)[source]
        return silencers(
            row,
            value,
            asked,
            source,
            self._columns.rank[entry].astype(np.int64),
            self.is_exception(entry),
            local,
        )

    def is_exception(self, entries: np.ndarray) -> np.ndarray:
        """Whether each entry allows (bool)."""
        allows: np.ndarray = self._columns.allow[entries]
        return allows

    def hit(self, entry: int) -> Hit:
        """Everything about one entry, for people."""
        columns = self._columns
        meta = self.lists[int(columns.source[entry])]
        kind, covers = self._kind(entry)
        return Hit(
            list_id=meta.id,
            entry=columns.written[entry].as_py() or covers,
            line=int(columns.line[entry]),
            sha256=meta.sha256,
            date=meta.date,
            category=meta.category,
            severity=meta.severity,
            kind=kind,
            covers=covers,
            polarity=Polarity.ALLOW if columns.allow[entry] else Polarity.LIST,
            reason=meta.reason,
        )

    def find(self, subject: str, *, qtype: str = "", client: bytes | str = "") -> list[Hit]:
        """The entries that make a name, an address or the host of a URL a finding.

        Args:
            subject: As a person writes it.
            qtype: The record type asked for, where known.
            client: The client's address (16 bytes) or its device's name, where known.

        Returns:
            Best first: names before networks before patterns, the longest first; then by list.
        """
        return self.weigh(subject, qtype=qtype, client=client)[0]

    def weigh(
        self, subject: str, *, qtype: str = "", client: bytes | str = ""
    ) -> tuple[list[Hit], list[Silenced]]:
        """`find`, and beside it the hits that exceptions silence."""
        host = host_of(subject)
        if host is None:
            return [], []
        entries = self._covering(host)
        numbers = self.conditions_of(entries)
        held = [self._conditions[n].holds(host, qtype=qtype, client=client) for n in numbers.tolist()]
        entries = entries[np.array(held, bool)]
        zeros = np.zeros(len(entries), np.int64)
        by = self.silencers(zeros, zeros, np.ones(len(entries), bool), entries)
        listed = ~self.is_exception(entries)
        order = sorted(np.flatnonzero(listed).tolist(), key=lambda n: self._precision(int(entries[n])))
        hits = [self.hit(int(entries[n])) for n in order if by[n] == NONE]
        silenced = [
            Silenced(self.hit(int(entries[n])), self.hit(int(entries[by[n]])))
            for n in order
            if by[n] != NONE
        ]
        return hits, silenced

    def _covering(self, host: str) -> np.ndarray:
        packed = parse_ip(host)
        if packed is None:
            return self.look_up_names(pa.array([host]))[1]
        octets = np.frombuffer(packed, np.uint8).reshape(1, 16)
        text = pa.array([format_ip(packed)])
        return np.concatenate([self.look_up_addresses(octets)[1], self.look_up_text(text)[1]])

    def _look_up_some(self, names: pa.Array, first: int) -> tuple[np.ndarray, np.ndarray]:
        data, offsets = text_bytes(names)
        owner, starts, depth = suffixes(data, offsets)
        ends = offsets[owner + 1]
        probe, row = self._name_table.candidates(self._hasher.pieces(data, starts, ends))
        lengths = ends[probe] - starts[probe]
        fits = (lengths == self._offsets[row + 1] - self._offsets[row]) & (lengths > 0)
        fits &= _in_scope(self._scope[row], depth[probe])
        probe, row = probe[fits], row[fits]
        same = equal_bytes(data, starts[probe], self._data, self._offsets[row], lengths[fits])
        return owner[probe[same]] + first, row[same]

    def _kind(self, entry: int) -> tuple[str, str]:
        if entry < len(self._names):
            return list(Scope)[self._scope[entry]].value, self._names[entry].as_py()
        entry -= len(self._names)
        if entry < len(self._prefix):
            words = int(self._high[entry]).to_bytes(8, "big"), int(self._low[entry]).to_bytes(8, "big")
            return NETWORK, network_text(b"".join(words), int(self._prefix[entry]))
        return PATTERN, self._expressions[entry - len(self._prefix)]

    def _precision(self, entry: int) -> tuple[int, int, int]:
        """Sort key: the most exact entry first."""
        if entry < len(self._names):
            return 0, -int(self._offsets[entry + 1] - self._offsets[entry]), entry
        row = entry - len(self._names)
        if row < len(self._prefix):
            return 1, -int(self._prefix[row]), entry
        return 2, 0, entry


def build_index(blocklists: Iterable[Blocklist], *, seed: int | None = None) -> IndicatorIndex:
    """Index lists.

    Args:
        blocklists: In the order in which hits name them.
        seed: Of the hashes; by default a secret one, so that nobody can make names collide.
            It never changes a result.
    """
    return IndicatorIndex(blocklists, secrets.randbits(64) if seed is None else seed)


def _in_scope(scope: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """Whether an entry covers names that lie `depth` labels below it."""
    inside: np.ndarray = np.select(
        [scope == Scope.EXACT.code, scope == Scope.BELOW.code, scope == Scope.ONE_LABEL.code],
        [depth == 0, depth > 0, depth == 1],
        default=True,
    )
    return inside


def _meta(listed: Blocklist) -> ListMeta:
    told = listed.described
    return ListMeta(
        listed.id,
        told.title,
        told.category,
        told.severity,
        listed.sha256,
        listed.date,
        told.allow,
        told.reason,
        len(listed.rules),
    )


def _columns(held: tuple[Blocklist, ...]) -> tuple[_Columns, tuple[Condition, ...]]:
    """The common columns of all lists, block by block, and all their conditions."""
    conditions: dict[Condition, int] = {Condition(): 0}
    parts: list[list[tuple[np.ndarray, ...]]] = [[], [], []]
    written: list[list[pa.Array]] = [[], [], []]
    for number, listed in enumerate(held):
        rules = listed.rules
        renamed = np.array([conditions.setdefault(c, len(conditions)) for c in rules.conditions], np.uint32)
        ends = np.cumsum([0, len(rules.names), len(rules.prefix), len(rules.patterns)])
        for block, (start, stop) in enumerate(pairwise(ends.tolist())):
            cut = slice(start, stop)
            parts[block].append(
                (
                    np.full(stop - start, number, np.uint16),
                    rules.line[cut],
                    rules.rank[cut],
                    rules.allow[cut] | listed.described.allow,
                    renamed[rules.condition[cut]],
                )
            )
            written[block].append(rules.entry.slice(start, stop - start))
    flat = [part for block in parts for part in block]
    return _Columns(
        source=_stacked([p[0] for p in flat], np.uint16),
        line=_stacked([p[1] for p in flat], np.uint32),
        rank=_stacked([p[2] for p in flat], np.uint16),
        allow=_stacked([p[3] for p in flat], np.bool_),
        condition=_stacked([p[4] for p in flat], np.uint32),
        written=_joined([w for block in written for w in block]),
    ), tuple(conditions)


def _stacked(parts: list[np.ndarray], type_: type[np.generic]) -> np.ndarray:
    return np.concatenate([np.empty(0, type_), *parts])


def _joined(parts: list[pa.Array]) -> pa.Array:
    return pa.concat_arrays([pa.array([], pa.large_string()), *parts])


def _pairs(found: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    empty = np.empty(0, np.int64)
    return (
        np.concatenate([empty, *(index for index, _ in found)]),
        np.concatenate([empty, *(entry for _, entry in found)]),
    )
