"""HTTP request heads (RFC 9112 sections 2 and 3): method, target, Host, version.

What begins like a request is one once its first line ends with a version. Bodies are stepped over
where their length is stated, so that what a body quotes is no request; all else is left alone.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np

from netaudit.kernels.compiled import kernel, part
from netaudit.kernels.octets import Bytes, Octets, u8
from netaudit.kernels.packet import Rows

METHODS = (
    "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY",
    "PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "SEARCH", "ACL", "ORDERPATCH",
    "VERSION-CONTROL", "REPORT", "CHECKOUT", "CHECKIN", "UNCHECKOUT", "MKWORKSPACE", "UPDATE", "LABEL",
    "MERGE", "BASELINE-CONTROL", "MKACTIVITY", "MKCALENDAR", "MKREDIRECTREF", "UPDATEREDIRECTREF",
    "BIND", "UNBIND", "REBIND", "LINK", "UNLINK", "M-SEARCH", "NOTIFY", "SUBSCRIBE", "UNSUBSCRIBE", "POLL",
    "BCOPY", "BDELETE", "BMOVE", "BPROPFIND", "BPROPPATCH", "RPC_CONNECT", "RPC_IN_DATA", "RPC_OUT_DATA",
    "CCM_POST", "PURGE", "SOURCE",
)  # fmt: skip
"""The IANA registry of methods, UPnP, Exchange, RPC over HTTP and some of caches and radios."""

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
"""What an HTTP/2 client sends first (RFC 9113 section 3.4)."""

MAX_HEAD = 65_536
"""Octets of a stream in which heads are looked for."""

MAX_METHOD = 17

REQUEST = np.dtype([
    ("message", "i8"), ("state", "i8"),
    ("method_at", "i8"), ("method_length", "i8"), ("version_at", "i8"), ("host_at", "i8"),
], align=True)  # fmt: skip
"""One row a request: which of the messages holds it, how far (`Head`) and where its parts begin, -1
for what is absent. The target is between method and version; the version is what follows ``HTTP/``;
a Host's value ends with its line."""


class Head(IntEnum):
    """How far a head could be read."""

    OPEN = 0
    """More octets are needed: it ends neither, nor is its Host there."""
    WHOLE = 1
    NONE = 2
    """This is no request."""


_OPEN, _WHOLE, _NONE = int(Head.OPEN), int(Head.WHOLE), int(Head.NONE)
_CR, _LF, _TAB, _SPACE = 0x0D, 0x0A, 0x09, 0x20
_NOT_FOUND = -1
_UNKNOWN = -1  # length of a body
_HUGE = 1 << 48
_TEN_LETTERS = (1 << 60) - 1


def _packed(method: str) -> int:
    """The same number that `_method` makes of a method."""
    word = 0
    for octet in method.encode():
        word = (word << 6 | octet & 0x3F) & _TEN_LETTERS
    return word


def _word(text: bytes) -> Bytes:
    return np.frombuffer(text, np.uint8)


_KNOWN = np.array([_packed(method) for method in METHODS], np.int64)
_BODYLESS = np.array([_packed(m) for m in ("GET", "HEAD", "DELETE", "OPTIONS", "CONNECT")], np.int64)
_HOST, _CONTENT_LENGTH, _TRANSFER = _word(b"host:"), _word(b"content-length:"), _word(b"transfer-encoding:")
_PROTOCOL, _PREFACE = _word(b"http/"), _word(PREFACE)


@kernel
def is_request(data: Octets, at: int, length: int) -> bool:
    """Whether a request begins here, as far as `length` octets tell.

    Of an unfinished line a known method, its space and printable octets are enough; a line that
    ends must end with a version, and then any method will do.
    """
    first = u8(data, at)
    if not (0x41 <= first <= 0x5A or first in (_CR, _LF)) or length < 4:
        return False
    begin, method, word = _method(data, at, at + length)
    if method == 0:
        return False
    stop, after = _line(data, begin, at + min(length, MAX_HEAD))
    if after == _NOT_FOUND:
        return _is_one_of(word, _KNOWN) and _is_text(data, begin + method + 1, at + length)
    version = _version(data, begin + method, stop)
    return version != _NOT_FOUND and u8(data, version) < 0x32  # HTTP/2's preface is none


@kernel
def head_state(data: Octets, at: int, length: int) -> int:
    """How far the heads are there in a stream that began like a request: a `Head`.

    Returns:
        `Head.OPEN` while the last request that begins here has neither ended its head nor
        shown a whole Host line; `Head.NONE` where the first is none after all; else `Head.WHOLE`,
        also where `MAX_HEAD` octets are there, because no more are looked at.
    """
    end = at + min(length, MAX_HEAD)
    last = _NONE
    while at < end:
        state, _, _, _, _, at = _head(data, at, end)
        if state == _NONE:
            break
        last = state
    return _WHOLE if last == _OPEN and length >= MAX_HEAD else last


@kernel
def is_http2(data: Octets, at: int, length: int) -> bool:
    """Whether the first line of an HTTP/2 client's preface is here."""
    return length >= 16 and may_be_http2(data, at, length)


@kernel
def may_be_http2(data: Octets, at: int, length: int) -> bool:
    """Whether what is here, one octet at least, is how an HTTP/2 client's preface begins."""
    for i in range(min(length, len(_PREFACE))):
        if u8(data, at + i) != _PREFACE[i]:
            return False
    return length > 0


@kernel
def read_requests(data: Octets, messages: Rows, found: Rows) -> int:
    """Read all requests of messages that begin with one.

    Args:
        data: The arena.
        messages: `packet.MESSAGE`.
        found: `REQUEST`. A message that is no request gets a row too, whose `state` says so.

    Returns:
        How many there are. Where `found` is shorter, the rest of them is not in it, and it is to
        be called again with more room.
    """
    count = 0
    for message in range(len(messages)):
        row: Any = messages[message]
        begin = at = row.at
        end = at + row.length
        while at < end:
            state, method_at, method, version, host_at, after = _head(data, at, end)
            if state == _NONE and at > begin:
                break  # what follows a request is something else
            if count < len(found):
                one: Any = found[count]
                one.message, one.state = message, state
                one.method_at, one.method_length = method_at, method
                one.version_at, one.host_at = version, host_at
            count += 1
            at = after
    return count


@part
def _head(data: Octets, at: int, end: int) -> tuple[int, int, int, int, int, int]:
    """Read the head that begins at `at`.

    Returns:
        Its state; where the method begins and its length; where the version and the Host line's
        value begin, `_NOT_FOUND` without one; where the next may begin, `end` for nowhere.
    """
    begin, method, word = _method(data, at, end)
    stop, after = _line(data, begin, end)
    if method == 0 or (after == _NOT_FOUND and not _is_text(data, begin, end)):
        return _NONE, begin, 0, _NOT_FOUND, _NOT_FOUND, end
    if after == _NOT_FOUND:
        return _OPEN, begin, method, _NOT_FOUND, _NOT_FOUND, end
    version = _version(data, begin + method, stop)
    if version == _NOT_FOUND:
        return _NONE, begin, 0, _NOT_FOUND, _NOT_FOUND, end
    host, after, body = _fields(data, after, end)
    state = _OPEN if host == _NOT_FOUND and after == _NOT_FOUND else _WHOLE
    if body == _UNKNOWN:
        body = 0 if _is_one_of(word, _BODYLESS) else end
    follows = after + body if after != _NOT_FOUND and body <= end - after else end
    return state, begin, method, version, host, follows


@part
def _fields(data: Octets, at: int, end: int) -> tuple[int, int, int]:
    """Read header lines: the Host's value, what is behind the empty line, the body's stated length."""
    host, body = _NOT_FOUND, _UNKNOWN
    while True:
        stop, after = _line(data, at, end)
        if after == _NOT_FOUND or stop == at:
            return host, after, body
        first = u8(data, at) | 0x20
        if first == 0x68 and host == _NOT_FOUND:
            host = _value(data, at, stop, _HOST)
        elif first == 0x63 and _value(data, at, stop, _CONTENT_LENGTH) != _NOT_FOUND:
            stated = _number(data, _value(data, at, stop, _CONTENT_LENGTH), stop)
            # two lengths, or none that is one: nobody knows where the next request begins
            body = stated if body == _UNKNOWN else end
        elif first == 0x74 and _value(data, at, stop, _TRANSFER) != _NOT_FOUND:
            body = end
        at = after


@part
def _method(data: Octets, at: int, end: int) -> tuple[int, int, int]:
    """A word in capitals that ends with a space.

    Returns:
        Where it begins, behind the empty lines that may precede (RFC 9112 section 2.2), its
        length, 0 where there is none, and its last ten letters as one number.
    """
    for _ in range(4):
        if at < end and (u8(data, at) == _CR or u8(data, at) == _LF):
            at += 1
    word = 0
    for i in range(at, min(end, at + MAX_METHOD + 1)):
        octet = u8(data, i)
        if octet == _SPACE:
            return at, i - at if i - at >= 3 else 0, word
        if not (0x41 <= octet <= 0x5A or octet in (0x2D, 0x5F)):
            break
        word = (word << 6 | octet & 0x3F) & _TEN_LETTERS
    return at, 0, 0


@part
def _is_one_of(word: int, words: Any) -> bool:
    for known in words:
        if known == word:
            return True
    return False


@part
def _line(data: Octets, at: int, end: int) -> tuple[int, int]:
    """Where a line ends without the blanks and the carriage return at its end, and where the next begins.

    The next is `_NOT_FOUND` where the line does not end.
    """
    stop = at
    for i in range(at, end):
        octet = u8(data, i)
        if octet == _LF:
            return stop, i + 1
        if octet not in (_SPACE, _TAB, _CR):
            stop = i + 1
    return stop, _NOT_FOUND


@part
def _version(data: Octets, at: int, stop: int) -> int:
    """Where in a line the digits of a final ``HTTP/1.1`` begin, which a space sets apart."""
    for begin in range(stop - 1, max(at, stop - 16), -1):
        if u8(data, begin) == _SPACE:
            digits = _value(data, begin + 1, stop, _PROTOCOL)
            return digits if 0x30 <= u8(data, digits) <= 0x39 and digits < stop else _NOT_FOUND
    return _NOT_FOUND


@part
def _value(data: Octets, at: int, stop: int, word: Any) -> int:
    """What follows a word in small letters, whatever their case, and blanks; `_NOT_FOUND` without it."""
    if stop - at < len(word):
        return _NOT_FOUND
    for letter in word:
        octet = u8(data, at)
        if octet != letter and (octet | 0x20 != letter or not 0x41 <= octet <= 0x5A):
            return _NOT_FOUND
        at += 1
    while at < stop and (u8(data, at) == _SPACE or u8(data, at) == _TAB):
        at += 1
    return at


@part
def _number(data: Octets, at: int, stop: int) -> int:
    """The decimal number that the octets are; a huge one where they are none."""
    value = 0
    for i in range(at, stop):
        digit = u8(data, i) - 0x30
        value = min(value * 10 + digit, _HUGE) if 0 <= digit <= 9 else _HUGE
    return value if stop > at else _HUGE


@part
def _is_text(data: Octets, at: int, stop: int) -> bool:
    """Whether the first few octets hold no control character and no blank comes first."""
    for i in range(at, min(stop, at + 64)):
        octet = u8(data, i)
        if (octet < _SPACE and octet not in (_CR, _TAB)) or octet == 0x7F:
            return False
    return u8(data, at) != _SPACE or at >= stop
