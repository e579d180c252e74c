"""The resolvers' query logs (BIND 9) and the gateways' session logs (conntrack events)."""

from __future__ import annotations

import zlib
from pathlib import Path

from netaudit.demo.clock import SECOND, bind_stamp
from netaudit.demo.traffic import TIME_WAIT_US, Connection, Datagrams, Lookup, Schedule, parts
from netaudit.demo.week import END_US

_UDP_TIMEOUT_US = 30 * SECOND
_CLIENT_POINTERS = ("0x7fea21a32098", "0x7fea1dbcb098", "0x7fea204f1898")
_SYN_BYTES, _PLAIN_BYTES = 32, 20


def write_query_log(path: Path, schedule: Schedule, resolver: str) -> dict[str, list[int]]:
    """Write the query log of one resolver; returns the line numbers of each tag."""
    asked = [lookup for lookup in schedule.lookups if lookup.resolver == resolver]
    path.write_text("".join(_query_line(lookup) for lookup in asked), encoding="utf-8", newline="\n")
    return numbered([lookup.tag for lookup in asked])


def write_session_log(path: Path, schedule: Schedule, egress: str) -> dict[str, list[int]]:
    """Write what ``conntrack -E -e NEW,DESTROY -o timestamp,id`` prints on the gateway of `egress`."""
    lines: list[tuple[int, str, str]] = []
    for connection in schedule.connections:
        if connection.public_ip and connection.stay.device.segment.egress == egress:
            lines.extend(_connection_lines(connection))
    for datagrams in schedule.datagrams:
        if datagrams.public_ip == egress:
            lines.extend(_datagram_lines(datagrams))
    lines = sorted(line for line in lines if line[0] < END_US)
    path.write_text(
        "".join(f"[{at // SECOND}.{at % SECOND:06}]\t{text}\n" for at, text, _ in lines),
        encoding="utf-8",
        newline="\n",
    )
    return numbered([tag for _, _, tag in lines])


def numbered(tags: list[str]) -> dict[str, list[int]]:
    """Line numbers, from 1, of each tag that is not empty."""
    numbers: dict[str, list[int]] = {}
    for number, tag in enumerate(tags, start=1):
        if tag:
            numbers.setdefault(tag, []).append(number)
    return numbers


def _query_line(lookup: Lookup) -> str:
    pointer = _CLIENT_POINTERS[lookup.port % len(_CLIENT_POINTERS)]
    flags = "+" + ("E(0)" if lookup.edns else "") + ("T" if lookup.tcp else "")
    return (
        f"{bind_stamp(lookup.at_us)} queries: info: client @{pointer} {lookup.stay.address}#{lookup.port} "
        f"({lookup.name}): query: {lookup.name} IN {lookup.qtype} {flags} ({lookup.resolver})\n"
    )


def _connection_lines(connection: Connection) -> list[tuple[int, str, str]]:
    there = f"src={connection.client} dst={connection.server} sport={connection.client_port} dport={connection.server_port}"
    back = (
        f"src={connection.server} dst={connection.public_ip} "
        f"sport={connection.server_port} dport={connection.public_port}"
    )
    packets = parts(connection)
    header = 40 if ":" in connection.client else 20
    sizes = {
        outward: [
            header + (_SYN_BYTES if part.flags & 2 else _PLAIN_BYTES) + part.size
            for part in packets
            if part.outward == outward
        ]
        for outward in (True, False)
    }
    end = connection.at_us + packets[-1].after_us + TIME_WAIT_US
    counts = [f"packets={len(sizes[side])} bytes={sum(sizes[side])}" for side in (True, False)]
    ident = f"id={zlib.crc32(there.encode())}"
    return [
        (
            connection.at_us,
            f"    [NEW] tcp      6 120 SYN_SENT {there} [UNREPLIED] {back} {ident}",
            connection.tag,
        ),
        (
            end,
            (
                f"[DESTROY] tcp      6 TIME_WAIT {there} {counts[0]} {back} {counts[1]} [ASSURED] "
                f"delta-time={(end - connection.at_us) // SECOND} {ident}"
            ),
            connection.tag,
        ),
    ]


def _datagram_lines(one: Datagrams) -> list[tuple[int, str, str]]:
    there = f"src={one.client} dst={one.server} sport={one.client_port} dport={one.server_port}"
    back = f"src={one.server} dst={one.public_ip} sport={one.server_port} dport={one.public_port}"
    ident = f"id={zlib.crc32(there.encode())}"
    return [
        (one.at_us, f"    [NEW] udp      17 30 {there} [UNREPLIED] {back} {ident}", one.tag),
        (
            one.at_us + _UDP_TIMEOUT_US,
            (
                f"[DESTROY] udp      17 {there} packets=1 bytes={one.bytes_out} {back} "
                f"packets=1 bytes={one.bytes_in} delta-time=30 {ident}"
            ),
            one.tag,
        ),
    ]
