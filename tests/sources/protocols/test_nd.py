"""Neighbour discovery messages to events."""

import socket

import pytest
from blocks import block, message
from hypothesis import given, settings
from hypothesis import strategies as st

from netaudit.intake.opening import Identity
from netaudit.intake.tally import Tally
from netaudit.kernels.packet import Kind
from netaudit.records.printed import readable
from netaudit.records.schemas import conform
from netaudit.sources.protocols.nd import PROTOCOL

MAC = bytes.fromhex("52540000aa01")
SOURCE, TARGET = b"\1\1" + MAC, b"\2\1" + MAC
MTU = b"\5\1" + bytes(6)
SRC, DST, OTHER, THIRD = "fe80::7", "ff02::1", "fd00::12", "fd00::13"


def wire(text):
    return socket.inet_pton(socket.AF_INET6, text)


def solicits(*options, target=OTHER):
    return b"\x87" + bytes(7) + wire(target) + b"".join(options)


def advertises(*options, target=OTHER):
    return b"\x88" + bytes(7) + wire(target) + b"".join(options)


@pytest.fixture
def tally():
    return Tally(Identity("0" * 16, "a.pcap", "0" * 64, 0))


def events(tally, *given):
    reader = PROTOCOL.open(tally)
    messages = [message(Kind.ND, d, *ends) if ends else message(Kind.ND, d, SRC, DST) for d, *ends in given]
    found = [*reader.read(block(*messages)), *reader.close()]
    return [
        row
        for e in found
        for row in readable(conform(e.kind, e.columns, len(e.columns["ordinal"]))).to_pylist()
    ]


def binding(row):
    return row["message"], row["client_ip"], row["client_mac"], row["server_ip"]


@pytest.mark.parametrize(
    ("data", "word", "client", "server"),
    [
        (solicits(MTU, SOURCE), "neighbour-solicitation", SRC, OTHER),
        (advertises(TARGET), "neighbour-advertisement", OTHER, None),
        (b"\x85" + bytes(7) + SOURCE, "router-solicitation", SRC, None),
        (b"\x86" + bytes(15) + MTU + SOURCE, "router-advertisement", SRC, None),
        (b"\x89" + bytes(7) + wire(OTHER) + wire(THIRD) + TARGET, "redirect", OTHER, THIRD),
    ],
)
def test_each_message_binds_one_address(tally, data, word, client, server):
    (row,) = events(tally, (data,))
    assert binding(row) == (word, client, "52:54:00:00:aa:01", server)


def test_who_asks_whether_an_address_is_free_has_none(tally):
    (row,) = events(tally, (solicits(SOURCE), "::", "ff02::1:ff00:12"))
    assert binding(row) == ("neighbour-solicitation", None, None, OTHER)


def test_without_the_option_no_link_address_is_known(tally):
    rows = events(
        tally, (advertises(),), (advertises(SOURCE),), (solicits(TARGET),), (advertises(TARGET[:-1]),)
    )
    assert [row["client_mac"] for row in rows] == [None] * 4


def test_options_of_no_length_and_endless_ones_end(tally):
    (row, long) = events(tally, (solicits(b"\5\0" + bytes(6), SOURCE),), (solicits(MTU * 3000, SOURCE),))
    assert (row["client_mac"], long["client_mac"]) == (None, "52:54:00:00:aa:01")


def test_no_message_is_lost_silently(tally):
    assert events(tally, (solicits()[:20],), (b"\x86",), (b"\x80" + bytes(30),)) == []
    assert {r: n for r, (n, _, _) in tally._skipped.items()} == {
        "a neighbour discovery message is cut short": 2
    }


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 48), st.lists(st.tuples(st.integers(0, 47), st.integers(0, 255)), max_size=8))
def test_damage_is_never_an_error(length, flips):
    data = bytearray((solicits(MTU, SOURCE) + bytes(8))[:48])
    for place, value in flips:
        data[place] = value
    counting = Tally(Identity("0" * 16, "a.pcap", "0" * 64, 0))
    assert len(events(counting, (bytes(data[:length]),))) <= 1
