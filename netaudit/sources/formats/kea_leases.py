"""Kea's lease files (``kea-leases4.csv``, ``kea-leases6.csv``): a journal, one line per change.

Read by the header, because columns were added over time. There is no start: the last contact is
the end less the length. A lease that Kea has reclaimed (state 2) has lost its host name and keeps
its end. Commas inside a cell are written ``&#x2c``.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Rows, Sample
from netaudit.intake.times import Context
from netaudit.records.addresses import by_distinct, ip_column, mac_column
from netaudit.records.schemas import MAC, TIMESTAMP
from netaudit.sources.formats._delimited import Cells
from netaudit.sources.formats._outcome import refused
from netaudit.sources.formats._values import hex_duid_mac, mask, whole

_V4 = "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,"
_V6 = "address,duid,valid_lifetime,expire,subnet_id,pref_lifetime,"
_STATES = pa.array(["active", "declined", "expired-reclaimed", "released", "registered"])
"""Lease states 0 to 4 (Kea ``Lease::basicStatesToText``)."""
_FOREVER = 2**32 - 1
_LAST = 253_402_300_799
"""End of the year 9999, seconds; a later end is none."""


def _open(context: Context) -> Parse:
    del context  # epochs
    names: list[str] = []

    def parse(chunk: Chunk) -> Parsed:
        heading = mask(pc.match_substring_regex(chunk.lines, f"^(?:{_V4}|{_V6})"))
        parsed = Parsed(other=int(heading.sum()))
        bounds = [*np.flatnonzero(heading).tolist(), len(chunk.lines)]
        _read(chunk.lines.slice(0, bounds[0]), 0, names, parsed)
        for at, end in pairwise(bounds):
            names[:] = chunk.lines[at].as_py().lower().split(",")
            _read(chunk.lines.slice(at + 1, end - at - 1), at + 1, names, parsed)
        return parsed

    return parse


def _read(lines: pa.StringArray, first: int, names: list[str], parsed: Parsed) -> None:
    """Leases under one header; files of a rotation may have been joined, each with its own."""
    blank = mask(pc.equal(pc.utf8_trim_whitespace(lines), ""))
    parsed.other += int(blank.sum())
    cells = Cells.of(lines, ",")
    if not names:
        _reject(
            parsed,
            "A lease stands before the header that names its columns.",
            first + np.flatnonzero(~blank),
        )
        return

    def named(name: str) -> pa.Array:
        return cells.column(names.index(name)) if name in names else pa.nulls(len(lines), pa.string())

    length = whole(named("valid_lifetime"), _FOREVER, pa.int64())
    expire = whole(named("expire"), 2**62, pa.int64())
    state = whole(named("state"), len(_STATES) - 1, pa.int64())
    open_end = pc.or_(pc.equal(length, _FOREVER), pc.greater(expire, _LAST))
    begin = pc.subtract(expire, length)
    v6 = "duid" in names
    columns = {
        "ts": _seconds(
            pc.if_else(pc.and_(pc.greater_equal(begin, 0), pc.less_equal(begin, _LAST)), begin, None)
        ),
        "ts_end": _seconds(pc.if_else(open_end, None, expire)),
        "client_ip": ip_column(named("address")),
        "client_mac": pc.coalesce(
            mac_column(named("hwaddr")), by_distinct(named("duid"), hex_duid_mac, MAC)
        ),
        "hostname": _plain(pc.utf8_rtrim(named("hostname"), ".") if v6 else named("hostname")),
        "lease_s": length,
        "message": pc.if_else(pc.equal(length, 0), "deleted", _STATES.take(state)),
        "client_id": named("duid" if v6 else "client_id"),
    }
    needed = (columns["client_ip"], columns["message"], columns["lease_s"], expire)
    good = np.logical_and.reduce([mask(pc.is_valid(column)) for column in needed])
    good &= cells.counts <= len(names)
    parsed.rows.append(
        Rows(
            "dhcp", {n: c.filter(pa.array(good)) for n, c in columns.items()}, first + np.flatnonzero(good)
        )
    )
    _reject(
        parsed,
        "The line is no lease: an address, a length, an end and a state are needed.",
        first + np.flatnonzero(~good & ~blank),
    )


def _reject(parsed: Parsed, reason: str, index: np.ndarray) -> None:
    before = parsed.rejected.get(reason, np.zeros(0, np.int64))
    parsed.rejected |= refused({reason: np.concatenate((before, index))})


def _seconds(seconds: pa.Array) -> pa.Array:
    return pc.multiply(seconds, 10**9).cast(TIMESTAMP)


def _plain(text: pa.Array) -> pa.Array:
    plain = pc.replace_substring(text, "&#x2c", ",")
    return pc.if_else(pc.equal(plain, ""), None, plain)


_HEAD4 = _V4 + "fqdn_fwd,fqdn_rev,hostname,state,user_context,pool_id\n"
_HEAD6 = (
    _V6
    + "lease_type,iaid,prefix_len,fqdn_fwd,fqdn_rev,hostname,hwaddr,state,user_context,hwtype,hwaddr_source\n"
)

FORMAT = LogFormat(
    title="Kea lease file (memfile CSV, v4 and v6)",
    kinds=("dhcp",),
    reference="https://kea.readthedocs.io/en/latest/arm/dhcp4-srv.html#memfile-basic-storage-for-leases",
    sniff=lambda lines: float(any(line.lstrip("\ufeff").startswith((_V4, _V6)) for line in lines[:50])),
    open=_open,
    samples=(
        Sample(
            _HEAD4
            + "10.1.0.101,52:54:00:aa:00:02,01:52:54:00:aa:00:02,40,1795363694,7,0,0,pc-1.corp.test,0,,0",
            (
                {
                    "kind": "dhcp",
                    "ts": "2026-11-22T16:07:34.000000000Z",
                    "ts_end": "2026-11-22T16:08:14.000000000Z",
                    "client_ip": "10.1.0.101",
                    "client_mac": "52:54:00:aa:00:02",
                    "hostname": "pc-1.corp.test",
                    "message": "active",
                    "lease_s": 40,
                    "client_id": "01:52:54:00:aa:00:02",
                },
            ),
        ),
        Sample(
            _HEAD6
            + "fd00:70::101,00:03:00:01:52:54:00:cc:00:02,40,1795366843,9,30,0,13369346,128,0,0,pc-1.,,2,,1,2",
            (
                {
                    "kind": "dhcp",
                    "client_ip": "fd00:70::101",
                    "client_mac": "52:54:00:cc:00:02",
                    "hostname": "pc-1",
                    "message": "expired-reclaimed",
                },
            ),
            note="no hardware address: the MAC comes out of the DUID",
        ),
        Sample(
            _HEAD4 + "10.1.0.9,52:54:00:aa:00:09,,4294967295,6090331000,7,0,0,null,0,,0",
            ({"kind": "dhcp", "ts_end": None, "hostname": "null", "message": "active"},),
            note="a lease without end; a host that is called null",
        ),
        Sample(_HEAD4 + "10.1.0.101,52:54:00:aa:00:02,01:52:54:00:aa:00:02,4", note="cut off"),
        Sample(_HEAD4 + "10.1.0.401,52:54:00:aa:00:02,,40,1795363694,7,0,0,,0,,0", note="no address"),
    ),
)
