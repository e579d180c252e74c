"""RADIUS datagrams to events."""

import socket
import struct

import pytest
from blocks import START, block, message
from hypothesis import given, settings
from hypothesis import strategies as st

from netaudit.intake.opening import Identity
from netaudit.intake.tally import Tally
from netaudit.kernels.packet import Kind
from netaudit.records.printed import readable
from netaudit.records.schemas import conform
from netaudit.sources.protocols.radius import PROTOCOL


def attribute(code, value):
    return bytes([code, len(value) + 2]) + value


def packet(code, *attributes):
    body = b"".join(attributes)
    return struct.pack("!BBH", code, 1, 20 + len(body)) + bytes(16) + body


def number(code, value):
    return attribute(code, struct.pack("!I", value))


@pytest.fixture
def tally():
    return Tally(Identity("0" * 16, "a.pcap", "0" * 64, 0))


def events(tally, *given):
    reader = PROTOCOL.open(tally)
    found = [*reader.read(block(*given)), *reader.close()]
    return [
        row
        for e in found
        for row in readable(conform(e.kind, e.columns, len(e.columns["ordinal"]))).to_pylist()
    ]


def one(tally, data, **fields):
    (row,) = events(tally, message(Kind.RADIUS, data, **fields))
    return row


def reasons(tally):
    return {reason: count for reason, (count, _, _) in tally._skipped.items()}


def test_accounting_names_person_device_and_place(tally):
    data = packet(
        4,
        number(40, 1),
        attribute(1, "张三".encode()),
        attribute(2, b"secret-secret-16"),
        attribute(31, b"52-54-00-AA-00-02"),
        attribute(30, "00-1A-1E-AA-BB-D0:办公Wi-Fi".encode()),
        attribute(4, socket.inet_aton("10.9.0.2")),
        attribute(8, socket.inet_aton("10.1.0.110")),
        attribute(168, socket.inet_pton(socket.AF_INET6, "fd00:60::1ea")),
        number(5, 14),
        attribute(44, b"5F3A0002"),
        attribute(81, b"\x01120"),
        number(41, 2),
    )
    rows = events(tally, message(Kind.RADIUS, data))
    assert [r["client_ip"] for r in rows] == ["10.1.0.110", "fd00:60::1ea"]
    row = rows[0]
    assert (row["message"], row["account"], row["session"]) == ("start", "张三", "5F3A0002")
    assert (row["client_mac"], row["bssid"], row["ssid"]) == (
        "52:54:00:aa:00:02",
        "00:1a:1e:aa:bb:d0",
        "办公Wi-Fi",
    )
    assert (row["nas"], row["nas_port"], row["vlan"]) == ("10.9.0.2", "14", 120)
    assert int(row["ts"].timestamp()) == START - 2
    assert "secret" not in str(rows)


def test_a_wired_port_names_no_access_point(tally):
    data = packet(
        1,
        attribute(30, b"00-1A-1E-00-00-01"),
        number(61, 15),
        attribute(32, b"sw-3f"),
        attribute(87, b"ge14"),
    )
    row = one(tally, data)
    assert (row["message"], row["bssid"], row["nas"], row["nas_port"]) == (
        "access-request",
        None,
        "sw-3f",
        "ge14",
    )


@pytest.mark.parametrize(
    ("code", "status", "word"),
    [
        (4, 2, "stop"),
        (4, 3, "interim-update"),
        (4, 7, "accounting-on"),
        (4, 200, "status-200"),
        (2, None, "access-accept"),
        (3, None, "access-reject"),
        (4, None, "accounting-request"),
        (99, 1, "code-99"),
    ],
)
def test_kinds_have_the_words_of_the_logs(tally, code, status, word):
    assert one(tally, packet(code, *([] if status is None else [number(40, status)])))["message"] == word


@pytest.mark.parametrize("address", ["255.255.255.254", "255.255.255.255"])
def test_an_address_still_to_be_chosen_is_none(tally, address):
    assert one(tally, packet(2, attribute(8, socket.inet_aton(address))))["client_ip"] is None


@pytest.mark.parametrize("group", [b"\x01office", b"4095", b"0", b"", "１２".encode()])
def test_a_group_that_is_no_number_is_no_vlan(tally, group):
    assert one(tally, packet(2, attribute(81, group)))["vlan"] is None


def test_the_servers_clock_counts_where_there_is_no_other(tally):
    row = one(tally, packet(4, number(40, 1), number(55, 1_700_000_123)), timed=0)
    assert int(row["ts"].timestamp()) == 1_700_000_123


def test_a_delay_to_before_all_time_leaves_the_time_unknown(tally):
    row = one(tally, packet(4, number(40, 1), number(41, 60)), ts=-(2**63))
    assert row["ts"] is None


def test_what_is_there_of_a_cut_packet_counts(tally):
    data = packet(1, attribute(1, b"bob"), attribute(4, b"\n\0\0\1"))
    assert one(tally, data[:-1], cut=1)["account"] == "bob"
    assert reasons(tally) == {"the attributes of a RADIUS packet could not all be read": 1}


def test_lengths_are_checked(tally):
    data = packet(1, attribute(1, b"bob"))
    assert one(tally, data + b"padding")["account"] == "bob"
    bad = [data[:-1], data[:10], data[:2] + b"\0\x13" + data[4:], data[:2] + b"\xff\xff" + data[4:]]
    assert events(tally, *(message(Kind.RADIUS, octets) for octets in bad)) == []
    assert reasons(tally) == {"a RADIUS packet is malformed": 4}
    assert one(tally, packet(1, b"\1\1"))["account"] is None


_WHOLE = packet(
    4, number(40, 1), attribute(1, b"bob"), attribute(30, b"00-1A-1E-AA-BB-D0:x"), attribute(81, b"\1120")
)


@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, len(_WHOLE)), st.lists(st.tuples(st.integers(0, len(_WHOLE) - 1), st.integers(0, 255)))
)
def test_damage_is_never_an_error(length, flips):
    data = bytearray(_WHOLE)
    for place, value in flips:
        data[place] = value
    counting = Tally(Identity("0" * 16, "a.pcap", "0" * 64, 0))
    events(counting, message(Kind.RADIUS, bytes(data[:length]), cut=length % 2))
