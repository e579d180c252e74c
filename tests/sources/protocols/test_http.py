"""HTTP/1 requests to events."""

import pytest
from blocks import block, message

from netaudit.kernels.packet import TCP, Kind
from netaudit.records.schemas import conform
from netaudit.sources.protocols.http import PROTOCOL


class Counted:
    """What a tally is told."""

    def __init__(self):
        self.reasons = []

    def skip(self, reason, ordinals=(), *, count=None, matters=True):
        self.reasons.append((reason, list(ordinals), count, matters))


def read(*payloads, **fields):
    counted = Counted()
    reader = PROTOCOL.open(counted)
    given = [message(Kind.HTTP, payload, dport=80, protocol=TCP, **fields) for payload in payloads]
    found = [*reader.read(block(*given)), *reader.close()]
    rows = [
        row
        for events in found
        for row in conform(events.kind, events.columns, len(events.columns["ordinal"])).to_pylist()
    ]
    return rows, found, counted.reasons


@pytest.mark.parametrize(
    ("payload", "method", "name", "version"),
    [
        (
            b"GET /secret?q=1 HTTP/1.1\r\nHost: WWW.Example.org:8080\r\n\r\n",
            "GET",
            "www.example.org",
            "1.1",
        ),
        (b"GET / HTTP/1.0\r\n\r\n", "GET", None, "1.0"),
        (b"GET / HTTP/1.1\r\nHost: [2003::8C00:1]:80\r\n\r\n", "GET", "[2003::8c00:1]", "1.1"),
        (b"CONNECT mail.example:25 / HTTP/1.0\r\nHost: other\r\n\r\n", "CONNECT", "mail.example", "1.0"),
        (b"CONNECT / HTTP/1.1\r\nHost: example.org\r\n\r\n", "CONNECT", "example.org", "1.1"),
        (b"GET http://example.org/x HTTP/1.1\r\nHost: proxy\r\n\r\n", "GET", "example.org", "1.1"),
        (b"GET / HTTP/1.9\nHost: example.org\n\n", "GET", "example.org", None),
        (b"NEW-THING * HTTP/1.1\r\nHost:\r\n\r\n", "NEW-THING", None, "1.1"),
        (
            b"GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nhost: chat.example\r\n\r\n",
            "GET",
            "chat.example",
            "1.1",
        ),
    ],
)
def test_one_request(payload, method, name, version):
    rows, found, reasons = read(payload, flow=7)
    (row,) = rows
    assert (row["method"], row["name"], row["version"]) == (method, name, version)
    assert row["name_source"] == ("host" if name else None)
    assert (row["server_port"], row["transport"], row["ordinal"], row["status"]) == (80, "tcp", 1, None)
    assert found[0].flow.tolist() == [7]
    assert "secret" not in str(rows)
    assert reasons == []


def test_several_requests_of_several_messages_keep_their_order():
    two = b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: b\r\n\r\n"
    rows, _, _ = read(two, two[:28], two)
    assert [(row["ordinal"], row["name"]) for row in rows] == [
        (1, "a"),
        (1, "b"),
        (2, "a"),
        (3, "a"),
        (3, "b"),
    ]


def test_what_is_cut_short_is_counted_and_no_name_is_guessed():
    rows, _, reasons = read(b"GET /abc", b"GET / HTTP/1.1\r\nHost: www.exam", b"GET key\r\n")
    assert [(row["ordinal"], row["name"]) for row in rows] == [(2, None)]
    assert reasons == [
        ("an HTTP request without its rest", [1, 2], 2, True),
        ("what begins like an HTTP request is none", [3], 1, False),
    ]


def test_a_host_that_goes_on_and_on_is_no_name():
    rows, _, _ = read(b"GET / HTTP/1.1\r\nHost: " + b"a." * 5000 + b"example\r\n\r\n")
    assert rows[0]["name"] is None


def test_a_block_without_messages_gives_nothing():
    assert read() == ([], [], [])
