"""Verdicts to findings: violated and not waived, gravest first."""

from __future__ import annotations

import pytest

from netaudit.case.finding import FindingKind, Severity
from netaudit.pipeline.violations import DECLARED_ONLY, policy_findings
from netaudit.policy.rule import read_rules
from netaudit.policy.verdict import Basis, Outcome, Verdict
from netaudit.records.evidence import Evidence


def verdict(rule="NA-DNS-01", subject="hall", outcome=Outcome.VIOLATED, severity="medium", **more):
    return Verdict(rule=rule, subject=subject, outcome=outcome, severity=severity, **more)


def test_only_what_is_violated_and_not_waived():
    verdicts = [
        verdict(),
        verdict(subject="waived", waived="agreed"),
        *(verdict(subject=o.value, outcome=o) for o in Outcome if o is not Outcome.VIOLATED),
    ]
    assert [f.subject for f in policy_findings(verdicts, ())] == ["hall"]


def test_a_finding_carries_what_the_verdict_says():
    rules = tuple(read_rules().values())
    shown = (Evidence("f", 3),)
    (finding,) = policy_findings(
        [verdict(evidence=shown, values=(("n", "3"),), count=3, basis=Basis.DECLARED)], rules
    )
    assert (finding.kind, finding.rule, finding.severity) == (
        FindingKind.POLICY,
        "NA-DNS-01",
        Severity.MEDIUM,
    )
    assert finding.title == next(r for r in rules if r.id == "NA-DNS-01").title.in_("en")
    assert (finding.evidence, finding.values, finding.count) == (shown, (("n", "3"),), 3)
    assert finding.doubts == (DECLARED_ONLY,)


def test_measured_findings_have_no_such_doubt():
    assert policy_findings([verdict(basis=Basis.MEASURED)], ())[0].doubts == ()


def test_gravest_first_then_by_rule_and_subject():
    found = policy_findings(
        [
            verdict("NA-B", "b", severity="low"),
            verdict("NA-B", "a", severity="high"),
            verdict("NA-A", "z", severity="high"),
            verdict("NA-B", "c", severity="critical"),
        ],
        (),
    )
    assert [(f.severity.value, f.rule, f.subject) for f in found] == [
        ("critical", "NA-B", "c"),
        ("high", "NA-A", "z"),
        ("high", "NA-B", "a"),
        ("low", "NA-B", "b"),
    ]


def test_ids_come_from_rule_and_subject():
    one, two = policy_findings([verdict(), verdict(subject="other")], ())
    assert one.id != two.id
    assert policy_findings([verdict(count=9)], ())[0].id == one.id


@pytest.mark.parametrize("encrypted_port", [443, 53])
def test_plain_dns_to_a_listed_resolver_is_no_encrypted_dns(office, encrypted_port):
    """A list of encrypted resolvers names an address that also answers plain DNS."""
    office.listed("192.0.2.53", id_="doh", format_="ip-list", category="doh-resolver")
    log = office.conn((0, "10.66.1.20", 50000, "192.0.2.53", "data"))
    if encrypted_port == 53:
        log.write_text(log.read_text(encoding="utf-8").replace("\t443\t", "\t53\t"), encoding="utf-8")
    rules = [r for r in read_rules().values() if r.id == "NA-DNS-02"]
    (told,) = office.scan(log, rules=rules).verdicts
    assert told.outcome is (Outcome.VIOLATED if encrypted_port == 443 else Outcome.COMPLIED)


def test_a_look_up_of_a_resolvers_name_is_no_use_of_it(office):
    office.listed("dns.example", id_="doh", category="doh-resolver")
    rules = [r for r in read_rules().values() if r.id == "NA-DNS-02"]
    (told,) = office.scan(
        office.dns((0, "10.66.1.20", "dns.example", ["192.0.2.53"])), rules=rules
    ).verdicts
    assert told.outcome is Outcome.COMPLIED
