"""Aruba controllers and Instant access points: authentications, associations, stations.

Key and value are joined by ``=`` on a controller and by ``-`` on Instant, where a value may hold
the dash itself. A controller says that a station left an access point for another one; its new
association tells the same, so that line ends nothing.
"""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.carrier import peel, peel_text, read_stamps
from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Sample
from netaudit.intake.times import Context
from netaudit.records.addresses import ip_column, mac_column
from netaudit.sources.formats._access_rows import by_kind
from netaudit.sources.formats._outcome import refused
from netaudit.sources.formats._patterns import CUT_OFF, MAC, first_match
from netaudit.sources.formats._values import among_others, mask, whole

# <id> [<process>] <level> and who says it: <HOST IP>, |AP NAME@IP program|, or AP:NAME <IP MAC>
_HEAD = (
    r"<\d{6}> (?:<\d+> )?<[A-Z]+> +"
    r"(?:<[^>]*>|\|AP (?P<at>[^@|]*)@[^|]*\||AP:(?P<from>\S+) <[^>]*>)? +"
)
_RADIO = rf"(?P<mac>{MAC}): (?:Ageout )?AP (?P<ap_ip>[0-9a-fA-F.:]+)-(?P<bssid>{MAC})-(?P<ap>\S+)"
_ROAMED = r"(?: Reason)? STA has roamed"
_MESSAGES = (
    (
        (
            r"User Authentication Successful: username=(?P<user>.*) MAC=(?P<mac>\S+) IP=(?P<ip>\S+) role=(?:.*?)"
            r"(?: VLAN=(?P<vlan>\d+))?(?: AP=(?P<ap>.*?))?(?: SSID=(?P<ssid>.*?))?(?: AAA profile=.*| auth method=.*|)$"
        ),
        "user authenticated",
    ),
    (
        r"User authenticated, mac-(?P<mac>[^,]*), username-(?P<user>.*), IP-(?P<ip>[0-9a-fA-F.:]+), method-",
        "user authenticated",
    ),
    (
        r"User Authentication failed\.?.* username=(?P<user>.*?) (?:MAC|usermac)=(?P<mac>\S+)",
        "user authentication failed",
    ),
    (r"User Authentication failed\.?.* username=(?P<user>.*?) userip=", "user authentication failed"),
    (rf"Auth success: {_RADIO}", "auth success"),
    (rf"Assoc success(?: @ \S+)?: {_RADIO}", "assoc success"),
    (rf"De(?:auth|authentication) (?:from|to) sta: {_RADIO}{_ROAMED}", "moved away"),
    (rf"Disassoc (?:from|to) sta: {_RADIO}{_ROAMED}", "moved away"),
    (rf"Deauth (?:from|to) sta: {_RADIO}", "deauth"),
    (rf"Disassoc (?:from|to) sta: {_RADIO}", "disassociated"),
    (
        rf"recv_sta_update: .*\bmac-(?P<mac>{MAC}) bssid-(?P<bssid>{MAC}) essid-(?P<ssid>.*) timestamp-",
        "station",
    ),
)
_PATTERNS = tuple(f"{_HEAD}{text}" for text, _ in _MESSAGES)
_WORDS = tuple(word for _, word in _MESSAGES)
_BEGUN = (
    rf"{_HEAD}(?:User Authentication Successful:|User authenticated,|Auth success:|Assoc success\b"
    r"|De(?:auth) (?:from|to) sta:|Disassoc (?:from|to) sta:|recv_sta_update: receive)"
)
_OWN = re.compile(
    r"<(?:522\d{3}|501\d{3}|541\d{3})> (?:<\d+> )?<[A-Z]+> +(?:<[^>]*>|\|AP [^|]*\||AP:\S+ <[^>]*>)"
)
_BY_ACCOUNT = r"^user "


def _open(context: Context) -> Parse:
    def parse(chunk: Chunk) -> Parsed:
        peeled = peel(chunk.lines)
        index, found = first_match(peeled.rest, _PATTERNS).matched()
        here = pa.array(index)
        word = found.words(_WORDS)
        columns = {
            "ts": read_stamps(peeled.stamp.take(here), context),
            "message": word,
            "client_mac": mac_column(found["mac"]),
            "client_ip": _address(found["ip"]),
            "account": found["user"],
            "ap_name": pc.coalesce(found["ap"], found["at"], found["from"]),
            "bssid": mac_column(found["bssid"]),
            "ssid": found["ssid"],
            "vlan": whole(found["vlan"], 4094, pa.uint16()),
            "nas": peeled.host.take(here),
        }
        knows_account = mask(pc.match_substring_regex(word, _BY_ACCOUNT))
        begun = mask(pc.match_substring_regex(peeled.rest, _BEGUN))
        torn = np.setdiff1d(np.flatnonzero(begun), index)
        return Parsed(
            by_kind(columns, index, {"radius": knows_account, "wlan": ~knows_account}),
            refused({CUT_OFF: torn}),
            len(chunk.lines) - len(index) - len(torn),
        )

    return parse


def _address(text: pa.Array) -> pa.Array:
    """Before it has an address a station is printed as one of zeros."""
    return ip_column(pc.if_else(pc.match_substring_regex(text, r"^[0.:]*$"), None, text))


FORMAT = LogFormat(
    title="Aruba controller and Instant",
    kinds=("radius", "wlan"),
    reference="https://www.arubanetworks.com/techdocs/ (ArubaOS Syslog Reference)",
    sniff=lambda lines: among_others(peel_text(lines), _OWN.search),
    open=_open,
    samples=(
        Sample(
            "<165>Feb 22 17:46:52 2026 aruba-mc01 authmgr[3469]: <522008> <NOTI> <aruba-mc01 192.168.1.1>  User "
            "Authentication Successful: username=jsmith MAC=6a:2b:14:60:aa:fd IP=10.100.149.48 role=authenticated "
            "VLAN=100 AP=AP-HQ-F2-01 SSID=Corp WiFi AAA profile=Corp_AAA auth method=802.1x auth server=RADIUS",
            (
                {
                    "kind": "radius",
                    "ts": "2026-02-22T17:46:52.000000000Z",
                    "message": "user authenticated",
                    "account": "jsmith",
                    "client_mac": "6a:2b:14:60:aa:fd",
                    "client_ip": "10.100.149.48",
                    "ap_name": "AP-HQ-F2-01",
                    "ssid": "Corp WiFi",
                    "vlan": 100,
                    "nas": "aruba-mc01",
                },
            ),
            note="a controller's complete row",
        ),
        Sample(
            "stm[4826]: <501199> <NOTI> AP:IAP-RIYADH-02 <192.0.2.1 11:11:11:11:11:11>  User authenticated, "
            "mac-02:00:00:00:00:00, username-test@test.com, IP-1.2.3.4, method-802.1x, role-Test_No_Corporate_Role\n"
            "stm[8447]: <501093> <NOTI> AP:02:00:00:00:00:01 <1.2.3.4 02:00:00:00:00:01>  Auth success: "
            "02:00:00:00:00:02: AP 1.2.3.4-02:00:00:00:00:03-02:00:00:00:00:01\n"
            "cli[5159]: <541004> <WARN> AP:AP-EXAMPLE <1.2.3.4 00:11:22:33:44:55>  recv_sta_update: receive station msg, "
            "mac-02:00:00:00:00:00 bssid-22:11:22:33:44:55 essid-EXAMPLE timestamp-1746625272-529980.",
            (
                {
                    "kind": "radius",
                    "message": "user authenticated",
                    "account": "test@test.com",
                    "ap_name": "IAP-RIYADH-02",
                },
                {
                    "kind": "wlan",
                    "message": "auth success",
                    "bssid": "02:00:00:00:00:03",
                    "ap_name": "02:00:00:00:00:01",
                },
                {"kind": "wlan", "message": "station", "ssid": "EXAMPLE", "ap_name": "AP-EXAMPLE"},
            ),
            note="Instant",
        ),
        Sample(
            "Jun  4 2026 14:49:11 MD3 stm[30085]: <501080> <30085> <NOTI> <MD3 192.0.2.3>  Deauth to sta: "
            "b4:f1:da:00:00:01: Ageout AP 192.0.2.4-18:64:72:00:00:02-ap-2f STA has roamed to another AP\n"
            "Jun  4 2026 14:49:11 192.0.2.4 stm[2764]:  <501105> <NOTI> |AP ap-2f@192.0.2.4 stm|  Deauth from sta: "
            "b4:f1:da:00:00:01: AP 192.0.2.4-18:64:72:00:00:02-ap-2f Reason Unspecified",
            (
                {"kind": "wlan", "message": "moved away", "ap_name": "ap-2f", "nas": "MD3"},
                {"kind": "wlan", "message": "deauth", "nas": "192.0.2.4"},
            ),
            note="it left for another access point; it left",
        ),
        Sample(
            "stm[4826]: <501199> <NOTI> AP:IAP-RIYADH-02 <192.0.2.1 11:11:11:11:11:11>  User authenticated, mac-02:00",
            note="cut off",
        ),
        Sample("ports: port 15 is now off-line", note="a switch of the same maker"),
    ),
)
