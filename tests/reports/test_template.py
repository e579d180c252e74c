"""The template dialect: what it prints, what it refuses, and that values stay values."""

from __future__ import annotations

from pathlib import Path

import pytest

from netaudit.errors import TemplateError
from netaudit.reports import compose, lint, read_template
from netaudit.reports.document import (
    Annex,
    AttachmentList,
    BulletList,
    Heading,
    Paragraph,
    Run,
    RunKind,
    Signature,
    Table,
    Title,
    text_of,
    visible,
)
from netaudit.reports.layout import read_layout
from netaudit.reports.template import find_template

HOSTILE = [
    "# h",
    "| a | b |",
    "- x",
    "= t",
    "@newpage",
    "@annex 1 | 2",
    "**b**",
    "{{ 7*7 }}",
    "{% for %}",
    "\x02" + "0\x03",
]


@pytest.fixture
def blocks(write_template, hall, rules):
    def of(body: str, front: str = "", **changes):
        given = hall.case(**changes)
        return compose(
            read_template(Path(write_template(body, front))), given, locale="zh-CN", rules=rules
        ).blocks

    return of


def test_every_kind_of_line(blocks):
    out = blocks(
        "= 甲\n= 乙\n@to 某办：\n# 一级\n## 二级\n## 二级乙\n# 又一级\n普通**粗**体\n- 甲\n- 乙\n"
        "@widths 1 3\n| a | b |\n| c | d |\n@attachments\n- 台账\n\n@sign 单位 | 日期\n@annex 附件1 | 台账\n# 一级\n"
    )
    assert [type(b) for b in out] == [
        Title,
        Paragraph,
        Heading,
        Heading,
        Heading,
        Heading,
        Paragraph,
        BulletList,
        Table,
        AttachmentList,
        Signature,
        Annex,
        Heading,
    ]
    assert [b.number for b in out if isinstance(b, Heading)] == ["一、", "（一）", "（二）", "二、", "一、"]
    assert out[6].runs == (Run("普通"), Run("粗", bold=True), Run("体"))
    assert out[8].widths == (1.0, 3.0)
    assert out[8].rows == (((Run("c"),), (Run("d"),)),)


@pytest.mark.parametrize("value", HOSTILE)
def test_a_value_makes_no_block(blocks, value):
    (paragraph,) = blocks("{{ unit }}\n", unit=value)
    assert paragraph.runs == (Run(visible(value)),)
    (table,) = blocks("| 甲 | 乙 |\n| {{ unit }} | x |\n", unit=value)
    assert text_of(table.rows[0][0]) == visible(value)


def test_a_value_with_a_newline_stays_on_its_line(blocks):
    (paragraph,) = blocks("{{ unit }}\n", unit="甲\n# 乙\r\n| c |")
    assert text_of(paragraph.runs) == r"甲\u000a# 乙\u000d\u000a| c |"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u202eb", r"a\u202eb"),
        ("\x00", r"\u0000"),
        ("\ud800", r"\ud800"),
        ("\u200b", r"\u200b"),
        ("\u2028", r"\u2028"),
        ("𠮷😀é", "𠮷😀é"),
        ("云溪县", "云溪县"),
        ("\ufffe", r"\ufffe"),
        ("\U000e0001", r"\U000e0001"),
    ],
)
def test_invisible_characters_are_spelled_out(text, shown):
    assert visible(text) == shown


def test_needs_are_visible_until_somebody_supplies_them(blocks):
    front = '[needs]\nleader = "听取汇报的领导"\n'
    (open_,) = blocks("由{{ needs.leader }}负责{% if needs.leader is given %}。{% endif %}\n", front)
    assert open_.runs[1] == Run("【待补：听取汇报的领导】", kind=RunKind.MISSING)
    (filled,) = blocks(
        "由{{ needs.leader }}负责{% if needs.leader is given %}。{% endif %}\n",
        front,
        facts={"leader": "张\n主任", "other": 1},
    )
    assert text_of(filled.runs) == "由张 主任负责。"


@pytest.mark.parametrize(
    "body",
    [
        "{{ ''.__class__ }}",
        "{{ unit.__class__.__mro__ }}",
        "{{ unit.format(1) }}",
        "{{ cycler('a') }}",
        "{{ range(10) }}",
        "{{ 'a' * 1000000000 }}",
        "{{ 2 ** 99999 }}",
        "{{ unit['x'] }}",
        "{{ unit ~ unit }}",
        "{% include 'x' %}",
        "{% import 'x' as y %}",
        "{% extends 'x' %}",
        "{% macro m() %}{% endmacro %}",
        "{% set x = 1 %}",
        "{% call unit() %}{% endcall %}",
        "{{ unit|attr('__class__') }}",
        "{% raw %}{% endraw %}{{ [1] }}",
        "{% filter upper %}x{% endfilter %}",
        "{{ {'a': 1} }}",
        "{{ -1 }}",
        "{% block x %}{% endblock %}",
        "{{ lipsum() }}",
        "{{ self.x }}",
        "{% for x in problems recursive %}{% endfor %}",
        "{{ unit|format_map(1) }}",
        "{{ namespace() }}",
        "{% with a = 1 %}{% endwith %}",
        "{% for x in problems %}",
        "{{ unit|map('upper') }}",
    ],
)
def test_hostile_templates_are_refused(blocks, body):
    with pytest.raises(TemplateError):
        blocks(body)


def test_loops_share_a_budget(blocks):
    nested = "{% for a in problems %}" * 9 + "x" + "{% endfor %}" * 9
    with pytest.raises(TemplateError) as caught:
        blocks(nested)
    assert "steps" in str(caught.value)
    assert caught.value.code == "template-failed"


def test_private_fields_by_filter_are_refused(blocks):
    with pytest.raises(TemplateError):
        blocks('{% for p in problems | only("__class__", 1) %}{% endfor %}')


@pytest.mark.parametrize(
    "body",
    ["{{ nope }}", "{{ case.nope }}", "{% for p in problems %}{{ p.nope }}{% endfor %}", "{{ needs.x }}"],
)
def test_undefined_names_stop_the_report(blocks, body):
    with pytest.raises(TemplateError) as caught:
        blocks(body)
    assert caught.value.code == "template-name"


def test_lint_names_line_and_near_word(write_template):
    path = write_template(
        "{{ unti }}\n{% for p in problems %}\n{{ p.titel }}\n{% endfor %}\n{{ unit | shout }}\n{{ needs.leader }}\n"
        "{% if case is odd %}{% endif %}\n{% for x in unit %}{% endfor %}\n",
        '[needs]\nunused = "x"\n',
    )
    found = lint(read_template(Path(path)))
    shift = Path(path).read_text(encoding="utf-8").splitlines().index("{{ unti }}")
    assert [(p.line - shift if p.line else 0, p.message) for p in found] == [
        (0, "The need unused is never printed."),
        (1, "There is no name unti."),
        (3, "There is no field titel."),
        (5, "There is no filter shout."),
        (6, "There is no leader."),
        (7, "There is no test odd."),
        (8, "A loop needs a list."),
    ]
    assert found[1].hint == "Did you mean unit?"


def test_lint_of_a_broken_template(write_template):
    (problem,) = lint(read_template(Path(write_template("a\n{% for %}\n"))))
    assert problem.line == 9
    (problem,) = lint(read_template(Path(write_template("{{ unit.format() }}"))))
    assert "call" in problem.message


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no front",
        "+++\nid = 1\n+++\n",
        '+++\nid = "a"\n+++\n',
        "+++\n[[\n+++\n",
        '+++\nid = "a"\ntitle = "a"\nlocale = "en"\nwhat = 1\n+++\n',
    ],
)
def test_front_matter_is_strict(tmp_path, text):
    (tmp_path / "x.md.j2").write_text(text, encoding="utf-8")
    with pytest.raises(TemplateError):
        read_template(tmp_path / "x.md.j2")


@pytest.mark.parametrize("body", ["@nope x\n", "| a | b |\n| c |\n"])
def test_marks_that_do_not_exist(blocks, body):
    with pytest.raises(TemplateError):
        blocks(body)


@pytest.mark.parametrize("name", ["nope", "../x", "a/b", "", "x.md.j2", "A" * 200])
def test_unknown_templates(name):
    with pytest.raises(TemplateError) as caught:
        find_template(name, "zh-CN")
    assert caught.value.code == "template-unknown"


def test_an_office_template_comes_first(tmp_path, write_template):
    own = tmp_path / "rectification-report.zh-CN.md.j2"
    own.write_text(Path(write_template("x")).read_text(encoding="utf-8"), encoding="utf-8")
    assert find_template("rectification-report", "zh-CN", [tmp_path]) == own
    assert find_template("rectification-report", "zh-CN") != own


def test_the_standard_layout_is_the_standard():
    layout = read_layout("gbt9704")
    assert layout.margins == (2098, 1984, 1587, 1474)
    type_area = (
        layout.page[1] - layout.margins[0] - layout.margins[1],
        layout.page[0] - layout.margins[2] - layout.margins[3],
    )
    assert type_area[0] // layout.line == 22
    assert type_area[1] // (layout.body.size_pt * 20 + layout.body.spacing_twips) == 28


def test_every_shipped_template_is_clean():
    from netaudit.resources import folder

    paths = sorted(folder("report_templates").glob("*.md.j2"))
    assert paths
    assert {str(p): lint(read_template(p)) for p in paths} == {str(p): [] for p in paths}
