"""DNS messages (RFC 1035 section 4): names, questions, and what the answers say.

A message is read in two steps: `read_questions` reads who asks what, and how far the records behind
the questions go; `spell_answers` writes the answers of those messages that became events. Every
step takes an octet of the message or a pointer that goes strictly backwards, so every loop ends;
the text that a message may make is bounded by its length, so pointers cannot multiply it.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np

from netaudit.kernels.compiled import kernel, part
from netaudit.kernels.octets import Bytes, Octets, u8, u16
from netaudit.kernels.packet import Rows
from netaudit.kernels.text import Texts, number_of, used

HEADER = 12
MAX_LENGTH = 65_535
MAX_OCTETS = 255
MAX_HOPS = 127
MAX_QUESTIONS = 256
"""Of one message: a multicast sender's datagram holds some dozens, all others one."""
MAX_ANSWERED = 8
"""Questions of a response that its answers are told with; servers answer one."""
SPREAD = 8
"""Octets of text for each octet of a message."""
NAME_ROOM = 4 * MAX_OCTETS
"""A name is no longer as text: each of its octets is one of a label, and takes four at most."""
TEXT_ROOM = (SPREAD + 4) * MAX_LENGTH + 4 * NAME_ROOM
"""Of all that a message may make: a last record is spelled that was begun within the bound."""
QUESTIONS_ROOM = MAX_QUESTIONS + 1
RECORDS_ROOM = MAX_LENGTH // 11

BAD = -1

_OPT = 41
_QR = 0x8000
_UPDATE = 5  # RFC 2136: what stands where answers stand are conditions


class Trouble(IntEnum):
    """What is said of a message besides its questions; bits."""

    ANNOUNCED = 1
    """A response to a group."""
    BROKEN = 2
    """Not all of its questions could be read."""
    SHORT = 4
    """Not all of its answers could be read."""
    ASKS_NOTHING = 8
    """A query without a question."""


class Stage(IntEnum):
    """What became of a question."""

    ALONE = 0
    """An event by itself: an answer unasked for, a question to a group or one that was given up."""
    WAITING = 1
    """A query without a response yet."""
    ANSWERED = 2
    """A query with a response."""
    TAKEN = 3
    """A response that belongs to a query."""


ASK = np.dtype([
    ("ts", "i8"), ("client0", "u8"), ("client1", "u8"), ("server0", "u8"), ("server1", "u8"),
    ("answers_at", "i8"),
    ("message", "i4"), ("name", "i4"), ("partner", "i4"), ("below", "i4"), ("qtype", "i4"),
    ("answers", "i4"),
    ("id", "u2"), ("cport", "u2"), ("sport", "u2"), ("rcode", "u2"),
    ("protocol", "u1"), ("opcode", "u1"), ("response", "u1"), ("timed", "u1"), ("group", "u1"), ("stage", "u1"),
], align=True)  # fmt: skip
"""One question of a message, or a response without one (`name` and `qtype` are -1). `message` is its
row; `answers` how many records can be read from `answers_at` on."""


def _presentation(*, fold: bool) -> tuple[Bytes, Bytes]:
    """Of each octet: its text of up to four octets, and how many they are (RFC 4343 section 2.1)."""
    text, width = np.zeros((256, 4), np.uint8), np.zeros(256, np.uint8)
    for octet in range(256):
        char = bytes([octet])
        if char in b'."();@$\\':
            word = b"\\" + char
        elif 0x21 <= octet <= 0x7E:
            word = char.lower() if fold else char
        else:
            word = b"\\%03d" % octet
        text[octet, : len(word)] = np.frombuffer(word, np.uint8)
        width[octet] = len(word)
    return text, width


_TEXT = np.stack([_presentation(fold=False)[0], _presentation(fold=True)[0]])
_WIDTH = _presentation(fold=True)[1]


@part
def read_name(
    data: Octets, at: int, start: int, end: int, fold: int, out: Bytes, to: int
) -> tuple[int, int]:
    """Write a name in presentation form: a dot behind each label, the root as one dot.

    Args:
        data: The octets.
        at: Where the name begins.
        start: Where its message begins; pointers count from there.
        end: Where its message ends.
        fold: 1 to lower the case, 0 to keep it.
        out: Text goes here, `NAME_ROOM` octets at most.
        to: ... from here on.

    Returns:
        Offset behind the name where it stands (behind its first pointer), `BAD` where it is none;
        offset behind the text.
    """
    after, lowest, total, hops = BAD, at, 1, 0
    while at < end:
        size: Any = np.int64(data.u8[at])
        if size == 0:
            if total == 1:
                out[to] = 46
                to += 1
            return (at + 1 if after == BAD else after), to
        if size < 0x40:
            total += size + 1
            if total > MAX_OCTETS or at + 1 + size >= end:
                return BAD, to
            for place in range(at + 1, at + 1 + size):
                octet = data.u8[place]
                out[to] = _TEXT[fold, octet, 0]
                to += 1
                if _WIDTH[octet] != 1:
                    for step in range(1, _WIDTH[octet]):
                        out[to] = _TEXT[fold, octet, step]
                        to += 1
            out[to] = 46
            to += 1
            at += size + 1
            continue
        # RFC 1035 section 4.1.4; only backwards, and never into the message's header
        target = start + (u16(data, at) & 0x3FFF)
        hops += 1
        if size < 0xC0 or at + 1 >= end or hops > MAX_HOPS or target >= lowest or target < start + HEADER:
            return BAD, to
        after = at + 2 if after == BAD else after
        at = lowest = target
    return BAD, to


@part
def behind_name(data: Octets, at: int, end: int) -> int:
    """Offset behind a name without reading it, `BAD` where it does not end."""
    while 0 <= at < end:
        size: Any = np.int64(data.u8[at])
        if size == 0:
            return at + 1
        if size >= 0xC0:
            return at + 2
        if size >= 0x40:
            return BAD
        at += size + 1
    return BAD


@part
def behind_record(data: Octets, at: int, end: int) -> int:
    """Offset behind a resource record (RFC 1035 section 4.1.3), `BAD` where it is not whole."""
    at = behind_name(data, at, end)
    if at == BAD or at + 10 > end:
        return BAD
    at += 10 + u16(data, at + 8)
    return at if at <= end else BAD


@kernel
def read_questions(
    rows: Rows, data: Octets, first: int, asks: Rows, count: int, names: Texts, trouble: Bytes
) -> tuple[int, int]:
    """Read the headers and questions of messages, until there may be no room for the next one's.

    Args:
        rows: `packet.MESSAGE`.
        data: Where their octets are.
        first: The first of them to be read.
        asks: `ASK`, to be filled; `QUESTIONS_ROOM` of them are room for a message.
        count: How many are filled.
        names: The names' table; `TEXT_ROOM` octets are room for a message.
        trouble: Of each message, to be filled.

    Returns:
        The first message that was not read; how many `asks` there are now.
    """
    for row in range(first, len(rows)):
        length = min(rows[row].length, MAX_LENGTH)
        if count + QUESTIONS_ROOM > len(asks) or used(names) + TEXT_ROOM > len(names.text.u8):
            return row, count
        start = rows[row].at
        end = min(start + length, len(data.u8))
        if end - start < HEADER or start < 0:
            trouble[row] = Trouble.BROKEN
            continue
        response = (u16(data, start + 2) & _QR) != 0
        if response and is_group(rows[row].dst0, rows[row].dst1):
            trouble[row] = Trouble.ANNOUNCED
            continue
        begin = count
        at, count = _questions(data, start, end, asks, count, names)
        if at == BAD:
            trouble[row] = Trouble.BROKEN
        elif count == begin and response:
            asks[count].name = asks[count].qtype = -1
            count += 1
        elif count == begin:
            trouble[row] = Trouble.ASKS_NOTHING
        for index in range(begin, count):
            _sender(asks[index], rows[row], row, u16(data, start), u16(data, start + 2))
        if response and at != BAD and begin < count:
            trouble[row] = _measure(data, start, at, end, asks, begin, count)
    return len(rows), count


@part
def is_group(word0: Any, word1: Any) -> Any:
    """Whether sixteen octets are a multicast address (RFC 5771, RFC 4291 section 2.7)."""
    if word0 == 0 and word1 & np.uint64(0xFFFF_FFFF) == np.uint64(0xFFFF_0000):
        return word1 >> np.uint64(32) & np.uint64(0xF0) == np.uint64(0xE0)
    return word0 & np.uint64(0xFF) == np.uint64(0xFF)


@part
def _questions(data: Octets, start: int, end: int, asks: Rows, count: int, names: Texts) -> tuple[int, int]:
    """The question section (RFC 1035 section 4.1.2): offset behind it or `BAD`, and how many asks now."""
    asked = u16(data, start + 4)
    at = start + HEADER
    spelled = 0
    for number in range(asked):
        begin = used(names)
        if number == MAX_QUESTIONS or spelled > SPREAD * (end - start):
            return BAD, count
        at, to = read_name(data, at, start, end, 1, names.text.u8, begin)
        if at == BAD or at + 4 > end:
            return BAD, count
        spelled += to - begin
        asks[count].name = number_of(names, to if to == begin + 1 else to - 1)
        asks[count].qtype = u16(data, at)
        count += 1
        at += 4
    return at, count


@part
def _sender(ask: Any, row: Any, message: int, id_: int, flags: int) -> None:
    """Who asks whom, and the header's fields."""
    response = flags & _QR != 0
    ask.response = response
    ask.message, ask.id = message, id_
    ask.opcode, ask.rcode = flags >> 11 & 0xF, flags & 0xF
    ask.ts, ask.timed, ask.protocol = row.ts, row.timed, row.protocol
    ask.group = is_group(row.dst0, row.dst1)
    ask.partner = ask.below = -1
    ask.answers, ask.answers_at, ask.stage = 0, 0, Stage.ALONE
    if response:
        ask.client0, ask.client1, ask.server0, ask.server1 = row.dst0, row.dst1, row.src0, row.src1
        ask.cport, ask.sport = row.dport, row.sport
    else:
        ask.client0, ask.client1, ask.server0, ask.server1 = row.src0, row.src1, row.dst0, row.dst1
        ask.cport, ask.sport = row.sport, row.dport


@part
def _measure(data: Octets, start: int, at: int, end: int, asks: Rows, begin: int, count: int) -> int:
    """How many answers are whole, and the upper bits of the response code (RFC 6891 section 6.1.3)."""
    claimed = u16(data, start + 6)
    others = u16(data, start + 8) + u16(data, start + 10)
    answers, here = 0, at
    if asks[begin].opcode == _UPDATE:
        others, claimed = others + claimed, 0
    while answers < claimed:
        behind = behind_record(data, here, end)
        if behind == BAD:
            break
        answers, here = answers + 1, behind
    upper = 0
    if answers == claimed:
        for _ in range(others):
            behind = behind_record(data, here, end)
            if behind == BAD:
                break
            if u8(data, here) == 0 and u16(data, here + 1) == _OPT:
                upper = u8(data, here + 5)
            here = behind
    for index in range(begin, count):
        asks[index].rcode |= upper << 4
        if index < begin + MAX_ANSWERED:
            asks[index].answers, asks[index].answers_at = answers, at
    whole = answers == claimed and (count - begin <= MAX_ANSWERED or claimed == 0)
    return 0 if whole else Trouble.SHORT
