"""HTTP request heads: where they begin, whether they are whole, where their parts are."""

import string

import numpy as np
import pytest
from blocks import block, message
from hypothesis import given, settings
from hypothesis import strategies as st

from netaudit.kernels import http
from netaudit.kernels.http import PREFACE, REQUEST, Head
from netaudit.kernels.octets import octets_of
from netaudit.kernels.packet import Kind


def begins(data: bytes) -> bool:
    return http.is_request(octets_of(b"##" + data + b" HTTP/1.1\r\n\r\n"), 2, len(data))


def state(data: bytes) -> Head:
    return Head(http.head_state(octets_of(b"##" + data + b"Host: x\r\n\r\n"), 2, len(data)))


def heads(*payloads: bytes) -> list[tuple[int, Head, bytes, bytes, bytes]]:
    """Message, state, method, version and Host of each request."""
    messages = block(*(message(Kind.HTTP, payload) for payload in payloads))
    found = np.zeros(64, REQUEST)
    count = http.read_requests(messages.arena, messages.rows, found)
    text = messages.arena.u8.tobytes()
    return [
        (
            int(one["message"]),
            Head(one["state"]),
            text[one["method_at"] :][: one["method_length"]],
            text[one["version_at"] :][:3] if one["version_at"] >= 0 else b"",
            text[one["host_at"] :].split(b"\n")[0].rstrip() if one["host_at"] >= 0 else b"",
        )
        for one in found[:count]
    ]


@pytest.mark.parametrize("method", http.METHODS)
def test_a_known_method_and_its_space_are_enough(method):
    assert begins(f"{method} ".encode())
    assert begins(f"{method} /some/path".encode())
    assert not begins(method.encode())


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"GET / HTTP/1.1\r\n", True),
        (b"\r\nGET / HTTP/1.1\r\n", True),  # RFC 9112 section 2.2
        (b"GET /a b c HTTP/1.0\n", True),
        (b"FROBNICATE / HTTP/1.1\r\n", True),
        (b"FROBNICATE /", False),
        (b"GET ", True),
        (b"GET", False),
        (b"GE", False),
        (b"get / HTTP/1.1\r\n", False),
        (b"GET key\r\n", False),  # some other protocol's
        (b"OPTIONS sip:a@b SIP/2.0\r\n", False),
        (b"DESCRIBE rtsp://a RTSP/1.0\r\n", False),
        (b"GET \x01\x02", False),
        (b"GET  /", False),
        (b"HTTP/1.1 200 OK\r\n", False),
        (PREFACE, False),
        (b"", False),
    ],
)
def test_what_a_request_begins_with(data, expected):
    assert begins(data) is expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"GET /", Head.OPEN),
        (b"GET / HTTP/1.1\r", Head.OPEN),
        (b"GET / HTTP/1.1\r\n", Head.OPEN),
        (b"GET / HTTP/1.1\r\nHost: a.exa", Head.OPEN),
        (b"GET / HTTP/1.1\r\nHost: a.example\r\n", Head.WHOLE),
        (b"GET / HTTP/1.1\r\n\r\n", Head.WHOLE),
        (b"GET / HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n", Head.OPEN),
        (b"GET / HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\n", Head.WHOLE),
        (b"GET / HTTP/1.1\r\n\r\n\x00\x01\x02", Head.WHOLE),
        (b"PUT / HTTP/1.1\r\nContent-Length: 9\r\n\r\nGET / HT", Head.WHOLE),
        (b"PUT / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET / HT", Head.OPEN),
        (b"GET key\r\n", Head.NONE),
        (b"\x16\x03\x01", Head.NONE),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 11_000, Head.WHOLE),  # enough of it
    ],
)
def test_when_more_of_a_stream_is_needed(data, expected):
    assert state(data) is expected


def test_the_preface_of_http2():
    data = octets_of(PREFACE)
    assert http.is_http2(data, 0, len(PREFACE))
    assert http.is_http2(data, 0, 16)
    assert not http.is_http2(data, 0, 15)
    assert all(http.may_be_http2(data, 0, length) for length in range(1, len(PREFACE) + 1))
    assert not http.may_be_http2(data, 1, 4)
    assert not http.may_be_http2(data, 0, 0)


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", [(b"GET", b"a.example")]),
        (b"GET / HTTP/1.1\r\nAccept: x\r\nhOST:a.example:8080\r\n", [(b"GET", b"a.example:8080")]),
        (b"HEAD /x HTTP/1.0\nHost: b\n\n", [(b"HEAD", b"b")]),
        (b"GET / HTTP/1.0\r\n\r\n", [(b"GET", b"")]),
        (b"UNSUBSCRIBE /u HTTP/1.1\r\nHost: c\r\n\r\n", [(b"UNSUBSCRIBE", b"c")]),
        (
            b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: b\r\n\r\n",
            [(b"GET", b"a"), (b"GET", b"b")],
        ),
        (
            b"POST / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: quoted.example\r\n\r\n",
            [(b"POST", b"a")],
        ),
        (
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nGETGET / HTTP/1.1\r\nHost: b\r\n\r\n",
            [(b"POST", b"a"), (b"GET", b"b")],
        ),
        (
            (
                b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 0\r\n\r\n"
                b"GET / HTTP/1.1\r\nHost: smuggled.example\r\n\r\n"
            ),
            [(b"POST", b"a")],
        ),
        (
            (
                b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                b"GET / HTTP/1.1\r\nHost: smuggled.example\r\n\r\n"
            ),
            [(b"GET", b"a")],
        ),
        (b"GET / HTTP/1.1\r\n\r\nHost: body.example\r\n", [(b"GET", b"")]),
        (b"GET / HTTP/1.1\r\nHost: first\r\nHost: second\r\n\r\n", [(b"GET", b"first")]),
        (b"GET / HTTP/1.1\r\nHost : no\r\nX-Host: no\r\n\r\n", [(b"GET", b"")]),
    ],
)
def test_request_heads(payload, expected):
    found = heads(b"GET /", payload, b"GET / HTTP/1.1\r\n")
    mine = [one for one in found if one[0] == 1]
    assert [(method, host) for _, _, method, _, host in mine] == expected
    assert all(one[1] is Head.WHOLE for one in mine)
    assert [one[1] for one in found if one[0] != 1] == [Head.OPEN, Head.OPEN]


def test_room_that_does_not_suffice_is_said_and_not_overrun():
    messages = block(message(Kind.HTTP, b"GET / HTTP/1.0\r\n\r\n" * 9))
    found = np.zeros(10, REQUEST)
    assert http.read_requests(messages.arena, messages.rows, found[:2]) == 9
    assert (found["method_length"] > 0).sum() == 2
    assert http.read_requests(messages.arena, messages.rows, found[:0]) == 9


token = st.text(string.ascii_letters + string.digits + "-", min_size=1, max_size=12)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(("GET", "HEAD", "DELETE")), token, st.sampled_from(("\r\n", "\n"))), min_size=1, max_size=5),
    st.integers(0, 300),
)  # fmt: skip
def test_requests_one_behind_the_other_are_all_found_and_a_cut_one_is_open(asked, cut):
    whole = [
        f"{method} /{host} HTTP/1.1{end}Host: {host}{end}{end}".encode() for method, host, end in asked
    ]
    stream = b"".join(whole)
    assert [(one[2].decode(), one[4].decode()) for one in heads(stream)] == [a[:2] for a in asked]
    part = stream[: cut % len(stream)]
    if len(part) > len(whole[0]):
        found = heads(part)
        assert all(one[1] is Head.WHOLE for one in found[:-1])
        assert state(part) is found[-1][1]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from([b"GET ", b"POST ", b"/", b" HTTP/1.1", b"\r\n", b"\n", b"Host: ", b"a", b"\0",
                                 b"Content-Length: ", b"7", b"Transfer-Encoding:"]), min_size=1, max_size=25))  # fmt: skip
def test_pieces_of_requests_in_any_order(parts):
    payload = b"".join(parts)
    messages = block(message(Kind.HTTP, payload), message(Kind.HTTP, b"secret"))
    http.is_request(messages.arena, 0, len(payload))
    http.head_state(messages.arena, 0, len(payload))
    found = np.zeros(64, REQUEST)
    count = http.read_requests(messages.arena, messages.rows, found)
    mine = found[:count][found["message"][:count] == 0]
    for name in ("method_at", "version_at", "host_at"):
        assert (mine[name] <= len(payload)).all()
    assert (mine["method_at"] + mine["method_length"] <= len(payload)).all()


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_binary_is_no_request(data):
    assert not begins(b"G" + bytes(octet | 0x80 for octet in data))
