"""Every rule: its examples, its citations, its three languages, its slots; and the page made of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from netaudit.policy.catalogue_page import PRINTED_ON, render
from netaudit.policy.citation import cite, read_norms
from netaudit.policy.rule import read_rules, run_examples
from netaudit.policy.verdict import Outcome, Verdict

RULES = read_rules()
ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
class TestRule:
    def test_examples_come_out_as_they_say(self, rule):
        assert {r.example.name: r.got for r in run_examples(rule) if not r.passed} == {}

    def test_examples_show_every_side(self, rule):
        shown = {e.outcome for e in rule.example}
        wanted = {Outcome.MANUAL} if rule.manual else {Outcome.VIOLATED, Outcome.COMPLIED}
        assert wanted <= shown
        assert not rule.unknown_if or Outcome.CANNOT_TELL in shown
        assert rule.manual or len(rule.example) >= 2

    def test_citations_exist_in_three_languages(self, rule):
        assert rule.cites
        assert all(cite(c, PRINTED_ON, locale) for c in rule.cites for locale in ("en", "zh-CN", "zh-TW"))

    def test_three_languages(self, rule):
        texts = [rule.title, rule.finding, rule.action, rule.data_needed, rule.verify_by]
        texts += [u.because for u in rule.unknown_if] + [p.note for p in rule.parameters.values()]
        texts += [rule.remark] if rule.remark.en else []
        assert [t for t in texts if t.missing()] == []
        assert all(t.in_("zh-CN") and t.in_("zh-TW") for t in texts)

    def test_wordings_print_with_nothing_known(self, rule):
        empty = Verdict(rule.id, Outcome.VIOLATED)
        for locale in ("en", "zh-CN", "zh-TW"):
            assert all(
                "{" not in rule.wording(part, empty, locale) for part in ("title", "finding", "action")
            )


def test_the_page_is_current():
    assert (ROOT / "docs" / "rules.md").read_text(encoding="utf-8") == render(
        RULES, read_norms(), on=PRINTED_ON
    )
