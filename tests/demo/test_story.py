"""The demo's whole story, told once by the command line, against the answer key of the week."""

from __future__ import annotations

import html
import json
import os
import re
import subprocess
import sys

import pytest

from netaudit import workflow
from netaudit.attribution.trace import Reach
from netaudit.case.finding import FindingKind, Severity
from netaudit.demo.story import COMMANDS

FINDINGS = (
    "flagged-visit",
    "lookup-in-gap",
    "prefetch-lookup",
    "blocked-lookup",
    "traceable-visit",
    "encrypted-dns",
)
RULES = ("unauthorised-resolver", "encrypted-dns", "unregistered-device")


def netaudit(*arguments, cwd, lang="en"):
    return subprocess.run(
        [sys.executable, "-m", "netaudit", "--lang", lang, *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """The folder of a demo, and what it printed."""
    folder = tmp_path_factory.mktemp("story")
    return folder / "demo", netaudit("demo", "--out", "demo", cwd=folder)


@pytest.fixture(scope="module")
def case(told):
    return workflow.read_case(told[0] / "case")


@pytest.fixture(scope="module")
def truth(told):
    return json.loads((told[0] / "truth.json").read_text(encoding="utf-8"))


def answer(truth, tag):
    return next(a for a in truth["answers"] if a["tag"] == tag)


def found(case, wanted):
    """The destination findings of an answer of the key."""
    return [
        f
        for f in case.findings
        if f.kind is FindingKind.DESTINATION
        and f.subject in wanted["clients"]
        and f.destination in wanted["names"]
    ]


def test_the_story_is_told_without_an_error(told):
    folder, run = told
    assert run.returncode == 0, run.stderr
    assert "Traceback" not in run.stdout + run.stderr
    assert [line[5:] for line in run.stdout.splitlines() if line.startswith("   $ ")] == [
        "netaudit " + " ".join(arguments) for _, arguments in COMMANDS
    ]
    assert "leads to one phone on the service-hall Wi-Fi" in run.stdout
    assert {p.name for p in folder.iterdir()} >= {"case", "evidence", "letter.txt", "truth.json"}


def test_the_key_asks_for_what_is_tested_here(truth):
    assert {a["tag"] for a in truth["answers"] if a["expect"] == "finding"} == {*FINDINGS, *RULES}


@pytest.mark.parametrize("tag", FINDINGS)
def test_each_destination_is_found_with_its_grade(case, truth, tag):
    wanted = answer(truth, tag)
    (finding,) = found(case, wanted)
    assert finding.grade.value == wanted["grade"]
    assert finding.listed.list_id == wanted["list_id"]
    assert finding.listed.entry == wanted["entry"]


@pytest.mark.parametrize("tag", FINDINGS)
def test_each_finding_shows_the_packets_or_lines_of_the_key(case, truth, tag):
    wanted = answer(truth, tag)
    names = {entry.id: entry.name for entry in case.ledger}
    key = {(name, number) for name, numbers in wanted["evidence"] for number in numbers}
    shown = {(names[e.file], e.ordinal) for e in found(case, wanted)[0].evidence}
    assert shown & key
    assert shown <= key, "evidence that is not of this incident"


@pytest.mark.parametrize("tag", FINDINGS)
def test_each_trace_goes_as_far_as_the_key_says(case, truth, tag):
    wanted = answer(truth, tag)
    trace = found(case, wanted)[0].trace
    outcomes = {hop.hop: hop.outcome for hop in trace.hops}
    for hop, outcome in wanted["hops"]:
        assert outcomes.get(hop, outcome) == outcome, hop
    assert set(wanted["reasons"]) <= {r.value for r in trace.reasons}
    if wanted["reach"]:
        assert list(Reach).index(trace.reach) >= list(Reach).index(Reach(wanted["reach"]))
    if wanted["reach"] == "address":
        assert trace.reach is Reach.ADDRESS


def test_the_letter_is_traced_to_one_phone_and_no_further(case, truth):
    (trace,) = case.traces
    outcomes = [(hop.hop, hop.outcome.value) for hop in trace.hops]
    assert outcomes == [tuple(h) for h in answer(truth, "flagged-visit")["hops"]]
    assert trace.hops[0].candidates[0].value == truth["notice"]["client"]
    assert [f.subject for f in case.findings if f.from_notice] == [truth["notice"]["client"]]
    assert case.findings[0].severity is Severity.CRITICAL


def test_the_narrowing_ends_at_the_phone(case, truth):
    counts = [step.count for step in case.funnel]
    assert counts == sorted(counts, reverse=True)
    assert (case.funnel[-1].count, case.funnel[-1].kept) == (1, (truth["notice"]["client"],))


@pytest.mark.parametrize(
    "tag", ["lookalike-name", "lookalike-below", "port-reuse-before", "port-reuse-after"]
)
def test_look_alikes_and_neighbours_are_not_accused(case, truth, tag):
    wanted = answer(truth, tag)
    assert not [f for f in case.findings if f.destination in wanted["names"]]
    assert not [f for f in case.findings if f.subject in wanted["clients"]]


def test_nobody_else_is_accused_of_a_destination(case, truth):
    expected = {
        (c, n)
        for tag in FINDINGS
        for c in answer(truth, tag)["clients"]
        for n in answer(truth, tag)["names"]
    }
    destinations = [f for f in case.findings if f.kind is FindingKind.DESTINATION]
    assert {(f.subject, f.destination) for f in destinations} <= expected


@pytest.mark.parametrize("tag", RULES)
def test_rules_of_the_key_are_violated(case, truth, tag):
    assert answer(truth, tag)["rule"] in {f.rule for f in case.findings}


def test_declared_shortcomings_are_found(case, truth):
    violated = {v.rule for v in case.verdicts if v.outcome == "violated"}
    assert {p["rule"] for p in truth["policy"]} <= violated


def test_the_gap_of_the_leases_is_found(case):
    assert "dhcp-hall" in {f.subject for f in case.findings if f.rule == "NA-TRACE-08"}


def test_every_byte_of_the_evidence_is_accounted_for(case):
    assert all(e.bytes_read + e.bytes_skipped == e.size and e.complete for e in case.ledger)


def test_the_account_is_nowhere_but_behind_its_pseudonym(told, case, truth):
    account = answer(truth, "traceable-visit")["account"]
    assert account not in repr(case)
    for path in (told[0] / "case" / "reports").glob("*.html"):
        assert account not in path.read_text(encoding="utf-8")


def test_the_report_says_what_was_found(told, case):
    """The paper for the authority masks the host part of addresses."""
    (path,) = (told[0] / "case" / "reports").glob("*.html")
    text = html.unescape(re.sub(r"<[^>]+>", "", path.read_text(encoding="utf-8")))
    for words in ("示网办通〔2026〕12号", "flagged-site", "10.66.3.", "政务服务大厅", "随机"):
        assert words in text, words
    assert case.ledger[0].sha256 in text
    assert list((told[0] / "case" / "reports").glob("*.docx"))


def test_exit_codes_of_the_steps(told):
    folder, _ = told
    assert netaudit("verify", "case", cwd=folder).returncode == 0
    assert netaudit("case", "show", "case", cwd=folder).returncode == 0
    shown = netaudit(
        "explain", workflow.read_case(folder / "case").findings[0].id, "--case", "case", cwd=folder
    )
    assert shown.returncode == 0
    assert "flagged-site.example" in shown.stdout


def test_another_folders_things_are_not_overwritten(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x", encoding="utf-8")
    run = netaudit("demo", "--out", "mine", cwd=tmp_path)
    assert (run.returncode, (tmp_path / "mine" / "thesis.txt").read_text(encoding="utf-8")) == (2, "x")
    assert "demo-folder" in run.stderr


@pytest.mark.slow
def test_the_story_in_chinese(tmp_path):
    run = netaudit("demo", "--out", "demo", cwd=tmp_path, lang="zh-CN")
    assert run.returncode == 0, run.stderr
    assert "网安" in run.stdout
    assert len(re.findall(r"[\u4e00-\u9fff]", run.stdout)) > 500
