"""The capture of the two mirror ports: what the schedule looks like as packets, before NAT."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path
from random import Random

from netaudit.demo.clock import moment
from netaudit.demo.frames import Ends, TcpState, tcp_frame, udp_frame
from netaudit.demo.office import NET_RESOLVER_MAC, Device
from netaudit.demo.payloads import message_bytes
from netaudit.demo.pcapng import Captured, pcapng_blocks
from netaudit.demo.traffic import Connection, Lookup, Schedule, parts
from netaudit.demo.world import dns_messages

WINDOWS_US = (
    (moment(4, "13:30:00"), moment(4, "15:00:00")),
    (moment(5, "09:30:00"), moment(5, "11:00:00")),
)
"""A mirror port is not always on."""
COMMENT = "netaudit demo: made-up traffic of an office that does not exist; no real person's data"
INTERFACES = (
    ("gov", "mirror port of the extranet trunk, VLAN-tagged"),
    ("internet", "mirror port of the Internet office"),
)
_NOISE_BYTES = 1 << 16
_LONGEST_TURN = 1 << 14
_CLIENT_TTL, _SERVER_TTL, _RESOLVER_TTL = 64, 52, 63


def write_capture(path: Path, schedule: Schedule) -> dict[str, list[int]]:
    """Write the capture; returns the packet numbers of each tag."""
    packets = [
        packet for lookup in schedule.lookups if not lookup.tcp for packet in _lookup_packets(lookup)
    ]
    for connection in schedule.connections:
        if any(begin - 120_000_000 < connection.at_us < end for begin, end in WINDOWS_US):
            packets.extend(_connection_packets(connection))
    seen = sorted(
        (p for p in packets if any(begin <= p.at_us < end for begin, end in WINDOWS_US)),
        key=lambda packet: (packet.at_us, packet.interface),
    )
    path.write_bytes(b"".join(pcapng_blocks(COMMENT, INTERFACES, seen)))
    numbers: dict[str, list[int]] = {}
    for number, packet in enumerate(seen, start=1):
        if packet.tag:
            numbers.setdefault(packet.tag, []).append(number)
    return numbers


def _lookup_packets(lookup: Lookup) -> Iterator[Captured]:
    if not any(begin - 10**6 < lookup.at_us < end for begin, end in WINDOWS_US):
        return
    device = lookup.stay.device
    there, back = _ends(device, (lookup.stay.address, lookup.port), (lookup.resolver, 53))
    messages = dns_messages(lookup.name, lookup.qtype, edns=lookup.edns, truncated=lookup.truncated)
    query, response = (lookup.message_id.to_bytes(2, "big") + wire[2:] for wire in messages)
    mirror = device.segment.mirror
    yield Captured(
        lookup.at_us, mirror, udp_frame(there, query, lookup.message_id, _CLIENT_TTL), lookup.tag
    )
    yield Captured(
        lookup.at_us + lookup.latency_us,
        mirror,
        udp_frame(back, response, lookup.message_id ^ 0x5A5A, _RESOLVER_TTL),
        lookup.tag,
    )


def _connection_packets(connection: Connection) -> Iterator[Captured]:
    device = connection.stay.device
    ends = _ends(
        device, (connection.client, connection.client_port), (connection.server, connection.server_port)
    )
    random = Random(connection.number)  # noqa: S311 -- sequence numbers of made-up traffic
    position = random.randrange(_NOISE_BYTES)
    noise = _noise()[position : position + _LONGEST_TURN]
    turns = [message_bytes(message, connection.name, noise) for message in connection.messages()]
    ident = random.randrange(1 << 16)
    sent = [
        random.randrange(1 << 32),
        random.randrange(1 << 32),
    ]  # next sequence number: client's, server's
    for count, part in enumerate(parts(connection)):
        side = 0 if part.outward else 1
        payload = turns[part.message][part.offset : part.offset + part.size] if part.message >= 0 else b""
        state = TcpState(sent[side], sent[1 - side], part.flags)
        yield Captured(
            connection.at_us + part.after_us,
            device.segment.mirror,
            tcp_frame(
                ends[side],
                state,
                payload,
                (ident + side * 7_919 + count) & 0xFFFF,
                _SERVER_TTL if side else _CLIENT_TTL,
            ),
            connection.tag,
        )
        sent[side] = (sent[side] + len(payload) + (1 if part.flags & 3 else 0)) & 0xFFFFFFFF


def _ends(device: Device, client: tuple[str, int], server: tuple[str, int]) -> tuple[Ends, Ends]:
    """Both directions between a client's and a server's address and port."""
    segment = device.segment
    on_link = server[0].startswith(f"{segment.prefix}.")
    neighbour = NET_RESOLVER_MAC if on_link else segment.gateway_mac
    return (
        Ends(device.mac, neighbour, segment.vlan, client[0], server[0], client[1], server[1]),
        Ends(neighbour, device.mac, segment.vlan, server[0], client[0], server[1], client[1]),
    )


@functools.cache
def _noise() -> bytes:
    """What stands for keys and sealed records."""
    return Random(65_537).randbytes(_NOISE_BYTES + _LONGEST_TURN)  # noqa: S311 -- filler, no secret
