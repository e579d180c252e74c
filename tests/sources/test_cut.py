"""What is kept of a message: where it went, not what it said."""

import pytest
from frames import client_hello, dns_query, dns_response
from hypothesis import given
from hypothesis import strategies as st

from netaudit.sources.cut import HTTP2_PREFACE, essential

SECRET = b"SECRET"


def kept(kind, payload, *names, stream=True):
    return payload[: essential(kind, payload, names, stream=stream)]


def test_dns():
    query = dns_query("www.example.org")
    assert kept("dns", query, stream=False) == query
    harmless = [(5, b"\x03cdn\xc0\x10"), (1, b"\x01\x02\x03\x04")]
    answer = dns_response("www.example.org", harmless)
    assert kept("dns", answer, stream=False) == answer
    talking = dns_response("www.example.org", [*harmless, (16, b"\x06" + SECRET)])
    assert kept("dns", talking, stream=False) == talking[: talking.index(SECRET) - 13]


def test_dns_over_tcp():
    query = dns_query("example.org")
    message = len(query).to_bytes(2, "big") + query
    assert kept("dns", message + message) == message + message
    assert essential("dns", message[:20], (), stream=True) == len(message)
    assert essential("dns", b"\0\x03abc", (), stream=True) == 0


@pytest.mark.parametrize("record", [1 << 14, 50])
def test_hello_and_nothing_after_it(record):
    hello = client_hello("example.org", record=record)
    assert kept("tls", hello + SECRET) == hello
    assert essential("tls", hello[:40], (), stream=True) > 40
    assert essential("tls", SECRET, (), stream=True) == 0


def test_http_up_to_the_line_that_names_the_host():
    head = b"GET /x HTTP/1.1\r\nHost: Example.org:8080\r\n"
    assert kept("http", head + b"Cookie: " + SECRET + b"\r\n\r\n", "example.org") == head
    connect = b"CONNECT example.org:443 HTTP/1.1\r\n"
    rest = b"Proxy-Authorization: " + SECRET + b"\r\nHost: example.org\r\n\r\n"
    assert kept("http", connect + rest, "example.org") == connect
    proxied = b"GET http://example.org/ HTTP/1.1\r\nAccept: */*\r\nHost: example.org\r\n"
    assert kept("http", proxied + b"Cookie: " + SECRET + b"\r\n\r\n", "example.org") == proxied
    assert essential("http", head[:20], ("example.org",), stream=True) == 21
    assert kept("http", b"body " + SECRET, "example.org") == b""


def test_http2_up_to_the_first_header_block():
    settings = b"\0\0\0\x04\0\0\0\0\0"
    headers = b"\0\0\x03\x01\x04\0\0\0\x01abc"
    data = b"\0\0\x06\0\0\0\0\0\x01" + SECRET
    whole = HTTP2_PREFACE + settings + headers
    assert kept("http", whole + data, "example.org") == whole
    assert essential("http", whole[:-1], (), stream=True) == len(whole)


def test_quic_up_to_the_last_initial():
    body = b"\0" * 40
    initial = b"\xc3\0\0\0\x01\x08" + b"d" * 8 + b"\0\0\x40\x28" + body
    early = b"\xd3\0\0\0\x01" + SECRET
    assert kept("quic", initial + initial + early, stream=False) == initial + initial
    second = b"\xd3\x6b\x33\x43\xcf" + initial[5:]
    assert kept("quic", second + early, stream=False) == second


def test_radius_up_to_the_first_credential():
    head = b"\x01\x07\0\x40" + b"a" * 16
    user, password = b"\x01\x06hall", b"\x02\x12" + b"p" * 16
    assert kept("radius", head + user + password + user, stream=False) == head + user


def test_name_elsewhere():
    socks = b"\x05\x01\0\x03\x0bexample.org\x01\xbb" + SECRET
    assert kept("proxy", socks, "example.org") == socks[: socks.index(b"\x01\xbb")]


def test_flows_keep_no_payload_and_identity_keeps_all():
    assert kept("flow", SECRET) == b""
    assert kept("dhcp", SECRET, stream=False) == SECRET


@given(
    st.sampled_from(["dns", "tls", "quic", "http", "proxy", "radius", "dhcp", "flow"]),
    st.one_of(
        st.binary(max_size=200),
        st.binary(max_size=60).map(lambda b: HTTP2_PREFACE + b),
        st.binary(max_size=60).map(lambda b: b"\xc3\0\0\0\x01" + b),
        st.binary(max_size=60).map(lambda b: b"\x16\x03\x01" + b),
    ),
    st.booleans(),
)
def test_any_octets(kind, payload, stream):
    assert essential(kind, payload, ["example.org"], stream=stream) >= 0
