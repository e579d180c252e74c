r"""Cisco ISE in a system log: passed and failed authentications, and accounting.

A message is split over datagrams (``CISE_… ID TOTAL NUMBER``, from 0), which may come in any order:
they are put together before anything is read. Where the last ones were lost, what the first ones tell
is read: who, when and where stand there. Values have their commas escaped (``\,``).
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
    r"(?:(?P<what>Passed-Authentication|Failed-Attempt|(?i:Radius-Accounting))|Guest): "
    r"(?P<said>(?P<guest>Guest Authentication (?:Passed|Failed))?.*)$"
)
_OWN = re.compile(r".*\bCISE_[A-Za-z_]+ \d{10} \d{1,3} \d{1,3} |\d{10} \d{1,3} \d{1,3} \d{4}-\d\d-\d\d ")
SHORT = "Parts of some messages that were split are missing; what the others tell was read."
_VALUE = r"(?P<it>(?:[^,\\]|\\.)*)"


def _starts(lines: pa.StringArray) -> np.ndarray:
    return mask(pc.match_substring_regex(lines, _FIRST))


def _open(context: Context) -> Parse:
    def parse(chunk: Chunk) -> Parsed:
        line, got = extract(chunk.lines, _SEGMENT)
        first, text, torn, short = _joined(got)
        torn = torn[mask(pc.is_in(got["category"], value_set=pa.array(_CATEGORIES.split("|"))))[torn]]
        at, body = _of_stations(*extract(text, _BODY))
        given = _Attributes(body["said"])
        accounting = pc.match_substring_regex(body["what"], r"^(?i:radius-accounting)$")
        columns = radius.columns(given) | {
            "message": pc.coalesce(
                pc.if_else(accounting, given.one("Acct-Status-Type"), body["what"]), body["guest"]
            ),
            "client_ip": pc.coalesce(
                *(ip_column(given.one(key)) for key in ("Framed-IP-Address", "Framed-IPv6-Address")),
                pc.if_else(pc.is_valid(body["guest"]), ip_column(given.one("IpAddress")), None),
            ),
            "ts": radius.happened(from_iso(body["stamp"], context), given.one("Acct-Delay-Time")),
        }
        columns["ssid"] = pc.coalesce(columns["ssid"], given.pair("cisco-wlan-ssid"))
        station = mac_column(given.one("EndPointMACAddress"))
        columns["client_mac"] = pc.coalesce(columns["client_mac"], station)
        rows = Rows("radius", columns, line[first[at]])
        told = mask(pc.is_valid(columns["message"]))
        short = short[at]
        if (told & short).any():
            context.notes.add(SHORT)
        return Parsed(
            [keep(rows, told)] if told.any() else [],
            refused(
                {
                    "Parts of a message that was split are missing.": np.append(
                        line[torn], rows.line[~told & short]
                    ),
                    "An accounting message does not say what happened.": rows.line[~told & ~short],
                }
            ),
            len(first) - len(at) + len(chunk.lines) - len(line),
        )

    return parse


def _of_stations(at: np.ndarray, body: dict[str, pa.Array]) -> tuple[np.ndarray, dict[str, pa.Array]]:
    """Leave out what portals say about guests besides their logins."""
    here = mask(pc.or_(pc.is_valid(body["what"]), pc.is_valid(body["guest"])))
    return at[here], {name: column.filter(pa.array(here)) for name, column in body.items()}


def _joined(got: dict[str, pa.Array]) -> tuple[np.ndarray, pa.Array, np.ndarray, np.ndarray]:
    """Segments as messages.

    Gives the first segment of each, its text up to what is missing, the first segments of those that
    cannot be put together, and of which messages the end is missing. A segment ends with a comma, behind a whole value; one that does not is only good with the next.
    """
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
    straight = number[order] == np.arange(len(order)) - np.repeat(begins, sizes)
    held = np.add.reduceat(straight, begins) if len(begins) else sizes
    ends = mask(pc.ends_with(text, ","))[order[begins + np.maximum(held, 1) - 1]]
    rising = np.diff(number[order], prepend=-1) > 0
    rising[begins] = True
    alone = np.logical_and.reduceat(rising, begins) if len(begins) else whole
    good = whole | (alone & (held > 0) & ends)
    kept = order[straight & np.repeat(good, sizes)]
    offsets = np.append(0, np.cumsum(held[good])).astype(np.int32)
    lists = pa.ListArray.from_arrays(pa.array(offsets), text.take(pa.array(kept)))
    by_line = np.argsort(first[good], kind="stable")
    joined = pc.binary_join(lists, " ").take(pa.array(by_line))
    return first[good][by_line], joined, np.sort(first[~good]), ~whole[good][by_line]


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
        Sample(
            _STOP.replace(" 2 0 ", " 3 0 ").replace("stop request", "start request")
            + " Acct-Status-Type=Start,",
            ({"kind": "radius", "message": "Start", "account": "OFFICE\\lisi", "nas_port": "42"},),
            note="the rest was lost on the way",
        ),
        Sample(
            "<181>Mar 2 13:27:48 ise CISE_Passed_Authentications 0000077038 1 0 2022-03-02 13:27:48.625 +00:00 0000077104 "
            "5231 NOTICE Guest: Guest Authentication Passed, ConfigVersionId=1459, UserType=NON_GUEST, UserName=test, "
            "IpAddress=81.2.69.145, PortalName=Self-Registered Guest Portal (default), GuestUserName=test,",
            (
                {
                    "kind": "radius",
                    "message": "Guest Authentication Passed",
                    "client_ip": "81.2.69.145",
                    "account": "test",
                },
            ),
            note="of the portal",
        ),
        Sample(_MORE, note="the first part is missing"),
    ),
)
