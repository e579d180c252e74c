"""Which events somebody wants: ``name=example.org``, ``client=10.0.0.0/24``, ``after=…``."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import pyarrow as pa
import pyarrow.compute as pc

from netaudit.errors import UsageError
from netaudit.records.addresses import in_network, parse_network
from netaudit.records.moments import nanoseconds
from netaudit.records.names import normalise
from netaudit.records.schemas import EVENT_KINDS, kind_of

ADDRESS_COLUMNS = {"client": "client_ip", "server": "server_ip"}
KEYS = ("name", "client", "server", "kind", "ordinal", "after", "before", "finding")


@dataclass(frozen=True, slots=True)
class Selection:
    """What is wanted: of one key any of the values, of different keys all."""

    terms: tuple[tuple[str, str], ...] = ()
    """Key and value as given, sorted."""
    zone: dt.tzinfo | None = None
    """Of times that carry none."""

    def __str__(self) -> str:
        """As it is written on the command line."""
        return " ".join(f"{key}={value}" for key, value in self.terms)

    def values(self, key: str) -> tuple[str, ...]:
        """The values of one key."""
        return tuple(value for k, value in self.terms if k == key)

    def of(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The events of a batch that are wanted."""
        for key, test in _TESTS.items():
            values = self.values(key)
            if values and batch.num_rows:
                batch = batch.filter(test(batch, key, values, self.zone))
        return batch


def read_selection(expressions: Iterable[str], zone: dt.tzinfo | None = None) -> Selection:
    """A selection from ``key=value`` expressions.

    Raises:
        UsageError: No such key, or a value that the key cannot have.
    """
    terms = set()
    for expression in expressions:
        key, equals, value = (part.strip() for part in expression.partition("="))
        if not equals or key not in KEYS or not value:
            raise UsageError(
                "where-unknown",
                "{text} is no condition.",
                text=expression,
                hint="Write it as key=value; keys are {keys}.",
                keys=", ".join(KEYS),
            )
        terms.add((key, _checked(key, value, zone)))
    return Selection(tuple(sorted(terms)), zone)


def _checked(key: str, value: str, zone: dt.tzinfo | None) -> str:
    """The value in the one form in which it is compared."""
    try:
        match key:
            case "name":
                value = normalise(value) or _no_value()
            case "client" | "server":
                parse_network(value)
            case "kind":
                value = value if value in EVENT_KINDS else _no_value()
            case "ordinal":
                value = str(int(value)) if int(value) > 0 else _no_value()
            case "after" | "before":
                _instant(value, zone)
    except ValueError as error:
        raise UsageError(
            "where-value",
            "{value} is no value of {key}.",
            value=value,
            key=key,
            hint="See: netaudit extract --help",
        ) from error
    return value


def _no_value() -> NoReturn:
    raise ValueError


def _instant(text: str, zone: dt.tzinfo | None) -> int:
    moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        if zone is None:
            raise UsageError(
                "time-without-zone",
                "The time {text} has no zone.",
                text=text,
                hint="Add the offset (2026-11-04T14:05:09+08:00), or set [unit] timezone.",
            )
        moment = moment.replace(tzinfo=zone)
    return nanoseconds(moment.astimezone(dt.UTC))


def _by_name(batch: pa.RecordBatch, _: str, values: Sequence[str], __: Any) -> pa.Array:
    """The name itself and what lies below it."""
    if "name" not in batch.schema.names:
        return _none(batch)
    wanted = tuple(f".{value}" for value in values)
    return _each(batch.column("name"), lambda name: f".{name}".endswith(wanted))


def _by_address(batch: pa.RecordBatch, key: str, values: Sequence[str], _: Any) -> pa.Array:
    column = ADDRESS_COLUMNS[key]
    if column not in batch.schema.names:
        return _none(batch)
    networks = [parse_network(value) for value in values]
    return _each(batch.column(column), lambda packed: any(in_network(packed, n) for n in networks))


def _by_kind(batch: pa.RecordBatch, _: str, values: Sequence[str], __: Any) -> pa.Array:
    return pa.array([kind_of(batch) in values] * batch.num_rows)


def _by_ordinal(batch: pa.RecordBatch, _: str, values: Sequence[str], __: Any) -> pa.Array:
    return pc.is_in(batch.column("ordinal"), pa.array([int(v) for v in values], pa.uint64()))


def _by_time(batch: pa.RecordBatch, key: str, values: Sequence[str], zone: dt.tzinfo | None) -> pa.Array:
    """``after`` takes in its moment, ``before`` does not; an event of unknown time is in no range."""
    nanos = batch.column("ts").cast(pa.int64())
    instants = [_instant(value, zone) for value in values]
    mask = pc.greater_equal(nanos, max(instants)) if key == "after" else pc.less(nanos, min(instants))
    return pc.fill_null(mask, False)


def _none(batch: pa.RecordBatch) -> pa.Array:
    return pa.array([False] * batch.num_rows)


def _each(column: pa.Array, test: Callable[[Any], bool]) -> pa.Array:
    """`test` once per distinct value; null is false."""
    coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    passed = pa.array([v is not None and test(v) for v in coded.dictionary.to_pylist()], pa.bool_())
    return pc.fill_null(passed.take(coded.indices), False)


_TESTS: dict[str, Callable[[pa.RecordBatch, str, Sequence[str], dt.tzinfo | None], pa.Array]] = {
    "kind": _by_kind,
    "ordinal": _by_ordinal,
    "after": _by_time,
    "before": _by_time,
    "client": _by_address,
    "server": _by_address,
    "name": _by_name,
}
