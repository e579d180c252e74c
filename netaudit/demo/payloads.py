"""What is said on a connection: TLS 1.3 hellos (RFC 8446), HTTP/1.1 (RFC 9112), DNS over TCP."""

from __future__ import annotations

import functools
import struct
from typing import NamedTuple

from netaudit.demo.world import dns_messages

_CIPHERS = bytes.fromhex("130113021303c02bc02fc02cc030")
_BODY = b"<p>netaudit demonstration data</p>\n"
FINISHED_BYTES = 69
CLIENT_NOISE, SERVER_NOISE = 96, 64


class Message(NamedTuple):
    """One side's turn."""

    outward: bool
    kind: str
    size: int


def tls_messages(name: str, certificate: int, request: int, response: int) -> tuple[Message, ...]:
    """The turns of a TLS connection; all sizes in octets, of the encrypted records without header."""
    return (
        Message(outward=True, kind="client_hello", size=_hello_size() + len(name)),
        Message(outward=False, kind="server_flight", size=_server_hello_size() + 6 + 5 + certificate),
        Message(outward=True, kind="finished", size=6 + 5 + FINISHED_BYTES),
        Message(outward=True, kind="sealed", size=5 + request),
        Message(outward=False, kind="sealed", size=5 + response),
    )


def http_messages(name: str, response: int) -> tuple[Message, ...]:
    """The turns of a plain HTTP connection; `response` is the body's size."""
    return (
        Message(outward=True, kind="http_request", size=len(http_request(name))),
        Message(outward=False, kind="http_response", size=len(_http_head(response)) + response),
    )


def dns_query_size(name: str) -> tuple[Message, ...]:
    """The turns of one TXT question over TCP (RFC 7766)."""
    query, response = dns_messages(name, "TXT", edns=True, truncated=False)
    return (
        Message(outward=True, kind="dns_query", size=len(query) + 2),
        Message(outward=False, kind="dns_response", size=len(response) + 2),
    )


def message_bytes(message: Message, name: str, noise: bytes) -> bytes:
    """The octets of one turn.

    Args:
        message: Which turn; the result has its size.
        name: Server name, Host or qname.
        noise: As many octets as the turn has, at least; stands for keys and sealed records.
    """
    match message.kind:
        case "client_hello":
            octets = client_hello(name, noise[:CLIENT_NOISE])
        case "server_flight":
            hello = server_hello(noise[:SERVER_NOISE], session=noise[32:64])
            sealed = message.size - len(hello) - 6 - 5
            octets = hello + _record(20, b"\x01") + _record(23, noise[:sealed])
        case "finished":
            octets = _record(20, b"\x01") + _record(23, noise[:FINISHED_BYTES])
        case "http_request":
            octets = http_request(name)
        case "http_response":
            octets = http_response(message.size)
        case "dns_query" | "dns_response":
            query, response = dns_messages(name, "TXT", edns=True, truncated=False)
            wire = query if message.outward else response
            octets = struct.pack("!H", len(wire)) + noise[:2] + wire[2:]
        case _:
            octets = _record(23, noise[: message.size - 5])
    return octets


def client_hello(name: str, noise: bytes) -> bytes:
    """A TLS 1.3 ClientHello in its record, with `name` as SNI and ALPN h2, http/1.1.

    Args:
        name: Server name, ASCII.
        noise: 96 octets: random, session id, key share.
    """
    host = name.encode()
    extensions = b"".join(
        (
            _extension(0, _sized(b"\x00" + _sized(host))),  # server_name, RFC 6066 section 3
            _extension(23, b""),  # extended_master_secret
            _extension(10, _sized(bytes.fromhex("001d00170018"))),  # supported_groups
            _extension(11, b"\x01\x00"),  # ec_point_formats
            _extension(13, _sized(bytes.fromhex("0403080404010503080505010806"))),  # signature_algorithms
            _extension(16, _sized(b"\x02h2\x08http/1.1")),  # ALPN, RFC 7301 section 3.1
            _extension(43, b"\x04\x03\x04\x03\x03"),  # supported_versions
            _extension(45, b"\x01\x01"),  # psk_key_exchange_modes
            _extension(51, _sized(b"\x00\x1d" + _sized(noise[64:96]))),  # key_share, x25519
        )
    )
    body = (
        b"\x03\x03"
        + noise[:32]
        + b"\x20"
        + noise[32:64]
        + _sized(_CIPHERS)
        + b"\x01\x00"
        + _sized(extensions)
    )
    return _record(22, b"\x01" + len(body).to_bytes(3, "big") + body, version=b"\x03\x01")


def server_hello(noise: bytes, session: bytes) -> bytes:
    """A TLS 1.3 ServerHello in its record; `noise` is 64 octets: random, key share."""
    extensions = _extension(43, b"\x03\x04") + _extension(51, b"\x00\x1d" + _sized(noise[32:64]))
    body = b"\x03\x03" + noise[:32] + b"\x20" + session + b"\x13\x01\x00" + _sized(extensions)
    return _record(22, b"\x02" + len(body).to_bytes(3, "big") + body)


def http_request(name: str) -> bytes:
    """A request for the front page of `name`."""
    return f"GET / HTTP/1.1\r\nHost: {name}\r\nUser-Agent: demo\r\nAccept: */*\r\n\r\n".encode()


def http_response(size: int) -> bytes:
    """A response of `size` octets, head included."""
    length = size - len(_http_head(0))
    return _http_head(length) + (_BODY * (length // len(_BODY) + 1))[:length]


def _http_head(length: int) -> bytes:
    """The head of a response with a body of `length` octets, always four digits long."""
    return (
        f"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {length:04}\r\n"
        "Connection: close\r\n\r\n"
    ).encode()


@functools.cache
def _hello_size() -> int:
    return len(client_hello("", bytes(CLIENT_NOISE)))


@functools.cache
def _server_hello_size() -> int:
    return len(server_hello(bytes(SERVER_NOISE), bytes(32)))


def _record(kind: int, body: bytes, version: bytes = b"\x03\x03") -> bytes:
    return bytes([kind]) + version + _sized(body)


def _extension(kind: int, body: bytes) -> bytes:
    return struct.pack("!H", kind) + _sized(body)


def _sized(body: bytes) -> bytes:
    """With its length in two octets in front."""
    return struct.pack("!H", len(body)) + body
