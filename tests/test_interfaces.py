"""The command line as a whole: start-up, help, errors that help, exit codes."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys

import pytest
from command import netaudit

from netaudit.cli import VERBS
from netaudit.inspection.draw import PROTOCOL

BIND_LINE = (
    "04-Nov-2026 14:05:09.012 queries: info: client @0x7fea21a32098 10.66.3.55#54767 ({0}):"
    " query: {0} IN A +E(0)K (10.66.0.53)\n"
)


def lines(path, *names):
    path.write_text("".join(BIND_LINE.format(n) for n in names), encoding="utf-8")
    return path


@pytest.fixture
def blocklist(tmp_path):
    path = tmp_path / "bad.txt"
    path.write_text("# list\nbad.example\n", encoding="utf-8")
    return f"domains-subtree:{path}"


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from netaudit.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print([m for m in ('numpy', 'pyarrow', 'pandas', 'scapy', 'docx', 'matplotlib', 'rich') if m in sys.modules],"
        " file=sys.stderr)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stderr.strip() == "[]"


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(verb, tmp_path):
    run = netaudit(verb, "--help", cwd=tmp_path)
    assert run.returncode == 0
    assert "Usage" in run.stdout


def test_events_of_a_log(tmp_path):
    lines(tmp_path / "q.log", "a.example")
    run = netaudit("events", "q.log", "--tz", "Asia/Shanghai", cwd=tmp_path)
    event = json.loads(run.stdout)
    assert run.returncode == 0
    assert event["ts"] == "2026-11-04T06:05:09.012000000Z"
    assert (event["kind"], event["name"], event["client_ip"], event["ordinal"]) == (
        "dns",
        "a.example",
        "10.66.3.55",
        1,
    )


def test_times_without_a_zone_are_an_error(tmp_path):
    lines(tmp_path / "q.log", "a.example")
    run = netaudit("events", "q.log", cwd=tmp_path)
    assert run.returncode == 2
    assert run.stdout == ""
    assert "zone-missing" in run.stderr
    assert "--tz" in run.stderr


@pytest.mark.parametrize("zone", ["CST", "Asia/Shangahi"])
def test_zones_that_are_none(tmp_path, zone):
    lines(tmp_path / "q.log", "a.example")
    assert netaudit("events", "q.log", "--tz", zone, cwd=tmp_path).returncode == 2


def test_scan_finds_with_list_entry_and_line(tmp_path, blocklist):
    lines(tmp_path / "q.log", "a.example", "x.bad.example", "notbad.example")
    run = netaudit("scan", "q.log", "--tz", "UTC", "--list", blocklist, "--format", "json", cwd=tmp_path)
    assert run.returncode == 1
    result = json.loads(run.stdout)
    (finding,) = result["findings"]
    assert (finding["list"]["entry"], finding["list"]["line"]) == ("bad.example", 2)
    assert (finding["grade"], finding["destination"]) == ("asked", "x.bad.example")
    assert finding["evidence"] == [{"file": result["inputs"][0]["id"], "ordinal": 2}]


def test_clean_scan(tmp_path, blocklist):
    lines(tmp_path / "q.log", "a.example", "notbad.example")
    assert netaudit("scan", "q.log", "--tz", "UTC", "--list", blocklist, cwd=tmp_path).returncode == 0


def test_fail_on_leaves_lesser_findings_at_zero(tmp_path, blocklist):
    lines(tmp_path / "q.log", "bad.example")
    run = netaudit(
        "scan", "q.log", "--tz", "UTC", "--list", blocklist, "--fail-on", "critical", cwd=tmp_path
    )
    assert run.returncode == 0


def test_cut_compressed_log_without_finding_is_inconclusive(tmp_path, blocklist):
    lines(tmp_path / "q.log", *[f"n{i}.example" for i in range(2000)])
    packed = gzip.compress((tmp_path / "q.log").read_bytes())
    (tmp_path / "q.log.gz").write_bytes(packed[: len(packed) // 2])
    run = netaudit("scan", "q.log.gz", "--tz", "UTC", "--list", blocklist, cwd=tmp_path)
    assert run.returncode == 3
    assert "ended early" in run.stderr


def test_other_inputs_go_on_and_nothing_is_lost(tmp_path, blocklist):
    lines(tmp_path / "a.log", "bad.example")
    (tmp_path / "picture.pcap").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    (tmp_path / "empty.log").write_bytes(b"")
    run = netaudit(
        "scan",
        "a.log",
        "picture.pcap",
        "empty.log",
        "nowhere.log",
        "--tz",
        "UTC",
        "--list",
        blocklist,
        "--format",
        "json",
        cwd=tmp_path,
    )
    assert run.returncode == 1
    result = json.loads(run.stdout)
    assert [i["name"] for i in result["inputs"]] == ["a.log", "picture.pcap", "empty.log", "nowhere.log"]
    assert {e["code"] for e in result["errors"]} == {"not-evidence", "cannot-read"}
    assert all(i["bytes_read"] + i["bytes_skipped"] == i["size"] for i in result["inputs"])


@pytest.mark.parametrize(
    ("name", "body", "code"),
    [("p.png", b"\x89PNG\r\n\x1a\n" + bytes(99), 2), ("e", b"", 3), ("t", b"hello\n", 2)],
)
def test_what_is_no_evidence(tmp_path, name, body, code):
    (tmp_path / name).write_bytes(body)
    run = netaudit("scan", name, cwd=tmp_path)
    assert run.returncode == code
    assert "Traceback" not in run.stderr


def test_standard_input_folder_and_zip(tmp_path):
    import zipfile

    lines(tmp_path / "q.log", "a.example")
    run = netaudit(
        "events", "-", "--tz", "UTC", cwd=tmp_path, stdin=(tmp_path / "q.log").read_text(encoding="utf-8")
    )
    assert json.loads(run.stdout)["name"] == "a.example"
    folder = tmp_path / "logs"
    folder.mkdir()
    with zipfile.ZipFile(folder / "logs.zip", "w") as archive:
        archive.write(tmp_path / "q.log", "../../evil.log")
    run = netaudit("events", folder, "--tz", "UTC", cwd=tmp_path)
    assert json.loads(run.stdout)["name"] == "a.example"
    assert not (tmp_path.parent / "evil.log").exists()


def test_same_file_twice_counts_once(tmp_path):
    lines(tmp_path / "q.log", "a.example")
    lines(tmp_path / "copy.log", "a.example")
    run = netaudit("events", "q.log", "copy.log", "q.log", "--tz", "UTC", cwd=tmp_path)
    assert len(run.stdout.splitlines()) == 1


def test_csv_and_parquet(tmp_path):
    import pyarrow.parquet as pq

    lines(tmp_path / "q.log", "a.example")
    assert (
        netaudit(
            "events", "q.log", "--tz", "UTC", "-o", "e.parquet", "--format", "parquet", cwd=tmp_path
        ).returncode
        == 0
    )
    assert pq.read_table(tmp_path / "e.parquet").column("name").to_pylist() == ["a.example"]
    run = netaudit("events", "q.log", "--tz", "UTC", "--format", "csv", cwd=tmp_path)
    assert run.stdout.splitlines()[0].startswith("schema_version,kind,ts,")


def test_unknown_key_in_configuration(tmp_path):
    (tmp_path / "netaudit.toml").write_text('[unit]\nnam = "x"\n', encoding="utf-8")
    run = netaudit("check", cwd=tmp_path)
    assert run.returncode == 2
    assert "Did you mean name?" in run.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("trace", "--at", "2026-11-04T14:05:09"),
        ("trace", "--client", "10.0.0.1", "--at", "yesterday"),
        ("trace", "--client", "nonsense", "--at", "2026-11-04T14:05:09Z"),
        ("scan",),
        ("nonsense",),
        ("trace", "--client", "10.0.0.1", "--at", "2026-11-04T14:05:09Z", "--skew", "soon"),
        ("explain", "F-0", "--case", "."),
        ("rules", "explain", "NA-NONE"),
        ("lists", "match", "x", "--list", "nothing"),
    ],
)
def test_usage_errors_are_two_and_no_traceback(tmp_path, arguments):
    run = netaudit(*arguments, cwd=tmp_path)
    assert run.returncode == 2
    assert "Traceback" not in run.stderr
    assert run.stderr.strip()


def test_chinese_words(tmp_path):
    run = netaudit("events", "nowhere.log", cwd=tmp_path, lang="zh-CN")
    assert run.returncode == 2
    assert "错误" in run.stderr


def test_control_characters_of_names_never_reach_the_terminal(tmp_path):
    name = "evil\x1b]52;c;x\x07.log"
    lines(tmp_path / name, "a.example")
    run = netaudit("events", name, "--tz", "UTC", cwd=tmp_path)
    assert "\x1b" not in run.stderr
    assert "\\u001b" in run.stderr


def test_lists_match(tmp_path, blocklist):
    run = netaudit("lists", "match", "x.bad.example", "--list", blocklist, cwd=tmp_path)
    assert run.returncode == 1
    assert "bad.example" in run.stdout
    assert netaudit("lists", "match", "notbad.example", "--list", blocklist, cwd=tmp_path).returncode == 0


def test_draw_commits_draws_verifies(tmp_path):
    (tmp_path / "offices.txt").write_text("A\nB\nC\n", encoding="utf-8")
    common = ("inspect", "draw", "offices.txt", "--n", "2", "--label", "R1", "--entropy", "dice")
    committed = json.loads(netaudit(*common, cwd=tmp_path).stdout)
    assert committed["v"] == PROTOCOL
    drawn = netaudit(*common, "--reveal", "4 1 6", "-o", "draw.json", cwd=tmp_path).stdout.split()
    assert len(drawn) == 2
    assert netaudit("inspect", "verify", "draw.json", cwd=tmp_path).returncode == 0
    record = (tmp_path / "draw.json").read_text(encoding="utf-8")
    (tmp_path / "draw.json").write_text(record.replace("4 1 6", "4 1 5"), encoding="utf-8")
    assert netaudit("inspect", "verify", "draw.json", cwd=tmp_path).returncode == 1


@pytest.mark.parametrize("what", ["event", "finding", "trace"])
def test_schemas_are_json(what, tmp_path):
    assert json.loads(netaudit("schema", what, cwd=tmp_path).stdout)["$schema"].endswith("2020-12/schema")
