r"""Cisco ISE in a system log: passed and failed authentications, and accounting.

A message is split over datagrams (``CISE_… ID TOTAL NUMBER``, from 0), which may come in any order:
they are put together before anything is read. Values have their commas escaped (``\,``).
"""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import (
    LogFormat,
    Parse,
    Parsed,
    Rows,
    Sample,
    extract,
    said,
    share,
)
from netaudit.intake.times import Context, from_iso
from netaudit.records.addresses import ip_column, mac_column
from netaudit.sources.formats import _radius as radius
from netaudit.sources.formats._outcome import keep, refused
from netaudit.sources.formats._values import mask

_CATEGORIES = "Passed_Authentications|Failed_Attempts|RADIUS_Accounting"
_SEGMENT = (
    r"^(?:.*?(?P<host>\S+)?\s*CISE_(?P<category>[A-Za-z_]+) )?(?P<id>\d{10}) (?P<total>\d{1,3}) (?P<number>\d{1,3}) "
    r"(?P<text>.*?)(?:#0?15)?$"
)
_FIRST = r"(?:^|CISE_[A-Za-z_]+ )\d{10} \d{1,3} 0 "
_BODY = (
    r"^(?P<stamp>\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(?:\.\d{1,9})? [+-]\d{2}:\d{2}) \d+ \d+ [A-Z]+ +"
    r"(?P<what>Passed-Authentication|Failed-Attempt|(?i:Radius-Accounting)): (?P<said>.*)$"
)
_OWN = re.compile(r".*\bCISE_[A-Za-z_]+ \d{10} \d{1,3} \d{1,3} |\d{10} \d{1,3} \d{1,3} \d{4}-\d\d-\d\d ")
_VALUE = r"(?P<it>(?:[^,\\]|\\.)*)"


def _starts(lines: pa.StringArray) -> np.ndarray:
    return mask(pc.match_substring_regex(lines, _FIRST))


def _open(context: Context) -> Parse:
    def parse(chunk: Chunk) -> Parsed:
        line, got = extract(chunk.lines, _SEGMENT)
        first, text, torn = _joined(got)
        torn = torn[mask(pc.is_in(got["category"], value_set=pa.array(_CATEGORIES.split("|"))))[torn]]
        at, body = extract(text, _BODY)
        given = _Attributes(body["said"])
        accounting = pc.match_substring_regex(body["what"], r"^(?i:radius-accounting)$")
        columns = radius.columns(given) | {
            "message": pc.if_else(accounting, given.one("Acct-Status-Type"), body["what"]),
            "client_ip": pc.coalesce(
                ip_column(given.one("Framed-IP-Address")), ip_column(given.one("Framed-IPv6-Address"))
            ),
            "ts": radius.happened(from_iso(body["stamp"], context), given.one("Acct-Delay-Time")),
        }
        columns["ssid"] = pc.coalesce(columns["ssid"], given.pair("cisco-wlan-ssid"))
        station = mac_column(given.one("EndPointMACAddress"))
        columns["client_mac"] = pc.coalesce(columns["client_mac"], station)
        rows = Rows("radius", columns, line[first[at]])
        told = mask(pc.is_valid(columns["message"]))
        return Parsed(
            [keep(rows, told)] if told.any() else [],
            refused(
                {
                    "Parts of a message that was split are missing.": line[torn],
                    "An accounting message does not say what happened.": rows.line[~told],
                }
            ),
            len(first) - len(at) + len(chunk.lines) - len(line),
        )

    return parse


def _joined(got: dict[str, pa.Array]) -> tuple[np.ndarray, pa.Array, np.ndarray]:
    """Segments as messages: the first segment of each, the whole text, and the first of what is torn."""
    total, number = (got[n].cast(pa.int64()).to_numpy(zero_copy_only=False) for n in ("total", "number"))
    text = pc.utf8_trim_whitespace(got["text"])
    same = text.dictionary_encode().indices.to_numpy()
    parts = [pc.fill_null(got[name], "") for name in ("host", "category", "id", "total")]
    # What is not split needs no number to be told apart
    parts.append(pa.array(np.where(total == 1, same, -1)).cast(pa.string()))
    code = pc.binary_join_element_wise(*parts, " ").dictionary_encode().indices.to_numpy()
    order = np.lexsort((np.arange(len(code)), number, code))
    again = np.zeros(len(order), bool)  # relays send some twice
    again[1:] = (np.diff(code[order]) == 0) & (np.diff(number[order]) == 0) & (np.diff(same[order]) == 0)
    order = order[~again]
    begins = np.flatnonzero(np.diff(code[order], prepend=-1) != 0)
    sizes = np.diff(np.append(begins, len(order)))
    first = order[begins]
    last = order[begins + sizes - 1] if len(begins) else first
    whole = (sizes == total[first]) & (number[first] == 0) & (number[last] == total[first] - 1)
    offsets = np.append(begins, len(order)).astype(np.int32)
    lists = pa.ListArray.from_arrays(pa.array(offsets), text.take(pa.array(order)))
    by_line = np.argsort(first[whole], kind="stable")
    joined = pc.binary_join(lists.filter(pa.array(whole)), " ").take(pa.array(by_line))
    return first[whole][by_line], joined, np.sort(first[~whole])


class _Attributes:
    """``Key=value`` of some messages, under the names that FreeRADIUS gives them."""

    def __init__(self, body: pa.Array) -> None:
        self._body = body

    def one(self, key: str) -> pa.Array:
        """The first value of a key; null where absent or empty."""
        return self._found(rf", {key}={_VALUE}")

    def pair(self, key: str) -> pa.Array:
        """A value within ``cisco-av-pair=``."""
        return self._found(rf", cisco-av-pair={key}={_VALUE}")

    def _found(self, pattern: str) -> pa.Array:
        return pc.replace_substring_regex(said(self._body, pattern), r"\\(.)", r"\1")

    def __call__(self, name: str) -> pa.Array:
        """The attribute of RADIUS."""
        if name == "User-Name":
            return pc.coalesce(self.one("User-Name"), self.one("UserName"))
        if name == "NAS-IP-Address":
            return pc.coalesce(self.one("NAS-IP-Address"), self.one("Device IP Address"))
        if name == "Acct-Session-Id":
            return pc.coalesce(self.one("Acct-Session-Id"), self.one("CPMSessionID"))
        if name == "Tunnel-Private-Group-Id":
            granted = self._found(r"; Tunnel-Private-Group-ID=(?:\(tag=\d+\) )?(?P<it>\d+)")
            return pc.coalesce(granted, self.pair("vlan-id"))
        return self.one(re.sub("-Station-Id$", "-Station-ID", name))


_STOP = (
    "Oct 27 15:20:43 HOST-01 CISE_RADIUS_Accounting 0001042079 2 0 2025-10-27 15:20:43.919 +01:00 0015337799 3001 NOTICE "
    "Radius-Accounting: RADIUS Accounting stop request, ConfigVersionId=11, Device IP Address=192.0.2.4, UserName=lisi, "
    r"User-Name=OFFICE\\lisi, NAS-IP-Address=192.0.2.4, NAS-Port=42, Called-Station-ID=00-1A-1E-AA-BB-C0:GOV\,STAFF,"
)
_MORE = (
    "Oct 27 15:20:43 HOST-01 CISE_RADIUS_Accounting 0001042079 2 1 Calling-Station-ID=52-54-00-AA-00-01, "
    "Acct-Status-Type=Stop, Acct-Delay-Time=1, Acct-Session-Id=5F3A0001, Framed-IP-Address=10.60.0.9,#015"
)

FORMAT = LogFormat(
    title="Cisco ISE",
    kinds=("radius",),
    reference="https://www.cisco.com/c/en/us/td/docs/security/ise/syslog/Cisco_ISE_Syslogs.html",
    sniff=lambda lines: share(lines, _OWN.match),
    open=_open,
    starts=_starts,
    samples=(
        Sample(
            f"{_STOP}\n{_MORE}",
            (
                {
                    "kind": "radius",
                    "ts": "2025-10-27T14:20:42.919000000Z",
                    "message": "Stop",
                    "account": "OFFICE\\lisi",
                    "client_mac": "52:54:00:aa:00:01",
                    "client_ip": "10.60.0.9",
                    "ssid": "GOV,STAFF",
                    "nas": "192.0.2.4",
                    "nas_port": "42",
                    "session": "5F3A0001",
                },
            ),
            note="one message in two datagrams",
        ),
        Sample(
            "Dec  9 17:30:23 example CISE_Passed_Authentications 0000453439 1 0 2025-12-09 17:30:23.365 +01:00 0007121364 "
            "5200 NOTICE Passed-Authentication: Authentication succeeded, ConfigVersionId=10, User-Name=host/PC.example, "
            "NAS-IP-Address=192.0.2.4, Calling-Station-ID=52-54-00-AA-00-02, NAS-Port-Type=Wireless - IEEE 802.11, "
            "CPMSessionID=abc12345, Response={User-Name=PC$@example; Tunnel-Private-Group-ID=(tag=1) 157; }, ",
            (
                {
                    "kind": "radius",
                    "message": "Passed-Authentication",
                    "account": "host/PC.example",
                    "vlan": 157,
                    "session": "abc12345",
                },
            ),
        ),
        Sample(_MORE, note="the first part is missing"),
    ),
)
