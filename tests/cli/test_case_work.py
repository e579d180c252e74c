"""The verbs that work on a case, on the demo's week, as a person types them."""

from __future__ import annotations

import json
import shutil

import pytest
from command import netaudit

from netaudit.demo import write_week
from netaudit.demo.story import AS_OF, COMMANDS


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    """The demo's office after its story."""
    folder = tmp_path_factory.mktemp("office")
    write_week(folder)
    for _, arguments in COMMANDS:
        assert netaudit(*arguments, cwd=folder).returncode in {0, 1}
    return folder


@pytest.fixture
def case(office):
    """A copy of the case that a test may change, beside the evidence."""
    copy = office / "copy"
    shutil.copytree(office / "case", copy)
    yield "copy"
    shutil.rmtree(copy)


def shown(office, case="case"):
    return json.loads(netaudit("case", "show", case, "--format", "json", cwd=office).stdout)


def notice_finding(office):
    return next(f for f in shown(office)["findings"] if f["from_notice"])


def test_show_tells_the_story(office):
    run = netaudit("case", "show", "case", cwd=office)
    assert run.returncode == 0
    for word in (
        "203.0.113.5:31877",
        "R-SHARED-KEY",
        "R-RANDOM-MAC",
        "flagged-site.example",
        "NA-SEG-01",
        "M01",
    ):
        assert word in run.stdout


def test_show_in_chinese(office):
    run = netaudit("case", "show", "case", cwd=office, lang="zh-CN")
    assert "地址转换" in run.stdout
    assert "整改" in run.stdout or "待认领" in run.stdout


def test_list_and_explain(office):
    assert "SXZF-网安-2026-001" in netaudit("case", "list", ".", cwd=office).stdout
    finding = notice_finding(office)
    run = netaudit("explain", finding["id"], "--case", "case", cwd=office)
    assert run.returncode == 0
    assert "flagged-site.example" in run.stdout
    assert "mirror.pcapng #" in run.stdout
    assert "R-SHARED-KEY" in run.stdout


def test_explain_a_rules_finding(office):
    finding = next(f for f in shown(office)["findings"] if f["rule"] == "NA-CRED-01")
    run = netaudit("explain", finding["id"], "--case", "case", cwd=office)
    assert "ServiceHall-WiFi" in run.stdout
    assert "{" not in run.stdout


def test_a_task_goes_its_way(office, case):
    common = ("case", "task", case, "M01")
    assert (
        netaudit(*common, "--by", "li", "--owner", "li", "--due", "2026-11-20", cwd=office).returncode == 0
    )
    assert netaudit(*common, "--to", "in_progress", "--by", "li", cwd=office).returncode == 0
    refused = netaudit(*common, "--to", "closed", "--by", "li", cwd=office)
    assert refused.returncode == 2
    assert "in_review" in refused.stderr
    assert (
        netaudit(*common, "--to", "in_review", "--by", "li", "--evidence", "photo-1", cwd=office).returncode
        == 0
    )
    assert netaudit(*common, "--to", "closed", "--by", "LI ", "--note", "ok", cwd=office).returncode == 2
    assert netaudit(*common, "--to", "closed", "--by", "wang", "--note", "ok", cwd=office).returncode == 0
    task = shown(office, case)["tasks"][0]
    assert (task["state"], task["owner"], task["due"]) == ("closed", "li", "2026-11-20")


@pytest.mark.parametrize("arguments", [("M99", "--to", "in_progress"), ("M01", "--to", "finished")])
def test_tasks_and_states_that_are_none(office, arguments):
    assert netaudit("case", "task", "case", *arguments, "--by", "li", cwd=office).returncode == 2


def test_notes_and_facts_reach_the_paper(office, case):
    run = netaudit(
        "case", "note", case, "", "--by", "office", "--fact", "leader=某某局长听取汇报", cwd=office
    )
    assert run.returncode == 0
    assert (
        netaudit("case", "note", case, "x", "--by", "office", "--fact", "nonsense", cwd=office).returncode
        == 2
    )
    assert netaudit("case", "approve", case, "停用大厅无线", "--by", "leader", cwd=office).returncode == 0
    statements = shown(office, case)["statements"]
    assert [(s["kind"], s["by"]) for s in statements] == [("decided", "leader")]


def test_reveal_needs_a_reason_and_purge_forgets(office, case):
    body = json.dumps(shown(office, case), ensure_ascii=False)
    pseudonym = "account-" + body.split("account-", 1)[1][:8]
    assert (
        netaudit("case", "reveal", case, pseudonym, "--by", "li", "--reason", " ", cwd=office).returncode
        == 2
    )
    run = netaudit("case", "reveal", case, pseudonym, "--by", "li", "--reason", "regulator", cwd=office)
    assert run.stdout.strip() == "cwk-09"
    assert netaudit("case", "purge", case, "--by", "li", cwd=office).returncode == 0
    assert (
        netaudit(
            "case", "reveal", case, pseudonym, "--by", "li", "--reason", "again", cwd=office
        ).returncode
        == 2
    )


def test_purge_waits_until_it_is_due(office, case):
    events = office / case / "events"
    common = ("case", "purge", case, "--by", "timer", "--if-due", "--as-of")
    assert netaudit(*common, "2027-02-06T09:00:00+08:00", cwd=office).returncode == 0
    assert events.is_dir()
    assert netaudit(*common, "2027-02-07T09:00:00+08:00", cwd=office).returncode == 0
    assert not events.exists()


def test_closing_needs_closed_tasks(office, case):
    run = netaudit("case", "close", case, "--by", "leader", cwd=office)
    assert run.returncode == 2
    assert "M01" in run.stderr


def test_reports_and_templates(office):
    assert "rectification-report" in netaudit("report", "list", cwd=office).stdout
    assert netaudit("report", "lint", "rectification-report", cwd=office).returncode == 0
    run = netaudit("report", "case", "--format", "json", "--out", "papers", cwd=office)
    assert run.returncode == 0
    assert (
        json.loads(next((office / "papers").glob("*.json")).read_text(encoding="utf-8"))["schema_version"]
        == 1
    )
    assert netaudit("report", "case", "--template", "nope", cwd=office).returncode == 2
    assert netaudit("report", "case", "--format", "papyrus", cwd=office).returncode == 2


def test_verify_a_case_and_a_paper(office, case):
    assert netaudit("verify", "case", cwd=office).returncode == 0
    paper = next((office / case / "reports").glob("*.html"))
    assert netaudit("verify", paper, cwd=office).returncode == 0
    paper.write_text(paper.read_text(encoding="utf-8") + " ", encoding="utf-8")
    assert netaudit("verify", paper, cwd=office).returncode == 1
    assert netaudit("verify", case, cwd=office).returncode == 1
    assert netaudit("verify", "letter.txt", cwd=office).returncode == 2


def test_check_agrees_with_the_case(office):
    run = netaudit("check", "--as-of", AS_OF, "--format", "json", cwd=office)
    assert run.returncode == 1
    violated = {
        (v["rule"], v["subject"]) for v in json.loads(run.stdout)["verdicts"] if v["outcome"] == "violated"
    }
    in_case = {(f["rule"], f["subject"]) for f in shown(office)["findings"] if f["kind"] == "policy"}
    assert {v for v in in_case if v[0] != "NA-TRACE-10"} == {v for v in violated if v[0] != "NA-TRACE-10"}
    table = netaudit("check", "NA-CRED-01", "--as-of", AS_OF, cwd=office)
    assert "2022-03-01" in table.stdout
    assert netaudit("check", "NA-NONE", cwd=office).returncode == 2


def test_trace_as_table_and_json(office):
    question = (
        "trace",
        "--public",
        "203.0.113.5:31877",
        "--at",
        "2026-11-04T14:05:09",
        "--dst",
        "198.51.100.77:443",
    )
    assert "ServiceHall-WiFi" in netaudit(*question, cwd=office).stdout
    answer = json.loads(netaudit(*question, "--format", "json", cwd=office).stdout)
    assert [h["outcome"] for h in answer["hops"]] == ["held", "held", "held", "missing"]
    assert {r["code"] for r in answer["reasons"]} >= {"R-SHARED-KEY", "R-RANDOM-MAC"}
    nobody = netaudit("trace", "--public", "192.0.2.1:1", "--at", "2026-11-04T14:05:09", cwd=office)
    assert nobody.returncode == 3
    assert "R-NOT-OURS" in nobody.stdout


def test_lists_rules_formats_doctor(office):
    assert "demo-flagged" in netaudit("lists", "stats", cwd=office).stdout
    assert "adguard" in netaudit("lists", "formats", cwd=office).stdout
    assert "NA-CRED-01" in netaudit("rules", "list", cwd=office).stdout
    assert "IA-5" in netaudit("rules", "explain", "NA-CRED-01", cwd=office).stdout
    assert "bind_querylog" in netaudit("formats", "list", cwd=office).stdout
    assert "示例县综合服务局" in netaudit("doctor", cwd=office).stdout


def test_formats_try(office):
    log = "evidence/dns/queries-gov.log"
    run = netaudit("formats", "try", log, "--format", "csv", cwd=office)
    assert run.stdout.splitlines()[0].startswith("line,ts_utc,client_ip")
    assert "www" in netaudit("formats", "try", log, cwd=office).stdout
    assert netaudit("formats", "try", log, "--as", "conntrack", cwd=office).returncode == 2
    assert netaudit("formats", "try", log, "--as", "conntrak", cwd=office).returncode == 2


def test_own_rule_examples(office):
    from netaudit.policy import rule

    path = next(p for p in (rule.SHIPPED).glob("NA-CRED-01.toml"))
    assert netaudit("rules", "test", path, cwd=office).returncode == 0


def test_scan_forms(office):
    capture = "evidence/capture/mirror.pcapng"
    sarif = json.loads(netaudit("scan", capture, "--format", "sarif", cwd=office).stdout)
    assert sarif["version"] == "2.1.0"
    lines = netaudit("scan", capture, "--format", "jsonl", cwd=office).stdout.splitlines()
    table = netaudit("scan", capture, "--format", "csv", cwd=office).stdout.splitlines()
    assert len(lines) == len(table) - 1 == len(sarif["runs"][0]["results"]) > 0
