"""``show client detail`` of Cisco controllers (AireOS, and ``show wireless client … detail`` of 9800).

All that the controller knows of a station at one moment. Where the moment is declared (`taken_at`),
``Connected For`` tells when its association began, and a second record says that it was still there.
"""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Sample, extract
from netaudit.intake.times import Context
from netaudit.records.addresses import ip_column, mac_column
from netaudit.sources.formats._access_rows import printed
from netaudit.sources.formats._outcome import refused
from netaudit.sources.formats._prompted import Device
from netaudit.sources.formats._stanzas import Stanzas
from netaudit.sources.formats._values import given, mask, whole

_KEYS = (
    r"Client MAC Address|Client Username|AP Name|Client State|Wireless LAN Network Name \(SSID\)|BSSID"
    r"|Connected For|Channel|IP Address|Client IPv4 Address|Audit Session ID|Policy Type|VLAN"
)
_PAIR = rf"^\s*(?P<key>{_KEYS})\s*(?:\.{{3,}}|:) *(?P<value>\S(?:.*\S)?)\s*$"
_FIRST = r"^\s*Client MAC Address\s*(?:\.{3,}|:)"
_FIRST_LINE = re.compile(_FIRST)
_SECOND_LINE = re.compile(r"\s*(?:AP Name|AP MAC Address|Client State)\s*(?:\.{3,}|:)")
_NOTHING = ("N/A", "Unknown", "Unavailable", "None", "none")
_SECURITY = ("WEP", "WPA", "WPA2", "WPA3", "OWE")


def _starts(lines: pa.StringArray) -> np.ndarray:
    return mask(pc.match_substring_regex(lines, _FIRST))


def _open(context: Context) -> Parse:
    device = Device(context)

    def parse(chunk: Chunk) -> Parsed:
        stations = Stanzas.beginning(_starts(chunk.lines))
        line, got = extract(chunk.lines, _PAIR)
        value = given(got["value"], _NOTHING)

        def said(key: str) -> pa.Array:
            here = mask(pc.equal(got["key"], key))
            return stations.column(line[here], value.filter(pa.array(here)))

        policy = said("Policy Type")
        columns = {
            "message": said("Client State"),
            "client_mac": mac_column(said("Client MAC Address")),
            "client_ip": pc.coalesce(ip_column(said("IP Address")), ip_column(said("Client IPv4 Address"))),
            "account": said("Client Username"),
            "ap_name": said("AP Name"),
            "bssid": mac_column(said("BSSID")),
            "ssid": said("Wireless LAN Network Name (SSID)"),
            "channel": whole(said("Channel"), 65_535, pa.uint16()),
            "vlan": whole(said("VLAN"), 4094, pa.uint16()),
            "session": said("Audit Session ID"),
            "nas": device.of(chunk.lines).take(pa.array(stations.first)),
            "security": pc.if_else(pc.is_in(policy, value_set=pa.array(_SECURITY)), policy, None),
        }
        known = pc.or_(pc.is_valid(columns["client_mac"]), pc.is_valid(columns["client_ip"]))
        good = mask(pc.and_(known, pc.is_valid(columns["message"])))
        connected = pc.struct_field(
            pc.extract_regex(said("Connected For"), r"^(?P<it>\d{1,9}) sec"), "it"
        ).filter(pa.array(good))
        return Parsed(
            printed(
                "wlan",
                {n: c.filter(pa.array(good)) for n, c in columns.items()},
                stations.first[good],
                whole(connected, 10**9, pa.int64()),
                context,
            ),
            refused({"A station's print is cut off.": stations.first[~good]}),
            len(stations.orphans(chunk.lines)),
        )

    return parse


_PRINT = """\
Client MAC Address...............................04:67:f8:63:2a:cf
Client Username ................................. N/A
AP MAC Address................................... 10:e0:1d:f0:86:91
AP Name.......................................... APf-16
Client State..................................... Associated
Wireless LAN Network Name (SSID)................. SINGLE
BSSID............................................ 80:e0:1d:f0:88:9a
Connected For ................................... 15688 secs
Channel.......................................... 157
IP Address....................................... 10.10.10.110
Gateway Address.................................. Unknown
Audit Session ID................................. 05964b0a0014fc2acc4c7e5c
Policy Type...................................... WPA2
VLAN............................................. 218
      DNS server IP ............................. 0.0.0.0
"""

FORMAT = LogFormat(
    title="Cisco controller: show client detail",
    kinds=("wlan",),
    reference="https://www.cisco.com/c/en/us/support/docs/wireless-mobility/",
    sniff=lambda lines: 0.9 * (any(map(_FIRST_LINE.match, lines)) and any(map(_SECOND_LINE.match, lines))),
    open=_open,
    starts=_starts,
    numbered=False,
    samples=(
        Sample(
            _PRINT,
            (
                {
                    "kind": "wlan",
                    "ts": None,
                    "message": "Associated",
                    "client_mac": "04:67:f8:63:2a:cf",
                    "client_ip": "10.10.10.110",
                    "account": None,
                    "ap_name": "APf-16",
                    "bssid": "80:e0:1d:f0:88:9a",
                    "ssid": "SINGLE",
                    "channel": 157,
                    "vlan": 218,
                    "security": "WPA2",
                },
            ),
            note="without a declared time of the print",
        ),
        Sample(_PRINT[:200], note="cut off"),
    ),
)
