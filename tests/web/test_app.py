"""The console: read-only, for this machine only, and inert whatever the evidence says."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from netaudit.case.case import Case
from netaudit.case.finding import Finding, FindingKind, Grade, ListEntry, Severity
from netaudit.case.notice import Notice
from netaudit.records.evidence import Evidence, EvidenceFile, Skipped
from netaudit.store import Store
from netaudit.web.app import make_app

NOW = dt.datetime(2026, 11, 9, 1, 0, tzinfo=dt.UTC)
HOSTILE = '<script>alert("1")</script>'
IMAGE = "\"><img src=x onerror=alert('2')>"
TEMPLATE = "{{7*7}}"

FINDING = Finding(
    id="F-0123456789ab",
    kind=FindingKind.DESTINATION,
    severity=Severity.HIGH,
    subject="10.66.3.55",
    title="Look-up of a listed destination",
    rule="NA-DEST-01",
    listed=ListEntry("bad", "bad.example", 2, "a" * 64),
    destination="www.bad.example",
    first_seen=NOW,
    last_seen=NOW,
    count=3,
    grade=Grade.ASKED,
    evidence=(Evidence("ab", 7), Evidence("gone", 9)),
    doubts=("Some of these records carry no usable time.",),
)
CASE = Case(
    id="NA-2026-001",
    title="A visit",
    unit="Office",
    superior="",
    timezone="Asia/Shanghai",
    opened_at=NOW,
    as_of=NOW,
    notice=Notice(issuer="Authority", number="12", due=dt.date(2026, 11, 12)),
    findings=(FINDING,),
    ledger=(
        EvidenceFile(
            "ab", "logs/queries.log", "ab" * 32, 9, "bind_querylog", skipped=(Skipped("odd", 4),), records=5
        ),
    ),
)


def put(folder, case):
    with Store(folder, create=True) as store, store.transaction():
        store.write_case(case)


@pytest.fixture
def client(tmp_path):
    put(tmp_path / "one", CASE)
    return make_app(tmp_path, "en").test_client()


@pytest.fixture
def hostile(tmp_path):
    bad = replace(
        FINDING,
        destination=HOSTILE,
        subject=IMAGE,
        title=TEMPLATE,
        listed=ListEntry(HOSTILE, IMAGE, 1, "b" * 64),
        doubts=(HOSTILE,),
        rule=IMAGE,
    )
    ledger = (replace(CASE.ledger[0], name=IMAGE, format=HOSTILE, skipped=(Skipped(HOSTILE, 1),)),)
    notice = Notice(issuer=HOSTILE, number=IMAGE, due_text=TEMPLATE)
    case = replace(CASE, id=HOSTILE, title=IMAGE, findings=(bad,), ledger=ledger, notice=notice)
    put(tmp_path / "a b&c", case)
    return make_app(tmp_path, "en").test_client()


def test_the_list_of_cases(client):
    page = client.get("/")
    assert page.status_code == 200
    assert "NA-2026-001" in page.text
    assert 'href="/case/one?lang=en"' in page.text


def test_no_case_yet(tmp_path):
    page = make_app(tmp_path, "en").test_client().get("/")
    assert page.status_code == 200
    assert "netaudit case new" in page.text


def test_a_case(client):
    text = client.get("/case/one").text
    for words in (
        "A visit",
        "Authority 12",
        "2026-11-12",
        "www.bad.example",
        "logs/queries.log",
        "4 × odd",
    ):
        assert words in text
    assert 'href="/case/one/finding/F-0123456789ab?lang=en"' in text


def test_a_finding(client):
    text = client.get("/case/one/finding/F-0123456789ab").text
    for words in ("bad.example", "line 2", "logs/queries.log #7", "gone #9", "(3)", "no usable time"):
        assert words in text


@pytest.mark.parametrize(
    "path",
    [
        "/case/none",
        "/case/one/finding/F-0",
        "/nothing",
        "/case/..",
        "/case/%2e%2e%2fone",
        "/static/../app.py",
    ],
)
def test_what_is_not_there(client, path):
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_nothing_can_be_changed(client, method):
    assert getattr(client, method)("/").status_code == 405


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8765",
        "127.0.0.1.evil.example",
        "localhost.evil.example:80",
        "192.168.1.5:8765",
    ],
)
def test_another_host_header_is_refused(client, host):
    page = client.get("/", headers={"Host": host})
    assert page.status_code in {400, 403}
    assert "NA-2026-001" not in page.text


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost:8765", "localhost", "[::1]:8765", "[::1]"])
def test_this_machine_is_let_in(client, host):
    assert client.get("/", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("path", ["/", "/case/one", "/nothing", "/case/one/finding/F-0123456789ab"])
def test_pages_load_nothing_and_are_not_kept(client, path):
    headers = client.get(path).headers
    policy = headers["Content-Security-Policy"]
    for directive in (
        "default-src 'none'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ):
        assert directive in policy
    assert "script-src" not in policy
    assert (headers["X-Content-Type-Options"], headers["Cache-Control"]) == ("nosniff", "no-store")
    assert headers["Referrer-Policy"] == "no-referrer"


def test_a_refusal_is_as_inert(client):
    headers = client.get("/", headers={"Host": "evil.example"}).headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]


def test_hostile_names_stay_text(hostile):
    for path in ("/", "/case/a%20b&c", "/case/a%20b&c/finding/F-0123456789ab"):
        page = hostile.get(path)
        assert page.status_code == 200, path
        assert "<script" not in page.text
        assert "<img" not in page.text
        assert "&lt;script&gt;" in page.text
    assert TEMPLATE in hostile.get("/case/a%20b&c").text


def test_links_of_odd_folders_work(hostile):
    assert "/case/a%20b%26c?lang=en" in hostile.get("/").text


@pytest.mark.parametrize("lang", [HOSTILE, "xx", ""])
def test_unknown_languages_fall_back(client, lang):
    page = client.get("/", query_string={"lang": lang})
    assert page.status_code == 200
    assert '<html lang="en">' in page.text


def test_chinese(client):
    page = client.get("/case/one?lang=zh-CN")
    assert '<html lang="zh-CN">' in page.text
    assert "?lang=zh-CN" in page.text
    assert "发现" in page.text or "证据" in page.text


def test_a_damaged_case_is_said(tmp_path):
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "case.sqlite").write_bytes(b"SQLite format 3\0" + bytes(200))
    page = make_app(tmp_path, "en").test_client().get("/")
    assert page.status_code == 200
    assert "case.sqlite" in page.text
    page = make_app(tmp_path, "en").test_client().get("/case/bad")
    assert page.status_code == 500
    assert "store-unusable" in page.text
    assert "Traceback" not in page.text
