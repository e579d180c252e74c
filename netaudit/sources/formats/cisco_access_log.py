"""Cisco in a system log: switches (802.1X, MAB, port security) and controllers (AireOS, 9800).

The header has many spellings: a number, a host, an asterisk or a point before a clock that is not
synchronised, a year or none, an abbreviation of a zone, which is never a conversion.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.carrier import BSD, ISO
from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Sample, extract
from netaudit.intake.times import Context
from netaudit.records.addresses import ip_column, mac_column
from netaudit.sources.formats import _device_stamps as device_stamps
from netaudit.sources.formats._access_rows import by_kind
from netaudit.sources.formats._outcome import refused
from netaudit.sources.formats._patterns import CUT_OFF, MAC, first_match
from netaudit.sources.formats._values import among_others, given, mask, whole

_FACILITIES = "AUTHMGR|MAB|DOT1X|SESSION_MGR|PORT_SECURITY|SW_MATM|MAC_MOVE|IP|APF|LOG|SISF|CLIENT_ORCH_LOG"
_LINE = rf"^(?P<head>.*?)%(?P<facility>{_FACILITIES})-\d-(?P<what>[A-Z0-9_]+): ?(?P<text>.*)$"


@dataclass(frozen=True, slots=True)
class _Event:
    """One message: how it begins, the rest of it, and its word."""

    mnemonic: str
    text: str
    word: str
    kind: str = "radius"


_CLIENT = rf"client \((?:(?P<mac>{MAC})|[^()]*)\)"  # or: Unknown MAC
_AT = rf"{_CLIENT}.*? on Interface (?P<port>\S+)(?: AuditSessionID (?P<session>[0-9A-Za-z]+))?"
_USER = r"Username entry \((?P<user>.*)\)"
_CREATED = rf"{_USER} with length \(\d+\) created for mobile (?P<mac>{MAC})"
# ``wireless client syslog-detailed``: IPv6 addresses may stand before or behind the IPv4 one
_DETAILED = (
    rf"Username \((?P<user>.*)\), MAC: (?P<mac>{MAC}),?"
    r"(?: IP (?:(?:[0-9a-fA-F:]+ )*(?P<ip>\d+(?:\.\d+){3})|(?P<only_six>[0-9a-fA-F:]*:[0-9a-fA-F:]+))(?: [0-9a-fA-F:.]+)*)?"
    r"(?: IP address updated,)? (?:associated to|disconnected from) AP \((?P<ap>[^()]*)\) with SSID \((?P<ssid>.*)\)"
)
_ANYTHING = "LOG Q_IND"  # says any message of a controller again
_EVENTS = (
    _Event("(?:AUTHMGR|SESSION_MGR) START", rf"Starting 'mab' for {_AT}", "mab start"),
    _Event("(?:AUTHMGR|SESSION_MGR) START", rf"Starting 'dot1x' for {_AT}", "dot1x start"),
    _Event("(?:AUTHMGR|SESSION_MGR) START", rf"Starting '\w+' for {_AT}", "auth start"),
    _Event("MAB SUCCESS", _AT, "mab success"),
    _Event("MAB FAIL", _AT, "mab fail"),
    _Event("DOT1X SUCCESS", _AT, "dot1x success"),
    _Event("DOT1X FAIL", _AT, "dot1x fail"),
    _Event("(?:AUTHMGR|SESSION_MGR) SUCCESS", rf"{_AT}(?:.* Username: (?P<user>\S+))?", "auth success"),
    _Event("(?:AUTHMGR|SESSION_MGR) FAIL", _AT, "auth failed"),
    _Event(
        "PORT_SECURITY PSECURE_VIOLATION[A-Z_]*",
        rf"MAC address (?P<mac>{MAC}) on port (?P<port>\S+?)(?:\.|\s|$)",
        "port security",
    ),
    _Event(
        "PORT_SECURITY PSECURE_VIOLATION[A-Z_]*",
        rf"on port (?P<port>\S+) due to MAC address (?P<mac>{MAC}) on VLAN (?P<vlan>\d+)",
        "port security",
    ),
    _Event(
        "(?:SW_MATM|MAC_MOVE) (?:MACFLAP_)?NOTIF",
        rf"Host (?P<mac>{MAC}) in vlan (?P<vlan>\d+) is",
        "mac flap",
    ),
    _Event(
        "IP DUPADDR",
        rf"Duplicate address (?P<ip>\S+) on (?:Vlan(?P<vlan>\d+)|(?P<port>\S+)), sourced by (?P<mac>{MAC})",
        "duplicate address",
    ),
    _Event("APF USER_NAME_CREATED", _CREATED, "user created", "wlan"),
    _Event(_ANYTHING, _CREATED, "user created", "wlan"),
    _Event(
        "APF USER_NAME_DELETED", rf"{_USER} is deleted for mobile (?P<mac>{MAC})", "user deleted", "wlan"
    ),
    _Event(
        "SISF ENTRY_CREATED", rf"\bA=(?P<ip>[0-9a-fA-F:.]+) .*\bM=(?P<mac>{MAC})", "address added", "wlan"
    ),
    _Event(
        "SISF ENTRY_CHANGED", rf"\bA=(?P<ip>[0-9a-fA-F:.]+) .*\bM=(?P<mac>{MAC})", "address changed", "wlan"
    ),
    _Event("CLIENT_ORCH_LOG CLIENT_MOVED_TO_RUN_STATE", _DETAILED, "run", "wlan"),
    _Event("CLIENT_ORCH_LOG CLIENT_MOVED_TO_DELETE_STATE", _DETAILED, "deleted", "wlan"),
    _Event("CLIENT_ORCH_LOG CLIENT_IP_UPDATED", _DETAILED, "address changed", "wlan"),
    _Event(
        "CLIENT_ORCH_LOG CLIENT_ADDED_TO_RUN_STATE",
        rf"{_USER} joined with ssid \((?P<ssid>.*)\) for device with MAC: (?P<mac>{MAC})"
        r"(?: on channel \((?P<channel>\d+)\))?",
        "run",
        "wlan",
    ),
    _Event(
        "CLIENT_ORCH_LOG CLIENT_[A-Z_]*DELETE[A-Z_]*",
        rf"{_USER} .*\bMAC: (?P<mac>{MAC})",
        "deleted",
        "wlan",
    ),
)
_PATTERNS = tuple(f"^{event.mnemonic}: .*?{event.text}" for event in _EVENTS)
_WORDS = tuple(event.word for event in _EVENTS)
_KINDS = tuple(event.kind for event in _EVENTS)
_KNOWN = f"^(?:{'|'.join(sorted({event.mnemonic for event in _EVENTS} - {_ANYTHING}))}): "
_NO_USER = ("N/A", "null", "unknown", "UNKNOWN")
_OWN = re.compile(
    r"%(?:(?:AUTHMGR|MAB|DOT1X|SESSION_MGR|PORT_SECURITY|SW_MATM|MAC_MOVE|CLIENT_ORCH_LOG)-\d-[A-Z_]+|"
    r"APF-\d-USER_NAME_(?:CREATED|DELETED)|SISF-\d-ENTRY_[A-Z]+|IP-4-DUPADDR): (?!-)"
)
_HOST = (
    rf"^\s*(?:<\d+>)?(?:\d+: )?(?:(?:{ISO}|{BSD}) (?P<relay>[A-Za-z0-9][^\s:]*):? (?:\d+: |[*.]|[A-Z])"
    r"|(?P<own>[A-Za-z][A-Za-z0-9._-]*|\d+(?:\.\d+){3}): )"
)


def _open(context: Context) -> Parse:
    def parse(chunk: Chunk) -> Parsed:
        line, got = extract(chunk.lines, _LINE)
        named = pc.binary_join_element_wise(got["facility"], got["what"], " ")
        text = pc.binary_join_element_wise(named, got["text"], ": ")
        index, found = first_match(text, _PATTERNS).matched()
        here = pa.array(index)
        stamps = device_stamps.read(got["head"].take(here), context)
        if stamps.unsynchronised.any():
            context.notes.add(device_stamps.UNSYNCHRONISED)
        user, port = found["user"], found["port"]
        columns = {
            "ts": stamps.moment,
            "message": found.words(_WORDS),
            "client_mac": mac_column(found["mac"]),
            "client_ip": pc.coalesce(ip_column(found["ip"]), ip_column(found["only_six"])),
            "account": given(user, _NO_USER),
            "ssid": found["ssid"],
            "ap_name": found["ap"],
            "channel": whole(found["channel"], 65_535, pa.uint16()),
            "nas": _host(got["head"].take(here)),
            "nas_port": pc.if_else(pc.fill_null(pc.starts_with(port, "capwap"), False), None, port),
            "vlan": whole(found["vlan"], 4094, pa.uint16()),
            "session": found["session"],
        }
        on_air = mask(pc.equal(found.words(_KINDS), "wlan"))
        on_air |= mask(pc.match_substring(got["text"].take(here), " wncd: "))
        begun = line[mask(pc.match_substring_regex(text, _KNOWN))]
        torn = np.setdiff1d(begun, line[index])
        return Parsed(
            by_kind(columns, line[index], {"wlan": on_air, "radius": ~on_air}),
            refused({CUT_OFF: torn}),
            len(chunk.lines) - len(index) - len(torn),
        )

    return parse


def _host(head: pa.Array) -> pa.Array:
    found = pc.extract_regex(head, _HOST)
    names = [pc.struct_field(found, name) for name in ("relay", "own")]
    return pc.coalesce(*(pc.if_else(pc.equal(name, ""), None, name) for name in names))


FORMAT = LogFormat(
    title="Cisco switches and wireless controllers in a system log (AUTHMGR, MAB, DOT1X, APF, 9800)",
    kinds=("radius", "wlan"),
    reference="https://www.cisco.com/c/en/us/td/docs/wireless/controller/9800/17-14/config-guide/b_wl_17_14_cg/"
    "m_syslog_server.html",
    sniff=lambda lines: among_others(lines, _OWN.search),
    open=_open,
    samples=(
        Sample(
            "012345: Dec 23 2025 03:25:30.899 CET: %AUTHMGR-5-START: Starting 'mab' for client (0200.0000.0001) on "
            "Interface Gi1/0/3 AuditSessionID 0000000D0000000000000000\n"
            "*Mar  1 2026 00:01:02: %MAB-5-FAIL: Authentication failed for client (0200.0000.0001) on Interface Gi2/0/7 "
            "AuditSessionID 0000000D0000000000000000\n"
            "HOSTNAME: Sep 23 2025 15:23:10.961 UTC: %PORT_SECURITY-2-PSECURE_VIOLATION: Security violation occurred, "
            "caused by MAC address 0200.0000.0000 on port GigabitEthernet1/10.",
            (
                {
                    "kind": "radius",
                    "ts": "2025-12-23T02:25:30.899000000Z",
                    "message": "mab start",
                    "client_mac": "02:00:00:00:00:01",
                    "nas_port": "Gi1/0/3",
                    "nas": None,
                    "session": "0000000D0000000000000000",
                },
                {"kind": "radius", "message": "mab fail", "nas_port": "Gi2/0/7"},
                {
                    "kind": "radius",
                    "ts": "2025-09-23T15:23:10.961000000Z",
                    "message": "port security",
                    "nas_port": "GigabitEthernet1/10",
                    "nas": "HOSTNAME",
                },
            ),
            timezone="+01:00",
            note="headers of switches; CET is no conversion, UTC is one; the second clock is marked as wrong",
        ),
        Sample(
            "<134>WLC001: *haSSOServiceTask0: Sep 06 21:46:20.390: %APF-6-USER_NAME_CREATED: [SS]apf_ms.c:8996 "
            "Username entry (WildDogOne) with length (4) created for mobile 28:6f:7f:f8:64:e0\n"
            "<134>WLC001: *SISF BT Process: Aug 22 16:55:06.121: %SISF-6-ENTRY_CHANGED: sisf_shim_utils.c:488 Entry "
            "changed A=fe80::72ee:50ff:fe56:9999 V=0 I=wireless:0 P=0005 M=70:ee:50:56:99:99\n"
            "<190>2371599: Jul 23 2024 14:31:54.468 UTC: %CLIENT_ORCH_LOG-6-CLIENT_ADDED_TO_RUN_STATE: Chassis 1 R0/3: "
            "wncd: Username entry (musterm8) joined with ssid (COMAPNY) for device with MAC: 1234.abcd.5678 on channel "
            "(1)\n"
            "<157>7781346: WLC001: 7843692: Oct 3 16:15:44.319 SGT: %SESSION_MGR-5-FAIL: Chassis 1 R0/6: wncd: "
            "Authorization failed or unapplied for client (de:fb:48:7c:4f:f7) on Interface capwap_12345678 "
            "AuditSessionID ABC123DEF456789012345678. Failure reason: Authc fail.",
            (
                {
                    "kind": "wlan",
                    "message": "user created",
                    "account": "WildDogOne",
                    "client_mac": "28:6f:7f:f8:64:e0",
                    "nas": "WLC001",
                },
                {"kind": "wlan", "message": "address changed", "client_ip": "fe80::72ee:50ff:fe56:9999"},
                {
                    "kind": "wlan",
                    "ts": "2024-07-23T14:31:54.468000000Z",
                    "message": "run",
                    "account": "musterm8",
                    "ssid": "COMAPNY",
                    "channel": 1,
                },
                {
                    "kind": "wlan",
                    "message": "auth failed",
                    "session": "ABC123DEF456789012345678",
                    "nas": "WLC001",
                    "nas_port": None,
                },
            ),
            note="controllers name no access point, mostly",
        ),
        Sample(
            "2023/09/19 15:49:47.171926572 {wncd_x_R0-0}{1}: [errmsg] [17435]: (debug): "
            "%CLIENT_ORCH_LOG-7-CLIENT_MOVED_TO_RUN_STATE: R0/0: wncd: Username (null), MAC: 845f.04e7.d557, IP 10.0.0.145 "
            "associated to AP (mon-0b-ap-164) with SSID (MOBILE)\n"
            "2023/09/19 15:49:48.711460112 {wncd_x_R0-0}{1}: [errmsg] [17435]: (debug): "
            "%CLIENT_ORCH_LOG-7-CLIENT_MOVED_TO_DELETE_STATE: R0/0: wncd: Username (null), MAC: 845f.04e7.d557, IP "
            "fe80::10ed:705a:9dba:dc43 10.0.0.145 disconnected from AP (mon-0b-ap-164) with SSID (MOBILE)",
            (
                {
                    "kind": "wlan",
                    "ts": "2023-09-19T15:49:47.171926572Z",
                    "message": "run",
                    "client_mac": "84:5f:04:e7:d5:57",
                    "client_ip": "10.0.0.145",
                    "account": None,
                    "ap_name": "mon-0b-ap-164",
                    "ssid": "MOBILE",
                },
                {"kind": "wlan", "message": "deleted", "client_ip": "10.0.0.145"},
            ),
            timezone="UTC",
            note="messages in detail",
        ),
        Sample(
            "<189>387448: host-01: May 6 2026 16:13:09.123 UTC+1: %DOT1X-5-FAIL: Authentication failed for client "
            "(001e.0b80.13b5) on Interface Gi1/0/16 AuditSessionID 000000000000011D51B826E5\n"
            "<189>387448: host-01: May 6 16:13:09.123 UTC+07:30: %DOT1X-5-FAIL: Authentication failed for client "
            "(001e.0b80.13b5) on Interface Gi1/0/16 AuditSessionID 000000000000011D51B826E5\n"
            "<189>: 2024 Aug 27 21:40:50 UTC: %MAB-5-FAIL: Authentication failed for client (001e.0b80.13b5) on Interface "
            "Gi1/0/16 AuditSessionID 000000000000011D51B826E5",
            (
                {"kind": "radius", "ts": "2026-05-06T15:13:09.123000000Z", "message": "dot1x fail"},
                {"kind": "radius", "ts": "2026-05-06T08:43:09.123000000Z", "nas": "host-01"},
                {"kind": "radius", "ts": "2024-08-27T21:40:50.000000000Z", "message": "mab fail"},
            ),
            note="an offset behind UTC is one; the year may stand first",
        ),
        Sample(
            "012345: Dec 23 03:25:30.899 CET: %MAB-5-FAIL: Authentication failed for client (0200.0000",
            note="cut off",
        ),
        Sample("Oct 19 16:07:39.018: %LOG-6-Q_IND: something else of a controller", note="nobody's"),
    ),
)
