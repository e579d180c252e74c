"""Events and lists: which of these destinations are listed?

``match(batch, index)`` looks at the names that clients asked for or contacted, at the answers that
they got, and at the addresses that they contacted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.kernels.lookup import spread
from netaudit.matching.columns import as_mask
from netaudit.matching.index import IndicatorIndex
from netaudit.matching.indicator import Field
from netaudit.matching.precedence import NONE
from netaudit.records.addresses import format_ip, parse_ip, to_bytes
from netaudit.records.names import normalise
from netaudit.records.schemas import DESTINATION_KINDS, IP, kind_of

CHAIN_TYPES = frozenset({"A", "AAAA", "ANY", "CNAME", "HTTPS", "SVCB", "DNAME"})
"""Record types whose answers say where the asked name leads; a name in a TXT or NS answer is no
destination."""
NOT_THE_DESTINATION = "ech_outer"


@dataclass(frozen=True, slots=True)
class Matches:
    """Hits as columns of equal length, ordered by event, field, value and entry."""

    row: np.ndarray
    """int64, index of the event in the batch."""
    entry: np.ndarray
    """int64, for `IndicatorIndex.hit`."""
    field: np.ndarray
    """uint8, `Field.code`."""
    position: np.ndarray
    """int64, index of the answer in the event's answers; -1 for other fields."""
    allowed_row: np.ndarray
    """As `row`, of hits that an exception silences; so the following."""
    allowed_entry: np.ndarray
    allowed_field: np.ndarray
    allowed_position: np.ndarray
    allowed_by: np.ndarray
    """int64, the entry that is the exception."""


@dataclass(frozen=True, slots=True)
class _Hits:
    """Hits before exceptions: event, entry, field, position, and the value's number."""

    row: np.ndarray
    entry: np.ndarray
    field: np.ndarray
    position: np.ndarray
    value: np.ndarray

    def take(self, chosen: np.ndarray) -> _Hits:
        return _Hits(
            self.row[chosen],
            self.entry[chosen],
            self.field[chosen],
            self.position[chosen],
            self.value[chosen],
        )


@dataclass(frozen=True, slots=True)
class _Values:
    """The distinct values of one field, and where each occurs."""

    field: Field
    texts: pa.Array  # names in normal form, or addresses as text
    packed: np.ndarray  # (n, 16); zeros where the value is a name
    is_address: np.ndarray
    code: np.ndarray  # index of the value, for each occurrence
    row: np.ndarray
    position: np.ndarray


def match(batch: pa.RecordBatch, index: IndicatorIndex) -> Matches:
    """Which events of a batch hit which entries.

    A name that only hides the real one (``ech_outer``) is not looked at.

    Args:
        batch: Of one of `DESTINATION_KINDS`, conforming to its schema.
        index: The lists.
    """
    if kind_of(batch) not in DESTINATION_KINDS:
        return _split(_joined([]), index)
    parts, numbers = [], 0
    for values in _fields(batch):
        parts.append(_hits(values, numbers, index))
        numbers += len(values.texts)
    hits = _joined(parts)
    return _split(hits.take(_applies(batch, hits, index)), index)


def _fields(batch: pa.RecordBatch) -> Iterator[_Values]:
    yield _name_values(batch)
    if "answers" in batch.schema.names:
        yield _answer_values(batch)
    yield _address_values(batch)


def _name_values(batch: pa.RecordBatch) -> _Values:
    column = batch.column("name")
    hidden = pc.fill_null(pc.equal(batch.column("name_source"), NOT_THE_DESTINATION), False)
    present = pc.and_not(pc.is_valid(column), hidden)
    row = np.flatnonzero(present.to_numpy(zero_copy_only=False))
    column = column if len(row) == len(column) else column.take(pa.array(row))
    texts, code = _distinct(column)
    count = len(texts)
    octets, is_address = np.zeros((count, 16), np.uint8), np.zeros(count, bool)
    numeric = np.flatnonzero(as_mask(pc.match_substring_regex(texts, _MAY_BE_ADDRESS)))
    if numeric.size:
        some = _read(texts.take(pa.array(numeric)).to_pylist(), _host_address, lambda word: word)
        texts = pc.replace_with_mask(texts, pa.array(np.isin(np.arange(count), numeric)), some[0])
        octets[numeric], is_address[numeric] = some[1:]
    return _Values(
        Field.NAME,
        texts,
        octets,
        is_address,
        code,
        row,
        np.full(len(row), -1),
    )


_MAY_BE_ADDRESS = r"\d$|^\[|:"
"""Names, which are the rule, are told from addresses (RFC 3986 section 3.2.2) by their end."""


def _host_address(word: str) -> bytes | None:
    return parse_ip(word.removeprefix("[").removesuffix("]"))


def _read(
    words: list[str | None], address: Callable[[str], bytes | None], name: Callable[[str], str | None]
) -> tuple[pa.Array, np.ndarray, np.ndarray]:
    """Distinct words as names or addresses: text in normal form, 16 octets, and which are addresses."""
    packed = [address(word) if word else None for word in words]
    texts = [
        format_ip(ip) if ip is not None else name(word or "")
        for word, ip in zip(words, packed, strict=True)
    ]
    octets = np.frombuffer(b"".join(ip or bytes(16) for ip in packed), np.uint8).reshape(-1, 16)
    return pa.array(texts, pa.string()), octets, np.array([ip is not None for ip in packed], bool)


def _answer_values(batch: pa.RecordBatch) -> _Values:
    column = batch.column("answers")
    lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy(zero_copy_only=False)
    asked = batch.column("qtype").cast(pa.string())
    chain = pc.or_kleene(pc.is_null(asked), pc.is_in(asked, pa.array(sorted(CHAIN_TYPES))))
    parent = np.repeat(np.arange(batch.num_rows), lengths)
    position = spread(np.zeros(len(lengths), np.int64), lengths)
    wanted = np.flatnonzero(chain.to_numpy(zero_copy_only=False)[parent])
    texts, code = _distinct(pc.list_flatten(column).take(pa.array(wanted)))
    names, octets, is_address = _read(texts.to_pylist(), parse_ip, normalise)
    return _Values(
        Field.ANSWER,
        names,
        octets,
        is_address,
        code,
        parent[wanted],
        position[wanted],
    )


def _address_values(batch: pa.RecordBatch) -> _Values:
    column = batch.column("server_ip")
    row = np.flatnonzero(column.is_valid().to_numpy(zero_copy_only=False))
    distinct, code = _distinct(column.take(pa.array(row)))
    count = len(distinct)
    return _Values(
        Field.SERVER_IP,
        pa.nulls(count, pa.string()),
        to_bytes(distinct.cast(IP)),
        np.ones(count, bool),
        code,
        row,
        np.full(len(row), -1),
    )


def _distinct(column: pa.Array) -> tuple[pa.Array, np.ndarray]:
    """Distinct values, and of each row which it is."""
    is_coded = pa.types.is_dictionary(column.type)
    coded = (
        column if is_coded and not column.null_count else column.dictionary_encode(null_encoding="encode")
    )
    return coded.dictionary, coded.indices.to_numpy(zero_copy_only=False).astype(np.int64)


def _hits(values: _Values, first_number: int, index: IndicatorIndex) -> _Hits:
    """Look up the distinct values, then spread the hits over the rows where they occur."""
    addresses = np.flatnonzero(values.is_address)
    names = pc.if_else(pa.array(values.is_address), pa.scalar(None, pa.string()), values.texts)
    found = [index.look_up_names(names)] if len(addresses) < len(names) else []
    if len(addresses):
        place, entry = index.look_up_addresses(values.packed[addresses])
        found.append((addresses[place], entry))
        # Masks are written for what the DNS says, not for connections: server_ip has no text.
        place, entry = index.look_up_text(values.texts.take(pa.array(addresses)))
        found.append((addresses[place], entry))
    empty = np.empty(0, np.int64)
    value = np.concatenate([empty, *(v for v, _ in found)])
    entry = np.concatenate([empty, *(e for _, e in found)])
    order = np.argsort(value, kind="stable")
    value, entry = value[order], entry[order]
    counts = np.bincount(value, minlength=len(values.texts))
    heads = np.cumsum(counts) - counts
    occurrence = np.flatnonzero(counts[values.code] > 0)
    code = values.code[occurrence]
    chosen = spread(heads[code], counts[code])
    occurrence = np.repeat(occurrence, counts[code])
    return _Hits(
        values.row[occurrence],
        entry[chosen],
        np.full(len(occurrence), values.field.code, np.uint8),
        values.position[occurrence],
        values.code[occurrence] + first_number,
    )


def _applies(batch: pa.RecordBatch, hits: _Hits, index: IndicatorIndex) -> np.ndarray:
    """Indices of the hits whose entry's condition holds for the event."""
    numbers = index.conditions_of(hits.entry)
    keep = numbers == 0
    limited = np.flatnonzero(~keep)
    if limited.size:
        rows = pa.array(hits.row[limited])
        clients = batch.column("client_ip").take(rows).to_pylist()
        subjects = _subjects(batch, hits.take(limited))
        known: dict[tuple[int, str, str, bytes | str], bool] = {}
        for place, number, (text, qtype), client in zip(
            limited.tolist(), numbers[limited].tolist(), subjects, clients, strict=True
        ):
            case = (number, text, qtype, client or "")
            if case not in known:
                known[case] = index.condition(number).holds(text, qtype=qtype, client=client or "")
            keep[place] = known[case]
    return np.flatnonzero(keep)


def _subjects(batch: pa.RecordBatch, hits: _Hits) -> Iterator[tuple[str, str]]:
    """Text of the value of each hit, and the record type that it was seen in (empty: unknown)."""
    for row, field, position in zip(
        hits.row.tolist(), hits.field.tolist(), hits.position.tolist(), strict=True
    ):
        if field == Field.NAME.code:
            qtype = batch.column("qtype")[row].as_py() if "qtype" in batch.schema.names else None
            yield batch.column("name")[row].as_py(), qtype or ""
        elif field == Field.ANSWER.code:
            text = batch.column("answers")[row][position].as_py()
            packed = parse_ip(text)
            if packed is None:
                yield normalise(text) or "", "CNAME"
            else:
                yield format_ip(packed), "A" if "." in format_ip(packed) else "AAAA"
        else:
            yield format_ip(batch.column("server_ip")[row].as_py()), ""


def _joined(parts: list[_Hits]) -> _Hits:
    def column(name: str, type_: type[np.generic]) -> np.ndarray:
        return np.concatenate([np.empty(0, type_), *(getattr(p, name) for p in parts)])

    return _Hits(
        column("row", np.int64),
        column("entry", np.int64),
        column("field", np.uint8),
        column("position", np.int64),
        column("value", np.int64),
    )


def _split(hits: _Hits, index: IndicatorIndex) -> Matches:
    """Findings on one side, what exceptions silence on the other."""
    order = np.lexsort((hits.entry, hits.position, hits.field, hits.row))
    hits = hits.take(order)
    by = index.silencers(hits.row, hits.value, hits.field == Field.NAME.code, hits.entry)
    listed = ~index.is_exception(hits.entry)
    found, silent = hits.take(np.flatnonzero(listed & (by == NONE))), np.flatnonzero(by != NONE)
    allowed = hits.take(silent)
    return Matches(
        found.row,
        found.entry,
        found.field,
        found.position,
        allowed.row,
        allowed.entry,
        allowed.field,
        allowed.position,
        hits.entry[by[silent]],
    )
