"""The table of flows: grouping is exact, whatever the keys and wherever they fall."""

import struct

import numpy as np
import pytest
from engine import Engine
from frames import CLIENT, SERVER, ipv4, tcp, udp
from hypothesis import given, settings
from hypothesis import strategies as st

from netaudit.kernels import flows
from netaudit.kernels.losses import UNTABLED

SYN, SYN_ACK, ACK = 0x02, 0x12, 0x10

ENDS = st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.booleans())


def frame(ends):
    src, dst, sport, dport, is_tcp = ends
    make = tcp if is_tcp else udp
    return make(b"payload", sport=sport, dport=dport, src=f"10.0.0.{src}", dst=f"10.0.0.{dst}")


def two_ended(ends):
    src, dst, sport, dport, is_tcp = ends
    return tuple(sorted([(src, sport), (dst, dport)])), is_tcp


@settings(max_examples=60, deadline=None)
@given(st.lists(ENDS, min_size=1, max_size=40), st.integers(0, 2**62), st.integers(1, 39))
def test_groups_are_those_of_a_dictionary(given_ends, seed, split):
    engine = Engine(seed=seed)
    frames = [frame(ends) for ends in given_ends]
    for part in (frames[:split], frames[split:]):
        if part:
            engine.feed(*part)
    expected = {}
    for number, ends in enumerate(given_ends, 1):
        first, last, count = expected.get(two_ended(ends), (number, 0, 0))
        expected[two_ended(ends)] = (first, max(last, number), count + 1)
    ours = [(f["ordinal"], f["last"], f["packets"].sum()) for f in engine.flows]
    assert ours == sorted(expected.values())
    assert engine.flows["number"].tolist() == list(range(len(expected)))


def test_colliding_hashes_are_told_apart():
    """A table with two places a flow: most keys meet others on the way to their own."""
    engine = Engine(capacity=64)
    frames = [udp(b"x", sport=1000 + k % 60, dport=2000) for k in range(240)]
    engine.feed(*frames)
    assert engine.flows["packets"].sum(axis=1).tolist() == [4] * 60
    flows.reindex(engine.table)
    engine.feed(*frames)
    assert engine.flows["packets"].sum(axis=1).tolist() == [8] * 60


def test_what_there_is_no_room_for_is_counted():
    engine = Engine(capacity=8)
    engine.feed(*(udp(b"x", sport=1000 + k, dport=2000) for k in range(20)))
    assert len(engine.flows) == 8
    assert engine.close() == {UNTABLED: 12}


def test_what_is_added_up_of_both_directions():
    engine = Engine()
    engine.feed(
        tcp(flags=SYN), tcp(flags=SYN_ACK, sport=443, dport=5000, src=SERVER, dst=CLIENT), tcp(b"data", 2),
    )  # fmt: skip
    (flow,) = engine.flows
    client = 0 if flow["a1"] == np.frombuffer(b"\0\0\xff\xff\x0a\0\0\7", "<u8")[0] else 1
    server = 1 - client
    assert (flow["opener"], flow["port"][client], flow["port"][server]) == (client, 5000, 443)
    assert (flow["syn"][client], flow["syn_ack"][server], flow["syn"][server]) == (1, 1, 0)
    assert (flow["packets"][client], flow["packets"][server]) == (2, 1)
    assert (flow["octets"][client], flow["octets"][server]) == (54 + 58, 54)
    assert (flow["payload"][client], flow["payload"][server]) == (1, 0)
    assert flow["has_mac"].tolist() == [1, 1]
    assert flow["ts_end"] - flow["ts"] == 2 * 10**9


@pytest.mark.parametrize("protocol", [0, 1, 2, 50, 132, 255])
def test_other_protocols_are_no_flows(protocol):
    engine = Engine()
    assert engine.feed(ipv4(CLIENT, SERVER, protocol, struct.pack("!HH", 1, 2) * 10)) == []
    assert len(engine.flows) == 0


def test_an_address_that_talks_to_itself_by_one_port():
    engine = Engine()
    engine.feed(*[udp(b"x", 7, 7, CLIENT, CLIENT)] * 3)
    assert engine.flows["packets"].sum() == 3
    assert len(engine.flows) == 1
