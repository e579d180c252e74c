"""What one entry of a list says, and what a hit on it is, whatever the list's syntax was."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from enum import StrEnum

from netaudit.records.addresses import Network, format_ip, in_network
from netaudit.records.names import split_labels


class Scope(StrEnum):
    """Which names a name entry covers."""

    EXACT = "exact"
    SUBTREE = "subtree"
    """Itself and everything below."""
    BELOW = "below"
    """Below only."""
    ONE_LABEL = "one-label"
    """Exactly one label below."""

    @property
    def code(self) -> int:
        """Its place in this enumeration, for columns."""
        return list(Scope).index(self)


NETWORK = "network"
"""Kind of an entry that covers addresses."""
PATTERN = "pattern"
"""Kind of an entry that is a mask or regular expression."""


class Polarity(StrEnum):
    """What a hit means."""

    LIST = "list"
    ALLOW = "allow"


class Field(StrEnum):
    """Which column of an event was hit."""

    NAME = "name"
    ANSWER = "answer"
    SERVER_IP = "server_ip"

    @property
    def code(self) -> int:
        """Its place in this enumeration, for columns."""
        return list(Field).index(self)


@dataclass(frozen=True, slots=True)
class Condition:
    """When an entry applies at all. Empty parts always hold.

    What is not known never fulfils a part that demands something, and never violates one that
    only excludes.
    """

    types: frozenset[str] = frozenset()
    """Record types asked for, of which one is demanded."""
    not_types: frozenset[str] = frozenset()
    """Record types that are excluded; without meaning beside `types`."""
    clients: tuple[str | Network, ...] = ()
    """Networks and device names, of which one is demanded."""
    not_clients: tuple[str | Network, ...] = ()
    """Networks and device names that are excluded."""
    except_names: tuple[str, ...] = ()
    """Names that are left out with everything below; such an entry covers no address."""

    def holds(self, value: str, *, qtype: str = "", client: bytes | str = "") -> bool:
        """Whether the entry applies.

        Args:
            value: The name in normal form, or the text of an address.
            qtype: The record type; empty = not known.
            client: The client's address (16 bytes) or the name of its device; empty = not known.
        """
        typed = qtype in self.types if self.types else qtype not in self.not_types
        if not typed or (self.clients and not _is_any(client, self.clients)):
            return False
        if _is_any(client, self.not_clients):
            return False
        return not self.except_names or not self._excepts(value)

    @property
    def limits(self) -> bool:
        """Whether anything is demanded or excluded."""
        return self != Condition()

    def _excepts(self, value: str) -> bool:
        try:
            ipaddress.ip_address(value)
        except ValueError:
            labels = split_labels(value)
            parents = {".".join(labels[depth:]) for depth in range(len(labels))}
            return not parents.isdisjoint(self.except_names)
        return True


def _is_any(client: bytes | str, wanted: tuple[str | Network, ...]) -> bool:
    if not client:
        return False
    if isinstance(client, str):
        return client in wanted
    return any(not isinstance(w, str) and in_network(client, w) for w in wanted)


@dataclass(frozen=True, slots=True)
class Hit:
    """An entry that covers a subject, with everything needed to show the original again."""

    list_id: str
    entry: str
    """The entry as it stands in the list."""
    line: int
    """Physical line of the list, from 1."""
    sha256: str
    """Of the list's file."""
    date: str
    """When the list was retrieved, ISO 8601; empty = not known."""
    category: str
    severity: str
    kind: str
    """A `Scope`, `NETWORK` or `PATTERN`."""
    covers: str
    """The name, network (CIDR) or regular expression in normal form."""
    polarity: Polarity = Polarity.LIST
    reason: str = ""
    """Of an allow-list: why it allows."""


def network_text(packed: bytes, prefix: int) -> str:
    """A network of 16-byte addresses and a prefix length of 0 to 128 in CIDR notation."""
    text = format_ip(packed)
    return f"{text}/{prefix - 96 if '.' in text and prefix >= 96 else prefix}"
