"""Huawei wireless controllers and switches: ``CM`` access results and ``WLAN`` association failures.

The cells stand as ``KEY:value;`` behind a tag. ``TIME`` is an epoch, but some builds write local
time as if it were one: where it shows what the header shows and ``ZONE`` is not zero, it is local.
A refusal has its tag and *failed*, an administrator's log-on to the device its tag and *admin*:
neither is a station's presence.
"""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Sample, extract, said
from netaudit.intake.times import Context, by_offset, from_epoch
from netaudit.records.addresses import ip_column, mac_column
from netaudit.records.schemas import TIMESTAMP
from netaudit.sources.formats import _device_stamps as device_stamps
from netaudit.sources.formats._access_rows import by_kind
from netaudit.sources.formats._outcome import refused
from netaudit.sources.formats._patterns import CUT_OFF
from netaudit.sources.formats._values import among_others, given, mask

LOCAL_EPOCH = "This device writes local time as if it were an epoch; it was read by its ZONE."

_LINE = (
    r"^(?P<head>.*?)(?P<host>\S+)\s+%%\d\d(?P<module>CM|WLAN)/\d/(?P<what>[A-Za-z0-9_]+)(?:\([a-z]\))?"
    r"(?:\[\d+\])?:\s*\[(?P<tag>[A-Z0-9_]+)\](?P<text>.*)$"
)
_BEGUN = r"%%\d\d(?:CM/\d/USER_(?:ACCESS|OFFLINE)RESULT|WLAN/\d/WLAN_LOG_USER)\b"
_OWN = re.compile(_BEGUN)
_ADMIN = r"(?i)^(?:ssh|telnet|ftp|sftp|http|https|web|terminal|console|api|netconf|snmp|admin)\b"
_NOBODY = r"^(?i:ff-ff-ff-ff-ff-ff|00-00-00-00-00-00)$"
_SAME_S = 60


def _open(context: Context) -> Parse:
    def parse(chunk: Chunk) -> Parsed:
        begun = np.flatnonzero(mask(pc.match_substring_regex(chunk.lines, _BEGUN)))
        at, got = extract(chunk.lines.take(pa.array(begun)), _LINE)
        cell = _Cells(got["text"])
        columns = _columns(got, cell) | {"ts": _times(got["head"], cell, context)}
        whole = mask(pc.is_valid(cell("MAC"))) & mask(pc.is_valid(cell.user()))
        radius = mask(pc.equal(got["module"], "CM"))
        index = begun[at]
        return Parsed(
            by_kind(columns, index, {"radius": whole & radius, "wlan": whole & ~radius}),
            refused({CUT_OFF: np.setdiff1d(begun, index[whole])}),
            len(chunk.lines) - len(begun),
        )

    return parse


class _Cells:
    """``KEY:value;`` of some texts by their keys.

    A user may put anything into his name. It stands before what matters: the last value of a key is
    the device's, and the name ends at the last ``MAC``.
    """

    def __init__(self, text: pa.Array) -> None:
        self._text = text

    def __call__(self, key: str) -> pa.Array:
        """The last value of a key, null where it is absent, empty or a dash."""
        return self._found(rf"^(?:.*;)?\s*{key}:(?P<it>[^;]*);")

    def user(self) -> pa.Array:
        """The account."""
        return self._found(r"(?:^|;)\s*USER:(?P<it>.*);\s*MAC:")

    def _found(self, pattern: str) -> pa.Array:
        return given(pc.utf8_trim_whitespace(said(self._text, pattern)), ("", "-", "--"))


def _columns(got: dict[str, pa.Array], cell: _Cells) -> dict[str, pa.Array]:
    wireless = pc.is_valid(cell("APMAC"))
    return {
        "message": _message(got, cell),
        "client_mac": mac_column(cell("MAC")),
        "client_ip": pc.coalesce(ip_column(cell("IPADDRESS")), ip_column(cell("IPV6ADDRESS"))),
        "account": cell.user(),
        "ap_name": cell("APNAME"),
        "bssid": mac_column(cell("APMAC")),
        "ssid": cell("SSID"),
        "nas": pc.coalesce(cell("ACNAME"), cell("DEVICENAME"), got["host"]),
        # A radio's interface changes as the station roams, and would part an end from its beginning
        "nas_port": pc.if_else(wireless, None, cell("INTERFACE")),
    }


def _message(got: dict[str, pa.Array], cell: _Cells) -> pa.Array:
    tag = got["tag"]
    over = pc.or_(pc.match_substring(tag, "OFFLINE"), pc.match_substring(got["what"], "OFFLINE"))
    well = pc.fill_null(pc.match_substring_regex(cell("RESULT"), r"^(?i:success)"), False)
    nobody = pc.fill_null(pc.match_substring_regex(cell("MAC"), _NOBODY), False)
    admin = pc.or_(nobody, pc.fill_null(pc.match_substring_regex(cell("ACCESS TYPE"), _ADMIN), False))
    failed = pc.binary_join_element_wise(tag, "failed", " ")
    word = pc.if_else(pc.or_(over, well), tag, failed)
    return pc.if_else(admin, pc.binary_join_element_wise(word, "admin", " "), word)


def _times(head: pa.Array, cell: _Cells, context: Context) -> pa.Array:
    """``TIME``, as what it is; the header's stamp where there is none."""
    epoch = from_epoch(cell("TIME"))
    missing = pc.is_null(epoch)
    shown = device_stamps.read(head, Context(zone=context.zone, collected=context.collected, tolerant=True))
    zone = pc.replace_substring(cell("ZONE"), "UTC", "")
    summer = pc.fill_null(pc.equal(cell("DAYLIGHT"), "true"), False)
    east = pc.fill_null(by_offset(zone), 0)
    apart = pc.abs(pc.subtract(epoch.cast(pa.int64()), shown.naive))
    local = pc.and_(pc.not_equal(east, 0), pc.fill_null(pc.less_equal(apart, _SAME_S * 10**9), False))
    if mask(local).any():
        context.notes.add(LOCAL_EPOCH)
    shift = pc.add(east, pc.if_else(summer, 3_600 * 10**9, 0))
    true = pc.subtract(epoch.cast(pa.int64()), pc.if_else(local, shift, 0)).cast(TIMESTAMP)
    if not mask(missing).any():
        return true
    return pc.coalesce(true, device_stamps.read(pc.if_else(missing, head, None), context).moment)


_ON = (
    "Nov 23 2026 00:19:14+08:00 AC-3F %%01CM/5/USER_ACCESSRESULT(s)[137]:[WLAN_STA_INFO_AUTHENTICATION]"
    "ACMAC:dc-d2-fc-f4-5d-7d;ACNAME:AC-3F;APMAC:ac-4e-91-47-96-40;APNAME:ap-234;USER:lisi;MAC:c8-14-79-38-24-f2;"
    "IPADDRESS:10.60.0.9;TIME:1795364354;ZONE:UTC+0800;DAYLIGHT:false;ERRCODE:0;RESULT:success;ACCESS TYPE:802.1x;"
)
_OFF = (
    _ON.replace("ACCESSRESULT", "OFFLINERESULT")
    .replace("STA_INFO_AUTHENTICATION", "STA_INFO_OFFLINE")
    .replace("RESULT:success", "RESULT:User request to offline")
)

FORMAT = LogFormat(
    title="Huawei wireless controller or switch (access results)",
    kinds=("radius", "wlan"),
    reference="https://support.huawei.com/enterprise/en/doc/EDOC1000141911/b242dbf2/cm-5-user_accessresult",
    sniff=lambda lines: among_others(lines, _OWN.search),
    open=_open,
    samples=(
        Sample(
            f"{_ON}\n{_OFF}",
            (
                {
                    "kind": "radius",
                    "ts": "2026-11-22T16:19:14.000000000Z",
                    "message": "WLAN_STA_INFO_AUTHENTICATION",
                    "account": "lisi",
                    "client_mac": "c8:14:79:38:24:f2",
                    "client_ip": "10.60.0.9",
                    "ap_name": "ap-234",
                    "bssid": "ac:4e:91:47:96:40",
                    "nas": "AC-3F",
                },
                {"kind": "radius", "message": "WLAN_STA_INFO_OFFLINE", "account": "lisi"},
            ),
        ),
        Sample(
            "Jan 13 2014 18:23:26+04:00 TB4_GF_ACU1_M %%01WLAN/3/WLAN_LOG_USER(l)[261864]:[WLAN_STA_INFO_AP_ASSOCIATE]"
            "ACMAC:dc-d2-fc-f4-5d-7d;ACNAME:TB4_GF_ACU1_M;APMAC:ac-4e-91-47-96-40;APNAME:ap-234;USER:c814793824f2;"
            "MAC:c8-14-79-38-24-f2;TIME:1389623006;ZONE:UTC+0400;DAYLIGHT:false;ERRCODE:66543;RESULT:FailType is AC "
            "code, refused by repeat association;",
            (
                {
                    "kind": "wlan",
                    "ts": "2014-01-13T14:23:26.000000000Z",
                    "message": "WLAN_STA_INFO_AP_ASSOCIATE failed",
                    "ap_name": "ap-234",
                },
            ),
            note="refused; TIME is a true epoch",
        ),
        Sample(
            "Jul 14 2024 14:44:31 SK_DK_S5731_S01 %%01CM/5/USER_ACCESSRESULT(s)[137]:[USER_INFO_AUTHENTICATION]"
            "DEVICEMAC:b8-d6-f6-97-e0-40;DEVICENAME:M&H_DK_S5731_S01;USER:netadmin;MAC:ff-ff-ff-ff-ff-ff;"
            "IPADDRESS:192.168.198.60;IPV6ADDRESS:-;TIME:1720968271;ZONE:UTC+0600;DAYLIGHT:false;ERRCODE:0;"
            "RESULT:success;CIB ID:16;ACCESS TYPE:SSH;RDSIP:-;",
            (
                {
                    "kind": "radius",
                    "ts": "2024-07-14T08:44:31.000000000Z",
                    "message": "USER_INFO_AUTHENTICATION admin",
                    "client_mac": None,
                    "client_ip": "192.168.198.60",
                    "account": "netadmin",
                },
            ),
            note="an administrator; TIME is local time",
        ),
        Sample(_ON[:190], note="cut off"),
    ),
)
