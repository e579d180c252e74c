"""Hostile and damaged captures. Each case has its id; what must never happen is a confident wrong answer."""

import bz2
import gzip
import io
import lzma
import os
import random
import resource
import socket
import struct
import time
import tracemalloc
import warnings
import zipfile

import pytest
import zstandard
from command import netaudit
from containers import START, block, enhanced, interface, pcap_header, pcapng, record, resolution, section
from frames import CLIENT, SERVER, client_hello, dns_query, dns_response, ipv4, pcap, tcp, udp
from hellos import extension, hello, server_name, vector

from netaudit.sources import blocks

CLEAN, HIT, UNUSABLE, INCONCLUSIVE = 0, 1, 2, 3
CUT = blocks.CUT
GAP = "a stretch of the file is no packet"
QUERIES = [udp(dns_query(f"n{k}.example.org", k)) for k in range(6)]
NAMES = {f"n{k}.example.org" for k in range(6)}
SMALL = pcap(*QUERIES)
SIZE = 16 + len(QUERIES[0])


def noise(count):
    """Packets that cannot be compressed: so that half of a compressed file is half of its packets."""
    chance = random.Random(7)
    return pcap(
        *(udp(chance.randbytes(900), 7000, 7001) if k % 4 else QUERIES[k // 4 % 6] for k in range(count))
    )


# A01 to A04: ends too early, wrong checks, bombs


@pytest.mark.parametrize("ng", [False, True])
def test_a01_cut_at_every_octet_of_the_last_two_records(reads, ng):
    whole = pcapng(*QUERIES) if ng else SMALL
    size = len(enhanced(QUERIES[0])) if ng else SIZE
    begin = len(whole) - 2 * size
    for cut in range(begin, len(whole) + 1, 7):
        reading = reads(whole[:cut])
        kept = 4 + (cut - begin) // size
        assert reading.names("dns") == {f"n{k}.example.org" for k in range(kept)}
        left = (cut - begin) % size
        assert reading.entry.truncated is (left > 0)
        assert reading.entry.bytes_skipped == left
        assert reading.code == (INCONCLUSIVE if left else CLEAN)
        if left:
            (skipped,) = reading.entry.skipped
            assert (skipped.reason, skipped.first) == (CUT, (kept + 1,))


PACKERS = {
    "gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress,
    "zst": lambda data: zstandard.ZstdCompressor().compress(data),
}  # fmt: skip


@pytest.mark.parametrize("kind", PACKERS)
@pytest.mark.parametrize("share", [0.25, 0.5, 0.99])
def test_a02_a_compressed_stream_that_ends_early(reads, kind, share):
    packed = PACKERS[kind](noise(2000))
    reading = reads({f"half.pcap.{kind}": packed[: int(len(packed) * share)]})
    assert "the compressed stream ended early" in reading.reasons
    assert reading.entry.truncated
    assert reading.code == INCONCLUSIVE
    if kind != "bz2" or share == 0.99:  # its blocks are of 900 kB
        assert reading.names("dns") == NAMES


@pytest.mark.parametrize("field", [8, 4])
def test_a03_a_wrong_check_of_a_compressed_stream(reads, field):
    packed = bytearray(gzip.compress(SMALL))
    packed[-field] ^= 0xFF
    reading = reads({"case.pcap.gz": bytes(packed)}, bad=("n1.example.org",))
    assert reading.names("dns") == NAMES
    assert "the compressed stream is damaged" in reading.reasons
    assert reading.entry.truncated
    assert reading.code == HIT
    assert "damaged" in reading.said


def test_a04_a_bomb(reads):
    packed = gzip.compress(pcap_header() + b"\xff" * (100 << 20), 9)
    assert len(packed) < 200_000
    reading = reads({"bomb.pcap.gz": packed})
    assert reading.codes == ["expands-too-far"]
    assert reading.code == UNUSABLE


def test_a04_what_is_packed_twice_is_no_capture(reads):
    assert reads({"twice.pcap.gz": gzip.compress(gzip.compress(SMALL))}).code == UNUSABLE


def zipped(members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return out.getvalue()


def test_a04_an_archive_of_too_many_members(reads):
    reading = reads({"many.zip": zipped((f"{k}.pcap", b"") for k in range(2100))})
    assert reading.codes == ["too-many-members"]
    assert reading.code == UNUSABLE


def test_a04_an_archive_inside_of_an_archive_is_not_opened(reads):
    reading = reads({"outer.zip": zipped([("inner.zip", zipped([("case.pcap", SMALL)]))])})
    assert reading.events == {}
    assert reading.code == UNUSABLE


@pytest.mark.parametrize("name", ["../../escaped.pcap", "/escaped.pcap", "a/../../escaped.pcap"])
def test_a04_the_name_of_a_member_is_no_path(reads, tmp_path, name):
    reading = reads({"case.zip": zipped([(name, SMALL)])})
    assert reading.names("dns") == NAMES
    assert not list(tmp_path.parent.rglob("escaped*"))


def test_a04_a_link_in_an_archive_is_not_followed(reads):
    link = zipfile.ZipInfo("case.pcap")
    link.external_attr = 0o120777 << 16
    reading = reads({"case.zip": zipped([(link, "/etc/hostname")])})
    assert reading.events == {}
    assert reading.code == UNUSABLE


# A05 to A08: records, blocks and clocks


@pytest.mark.parametrize(
    ("bad", "lost"),
    [
        (record(b"x" * 60, caplen=0xFFFFFFFF), 76),
        (record(b"x" * 60, caplen=0x7FFFFFFF, wirelen=0x7FFFFFFF), 76),
        (record(b"x" * 60, caplen=262_145, wirelen=262_145), 76),
        (record(b"x" * 60, caplen=5000, wirelen=60), 76),
        (record(b"", caplen=0, wirelen=60), 0),
    ],
)
def test_a05_a_record_with_a_length_that_lies(reads, bad, lost):
    frames = [record(frame, START + k) for k, frame in enumerate(QUERIES)]
    reading = reads(pcap_header(snaplen=4096) + b"".join(frames[:3]) + bad + b"".join(frames[3:]))
    assert reading.names("dns") == NAMES
    assert reading.entry.bytes_skipped == lost
    assert reading.reasons.get(GAP, 0) == (lost > 0)
    assert reading.code == INCONCLUSIVE


BAD_BLOCKS = {
    **{f"length {n}": enhanced(b"x" * 60, length=n) for n in (0, 4, 8, 11, 13, 77, 0xFFFFFFF0, 0xFFFFFFFC)},
    "trailer": enhanced(b"x" * 60, trailer=99),
    "unknown": block(0x0BAD, b"x" * 40),
    "interface out of range": enhanced(b"x" * 60, number=7),
    "other byte order": section(">")
    + interface(">")
    + enhanced(b"x" * 60, order=">")
    + section()
    + interface(),
    "garbage": b"\xff" * 999,
    "zeros": b"\0" * 1000,
}


@pytest.mark.parametrize("bad", BAD_BLOCKS.values(), ids=BAD_BLOCKS)
def test_a06_blocks_that_lie(reads, bad):
    frames = [enhanced(frame, (START + k) * 10**6) for k, frame in enumerate(QUERIES)]
    begun = time.perf_counter()
    reading = reads(section() + interface() + b"".join(frames[:3]) + bad + b"".join(frames[3:]))
    assert time.perf_counter() - begun < 6
    assert reading.names("dns") == NAMES


def test_a06_no_interface_at_all(reads):
    reading = reads(section() + b"".join(map(enhanced, QUERIES)))
    assert reading.reasons == {"a packet of an interface that the file does not describe": 6}
    assert reading.code == INCONCLUSIVE


def test_a06_a_hundred_thousand_interfaces(reads):
    begun = time.perf_counter()
    reading = reads(section() + interface() * 100_000 + b"".join(map(enhanced, QUERIES)))
    assert time.perf_counter() - begun < 6
    assert reading.names("dns") == NAMES


@pytest.mark.parametrize("value", [255, 127, 0x80 | 63])
def test_a07_an_impossible_resolution_moves_nothing_out_of_the_window(reads, value):
    data = section() + interface(options=resolution(value)) + b"".join(map(enhanced, QUERIES))
    reading = reads(data, bad=("n1.example.org",))
    assert reading.names("dns") == NAMES
    assert {event["ts"] for event in reading.events["dns"]} == {None}
    assert "some packets carry no usable time" in reading.entry.notes
    assert reading.code == HIT


@pytest.mark.parametrize(
    "times", [[0] * 6, [2**32 - 1] * 6, [START, START - 99, START, 0, START, START + 10**9]]
)
def test_a07_times_that_jump(reads, times):
    reading = reads(pcap_header() + b"".join(map(record, QUERIES, times)), bad=("n3.example.org",))
    assert [
        event["ts"].value // 10**9 for event in sorted(reading.events["dns"], key=lambda e: e["ordinal"])
    ] == times
    assert reading.entry.complete
    assert reading.code == HIT


def test_a08_the_zone_of_this_machine_and_of_the_capture_change_nothing(reads, monkeypatch):
    zone = struct.pack("<HHI", 10, 4, 9 * 3600)
    data = section() + interface(options=zone) + b"".join(map(enhanced, QUERIES))
    seen = []
    try:
        for name in ("UTC", "Asia/Shanghai", "America/New_York", "Pacific/Kiritimati"):
            monkeypatch.setenv("TZ", name)
            time.tzset()
            seen.append(reads(data).events)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert seen == [seen[0]] * 4
    assert seen[0]["dns"][0]["ts"].value == START * 10**9


# A09: what is no capture


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", INCONCLUSIVE), (b"hello, this is a text\n" * 9, UNUSABLE), (b"\x89PNG\r\n\x1a\n" + b"\0" * 99, UNUSABLE),
        (SMALL[:10], INCONCLUSIVE), (b"\x0a\x0d\x0d\x0a", INCONCLUSIVE), (b"\xd4\xc3", UNUSABLE),
    ],
)  # fmt: skip
def test_a09_what_is_no_capture(reads, content, code):
    reading = reads(content)
    assert reading.events == {}
    assert reading.code == code


def test_a09_a_capture_of_no_packets_is_read(reads):
    reading = reads(SMALL[:24])
    assert (reading.entry.records, reading.entry.bytes_read) == (0, 24)


def test_a09_what_is_no_file(reads, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "empty").mkdir()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
        begun = time.perf_counter()
        for name in ("pipe", "socket", "empty", "nothing-there.pcap", "empty/*.pcap"):
            run = netaudit("scan", "--list", "domains:bad.txt", name, cwd=_listed(tmp_path))
            assert run.returncode == UNUSABLE, name
            assert "Traceback" not in run.stderr
            assert name.split("/")[0] in run.stderr
        assert time.perf_counter() - begun < 10


def _listed(folder):
    (folder / "bad.txt").write_text("bad.com\n", encoding="utf-8")
    return folder


def test_a09_one_bad_input_does_not_stop_the_others(reads, tmp_path):
    reading = reads({"text.pcap": b"nothing", "good.pcap": SMALL}, bad=("n1.example.org",))
    assert reading.names("dns") == NAMES
    assert reading.code in {HIT, UNUSABLE}
    assert len(reading.ledger.files) == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_a09_a_file_that_may_not_be_read(reads, tmp_path):
    (tmp_path / "case.pcap").write_bytes(SMALL)
    (tmp_path / "case.pcap").chmod(0)
    assert (
        netaudit("scan", "--list", "domains:bad.txt", "case.pcap", cwd=_listed(tmp_path)).returncode
        == UNUSABLE
    )


@pytest.mark.parametrize("change", ["deleted", "grown"])
@pytest.mark.parametrize("jobs", [1, 2])
def test_a09_a_file_that_changes_while_it_is_read(tmp_path, change, jobs, monkeypatch):
    from netaudit.config import Settings
    from netaudit.records.evidence import Ledger
    from netaudit.sources import GROWN, Options, read

    monkeypatch.setattr(blocks, "BLOCK_PACKETS", 2)
    path, ledger, rows = tmp_path / "case.pcap", Ledger(), 0
    path.write_bytes(noise(400))
    for batch in read([str(path)], Settings(), ledger, options=Options(jobs=jobs)):
        rows += batch.num_rows
        if not path.exists() or change == GROWN:
            continue
        if change == "deleted":
            path.unlink()
        else:
            with path.open("ab") as more:
                more.write(SMALL[24:])
            change = GROWN
    (entry,) = ledger.files
    assert entry.bytes_read + entry.bytes_skipped == entry.size
    assert rows == entry.records == 101  # look-ups, and one flow
    assert (GROWN in entry.notes) is (change == GROWN)


# A10 to A12: layers


@pytest.mark.parametrize("link", [147, 200, 65_535])
def test_a10_a_link_type_that_is_not_read(reads, link):
    reading = reads(pcap(*QUERIES, link=link))
    assert reading.reasons == {f"link type {link} is not supported": 6}
    assert reading.code == INCONCLUSIVE
    assert f"link type {link} is not supported" in reading.said


def damaged(at, value):
    frame = bytearray(QUERIES[0])
    frame[at : at + len(value)] = value
    return bytes(frame)


V6 = b"\2\0\0\0\0\x53\2\0\0\0\0\7\x86\xdd\x60\0\0\0"
ENDS6 = b"\x20\1\x0d\xb8" + b"\0" * 12 + b"\x20\1\x0d\xb8" + b"\0" * 11 + b"\1"


@pytest.mark.parametrize(
    "frame",
    [damaged(14, bytes([0x40 | ihl])) for ihl in range(5)]
    + [
        damaged(16, b"\0\x13"), damaged(16, b"\0\x14"), damaged(14, b"\x4f"), damaged(14, b"\x75"),
        V6 + struct.pack("!HBB", 512, 60, 64) + ENDS6 + b"\x3c\0\0\0\0\0\0\0" * 64,
        V6 + struct.pack("!HBB", 0, 0, 64) + ENDS6 + b"\x11\0\xc2\4\0\1\0\0" + b"\0" * 4,
        V6 + struct.pack("!HBB", 16, 60, 64) + ENDS6 + b"\x3c\xff" + b"\0" * 14,
        V6 + struct.pack("!HBB", 800, 44, 64) + ENDS6 + b"\x2c\0\0\0\0\0\0\1" * 100,
    ],
)  # fmt: skip
def test_a11_malformed_headers_are_counted(reads, frame):
    reading = reads(pcap(*QUERIES[:3], frame, *QUERIES[3:]))
    assert reading.names("dns") == NAMES
    assert sum(reading.reasons.values()) == 1
    assert reading.code == INCONCLUSIVE


@pytest.mark.parametrize("total", [0, 60_000])
def test_a11_a_total_length_of_none_or_too_much(reads, total):
    reading = reads(pcap(damaged(16, struct.pack("!H", total))))
    assert reading.names("dns") == {"n0.example.org"}


def test_a11_fragments_that_overlap_are_flagged(reads):
    query = struct.pack("!HHHH", 6000, 53, 8 + 34, 0) + dns_query("n0.example.org")
    frames = [ipv4(CLIENT, SERVER, 17, query[:24], 0x2000), ipv4(CLIENT, SERVER, 17, b"\xff" * 16, 0x2001),
              ipv4(CLIENT, SERVER, 17, query[24:], 3)]  # fmt: skip
    reading = reads(pcap(*frames))
    assert reading.names("dns") == {"n0.example.org"}
    assert any("overlap" in note for note in reading.entry.notes)


def test_a11_fragments_that_never_become_whole_are_bounded(reads):
    flood = [ipv4(CLIENT, SERVER, 17, b"x" * 64, 0x2000, ident) for ident in range(1 << 16)]
    begun = time.perf_counter()
    reading = reads(pcap(*flood))
    assert time.perf_counter() - begun < 20
    assert reading.reasons == {"an IP fragment without the rest of its datagram": 1 << 16}
    assert reading.code == INCONCLUSIVE


@pytest.mark.parametrize(
    "layer",
    [b"\x81\0\0\1", b"\x88\xa8\0\1"],
)
def test_a12_a_hundred_tags(reads, layer):
    frame = QUERIES[0]
    reading = reads(pcap(*QUERIES, frame[:12] + layer * 100 + frame[12:]))
    assert reading.reasons == {"a packet has too many layers inside each other": 1}
    assert reading.names("dns") == NAMES


@pytest.mark.parametrize("kind", ["ip", "gre", "vxlan"])
def test_a12_a_hundred_tunnels(reads, kind):
    inner = QUERIES[0]
    for _ in range(100):
        if kind == "ip":
            inner = ipv4("10.0.0.1", "10.0.0.2", 4, inner[14:])
        elif kind == "gre":
            inner = ipv4("10.0.0.1", "10.0.0.2", 47, b"\0\0\x08\0" + inner[14:])
        else:
            inner = udp(b"\x08\0\0\0\0\0\1\0" + inner, 9, 4789)
    reading = reads(pcap(*QUERIES, inner))
    assert reading.reasons == {"a packet has too many layers inside each other": 1}


# A13: TCP


def test_a13_a_flood_of_handshakes_is_bounded_and_counted(reads, monkeypatch):
    from netaudit.sources import flow_table

    monkeypatch.setattr(blocks, "BLOCK_PACKETS", 4096)
    monkeypatch.setattr(flow_table, "MAX_FLOWS", 4096)
    monkeypatch.setattr(flow_table, "CAPACITY", 8192)
    monkeypatch.setattr(flow_table, "SWEEP_EVERY", 1024)
    flood = [tcp(b"", 0, 2, 10_000 + k) for k in range(30_000)]
    reading = reads(pcap_header() + b"".join(record(frame) for frame in flood))
    assert len(reading.events["flow"]) == 30_000
    assert blocks.EVICTED in reading.entry.notes


def test_a13_sequence_numbers_that_wrap(reads):
    data = client_hello("n0.example.org", 500)
    first = 2**32 - 100
    parts = [tcp(data[k : k + 60], first + k & 0xFFFFFFFF) for k in range(0, len(data), 60)]
    assert reads(pcap(tcp(b"", first - 1, 2), *parts)).names("tls") == {"n0.example.org"}


def test_a13_a_retransmission_that_says_something_else(reads):
    data, forged = client_hello("n0.example.org", 500), client_hello("no.example.org", 500)
    frames = [
        tcp(b"", 0, 2),
        tcp(data[200:], 201),
        tcp(forged[200:], 201),
        tcp(data[:200], 1),
        tcp(forged, 1),
    ]
    reading = reads(pcap(*frames))
    assert reading.names("tls") == {"n0.example.org"}
    assert any("overlap" in note for note in reading.entry.notes)


def test_a13_segments_a_gigabyte_apart(reads):
    frames = [
        tcp(b"", 0, 2),
        *(tcp(b"x" * 100, 1 + (k << 28)) for k in range(1, 9)),
        tcp(client_hello("n0.example.org")),
    ]
    reading = reads(pcap(*frames))
    assert reading.names("tls") <= {"n0.example.org"}
    assert len(reading.events["flow"]) == 1


# A14, A15: hellos


def tls_record(handshake, size=1 << 14):
    pieces = [handshake[at : at + size] for at in range(0, len(handshake), size)]
    return b"".join(b"\x16\3\1" + vector(piece) for piece in pieces)


def test_a14_one_octet_a_segment(reads):
    data = client_hello("n0.example.org", 3000)
    frames = [record(tcp(b"", 0, 2))] + [record(tcp(data[k : k + 1], 1 + k)) for k in range(len(data))]
    begun = time.perf_counter()
    assert reads(pcap_header() + b"".join(frames)).names("tls") == {"n0.example.org"}
    assert time.perf_counter() - begun < 10


def test_a14_over_three_records_and_two_files(reads):
    data = tls_record(hello(b"n0.example.org"), 50)
    first, second = pcap(tcp(data[:70])), pcap_header() + record(tcp(data[70:], 71), START + 1)
    reading = reads({"m_00001_20260101.pcap": first, "m_00002_20260101.pcap": second})
    assert reading.names("tls") == {"n0.example.org"}
    assert reading.code == CLEAN


def test_a14_extensions_of_64_kb(reads):
    data = tls_record(hello(b"n0.example.org", extension(21, b"\0" * 50_000)))
    frames = [tcp(data[k : k + 1400], 1 + k) for k in range(0, len(data), 1400)]
    assert reads(pcap(*frames)).names("tls") == {"n0.example.org"}


SNI = {
    "many": (server_name(*(f"n{k}.example.org".encode() for k in range(300))), {"n0.example.org"}),
    "past its end": (struct.pack("!HHHBH", 0, 9, 7, 0, 5000) + b"name", set()),
    "empty": (server_name(b""), set()),
    "upper case": (server_name(b"N0.Example.ORG"), {"n0.example.org"}),
    "address": (server_name(b"192.0.2.1"), {"192.0.2.1"}),
}


@pytest.mark.parametrize(("sni", "names"), SNI.values(), ids=SNI)
def test_a14_server_names(reads, sni, names):
    reading = reads(pcap(tcp(tls_record(hello(extensions=sni)))))
    assert reading.names("tls") <= names or names <= reading.names("tls")
    assert len(reading.events.get("tls", [])) + sum(reading.reasons.values()) >= 1


@pytest.mark.parametrize(
    "name",
    [b"bad.com\0.example.org", b"a\x1b[31m.com", b"x" * 300, b"\xff\xfe.com", b"<b>.com", b"a b.com"],
)
def test_a14_names_that_are_none_never_pass_for_others(reads, name):
    reading = reads(pcap(tcp(tls_record(hello(name)))), bad=("bad.com",))
    assert "bad.com" not in reading.names()
    assert "\x1b" not in reading.said
    assert "\0" not in "".join(reading.names())


def test_a15_the_outer_name_of_an_encrypted_hello_is_not_the_destination(reads):
    ech = extension(0xFE0D, b"\0\0\1\0\1\x07" + vector(b"e" * 32) + vector(b"p" * 200))
    reading = reads(pcap(tcp(tls_record(hello(b"cloudflare-ech.com", ech)))))
    (event,) = reading.events["tls"]
    assert event["name_source"] == "ech_outer"
    assert [flow["name_source"] for flow in reading.events["flow"]] in (["ech_outer"], [None])


# A16: QUIC


@pytest.mark.parametrize(
    "version", [b"\0\0\0\1", b"\x6b\x33\x43\xcf", b"\xff\0\0\x1d", b"\x1a\x2a\x3a\x4a", b"\0\0\0\0"]
)
@pytest.mark.parametrize("connection", [b"\0", b"\x08abcdefgh", b"\x14" + b"c" * 20, b"\xff" + b"c" * 20])
def test_a16_initials_that_no_key_opens(reads, version, connection):
    data = b"\xc3" + version + connection + b"\0\0\x44\xd0" + b"\x5a" * 1200
    reading = reads(pcap(*(udp(data, 6000 + k, 443) for k in range(50))))
    assert all(event["name"] is None for event in reading.events.get("quic", []))
    assert len(reading.events["flow"]) == 50


def test_a16_many_initials_are_bounded(reads):
    flood = [
        udp(b"\xc3\0\0\0\1\x08" + k.to_bytes(8, "big") + b"\0\0\x44\xd0" + b"\x5a" * 1200, 1024 + k, 443)
        for k in range(3000)
    ]
    begun = time.perf_counter()
    reads(pcap(*flood))
    assert time.perf_counter() - begun < 30


# A18, A19: another reader, and size


def test_a18_scapy_reads_the_same_names(reads, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from scapy.all import DNSQR, IP, rdpcap

    frames = [
        *QUERIES,
        udp(dns_response("n0.example.org", [(1, b"\1\2\3\4")], 0), 53, 5000, SERVER, CLIENT),
    ]
    reading = reads(pcap(*frames))
    theirs = {
        (int(p.time), p[IP].src, p[IP].dst, q.qname.decode().rstrip("."))
        for p in rdpcap(str(tmp_path / "case.pcap"))
        for q in [p[DNSQR]]
        if p[IP].dst == SERVER
    }
    ours = {
        (
            e["ts"].value // 10**9,
            ".".join(map(str, e["client_ip"][-4:])),
            ".".join(map(str, e["server_ip"][-4:])),
            e["name"],
        )
        for e in reading.events["dns"]
    }
    assert ours == theirs


@pytest.mark.slow
def test_a19_memory_does_not_grow_with_the_file(tmp_path):
    from netaudit.config import Settings
    from netaudit.records.evidence import Ledger
    from netaudit.sources import Options, read

    peaks, path = [], tmp_path / "big.pcap"
    once = noise(4000)
    for size in (20 << 20, 100 << 20):
        with path.open("wb") as out:
            out.write(once[:24])
            for _ in range(size // len(once)):
                out.write(once[24:])
        tracemalloc.start()
        ledger = Ledger()
        for _ in read([str(path)], Settings(), ledger, options=Options(jobs=1)):
            pass
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert ledger.complete
    assert peaks[1] < 1.1 * peaks[0] + (1 << 20)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 1_500_000
