"""The configuration: strict, and helpful when it refuses."""

from __future__ import annotations

import pytest

from netaudit.config import find_config, read_settings
from netaudit.errors import ConfigError

GOOD = """
[unit]
name = "示例县综合服务局"
timezone = "Asia/Shanghai"
egress = ["203.0.113.5"]
[[segment]]
id = "hall"
network = ["10.66.3.0/24"]
[[source]]
path = "dns/*.log"
clock_offset_s = 2
"""


def write(tmp_path, text):
    path = tmp_path / "netaudit.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_good(tmp_path):
    settings = read_settings(write(tmp_path, GOOD))
    assert settings.unit.egress == ("203.0.113.5",)
    assert settings.source[0].clock_offset_s == 2.0
    assert settings.folder == tmp_path


def test_found_from_below(tmp_path):
    write(tmp_path, GOOD)
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    assert find_config(below) == tmp_path / "netaudit.toml"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[unit]\nnam = "x"', "Did you mean name"),
        ('[[segment]]\nid = "a"\nnetwork = ["10.0.0.0/8"]\nzoone = "x"', "Did you mean zone"),
        ("[unti]\n", "Did you mean unit"),
    ],
)
def test_unknown_keys_say_what_was_meant(tmp_path, text, says):
    with pytest.raises(ConfigError) as error:
        read_settings(write(tmp_path, text))
    assert says in error.value.hint


@pytest.mark.parametrize(
    "text", ["[unit]\nname = 3", '[[segment]]\nid = "a"', "not toml =", '[unit]\nnat = "no"']
)
def test_wrong_values(tmp_path, text):
    with pytest.raises(ConfigError):
        read_settings(write(tmp_path, text))


def test_a_text_where_a_list_belongs_is_refused(tmp_path):
    with pytest.raises(ConfigError) as refused:
        read_settings(write(tmp_path, '[policy]\nfolders = "rules"\n'))
    assert refused.value.code == "config-list"
    assert "policy.folders" in refused.value.where
