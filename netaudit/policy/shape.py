"""What a rule is made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from netaudit.errors import ConfigError
from netaudit.i18n.text import Text
from netaudit.policy.citation import Citation
from netaudit.policy.conditions import ALWAYS, Condition, Ref, fits, suggestion, tests_of
from netaudit.policy.tables import NUMBER, TABLES, WORD
from netaudit.policy.verdict import Basis, Outcome, Verdict
from netaudit.policy.words import UNKNOWN, in_words

SEVERITIES = ("low", "medium", "high", "critical")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number or list that an office may change."""

    default: Any
    note: Text
    unit_policy: bool = False
    """Whether the value is the unit's own rule and not law; then its document is cited, not a norm."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Which data can be missing, and how that is said."""

    when: Condition
    because: Text


@dataclass(frozen=True, slots=True)
class SeverityIf:
    """Another severity where a condition holds; the first that does counts."""

    when: Condition
    severity: str


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure of a group, over the rows that are a breach. Exactly one of the keys is given."""

    distinct: str = ""
    """How many different known values a column has."""
    sum: str = ""
    max: str = ""
    min: str = ""
    list: str = ""
    """The different known values of a column, sorted."""

    def parts(self) -> tuple[str, str]:
        """Which figure, of which column.

        Raises:
            ValueError: None or several are given.
        """
        names = ("distinct", "sum", "max", "min", "list")
        given = [(how, column) for how in names if (column := getattr(self, how))]
        if len(given) != 1:
            raise ValueError("a measure has one of " + ", ".join(names))
        return given[0]


@dataclass(frozen=True, slots=True)
class Example:
    """Rows of the fact table, and what the rule must make of them. No rows = no evidence."""

    name: str
    outcome: Outcome
    rows: tuple[dict[str, Any], ...] = ()
    severity: str = ""
    """Also compared where given."""
    parameters: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `where` says what a breach is; data that it needs and lacks make `cannot_tell`."""

    id: str
    group: str
    title: Text
    """The state that keeps the rule."""
    finding: Text
    action: Text
    over: str
    """The fact table."""
    severity: str
    data_needed: Text
    verify_by: Text
    deadline_days: int
    """From discovery; a suggestion, the authority's deadline wins."""
    subject: str = ""
    """Column that names what is judged; empty = the unit as a whole."""
    about: Condition = ALWAYS
    """Rows that the rule is about; to others it does not apply."""
    where: Condition = ALWAYS
    per: tuple[str, ...] | None = None
    """Judge groups of rows with equal values of these columns; empty = all rows together."""
    measure: dict[str, Measure] = field(default_factory=dict)
    having: Condition = ALWAYS
    """What the figures of a group must be for a breach."""
    unknown_if: tuple[Unknown, ...] = ()
    severity_if: tuple[SeverityIf, ...] = ()
    basis: Basis = Basis.DECLARED
    measured_if: Condition | None = None
    """Where this holds, the verdict rests on measured data."""
    values: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Slots of the wording that take the first known of several columns; others go with the verdict for papers."""
    parameters: dict[str, Parameter] = field(default_factory=dict)
    cites: tuple[Citation, ...] = ()
    manual: bool = False
    """Whether only a person can look; the tool then says so and judges nothing."""
    remark: Text = field(default_factory=Text)
    """What commonly misleads here."""
    example: tuple[Example, ...] = ()

    def columns(self) -> dict[str, pa.DataType]:
        """What `where`, `about` and `unknown_if` may compare."""
        return {name: type_ for name, (type_, _) in TABLES[self.over].columns.items()}

    def judged_columns(self) -> dict[str, pa.DataType]:
        """What `having`, `severity_if`, `measured_if` and the wording see: of rows, or of groups."""
        columns = self.columns()
        if self.per is None:
            return columns
        figures: dict[str, pa.DataType] = {"rows": NUMBER}
        for name, measure in self.measure.items():
            how, column = measure.parts()
            kind = {"distinct": NUMBER, "list": WORD}
            figures[name] = kind.get(how) or columns.get(column, NUMBER)
        return {name: columns[name] for name in self.per if name in columns} | figures

    def conditions(self) -> Iterator[tuple[str, Condition, bool]]:
        """Key, condition, and whether it sees judged columns."""
        yield "about", self.about, False
        yield "where", self.where, False
        for i, unknown in enumerate(self.unknown_if):
            yield f"unknown_if[{i}].when", unknown.when, False
        yield "having", self.having, True
        for i, other in enumerate(self.severity_if):
            yield f"severity_if[{i}].when", other.when, True
        if self.measured_if is not None:
            yield "measured_if", self.measured_if, True

    def lookups(self) -> set[Ref]:
        """Parameters that go by a column of the row."""
        return {
            test.value
            for _, condition, _ in self.conditions()
            for test in tests_of(condition)
            if isinstance(test.value, Ref) and test.value.by
        }

    def slots(self) -> frozenset[str]:
        """Every slot of its wording."""
        said = (self.title, self.finding, self.action, *(u.because for u in self.unknown_if))
        return frozenset().union(*(text.slots() for text in said))

    def parameters_with(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """The values in force: the defaults with an office's `changes`.

        Raises:
            ConfigError: A parameter that the rule does not have, or a value of another type.
        """
        values = {name: parameter.default for name, parameter in self.parameters.items()}
        for name, value in changes.items():
            where = f"policy.parameters.{self.id}.{name}"
            if name not in values:
                raise ConfigError(
                    "rule-parameter",
                    "The rule {rule} has no parameter {name}.",
                    where=where,
                    hint=suggestion(name, values),
                    rule=self.id,
                    name=name,
                )
            if not _same_kind(value, values[name]):
                raise ConfigError(
                    "rule-parameter-value",
                    "The value of {name} must be like {default}.",
                    where=where,
                    hint="Write a value of the same type as the default.",
                    name=name,
                    default=values[name],
                )
            values[name] = values[name] | value if isinstance(value, dict) else value
        return values

    def wording(self, part: str, verdict: Verdict, locale: str) -> str:
        """``title``, ``finding``, ``action`` or ``because`` in words, its slots filled.

        What is not known prints as a visible placeholder, never as an invented value.
        """
        text = self._because(verdict) if part == "because" else getattr(self, part)
        values = dict.fromkeys(text.slots(), UNKNOWN.in_(locale))
        sources = {slot: self.values.get(slot, (slot,))[0] for slot in values}
        for name, value in verdict.values:
            if value and name in values:
                values[name] = in_words(sources[name], value, locale)
        return str(text.in_(locale)).format(**values)

    def _because(self, verdict: Verdict) -> Text:
        said = [unknown.because for unknown in self.unknown_if]
        said += [TABLES[self.over].absent, MISSING, PARTIAL]
        return next((text for text in said if text.en == verdict.because), Text(verdict.because))


MISSING = Text(
    "Data that this rule needs are missing: {missing}.",
    "缺少判断所需的数据：{missing}。",
    "缺少判斷所需的資料：{missing}。",
)
PARTIAL = Text(
    "There was more than could be kept; a breach may have been left out.",
    "数据量超出可保留的上限，可能有遗漏。",
    "資料量超出可保留的上限，可能有遺漏。",
)


def _same_kind(value: object, default: object) -> bool:
    if isinstance(default, dict):
        kind = next(iter(default.values()))
        return isinstance(value, dict) and all(_same_kind(v, kind) for v in value.values())
    if isinstance(default, list):
        return isinstance(value, list) and all(isinstance(v, str) for v in value)
    return fits(value, pa.scalar(default).type)


def columns_in(condition: Condition) -> Iterator[str]:
    """Columns that a condition compares and needs to be known."""
    for test in tests_of(condition):
        if test.how != "known":
            yield test.column
