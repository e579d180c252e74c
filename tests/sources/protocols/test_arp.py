"""ARP packets to events."""

import socket
import struct

import pytest
from blocks import block, message
from hypothesis import given, settings
from hypothesis import strategies as st

from netaudit.intake.opening import Identity
from netaudit.intake.tally import Tally
from netaudit.kernels.packet import Kind
from netaudit.records.printed import readable
from netaudit.records.schemas import conform
from netaudit.sources.protocols.arp import PROTOCOL

MAC = bytes.fromhex("52540000aa01")


def packet(operation, sender="10.1.0.7", target="10.1.0.1", mac=MAC, hardware=1, protocol=0x0800):
    head = struct.pack("!HHBBH", hardware, protocol, len(mac), 4, operation)
    return head + mac + socket.inet_aton(sender) + bytes(len(mac)) + socket.inet_aton(target)


@pytest.fixture
def tally():
    return Tally(Identity("0" * 16, "a.pcap", "0" * 64, 0))


def events(tally, *given):
    reader = PROTOCOL.open(tally)
    found = [*reader.read(block(*(message(Kind.ARP, d) for d in given))), *reader.close()]
    return [
        row
        for e in found
        for row in readable(conform(e.kind, e.columns, len(e.columns["ordinal"]))).to_pylist()
    ]


def reasons(tally):
    return {reason: count for reason, (count, _, _) in tally._skipped.items()}


def test_a_packet_binds_its_senders_addresses(tally):
    row, reply = events(tally, packet(1), packet(2, "10.1.0.1", "10.1.0.7"))
    assert (row["message"], reply["message"]) == ("request", "reply")
    assert (row["client_ip"], row["client_mac"], row["server_ip"]) == (
        "10.1.0.7",
        "52:54:00:00:aa:01",
        "10.1.0.1",
    )
    assert [row["ordinal"], reply["ordinal"]] == [1, 2]


def test_rare_operations_have_words_too(tally):
    words = [row["message"] for row in events(tally, packet(3), packet(9), packet(108))]
    assert words == ["reverse-request", "inverse-reply", "operation-108"]


def test_who_probes_or_has_no_station_address_binds_nothing(tally):
    probe, zero, everybody = events(
        tally,
        packet(1, "0.0.0.0"),
        packet(1, mac=bytes(6)),
        packet(1, mac=b"\xff" * 6),
    )
    assert (probe["client_ip"], probe["server_ip"]) == (None, "10.1.0.1")
    assert zero["client_mac"] is everybody["client_mac"] is None


def test_links_with_longer_addresses(tally):
    (row,) = events(tally, packet(1, mac=bytes(range(20)), hardware=32))
    assert (row["client_ip"], row["server_ip"], row["client_mac"]) == ("10.1.0.7", "10.1.0.1", None)


def test_a_packet_that_is_cut_after_its_sender_counts(tally):
    (row,) = events(tally, packet(1)[:20])
    assert (row["client_ip"], row["server_ip"]) == ("10.1.0.7", None)


def test_no_packet_is_lost_silently(tally):
    assert events(tally, packet(1)[:15], b"", packet(1, protocol=0x8035)) == []
    assert reasons(tally) == {"an ARP packet is cut short": 2, "an ARP packet is about no IPv4 address": 1}
    assert tally.bytes_skipped == 15 + 28


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(max_size=40), max_size=5), st.integers(0, 28), st.binary(min_size=8, max_size=8))
def test_damage_is_never_an_error(noise, length, head):
    counting = Tally(Identity("0" * 16, "a.pcap", "0" * 64, 0))
    given = [*noise, packet(1)[:length], head + packet(1)[8:]]
    found = events(counting, *given)
    assert len(found) + sum(reasons(counting).values()) == len(given)
