"""What is read out of a capture: one module a protocol, found by its name.

A protocol gets the messages of one block of packets after another and gives events. What a member
must have is a constant ``PROTOCOL``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from typing import Protocol as Interface

from netaudit.intake.tally import Tally
from netaudit.kernels.octets import Ints
from netaudit.kernels.packet import Kind
from netaudit.sources.messages import Messages


@dataclass(frozen=True, slots=True)
class Events:
    """Events of one kind, without ``file`` and ``site``."""

    kind: str
    """One of `records.schemas.KINDS`."""
    columns: dict[str, Any]
    """For `records.schemas.conform`; ``ordinal`` is among them and gives the number of rows."""
    flow: Ints | None = None
    """Of each row the number of the flow that its name names, -1 for none; None names no flow."""


class Reader(Interface):
    """What a protocol knows about one file from block to block."""

    def read(self, messages: Messages) -> Iterator[Events]:
        """Events of the messages of a block, which may be none; what must wait is held back, bounded."""
        ...

    def close(self) -> Iterator[Events]:
        """What was held back, and into the tally what never became whole."""
        ...


@dataclass(frozen=True, slots=True)
class Protocol:
    """One protocol of captures."""

    name: str
    takes: tuple[Kind, ...]
    """Kinds of message that it reads."""
    open: Callable[[Tally], Reader]
    """Begins a file; what cannot be read is counted in the tally, with its reason."""
