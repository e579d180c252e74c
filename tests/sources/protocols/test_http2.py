"""HTTP/2 connections to events, and the DNS messages in them."""

import base64
import itertools

import dns.message
import dns.rrset
import pytest
from blocks import block, message
from hpack import Encoder
from hypothesis import given, settings
from hypothesis import strategies as st

from netaudit.kernels.http import PREFACE
from netaudit.kernels.packet import TCP, Kind
from netaudit.records.schemas import conform
from netaudit.sources.protocols import http2
from netaudit.sources.protocols.http2 import PROTOCOL

DATA, HEADERS, RST, SETTINGS, PUSH, PING, CONTINUATION = 0, 1, 3, 4, 5, 6, 9
END_STREAM, END_HEADERS, PADDED, PRIORITY = 1, 4, 8, 32
DAMAGED = "an HTTP/2 connection is damaged from here on"
DNS_TYPE = ("content-type", "application/dns-message")


class Counted:
    """What a tally is told."""

    def __init__(self):
        self.reasons = []

    def skip(self, reason, ordinals=(), *, count=None, size=0, matters=True):
        self.reasons.append((reason, list(ordinals)))


def frame(kind, flags, stream, payload=b""):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def request(
    encoder, stream, *fields, authority="www.example.org", method="GET", path="/secret", flags=END_STREAM
):
    given = [(":method", method), (":scheme", "http"), (":authority", authority), (":path", path), *fields]
    return frame(HEADERS, END_HEADERS | flags, stream, encoder.encode(given))


def client(*frames):
    return PREFACE + frame(SETTINGS, 0, 0, bytes(6)) + b"".join(frames)


def server(*frames):
    return frame(SETTINGS, 0, 0, bytes(12)) + b"".join(frames)


def sent(data, back=0, **fields):
    ends = {"src": "192.0.2.53", "dst": "10.0.0.7", "sport": 80, "dport": 5000} if back else {"dport": 80}
    return message(Kind.HTTP2, data, protocol=TCP, flow=fields.pop("flow", 1), back=back, **ends, **fields)


def read(*blocks):
    """Events of blocks of messages, sorted, and what was counted."""
    counted = Counted()
    reader = PROTOCOL.open(counted)
    found = [events for given in blocks for events in reader.read(block(*given))]
    found += reader.close()
    rows = []
    for events in found:
        batch = conform(events.kind, events.columns, len(events.columns["ordinal"]))
        rows += [row | {"kind": events.kind} for row in batch.to_pylist()]
    return rows, counted.reasons


def named(rows):
    return [(row["kind"], row["name"], row.get("method")) for row in rows]


def test_requests_share_a_compression_table():
    encoder = Encoder()
    frames = [
        request(encoder, 2 * n + 1, ("cookie", "secret"), authority=f"h{n % 2}.example:80")
        for n in range(5)
    ]
    rows, reasons = read([sent(client(*frames))])
    assert named(rows) == [("http", f"h{n % 2}.example", "GET") for n in range(5)]
    assert {(row["version"], row["name_source"], row["server_port"]) for row in rows} == {
        ("2.0", "host", 80)
    }
    assert "secret" not in str(rows)
    assert reasons == []


def test_padding_priority_continuation_and_trailers():
    encoder = Encoder()
    block_ = encoder.encode([(":method", "POST"), (":path", "/"), ("host", "[::1]:80")])
    frames = [
        frame(HEADERS, PADDED | PRIORITY, 1, b"\2" + bytes(5) + block_[:3] + bytes(2)),
        frame(CONTINUATION, 0, 1, block_[3:5]),
        frame(CONTINUATION, END_HEADERS, 1, block_[5:]),
        frame(PING, 0, 0, bytes(8)),
        frame(DATA, 0, 1, b"body"),
        frame(HEADERS, END_HEADERS | END_STREAM, 1, encoder.encode([("x-trailer", "1")])),
        frame(0xFA, 0, 1, b"some extension"),
        request(encoder, 3),
    ]
    rows, reasons = read([sent(client(*frames))])
    assert named(rows) == [("http", "[::1]", "POST"), ("http", "www.example.org", "GET")]
    assert reasons == []


@settings(max_examples=40, deadline=None)
@given(st.sets(st.integers(1, 400), max_size=8), st.integers(0, 8))
def test_where_octets_are_cut_and_blocks_end_changes_nothing(cuts, split):
    query = dns.message.make_query("a.example", "A", id=0)
    encoder = Encoder()
    stream = client(
        request(encoder, 1),
        request(encoder, 3, DNS_TYPE, method="POST", flags=0),
        frame(DATA, END_STREAM | PADDED, 3, b"\3" + query.to_wire() + bytes(3)),
        request(encoder, 5, authority="b.example"),
    )
    edges = [0, *sorted(cut for cut in cuts if 4 <= cut < len(stream)), len(stream)]
    parts = [sent(stream[a:b], ordinal=1) for a, b in itertools.pairwise(edges)]
    rows, reasons = read(parts[:split], parts[split:])
    assert sorted(named(rows)) == [
        ("dns", "a.example", None),
        ("http", "b.example", "GET"),
        ("http", "www.example.org", "GET"),
        ("http", "www.example.org", "POST"),
    ]
    assert reasons == []


def test_the_evidence_is_where_the_head_begins():
    encoder = Encoder()
    stream = client(request(encoder, 1), request(encoder, 3))
    size = len(stream)
    rows, _ = read([sent(stream[:40]), sent(stream[40 : size - 3])], [sent(stream[size - 3 :], ordinal=3)])
    assert [row["ordinal"] for row in rows] == [1, 2]


def answered(name, address, stream, encoder, flags=END_STREAM):
    response = dns.message.make_response(dns.message.make_query(name, "A", id=0))
    response.answer.append(dns.rrset.from_text(name + ".", 60, "IN", "A", address))
    return frame(HEADERS, END_HEADERS, stream, encoder.encode([(":status", "200"), DNS_TYPE])) + frame(
        DATA, flags, stream, response.to_wire()
    )


def test_dns_in_bodies_and_targets_is_joined_by_stream():
    asks, says = Encoder(), Encoder()
    query = dns.message.make_query("a.example", "A", id=0).to_wire()
    target = base64.urlsafe_b64encode(dns.message.make_query("b.example", "A", id=0).to_wire()).rstrip(b"=")
    up = client(
        request(asks, 1, DNS_TYPE, method="POST", flags=0),
        frame(DATA, 0, 1, query[:5]),
        frame(DATA, END_STREAM, 1, query[5:]),
        request(asks, 3, path=f"/dns-query?x=1&dns={target.decode()}"),
        request(asks, 5, path="/?dns=bm8gcXVlcnksIGp1c3QgdGV4dA"),
        request(asks, 7, DNS_TYPE, method="POST", flags=0),
    )
    down = server(
        frame(PUSH, END_HEADERS, 1, bytes(4) + says.encode([(":method", "GET"), (":authority", "pushed")])),
        answered("b.example", "192.0.2.2", 3, says),
        answered("a.example", "192.0.2.1", 1, says),
        answered("c.example", "192.0.2.3", 7, says, flags=0),
    )
    rows, reasons = read([sent(up)], [sent(down, back=1, ordinal=9)])
    assert [row["kind"] for row in rows] == ["http"] * 4 + ["dns"] * 2
    found = [(row["name"], row["answers"], row["rcode"], row["ordinal"]) for row in rows[4:]]
    assert found == [("a.example", ["192.0.2.1"], "NOERROR", 1), ("b.example", ["192.0.2.2"], "NOERROR", 1)]
    assert {(row["transport_detail"], row["transport"]) for row in rows[4:]} == {("doh", "tcp")}
    assert reasons == []


def test_a_body_that_is_no_dns_message_is_counted():
    asks = Encoder()
    up = client(
        request(asks, 1, DNS_TYPE, method="POST", flags=0), frame(DATA, END_STREAM, 1, b"<html>"),
        request(asks, 3, DNS_TYPE, method="POST", flags=0), frame(RST, 0, 3, bytes(4)), frame(DATA, 1, 3, b"x"),
    )  # fmt: skip
    rows, reasons = read([sent(up)])
    assert len(rows) == 2
    assert reasons == [("a DNS message is malformed", [1])]


@pytest.mark.parametrize(
    "tail",
    [
        frame(HEADERS, END_HEADERS, 3, b"\xff\xff\xff\xff\xff\xff"),  # no such index
        frame(HEADERS, END_HEADERS, 3, b"\x3f\xff\xff\x7f"),  # a huge table
        frame(HEADERS, END_HEADERS | PADDED, 3, b"\xff\x82"),
        frame(HEADERS, 0, 3, b"\x82") + frame(PING, 0, 0, bytes(8)),
        frame(HEADERS, 0, 3, b"\x82") + frame(CONTINUATION, END_HEADERS, 5, b""),
        frame(CONTINUATION, END_HEADERS, 3, b"\x82"),
        frame(HEADERS, 0, 3, b"\x82") + frame(CONTINUATION, 0, 3, bytes(16_384)) * 6,
        frame(HEADERS, END_HEADERS, 3, b"\x40\x01a\x7f\x80\x1f" + b"b" * 4096 + b"\xbe" * 60_000),
        frame(HEADERS, END_HEADERS, 3, bytes(70_000)),
    ],
)
def test_damage_ends_the_reading_of_one_side_and_is_counted_once(tail):
    encoder = Encoder()
    first, after = client(request(encoder, 1)), request(encoder, 5)
    rows, reasons = read(
        [sent(first), sent(tail), sent(after), sent(after), sent(client(request(Encoder(), 1)), flow=2)]
    )
    assert [row["ordinal"] for row in rows] == [1, 5]
    assert reasons == [(DAMAGED, [2])]


def test_a_new_connection_on_an_old_flow_begins_anew():
    rows, reasons = read(
        [sent(client(request(Encoder(), 1))), sent(b"\xff" * 20), sent(client(request(Encoder(), 1)))]
    )
    assert [row["ordinal"] for row in rows] == [1, 3]
    assert reasons == []  # a frame of an unknown kind that never ends


def test_a_stream_without_its_beginning_and_one_that_is_cut_are_counted():
    encoder = Encoder()
    up = client(request(encoder, 1))
    rows, reasons = read(
        [sent(frame(PING, 0, 0, bytes(8))), sent(up, flow=2, cut=1), sent(request(encoder, 3), flow=2)]
    )
    assert [row["ordinal"] for row in rows] == [2]
    assert reasons == [
        ("HTTP/2 without its beginning", [1]),
        ("an HTTP/2 connection is cut short", [2]),
    ]


def test_connections_are_bounded(monkeypatch):
    monkeypatch.setattr(http2, "MAX_SIDES", 2)
    encoders = [Encoder() for _ in range(3)]
    begin = [sent(client(request(encoder, 1)), flow=n) for n, encoder in enumerate(encoders)]
    again = [sent(request(encoder, 3), flow=n) for n, encoder in enumerate(encoders)]
    rows, reasons = read(
        begin, [again[1] | {"ordinal": 4}, again[2] | {"ordinal": 5}, again[0] | {"ordinal": 6}]
    )
    assert [row["ordinal"] for row in rows] == [1, 2, 3, 4, 5]
    assert reasons == [("HTTP/2 without its beginning", [6])]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=30),
            st.builds(
                frame,
                st.sampled_from((DATA, HEADERS, RST, PUSH, CONTINUATION)),
                st.integers(0, 255),
                st.integers(0, 3),
                st.binary(max_size=40),
            ),
        ),
        max_size=6,
    )
)
def test_no_octets_raise(frames):
    read([sent(client(*frames)), sent(server(*frames), back=1)])
