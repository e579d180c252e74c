"""One rule on one fact table: rows become what is judged, and what is judged becomes verdicts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.policy.conditions import evaluate, look_up
from netaudit.policy.shape import MISSING, PARTIAL, Rule, columns_in
from netaudit.policy.tables import TABLES, Facts
from netaudit.policy.verdict import Basis, Outcome, Verdict
from netaudit.policy.words import SEPARATOR
from netaudit.records.evidence import Evidence

EVIDENCE_KEPT = 20
LISTED = 5
"""Values of a list that a sentence can carry."""

_BREACH, _UNKNOWN, _ALL, _LACKS = "_breach", "_unknown", "_all", "_lacks"
_KNOWN_REASON = 10**6
"""No reason to be unsure: above every index of `Rule.unknown_if`."""
_ONLY_KNOWN = pc.CountOptions(mode="only_valid")


def judge(rule: Rule, facts: Facts, changes: Mapping[str, Any] | None = None) -> list[Verdict]:
    """The verdicts of one rule, sorted by subject.

    Args:
        rule: The rule.
        facts: What is known.
        changes: Parameter values of the office.

    Returns:
        One verdict for each row or group that the rule is about; one for the unit as a whole where
        there is none: `CANNOT_TELL` where no evidence could show any, else `NOT_APPLICABLE`.

    Raises:
        ConfigError: `changes` does not fit the rule's parameters.
    """
    parameters = rule.parameters_with(changes or {})
    whole = Verdict(rule.id, Outcome.MANUAL, severity=rule.severity, basis=Basis.INSPECTED)
    if rule.manual:
        return [whole]
    table = facts.tables[rule.over]
    if table.num_rows == 0 and rule.over in facts.absent:
        because = TABLES[rule.over].absent.en
        return [
            Verdict(rule.id, Outcome.CANNOT_TELL, severity=rule.severity, because=because, basis=rule.basis)
        ]
    table = look_up(table, rule.lookups(), parameters)
    rows = _judged_rows(rule, table, parameters)
    if rows.num_rows == 0:
        return [Verdict(rule.id, Outcome.NOT_APPLICABLE, severity=rule.severity, basis=rule.basis)]
    judged = rows if rule.per is None else _grouped(rule, rows, parameters)
    verdicts = _verdicts(rule, judged, parameters, partial=rule.over in facts.partial)
    return sorted(verdicts, key=lambda v: (v.subject, v.outcome, v.values))


def _judged_rows(rule: Rule, table: pa.Table, parameters: Mapping[str, Any]) -> pa.Table:
    """Rows that the rule is or may be about, with whether they are a breach and why that is unsure."""
    about = evaluate(rule.about, table, parameters)
    concerned = pc.fill_null(about, True)
    table, about = table.filter(concerned), about.filter(concerned)
    where = evaluate(rule.where, table, parameters)
    breach = pc.fill_null(pc.and_kleene(about, where), False)
    reason = pa.array(np.full(table.num_rows, _KNOWN_REASON), pa.int64())
    unsure = pc.or_(about.is_null(), pc.and_(where.is_null(), pc.invert(breach)))
    reason = pc.if_else(unsure, len(rule.unknown_if), reason)
    for index, unknown in reversed(list(enumerate(rule.unknown_if))):
        holds = pc.fill_null(evaluate(unknown.when, table, parameters), False)
        reason = pc.if_else(holds, index, reason)
    reason = pc.if_else(breach, _KNOWN_REASON, reason)
    return (
        table.append_column(_BREACH, breach)
        .append_column(_UNKNOWN, reason)
        .append_column(_LACKS, _lacking(rule, table))
    )


def _lacking(rule: Rule, table: pa.Table) -> pa.Array:
    """Names of the compared columns that are unknown, per row; empty string where none is."""
    names = sorted({c for condition in (rule.about, rule.where) for c in columns_in(condition)})
    said = pa.array([""] * table.num_rows, pa.string())
    for name in names:
        word = pc.if_else(table.column(name).combine_chunks().is_null(), name + SEPARATOR, "")
        said = pc.binary_join_element_wise(said, word, "")
    return pc.utf8_rtrim(said, SEPARATOR)


def _grouped(rule: Rule, rows: pa.Table, parameters: Mapping[str, Any]) -> pa.Table:
    """One row for each group: its keys, its figures over the breaches, and whether those are a breach."""
    per = list(rule.per or ()) or [_ALL]
    if not rule.per:
        rows = rows.append_column(_ALL, pa.array([""] * rows.num_rows))
    breach = rows.column(_BREACH)
    wanted: list[tuple[str, str, str]] = [
        ("rows", _BREACH, "sum"),
        (_UNKNOWN, _UNKNOWN, "min"),
        (_LACKS, _LACKS, "max"),
    ]
    for name, measure in rule.measure.items():
        how, column = measure.parts()
        wanted.append((name, column, how))
    for name, how in (
        ("first", "min"),
        ("last", "max"),
        ("events", "sum"),
        ("file", "list"),
        ("ordinal", "list"),
    ):
        if name in rows.column_names and name not in rule.measure:
            wanted.append((name, name, how))
    masked = rows.select(per)
    for name, column, _ in wanted:
        values = rows.column(column)
        if column not in {_BREACH, _UNKNOWN, _LACKS}:
            values = pc.if_else(breach, values, None)
        masked = masked.append_column(f"of {name}", values)
    asked = [_aggregation(f"of {name}", how) for name, _, how in wanted]
    grouped = masked.group_by(per, use_threads=False).aggregate(asked)
    grouped = grouped.rename_columns([*per, *(name for name, _, _ in wanted)])
    for name, _, how in wanted:
        if how == "sum":
            grouped = _replace(grouped, name, pc.fill_null(grouped.column(name).cast(pa.int64()), 0))
        if name in rule.measure and rule.measure[name].list:
            grouped = _replace(grouped, name, _joined(grouped.column(name)))
    grouped = grouped.append_column(_BREACH, pa.nulls(grouped.num_rows, pa.bool_()))
    return _apply_having(rule, grouped, parameters)


def _aggregation(column: str, how: str) -> tuple[str, str] | tuple[str, str, Any]:
    if how == "distinct":
        return (column, "count_distinct", _ONLY_KNOWN)
    return (column, how)


def _replace(table: pa.Table, name: str, values: Any) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, values)


def _joined(column: pa.ChunkedArray) -> pa.Array:
    """Lists of words as one text each; more than a sentence can carry ends with an ellipsis."""
    said = []
    for words in column.to_pylist():
        known = sorted({_text(word) for word in words if word is not None})
        said.append(SEPARATOR.join(known[:LISTED] + ["…"] * (len(known) > LISTED)) or None)
    return pa.array(said, pa.string())


def _apply_having(rule: Rule, grouped: pa.Table, parameters: Mapping[str, Any]) -> pa.Table:
    some = pc.greater(grouped.column("rows"), 0).combine_chunks()
    holds = evaluate(rule.having, grouped, parameters)
    breach = pc.fill_null(pc.and_kleene(some, holds), False)
    reason = grouped.column(_UNKNOWN).combine_chunks()
    unsure = pc.and_(some, holds.is_null())
    reason = pc.if_else(unsure, pc.min_element_wise(reason, len(rule.unknown_if)), reason)
    return _replace(_replace(grouped, _BREACH, breach), _UNKNOWN, reason)


def _verdicts(
    rule: Rule, judged: pa.Table, parameters: Mapping[str, Any], *, partial: bool
) -> Iterator[Verdict]:
    """One verdict for each row of `judged`."""
    severe = [(evaluate(s.when, judged, parameters).to_pylist(), s.severity) for s in rule.severity_if]
    measured = [False] * judged.num_rows
    if rule.measured_if is not None:
        measured = evaluate(rule.measured_if, judged, parameters).to_pylist()
    said = _slot_columns(rule, judged, parameters)
    for index, row in enumerate(judged.to_pylist()):
        outcome, because = _outcome(rule, row, partial=partial)
        values = {slot: found[index] for slot, found in said.items()}
        if because == MISSING.en:
            values["missing"] = row[_LACKS] or ""
        evidence = _evidence(row)
        yield Verdict(
            rule.id,
            outcome,
            subject=str(row.get(rule.subject) or "") if rule.subject else "",
            severity=next((s for holds, s in severe if holds[index]), rule.severity),
            values=tuple(sorted(values.items())),
            because=because,
            basis=Basis.MEASURED if measured[index] else rule.basis,
            evidence=evidence,
            count=int(row.get("events") or row.get("rows") or 0),
            first_seen=_moment(row.get("first")),
            last_seen=_moment(row.get("last")),
        )


def _outcome(rule: Rule, row: Mapping[str, Any], *, partial: bool) -> tuple[Outcome, str]:
    if row[_BREACH]:
        return Outcome.VIOLATED, ""
    if row[_UNKNOWN] < len(rule.unknown_if):
        return Outcome.CANNOT_TELL, rule.unknown_if[row[_UNKNOWN]].because.en
    if row[_UNKNOWN] < _KNOWN_REASON:
        return Outcome.CANNOT_TELL, MISSING.en
    return (Outcome.CANNOT_TELL, PARTIAL.en) if partial else (Outcome.COMPLIED, "")


def _slot_columns(rule: Rule, judged: pa.Table, parameters: Mapping[str, Any]) -> dict[str, list[str]]:
    """Every slot, and what papers may print beside, with its text for each judged row; empty where unknown."""
    lookups = {ref.name: ref.column for ref in rule.lookups()}
    said = {}
    for slot in sorted({*rule.slots(), *rule.values}):
        found: list[str] = [""] * judged.num_rows
        for name in rule.values.get(slot, (slot,)):
            column = lookups.get(name, name)
            if column in judged.column_names:
                texts = [_text(value) for value in judged.column(column).to_pylist()]
            elif isinstance(parameters.get(name), int | float | str | list):
                texts = [_text(parameters[name])] * judged.num_rows
            else:
                continue
            found = [first or text for first, text in zip(found, texts, strict=True)]
        said[slot] = found
    return said


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return SEPARATOR.join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _evidence(row: Mapping[str, Any]) -> tuple[Evidence, ...]:
    files, ordinals = row.get("file"), row.get("ordinal")
    if not isinstance(files, list):
        files, ordinals = [files], [ordinals]
    pairs = zip(files, ordinals or [], strict=False)
    return tuple(sorted({Evidence(f, o) for f, o in pairs if f is not None and o is not None}))[
        :EVIDENCE_KEPT
    ]


def _moment(value: dt.datetime | None) -> dt.datetime | None:
    return None if value is None else value.astimezone(dt.UTC)
