"""A gateway's session, before and after it translated the addresses, as inside, public and far end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import Parsed, Rows, extract
from netaudit.intake.times import Context
from netaudit.records.addresses import V4_PREFIX, by_distinct, ip_column, parse_ip
from netaudit.records.schemas import IP
from netaudit.sources.formats._flow_sides import PRIVATE
from netaudit.sources.formats._values import mask, port, refused, words

CUT = "A session is cut off or of an unknown shape."
NO_ADDRESS = "An address of the session is missing or none."
NO_PUBLIC_PORT = "The public port of the session is no port."
NO_PORT = "Some ports inside or far away are no port numbers and were left out."
_UNSPECIFIED = {bytes(16), V4_PREFIX + bytes(4)}
_PROTOCOLS = {
    "1": "icmp", "2": "igmp", "6": "tcp", "17": "udp", "47": "gre", "50": "esp", "51": "ah",
    "58": "icmpv6", "132": "sctp", "ipv6-icmp": "icmpv6", "icmp6": "icmpv6",
}  # fmt: skip
_NO_PROTOCOL = {"any", "reserved", "unknown", "other", "-", "--", "n/a", "null"}


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


def transport_column(text: pa.Array) -> pa.Array:
    """Protocol names in lower case, from names or numbers."""
    return words(text, _protocol)


def _protocol(text: str) -> str | None:
    word = text.strip().lower()
    return None if word in _NO_PROTOCOL else _PROTOCOLS.get(word, word) or None


def sides(told: Printed, transport: pa.Array, context: Context) -> Told:
    """Who is inside, how he looks from outside, and who is far away.

    The client is the opener, except where only the destination was translated for an opener from
    outside (a published server): then it is the server inside, and what was asked is public.

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
    outside = ~mask(pc.match_substring_regex(told.source, PRIVATE))
    published = pa.array(by_target & ~by_source & outside)
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


def stops_short(chunk: Chunk) -> np.ndarray:
    """Which line has no end: the last of a file that was cut, whose last number may lack digits."""
    short = np.zeros(len(chunk.lines), bool)
    if len(short):
        short[-1] = int(chunk.sizes[-1]) == len(chunk.lines[-1].as_py().encode())
    return short


def settle(
    columns: dict[str, pa.Array], refusals: dict[str, np.ndarray], index: np.ndarray
) -> tuple[Rows, dict[str, np.ndarray]]:
    """The sessions that hold, and the lines of the others, each under the first reason that fits.

    Args:
        columns: Of the kind ``nat``.
        refusals: Reason to mask.
        index: Line of each session.
    """
    left = np.ones(len(index), bool)
    rejected = {}
    for reason, wrong in refusals.items():
        rejected[reason] = index[left & wrong]
        left &= ~wrong
    good = pa.array(left)
    return Rows(
        "nat", {name: column.filter(good) for name, column in columns.items()}, index[left]
    ), rejected


def read_lines(
    chunk: Chunk, line: str, begun: str, columns_of: Callable[[dict[str, pa.Array]], Told]
) -> Parsed:
    """The sessions of a log that has one a line.

    Args:
        chunk: Lines.
        line: Expression of a whole line, with named groups.
        begun: Expression of what begins one: a line with it that is not whole is refused.
        columns_of: Turns the groups into columns and refusals.
    """
    index, got = extract(chunk.lines, line)
    torn = np.setdiff1d(np.flatnonzero(mask(pc.match_substring_regex(chunk.lines, begun))), index)
    rows, rejected = settle(*columns_of(got), index)
    rejected[CUT] = np.concatenate((rejected.get(CUT, index[:0]), torn))
    return Parsed(
        [rows] if len(rows.line) else [], refused(rejected), len(chunk.lines) - len(index) - len(torn)
    )
