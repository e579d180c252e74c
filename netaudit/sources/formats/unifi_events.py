"""UniFi's events as JSON: one object a line, or a message of the controller with a list of them.

``EVT_WU_`` are stations of users, ``EVT_WG_`` of guests, ``EVT_LU_`` devices on wires. Events of access
points, switches and administrators are of no station and are passed over.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake import json_lines
from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat, Parse, Parsed, Rows, Sample, empty_to_null, share
from netaudit.intake.times import Context, from_epoch
from netaudit.records.addresses import ip_column, mac_column
from netaudit.sources.formats._outcome import refused
from netaudit.sources.formats._values import mask, whole

_TEXTS = (
    "key",
    "user",
    "guest",
    "ap",
    "ap_to",
    "ap_name",
    "ap_to_name",
    "ssid",
    "channel",
    "channel_to",
    "time",
    "ip",
    "sw",
    "sw_name",
    "port",
    "network",
)
_EVENT = [(name, pa.string()) for name in _TEXTS]
_SCHEMA = pa.schema([*_EVENT, ("data", pa.list_(pa.struct(_EVENT)))])
_NUMBERS = ("time", "channel", "channel_to", "port")
_OF_A_STATION = r"^EVT_(?:W[UG]|L[UG])_"
_LONG = r'\{\s*"\$numberLong"\s*:\s*"(\d{1,19})"\s*\}'
"""How the controller's database exports its numbers."""


def _open(context: Context) -> Parse:  # noqa: ARG001 -- times are epochs, nothing is to be declared
    def parse(chunk: Chunk) -> Parsed:
        lines = pc.replace_substring_regex(chunk.lines, _LONG, r"\1")
        objects = json_lines.read(lines, _SCHEMA, as_text=_NUMBERS)
        alone = {name: objects.column(name) for name in _TEXTS}
        lists = objects.column("data")
        members = pc.list_flatten(lists)
        owner = pc.list_parent_indices(lists).to_numpy(zero_copy_only=False)
        event = {
            name: empty_to_null(pa.concat_arrays([alone[name], pc.struct_field(members, name)]))
            for name in _TEXTS
        }
        line = np.concatenate((objects.index, objects.index[owner]))
        station = mask(pc.match_substring_regex(event["key"], _OF_A_STATION))
        event = {name: column.filter(pa.array(station)) for name, column in event.items()}
        columns, line = _columns(event), line[station]
        order = np.argsort(line, kind="stable")
        good = order[mask(pc.is_valid(columns["client_mac"]))[order]]
        rows = Rows("wlan", {n: c.take(pa.array(good)) for n, c in columns.items()}, line[good])
        empty = np.setdiff1d(line, rows.line)
        refusals = {**objects.rejected, "The event does not name its station.": empty}
        held = np.union1d(line, [])
        return Parsed(
            [rows] if len(good) else [],
            refused(refusals),
            objects.blank + len(np.setdiff1d(objects.index, held)),
        )

    return parse


def _columns(event: dict[str, pa.Array]) -> dict[str, pa.Array]:
    """A roaming station is at the access point that it came to."""
    moved = pc.is_valid(event["ap_to"])
    return {
        "ts": from_epoch(event["time"]),
        "message": event["key"],
        "client_mac": mac_column(pc.coalesce(event["user"], event["guest"])),
        "client_ip": ip_column(event["ip"]),
        "ap_name": pc.if_else(moved, event["ap_to_name"], event["ap_name"]),
        "bssid": mac_column(pc.coalesce(event["ap_to"], event["ap"])),
        "ssid": event["ssid"],
        "channel": whole(pc.coalesce(event["channel_to"], event["channel"]), 65_535, pa.uint16()),
        "nas": pc.coalesce(event["sw_name"], event["sw"]),
        "nas_port": event["port"],
    }


FORMAT = LogFormat(
    title="UniFi controller events (JSON)",
    kinds=("wlan",),
    reference="https://help.ui.com/",
    sniff=lambda lines: share(lines, lambda line: line.lstrip().startswith(("{", "[")) and '"EVT_' in line),
    open=_open,
    samples=(
        Sample(
            '{"user":"ea:5b:28:b2:00:b5","ssid":"GOV","ap":"d0:21:f9:89:df:f9","radio":"na","channel":"40",'
            '"hostname":"iPhone","ap_name":"ap-3f","key":"EVT_WU_Connected","subsystem":"wlan","time":1761598567827,'
            '"datetime":"2025-10-27T20:56:07Z","msg":"User[ea:5b:28:b2:00:b5] has connected to AP[d0:21:f9:89:df:f9]"}\n'
            '{"user":"ea:5b:28:b2:00:b5","ssid":"GOV","ap_from":"d0:21:f9:89:df:f9","ap_to":"d0:21:f9:89:00:01",'
            '"channel_from":40,"channel_to":44,"key":"EVT_WU_Roam","time":{"$numberLong":"1761598667827"}}',
            (
                {
                    "kind": "wlan",
                    "ts": "2025-10-27T20:56:07.827000000Z",
                    "message": "EVT_WU_Connected",
                    "client_mac": "ea:5b:28:b2:00:b5",
                    "bssid": "d0:21:f9:89:df:f9",
                    "ap_name": "ap-3f",
                    "ssid": "GOV",
                    "channel": 40,
                },
                {
                    "kind": "wlan",
                    "ts": "2025-10-27T20:57:47.827000000Z",
                    "message": "EVT_WU_Roam",
                    "bssid": "d0:21:f9:89:00:01",
                    "channel": 44,
                },
            ),
            note="the second from an export of the database",
        ),
        Sample(
            '{"meta":{"message":"events","rc":"ok"},"data":[{"guest":"ea:5b:28:b2:00:b6","ssid":"GUEST",'
            '"ap":"d0:21:f9:89:df:f9","key":"EVT_WG_Disconnected","duration":1058,"time":1761598537000},'
            '{"ap":"d0:21:f9:89:df:f9","key":"EVT_AP_Restarted","time":1761598537000}]}',
            ({"kind": "wlan", "message": "EVT_WG_Disconnected", "client_mac": "ea:5b:28:b2:00:b6"},),
            note="a message with several events",
        ),
        Sample(
            '{"ap":"d0:21:f9:89:df:f9","key":"EVT_AP_Restarted","time":1761598537000}', note="no station"
        ),
        Sample('{"user":"ea:5b:28:b2:00:b5","key":"EVT_WU_Conn', note="cut off"),
    ),
)
