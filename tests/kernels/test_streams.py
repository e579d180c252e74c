"""TCP streams: what is said does not depend on how it is cut into segments."""

import struct
from itertools import pairwise

import pytest
from engine import Engine, held
from frames import CLIENT, SERVER, client_hello, dns_query, tcp
from hypothesis import given, settings
from hypothesis import strategies as st

from netaudit.kernels.assembly import MAX_SPANS, SMALL
from netaudit.kernels.losses import LOST_DNS, LOST_HTTP, LOST_HTTP2, LOST_SOCKS, LOST_TLS, OVERLAP

SYN = 0x02
HELLO = client_hello("www.example.org", 900)
HANDSHAKE = HELLO[5:]
REQUEST = b"GET /a HTTP/1.1\r\nHost: www.example.org\r\nAccept: x\r\n\r\n"
QUERIES = [dns_query(f"name{k}.example.org", k) for k in range(4)]
DNS_STREAM = b"".join(struct.pack("!H", len(query)) + query for query in QUERIES)
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"
SOCKS = b"\5\1\0" + b"\5\1\0\3\x0bexample.org\x01\xbb"
STREAMS = {
    "TLS": (HELLO, 443, [HANDSHAKE]),
    "HTTP": (REQUEST, 80, [REQUEST]),
    "DNS": (DNS_STREAM, 53, QUERIES),
    "SOCKS": (SOCKS, 1080, [SOCKS]),
}


def segments(stream, cuts, seq=1):
    """Offset and octets of each segment."""
    bounds = [0, *sorted(cut % len(stream) for cut in cuts), len(stream)]
    return [(seq + a, stream[a:b]) for a, b in pairwise(bounds) if b > a]


def said(messages, kind):
    return [m.octets for m in messages if m.kind == kind]


def is_all(messages, kind, expected):
    """Whether these are the messages; of a request, that there is enough of it to name its host."""
    found = said(messages, kind)
    if kind != "HTTP":
        return found == expected
    return len(found) == 1 and expected[0].startswith(found[0]) and b"example.org\r\n" in found[0]


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(sorted(STREAMS)),
    st.lists(st.integers(0, 2000), max_size=5),
    st.sampled_from([1, 1000, 2**31 - 20, 2**32 - 1, 2**32 - 30]),
    st.booleans(),
    st.lists(st.integers(0, 5), max_size=3),
)
def test_any_segments_in_order_and_some_sent_again(kind, cuts, seq, shaken, again):
    stream, port, expected = STREAMS[kind]
    shaken = shaken or kind == "SOCKS"
    frames = [tcp(b"", seq - 1 & 0xFFFFFFFF, SYN, dport=port)] if shaken else []
    # without a handshake, what begins must be there to be told
    parts = segments(stream, cuts if shaken else [max(cut % len(stream), 30) for cut in cuts], seq)
    for k in again:
        parts.insert(min(2 * k + 1, len(parts)), parts[min(k, len(parts) - 1)])
    parts.sort(key=lambda part: part[0])
    frames += [tcp(octets, at & 0xFFFFFFFF, dport=port) for at, octets in parts]
    engine = Engine()
    for one in frames:
        engine.feed(one)
    assert is_all(engine.found, kind, expected)
    assert set(engine.close()) <= {OVERLAP}
    assert held(engine.streams) == 0


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(sorted(STREAMS)),
    st.lists(st.integers(0, 2000), max_size=MAX_SPANS - 2),
    st.sampled_from([1, 2**32 - 30]),
    st.randoms(use_true_random=False),
    st.booleans(),
)
def test_any_order_after_a_handshake(kind, cuts, seq, chance, doubled):
    stream, port, expected = STREAMS[kind]
    parts = segments(stream, cuts, seq) * (2 if doubled else 1)
    chance.shuffle(parts)
    engine = Engine()
    engine.feed(tcp(b"", seq - 1 & 0xFFFFFFFF, SYN, dport=port))
    engine.feed(*(tcp(octets, at & 0xFFFFFFFF, dport=port) for at, octets in parts))
    assert is_all(engine.found, kind, expected)
    assert set(engine.close()) <= {OVERLAP}


@pytest.mark.parametrize("kind", STREAMS)
def test_one_octet_a_segment(kind):
    stream, port, expected = STREAMS[kind]
    engine = Engine()
    engine.feed(tcp(b"", 0, SYN, dport=port))
    engine.feed(*(tcp(stream[k : k + 1], 1 + k, dport=port) for k in range(len(stream))))
    assert is_all(engine.found, kind, expected)
    assert engine.close() == {}


def test_a_message_is_as_old_as_its_first_octets():
    engine = Engine()
    engine.feed(tcp(HELLO[:100]), tcp(b"", 1, 0x10), tcp(HELLO[100:], 101))
    assert [(m.kind, m.ordinal, m.flow, m.back) for m in engine.found] == [("TLS", 1, 0, False)]


def test_what_the_server_says_goes_back():
    engine = Engine()
    engine.feed(tcp(b"", 0, SYN), tcp(HELLO, 1, sport=443, dport=5000, src=SERVER, dst=CLIENT))
    assert [(m.kind, m.back, m.ends) for m in engine.found] == [("TLS", True, (SERVER, CLIENT))]


def test_a_hello_over_many_records_loses_their_headers():
    engine = Engine()
    engine.feed(tcp(client_hello("www.example.org", 900, record=77)))
    assert said(engine.found, "TLS") == [HANDSHAKE]


def test_requests_in_one_segment_and_one_after_the_other():
    engine = Engine()
    engine.feed(tcp(REQUEST * 3), tcp(REQUEST, 1 + 3 * len(REQUEST)))
    assert b"".join(said(engine.found, "HTTP")) == REQUEST * 4


def test_a_stream_that_begins_in_the_middle_is_read_from_there():
    engine = Engine()
    engine.feed(tcp(b"the end of a body", 77), tcp(REQUEST, 94))
    assert said(engine.found, "HTTP") == [REQUEST]


def test_forged_octets_that_come_second_change_nothing():
    engine = Engine()
    forged = HELLO.replace(b"www.example.org", b"not.example.org")
    engine.feed(
        tcp(b"", 0, SYN), tcp(HELLO[400:], 401), tcp(forged[400:], 401), tcp(HELLO[:400], 1), tcp(forged, 1)
    )
    assert said(engine.found, "TLS") == [HANDSHAKE]
    assert engine.close() == {OVERLAP: 1}


def test_an_http2_stream_goes_on_in_order_until_there_is_a_hole():
    engine = Engine()
    tail = [bytes([k]) * 9 for k in range(4)]
    engine.feed(tcp(PREFACE), tcp(tail[1], 1 + len(PREFACE) + 9), tcp(tail[0], 1 + len(PREFACE)))
    assert b"".join(said(engine.found, "HTTP2")) == PREFACE + tail[0] + tail[1]
    engine.feed(tcp(tail[2], 90_000))
    engine.feed(tcp(tail[3], 90_009))
    assert b"".join(said(engine.found, "HTTP2")) == PREFACE + tail[0] + tail[1]


@pytest.mark.parametrize(
    ("octets", "port", "reason"),
    [
        (HELLO[:200], 443, LOST_TLS), (REQUEST[:30], 80, LOST_HTTP), (DNS_STREAM[:20], 53, LOST_DNS),
        (SOCKS[:8], 1080, LOST_SOCKS),
    ],
)  # fmt: skip
def test_what_has_no_rest_is_counted(octets, port, reason):
    engine = Engine()
    engine.feed(tcp(b"", 0, SYN, dport=port), tcp(octets, 1, dport=port))
    assert engine.found == []
    assert engine.close() == {reason: 1}
    loss = engine.losses[reason]
    assert (loss["size"], loss["kept"], loss["first"][0]) == (len(octets), 1, 2)


def test_a_new_handshake_ends_what_was_open():
    engine = Engine()
    engine.feed(tcp(HELLO[:200]), tcp(b"", 5000, SYN), tcp(HELLO, 5001))
    assert said(engine.found, "TLS") == [HANDSHAKE]
    assert engine.close() == {LOST_TLS: 1}


def test_more_open_streams_than_there_are_slots():
    engine = Engine(slots=32, large=4, capacity=1024)
    begun = [tcp(HELLO[:300], sport=1000 + k) for k in range(500)]
    engine.feed(*begun)
    assert held(engine.streams) == 32
    rest = [tcp(HELLO[300:], 301, sport=1000 + k) for k in range(468, 500)]
    engine.feed(*rest)
    assert said(engine.found, "TLS") == [HANDSHAKE] * 32
    assert engine.close() == {LOST_TLS: 468}


def test_hellos_that_are_larger_than_a_small_buffer():
    """Post-quantum key shares and long extensions; and more of them at once than large buffers."""
    big = client_hello("www.example.org", 3 * SMALL)
    engine = Engine(slots=32, large=4)
    engine.feed(*(tcp(big[: 2 * SMALL], sport=1000 + k) for k in range(4)))
    engine.feed(*(tcp(big[2 * SMALL :], 1 + 2 * SMALL, sport=1000 + k) for k in range(4)))
    assert said(engine.found, "TLS") == [big[5:]] * 4
    assert engine.close() == {}


def test_a_dns_message_of_the_greatest_size():
    message = QUERIES[0] + b"\0" * (65_535 - len(QUERIES[0]))
    stream = struct.pack("!H", len(message)) + message
    engine = Engine()
    engine.feed(*(tcp(stream[at : at + 1460], 1 + at, dport=53) for at in range(0, len(stream), 1460)))
    assert said(engine.found, "DNS") == [message]
    assert engine.close() == {}


def test_segments_a_gigabyte_apart_are_not_held():
    engine = Engine()
    engine.feed(tcp(b"", 0, SYN), tcp(HELLO[100:], 1 << 30), tcp(HELLO, 1))
    assert held(engine.streams) == 0
    assert len(engine.flows) == 1


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([HELLO, REQUEST, DNS_STREAM, PREFACE, SOCKS, b"\0" * 400]),
            st.integers(0, 900), st.integers(0, 900), st.integers(-3000, 70_000),
            st.sampled_from([443, 53, 80]), st.sampled_from([0x18, 0x18, 0x18, SYN]),
        ),
        max_size=25,
    )
)  # fmt: skip
def test_no_mixture_breaks_the_books(parts):
    engine = Engine(slots=4, large=2)
    for stream, at, size, seq, port, flags in parts:
        engine.feed(tcp(stream[at : at + size], seq & 0xFFFFFFFF, flags, dport=port))
    used = engine.streams.slots[engine.streams.slots["used"] != 0]
    assert (used["spans"] <= MAX_SPANS).all()
    for number, slot in enumerate(engine.streams.slots):
        if slot["used"]:
            assert engine.flows["slot"][slot["flow"], slot["side"]] == number
    pointed = engine.flows["slot"][engine.flows["slot"] >= 0]
    assert len(set(pointed.tolist())) == len(pointed) == len(used)
    engine.close()
    assert held(engine.streams) == 0


def test_every_reason_is_one_of_the_table():
    assert len({LOST_TLS, LOST_HTTP, LOST_DNS, LOST_HTTP2, LOST_SOCKS}) == 5
