"""Connections of QUIC whose hello is not whole yet: keys, and what their Initials held."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from netaudit.sources.quic_keys import ClientKeys, suites

MAX_FLOWS = 4096
"""Pairs of ends that are kept; the oldest goes when there are more. A hello takes a second."""

MAX_CONNECTIONS = 8
"""Connections of one pair of ends, and ids of one connection; more is not looked at."""

MAX_CONTENTS = 0x4000
"""Octets of Initials that wait for the rest of a hello, of one connection."""

Ends = tuple[int, ...]
"""Addresses and ports, sender's first."""


@dataclass(slots=True, eq=False)
class Connection:
    """One connection, from its first Initial on."""

    first: bytes
    """The row of the datagram that it began with (`kernels.packet.MESSAGE`), as it lies in memory."""
    version: int
    keys: ClientKeys | None
    """None where nothing is encrypted."""
    contents: list[bytes] = field(default_factory=list)
    size: int = 0
    done: bool = False
    """Whether its hello was given, so that nothing more is wanted of it."""

    def keep(self, contents: bytes) -> None:
        """Add what an Initial held, while there is room."""
        if self.size < MAX_CONTENTS:
            self.contents.append(contents)
            self.size += len(contents)

    def finish(self) -> None:
        """Nothing more is wanted of it."""
        self.done = True
        self.contents.clear()


@dataclass(slots=True, eq=False)
class Flow:
    """What one pair of ends has sent, in one direction."""

    by_id: dict[bytes, Connection] = field(default_factory=dict)
    """By connection id; one connection may have several."""
    failed: int = 0
    """Ordinal of the first packet that no key opens; 0 for none."""


class Flows:
    """All pairs of ends that are remembered."""

    def __init__(self, leave: Callable[[Flow], None]) -> None:
        """Begin with none.

        Args:
            leave: Called with each that is forgotten.
        """
        self._flows: dict[Ends, Flow] = {}
        self._leave = leave

    def sent_by(self, ends: Ends) -> Flow:
        """What was sent from an end to another; new where nothing was."""
        flow = self._flows.get(ends)
        if flow is None:
            flow = self._flows[ends] = Flow()
            if len(self._flows) > MAX_FLOWS:
                self._leave(self._flows.pop(next(iter(self._flows))))
        return flow

    def get(self, ends: Ends) -> Flow | None:
        """What was sent from an end to another, if anything was."""
        return self._flows.get(ends)

    def forget_all(self) -> None:
        """All leave."""
        for flow in self._flows.values():
            self._leave(flow)
        self._flows.clear()


def opened(
    flow: Flow, dcid: bytes, version: int, packet: bytes, number_at: int, first: bytes
) -> Connection | None:
    """The connection whose keys open a packet, which keeps the contents; None where there is none.

    A client goes on with its first keys when it takes the id that the server chose (RFC 9000
    section 7.2), and makes new ones after a Retry (RFC 9001 section 5.2): the tag tells.
    """
    known = flow.by_id.get(dcid)
    for connection in [known] if known else list(dict.fromkeys(flow.by_id.values())):
        contents = connection.keys.decrypt(packet, number_at) if connection.keys else None
        if contents is not None:
            if not connection.done:
                connection.keep(contents)
            if len(flow.by_id) < MAX_CONNECTIONS:
                flow.by_id[dcid] = connection
            return connection
    if known or len(flow.by_id) >= MAX_CONNECTIONS:
        return None
    for suite in suites(version):
        keys = ClientKeys(suite, dcid)
        contents = keys.decrypt(packet, number_at)
        if contents is not None:
            connection = flow.by_id[dcid] = Connection(first, version, keys)
            connection.keep(contents)
            return connection
    return None


def opened_cut(
    flow: Flow, dcid: bytes, version: int, packet: bytes, number_at: int, first: bytes
) -> Connection | None:
    """A connection of a packet that is cut short and has no tag, of a version that says its keys.

    What it holds is right if it reads as a hello, which is the caller's to see.
    """
    if flow.by_id or len(suites(version)) > 1:
        return None
    keys = ClientKeys(suites(version)[0], dcid)
    connection = flow.by_id[dcid] = Connection(first, version, keys)
    connection.keep(keys.decrypt_cut(packet, number_at))
    return connection
