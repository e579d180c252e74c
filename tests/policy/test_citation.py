"""Citations: by the date of the conduct, in the language of the paper, marked until confirmed."""

from __future__ import annotations

import datetime as dt

import pytest

from netaudit.errors import NormError
from netaudit.policy.citation import Citation, chinese, cite, read_norms

LOGS = Citation("CSL", "23(3)")


@pytest.mark.parametrize(
    ("on", "want"),
    [
        (dt.date(2025, 12, 31), "《网络安全法》第二十一条第（三）项"),
        (dt.date(2026, 1, 1), "《网络安全法》第二十三条第（三）项（2025年修正前第二十一条第（三）项）"),
        (dt.date(2026, 12, 31), "《网络安全法》第二十三条第（三）项（2025年修正前第二十一条第（三）项）"),
        (dt.date(2027, 1, 1), "《网络安全法》第二十三条第（三）项"),
    ],
)
def test_the_law_is_cited_as_of_the_conduct(on, want):
    assert cite(LOGS, on, "zh-CN") == want


def test_every_new_number_follows_from_the_old_one():
    for article in read_norms()["CSL"].article:
        shift = 1 if article.was_article <= 18 else 2
        assert article.article == article.was_article + shift
        assert (article.paragraph, article.item) == (article.was_paragraph, article.was_item)


def test_what_is_not_confirmed_says_so_until_the_office_confirms_it():
    clause, on = Citation("GBT22239", "8.1.3.1 d)"), dt.date(2026, 5, 1)
    assert cite(clause, on, "zh-CN") == "GB/T 22239-2019 8.1.3.1 d)【待核】"
    assert cite(clause, on, "zh-CN", confirmed={"GBT22239 8.1.3.1 d)"}) == "GB/T 22239-2019 8.1.3.1 d)"
    assert cite(Citation("LOCALEXTRANET"), on, "zh-CN").endswith("【填写文号】【待核】")


def test_numbers_without_their_wording_are_not_confirmed():
    assert not any(article.confirmed for article in read_norms()["CIS8"].article)
    unchecked = {a.id for a in read_norms()["NIST80053"].article if not a.confirmed}
    assert unchecked == {"CM-8", "IA-2", "IR-8", "SI-4", "SI-4(22)"}


@pytest.mark.parametrize("wrong", [Citation("CSL", "99"), Citation("NOLAW", "1")])
def test_what_does_not_exist_is_not_cited(wrong):
    with pytest.raises(NormError):
        cite(wrong, dt.date(2026, 5, 1), "en")


@pytest.mark.parametrize(
    ("number", "said"), [(1, "一"), (10, "十"), (13, "十三"), (20, "二十"), (61, "六十一")]
)
def test_chinese_numerals(number, said):
    assert chinese(number) == said


def test_an_offices_norm_comes_first(tmp_path):
    (tmp_path / "norms").mkdir()
    text = """id = "LOCALEXTRANET"
name = { zh-CN = "《本市政务外网管理规定》" }
title = "本市政务外网管理规定"
issuer = "本市"
language = "zh-CN"
number = "市政办〔2026〕1号"
"""
    (tmp_path / "norms" / "LOCALEXTRANET.toml").write_text(text, encoding="utf-8")
    said = cite(Citation("LOCALEXTRANET"), dt.date(2026, 5, 1), "zh-CN", norms=read_norms([tmp_path]))
    assert said == "《本市政务外网管理规定》（市政办〔2026〕1号）"
    (tmp_path / "norms" / "LOCALEXTRANET.toml").write_text(text + "colour = 1\n", encoding="utf-8")
    with pytest.raises(NormError, match="colour"):
        read_norms([tmp_path])
