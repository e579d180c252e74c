"""ARP (RFC 826) over any link with IPv4, and its reverse and inverse kinds, to ``arp`` events.

The client is the sender, whose two addresses the packet binds; the server is whom it asks for or
answers. A host that announces itself (RFC 5227) has the same address in both; one that probes
whether an address is free has none, and binds nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from netaudit.intake.tally import Tally
from netaudit.kernels.octets import Ints
from netaudit.kernels.packet import Kind
from netaudit.sources.messages import Messages, words
from netaudit.sources.protocols import Events, Protocol
from netaudit.sources.protocols._fields import field, frame, hosts, number, stations

OPERATIONS = {
    1: "request", 2: "reply", 3: "reverse-request", 4: "reverse-reply", 8: "inverse-request",
    9: "inverse-reply",
}  # fmt: skip
"""IANA's registry of ARP parameters; numbers beyond are ``operation-N``."""

_CUT_SHORT = "an ARP packet is cut short"
_NO_IPV4 = "an ARP packet is about no IPv4 address"

_IPV4 = 0x0800
_HEADER = 8
_ETHERNET = (1, 6)
"""Hardware types with Ethernet's addresses (Ethernet, IEEE 802)."""


class Reader:
    """Knows nothing from one packet to the next."""

    def __init__(self, tally: Tally) -> None:
        """Begin a file."""
        self._tally = tally

    def read(self, messages: Messages) -> Iterator[Events]:
        """Events of a block: of every packet that has its sender's addresses."""
        protocol, sizes = number(messages, 2, 2), field(messages, 4, 2).astype(np.int64)
        header = messages.rows["length"] >= _HEADER
        of_ipv4 = (protocol == _IPV4) & (sizes[:, 1] == 4)
        there = messages.rows["length"] >= _HEADER + sizes[:, 0] + 4
        self._count(messages, _CUT_SHORT, ~header | (of_ipv4 & ~there), matters=True)
        self._count(messages, _NO_IPV4, header & ~of_ipv4, matters=False)
        good = np.flatnonzero(header & of_ipv4 & there)
        if good.size:
            yield _events(messages.take(good), sizes[good, 0])

    def close(self) -> Iterator[Events]:
        """Nothing is held back."""
        yield from ()

    def _count(self, messages: Messages, reason: str, rows: np.ndarray, *, matters: bool) -> None:
        found = messages.rows[rows]
        if len(found):
            size = int(found["length"].sum())
            self._tally.skip(reason, found["ordinal"][:5], count=len(found), size=size, matters=matters)


def _events(messages: Messages, hardware: Ints) -> Events:
    sender, target = _HEADER + hardware, _HEADER + 2 * hardware + 4
    ethernet = np.isin(number(messages, 0, 2), _ETHERNET) & (hardware == 6)
    everyone = np.ones(len(messages), np.bool_)
    whole = messages.rows["length"] >= target + 4
    operations, index = np.unique(number(messages, 6, 2), return_inverse=True)
    columns = frame(messages.rows) | {
        "client_ip": hosts(field(messages, sender, 4), everyone),
        "client_mac": stations(field(messages, _HEADER, 6), ethernet),
        "server_ip": hosts(field(messages, target, 4), whole),
        "message": words(index, [OPERATIONS.get(n, f"operation-{n}") for n in operations.tolist()]),
    }
    return Events("arp", columns)


PROTOCOL = Protocol("ARP", (Kind.ARP,), Reader)
