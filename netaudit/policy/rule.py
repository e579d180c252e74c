"""Reading rules: strictly, with file and key in every error; a rule's own examples as its test."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any, cast

from netaudit.config import PolicySettings
from netaudit.errors import ConfigError, RuleError
from netaudit.i18n.text import Text
from netaudit.policy.citation import read_norms
from netaudit.policy.conditions import (
    Condition,
    Group,
    Test,
    check_condition,
    near,
    parse_condition,
    suggestion,
)
from netaudit.policy.judge import judge
from netaudit.policy.shape import SEVERITIES, Example, Parameter, Rule, Unknown
from netaudit.policy.tables import TABLES, Facts
from netaudit.policy.verdict import Basis, Outcome, Verdict

SHIPPED = Path(__file__).parent / "rules"


def read_rules(folders: Iterable[Path | str] = ()) -> dict[str, Rule]:
    """All rules by id, sorted: those that netaudit ships, and an office's own.

    Args:
        folders: Folders of the office's rule files; a rule there replaces a shipped one of its id.
            Norms that they cite may lie in a ``norms`` subfolder.

    Raises:
        RuleError: A file that does not load, or an example that does not come out as it says.
        NormError: A norm's file that does not load.
    """
    own = [Path(folder) for folder in folders]
    rules = dict(_shipped())
    for folder in own:
        for path in sorted(folder.glob("*.toml")):
            rule = read_rule(path, own)
            failed = [result for result in run_examples(rule) if not result.passed]
            if failed:
                raise _wrong(path, f"example {failed[0].example.name!r} gave {failed[0].got}")
            rules[rule.id] = rule
    return dict(sorted(rules.items()))


@cache
def _shipped() -> Mapping[str, Rule]:
    return {path.stem: read_rule(path) for path in sorted(SHIPPED.glob("*.toml"))}


def read_rule(path: Path, folders: Iterable[Path] = ()) -> Rule:
    """One rule file, checked against the fact tables and the norms; its examples are not run.

    Raises:
        RuleError: What is wrong, with file and key.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        rule = _structure(data)
        _check(rule, path, folders)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ValueError) as error:
        raise _wrong(path, str(error)) from error
    except ConfigError as error:
        raise _wrong(path, f"{error.where}: {error}") from error
    return rule


def _wrong(path: Path, reason: str) -> RuleError:
    return RuleError(
        "rule-file",
        "The rule cannot be used: {reason}.",
        where=str(path),
        hint="Compare with docs/rules.md, or with a shipped rule.",
        reason=reason.rstrip("."),
    )


def _structure(data: dict[str, Any]) -> Rule:
    """A parsed file as a `Rule`; every key must be known."""
    from cattrs import BaseValidationError, transform_error

    known = {field.name for field in fields(Rule)}
    for key in data:
        if key not in known:
            raise ValueError(f"there is no key {key}{near(key, known)}")
    try:
        return cast("Rule", _converter().structure(data, Rule))
    except BaseValidationError as error:
        raise ValueError("; ".join(transform_error(error, path="", format_exception=_say))) from error


@cache
def _converter() -> Any:
    """The one strict converter of rule files."""
    from cattrs import Converter

    converter = Converter(forbid_extra_keys=True)
    for exact in (str, int, bool):
        converter.register_structure_hook(exact, _exactly)
    for choice in (Basis, Outcome):
        converter.register_structure_hook(choice, lambda value, type_: type_(value))
    converter.register_structure_hook(Text, lambda value, _: Text.from_table(value, "text"))
    converter.register_structure_hook_func(
        lambda type_: type_ in (Condition, Condition | None, Test | Group),
        lambda value, _: parse_condition(value, "condition"),
    )
    return converter


def _exactly(value: Any, type_: Any) -> Any:
    if type(value) is not type_:
        raise TypeError(f"expected {type_.__name__}, found {value!r}")
    return value


def _say(error: BaseException, _: type | None) -> str:
    if isinstance(error, KeyError):
        return f"the key {error.args[0]} is missing"
    return str(error) or type(error).__name__


def _check(rule: Rule, path: Path, folders: Iterable[Path]) -> None:
    """What the types cannot say. ValueError with the key, or NormError's sentence."""
    if rule.id != path.stem:
        raise ValueError(f"id: {rule.id} is not the file's name")
    if rule.over not in TABLES:
        raise ValueError(f"over: there is no table {rule.over}{near(rule.over, TABLES)}")
    for severity in (rule.severity, *(other.severity for other in rule.severity_if)):
        if severity not in SEVERITIES:
            raise ValueError(f"severity: there is no {severity}{near(severity, SEVERITIES)}")
    _check_measures(rule)
    defaults = {name: parameter.default for name, parameter in rule.parameters.items()}
    for key, condition, judged in rule.conditions():
        columns = rule.judged_columns() if judged else rule.columns()
        check_condition(condition, columns, defaults, key)
    _check_wording(rule)
    norms = read_norms(folders)
    for citation in rule.cites:
        if citation.norm not in norms:
            raise ValueError(f"cites: there is no norm {citation.norm}{near(citation.norm, norms)}")
        ids = [article.id for article in norms[citation.norm].article]
        if citation.article and citation.article not in ids:
            raise ValueError(
                f"cites: {citation.norm} has no article {citation.article}{near(citation.article, ids)}"
            )
    for number, example in enumerate(rule.example):
        _check_example(rule, example, f"example[{number}]")


def _check_measures(rule: Rule) -> None:
    columns = rule.columns()
    if rule.per is None and (rule.measure or rule.having != Group("all")):
        raise ValueError("measure, having: they are for groups; write per")
    for name in rule.per or ():
        if name not in columns:
            raise ValueError(f"per: there is no column {name}{near(name, columns)}")
    for name, measure in rule.measure.items():
        _, column = measure.parts()
        if column not in columns:
            raise ValueError(f"measure.{name}: there is no column {column}{near(column, columns)}")
        if name in columns and name != column:
            raise ValueError(f"measure.{name}: a column has this name")
    if rule.subject and rule.subject not in rule.judged_columns():
        raise ValueError(
            f"subject: there is no column {rule.subject}{near(rule.subject, rule.judged_columns())}"
        )


def _check_wording(rule: Rule) -> None:
    judged = {*rule.judged_columns(), *rule.parameters}
    for slot, names in rule.values.items():
        for name in names:
            if name not in judged:
                raise ValueError(f"values.{slot}: there is no column {name}{near(name, judged)}")
    fillers = {*judged, *rule.values}
    for slot in sorted(rule.slots() - fillers):
        raise ValueError(f"wording: nothing fills the slot {slot}{near(slot, fillers)}")


def _check_example(rule: Rule, example: Example, key: str) -> None:
    from netaudit.policy.conditions import fits

    columns = rule.columns()
    for row in example.rows:
        for name, value in row.items():
            if name not in columns:
                raise ValueError(f"{key}: there is no column {name}{near(name, columns)}")
            if not fits(value, columns[name]):
                raise ValueError(f"{key}: {name} cannot be {value!r}")
    rule.parameters_with(example.parameters)


@dataclass(frozen=True, slots=True)
class ExampleResult:
    """What a rule made of one of its examples."""

    example: Example
    verdicts: tuple[Verdict, ...]

    @property
    def got(self) -> str:
        """The outcome, or why it is none."""
        if len(self.verdicts) != 1:
            return f"{len(self.verdicts)} verdicts instead of one"
        verdict = self.verdicts[0]
        return f"{verdict.outcome} ({verdict.severity})" if self.example.severity else str(verdict.outcome)

    @property
    def passed(self) -> bool:
        """Whether it came out as the example says."""
        wanted = self.example
        return self.got == (
            f"{wanted.outcome} ({wanted.severity})" if wanted.severity else str(wanted.outcome)
        )


def run_examples(rule: Rule) -> list[ExampleResult]:
    """What `rule` makes of each of its own examples, in their order."""
    results = []
    for example in rule.example:
        table = TABLES[rule.over].build([dict(row) for row in example.rows])
        facts = Facts({rule.over: table}, absent=frozenset() if example.rows else frozenset({rule.over}))
        results.append(ExampleResult(example, tuple(judge(rule, facts, example.parameters))))
    return results


def check_settings(rules: Mapping[str, Rule], settings: PolicySettings) -> None:
    """Refuse settings for rules or parameters that do not exist.

    Args:
        rules: All rules, not a selection.
        settings: The office's changes.

    Raises:
        ConfigError: With the key, and what was probably meant.
    """
    named = [(f"policy.parameters.{id_}", id_) for id_ in settings.parameters]
    named += [(f"policy.waivers[{i}].rule", waiver.rule) for i, waiver in enumerate(settings.waivers)]
    for where, id_ in named:
        if id_ not in rules:
            raise ConfigError(
                "rule-unknown",
                "There is no rule {rule}.",
                where=where,
                hint=suggestion(id_, rules),
                rule=id_,
            )
    for id_, changes in settings.parameters.items():
        rules[id_].parameters_with(changes)


__all__ = [
    "Example",
    "ExampleResult",
    "Parameter",
    "Rule",
    "Unknown",
    "check_settings",
    "read_rule",
    "read_rules",
    "run_examples",
]
