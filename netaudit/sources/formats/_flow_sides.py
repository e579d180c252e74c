"""Which end of a translated flow is inside, which is public: out of both tuples, or of what a gateway prints.

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

from netaudit.intake.times import Context
from netaudit.records.addresses import V4_PREFIX, by_distinct, ip_column, parse_ip
from netaudit.records.schemas import IP, TIMESTAMP
from netaudit.sources.formats._values import mask, port

PRIVATE = (
    r"^(?:10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\."
    r"|169\.254\.|127\.|[fF][cCdD]|[fF][eE][89abAB])"
)
"""Addresses as text that no public network routes (RFC 1918, 6598, 3927, 4193, 4291)."""
CUT_OFF = "A flow is cut off or has no reply tuple."
BAD_END = "An address or port of a flow is none, or cut off."
TORN = "A translation is cut off, or has no readable addresses."
TORN_PACKET = "A packet is cut off, or has no readable addresses."
NO_ADDRESS = "An address of the session is missing or none."
NO_PUBLIC_PORT = "The public port of the session is no port."
NO_PORT = "Some ports inside or far away are no port numbers and were left out."
_MAX_PORT = 65_535
_UNSPECIFIED = {bytes(16), V4_PREFIX + bytes(4)}


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
    published = _published(source, target, private[asked_src])

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


def _published(source: np.ndarray, target: np.ndarray, private: np.ndarray) -> np.ndarray:
    """Where an opener from outside, whose address stayed, reached a host inside.

    Args:
        source: Where the opener's side was translated.
        target: Where the other was.
        private: Where the opener has a private address.
    """
    return np.asarray(target & ~source & ~private)


@dataclass(frozen=True, slots=True)
class Printed:
    """Texts of some sessions as the gateway prints them; a part that it does not print is null."""

    source: pa.Array
    source_port: pa.Array
    target: pa.Array
    target_port: pa.Array
    nat_source: pa.Array
    nat_source_port: pa.Array
    nat_target: pa.Array
    nat_target_port: pa.Array

    @staticmethod
    def nothing(count: int) -> pa.Array:
        """The column of a part that a gateway does not print."""
        return pa.nulls(count, pa.string())


Told = tuple[dict[str, pa.Array], dict[str, np.ndarray]]
"""Columns of sessions, and reason to mask of those that are to be refused."""


def session_sides(told: Printed, transport: pa.Array, context: Context) -> Told:
    """Who is inside, how he looks from outside, and who is far away.

    The client is the opener, or the published server, as in `flow_sides`; but parts may be missing, and
    addresses that are printed without having changed are the public side, too.

    Args:
        told: The texts.
        transport: Of `transport_column`: where a protocol has ports, a translated port of 0 means
            that ports are not translated, and the public port is null.
        context: Gets a note of ports that are none.

    Returns:
        The columns, and reason to mask of the sessions that are to be refused.
    """
    source, target = ip_column(told.source), ip_column(told.target)
    nat_source, nat_target = _translated(told.nat_source), _translated(told.nat_target)
    source_port, target_port = port(told.source_port), port(told.target_port)
    nat_source_port, nat_target_port = port(told.nat_source_port), port(told.nat_target_port)
    by_source = _differs(nat_source, source) | (_known(nat_source) & _differs(nat_source_port, source_port))
    by_target = _differs(nat_target, target) | (_known(nat_target) & _differs(nat_target_port, target_port))
    private = mask(pc.match_substring_regex(told.source, PRIVATE))
    published = pa.array(_published(by_source, by_target, private))
    public_text = pc.if_else(published, told.target_port, told.nat_source_port)
    public_port = pc.if_else(published, target_port, nat_source_port)
    public = pc.if_else(published, target, nat_source)
    with_ports = mask(pc.is_in(transport, value_set=pa.array(["tcp", "udp", "sctp"])))
    untranslated = with_ports & mask(pc.equal(public_port, 0))
    columns = {
        "client_ip": pc.if_else(published, nat_target, source),
        "client_port": pc.if_else(published, pc.coalesce(nat_target_port, target_port), source_port),
        "server_ip": pc.if_else(published, source, target),
        "server_port": pc.if_else(published, source_port, target_port),
        "public_ip": public,
        "public_port": pc.if_else(pa.array(~_known(public) | untranslated), None, public_port),
        "transport": transport,
    }
    texts, ports = (told.source_port, told.target_port), (source_port, target_port)
    if any((_known(text) & ~_known(number)).any() for text, number in zip(texts, ports, strict=True)):
        context.notes.add(NO_PORT)
    broken = (_known(told.nat_source) & ~_known(ip_column(told.nat_source))) | (
        _known(told.nat_target) & ~_known(ip_column(told.nat_target))
    )
    return columns, {
        NO_ADDRESS: ~_known(source) | ~_known(target) | broken,
        NO_PUBLIC_PORT: _known(public) & _known(public_text) & ~_known(public_port),
    }


def _translated(text: pa.Array) -> pa.Array:
    """Addresses; null where the gateway writes that nothing was translated (``0.0.0.0``, ``::``)."""
    return by_distinct(text, lambda word: None if (ip := parse_ip(word)) in _UNSPECIFIED else ip, IP)


def _known(column: pa.Array) -> np.ndarray:
    return mask(pc.is_valid(column))


def _differs(one: pa.Array, other: pa.Array) -> np.ndarray:
    """Where both are known and are not the same."""
    return mask(pc.not_equal(one, other))


def snapshot_begin(told: pa.Array, age: pa.Array, taken: int) -> pa.Array:
    """When the flows of a snapshot began: as told, or by their age in seconds; null where unknown."""
    ago = pc.multiply(age.cast(pa.int64()), 10**9)
    return pc.coalesce(told, pc.subtract(pa.scalar(taken, pa.int64()), ago).cast(TIMESTAMP))
