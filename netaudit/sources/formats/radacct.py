"""The ``radacct`` table of FreeRADIUS as CSV: one row per session, read by column names.

Times are epochs (SQLite) or local without a zone (MySQL, PostgreSQL). A session gives a row when it
began and one when it stopped; an open one gives its last update, because a missing stop may be a
lost one. User names are escaped as ``=XX``, after their backslashes were doubled.
"""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Rows, Sample
from netaudit.intake.times import Context, from_epoch, from_iso
from netaudit.records.addresses import ip_column, mac_column
from netaudit.sources.formats._delimited import Cells, header_cells
from netaudit.sources.formats._outcome import refused
from netaudit.sources.formats._stations import called_station
from netaudit.sources.formats._values import mask, words

_NEEDED = frozenset({"acctsessionid", "username", "nasipaddress", "acctstarttime", "callingstationid"})
_ESCAPE = re.compile(rb"=([0-9A-F]{2})")


def _is_header(line: str) -> bool:
    return "acctsessionid" in line.lower() and set(header_cells(line)[1]) >= _NEEDED


def _open(context: Context) -> Parse:
    separator, names = ",", list[str]()

    def parse(chunk: Chunk) -> Parsed:
        nonlocal separator, names
        heading = _headings(chunk.lines)
        if heading.size and not names:
            separator, names = header_cells(chunk.lines[int(heading[0])].as_py())
        blank = mask(pc.equal(pc.utf8_trim_whitespace(chunk.lines), ""))
        blank[heading] = True
        index = np.flatnonzero(~blank)
        if not names:
            return Parsed(
                rejected=refused({"A session stands before the header that names its columns.": index}),
                other=int(blank.sum()),
            )
        cells = Cells.of(chunk.lines.take(pa.array(index)), separator)
        fits = cells.counts == len(names)
        named = {name: cells.column(i) for i, name in enumerate(names)}
        columns, moments = _columns(named), _moments(named, context)
        good = fits & mask(pc.is_valid(moments["session"])) & mask(pc.is_valid(columns["session"]))
        rows = [_rows(columns, message, ts, good, index) for message, ts in moments.items()]
        return Parsed(
            [r for r in rows if len(r.line)],
            refused(
                {
                    "The line is no session: its cells do not fit the header, or it has no id or start.": index[
                        ~good
                    ]
                }
            ),
            int(blank.sum()),
        )

    return parse


def _headings(lines: pa.StringArray) -> np.ndarray:
    maybe = np.flatnonzero(pc.match_substring(lines, "acctsessionid", ignore_case=True))
    return np.array([i for i in maybe if _is_header(lines[int(i)].as_py())], np.int64)


def _columns(named: dict[str, pa.Array]) -> dict[str, pa.Array]:
    none = pa.nulls(len(named["acctsessionid"]), pa.string())
    called = called_station(named.get("calledstationid", none), named.get("nasporttype", none))
    address = ip_column(named.get("framedipaddress", none))
    return {
        **called,
        "account": words(named["username"], _user),
        "client_mac": mac_column(named["callingstationid"]),
        "client_ip": pc.coalesce(address, ip_column(named.get("framedipv6address", none))),
        "nas": named["nasipaddress"],
        "nas_port": named.get("nasportid", none),
        "session": named["acctsessionid"],
    }


def _moments(named: dict[str, pa.Array], context: Context) -> dict[str, pa.Array]:
    none = pa.nulls(len(named["acctsessionid"]), pa.string())
    start = _time(named["acctstarttime"], context)
    stop = _time(named.get("acctstoptime", none), context)
    update = _time(named.get("acctupdatetime", none), context)
    later = pc.and_(pc.is_null(stop), pc.greater(update, start))
    return {"session": start, "interim-update": pc.if_else(later, update, None), "stop": stop}


def _time(text: pa.Array, context: Context) -> pa.Array:
    epoch = pc.fill_null(pc.match_substring_regex(text, r"^\d{9,11}$"), False)
    local = from_iso(pc.if_else(epoch, None, text), context)
    return pc.coalesce(from_epoch(pc.if_else(epoch, text, None)), local)


def _rows(
    columns: dict[str, pa.Array], message: str, ts: pa.Array, good: np.ndarray, index: np.ndarray
) -> Rows:
    keep = good & mask(pc.is_valid(ts))
    kept = {name: column.filter(pa.array(keep)) for name, column in (columns | {"ts": ts}).items()}
    return Rows("radius", kept | {"message": message}, index[keep])


def _user(text: str) -> str | None:
    if text == r"\N":
        return None
    try:
        plain = _ESCAPE.sub(lambda found: bytes([int(found[1], 16)]), text.encode()).decode()
    except UnicodeDecodeError:
        return text
    return plain.replace("\\\\", "\\")


_HEAD: str = (
    "radacctid,acctsessionid,acctuniqueid,username,nasipaddress,nasportid,nasporttype,acctstarttime,acctupdatetime,"
    "acctstoptime,calledstationid,callingstationid,framedipaddress,framedipv6address\n"
)
_OPEN = (
    "2,0000001B,2333,null,10.9.0.3,GigabitEthernet1/0/14,Ethernet,2026-11-23 00:19:18,2026-11-23 00:29:18,,"
    "00-1A-1E-00-00-01,52:54:00:aa:00:05,10.1.0.55,"
)

FORMAT = LogFormat(
    title="FreeRADIUS radacct table (CSV)",
    kinds=("radius",),
    reference="https://wiki.freeradius.org/guide/SQL-HOWTO",
    sniff=lambda lines: float(any(_is_header(line) for line in lines[:20])),
    open=_open,
    samples=(
        Sample(
            _HEAD
            + "1,5F3A0002,0426,OFFICE=5C=5Clisi,10.9.0.2,ap-3f-012,Wireless-802.11,1795364357,1795364357,1795364361,"
            '"00:1a:1e:aa:bb:d0:GOV,GUEST",5254.00aa.0002,10.1.0.110,',
            (
                {
                    "kind": "radius",
                    "ts": "2026-11-22T16:19:17.000000000Z",
                    "message": "session",
                    "account": r"OFFICE\lisi",
                    "client_ip": "10.1.0.110",
                    "client_mac": "52:54:00:aa:00:02",
                    "bssid": "00:1a:1e:aa:bb:d0",
                    "ssid": "GOV,GUEST",
                    "nas": "10.9.0.2",
                    "nas_port": "ap-3f-012",
                    "session": "5F3A0002",
                },
                {
                    "kind": "radius",
                    "ts": "2026-11-22T16:19:21.000000000Z",
                    "message": "stop",
                    "session": "5F3A0002",
                },
            ),
        ),
        Sample(
            _HEAD + _OPEN,
            (
                {
                    "kind": "radius",
                    "ts": "2026-11-22T16:19:18.000000000Z",
                    "message": "session",
                    "account": "null",
                    "bssid": None,
                    "nas_port": "GigabitEthernet1/0/14",
                },
                {"kind": "radius", "ts": "2026-11-22T16:29:18.000000000Z", "message": "interim-update"},
            ),
            timezone="Asia/Shanghai",
            note="local times; no stop: the last update is all that is known",
        ),
        Sample(_HEAD + _OPEN[:60], note="cut off"),
    ),
)
