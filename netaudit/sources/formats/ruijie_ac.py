"""Ruijie wireless controllers (RGOS): stations that attach to, move between and leave access points.

The asterisk before the device's own time is its way of writing and says nothing of the clock. Access
points have names with blanks and brackets; ``(*2)`` says that a message stands for two of its kind.
"""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.carrier import BSD, ISO
from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Rows, Sample, extract, said
from netaudit.intake.times import Context
from netaudit.records.addresses import mac_column
from netaudit.sources.formats import _device_stamps as device_stamps
from netaudit.sources.formats._outcome import refused
from netaudit.sources.formats._patterns import CUT_OFF, MAC, first_match
from netaudit.sources.formats._values import among_others, mask

_LINE = (
    r"^(?P<head>.*?)%(?P<what>(?:APMG-\d-STA_(?:ADD|DEL|CHANGE))|(?:ROAMING-\d-ROAM_EVENT)): "
    r"(?:\(\*\d+\) )?(?P<text>.*)$"
)
_CLIENT = rf"^Client\((?P<mac>{MAC})\) "
_TEXTS = (
    rf"{_CLIENT}notify: attach to AP ?\((?P<ap>.*)\)",
    rf"{_CLIENT}notify: leave AP ?\((?P<ap>.*)\)",
    rf"{_CLIENT}move from AP\(.*\) radio \d+ to AP\((?P<ap>.*)\) radio \d+",
    rf"{_CLIENT}notify \([^)]*Roaming\): ?Roaming from AP ?\(.*\) to AP ?\((?P<ap>.*)\)",
)
_WORDS = ("join", "leave", "roam", "roam")
_OWN = re.compile(r"%(?:APMG-\d-STA_(?:ADD|DEL|CHANGE)|ROAMING-\d-ROAM_EVENT): ")
_HOST = rf"^\s*(?:<\d+>)?(?:1 )?(?:{ISO}|{BSD}) (?P<host>[A-Za-z0-9][^\s:*]*):? "


def _open(context: Context) -> Parse:
    def parse(chunk: Chunk) -> Parsed:
        line, got = extract(chunk.lines, _LINE)
        index, found = first_match(got["text"], _TEXTS).matched()
        head = got["head"].take(pa.array(index))
        columns = {
            "ts": device_stamps.read(head, context).moment,
            "message": found.words(_WORDS),
            "client_mac": mac_column(found["mac"]),
            "ap_name": found["ap"],
            "nas": said(head, _HOST),
        }
        begun = mask(pc.match_substring_regex(chunk.lines, _OWN.pattern))
        torn = np.setdiff1d(np.flatnonzero(begun), line[index])
        return Parsed(
            [Rows("wlan", columns, line[index])] if len(index) else [],
            refused({CUT_OFF: torn}),
            len(chunk.lines) - len(index) - len(torn),
        )

    return parse


FORMAT = LogFormat(
    title="Ruijie wireless controller (stations) (unverified)",
    kinds=("wlan",),
    reference="https://www.ruijienetworks.com/support/documents",
    sniff=lambda lines: among_others(lines, _OWN.search),
    open=_open,
    samples=(
        Sample(
            "Jun  9 00:01:33 172.16.0.30  14924685: *Jun  8 2026 23:59:59: %APMG-6-STA_DEL: Client(149d.094f.2997) "
            "notify: leave AP (X4#SS-422-AM5528-08).#015\n"
            "May  3 03:39:52 172.16.0.10  22311546: *May  3 2026 03:40:02: N18K-Slot1/8&2/8-VAC %APMG-6-STA_CHANGE: "
            "(*2) Client(48e2.4427.efda) move from AP(4号 AP5280) radio 7 to AP(教六楼北 AP630) radio 5.",
            (
                {
                    "kind": "wlan",
                    "ts": "2026-06-08T15:59:59.000000000Z",
                    "message": "leave",
                    "client_mac": "14:9d:09:4f:29:97",
                    "ap_name": "X4#SS-422-AM5528-08",
                    "nas": "172.16.0.30",
                },
                {"kind": "wlan", "message": "roam", "ap_name": "教六楼北 AP630"},
            ),
            timezone="Asia/Shanghai",
        ),
        Sample(
            "*Jun  8 2026 23:58:59: %APMG-6-STA_ADD: Client(149d.094f.2997) notify: attach to AP (X4).",
            ({"kind": "wlan", "message": "join", "ap_name": "X4", "nas": None},),
        ),
        Sample(
            "*Jun  8 2026 23:58:59: %APMG-6-STA_ADD: Client(149d.094f.2997) notify: att", note="cut off"
        ),
    ),
)
