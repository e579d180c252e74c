"""Pseudonyms and masks."""

from __future__ import annotations

import stat

import pytest

from netaudit.errors import ConfigError
from netaudit.privacy import Pseudonymiser, make_key, mask_ip, mask_mac, read_key


def test_stable_under_one_key_and_different_under_another():
    one, again, other = Pseudonymiser(b"k" * 32), Pseudonymiser(b"k" * 32), Pseudonymiser(b"l" * 32)
    assert one("account", "wangwu") == again("account", "wangwu") != other("account", "wangwu")
    assert one("account", "x") != one("person", "x")
    assert "wangwu" not in one("account", "wangwu")
    assert one.known[one("account", "wangwu")] == "wangwu"


def test_key_is_made_once_for_its_owner_only(tmp_path):
    path = tmp_path / "key"
    first = make_key(path)
    assert make_key(path) == first == read_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_short_or_missing_key(tmp_path):
    (tmp_path / "short").write_text("x")
    for name in ("short", "missing"):
        with pytest.raises(ConfigError):
            read_key(tmp_path / name)


def test_masks():
    assert mask_ip("10.66.3.77") == "10.66.3.*"
    assert mask_ip("2001:db8:1:2::3") == "2001:db8:1:*"
    assert mask_mac("52:54:00:aa:00:01") == "52:54:00:*:*:*"
