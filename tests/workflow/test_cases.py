"""The verbs on a case: each leaves it whole, logged, and without a person's name."""

from __future__ import annotations

import contextlib
import datetime as dt
import sqlite3
import zipfile

import pytest

from netaudit import workflow
from netaudit.case.finding import StatementKind
from netaudit.case.rectification import TaskState
from netaudit.errors import CaseError, InputError, StoreError, TemplateError, UsageError
from netaudit.store import Store

NOW = dt.datetime(2026, 11, 9, 1, 0, tzinfo=dt.UTC)
PERSONS = ("zhang.san", "Li Si")


def rows(case, *, leave_out=()):
    """The whole database as text, table by table."""
    with contextlib.closing(sqlite3.connect(case / "case.sqlite")) as db, db:
        tables = [r[0] for r in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            t: repr(db.execute(f'SELECT * FROM "{t}"').fetchall()) for t in tables if t not in leave_out
        }


def audit(case):
    with Store(case) as store:
        return [(e.actor, e.action, e.subject, e.reason) for e in store.audit()]


def change(case, statement, *values):
    with contextlib.closing(sqlite3.connect(case / "case.sqlite")) as db, db:
        for (trigger,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            db.execute(f'DROP TRIGGER "{trigger}"')
        db.execute(statement, values)


def pseudonyms(case):
    found = workflow.read_case(case).findings[0].trace.hops
    return {hop.hop: dict(hop.candidates[0].details) for hop in found}


# opening


def test_what_the_letter_says_is_in_the_case(desk):
    case = desk.open()
    assert (case.notice.number, case.state, case.timezone) == (
        "示办通〔2026〕12号",
        "open",
        "Asia/Shanghai",
    )
    assert case.notice.due == dt.date(2026, 11, 12)
    assert workflow.read_case(desk.case) == case
    assert audit(desk.case) == [("desk", "open", case.id, "")]


def test_a_folder_holds_one_case(desk):
    first = desk.open()
    with pytest.raises(UsageError) as raised:
        desk.open()
    assert raised.value.code == "case-exists"
    assert workflow.read_case(desk.case) == first


def test_a_letter_that_cannot_be_read_leaves_no_case(desk):
    (desk.folder / "letter.txt").unlink()
    with pytest.raises(InputError):
        desk.open()
    assert not desk.case.exists()


def test_a_unit_without_zone_has_no_papers(desk):
    desk.write("netaudit.toml", '[unit]\nname = "x"\n')
    with pytest.raises(UsageError) as raised:
        desk.open()
    assert raised.value.code == "unit-without-zone"


def test_no_case_there(tmp_path):
    with pytest.raises(StoreError) as raised:
        workflow.read_case(tmp_path)
    assert raised.value.code == "no-case"
    assert list(tmp_path.iterdir()) == []


def test_listing(scanned):
    scanned.open(scanned.folder / "other")
    assert [place.name for place, _ in workflow.list_cases(scanned.folder)[0]] == ["case", "other"]


# scanning


def test_the_letters_visit_reaches_a_person_by_pseudonym(done):
    finding, *others = workflow.read_case(done.case).findings
    assert (finding.from_notice, finding.trace.reach.value) == (True, "person")
    assert pseudonyms(done.case)["station"]["account"].startswith("account-")
    assert pseudonyms(done.case)["asset"]["owner"].startswith("person-")
    assert {f.kind.value for f in others} == {"policy"}


def test_no_person_in_the_database_outside_the_identities(done):
    assert all(person in rows(done.case)["identity"] for person in PERSONS)
    for table, text in rows(done.case, leave_out=("identity",)).items():
        assert not [person for person in PERSONS if person in text], table


@pytest.mark.parametrize("audience", ["regulator", "internal"])
def test_no_person_in_the_papers(scanned, audience):
    papers = scanned.report(formats=("docx", "html"), audience=audience)
    assert {p.suffix for p in papers} == {".docx", ".html"}
    for paper in papers:
        for text in _texts(paper):
            assert not [person for person in PERSONS if person in text], paper


def _texts(paper):
    if paper.suffix == ".html":
        return [paper.read_text(encoding="utf-8")]
    with zipfile.ZipFile(paper) as package:
        return [package.read(n).decode("utf-8", "replace") for n in package.namelist()]


def test_a_template_is_printed_only_for_its_audiences(scanned):
    with pytest.raises(TemplateError):
        scanned.report(audience="public")
    assert not (scanned.case / "reports").exists()


def test_a_scan_outside_a_case_hides_persons_too(desk):
    settings = desk.settings
    result = workflow.scan([str(desk.folder / "logs")], settings, workflow.lists_in_use(settings), now=NOW)
    assert result.findings
    assert not [p for p in PERSONS if p in repr(result.findings) + repr(result.traces)]
    assert not desk.case.exists()


class Stop(BaseException):
    """Ctrl-C in the middle."""


def test_a_scan_that_fails_leaves_events_and_case(scanned):
    before = rows(scanned.case)
    events = {p.name: p.read_bytes() for p in (scanned.case / "events").iterdir()}

    def stop(name, done, size):
        raise Stop

    scanned.write(
        "logs/more.log",
        "05-Nov-2026 06:05:09.012 queries: info: client @0x1 10.66.3.9#1 (bad.example): query: bad.example IN A + (10.66.0.53)\n",
    )
    with pytest.raises(Stop):
        scanned.scan(progress=stop)
    assert rows(scanned.case) == before
    assert {p.name: p.read_bytes() for p in (scanned.case / "events").iterdir()} == events
    assert not (scanned.case / "events.new").exists()


def test_tasks_that_people_work_on_stay_over_a_second_scan(scanned):
    workflow.advance_task(scanned.case, "M01", TaskState.IN_PROGRESS, by="Wang", now=NOW, owner="Wang")
    before = workflow.read_case(scanned.case)
    scanned.scan(now=NOW + dt.timedelta(days=1))
    after = workflow.read_case(scanned.case)
    assert after.tasks == before.tasks
    assert after.findings == before.findings
    assert after.as_of == NOW + dt.timedelta(days=1)


def more_evidence(desk, *lines):
    """A second log, of times (on 4 November), clients and names."""
    text = "".join(
        f"04-Nov-2026 {clock}.000 queries: info: client @0x1 {client}#1 ({name}): query: {name} IN A + (10.66.0.53)\n"
        for clock, client, name in lines
    )
    desk.write("logs/earlier.log", text)
    configuration = (desk.folder / "netaudit.toml").read_text(encoding="utf-8")
    source = '[[source]]\npath = "logs/earlier.log"\nrole = "dns"\ntimezone = "UTC"\n\n[[blocklist]]'
    desk.write("netaudit.toml", configuration.replace("[[blocklist]]", source))


def test_a_new_finding_gets_a_task_beside_those_in_work(scanned):
    workflow.advance_task(scanned.case, "M02", TaskState.IN_PROGRESS, by="Wang", now=NOW, owner="Wang")
    more_evidence(scanned, ("06:05:09", "10.66.3.9", "bad.example"))
    scanned.scan()
    case = workflow.read_case(scanned.case)
    (new,) = (f.id for f in case.findings if f.subject == "10.66.3.9")
    assert new in {t.finding for t in case.tasks}
    assert [t.owner for t in case.tasks if t.owner] == ["Wang"]


def test_earlier_evidence_for_a_finding_loses_no_task_in_work(scanned):
    workflow.advance_task(scanned.case, "M01", TaskState.IN_PROGRESS, by="Wang", now=NOW, owner="Wang")
    more_evidence(scanned, ("06:04:09", "10.66.3.55", "www.bad.example"))
    scanned.scan()
    assert [t.owner for t in workflow.read_case(scanned.case).tasks if t.owner] == ["Wang"]


def test_the_same_inputs_give_the_same_case_and_papers(desk):
    folders = desk.folder / "one" / "case", desk.folder / "two" / "case"
    papers = []
    for folder in folders:
        desk.open(folder)
        desk.scan(folder)
        papers.append([p.read_bytes() for p in desk.report(folder)])
    assert papers[0] == papers[1]
    assert rows(folders[0]) == rows(folders[1])
    first, second = ((f / "case.sqlite").read_bytes() for f in folders)
    assert first == second
    assert [(p.name, p.read_bytes()) for p in sorted((folders[0] / "events").iterdir())] == [
        (p.name, p.read_bytes()) for p in sorted((folders[1] / "events").iterdir())
    ]


def test_the_same_case_prints_the_same_twice(scanned):
    first = {p: p.read_bytes() for p in scanned.report()}
    assert {p: p.read_bytes() for p in scanned.report()} == first


# working on it


def test_statements_and_facts(scanned):
    later = NOW + dt.timedelta(hours=1)
    case = workflow.state(
        scanned.case,
        "We stop it.",
        kind=StatementKind.DECIDED,
        by="Head",
        now=later,
        facts=[("leader", "L")],
    )
    assert (case.statements[-1].text, case.statements[-1].by, case.facts["leader"]) == (
        "We stop it.",
        "Head",
        "L",
    )
    assert workflow.read_case(scanned.case) == case
    assert audit(scanned.case)[-1] == ("Head", "decided", "We stop it.", "")


def test_facts_alone_make_no_statement(scanned):
    case = workflow.state(
        scanned.case, "", kind=StatementKind.DECLARED, by="W", now=NOW, facts=[("a", "1")]
    )
    assert case.statements == ()
    assert audit(scanned.case)[-1][2] == "a"


def test_a_task_from_claim_to_close(scanned):
    def step(to, by="Wang", **more):
        return workflow.advance_task(scanned.case, "M01", to, by=by, now=NOW, **more)

    step(TaskState.IN_PROGRESS, owner="Wang", department="IT", due=dt.date(2026, 12, 1))
    step(TaskState.IN_REVIEW, note="done", evidence=["photo.jpg"])
    with pytest.raises(CaseError) as raised:
        step(TaskState.CLOSED, note="fine")
    assert raised.value.code == "task-second-person"
    task = step(TaskState.CLOSED, by="Zhao", note="seen")
    assert (task.state, task.owner, task.due) == (TaskState.CLOSED, "Wang", dt.date(2026, 12, 1))
    assert workflow.read_case(scanned.case).tasks[0] == task
    assert [a[1] for a in audit(scanned.case)[-3:]] == ["task in_progress", "task in_review", "task closed"]


def test_a_refused_step_changes_nothing(scanned):
    before = rows(scanned.case)
    with pytest.raises(CaseError):
        workflow.advance_task(scanned.case, "M01", TaskState.CLOSED, by="Wang", now=NOW)
    with pytest.raises(CaseError) as raised:
        workflow.advance_task(scanned.case, "M99", TaskState.IN_PROGRESS, by="Wang", now=NOW)
    assert raised.value.code == "no-task"
    assert rows(scanned.case) == before


def test_a_case_with_open_tasks_stays_open(scanned):
    with pytest.raises(CaseError) as raised:
        workflow.close_case(scanned.case, by="Head", now=NOW)
    assert raised.value.code == "tasks-open"
    assert workflow.read_case(scanned.case).state == "open"


def test_a_case_closes_once_its_tasks_are(scanned):
    for task in workflow.read_case(scanned.case).tasks:
        for to, by in (
            (TaskState.IN_PROGRESS, "Wang"),
            (TaskState.IN_REVIEW, "Wang"),
            (TaskState.CLOSED, "Zhao"),
        ):
            workflow.advance_task(scanned.case, task.id, to, by=by, now=NOW, note="n", evidence=["e"])
    assert workflow.close_case(scanned.case, by="Head", now=NOW).state == "closed"
    assert audit(scanned.case)[-1][:2] == ("Head", "close")


# looking behind a pseudonym


def test_reveal_says_who_and_is_logged(scanned):
    pseudonym = pseudonyms(scanned.case)["station"]["account"]
    assert workflow.reveal(scanned.case, pseudonym, by="Head", reason="hearing", now=NOW) == "zhang.san"
    assert audit(scanned.case)[-1] == ("Head", "reveal", pseudonym, "hearing")
    assert "zhang.san" not in rows(scanned.case)["audit"]


def test_a_look_is_logged_before_the_answer_even_where_there_is_none(scanned):
    with pytest.raises(CaseError) as raised:
        workflow.reveal(scanned.case, "person-00000000", by="Head", reason="curious", now=NOW)
    assert raised.value.code == "pseudonym-unknown"
    assert audit(scanned.case)[-1] == ("Head", "reveal", "person-00000000", "curious")


def test_a_look_that_cannot_be_logged_gives_no_answer(scanned, monkeypatch):
    def fail(self, **_):
        raise StoreError("store-unusable", "full")

    monkeypatch.setattr(Store, "log", fail)
    with pytest.raises(StoreError):
        workflow.reveal(
            scanned.case, pseudonyms(scanned.case)["station"]["account"], by="a", reason="b", now=NOW
        )


@pytest.mark.parametrize(("by", "reason"), [("", "why"), ("who", " ")])
def test_a_look_needs_a_name_and_a_reason(scanned, by, reason):
    before = audit(scanned.case)
    with pytest.raises(UsageError):
        workflow.reveal(scanned.case, "account-1", by=by, reason=reason, now=NOW)
    assert audit(scanned.case) == before


def test_purge_forgets_persons_and_events_and_keeps_findings(scanned):
    pseudonym = pseudonyms(scanned.case)["station"]["account"]
    findings = workflow.read_case(scanned.case).findings
    workflow.purge(scanned.case, by="Head", reason="90 days", now=NOW)
    assert workflow.read_case(scanned.case).findings == findings
    assert not (scanned.case / "events").exists()
    with pytest.raises(CaseError):
        workflow.reveal(scanned.case, pseudonym, by="Head", reason="late", now=NOW)
    stored = b"".join(p.read_bytes() for p in scanned.case.rglob("*") if p.is_file())
    assert not [person for person in PERSONS if person.encode() in stored]
    assert workflow.verify_case(scanned.case) == []


# verifying


def test_an_untouched_case_holds(done):
    assert workflow.verify_case(done.case) == []


def test_a_changed_evidence_file_is_seen(scanned):
    path = scanned.folder / "logs" / "queries.log"
    path.write_bytes(path.read_bytes() + b"\n")
    (problem,) = workflow.verify_case(scanned.case)
    assert (problem.what, problem.where) == ("an evidence file was changed", str(path))


def test_an_evidence_file_that_is_gone_is_seen(scanned):
    (scanned.folder / "logs" / "detail").unlink()
    (problem,) = workflow.verify_case(scanned.case)
    assert problem.what == "an evidence file is no longer there"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET reason = 'nothing' WHERE seq = 2",
        "UPDATE audit SET at = '2020-01-01T00:00:00Z' WHERE seq = 1",
        "DELETE FROM audit WHERE seq = 1",
        "DELETE FROM audit WHERE seq = 2",
    ],
)
def test_a_changed_log_of_looks_is_seen(scanned, statement):
    workflow.state(scanned.case, "x", kind=StatementKind.DECLARED, by="W", now=NOW)
    change(scanned.case, statement)
    assert "the log of looks is broken" in {p.what for p in workflow.verify_case(scanned.case)}


def test_a_finding_on_a_strange_file_is_seen(scanned):
    (name,) = (t for t in rows(scanned.case) if t.startswith("item"))
    used = workflow.read_case(scanned.case).findings[0].evidence[0].file
    change(
        scanned.case, f"UPDATE {name} SET body = replace(body, ?, ?) WHERE kind = 'finding'", used, "0" * 16
    )
    problems = workflow.verify_case(scanned.case)
    assert "a finding rests on a file that is not in the ledger" in {p.what for p in problems}


def test_a_case_verifies_from_any_folder(desk, monkeypatch):
    settings = desk.settings
    monkeypatch.chdir(desk.folder)
    desk.open()
    workflow.scan(
        ["logs", "register.csv"], settings, workflow.lists_in_use(settings), now=NOW, case_folder=desk.case
    )
    monkeypatch.chdir(desk.folder.parent)
    assert workflow.verify_case(desk.case) == []


def test_a_scan_that_fails_after_reading_leaves_the_old_events(scanned, monkeypatch):
    def stop(*_, **__):
        raise Stop

    events = {p.name: p.read_bytes() for p in (scanned.case / "events").iterdir()}
    more_evidence(scanned, ("06:05:09", "10.66.3.9", "bad.example"))
    monkeypatch.setattr("netaudit.pipeline.check", stop)
    with pytest.raises(Stop):
        scanned.scan()
    assert {p.name: p.read_bytes() for p in (scanned.case / "events").iterdir()} == events
