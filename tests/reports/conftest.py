"""A case as the program leaves it: the service hall's Wi-Fi, traced as far as it can be."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from types import SimpleNamespace

import pytest

from netaudit.attribution.trace import (
    Candidate,
    FunnelStep,
    Hop,
    Outcome,
    Question,
    Reach,
    Reason,
    Trace,
)
from netaudit.case.case import Case, ListVersion
from netaudit.case.finding import Finding, FindingKind, Grade, ListEntry, Severity, finding_id
from netaudit.case.notice import Clue, Notice
from netaudit.i18n.text import Text
from netaudit.policy.citation import Citation
from netaudit.policy.shape import Rule
from netaudit.policy.verdict import Basis, Verdict
from netaudit.policy.verdict import Outcome as Result
from netaudit.records.addresses import parse_ip
from netaudit.records.evidence import Evidence, EvidenceFile, Skipped

ZONE = dt.timezone(dt.timedelta(hours=8))


def at(day: int, hour: int, minute: int = 0, second: int = 0) -> dt.datetime:
    return dt.datetime(2026, 11, day, hour, minute, second, tzinfo=ZONE)


def ledger_file(
    number: int, name: str, kind: str, first: dt.datetime, last: dt.datetime, **more
) -> EvidenceFile:
    sha256 = f"{number:x}" * 64
    size = 1000 * number
    return EvidenceFile(
        id=sha256[:16],
        name=name,
        sha256=sha256,
        size=size,
        format=more.pop("format", kind),
        kinds=(kind,),
        first=first,
        last=last,
        records=more.pop("records", 120 * number),
        bytes_read=size,
        **more,
    )


FILES = (
    ledger_file(
        1, "logs/nat-2026-11-04.log", "nat", at(4, 0), at(4, 23, 59, 58), format="conntrack", records=91_204
    ),
    ledger_file(2, "logs/dhcpd-am.log", "dhcp", at(4, 0, 2), at(4, 11, 30), format="isc-dhcpd"),
    ledger_file(
        3,
        "logs/dhcpd-pm.log",
        "dhcp",
        at(4, 13, 10),
        at(4, 23, 50),
        format="isc-dhcpd",
        skipped=(Skipped("the line has no address", 3, (18, 19, 402)),),
    ),
    ledger_file(
        4,
        "logs/dns.log",
        "dns",
        at(4, 0),
        at(4, 23, 59),
        format="dnsmasq",
        records=40_311,
        notes=("The times carry no year; the year was inferred.",),
    ),
    ledger_file(5, "inventory.csv", "asset", at(1, 0), at(1, 0), format="table"),
)


def _evidence(number: int, *ordinals: int) -> tuple[Evidence, ...]:
    return tuple(Evidence(FILES[number - 1].id, n) for n in ordinals)


def make_trace() -> Trace:
    question = Question(
        at=at(4, 14, 5, 9),
        public_ip=parse_ip("203.0.113.5"),
        port=20500,
        transport="tcp",
        dst_ip=parse_ip("198.51.100.7"),
        dst_port=443,
    )
    return Trace(
        question,
        (
            Hop(
                "nat",
                "203.0.113.5:20500",
                Outcome.HELD,
                (
                    Candidate(
                        "10.66.3.77",
                        (("client_port", "51234"),),
                        at(4, 14, 5, 7),
                        at(4, 14, 5, 41),
                        _evidence(1, 51_230, 51_377),
                    ),
                ),
                (-32.0, 2.0),
            ),
            Hop(
                "lease",
                "10.66.3.77",
                Outcome.HELD,
                (
                    Candidate(
                        "da:a1:19:0c:42:7e",
                        (("hostname", "zhangsan-phone"), ("segment", "hall")),
                        at(4, 13, 40, 2),
                        at(4, 15, 40, 2),
                        _evidence(3, 77),
                    ),
                ),
                (-5707.0, 1507.0),
            ),
            Hop("station", "da:a1:19:0c:42:7e", Outcome.NOT_COVERED),
        ),
        Reach.DEVICE,
        (("segment", "hall"), ("ssid", "ServiceHall")),
        (Reason.RANDOM_MAC, Reason.SHARED_KEY),
    )


FUNNEL = (
    FunnelStep("all", 1016, "Addresses of the unit's segments, and those seen outside of them."),
    FunnelStep(
        "active",
        212,
        "Addresses seen in use on that day: lease, session, translation or contact.",
        (FILES[1].id, FILES[2].id),
    ),
    FunnelStep(
        "nat",
        37,
        "Those with a translation to the public address within the time searched.",
        (FILES[0].id,),
    ),
    FunnelStep(
        "contacted",
        2,
        "Those that contacted the destination within the time searched.",
        (FILES[3].id,),
        ("10.66.3.77", "10.66.3.91"),
    ),
    FunnelStep(
        "device",
        1,
        "Those that had the source port within the time searched.",
        (FILES[0].id,),
        ("10.66.3.77",),
    ),
)


def policy_finding(rule: str, severity: Severity, subject: str, *values: tuple[str, str]) -> Finding:
    return Finding(
        finding_id(rule, subject),
        FindingKind.POLICY,
        severity,
        subject,
        rule,
        rule=rule,
        values=tuple(sorted(values)),
        count=1,
    )


FINDINGS = (
    policy_finding(
        "NA-CRED-01",
        Severity.HIGH,
        "ServiceHall",
        ("ssid", "ServiceHall"),
        ("age", "583"),
        ("max_age", "30"),
        ("key_changed_at", "2025-04-01"),
    ),
    policy_finding("NA-CRED-02", Severity.HIGH, "ServiceHall", ("ssid", "ServiceHall"), ("n", "212")),
    policy_finding(
        "NA-SEG-01",
        Severity.CRITICAL,
        "ServiceHall",
        ("ssid", "ServiceHall"),
        ("purpose", "public"),
        ("segment", "hall"),
    ),
    Finding(
        finding_id("visit"),
        FindingKind.DESTINATION,
        Severity.HIGH,
        "10.66.3.77",
        "Contact with a listed name",
        listed=ListEntry("gov-notice", "bad-site.example", 12, "a" * 64, "2026-11-01", "illegal"),
        destination="www.bad-site.example",
        first_seen=at(4, 14, 5, 6),
        last_seen=at(4, 14, 5, 6),
        count=2,
        grade=Grade.ANSWERED,
        trace=make_trace(),
        evidence=_evidence(4, 20_412, 20_413),
        from_notice=True,
    ),
)

VERDICTS = (
    *(
        Verdict(f.rule, Result.VIOLATED, f.subject, f.severity, f.values, basis=Basis.DECLARED)
        for f in FINDINGS[:3]
    ),
    Verdict(
        "NA-WLAN-01",
        Result.CANNOT_TELL,
        "Office-5G",
        because="The security type of the network is not recorded.",
    ),
)

NOTICE = Notice(
    issuer="中共云溪县委网络安全和信息化委员会办公室",
    number="云网办通报〔2026〕3号",
    subject="关于你单位网络违规访问境外网站问题的通报",
    issued_on=dt.date(2026, 11, 5),
    received_at=at(5, 9, 20),
    due=dt.date(2026, 11, 10),
    due_text="请于2026年11月10日前将整改情况书面报我办",
    clues=(
        Clue(
            at=at(4, 14, 5, 9),
            precision_s=1,
            public_ip="203.0.113.5",
            port=20500,
            transport="tcp",
            dst_ip="198.51.100.7",
            dst_port=443,
            dst_name="www.bad-site.example",
        ),
    ),
    file_name="notice.docx",
    sha256="f" * 64,
    timezone="Asia/Shanghai",
)


def make_case(**changes) -> Case:
    values = {
        "id": "云政服-网安-2026-001",
        "title": "网信办通报核查",
        "unit": "云溪县政务服务中心",
        "superior": "中共云溪县委网络安全和信息化委员会办公室",
        "timezone": "Asia/Shanghai",
        "opened_at": at(5, 9, 30),
        "as_of": at(8, 16, 0),
        "notice": NOTICE,
        "findings": FINDINGS,
        "verdicts": VERDICTS,
        "traces": (make_trace(),),
        "funnel": FUNNEL,
        "ledger": FILES,
        "lists": (ListVersion("gov-notice", Text(zh_cn="来文所列域名"), "a" * 64, 1, "2026-11-05"),),
        "tool_version": "0.1.0",
        "segments": (("hall", "服务大厅无线网段", "10.66.3.0/24"), ("office", "办公网段", "10.66.1.0/24")),
    }
    return Case(**{**values, **changes})


def _rule(id_: str, severity: str, titles: Text, finding: Text, action: Text, *cites: str) -> Rule:
    return Rule(
        id=id_,
        group="x",
        title=titles,
        finding=finding,
        action=action,
        over="wireless",
        severity=severity,
        data_needed=Text("x"),
        verify_by=Text("x"),
        deadline_days=1,
        cites=tuple(Citation("GBT22239", c) for c in cites),
    )


RULES = {
    rule.id: rule
    for rule in (
        _rule(
            "NA-CRED-01",
            "high",
            Text("Keys are changed", "无线口令定期更换", "無線口令定期更換"),
            Text(
                "Key of “{ssid}” unchanged since {key_changed_at}.",
                "无线网络“{ssid}”口令自{key_changed_at}起未更换，已{age}天，超过规定的{max_age}天。",
                "同上",
            ),
            Text("Change the key now.", "立即更换口令并登记更换时间；纳入定期更换计划。", "同上"),
            "8.1.4.1 a)",
        ),
        _rule(
            "NA-CRED-02",
            "high",
            Text("Per-person authentication", "无线接入逐人认证", "同上"),
            Text(
                "“{ssid}” uses one key; {n} devices.",
                "“{ssid}”使用统一口令，近30天接入终端{n}台，不能落实到人。",
                "同上",
            ),
            Text("Use 802.1X.", "改用802.1X、逐人口令或实名门户认证。", "同上"),
            "8.1.3.5 a)",
        ),
        _rule(
            "NA-SEG-01",
            "critical",
            Text("No guest network on the extranet", "政务外网不架设对外无线", "同上"),
            Text(
                "“{ssid}” runs on {segment}.",
                "“{ssid}”架设于政务外网网段{segment}，供{purpose}使用。",
                "同上",
            ),
            Text("Close it.", "立即关闭；替代服务使用独立互联网线路。", "同上"),
            "8.1.3.1 a)",
        ),
        _rule(
            "NA-WLAN-01", "high", Text("Encrypted wireless", "无线网络加密", "同上"), Text("x"), Text("x")
        ),
    )
}


@pytest.fixture
def hall() -> SimpleNamespace:
    """The story's parts: `case(**changes)`, `trace()`, `at(day, hour, …)`, files, findings, notice."""
    return SimpleNamespace(
        case=make_case, trace=make_trace, at=at, files=FILES, findings=FINDINGS, notice=NOTICE
    )


@pytest.fixture
def rules() -> dict[str, Rule]:
    return RULES


@pytest.fixture
def write_template(tmp_path: Path):
    """Writes a template with the given body and gives its path."""

    def write(body: str, front: str = "") -> str:
        path = tmp_path / "own.md.j2"
        head = f'+++\nid = "own"\ntitle = "Own"\nlocale = "zh-CN"\nlayout = "gbt9704"\n{front}\n+++\n'
        path.write_text(head + body, encoding="utf-8")
        return str(path)

    return write
