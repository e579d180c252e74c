"""Windows NPS in its database form: one line a packet, the same cells in every line, no header."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Sample, share
from netaudit.intake.times import Context
from netaudit.sources.formats import _nps as nps
from netaudit.sources.formats._delimited import Cells
from netaudit.sources.formats._values import mask

CUT = "The line is cut off, or its cells are not those of this file."

_PLACES = {
    "Packet-Type": 4,
    "User-Name": 5,
    "Qualified-Name": 6,
    "Called-Station-Id": 7,
    "Calling-Station-Id": 8,
    "Framed-IP-Address": 10,
    "NAS-Identifier": 11,
    "NAS-IP-Address": 12,
    "NAS-Port": 13,
    "NAS-Port-Type": 19,
    "Class": 26,
    "Acct-Status-Type": 31,
    "Acct-Delay-Time": 32,
    "Acct-Session-Id": 35,
    "Tunnel-Private-Group-Id": 49,
}
_LEAST = 27
_SHAPE = r'^"[^"]*","[A-Z]+",\d{2}/\d{2}/\d{4},\d{2}:\d{2}:\d{2},\d{1,2},'
_OWN = re.compile(_SHAPE)


def _open(context: Context) -> Parse:
    waiting = nps.Requests()

    def parse(chunk: Chunk) -> Parsed:
        index = np.flatnonzero(mask(pc.not_equal(pc.utf8_trim_whitespace(chunk.lines), "")))
        lines = chunk.lines.take(pa.array(index))
        cells = Cells.of(lines, ",")
        shaped = mask(pc.match_substring_regex(lines, _SHAPE)) & (cells.counts >= _LEAST)
        said = {name: cells.column(place) for name, place in _PLACES.items()}
        columns = nps.records(said, nps.cell_stamps(cells, shaped, context), waiting)
        cut = {CUT: index[~shaped]}
        return nps.outcome(len(chunk.lines), columns, index, shaped, cut)

    return parse


_REQUEST = (
    '"NPS1","IAS",03/07/2026,13:04:33,1,"lisi",,"00-1A-1E-AA-BB-C0:GOV-STAFF","52-54-00-AA-00-01",,,"wlc-3f",'
    '"10.9.0.2",3,9,"10.9.0.2","wlc-3f",,,19,,,,1,,0,"311 1 10.1.2.42 03/05/2026 20:58:32 12",,,,,,,,,,,'
)
_ACCEPT = (
    '"NPS1","IAS",03/07/2026,13:04:33,2,,"OFFICE\\lisi",,,,,,,,9,"10.9.0.2","wlc-3f",,,,,,,1,"Staff",0,'
    '"311 1 10.1.2.42 03/05/2026 20:58:32 12",,,,,,,,,,,'
)
_STOP = (
    '"NPS1","IAS",03/07/2026,13:14:33,4,"lisi",,,"52-54-00-AA-00-01",,"10.60.0.9",,"10.9.0.2",3,9,"10.9.0.2","wlc-3f"'
    ',,,19,,,,,,0,,,,,,2,0,100,200,"5F3A",,,,,,,,,,,,,,"120",'
)

FORMAT = LogFormat(
    title="Windows NPS (database compatible) (unverified)",
    kinds=("radius",),
    reference="https://learn.microsoft.com/windows-server/networking/technologies/nps/nps-accounting-configure",
    sniff=lambda lines: share(lines, _OWN.match),
    open=_open,
    samples=(
        Sample(
            f"{_REQUEST}\n{_ACCEPT}\n{_STOP}",
            (
                {
                    "kind": "radius",
                    "ts": "2026-03-07T05:04:33.000000000Z",
                    "message": "Access-Request",
                    "account": "lisi",
                    "client_mac": "52:54:00:aa:00:01",
                    "ssid": "GOV-STAFF",
                    "nas": "10.9.0.2",
                    "nas_port": "3",
                },
                {
                    "kind": "radius",
                    "message": "Access-Accept",
                    "account": "OFFICE\\lisi",
                    "client_mac": "52:54:00:aa:00:01",
                },
                {
                    "kind": "radius",
                    "ts": "2026-03-07T05:14:33.000000000Z",
                    "message": "Stop",
                    "client_ip": "10.60.0.9",
                    "session": "5F3A",
                    "vlan": 120,
                },
            ),
            timezone="Asia/Shanghai",
        ),
        Sample(_REQUEST[:90], note="cut off"),
    ),
)
