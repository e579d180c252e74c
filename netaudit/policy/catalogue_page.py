"""``docs/rules.md``, made from the rules, the fact tables and the vocabulary."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from netaudit.policy.citation import Norm, cite
from netaudit.policy.conditions import COMPARISONS
from netaudit.policy.rule import run_examples
from netaudit.policy.shape import Rule
from netaudit.policy.tables import TABLES
from netaudit.policy.verdict import Outcome

_HEAD = """\
# Rules

Made from `netaudit/policy/` by `python -m netaudit.policy.catalogue_page`; do not edit.

## How a rule is written

A rule is one TOML file; its name is its id. It holds no code. It names one fact table (`over`).

| key | meaning |
|---|---|
| `about` | rows that the rule is about; to the others it does not apply |
| `where` | rows of those that are a breach |
| `unknown_if` | `when` data are missing or prove nothing, and `because`; looked at where `where` shows no breach |
| `per` | judge groups of rows with equal values of these columns; `[]` = all rows together; left out = each row |
| `measure` | figures of a group over its breaches: `distinct`, `sum`, `max`, `min`, `list` of a column; `rows` always |
| `having` | what those figures must be for a breach |
| `severity_if` | another `severity` where `when` holds |
| `measured_if` | where it holds, the verdict rests on measured data; else on `basis` |
| `values` | slots of the wording that take the first known of several columns or parameters; others go with the verdict, for papers |
| `manual` | only a person can look |

A condition is a table of tests that all hold. `any` and `all` take lists of conditions, `not` takes one.
`"$name"` is a parameter; `"$name[column]"` is the entry of a table of values for the row's value of
that column (its entry `other` where there is none). `"$name" = { known = false }` asks whether the office
left that parameter empty. A test is a value, or one comparison:

| comparison | the column's value |
|---|---|
"""

_OUTCOMES = """
A comparison with something unknown is unknown; only `known` looks at that. So the outcomes are:
`violated` where a breach is shown; `cannot_tell` with a reason where data are missing or no evidence covers
the table; `not_applicable` where there is nothing the rule is about; else `complied`; `manual` where only a
person can look. Missing data are never taken as compliance. A waiver names rule and subject; it holds through its
last day, after which it excuses nothing and breaks `NA-WAIVER`.
"""


def render(rules: Mapping[str, Rule], norms: Mapping[str, Norm], *, on: dt.date) -> str:
    """The whole page.

    Args:
        rules: All of them.
        norms: Those that they cite.
        on: Date as of which citations are printed.
    """
    lines = [_HEAD + "\n".join(f"| `{name}` | {said} |" for name, said in COMPARISONS.items()), _OUTCOMES]
    lines += ["## Fact tables", *_tables(), "## The rules", *_overview(rules)]
    for rule in rules.values():
        lines += _rule(rule, norms, on)
    return "\n".join(lines).rstrip() + "\n"


def _tables() -> Iterator[str]:
    for name, table in TABLES.items():
        yield f"\n### Table `{name}`\n\n{table.about}\n\n| column | type | meaning |\n|---|---|---|"
        for column, (type_, said) in table.columns.items():
            yield f"| `{column}` | {type_} | {said} |"
    yield ""


def _overview(rules: Mapping[str, Rule]) -> Iterator[str]:
    yield "\n| rule | state that keeps it | severity |\n|---|---|---|"
    for rule in rules.values():
        yield f"| [{rule.id}](#{rule.id.lower()}) | {rule.title.en} | {rule.severity} |"


def _rule(rule: Rule, norms: Mapping[str, Norm], on: dt.date) -> Iterator[str]:
    yield f"\n### {rule.id}\n\n{rule.title.en} / {rule.title.zh_cn} / {rule.title.zh_tw}\n"
    yield f"* Severity: {rule.severity}" + "".join(f"; or {other.severity}" for other in rule.severity_if)
    yield f"* Deadline: {rule.deadline_days} days (a suggestion; the authority's wins)"
    yield f"* Over: table `{rule.over}`; needs {rule.data_needed.en}"
    yield f"* Finding: {rule.finding.en}"
    yield f"* Action: {rule.action.en}"
    yield f"* Closed by: {rule.verify_by.en}"
    for name, parameter in rule.parameters.items():
        kind = " (unit policy, not law)" if parameter.unit_policy else ""
        yield f"* Parameter `{name}` = `{_plain(parameter.default)}`{kind}: {parameter.note.en}"
    for unknown in rule.unknown_if:
        yield f"* Cannot tell: {unknown.because.en}"
    if rule.remark.en:
        yield f"* Mind: {rule.remark.en}"
    yield "* Cites: " + "; ".join(cite(c, on, "zh-CN", norms=norms) for c in rule.cites)
    yield "\n| example | outcome | said |\n|---|---|---|"
    for result in run_examples(rule):
        verdict = result.verdicts[0]
        part = {Outcome.VIOLATED: "finding", Outcome.CANNOT_TELL: "because"}.get(verdict.outcome)
        said = rule.wording(part, verdict, "en") if part else ""
        yield f"| {result.example.name} | {verdict.outcome} | {said} |"


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {entry}" for name, entry in value.items())
    return (", ".join(map(str, value)) or "[]") if isinstance(value, list) else str(value)


PRINTED_ON = dt.date(2026, 7, 1)
"""Date of the page's citations: within the year in which both numberings are printed."""
