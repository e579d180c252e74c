"""The closed vocabulary of conditions: TOML tables that become Arrow expressions.

A condition is a table ``{ column = test, … }``; all of its tests must hold. A test is a value
(``auth = "open"``, equality) or a table of one comparison (``key_age_days = { over = 90 }``).
``any`` and ``all`` take lists of conditions, ``not`` takes one. A value that begins with ``$``
is a parameter: ``"$min_days"``, or ``"$max_age_days[purpose]"`` for the entry of a table of values that
belongs to the row's purpose (its entry ``other`` where that purpose has none; unknown where the
purpose is unknown). In the place of a column, ``"$servers" = { known = false }`` asks whether an
office has left a parameter empty.

Logic has three values (Kleene): a comparison with something unknown is unknown, and only
``known`` looks at whether a thing is known. So missing data can never pass for kept rules.
There are no functions, no arithmetic and no code.
"""

from __future__ import annotations

import datetime as dt
import difflib
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import acero

OTHER = "other"
"""Entry of a table of values for what it does not list."""


@dataclass(frozen=True, slots=True)
class Ref:
    """A parameter, or the entry of one that belongs to the row's value of `by`."""

    name: str
    by: str = ""

    @property
    def column(self) -> str:
        """The column that holds the looked-up entries."""
        return f"${self.name}[{self.by}]"


@dataclass(frozen=True, slots=True)
class Test:
    """One comparison of one column."""

    column: str
    how: str
    value: Any


@dataclass(frozen=True, slots=True)
class Group:
    """Several conditions joined: `how` is ``all``, ``any`` or ``not`` (of one)."""

    how: str
    parts: tuple[Test | Group, ...] = ()


Condition = Test | Group
ALWAYS = Group("all")

COMPARISONS: dict[str, str] = {
    "is": "equals (the same as writing the value alone)",
    "is_not": "differs from",
    "in": "is one of a list",
    "not_in": "is none of a list",
    "over": "is greater than",
    "at_least": "is greater than or equal to",
    "below": "is less than",
    "at_most": "is less than or equal to",
    "known": "`true`: the value is known; `false`: it is not",
}
"""Every comparison there is, with its meaning; the head of ``docs/rules.md`` is made from it."""

_ORDER: dict[str, Callable[[Any, Any], Any]] = {
    "is": operator.eq,
    "is_not": operator.ne,
    "over": operator.gt,
    "at_least": operator.ge,
    "below": operator.lt,
    "at_most": operator.le,
}
_REF = re.compile(r"\$([a-z][a-z0-9_]*)(?:\[([a-z][a-z0-9_]*)\])?\Z")


def parse_condition(data: object, key: str) -> Condition:
    """A parsed TOML table as a condition.

    Args:
        data: The table.
        key: Path of its key, for the error.

    Raises:
        ValueError: No table, an unknown comparison, or more than one in a test.
    """
    if not isinstance(data, Mapping):
        raise ValueError(f"{key}: a condition is a table of tests")  # noqa: TRY004 -- one kind for the reader to wrap
    parts = tuple(_part(name, value, f"{key}.{name}") for name, value in data.items())
    return parts[0] if len(parts) == 1 else Group("all", parts)


def _part(name: str, value: object, key: str) -> Condition:
    if name == "not":
        return Group("not", (parse_condition(value, key),))
    if name in {"any", "all"}:
        if not isinstance(value, list) or not value:
            raise ValueError(f"{key}: takes a list of conditions")
        return Group(name, tuple(parse_condition(v, f"{key}[{i}]") for i, v in enumerate(value)))
    if not isinstance(value, Mapping):
        return Test(name, "is", _value(value))
    if len(value) != 1:
        raise ValueError(f"{key}: a test has one comparison; join several with all or any")
    ((how, operand),) = value.items()
    if how not in COMPARISONS:
        raise ValueError(f"{key}: there is no comparison {how}{near(how, COMPARISONS)}")
    return Test(name, how, _value(operand))


def _value(value: object) -> object:
    """A value, with ``$name`` read as a parameter."""
    if isinstance(value, str) and value.startswith("$"):
        found = _REF.match(value)
        if not found:
            raise ValueError(f"{value} is no parameter: write $name or $name[column]")
        return Ref(found[1], found[2] or "")
    return value


def near(word: str, known: Iterable[str]) -> str:
    """``; did you mean …?``, or what is known where nothing is near."""
    names = sorted(known)
    hits = difflib.get_close_matches(word, names, 1)
    return f"; did you mean {hits[0]}?" if hits else "; known here: " + ", ".join(names)


def suggestion(word: str, known: Iterable[str]) -> str:
    """The same as a sentence of its own, for a hint."""
    said = near(word, known).removeprefix("; ")
    return said[:1].upper() + said[1:]


def tests_of(condition: Condition) -> Iterator[Test]:
    """Every test in a condition, in writing order."""
    if isinstance(condition, Test):
        yield condition
        return
    for part in condition.parts:
        yield from tests_of(part)


def check_condition(
    condition: Condition, columns: Mapping[str, pa.DataType], parameters: Mapping[str, Any], key: str
) -> None:
    """Refuse columns and parameters that do not exist and values of another type.

    Args:
        condition: What is checked.
        columns: Name to Arrow type of what may be compared.
        parameters: Name to default value.
        key: Path of the condition's key, for the error.

    Raises:
        ValueError: What is wrong, with the path of the key.
    """
    for test in tests_of(condition):
        where = f"{key}.{test.column}"
        if test.column.startswith("$"):
            _check_given(test, parameters, where)
            continue
        if test.column not in columns:
            raise ValueError(f"{where}: there is no such column{near(test.column, columns)}")
        value = test.value
        if isinstance(value, Ref):
            value = _default(value, columns, parameters, where)
        _check_type(test.how, value, columns[test.column], where)


def _check_given(test: Test, parameters: Mapping[str, Any], where: str) -> None:
    name = test.column.removeprefix("$")
    if name not in parameters:
        raise ValueError(f"{where}: there is no parameter {name}{near(name, parameters)}")
    if test.how != "known":
        raise ValueError(f"{where}: of a parameter only known can be asked")
    _check_type(test.how, test.value, pa.string(), where)


def _default(
    ref: Ref, columns: Mapping[str, pa.DataType], parameters: Mapping[str, Any], where: str
) -> object:
    if ref.name not in parameters:
        raise ValueError(f"{where}: there is no parameter {ref.name}{near(ref.name, parameters)}")
    default = parameters[ref.name]
    if isinstance(default, Mapping) != bool(ref.by):
        raise ValueError(f"{where}: write $name[column] for a table of values, $name for others")
    if not isinstance(default, Mapping):
        return default
    if columns.get(ref.by) != pa.string():
        raise ValueError(f"{where}: {ref.by} is no column of words{near(ref.by, columns)}")
    return next(iter(default.values()))


def _check_type(how: str, value: object, type_: pa.DataType, where: str) -> None:
    if how == "known":
        if not isinstance(value, bool):
            raise ValueError(f"{where}: known takes true or false")
        return
    if (how in {"in", "not_in"}) != isinstance(value, list):
        raise ValueError(f"{where}: in and not_in take a list, the others one value")
    if how in {"over", "below", "at_least", "at_most"} and type_ in {pa.string(), pa.bool_()}:
        raise ValueError(f"{where}: {how} compares numbers and times only")
    for one in value if isinstance(value, list) else [value]:
        if not fits(one, type_):
            raise ValueError(f"{where}: {one!r} is no {type_}")


def fits(value: object, type_: pa.DataType) -> bool:
    """Whether a TOML value can stand in a column of `type_`."""
    if pa.types.is_boolean(type_):
        return isinstance(value, bool)
    if pa.types.is_integer(type_):
        return isinstance(value, int) and not isinstance(value, bool)
    if pa.types.is_floating(type_):
        return isinstance(value, int | float) and not isinstance(value, bool)
    if pa.types.is_timestamp(type_):
        return isinstance(value, dt.datetime)
    if pa.types.is_date(type_):
        return isinstance(value, dt.date) and not isinstance(value, dt.datetime)
    return isinstance(value, str)


def expression(condition: Condition, parameters: Mapping[str, Any]) -> pc.Expression:
    """The Arrow expression of a condition.

    Args:
        condition: One that `check_condition` has accepted.
        parameters: Name to value in force.
    """
    if isinstance(condition, Test):
        return _comparison(condition, parameters)
    parts = [expression(part, parameters) for part in condition.parts]
    if not parts:
        return pc.scalar(True)
    if condition.how == "not":
        return ~parts[0]
    return reduce(operator.or_ if condition.how == "any" else operator.and_, parts)


def _comparison(test: Test, parameters: Mapping[str, Any]) -> pc.Expression:
    if test.column.startswith("$"):
        given = bool(parameters[test.column.removeprefix("$")])
        return pc.scalar(given is test.value)
    field, value = pc.field(test.column), test.value
    if isinstance(value, Ref):
        value = pc.field(value.column) if value.by else parameters[value.name]
    if test.how == "known":
        return field.is_valid() if value else field.is_null()
    if test.how in {"in", "not_in"}:
        found = field.isin(value) if value else pc.scalar(False)
        chosen = found if test.how == "in" else ~found
        # isin calls an unknown value "not in the list"; here it stays unknown
        return pc.if_else(field.is_valid(), chosen, pc.scalar(pa.scalar(None, pa.bool_())))
    return _ORDER[test.how](field, value)


def look_up(table: pa.Table, refs: Iterable[Ref], parameters: Mapping[str, Any]) -> pa.Table:
    """`table` with one more column for each parameter that goes by the row's value."""
    for ref in sorted(set(refs), key=lambda r: r.column):
        entries: Mapping[str, Any] = parameters[ref.name]
        keys = table.column(ref.by).combine_chunks().dictionary_encode()
        words = keys.dictionary.to_pylist()
        type_ = pa.array(list(entries.values())).type
        found = pa.array([entries.get(word, entries.get(OTHER)) for word in words], type_)
        table = table.append_column(ref.column, found.take(keys.indices))
    return table


def evaluate(condition: Condition, table: pa.Table, parameters: Mapping[str, Any]) -> pa.Array:
    """True, false or null for each row of `table`, in its order."""
    if table.num_rows == 0:
        return pa.array([], pa.bool_())
    plan = acero.Declaration.from_sequence(
        [
            acero.Declaration("table_source", acero.TableSourceNodeOptions(table)),
            acero.Declaration(
                "project", acero.ProjectNodeOptions([expression(condition, parameters)], ["holds"])
            ),
        ]
    )
    return plan.to_table(use_threads=False).column("holds").combine_chunks()
