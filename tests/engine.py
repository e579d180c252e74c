"""The kernels from frames to messages and flows, without files and without threads."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from netaudit.kernels import (
    assembly,
    collect,
    dissect,
    flows,
    fragments,
    losses,
    packet,
    quic,
    streams,
    traffic,
)
from netaudit.kernels.octets import octets_of
from netaudit.kernels.packet import Kind

START = 1_700_000_000


class Message(NamedTuple):
    kind: str
    octets: bytes
    ordinal: int
    ends: tuple[str, str]
    flow: int
    back: bool


def rows_of(frames, link=1, begin=0):
    """Frames one behind the other, and their `PACKET` rows with the headers read; one a second."""
    rows = np.zeros(len(frames), packet.PACKET)
    ends = np.cumsum([len(frame) for frame in frames])
    rows["end"] = ends
    rows["at"] = ends - [len(frame) for frame in frames]
    rows["caplen"] = rows["wirelen"] = rows["end"] - rows["at"]
    rows["link"], rows["timed"] = link, 1
    rows["ordinal"] = begin + 1 + np.arange(len(frames))
    rows["ts"] = (START + begin + np.arange(len(frames))) * 10**9
    data = octets_of(b"".join(frames))
    dissect.dissect(data, rows, 0, len(rows))
    return data, rows


class Engine:
    """Fragments, flows and streams; frames may come in any number of parts."""

    def __init__(self, capacity=256, slots=64, large=8, seed=5):
        self.fragments, self.streams = assembly.pool(64, 4), assembly.pool(slots, large)
        self.table = flows.table(capacity, seed)
        self.losses = losses.losses()
        self.found = []
        self.count, self.scratch = 0, np.zeros(1, quic.PACKET)

    def feed(self, *frames, link=1):
        """Take in frames; the messages that they gave."""
        data, rows = rows_of(frames, link, self.count)
        self.count += len(frames)
        spill = len(data.u8)
        data = octets_of(data.u8.tobytes() + bytes(len(frames) * fragments.MAX_DATAGRAM))
        fragments.join(data, rows, 0, len(rows), spill, self.fragments, self.losses)
        block = collect.block(8 * len(frames), 8 << 20)
        reached = traffic.take(
            data, rows, 0, len(rows), self.table, self.streams, block, self.losses, self.scratch
        )
        assert reached == len(rows)
        messages = block.messages[: block.used[collect.MESSAGES]]
        sides = [packet.addresses(messages, side)[:, 12:] for side in ("src", "dst")]
        fresh = [
            Message(
                Kind(m["kind"]).name,
                block.arena.u8[m["at"] : m["at"] + m["length"]].tobytes(),
                int(m["ordinal"]),
                (".".join(map(str, src)), ".".join(map(str, dst))),
                int(m["flow"]),
                bool(m["back"]),
            )
            for m, src, dst in zip(messages, *sides, strict=True)
        ]
        self.found += fresh
        return fresh

    def close(self):
        """What was lost, reason to count."""
        count = int(self.table.counts[0])
        fragments.close(self.fragments, self.losses)
        streams.close(self.streams, self.losses, np.ones(count, np.uint8))
        return {reason: int(loss["count"]) for reason, loss in enumerate(self.losses) if loss["count"]}

    @property
    def flows(self):
        return self.table.rows[: self.table.counts[0]]


def held(pool):
    """Slots of a pool that are in use."""
    return int(pool.slots["used"].sum())
