"""Verdicts to policy findings: what is violated and not waived."""

from __future__ import annotations

from collections.abc import Sequence

from netaudit.case.finding import Finding, FindingKind, Severity, finding_id
from netaudit.policy.rule import Rule
from netaudit.policy.verdict import Basis, Outcome, Verdict

DECLARED_ONLY = "This rests on a declaration alone; it was not measured."


def policy_findings(verdicts: Sequence[Verdict], rules: Sequence[Rule]) -> tuple[Finding, ...]:
    """One finding per violated verdict that no waiver covers, gravest first."""
    by_id = {rule.id: rule for rule in rules}
    findings = [
        Finding(
            id=finding_id("policy", verdict.rule, verdict.subject),
            kind=FindingKind.POLICY,
            severity=Severity(verdict.severity),
            subject=verdict.subject,
            title=by_id[verdict.rule].title.in_("en") if verdict.rule in by_id else verdict.rule,
            rule=verdict.rule,
            first_seen=verdict.first_seen,
            last_seen=verdict.last_seen,
            count=verdict.count,
            evidence=verdict.evidence,
            values=verdict.values,
            doubts=(DECLARED_ONLY,) if verdict.basis is Basis.DECLARED else (),
        )
        for verdict in verdicts
        if verdict.outcome is Outcome.VIOLATED and not verdict.waived
    ]
    return tuple(sorted(findings, key=lambda f: (-f.severity.rank, f.rule, f.subject)))
