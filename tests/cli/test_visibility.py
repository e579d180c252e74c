"""How a scan tells how many flows have a name."""

from __future__ import annotations

import json

import pytest
from command import netaudit

CONN = (
    "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n"
    "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tduration\torig_bytes\tresp_bytes\tconn_state\n"
    "1793772309.1\tC1\t10.66.3.55\t40001\t198.51.100.7\t443\ttcp\t1.0\t100\t200\tSF\n"
    "1793772310.1\tC2\t10.66.9.55\t40002\t198.51.100.7\t443\ttcp\t1.0\t100\t200\tSF\n"
)
SEGMENT = '[[segment]]\nid = "guests"\nname = "Guests"\nnetwork = ["10.66.3.0/24"]\n'


@pytest.fixture
def office(tmp_path):
    (tmp_path / "conn.log").write_text(CONN, encoding="utf-8")
    (tmp_path / "bad.txt").write_text("bad.example\n", encoding="utf-8")
    return tmp_path


def scan(folder, *options):
    return netaudit("scan", "conn.log", "--list", "domains-subtree:bad.txt", *options, cwd=folder)


def test_without_segments_one_line(office):
    said = scan(office).stderr
    assert "Names of 2 flows: 0.0% known" in said
    assert "100.0% unknown" in said
    assert "no declared segment" not in said


def test_a_line_for_each_segment(office):
    (office / "netaudit.toml").write_text(SEGMENT, encoding="utf-8")
    said = scan(office).stderr.splitlines()
    at = next(n for n, line in enumerate(said) if line.startswith("Names of 2 flows"))
    assert [line.split(":")[0].strip() for line in said[at + 1 : at + 3]] == [
        "Guests",
        "no declared segment",
    ]


def test_as_json(office):
    (office / "netaudit.toml").write_text(SEGMENT, encoding="utf-8")
    told = json.loads(scan(office, "--format", "json").stdout)["visibility"]
    assert (told["flows"], told["unknown"], told["share"]["unknown"]) == (2, 2, 1.0)
    assert [(s["segment"], s["name"], s["flows"]) for s in told["segments"]] == [
        ("guests", "Guests", 1),
        (None, None, 1),
    ]
    assert [(h["address"], h["segment"]) for h in told["hosts"]] == [
        ("10.66.3.55", "guests"),
        ("10.66.9.55", None),
    ]
    assert told["others"]["flows"] == 0


def test_nothing_where_there_are_no_flows(office):
    (office / "conn.log").write_text(CONN.split("1793772309", maxsplit=1)[0], encoding="utf-8")
    assert "Names of" not in scan(office).stderr
