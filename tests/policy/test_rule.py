"""Rule files: strict, with file and key in the error; parameters with a did-you-mean."""

from __future__ import annotations

import datetime as dt

import pytest

from netaudit.config import PolicySettings, Waiver
from netaudit.errors import ConfigError, RuleError
from netaudit.policy.rule import SHIPPED, check_settings, read_rule, read_rules

GOOD = (SHIPPED / "NA-ASSET-02.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('over = "register"', 'over = "registry"', "did you mean register"),
        ('severity = "low"', 'severity = "lo"', "did you mean low"),
        ('subject = "register"', 'subject = "regster"', "did you mean register"),
        ("deadline_days = 30", 'deadline_days = "30"', "deadline_days"),
        ("deadline_days = 30", "dead_line_days = 30", "did you mean deadline_days"),
        ('basis = "declared"', 'basis = "guessed"', "basis"),
        ('"$max_days"', '"$max_day"', "did you mean max_days"),
        ("review_age_days = {", "review_age = {", "did you mean review_age_days"),
        ('norm = "CIS8", article = "1.1"', 'norm = "CIS8", article = "1.99"', "no article"),
        ('norm = "CIS8"', 'norm = "CIS"', "no norm"),
        ("(limit {max_days})", "(limit {max_dayz})", "did you mean max_days"),
        ("review_age_days = 365 }", 'review_age_days = "old" }', "cannot be"),
        ('id = "NA-ASSET-02"', 'id = "OTHER"', "file's name"),
        ("unit_policy = true", "unit_policy = 1", "unit_policy"),
        ('group = "asset"', "group = ", "NA-ASSET-02.toml|Invalid"),
    ],
)
def test_what_is_wrong_is_said_with_file_and_key(tmp_path, old, new, words):
    assert old in GOOD
    path = tmp_path / "NA-ASSET-02.toml"
    path.write_text(GOOD.replace(old, new), encoding="utf-8")
    with pytest.raises(RuleError, match=words) as caught:
        read_rule(path)
    assert caught.value.where == str(path)


def test_an_offices_rule_replaces_a_shipped_one_if_its_examples_hold(tmp_path):
    path = tmp_path / "NA-ASSET-02.toml"
    path.write_text(GOOD.replace("default = 180", "default = 200"), encoding="utf-8")
    assert read_rules([tmp_path])["NA-ASSET-02"].parameters["max_days"].default == 200
    path.write_text(GOOD.replace("default = 180", "default = 500"), encoding="utf-8")
    with pytest.raises(RuleError, match="a year ago"):
        read_rules([tmp_path])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"max_age_day": {}}, "no parameter"),
        ({"max_age_days": 30}, "must be like"),
        ({"max_age_days": {"guest": "long"}}, "must be like"),
        ({"max_age_days_any": True}, "must be like"),
    ],
)
def test_parameters_are_checked(changes, words):
    with pytest.raises(ConfigError, match=words) as caught:
        read_rules()["NA-CRED-01"].parameters_with(changes)
    assert caught.value.where.startswith("policy.parameters.NA-CRED-01.")


def test_a_table_of_values_is_changed_entry_by_entry():
    rule = read_rules()["NA-CRED-01"]
    assert rule.parameters_with({"max_age_days": {"guest": 7}})["max_age_days"]["staff"] == 90
    assert rule.parameters["max_age_days"].default["guest"] == 30


@pytest.mark.parametrize(
    "settings",
    [
        PolicySettings(parameters={"NA-CRED-1": {}}),
        PolicySettings(waivers=(Waiver("NA-CRED-1", "Hall", "r", "o", dt.date(2026, 1, 1)),)),
    ],
)
def test_settings_name_rules_that_exist(settings):
    with pytest.raises(ConfigError) as caught:
        check_settings(read_rules(), settings)
    assert "NA-CRED-01" in caught.value.hint
