from __future__ import annotations

import datetime as dt
import zoneinfo

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netaudit.errors import ConfigError
from netaudit.intake.carrier import peel, peel_text, read_stamps
from netaudit.intake.times import Context

CONTEXT = Context(
    zone=zoneinfo.ZoneInfo("Asia/Shanghai"), collected=dt.datetime(2026, 12, 1, tzinfo=dt.UTC)
)
MORNING = "2026-11-22T16:00:36+00:00"

CASES = [
    ("Nov 23 00:00:36 dnsmasq[674]: started, version: 2", MORNING, None, "dnsmasq", "674", "started, version: 2"),
    ("Nov 23 00:00:36 gw dnsmasq[674]: a: b", MORNING, "gw", "dnsmasq", "674", "a: b"),
    ("<134>Nov 23 00:00:36 10.0.0.1 %ASA-6-302013: Built", MORNING, "10.0.0.1", "%ASA-6-302013", None, "Built"),
    ("<134>Nov 23 2026 00:00:36: %ASA-6-302013: Built", MORNING, None, "%ASA-6-302013", None, "Built"),
    ("Mon Nov 23 00:00:36 2026 daemon.info hostapd: wlan0: STA", MORNING, "daemon.info", "hostapd", None, "wlan0: STA"),
    ("11月 23 00:00:36 gw dnsmasq[674]: a: b", MORNING, "gw", "dnsmasq", "674", "a: b"),
    ("2026-11-23T00:00:36+08:00 gw named[1]: client @0x", MORNING, "gw", "named", "1", "client @0x"),
    ("2026-11-22T16:00:36Z fe80::1 x: y", MORNING, "fe80::1", "x", None, "y"),
    ("57 <30>1 2026-11-23T00:00:36+08:00 gw dnsmasq 674 - - rest of it", MORNING, "gw", "dnsmasq", "674", "rest of it"),
    ('<30>1 2026-11-23T00:00:36+08:00 - p - m [a b="x] y"][c] %% It', MORNING, None, "p", None, "%% It"),
    ("<30>1 - - - - - -", None, None, None, None, ""),
    ("<190>plain text", None, None, None, None, "plain text"),
    ("Nov 23 00:00:36 no tag at all", MORNING, None, None, None, "no tag at all"),
    (
        '{"__REALTIME_TIMESTAMP":"1795363236000000","MESSAGE":"query","_HOSTNAME":"h","_PID":"5","SYSLOG_IDENTIFIER":"d"}',
        MORNING, "h", "d", "5", "query",
    ),
    ('{"log":"query\\n","stream":"stdout","time":"2026-11-22T16:00:36.0Z"}', MORNING, None, None, None, "query"),
    ('{"log":"cut', None, None, None, None, '{"log":"cut'),
    ("no carrier", None, None, None, None, "no carrier"),
    ("", None, None, None, None, ""),
]  # fmt: skip


@pytest.mark.parametrize(("line", "moment", "host", "program", "pid", "rest"), CASES)
def test_carriers(line, moment, host, program, pid, rest) -> None:
    for lines in ([line], ["no carrier", line, *(case[0] for case in CASES)]):
        peeled = peel(pa.array(lines))
        at = lines.index(line)
        assert peeled.rest[at].as_py() == rest
        assert [c[at].as_py() for c in (peeled.host, peeled.program, peeled.pid)] == [host, program, pid]
        found = read_stamps(peeled.stamp, CONTEXT).cast(pa.timestamp("us", "UTC"))[at].as_py()
        assert (found.isoformat() if found else None) == moment


def test_peeled_text_is_for_recognition() -> None:
    assert peel_text(["<13>a", "b"]) == ["a", "b"]
    assert peel_text([]) == []


def test_a_stamp_without_zone_needs_one() -> None:
    stamp = peel(pa.array(["Nov 23 00:00:36 gw x: y"])).stamp
    with pytest.raises(ConfigError):
        read_stamps(stamp, Context(collected=CONTEXT.collected))


def test_no_stamp_needs_no_zone() -> None:
    assert read_stamps(peel(pa.array(["y", "<1>z"])).stamp, Context()).null_count == 2


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=40), max_size=5))
def test_nothing_raises_and_nothing_is_lost(lines: list[str]) -> None:
    peeled = peel(pa.array(lines, pa.string()))
    assert len(peeled.rest) == len(lines)
    assert peeled.rest.null_count == 0
    assert all(
        rest in line for rest, line in zip(peeled.rest.to_pylist(), lines, strict=True) if line[:1] != "{"
    )
