"""NetBox: a database dump (``manage.py dumpdata``), or pages of its REST interface.

A dump is read as a whole, because its objects name each other in any order: at most 16 MiB. Its
tables as CSV are read as any other inventory. Prefixes give rows with a segment and no address.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Rows, Sample
from netaudit.intake.times import Context
from netaudit.records.addresses import ip_column, mac_column
from netaudit.sources.formats._netbox_objects import Asset, Dump, rest_assets
from netaudit.sources.formats._outcome import refused
from netaudit.sources.formats._values import whole

BROKEN = "The document is cut off, too large, or no JSON."
FOREIGN = "The object is none of NetBox's."
_TEXTS = ("hostname", "asset", "model", "owner", "location", "site", "segment", "switch", "switch_port")
_DUMP = re.compile(
    r"\"model\"\s*:\s*\"(?:dcim|ipam|tenancy|virtualization|extras|circuits|users|core|wireless)\."
)
_PAGE = re.compile(r"\"url\"\s*:\s*\"https?://[^\"/]+(?:/[^\"]*)?/api/(?:dcim|ipam|virtualization)/")
_RESULTS = re.compile(r"\"results\"\s*:\s*\[")
_BLANKS = re.compile(r"[\s,]*")
_MASK = r"/\d{1,3}$"


def _starts(lines: pa.StringArray) -> np.ndarray:
    """The whole document is one record."""
    begins = np.zeros(len(lines), bool)
    begins[:1] = True
    return begins


def _sniff(lines: list[str]) -> float:
    head = "\n".join(lines)
    if not head.lstrip().startswith(("[", "{")):
        return 0.0
    return float(bool(_DUMP.search(head) or _PAGE.search(head)))


def _open(context: Context) -> Parse:
    del context  # no times

    def parse(chunk: Chunk) -> Parsed:
        found, broken = _objects("\n".join(chunk.lines.to_pylist()))
        dump = [(line, one) for line, one in found if _of_dump(one)]
        rest = [(line, one) for line, one in found if not _of_dump(one)]
        rows = list(Dump(dump).assets())
        foreign = []
        for line, one in rest:
            assets = list(rest_assets(one)) if isinstance(one, dict) else []
            rows += [(line, asset) for asset in assets]
            foreign += [line] if not isinstance(one, dict) or not (assets or "url" in one) else []
        reasons = {FOREIGN: np.unique(np.array(foreign, np.int64)), BROKEN: np.array(broken, np.int64)}
        return Parsed([_columns(rows)] if rows else [], refused(reasons), max(0, len(found) - len(rows)))

    return parse


def _objects(text: str) -> tuple[list[tuple[int, Any]], list[int]]:
    """The objects of all arrays and pages in a text with the line of each, and where reading stopped."""
    found: list[tuple[int, Any]] = []
    for begin in _arrays(text):
        position, line = begin, text.count("\n", 0, begin)
        while True:
            after = _BLANKS.match(text, position)
            position, before = after.end() if after else position, position
            line += text.count("\n", before, position)
            if text[position : position + 1] == "]":
                break
            try:
                one, end = json.JSONDecoder().raw_decode(text, position)
            except (ValueError, RecursionError):
                return found, [line]
            found.append((line, one))
            line += text.count("\n", position, end)
            position = end
    return found, [] if found or _RESULTS.search(text) else [0]


def _arrays(text: str) -> Iterator[int]:
    """Where the objects begin: behind the bracket of the one array, or of the results of each page."""
    opening = _BLANKS.match(text)
    start = opening.end() if opening else 0
    if text.startswith("[", start):
        yield start + 1
    else:
        yield from (page.end() for page in _RESULTS.finditer(text))


def _of_dump(one: Any) -> bool:
    return (
        isinstance(one, dict)
        and isinstance(one.get("model"), str)
        and isinstance(one.get("pk"), int | str)
        and isinstance(one.get("fields"), dict)
    )


def _columns(rows: list[tuple[int, Asset]]) -> Rows:
    def column(name: str) -> pa.Array:
        return pa.array([_text(asset.get(name)) for _, asset in rows], pa.string())

    return Rows(
        "asset",
        {
            **{name: column(name) for name in _TEXTS},
            "ip": ip_column(pc.replace_substring_regex(column("ip"), _MASK, "")),
            "mac": mac_column(column("mac")),
            "vlan": whole(column("vlan"), 4094, pa.uint16()),
        },
        np.array([line for line, _ in rows], np.int64),
    )


def _text(value: Any) -> str | None:
    """A scalar as text; structures where NetBox has none say nothing."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    text = str(value).strip() if isinstance(value, str) or abs(value) < 10**18 else ""
    return text.encode(errors="replace").decode() or None


_DUMPED = """[
{"model": "ipam.ipaddress", "pk": 1, "fields": {"address": "10.1.2.7/24", "assigned_object_type": ["dcim", "interface"],
 "assigned_object_id": 3, "dns_name": ""}},
{"model": "dcim.device", "pk": 1, "fields": {"name": "pc-7", "device_type": 6, "tenant": 5, "site": 2, "asset_tag": "G-7"}},
{"model": "dcim.interface", "pk": 3, "fields": {"device": 1, "name": "eth0", "mac_address": "52:54:00:AA:00:07"}},
{"model": "dcim.devicetype", "pk": 6, "fields": {"manufacturer": 7, "model": "M70q"}},
{"model": "dcim.manufacturer", "pk": 7, "fields": {"name": "Lenovo"}},
{"model": "tenancy.tenant", "pk": 5, "fields": {"name": "Office"}},
{"model": "dcim.site", "pk": 2, "fields": {"name": "HQ"}},
{"model": "ipam.vlan", "pk": 9, "fields": {"vid": 120, "name": "Data"}},
{"model": "ipam.prefix", "pk": 4, "fields": {"prefix": "10.1.2.0/24", "description": "3F", "site": 2, "vlan": 9}}
]"""
_REST = (
    '{"count": 2, "next": null, "previous": null, "results": [{"id": 3, "url": "https://nb.example/api/dcim/interfaces/3/", '
    '"device": {"id": 1, "name": "pc-7"}, "name": "eth0", "mac_address": "52:54:00:AA:00:07", "untagged_vlan": {"vid": 120}, '
    '"connected_endpoints": [{"device": {"name": "sw-3f"}, "name": "G1/0/7"}]}, {"id": 1, "url": '
    '"https://nb.example/api/ipam/ip-addresses/1/", "address": "10.1.2.7/24", "assigned_object": {"device": {"name": "pc-7"}}, '
    '"dns_name": ""}]}'
)

FORMAT = LogFormat(
    title="NetBox: database dump or REST pages (JSON)",
    kinds=("asset",),
    reference="https://netboxlabs.com/docs/netbox/integrations/rest-api/",
    sniff=_sniff,
    open=_open,
    starts=_starts,
    samples=(
        Sample(
            _DUMPED,
            (
                {
                    "kind": "asset",
                    "ip": "10.1.2.7",
                    "mac": "52:54:00:aa:00:07",
                    "hostname": "pc-7",
                    "asset": "G-7",
                    "model": "Lenovo M70q",
                    "owner": "Office",
                    "site": "HQ",
                },
                {
                    "kind": "asset",
                    "hostname": "3F",
                    "segment": "10.1.2.0/24",
                    "site": "HQ",
                    "vlan": 120,
                    "ip": None,
                },
            ),
            note="numbers are resolved to names, wherever in the file these stand",
        ),
        Sample(
            _REST,
            (
                {
                    "kind": "asset",
                    "mac": "52:54:00:aa:00:07",
                    "hostname": "pc-7",
                    "vlan": 120,
                    "switch": "sw-3f",
                    "switch_port": "G1/0/7",
                },
                {"kind": "asset", "ip": "10.1.2.7", "hostname": "pc-7"},
            ),
            note="REST: the far end of the cable is the switch port",
        ),
        Sample(_DUMPED[:120], note="cut off"),
    ),
)
