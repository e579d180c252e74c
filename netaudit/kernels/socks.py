"""SOCKS 4, 4a and 5 (RFC 1928): what a client's side of a stream begins with.

Of SOCKS 5 that is the greeting, a user's name and password where the server asked for them (RFC
1929), and the request, one behind the other. What the server says is not needed.
"""

from __future__ import annotations

from enum import IntEnum

from netaudit.kernels.compiled import kernel, part
from netaudit.kernels.octets import Octets, u8, u16, u32


class State(IntEnum):
    """How far a client's octets could be read."""

    OPEN = 0
    """More octets are needed."""
    WHOLE = 1
    NONE = 2
    """This is no SOCKS."""


class Form(IntEnum):
    """How a request states where it wants to go: the address types of RFC 1928 section 5."""

    SEALED = 0
    """Not at all: it is encrypted, behind GSSAPI (RFC 1961)."""
    IPV4 = 1
    NAME = 3
    IPV6 = 4


CONNECT, BIND, UDP, RESOLVE, RESOLVE_PTR = 1, 2, 3, 0xF0, 0xF1
"""Commands; the last two are Tor's."""

MAX_TEXT = 255
"""Octets of a SOCKS 4 user id or name."""
MAX_METHODS = 10
"""Ways of authentication that a greeting may offer; more are none."""

_OPEN, _WHOLE, _NONE = int(State.OPEN), int(State.WHOLE), int(State.NONE)
_SEALED, _IPV4 = int(Form.SEALED), int(Form.IPV4)
_NAME, _IPV6 = int(Form.NAME), int(Form.IPV6)
_GSSAPI, _PASSWORD = 1 << 1, 1 << 2

Parts = tuple[int, int, int, int, int, int, int, int]


@kernel
def is_socks(data: Octets, at: int, length: int) -> bool:
    """Whether a client's first octets are what SOCKS begins with.

    Of SOCKS 4 it is a whole request and nothing else, for clients wait for an answer, or one that
    breaks off in its texts; of SOCKS 5 a whole greeting, and nothing behind it that may not follow.
    """
    version = u8(data, at)
    if not 4 <= version <= 5 or length < 3:
        return False
    greeting = 2 + u8(data, at + 1)
    if version == 5 and length <= greeting:
        return length == greeting and _offered(data, at) != 0
    state, _, _, _, _, _, _, after = parts(data, at, length)
    if version == 5:
        return state != _NONE
    return length > 8 if state == _OPEN else state == _WHOLE and after == at + length


@kernel
def state(data: Octets, at: int, length: int) -> int:
    """How far the request is there in a client's stream of which `length` octets are known: a `State`."""
    return parts(data, at, length)[0]


@kernel
def parts(data: Octets, at: int, length: int) -> Parts:
    """Find the parts of a request in a client's first octets.

    Returns:
        A `State`, and where it is `WHOLE`: where the account is named and in how many octets; the
        command; a `Form`; where the name or address begins and its octets; where the request ends.
    """
    if u8(data, at) == 4:
        return _version4(data, at, at + length)
    if u8(data, at) == 5:
        return _version5(data, at, at + length)
    return _nothing(_NONE, at)


@part
def _nothing(found: int, at: int) -> Parts:
    return found, at, 0, 0, _SEALED, at, 0, at


@part
def _version4(data: Octets, at: int, end: int) -> Parts:
    """Version, command, port, address, a user id and a zero; in 4a a name and a zero (0.0.0.x)."""
    command, address = u8(data, at + 1), u32(data, at + 4)
    if end - at < 9:
        return _nothing(_OPEN, at)
    if not CONNECT <= command <= BIND or u16(data, at + 2) == 0:
        return _nothing(_NONE, at)
    if address == 0 or address >= 0xE000_0000 or 0xFF < address < 0x0100_0000:
        return _nothing(_NONE, at)
    account = at + 8
    found, stop = _text(data, account, end)
    if found != _WHOLE or address > 0xFF:
        return found, account, stop - account, command, _IPV4, at + 4, 4, stop + 1
    found, after = _text(data, stop + 1, end)
    if after == stop + 1 and found == _WHOLE:
        found = _NONE
    return found, account, stop - account, command, _NAME, stop + 1, after - stop - 1, after + 1


@part
def _text(data: Octets, at: int, end: int) -> tuple[int, int]:
    """Printable octets up to a zero: whether they are all there, and where the zero is."""
    for i in range(at, min(end, at + MAX_TEXT + 1)):
        octet = u8(data, i)
        if octet == 0:
            return _WHOLE, i
        if octet < 0x20 or octet == 0x7F:
            return _NONE, i
    return (_NONE if end - at > MAX_TEXT else _OPEN), end


@part
def _version5(data: Octets, at: int, end: int) -> Parts:
    """A greeting, a user's name and password where that was offered and follows, a request."""
    offered, after = _offered(data, at), at + 2 + u8(data, at + 1)
    if end - at < 3 or after >= end:
        return _nothing(_OPEN, at)
    if offered == 0 or u8(data, after) != 1:
        return _request(data, after, end, after, 0) if offered else _nothing(_NONE, at)
    if offered & _PASSWORD == 0:
        is_sealed = offered & _GSSAPI != 0 and u8(data, after + 1) == 1
        return _nothing(_WHOLE if is_sealed else _NONE, end)
    account, size = after + 2, u8(data, after + 1)
    request = account + size + 1 + u8(data, account + size)
    if account + size >= end or request >= end:
        return _nothing(_OPEN, at)
    return _request(data, request, end, account, size)


@part
def _request(data: Octets, at: int, end: int, account: int, size: int) -> Parts:
    """Version, command, a zero, the form of an address, the address, a port (RFC 1928 section 4)."""
    command, form = u8(data, at + 1), u8(data, at + 3)
    if u8(data, at) != 5 or (end - at > 2 and u8(data, at + 2) != 0):
        return _nothing(_NONE, at)
    if end - at < 5:
        return _nothing(_OPEN, at)
    host = at + 5 if form == _NAME else at + 4
    width = 4 if form == _IPV4 else 16 if form == _IPV6 else u8(data, at + 4) if form == _NAME else 0
    if width == 0 or not (CONNECT <= command <= UDP or RESOLVE <= command <= RESOLVE_PTR):
        return _nothing(_NONE, at)
    after = host + width + 2
    return _WHOLE if after <= end else _OPEN, account, size, command, form, host, width, after


@part
def _offered(data: Octets, at: int) -> int:
    """Ways of authentication that a greeting offers, a bit each, the tenth for private ones.

    0 where they are none: not assigned, named twice, or too many.
    """
    count = u8(data, at + 1)
    offered = 0
    for i in range(at + 2, at + 2 + min(count, MAX_METHODS)):
        octet = u8(data, i)
        bit = 1 << min(octet, 10)
        if 9 < octet < 0x80 or octet == 0xFF or (offered & bit and octet < 10):
            return 0
        offered |= bit
    return offered if count <= MAX_METHODS else 0
