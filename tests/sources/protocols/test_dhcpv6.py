"""DHCPv6 datagrams to events."""

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
from netaudit.sources.protocols import dhcpv6

MAC = bytes.fromhex("52540000aa01")
DUID = bytes.fromhex("00010001329500000242ac110002")
CLIENT, SERVER = "fe80::7", "fe80::1"


def option(code, value):
    return struct.pack("!HH", code, len(value)) + value


def packet(kind, *options):
    return bytes([kind, 0, 0, 9]) + b"".join(options)


def address(text, lifetime):
    return option(5, socket.inet_pton(socket.AF_INET6, text) + struct.pack("!II", lifetime, lifetime))


def lease(*addresses):
    return option(3, bytes(12) + b"".join(addresses))


def relay(kind, *options):
    return bytes([kind, 0]) + bytes(32) + b"".join(options)


@pytest.fixture
def tally():
    return Tally(Identity("0" * 16, "a.pcap", "0" * 64, 0))


def events(tally, *given):
    reader = dhcpv6.PROTOCOL.open(tally)
    found = [*reader.read(block(*given)), *reader.close()]
    return [
        row
        for e in found
        for row in readable(conform(e.kind, e.columns, len(e.columns["ordinal"]))).to_pylist()
    ]


def says(data, src=CLIENT, dst="ff02::1:2", **fields):
    return message(Kind.DHCPV6, data, src, dst, 546, 547, **fields)


def reasons(tally):
    return {reason: count for reason, (count, _, _) in tally._skipped.items()}


def test_a_reply_is_one_event_an_address(tally):
    data = packet(
        7,
        option(1, DUID),
        lease(address("fd00::12", 600), address("fd00::13", 0xFFFFFFFF)),
        option(4, bytes(4) + address("fd00::14", 60)),
        option(39, b"\0\2pc\7example\0"),
    )
    rows = events(tally, says(data, SERVER, CLIENT))
    assert [r["client_ip"] for r in rows] == ["fd00::12", "fd00::13", "fd00::14"]
    assert [r["lease_s"] for r in rows] == [600, 0xFFFFFFFF, 60]
    assert [r["ts_end"] and int(r["ts_end"].timestamp()) for r in rows] == [START + 600, None, START + 60]
    for row in rows:
        assert (row["message"], row["server_ip"], row["hostname"]) == ("reply", SERVER, "pc.example")
        assert (row["client_mac"], row["client_id"]) == ("02:42:ac:11:00:02", DUID.hex(":"))


def test_the_frame_tells_the_link_address_better_than_the_identifier(tally):
    raw = int.from_bytes(MAC, "little")
    asks = says(
        packet(3, option(1, DUID), option(16, struct.pack("!IH", 311, 8) + b"MSFT 5.0")), mac=raw, has_mac=1
    )
    answers = says(
        packet(7, option(1, DUID), lease(address("fd00::12", 600))), SERVER, CLIENT, mac=1, has_mac=1
    )
    request, reply = events(tally, asks, answers)
    assert request["client_mac"] == reply["client_mac"] == "52:54:00:00:aa:01"
    assert (request["message"], request["vendor_class"], request["server_ip"]) == (
        "request",
        "MSFT 5.0",
        None,
    )


def test_relays_are_taken_off(tally):
    inner = packet(1, option(1, DUID), option(39, b"\0\2pc"))
    seen = option(79, b"\0\x01" + MAC)
    data = relay(12, option(9, relay(12, seen, option(9, inner))))
    (row,) = events(tally, says(data, "fd00::1", "fd00::2", mac=5, has_mac=1))
    assert (row["message"], row["hostname"], row["client_mac"]) == ("solicit", "pc", "52:54:00:00:aa:01")


def test_relays_inside_each_other_are_bounded(tally):
    data = packet(1, option(1, DUID))
    for _ in range(dhcpv6.MAX_RELAYS):
        data = relay(12, option(9, data))
    assert len(events(tally, says(data))) == 1
    assert events(tally, says(relay(12, option(9, data)))) == []
    assert reasons(tally) == {"a DHCPv6 message is malformed": 1}


def test_a_delegated_prefix_is_no_address(tally):
    prefix = option(26, bytes(8) + b"\x38" + socket.inet_pton(socket.AF_INET6, "fd00:1::"))
    (row,) = events(tally, says(packet(7, option(25, bytes(12) + prefix)), SERVER, CLIENT))
    assert row["client_ip"] is None


def test_offers_and_wishes_bound_nothing(tally):
    for kind in (2, 5):
        (row,) = events(tally, says(packet(kind, lease(address("fd00::12", 600)))))
        assert (row["client_ip"], row["lease_s"], row["ts_end"]) == ("fd00::12", None, None)


def test_what_is_there_of_a_cut_message_counts(tally):
    data = packet(1, option(1, DUID), option(39, b"\0\2pc"))
    (row,) = events(tally, says(data[:-1], cut=1))
    assert (row["message"], row["hostname"], row["client_id"]) == ("solicit", None, DUID.hex(":"))
    assert events(tally, says(b"\1", cut=1), says(b"")) == []
    assert reasons(tally) == {
        "a DHCPv6 message is cut short": 1,
        "a DHCPv6 message is malformed": 1,
        "the options of a DHCPv6 message could not all be read": 1,
    }


def test_clients_are_remembered_within_bounds(tally, monkeypatch):
    monkeypatch.setattr(dhcpv6, "MAX_WAITING", 1)
    asks = [says(packet(1), f"fe80::{n:x}", mac=n, has_mac=1) for n in (1, 2)]
    rows = events(tally, *asks, says(packet(2), SERVER, "fe80::1"), says(packet(2), SERVER, "fe80::2"))
    assert [r["client_mac"] for r in rows[2:]] == [None, "02:00:00:00:00:00"]
    assert reasons(tally) == {"a DHCPv6 client was forgotten: too many at a time": 1}


_WHOLE = relay(
    12, option(9, packet(7, option(1, DUID), lease(address("fd00::1", 9)), option(39, b"\0\2pc\0")))
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
    events(counting, says(bytes(data[:length]), SERVER, CLIENT))
