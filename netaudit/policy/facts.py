"""`gather`: what is declared and what was seen, put side by side in the tables that rules name."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from netaudit.attribution.log_facts import LogFacts
from netaudit.attribution.trace import Outcome, Reach, Reason, Trace
from netaudit.config import Settings
from netaudit.policy import air, logs, seen
from netaudit.policy.observed import PRIVATE, Observed
from netaudit.policy.places import Places
from netaudit.policy.tables import TABLES, Facts, FactTable
from netaudit.records.addresses import format_ip, format_mac, parse_network
from netaudit.records.evidence import EvidenceFile


def gather(
    settings: Settings,
    ledger: Sequence[EvidenceFile],
    observed: Observed,
    tables: Mapping[str, pa.Table],
    traces: Sequence[Trace],
    now: dt.datetime,
    measured: LogFacts | None = None,
) -> Facts:
    """Every fact table.

    Args:
        settings: The configuration.
        ledger: Every file that was read, also those that could not be used.
        observed: To which every batch of events was added.
        tables: Kind to the whole table of it (`records.schemas`), for ``nat``, ``dhcp``, ``radius``,
            ``wlan`` and ``asset``; what is left out was not read.
        traces: Walks back from the clues of a notice.
        now: Time of the check; days are counted in its own zone.
        measured: Continuity and clocks of the logs; None where they were not measured.
    """
    places = Places(settings.segment)
    inventory = logs.Inventory(settings, ledger, observed, measured)
    sums = observed.tables()
    hosts = seen.hosts(sums["host"], places, tables.get("asset"), now)
    rows: dict[str, list[dict[str, Any]]] = {
        "unit": [_unit(settings)],
        "segment": _segments(settings, places, inventory, tables, hosts),
        "egress": _egresses(settings, inventory, tables),
        "wireless": air.wireless(settings, places, inventory, tables, now),
        "access_point": air.access_points(settings, tables),
        "dhcp_server": seen.dhcp_servers(tables.get("dhcp"), places, [*own_networks(settings), *PRIVATE]),
        "source": inventory.rows(sums["stretch"]),
        "trace": [_trace(trace) for trace in traces],
        "asset": _assets(settings, tables.get("asset"), now),
        "register": _register(settings, tables.get("asset"), now),
        "waiver": _waivers(settings, now),
    }
    built = {name: TABLES[name].build(found) for name, found in rows.items()}
    built["host"] = hosts
    built["resolver_use"] = _resolver_use(settings, sums["resolver_use"], places, observed)
    silent = {"trace", "waiver"}  # none of them is an answer, not a lack of evidence
    silent |= {"resolver_use"} if observed.paths_seen else set()
    absent = frozenset(name for name, table in built.items() if table.num_rows == 0 and name not in silent)
    partial = {"host", "resolver_use"} & set(observed.lost)
    partial |= {"source"} if "stretch" in observed.lost else set()
    return Facts({name: _typed(TABLES[name], built[name]) for name in TABLES}, absent, frozenset(partial))


def _typed(wanted: FactTable, table: pa.Table) -> pa.Table:
    return table.select(wanted.schema.names).cast(wanted.schema)


def _resolver_use(settings: Settings, sums: pa.Table, places: Places, observed: Observed) -> pa.Table:
    lists = observed.lists_seen
    found = seen.resolver_use(sums, places, settings.unit.resolvers, lists=lists)
    if found.num_rows == 0 and observed.paths_seen and not lists:
        # traffic was seen, but nobody looked for encrypted resolvers in it: that must be said
        return TABLES["resolver_use"].build([{"lists": False}])
    return found


def _unit(settings: Settings) -> dict[str, Any]:
    return {
        "unit": settings.unit.name or None,
        "segments": len(settings.segment),
        "wireless": len(settings.wireless),
        "resolvers": len(settings.unit.resolvers),
    }


def _segments(
    settings: Settings,
    places: Places,
    inventory: logs.Inventory,
    tables: Mapping[str, pa.Table],
    hosts: pa.Table,
) -> list[dict[str, Any]]:
    leases = inventory.logged(tables.get("dhcp"))
    leased = places.of(leases.column("client_ip")) if leases is not None else set()
    devices = seen.count_by(hosts, "segment", "device")
    rows = []
    for segment in settings.segment:
        overlaps = places.overlapping(segment.id)
        rows.append(
            {
                "segment": segment.id,
                "segment_name": segment.name or None,
                "zone": segment.zone or None,
                "segment_purpose": segment.purpose or None,
                "networks": ", ".join(segment.network),
                "addressing": segment.addressing or None,
                "owner": segment.owner or None,
                "department": segment.department or None,
                "egress": segment.egress or None,
                "overlaps": ", ".join(overlaps) or None,
                "overlap_count": len(overlaps),
                "hosts_seen": devices.get(segment.id) or None,
                "has_dhcp_log": inventory.kept("dhcp", segment.id, shown=segment.id in leased),
                "has_dns_log": inventory.kept("dns", segment.id, shown="dns" in inventory.log_kinds),
            }
        )
    return rows


def _egresses(
    settings: Settings, inventory: logs.Inventory, tables: Mapping[str, pa.Table]
) -> list[dict[str, Any]]:
    """One row per declared public address, of the unit and of segments that have their own."""
    own = {segment.egress for segment in settings.segment if segment.egress}
    destination = [
        role for role in logs.DESTINATION_ROLES if inventory.kept(role, "", shown=False) is not False
    ]
    rows = []
    for egress in sorted({*settings.unit.egress, *own}):
        leaving = [
            s
            for s in settings.segment
            if s.egress == egress or (not s.egress and settings.unit.egress == (egress,))
        ]
        purposes = sorted({s.purpose for s in leaving if s.purpose})
        sure = bool(leaving) and all(s.purpose for s in leaving)
        has_nat = seen.any_within(tables.get("nat"), "public_ip", egress)
        shown = any(kind in inventory.kinds for kind in logs.DESTINATION_KINDS)
        rows.append(
            {
                "egress": egress,
                "nat": settings.unit.nat,
                "purposes": ", ".join(purposes) or None,
                "purpose_count": len(purposes) if sure or len(purposes) > 1 else None,
                "has_nat_log": inventory.kept("nat", "", shown=has_nat),
                "has_destination_log": shown or (None if destination else False),
            }
        )
    return rows


def _trace(trace: Trace) -> dict[str, Any]:
    question = trace.question
    broken = next((hop for hop in trace.hops if hop.outcome is not Outcome.HELD), None)
    address = question.public_ip or question.client_ip
    who = format_ip(address) if address else format_mac(question.mac) if question.mac else ""
    port = f":{question.port}" if question.port else ""
    place = dict(trace.place)
    return {
        "visit": f"{who}{port}" or None,
        "at": question.at,
        "reach": str(trace.reach),
        "broken_hop": broken.hop if broken else None,
        "outcome": str(broken.outcome) if broken else None,
        "reason": str(trace.reasons[0]) if trace.reasons else None,
        "place": place.get("ssid") or place.get("segment") or None,
        "asked_enough": Reason.NO_PORT not in trace.reasons or trace.reach in {Reach.ACCOUNT, Reach.PERSON},
        "first": question.at,
    }


def _assets(settings: Settings, register: pa.Table | None, now: dt.datetime) -> list[dict[str, Any]]:
    rows = [
        {
            "asset": segment.id,
            "what": "segment",
            "owner": segment.owner or None,
            "department": segment.department or None,
        }
        for segment in settings.segment
    ]
    rows += [
        {
            "asset": net.ssid,
            "what": "wireless",
            "owner": net.owner or None,
            "department": net.department or None,
        }
        for net in settings.wireless
    ]
    for row in seen.in_force(register, now) if register is not None else ():
        named = row["asset"] or row["hostname"] or (format_mac(row["mac"]) if row["mac"] else None)
        named = named or (format_ip(row["ip"]) if row["ip"] else None)
        rows.append(
            {
                "asset": named,
                "what": "asset",
                "owner": row["owner"] or None,
                "department": row["department"] or None,
                "file": row["file"],
                "ordinal": row["ordinal"],
            }
        )
    return rows


def _register(settings: Settings, register: pa.Table | None, now: dt.datetime) -> list[dict[str, Any]]:
    declared = settings.inventory
    if not declared.path and declared.reviewed_at is None and (register is None or register.num_rows == 0):
        return []
    return [
        {
            "register": declared.path or None,
            "reviewed_at": declared.reviewed_at,
            "review_age_days": (now.date() - declared.reviewed_at).days if declared.reviewed_at else None,
        }
    ]


def _waivers(settings: Settings, now: dt.datetime) -> list[dict[str, Any]]:
    return [
        {
            "waiver": f"{waiver.rule} {waiver.subject}".strip(),
            "waived_rule": waiver.rule,
            "waived_subject": waiver.subject or None,
            "reason": waiver.reason or None,
            "owner": waiver.owner or None,
            "expires": waiver.expires,
            "days_over": (now.date() - waiver.expires).days,
        }
        for waiver in settings.policy.waivers
    ]


def own_networks(settings: Settings) -> list[Any]:
    """The networks of the declared segments, for `Observed`."""
    return [parse_network(text) for segment in settings.segment for text in segment.network]
