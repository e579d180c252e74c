"""NetBox's objects out of either spelling: rows of a database dump, or objects of its REST interface.

In a dump objects name each other by numbers, anywhere in the file; in REST they hold the brief form
of each other. Both become the same dictionaries of assets here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Fields = dict[str, Any]
Asset = dict[str, Any]
"""Columns of an asset row; addresses as text."""

_OWNERS = {
    "dcim.interface": ("dcim.device", "device"),
    "virtualization.vminterface": ("virtualization.virtualmachine", "virtual_machine"),
}
"""Kind of interface to the kind of its owner, and the field that names it."""
_MOST = 64
"""Addresses of one interface that are read."""
_MACHINES = tuple(owner for owner, _ in _OWNERS.values())


class Dump:
    """All objects of a Django dump, by model and number."""

    def __init__(self, objects: list[tuple[int, Fields]]) -> None:
        """Index the objects.

        Args:
            objects: Line of each, and ``{"model": …, "pk": …, "fields": {…}}``.
        """
        self._lines: list[tuple[int, str, Any, Fields]] = []
        self._fields: dict[tuple[str, Any], Fields] = {}
        for line, one in objects:
            model, number, fields = one["model"], one["pk"], one["fields"]
            self._lines.append((line, model, number, fields))
            self._fields[model, str(number)] = fields
        self._cards = self._interfaces()

    def assets(self) -> Iterator[tuple[int, Asset]]:
        """Line and columns of everything that has a place, an address or a prefix."""
        for line, model, number, fields in self._lines:
            if model in _MACHINES:
                about = self._machine(fields)
                cards = self._cards.pop((model, str(number)), []) or [{}]
                yield from ((line, {**about, **card}) for card in cards)
            elif model == "ipam.prefix":
                yield line, self._prefix(fields)
            elif model == "ipam.ipaddress" and not _assigned(fields) and fields.get("dns_name"):
                yield line, {"ip": fields.get("address"), "hostname": fields["dns_name"]}

    def _interfaces(self) -> dict[tuple[str, str], list[Asset]]:
        """Addresses on the interfaces of each machine."""
        ips = self._on_interfaces("ipam.ipaddress", "address")
        macs = self._on_interfaces("dcim.macaddress", "mac_address")
        cards: dict[tuple[str, str], list[Asset]] = {}
        for _, model, number, fields in self._lines:
            if model not in _OWNERS:
                continue
            owner, name = _OWNERS[model]
            key = (model, str(number))
            own = [*macs.get(key, ()), *filter(None, [fields.get("mac_address")])][:_MOST]
            vlan = self._get("ipam.vlan", fields.get("untagged_vlan")).get("vid")
            held = [
                {"ip": ip, "mac": mac, "vlan": vlan}
                for ip in ips.get(key, [])[:_MOST] or [""]
                for mac in own or [""]
                if ip or mac
            ]
            cards.setdefault((owner, str(fields.get(name))), []).extend(held)
        return cards

    def _on_interfaces(self, model: str, name: str) -> dict[tuple[str, str], list[str]]:
        """Values of the objects that are assigned to each interface."""
        found: dict[tuple[str, str], list[str]] = {}
        for _, kind, _, fields in self._lines:
            if kind == model and _assigned(fields) and fields.get(name):
                key = (_content_type(fields["assigned_object_type"]), str(fields["assigned_object_id"]))
                found.setdefault(key, []).append(fields[name])
        return found

    def _machine(self, fields: Fields) -> Asset:
        kind = self._get("dcim.devicetype", fields.get("device_type"))
        maker = self._get("dcim.manufacturer", kind.get("manufacturer"))
        return {
            "hostname": fields.get("name"),
            "asset": fields.get("asset_tag"),
            "model": _joined(maker.get("name"), kind.get("model")),
            "owner": self._get("tenancy.tenant", fields.get("tenant")).get("name"),
            "site": self._get("dcim.site", fields.get("site")).get("name"),
            "location": self._get("dcim.location", fields.get("location")).get("name"),
        }

    def _prefix(self, fields: Fields) -> Asset:
        site = fields.get("site")
        if site is None and _content_type(fields.get("scope_type")) == "dcim.site":
            site = fields.get("scope_id")
        return {
            "segment": fields.get("prefix"),
            "hostname": fields.get("description"),
            "owner": self._get("tenancy.tenant", fields.get("tenant")).get("name"),
            "site": self._get("dcim.site", site).get("name"),
            "vlan": self._get("ipam.vlan", fields.get("vlan")).get("vid"),
        }

    def _get(self, model: str, number: Any) -> Fields:
        return self._fields.get((model, str(number)), {}) if number is not None else {}


def rest_assets(one: Fields) -> Iterator[Asset]:
    """Columns of one object of the REST interface: device, interface, address, MAC or prefix."""
    about = {
        "owner": _name(one.get("tenant")),
        "site": _name(one.get("site")) or _name(one.get("scope")),
        "location": _name(one.get("location")),
    }
    vlan = _brief(one.get("vlan") or one.get("untagged_vlan")).get("vid")
    if "prefix" in one:
        yield {**about, "segment": one["prefix"], "hostname": one.get("description"), "vlan": vlan}
    elif "device_type" in one or "vcpus" in one:
        kind = _brief(one.get("device_type"))
        about |= {
            "hostname": one.get("name"),
            "asset": one.get("asset_tag"),
            "model": _joined(_name(kind.get("manufacturer")), kind.get("model")),
        }
        ips = [ip for key in ("primary_ip4", "primary_ip6") if (ip := _brief(one.get(key)).get("address"))]
        yield from ({**about, "ip": ip} for ip in ips or [None])
    elif "address" in one or "assigned_object" in one:
        machine = _brief(one.get("assigned_object"))
        host = _name(machine.get("device") or machine.get("virtual_machine")) or one.get("dns_name")
        if host or one.get("mac_address"):
            yield {"hostname": host, "ip": one.get("address"), "mac": one.get("mac_address")}
    elif "mac_address" in one or "mac_addresses" in one:
        host = _name(one.get("device") or one.get("virtual_machine"))
        several = one.get("mac_addresses")
        macs = [_brief(mac).get("mac_address") for mac in several] if isinstance(several, list) else []
        for mac in filter(None, macs or [one.get("mac_address")]):
            yield {"hostname": host, "mac": mac, "vlan": vlan, **_far_end(one)}


def _far_end(one: Fields) -> Asset:
    """Switch and port at the other end of an interface's cable, where there is one only."""
    ends = one.get("connected_endpoints")
    if not isinstance(ends, list) or len(ends) != 1:
        return {}
    end = _brief(ends[0])
    switch = _name(end.get("device"))
    return {"switch": switch, "switch_port": end.get("name")} if switch else {}


def _brief(value: Any) -> Fields:
    return value if isinstance(value, dict) else {}


def _name(value: Any) -> str | None:
    brief = _brief(value)
    return brief.get("name") or brief.get("display")


def _assigned(fields: Fields) -> bool:
    return bool(fields.get("assigned_object_type")) and fields.get("assigned_object_id") is not None


def _content_type(value: Any) -> str:
    """``["dcim", "interface"]`` (a natural key) or ``dcim.interface``."""
    return ".".join(map(str, value)) if isinstance(value, list) else str(value or "")


def _joined(*words: Any) -> str | None:
    return " ".join(str(word) for word in words if word) or None
