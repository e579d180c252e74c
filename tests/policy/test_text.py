"""`Text`: three languages from a table."""

from __future__ import annotations

import pytest

from netaudit.errors import ConfigError
from netaudit.i18n.text import Text


def test_a_text_falls_back_to_the_nearest_language():
    text = Text.from_table({"en": "audit", "zh-CN": "审计"}, "x.toml: title")
    assert [text.in_(locale) for locale in ("en", "zh-CN", "zh-TW")] == ["audit", "审计", "审计"]
    assert text.missing() == ("zh-TW",)


@pytest.mark.parametrize("table", ["audit", {}, {"en": ""}, {"fr": "x"}, {"en": 1}])
def test_what_is_no_text(table):
    with pytest.raises(ConfigError) as caught:
        Text.from_table(table, "x.toml: title")
    assert caught.value.where == "x.toml: title"


def test_slots_of_all_languages():
    assert Text("{a} of {b}", "{b}", "{c}").slots() == {"a", "b", "c"}
