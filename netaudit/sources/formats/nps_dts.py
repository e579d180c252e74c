"""Windows NPS in its own XML form (DTS compliant): one ``<Event>`` a line, without a root.

Times are the server's local ones. The elements are flat, so that each is read by its name; entities
other than XML's own five and numbers are left as they stand.
"""

from __future__ import annotations

import html
import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Sample, said, share
from netaudit.intake.times import Context, from_iso
from netaudit.sources.formats import _nps as nps
from netaudit.sources.formats._values import mask, words

CUT = "The event is cut off."

_ELEMENTS = {
    "User-Name": "User-Name",
    "Qualified-Name": "Fully-Qualifed-User-Name",  # so spelt by NPS
    "Calling-Station-Id": "Calling-Station-Id",
    "Called-Station-Id": "Called-Station-Id",
    "NAS-IP-Address": "NAS-IP-Address",
    "NAS-IPv6-Address": "NAS-IPv6-Address",
    "NAS-Identifier": "NAS-Identifier",
    "NAS-Port": "NAS-Port",
    "NAS-Port-Id": "NAS-Port-Id",
    "NAS-Port-Type": "NAS-Port-Type",
    "Framed-IP-Address": "Framed-IP-Address",
    "Framed-IPv6-Address": "Framed-IPv6-Address",
    "Tunnel-Private-Group-Id": "Tunnel-Pvt-Group-ID",
    "Acct-Session-Id": "Acct-Session-Id",
    "Acct-Status-Type": "Acct-Status-Type",
    "Acct-Delay-Time": "Acct-Delay-Time",
    "Class": "Class",
    "Packet-Type": "Packet-Type",
}
_OWN = re.compile(r"\s*<Event><Timestamp data_type=")
_BEGUN = r"^\s*<Event>"
_ENTITY = re.compile(r"&(?:amp|lt|gt|quot|apos|#\d{1,7}|#x[0-9a-fA-F]{1,6});")


def _open(context: Context) -> Parse:
    waiting = nps.Requests()

    def parse(chunk: Chunk) -> Parsed:
        begun = np.flatnonzero(mask(pc.match_substring_regex(chunk.lines, _BEGUN)))
        lines = chunk.lines.take(pa.array(begun))
        whole = mask(pc.match_substring_regex(lines, r"</Event>\s*$"))
        index = begun[whole]
        lines = lines.filter(pa.array(whole))
        attributes = {name: _text(lines, element) for name, element in _ELEMENTS.items()}
        audit = said(lines, r">audit-session-id=(?P<it>[^<]*)<")
        attributes["Acct-Session-Id"] = pc.coalesce(audit, attributes["Acct-Session-Id"])
        stamp = pc.replace_substring_regex(_text(lines, "Timestamp"), nps.AMERICAN, r"\3-\1-\2")
        columns = nps.records(attributes, from_iso(stamp, context), waiting)
        cut = {CUT: begun[~whole]}
        return nps.outcome(len(chunk.lines), columns, index, np.ones(len(index), bool), cut)

    return parse


def _text(lines: pa.Array, element: str) -> pa.Array:
    return words(said(lines, rf'<{element} data_type="\d+">(?P<it>[^<]*)</'), _plain)


def _plain(text: str) -> str:
    return _ENTITY.sub(lambda found: html.unescape(found[0]), text) if "&" in text else text


_REQUEST = (
    '<Event><Timestamp data_type="4">05/19/2014 15:21:44.008</Timestamp><Event-Source data_type="1">IAS'
    '</Event-Source><User-Name data_type="1">pc-7.example.org</User-Name><Calling-Station-Id data_type="1">'
    '52-54-00-aa-00-01</Calling-Station-Id><Called-Station-Id data_type="1">00-3a-98-9c-aa-70:R&amp;D'
    '</Called-Station-Id><NAS-Port data_type="0">1</NAS-Port><NAS-IP-Address data_type="3">10.255.100.1'
    '</NAS-IP-Address><NAS-Port-Type data_type="0">19</NAS-Port-Type><Tunnel-Pvt-Group-ID data_type="1">110'
    '</Tunnel-Pvt-Group-ID><Cisco-AV-Pair data_type="1">audit-session-id=0aff64010001f864537a1279'
    '</Cisco-AV-Pair><Class data_type="1">311 1 10.1.2.42 05/16/2014 02:17:48 1307</Class><Packet-Type '
    'data_type="0">1</Packet-Type><Reason-Code data_type="0">0</Reason-Code></Event>'
)
_ACCEPT = (
    '<Event><Timestamp data_type="4">05/19/2014 15:21:44.020</Timestamp><Event-Source data_type="1">IAS'
    '</Event-Source><Class data_type="1">311 1 10.1.2.42 05/16/2014 02:17:48 1307</Class>'
    '<Fully-Qualifed-User-Name data_type="1">OFFICE\\pc-7</Fully-Qualifed-User-Name><Packet-Type data_type="0">2'
    '</Packet-Type><Reason-Code data_type="0">0</Reason-Code></Event>'
)
_STOP = (
    '<Event><Timestamp data_type="4">05/19/2014 15:31:44.000</Timestamp><User-Name data_type="1">lisi</User-Name>'
    '<Framed-IP-Address data_type="3">10.1.0.7</Framed-IP-Address><Acct-Status-Type data_type="0">2'
    '</Acct-Status-Type><Acct-Session-Id data_type="1">5F3A</Acct-Session-Id><Acct-Delay-Time data_type="0">4'
    '</Acct-Delay-Time><Packet-Type data_type="0">4</Packet-Type></Event>'
)

FORMAT = LogFormat(
    title="Windows NPS (DTS compliant, XML)",
    kinds=("radius",),
    reference="https://learn.microsoft.com/windows-server/networking/technologies/nps/nps-accounting-configure",
    sniff=lambda lines: share(lines, _OWN.match),
    open=_open,
    samples=(
        Sample(
            f"{_REQUEST}\n{_ACCEPT}",
            (
                {
                    "kind": "radius",
                    "ts": "2014-05-19T07:21:44.008000000Z",
                    "message": "Access-Request",
                    "account": "pc-7.example.org",
                    "client_mac": "52:54:00:aa:00:01",
                    "bssid": "00:3a:98:9c:aa:70",
                    "ssid": "R&D",
                    "nas": "10.255.100.1",
                    "vlan": 110,
                    "session": "0aff64010001f864537a1279",
                },
                {
                    "kind": "radius",
                    "message": "Access-Accept",
                    "account": "OFFICE\\pc-7",
                    "client_mac": "52:54:00:aa:00:01",
                    "nas": "10.255.100.1",
                    "session": "0aff64010001f864537a1279",
                },
            ),
            timezone="Asia/Shanghai",
            note="the answer's station is that of its request, told by Class",
        ),
        Sample(
            _STOP,
            (
                {
                    "kind": "radius",
                    "ts": "2014-05-19T15:31:40.000000000Z",
                    "message": "Stop",
                    "client_ip": "10.1.0.7",
                    "session": "5F3A",
                },
            ),
            note="four seconds late",
        ),
        Sample(
            _ACCEPT, ({"kind": "radius", "message": "Access-Accept", "client_mac": None},), note="alone"
        ),
        Sample(_REQUEST[:300], note="cut off"),
        Sample(
            '<Event><Timestamp data_type="4">07/08/2026 09:15:00.100</Timestamp><User-Name data_type="1">OFFICE\\lisi'
            '</User-Name><Calling-Station-Id data_type="1">52-54-00-AA-00-01</Calling-Station-Id><Acct-Status-Type '
            'data_type="0">1</Acct-Status-Type><Acct-Session-Id data_type="1">5F3A</Acct-Session-Id></Event>',
            ({"kind": "radius", "message": "Start", "account": "OFFICE\\lisi", "session": "5F3A"},),
            note="accounting that does not name its packet",
        ),
    ),
)
