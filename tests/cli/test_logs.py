"""What ``netaudit logs`` says: blocks for people, JSON, exit codes."""

from __future__ import annotations

import datetime as dt
import json
import random

import pytest
from command import netaudit

BEGIN = dt.datetime(2026, 11, 2, 9, tzinfo=dt.UTC)  # the wall clock, whatever zone is declared
TZ = ("--tz", "Asia/Shanghai")


def query_log(path, off=0.0, *, lost=range(0), turned=None, count=240):
    """A query log of a day, one look-up in two minutes, its clock off and perhaps set back."""
    chance = random.Random(1)
    lines = []
    for n in range(count):
        port, name = chance.randrange(1024, 65535), f"h{chance.randrange(10**6)}.example"
        at = BEGIN + dt.timedelta(minutes=2 * n, seconds=off)
        if turned is not None and n >= turned:
            at -= dt.timedelta(minutes=47)
        if n in lost:
            continue
        lines.append(
            f"{at:%d-%b-%Y %H:%M:%S}.000 queries: info: client @0x7fea21a32098 10.66.3.55#{port} ({name}): "
            f"query: {name} IN A +E(0)K (10.66.0.53)\n"
        )
    path.write_text("".join(lines), encoding="utf-8")
    return path


def facts(*arguments, cwd):
    run = netaudit("logs", *arguments, "--format", "json", cwd=cwd)
    return run.returncode, json.loads(run.stdout)


def test_a_log_without_a_break(tmp_path):
    query_log(tmp_path / "q.log")
    code, said = facts("q.log", *TZ, cwd=tmp_path)
    (log,) = said["logs"]
    assert (code, said["schema_version"], said["clocks"]) == (0, 1, [])
    assert (log["source"], log["kind"], log["records"], log["days"]) == ("q.log", "dns", 240, 1)
    assert (log["gap_count"], log["gaps"], log["steps"], log["order"]) == (0, [], [], "rising")
    assert log["first"] == "2026-11-02T01:00:00Z"
    assert (log["expected_hours"], log["sequence_gaps"]) == (None, None)
    assert said["inputs"][0]["records"] == 240


def test_gaps_and_steps_are_findings(tmp_path):
    query_log(tmp_path / "q.log", lost=range(100, 200), turned=220)
    code, said = facts("q.log", *TZ, cwd=tmp_path)
    (log,) = said["logs"]
    assert code == 1
    assert log["gaps"] == [{"from": "2026-11-02T04:18:00Z", "to": "2026-11-02T07:33:00Z"}]
    assert (log["longest_gap_s"], log["gap_count"]) == (195 * 60, 1)
    (step,) = log["steps"]
    assert (step["ordinal"], step["seconds"]) == (121, -45 * 60)
    shown = netaudit("logs", "q.log", *TZ, cwd=tmp_path).stdout
    assert "gaps: 1, the longest 3:15:00" in shown
    assert "clock step of -0:45:00 in q.log, record 121: 2026-11-02 08:18:00 → 2026-11-02 07:33:00" in shown


def test_two_clocks_that_are_apart(tmp_path):
    query_log(tmp_path / "a.log", -2820)
    query_log(tmp_path / "b.log")
    code, said = facts("a.log", "b.log", *TZ, cwd=tmp_path)
    (clock,) = said["clocks"]
    assert code == 1
    assert (clock["source"], clock["other"], clock["outcome"], clock["apart"]) == (
        "a.log",
        "b.log",
        "measured",
        True,
    )
    assert (clock["shared"], clock["agreeing"], clock["share"], clock["zone_h"]) == (240, 240, 1.0, None)
    assert clock["pieces"][0]["offset_s"] == -2820
    assert clock["clock_offset_s"] == {"a.log": 2820.0, "b.log": -2820.0}
    assert said["clock_errors_s"] == {}
    shown = netaudit("logs", "a.log", "b.log", *TZ, cwd=tmp_path).stdout
    assert "If b.log is right, put into the [[source]] of a.log: clock_offset_s = 2820.0" in shown


def test_what_is_declared_is_applied_and_nothing_else(tmp_path):
    query_log(tmp_path / "a.log", -2820)
    query_log(tmp_path / "b.log")
    config = tmp_path / "netaudit.toml"
    source = '[[source]]\nid = "{0}"\npath = "{0}.log"\ntimezone = "Asia/Shanghai"\n{1}\n'
    config.write_text(
        '[unit]\ntimezone = "Asia/Shanghai"\n'
        + source.format("a", "clock_offset_s = 2000.0")
        + source.format("b", "")
    )
    code, said = facts(cwd=tmp_path)
    assert code == 1
    assert said["clocks"][0]["pieces"][0]["offset_s"] == -820
    assert said["clocks"][0]["clock_offset_s"] == {"a": 2820.0, "b": -820.0}
    assert said["logs"][0]["local_days"] == 1
    config.write_text(config.read_text().replace("2000.0", "2820.0"))
    code, said = facts(cwd=tmp_path)
    assert (code, said["clocks"][0]["apart"]) == (0, False)


def test_a_third_log_tells_which_clock_is_off(tmp_path):
    for name, off in (("a", 0), ("b", 0), ("c", 90)):
        path = query_log(tmp_path / f"{name}.log", off)
        path.write_text(f"{path.read_text()}# {name}\n")  # equal files are read once
    code, said = facts("a.log", "b.log", "c.log", *TZ, cwd=tmp_path)
    assert (code, said["clock_errors_s"]) == (1, {"a.log": 0.0, "b.log": 0.0, "c.log": 90.0})
    shown = netaudit("logs", "a.log", "b.log", "c.log", *TZ, cwd=tmp_path).stdout
    assert "put into the [[source]] of c.log: clock_offset_s = -90.0" in shown
    assert "[[source]] of a.log" not in shown


def test_a_wrong_zone_is_named(tmp_path):
    query_log(tmp_path / "a.log", 8 * 3600)
    query_log(tmp_path / "b.log")
    code, said = facts("a.log", "b.log", *TZ, cwd=tmp_path)
    assert (code, said["clocks"][0]["zone_h"]) == (1, 8.0)
    assert "next to +8 h" in netaudit("logs", "a.log", "b.log", *TZ, cwd=tmp_path).stdout


def test_a_clock_that_was_set_has_no_one_correction(tmp_path):
    query_log(tmp_path / "a.log", turned=120)
    query_log(tmp_path / "b.log")
    _, said = facts("a.log", "b.log", *TZ, cwd=tmp_path)
    assert [piece["offset_s"] for piece in said["clocks"][0]["pieces"]] == [0, -2820]
    assert "clock_offset_s" not in said["clocks"][0]
    assert "The offset changed" in netaudit("logs", "a.log", "b.log", *TZ, cwd=tmp_path).stdout


@pytest.mark.parametrize("lang", ["zh-CN", "zh-TW"])
def test_every_language(tmp_path, lang):
    query_log(tmp_path / "a.log", -2820, lost=range(100, 200))
    query_log(tmp_path / "b.log", turned=200)
    run = netaudit("logs", "a.log", "b.log", *TZ, cwd=tmp_path, lang=lang)
    assert run.returncode == 1
    assert "clock_offset_s" in run.stdout


class TestExitCodes:
    def test_nothing_to_look_at(self, tmp_path):
        run = netaudit("logs", cwd=tmp_path)
        assert run.returncode == 2
        assert "no-logs" in run.stderr

    def test_no_zone(self, tmp_path):
        query_log(tmp_path / "q.log")
        assert netaudit("logs", "q.log", cwd=tmp_path).returncode == 2

    def test_not_all_was_read(self, tmp_path):
        path = query_log(tmp_path / "q.log")
        path.write_text(
            path.read_text() + "02-Nov-2026 18:00:00.000 queries: info: client @0x7f 10.6#1 (x\n"
        )
        code, said = facts("q.log", *TZ, cwd=tmp_path)
        assert (code, said["inputs"][0]["complete"]) == (3, False)


def test_the_rule_on_clocks_uses_what_was_measured(tmp_path):
    config = '[unit]\ntimezone = "Asia/Shanghai"\n'
    for name, off in (("a", 0), ("b", 1), ("c", 90)):
        path = query_log(tmp_path / f"{name}.log", off)
        path.write_text(f"{path.read_text()}# {name}\n")
        config += f'[[source]]\nid = "{name}"\npath = "{name}.log"\ntimezone = "Asia/Shanghai"\n'
    (tmp_path / "netaudit.toml").write_text(config)
    run = netaudit("check", "NA-TRACE-07", "--format", "json", cwd=tmp_path)
    outcomes = {v["subject"]: v["outcome"] for v in json.loads(run.stdout)["verdicts"]}
    assert (run.returncode, outcomes) == (1, {"a": "complied", "b": "complied", "c": "violated"})
    run = netaudit(
        "check", "NA-TRACE-07", "--input", "a.log", "--input", "c.log", "--format", "json", cwd=tmp_path
    )
    assert {v["outcome"] for v in json.loads(run.stdout)["verdicts"]} == {"cannot_tell"}
