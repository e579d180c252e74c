"""ClientHellos and HTTP request heads."""

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netaudit.kernels import http, tls
from netaudit.kernels.status import Status
from netaudit.kernels.window import Window


def hello(name=b"www.example.org", extensions=b"", cookie=b"") -> bytes:
    """A ClientHello from its handshake type on."""
    sni = struct.pack("!HBH", len(name) + 3, 0, len(name)) + name
    exts = struct.pack("!HH", 0, len(sni)) + sni + extensions
    body = struct.pack("!H", 0x0303) + b"r" * 32 + b"\x20" + b"s" * 32 + cookie
    body += b"\0\4\x13\x01\x13\x02" + b"\1\0" + struct.pack("!H", len(exts)) + exts
    return b"\1" + len(body).to_bytes(3, "big") + body


def read(*hellos):
    length = np.array([len(h) for h in hellos])
    window = Window(b"".join(hellos))
    return window, tls.read_hellos(window, np.cumsum(length) - length, length)


def test_names_protocols_and_versions():
    alpn = struct.pack("!HHH", 16, 5, 3) + b"\2h2"
    versions = struct.pack("!HHB", 43, 5, 4) + b"\x03\x04\x03\x03"
    first = hello(b"a.example", alpn + versions + struct.pack("!HH", 0xFE0D, 0))
    window, found = read(first, hello(b"long-name.example.com"))
    names = [window.data[a : a + n] for a, n in zip(found.sni_at, found.sni_length, strict=True)]
    assert names == [b"a.example", b"long-name.example.com"]
    assert window.data[found.alpn_at[0] :][: found.alpn_length[0]] == b"\2h2"
    assert window.data[found.versions_at[0] :][: found.versions_length[0]] == b"\x03\x04\x03\x03"
    assert found.ech.tolist() == [True, False]
    assert found.status.tolist() == [Status.OK, Status.OK]


@settings(max_examples=120, deadline=None)
@given(st.integers(1, 200), st.integers(0, 199), st.integers(0, 255))
def test_no_damage_to_a_hello_leads_outside(cut, flip, value):
    data = bytearray(hello(extensions=struct.pack("!HHH", 16, 5, 3) + b"\2h2")[:cut])
    data[flip % len(data)] = value
    _, found = read(bytes(data))
    for at, length in ((found.sni_at, found.sni_length), (found.alpn_at, found.alpn_length)):
        assert (length >= 0).all()
        assert (at + length <= len(data)).all()


def requests(*payloads):
    length = np.array([len(p) for p in payloads])
    found = http.read_requests(Window(b"".join(payloads)), np.cumsum(length) - length, length)
    text = found.octets.tobytes()

    def cells(at, size):
        return [text[a : a + n] for a, n in zip(at, size, strict=True)]

    return found, cells(found.method_at, found.method_length), cells(found.host_at, found.host_length)


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", [(b"GET", b" a.example")]),
        (b"GET / HTTP/1.1\r\nAccept: x\r\nhOST:a.example:8080\r\n", [(b"GET", b"a.example:8080")]),
        (b"HEAD /x HTTP/1.0\nHost: b\n\n", [(b"HEAD", b" b")]),
        (b"GET / HTTP/1.0\r\n\r\n", [(b"GET", b"")]),
        (b"UNSUBSCRIBE /u HTTP/1.1\r\nHost: c\r\n\r\n", [(b"UNSUBSCRIBE", b" c")]),
        (
            b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: b\r\n\r\n",
            [(b"GET", b" a"), (b"GET", b" b")],
        ),
        (
            b"POST / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: quoted.example\r\n\r\n",
            [(b"POST", b" a")],
        ),
        (b"GET / HTTP/1.1\r\n\r\nHost: body.example\r\n", [(b"GET", b"")]),
    ],
)
def test_request_heads(payload, expected):
    found, methods, hosts = requests(b"GET /", payload, b"GET / HTTP/1.1\r\n")
    mine = found.payload == 1
    assert [(m, h) for m, h, own in zip(methods, hosts, mine, strict=True) if own] == expected
    assert (found.status[mine] == Status.OK).all()
    assert found.status[~mine].tolist() == [Status.TRUNCATED, Status.TRUNCATED]


@settings(max_examples=120, deadline=None)
@given(st.lists(st.sampled_from([b"GET ", b"POST ", b"/", b" HTTP/1.1", b"\r\n", b"\n", b"Host: ", b"a", b"\0"]),
                min_size=1, max_size=25))  # fmt: skip
def test_pieces_of_requests_in_any_order(parts):
    payload = b"".join(parts)
    window = Window(payload)
    at, length = np.array([0]), np.array([len(payload)])
    http.is_request(window, at, length)
    found = http.read_requests(window, at, length)
    for begin, size in ((found.host_at, found.host_length), (found.target_at, found.target_length)):
        assert (size >= 0).all()
        assert (begin + size <= len(payload)).all()
