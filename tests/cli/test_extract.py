"""``netaudit extract``: just the packets that are evidence."""

import gzip
import hashlib
import json
import shutil
import struct
import subprocess

import pytest
from command import netaudit
from frames import START, client_hello, dns_query, ipv4, pcap, tcp, udp

REQUEST = b"GET / HTTP/1.1\r\nHost: shop.example.net\r\n"
COOKIE = b"Cookie: SECRET\r\n\r\n"
HELLO = client_hello("www.example.com")


@pytest.fixture
def capture(tmp_path):
    path = tmp_path / "mirror.pcap"
    path.write_bytes(
        pcap(
            udp(dns_query("www.example.org")),
            udp(dns_query("notexample.org"), src="10.0.0.8", sport=5002),
            tcp(HELLO + b"SECRET", sport=5001),
            tcp(REQUEST + COOKIE, sport=5003, dport=80),
        )
    )
    return path


def packets(data):
    """Comment of the section, and of each packet: time, wire length, octets, comment."""
    found, at, section = [], 0, ""
    while at < len(data):
        kind, size = struct.unpack_from("<II", data, at)
        body = data[at + 8 : at + size - 4]
        if kind == 0x0A0D0D0A:
            section = options(body[16:])[1]
        elif kind == 6:
            _, high, low, captured, wire = struct.unpack_from("<IIIII", body)
            rest = body[20 + captured + -captured % 4 :]
            found.append((high << 32 | low, wire, body[20 : 20 + captured], options(rest)[1]))
        at += size
    return section, found


def options(body):
    found, at = {}, 0
    while at < len(body):
        code, size = struct.unpack_from("<HH", body, at)
        if code == 0:
            break
        found[code] = body[at + 4 : at + 4 + size].decode()
        at += 4 + size + -size % 4
    return found


def extracted(tmp_path, source, *options_):
    run = netaudit("extract", source, "-o", "evidence.pcapng", *options_, cwd=tmp_path)
    assert run.returncode in {0, 3}, run.stderr  # 3: something in the capture could not be read
    return packets((tmp_path / "evidence.pcapng").read_bytes())


def test_a_packet_names_its_original(capture, tmp_path):
    section, [(ts, wire, data, comment)] = extracted(tmp_path, "mirror.pcap", "--where", "name=example.org")
    frame = udp(dns_query("www.example.org"))
    digest = hashlib.sha256(capture.read_bytes()).hexdigest()
    assert (ts, wire, data) == (START * 10**9, len(frame), frame)
    assert comment == f"sha256={digest} packet=1"
    assert "where name=example.org" in section


def test_content_is_left_away(tmp_path, capture):
    _, [(_, wire, hello, _), (_, _, request, _)] = extracted(
        tmp_path, "mirror.pcap", "--where", "kind=tls", "--where", "kind=http"
    )
    assert hello == tcp(HELLO + b"SECRET", sport=5001)[:-6]
    assert wire == len(hello) + 6
    assert request.endswith(REQUEST)
    _, whole = extracted(tmp_path, "mirror.pcap", "--where", "kind=tls", "--with-payload")
    assert whole[0][2] == tcp(HELLO + b"SECRET", sport=5001)


def test_flows_are_headers_alone(tmp_path, capture):
    conditions = ("--where", "kind=flow", "--where", "name=shop.example.net")
    _, [(_, _, data, _)] = extracted(tmp_path, "mirror.pcap", *conditions)
    assert len(data) == 14 + 20 + 20


@pytest.mark.parametrize(
    ("conditions", "numbers"),
    [
        (["client=10.0.0.8"], {2}),
        (["client=10.0.0.0/24", "kind=dns"], {1, 2}),
        (["ordinal=3", "ordinal=4"], {3, 4}),
        (["server=192.0.2.53", "after=2023-11-14T22:13:22Z"], {3, 4}),
        (["before=2023-11-14T22:13:21Z", "kind=dns"], {1}),
        (["name=EXAMPLE.org.", "client=10.0.0.0/8"], {1}),
    ],
)
def test_conditions(tmp_path, capture, conditions, numbers):
    options_ = [part for condition in conditions for part in ("--where", condition)]
    _, found = extracted(tmp_path, "mirror.pcap", *options_)
    assert {int(comment.rpartition("=")[2]) for *_, comment in found} == numbers


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 1, 0), (0, 0, 1, 2)])
def test_all_segments_of_a_hello(tmp_path, order):
    hello = client_hello("long.example.com", padding=2500)
    pieces = [hello[:1000], hello[1000:2000], hello[2000:] + b"SECRET"]
    segments = [tcp(piece, seq=0xFFFFFF00 + 1000 * k & 0xFFFFFFFF) for k, piece in enumerate(pieces)]
    other = tcp(b"\x17\x03\x03\0\x06SECRET", seq=0xFFFFFF00 + len(hello) + 6 & 0xFFFFFFFF)
    frames = [tcp(flags=2, seq=0xFFFFFEFF), *(segments[k] for k in order), other]
    (tmp_path / "m.pcap").write_bytes(pcap(*frames))
    _, found = extracted(tmp_path, "m.pcap", "--where", "kind=tls")
    assert {comment.rpartition("=")[2] for *_, comment in found} == {str(2 + k) for k in range(len(order))}
    payload = {int(c.rpartition("=")[2]): data[54:] for _, _, data, c in found}
    assert b"".join(payload[2 + order.index(k)] for k in range(3)) == hello
    if order[0] == 0:
        events = netaudit("events", "evidence.pcapng", "--kind", "tls", "--format", "jsonl", cwd=tmp_path)
        assert [json.loads(line)["name"] for line in events.stdout.splitlines()] == ["long.example.com"]


def test_all_fragments_of_a_datagram(tmp_path):
    query = dns_query("fragmented.example.org")
    datagram = struct.pack("!HHHH", 5000, 53, 8 + len(query), 0) + query
    first, second = datagram[:24], datagram[24:]
    ends = ("10.0.0.7", "192.0.2.53", 17)
    (tmp_path / "m.pcap").write_bytes(
        pcap(
            ipv4(*ends, first, flags=0x2000, ident=9),
            ipv4(*ends, b"x" * 8, flags=0x2000, ident=8),
            ipv4(*ends, second, flags=3, ident=9),
        )
    )
    _, found = extracted(tmp_path, "m.pcap", "--where", "kind=dns")
    assert [data[34:] for _, _, data, _ in found] == [first, second]


def test_the_same_octets_again(tmp_path, capture):
    extracted(tmp_path, "mirror.pcap", "--where", "kind=dns")
    first = (tmp_path / "evidence.pcapng").read_bytes()
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy/mirror.pcap.gz").write_bytes(gzip.compress(capture.read_bytes()))
    extracted(tmp_path, "mirror.pcap", "--where", "kind=dns")
    assert (tmp_path / "evidence.pcapng").read_bytes() == first
    _, packed = extracted(tmp_path, "copy/mirror.pcap.gz", "--where", "kind=dns")
    assert [p[:3] for p in packed] == [p[:3] for p in packets(first)[1]]


def test_from_evidence_again(tmp_path, capture):
    extracted(tmp_path, "mirror.pcap", "--where", "kind=dns", "--where", "kind=tls")
    first = packets((tmp_path / "evidence.pcapng").read_bytes())[1]
    run = netaudit(
        "extract",
        "evidence.pcapng",
        "-o",
        "again.pcapng",
        "--where",
        "kind=dns",
        "--where",
        "kind=tls",
        cwd=tmp_path,
    )
    assert run.returncode == 0
    assert [p[:3] for p in packets((tmp_path / "again.pcapng").read_bytes())[1]] == [p[:3] for p in first]


def test_wireshark_reads_it(tmp_path, capture):
    if not shutil.which("tshark"):
        pytest.skip("no tshark")
    extracted(tmp_path, "mirror.pcap", "--where", "kind=tls", "--where", "kind=dns")
    fields = ["frame.time_epoch", "frame.len", "frame.comment", "tls.handshake.extensions_server_name"]
    command = [
        "tshark",
        "-r",
        tmp_path / "evidence.pcapng",
        "-T",
        "fields",
        *(p for f in fields for p in ("-e", f)),
    ]
    rows = subprocess.run(command, capture_output=True, check=True, text=True).stdout.splitlines()
    digest = hashlib.sha256(capture.read_bytes()).hexdigest()
    time, size, comment, name = rows[2].split("\t")
    assert float(time) == START + 2
    assert int(size) == len(tcp(HELLO)) + 6
    assert (comment, name) == (f"sha256={digest} packet=3", "www.example.com")


@pytest.mark.parametrize(
    ("source", "conditions", "code"),
    [
        ("mirror.pcap", [], "where-missing"),
        ("mirror.pcap", ["name=nowhere.example"], "nothing-to-extract"),
        ("mirror.pcap", ["colour=red"], "where-unknown"),
        ("mirror.pcap", ["client=here"], "where-value"),
        ("mirror.pcap", ["kind=pigeon"], "where-value"),
        ("mirror.pcap", ["ordinal=0"], "where-value"),
        ("mirror.pcap", ["after=2023-11-14T22:13:22"], "time-without-zone"),
        ("mirror.pcap", ["finding=F-1"], "finding-without-case"),
        ("dns.log", ["kind=dns"], "nothing-to-extract"),
        ("missing.pcap", ["kind=dns"], "cannot-read"),
        ("-", ["kind=dns"], "needs-file"),
    ],
)
def test_what_cannot_be_extracted(tmp_path, capture, source, conditions, code):
    (tmp_path / "netaudit.toml").write_text("")
    (tmp_path / "dns.log").write_text(
        "2026-11-03T14:05:09+08:00 host dnsmasq[1]: query[A] example.org from 10.0.0.7\n"
    )
    options_ = [part for condition in conditions for part in ("--where", condition)]
    run = netaudit("extract", source, "-o", "evidence.pcapng", *options_, cwd=tmp_path)
    assert (run.returncode, f"[{code}]" in run.stderr) == (2, True), run.stderr
    assert not list(tmp_path.glob("evidence*"))


def made_case(tmp_path, capture):
    (tmp_path / "netaudit.toml").write_text('[unit]\nname = "U"\ncode = "U"\ntimezone = "Asia/Shanghai"\n')
    (tmp_path / "bad.txt").write_text("www.example.com\nwww.example.org\n")
    assert netaudit("case", "new", "c", cwd=tmp_path).returncode == 0
    run = netaudit("scan", capture, "--list", "domains:bad.txt", "--case", "c", cwd=tmp_path)
    assert run.returncode == 1, run.stderr
    shown = netaudit("case", "show", "c", "--format", "json", cwd=tmp_path)
    return json.loads(shown.stdout)


def test_the_evidence_of_a_case(tmp_path, capture):
    case = made_case(tmp_path, capture)
    expected = {e["ordinal"] for f in case["findings"] for e in f["evidence"]}
    _, found = extracted(tmp_path, "c")
    assert {int(comment.rpartition("=")[2]) for *_, comment in found} == expected
    one = next(f for f in case["findings"] if f["evidence"])
    _, found = extracted(tmp_path, "c", "--where", f"finding={one['id']}", "--by", "Li")
    assert {int(c.rpartition("=")[2]) for *_, c in found} == {e["ordinal"] for e in one["evidence"]}
    assert netaudit("verify", "c", cwd=tmp_path).returncode == 0
    run = netaudit("extract", "c", "-o", "x.pcapng", "--where", "finding=F-0", cwd=tmp_path)
    assert (run.returncode, "[no-finding]" in run.stderr) == (2, True)


def test_evidence_that_was_changed_is_not_extracted(tmp_path, capture):
    made_case(tmp_path, capture)
    capture.write_bytes(capture.read_bytes() + b"\0")
    run = netaudit("extract", "c", "-o", "x.pcapng", cwd=tmp_path)
    assert run.returncode == 2
    assert "an evidence file was changed" in run.stderr
