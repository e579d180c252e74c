"""What happens in the week, as values: stays, look-ups, connections. All files are written from these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from netaudit.demo.office import Device
from netaudit.demo.payloads import Message, dns_query_size, http_messages, tls_messages

SEGMENT_BYTES = 1400
SYN, SYN_ACK, ACK, PSH_ACK, FIN_ACK = 0x02, 0x12, 0x10, 0x18, 0x11
TIME_WAIT_US = 10_000_000
"""How long the gateways keep a closed session (nf_conntrack_tcp_timeout_time_wait)."""


@dataclass(frozen=True, slots=True)
class Stay:
    """A device on the network with one address, from arrival to leaving."""

    device: Device
    address: str
    start_us: int
    end_us: int
    tag: str = ""
    """Name of the incident that it belongs to, for the answer key."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """A DNS query and its response."""

    at_us: int
    stay: Stay
    port: int
    resolver: str
    name: str
    qtype: str
    message_id: int
    latency_us: int
    edns: bool = False
    tcp: bool = False
    truncated: bool = False
    public_port: int = 0
    """At the egress, where the resolver is outside."""
    tag: str = ""


class Route(NamedTuple):
    """Both ends of a connection, and what the egress makes of the client's."""

    client: str
    client_port: int
    server: str
    server_port: int
    public_ip: str = ""
    """The client's own over IPv6, empty where the server is inside."""
    public_port: int = 0


@dataclass(frozen=True, slots=True)
class Connection:
    """A TCP connection to a server, with the sizes of what is said on it."""

    at_us: int
    stay: Stay
    client: str
    client_port: int
    server: str
    server_port: int
    public_ip: str
    public_port: int
    name: str
    rtt_us: int
    certificate: int
    request: int
    response: int
    linger_us: int
    """How long it stays idle before the client closes it."""
    number: int
    """Of this connection in the week; seeds what looks random in its packets."""
    tag: str = ""

    def messages(self) -> tuple[Message, ...]:
        """What the two sides say, in order."""
        if self.server_port == 443:
            return tls_messages(self.name, self.certificate, self.request, self.response)
        if self.server_port == 80:
            return http_messages(self.name, self.response)
        return dns_query_size(self.name)


@dataclass(frozen=True, slots=True)
class Datagrams:
    """A UDP exchange of one packet each way across the egress."""

    at_us: int
    client: str
    client_port: int
    server: str
    server_port: int
    public_ip: str
    public_port: int
    bytes_out: int
    bytes_in: int
    tag: str = ""


class Part(NamedTuple):
    """One packet of a connection, before it has bytes."""

    after_us: int
    """After the connection's start."""
    outward: bool
    flags: int
    message: int = -1
    """Index into `Connection.messages`; -1 = no payload."""
    offset: int = 0
    size: int = 0


def parts(connection: Connection) -> list[Part]:
    """The packets of a connection as a mirror port near the client sees them, in order."""
    rtt = connection.rtt_us
    packets = [Part(0, outward=True, flags=SYN), Part(rtt, outward=False, flags=SYN_ACK)]
    clock = rtt + 120
    packets.append(Part(clock, outward=True, flags=ACK))
    for index, message in enumerate(connection.messages()):
        clock += 400 if message.outward else rtt
        for turn, offset in enumerate(range(0, message.size, SEGMENT_BYTES)):
            size = min(SEGMENT_BYTES, message.size - offset)
            last = offset + size == message.size
            flags = PSH_ACK if last else ACK
            packets.append(Part(clock, message.outward, flags, index, offset, size))
            if not message.outward and (turn % 2 or last):
                packets.append(Part(clock + 45, outward=True, flags=ACK))
            clock += 90
    clock += connection.linger_us
    packets.append(Part(clock, outward=True, flags=FIN_ACK))
    packets.append(Part(clock + rtt, outward=False, flags=FIN_ACK))
    packets.append(Part(clock + rtt + 60, outward=True, flags=ACK))
    return packets


@dataclass(frozen=True, slots=True)
class Schedule:
    """Everything that happens, each list in order of time."""

    stays: tuple[Stay, ...]
    lookups: tuple[Lookup, ...]
    connections: tuple[Connection, ...]
    datagrams: tuple[Datagrams, ...]
