"""H3C wireless controllers and switches (Comware 7): stations, portal, 802.1X and MAC log-ons.

The header's time is the device's local one, its milliseconds behind a colon. A station's addresses
come with ``SNOOPING``. Collectors put ``-DevIP=…;`` before the message; it names the device then.
Access points bear a name, or their MAC for one.
"""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Sample, extract, said
from netaudit.intake.times import Context
from netaudit.records.addresses import ip_column, mac_column
from netaudit.sources.formats import _device_stamps as device_stamps
from netaudit.sources.formats._access_rows import by_kind, per_address
from netaudit.sources.formats._outcome import refused
from netaudit.sources.formats._owned import members
from netaudit.sources.formats._patterns import CUT_OFF, MAC, Matches, first_match
from netaudit.sources.formats._values import among_others, given, mask, whole

_WORDS = {
    "STAMGR_CLIENT_ONLINE": "online",
    "STAMGR_CLIENT_OFFLINE": "offline",
    "STAMGR_ROAM_SUCCESS": "roam",
    "STAMGR_CLIENT_SNOOPING": "snooping",
    "PORTAL_USER_LOGON_SUCCESS": "portal login",
    "PORTAL_USER_LOGON_FAIL": "portal login failed",
    "PORTAL_USER_LOGON_FAILED": "portal login failed",
    "PORTAL_USER_LOGOFF": "portal logoff",
    **{
        f"{module}_{wlan}{end}": f"{word} {what}"
        for module, word in (("DOT1X", "dot1x"), ("MACA", "mac"))
        for wlan in ("", "WLAN_")
        for end, what in (
            ("LOGIN_SUCC", "login"),
            ("LOGIN_FAILURE", "login failed"),
            ("LOGOFF", "logoff"),
        )
    },
}
_LINE = (
    r"^(?P<head>.*?)(?:^|\s|%%\d\d)(?:STAMGR|DOT1X|PORTAL|MACA)/\d/(?P<what>[A-Z0-9_]+): ?"
    r"(?:(?:-(?:DevIP=(?P<device>[0-9a-fA-F.:]+)|(?:MDC|Context|Chassis|Slot|CPU)=[^-;]*))+; ?)?(?P<text>.*)$"
)
_AP = r"(?: VLAN (?P<vlan>\d+))? with SSID (?P<ssid>.*) on AP (?P<ap>.*?)(?: Radio ID \d+)?\. State changed"
_BROUGHT = r"-VLANID=(?P<vlan>\d+)"
# Newer releases tell two: the port's, and the one that the server sent, which holds
_GRANTED = (
    r"(?:-AccessVLANID=\d+-Authorization|-Access|-)(?i:VLANID)=(?P<vlan>\d+)(?:-AuthorizationVLANID=[^-]*)?"
)
_TEXTS = (
    rf"^Client (?P<mac>{MAC}) went (?:on|off)line from BSS (?P<bssid>{MAC}){_AP}",
    rf"^Client (?P<mac>{MAC}) roamed from BSSID {MAC} on AP .* to BSSID (?P<bssid>{MAC}) on AP (?P<ap>.*) of AC IP",
    (
        rf"^Detected client IP change: Client MAC: (?P<mac>{MAC}), IP: (?P<ips>[0-9a-fA-FN:., -]*), "
        r"Username: (?P<user>.*), +AP name: (?P<ap>.*), Radio ID: \d+, Channel number: (?P<channel>\d+), "
        rf"SSID: (?P<ssid>.*), BSSID: (?P<bssid>{MAC})"
    ),
    # What the user said stands first or last, so that nothing else is ever read from it
    rf"^-(?i:username)=(?P<user>.*)-UserMAC=(?P<mac>{MAC})-BSSID=(?P<bssid>{MAC})-SSID=(?P<ssid>.*){_BROUGHT}",
    rf"^-IfName=(?P<port>.*?)-MACAddr=(?P<mac>{MAC}){_GRANTED}-(?i:username)=(?P<user>.*?)(?:-UsernameFormat=[^;]*)?;",
    (
        r"^-(?i:username)=(?P<user>.*)-IPAddr=(?P<ips>[0-9a-fA-F:.]+)-IfName=(?P<port>.*)-(?:VlanID|OuterVLAN)="
        rf"(?P<vlan>\d+)(?:-InnerVLAN=\d+)?-MACAddr=(?P<mac>{MAC})"
    ),
)
_NONE = ("-NA-", "N/A", "-")
_OWN = re.compile(
    r"(?:\s|%%\d\d|^)(?:STAMGR/\d/STAMGR|PORTAL/\d/PORTAL|DOT1X/\d/DOT1X|MACA/\d/MACA)_[A-Z0-9_]+:"
)
_HOST = r"(?:^|[\s>])(?P<host>[^\s:>%]*[A-Za-z.][^\s:>]*)\s*$"


def _open(context: Context) -> Parse:
    def parse(chunk: Chunk) -> Parsed:
        line, got = extract(chunk.lines, _LINE)
        word = pa.array([_WORDS.get(w) for w in got["what"].to_pylist()], pa.string())
        known = mask(pc.is_valid(word))
        index, found = first_match(pc.if_else(pa.array(known), got["text"], None), _TEXTS).matched()
        here = pa.array(index)
        columns = _columns(found) | {
            "ts": device_stamps.read(got["head"].take(here), context).moment,
            "message": word.take(here),
            "nas": pc.coalesce(got["device"], _host(got["head"])).take(here),
        }
        part, text = members(pc.split_pattern(pc.fill_null(found["ips"], ""), ", "))
        owner, address = per_address(np.arange(len(index)), part, ip_column(text))
        at = pa.array(owner)
        columns = {n: c.take(at) for n, c in columns.items()} | {"client_ip": address}
        torn = np.setdiff1d(line[known], line[index])
        knows_account = mask(pc.match_substring_regex(columns["message"], r"^(?:portal|dot1x|mac) "))
        return Parsed(
            by_kind(columns, line[index][owner], {"wlan": ~knows_account, "radius": knows_account}),
            refused({CUT_OFF: torn}),
            len(chunk.lines) - len(index) - len(torn),
        )

    return parse


def _host(head: pa.Array) -> pa.Array:
    return said(head, _HOST)


def _columns(found: Matches) -> dict[str, pa.Array]:
    port = found["port"]
    return {
        "client_mac": mac_column(found["mac"]),
        "bssid": mac_column(found["bssid"]),
        "ssid": found["ssid"],
        "ap_name": found["ap"],
        "account": given(found["user"], _NONE),
        "nas_port": pc.if_else(pc.fill_null(pc.starts_with(port, "WLAN-"), False), None, port),
        "vlan": whole(found["vlan"], 4094, pa.uint16()),
        "channel": whole(found["channel"], 65_535, pa.uint16()),
    }


FORMAT = LogFormat(
    title="H3C wireless controller or switch (stations, portal, 802.1X)",
    kinds=("wlan", "radius"),
    reference="https://www.h3c.com/en/Support/Resource_Center/Technical_Documents/ (System Log Messages Reference)",
    sniff=lambda lines: among_others(lines, _OWN.search),
    open=_open,
    samples=(
        Sample(
            "%Nov 23 09:30:02:001 2026 sw-3f DOT1X/6/DOT1X_LOGIN_SUCC: -IfName=GigabitEthernet1/0/4-MACAddr=0010-8400-22b9-"
            "VLANID=444-UserName=aaa; User passed 802.1X authentication and came online.\n"
            "%Nov 23 09:40:02:001 2026 sw-3f DOT1X/6/DOT1X_LOGIN_SUCC: -IfName=GigabitEthernet1/0/4-MACAddr=0010-8400-22b9-"
            "AccessVLANID=444-AuthorizationVLANID=445-Username=aaa; User passed 802.1X authentication and came online.",
            (
                {
                    "kind": "radius",
                    "message": "dot1x login",
                    "client_mac": "00:10:84:00:22:b9",
                    "account": "aaa",
                    "nas": "sw-3f",
                    "nas_port": "GigabitEthernet1/0/4",
                    "vlan": 444,
                },
                {"kind": "radius", "message": "dot1x login", "vlan": 445, "account": "aaa"},
            ),
            note="wired log-ons of two releases, as the manuals print them",
        ),
        Sample(
            "%Mar 15 17:01:11:924 2017 H3C STAMGR/6/STAMGR_CLIENT_ONLINE: Client 7048-0f4f-71f4 went online from BSS "
            "70ba-efb8-5e00 with SSID LHZFH on AP 70ba-efb8-5e00. State changed to Run\n"
            "2019-06-05T01:57:20.000Z {name=node6.xndx} NQ_AC %%10STAMGR/6/STAMGR_ROAM_SUCCESS: Client 5068-0aae-31e8 "
            "roamed from BSSID 3cf5-cc82-9d70 on AP ny4s_417 of AC IP 127.0.0.1 to BSSID 3cf5-cc82-7fd0 on AP ny4s_415 "
            "of AC IP 127.0.0.1 successfully.",
            (
                {
                    "kind": "wlan",
                    "ts": "2017-03-15T09:01:11.924000000Z",
                    "message": "online",
                    "client_mac": "70:48:0f:4f:71:f4",
                    "bssid": "70:ba:ef:b8:5e:00",
                    "ssid": "LHZFH",
                    "ap_name": "70ba-efb8-5e00",
                    "nas": "H3C",
                },
                {
                    "kind": "wlan",
                    "ts": "2019-06-05T01:57:20.000000000Z",
                    "message": "roam",
                    "bssid": "3c:f5:cc:82:7f:d0",
                    "ap_name": "ny4s_415",
                    "nas": "NQ_AC",
                },
            ),
            timezone="Asia/Shanghai",
            note="the header's variants",
        ),
        Sample(
            "2026-11-23T00:19:14+08:00 AC %%10STAMGR/6/STAMGR_CLIENT_SNOOPING: -DevIP=10.9.0.2; Detected client IP "
            "change: Client MAC: 7048-0f4f-71f4, IP: 10.60.0.9, fe80::7248:fff:fe4f:71f4, -NA-, -NA-, Username: lisi,  "
            "AP name: ap-3f, Radio ID: 1, Channel number: 36, SSID: GOV, BSSID: 70ba-efb8-5e00.",
            (
                {
                    "kind": "wlan",
                    "ts": "2026-11-22T16:19:14.000000000Z",
                    "message": "snooping",
                    "client_ip": "10.60.0.9",
                    "account": "lisi",
                    "channel": 36,
                    "nas": "10.9.0.2",
                },
                {"kind": "wlan", "client_ip": "fe80::7248:fff:fe4f:71f4", "ap_name": "ap-3f"},
            ),
            note="through a collector; one row per address",
        ),
        Sample(
            "%Nov  1 09:23:02:338 2012 Sysname PORTAL/6/PORTAL_USER_LOGON_SUCCESS: -MDC=1; -UserName=yangliping-IPAddr="
            "9.9.0.2-IfName=Ethernet1/1-VlanID=65535-MACAddr=0200-4c4f-4f50:User got online successfully.\n"
            "%Nov  1 09:24:02:338 2012 Sysname DOT1X/6/DOT1X_WLAN_LOGIN_SUCC: -Username=li-si-UserMAC=0200-4c4f-4f51-"
            "BSSID=70ba-efb8-5e00-SSID=GOV-VLANID=60; A user passed 802.1X authentication and came online.\n"
            "%Nov  1 09:25:02:338 2012 Sysname DOT1X/6/DOT1X_LOGIN_SUCC: -IfName=GigabitEthernet1/0/4-MACAddr="
            "0010-8400-22b9-VLANID=444-Username=aaa; User passed 802.1X authentication and came online.",
            (
                {
                    "kind": "radius",
                    "message": "portal login",
                    "account": "yangliping",
                    "client_ip": "9.9.0.2",
                    "client_mac": "02:00:4c:4f:4f:50",
                    "nas_port": "Ethernet1/1",
                    "vlan": None,
                },
                {"kind": "radius", "message": "dot1x login", "account": "li-si", "ssid": "GOV", "vlan": 60},
                {"kind": "radius", "account": "aaa", "nas_port": "GigabitEthernet1/0/4", "vlan": 444},
            ),
            note="log-ons know the account",
        ),
        Sample(
            "%Mar 15 17:01:11:924 2017 H3C STAMGR/6/STAMGR_CLIENT_ONLINE: Client 7048-0f4f-71f4 went online from BSS",
            note="cut off",
        ),
        Sample(
            "%Mar 15 17:01:11:924 2017 H3C STAMGR/6/STAMGR_SERVICE_ON: BSS 70ba-efb8-5e00 was created",
            note="nobody came",
        ),
    ),
)
