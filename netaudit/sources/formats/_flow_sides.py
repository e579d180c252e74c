"""Which end of a translated flow is inside, which is public: for every log that gives both tuples.

A translator sees a flow twice: as its opener asked, and as it went on. Where the source changed,
the opener is inside and the new source is the public side. Where only the destination changed, a
server was published: what was asked for is the public side, and the new destination is inside.
But where a private opener asks and its destination is translated, the opener is the inside host
(a redirected DNS query, say) and nothing was published.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.records.addresses import parse_ip
from netaudit.records.schemas import IP, TIMESTAMP
from netaudit.sources.formats._values import mask

PRIVATE = (
    r"^(?:10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\."
    r"|169\.254\.|127\.|[fF][cCdD]|[fF][eE][89abAB])"
)
"""Addresses as text that no public network routes (RFC 1918, 6598, 3927, 4193, 4291)."""
CUT_OFF = "A flow is cut off or has no reply tuple."
BAD_END = "An address or port of a flow is none, or cut off."
TORN = "A translation is cut off, or has no readable addresses."
TORN_PACKET = "A packet is cut off, or has no readable addresses."
_MAX_PORT = 65_535


@dataclass(frozen=True, slots=True)
class Tuples:
    """A tuple of each flow; addresses as text, ports as `numbers` gives them."""

    src: pa.StringArray
    dst: pa.StringArray
    sport: np.ndarray
    dport: np.ndarray


def numbers(text: pa.Array) -> np.ndarray:
    """Port numbers as int32; -1 where there is none, over 65535 where what is written is none."""
    short = pc.if_else(pc.match_substring_regex(text, r"^\d{1,6}$"), text, "999999")
    ports: np.ndarray = pc.fill_null(short.cast(pa.int32()), -1).to_numpy(zero_copy_only=False)
    return ports


def flow_sides(
    asked: Tuples, seen: Tuples, known: Callable[[str], bytes | None] = parse_ip
) -> tuple[dict[str, pa.Array], np.ndarray]:
    """The columns of client, public and server side of each flow; and which flows hold.

    Args:
        asked: Source and destination as the opener sent them.
        seen: The same behind the translator.
        known: Reads an address; a format may remember those that come back in every chunk.
    """
    coded = pa.concat_arrays([asked.src, asked.dst, seen.src, seen.dst]).dictionary_encode()
    codes = pc.fill_null(coded.indices, -1).to_numpy(zero_copy_only=False).reshape(4, -1)
    packed = pa.array([known(text) for text in coded.dictionary.to_pylist()] + [None], IP)
    private = np.append(mask(pc.match_substring_regex(coded.dictionary, PRIVATE)), False)
    good = mask(pc.is_valid(packed))[codes].all(axis=0)
    ports = np.stack((asked.sport, asked.dport, seen.sport, seen.dport))
    good &= ports.max(axis=0) <= _MAX_PORT
    asked_src, asked_dst, seen_src, seen_dst = codes
    source = (asked_src != seen_src) | (asked.sport != seen.sport)
    target = (asked_dst != seen_dst) | (asked.dport != seen.dport)
    published = target & ~source & ~private[asked_src]

    def address(code: np.ndarray, absent: np.ndarray | None = None) -> pa.Array:
        missing = code < 0 if absent is None else absent | (code < 0)
        return packed.take(pa.array(code, mask=missing))

    def number(value: np.ndarray) -> pa.Array:
        outside = (value < 0) | (value > _MAX_PORT)
        return pa.array(np.where(outside, 0, value).astype(np.uint16), mask=outside)

    return {
        "client_ip": address(np.where(published, seen_dst, asked_src)),
        "client_port": number(np.where(published, seen.dport, asked.sport)),
        "server_ip": address(np.where(published, asked_src, asked_dst)),
        "server_port": number(np.where(published, asked.sport, asked.dport)),
        "public_ip": address(np.where(published, asked_dst, seen_src), ~(published | source)),
        "public_port": number(np.where(published, asked.dport, np.where(source, seen.sport, -1))),
    }, good


def snapshot_begin(told: pa.Array, age: pa.Array, taken: int) -> pa.Array:
    """When the flows of a snapshot began: as told, or by their age in seconds; null where unknown."""
    ago = pc.multiply(age.cast(pa.int64()), 10**9)
    return pc.coalesce(told, pc.subtract(pa.scalar(taken, pa.int64()), ago).cast(TIMESTAMP))
