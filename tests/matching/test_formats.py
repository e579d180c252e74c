import csv

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netaudit.errors import BlocklistError
from netaudit.matching.index import build_index
from netaudit.matching.list_format import find_format, list_formats
from netaudit.matching.vectors import run_vectors

SAMPLES = [(name, sample) for name, f in list_formats().items() for sample in f.samples]
CORE = (
    "hosts",
    "domains",
    "domains-subtree",
    "wildcard-domains",
    "adguard-dns",
    "cidr-list",
    "netset",
    "normalise-name",
    "psl",
)


@pytest.mark.parametrize(("name", "sample"), SAMPLES)
def test_samples(name, sample, index_of):
    index = index_of(sample.text, name)
    assert [s for s in sample.hits if not index.find(s)] == []
    assert [s for s in sample.misses if index.find(s)] == []


def accounted(report):
    return report.lines == report.rule_lines + sum(s.count for s in report.skipped)


LINES = st.lists(
    st.one_of(
        st.sampled_from(
            [
                "bad.example",
                "0.0.0.0 a.example b..example",
                "||x.example^$important",
                "@@||x.example^",
                "/a(/",
                "/(?=x)/",
                "*",
                "# c",
                "! c",
                "192.0.2.0/24",
                "1.2.3.4-1.2.3.9",
                "::1 x.test",
                "||y.example^$badfilter",
                "",
                "  ",
                "a\\.b.example",
                "bücher.example",
                "||z^$client='x",
                "$",
                "||$dnstype=A",
                "10.0.0.1%lo0/33",
            ]
        ),
        st.text(max_size=20),
    ),
    max_size=12,
)


@pytest.mark.parametrize("name", sorted({f.names[0] for f in list_formats().values()}))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=LINES)
def test_every_line_is_accounted_for(name, lines, read):
    blocklist = read("\n".join(lines), name)
    assert accounted(blocklist.report)
    build_index([blocklist]).find("bad.example")


def test_one_list_in_several_formats_gives_the_same_verdicts(index_of):
    names = ["bad.example", "xn--bcher-kva.example", "a_b.example"]
    texts = {
        "domains-subtree": "\n".join(names),
        "wildcard-domains": "\n".join(f"*.{n}" for n in names),
        "adguard-dns": "\n".join(f"||{n}^" for n in names),
    }
    subjects = [*names, *(f"x.{n}" for n in names), "notbad.example", "example", "bücher.example"]
    verdicts = {f: [bool(index_of(t, f).find(s)) for s in subjects] for f, t in texts.items()}
    assert len({tuple(v) for v in verdicts.values()}) == 1


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "gb18030"])
def test_lists_in_other_encodings(encoding, read):
    text = "# 名单：诈骗网站，请勿访问\nbad.example\n例子.example\n"
    blocklist = read(text.encode(encoding), "domains")
    assert blocklist.rules.names.to_pylist() == ["bad.example", "xn--fsqu00a.example"]


def test_skipped_lines_say_why_and_where(read):
    report = read(
        "! c\n||a.example^$script\na.example##.ad\n||a.example/x\n||b.example^\n", "adguard-dns"
    ).report
    assert {s.reason: s.first for s in report.skipped} == {
        "the line is a comment": (1,),
        "the rule has a modifier that does not belong to DNS": (2,),
        "the rule hides parts of pages, which no name decides": (3,),
        "the rule needs a path or a port, which no name decides": (4,),
    }


def test_regexes_are_linear_or_refused(read, index_of):
    assert read("/(a)\\1/\n/(?=x)y/\n", "adguard-dns").report.rules == 0
    index = index_of("/^(a+)+$/\n", "adguard-dns")
    assert not index.find("a" * 60 + ".b." + "a" * 60)


def test_unknown_format_names_the_nearest():
    with pytest.raises(BlocklistError) as caught:
        find_format("host", "x")
    assert caught.value.hint == "Did you mean hosts?"


def test_vectors_of_the_shared_table(shared):
    table = shared / "blocklist-data" / "vectors.tsv"
    with table.open(encoding="utf-8", newline="") as stream:
        rows = csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE)
        formats = {row["id"]: row["format"] for row in rows}
    results = run_vectors(table)
    assert len(results) == len(formats)
    assert [r for r in results if not r.holds and r.got != "unsupported"] == []
    assert [r for r in results if not r.holds and formats[r.id] in CORE] == []


def test_real_lists_are_read_and_accounted_for(shared, read):
    folder = shared / "blocklist-data"
    known = list_formats()
    with (folder / "MANIFEST.tsv").open(encoding="utf-8", newline="") as stream:
        rows = [r for r in csv.DictReader(stream, delimiter="\t") if r["format"] in known]
    assert len(rows) > 40
    for row in rows:
        blocklist = read((folder / row["file"]).read_bytes(), row["format"], allow_wide=True)
        report = blocklist.report
        assert accounted(report), row["file"]
        lost = sum(s.count for s in report.skipped if "comment" not in s.reason and "empty" not in s.reason)
        assert report.rule_lines + lost >= int(row["entries"]) * 0.99, row["file"]
        assert report.rules >= int(row["entries"]) * 0.97, row["file"]
