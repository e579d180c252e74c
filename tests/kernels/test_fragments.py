"""IP fragments: scapy takes datagrams apart, and the datagram comes back."""

import itertools
import random
import struct
import warnings

import pytest
from engine import Engine, held
from frames import CLIENT, SERVER, dns_query, ipv4
from hypothesis import given, settings
from hypothesis import strategies as st

from netaudit.kernels.losses import BAD_FRAGMENT, CUT_FRAGMENT, LOST_FRAGMENT, OVERLAP

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from scapy.all import IP, UDP, Ether, IPv6, IPv6ExtHdrFragment, Raw, defragment, fragment, fragment6

QUERY = dns_query("entirely.whole.example.org")
ETHER = Ether(src="02:00:00:00:00:07", dst="02:00:00:00:00:53")


def datagram(payload=QUERY, sport=6000):
    return struct.pack("!HHHH", sport, 53, 8 + len(payload), 0) + payload


def pieces(size=16, ident=1, whole=None):
    """Fragments of a datagram, as frames."""
    whole = datagram() if whole is None else whole
    return [
        ipv4(
            CLIENT,
            SERVER,
            17,
            whole[at : at + size],
            (0x2000 if at + size < len(whole) else 0) | at // 8,
            ident,
        )
        for at in range(0, len(whole), size)
    ]


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_any_order(order):
    engine, frames = Engine(), pieces()
    assert len(frames) == 4
    found = engine.feed(*(frames[k] for k in order))
    assert [(m.kind, m.octets, m.ordinal, m.ends) for m in found] == [("DNS", QUERY, 1, (CLIENT, SERVER))]
    assert engine.close() == {}
    assert held(engine.fragments) == 0


@pytest.mark.parametrize("split", range(1, 4))
def test_pieces_of_a_file_may_end_between_them(split):
    engine, frames = Engine(), pieces()
    assert engine.feed(*frames[:split]) == []
    assert [m.octets for m in engine.feed(*frames[split:])] == [QUERY]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 3000), st.integers(8, 1480), st.randoms(use_true_random=False), st.booleans())
def test_scapy_takes_apart_what_comes_together_here(size, at_most, chance, six):
    payload = QUERY + chance.randbytes(size)
    at_most = max(at_most, len(payload) // 6 // 8 * 8 + 16)  # no more pieces than may lie apart
    if six:
        whole = IPv6(src="2001:db8::1", dst="2001:db8::2") / IPv6ExtHdrFragment(id=9)
        parts = fragment6(whole / UDP(sport=6000, dport=53) / Raw(payload), at_most + 200)
    else:
        parts = fragment(
            IP(src=CLIENT, dst=SERVER, id=77) / UDP(sport=6000, dport=53) / Raw(payload), at_most
        )
        (whole,) = defragment(parts)
        assert bytes(whole[IP].payload)[8:] == payload
    chance.shuffle(parts)
    engine = Engine()
    assert [m.octets for m in engine.feed(*(bytes(ETHER / part) for part in parts))] == [payload]
    assert engine.close() == {}


def test_datagrams_of_equal_numbers_but_other_ends_are_apart():
    other = [frame.replace(bytes([10, 0, 0, 7]), bytes([10, 0, 0, 8])) for frame in pieces()]
    mixed = [frame for pair in zip(pieces(), other, strict=True) for frame in pair]
    found = Engine().feed(*mixed)
    assert [(m.octets, m.ends[0]) for m in found] == [(QUERY, "10.0.0.7"), (QUERY, "10.0.0.8")]


def test_overlapping_fragments_are_flagged_and_the_first_stay():
    engine = Engine()
    forged = [ipv4(CLIENT, SERVER, 17, b"\xff" * 24, 0x2000 | 1, 1)]
    found = engine.feed(*pieces()[:2], *forged, *pieces()[2:])
    assert [m.octets for m in found] == [QUERY]
    assert engine.close() == {OVERLAP: 1}


@pytest.mark.parametrize("flags", [0x2000 | 0x1FFF, 0x1FFF, 0x2000 | 0x1FFE])
def test_fragments_that_no_datagram_can_have(flags):
    engine = Engine()
    assert engine.feed(ipv4(CLIENT, SERVER, 17, b"x" * 40, flags)) == []
    assert engine.close() == {BAD_FRAGMENT: 1}


def test_a_middle_fragment_of_no_whole_octets_is_refused():
    engine = Engine()
    assert engine.feed(ipv4(CLIENT, SERVER, 17, b"x" * 13, 0x2000)) == []
    assert engine.close() == {BAD_FRAGMENT: 1}


def test_a_first_fragment_that_is_cut_has_its_ports():
    frame = pieces(40)[0][:-5]  # less captured than the header says
    engine = Engine()
    assert [(m.kind, m.octets) for m in engine.feed(frame)] == [("DNS", QUERY[:27])]
    assert engine.feed(pieces(40)[1][:-5]) == []
    assert engine.close() == {CUT_FRAGMENT: 2}


def test_what_never_becomes_whole_is_counted_with_its_first_packet():
    engine = Engine()
    engine.feed(*pieces()[:3], *pieces(ident=2)[1:2])
    assert engine.close() == {LOST_FRAGMENT: 4}
    loss = engine.losses[LOST_FRAGMENT]
    assert sorted(loss["first"][: loss["kept"]]) == [1, 4]


def test_a_flood_of_first_fragments_is_bounded_and_counted():
    engine = Engine()
    flood = [pieces(ident=ident)[0] for ident in range(3000)]
    for at in range(0, len(flood), 500):
        engine.feed(*flood[at : at + 500])
    assert held(engine.fragments) <= 64
    assert engine.close() == {LOST_FRAGMENT: 3000}


def test_fragments_inside_of_fragments():
    """A tunnel whose own packets were taken apart, carrying fragments."""
    inner = [frame[14:] for frame in pieces(24)]
    outer = []
    for number, part in enumerate(inner):
        half = len(part) // 16 * 8
        outer.append(ipv4("10.9.0.1", "10.9.0.2", 4, part[:half], 0x2000, 100 + number))
        outer.append(ipv4("10.9.0.1", "10.9.0.2", 4, part[half:], half // 8, 100 + number))
    for chance in (random.Random(k) for k in range(10)):
        shuffled = list(outer)
        chance.shuffle(shuffled)
        engine = Engine()
        assert [(m.octets, m.ends) for m in engine.feed(*shuffled)] == [(QUERY, (CLIENT, SERVER))]
        assert engine.close() == {}


def test_a_datagram_of_the_greatest_size():
    payload = QUERY + b"\0" * (65_535 - 8 - 20 - len(QUERY))
    engine = Engine()
    found = engine.feed(*pieces(1480, whole=datagram(payload)[:65_515]))
    assert [len(m.octets) for m in found] == [len(payload)]
