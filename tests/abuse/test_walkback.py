"""Hostile and damaged logs of the walk-back: translations, leases, accounting, inventory. Each case has its id.

What is asked of tables alone (C03 to C09) stands in `tests/attribution/situations`; here are the files.
"""

import datetime as dt
import json
import random
import time

import pytest
from command import netaudit

HELD, UNUSABLE, INCONCLUSIVE = 0, 2, 3
ZONE = dt.timezone(dt.timedelta(hours=8))
NOON = dt.datetime(2026, 11, 23, 12, tzinfo=ZONE)
UNIT = '[unit]\ntimezone = "Asia/Shanghai"\negress = ["203.0.113.5"]\n'
OFFICE = '[[segment]]\nid = "office"\nnetwork = ["10.1.0.0/24"]\naddressing = "dhcp"\n'
TZ = ("--tz", "Asia/Shanghai")


def asked(*what, at=NOON, skew="1s"):
    return ("--at", at.isoformat() if isinstance(at, dt.datetime) else at, "--skew", skew, *what)


@pytest.fixture
def traces(tmp_path):
    """Write files, walk back by the command line with one worker and with two; the answer and what was said."""

    def run(files, *question, config=UNIT + OFFICE, inputs=None):
        (tmp_path / "netaudit.toml").write_text(config, encoding="utf-8")
        for name, content in files.items():
            (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        paths = files if inputs is None else inputs
        runs = [
            netaudit("--jobs", jobs, "trace", *paths, "--format", "json", *question, cwd=tmp_path) for jobs in (1, 2)
        ]
        one, two = runs
        assert (one.returncode, one.stdout, one.stderr) == (two.returncode, two.stdout, two.stderr)
        assert "Traceback" not in one.stderr
        return one.returncode, json.loads(one.stdout) if one.stdout else {}, one.stderr

    return run


def hop(answer, name):
    return next(h for h in answer["hops"] if h["hop"] == name)


def values(answer, name):
    return [c["value"] for c in hop(answer, name)["candidates"]]


def codes(answer):
    return [reason["code"] for reason in answer["reasons"]]


# Files as devices write them


def export(rows=400, account="张三"):
    """A gateway's own table of sessions, one a second, in Chinese."""
    lines = ["开始时间,结束时间,协议,源IP,源端口,转换后源IP,转换后源端口,目的IP,目的端口,用户"]
    for n in range(rows):
        begun, over = (NOON + dt.timedelta(seconds=n + more) for more in (0, 4))
        lines.append(
            f"{begun:%Y-%m-%d %H:%M:%S},{over:%Y-%m-%d %H:%M:%S},TCP,10.1.0.{n % 200 + 10},{5000 + n},"
            f"203.0.113.5,{20000 + n},198.51.100.7,443,{account}"
        )
    return lines


def conntrack(seconds, inside, port=20500, *, what="NEW", number=1):
    stamp = NOON.timestamp() + seconds
    event = f"{f'[{what}]':>9} tcp      6" + (" 120 SYN_SENT" if what == "NEW" else "")
    return (
        f"[{stamp:.6f}]\t{event} src={inside} dst=198.51.100.7 sport={port} dport=443 "
        f"src=198.51.100.7 dst=203.0.113.5 sport=443 dport={port} id={number}\n"
    )


def lease(seconds, address, mac, name="pc", length=7200):
    at = NOON + dt.timedelta(seconds=seconds)
    return f"{at.isoformat()} gw dhcpd[812]: DHCPACK on {address} to {mac} ({name}) via eth1 lease-duration {length}\n"


ONE, TWO = "00:1c:42:00:00:01", "00:1c:42:00:00:02"


# C01: encodings, damage


ENCODINGS = {
    "utf-8": "utf-8", "byte order mark": "utf-8-sig", "utf-16": "utf-16", "utf-16 of the other order": "utf-16-be",
    "gb18030": "gb18030",
}  # fmt: skip


@pytest.mark.parametrize("ending", ["\n", "\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize("encoding", ENCODINGS.values(), ids=ENCODINGS)
def test_c01_one_answer_in_every_encoding(traces, encoding, ending):
    text = ending.join(export()) + ending
    octets = text.encode(encoding)
    if encoding == "utf-16-be":
        octets = b"\xfe\xff" + octets
    question = asked("--public", "203.0.113.5:20100", *TZ, at=NOON + dt.timedelta(seconds=102))
    code, answer, _ = traces({"nat.csv": octets}, *question)
    assert (code, values(answer, "nat")) == (HELD, ["10.1.0.110"])
    assert hop(answer, "nat")["skew_stable"] == [-2.0, 2.0]
    assert hop(answer, "nat")["candidates"][0]["evidence"][0]["ordinal"] == 102
    assert hop(answer, "nat")["candidates"][0]["details"]["account"]


def test_c01_a_line_of_invalid_octets_costs_that_line_at_most(traces):
    lines = [line.encode() for line in export()]
    lines[300] = lines[300].replace("张三".encode(), b"\xff\xfe\x80")
    lines[301] = lines[301].replace(b"203.0.113.5", b"203.\xff\x00.5")
    octets = b"\n".join(lines) + b"\n"
    question = asked("--public", "203.0.113.5:20100", *TZ, at=NOON + dt.timedelta(seconds=102))
    code, answer, said = traces({"nat.csv": octets}, *question)
    assert (code, values(answer, "nat")) == (HELD, ["10.1.0.110"])
    assert "first at 302" in said
    question = asked("--public", "203.0.113.5:20300", *TZ, at=NOON + dt.timedelta(seconds=302))
    assert values(traces({"nat.csv": octets}, *question)[1], "nat") == []


def test_c01_a_line_of_ten_megabytes_and_nul_octets(traces):
    lines = [line.encode() for line in export()]
    lines[200:200] = [b"A" * (10 << 20), b"\0" * 5000]
    question = asked("--public", "203.0.113.5:20350", *TZ, at=NOON + dt.timedelta(seconds=352))
    begun = time.perf_counter()
    code, answer, said = traces({"nat.csv": b"\n".join(lines) + b"\n"}, *question)
    assert time.perf_counter() - begun < 20
    assert (code, values(answer, "nat")) == (HELD, ["10.1.0.160"])
    assert "first at 201" in said


def test_c01_many_bad_lines_are_no_clean_result(reads):
    good = [lease(n, f"10.1.0.{n % 200}", ONE) for n in range(500)]
    bad = ["2026-11-23T12:00:00+08:00 gw dhcpd[812]: DHCPACK on 10.1.0.999 to 00:1c:42 (pc) via eth1\n"] * 10
    reading = reads({"dhcp.log": "".join(good + bad).encode()})
    assert sum(reading.reasons.values()) >= 10
    assert reading.code == INCONCLUSIVE
