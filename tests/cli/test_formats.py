"""``netaudit formats``: what people see of formats, their own and those that are shipped."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from command import netaudit

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "formats"
DOOR = r"""
title = "Door"
kind = "nat"
reference = "its manual"
[recognise]
marker = "door"
[[line]]
pattern = '^door (?P<ts>\S+) (?P<message>\S+) (?P<client_ip>\S+)$'
[[sample]]
note = "opened"
text = "door 2026-11-23T08:00:52Z destroy 10.0.0.7"
records = [{client_ip = "10.0.0.7"}]
"""
LOG = "door 2026-11-23T08:00:52 新建 10.0.0.7\ndoor 2026-11-23T08:00:53 close \x1b[31m\ndoor 新建 没有 10.0.0.7\n"


@pytest.fixture
def office(tmp_path):
    (tmp_path / "formats").mkdir()
    (tmp_path / "formats" / "door.toml").write_text(DOOR, encoding="utf-8")
    (tmp_path / "netaudit.toml").write_text('[formats]\nfolders = ["formats"]\n', encoding="utf-8")
    (tmp_path / "door.log").write_text(LOG, encoding="utf-8")
    return tmp_path


def test_the_list_says_whose_a_format_is(office):
    run = netaudit("formats", "list", cwd=office)
    rows = {line.split()[0]: line for line in run.stdout.splitlines() if line.strip()}
    assert "the office's own" in rows["door"]
    assert "from its documentation only" in rows["ruijie_ac"]
    assert "only" not in rows["hostapd"]
    assert list(rows)[2:] == sorted(list(rows)[2:]) or "pcap," in rows


def test_one_format_with_its_samples(office):
    run = netaudit("formats", "show", "door", cwd=office)
    assert run.returncode == 0
    for said in ("Door", "its manual", "Sample 1: opened", "door 2026-11-23", "10.0.0.7", "ends"):
        assert said in run.stdout
    run = netaudit("formats", "show", "hostapd", cwd=office)
    assert "rejected, line 1: A station's address is cut off or none." in run.stdout
    assert "It gives no record." in run.stdout
    run = netaudit("formats", "show", "dor", cwd=office)
    assert (run.returncode, "door" in run.stderr) == (2, True)


def test_every_shipped_format_can_be_shown(office):
    from netaudit.sources.recognise import formats

    for name in sorted(formats())[::9]:
        assert netaudit("formats", "show", name, cwd=office).returncode == 0


def test_a_try_shows_records_and_the_lines_that_gave_none(office):
    run = netaudit("formats", "try", "door.log", "--tz", "Asia/Shanghai", cwd=office)
    assert run.returncode == 3
    assert "2026-11-23T00:00:52" in run.stdout
    assert "public_ip" not in run.stdout, "columns that are empty throughout stay away"
    assert "Recognised as door, 67% sure." in run.stderr
    assert (
        "What should be an IP address is none.\n    2: door 2026-11-23T08:00:53 close \\u001b[31m"
        in run.stderr
    )
    assert "What should be a time is not written as the format says.\n    3: door 新建" in run.stderr
    assert "\x1b" not in run.stderr


def test_a_long_line_is_cut_at_the_width(office, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    (office / "door.log").write_text("door " + "新" * 5_000 + "\n" + LOG, encoding="utf-8")
    run = netaudit("formats", "try", "door.log", "--tz", "UTC", cwd=office)
    (line,) = [line for line in run.stderr.splitlines() if line.startswith("    1: ")]
    assert line.endswith("…")
    assert len(line) + line.count("新") <= 60


def test_csv_and_quiet_stay_as_they_are(office):
    run = netaudit("formats", "try", "door.log", "--tz", "UTC", "--format", "csv", cwd=office)
    head, row = run.stdout.splitlines()
    assert head.startswith("line,event,ts_utc,end_utc,proto,inside_ip,inside_port,public_ip")
    assert row.startswith("1,新建,2026-11-23T08:00:52.000000000Z,,,10.0.0.7,,")
    assert "no record:" not in run.stderr
    assert netaudit("-q", "formats", "try", "door.log", "--tz", "UTC", cwd=office).stderr == ""


def test_a_file_that_none_fits_names_the_nearest(office):
    (office / "x.log").write_text(
        "door x\n" * 9 + "door 2026-11-23T08:00:52 a 10.0.0.7\n" * 2, encoding="utf-8"
    )
    (office / "formats" / "door.toml").write_text(
        DOOR.replace("[[line]]", "share = 0.5\n[[line]]"), encoding="utf-8"
    )
    run = netaudit("formats", "try", "x.log", cwd=office)
    assert run.returncode == 2
    assert "Nearest: door (9%)" in run.stderr


def test_more_records_than_are_shown_are_counted(office):
    (office / "door.log").write_text("door 2026-11-23T08:00:52Z a 10.0.0.7\n" * 250, encoding="utf-8")
    run = netaudit("formats", "try", "door.log", cwd=office)
    assert run.returncode == 0
    assert "50 more records are not shown." in run.stderr


def test_a_format_is_tried_by_its_file_before_it_is_configured(office):
    (office / "netaudit.toml").unlink()
    run = netaudit("formats", "try", "door.log", "--tz", "UTC", "--as", "formats/door.toml", cwd=office)
    assert "10.0.0.7" in run.stdout
    run = netaudit("formats", "try", "door.log", "--as", "formats/dor.toml", cwd=office)
    assert (run.returncode, "[format-unreadable]" in run.stderr) == (2, True)


def test_files_of_formats_are_tested(office):
    run = netaudit("formats", "test", *sorted(EXAMPLES.glob("*.toml")), cwd=office)
    assert (run.returncode, run.stdout.count("✓")) == (0, 2)
    bad = office / "formats" / "door.toml"
    bad.write_text(
        DOOR.replace('records = [{client_ip = "10.0.0.7"}]', 'records = [{client_ip = "10.0.0.8"}]')
    )
    run = netaudit("formats", "test", bad, cwd=office)
    assert (run.returncode, "client_ip is '10.0.0.7' and not '10.0.0.8'" in run.stderr) == (2, True)
    bad.write_text(DOOR.partition("[[sample]]")[0])
    run = netaudit("formats", "test", bad, cwd=office)
    assert (run.returncode, "nothing is tested" in run.stdout) == (3, True)


def test_a_pattern_that_fits_other_logs_too_is_pointed_out(office):
    text = r"""title = "any"
kind = "nat"
time.ts = "%d-%b-%Y %H:%M:%S.%f"
line = [{pattern = '^(?P<ts>\S+ \S+) .*\b(?P<client_ip>\d+\.\d+\.\d+\.\d+)'}]
[[sample]]
timezone = "UTC"
text = "23-Nov-2026 00:00:00.000 x 10.0.0.1"
records = [{client_ip = "10.0.0.1"}]
"""
    (office / "any.toml").write_text(text, encoding="utf-8")
    run = netaudit("formats", "test", "any.toml", cwd=office)
    assert run.returncode == 3
    assert "bind_querylog" in run.stdout
    shutil.copy(office / "any.toml", office / "hostapd.toml")
    run = netaudit("formats", "test", "hostapd.toml", cwd=office)
    assert (run.returncode, "[format-name-taken]" in run.stderr) == (2, True)


def test_a_broken_format_is_an_error_wherever_logs_are_read(office):
    (office / "formats" / "door.toml").write_text(DOOR.replace("kind", "kinds"), encoding="utf-8")
    for verb in (("events", "door.log"), ("formats", "list"), ("formats", "try", "door.log")):
        run = netaudit(*verb, cwd=office)
        assert run.returncode == 2
        assert "Did you mean kind?" in run.stderr


def test_a_request_has_the_time_of_its_line_and_an_address_for_a_host(tmp_path):
    (tmp_path / "access.log").write_text(
        "1587042596.494   1717 10.1.0.39 TCP_TUNNEL/200 3512 CONNECT 198.51.100.7:443 - HIER_NONE/- -\n"
    )
    run = netaudit("formats", "try", "access.log", "--format", "csv", cwd=tmp_path)
    row = dict(zip(*(line.split(",") for line in run.stdout.splitlines()), strict=True))
    assert (row["ts_utc"], row["host"], row["port"]) == (
        "2020-04-16T13:09:56.494000000Z",
        "198.51.100.7",
        "443",
    )
