"""Messages into a block's arena: what every message-finding kernel writes to."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from netaudit.kernels.compiled import part
from netaudit.kernels.octets import Octets, copy, octets
from netaudit.kernels.packet import MESSAGE, Kind, Rows

ROOM, ROWS_ROOM = 1 << 20, 32_768
"""Octets and rows that one packet can fill at most: a block ends before there is less."""

MESSAGES, ARENA, NOW = 0, 1, 2
"""Places in `Block.used`: rows filled, octets filled, the last packet's time. Not the latest time: one packet
with a wrong clock would make everything after it late."""

(DNS, TLS, DTLS, QUIC, HTTP, HTTP2, SOCKS, DHCP, DHCPV6, RADIUS, ARP, ND, WLAN) = map(int, Kind)
"""Kinds of message as plain integers, for kernels."""


class Block(NamedTuple):
    """The messages of a block."""

    messages: Rows
    arena: Octets
    used: npt.NDArray[np.int64]


def block(messages: int, octets_: int) -> Block:
    """An empty block with room for so much; its pages are used as they are touched."""
    return Block(
        np.zeros(messages + ROWS_ROOM, MESSAGE),
        octets(np.empty(octets_ + ROOM, np.uint8)),
        np.zeros(3, np.int64),
    )


@part
def has_room(block: Block) -> bool:
    """Whether another packet's messages fit."""
    rows = block.used[MESSAGES] + ROWS_ROOM <= len(block.messages)
    return rows and block.used[ARENA] + ROOM <= len(block.arena.u8)


@part
def emit(block: Block, packet: Any, kind: int, source: Octets, at: int, length: int) -> Any:
    """A message: its ends are the packet's, its octets are copied. The row, to be corrected or added to."""
    number = min(block.used[MESSAGES], len(block.messages) - 1)
    message = block.messages[number]
    message.at = block.used[ARENA]
    message.length = copy(source, at, length, block.arena, block.used[ARENA])
    block.used[MESSAGES] = number + 1
    block.used[ARENA] += message.length
    message.ts, message.ordinal, message.timed = packet.ts, packet.ordinal, packet.timed
    message.src0, message.src1 = packet.src0, packet.src1
    message.dst0, message.dst1 = packet.dst0, packet.dst1
    message.sport, message.dport = packet.sport, packet.dport
    message.mac, message.has_mac = packet.mac, packet.has_mac
    for depth in range(len(packet.tunnel)):
        message.tunnel[depth] = packet.tunnel[depth]
    message.kind, message.protocol, message.channel = kind, packet.protocol, packet.channel
    message.cut, message.back, message.flow = packet.cut, 0, -1
    return message


@part
def extend(block: Block, message: Any, source: Octets, at: int, length: int) -> None:
    """More octets of the message that was emitted last."""
    copied = copy(source, at, length, block.arena, block.used[ARENA])
    block.used[ARENA] += copied
    message.length += copied
