"""Prints of the sessions on a switch's ports: Cisco's ``show access-session`` and AOS-CX's clients.

Cisco's is a table (``show authentication sessions`` is its older name) or, with ``details``, a block for
each session; AOS-CX prints a block for each client. A session's time becomes its beginning where the moment of the print is declared.
"""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Rows, Sample, extract
from netaudit.intake.times import Context
from netaudit.records.addresses import ip_column, mac_column
from netaudit.sources.formats._access_rows import printed
from netaudit.sources.formats._outcome import refused
from netaudit.sources.formats._patterns import MAC
from netaudit.sources.formats._prompted import Device
from netaudit.sources.formats._stanzas import Stanzas
from netaudit.sources.formats._values import mask, whole

_ROW = (
    rf"^(?P<port>[A-Z][A-Za-z]*\d[\d/.]*) +(?P<mac>{MAC}|\(unknown\)|N/A) +(?P<method>\S+) +(?P<domain>[A-Z]+) +"
    r"(?P<status>[A-Z][A-Za-z]+(?: [A-Z][A-Za-z]+)?)(?: +[ADFINPRUX]{1,9})? +(?P<session>[0-9A-F]{16,32})\s*$"
)
_BEGUN_ROW = rf"^[A-Z][A-Za-z]*\d[\d/.]* +(?:{MAC}|\(unknown\)) "
_BLOCK = rf"^Client (?P<mac>{MAC})(?:, (?P<user>.*?))?\s*$"
_PAIR = (
    r"^\s+(?:(?P<port>Port)|(?P<time>Session Time)|(?P<v4>IPv4 Address)|(?P<v6>IPv6 Address)|(?P<vlan>VLAN)|"
    r"(?P<status>Status))\s*: (?P<value>\S(?:.*\S)?)\s*$"
)
_DETAIL = r"^\s*Interface: +(?P<port>\S+)\s*$"
_DETAIL_PAIR = (
    r"^\s*(?:(?P<mac>MAC Address)|(?P<v4>IP(?:v4)? Address)|(?P<v6>IPv6 Address)|(?P<user>User-?\s?[Nn]ame)|"
    r"(?P<status>Status)|(?P<session>Common Session ID)|(?P<vlan>Vlan (?:Group|Policy))): +(?:Vlan: )?"
    r"(?P<value>\S(?:.*\S)?)\s*$"
)
_APPLIED = r"^(?:Applied|Not applied|In-Progress|Not-Applied)$"  # of the authorisation, which follows
_ROW_LINE, _BLOCK_LINE = re.compile(_ROW), re.compile(_BLOCK)
_SESSION_LINE = re.compile(r"\s*Common Session ID: +[0-9A-F]{16,32}\s*\Z")


def _starts(lines: pa.StringArray) -> np.ndarray:
    return mask(pc.match_substring_regex(lines, rf"{_BLOCK}|{_BEGUN_ROW}|{_DETAIL}"))


def _sniff(lines: list[str]) -> float:
    if any(map(_ROW_LINE.match, lines)) or any(map(_SESSION_LINE.match, lines)):
        return 0.95
    return 0.95 * (any(map(_BLOCK_LINE.match, lines)) and any("Authentication Details" in x for x in lines))


def _open(context: Context) -> Parse:
    device = Device(context)

    def parse(chunk: Chunk) -> Parsed:
        nas = device.of(chunk.lines)
        table, torn_rows = _table(chunk.lines, nas, context)
        blocks, torn_blocks = _blocks(chunk.lines, nas, context)
        details, torn_details = _details(chunk.lines, nas, context)
        held = len(table[0].line) if table else 0
        return Parsed(
            [*table, *blocks, *details],
            refused(
                {
                    "The row of the table is cut off or of an unknown shape.": torn_rows,
                    "A client's print is cut off.": np.append(torn_blocks, torn_details),
                }
            ),
            0 if blocks or details else len(chunk.lines) - held - len(torn_rows) - len(torn_blocks),
        )

    return parse


def _table(lines: pa.StringArray, nas: pa.Array, context: Context) -> tuple[list[Rows], np.ndarray]:
    """Cisco's rows, and those that cannot be read."""
    index, got = extract(lines, _ROW)
    columns = {
        "message": got["status"],
        "client_mac": mac_column(got["mac"]),
        "nas": nas.take(pa.array(index)),
        "nas_port": got["port"],
        "session": got["session"],
    }
    begun = np.flatnonzero(mask(pc.match_substring_regex(lines, _BEGUN_ROW)))
    never = pa.nulls(len(index), pa.int64())
    return printed("radius", columns, index, never, context), np.setdiff1d(begun, index)


def _blocks(lines: pa.StringArray, nas: pa.Array, context: Context) -> tuple[list[Rows], np.ndarray]:
    """AOS-CX's clients, and those that cannot be read."""
    at, client = extract(lines, _BLOCK)
    begins = np.zeros(len(lines), bool)
    begins[at] = True
    clients = Stanzas.beginning(begins)
    line, got = extract(lines, _PAIR)

    def said(key: str) -> pa.Array:
        here = pc.is_valid(got[key])
        if key == "status":
            here = pc.and_(here, pc.invert(pc.match_substring_regex(got["value"], _APPLIED)))
        return clients.column(line[mask(here)], got["value"].filter(here))

    columns = {
        "message": said("status"),
        "client_mac": mac_column(client["mac"]),
        "client_ip": pc.coalesce(ip_column(said("v4")), ip_column(said("v6"))),
        "account": client["user"],
        "nas": nas.take(pa.array(at)),
        "nas_port": said("port"),
        "vlan": whole(said("vlan"), 4094, pa.uint16()),
    }
    lasted = whole(pc.replace_substring_regex(said("time"), r"s$", ""), 10**9, pa.int64())
    good = mask(pc.is_valid(columns["message"]))
    columns = {n: c.filter(pa.array(good)) for n, c in columns.items()}
    rows = printed("radius", columns, at[good], lasted.filter(pa.array(good)), context)
    return rows, at[~good]


def _details(lines: pa.StringArray, nas: pa.Array, context: Context) -> tuple[list[Rows], np.ndarray]:
    """Cisco's sessions in full, and those that cannot be read."""
    at, begun = extract(lines, _DETAIL)
    begins = np.zeros(len(lines), bool)
    begins[at] = True
    sessions = Stanzas.beginning(begins)
    line, got = extract(lines, _DETAIL_PAIR)

    def said(key: str) -> pa.Array:
        here = pc.is_valid(got[key])
        return sessions.column(line[mask(here)], got["value"].filter(here))

    columns = {
        "message": said("status"),
        "client_mac": mac_column(said("mac")),
        "client_ip": pc.coalesce(ip_column(said("v4")), ip_column(said("v6"))),
        "account": said("user"),
        "nas": nas.take(pa.array(at)),
        "nas_port": begun["port"],
        "vlan": whole(said("vlan"), 4094, pa.uint16()),
        "session": said("session"),
    }
    good = mask(pc.and_(pc.is_valid(columns["message"]), pc.is_valid(columns["session"])))
    columns = {n: c.filter(pa.array(good)) for n, c in columns.items()}
    never = pa.nulls(int(good.sum()), pa.int64())
    return printed("radius", columns, at[good], never, context), at[~good]


_TABLE = (
    "sw-3f#show access-session\n\n"
    "Interface    MAC Address    Method  Domain  Status Fg Session ID\n"
    "Gi1/0/10     c89a.12cd.3b74 dot1x   DATA    Auth      0A0A1DFE00000FB3000101FF\n"
    "Gi1/0/26     005a.12cd.3567 N/A     UNKNOWN Unauth    0A0A1DFE00001F8D160101FF\n"
    "Fa3/0/40   (unknown)       mab      UNKNOWN  Running        0A5C58FE00000018000101FF\n"
    "Fa3/0/13   002a.12cd.3d08  mab      DATA     Authz Success  0A0A7F9B0000A92A2C0101FF\n\n"
    "Session count = 41\n"
)
_BLOCKS = """\
Port Access Client Status Details

Client 90:4c:81:cf:10:30, ap-0148-0125
============================
  Session Details
  ---------------
    Port         : 2/1/15
    Session Time : 5340956s
    IPv4 Address :
    IPv6 Address :

  Authentication Details
  ----------------------
    Status          : mac-auth Authenticated
    Auth Precedence : mac-auth - Authenticated, dot1x - Not attempted

  Authorization Details
  ----------------------
    Role   : dur_cx_ap-3116-4
    Status : Applied
"""

_DETAILS = """\
            Interface:  TenGigabitEthernet2/0/39
               IIF-ID:  0x16191B90
          MAC Address:  0060.aaaa.bbbb
         IPv6 Address:  Unknown
         IPv4 Address:  10.11.11.117
            User-Name:  00-60-AA-AA-BB-BB
          Device-type:  IP-Phone
               Status:  Authorized
               Domain:  VOICE
    Common Session ID:  123414AC000066635A83835D
      Acct Session ID:  0x00002dfd

Server Policies:
           Vlan Group:  Vlan: 1133

Method status list:
       Method           State
        dot1x           Authc Success
          mab           Stopped
"""

FORMAT = LogFormat(
    title="Sessions on a switch's ports: Cisco show access-session, Aruba AOS-CX clients",
    kinds=("radius",),
    reference="https://www.cisco.com/c/en/us/td/docs/ios-xml/ios/sec_usr_8021x/configuration/",
    sniff=_sniff,
    open=_open,
    starts=_starts,
    numbered=False,
    samples=(
        Sample(
            _TABLE,
            (
                {
                    "kind": "radius",
                    "ts": None,
                    "message": "Auth",
                    "client_mac": "c8:9a:12:cd:3b:74",
                    "nas": "sw-3f",
                    "nas_port": "Gi1/0/10",
                    "session": "0A0A1DFE00000FB3000101FF",
                },
                {"kind": "radius", "message": "Unauth"},
                {"kind": "radius", "message": "Running", "client_mac": None},
                {"kind": "radius", "message": "Authz Success", "nas_port": "Fa3/0/13"},
            ),
            note="two ages of the table",
        ),
        Sample(
            _BLOCKS,
            (
                {
                    "kind": "radius",
                    "message": "mac-auth Authenticated",
                    "client_mac": "90:4c:81:cf:10:30",
                    "account": "ap-0148-0125",
                    "client_ip": None,
                    "nas_port": "2/1/15",
                },
            ),
            note="AOS-CX",
        ),
        Sample(
            _DETAILS,
            (
                {
                    "kind": "radius",
                    "ts": None,
                    "message": "Authorized",
                    "client_mac": "00:60:aa:aa:bb:bb",
                    "client_ip": "10.11.11.117",
                    "account": "00-60-AA-AA-BB-BB",
                    "nas_port": "TenGigabitEthernet2/0/39",
                    "vlan": 1133,
                    "session": "123414AC000066635A83835D",
                },
            ),
            note="show authentication sessions details",
        ),
        Sample(_DETAILS[:220], note="a session whose print is cut off"),
        Sample("Gi1/0/10     c89a.12cd.3b74 dot1x   DATA    Au", note="cut off"),
    ),
)
