"""The answers of DNS messages in presentation form, as dnspython prints them."""

from __future__ import annotations

from typing import Any

import numpy as np

from netaudit.kernels.compiled import kernel, part
from netaudit.kernels.dnswire import (
    BAD,
    MAX_LENGTH,
    RECORDS_ROOM,
    SPREAD,
    TEXT_ROOM,
    Trouble,
    behind_name,
    read_name,
)
from netaudit.kernels.octets import Bytes, Ints, Octets, u8, u16, u32
from netaudit.kernels.packet import Rows
from netaudit.kernels.text import decimal, ipv4, ipv6

A, TXT, AAAA, SVCB, HTTPS = 1, 16, 28, 64, 65
IN = 1
_ALPN, _NO_DEFAULT, _PORT, _IPV4, _IPV6 = 1, 2, 3, 4, 6  # RFC 9460 section 14.3.2
_SPACE, _QUOTE, _COMMA, _BACKSLASH = 32, 34, 44, 92

ODD = np.dtype([
    ("record", "i8"), ("start", "i8"), ("at", "i8"), ("length", "i4"), ("type", "u2"), ("rdclass", "u2"),
], align=True)  # fmt: skip
"""A record whose data are not spelled here: where its message and its data begin."""

LEARNT = np.dtype([("event", "i8"), ("address", "u1", (16,))], align=True)
"""An address in the answers of an event."""


def _layouts() -> Bytes:
    """Of each type below 64: how many 16-bit numbers, names and 32-bit numbers its data are."""
    table = np.zeros((64, 3), np.uint8)
    table[[2, 3, 4, 5, 7, 8, 9, 12, 39]] = (0, 1, 0)  # NS, MD, MF, CNAME, MB, MG, MR, PTR, DNAME
    table[6] = (0, 2, 5)  # SOA
    table[[14, 17]] = (0, 2, 0)  # MINFO, RP
    table[[15, 18, 21, 36]] = (1, 1, 0)  # MX, AFSDB, RT, KX
    table[26] = (1, 2, 0)  # PX
    table[33] = (3, 1, 0)  # SRV
    return table


_LAYOUT = _layouts()


@kernel
def spell_answers(
    rows: Rows,
    data: Octets,
    asks: Rows,
    said: Ints,
    text: Bytes,
    ends: Ints,
    lists: Ints,
    odd: Rows,
    learnt: Rows,
    trouble: Bytes,
) -> tuple[int, int, int, int]:
    """Write the answers of events in presentation form, until there may be no room for the next one's.

    Args:
        rows: `packet.MESSAGE`.
        data: Where their octets are.
        asks: `ASK`.
        said: Of each event the number of the ask that has its answers.
        text: To be filled with the records' text; `TEXT_ROOM` octets are room for an event.
        ends: Of each record, to be filled: where its text ends; `RECORDS_ROOM` are room for an event.
        lists: Of each event, to be filled: how many records there are up to its end.
        odd: `ODD`, to be filled, as many as `ends`.
        learnt: `LEARNT`, to be filled, as many as `ends`.
        trouble: Of each message; `Trouble.SHORT` is added.

    Returns:
        How many events were read; how many `ends`, `odd`, `learnt` were filled.
    """
    to = records = odds = addresses = 0
    for event in range(len(said)):
        ask = asks[said[event]]
        if to + TEXT_ROOM > len(text) or records + RECORDS_ROOM > len(ends):
            return event, records, odds, addresses
        at = ask.answers_at
        begin = to
        names_an_address = ask.opcode == 0 and ask.rcode == 0 and ask.timed and ask.name >= 0
        for _ in range(ask.answers):
            row = rows[ask.message]
            end = row.at + min(row.length, MAX_LENGTH)
            if to - begin > SPREAD * (end - row.at):
                trouble[ask.message] |= Trouble.SHORT
                break
            at = behind_name(data, at, end)
            type_, class_, length = u16(data, at), u16(data, at + 2) & 0x7FFF, u16(data, at + 8)
            at += 10
            behind = spell_record(data, row.at, type_ if class_ == IN else 0, at, length, text, to)
            if behind == BAD:
                odd[odds].record, odd[odds].start, odd[odds].at = records, row.at, at
                odd[odds].length, odd[odds].type, odd[odds].rdclass = length, type_, class_
                odds += 1
            else:
                to = behind
                if names_an_address and (type_ == A or type_ == AAAA):
                    learnt[addresses].event = event
                    _address(data, at, length, learnt[addresses].address)
                    addresses += 1
            ends[records] = to
            records += 1
            at += length
        lists[event] = records
    return len(said), records, odds, addresses


@part
def _address(data: Octets, at: int, length: int, out: Bytes) -> None:
    """Sixteen octets of an address, IPv4 as ::ffff:a.b.c.d."""
    for place in range(16):
        out[place] = np.uint8(0)
    if length == 4:
        out[10] = out[11] = np.uint8(0xFF)
    for place in range(length):
        out[16 - length + place] = data.u8[at + place]


@part
def spell_record(data: Octets, start: int, type_: int, at: int, length: int, out: Bytes, to: int) -> int:
    """Text of record data of the usual types (RFC 1035 section 3.3): offset behind it, `BAD` if of others."""
    if type_ == A and length == 4:
        return ipv4(data, at, out, to)
    if type_ == AAAA and length == 16:
        return ipv6(data, at, out, to)
    if type_ >= len(_LAYOUT) or _LAYOUT[type_, 1] == 0:
        return BAD
    behind = at + length
    shorts, names, longs = np.int64(_LAYOUT[type_, 0]), _LAYOUT[type_, 1], np.int64(_LAYOUT[type_, 2])
    if 2 * shorts + names + 4 * longs > length:
        return BAD
    for _ in range(shorts):
        to = decimal(u16(data, at), out, to)
        out[to] = 32
        to += 1
        at += 2
    for number in range(names):
        if number:
            out[to] = 32
            to += 1
        at, to = read_name(data, at, start, behind, 0, out, to)
        if at == BAD:
            return BAD
    if at + 4 * longs != behind:
        return BAD
    for _ in range(longs):
        out[to] = 32
        to = decimal(u32(data, at), out, to + 1)
        at += 4
    return to


SPREAD_ODD, ROOM_ODD = 5, 64


@kernel
def spell_odd(data: Octets, odd: Rows, text: Bytes, ends: Ints, known: Bytes) -> None:
    """Write TXT, SVCB and HTTPS records.

    They are no part of `spell_record`, so that machine code for it is made sooner.

    Args:
        data: The octets.
        odd: `ODD`.
        text: To be filled: `SPREAD_ODD` octets for each octet of their data, and `ROOM_ODD` for each record.
        ends: Of each record, to be filled: where its text ends.
        known: Of each record, to be filled: 1 where it could be spelled.
    """
    to: Any = np.int64(0)
    for row in range(len(odd)):
        at, end = odd[row].at, odd[row].at + odd[row].length
        type_ = odd[row].type if odd[row].rdclass == IN else 0
        behind = BAD
        if type_ == TXT:
            behind = _strings(data, at, end, text, to)
        elif type_ == SVCB or type_ == HTTPS:
            behind = _service(data, at, end, text, to)
        known[row] = behind != BAD
        to = behind if behind != BAD else to
        ends[row] = to


@part
def _strings(data: Octets, at: int, end: int, out: Bytes, to: int) -> int:
    """Character strings in quotes (RFC 1035 section 3.3.14)."""
    if at == end:
        return BAD
    first = to
    while at < end:
        size = u8(data, at)
        if at + 1 + size > end:
            return BAD
        if to > first:
            out[to] = _SPACE
            to += 1
        to = _quoted(data, at + 1, size, out, to)
        at += 1 + size
    return to


@part
def _quoted(data: Octets, at: int, size: int, out: Bytes, to: int) -> int:
    out[to] = _QUOTE
    to += 1
    for place in range(at, at + size):
        octet = u8(data, place)
        if octet == _QUOTE or octet == _BACKSLASH:
            out[to] = _BACKSLASH
            to += 1
        if 0x20 <= octet <= 0x7E:
            out[to] = octet
            to += 1
        else:
            out[to] = _BACKSLASH
            out[to + 1], out[to + 2], out[to + 3] = (
                48 + octet // 100,
                48 + octet // 10 % 10,
                48 + octet % 10,
            )
            to += 4
    out[to] = _QUOTE
    return to + 1


@part
def _service(data: Octets, at: int, end: int, out: Bytes, to: int) -> int:
    """Service bindings (RFC 9460 section 2.2) with the usual parameters; `BAD` for any others.

    Their name is never compressed: a pointer in it goes nowhere.
    """
    if at + 3 > end:
        return BAD
    priority = u16(data, at)
    to = decimal(priority, out, to)
    out[to] = _SPACE
    at, to = read_name(data, at + 2, at, end, 0, out, to + 1)
    if at == BAD or (priority == 0 and at != end):
        return BAD
    before, alpn = -1, False
    while at < end:
        if at + 4 > end:
            return BAD
        key, size = u16(data, at), u16(data, at + 2)
        at += 4
        alpn = alpn or key == _ALPN
        if key <= before or at + size > end or (key == _NO_DEFAULT and not alpn):
            return BAD
        to = _parameter(data, key, at, size, out, to)
        if to == BAD:
            return BAD
        before = key
        at += size
    return to


_KEYS = np.zeros((7, 17), np.uint8)
for _key, _word in {
    _ALPN: b' alpn="', _NO_DEFAULT: b" no-default-alpn", _PORT: b' port="', _IPV4: b' ipv4hint="', _IPV6: b' ipv6hint="',
}.items():  # fmt: skip
    _KEYS[_key, : len(_word)] = np.frombuffer(_word, np.uint8)


@part
def _parameter(data: Octets, key: int, at: int, size: int, out: Bytes, to: int) -> int:
    """One parameter (RFC 9460 section 7) with its space; `BAD` where it has to be read with more care."""
    if key >= len(_KEYS) or _KEYS[key, 0] == 0:
        return BAD
    for octet in _KEYS[key]:
        if octet:
            out[to] = octet
            to += 1
    if key == _NO_DEFAULT:
        return to if size == 0 else BAD
    width = 2 if key == _PORT else 4 if key == _IPV4 else 16
    if size == 0 or (key != _ALPN and size % width) or (key == _PORT and size != width):
        return BAD
    first, end = at, at + size
    while at < end:
        if at > first:
            out[to] = _COMMA
            to += 1
        if key == _PORT:
            to = decimal(u16(data, at), out, to)
        elif key == _IPV4:
            to = ipv4(data, at, out, to)
        elif key == _IPV6:
            to = ipv6(data, at, out, to)
        else:
            width = 1 + u8(data, at)
            if at + width > end or width == 1:
                return BAD
            to = _protocol(data, at + 1, width - 1, out, to)
            if to == BAD:
                return BAD
        at += width
    out[to] = _QUOTE
    return to + 1


@part
def _protocol(data: Octets, at: int, size: int, out: Bytes, to: int) -> int:
    """A protocol's name as it stands; `BAD` where something in it is to be escaped."""
    for place in range(at, at + size):
        octet = u8(data, place)
        if not 0x20 < octet < 0x7F or octet == _QUOTE or octet == _COMMA or octet == _BACKSLASH:
            return BAD
        out[to] = octet
        to += 1
    return to
