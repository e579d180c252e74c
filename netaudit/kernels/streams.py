"""TCP: what stands in one segment is a message at once; what is spread over several is put together.

Only streams that began something which they did not finish (a hello, a request head, a DNS message,
...) hold octets; the many others cost a look at the first octets of each segment.
"""

from __future__ import annotations

from typing import Any

from netaudit.kernels import assembly, collect, http, socks, tls
from netaudit.kernels.assembly import LARGE, Pool, prefix
from netaudit.kernels.collect import Block, emit, extend
from netaudit.kernels.compiled import kernel, part
from netaudit.kernels.flows import SYN
from netaudit.kernels.losses import LOST_START, OVERLAP, lose
from netaudit.kernels.octets import Octets, int64, u8, u16, u24
from netaudit.kernels.packet import Rows

FRESH, BEGUN, RUNNING = 0, 1, 2
"""States of one direction: nothing seen, its first octet's number is known, and it has sent octets."""

NOTHING, START, TLS, HTTP, DNS, HTTP2, SOCKS = -1, 0, 1, 2, 3, 4, 5
"""What a stream is held for; START: too little has come to tell. In the order of `losses`."""

IGNORED, SEGMENT, FIRST_SEGMENT, HELD, FIRST_HELD = 0, 1, 2, 3, 4
"""What is to be looked at after a segment came."""

_DNS_LEAST = 12  # RFC 1035 section 4.1.1: a header
_TELLING = 24
"""Octets after which a stream that may still be anything is taken for what it looks like."""


@part
def is_dns(packet: Any) -> bool:
    """Whether a port of DNS, mDNS or LLMNR is among a packet's."""
    sport, dport = packet.sport, packet.dport
    if sport == 53 or dport == 53:
        return True
    return sport == 5353 or dport == 5353 or sport == 5355 or dport == 5355


@part
def _distance(seq: int, other: int) -> int:
    """How far a sequence number is ahead of another (RFC 9293 section 3.4)."""
    return ((seq - other + 0x80000000) & 0xFFFFFFFF) - 0x80000000


@part
def place(data: Octets, packet: Any, flows: Rows, row: int, side: int, pool: Pool, losses: Rows) -> int:
    """Find out where a segment belongs in its direction.

    Octets that were seen before are taken off it; what is out of order is put into a slot.

    Returns:
        Whether now the segment, or what its slot holds in order, is to be looked at.
    """
    flow = flows[row]
    seq, length = int64(packet.seq), packet.end - packet.at
    if packet.flags & SYN:
        if flow.slot[side] >= 0:
            forget(int64(flow.slot[side]), flow, pool, losses)
        seq = (seq + 1) & 0xFFFFFFFF
        flow.next[side], flow.state[side] = seq, BEGUN
    if length <= 0:
        return IGNORED
    if flow.state[side] == FRESH:
        flow.next[side], flow.state[side] = seq, RUNNING
    number = int64(flow.slot[side])
    if number >= 0:
        slot = pool.slots[number]
        offset = _distance(seq, slot.base)
        if offset + length <= 0:
            return IGNORED
        before = prefix(slot)
        if not slot.broken and assembly.put(pool, number, data, packet.at, length, offset):
            have = prefix(slot)  # more than the segment's own octets, where it filled a hole
            if have == before:
                return IGNORED
            if slot.kind == HTTP and not _has_line_end(pool.data, slot.at + before, slot.at + have):
                return IGNORED
            is_first = flow.state[side] == BEGUN or slot.kind == START or slot.kind == SOCKS
            flow.state[side] = RUNNING
            return FIRST_HELD if is_first else HELD
        forget(number, flow, pool, losses)
        flow.next[side], flow.state[side] = seq, RUNNING
        flow.follow = min(2 * flow.follow, 2)
    ahead = _distance(seq, flow.next[side])
    if ahead < 0:  # sent again: only what is new counts
        if length + ahead <= 0:
            return IGNORED
        packet.at -= ahead
        length += ahead
        ahead = 0
    begun = flow.state[side] == BEGUN
    if 0 < ahead < LARGE - length and (begun or is_dns(packet) or flow.follow == 1):
        hold(data, packet, flows, row, side, START, ahead, pool, losses)  # it overtook what is awaited
        return IGNORED
    if ahead > 0 and flow.follow == 1:
        flow.follow = 2
    flow.next[side] = (flow.next[side] + ahead + length) & 0xFFFFFFFF
    flow.state[side] = RUNNING
    return FIRST_SEGMENT if begun else SEGMENT


@part
def _has_line_end(data: Octets, at: int, end: int) -> bool:
    """Whether a head may have gone on: so that one octet a segment does not mean one look each."""
    for here in range(at, end):
        if u8(data, here) == 0x0A:
            return True
    return False


@part
def hold(
    data: Octets,
    packet: Any,
    flows: Rows,
    row: int,
    side: int,
    kind: int,
    offset: int,
    pool: Pool,
    losses: Rows,
) -> None:
    """Begin to hold a direction's octets, from `offset` before the packet's payload."""
    flow = flows[row]
    number = assembly.candidate(pool)
    if pool.slots[number].used:
        forget(number, flows[pool.slots[number].flow], pool, losses)
    slot = assembly.begin(pool, number)
    length = packet.end - packet.at
    slot.flow, slot.side, slot.kind = row, side, kind
    slot.base = (flow.next[side] - (0 if offset else length)) & 0xFFFFFFFF
    slot.ts, slot.timed, slot.ordinal = packet.ts, packet.timed, packet.ordinal
    if not assembly.put(pool, number, data, packet.at, length, offset):
        slot.broken = 1
    flow.slot[side] = number


@part
def recognise(
    data: Octets, at: int, length: int, packet: Any, flow: Any, side: int, block: Block,
    is_start: bool,  # noqa: FBT001 -- no keywords in kernels
) -> int:  # fmt: skip
    """Emit what is whole in some octets of a direction that are in order.

    Args:
        data: The segment's octets, or a slot's.
        at: Where they begin.
        length: How many.
        packet: The segment.
        flow: Its flow.
        side: Its direction.
        block: Where messages go.
        is_start: Whether the direction's first octet is among them.

    Returns:
        What the octets are to be held for, because they begin it and leave it open; or NOTHING.
    """
    if flow.follow:
        if flow.follow == 1:  # with a hole in it, an HTTP/2 stream means nothing any more
            _emit(block, packet, flow, side, collect.HTTP2, data, at, length)
        return NOTHING
    if is_dns(packet):
        done = _messages(data, at, length, packet, flow, side, block)
        left = length - done
        return DNS if left == 1 or (left > 1 and u16(data, at + done) >= _DNS_LEAST) else NOTHING
    first = u8(data, at)
    if first == 0x16 and tls.is_hello(data, at, length):
        return TLS if _hello(data, at, length, packet, flow, side, block) < 0 else NOTHING
    if 0x41 <= first <= 0x5A or first == 0x0D or first == 0x0A:
        if http.is_http2(data, at, length):
            flow.follow = 1
            _emit(block, packet, flow, side, collect.HTTP2, data, at, length)
            return NOTHING
        if http.is_request(data, at, length):
            state = http.head_state(data, at, length)
            if state == _WHOLE:
                _emit(block, packet, flow, side, collect.HTTP, data, at, length)
            return HTTP if state == _OPEN else NOTHING
    if not is_start:
        return NOTHING
    if socks.is_socks(data, at, length):
        state = int64(socks.state(data, at, length))
        if state == 1:
            _emit(block, packet, flow, side, collect.SOCKS, data, at, length)
        return SOCKS if state == 0 else NOTHING
    return START if length < _TELLING and _may_begin(data, at, length) else NOTHING


_OPEN, _WHOLE = int(http.Head.OPEN), int(http.Head.WHOLE)


@part
def _may_begin(data: Octets, at: int, length: int) -> bool:
    """Whether a few first octets may be how a hello, a request or a preface begins."""
    first = u8(data, at)
    if first == 0x16:
        return length < 6 and (length < 2 or u8(data, at + 1) == 3)
    if first == 0x04 or first == 0x05:  # SOCKS
        return length < 4
    for k in range(length):
        octet = u8(data, at + k)
        if octet == 0x20:
            return k > 0
        if not (0x41 <= octet <= 0x5A or octet == 0x2D or octet == 0x5F):
            return False
    return True


@part
def _emit(
    block: Block, packet: Any, flow: Any, side: int, kind: int, data: Octets, at: int, length: int
) -> Any:
    message = emit(block, packet, kind, data, at, length)
    message.flow = flow.number
    message.back = side != flow.opener
    return message


@part
def _messages(data: Octets, at: int, length: int, packet: Any, flow: Any, side: int, block: Block) -> int:
    """Emit the whole DNS messages, each behind its length (RFC 1035 section 4.2.2); octets done with."""
    done = 0
    while length - done >= 2:
        size = u16(data, at + done)
        if size < _DNS_LEAST or done + 2 + size > length:
            break
        _emit(block, packet, flow, side, collect.DNS, data, at + done + 2, size)
        done += 2 + size
    return done


@part
def _hello(data: Octets, at: int, length: int, packet: Any, flow: Any, side: int, block: Block) -> int:
    """Emit a hello that is whole, its record headers taken out; 1 where it was, 0 where it is none, -1 open."""
    wanted, have, here, end = 4, 0, at, at + length
    while have < wanted:
        if end - here < 5:
            return -1
        size = u16(data, here + 3)
        if u8(data, here) != 0x16 or size == 0:
            return 0
        there = min(size, end - here - 5)
        if here == at and there >= 4:
            wanted = 4 + u24(data, here + 6)
        elif here == at:
            return 0 if there == size else -1  # nobody cuts the first four octets apart
        have += there
        if there < size and have < wanted:
            return -1
        here += 5 + there
    message = _emit(block, packet, flow, side, collect.TLS, data, at + 5, 0)
    left, here = wanted, at
    while left > 0:
        there = min(u16(data, here + 3), left)
        extend(block, message, data, here + 5, there)
        left, here = left - there, here + 5 + there
    return 1


@part
def settle(
    packet: Any, flow: Any, side: int, kind: int, before: int, pool: Pool, block: Block, losses: Rows
) -> None:
    """After a slot's octets were looked at: keep what is open, give back what is done."""
    number = int64(flow.slot[side])
    slot = pool.slots[number]
    have = prefix(slot)
    for row in range(before, block.used[collect.MESSAGES]):  # a message is as old as its first octets
        message = block.messages[row]
        message.ts, message.timed, message.ordinal = slot.ts, slot.timed, slot.ordinal
    flow.next[side] = (slot.base + have) & 0xFFFFFFFF
    done = have if kind == NOTHING else 0
    if kind == DNS:
        while have - done >= 2 and done + 2 + u16(pool.data, slot.at + done) <= have:
            done += 2 + u16(pool.data, slot.at + done)
    overtaken = slot.spans > 1 and (
        is_dns(packet) or flow.follow == 1
    )  # what is behind a hole is still to come
    if kind == NOTHING and not overtaken:
        if slot.overlap:
            lose(losses, OVERLAP, slot.ordinal, 0, 1)
        flow.slot[side] = -1
        assembly.clear(pool, number)
        return
    if done:
        assembly.drop(pool, slot, done)
        slot.ts, slot.timed, slot.ordinal = packet.ts, packet.timed, packet.ordinal
    slot.kind = kind if kind >= 0 else START
    if have - done >= LARGE - 64:
        forget(number, flow, pool, losses)


@part
def forget(number: int, flow: Any, pool: Pool, losses: Rows) -> None:
    """Give up what a flow holds."""
    flow.slot[pool.slots[number].side] = -1
    _lost(number, pool, losses)


@part
def _lost(number: int, pool: Pool, losses: Rows) -> None:
    slot = pool.slots[number]
    if slot.kind != START:
        lose(losses, LOST_START + slot.kind, slot.ordinal, slot.held, 1)
    assembly.clear(pool, number)


@kernel
def close(pool: Pool, losses: Rows, only: Rows) -> None:
    """Count the streams that never became whole: those of the flows (rows) that `only` marks."""
    for number in range(len(pool.slots)):
        if pool.slots[number].used and only[pool.slots[number].flow]:
            _lost(number, pool, losses)
