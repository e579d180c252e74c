"""Lines of Linux' ``ip neigh``, which routers built on Linux print too (``show ipv6 neighbors``)."""

from __future__ import annotations

import re

from netaudit.records.addresses import parse_ip

_STATES = r"(?P<type>(?:REACHABLE|STALE|DELAY|PROBE|FAILED|INCOMPLETE|NOARP|PERMANENT|NONE))"
_LINE = re.compile(
    r"(?P<ip>[0-9a-fA-F.:]{2,45})(?: dev (?P<port>\S{1,32}))?\s+(?:lladdr (?P<mac>[0-9a-fA-F:]{2,60})\s+)?"
    r"(?:(?:router|proxy|offload|managed|extern_learn|extern_valid|ref \d+|used (?P<age>[\d/]+)|probes \d+"
    rf"|proto \w+)\s+)*{_STATES}(?: proto \w+)?\s*\Z"
)


def neighbour(line: str) -> dict[str, str] | None:
    """One neighbour by its cells (``ip``, ``mac``, ``port``, ``type``, ``age``); None where it is none."""
    found = _LINE.match(line)
    if found is None or parse_ip(found["ip"]) is None:
        return None
    return {role: text for role, text in found.groupdict().items() if text}


def only_ipv6(lines: list[str]) -> bool:
    """Whether no neighbour among some lines has an IPv4 address: so print routers' own commands."""
    return not any(cells and ":" not in cells["ip"] for cells in map(neighbour, lines))
