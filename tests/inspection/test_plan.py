"""What is due, by a plan."""

from __future__ import annotations

import datetime as dt

import pytest

from netaudit.errors import ConfigError
from netaudit.inspection.plan import due, read_plan

PLAN = """
title = "2026"
[[item]]
id = "wifi"
title = "Wireless networks"
every_days = 30
starts = 2026-01-05
rules = ["NA-CRED-01"]
[[item]]
id = "hall"
title = "Service hall"
every_days = 7
starts = 2026-01-02
"""


def plan(tmp_path, text=PLAN):
    path = tmp_path / "plan.toml"
    path.write_text(text, encoding="utf-8")
    return read_plan(path)


def test_due_oldest_first(tmp_path):
    waiting = due(plan(tmp_path), {}, dt.date(2026, 1, 6))
    assert [(i.id, d.isoformat()) for i, d in waiting] == [("hall", "2026-01-02"), ("wifi", "2026-01-05")]


def test_done_moves_the_date(tmp_path):
    waiting = due(
        plan(tmp_path), {"hall": dt.date(2026, 1, 5), "wifi": dt.date(2026, 1, 5)}, dt.date(2026, 1, 12)
    )
    assert [(i.id, d.isoformat()) for i, d in waiting] == [("hall", "2026-01-12")]


@pytest.mark.parametrize(
    "change", [("every_days = 30", "every_days = 0"), ('id = "wifi"', 'idd = "wifi"'), ("title", "title =")]
)
def test_bad_plans(tmp_path, change):
    with pytest.raises(ConfigError):
        plan(tmp_path, PLAN.replace(*change))
