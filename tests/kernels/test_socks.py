"""SOCKS: what its streams begin with."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netaudit.kernels import socks
from netaudit.kernels.octets import octets_of
from netaudit.kernels.socks import State

V4 = bytes.fromhex("0401 0050 5db8d877 00")
V4A = bytes.fromhex("0401 01bb 00000001") + b"user\0www.example.org\0"
GREETING = bytes.fromhex("05 02 00 02")
LOGIN = b"\1\3bob\5alice"
REQUEST = b"\5\1\0\3\x0bexample.com\x00\x50"
V5 = GREETING + LOGIN + REQUEST


def begins(data: bytes) -> bool:
    return socks.is_socks(octets_of(b"#" + data + V5), 1, len(data))


def state(data: bytes) -> State:
    return State(socks.state(octets_of(b"#" + data + V5), 1, len(data)))


@pytest.mark.parametrize(
    "data",
    [
        V4,
        V4A,
        V4A[:-3],
        V4A[:10],
        GREETING,
        b"\5\1\0",
        GREETING + REQUEST,
        V5,
        V5 + b"more",
        GREETING + LOGIN,
    ],
)
def test_first_segments(data):
    assert begins(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\4",
        b"\5\1",
        b"\5\0\0",  # no method, and how DCE/RPC begins
        b"\5\2\0\0",  # the same method twice
        b"\5\1\x20",  # not assigned
        b"\5\1\xff",
        b"\5\1\0\0",
        b"\5\xff" + bytes(range(255)),
        V4[:8],
        V4 + b"more",
        V4A + b"more",
        b"\4\3" + V4[2:],
        V4[:2] + b"\0\0" + V4[4:],  # port 0
        V4[:4] + bytes(4) + b"\0",
        V4[:4] + b"\xe0\0\0\1\0",  # a group
        V4[:8] + b"us\1er\0",
        V4A[:8] + b"\0\0",  # an empty name
        b"\x16\3\1\2\0",
    ],
)
def test_what_is_no_socks(data):
    assert not begins(data)


@pytest.mark.parametrize(
    "stream", [V4, V4A, V5, GREETING + REQUEST, b"\5\1\0\5\1\0\4" + bytes(16) + b"\1\xbb"]
)
def test_every_beginning_of_a_stream_needs_more_and_what_follows_changes_nothing(stream):
    assert [state(stream[:end]) for end in range(1, len(stream))] == [State.OPEN] * (len(stream) - 1)
    assert state(stream) is State.WHOLE
    assert state(stream + b"\x16\3\1") is State.WHOLE


@pytest.mark.parametrize(
    "stream",
    [
        b"GET / HTTP/1.1",
        b"\5\1\0\1\3bob",  # a login that was not offered
        GREETING + b"\4\1\0\1",
        GREETING + b"\5\1\0\2\1\2\3\4\0\x50",
        GREETING + b"\5\x09\0\1\1\2\3\4\0\x50",
        GREETING + b"\5\1\1\1\1\2\3\4\0\x50",
        GREETING + b"\5\1\0\3\0\0\x50",
        V4[:8] + b"u" * 300,
    ],
)
def test_streams_that_turn_out_to_be_none(stream):
    assert state(stream) is State.NONE


@settings(max_examples=200, deadline=None)
@given(st.sampled_from((V4, V4A, V5)), st.binary(min_size=1, max_size=3), st.integers(0, 40))
def test_damage_never_leads_outside(stream, damage, at):
    data = stream[:at] + damage + stream[at + len(damage) :]
    found, account, size, _, _, host, width, after = socks.parts(octets_of(data), 0, len(data))
    if found == State.WHOLE:
        assert account >= 0
        assert account + size <= after <= len(data)
        assert host + width <= after
