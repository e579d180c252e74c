"""Packets to flows: group five-tuples exactly, add up each direction."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from netaudit.kernels.window import Bools, Ints, Octets

SYN, ACK = 0x02, 0x10


class Groups(NamedTuple):
    """Which rows are equal."""

    first: Ints
    """The first row of each group; groups are in the order of these."""
    of: Ints
    """Of each row: its group."""


def group(keys: np.ndarray) -> Groups:
    """Group equal rows of an ``(n, w)`` uint64 array, exactly.

    Rows are sorted by a hash; where two different rows share one (somebody can make them so),
    all columns are sorted instead.
    """
    count = len(keys)
    if not count:
        return Groups(np.zeros(0, np.int64), np.zeros(0, np.int64))
    mixed = _mix(keys)
    order = np.argsort(mixed, kind="stable")
    differs = mixed[order[1:]] != mixed[order[:-1]]
    unlike = (keys[order[1:]] != keys[order[:-1]]).any(axis=1)
    if (unlike & ~differs).any():
        order = np.lexsort(keys.T)
        unlike = (keys[order[1:]] != keys[order[:-1]]).any(axis=1)
    number = np.concatenate(([0], np.cumsum(unlike)))
    first = order[np.append(True, unlike)]
    by_first = np.argsort(first)
    rank = np.empty(len(first), np.int64)
    rank[by_first] = np.arange(len(first))
    of = np.empty(count, np.int64)
    of[order] = rank[number]
    return Groups(first[by_first], of)


def _mix(keys: np.ndarray) -> np.ndarray:
    mixed = np.zeros(len(keys), np.uint64)
    with np.errstate(over="ignore"):
        for column in keys.T:
            mixed = (mixed ^ column) * np.uint64(0x9E3779B97F4A7C15)
            mixed ^= mixed >> np.uint64(29)
    return mixed


def flow_keys(
    src: Octets, dst: Octets, sport: Ints, dport: Ints, protocol: Octets
) -> tuple[np.ndarray, Bools]:
    """``(n, 5)`` uint64 keys, equal for both directions, and whether src is the greater end."""
    source, target = (np.ascontiguousarray(a).view(">u8").astype(np.uint64) for a in (src, dst))
    ports = np.stack((sport, dport)).astype(np.uint64)
    swapped = _greater((source[:, 0], source[:, 1], ports[0]), (target[:, 0], target[:, 1], ports[1]))
    low = np.where(swapped[:, None], target, source)
    high = np.where(swapped[:, None], source, target)
    low_port = np.where(swapped, ports[1], ports[0])
    high_port = np.where(swapped, ports[0], ports[1])
    last = (low_port << np.uint64(32)) | (high_port << np.uint64(16)) | protocol.astype(np.uint64)
    return np.column_stack((low, high, last)), swapped


def _greater(one: tuple[np.ndarray, ...], other: tuple[np.ndarray, ...]) -> Bools:
    """Lexicographic order of columns."""
    result = np.zeros(len(one[0]), np.bool_)
    for a, b in zip(reversed(one), reversed(other), strict=True):
        result = (a > b) | ((a == b) & result)
    return result


class Sums(NamedTuple):
    """One row a flow; two columns, from the lesser end and from the greater."""

    packets: Ints
    octets: Ints
    payload: Bools
    """Whether transport payload was seen."""
    syn: Bools
    syn_ack: Bools
    first: Ints
    """Row of the first packet each way, -1 where there is none."""


def add_up(groups: Groups, swapped: Bools, size: Ints, payload: Ints, flags: Octets) -> Sums:
    """Sums of each flow and direction.

    Args:
        groups: The flows.
        swapped: Whether each packet goes from the greater end.
        size: Octets of each packet.
        payload: Payload octets of each packet.
        flags: TCP flags (0 for UDP).
    """
    flows = len(groups.first)
    side = groups.of * 2 + swapped

    def each(weights: np.ndarray | None = None) -> Ints:
        counted = np.bincount(side, weights, minlength=2 * flows)
        return counted.astype(np.int64).reshape(flows, 2)

    is_syn = (flags & SYN) != 0
    is_ack = (flags & ACK) != 0
    first = np.full(2 * flows, -1, np.int64)
    first[side[::-1]] = np.arange(len(side))[::-1]  # of equal indices the last assignment stays
    return Sums(
        each(),
        each(size),
        each(payload > 0) > 0,
        each(is_syn & ~is_ack) > 0,
        each(is_syn & is_ack) > 0,
        first.reshape(flows, 2),
    )
