"""IPv6 neighbour discovery (RFC 4861), which does what ARP does for IPv4, to ``arp`` events.

The client is the address that a message binds to the link address in it: of a solicitation and of
routers' messages the sender, of an advertisement and a redirect the target. A host that asks whether
its own address is free (RFC 4862 section 5.4) has none yet, and binds nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from netaudit.intake.tally import Tally
from netaudit.kernels import packet
from netaudit.kernels.octets import Bytes, Ints
from netaudit.kernels.packet import Kind
from netaudit.sources.messages import Messages, words
from netaudit.sources.protocols import Events, Protocol
from netaudit.sources.protocols._fields import field, frame, hosts, number, stations

MESSAGES: list[str | None] = [
    "router-solicitation",
    "router-advertisement",
    "neighbour-solicitation",
    "neighbour-advertisement",
    "redirect",
]
"""Types from 133 on (RFC 4861 section 4)."""

_CUT_SHORT = "a neighbour discovery message is cut short"

_FIRST = 133
_SOLICITS, _ADVERTISES, _REDIRECTS = 2, 3, 4
_FIXED = np.array([8, 16, 24, 24, 40])
"""Where the options of each begin."""
_SOURCE_LINK, _TARGET_LINK = 1, 2
_LINK = np.array([_SOURCE_LINK, _SOURCE_LINK, _SOURCE_LINK, _TARGET_LINK, _TARGET_LINK])
"""Which option each binds an address with."""
_UNIT = 8


class Reader:
    """Knows nothing from one message to the next."""

    def __init__(self, tally: Tally) -> None:
        """Begin a file."""
        self._tally = tally

    def read(self, messages: Messages) -> Iterator[Events]:
        """Events of a block: of every message that has its fixed part."""
        kind = number(messages, 0, 1) - _FIRST
        known = (kind >= 0) & (kind < len(MESSAGES))
        need = _FIXED[np.where(known, kind, 0)]
        there = messages.rows["length"] >= need
        lost = messages.rows[known & ~there]
        if len(lost):
            size = int(lost["length"].sum())
            self._tally.skip(_CUT_SHORT, lost["ordinal"][:5], count=len(lost), size=size)
        good = np.flatnonzero(known & there)
        if good.size:
            yield _events(messages.take(good), kind[good])

    def close(self) -> Iterator[Events]:
        """Nothing is held back."""
        yield from ()


def _events(messages: Messages, kind: Ints) -> Events:
    src, dst = packet.addresses(messages.rows, "src"), packet.addresses(messages.rows, "dst")
    target, towards = field(messages, 8, 16), field(messages, 24, 16)
    of_target = (kind == _ADVERTISES) | (kind == _REDIRECTS)
    bound = np.where(of_target[:, None], target, src)
    asked = np.where((kind == _SOLICITS)[:, None], target, dst)
    asked = np.where((kind == _REDIRECTS)[:, None], towards, asked)
    link, has_link = link_addresses(messages, _FIXED[kind], _LINK[kind])
    everyone = np.ones(len(messages), np.bool_)
    known = (bound != 0).any(axis=1)  # who has no address yet binds none
    columns = frame(messages.rows) | {
        "client_ip": hosts(bound, everyone),
        "client_mac": stations(link, has_link & known),
        "server_ip": hosts(asked, everyone),
        "message": words(kind, MESSAGES),
    }
    return Events("arp", columns)


def link_addresses(messages: Messages, at: Ints, wanted: Ints) -> tuple[Bytes, np.ndarray]:
    """The first option of a kind that holds an Ethernet address (RFC 4861 section 4.6.1).

    Args:
        messages: Of a block.
        at: ``(n,)`` offset of each one's first option.
        wanted: ``(n,)`` the option's type.

    Returns:
        ``(n, 6)`` octets, and which messages have one.
    """
    found = np.zeros((len(messages), 6), np.uint8)
    has = np.zeros(len(messages), np.bool_)
    rows, here = np.arange(len(messages)), at.astype(np.int64)
    while rows.size:  # ends: each round goes on by eight octets at least, and no message has endless ones
        part = messages.take(rows)
        head = field(part, here, _UNIT)
        size = head[:, 1].astype(np.int64) * _UNIT
        whole = (size > 0) & (here + size <= part.rows["length"])
        hit = whole & (head[:, 0] == wanted[rows])
        found[rows[hit]], has[rows[hit]] = head[hit, 2:], True
        go = whole & ~hit
        rows, here = rows[go], here[go] + size[go]
    return found, has


PROTOCOL = Protocol("IPv6 neighbour discovery", (Kind.ND,), Reader)
