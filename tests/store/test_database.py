"""The case on disk: round trip, the chain of looks, damage."""

from __future__ import annotations

import datetime as dt
import sqlite3

import pytest

from netaudit.attribution.trace import Candidate, Hop, Outcome, Question, Reach, Reason, Trace
from netaudit.case.case import Case, ListVersion
from netaudit.case.finding import Finding, FindingKind, Grade, ListEntry, Severity
from netaudit.case.notice import Clue, Notice
from netaudit.errors import StoreError
from netaudit.i18n import Text
from netaudit.records.evidence import Evidence, EvidenceFile, Skipped
from netaudit.store import Store
from netaudit.store.database import FILE_NAME

NOW = dt.datetime(2026, 11, 9, 1, tzinfo=dt.UTC)


def full_case():
    question = Question(at=NOW, public_ip=bytes(16), port=20500, transport="tcp")
    hop = Hop(
        "nat",
        "203.0.113.5:20500",
        Outcome.HELD,
        (Candidate("10.66.3.77", (("transport", "tcp"),), NOW, None, (Evidence("ab", 7),), "fits"),),
        (-3.0, 20.0),
    )
    trace = Trace(question, (hop,), Reach.ADDRESS, (("segment", "hall"),), (Reason.RANDOM_MAC,))
    finding = Finding(
        "F-1",
        FindingKind.DESTINATION,
        Severity.HIGH,
        "10.66.3.77",
        "t",
        listed=ListEntry("l", "||x^", 3, "00"),
        grade=Grade.EXCHANGED,
        trace=trace,
        first_seen=NOW,
        evidence=(Evidence("ab", 7),),
        values=(("a", "b"),),
    )
    entry = EvidenceFile(
        "ab", "x.pcap", "ab" * 32, 5, "pcap", ("dns",), NOW, NOW, 1, (Skipped("r", 1, (2,)),), 4, 1
    )
    notice = Notice(
        issuer="网信办", number="〔2026〕12号", clues=(Clue(at=NOW, public_ip="203.0.113.5", port=1),)
    )
    return Case(
        id="SXZF-网安-2026-001",
        title="t",
        unit="u",
        superior="s",
        timezone="Asia/Shanghai",
        opened_at=NOW,
        as_of=NOW,
        notice=notice,
        findings=(finding,),
        traces=(trace,),
        ledger=(entry,),
        lists=(ListVersion("l", Text("t"), "00", 1),),
        facts={"leader": "x", "n": 3},
        segments=(("hall", "大厅", "10.66.3.0/24"),),
    )


def test_round_trip(tmp_path):
    with Store(tmp_path, create=True) as store:
        with store.transaction():
            store.write_case(full_case())
        assert store.read_case() == full_case()


def test_a_failed_verb_changes_nothing(tmp_path):
    with Store(tmp_path, create=True) as store:
        with store.transaction():
            store.write_case(full_case())
        with pytest.raises(RuntimeError), store.transaction():  # noqa: PT012 -- the block is what fails
            store.log(at=NOW, actor="a", action="b", subject="c")
            raise RuntimeError
        assert store.audit() == []


def logged(tmp_path, entries=3):
    with Store(tmp_path, create=True) as store, store.transaction():
        store.write_case(full_case())
        for number in range(entries):
            store.log(at=NOW, actor="a", action="look", subject=str(number), reason="r")


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ("UPDATE audit SET reason = 'other' WHERE seq = 2", 2),
        ("DELETE FROM audit WHERE seq = 2", 2),
        ("UPDATE audit SET prev = '' WHERE seq = 1", 1),
        ("SELECT 1", None),
    ],
)
def test_the_chain_shows_what_was_changed(tmp_path, change, broken):
    logged(tmp_path)
    with sqlite3.connect(tmp_path / FILE_NAME) as database:
        database.execute(change)
    database.close()
    with Store(tmp_path) as store:
        assert store.broken_audit_entry() == broken


def test_no_case_newer_case_damaged_case(tmp_path):
    with pytest.raises(StoreError, match="no case"):
        Store(tmp_path)
    logged(tmp_path)
    database = sqlite3.connect(tmp_path / FILE_NAME)
    database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(StoreError, match="newer"):
        Store(tmp_path)
    (tmp_path / FILE_NAME).write_bytes(b"not a database" * 100)
    with pytest.raises(StoreError, match="cannot be used"):
        Store(tmp_path)
