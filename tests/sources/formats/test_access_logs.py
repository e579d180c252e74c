"""Access records of many makers: joins, borders, hostile lines, and what they mean in the walk-back."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netaudit.attribution.logs import Logs
from netaudit.attribution.words import Role, access_role
from netaudit.config import Settings
from netaudit.intake import lines as framing
from netaudit.intake import times
from netaudit.intake.lines import Chunk
from netaudit.plugins import discover
from netaudit.records.addresses import parse_mac
from netaudit.records.evidence import Ledger
from netaudit.records.printed import text as printed_text
from netaudit.records.schemas import IP, MAC, TIMESTAMP, concat, conform, kind_of
from netaudit.sources import Options, read
from netaudit.sources.formats._device_stamps import UNSYNCHRONISED
from netaudit.sources.formats.huawei_ac import LOCAL_EPOCH

FORMATS = discover("netaudit.sources.formats")
OURS = (
    "aruba_access_log",
    "cisco_access_log",
    "cisco_client_detail",
    "cisco_ise",
    "dot1x_sessions",
    "freeradius_detail",
    "freeradius_log",
    "h3c_ac",
    "hostapd",
    "huawei_ac",
    "nps_dts",
    "nps_ias",
    "nps_odbc",
    "pf_portal",
    "portal_table",
    "radacct",
    "ruijie_ac",
    "unifi_events",
)
LINE_BY_LINE = tuple(name for name in OURS if FORMATS[name].starts is None)
CHINA = dt.timezone(dt.timedelta(hours=8))
COLLECTED = dt.datetime(2026, 12, 1, tzinfo=dt.UTC)


def context(zone=CHINA, **options):
    return times.Context(zone=zone, collected=COLLECTED, options=options)


def chunk(*lines):
    sizes = np.array([len(line.encode(errors="replace")) + 1 for line in lines], np.int64)
    return Chunk(pa.array(lines, pa.string()), 1, np.array([], np.int64), sizes)


def parsed(name, *lines, of=None):
    return FORMATS[name].open(of or context())(chunk(*lines))


def rows_of(found):
    out = []
    for rows in found.rows:
        batch = conform(rows.kind, rows.columns, len(rows.line))
        cells = {
            n: (
                printed_text(batch.column(n))
                if batch.column(n).type in {IP, MAC, TIMESTAMP}
                else batch.column(n)
            )
            for n in batch.schema.names
        }
        listed = {n: c.to_pylist() for n, c in cells.items()}
        out += [
            (int(line), {"kind": rows.kind, **{n: c[i] for n, c in listed.items()}})
            for i, line in enumerate(rows.line)
        ]
    return [row for _, row in sorted(out, key=lambda pair: pair[0])]


def records(name, *lines, of=None):
    return rows_of(parsed(name, *lines, of=of))


def rejected(found):
    return {reason: index.tolist() for reason, index in found.rejected.items()}


@pytest.fixture
def logs_of(tmp_path):
    """What the walk-back knows after reading one log."""

    def make(text, timezone="Asia/Shanghai"):
        (tmp_path / "access.log").write_text(text, encoding="utf-8")
        ledger, batches = Ledger(), {}
        for batch in read(
            [str(tmp_path / "access.log")], Settings(), ledger, options=Options(timezone=timezone, jobs=1)
        ):
            batches.setdefault(kind_of(batch), []).append(batch)
        assert not ledger.errors
        tables = {kind: concat(kind, found) for kind, found in batches.items()}
        return Logs.build(tables=tables, ledger=ledger.files, settings=Settings())

    return make


def sessions(log, mac):
    """Begin, end (clock time in China), access point and account of a station's sessions."""
    mine = [span for span in range(len(log.spans)) if log.mac_of(span) == parse_mac(mac)]
    found = sorted(mine, key=lambda span: int(log.spans.start[span]))

    def clock(nanos):
        return dt.datetime.fromtimestamp(int(nanos) / 1e9, CHINA).strftime("%H:%M:%S")

    def access_point(span):
        (name,) = log.texts("ap_name", np.array([span]), log.spans.start[[span]], log.spans.end[[span]])
        return name

    return [
        (clock(log.spans.start[s]), clock(log.spans.end[s]), access_point(s), log.account_of(s))
        for s in found
    ]


STATION = "70:48:0f:4f:71:f4"


# -- what the records mean ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "words"),
    [
        (
            Role.START,
            (
                "Login OK|Connect|Access-Accept|Start|Passed-Authentication|online|roam|portal login|dot1x login|mac login"
                "|WLAN_STA_INFO_AUTHENTICATION|USER_INFO_AUTHENTICATION|mab success|dot1x success|auth success|user created"
                "|run|user authenticated|assoc success|join|EVT_WU_Connected|EVT_WU_Roam|EVT_WG_Connected|EVT_LU_Connected"
                "|ACCEPT|LOGIN|USER LOGIN|MACHINE LOGIN|login|Associated|mac-auth Authenticated"
            ),
        ),
        (
            Role.SEEN,
            "Interim-Update|snooping|address added|address changed|station|EVT_WU_RoamRadio|Auth|Authz Success|seen",
        ),
        (
            Role.END,
            (
                "Disconnect|Stop|offline|portal logoff|dot1x logoff|USER_INFO_OFFLINE|WLAN_STA_INFO_OFFLINE|user deleted"
                "|deleted|deauth|disassociated|leave|EVT_WU_Disconnected|DISCONNECT|IDLE TIMEOUT|SESSION TIMEOUT|TERMINATED"
                "|CONCURRENT LOGIN - TERMINATING OLD SESSION|logout"
            ),
        ),
        (
            Role.IGNORE,
            (
                "Login incorrect|Invalid user|Access-Request|Access-Reject|Access-Challenge|Accounting-Response"
                "|Failed-Attempt|portal login failed|dot1x login failed|USER_INFO_AUTHENTICATION failed"
                "|USER_INFO_AUTHENTICATION admin|USER_INFO_OFFLINE admin|WLAN_STA_INFO_AP_ASSOCIATE failed|mab start"
                "|dot1x start|auth start|mab fail|dot1x fail|auth failed|port security|mac flap|duplicate address"
                "|user authentication failed|moved away|FAILURE|Unauth|Running|mac-auth Unauthenticated"
            ),
        ),
        (Role.RESET, "Accounting-On|Accounting-Off"),
    ],
)
def test_words_of_the_products_have_the_right_role(role, words):
    assert {word: access_role(word) for word in words.split("|")} == dict.fromkeys(words.split("|"), role)


def h3c(clock, what, text):
    return f"%Nov 23 {clock}:000 2026 AC STAMGR/6/STAMGR_{what}: {text}"


def test_an_h3c_station_roams_between_access_points(logs_of):
    text = "\n".join(
        [
            h3c(
                "09:00:00",
                "CLIENT_ONLINE",
                "Client 7048-0f4f-71f4 went online from BSS 3cf5-cc82-9d70 with SSID GOV on AP ap-1. State changed to Run",
            ),
            h3c(
                "09:00:02",
                "CLIENT_SNOOPING",
                "Detected client IP change: Client MAC: 7048-0f4f-71f4, IP: 10.60.0.9, -NA-, -NA-, -NA-, Username: -NA-, "
                "AP name: ap-1, Radio ID: 1, Channel number: 36, SSID: GOV, BSSID: 3cf5-cc82-9d70.",
            ),
            h3c(
                "09:10:00",
                "ROAM_SUCCESS",
                "Client 7048-0f4f-71f4 roamed from BSSID 3cf5-cc82-9d70 on AP ap-1 of AC IP 10.9.0.2 to BSSID "
                "3cf5-cc82-7fd0 on AP ap-2 of AC IP 10.9.0.2 successfully.",
            ),
            h3c(
                "09:20:00",
                "CLIENT_OFFLINE",
                "Client 7048-0f4f-71f4 went offline from BSS 3cf5-cc82-7fd0 with SSID GOV on AP ap-2. State changed to "
                "Unauth. Reason: Received disassociation frame",
            ),
        ]
    )
    log = logs_of(text).access[1]
    assert sessions(log, STATION) == [
        ("09:00:00", "09:10:00", "ap-1", ""),
        ("09:10:00", "09:20:00", "ap-2", ""),
    ]


def huawei(clock, what, tag, epoch, result="success", access="802.1x", mac="70-48-0f-4f-71-f4"):
    return (
        f"Nov 23 2026 {clock}+08:00 AC-3F %%01CM/5/USER_{what}(s)[137]:[{tag}]ACMAC:dc-d2-fc-f4-5d-7d;ACNAME:AC-3F;"
        f"APMAC:ac-4e-91-47-96-40;APNAME:ap-234;USER:lisi;MAC:{mac};IPADDRESS:10.60.0.9;TIME:{epoch};ZONE:UTC+0800;"
        f"DAYLIGHT:false;ERRCODE:0;RESULT:{result};ACCESS TYPE:{access};"
    )


def test_a_huawei_user_comes_and_goes_and_failures_are_no_presence(logs_of):
    text = "\n".join(
        [
            huawei(
                "08:50:00",
                "ACCESSRESULT",
                "WLAN_STA_INFO_AUTHENTICATION",
                1795395000,
                "Local authentication failed",
            ),
            huawei("09:00:00", "ACCESSRESULT", "WLAN_STA_INFO_AUTHENTICATION", 1795395600),
            huawei(
                "09:20:00", "OFFLINERESULT", "WLAN_STA_INFO_OFFLINE", 1795396800, "User request to offline"
            ),
            huawei("09:30:00", "ACCESSRESULT", "USER_INFO_AUTHENTICATION", 1795397400, access="SSH"),
        ]
    )
    log = logs_of(text).access[0]
    assert sessions(log, STATION) == [("09:00:00", "09:20:00", "ap-234", "lisi")]


def nps(clock, packet, *, status="", mac="70-48-0f-4f-71-f4", key="311 1 10.1.2.42 05/16/2026 7", more=""):
    def cell(name, value):
        return f'<{name} data_type="1">{value}</{name}>' if value else ""

    return (
        f'<Event><Timestamp data_type="4">11/23/2026 {clock}.000</Timestamp>{cell("User-Name", "lisi" if mac else "")}'
        f"{cell('Calling-Station-Id', mac)}{cell('NAS-IP-Address', '10.9.0.2' if mac else '')}{cell('Class', key)}"
        f"{cell('Acct-Status-Type', status)}{more}{cell('Packet-Type', packet)}</Event>"
    )


def test_an_nps_session_starts_goes_on_and_stops(logs_of):
    session = '<Acct-Session-Id data_type="1">5F3A</Acct-Session-Id>'
    address = '<Framed-IP-Address data_type="3">10.60.0.9</Framed-IP-Address>'
    text = "\n".join(
        [
            nps("08:59:58", "1"),
            nps("08:59:59", "2", mac=""),
            nps("09:00:00", "4", status="1", more=session),
            nps("09:10:00", "4", status="3", more=session + address),
            nps("09:20:00", "4", status="2", more=session + address),
        ]
    )
    log = logs_of(text).access[0]
    assert sessions(log, STATION) == [
        ("08:59:59", "09:00:00", "", ""),
        ("09:00:00", "09:20:00", "", "lisi"),
    ]


def test_an_aruba_station_authenticates_and_leaves(logs_of):
    head = "<mc01 192.0.2.3>"
    text = "\n".join(
        [
            (
                f"Nov 23 2026 09:00:00 mc01 authmgr[3]: <522008> <NOTI> {head}  User Authentication Successful: username=lisi "
                "MAC=70:48:0f:4f:71:f4 IP=10.60.0.9 role=staff VLAN=60 AP=ap-1 SSID=GOV AAA profile=p auth method=802.1x auth "
                "server=r"
            ),
            (
                f"Nov 23 2026 09:00:00 mc01 stm[3]: <501100> <NOTI> {head}  Assoc success @ 09:00:00.1: 70:48:0f:4f:71:f4: AP "
                "192.0.2.9-18:64:72:00:00:02-ap-1"
            ),
            (
                f"Nov 23 2026 09:10:00 mc01 stm[3]: <501100> <NOTI> {head}  Assoc success @ 09:10:00.1: 70:48:0f:4f:71:f4: AP "
                "192.0.2.8-18:64:72:00:00:03-ap-2"
            ),
            (
                f"Nov 23 2026 09:10:01 mc01 stm[3]: <501080> <NOTI> {head}  Deauth to sta: 70:48:0f:4f:71:f4: Ageout AP "
                "192.0.2.9-18:64:72:00:00:02-ap-1 STA has roamed to another AP"
            ),
            (
                f"Nov 23 2026 09:20:00 mc01 stm[3]: <501105> <NOTI> {head}  Deauth from sta: 70:48:0f:4f:71:f4: AP "
                "192.0.2.8-18:64:72:00:00:03-ap-2 Reason Unspecified"
            ),
        ]
    )
    logs = logs_of(text)
    ((begun, _, place, account),) = sessions(logs.access[0], STATION)
    assert (begun, place, account) == ("09:00:00", "ap-1", "lisi")
    assert sessions(logs.access[1], STATION) == [
        ("09:00:00", "09:10:00", "ap-1", ""),
        ("09:10:00", "09:20:00", "ap-2", ""),
    ]


def ruijie(clock, what, text):
    return f"Nov 23 09:30:01 10.9.0.2 1: *Nov 23 2026 {clock}: %{what}: Client(7048.0f4f.71f4) {text}"


def test_a_ruijie_station_attaches_moves_and_leaves(logs_of):
    text = "\n".join(
        [
            ruijie("09:00:00", "APMG-6-STA_ADD", "notify: attach to AP (ap-1)."),
            ruijie(
                "09:10:00",
                "ROAMING-6-ROAM_EVENT",
                "notify (Intra-AC Roaming):Roaming from AP(ap-1) to AP(ap-2).",
            ),
            ruijie("09:20:00", "APMG-6-STA_DEL", "notify: leave AP (ap-2)."),
        ]
    )
    assert sessions(logs_of(text).access[1], STATION) == [
        ("09:00:00", "09:10:00", "ap-1", ""),
        ("09:10:00", "09:20:00", "ap-2", ""),
    ]


# -- joins -------------------------------------------------------------------------------------


def test_an_answer_of_nps_finds_its_request_in_an_earlier_chunk_and_only_in_time():
    parse = FORMATS["nps_dts"].open(context())
    rows_of(parse(chunk(nps("09:00:00", "1"), nps("09:00:00", "1", mac="525400aa0002", key="other"))))
    (answer,) = rows_of(parse(chunk(nps("09:00:01", "2", mac=""))))
    assert answer["client_mac"] == STATION
    assert answer["nas"] == "10.9.0.2"
    (late,) = rows_of(parse(chunk(nps("09:05:00", "3", mac=""))))
    assert late["client_mac"] is None
    (foreign,) = rows_of(parse(chunk(nps("09:00:01", "2", mac="", key="unheard"))))
    assert foreign["client_mac"] is None


def ise(number, text, total=3, key="0000493146"):
    return f"Oct 27 15:20:43 ISE CISE_RADIUS_Accounting {key} {total} {number} {text}"


ISE_HEAD = "2025-10-27 15:20:43.919 +01:00 0015337799 3000 NOTICE Radius-Accounting: RADIUS Accounting start request, "
ISE_PARTS = (
    f"{ISE_HEAD}User-Name=lisi,",
    "Calling-Station-ID=70-48-0F-4F-71-F4, NAS-IP-Address=10.9.0.2,",
    "Acct-Status-Type=Start, Acct-Session-Id=5F3A,#015",
)


def test_what_the_first_segments_of_ise_tell_is_read_where_the_last_were_lost():
    said = f"{ISE_HEAD}User-Name=lisi, Acct-Status-Type=Start,"
    found = parsed(
        "cisco_ise", ise(0, said), ise(2, "NAS-Port-Id=lost,"), ise(0, said[:-1], key="0000000009")
    )
    assert [(row["account"], row["message"], row["nas_port"]) for row in rows_of(found)] == [
        ("lisi", "Start", None)
    ]
    assert rejected(found) == {"Parts of a message that was split are missing.": [2]}


def test_segments_of_ise_come_in_any_order_twice_and_between_others():
    other = [ise(n, part.replace("lisi", "wangwu"), key="0000493147") for n, part in enumerate(ISE_PARTS)]
    mine = [ise(n, part) for n, part in enumerate(ISE_PARTS)]
    found = parsed("cisco_ise", mine[0], other[0], mine[2], other[2], mine[2], other[1], mine[1])
    assert [(r["account"], r["client_mac"], r["message"], r["session"]) for r in rows_of(found)] == [
        ("lisi", STATION, "Start", "5F3A"),
        ("wangwu", STATION, "Start", "5F3A"),
    ]
    assert found.rows[0].line.tolist() == [0, 1]
    assert not found.rejected


def test_two_messages_of_ise_with_one_number_are_never_mixed():
    whole = [
        ise(0, f"{ISE_HEAD}User-Name={user}, Acct-Status-Type=Start,", total=1) for user in ("a", "b", "a")
    ]
    assert [row["account"] for row in records("cisco_ise", *whole)] == ["a", "b"]
    parts = [ise(n, part) for n, part in enumerate(ISE_PARTS)]
    found = parsed("cisco_ise", *parts, parts[1].replace("70-48", "52-54"))
    assert not found.rows
    assert len(found.rejected) == 1


def test_a_split_message_of_ise_with_a_part_missing_is_counted():
    found = parsed("cisco_ise", ise(0, ISE_PARTS[0]), ise(2, ISE_PARTS[2]))
    assert not found.rows
    assert rejected(found) == {"Parts of a message that was split are missing.": [0]}


def test_split_messages_of_ise_are_whole_over_chunk_borders(tmp_path, monkeypatch):
    monkeypatch.setattr(framing, "CHUNK_BYTES", 300)
    lines = [ise(n, part, key=f"{key:010d}") for key in range(1, 41) for n, part in enumerate(ISE_PARTS)]
    (tmp_path / "ise.log").write_text("\n".join(lines) + "\n")
    ledger = Ledger()
    batches = list(read([str(tmp_path / "ise.log")], Settings(), ledger, options=Options(jobs=1)))
    ordinals = [n for batch in batches for n in batch.column("ordinal").to_pylist()]
    assert ordinals == list(range(1, 121, 3))
    assert ledger.complete


# -- hostile and odd lines ---------------------------------------------------------------------


def test_a_logged_password_is_never_kept():
    found = records(
        "freeradius_log",
        "Mon Nov 23 00:19:14 2026 : Auth: (1) Login incorrect: [lisi/s3cr/et] (from client w port 3 cli 52-54-00-AA-00-01)",
        "Mon Nov 23 00:19:14 2026 : Auth: (1) Login OK: [host/pc-7.example/s3cret] (from client w port 3)",
        "Mon Nov 23 00:19:14 2026 : Auth: (2) Login OK: [bob/<via Auth-Type = EAP>] (from client w port 3)",
        "(4) Login incorrect (ldap: no [s3cret] found (twice)): [eve/s3cret] (from client w port 3)",
        "Mon Nov 23 00:19:14 2026 : Auth: (3) Login OK: [/s3cret] (from client w port 3)",
    )
    assert [row["account"] for row in found] == ["lisi", "host/pc-7.example", "bob", "eve", None]
    assert "s3cr" not in str(found)


def test_a_user_cannot_name_another_station_in_the_log_of_freeradius():
    (row,) = records(
        "freeradius_log",
        "(1) Login OK: [x] (from client evil port 1 cli 52-54-00-ff-ff-ff)] (from client wlc port 3 cli "
        "52-54-00-aa-00-01)",
    )
    assert (row["client_mac"], row["nas"]) == ("52:54:00:aa:00:01", "wlc")


def test_a_user_cannot_name_another_station_in_the_log_of_an_h3c():
    bad = "x-UserMAC=5254-00ff-ffff-BSSID=5254-00ff-fffe-SSID=E-VLANID=1"
    wlan, wired = records(
        "h3c_ac",
        f"%Nov 23 09:00:00:000 2026 AC DOT1X/6/DOT1X_WLAN_LOGIN_SUCC: -Username={bad}-UserMAC=7048-0f4f-71f4-"
        "BSSID=70ba-efb8-5e00-SSID=GOV-VLANID=60; A user passed 802.1X authentication and came online.",
        "%Nov 23 09:00:00:000 2026 SW DOT1X/6/DOT1X_LOGIN_SUCC: -IfName=GE1/0/4-MACAddr=7048-0f4f-71f4-VLANID=60-"
        "Username=x-MACAddr=5254-00ff-ffff-VLANID=1; User passed 802.1X authentication and came online.",
    )
    assert (wlan["client_mac"], wlan["ssid"], wlan["vlan"]) == (STATION, "GOV", 60)
    assert (wired["client_mac"], wired["nas_port"], wired["vlan"]) == (STATION, "GE1/0/4", 60)


def test_a_user_cannot_name_another_station_in_the_log_of_a_huawei():
    line = huawei("09:00:00", "ACCESSRESULT", "WLAN_STA_INFO_AUTHENTICATION", 1795395600)
    (row,) = records(
        "huawei_ac", line.replace("USER:lisi", "USER:x;MAC:52-54-00-ff-ff-ff;IPADDRESS:10.9.9.9")
    )
    assert (row["client_mac"], row["client_ip"]) == (STATION, "10.60.0.9")
    assert row["account"] == "x;MAC:52-54-00-ff-ff-ff;IPADDRESS:10.9.9.9"


def test_the_last_stamp_of_a_header_is_the_events():
    (row,) = records(
        "h3c_ac",
        "<190>Nov 23 09:30:00 relay %Nov 23 09:00:00:123 2026 AC %%10STAMGR/6/STAMGR_CLIENT_ONLINE: -DevIP=10.9.0.2; "
        "Client 7048-0f4f-71f4 went online from BSS 70ba-efb8-5e00 VLAN 60 with SSID GOV on AP a.b Radio ID 1. State "
        "changed to Run",
    )
    assert row["ts"] == "2026-11-23T01:00:00.123000000Z"
    assert (row["nas"], row["ap_name"], row["vlan"]) == ("10.9.0.2", "a.b", 60)


@pytest.mark.parametrize(
    ("epoch", "zone", "header", "ts", "noted"),
    [
        ("1389623006", "UTC+0400", "Jan 13 2014 18:23:26+04:00", "2014-01-13T14:23:26", False),
        ("1720968271", "UTC+0600", "Jul 14 2024 14:44:31", "2024-07-14T08:44:31", True),
        ("1720968271", "UTC+0000", "Jul 14 2024 14:44:31", "2024-07-14T14:44:31", False),
        ("1720968271", "UTC-0300", "Jul 14 2024 14:44:30", "2024-07-14T17:44:31", True),
        ("1720968271", "UTC+0600", "", "2024-07-14T14:44:31", False),
        ("-", "UTC+0600", "2024-7-4 14:44:31+06:00", "2024-07-04T08:44:31", False),
    ],
)
def test_time_of_a_huawei_is_an_epoch_or_local(epoch, zone, header, ts, noted):
    of = context()
    line = (
        f"{header} AC %%01CM/5/USER_ACCESSRESULT(s)[1]:[USER_INFO_AUTHENTICATION]DEVICEMAC:b8-d6-f6-97-e0-40;"
        f"DEVICENAME:SW;USER:lisi;MAC:70-48-0f-4f-71-f4;IPADDRESS:-;TIME:{epoch};ZONE:{zone};DAYLIGHT:false;ERRCODE:0;"
        "RESULT:success;INTERFACE:GE0/0/7;ACCESS TYPE:802.1x;"
    )
    (row,) = records("huawei_ac", line, of=of)
    assert row["ts"] == f"{ts}.000000000Z"
    assert (row["nas"], row["nas_port"], row["client_ip"]) == ("SW", "GE0/0/7", None)
    assert (LOCAL_EPOCH in of.notes) == noted


def test_a_clock_that_was_not_synchronised_is_noted_and_an_abbreviation_is_no_zone():
    line = "%MAB-5-SUCCESS: Authentication successful for client (0200.0000.0001) on Interface Gi1/0/7 AuditSessionID 0D"
    of = context()
    (row,) = records("cisco_access_log", f"7: Dec 23 2025 03:25:30.899 CST: {line}", of=of)
    assert row["ts"] == "2025-12-22T19:25:30.899000000Z"
    assert not of.notes
    for mark in "*.":
        of = context()
        records("cisco_access_log", f"<189>7: {mark}Mar  1 00:01:02: {line}", of=of)
        assert UNSYNCHRONISED in of.notes


def test_a_client_without_a_mac_is_a_record_of_its_port():
    (row,) = records(
        "cisco_access_log",
        "Nov 23 2026 09:00:00 sw-3f 7: Nov 23 2026 09:00:00: %AUTHMGR-5-FAIL: Authorization failed for client (Unknown MAC) "
        "on Interface Gi1/0/7 AuditSessionID 0D",
    )
    assert (row["client_mac"], row["nas_port"], row["nas"]) == (None, "Gi1/0/7", "sw-3f")


def test_a_wireless_guest_of_unifi_and_numbers_as_the_database_exports_them():
    found = parsed(
        "unifi_events",
        '{"guest":"52:54:00:aa:00:01","key":"EVT_WG_Connected","time":{"$numberLong":"1761598537000"},"ap_name":"a"}',
        '{"user":"52:54:00:aa:00:01","key":"EVT_LU_Connected","time":1761598537000,"sw_name":"sw-3f","port":7}',
        '{"user":"no mac","key":"EVT_WU_Connected","time":1761598537000}',
        '{"user":7,"key":"EVT_WU_Connected"}',
    )
    guest, wired = rows_of(found)
    assert (guest["ts"], guest["ap_name"]) == ("2025-10-27T20:55:37.000000000Z", "a")
    assert (wired["nas"], wired["nas_port"]) == ("sw-3f", "7")
    assert rejected(found) == {
        "The event does not name its station.": [2],
        "A field holds a value of the wrong type.": [3],
    }


# -- tables and prints -------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "utf-16"])
def test_a_portal_table_is_read_in_the_encodings_of_spreadsheets(tmp_path, encoding):
    text = (
        "上网用户会话\r\n手机号;终端MAC;终端IP;关联AP;登录时间;下线时间\r\n"
        "13800000001;52-54-00-AA-00-01;10.2.0.7;三楼东;2026-11-23 09:05:41;2026-11-23 10:05:41\r\n"
        "13800000002;;;三楼东;2026-11-23 09:05:41;\r\n"
        "手机号;终端MAC;终端IP;关联AP;登录时间;下线时间\r\n"
        "13800000003;52-54-00-AA-00-03;;三楼东;;\r\n"
    )
    (tmp_path / "portal.csv").write_bytes(text.encode(encoding))
    ledger = Ledger()
    options = Options(timezone="Asia/Shanghai", jobs=1)
    (batch, *more) = read([str(tmp_path / "portal.csv")], Settings(), ledger, options=options)
    assert ledger.files[0].format == "portal_table"
    assert batch.column("ap_name").to_pylist() == ["三楼东"]
    assert [b.column("message").to_pylist() for b in (batch, *more)] == [["login"], ["logout"]]
    assert sum(skipped.count for skipped in ledger.files[0].skipped if skipped.matters) == 2


def test_a_log_of_behaviour_is_no_portal_table():
    behaviour = [
        "用户名,MAC地址,IP地址,上线时间,访问网址",
        "lisi,52-54-00-AA-00-01,10.2.0.7,2026-11-23 09:05:41,x",
    ]
    assert FORMATS["portal_table"].sniff(behaviour) == 0
    assert FORMATS["portal_table"].sniff([behaviour[0].replace(",访问网址", "")]) == 1


def test_a_session_of_a_print_begins_before_it_where_the_print_has_a_time():
    of = context(taken_at="2026-11-23T10:00:00+08:00")
    block = [
        "sw-4f# show aaa authentication port-access interface all client-status",
        "Client 70:48:0f:4f:71:f4, lisi",
        "    Port         : 2/1/15",
        "    Session Time : 3600s",
        "    IPv4 Address : 10.1.0.7",
        "    Status          : dot1x Authenticated",
        "    Status : Applied",
    ]
    found = records("dot1x_sessions", *block, of=of)
    assert [(r["ts"], r["message"], r["nas"]) for r in found] == [
        ("2026-11-23T01:00:00.000000000Z", "dot1x Authenticated", "sw-4f"),
        ("2026-11-23T02:00:00.000000000Z", "seen", "sw-4f"),
    ]
    row = "Gi1/0/10     c89a.12cd.3b74 dot1x   DATA    Auth A    0A0A1DFE00000FB3000101FF"
    (only,) = records("dot1x_sessions", row, of=of)
    assert (only["ts"], only["message"]) == ("2026-11-23T02:00:00.000000000Z", "Auth")


def test_both_controllers_of_cisco_print_their_clients():
    of = context(taken_at="2026-11-23T10:00:00+08:00")
    lines = [
        "wlc-1#show wireless client mac-address 7048.0f4f.71f4 detail",
        "Client MAC Address : 7048.0f4f.71f4",
        "Client IPv4 Address : 10.60.0.9",
        "Client Username : lisi",
        "AP Name: ap-3f",
        "Client State : Associated",
        "Wireless LAN Network Name (SSID): GOV",
        "Connected For : 600 seconds",
        "Policy Type : WPA3",
    ]
    begun, seen = records("cisco_client_detail", *lines, of=of)
    assert (begun["ts"], begun["account"], begun["ssid"], begun["nas"]) == (
        "2026-11-23T01:50:00.000000000Z",
        "lisi",
        "GOV",
        "wlc-1",
    )
    assert (seen["ts"], seen["message"], seen["security"]) == (
        "2026-11-23T02:00:00.000000000Z",
        "seen",
        "WPA3",
    )


# -- any lines ---------------------------------------------------------------------------------

PIECES = {name: [line for s in FORMATS[name].samples for line in s.text.split("\n")] for name in OURS}
JUNK = st.text(st.characters(codec="utf-8", exclude_characters="\n\r"), max_size=40)


@st.composite
def _lines(draw, name):
    found = []
    for _ in range(draw(st.integers(0, 6))):
        line = draw(st.sampled_from(PIECES[name]))
        at, size = draw(st.integers(0, len(line))), draw(st.integers(0, 12))
        found.append(
            line[:at] + draw(JUNK | st.just("")) + line[at + size :] if draw(st.booleans()) else line
        )
    return found


@pytest.mark.parametrize("name", OURS)
def test_any_lines_neither_raise_nor_get_lost(name):
    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(_lines(name))
    def check(lines):
        found = parsed(name, *lines)
        taken = [set(rows.line.tolist()) for rows in found.rows]
        refused = [set(index.tolist()) for index in found.rejected.values()]
        for rows in found.rows:
            conform(rows.kind, rows.columns, len(rows.line)).validate(full=True)
        assert set().union(*taken, *refused) <= set(range(len(lines)))
        if name in LINE_BY_LINE:
            held = set().union(*taken, *refused)
            assert len(held) + found.other == len(lines)
            assert set().union(*taken).isdisjoint(set().union(*refused))

    check()


@pytest.mark.parametrize("name", LINE_BY_LINE)
def test_borders_of_chunks_change_nothing(name):
    for sample in FORMATS[name].samples:
        lines = sample.text.split("\n")
        parse = FORMATS[name].open(context())
        apart = [row for line in lines for row in rows_of(parse(chunk(line)))]
        assert apart == records(name, *lines)


@pytest.mark.parametrize("name", OURS)
def test_no_lines_at_all_give_nothing(name):
    found = parsed(name)
    assert sum(len(rows.line) for rows in found.rows) == 0
    assert not found.rejected


@pytest.mark.parametrize("name", OURS)
def test_absurd_lines_are_passed_over(name):
    parsed(name, "x" * 100_000, "9" * 5_000, "\x00\x01", "(" * 3_000, "," * 3_000, '"' * 999, "<" * 3_000)
