"""DNS messages of a capture to events: one row for a question and the response to it."""

from __future__ import annotations

import socket
from typing import Any, NamedTuple

import dns.opcode
import dns.rcode
import dns.rdatatype
import numpy as np
import pyarrow as pa

from netaudit.intake.tally import Tally
from netaudit.kernels import cursor, dnswire
from netaudit.kernels.flows import group
from netaudit.kernels.status import Status
from netaudit.kernels.window import Bools, Ints, Spans, Window
from netaudit.sources import traffic as packets
from netaudit.sources.slow_path import rdata_text
from netaudit.sources.traffic import DNS_PORTS, Traffic

WAIT_NS = 30 * 10**9
"""A response belongs to a query at most this much older."""
MAX_WAITING = 65_536
"""Queries that are held back for a response."""
_ROUNDS = 8  # retransmitted queries and repeated responses inside each other

A, NS, CNAME, PTR, AAAA, DNAME = 1, 2, 5, 12, 28, 39
_IN = 1


class Asks(NamedTuple):
    """One row a question of a message."""

    traffic: Traffic
    name: pa.Array
    qtype: Ints
    id: Ints
    flags: Ints
    answers: pa.Array

    def take(self, rows: np.ndarray) -> Asks:
        """Some rows by index."""
        index = pa.array(rows)
        return Asks(
            self.traffic.take(rows),
            self.name.take(index),
            self.qtype[rows],
            self.id[rows],
            self.flags[rows],
            self.answers.take(index),
        )

    @property
    def response(self) -> Bools:
        """Which of them are responses (QR, RFC 1035 section 4.1.1)."""
        result: Bools = (self.flags & 0x8000) != 0
        return result


def read_asks(window: Window, traffic: Traffic, tally: Tally) -> Asks:
    """Every question of the messages that are the payloads of `traffic`.

    What cannot be read is counted; a message whose answers are damaged keeps its question.
    """
    message = dnswire.read_messages(window, traffic.at, traffic.length)
    is_response = (message.flags & 0x8000) != 0
    to_group = is_response & _is_group(traffic)
    _count(tally, "a DNS announcement to a group answers nobody", traffic, to_group, matters=False)
    sound = message.status == Status.OK
    wanted = sound & ~to_group
    question = dnswire.read_questions(
        window, traffic.at, traffic.length, np.where(wanted, message.questions, 0)
    )
    broken = ~to_group & (~sound | (question.status != Status.OK))
    _count(tally, "a DNS message is cut short", traffic, broken & traffic.cut, sized=True)
    _count(tally, "a DNS message is malformed", traffic, broken & ~traffic.cut, sized=True)
    count = np.where(wanted & is_response & ~broken, message.answers, 0)
    answers = _answers(window, traffic, question.after, count, tally)
    # a response without a question is an event too, with no name
    silent = np.flatnonzero(wanted & ~broken & is_response & (message.questions == 0))
    row = np.concatenate((question.message, silent))
    nothing = pa.nulls(len(silent), pa.string())
    return Asks(
        traffic.take(row),
        pa.concat_arrays([strings(question.name.text), nothing]),
        np.concatenate((question.qtype, np.full(len(silent), -1))),
        message.id[row],
        message.flags[row],
        answers.take(pa.array(row)),
    )


def strings(spans: Spans) -> pa.Array:
    """Spans of ASCII as an Arrow column."""
    return pa.Array.from_buffers(
        pa.string(),
        len(spans.offsets) - 1,
        [None, pa.py_buffer(spans.offsets.astype(np.int32)), pa.py_buffer(spans.octets.tobytes())],
    )


def _is_group(traffic: Traffic) -> Bools:
    is_v4 = (traffic.dst[:, :10] == 0).all(axis=1) & (traffic.dst[:, 10] == 0xFF)
    result: Bools = np.where(is_v4, traffic.dst[:, 12] >> 4 == 0xE, traffic.dst[:, 0] == 0xFF)
    return result


def _count(
    tally: Tally,
    reason: str,
    traffic: Traffic,
    rows: Bools,
    *,
    sized: bool = False,
    matters: bool = True,
) -> None:
    count = int(rows.sum())
    if count:
        size = int(traffic.length[rows].sum()) if sized else 0
        tally.skip(reason, traffic.ordinal[rows][:5], count=count, size=size, matters=matters)


def _answers(window: Window, traffic: Traffic, here: Ints, count: Ints, tally: Tally) -> pa.Array:
    """One list of record data a message, null where it is a query or has none."""
    end = traffic.at + traffic.length
    records = dnswire.read_records(window, here, end, count)
    _count(
        tally, "the answers of a DNS message could not all be read", traffic, records.status != Status.OK
    )
    found = np.bincount(records.message, minlength=len(here))
    offsets = np.concatenate(([0], np.cumsum(found)))
    values = _record_texts(window, records, traffic.at, end)
    lists = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values)
    index = np.where(found > 0, np.arange(len(here)), -1)
    return lists.take(pa.array(index, mask=index < 0))


def _record_texts(window: Window, records: dnswire.Records, start: Ints, end: Ints) -> pa.Array:
    """Presentation form of each record's data, as dnspython prints it."""
    type_, at, length = records.type, records.at, records.length
    is_in = (records.class_ & 0x7FFF) == _IN  # RFC 6762 section 10.2: the top bit is not the class
    is_a = is_in & (type_ == A) & (length == 4)
    is_aaaa = is_in & (type_ == AAAA) & (length == 16)
    name_rows = np.flatnonzero(is_in & np.isin(type_, (NS, CNAME, PTR, DNAME)))
    message = records.message[name_rows]
    names = dnswire.read_names(
        window, at[name_rows], start[message], end[message], fold=False, final_dot=True
    )
    good = (names.status == Status.OK) & (names.after == (at + length)[name_rows])
    is_name = np.zeros(len(at), np.bool_)
    is_name[name_rows[good]] = True
    odd = np.flatnonzero(~(is_a | is_aaaa | is_name))
    parts = [
        _addresses(window, at[is_a], 4),
        _addresses(window, at[is_aaaa], 16),
        strings(names.text).take(pa.array(np.flatnonzero(good))),
        pa.array([_odd_text(window, records, start, int(row)) for row in odd], pa.string()),
    ]
    order = np.concatenate((np.flatnonzero(is_a), np.flatnonzero(is_aaaa), name_rows[good], odd))
    place = np.empty(len(at), np.int64)
    place[order] = np.arange(len(at))
    return pa.concat_arrays(parts).take(pa.array(place))


def _odd_text(window: Window, records: dnswire.Records, start: Ints, row: int) -> str:
    begin, at, length = int(start[records.message[row]]), int(records.at[row]), int(records.length[row])
    return rdata_text(
        window.data[begin : at + length],
        int(records.class_[row]) & 0x7FFF,
        int(records.type[row]),
        at - begin,
        length,
    )


def _addresses(window: Window, at: Ints, width: int) -> pa.Array:
    """Text of addresses, spelled once for each distinct one."""
    family = socket.AF_INET if width == 4 else socket.AF_INET6
    data = pa.py_buffer(window.rows(at, width).tobytes())
    coded = pa.Array.from_buffers(pa.binary(width), len(at), [None, data]).dictionary_encode()
    texts = [socket.inet_ntop(family, value) for value in coded.dictionary.to_pylist()]
    return pa.array(texts, pa.string()).take(coded.indices)


class Joiner:
    """Queries that wait for their response, between pieces of a file."""

    def __init__(self) -> None:
        self._waiting: Asks | None = None

    def join(self, asks: Asks | None, *, final: bool) -> dict[str, Any]:
        """Columns of the events that are complete: joined, answered by nobody, or unasked for.

        Args:
            asks: The questions of this piece, in file order; None where there are none.
            final: Whether nothing comes any more.
        """
        both = [a for a in (self._waiting, asks) if a is not None]
        self._waiting = None
        if not both:
            return {}
        asks = concatenate(both)
        order = np.argsort(asks.traffic.ordinal, kind="stable")
        asks = asks.take(order)
        response = asks.response
        partner = _match(asks, response)
        taken = np.zeros(len(partner), np.bool_)
        taken[partner[partner >= 0]] = True
        held = np.zeros(len(partner), np.bool_)
        if not final:
            held = self._held(asks, ~response & (partner < 0))
            if held.any():
                self._waiting = asks.take(np.flatnonzero(held))
        rows = np.flatnonzero(~taken & ~held)
        return _columns(asks, rows, partner) if rows.size else {}

    @staticmethod
    def _held(asks: Asks, unanswered: Bools) -> Bools:
        traffic = asks.traffic
        now = traffic.ts[traffic.timed].max(initial=0)
        fresh = ~traffic.timed | (traffic.ts >= now - WAIT_NS)
        held = unanswered & fresh & ~np.isin(traffic.dport, (5353, 5355))
        rows = np.flatnonzero(held)
        held[rows[: max(len(rows) - MAX_WAITING, 0)]] = False
        result: Bools = held
        return result


def concatenate(parts: list[Asks]) -> Asks:
    """Several as one; at least one is needed."""
    if len(parts) == 1:
        return parts[0]
    return Asks(
        packets.concatenate([p.traffic for p in parts]),
        pa.concat_arrays([p.name for p in parts]),
        np.concatenate([p.qtype for p in parts]),
        np.concatenate([p.id for p in parts]),
        np.concatenate([p.flags for p in parts]),
        pa.concat_arrays([p.answers for p in parts]),
    )


def _match(asks: Asks, response: Bools) -> Ints:
    """Of each query: the row of its response, or -1.

    Within equal (ends, id, name, type) a response takes the nearest query before it that no
    other response has taken, like brackets.
    """
    traffic = asks.traffic
    ends = np.where(
        response[:, None], np.hstack((traffic.dst, traffic.src)), np.hstack((traffic.src, traffic.dst))
    )
    client = np.where(response, traffic.dport, traffic.sport).astype(np.uint64)
    server = np.where(response, traffic.sport, traffic.dport).astype(np.uint64)
    name = asks.name.dictionary_encode().indices.fill_null(-1).to_numpy(zero_copy_only=False)
    ports = (client << np.uint64(16)) | server | (traffic.protocol.astype(np.uint64) << np.uint64(32))
    what = (asks.id << 17) | (asks.qtype + 1)
    keys = np.column_stack(
        (ends.view(np.uint64), ports, what.astype(np.uint64), (name.astype(np.int64) + 1).astype(np.uint64))
    )
    of = group(keys).of
    partner = np.full(len(of), -1, np.int64)
    rest = np.argsort(of, kind="stable")
    for _ in range(_ROUNDS):
        before, after = rest[:-1], rest[1:]
        elapsed = traffic.ts[after] - traffic.ts[before]
        in_time = (np.abs(elapsed) <= WAIT_NS) | ~traffic.timed[after] | ~traffic.timed[before]
        pair = np.flatnonzero((of[before] == of[after]) & response[after] & ~response[before] & in_time)
        if not pair.size:
            break
        partner[before[pair]] = after[pair]
        rest = np.delete(rest, np.concatenate((pair, pair + 1)))
    return partner


def _columns(asks: Asks, rows: Ints, partner: Ints) -> dict[str, Any]:
    """Events of some rows; what the response says comes from the partner where there is one."""
    response = asks.response
    said = np.where(partner[rows] >= 0, partner[rows], rows)
    answered = response[said]
    traffic = asks.traffic.take(rows)
    server = np.where(response[rows], traffic.sport, traffic.dport)
    opcode = (asks.flags[rows] >> 11) & 0x0F
    details = [None, *(word for word in DNS_PORTS.values() if word)]
    detail = sum((server == port) * details.index(word) for port, word in DNS_PORTS.items() if word)
    return {
        **packets.columns(traffic, response[rows]),
        "transport_detail": packets.words(np.asarray(detail), details),
        "name": asks.name.take(pa.array(rows)),
        "name_source": "qname",
        "qtype": _mnemonics(asks.qtype[rows], dns.rdatatype.to_text, asks.qtype[rows] >= 0),
        "rcode": _mnemonics(asks.flags[said] & 0x0F, dns.rcode.to_text, answered),
        "answers": asks.answers.take(pa.array(said)),
        "opcode": _mnemonics(opcode, dns.opcode.to_text, opcode != dns.opcode.QUERY),
    }


def _mnemonics(numbers: Ints, to_text: Any, known: Bools) -> pa.Array:
    distinct, index = np.unique(numbers, return_inverse=True)
    texts = [to_text(int(number)) if number >= 0 else None for number in distinct]
    return pa.array(texts, pa.string()).take(pa.array(index, mask=~known)).dictionary_encode()


def is_dns(traffic: Traffic) -> Bools:
    """Which packets are datagrams to or from a port of DNS."""
    ports = list(DNS_PORTS)
    result: Bools = (traffic.protocol == cursor.UDP) & (
        np.isin(traffic.sport, ports) | np.isin(traffic.dport, ports)
    )
    return result
