"""What was seen, against what is declared: devices, the resolvers that they asked, and who gave them addresses."""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from netaudit.errors import ConfigError
from netaudit.policy.devices import with_macs
from netaudit.policy.observed import inside
from netaudit.policy.places import Places
from netaudit.records.addresses import (
    Network,
    is_random_mac,
    network_range,
    parse_mac,
    parse_network,
    text_column,
)
from netaudit.records.moments import moment
from netaudit.records.schemas import MAC

_INNER = ("gov_extranet", "office", "server")
_MICROSECONDS = pa.timestamp("us", tz="UTC")


def hosts(sums: pa.Table, places: Places, register: pa.Table | None, now: dt.datetime) -> pa.Table:
    """The fact table ``host`` from `Observed`'s sum: one row per address and device.

    An IPv6 address of which no MAC is known names no device: one device has many of them.
    """
    entries = (
        None if register is None or register.num_rows == 0 else register.filter(_in_force(register, now))
    )
    known = pa.array([], MAC) if entries is None else _distinct(entries.column("mac"))
    rows = with_macs(sums, known)
    ip, mac = rows.column("client_ip").combine_chunks(), rows.column("client_mac").combine_chunks()
    address, mac_text = text_column(ip), text_column(mac)
    place = places.locate(ip)
    first = _times(rows.column("first"))
    hours = pc.divide(pc.subtract(int(now.timestamp()), pc.divide(rows.column("first"), 10**9)), 3600)
    return pa.table(
        {
            "device": pc.coalesce(mac_text, pc.if_else(pc.match_substring(address, ":"), None, address)),
            "address": address,
            "prefix": pc.coalesce(place.column("segment"), _by_word(address, _prefix))
            if places
            else pa.nulls(len(ip), pa.string()),
            "mac": mac_text,
            "random_mac": _by_word(
                mac_text, lambda text: is_random_mac(parse_mac(text) or bytes(6)), pa.bool_()
            ),
            **{name: place.column(name) for name in place.column_names},
            "side": _sides(place),
            "in_segment": place.column("segment").is_valid() if places else pa.nulls(len(ip), pa.bool_()),
            **_both_sides(mac, place, rows),
            "registered": _registered(ip, mac, entries),
            "has_register": pa.array([entries is not None] * len(ip), pa.bool_()),
            "seen_for_hours": hours,
            **_sightings(rows, first),
        }
    )


def _sightings(rows: pa.Table, first: pa.ChunkedArray) -> dict[str, Any]:
    return {
        "first": first,
        "last": _times(rows.column("last")),
        "events": rows.column("events"),
        "file": rows.column("file"),
        "ordinal": rows.column("ordinal"),
    }


def _times(nanos: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.divide(nanos, 1000).cast(_MICROSECONDS)


def _by_word(words: pa.Array, convert: Any, type_: pa.DataType | None = None) -> pa.Array:
    """`convert` applied to each distinct word."""
    coded = words.dictionary_encode()
    values = [convert(word) for word in coded.dictionary.to_pylist()]
    return pa.array(values, type_ or pa.string()).take(coded.indices)


def _prefix(address: str) -> str:
    return str(ipaddress.ip_network(f"{address}/{64 if ':' in address else 24}", strict=False))


def _sides(place: pa.Table) -> pa.Array:
    """``inner``, ``outer`` or unknown."""
    zone, purpose = place.column("zone"), place.column("segment_purpose")
    outer = pc.or_kleene(pc.equal(zone, "internet"), pc.is_in(purpose, pa.array(["guest", "public"])))
    inner = pc.is_in(zone, pa.array(_INNER))
    unknown = pa.scalar(None, pa.string())
    return pc.if_else(
        pc.fill_null(outer, False), "outer", pc.if_else(pc.fill_null(inner, False), "inner", unknown)
    )


def _both_sides(mac: pa.Array, place: pa.Table, rows: pa.Table) -> dict[str, pa.Array]:
    """Whether a MAC was on the inner and on the outer side, and how many hours lie between at least."""
    table = pa.table(
        {"mac": mac, "side": _sides(place), "first": rows.column("first"), "last": rows.column("last")}
    )
    spans = []
    for side in ("inner", "outer"):
        mine = table.filter(pc.fill_null(pc.equal(table.column("side"), side), False))
        by_mac = mine.group_by("mac", use_threads=False).aggregate([("first", "min"), ("last", "max")])
        index = pc.index_in(table.column("mac"), by_mac.column("mac"))
        spans.append((by_mac.column("first_min").take(index), by_mac.column("last_max").take(index)))
    (inner_first, inner_last), (outer_first, outer_last) = spans
    apart = pc.max_element_wise(
        pc.subtract(outer_first, inner_last), pc.subtract(inner_first, outer_last), skip_nulls=False
    )
    hours = pc.divide(pc.max_element_wise(apart, 0, skip_nulls=False), 3600 * 10**9)
    known = pc.if_else(table.column("mac").is_valid(), hours.is_valid(), pa.scalar(None, pa.bool_()))
    return {
        "on_both_sides": known,
        "sides_apart_hours": pc.if_else(table.column("mac").is_valid(), hours, None),
    }


def _registered(ip: pa.Array, mac: pa.Array, entries: pa.Table | None) -> pa.Array:
    """Whether the register has the MAC, or the address.

    Null without a register; and for an address that it does not have and of which no MAC is known,
    where that address may be one of a device that is registered: by its MAC alone, or with IPv6,
    where a device has more addresses than a register names.
    """
    if entries is None:
        return pa.nulls(len(ip), pa.bool_())
    macs, addresses = entries.column("mac"), entries.column("ip")
    by_mac = pc.or_(
        pc.is_in(mac, _distinct(macs)), pc.is_in(ip, _distinct(addresses.filter(macs.is_null())))
    )
    six = pc.match_substring(text_column(ip), ":")
    unsure = pc.or_(six, addresses.null_count > 0)
    by_ip = pc.or_kleene(pc.is_in(ip, _distinct(addresses)), pc.if_else(unsure, None, False))
    return pc.if_else(mac.is_valid(), by_mac, by_ip)


def _distinct(column: pa.ChunkedArray) -> pa.Array:
    return column.drop_null().unique()


def _in_force(register: pa.Table, now: dt.datetime) -> Any:
    """Entries of the register whose validity holds now (an unknown bound is open)."""
    moment = pa.scalar(int(now.timestamp()) * 10**9, pa.int64())
    begun = pc.less_equal(register.column("ts").cast(pa.int64()), moment)
    ended = pc.less_equal(register.column("ts_end").cast(pa.int64()), moment)
    return pc.and_(pc.fill_null(begun, True), pc.invert(pc.fill_null(ended, False)))


def in_force(register: pa.Table, now: dt.datetime) -> Iterator[Mapping[str, Any]]:
    """Rows of the register that are valid now."""
    wanted = ["asset", "hostname", "ip", "mac", "owner", "department", "file", "ordinal"]
    yield from register.filter(_in_force(register, now)).select(wanted).to_pylist()


def resolver_use(sums: pa.Table, places: Places, approved: Sequence[str], *, lists: bool) -> pa.Table:
    """The fact table ``resolver_use`` from `Observed`'s sum.

    Args:
        sums: The sum.
        places: The declared segments.
        approved: Addresses or networks of the approved resolvers.
        lists: Whether lists of encrypted resolvers were compared.
    """
    ranges = [network_range(_network(text)) for text in approved]
    if ranges:  # an approved resolver asks others: that is its work
        sums = sums.filter(pa.array(~inside(sums.column("client_ip"), ranges)))
    client = sums.column("client_ip").combine_chunks()
    server = sums.column("server_ip").combine_chunks()
    place = places.locate(client)
    known = pa.array(inside(server, ranges)) if ranges else pa.nulls(len(server), pa.bool_())
    return pa.table(
        {
            "device": text_column(client),
            **{name: place.column(name) for name in place.column_names},
            "resolver": text_column(server),
            "port": sums.column("server_port"),
            "encrypted": sums.column("encrypted"),
            "lists": pa.array([lists] * len(server), pa.bool_()),
            "approved": known,
            **_sightings(sums, _times(sums.column("first"))),
        }
    )


def _network(text: str) -> Any:
    try:
        return parse_network(text)
    except ValueError as error:
        raise ConfigError(
            "unit-address",
            "{text} is no address or network.",
            where=f"unit: {text}",
            hint="Write an address, or a network such as 10.1.2.0/24.",
            text=text,
        ) from error


_GIVES = r"\b(offer|ack)\b"
"""Words of DHCP for IPv4 by which a server offers or gives an address. With IPv6 the address that
answers is of a link or of a relay, and names no server."""


def dhcp_servers(dhcp: pa.Table | None, places: Places, own: Sequence[Network]) -> list[dict[str, Any]]:
    """Rows of the fact table ``dhcp_server``: who answered, for addresses of which network.

    Args:
        dhcp: The table of the kind ``dhcp``.
        places: The declared segments.
        own: The unit's networks; what a provider gives to a router outside of them is left out.
    """
    if dhcp is None:
        return []
    given = _by_word(dhcp.column("message").cast(pa.string()).combine_chunks(), _gives, pa.bool_())
    rows = dhcp.filter(pc.fill_null(pc.and_(given, dhcp.column("server_ip").is_valid()), False))
    ranges = [network_range(network) for network in own]
    rows = rows.filter(pa.array(inside(rows.column("client_ip"), ranges)))
    ip = rows.column("client_ip").combine_chunks()
    table = pa.table(
        {
            "server": text_column(rows.column("server_ip").combine_chunks()),
            "prefix": pc.coalesce(places.locate(ip).column("segment"), _by_word(text_column(ip), _prefix)),
            "first": rows.column("ts").cast(pa.int64()),
            "last": rows.column("ts").cast(pa.int64()),
            "events": pa.array([1] * len(ip), pa.int64()),
            "file": rows.column("file").cast(pa.string()),
            "ordinal": rows.column("ordinal").cast(pa.int64()),
        }
    )
    how = [("first", "min"), ("last", "max"), ("events", "sum"), ("file", "first"), ("ordinal", "first")]
    keys = ["server", "prefix"]
    grouped = table.group_by(keys, use_threads=False).aggregate(how)
    grouped = grouped.rename_columns([*keys, *(name for name, _ in how)])
    return [
        row | {name: None if row[name] is None else moment(row[name]) for name in ("first", "last")}
        for row in grouped.sort_by([(name, "ascending") for name in keys]).to_pylist()
    ]


def _gives(word: str | None) -> bool:
    return word is not None and re.search(_GIVES, word.lower()) is not None


def any_within(table: pa.Table | None, column: str, network: str) -> bool:
    """Whether any value of an address column lies in `network`."""
    if table is None or table.num_rows == 0:
        return False
    addresses = table.column(column).unique()
    return bool(inside(addresses, [network_range(_network(network))]).any())


def count_by(table: pa.Table, key: str, counted: str) -> dict[str, int]:
    """How many different values of `counted` there are for each known value of `key`."""
    grouped = table.group_by(key, use_threads=False).aggregate([(counted, "count_distinct")])
    pairs = zip(
        grouped.column(key).to_pylist(),
        grouped.column(f"{counted}_count_distinct").to_pylist(),
        strict=True,
    )
    return {name: count for name, count in pairs if name is not None}
