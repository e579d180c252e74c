"""The diagram of a walk-back: complete, the same twice, harmless, and within its page."""

from __future__ import annotations

import datetime as dt
import re
import zipfile
from dataclasses import replace
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree, html

from netaudit.attribution.reasons import LOCALES, needed, sentence
from netaudit.attribution.trace import Candidate, Hop, HopKind, Outcome, Question, Reach, Reason, Trace
from netaudit.records.addresses import parse_ip, parse_mac
from netaudit.records.evidence import Evidence
from netaudit.reports import render
from netaudit.reports.chain import chain_svg
from netaudit.reports.chain_boxes import MAX_CANDIDATES, boxes
from netaudit.reports.chain_drawing import WIDTH, draw_chain, text_width, wrap
from netaudit.reports.document import StepKind
from netaudit.reports.words import Words

ZONE = dt.timezone(dt.timedelta(hours=8))
AT = dt.datetime(2026, 11, 4, 14, 5, tzinfo=ZONE)
SVG = "{http://www.w3.org/2000/svg}"
ASKED = Question(at=AT, public_ip=parse_ip("203.0.113.5"), port=20500)
HOSTILE = [
    "<script>alert(1)</script>",
    '"><image href=x onload=alert(1)>',
    "a\u202eb",
    "\u2066isolate",
    "nul\x00",
    "line\nbreak",
    "lone\ud800",
    "\ufffe",
    "]]>",
    "&amp;&#0;",
    "שלום.example",
    "x" * 20_000,
    "a\u0301" * 5_000,
    "网" * 5_000,
]


def drawn(trace, locale="zh-CN"):
    return ET.fromstring(chain_svg(trace, locale, ZONE))


def texts(trace, locale="zh-CN"):
    return [element.text or "" for element in drawn(trace, locale).iter(f"{SVG}text")]


def together(trace, locale="zh-CN"):
    """All texts without blanks, for lines are broken anywhere."""
    return re.sub(r"\s", "", "".join(texts(trace, locale)))


def one(value, *more):
    return Candidate(
        value, start=AT, end=AT + dt.timedelta(seconds=30), evidence=(Evidence("ab" * 8, 7), *more)
    )


def asked(*hops, reach=Reach.ADDRESS, reasons=()):
    return Trace(ASKED, hops, reach, reasons=reasons)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize("kind", HopKind)
def test_every_step_and_outcome_is_said(kind, outcome, locale):
    candidates = tuple(map(one, ("10.0.0.1", "10.0.0.2")[: {"held": 1, "ambiguous": 2}.get(outcome, 0)]))
    said = together(asked(Hop(kind, "203.0.113.5:20500", outcome, candidates)), locale)
    words = Words(locale, ZONE, "internal")
    for part in (
        words.label("hop", kind),
        words.label("outcome", outcome),
        words.label("reach", Reach.ADDRESS),
    ):
        assert part.replace(" ", "") in said
    assert all(c.value in said for c in candidates)
    assert not candidates or ("14:05:00–14:05:30" in said and "abababab" in said)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("reason", Reason)
def test_every_reason_stands_beneath_with_what_is_needed(reason, locale):
    said = together(asked(reasons=(reason,)), locale)
    assert sentence(reason, locale).replace(" ", "") in said
    assert needed(reason, locale).replace(" ", "") in said


@pytest.mark.parametrize(
    ("kind", "outcome", "reason"),
    [
        (HopKind.NAT, Outcome.MISSING, Reason.NO_NATLOG),
        (HopKind.NAT, Outcome.AMBIGUOUS, Reason.CLOCK),
        (HopKind.LEASE, Outcome.NOT_COVERED, Reason.RETENTION_EXPIRED),
        (HopKind.STATION, Outcome.MISSING, Reason.SHARED_KEY),
        (HopKind.ASSET, Outcome.MISSING, Reason.RANDOM_MAC),
    ],
)
def test_a_break_says_its_own_reason(kind, outcome, reason, hall):
    trace = asked(
        Hop(kind, "x", outcome), reasons=(*(r for r in (Reason.NOT_OURS,) if kind != HopKind.NAT), reason)
    )
    words = Words("zh-CN", ZONE, "internal")
    box = boxes(trace, _catalogue(words)).steps[1]
    assert sentence(reason, "zh-CN") in [line.text for line in box.lines]


def test_a_hop_with_an_answer_has_no_break():
    trace = asked(Hop(HopKind.STATION, "x", Outcome.HELD, (one("x"),)), reasons=(Reason.SHARED_KEY,))
    box = boxes(trace, _catalogue(Words("en", ZONE, "internal"))).steps[1]
    assert box.kind is StepKind.HELD
    assert sentence(Reason.SHARED_KEY, "en") not in [line.text for line in box.lines]


def test_candidates_beyond_a_few_are_counted():
    hop = Hop(HopKind.NAT, "x", Outcome.AMBIGUOUS, tuple(one(f"10.0.0.{n}") for n in range(1, 41)))
    said = texts(asked(hop), "en")
    assert sum(text.startswith("10.0.0.") for text in said) == MAX_CANDIDATES
    assert f"and {40 - MAX_CANDIDATES} more" in said


@pytest.mark.parametrize(
    ("reach", "shown"),
    [(Reach.ADDRESS, "10.66.3.77"), (Reach.DEVICE, "da:a1:19:0c:42:7e"), (Reach.NOTHING, None)],
)
def test_the_last_box_says_what_was_reached(reach, shown, hall):
    trace = replace(hall.trace(), reach=reach)
    end = boxes(trace, _catalogue(Words("en", ZONE, "internal"))).steps[-1]
    assert end.kind is (StepKind.LOST if reach is Reach.NOTHING else StepKind.END)
    assert next((line.text for line in end.lines if line.strong), None) == shown
    assert ("hall" in [line.text for line in end.lines]) is True


def test_an_address_that_was_asked_for_is_reached(hall):
    question = Question(at=AT, client_ip=parse_ip("10.66.3.77"))
    trace = Trace(question, (Hop(HopKind.LEASE, "10.66.3.77", Outcome.MISSING),), Reach.ADDRESS)
    end = boxes(trace, _catalogue(Words("en", ZONE, "internal"))).steps[-1]
    assert [line.text for line in end.lines] == ["10.66.3.77"]


def test_a_paper_that_leaves_the_house_is_masked(hall):
    from netaudit.reports.catalogue import catalogue_of
    from netaudit.reports.facts import words_for

    case = hall.case()
    for audience, hidden in (("regulator", True), ("internal", False)):
        catalogue = catalogue_of(case, words_for(case, "zh-CN", audience))
        svg = draw_chain(boxes(hall.trace(), catalogue))
        for secret in ("10.66.3.77", "da:a1:19:0c:42:7e", "zhangsan-phone"):
            assert (secret not in svg) is hidden
        assert "服务大厅无线网段" in svg
        assert "E002第51230、51377条" in svg


@pytest.mark.parametrize("payload", HOSTILE)
def test_hostile_names_are_text(payload):
    candidate = replace(one(payload), details=(("hostname", payload), ("ssid", payload)))
    trace = replace(
        asked(Hop(HopKind.STATION, payload, Outcome.HELD, (candidate,))),
        place=(("ssid", payload), ("ap", payload)),
    )
    root = drawn(trace)
    assert {e.tag.removeprefix(SVG) for e in root.iter()} <= {
        "svg",
        "title",
        "desc",
        "rect",
        "g",
        "text",
        "line",
        "path",
        "polygon",
    }
    assert not [name for e in root.iter() for name in e.attrib if name.startswith("on") or "href" in name]
    said = "".join(root.itertext())
    assert all(c.isprintable() or c in " \n" for c in said)
    assert len(said) < 10_000
    assert int(root.get("viewBox").split()[3]) < 3_000


def test_right_to_left_letters_stay_in_their_order():
    root = drawn(asked(Hop(HopKind.STATION, "x", Outcome.HELD, (one("שלום.example"),))))
    assert {(e.get("direction"), e.get("unicode-bidi")) for e in root.iter(f"{SVG}text")} == {
        ("ltr", "bidi-override")
    }


@pytest.mark.parametrize("locale", LOCALES)
def test_the_same_trace_gives_the_same_bytes_with_words_for_those_who_cannot_see(locale, hall):
    trace = hall.trace()
    assert chain_svg(trace, locale, ZONE) == chain_svg(hall.trace(), locale, ZONE)
    root = drawn(trace, locale)
    assert root.get("role") == "img"
    title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert "203.0.113.5:20500" in title.text
    assert Words(locale, ZONE, "internal").label("reach", trace.reach) in description.text


def test_times_are_in_the_unit_s_zone():
    trace = asked(Hop(HopKind.NAT, "x", Outcome.HELD, (one("10.0.0.1"),)))
    assert "2026-11-04 14:05:00–14:05:30" in texts(trace)
    assert "06:05:00" in "".join(e.text or "" for e in ET.fromstring(chain_svg(trace, "en", dt.UTC)).iter())


def test_an_end_that_no_record_tells_is_no_moment():
    open_ended = replace(one("10.0.0.1"), end=None)
    assert "2026-11-04 14:05:00–?" in texts(asked(Hop(HopKind.NAT, "x", Outcome.HELD, (open_ended,))))


@given(st.text(max_size=200), st.floats(10, 16), st.floats(20, 600), st.booleans())
@settings(max_examples=80)
def test_lines_fit_and_lose_nothing(text, size, width, bold):
    lines = wrap(text, size, width, bold=bold)
    assert re.sub(r"\s", "", "".join(lines)) == re.sub(r"\s", "", text)
    assert all(text_width(line, size, bold=bold) <= width + 1e-6 or len(line) == 1 for line in lines)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("one two three", ["one two", "three"]),
        ("网络安全网络安全", ["网络安", "全网络", "安全"]),
        ("网络安，全", ["网络", "安，全"]),
        ("", [""]),
    ],
)
def test_where_lines_break(text, lines):
    width = 10 * (5 if text.isascii() else 3.5)
    assert wrap(text, 10, width) == lines


WORDS = st.text(max_size=60)
TIMES = st.one_of(
    st.none(),
    st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2090, 1, 1), timezones=st.just(dt.UTC)),  # noqa: DTZ001
)
CANDIDATES = st.builds(
    Candidate,
    value=WORDS,
    details=st.lists(
        st.tuples(
            st.one_of(st.sampled_from(["port", "ssid", "source", "destination", "hostname"]), WORDS), WORDS
        ),
        max_size=4,
    ).map(tuple),
    start=TIMES,
    end=TIMES,
    evidence=st.lists(st.builds(Evidence, WORDS, st.integers(1, 1 << 40)), max_size=4).map(tuple),
)
HOPS = st.builds(
    Hop,
    hop=st.sampled_from(HopKind),
    asked=WORDS,
    outcome=st.sampled_from(Outcome),
    candidates=st.lists(CANDIDATES, max_size=5).map(tuple),
    skew_stable_s=st.none() | st.tuples(st.floats(-1e6, 0), st.floats(0, 1e6)),
)
QUESTIONS = st.builds(
    Question,
    at=TIMES.filter(lambda t: t is not None),
    until=TIMES,
    public_ip=st.none() | st.binary(min_size=16, max_size=16),
    client_ip=st.none() | st.binary(min_size=16, max_size=16),
    mac=st.none() | st.just(parse_mac("da:a1:19:0c:42:7e")),
    port=st.none() | st.integers(0, 65535),
    transport=st.sampled_from(["", "tcp", "udp"]),
    dst_ip=st.none() | st.binary(min_size=16, max_size=16),
    dst_port=st.none() | st.integers(0, 65535),
)
TRACES = st.builds(
    Trace,
    question=QUESTIONS,
    hops=st.lists(HOPS, max_size=5).map(tuple),
    reach=st.sampled_from(Reach),
    place=st.lists(st.tuples(st.sampled_from(["segment", "ssid", "ap", "port"]), WORDS), max_size=4).map(
        tuple
    ),
    reasons=st.lists(st.sampled_from(Reason), unique=True).map(tuple),
)


@given(TRACES, st.sampled_from(LOCALES))
@settings(max_examples=80, deadline=None)
def test_any_trace_is_well_formed_within_its_page_and_the_same_twice(trace, locale):
    svg = chain_svg(trace, locale, ZONE)
    assert svg == chain_svg(trace, locale, ZONE)
    root = ET.fromstring(svg)
    height = int(root.get("viewBox").split()[3])
    lows = [0.0]
    for element in root.iter(f"{SVG}text"):
        x, y, size = (float(element.get(name)) for name in ("x", "y", "font-size"))
        wide = text_width(element.text or "", size, bold=element.get("font-weight") == "bold")
        if element.get("text-anchor") == "end":
            x -= wide
        assert x >= 0
        assert x + wide <= WIDTH or len(element.text) == 1
        assert 0 < y < height
        lows.append(y)
    boxes_drawn = [e for e in root.iter(f"{SVG}rect") if e.get("stroke")]
    assert len(boxes_drawn) == len(trace.hops) + 2
    ends = [(float(e.get("y")), float(e.get("y")) + float(e.get("height"))) for e in boxes_drawn]
    assert all(low[1] <= high[0] for low, high in pairwise(ends))


def test_it_is_in_the_papers_as_text(tmp_path, rules, hall):
    paths = render(
        "rectification-report",
        hall.case(),
        locale="zh-CN",
        formats=["docx", "html"],
        out=tmp_path,
        rules=rules,
    )
    with zipfile.ZipFile(paths[0]) as archive:
        paper = "".join(etree.fromstring(archive.read("word/document.xml")).itertext())
    page = html.fromstring(paths[1].read_text(encoding="utf-8")).text_content()
    for said in (paper, page):
        assert "203.0.113.5:20500的溯源过程" in said
        assert "到达范围：终端设备" in said
        assert "无该时段日志" in said
        assert needed(Reason.SHARED_KEY, "zh-CN") in said


def test_what_a_template_asks_for_and_is_not_there_prints_nothing(tmp_path, rules, hall, write_template):
    body = "before\n@chain 9\n@chain {{ unit }}\nafter\n"
    (path,) = render(
        write_template(body),
        hall.case(),
        locale="zh-CN",
        formats=["html"],
        out=tmp_path / "out",
        rules=rules,
    )
    assert "<svg" not in path.read_text(encoding="utf-8")


def _catalogue(words):
    from netaudit.reports.catalogue import Catalogue

    return Catalogue({}, "", words)
