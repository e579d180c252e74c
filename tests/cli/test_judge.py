"""``netaudit events --judge``: the second opinion of tshark, real and made up."""

import json
import os
import shutil
import struct
import sys
import time
from pathlib import Path

import pytest
from command import netaudit
from frames import CLIENT, SERVER, client_hello, dns_query, dns_response, pcap, tcp, udp

from netaudit.config import Settings
from netaudit.workflow import second_opinion
from netaudit.workflow.second_opinion import Limits, judge

pytest.importorskip("pyshark", reason="pyshark is not installed")
pytestmark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")

REQUEST = b"GET / HTTP/1.1\r\nHost: example.net\r\n\r\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def agreeing():
    return [
        udp(dns_query("www.example.org")),
        udp(dns_response("www.example.org", [(1, b"\x01\x02\x03\x04")]), 53, 5000, src=SERVER, dst=CLIENT),
        tcp(client_hello("example.com"), sport=5001),
        tcp(REQUEST, sport=5002, dport=80),
    ]


def icmp_error(frame):
    """The error of a router about `frame`, with the frame's packet in it."""
    quoted = frame[14:]
    message = b"\x03\x03" + bytes(2) + bytes(4) + quoted
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(message), 1, 0, 64, 1, 0)
    return frame[:14] + head + bytes([192, 0, 2, 1]) + bytes([10, 0, 0, 7]) + message


def opinion_of(folder, *frames, **options):
    (folder / "m.pcap").write_bytes(pcap(*frames))
    return judge("m.pcap", Settings(folder=folder), **options)


def test_they_agree(folder):
    (folder / "m.pcap").write_bytes(pcap(*agreeing()))
    run = netaudit("events", "m.pcap", "--judge", "tshark", cwd=folder)
    assert (run.returncode, run.stdout) == (0, "")
    assert "3 names read by both, 0 disagreements" in run.stderr


@pytest.mark.parametrize("form", ["json", "jsonl", "table"])
def test_they_differ(folder, form, monkeypatch):
    (folder / "m.pcap").write_bytes(pcap(*agreeing()))
    monkeypatch.setattr(second_opinion, "KINDS", ("dns", "tls"))  # as if netaudit read no HTTP
    run = netaudit("events", "m.pcap", "--judge", "tshark", "--format", form, cwd=folder)
    assert run.returncode == 1
    assert "example.net" in run.stdout
    if form == "table":
        assert "the other did not read it" in run.stdout
        return
    said = json.loads(run.stdout)
    (difference,) = said["differences"] if form == "json" else [said]
    assert (difference["only"], difference["kind"], difference["packets"]) == ("tshark", "http", [4])
    assert difference["counts"]


def test_a_quoted_packet_is_expected_to_differ(folder):
    opinion = opinion_of(folder, *agreeing(), icmp_error(udp(dns_query("quoted.example.org"))))
    assert [(d.name, d.reason) for d in opinion.differences] == [
        ("quoted.example.org", second_opinion.QUOTED)
    ]
    assert opinion.agree


def test_a_sample_has_the_original_numbers(folder, monkeypatch):
    monkeypatch.setattr(second_opinion, "KINDS", ("tls", "http"))
    opinion = opinion_of(folder, *agreeing(), sample=3)
    assert (opinion.both, opinion.sample) == (1, 3)
    assert [(d.kind, d.packets) for d in opinion.differences] == [("dns", (1, 2))]


@pytest.mark.parametrize("suffix", ["gz", "xz"])
def test_compressed(folder, suffix):
    module = __import__({"gz": "gzip", "xz": "lzma"}[suffix])
    (folder / f"m.pcap.{suffix}").write_bytes(module.compress(pcap(*agreeing())))
    opinion = judge(f"m.pcap.{suffix}", Settings(folder=folder), sample=0)
    assert (opinion.both, opinion.differences, opinion.unfinished) == (3, (), "")


def test_a_cut_file_is_no_clean_end(folder):
    (folder / "m.pcap").write_bytes(pcap(*agreeing())[:-5])
    run = netaudit("events", "m.pcap", "--judge", "tshark", "--sample", 0, cwd=folder)
    assert run.returncode == 3
    assert "tshark did not finish" in run.stderr


def stub(folder, monkeypatch, body):
    """A tshark of our own, first in the path."""
    programs = folder / "bin"
    programs.mkdir()
    path = programs / "tshark"
    version = 'if [ "$1" = -v ]; then echo "TShark (Wireshark) 4.0.17 (Git)."; exit 0; fi\n'
    path.write_text(f"#!/bin/sh\n{version}echo $$ > {folder}/pid\n{body}\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")


def gone(pid):
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize(
    ("body", "limits", "reason"),
    [
        ("sleep 600", Limits(seconds=2), second_opinion.OUT_OF_TIME),
        ("while :; do sleep 600 & sleep 600; done", Limits(seconds=2), second_opinion.OUT_OF_TIME),
        ("yes '<nothing>'", Limits(seconds=2), second_opinion.OUT_OF_TIME),
        ("kill -SEGV $$", Limits(), "exit code -11"),
        ("echo no >&2; exit 2", Limits(), "exit code 2: no"),
    ],
)
def test_a_hostile_judge(folder, monkeypatch, body, limits, reason):
    stub(folder, monkeypatch, body)
    begun = time.monotonic()
    opinion = opinion_of(folder, *agreeing(), limits=limits)
    assert time.monotonic() - begun < 60
    assert opinion.unfinished.startswith(reason)
    assert not opinion.differences  # what it did not get to is not held against netaudit
    assert gone((folder / "pid").read_text().strip())


def test_the_limits_are_those_of_the_judge(folder, monkeypatch):
    stub(folder, monkeypatch, f"ulimit -v > {folder}/memory")
    assert opinion_of(folder, *agreeing(), limits=Limits(memory=1 << 30)).unfinished == ""
    assert (folder / "memory").read_text().strip() == str(1 << 20)


def test_a_judge_that_says_too_much(folder):
    opinion = opinion_of(folder, *agreeing(), limits=Limits(output=100))
    assert opinion.unfinished == second_opinion.TOO_MUCH_OUTPUT


def test_the_folder_of_the_evidence_gives_no_orders(folder):
    """pyshark would run the program that a config.ini names; Python would import from here."""
    (folder / "config.ini").write_text(f"[tshark]\ntshark_path = {folder}/evil\n")
    evil = folder / "evil"
    evil.write_text(f"#!/bin/sh\ntouch {folder}/ran\n")
    evil.chmod(0o755)
    (folder / "pyshark.py").write_text("raise SystemExit")
    assert opinion_of(folder, *agreeing()).both == 3
    assert not (folder / "ran").exists()


def test_no_judge(folder, monkeypatch):
    (folder / "m.pcap").write_bytes(pcap(*agreeing()))
    monkeypatch.setenv("PATH", str(folder))
    run = netaudit("events", "m.pcap", "--judge", "tshark", cwd=folder)
    assert run.returncode == 2
    assert "[no-judge]" in run.stderr


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["m.pcap", "--judge", "tshark", "--format", "csv"], "no-such-form"),
        (["m.pcap", "--judge", "tshark", "-o", "x"], "no-such-form"),
        (["m.pcap", "--format", "json"], "no-such-form"),
        (["dns.log", "--judge", "tshark"], "not-a-capture"),
        (["-", "--judge", "tshark"], "needs-file"),
    ],
)
def test_what_cannot_be_judged(folder, arguments, code):
    (folder / "m.pcap").write_bytes(pcap(*agreeing()))
    (folder / "dns.log").write_text("a line\n")
    run = netaudit("events", *arguments, cwd=folder)
    assert (run.returncode, f"[{code}]" in run.stderr) == (2, True)


def test_what_runs_it_stays_small():
    """Its memory limit is for tshark: nothing large is imported beside it."""
    import subprocess

    text = "import sys, netaudit.intake.tshark; print(sorted(m for m in sys.modules if '.' not in m))"
    run = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert not {"numpy", "pyarrow", "pandas", "numba"} & set(eval(run.stdout))
