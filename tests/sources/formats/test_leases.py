"""Leases and their logs: what the samples do not show, and what their words mean for a lease."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from log_reading import accounted, chunk, read

from netaudit.attribution.words import Role, lease_role
from netaudit.errors import ConfigError
from netaudit.intake.times import ZONELESS, Context
from netaudit.sources.formats import (
    isc_dhcpd_log,
    isc_leases,
    kea_legal,
    kea_log,
    windows_dhcp,
    windows_dhcp_v6,
)

BY_LINE = (isc_dhcpd_log, kea_legal, kea_log, windows_dhcp, windows_dhcp_v6)


def windows(identifier, description="x", ip="10.1.0.7", mac="525400AA0007", date="11/23/26"):
    return f"{identifier},{date},09:00:00,{description},{ip},pc-7.corp,{mac},,1,0,,,,,,,,,0"


@pytest.mark.parametrize(
    ("identifier", "message", "role"),
    [
        ("10", "assign", Role.START),
        ("11", "renew", Role.START),
        ("12", "release", Role.END),
        ("13", "conflict", Role.IGNORE),
        ("14", "failed-no-address", Role.IGNORE),
        ("15", "denied", Role.IGNORE),
        ("17", "expired-not-deleted", Role.END),
        ("18", "expired", Role.END),
        ("20", "bootp-assign", Role.START),
        ("30", "dns-update", Role.IGNORE),
        ("31", "dns-update-failed", Role.IGNORE),
        ("36", "dropped", Role.IGNORE),
    ],
)
def test_windows_events_are_known_by_their_number_whatever_the_language(identifier, message, role):
    for description in ("Assign", "分配", ""):
        (row,), _ = read(windows_dhcp, windows(identifier, description))
        assert row["message"] == message
    assert lease_role(message) is role


def test_windows_legend_is_passed_over_and_the_file_is_recognised():
    legend = [
        "\t\tMicrosoft DHCP 服务活动日志",
        "",
        "事件 ID  含义",
        "00\t日志已启动。",
        "10\t新的 IP 地址。",
    ]
    legend += ["ID,日期,时间,描述,IP 地址,主机名,MAC 地址,用户名"]
    lines = [*legend, windows("24", ip="", mac=""), windows("10", "分配")]
    assert windows_dhcp.FORMAT.sniff(lines) == 1
    assert windows_dhcp_v6.FORMAT.sniff(lines) == 0
    rows, reasons = read(windows_dhcp, "\n".join(lines))
    assert [row["line"] for row in rows] == [8]
    assert not reasons


def test_windows_years_of_two_digits_and_days_that_are_none():
    (row,), _ = read(windows_dhcp, windows("10"), zone="Asia/Shanghai")
    assert row["ts"] == "2026-11-23T01:00:00.000000000Z"
    (row,), _ = read(windows_dhcp, windows("10", date="02/30/26"))
    assert row["ts"] is None
    with pytest.raises(ConfigError, match="no time zone"):
        windows_dhcp.FORMAT.open(Context())(chunk(windows("10")))
    tolerant = Context(tolerant=True)
    parsed = windows_dhcp.FORMAT.open(tolerant)(chunk(windows("10")))
    assert parsed.rows[0].columns["ts"].null_count == 1
    assert ZONELESS in tolerant.notes


@pytest.mark.parametrize("duid", ["0004AABBCCDDEEFF00112233445566778899", "zz", ""])
def test_a_duid_without_a_mac_names_no_station(duid):
    (row,), _ = read(windows_dhcp_v6, f"11004,11/23/26,01:01:01,Renew,2001:db8::20,pc,0,18,{duid},,,")
    assert row["client_mac"] is None
    assert row["client_ip"] == "2001:db8::20"


def test_the_v6_server_logs_what_clients_ask_for():
    assert lease_role("request") is Role.IGNORE
    assert lease_role("information-request") is Role.IGNORE
    assert lease_role("rebind") is Role.START


@pytest.mark.parametrize(
    ("event", "text", "message", "role"),
    [
        ("DHCP4_LEASE_ADVERT", "lease 10.1.0.9 will be advertised", "advertise", Role.IGNORE),
        ("DHCP4_LEASE_OFFER", "lease 10.1.0.9 will be offered", "offer", Role.IGNORE),
        ("DHCP4_LEASE_REUSE", "lease 10.1.0.9 has been reused for 9 seconds", "renewed", Role.START),
        ("DHCP4_RELEASE", "address 10.1.0.9 was released properly.", "released", Role.END),
    ],
)
def test_events_of_kea(event, text, message, role):
    line = (
        f"2026-11-23 00:07:34.026 INFO  [kea-dhcp4.leases/1.2] {event} [hwtype=1 52:54:00:aa:00:09], "
        f"cid=[no info], tid=0x1: {text}"
    )
    (row,), _ = read(kea_log, line)
    assert (row["message"], row["client_ip"]) == (message, "10.1.0.9")
    assert lease_role(message) is role


def test_kea_through_a_system_log():
    line = (
        "Nov 23 00:07:34 gw kea-dhcp4[812]: INFO  [kea-dhcp4.leases.0x7f] DHCP4_LEASE_ALLOC "
        "[hwtype=1 52:54:00:aa:00:09], cid=[no info], tid=0x1: lease 10.1.0.9 has been allocated for 40 seconds"
    )
    (row,), _ = read(kea_log, line)
    assert row["ts"] == "2026-11-23T00:07:34.000000000Z"
    assert row["lease_s"] == 40


def test_a_torn_line_of_kea_gives_no_shorter_address():
    line = (
        "2026-11-23 00:07:34.026 INFO  [kea-dhcp4.leases/1.2] DHCP4_LEASE_ALLOC [hwtype=1 52:54:00:aa:00:09], "
        "cid=[no info], tid=0x1: lease 10.1.0.100 has been allocated for 40 seconds"
    )
    for cut in range(100, len(line)):
        rows, _ = read(kea_log, line[:cut], ends=False)
        assert all(row["client_ip"] == "10.1.0.100" and row["lease_s"] in {None, 40} for row in rows)


LEGAL = (
    "2018-01-06 01:02:03 {zone} Address: 192.2.1.100 has been {verb} a device with hardware address: "
    "hwtype=1 08:00:2b:02:3f:4e, client-id: 17:34:e2:ff:09:92:54"
)


@pytest.mark.parametrize("zone", ["CET", "CST", "IST"])
def test_an_abbreviation_of_a_zone_converts_nothing(zone):
    (row,), _ = read(kea_legal, LEGAL.format(zone=zone, verb="released from"), zone="Asia/Shanghai")
    assert row["ts"] == "2018-01-05T17:02:03.000000000Z"


@pytest.mark.parametrize(("zone", "ts"), [("UTC", "01:02:03"), ("+02:00", "23:02:03"), ("GMT", "01:02:03")])
def test_an_offset_is_what_it_says(zone, ts):
    (row,), _ = read(kea_legal, LEGAL.format(zone=zone, verb="released from"), zone="Asia/Shanghai")
    assert ts in row["ts"]


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("1 hrs 52 min 15 secs", 6735),
        ("0 hrs 0 min 40 secs", 40),
        ("11 min 53 secs", 713),
        ("infinite duration", None),
        ("99999999999 hrs", None),
    ],
)
def test_lengths_in_words(words, seconds):
    (row,), _ = read(kea_legal, LEGAL.format(zone="UTC", verb=f"assigned for {words} to"))
    assert row["lease_s"] == seconds
    assert (row["ts_end"] is None) == (seconds is None)
    assert (lease_role("assign"), lease_role("renew"), lease_role("release")) == (
        Role.START,
        Role.START,
        Role.END,
    )


@pytest.mark.parametrize("state", ["Issued", "Renewed"])
def test_one_line_leases_of_infoblox(state):
    (row,), _ = read(isc_dhcpd_log, f"r-l-e:10.1.0.3,{state},pc,52:54:00:aa:00:03,1795363600,1795370800,1")
    assert lease_role(row["message"]) is Role.START
    assert lease_role("freed") is Role.END
    assert lease_role("option82-request") is Role.IGNORE


def test_a_broken_option_82_line_is_counted():
    text = 'Option 82: received a REQUEST DHCP packet from relay-agent eth2 with a circuit-id of "1a'
    rows, reasons = read(isc_dhcpd_log, text)
    assert not rows
    assert len(reasons) == 1


def test_where_the_relay_saw_the_client_is_kept():
    text = (
        "lease 10.10.10.10 {\n  starts 6 2016/02/27 07:11:41;\n  ends 6 2016/02/27 09:11:41;\n"
        "  binding state active;\n  hardware ethernet 24:65:11:d9:a6:b3;\n"
        "  option agent.circuit-id 0:1:3:e9;\n  option agent.remote-id a4:a2:4a:33:db:e5;\n}"
    )
    (row,), _ = read(isc_leases, text)
    assert (row["nas"], row["nas_port"]) == ("a4:a2:4a:33:db:e5", "0:1:3:e9")


FRAGMENTS = st.sampled_from(
    [line for module in BY_LINE for sample in module.FORMAT.samples for line in sample.text.split("\n")]
)
HOSTILE = st.one_of(FRAGMENTS, FRAGMENTS.map(lambda text: text[: len(text) * 2 // 3]), st.text(max_size=80))


@pytest.mark.parametrize("module", BY_LINE, ids=lambda m: m.__name__.rpartition(".")[2])
@settings(max_examples=30, deadline=None)
@given(lines=st.lists(HOSTILE.map(lambda text: text.replace("\n", " ")), min_size=1, max_size=12))
def test_any_lines_are_accounted_for(module, lines):
    held, count = accounted(module, "\n".join(lines))
    assert held == count
