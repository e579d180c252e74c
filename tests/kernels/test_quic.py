"""Long headers of QUIC, CRYPTO frames, and CHLOs of Google's QUIC."""

import numpy as np
import pytest
from hellos import SALTS, chlo, crypto, initial, varint
from hypothesis import given, settings
from hypothesis import strategies as st

from netaudit.kernels import quic
from netaudit.kernels.octets import octets_of

PACKET = initial(b"\1")
OLD = b"\x0d" + b"12345678" + b"Q043" + b"\1" + b"h" * 12 + b"\xa0\1\4\0" + chlo(b"a.example")


def is_quic(data):
    return quic.is_quic(octets_of(data), 0, len(data), np.zeros(1, quic.PACKET))


def packets(*datagrams):
    length = np.array([len(d) for d in datagrams])
    data = octets_of(b"".join(datagrams))
    found = np.zeros(len(datagrams) * quic.MAX_COALESCED, quic.PACKET)
    return data, found[: quic.find_packets(data, np.cumsum(length) - length, length, found)]


@pytest.mark.parametrize("version", sorted(SALTS))
def test_initials_of_all_versions(version):
    assert is_quic(initial(b"\1", version=version))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        PACKET[:20],
        b"\x43" + PACKET[1:],  # short header
        b"\x83" + PACKET[1:],  # no fixed bit, no token
        b"\xd3" + PACKET[1:],  # 0-RTT alone
        PACKET[:1] + b"\0\0\0\7" + PACKET[5:],  # no version
        PACKET[:1] + b"\0\0\0\0" + PACKET[5:],  # version negotiation
        PACKET[:5] + b"\x15" + PACKET[6:],  # a connection id of 21 octets
        initial(b"\1", version=0x0A1A2A3A, size=500),
        b"\x09" + OLD[1:9] + b"Q04x" + OLD[13:],
        OLD[:9] + b"R043" + OLD[13:],
        OLD.replace(b"CHLO", b"SHLO"),
    ],
)
def test_what_is_none(data):
    assert not is_quic(data)


def test_a_greased_fixed_bit_needs_a_token():
    data = initial(b"\1", token=b"t" * 9)
    assert is_quic(bytes([data[0] & 0xBF]) + data[1:])


@pytest.mark.parametrize("length", [0, 1, 8, 20])
def test_connection_ids(length):
    _, found = packets(initial(b"\1", dcid=b"d" * length, scid=b"s" * length, token=b"t" * 70))
    assert found["dcid_length"].tolist() == [length]


def test_coalesced_packets():
    early = b"\xd0" + PACKET[1:15] + varint(30) + b"e" * 30
    handshake = b"\xe0" + early[1:]
    data, found = packets(early + PACKET + handshake + PACKET, PACKET, handshake)
    assert found["message"].tolist() == [0, 0, 1]
    assert (found["end"] - found["at"]).tolist() == [len(PACKET)] * 3
    assert data.u8[found["dcid_at"][1] :][:8].tobytes() == PACKET[6:14]


@pytest.mark.parametrize(
    "data",
    [
        OLD,
        b"\x09" + OLD[1:],
        b"\x39" + OLD[1:13] + b"\0" * 6 + OLD[14:],
        b"\xc3Q046\x50" + b"12345678" + b"\0\0\0\1" + b"h" * 12 + b"\xa0\1\4\0" + chlo(b"a.example"),
    ],
)
def test_plain_hellos(data):
    octets, found = packets(data)
    assert is_quic(data)
    assert found["plain"].tolist() == [1]
    assert octets.u8[found["name_at"][0] :][: found["name_length"][0]].tobytes() == b"a.example"


def put_together(*streams):
    contents = [piece for stream in streams for piece in stream]
    length = np.array([len(piece) for piece in contents], np.int64)
    number = np.repeat(np.arange(len(streams)), [len(stream) for stream in streams])
    out, begins, sizes = np.zeros(int(length.sum()), np.uint8), *np.zeros((2, len(streams)), np.int64)
    data = octets_of(b"".join(contents))
    scratch = np.zeros(2 * quic.MAX_STREAM, np.uint8)
    quic.put_together(data, np.cumsum(length) - length, length, number, scratch, out, begins, sizes)
    assert not scratch[quic.MAX_STREAM :].any()
    return [out[at : at + size].tobytes() for at, size in zip(begins, sizes, strict=True)]


def test_frames_in_any_order():
    ack = b"\2" + varint(9) + varint(300) + varint(1) + varint(0) + varint(2) + varint(2)
    ecn = b"\3" + ack[1:] + b"\1\1\1"
    assert put_together(
        [crypto(5, b"fgh") + b"\1\0\0" + crypto(0, b"abcde")],
        [
            ack + crypto(3, b"def"),
            ecn + crypto(0, b"abcX"),
        ],  # of octets that are sent twice the first count
        [crypto(1, b"bc")],
        [crypto(0, b"ab") + crypto(3, b"d")],
        [crypto(1 << 32, b"x") + crypto(quic.MAX_STREAM, b"y") + crypto(0, b"z")],
        [crypto(0, b"a") + b"\x1c" + crypto(1, b"b")],  # behind CONNECTION_CLOSE
        [b"\6\0" + varint(9) + b"short"],
    ) == [b"abcdefgh", b"abcdef", b"", b"ab", b"z", b"a", b""]


def test_server_name_of_a_chlo():
    data = chlo(b"a.example", (b"VER\0", b"Q050"))
    assert quic.server_name(octets_of(data), 0, len(data)) == (True, data.index(b"a.ex"), 9)
    assert quic.server_name(octets_of(b"x" + data), 0, len(data)) == (False, 0, 0)
    assert quic.server_name(octets_of(data[:40]), 0, 40)[1:] == (0, 0)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([PACKET[:60], OLD]), st.integers(1, 120), st.integers(0, 119), st.integers(0, 255))
def test_no_damage_to_a_packet_leads_outside(data, cut, flip, value):
    damaged = bytearray(data[:cut])
    damaged[flip % len(damaged)] = value
    is_quic(bytes(damaged))
    _, found = packets(bytes(damaged))
    for one in found:
        assert one["dcid_at"] + one["dcid_length"] <= len(damaged)
        assert one["name_at"] + one["name_length"] <= len(damaged)
        assert one["plain"] or one["number_at"] + 20 <= len(damaged)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(min_size=0, max_size=30), min_size=1, max_size=5))
def test_frames_of_any_octets(contents):
    (stream,) = put_together(contents)
    assert len(stream) <= sum(map(len, contents))
