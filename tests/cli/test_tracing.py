"""The walk-back by the command line: trace, its drill, and its reverse."""

from __future__ import annotations

import json
import os
from xml.etree import ElementTree as ET

import pytest

from netaudit.store import Store
from tests.command import netaudit

CONFIGURATION = """\
[unit]
name = "Office"
code = "NA"
timezone = "Asia/Shanghai"
egress = ["203.0.113.5"]

[[segment]]
id = "office"
network = ["10.70.0.0/24"]
addressing = "dhcp"

[[source]]
path = "logs/nat.log"
role = "nat"

[[source]]
path = "logs/leases"
role = "dhcp"

[[source]]
path = "logs/dns.log"
role = "dns"
"""
NAT = (
    "[1795364300.000000]\t    [NEW] tcp      6 120 SYN_SENT src=10.70.0.12 dst=198.51.100.7 sport=20500 dport=443 "
    "[UNREPLIED] src=198.51.100.7 dst=203.0.113.5 sport=443 dport=20500 id=1\n"
    "[1795364310.000000]\t[DESTROY] tcp      6 src=10.70.0.12 dst=198.51.100.7 sport=20500 dport=443 "
    "src=198.51.100.7 dst=203.0.113.5 sport=443 dport=20500 [ASSURED] id=1\n"
)
LEASES = """lease 10.70.0.12 {
  starts 0 2026/11/22 16:00:00;
  ends 0 2026/11/22 18:00:00;
  binding state active;
  hardware ethernet 00:1c:42:00:00:02;
}
"""
DNS = (
    "2026-11-22T16:18:10.000Z client @0x1 10.70.0.12#4000 (flagged.example): query: flagged.example IN A + (10.70.0.1)\n"
    "2026-11-22T16:18:11.000Z client @0x1 10.70.0.13#4000 (other.example): query: other.example IN A + (10.70.0.1)\n"
    "2026-11-22T19:00:00.000Z client @0x1 10.70.0.12#4000 (late.example): query: late.example IN A + (10.70.0.1)\n"
)
ASKED = ("trace", "--public", "203.0.113.5:20500", "--at", "2026-11-22T16:18:25Z", "--skew", "5s")


@pytest.fixture
def office(tmp_path):
    (tmp_path / "logs").mkdir()
    (tmp_path / "netaudit.toml").write_text(CONFIGURATION, encoding="utf-8")
    for name, text in (("nat.log", NAT), ("leases", LEASES), ("dns.log", DNS)):
        path = tmp_path / "logs" / name
        path.write_text(text, encoding="utf-8")
        os.utime(path, (1_795_370_000, 1_795_370_000))
    return tmp_path


@pytest.fixture
def case(office):
    assert (
        netaudit(
            "case", "new", "case", "--title", "x", "--as-of", "2026-11-23T01:00:00Z", cwd=office
        ).returncode
        == 0
    )
    return office


def test_a_trace_is_a_table_in_local_time(office):
    done = netaudit(*ASKED, cwd=office)
    assert done.returncode == 0
    assert "2026-11-23 00:18:20–00:18:30" in done.stdout
    assert "The trace holds as far as: device" in done.stdout
    assert "same answer for clock errors from -5 to +5 s" in done.stdout
    assert "nat.log records 1, 2" in done.stdout


def test_a_narrow_table_has_whole_addresses(office, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    done = netaudit(*ASKED, cwd=office, lang="zh-CN")
    assert all(
        whole in done.stdout for whole in ("203.0.113.5:20500", "00:1c:42:00:00:02", "00:18:20–00:18:30")
    )


def test_a_trace_is_drawn_with_the_names_of_its_files(office):
    done = netaudit(*ASKED, "--format", "svg", cwd=office)
    assert done.returncode == 0
    assert ET.fromstring(done.stdout).tag.endswith("svg")
    assert "nat.log records 1, 2" in done.stdout
    assert netaudit(*ASKED, "--format", "svg", cwd=office).stdout == done.stdout


def test_what_was_read_once_is_not_read_again(office, monkeypatch):
    first = netaudit(*ASKED, "--format", "json", cwd=office)
    monkeypatch.setattr("netaudit.pipeline.gather_evidence", None)
    again = netaudit(*ASKED, "--format", "json", cwd=office)
    assert (again.returncode, again.stdout, again.stderr) == (first.returncode, first.stdout, first.stderr)


def test_a_changed_log_or_setting_is_read_anew(office):
    before = json.loads(netaudit(*ASKED, "--format", "json", cwd=office).stdout)
    log = office / "logs" / "leases"
    log.write_text(LEASES.replace("00:02", "00:03"), encoding="utf-8")
    os.utime(log, (1_795_370_001, 1_795_370_001))
    after = json.loads(netaudit(*ASKED, "--format", "json", cwd=office).stdout)
    devices = [trace["hops"][1]["candidates"][0]["value"] for trace in (before, after)]
    assert devices == ["00:1c:42:00:00:02", "00:1c:42:00:00:03"]
    path = office / "netaudit.toml"
    path.write_text(CONFIGURATION.replace("203.0.113.5", "203.0.113.6"), encoding="utf-8")
    assert json.loads(netaudit(*ASKED, "--format", "json", cwd=office).stdout)["reach"] == "nothing"


def test_the_drill_says_where_traces_break(office):
    done = netaudit("trace", "--drill", "5", "--seed", "3", "--format", "json", cwd=office)
    assert done.returncode == 0
    drill = json.loads(done.stdout)
    assert (drill["seen"], drill["drawn"]) == (2, 2)
    (segment,) = drill["segments"]
    assert (segment["segment"], segment["reach"]["device"], segment["wrong"]) == ("office", 2, 0)
    assert (
        netaudit("trace", "--drill", "5", "--seed", "3", "--format", "json", cwd=office).stdout
        == done.stdout
    )
    assert "of 2 outgoing flows were drawn" in netaudit("trace", "--drill", "5", cwd=office).stdout


def test_a_drill_without_flows_is_no_answer(office):
    assert netaudit("trace", "--drill", "5", "logs/leases", cwd=office).returncode == 3


REACHED = ("case", "reached", "case", "--at", "2026-11-22T16:00:00Z", "--until", "2026-11-22T20:00:00Z")
LOOK = ("--by", "Li", "--reason", "letter 12", "--as-of", "2026-11-23T02:00:00Z")


def test_what_a_device_reached(case):
    done = netaudit(*REACHED, "--mac", "00:1c:42:00:00:02", *LOOK, "--format", "json", cwd=case)
    assert done.returncode == 0
    said = json.loads(done.stdout)
    assert [(p["ip"], p["start"], p["end"]) for p in said["presences"]] == [
        ("10.70.0.12", "2026-11-22T16:00:00Z", "2026-11-22T18:00:00Z")
    ]
    assert [(c["destination"], c["kind"], c["count"], c["sure"]) for c in said["contacts"]] == [
        ("flagged.example", "dns", 1, True),
        ("198.51.100.7", "nat", 2, True),
    ]
    table = netaudit(*REACHED, "--mac", "00:1c:42:00:00:02", *LOOK, cwd=case).stdout
    assert "flagged.example" in table
    assert "late.example" not in table


def test_every_look_is_logged_before_it_is_answered(case):
    netaudit(*REACHED, "--client", "10.70.0.12", *LOOK, cwd=case)
    with Store(case / "case") as store:
        entry = store.audit()[-1]
    assert (entry.actor, entry.action, entry.subject, entry.reason) == (
        "Li",
        "reached",
        "10.70.0.12",
        "letter 12",
    )


def test_a_look_needs_a_reason_and_one_subject(case):
    assert (
        netaudit(*REACHED, "--mac", "00:1c:42:00:00:02", "--by", "Li", "--reason", " ", cwd=case).returncode
        == 2
    )
    assert netaudit(*REACHED, *LOOK, cwd=case).returncode == 2
    unknown = netaudit(*REACHED, "--account", "account-00000000", *LOOK, cwd=case)
    assert unknown.returncode == 2
    assert "pseudonym-unknown" in unknown.stderr


def test_a_printed_mac_table_tells_the_switch_port(tmp_path):
    (tmp_path / "netaudit.toml").write_text(
        '[unit]\ntimezone = "Asia/Shanghai"\n\n[[source]]\npath = "mac.txt"\n'
        'options = { taken_at = "2026-11-22T16:10:00Z" }\n',
        encoding="utf-8",
    )
    (tmp_path / "mac.txt").write_text(
        "SW-3F#show mac address-table\n\nVlan    Mac Address       Type        Ports\n"
        "----    -----------       --------    -----\n  10    001c.4200.0002    DYNAMIC     Gi1/0/7\n",
        encoding="utf-8",
    )
    asked = ("--mac", "00:1c:42:00:00:02", "--at", "2026-11-22T16:12:00Z", "--format", "json")
    answer = json.loads(netaudit("trace", *asked, cwd=tmp_path).stdout)
    (port,) = [hop for hop in answer["hops"] if hop["hop"] == "port"]
    assert (port["outcome"], port["candidates"][0]["value"]) == ("held", "SW-3F Gi1/0/7")
    assert answer["place"]["port"] == "SW-3F Gi1/0/7"
