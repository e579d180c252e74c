"""Windows NPS and IAS in the old IAS form: six cells, then pairs of attribute number and value.

Numbers below 4096 are those of RADIUS, those above are the server's own.
"""

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
from netaudit.sources.formats._owned import first_of
from netaudit.sources.formats._values import mask

CUT = "The line is cut off, or its attributes are no pairs."

_ATTRIBUTES = {
    "1": "User-Name",
    "4": "NAS-IP-Address",
    "5": "NAS-Port",
    "8": "Framed-IP-Address",
    "25": "Class",
    "30": "Called-Station-Id",
    "31": "Calling-Station-Id",
    "32": "NAS-Identifier",
    "40": "Acct-Status-Type",
    "41": "Acct-Delay-Time",
    "44": "Acct-Session-Id",
    "61": "NAS-Port-Type",
    "81": "Tunnel-Private-Group-Id",
    "87": "NAS-Port-Id",
    "95": "NAS-IPv6-Address",
    "168": "Framed-IPv6-Address",
    "4130": "Qualified-Name",
    "4136": "Packet-Type",
}
_HEAD = 6  # NAS-IP-Address, User-Name, Record-Date, Record-Time, Service-Name, Computer-Name
_LINE = r'^"?[0-9a-fA-F:.]*"?,[^,]*(?:,[^,]*)*?,"?\d{2}/\d{2}/\d{4}"?,"?\d{2}:\d{2}:\d{2}"?,"?[A-Za-z]+"?,[^,]*,\d{1,5},'
_OWN = re.compile(
    r'"?[0-9a-fA-F:.]+"?,[^,]{0,300},"?\d{2}/\d{2}/\d{4}"?,"?\d{2}:\d{2}:\d{2}"?,"?[A-Za-z]+"?,[^,]{0,64},\d{1,5},'
)


def _open(context: Context) -> Parse:
    waiting = nps.Requests()

    def parse(chunk: Chunk) -> Parsed:
        index = np.flatnonzero(mask(pc.not_equal(pc.utf8_trim_whitespace(chunk.lines), "")))
        lines = chunk.lines.take(pa.array(index))
        cells = Cells.of(lines, ",")
        shaped = mask(pc.match_substring_regex(lines, _LINE)) & (cells.counts % 2 == 0)
        said = _pairs(cells)
        for position, name in enumerate(("NAS-IP-Address", "User-Name")):
            said[name] = pc.coalesce(said[name], cells.column(position))
        columns = nps.records(said, nps.cell_stamps(cells, shaped, context), waiting)
        cut = {CUT: index[~shaped]}
        return nps.outcome(len(chunk.lines), columns, index, shaped, cut)

    return parse


def _pairs(cells: Cells) -> dict[str, pa.Array]:
    """Each known attribute's first value, one per line."""
    count = len(cells.counts)
    owner = np.repeat(np.arange(count), cells.counts)
    place = np.arange(len(owner)) - cells.offsets[owner]
    at = np.flatnonzero((place >= _HEAD) & (place % 2 == 0) & (place + 1 < cells.counts[owner]))
    number = cells.flat.take(pa.array(at))
    said = {}
    for wanted, name in _ATTRIBUTES.items():
        here = at[mask(pc.equal(number, wanted))]
        value = pc.utf8_trim_whitespace(cells.flat.take(pa.array(here + 1)))
        said[name] = first_of(count, owner[here], pc.if_else(pc.equal(value, ""), None, value))
    return said


_LINES = (
    "10.10.10.10,lisi,06/04/2026,14:42:19,IAS,NPS1,31,52-54-00-AA-00-01,30,00-1A-1E-AA-BB-C0:GOV-STAFF,25,"
    "311 1 10.1.2.42 05/16/2026 02:17:48 7,4136,1,4142,0\n"
    "10.10.10.10,lisi,06/04/2026,14:42:19,IAS,NPS1,25,311 1 10.1.2.42 05/16/2026 02:17:48 7,4130,OFFICE\\lisi,4136,2,"
    "4142,0\n"
    "10.10.10.10,lisi,06/04/2026,14:42:20,IAS,NPS1,44,5F3A,40,1,8,10.1.0.7,4136,4,4142,0"
)

FORMAT = LogFormat(
    title="Windows NPS (IAS legacy)",
    kinds=("radius",),
    reference="https://learn.microsoft.com/windows-server/networking/technologies/nps/nps-accounting-configure",
    sniff=lambda lines: share(lines, _OWN.match),
    open=_open,
    samples=(
        Sample(
            _LINES,
            (
                {
                    "kind": "radius",
                    "ts": "2026-06-04T06:42:19.000000000Z",
                    "message": "Access-Request",
                    "account": "lisi",
                    "client_mac": "52:54:00:aa:00:01",
                    "ssid": "GOV-STAFF",
                    "nas": "10.10.10.10",
                },
                {"kind": "radius", "message": "Access-Accept", "client_mac": "52:54:00:aa:00:01"},
                {"kind": "radius", "message": "Start", "client_ip": "10.1.0.7", "session": "5F3A"},
            ),
            timezone="Asia/Shanghai",
        ),
        Sample("10.10.10.10,lisi,06/04/2026,14:42:19,IAS,NPS1,31,52-54-00-AA-00-01,30", note="cut off"),
    ),
)
