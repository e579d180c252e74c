"""Look-ups in Suricata's EVE lines: a walk over each JSON object (RFC 8259) that knows where it is.

Lines with escapes, with a field twice, or with a wanted field of another type are left.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from netaudit.kernels.compiled import kernel, part
from netaudit.kernels.loglines import VECTOR, below, controls_of, lowest, quotes_of
from netaudit.kernels.octets import Bytes, Ints, Octets, raw64, u8
from netaudit.kernels.spans import Lists, span

SCRATCH = 24
_LONGEST, _DEEPEST = 20_000, 12
_QUOTE, _BLANK, _COMMA, _COLON = ord('"'), ord(" "), ord(","), ord(":")
_BRACE, _BRACE_END, _BRACKET, _BRACKET_END = ord("{"), ord("}"), ord("["), ord("]")
_RETURN, _MINUS, _POINT = ord("\r"), ord("-"), ord(".")

# what is expected next
_VALUE, _FIRST_KEY, _KEY, _BEHIND, _FIRST_VALUE = range(5)
# where an object or list stands
_TOP, _DNS, _ANSWERS, _ANSWER, _QUERIES, _QUESTION, _GROUPED, _GROUP, _ELSEWHERE = range(9)
# fields: a place in the scratch each, then those that hold objects and lists, then what is not for us
_STAMP, _EVENT, _SRC, _SPORT, _DST, _DPORT, _PROTO, _TYPE, _NAME, _QTYPE, _RCODE, _RDATA = range(12)
_IN_DNS, _IN_ANSWERS, _IN_QUERIES, _IN_GROUPED, _ITEM, _IGNORED, _REFUSED = range(12, 19)
_IN_GROUP = 32  # and the following: a list for each record type
_NUMBERS = 1 << _SPORT | 1 << _DPORT
_NEEDED = (1 << _RCODE) - 1
TEXT_AT = 20
"""Place in the scratch of how much text of lists was written."""


def _word(text: bytes) -> np.uint64:
    return np.uint64(int.from_bytes(text.ljust(8, b"\0")[:8], "little"))


_TOP_KEYS = np.array(
    [_word(k) for k in b"timestam event_ty src_ip src_port dest_ip dest_por proto dns".split()], np.uint64
)
_TOP_ENDS = np.array(
    [_word(k) for k in b"imestamp ent_type src_ip src_port dest_ip est_port proto dns".split()], np.uint64
)
_TOP_SIZES = np.array([9, 10, 6, 8, 7, 9, 5, 3])
_TOP_FIELDS = np.array([_STAMP, _EVENT, _SRC, _SPORT, _DST, _DPORT, _PROTO, _IN_DNS])
_OTHER_KEYS = np.array([_word(k) for k in b"llmnr mdns tls http quic flow tcp dhcp".split()], np.uint64)
_DNS_KEYS = np.array(
    [_word(k) for k in b"type rrname rrtype rcode rdata queries answers grouped".split()], np.uint64
)
_DNS_FIELDS = np.array([_TYPE, _NAME, _QTYPE, _RCODE, _REFUSED, _IN_QUERIES, _IN_ANSWERS, _IN_GROUPED])
_GROUP_KEYS = np.array([_word(k) for k in b"A AAAA CNAME MX NS PTR TXT".split()], np.uint64)
_EVENT_DNS, _TRUE, _NULL, _FALSE = _word(b"dns"), _word(b"true"), _word(b"null"), _word(b"fals")
_FOUR = np.uint64(0xFFFF_FFFF)


class Events(NamedTuple):
    """Spans of each event's fields, and which line it is; each has room for all lines.

    A field that is absent is the brace that its line begins with.
    """

    line: Ints
    stamp: Ints
    src: Ints
    sport: Ints
    dst: Ints
    dport: Ints
    proto: Ints
    type: Ints
    name: Ints
    qtype: Ints
    rcode: Ints


@kernel
def events(data: Octets, ends: Ints, high: Bytes, found: Events, answers: Lists, scratch: Ints) -> int:
    """Find the fields of the lines that are look-ups.

    Args:
        data: Text.
        ends: Where each line ends; the first begins at 0.
        high: 1 for each line that is not ASCII.
        found: Gets the spans.
        answers: Gets the answers' data.
        scratch: `SCRATCH` zeros; gets how much text the answers have at 20.

    Returns:
        How many there are.
    """
    count = start = 0
    for line in range(len(ends)):
        end = ends[line]
        last = end - 1 if u8(data, end - 1) == _RETURN else end
        usual = high[line] == 0 and last - start <= _LONGEST and u8(data, start) == _BRACE
        if usual and _is_plain(data, start, last) and _event(data, start, last, count, answers, scratch):
            found.line[count] = line
            found.stamp[count], found.src[count], found.sport[count] = (
                scratch[_STAMP],
                scratch[_SRC],
                scratch[_SPORT],
            )
            found.dst[count], found.dport[count] = scratch[_DST], scratch[_DPORT]
            found.proto[count], found.type[count] = scratch[_PROTO], scratch[_TYPE]
            found.name[count], found.qtype[count], found.rcode[count] = (
                scratch[_NAME],
                scratch[_QTYPE],
                scratch[_RCODE],
            )
            count += 1
        start = end + 1
    return count


@part
def _is_plain(data: Octets, start: int, end: int) -> bool:
    """Whether there are neither escapes nor control characters."""
    for at in range(start, end, VECTOR):
        if controls_of(data, at) & below(end - at):
            return False
    return True


@part
def _event(  # noqa: PLR0915 -- what each octet means hangs on the same handful of variables
    data: Octets, start: int, end: int, row: int, answers: Lists, fields: Ints
) -> bool:
    items = first = answers.offsets[row]
    text = begun = fields[TEXT_AT]
    seen = depth = kinds = questions = (
        0  # `kinds`: four bits a level, where it is; a bit above them says list
    )
    inside, in_list, expected, field = -1, False, _VALUE, _IN_DNS
    fields[_RCODE] = span(start, start + 1)
    at = start
    while at < end:
        octet = u8(data, at)
        if octet == _BLANK:
            at += 1
        elif expected == _FIRST_KEY or expected == _KEY:
            if octet == _BRACE_END and expected == _FIRST_KEY:
                expected = _BEHIND
                continue
            close = _closed(data, at, end) if octet == _QUOTE else -1
            if close < 0:
                return False
            field = _field(data, at + 1, close - at - 1, inside)
            at = close + 1
            while u8(data, at) == _BLANK:
                at += 1
            if field == _REFUSED or u8(data, at) != _COLON:
                return False
            if field < _ITEM or field >= _IN_GROUP:
                if seen >> field & 1:
                    return False
                seen |= 1 << field
            at += 1
            expected = _VALUE
        elif expected == _BEHIND:
            if octet == _COMMA:
                expected = _VALUE if in_list else _KEY
                if in_list:
                    field = _of_items(inside)
            elif octet == (_BRACKET_END if in_list else _BRACE_END):
                depth -= 1
                if inside == _ANSWER or inside == _QUESTION:
                    seen &= ~(1 << _RDATA)
                if depth == 0:
                    break
                kinds >>= 5
                inside, in_list = kinds & 15, kinds >> 4 & 1 == 1
            else:
                return False
            at += 1
        elif octet == _QUOTE:
            close = _closed(data, at, end)
            is_other = _IN_DNS <= field < _ITEM or field >= _IN_GROUP
            if close < 0 or is_other or (field < _IN_DNS and _NUMBERS >> field & 1):
                return False
            if field == _RDATA:
                for place in range(at + 1, close):
                    answers.text.u8[text] = u8(data, place)
                    text += 1
                if close == at + 1:
                    return False
                answers.ends[items] = text
                items += 1
            elif field < _IN_DNS:
                fields[field] = span(at + 1, close)
            at = close + 1
            expected = _BEHIND
        elif octet == _BRACE or octet == _BRACKET:
            opened = _opened(field, inside, octet == _BRACKET)
            questions += opened == _QUESTION
            if opened < 0 or depth == _DEEPEST or questions > 1:
                return False
            inside, in_list = opened, octet == _BRACKET
            kinds = kinds << 5 | (16 if in_list else 0) | inside
            depth += 1
            expected = _FIRST_VALUE if in_list else _FIRST_KEY
            field = _of_items(inside)
            at += 1
        elif octet == _BRACKET_END and expected == _FIRST_VALUE:
            expected = _BEHIND
        else:
            close = _scalar(data, at, field)
            if close < 0:
                return False
            if field < _IN_DNS:
                fields[field] = span(at, close)
            at = close
            expected = _BEHIND
    at += 1
    while at < end and u8(data, at) == _BLANK:
        at += 1
    event = fields[_EVENT]
    if (
        depth or at < end or seen & _NEEDED != _NEEDED
        or event & 0xFFFF != 3 or raw64(data, event >> 16) & np.uint64(0xFFFFFF) != _EVENT_DNS
        or (seen >> _IN_GROUPED & 1 and items == first)
        or text - begun > 0xFFFF
    ):  # fmt: skip
        return False
    answers.known[row] = items > first
    answers.offsets[row + 1] = items
    fields[TEXT_AT] = text
    return True


@part
def _closed(data: Octets, at: int, end: int) -> int:
    """Where the string that begins at a quote ends; -1 where it does not."""
    begin = at + 1
    while begin < end:
        mask = quotes_of(data, begin) & below(end - begin)
        if mask:
            return begin + lowest(mask)
        begin += VECTOR
    return -1


@part
def _field(data: Octets, at: int, size: int, inside: int) -> int:
    """Which field a key names."""
    word = raw64(data, at)
    if size < 8:
        word &= below(8 * size)
    if inside == _TOP:
        for number in range(len(_TOP_KEYS)):
            if word == _TOP_KEYS[number] and size == _TOP_SIZES[number]:
                whole = size <= 8 or raw64(data, at + size - 8) == _TOP_ENDS[number]
                return _TOP_FIELDS[number] if whole else _IGNORED
        for number in range(len(_OTHER_KEYS)):
            if word == _OTHER_KEYS[number]:
                return _REFUSED
    elif inside == _DNS or inside == _QUESTION:
        for number in range(len(_DNS_KEYS)):
            if word == _DNS_KEYS[number] and size < 8:
                if inside == _DNS:
                    return _DNS_FIELDS[number]
                if number == 1 or number == 2:
                    return _DNS_FIELDS[number]
    elif inside == _ANSWER:
        if word == _DNS_KEYS[4] and size == 5:
            return _RDATA
    elif inside == _GROUPED:
        for number in range(len(_GROUP_KEYS)):
            if word == _GROUP_KEYS[number] and size < 8:
                return _IN_GROUP + number
    return _IGNORED


@part
def _opened(field: int, inside: int, is_list: bool) -> int:  # noqa: FBT001 -- of a kernel
    """Where an object or a list that begins stands; -1 where there should be something else."""
    if inside < 0:
        return -1 if is_list else _TOP
    if field == _IN_DNS:
        return -1 if is_list else _DNS
    if field == _IN_GROUPED:
        return -1 if is_list else _GROUPED
    if field == _IN_ANSWERS or field == _IN_QUERIES or field >= _IN_GROUP:
        listed = _ANSWERS if field == _IN_ANSWERS else _QUERIES if field == _IN_QUERIES else _GROUP
        return listed if is_list else -1
    if inside == _ANSWERS:
        return -1 if is_list else _ANSWER
    if inside == _QUERIES:
        return -1 if is_list else _QUESTION
    return _ELSEWHERE if field == _IGNORED else -1


@part
def _of_items(inside: int) -> int:
    """What the items of a list are."""
    return _ITEM if inside == _GROUP or inside == _ANSWERS or inside == _QUERIES else _IGNORED


@part
def _scalar(data: Octets, at: int, field: int) -> int:
    """Where a number, true, false or null ends; -1 where there is none, or it is no value of this field."""
    wanted_number = field < _IN_DNS and _NUMBERS >> field & 1 == 1
    if field != _IGNORED and not wanted_number:
        return -1
    word = raw64(data, at) & _FOUR
    if not wanted_number and (word == _TRUE or word == _NULL):
        return at + 4
    if not wanted_number and word == _FALSE and u8(data, at + 4) == ord("e"):
        return at + 5
    if u8(data, at) == _MINUS:
        at += 1
    first = at
    at = _digits(data, at)
    if at == first or (u8(data, first) == 48 and at > first + 1):
        return -1
    if wanted_number:
        return at
    if u8(data, at) == _POINT:
        first = at + 1
        at = _digits(data, first)
        if at == first:
            return -1
    if u8(data, at) | 0x20 == ord("e"):
        at += 2 if u8(data, at + 1) == _MINUS or u8(data, at + 1) == ord("+") else 1
        first = at
        at = _digits(data, first)
        if at == first:
            return -1
    return at


@part
def _digits(data: Octets, at: int) -> int:
    while 48 <= u8(data, at) <= 57:
        at += 1
    return at
