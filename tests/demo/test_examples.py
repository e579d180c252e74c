"""The examples that people copy must be right."""

import csv
from pathlib import Path

from netaudit.config import read_settings

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def test_configuration_loads_and_names_its_segments():
    settings = read_settings(EXAMPLES / "netaudit.toml")
    segments = {segment.id for segment in settings.segment}
    assert {s for source in settings.source for s in source.segments} <= segments
    assert {wireless.segment for wireless in settings.wireless} <= segments
    assert settings.inventory.path == "inventory.csv"


def test_inventory_has_ten_whole_rows():
    with (EXAMPLES / "inventory.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 10
    assert all(row["资产编号"] and row["MAC地址"] and None not in row for row in rows)
