"""Findings as table, JSON, CSV and SARIF."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from netaudit.cli.render import inert, ledger_json, moment, print_json, print_ledger, print_table
from netaudit.i18n import translate
from netaudit.records.schemas import SCHEMA_VERSION

if TYPE_CHECKING:
    from netaudit.case.finding import Finding
    from netaudit.cli.session import Session
    from netaudit.pipeline import Scan
    from netaudit.pipeline.visibility import Shares, Visibility

_SARIF_LEVEL = {"low": "note", "medium": "warning", "high": "error", "critical": "error"}
_CSV = (
    "id",
    "kind",
    "severity",
    "subject",
    "title",
    "rule",
    "destination",
    "list",
    "entry",
    "line",
    "grade",
    "first_seen",
    "last_seen",
    "count",
    "reach",
    "evidence",
)


def print_findings(result: Scan, form: str, session: Session) -> None:
    """The findings of a run on stdout, the ledger on stderr (in JSON: within the result)."""
    match form:
        case "json":
            print_json(scan_json(result, session.locale))
        case "jsonl":
            for finding in result.findings:
                click.echo(json.dumps(finding_json(finding, session.locale), ensure_ascii=False))
        case "csv":
            _print_csv(result)
        case "sarif":
            print_json(_sarif(result))
        case _:
            _print_findings_table(result, session)
    if not session.quiet and form != "json":
        print_ledger(result.ledger, session.locale)
        session.note(
            "Events: {events}. Files: {files}. Findings: {findings}.",
            events=sum(result.events.values()),
            files=len(result.ledger.files),
            findings=len(result.findings),
        )
        _note_visibility(result.visibility, session)
        if not result.ledger.complete:
            session.note("Something that matters could not be read: no finding does not mean clean.")


def scan_json(result: Scan, locale: str) -> dict[str, Any]:
    """The whole result of a scan."""
    from netaudit.attribution.presentation import trace_dict

    return {
        "schema_version": SCHEMA_VERSION,
        "complete": result.ledger.complete,
        "inputs": ledger_json(result.ledger),
        "errors": [{"code": e.code, "message": str(e), "where": e.where} for e in result.ledger.errors],
        "events": dict(sorted(result.events.items())),
        "allowed": result.allowed,
        "visibility": _visibility_json(result.visibility),
        "findings": [finding_json(f, locale) for f in result.findings],
        "notice_traces": [trace_dict(t, locale) for t in result.traces],
        "verdicts": [verdict_json(v, locale) for v in result.verdicts],
    }


def _note_visibility(visibility: Visibility, session: Session) -> None:
    """How many flows have a name: a line in all, and one a segment where any is declared."""
    if not visibility.total.flows:
        return
    session.note(
        "Names of {flows} flows: {known} known, {inferred} inferred from DNS, {hidden} hidden (ECH), {unknown} unknown.",
        **_percents(visibility.total),
    )
    if not any(segment.id for segment in visibility.segments):
        return
    for segment in visibility.segments:
        session.note(
            "{segment}: {flows} flows, {known} known, {inferred} inferred, {hidden} hidden, {unknown} unknown",
            segment="  " + (inert(segment.name or segment.id) or session.say("no declared segment")),
            **_percents(segment.shares),
        )


def _percents(shares: Shares) -> dict[str, object]:
    aspects = ("known", "inferred", "hidden", "unknown")
    return {"flows": shares.flows} | {aspect: f"{shares.share(aspect):.1%}" for aspect in aspects}


def _visibility_json(visibility: Visibility) -> dict[str, Any]:
    return {
        **_shares_json(visibility.total),
        "segments": [
            {"segment": s.id or None, "name": s.name or None, **_shares_json(s.shares)}
            for s in visibility.segments
        ],
        "hosts": [
            {"address": h.address, "segment": h.segment or None, **_shares_json(h.shares)}
            for h in visibility.hosts
        ],
        "others": _shares_json(visibility.others),
    }


def _shares_json(shares: Shares) -> dict[str, Any]:
    """Counts of flows, and their shares to four places."""
    aspects = ("known", "inferred", "hidden", "unknown")
    return {
        "flows": shares.flows,
        **{aspect: getattr(shares, aspect) for aspect in aspects},
        "share": {aspect: round(shares.share(aspect), 4) for aspect in aspects},
    }


def finding_json(finding: Finding, locale: str) -> dict[str, Any]:
    """One finding, CONTRACT section 6; absent means not known."""
    from netaudit.attribution.presentation import trace_dict

    listed = finding.listed
    body = {
        "schema_version": SCHEMA_VERSION,
        "id": finding.id,
        "kind": finding.kind.value,
        "severity": finding.severity.value,
        "subject": finding.subject,
        "title": finding.title_in(locale),
        "rule": finding.rule or None,
        "list": None
        if listed is None
        else {
            "id": listed.list_id,
            "entry": listed.entry,
            "line": listed.line,
            "sha256": listed.sha256,
            "date": listed.date or None,
            "category": listed.category or None,
        },
        "destination": finding.destination or None,
        "place": dict(finding.place) or None,
        "first_seen": moment(finding.first_seen),
        "last_seen": moment(finding.last_seen),
        "count": finding.count,
        "grade": finding.grade.value if finding.grade else None,
        "from_notice": finding.from_notice,
        "trace": trace_dict(finding.trace, locale) if finding.trace else None,
        "evidence": [{"file": e.file, "ordinal": e.ordinal} for e in finding.evidence],
        "doubts": [translate(d, locale) for d in finding.doubts],
        "values": {k: v for k, v in finding.values if k != "also_listed"} or None,
        "also_listed": [v for k, v in finding.values if k == "also_listed"] or None,
    }
    return {k: v for k, v in body.items() if v is not None}


def verdict_json(verdict: Any, locale: str) -> dict[str, Any]:
    """One verdict of a policy rule."""
    body = {
        "rule": verdict.rule,
        "outcome": verdict.outcome.value,
        "subject": verdict.subject or None,
        "severity": verdict.severity or None,
        "because": translate(verdict.because, locale) or None,
        "basis": verdict.basis.value,
        "count": verdict.count or None,
        "values": dict(verdict.values) or None,
        "first_seen": moment(verdict.first_seen),
        "last_seen": moment(verdict.last_seen),
        "evidence": [{"file": e.file, "ordinal": e.ordinal} for e in verdict.evidence] or None,
        "waived": verdict.waived or None,
    }
    return {k: v for k, v in body.items() if v is not None}


def finding_rows(findings: Any, locale: str) -> list[tuple[str, ...]]:
    """Findings for the eye."""
    return [
        (
            f.id,
            translate(f.severity.value, locale),
            translate(f.grade.value, locale) if f.grade else "-",
            f.subject,
            f.destination or f.title_in(locale),
            f.listed.list_id if f.listed else f.rule,
            translate(f.trace.reach.value, locale) if f.trace else "-",
            str(f.count),
            f"{f.first_seen:%Y-%m-%d %H:%M:%S}" if f.first_seen else "-",
            f"{f.evidence[0].file[:8]}:{f.evidence[0].ordinal}" if f.evidence else "-",
        )
        for f in findings
    ]


def print_findings_rows(findings: Sequence[Finding], session: Session) -> None:
    """A table of findings for the eye."""
    head = [
        session.say(w)
        for w in (
            "finding",
            "severity",
            "grade",
            "subject",
            "destination or problem",
            "list or rule",
            "reach",
            "count",
            "first seen (UTC)",
            "evidence",
        )
    ]
    print_table(head, finding_rows(findings, session.locale), colour=session.colour)


def _print_findings_table(result: Scan, session: Session) -> None:
    if not result.findings:
        return
    print_findings_rows(result.findings, session)


def _print_csv(result: Scan) -> None:
    from netaudit.records.printed import csv_cell

    click.echo(",".join(_CSV))
    for f in result.findings:
        cells = (
            f.id,
            f.kind.value,
            f.severity.value,
            f.subject,
            f.title,
            f.rule,
            f.destination,
            f.listed.list_id if f.listed else "",
            f.listed.entry if f.listed else "",
            str(f.listed.line) if f.listed else "",
            f.grade.value if f.grade else "",
            moment(f.first_seen) or "",
            moment(f.last_seen) or "",
            str(f.count),
            f.trace.reach.value if f.trace else "",
            ";".join(f"{e.file}:{e.ordinal}" for e in f.evidence),
        )
        click.echo(",".join(csv_cell(c) for c in cells))


def _sarif(result: Scan) -> dict[str, Any]:
    """SARIF 2.1.0: one result a finding, located in the evidence file."""
    from netaudit import __version__

    names = {entry.id: entry.name for entry in result.ledger.files}
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "netaudit",
                        "version": __version__,
                        "rules": [{"id": rule} for rule in sorted({f.rule for f in result.findings})],
                    }
                },
                "results": [
                    {
                        "ruleId": f.rule,
                        "level": _SARIF_LEVEL[f.severity.value],
                        "message": {"text": inert(f"{f.title}: {f.subject} {f.destination}".strip())},
                        "partialFingerprints": {"netaudit/v1": f.id},
                        "locations": [
                            {
                                "physicalLocation": {
                                    "artifactLocation": {"uri": inert(names.get(e.file, e.file))},
                                    "region": {"startLine": max(1, e.ordinal)},
                                }
                            }
                            for e in f.evidence[:10]
                        ],
                    }
                    for f in result.findings
                ],
            }
        ],
    }
