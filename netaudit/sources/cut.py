"""How much of a packet says where it went: its headers, and the message part that holds the name.

What is kept of each kind of event:

* ``dns``: a query whole; a response up to its first record that is no address, alias or signature
  (so no TXT).
* ``tls``, ``quic``: the ClientHello (of QUIC the Initial packets that carry it, which are sealed as
  a whole). It is sent in the clear and holds no content.
* ``http``: the request up to the end of the line that names the host. The request line, with its
  path, stands before it and is kept; header fields after it, cookies among them, are not.
  Of HTTP/2 the frames up to the end of the first header block.
* ``dhcp``, ``arp``, ``wlan``: everything; they are about addresses only.
* ``radius``: everything up to the first attribute that is a credential.
* ``proxy`` (SOCKS): up to the end of the name.
* ``flow``, and whatever names nothing: the headers alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

_WHOLE = 1 << 30
METHODS = (b"GET ", b"POST ", b"HEAD ", b"PUT ", b"CONNECT ", b"OPTIONS ", b"DELETE ", b"PATCH ", b"TRACE ")
_SECRET_FIELD = re.compile(rb"\n(cookie|authorization|proxy-authorization):")
HTTP2_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
MAX_HEAD = 16 << 10
"""Octets of an HTTP request in which its host is looked for."""
HARMLESS_RECORDS = frozenset({1, 2, 5, 6, 12, 15, 28, 33, 39, 41, 43, 46, 47, 48, 50, 64, 65})
"""Addresses and names (A, NS, CNAME, SOA, PTR, MX, AAAA, SRV, DNAME, SVCB, HTTPS), OPT, and DNSSEC's."""
CREDENTIALS = frozenset({2, 3, 60, 69, 79})
"""RADIUS User-Password, CHAP-Password, CHAP-Challenge, Tunnel-Password, EAP-Message (RFC 2865-2869)."""


def essential(kind: str, payload: bytes, names: Collection[str], *, stream: bool) -> int:
    """Octets from the beginning of a transport payload that say where it went.

    Args:
        kind: Of an event, see `records.schemas.KINDS`.
        payload: Of one datagram, or the octets of a stream from here on, as many as are there.
        names: What events of this kind read in it.
        stream: Whether it is of TCP.

    Returns:
        The number of octets; more than there are where the message goes on; 0 where no message of
        this kind begins here.
    """
    if kind == "dns":
        return _dns_stream(payload) if stream else _dns(payload)
    if kind == "tls":
        return _hello(payload) if stream else _dtls(payload)
    rule = _RULES.get(kind)
    if rule is not None:
        return rule(payload)
    if payload.startswith(HTTP2_PREFACE):
        return _http2(payload)
    named = [_named(payload, name, line=kind == "http") for name in names]
    if kind == "http" and payload.startswith(METHODS) and 0 in named:
        return min(len(payload) + 1, MAX_HEAD)
    return max(named, default=0)


def _named(payload: bytes, name: str, *, line: bool) -> int:
    """Where `name`, or the line that holds it, ends; 0 where it is not there.

    Lines up to that of the Host field are kept, so that the request can be read again; but not where
    a credential stands before it.
    """
    wanted, head = name.encode("ascii", "replace"), payload[:MAX_HEAD].lower()
    at = head.find(wanted)
    if at < 0 or not wanted:
        return 0
    if not line:
        return at + len(wanted)
    host = head.find(b"\nhost:", at, head.find(b"\r\n\r\n", at))
    if host > 0 and not _SECRET_FIELD.search(head, at, host):
        at = host + 1
    return head.find(b"\n", at) + 1


def _dns(message: bytes) -> int:
    """A query whole; of a response header, questions and the first harmless records (RFC 1035 section 4)."""
    if len(message) < 12 or not message[2] & 0x80:
        return len(message)
    at = 12
    for _ in range(min(int.from_bytes(message[4:6], "big"), 16)):
        at = _after_name(message, at) + 4
    for _ in range(sum(int.from_bytes(message[count : count + 2], "big") for count in (6, 8, 10))):
        head = _after_name(message, at)
        kind = int.from_bytes(message[head : head + 2], "big")
        if head + 10 > len(message) or kind not in HARMLESS_RECORDS:
            break
        at = head + 10 + int.from_bytes(message[head + 8 : head + 10], "big")
    return min(at, len(message))


def _after_name(message: bytes, at: int) -> int:
    """Where the octets of a name end: after its root label or its first pointer."""
    while at < len(message) and 0 < message[at] < 0xC0:
        at += 1 + message[at]
    return at + (2 if at < len(message) and message[at] >= 0xC0 else 1)


def _dns_stream(stream: bytes) -> int:
    """Messages with their lengths before them (RFC 1035 section 4.2.2), up to the last one's answers."""
    at, kept = 0, 0
    while at + 2 <= len(stream):
        length = int.from_bytes(stream[at : at + 2], "big")
        if length < 12:
            break
        if at + 2 + length > len(stream):
            return kept or at + 2 + length
        kept = at + 2 + _dns(stream[at + 2 : at + 2 + length])
        at += 2 + length
    return kept


def _hello(stream: bytes) -> int:
    """The records that the ClientHello lies in (RFC 8446 sections 4 and 5.1)."""
    left = _hello_length(stream, 5) if stream[:2] == b"\x16\x03" else 0
    at = 0
    while left > 0:
        if at + 5 > len(stream):
            return at + 5 + left
        size = int.from_bytes(stream[at + 3 : at + 5], "big")
        if stream[at] != 0x16 or size == 0:
            return at
        at += 5 + min(size, left)
        left -= size
    return at


def _hello_length(message: bytes, at: int) -> int:
    if message[at : at + 1] != b"\x01":
        return 0
    return 4 + int.from_bytes(message[at + 1 : at + 4].ljust(3, b"\0"), "big")


def _dtls(datagram: bytes) -> int:
    """The first record (RFC 6347 section 4.1)."""
    return 13 + int.from_bytes(datagram[11:13], "big") if datagram[:2] == b"\x16\xfe" else 0


def _quic(datagram: bytes) -> int:
    """Initial packets at the beginning of a datagram (RFC 9000 section 17.2.2, RFC 9369); gQUIC whole."""
    at = 0
    while datagram[at : at + 1] >= b"\xc0":
        version = datagram[at + 1 : at + 5]
        if (datagram[at] >> 4 & 3) != (1 if version == b"\x6b\x33\x43\xcf" else 0):
            break
        after = at + 5
        for _ in range(2):  # connection ids
            after += 1 + int.from_bytes(datagram[after : after + 1], "big")
        token, after = _varint(datagram, after)
        length, after = _varint(datagram, after + token)
        if not length:
            break
        at = after + length
    return at or len(datagram)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number and where it ends (RFC 9000 section 16)."""
    if at >= len(data):
        return 0, at
    width = 1 << (data[at] >> 6)
    return int.from_bytes(data[at : at + width], "big") & ((1 << width * 8 - 2) - 1), at + width


def initial_of(datagram: bytes) -> bytes:
    """Version and destination connection id of a datagram with a long header; empty where it has none."""
    return datagram[1 : 6 + datagram[5]] if len(datagram) > 6 and datagram[0] >= 0xC0 else b""


def _http2(stream: bytes) -> int:
    """Frames up to the end of the first header block (RFC 9113 sections 4.1 and 6.2)."""
    at = len(HTTP2_PREFACE)
    while at < MAX_HEAD:
        size, kind, flags = (
            int.from_bytes(stream[at : at + 3], "big"),
            stream[at + 3 : at + 4],
            stream[at + 4 : at + 5],
        )
        at += 9 + size
        if not kind or not flags or (kind in b"\x01\x09" and flags[0] & 4):
            break
    return at


def _radius(message: bytes) -> int:
    """Attributes up to the first credential (RFC 2865 section 5)."""
    at = 20
    while at + 2 <= len(message) and message[at + 1] >= 2 and message[at] not in CREDENTIALS:
        at += message[at + 1]
    return min(at, len(message))


def _everything(_: bytes) -> int:
    return _WHOLE


def _nothing(_: bytes) -> int:
    return 0


_RULES: dict[str, Callable[[bytes], int]] = {
    "quic": _quic,
    "radius": _radius,
    "dhcp": _everything,
    "arp": _everything,
    "wlan": _everything,
    "flow": _nothing,
}
