"""The rectification report: what it says, what it hides, and that it is the same twice."""

from __future__ import annotations

import datetime as dt
import json
import re
import zipfile
from dataclasses import replace

import pytest
from lxml import etree, html

from netaudit.attribution.trace import Reach
from netaudit.case.finding import Finding, FindingKind, Severity, Statement, StatementKind
from netaudit.case.notice import Notice
from netaudit.case.rectification import TaskState, advance, tasks_for
from netaudit.errors import TemplateError
from netaudit.policy.verdict import Outcome as Result
from netaudit.policy.verdict import Verdict
from netaudit.records.evidence import Evidence
from netaudit.reports import compose, facts_for, find_template, read_template, render
from netaudit.reports.catalogue import catalogue_of
from netaudit.reports.document import Chart, Table, text_of
from netaudit.reports.facts import words_for

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
REPORT = "rectification-report"
PAYLOADS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{7*7}}",
    "{% for %}",
    "# heading",
    "| a | b |",
    "=cmd()",
    "a\u202eb",
    "nul\x00",
    "lone\ud800",
    "javascript:alert(1)",
    "]]>",
    "&amp;",
    "</w:t>",
    "x" * 20_000,
]


@pytest.fixture
def printed(tmp_path, rules, hall):
    def of(case=None, **options):
        formats = options.pop("formats", ["docx", "html", "json"])
        return render(
            REPORT,
            case or hall.case(),
            locale="zh-CN",
            formats=formats,
            out=tmp_path / "out",
            rules=rules,
            **options,
        )

    return of


@pytest.fixture
def text(rules, hall):
    def of(case=None, audience="regulator") -> str:
        template = read_template(find_template(REPORT, "zh-CN"))
        document = compose(template, case or hall.case(), locale="zh-CN", audience=audience, rules=rules)
        return "\n".join(run.text for run in document.runs())

    return of


def docx_text(path) -> str:
    with zipfile.ZipFile(path) as archive:
        root = etree.fromstring(archive.read("word/document.xml"))
    return "\n".join("".join(t.text or "" for t in p.iter(f"{W}t")) for p in root.iter(f"{W}p"))


def test_the_same_case_gives_the_same_bytes(tmp_path, printed, rules, hall):
    first = [p.read_bytes() for p in printed()]
    again = render(
        REPORT,
        hall.case(),
        locale="zh-CN",
        formats=["docx", "html", "json"],
        out=tmp_path / "b",
        rules=rules,
    )
    assert first == [p.read_bytes() for p in again]
    with zipfile.ZipFile(again[0]) as archive:
        assert {i.date_time for i in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert not [n for n in archive.namelist() if "thumbnail" in n]


def test_docx_opens_and_has_the_numbers_of_the_standard(printed):
    docx = pytest.importorskip("docx")
    (path,) = printed(formats=["docx"])
    document = docx.Document(str(path))
    section = document.sections[0]
    assert [
        round(m.twips)
        for m in (section.top_margin, section.bottom_margin, section.left_margin, section.right_margin)
    ] == [
        2098,
        1984,
        1587,
        1474,
    ]
    assert document.settings.odd_and_even_pages_header_footer
    assert section.footer.paragraphs[0].alignment == 2
    assert section.even_page_footer.paragraphs[0].alignment == 0
    assert "PAGE" in section.footer._element.xml
    assert document.core_properties.created.replace(tzinfo=dt.UTC) == dt.datetime(
        2026, 11, 8, 8, 0, tzinfo=dt.UTC
    )
    assert document.core_properties.author == "云溪县政务服务中心"
    headings = [p.text for p in document.paragraphs if p.style.name == "Heading 1"]
    assert headings[:5] == [
        "一、组织部署情况",
        "二、排查核实情况",
        "三、存在问题及原因",
        "四、整改措施及完成情况",
        "五、下一步工作",
    ]
    for fonts in document.element.iter(f"{W}rFonts"):
        assert len({fonts.get(f"{W}{slot}") for slot in ("ascii", "hAnsi", "eastAsia", "cs")}) == 1
    body = next(p for p in document.paragraphs if "现将有关情况报告如下" in p.text)
    spacing = body._p.pPr.find(f"{W}spacing")
    assert (spacing.get(f"{W}line"), spacing.get(f"{W}lineRule")) == ("579", "exact")
    assert body.runs[0]._r.rPr.find(f"{W}spacing").get(f"{W}val") == "-5"
    assert len(document.inline_shapes) == 2


def test_html_is_one_file_that_fetches_nothing(printed):
    (path,) = printed(formats=["html"])
    text = path.read_text(encoding="utf-8")
    page = html.fromstring(text)
    assert page.get("lang") == "zh-CN"
    assert page.xpath("//script|//link|//iframe|//object|//@onerror|//@onload") == []
    assert all(v.startswith("#") for v in page.xpath("//@src|//@href|//@*[local-name()='href']"))
    assert re.findall(r"url\(\s*(?!#)", text) == []
    assert page.xpath("count(//*[local-name()='svg'])") == 3


def test_what_the_report_says(text):
    said = text()
    for part in (
        "送审稿",
        "2026年11月5日",
        "203.0.113.5",
        "云网办通报〔2026〕3号",
        "可能涉及的内网地址由",
        "1016",
        "口令自2025年4月1日起未更换，已583天",
        "架设于政务外网网段服务大厅无线网段，供公众使用",
        "因接入认证环节无法还原，不能确定到具体人员",
        "2026年11月4日14时05分09秒",
        "www[.]bad-site[.]example",
        "198[.]51[.]100[.]7",
        "地址分配日志缺失：2026年11月4日11时30分00秒至2026年11月4日13时10分00秒",
        "未取得接入认证日志",
        "特此报告。",
        "E001",
    ):
        assert part in said.replace("\n", ""), part


def test_nothing_is_claimed_as_done_or_made_up(text):
    said = text().replace("\n", "")
    assert "【待补：听取汇报的领导职务、时间和要求，以会议或批示记录为准】" in said
    assert "已完成（" not in said
    assert "共列整改措施4项，均为拟采取措施" in said
    assert all(said.count(f"（M0{n}）。") == 1 for n in (1, 2, 3, 4))


def test_measures_follow_the_state_of_their_tasks(text, rules, hall):
    task, *others = tasks_for(hall.findings, rules.values())
    task = advance(task, TaskState.IN_PROGRESS, by="李四", at=hall.at(6, 9))
    working = text(
        hall.case(tasks=(replace(task, due=dt.date(2026, 11, 9), department="办公室"), *others))
    ).replace("\n", "")
    assert "正在办理（M01" in working
    assert "计划于2026年11月9日前完成" in working
    assert "李四" not in working
    task = advance(task, TaskState.IN_REVIEW, by="李四", at=hall.at(6, 10), evidence=["E007"])
    closed = advance(task, TaskState.CLOSED, by="王五", at=hall.at(7, 10))
    assert "已完成（M01" in text(hall.case(tasks=(closed, *others))).replace("\n", "")


def test_inside_addresses_and_people_are_masked_for_the_regulator(printed, text, hall):
    secrets = ["10.66.3.77", "10.66.3.91", "da:a1:19:0c:42:7e", "zhangsan-phone", "张三"]
    statement = Statement(StatementKind.DECLARED, "终端10.66.3.77由本人使用", "张三", hall.at(6, 9))
    case = hall.case(statements=(statement,))
    for path in printed(case):
        data = path.read_bytes()
        if path.suffix == ".docx":
            with zipfile.ZipFile(path) as archive:
                data = b"".join(archive.read(n) for n in archive.namelist())
        found = [s for s in secrets if s.encode() in data]
        assert found == [], path.suffix
    assert "10.66.3.77" in text(case, "internal")
    assert "10.66.3.*" in text(case)


@pytest.mark.parametrize(
    ("reach", "words"),
    [
        (Reach.NOTHING, "不能确定到内网地址、具体设备和人员"),
        (Reach.ADDRESS, "不能确定到具体设备和人员"),
        (Reach.ACCOUNT, "对应到一个认证账号"),
        (Reach.PERSON, "实际使用情况待核实"),
    ],
)
def test_the_conclusion_follows_the_reach(text, reach, words, hall):
    assert words in text(hall.case(traces=(replace(hall.trace(), reach=reach),))).replace("\n", "")


@pytest.mark.parametrize(
    "changes",
    [
        {"notice": None},
        {"traces": (), "funnel": ()},
        {"findings": (), "verdicts": ()},
        {"ledger": ()},
        {"notice": Notice()},
        {
            "notice": None,
            "traces": (),
            "funnel": (),
            "findings": (),
            "verdicts": (),
            "ledger": (),
            "lists": (),
            "segments": (),
            "unit": "",
            "superior": "",
        },
    ],
)
def test_a_thin_case_still_prints(printed, changes, hall):
    assert all(p.stat().st_size > 1000 for p in printed(hall.case(**changes)))


def test_no_finding_is_not_said_as_no_problem(text, hall):
    said = text(hall.case(findings=(), verdicts=(), ledger=())).replace("\n", "")
    assert "不等于未发现问题" in said


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_values_are_text_everywhere(printed, payload, hall):
    from netaudit.reports.document import visible

    findings = tuple(
        replace(f, values=(("ssid", payload),), destination=f.destination and payload)
        for f in hall.findings
    )
    case = hall.case(
        unit=payload,
        findings=findings,
        ledger=(replace(hall.files[0], name=f"a/{payload}"), *hall.files[1:]),
        facts={"leader_heard": payload},
    )
    docx_path, html_path, json_path = printed(case)
    shown = visible(" ".join(payload.split()))
    assert shown in docx_text(docx_path)
    page = html.fromstring(html_path.read_text(encoding="utf-8"))
    assert page.xpath("//script|//img|//@onerror") == []
    assert shown in page.text_content()
    assert json.loads(json_path.read_text(encoding="utf-8"))["facts"]["unit"] == visible(payload)


def test_statements_say_who_stands_behind_them(hall, text):
    kinds = {
        StatementKind.DECIDED: "经会议纪要〔2026〕8号研究决定：",
        StatementKind.DECLARED: "填报（",
        StatementKind.MEASURED: "经比对日志，发现：",
    }
    for kind, words in kinds.items():
        by = "会议纪要〔2026〕8号" if kind is StatementKind.DECIDED else "办公室"
        said = text(
            hall.case(statements=(Statement(kind, "事实如此。", by, hall.at(6, 9)),)), "internal"
        ).replace("\n", "")
        assert words in said
        assert "事实如此。" in said


def test_numbers_agree(rules, hall):
    facts = facts_for(hall.case(), "zh-CN", "regulator", rules=rules)
    assert facts.count.problems == len(facts.problems) == 4
    assert [p.number for p in facts.problems] == ["P01", "P02", "P03", "P04"]
    assert facts.problems[0].source == "来文"
    assert (
        facts.count.measures
        == facts.count.measures_closed + facts.count.measures_open + facts.count.measures_proposed
    )
    assert [e.number for e in facts.exhibits] == ["E001", "E002", "E003", "E004", "E005", "E006"]
    assert all(len(e.sha256) == 64 for e in facts.exhibits)
    assert [s.count for s in facts.funnel] == [1016, 212, 37, 2, 1]
    assert {p.measure for p in facts.problems} == {"M01", "M02", "M03", "M04"}
    assert all(m.problem == p.number for m, p in zip(facts.measures, facts.problems, strict=True))


def test_the_shipped_rules_and_norms_fill_the_report(hall):
    facts = facts_for(hall.case(), "zh-CN", "regulator")
    segment = next(p for p in facts.problems if p.rule == "NA-SEG-01")
    assert "架设于政务外网" in segment.text
    assert "第二十三条第（二）项（2025年修正前第二十一条第（二）项）" in segment.cites
    assert segment.cites.count("GB/T 22239-2019") == 1
    assert "NIST" not in segment.cites
    english = facts_for(hall.case(), "en", "internal")
    assert "NIST" in next(p for p in english.problems if p.rule == "NA-SEG-01").cites
    assert english.sources[0].span.startswith("2026-11-04 00:00:00")


def test_chart_rows_and_marks(rules, hall):
    chart = facts_for(hall.case(), "zh-CN", "regulator", rules=rules).chart
    assert isinstance(chart, Chart)
    assert [row.label for row in chart.rows] == ["NAT E002", "DHCP E003..E004", "DNS E005"]
    assert [bar.gap for bar in chart.rows[1].bars] == [False, False, True]
    assert chart.moment == hall.notice.clues[0].at
    assert chart.moment_label
    assert all(
        label.isascii() for row in chart.rows for label in (row.label, *(m.label for m in row.marks))
    )


def test_tables_have_as_many_widths_as_columns(rules, hall):
    template = read_template(find_template(REPORT, "zh-CN"))
    document = compose(template, hall.case(), locale="zh-CN", rules=rules)
    tables = [b for b in document.blocks if isinstance(b, Table)]
    assert len(tables) >= 8
    assert all(len(set(t.widths)) > 1 for t in tables), [
        text_of(t.head[0]) for t in tables if len(set(t.widths)) == 1
    ]


def test_attachment_names_agree(rules, hall):
    from netaudit.reports.document import Annex, AttachmentList

    document = compose(
        read_template(find_template(REPORT, "zh-CN")), hall.case(), locale="zh-CN", rules=rules
    )
    (names,) = [b.names for b in document.blocks if isinstance(b, AttachmentList)]
    assert [text_of(n) for n in names] == [
        text_of(b.title) for b in document.blocks if isinstance(b, Annex)
    ]


@pytest.mark.parametrize("options", [{"formats": ["pdf9"]}, {"audience": "everybody"}])
def test_wrong_options_write_nothing(printed, tmp_path, options):
    with pytest.raises(TemplateError):
        printed(**options)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("id_", ["../../x", "a/b", "..", "-rf", "x" * 300, "CON:", ""])
def test_case_ids_stay_in_the_folder(printed, tmp_path, id_, hall):
    (path,) = printed(hall.case(id=id_), formats=["json"])
    assert path.parent == tmp_path / "out"
    assert not path.name.startswith(("-", "."))
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_english_needs_a_template(tmp_path, rules, hall):
    with pytest.raises(TemplateError):
        render(REPORT, hall.case(), locale="fr", formats=["html"], out=tmp_path, rules=rules)


def test_times_ids_and_codes_are_printed_as_words(hall):
    """Values of rules: moments in the unit's zone, sources and segments by name, reasons as sentences."""
    gap = (
        ("gap_from", "2026-11-03T00:35:31Z"),
        ("gap_to", "2026-11-03T07:01:16Z"),
        ("source", "dhcp-hall"),
    )
    visit = "203.0.113.5:20500"
    stop = (
        ("at", "2026-11-04T06:05:09Z"),
        ("broken_hop", "asset"),
        ("reason", "R-SHARED-KEY"),
        ("visit", visit),
    )
    made = [("NA-TRACE-08", "dhcp-hall", gap), ("NA-TRACE-10", visit, stop)]
    findings = tuple(
        Finding(f"F-{rule}", FindingKind.POLICY, Severity.HIGH, subject, rule, rule=rule, values=values)
        for rule, subject, values in made
    )
    verdicts = tuple(
        Verdict(rule, Result.VIOLATED, subject, "high", values) for rule, subject, values in made
    )
    ledger = tuple(
        replace(f, source="dhcp-hall", segments=("hall",)) if "dhcp" in f.kinds else f for f in hall.files
    )
    case = hall.case(findings=(*hall.findings, *findings), verdicts=verdicts, ledger=ledger)
    template = read_template(find_template(REPORT, "zh-CN"))
    said = "".join(run.text for run in compose(template, case, locale="zh-CN").runs())
    for part in (
        "服务大厅无线网段地址分配日志（E003、E004）在2026年11月3日08时35分31秒至2026年11月3日15时01分16秒无记录",
        "线索203.0.113.5:20500（2026年11月4日14时05分09秒）在“资产台账”环节中断",
        "该无线网络未设密码或共用同一密钥",
    ):
        assert part in said, part
    assert not re.search(r"R-[A-Z]|\dT\d\d:\d\d:\d\d|dhcp-hall", said)
    overview = facts_for(case, "zh-CN", "regulator").overview
    assert overview is not None
    silent = [bar for row in overview.rows for bar in row.bars if bar.gap]
    assert dt.datetime(2026, 11, 3, 0, 35, 31, tzinfo=dt.UTC) in {bar.start for bar in silent}


def test_what_explains_the_notice_is_told_from_the_rest(rules, hall):
    other = replace(hall.findings[0], id="F-other", subject="Office-5G", values=(("ssid", "Office-5G"),))
    facts = facts_for(hall.case(findings=(*hall.findings, other)), "zh-CN", "regulator", rules=rules)
    assert [p.explains for p in facts.problems] == [p.subject != "Office-5G" for p in facts.problems]
    assert facts.others.rules == next(p.number for p in facts.problems if p.subject == "Office-5G")
    unplaced = replace(hall.trace(), place=())
    facts = facts_for(hall.case(traces=(unplaced,)), "zh-CN", "regulator", rules=rules)
    assert all(p.explains for p in facts.problems)


def test_the_smallest_range_and_who_was_online(text, hall):
    steps = tuple(
        replace(s, count=3, kept=("10.66.3.77", "10.66.3.91", "10.66.1.9")) if s.step == "nat" else s
        for s in hall.case().funnel
    )
    assert "同时段在线2台" in text(hall.case(funnel=steps)).replace("\n", "")
    assert "同时段在线【待补：同时段在线终端数】台" in text().replace("\n", "")


def test_references_are_short_and_say_how_many_there_are(hall):
    words = words_for(hall.case(), "zh-CN", "regulator")
    catalogue = catalogue_of(hall.case(), words)
    evidence = [Evidence(hall.files[0].id, n) for n in range(1, 9)] + [Evidence(hall.files[1].id, 5)]
    assert catalogue.ref(evidence) == "E002第1、2、3条、E003等9条"
    assert catalogue.ref(evidence[:2]) == "E002第1、2条"
    assert catalogue.ref(evidence[:2], 33) == "E002第1、2条等33条"
    assert words.ranges(["M01", "M03", "M02", "M05", "M06"]) == "M01至M03、M05、M06"


def test_a_measure_of_one_text_is_said_once(rules, hall):
    visit = hall.findings[3]
    more = tuple(replace(visit, id=f"F-{n}", subject=f"10.66.3.{n}", from_notice=False) for n in (1, 2))
    facts = facts_for(hall.case(findings=(*hall.findings, *more)), "zh-CN", "regulator", rules=rules)
    (plan,) = [p for t in facts.themes for p in t.plans if "核实" in p.text]
    assert plan.numbers == "M01、M05、M06"
    assert {n for t in facts.themes for p in t.plans for n in p.numbers.split("、")} >= {
        "M01",
        "M02",
        "M03",
    }


@pytest.mark.parametrize(
    ("precision", "said"),
    [
        (1, "2026年11月4日14时05分09秒"),
        (60, "2026年11月4日14时05分"),
        (3600, "2026年11月4日14时"),
        (86400, "2026年11月4日"),
    ],
)
def test_a_moment_is_said_as_exactly_as_it_is_known(hall, precision, said):
    assert words_for(hall.case(), "zh-CN", "regulator").moment(hall.at(4, 14, 5, 9), precision) == said
