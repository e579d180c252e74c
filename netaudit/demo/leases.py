"""Who was given which address: ISC dhcpd's lease journal and dnsmasq's log."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from netaudit.demo.clock import SECOND, lease_stamp, syslog_stamp
from netaudit.demo.logs import numbered
from netaudit.demo.office import Segment
from netaudit.demo.traffic import Schedule, Stay
from netaudit.demo.week import END_US

_JOURNAL_HEAD = (
    "# The format of this file is documented in the dhcpd.leases(5) manual page.",
    "# This lease file was written by isc-dhcp-4.4.3-P1",
    "",
    "# authoring-byte-order entry is generated, DO NOT DELETE",
    "authoring-byte-order little-endian;",
    "",
    r'server-duid "\000\001\000\0012\225\317\301\000\000^\000S\360";',
    "",
)
NO_SILENCE = (0, 0)


class Entry(NamedTuple):
    """One block of the journal."""

    written_us: int
    address: str
    granted_us: int
    active: bool
    stay: Stay


def grants(stay: Stay) -> Iterator[int]:
    """When the address is granted and renewed: at arrival, then at half the lease (RFC 2131, 4.4.5)."""
    return iter(range(stay.start_us, stay.end_us, stay.device.segment.lease_s * SECOND // 2))


def write_lease_journal(
    path: Path, schedule: Schedule, segment: Segment, silent_us: tuple[int, int] = NO_SILENCE
) -> dict[str, list[int]]:
    """Write the ``dhcpd.leases`` of one segment; returns the first line of each tag's blocks.

    Args:
        path: The file.
        schedule: The week.
        segment: Whose leases.
        silent_us: Span in which the server wrote nothing; what was granted in it is nowhere.
    """
    lines = list(_JOURNAL_HEAD)
    numbers: dict[str, list[int]] = {}
    for entry in sorted(_entries(schedule, segment), key=lambda entry: entry[:4]):
        if any(silent_us[0] <= at < silent_us[1] for at in (entry.written_us, entry.granted_us)):
            continue
        if entry.stay.tag:
            numbers.setdefault(entry.stay.tag, []).append(len(lines) + 1)
        lines.extend(_block(entry, segment))
    path.write_text("\n".join([*lines, ""]), encoding="utf-8", newline="\n")
    return numbers


def write_dnsmasq_log(path: Path, schedule: Schedule, segment: Segment) -> dict[str, list[int]]:
    """Write dnsmasq's DHCP messages of one segment; returns the line numbers of each tag."""
    events = [
        (at, stay.address, stay.device, at == stay.start_us, stay.tag)
        for stay in schedule.stays
        if stay.device.segment is segment
        for at in grants(stay)
    ]
    lines: list[str] = []
    tags: list[str] = []
    for at, address, device, first, tag in sorted(events, key=lambda event: event[:2]):
        stamp = f"{syslog_stamp(at)} dnsmasq-dhcp[1187]:"
        found = (
            [
                f"{stamp} DHCPDISCOVER(br-office) {device.mac}",
                f"{stamp} DHCPOFFER(br-office) {address} {device.mac}",
            ]
            if first
            else []
        )
        found += [
            f"{stamp} DHCPREQUEST(br-office) {address} {device.mac}",
            f"{stamp} DHCPACK(br-office) {address} {device.mac} {device.name}",
        ]
        lines += found
        tags += [*[""] * (len(found) - 1), tag]
    path.write_text("\n".join([*lines, ""]), encoding="utf-8", newline="\n")
    return numbered(tags)


def _entries(schedule: Schedule, segment: Segment) -> Iterator[Entry]:
    for stay in schedule.stays:
        if stay.device.segment is not segment:
            continue
        granted = stay.start_us
        for granted in grants(stay):
            yield Entry(granted, stay.address, granted, active=True, stay=stay)
        expires = granted + segment.lease_s * SECOND
        if expires < END_US:
            yield Entry(expires, stay.address, granted, active=False, stay=stay)


def _block(entry: Entry, segment: Segment) -> list[str]:
    ends = entry.granted_us + segment.lease_s * SECOND
    device = entry.stay.device
    states = (
        ["  binding state active;", "  next binding state free;", "  rewind binding state free;"]
        if entry.active
        else ["  binding state free;"]
    )
    return [
        f"lease {entry.address} {{",
        f"  starts {lease_stamp(entry.granted_us)};",
        f"  ends {lease_stamp(ends)};",
        *([] if entry.active else [f"  tstp {lease_stamp(ends)};"]),
        f"  cltt {lease_stamp(entry.granted_us)};",
        *states,
        f"  hardware ethernet {device.mac};",
        f'  uid "\\001{_escaped(bytes.fromhex(device.mac.replace(":", "")))}";',
        *([f'  client-hostname "{device.name}";'] if entry.active and device.name else []),
        "}",
    ]


def _escaped(octets: bytes) -> str:
    """As dhcpd writes a uid: printable ASCII as it is, the rest in octal."""
    return "".join(
        chr(octet) if 0x20 < octet < 0x7F and octet not in b'"\\' else f"\\{octet:03o}" for octet in octets
    )
