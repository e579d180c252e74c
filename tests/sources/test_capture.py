"""Captures to events, end to end: made by hand, judged by tshark and the shared tables."""

import gzip
import shutil
import struct
import subprocess
from itertools import pairwise

import dns.message
import dns.rrset
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netaudit.errors import CaptureError
from netaudit.intake.opening import ByteStream, identify
from netaudit.intake.tally import Tally
from netaudit.kernels.magics import is_capture
from netaudit.records.addresses import format_ip
from netaudit.records.schemas import kind_of, schema
from netaudit.sources import blocks, capture
from netaudit.sources.capture import Capture, read_capture

START = 1_700_000_000
CLIENT, SERVER = "10.0.0.7", "192.0.2.53"
MACS = {CLIENT: b"\x02\0\0\0\0\x07", SERVER: b"\x02\0\0\0\0\x53"}


def packed(address):
    return bytes(int(part) for part in address.split("."))


def ipv4(src, dst, protocol, payload, flags=0, ident=1):
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), ident, flags, 64, protocol, 0)
    return MACS[dst] + MACS[src] + b"\x08\0" + head + packed(src) + packed(dst) + payload


def udp(src, dst, sport, dport, payload):
    return ipv4(src, dst, 17, struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload)


def tcp(src, dst, sport, dport, seq, flags=0x18, payload=b""):
    return ipv4(
        src, dst, 6, struct.pack("!HHIIBBHHH", sport, dport, seq, 0, 0x50, flags, 0, 0, 0) + payload
    )


def to_server(seq, payload=b"", flags=0x18, port=443, sport=5000):
    return tcp(CLIENT, SERVER, sport, port, seq, flags, payload)


def pcap(frames, step=1):
    records = [struct.pack("<IIII", START + k * step, 0, len(f), len(f)) + f for k, f in enumerate(frames)]
    return struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1) + b"".join(records)


def client_hello(name, padding=0):
    sni = struct.pack("!HBH", len(name) + 3, 0, len(name)) + name
    exts = struct.pack("!HH", 21, padding) + b"\0" * padding + struct.pack("!HH", 0, len(sni)) + sni
    exts += struct.pack("!HHHB", 16, 5, 3, 2) + b"h2" + struct.pack("!HHBHH", 43, 5, 4, 0x0A0A, 0x0304)
    body = b"\x03\x03" + b"r" * 32 + b"\0" + b"\0\2\x13\x01" + b"\1\0" + struct.pack("!H", len(exts)) + exts
    return b"\1" + len(body).to_bytes(3, "big") + body


def record(handshake):
    return b"\x16\x03\x01" + struct.pack("!H", len(handshake)) + handshake


@pytest.fixture
def read_series(tmp_path):
    """Read the bytes of several captures as one stream: (events by kind, ledger entries); bytes add up."""

    def read(contents, names=None, **options):
        names = names or [f"case_{k:05}.pcap" for k in range(len(contents))]
        tallies, streams = [], []

        def opening():
            for name, content in zip(names, contents, strict=True):
                path = tmp_path / name
                path.write_bytes(content)
                identity = identify(path)
                tallies.append(Tally(identity))
                streams.append(ByteStream(identity))
                yield Capture(streams[-1], tallies[-1])

        found: dict[str, list[dict]] = {}
        try:
            for batch in read_capture(opening(), **options):
                assert batch.schema.equals(schema(kind_of(batch)), check_metadata=True)
                assert 0 < batch.num_rows <= capture.BATCH_ROWS
                batch.validate(full=True)
                found.setdefault(kind_of(batch), []).extend(batch.to_pylist())
        finally:
            for stream in streams:
                stream.close()
        entries = [tally.entry(stream) for tally, stream in zip(tallies, streams, strict=True)]
        for entry in entries:
            assert entry.size == entry.bytes_read + entry.bytes_skipped
            assert entry.bytes_read >= 0
            assert all(first > 0 for skipped in entry.skipped for first in skipped.first)
        assert sum(entry.records for entry in entries) == sum(map(len, found.values()))
        return found, entries

    return read


@pytest.fixture
def events(read_series):
    """Read the bytes of one capture: (events by kind, ledger entry)."""

    def read(data, name="case.pcap", **options):
        found, (entry,) = read_series([data], [name], **options)
        return found, entry

    return read


def lookup(name="www.Example.org", id_=7):
    query = dns.message.make_query(name, "A", id=id_)
    response = dns.message.make_response(query)
    response.answer = [
        dns.rrset.from_text("www.example.org.", 60, "IN", "CNAME", "cdn.example.net."),
        dns.rrset.from_text("cdn.example.net.", 60, "IN", "A", "192.0.2.1", "192.0.2.2"),
        dns.rrset.from_text("cdn.example.net.", 60, "IN", "HTTPS", '1 . alpn="h3"'),
    ]
    return query.to_wire(), response.to_wire()


def test_a_query_and_its_response_are_one_event(events):
    query, response = lookup()
    frames = [udp(CLIENT, SERVER, 5353 + 1, 53, query), udp(SERVER, CLIENT, 53, 5354, response)]
    found, entry = events(pcap(frames), site="north", clock_offset_s=-1.5)
    (event,) = found["dns"]
    assert set(found) == {"dns"}
    assert event["name"] == "www.example.org"
    assert (event["qtype"], event["rcode"], event["opcode"]) == ("A", "NOERROR", None)
    judged = dns.message.from_wire(response).answer  # dnspython shuffles a set as it writes it
    assert event["answers"] == [rdata.to_text() for rrset in judged for rdata in rrset]
    assert format_ip(event["client_ip"]) == CLIENT
    assert (event["client_port"], event["server_port"]) == (5354, 53)
    assert event["client_mac"] == MACS[CLIENT]
    assert (event["ordinal"], event["site"], event["file"]) == (1, "north", entry.id)
    assert event["ts"].value == START * 10**9 - 1_500_000_000
    assert entry.complete


def test_unanswered_and_unasked_messages_are_events(events):
    query, response = lookup()
    other = lookup("other.example.org")[1]
    frames = [
        udp(CLIENT, SERVER, 6000, 53, query), udp(CLIENT, SERVER, 6000, 53, query),
        udp(SERVER, CLIENT, 53, 6000, response), udp(SERVER, CLIENT, 53, 6000, other),
    ]  # fmt: skip
    found, _ = events(pcap(frames))
    assert [(e["ordinal"], e["name"], e["rcode"]) for e in sorted(found["dns"], key=lambda e: e["ordinal"])] == [
        (1, "www.example.org", None), (2, "www.example.org", "NOERROR"), (4, "other.example.org", "NOERROR"),
    ]  # fmt: skip
    assert all(format_ip(e["client_ip"]) == CLIENT for e in found["dns"])


def test_a_response_after_half_a_minute_is_not_joined(events):
    query, response = lookup()
    frames = [udp(CLIENT, SERVER, 6000, 53, query), udp(SERVER, CLIENT, 53, 6000, response)]
    assert len(events(pcap(frames, step=31))[0]["dns"]) == 2


def test_dns_over_tcp_in_any_segments(events):
    stream = b"".join(
        struct.pack("!H", len(q)) + q for q in (lookup(f"n{k}.example.org", k)[0] for k in range(4))
    )
    for size in (1, 7, 40, len(stream)):
        cuts = [stream[k : k + size] for k in range(0, len(stream), size)]
        frames = [to_server(k * size, part, port=53) for k, part in enumerate(cuts)]
        found, entry = events(pcap(frames))
        assert {e["name"] for e in found["dns"]} == {f"n{k}.example.org" for k in range(4)}
        assert entry.complete


def test_mdns_asks_several_things_at_once_and_announces_nothing(events):
    query = struct.pack("!HHHHHH", 0, 0, 2, 0, 0, 0) + b"\1a\5local\0\0\x0c\0\1" + b"\1b\xc0\x0e\0\x0c\0\1"
    group = "224.0.0.251"
    MACS[group] = b"\x01\0\x5e\0\0\xfb"
    answer = struct.pack("!HHHHHH", 0, 0x8400, 0, 1, 0, 0) + b"\1a\5local\0\0\1\0\1\0\0\0\1\0\4\1\2\3\4"
    found, entry = events(pcap([udp(CLIENT, group, 5353, 5353, m) for m in (query, answer)]))
    assert [(e["name"], e["transport_detail"]) for e in found["dns"]] == [
        ("a.local", "mdns"),
        ("b.local", "mdns"),
    ]
    assert entry.complete
    assert [s.count for s in entry.skipped] == [1]


def test_a_damaged_message_is_counted_and_the_rest_kept(events):
    query, _ = lookup()
    loop = query[:12] + b"\xc0\x0c\0\1\0\1"
    found, entry = events(pcap([udp(CLIENT, SERVER, 6000, 53, m) for m in (loop, query)]))
    assert [e["ordinal"] for e in found["dns"]] == [2]
    assert [(s.reason, s.first) for s in entry.skipped] == [("a DNS message is malformed", (1,))]
    assert not entry.complete


HELLO = record(client_hello(b"Secret.example.org", 1500))
PARTS = [(0, HELLO[:700]), (700, HELLO[700:1400]), (1400, HELLO[1400:])]


ORDERS = [(0, 1, 2), (0, 2, 1), (0, 0, 1, 1, 2), (2, 0, 1), (1, 2, 0), (2, 1, 0)]


@pytest.mark.parametrize("piece", [8 << 20, 900])
@pytest.mark.parametrize("order", ORDERS)
def test_a_hello_over_segments(events, monkeypatch, order, piece):
    monkeypatch.setattr(blocks, "PIECE_BYTES", piece)
    frames = [to_server(0xFFFFFF00 + PARTS[k][0] & 0xFFFFFFFF, PARTS[k][1]) for k in order]
    if order[0]:  # without a handshake, a segment before the beginning is not looked for
        frames.insert(0, to_server(0xFFFFFEFF, flags=0x02))
    found, entry = events(pcap(frames))
    (event,) = found["tls"]
    assert (event["name"], event["name_source"], event["alpn"], event["version"]) == (
        "secret.example.org", "sni", ["h2"], "1.3",
    )  # fmt: skip
    assert [f["name"] for f in found["flow"]] == ["secret.example.org"]
    assert entry.complete


def test_a_hello_over_records(events):
    whole = client_hello(b"records.example.org")
    found, _ = events(pcap([to_server(1, record(whole[:60]) + record(whole[60:]))]))
    assert [e["name"] for e in found["tls"]] == ["records.example.org"]


def test_a_hello_without_its_rest_is_counted(events):
    found, entry = events(pcap([to_server(1, HELLO[:700])]))
    assert "tls" not in found
    assert [s.reason for s in entry.skipped] == ["a TLS hello without its rest"]


def test_http_requests(events):
    request = b"GET /secret?key=1 HTTP/1.1\r\nHost: WWW.Example.org:8080\r\nCookie: x\r\n\r\n"
    frames = [
        to_server(1, request, port=8080), to_server(1, request, port=8080),  # sent twice
        to_server(1, b"CONNECT t.example:443 HTTP/1.1\r\n\r\n", sport=5001),
        to_server(1, request[:30], sport=5002), to_server(31, request[30:], sport=5002),
        to_server(1, b"POST http://abs.example/x HTTP/1.0\r\n\r\n", sport=5003),
    ]  # fmt: skip
    found, entry = events(pcap(frames))
    seen = [(e["method"], e["name"], e["version"]) for e in found["http"]]
    assert sorted(seen) == [
        ("CONNECT", "t.example", "1.1"), ("GET", "www.example.org", "1.1"),
        ("GET", "www.example.org", "1.1"), ("POST", "abs.example", "1.0"),
    ]  # fmt: skip
    assert "secret" not in str(found)
    assert entry.complete


def test_flows_have_both_directions_and_the_client_is_who_opened(events):
    frames = [
        tcp(CLIENT, SERVER, 5000, 443, 1, 0x02), tcp(SERVER, CLIENT, 443, 5000, 1, 0x12),
        tcp(CLIENT, SERVER, 5000, 443, 2, 0x10), tcp(CLIENT, SERVER, 5000, 443, 2, 0x18, b"data"),
        tcp(SERVER, CLIENT, 443, 5001, 9, 0x18, b"middle"),  # begun before the capture
    ]  # fmt: skip
    found, _ = events(pcap(frames))
    whole, middle = found["flow"]
    assert (whole["handshake"], whole["payload_out"], whole["payload_in"]) == (True, True, False)
    assert (whole["packets_out"], whole["packets_in"], whole["bytes_in"]) == (3, 1, 54)
    assert (whole["ordinal"], whole["ts_end"].value) == (1, (START + 3) * 10**9)
    assert format_ip(middle["client_ip"]) == CLIENT
    assert (middle["handshake"], middle["payload_in"]) == (False, True)


def test_fragments_are_put_together(events):
    query = lookup()[0]
    datagram = struct.pack("!HHHH", 6000, 53, 8 + len(query), 0) + query
    frames = [
        ipv4(CLIENT, SERVER, 17, datagram[16:], flags=2), ipv4(CLIENT, SERVER, 17, datagram[:16], flags=0x2000),
        ipv4(CLIENT, SERVER, 17, datagram[:16], flags=0x2000, ident=2),
    ]  # fmt: skip
    found, entry = events(pcap(frames))
    assert [(e["name"], e["ordinal"]) for e in found["dns"]] == [("www.example.org", 1)]
    assert [(s.count, s.first) for s in entry.skipped] == [(1, (3,))]


def test_an_unsupported_link_type_is_no_clean_result(events):
    data = bytearray(pcap([udp(CLIENT, SERVER, 6000, 53, lookup()[0])]))
    data[20:24] = struct.pack("<I", 147)
    found, entry = events(bytes(data))
    assert found == {}
    assert [s.reason for s in entry.skipped] == ["link type 147 is not supported"]
    assert not entry.complete


SMALL = pcap([
    udp(CLIENT, SERVER, 6000, 53, lookup()[0]), udp(SERVER, CLIENT, 53, 6000, lookup()[1]),
    to_server(1, record(client_hello(b"a.example"))), to_server(1, b"GET / HTTP/1.1\r\nHost: b\r\n\r\n", sport=9),
])  # fmt: skip


def test_cut_at_every_octet_of_the_last_records(events):
    whole = len(events(SMALL)[0]["flow"])
    assert whole == 2
    for cut in range(len(SMALL) - 260, len(SMALL)):
        _, entry = events(SMALL[:cut])
        complete_records = cut in _record_ends(SMALL)
        assert entry.truncated is not complete_records


def _record_ends(data):
    ends, at = {24}, 24
    while at < len(data):
        at += 16 + struct.unpack_from("<I", data, at + 8)[0]
        ends.add(at)
    return ends


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, len(SMALL) - 25), st.integers(0, 255), st.integers(30, len(SMALL)))
def test_no_flipped_or_missing_octet_raises(events, at, value, cut):
    data = bytearray(SMALL)
    data[24 + at] = value
    events(bytes(data[:cut]))


def test_a_compressed_capture_cut_in_half(events):
    data = gzip.compress(SMALL, mtime=0)
    found, entry = events(data[: len(data) - 40], "half.pcap.gz")
    assert entry.truncated
    assert "dns" in found


def test_what_is_no_capture(events):
    assert not is_capture(b"PK\3\4")
    assert is_capture(SMALL[:24])
    with pytest.raises(CaptureError):
        events(b"time,client\n1,2\n")
    assert events(SMALL[:10])[1].truncated
    assert events(SMALL[:24])[1].records == 0


def fragments_of(datagram, ident, size=64):
    cuts = range(0, len(datagram), size)
    return [
        ipv4(
            CLIENT,
            SERVER,
            17,
            datagram[at : at + size],
            (0x2000 if at + size < len(datagram) else 0) | at // 8,
            ident,
        )
        for at in cuts
    ]


def rich():
    """Frames of everything that is put together, held back or joined, in among each other."""
    frames = []
    hello, request = (
        record(client_hello(b"long.example.org", 900)),
        b"GET / HTTP/1.1\r\nHost: web.example\r\n\r\n",
    )
    for k in range(12):
        query, response = lookup(f"n{k}.example.org", k)
        sport = 10_000 + 10 * k
        tls = [to_server(1 + at, hello[at : at + 400], sport=sport) for at in range(0, len(hello), 400)]
        if k % 3 == 1:
            tls = [to_server(0, flags=0x02, sport=sport), *tls[::-1]]
        stream = struct.pack("!H", len(query)) + query
        packed = struct.pack("!HHHH", sport, 53, 8 + len(query) + 80, 0) + query + b"\0" * 80
        strands = [
            [udp(CLIENT, SERVER, sport, 53, query), udp(SERVER, CLIENT, 53, sport, response)],
            tls,
            [to_server(1, stream[:9], port=53, sport=sport), to_server(10, stream[9:], port=53, sport=sport)],
            [to_server(1, request[:25], port=80, sport=sport), to_server(26, request[25:], port=80, sport=sport)],
            fragments_of(packed, 100 + k)[:: -1 if k % 2 else 1],
            [tcp(CLIENT, SERVER, sport, 22, 1, 0x02), tcp(SERVER, CLIENT, 22, sport, 5, 0x12)],
            [to_server(77, hello[:300], sport=sport + 1)],
            [b"\xff" * 20],
        ]  # fmt: skip
        while any(strands):
            frames += [strand.pop(0) for strand in strands if strand]
    return frames


RICH = pcap(rich(), step=2)


def told(found, without=()):
    """Events as text, sorted within their kind, without some columns."""
    return {
        kind: sorted(str({k: v for k, v in row.items() if k not in without}) for row in rows)
        for kind, rows in found.items()
    }


@pytest.fixture
def whole(events):
    found, entry = events(RICH)
    assert set(found) == {"dns", "tls", "http", "flow"}
    assert len(found["tls"]) == 12
    assert len(found["dns"]) == 36
    return told(found), entry


@pytest.mark.parametrize(
    ("octets", "packets"),
    [(1, 1), (7, 3), (100, 2), (4096, 32_768), (4096, 5), (1 << 20, 1), (1 << 20, 50)],
)
def test_pieces_of_any_size_give_the_same(events, whole, monkeypatch, octets, packets):
    monkeypatch.setattr(blocks, "PIECE_BYTES", octets)
    monkeypatch.setattr(blocks, "PIECE_PACKETS", packets)
    found, entry = events(RICH)
    assert (told(found), entry) == whole


@pytest.mark.parametrize("packets", [1, 2, 13, 64])
def test_blocks_of_any_size_give_the_same(events, whole, monkeypatch, packets):
    monkeypatch.setattr(blocks, "BLOCK_PACKETS", packets)
    found, entry = events(RICH)
    assert (told(found), entry) == whole


@pytest.mark.parametrize("packets", [1, 2, 100])
def test_a_flow_has_the_name_that_was_said_first(events, monkeypatch, packets):
    """A request through a proxy: what the client asked the proxy for comes before what it asked behind it."""
    monkeypatch.setattr(blocks, "BLOCK_PACKETS", packets)
    asked = [b"\5\1\0", b"\5\1\0\3\x0dproxy.example\0\x50", b"GET / HTTP/1.1\r\nHost: web.example\r\n\r\n"]
    frames, seq = [to_server(0, flags=0x02, port=1080)], 1
    for octets in asked:
        frames.append(to_server(seq, octets, port=1080))
        seq += len(octets)
    found, _ = events(pcap(frames))
    assert set(found) == {"proxy", "http", "flow"}
    assert [flow["name"] for flow in found["flow"]] == ["proxy.example"]


@pytest.mark.parametrize("octets", [4096, 1 << 20])
def test_threads_give_the_same_in_the_same_order(events, monkeypatch, octets):
    monkeypatch.setattr(blocks, "PIECE_BYTES", octets)
    monkeypatch.setattr(blocks, "PIECE_PACKETS", 16)
    monkeypatch.setattr(blocks, "BLOCK_PACKETS", 24)
    alone = events(RICH)
    for threaded in (True, False, True):
        assert events(RICH, threaded=threaded) == alone


def test_more_fragments_than_there_is_room_behind_a_piece(events, monkeypatch):
    """Datagrams that fragments make whole lie behind a piece; those before must stay as they are."""
    monkeypatch.setattr(blocks, "_SPILL", 70_000)
    names = [f"n{k}.example.org" for k in range(40)]
    frames = []
    for k, name in enumerate(names):
        query = lookup(name, k)[0] + b"\0" * 9000
        frames += fragments_of(struct.pack("!HHHH", 6000 + k, 53, 8 + len(query), 0) + query, k, 1480)
    for threaded in (False, True):
        found, entry = events(pcap(frames), threaded=threaded)
        assert [e["name"] for e in sorted(found["dns"], key=lambda e: e["ordinal"])] == names
        assert not entry.skipped


def test_what_a_whole_datagram_cannot_be_is_counted(events):
    """A datagram out of fragments with a header that is too short for its protocol."""
    frames = [ipv4(CLIENT, SERVER, 6, b"\0" * 8, flags=0x2000), ipv4(CLIENT, SERVER, 6, b"\0" * 3, flags=1)]
    found, entry = events(pcap(frames))
    assert found == {}
    assert [(s.reason, s.count) for s in entry.skipped] == [("a packet is too short for its headers", 1)]


def parts_of(data, count):
    """A capture as several files, split behind packets."""
    ends = sorted(_record_ends(data))
    cuts = [ends[len(ends) * k // count] for k in range(1, count)]
    bounds = [24, *cuts, len(data)]
    return [data[:24] + data[a:b] for a, b in pairwise(bounds)]


WITHOUT = ("file", "ordinal")


@pytest.mark.parametrize("count", [2, 3, 4, 5])
@pytest.mark.parametrize("threaded", [False, True])
def test_a_series_of_files_is_one_stream(read_series, count, threaded):
    whole, _ = read_series([RICH])
    found, entries = read_series(parts_of(RICH, count), threaded=threaded)
    assert told(found, WITHOUT) == told(whole, WITHOUT)
    assert len({entry.id for entry in entries}) == count
    by_file = {entry.id: entry for entry in entries}
    for rows in found.values():
        assert {row["file"] for row in rows} <= set(by_file)
    assert sum(s.count for e in entries for s in e.skipped) == sum(
        s.count for s in read_series([RICH])[1][0].skipped
    )


def test_a_series_may_be_split_at_any_packet(read_series):
    small = pcap(rich()[:40])
    whole = told(read_series([small])[0], WITHOUT)
    for end in sorted(_record_ends(small))[1:-1]:
        parts = [small[:end], small[:24] + small[end:]]
        assert told(read_series(parts)[0], WITHOUT) == whole


def test_a_damaged_file_of_a_series_does_not_spoil_the_others(read_series):
    first, middle, last = parts_of(RICH, 3)
    damaged = middle[:200] + b"\xff" * 50 + middle[200 : len(middle) - 10]
    found, entries = read_series([first, damaged, last])
    assert [entry.truncated for entry in entries] == [False, True, False]
    assert [s.reason for s in entries[0].skipped if "stretch" in s.reason] == []
    assert [s.reason for s in entries[1].skipped if "stretch" in s.reason] == [
        "a stretch of the file is no packet"
    ]
    for part, entry in ((first, entries[0]), (last, entries[2])):
        alone, _ = read_series([part])
        names = {row["name"] for row in alone["dns"]}
        assert names <= {row["name"] for row in found["dns"]}
        assert not entry.truncated


def test_files_of_a_series_that_hold_nothing(read_series):
    whole, _ = read_series([RICH])
    found, entries = read_series([RICH[:24], RICH, RICH[:24]])
    assert told(found, WITHOUT) == told(whole, WITHOUT)
    assert [entry.records for entry in entries][::2] == [0, 0]
    found, entries = read_series([RICH, RICH[:10]])
    assert told(found, WITHOUT) == told(whole, WITHOUT)
    assert entries[1].truncated


def test_one_packet_with_a_wrong_clock_does_not_make_the_rest_late(events):
    frames, wrong = rich(), pcap([b"\0" * 60])[24:]
    later = pcap(frames, step=0)
    for second in (2**32 - 1, 0):
        odd = struct.pack("<I", second) + wrong[4:]
        found, _ = events(later[:24] + odd + later[24:])
        plain, _ = events(later)
        assert told(found, WITHOUT) == told(plain, WITHOUT)


def test_more_flows_than_are_held_are_told_in_parts(events, monkeypatch):
    from netaudit.sources import flow_table

    monkeypatch.setattr(blocks, "BLOCK_PACKETS", 64)
    monkeypatch.setattr(flow_table, "MAX_FLOWS", 64)
    monkeypatch.setattr(flow_table, "CAPACITY", 128)
    monkeypatch.setattr(flow_table, "SWEEP_EVERY", 16)
    frames = [to_server(1, b"x", sport=1000 + k) for k in range(1000)]
    found, entry = events(pcap(frames, step=0))
    assert len(found["flow"]) == 1000
    assert sum(flow["packets_out"] for flow in found["flow"]) == 1000
    assert blocks.EVICTED in entry.notes
    assert not entry.skipped


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_tshark_reads_the_same_names(events, tmp_path):
    found, _ = events(SMALL, "judge.pcap")
    fields = ("dns.qry.name", "tls.handshake.extensions_server_name", "http.host")
    command = ["tshark", "-n", "-r", str(tmp_path / "judge.pcap"), "-T", "fields"]
    for field in fields:
        command += ["-e", field]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    theirs = {cell.lower() for line in lines for cell in line.split("\t") if cell}
    ours = {e["name"] for kind in ("dns", "tls", "http") for e in found[kind]}
    assert ours == theirs


def test_segments_of_a_lost_stream_that_overlap_are_not_counted_beyond_the_file(events):
    """A DNS message over TCP of which the beginning never comes, sent again and again in other cuts."""
    message = struct.pack("!H", 4000) + b"x" * 400
    frames = [to_server(1, flags=0x02, port=53)]
    frames += [to_server(2 + k, message[k:], port=53) for k in range(0, 300, 7)]
    _, entry = events(pcap(frames))
    assert entry.bytes_read + entry.bytes_skipped == entry.size
    assert entry.bytes_read >= 0
