"""SOCKS requests to events."""

import pytest
from blocks import block, message

from netaudit.kernels.packet import TCP, Kind
from netaudit.records.schemas import conform
from netaudit.sources.protocols.socks import PROTOCOL

GREETING, LOGIN = b"\5\2\0\2", b"\1\3bob\6secret"


class Counted:
    """What a tally is told."""

    def __init__(self):
        self.reasons = []

    def skip(self, reason, ordinals=(), *, matters=True):
        self.reasons.append((reason, list(ordinals), matters))


def read(*payloads):
    counted = Counted()
    reader = PROTOCOL.open(counted)
    given = [message(Kind.SOCKS, payload, dport=1080, protocol=TCP, flow=3) for payload in payloads]
    rows = [
        row
        for events in [*reader.read(block(*given)), *reader.close()]
        for row in conform(events.kind, events.columns, len(events.columns["ordinal"])).to_pylist()
    ]
    return rows, counted.reasons


@pytest.mark.parametrize(
    ("payload", "method", "name", "account"),
    [
        (b"\4\1\0\x50\x5d\xb8\xd8\x77\0", "CONNECT", "93.184.216.119", None),
        (b"\4\2\0\x50\x5d\xb8\xd8\x77ann\0", "BIND", "93.184.216.119", "ann"),
        (b"\4\1\x01\xbb\0\0\0\1ann\0WWW.Example.org\0", "CONNECT", "www.example.org", "ann"),
        (b"\5\1\0\5\1\0\3\x0bexample.com\x50\0", "CONNECT", "example.com", None),
        (b"\5\1\0\5\1\0\1\xc0\0\2\7\0\x50", "CONNECT", "192.0.2.7", None),
        (b"\5\1\0\5\1\0\4\x20\1\x0d\xb8" + bytes(11) + b"\1\0\x50", "CONNECT", "2001:db8::1", None),
        (GREETING + LOGIN + b"\5\1\0\3\x0bexample.com\0\x50", "CONNECT", "example.com", "bob"),
        (GREETING + b"\5\3\0\1\xc0\0\2\7\0\x50", "UDP", None, None),
        (GREETING + b"\5\xf0\0\3\x0bexample.com\0\0", "RESOLVE", "example.com", None),
        (GREETING + b"\1\2\xff\xfe\1x" + b"\5\1\0\3\1a\0\x50", "CONNECT", "a", None),
    ],
)
def test_one_request(payload, method, name, account):
    rows, reasons = read(payload)
    (row,) = rows
    assert (row["method"], row["name"], row["account"]) == (method, name, account)
    assert row["name_source"] == ("host" if name else None)
    assert (row["server_port"], row["ordinal"]) == (1080, 1)
    assert "secret" not in str(rows)
    assert reasons == []


def test_what_asks_for_nothing_is_counted():
    rows, reasons = read(GREETING + LOGIN, b"\5\1\1\1\1\0\3abc", b"\4\1\0\0\0\0\0\0\0")
    assert rows == []
    assert reasons == [
        ("a SOCKS request without its rest", [1], False),
        ("a SOCKS request is encrypted", [2], True),
        ("what begins like SOCKS is none", [3], False),
    ]
