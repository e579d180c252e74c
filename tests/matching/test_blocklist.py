import datetime as dt

import pytest

from netaudit.errors import BlocklistError
from netaudit.matching import blocklist as module
from netaudit.matching.blocklist import Freshness, read_blocklist
from netaudit.matching.index import build_index
from netaudit.resources import folder

HEAD = 'category = "fraud"\nformat = "domains-subtree"\nretrieved = 2026-08-01\n'
TAIL = '[title]\nen = "Fraud"\n'


def described(tmp_path, middle, head=HEAD):
    path = tmp_path / "mine.toml"
    path.write_text(head + middle + TAIL, encoding="utf-8")
    return path


def test_entries_in_the_description_have_its_lines(tmp_path):
    path = described(tmp_path, 'entries = [\n  "bad.example", # note\n\n  "192.0.2.7",\n]\n')
    blocklist = read_blocklist(path)
    index = build_index([blocklist])
    (hit,) = index.find("www.bad.example")
    assert (hit.list_id, hit.entry, hit.line, hit.date) == ("mine", "bad.example", 5, "2026-08-01")
    assert path.read_text().splitlines()[hit.line - 1].strip().startswith('"bad.example"')
    assert index.find("192.0.2.7")[0].line == 7


def test_entries_in_a_file_beside_it(tmp_path):
    (tmp_path / "names.txt").write_text("# x\nbad.example\n")
    blocklist = read_blocklist(described(tmp_path, 'path = "names.txt"\n'))
    (hit,) = build_index([blocklist]).find("bad.example")
    assert (hit.line, hit.sha256, hit.severity) == (2, blocklist.sha256, "medium")


@pytest.mark.parametrize(
    "middle",
    [
        'entries = ["a.example"]\npath = "x"\n',
        "",
        'entries = ["a.example"]\nseverity = "huge"\n',
        'entries = ["a.example"]\nallow = true\n',
        'entries = ["a.example"]\ncolour = "red"\n',
        "entries = [\n",
        'entries = "a.example"\n',
    ],
)
def test_wrong_descriptions_are_refused(tmp_path, middle):
    with pytest.raises(BlocklistError) as caught:
        read_blocklist(described(tmp_path, middle))
    assert caught.value.hint


@pytest.mark.parametrize(
    ("format_", "entry", "harmless"),
    [
        ("domains", "com", "com.bad.example"),
        ("domains", "gov.cn", "x.gov.cn.bad.example"),
        ("domains-subtree", "gov.cn", "www.gov.cn"),
        ("domains-subtree", "github.io", "a.github.io"),
        ("domains-subtree", "example", "a.example"),
        ("domains-subtree", "公司.cn", "x.公司.cn"),
        ("domains-subtree", "anything.ck", "x.anything.ck"),
        ("wildcard-domains", "*.com", "a.com"),
        ("adguard-dns", "||com^", "a.com"),
        ("adguard-dns", "||*.top^", "a.top"),
        ("adguard-dns", "*", "a.com"),
        ("adguard-dns", "/.*/", "a.com"),
        ("adguard-dns", "/[a-z0-9]/", "a.com"),
        ("adguard-dns", "*$denyallow=com", "a.net"),
        ("cidr-list", "0.0.0.0/0", "192.0.2.1"),
        ("cidr-list", "::/0", "2001:db8::1"),
        ("cidr-list", "8.0.0.0/7", "8.8.8.8"),
        ("cidr-list", "2000::/3", "2001:db8::1"),
    ],
)
def test_poisoned_entries_are_refused_and_counted(format_, entry, harmless, read):
    blocklist = read(f"{entry}\n", format_)
    assert not build_index([blocklist]).find(harmless)
    assert blocklist.report.rules == 0
    assert [s.count for s in blocklist.report.skipped] == [1]
    assert blocklist.report.skipped[0].matters


def test_the_office_may_allow_wide_entries(read):
    assert build_index([read("com\n", "domains-subtree", allow_wide=True)]).find("a.com")


@pytest.mark.parametrize("name", ["www.ck", "a.github.io", "city.kobe.jp"])
def test_names_that_are_no_suffix_are_kept(name, read):
    assert build_index([read(f"{name}\n", "domains-subtree")]).find(f"x.{name}")


def test_eight_and_sixteen_bits_are_wide_enough(read):
    assert len(read("10.0.0.0/8\n2001::/16\n", "cidr-list").rules) == 2


def test_a_web_page_is_no_list(read):
    with pytest.raises(BlocklistError, match="Most lines"):
        read("<html>\n<body>\n<h1>Log in</h1>\nbad.example\n</html>\n", "domains", checked=True)


def test_a_list_is_not_endless(read, monkeypatch):
    monkeypatch.setattr(module, "MAX_LINES", 2)
    with pytest.raises(BlocklistError, match="more than 2 lines"):
        read("a.example\nb.example\nc.example\n", "domains")


def test_a_very_long_line_is_counted(read):
    report = read("a" * 1_100_000 + "\nbad.example\n", "domains").report
    assert (report.rules, report.skipped[0].reason) == (1, "the line is not text, or too long")


def test_a_cut_list_is_refused(read):
    import gzip

    with pytest.raises(BlocklistError, match="not whole"):
        read(gzip.compress(b"bad.example\n" * 9999)[:-20], "domains")


@pytest.mark.parametrize(
    ("days", "expected"),
    [(0, Freshness.FRESH), (13, Freshness.FRESH), (14, Freshness.STALE), (35, Freshness.OLD)],
)
def test_freshness(tmp_path, days, expected):
    blocklist = read_blocklist(described(tmp_path, 'entries = ["a.example"]\n'))
    assert blocklist.freshness(dt.date(2026, 8, 1) + dt.timedelta(days)) is expected


def test_freshness_without_a_date(read):
    assert read("a.example\n", "domains").freshness(dt.date(2026, 8, 1)) is Freshness.UNKNOWN


@pytest.mark.parametrize("path", sorted(folder("blocklists").glob("*.toml")), ids=lambda p: p.stem)
def test_shipped_lists(path):
    blocklist = read_blocklist(path)
    report = blocklist.report
    assert report.rules == report.lines > 0
    assert set(blocklist.described.title) == {"en", "zh-CN", "zh-TW"}
    told = blocklist.described.category
    assert told in {"malware", "phishing", "fraud", "gambling", "crypto-mining", "doh-resolver"}
    text = path.read_text(encoding="utf-8").splitlines()
    index = build_index([blocklist])
    for entry in range(len(index)):
        assert index.hit(entry).entry in text[index.hit(entry).line - 1]
