"""What was seen on the air, against what is declared: wireless networks and radios."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from netaudit.config import Settings, Wireless
from netaudit.policy.logs import Inventory
from netaudit.policy.places import Places
from netaudit.policy.seen import count_by
from netaudit.records.addresses import format_mac, parse_mac
from netaudit.records.moments import moment
from netaudit.records.schemas import IP, MAC

WINDOW = dt.timedelta(days=30)
"""Devices of a wireless network are counted over the last 30 days of the evidence."""
_ASKS = "probe-request"
"""Says which name a station looks for, and not that there is such a network."""
_AUTH = (
    ("802.1x", ("802.1x", "eap", "enterprise")),
    ("sae", ("sae", "wpa3-personal")),
    ("psk", ("psk", "personal")),
    ("wep", ("wep",)),
    ("open", ("open", "none")),
)
"""How logs name the security of a network; the first that fits counts."""
_WEAKEST = {"owe": "open", "psk+sae": "psk"}
"""What several ways, or one that is encrypted, come to for who may enter: OWE asks nobody who he is
(RFC 8110), and who has the key of WPA2 needs no WPA3."""


def wireless(
    settings: Settings,
    places: Places,
    inventory: Inventory,
    tables: Mapping[str, pa.Table],
    now: dt.datetime,
) -> list[dict[str, Any]]:
    """Rows of the fact table ``wireless``: the declared networks, then those that were only seen."""
    air = _joined(
        tables,
        ("wlan", "radius"),
        ("ts", "client_mac", "message", "ssid", "bssid", "ap_name", "nas", "file", "ordinal"),
    )
    air = air.filter(pc.fill_null(pc.not_equal(pc.ascii_lower(air.column("message")), _ASKS), True))
    leases = _joined(tables, ("dhcp", "wlan", "radius"), ("ts", "client_ip", "client_mac"))
    ways = _ways_in(tables.get("wlan"))
    on_air = _by_ssid(air)
    in_segment = _devices_in_segments(leases, places)
    accounts = _with_account(tables, inventory)
    rows = [
        _declared(net, places, now)
        | on_air.get(net.ssid, {})
        | {
            "own_equipment": True,
            "distinct_devices": _devices(
                on_air.get(net.ssid, {}).get("distinct_devices"), in_segment.get(net.segment)
            ),
            "has_auth_log": inventory.kept("access", net.segment, shown=net.ssid in accounts),
        }
        for net in settings.wireless
    ]
    names = {net.ssid for net in settings.wireless}
    for ssid in sorted(set(on_air) - names):
        found = on_air[ssid]
        rows.append(
            found
            | {
                "ssid": ssid,
                "declared": False,
                "auth": ways.get(ssid),
                "own_equipment": True if found["own_equipment"] else None,
                "has_auth_log": True if ssid in accounts else None,
            }
        )
    return rows


def _declared(net: Wireless, places: Places, now: dt.datetime) -> dict[str, Any]:
    segment = places.get(net.segment)
    return {
        "ssid": net.ssid,
        "segment": net.segment or None,
        "segment_name": (segment.name or None) if segment else None,
        "zone": (segment.zone or None) if segment else None,
        "segment_purpose": (segment.purpose or None) if segment else None,
        "purpose": net.purpose or None,
        "auth": net.auth or None,
        "per_user_auth": net.per_user_auth,
        "portal_realname": net.portal_realname,
        "key_changed_at": net.key_changed_at,
        "key_age_days": (now.date() - net.key_changed_at).days if net.key_changed_at else None,
        "declared_users": net.declared_users,
        "isolation": net.isolation,
        "location": net.location or None,
        "owner": net.owner or None,
        "department": net.department or None,
        "declared": True,
    }


def _devices(on_air: int | None, in_segment: int | None) -> int | None:
    """The larger of two counts of the same devices; unknown where neither is known."""
    known = [count for count in (on_air, in_segment) if count]
    return max(known, default=None)


def _joined(tables: Mapping[str, pa.Table], kinds: Iterable[str], names: Sequence[str]) -> pa.Table:
    """Some columns of several kinds in one table, words as plain strings."""
    plain = {"ts": pa.int64(), "client_ip": IP, "client_mac": MAC, "bssid": MAC, "ordinal": pa.int64()}
    schema = pa.schema([(name, plain.get(name, pa.string())) for name in names])
    parts = [schema.empty_table()]
    for kind in kinds:
        table = tables.get(kind)
        if table is not None:
            columns = {
                field.name: table.column(field.name).cast(field.type)
                if field.name in table.column_names
                else pa.nulls(table.num_rows, field.type)
                for field in schema
            }
            parts.append(pa.table(columns, schema=schema))
    return pa.concat_tables(parts)


def _recent(table: pa.Table) -> pa.Table:
    """Rows of the last 30 days of the evidence, and those without a time."""
    newest = pc.max(table.column("ts")).as_py()
    if newest is None:
        return table
    since = newest - int(WINDOW.total_seconds()) * 10**9
    return table.filter(pc.fill_null(pc.greater_equal(table.column("ts"), since), True))


def _by_ssid(air: pa.Table) -> dict[str, dict[str, Any]]:
    """What was seen of each network name."""
    named = air.filter(pc.fill_null(pc.not_equal(air.column("ssid"), ""), False))
    own = pc.or_(named.column("ap_name").is_valid(), named.column("nas").is_valid())
    named = named.append_column("own", own).append_column("first", named.column("ts"))
    devices = count_by(_recent(named), "ssid", "client_mac")
    grouped = named.group_by("ssid", use_threads=False).aggregate(
        [
            ("first", "min"),
            ("ts", "max"),
            ("ts", "count"),
            ("file", "first"),
            ("ordinal", "first"),
            ("own", "max"),
        ]
    )
    return {
        row["ssid"]: {
            "first": moment(row["first_min"]) if row["first_min"] is not None else None,
            "last": moment(row["ts_max"]) if row["ts_max"] is not None else None,
            "events": row["ts_count"],
            "file": row["file_first"],
            "ordinal": row["ordinal_first"],
            "own_equipment": row["own_max"],
            "distinct_devices": devices.get(row["ssid"]) or None,
        }
        for row in grouped.to_pylist()
    }


def _with_account(tables: Mapping[str, pa.Table], inventory: Inventory) -> set[str]:
    """Network names of which a log has a log-in with an account; a capture is no log."""
    logs = {kind: inventory.logged(tables.get(kind)) for kind in ("wlan", "radius")}
    known = {kind: table for kind, table in logs.items() if table is not None}
    rows = _joined(known, known, ("ssid", "account"))
    rows = rows.filter(pc.and_(rows.column("account").is_valid(), rows.column("ssid").is_valid()))
    return set(rows.column("ssid").unique().to_pylist())


def _devices_in_segments(leases: pa.Table, places: Places) -> dict[str, int]:
    rows = _recent(
        leases.filter(
            pc.and_(leases.column("client_ip").is_valid(), leases.column("client_mac").is_valid())
        )
    )
    place = places.locate(rows.column("client_ip").combine_chunks())
    return count_by(rows.append_column("segment", place.column("segment")), "segment", "client_mac")


def _ways_in(wlan: pa.Table | None) -> dict[str, str]:
    """Network name to kind of authentication, where all records of it agree."""
    if wlan is None:
        return {}
    keys = ["ssid", "auth", "security"]
    words = pa.table({name: wlan.column(name).cast(pa.string()) for name in keys})
    kinds: dict[str, set[str]] = {}
    for row in words.group_by(keys, use_threads=False).aggregate([]).to_pylist():
        kind = _way_in(row["auth"] or "", row["security"] or "")
        if row["ssid"] and kind:
            kinds.setdefault(row["ssid"], set()).add(kind)
    return {ssid: found.pop() for ssid, found in sorted(kinds.items()) if len(found) == 1}


def _way_in(auth: str, security: str) -> str:
    """What a record says of how one gets in: by itself, or in the words of its security."""
    if auth:
        return _WEAKEST.get(auth, auth)
    word = security.lower()
    return next((kind for kind, signs in _AUTH if any(sign in word for sign in signs)), "")


def access_points(settings: Settings, tables: Mapping[str, pa.Table]) -> list[dict[str, Any]]:
    """Rows of the fact table ``access_point``, one per radio and network name."""
    own: dict[str, set[bytes]] = {}
    for net in settings.wireless:
        own.setdefault(net.ssid, set()).update(mac for text in net.bssids if (mac := parse_mac(text)))
    air = _joined(tables, ("wlan", "radius"), ("ts", "ssid", "bssid", "file", "ordinal"))
    air = air.filter(pc.and_(air.column("bssid").is_valid(), air.column("ssid").is_valid()))
    air = air.append_column("first", air.column("ts"))
    grouped = air.group_by(["bssid", "ssid"], use_threads=False).aggregate(
        [("first", "min"), ("ts", "max"), ("ts", "count"), ("file", "first"), ("ordinal", "first")]
    )
    return [
        {
            "bssid": format_mac(row["bssid"]),
            "ssid": row["ssid"],
            "own_name": row["ssid"] in own,
            "own_radio": row["bssid"] in own[row["ssid"]] if own.get(row["ssid"]) else None,
            "first": moment(row["first_min"]) if row["first_min"] is not None else None,
            "last": moment(row["ts_max"]) if row["ts_max"] is not None else None,
            "events": row["ts_count"],
            "file": row["file_first"],
            "ordinal": row["ordinal_first"],
        }
        for row in grouped.sort_by([("ssid", "ascending"), ("bssid", "ascending")]).to_pylist()
    ]
