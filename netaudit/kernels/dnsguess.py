"""DNS on a port of its own: told by what a message must be, since nothing else announces it."""

from __future__ import annotations

from netaudit.kernels.compiled import part
from netaudit.kernels.octets import Octets, u8, u16

_HEADER = 12
_MOST_ANSWERS = 64


@part
def is_dns(data: Octets, at: int, length: int) -> bool:
    """Whether a datagram is a look-up or the response to one, beyond doubt (RFC 1035 section 4.1).

    One question for a name of two or more labels of letters, digits, hyphens and underscores, of a
    type and a class that are in use; a query holds nothing else but EDNS, and ends where it says.
    """
    if length < _HEADER + 9 or u16(data, at + 4) != 1:
        return False
    flags, answers = u16(data, at + 2), u16(data, at + 6)
    authorities, additional = u16(data, at + 8), u16(data, at + 10)
    is_response = flags & 0x8000
    if flags & 0x7840:  # another opcode than QUERY, or the bit that must be zero
        return False
    if is_response:
        if answers > _MOST_ANSWERS or authorities > _MOST_ANSWERS or additional > _MOST_ANSWERS:
            return False
    elif flags & 0x068F or answers or authorities or additional > 1:
        return False
    after = _after_name(data, at + _HEADER, at + length)
    if after == 0 or after + 4 > at + length:
        return False
    qtype, qclass = u16(data, after), u16(data, after + 2)
    usual = 0 < qtype < 66 or 99 <= qtype <= 109 or 249 <= qtype <= 257
    ends = after + 4 == at + length
    has_edns = u8(data, after + 4) == 0 and u16(data, after + 5) == 41
    sized = is_response or (ends if additional == 0 else has_edns)
    return usual and qclass == 1 and bool(sized)


@part
def _after_name(data: Octets, at: int, end: int) -> int:
    """Behind a plain name of at least two labels; 0 where it is none."""
    begin, labels = at, 0
    while at < end and at - begin < 255:
        size = u8(data, at)
        if size == 0:
            return at + 1 if labels >= 2 else 0
        if size > 63 or at + size >= end:
            return 0
        for k in range(at + 1, at + 1 + size):
            octet = u8(data, k) | 0x20
            if not (0x61 <= octet <= 0x7A or 0x30 <= octet <= 0x39 or octet == 0x2D or octet == 0x7F):
                return 0  # 0x7F: the underscore, folded
        labels += 1
        at += 1 + size
    return 0
