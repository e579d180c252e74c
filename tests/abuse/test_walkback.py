"""Hostile and damaged logs of the walk-back: translations, leases, accounting, inventory. Each case has its id.

What is asked of tables alone (C03 to C09) stands in `tests/attribution/situations`; here are the files.
"""

import datetime as dt
import json
import os
import random

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
            netaudit("--jobs", jobs, "trace", *paths, "--format", "json", *question, cwd=tmp_path)
            for jobs in (1, 2)
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
    assert (code, values(answer, "nat")) == (
        INCONCLUSIVE,
        ["10.1.0.110"],
    )  # more than one line in a thousand
    assert "first at 301, 302" in said
    question = asked("--public", "203.0.113.5:20300", *TZ, at=NOON + dt.timedelta(seconds=302))
    assert values(traces({"nat.csv": octets}, *question)[1], "nat") == []


def test_c01_a_line_of_ten_megabytes_and_nul_octets(traces):
    lines = [line.encode() for line in export()]
    lines[200:200] = [b"A" * (10 << 20), b"\0" * 5000]
    question = asked("--public", "203.0.113.5:20350", *TZ, at=NOON + dt.timedelta(seconds=352))
    code, answer, said = traces({"nat.csv": b"\n".join(lines) + b"\n"}, *question)
    assert (code, values(answer, "nat")) == (INCONCLUSIVE, ["10.1.0.160"])
    assert "first at 201" in said


def test_c01_one_bad_line_in_two_thousand_is_counted_and_tolerated(traces):
    lines = [line.encode() for line in export(2000)]
    lines[300] = lines[300].replace("张三".encode(), b"\xff\xfe\x80")
    question = asked("--public", "203.0.113.5:20100", *TZ, at=NOON + dt.timedelta(seconds=102))
    code, answer, said = traces({"nat.csv": b"\n".join(lines) + b"\n"}, *question)
    assert (code, values(answer, "nat")) == (HELD, ["10.1.0.110"])
    assert "1 = 0.05% ×" in said


def test_c01_an_answer_out_of_a_damaged_log_is_no_clean_result(traces):
    lines = [line.encode() for line in export(100)]
    lines[50:90] = [b"\xff\xfe\x80" * 20] * 40
    question = asked("--public", "203.0.113.5:20010", *TZ, at=NOON + dt.timedelta(seconds=12))
    code, answer, _ = traces({"nat.csv": b"\n".join(lines) + b"\n"}, *question)
    assert (values(answer, "nat"), code) == (["10.1.0.20"], INCONCLUSIVE)


def test_c01_many_bad_lines_are_no_clean_result(reads):
    good = [lease(n, f"10.1.0.{n % 200}", ONE) for n in range(500)]
    bad = [
        "2026-11-23T12:00:00+08:00 gw dhcpd[812]: DHCPACK on 10.1.0.999 to 00:1c:42 (pc) via eth1\n"
    ] * 10
    reading = reads({"dhcp.log": "".join(good + bad).encode()})
    assert sum(reading.reasons.values()) >= 10
    assert reading.code == INCONCLUSIVE


# C02: values that look like nothing, or like numbers


WORDS = ("NA", "null", "nan", "None", "007", "1e5", "TRUE", "0x10")


@pytest.mark.parametrize("word", WORDS)
def test_c02_a_name_is_a_name(traces, word):
    files = {
        "assets.csv": f"asset,hostname,mac,owner\n{word},h,{ONE},Li\n",
        "dhcp.log": lease(0, "10.1.0.50", ONE, word),
    }
    code, answer, _ = traces(files, *asked("--client", "10.1.0.50", at=NOON + dt.timedelta(minutes=5)))
    assert (code, values(answer, "asset")) == (HELD, [word])
    assert hop(answer, "lease")["candidates"][0]["details"]["hostname"] == word


SPELLINGS = (
    "00:1C:42:AA:BB:01",
    "00-1c-42-aa-bb-01",
    "001c.42aa.bb01",
    "001c-42aa-bb01",
    "001c42aabb01",
    "001c42-aabb01",
)


@pytest.mark.parametrize("mac", SPELLINGS)
def test_c02_a_mac_in_any_spelling_is_one_device(traces, mac):
    files = {
        "assets.csv": f"asset,mac\nPC-1,{mac}\n",
        "dhcp.log": lease(0, "10.1.0.50", "00:1c:42:aa:bb:01"),
    }
    for question in (("--client", "10.1.0.50"), ("--mac", mac)):
        _, answer, _ = traces(files, *asked(*question, at=NOON + dt.timedelta(minutes=5)))
        assert values(answer, "asset") == ["PC-1"]


@pytest.mark.parametrize("text", ["10.1", "10.1.0.050", "167838258", "10.1.0.50/24x", "-"])
def test_c02_what_is_no_address_is_none(traces, text):
    files = {"assets.csv": f"asset,ip\nPC-1,{text}\nPC-2,10.1.0.51\n"}
    _, answer, _ = traces(files, *asked("--client", "10.1.0.50"))
    assert values(answer, "asset") == []


@pytest.mark.parametrize(
    "text", ["2001:DB8:0:0::1", "2001:db8::1", "2001:0db8:0000:0000:0000:0000:0000:0001"]
)
def test_c02_an_ipv6_address_in_any_spelling(traces, text):
    config = UNIT + OFFICE.replace("10.1.0.0/24", "2001:db8::/64")
    files = {"assets.csv": f"asset,ip\nPC-1,{text}\n"}
    _, answer, _ = traces(files, *asked("--client", "2001:db8::1"), config=config)
    assert values(answer, "asset") == ["PC-1"]


# C03: times


def test_c03_times_without_a_zone_are_refused_until_one_is_declared(traces):
    files = {"nat.csv": "\n".join(export()) + "\n"}
    question = asked("--public", "203.0.113.5:20100", at=NOON + dt.timedelta(seconds=102))
    config = UNIT.replace('timezone = "Asia/Shanghai"\n', "")
    code, _, said = traces(files, *question, config=config)
    assert code == UNUSABLE
    assert "carry no time zone" in said
    assert "timezone = " in said
    code, answer, _ = traces(files, *question, *TZ, config=config)
    assert (code, values(answer, "nat")) == (HELD, ["10.1.0.110"])


def test_c03_the_units_zone_is_for_paper_and_no_log_is_read_in_it(traces):
    question = asked("--public", "203.0.113.5:20100", at=NOON + dt.timedelta(seconds=102))
    assert traces({"nat.csv": "\n".join(export()) + "\n"}, *question)[0] == UNUSABLE


@pytest.mark.parametrize("zone", ["CST", "IST", "BST"])
def test_c03_an_abbreviation_is_no_zone(traces, zone):
    question = asked("--public", "203.0.113.5:20100")
    code, _, said = traces({"nat.csv": "\n".join(export()) + "\n"}, *question, "--tz", zone)
    assert code == UNUSABLE
    assert "ambiguous" in said


def test_c03_the_letters_time_needs_a_zone_too(traces):
    config = UNIT.replace('timezone = "Asia/Shanghai"\n', "")
    files = {"dhcp.log": lease(0, "10.1.0.50", ONE)}
    code, _, said = traces(files, "--client", "10.1.0.50", "--at", "2026-11-23T12:00:00", config=config)
    assert code == UNUSABLE
    assert "has no zone" in said
    there = traces(files, "--client", "10.1.0.50", "--at", "2026-11-23T04:30:00Z", "--skew", "1s")[1]
    here = traces(files, "--client", "10.1.0.50", "--at", "2026-11-23T12:30:00", "--skew", "1s")[1]
    assert there["hops"] == here["hops"]
    assert values(here, "lease") == [ONE]


def test_c03_an_hour_that_comes_twice_is_noted(traces):
    rows = "".join(f"2026-11-01 01:{n:02d}:00,2026-11-01 01:{n:02d}:30,TCP,10.1.0.{n + 10},1,203.0.113.5,{n + 1},198.51.100.7,443,-\n"
                   for n in range(60))  # fmt: skip
    files = {"nat.csv": export()[0] + "\n" + rows}
    question = ("--public", "203.0.113.5:31", "--tz", "America/New_York", "--skew", "1s")
    _, answer, said = traces(files, *question, "--at", "2026-11-01T01:30:10-04:00")
    assert values(answer, "nat") == ["10.1.0.40"]
    assert "occur twice" in said


def test_c03_a_year_that_is_inferred_over_new_year(traces, tmp_path):
    line = "{} gw dhcpd[812]: DHCPACK on 10.1.0.{} to {} (pc) via eth1 lease-duration 7200\n"
    text = line.format("Dec 31 23:50:00", 50, ONE) + line.format("Jan  1 00:10:00", 51, TWO)
    path = tmp_path / "dhcp.log"
    path.write_text(text)
    collected = dt.datetime(2026, 1, 2, tzinfo=ZONE).timestamp()
    os.utime(path, (collected, collected))
    for address, at, mac in (
        ("10.1.0.50", "2025-12-31T23:55:00", ONE),
        ("10.1.0.51", "2026-01-01T00:15:00", TWO),
    ):
        _, answer, said = traces({}, *asked("--client", address, at=at), *TZ, inputs=["dhcp.log"])
        assert values(answer, "lease") == [mac]
        assert "the year was inferred" in said


# C04: clocks


def test_c04_a_lease_log_that_is_47_minutes_slow(traces):
    files = {
        "dhcp.log": lease(-2820, "10.1.0.50", ONE, length=1800)
        + lease(-2820 + 3600, "10.1.0.50", TWO, length=1800)
    }
    source = '[[source]]\npath = "dhcp.log"\nrole = "dhcp"\nclock_offset_s = 2820\n'
    question = asked("--client", "10.1.0.50", at=NOON + dt.timedelta(minutes=10))
    assert values(traces(files, *question)[1], "lease") == []
    _, corrected, said = traces(files, *question, config=UNIT + OFFICE + source)
    assert values(corrected, "lease") == [ONE]
    assert hop(corrected, "lease")["skew_stable"] == [-600.0, 1200.0]
    assert "2026-11-23 04:00" in said


# C05 and C06: files that follow one another, sessions that do


def test_c05_a_log_that_was_rotated_is_one_log(traces):
    rows = [lease(600 * n, f"10.1.0.{n + 50}", ONE, length=3600) for n in range(12)]
    files = {"dhcp.log.1": "".join(rows[:6]), "dhcp.log": "".join(rows[6:])}
    _, answer, _ = traces(files, *asked("--client", "10.1.0.200", at=NOON + dt.timedelta(seconds=3300)))
    assert (hop(answer, "lease")["outcome"], codes(answer)[0]) == ("missing", "R-STATIC-IP")
    del files["dhcp.log.1"]
    _, answer, _ = traces(
        files, *asked("--client", "10.1.0.200", at=NOON + dt.timedelta(seconds=300)), inputs=["dhcp.log"]
    )
    assert (hop(answer, "lease")["outcome"], codes(answer)[0]) == ("not_covered", "R-LOG-GAP")


def test_c06_a_port_that_is_reused_within_the_minute(traces):
    text = "".join(
        conntrack(15 * n + more, f"10.1.0.{n + 10}", what=what, number=n)
        for n in range(4)
        for more, what in ((0, "NEW"), (10, "DESTROY"))
    )
    files = {"nat.log": text}
    at = NOON + dt.timedelta(seconds=20)
    code, answer, _ = traces(files, *asked("--public", "203.0.113.5:20500", at=at))
    assert (code, values(answer, "nat")) == (HELD, ["10.1.0.11"])
    code, answer, _ = traces(files, *asked("--public", "203.0.113.5:20500", at=at, skew="120s"))
    assert (code, values(answer, "nat")) == (
        INCONCLUSIVE,
        ["10.1.0.11", "10.1.0.12", "10.1.0.10", "10.1.0.13"],
    )
    assert codes(answer) == ["R-NAT-AMBIGUOUS", "R-CLOCK"]


# C10: two sites


def test_c10_two_sites_with_the_same_addresses(traces):
    sources = "".join(
        f'[[source]]\npath = "{s}.log"\nrole = "dhcp"\nsite = "{s}"\n' for s in ("north", "south")
    )
    files = {"north.log": lease(0, "10.1.0.50", ONE), "south.log": lease(0, "10.1.0.50", TWO)}
    question = asked("--client", "10.1.0.50", at=NOON + dt.timedelta(minutes=5))
    code, answer, _ = traces(files, *question, config=UNIT + OFFICE + sources)
    assert (code, values(answer, "lease"), codes(answer)) == (
        INCONCLUSIVE,
        [ONE, TWO],
        ["R-LEASE-CONFLICT"],
    )
    assert [c["details"]["site"] for c in hop(answer, "lease")["candidates"]] == ["north", "south"]
    code, answer, _ = traces(files, *question, "--site", "south", config=UNIT + OFFICE + sources)
    assert (code, values(answer, "lease")) == (HELD, [TWO])


def test_c10_without_a_site_the_same_files_are_still_no_single_answer(traces):
    files = {"north.log": lease(0, "10.1.0.50", ONE), "south.log": lease(0, "10.1.0.50", TWO)}
    code, answer, _ = traces(files, *asked("--client", "10.1.0.50", at=NOON + dt.timedelta(minutes=5)))
    assert (code, sorted(values(answer, "lease"))) == (INCONCLUSIVE, [ONE, TWO])


# C11: the inventory


def test_c11_the_record_of_that_day(traces):
    text = (
        "资产编号,责任人,MAC地址,启用日期,停用日期\n"
        f"PC-1,张三,{ONE},2026-01-01,2026-11-10\nPC-1,李四,{ONE},2026-11-11,\nPC-2,王五,{TWO},2025-01-01,2026-11-01\n"
    )
    files = {"assets.csv": text}
    owners = set()
    for day, found in ((5, ["PC-1"]), (20, ["PC-1"])):
        _, answer, _ = traces(files, *asked("--mac", ONE, at=f"2026-11-{day:02d}T12:00:00+08:00"), *TZ)
        assert values(answer, "asset") == found
        owners.add(hop(answer, "asset")["candidates"][0]["evidence"][0]["ordinal"])
    assert len(owners) == 2
    _, answer, _ = traces(files, *asked("--mac", TWO, at="2026-11-20T12:00:00+08:00"), *TZ)
    assert (values(answer, "asset"), "R-ASSET-UNKNOWN" in codes(answer)) == ([], True)


def test_c11_addresses_that_are_declared_twice(traces):
    files = {"assets.csv": "asset,ip,owner\nPC-1,10.1.0.50,Li\nPC-2,10.1.0.50,Wang\n"}
    code, answer, _ = traces(files, *asked("--client", "10.1.0.50"))
    assert (code, values(answer, "asset")) == (INCONCLUSIVE, ["PC-1", "PC-2"])


@pytest.mark.slow
def test_c11_a_large_inventory(traces):
    chance = random.Random(3)
    rows = [
        f"PC-{n},{chance.randrange(1 << 40):012x},10.1.{n >> 8 & 255}.{n & 255},owner {n % 999}"
        for n in range(200_000)
    ]
    rows[150_000] = f"PC-HERE,{ONE},10.1.0.50,Li"
    _, answer, _ = traces(
        {"assets.csv": "asset,mac,ip,owner\n" + "\n".join(rows) + "\n"}, *asked("--mac", ONE)
    )
    assert values(answer, "asset") == ["PC-HERE"]


# C12: logs that were tampered with


def test_c12_lines_that_were_taken_out_are_a_gap_and_no_absence(traces, tmp_path):
    rows = [lease(60 * n, f"10.1.0.{n % 100 + 50}", ONE, length=600) for n in range(600)]
    files = {"dhcp.log": "".join(rows[:200] + rows[400:])}
    _, answer, _ = traces(files, *asked("--client", "10.1.0.10", at=NOON + dt.timedelta(hours=5)))
    assert (hop(answer, "lease")["outcome"], codes(answer)[0]) == ("not_covered", "R-LOG-GAP")
    run = netaudit("logs", "dhcp.log", "--format", "json", cwd=tmp_path)
    (log,) = json.loads(run.stdout)["logs"]
    assert (run.returncode, log["gap_count"]) == (1, 1)


def test_c12_the_order_of_lines_and_files_changes_no_answer(traces):
    rows = [conntrack(15 * n + more, f"10.1.0.{n + 10}", what=what, number=n)
            for n in range(40) for more, what in ((0, "NEW"), (10, "DESTROY"))]  # fmt: skip
    question = asked("--public", "203.0.113.5:20500", at=NOON + dt.timedelta(seconds=20), skew="120s")
    mixed = rows.copy()
    random.Random(1).shuffle(mixed)
    answers = [traces({"nat.log": "".join(some)}, *question)[1] for some in (rows, mixed)]
    for answer in answers:
        for candidate in hop(answer, "nat")["candidates"]:
            del candidate["evidence"]
    assert answers[0]["hops"] == answers[1]["hops"]


def test_c12_a_day_that_is_delivered_twice_counts_once(traces):
    text = conntrack(0, "10.1.0.10") + conntrack(30, "10.1.0.10", what="DESTROY")
    question = asked("--public", "203.0.113.5:20500", at=NOON + dt.timedelta(seconds=10))
    once = traces({"nat.log": text}, *question)[1]
    twice = traces({"nat.log": text, "again.log": text}, *question)[1]
    assert hop(once, "nat") == hop(twice, "nat")
    doubled = traces({"nat.log": text + text}, *question, inputs=["nat.log"])[1]
    assert hop(doubled, "nat")["candidates"][0]["details"]["sessions"] == "1"
    assert hop(doubled, "nat")["skew_stable"] == [-10.0, 20.0]


# C13: lines within names


FORGED = ("pc\r2026-11-23T12:00:00+08:00 gw dhcpd[812]: DHCPACK on 10.1.0.50 to 00:1c:42:00:00:02 (x",
          "pc DHCPACK on 10.1.0.50 to 00:1c:42:00:00:02 (x", "pc) via eth1 DHCPACK on 10.1.0.50 to 00:1c:42:00:00:02 (x")  # fmt: skip


@pytest.mark.parametrize(
    "name", FORGED, ids=["carriage return", "a message", "the end of one, and a message"]
)
def test_c13_a_host_name_is_no_second_lease(traces, name):
    files = {"dhcp.log": lease(0, "10.1.0.50", ONE) + lease(60, "10.1.0.51", ONE, name)}
    _, answer, _ = traces(files, *asked("--client", "10.1.0.50", at=NOON + dt.timedelta(minutes=5)))
    assert values(answer, "lease") == [ONE]


def test_c13_a_cell_with_line_ends_is_one_session(traces):
    header, *rows = export(40)
    forged = rows[5].replace(
        "张三",
        '"x\n2026-11-23 12:00:30,2026-11-23 12:00:40,TCP,10.1.0.99,1,203.0.113.5,20500,198.51.100.7,443,y"',
    )
    files = {"nat.csv": "\n".join([header, *rows[:5], forged, *rows[6:]]) + "\n"}
    question = asked("--public", "203.0.113.5:20500", *TZ, at=NOON + dt.timedelta(seconds=35))
    _, answer, _ = traces(files, *question)
    assert values(answer, "nat") == []


@pytest.mark.parametrize("lang", ["en", "zh-CN", "zh-TW"])
def test_c13_no_name_moves_the_cursor(tmp_path, lang):
    name = "pc\x1b[2J\x07\x1b]52;c;eA==\x07"
    (tmp_path / "netaudit.toml").write_text(UNIT + OFFICE)
    (tmp_path / "assets.csv").write_text(f"asset,mac,location\n{name},{ONE},\u202eevil\n", encoding="utf-8")
    done = netaudit("trace", "assets.csv", *asked("--mac", ONE), cwd=tmp_path, lang=lang)
    assert "pc" in done.stdout
    for forbidden in ("\x1b", "\x07", "\u202e"):
        assert forbidden not in done.stdout + done.stderr
