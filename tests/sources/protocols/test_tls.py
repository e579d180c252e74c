"""ClientHellos over TLS and DTLS to events."""

import base64
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from blocks import block, message
from hellos import alpn, dtls, extension, hello, numbers, server_name, vector
from hypothesis import given, settings
from hypothesis import strategies as st

from netaudit.intake.opening import Identity
from netaudit.intake.tally import Tally
from netaudit.kernels.packet import TCP, Kind
from netaudit.records.schemas import conform
from netaudit.sources import encrypted_dns
from netaudit.sources.dtls_fragments import MAX_WAITING
from netaudit.sources.ja4 import ja4
from netaudit.sources.protocols.tls import PROTOCOL

CONFIG_LIST = base64.b64decode(
    "AEX+DQBB8gAgACDCIaU3P6vz668J2oRRZtptSEwH+1IX8/3TOArEx0tRLAAEAAEAAQASY2xvdWRmbGFyZS1lY2guY29tAAA="
)


@pytest.fixture
def tally():
    return Tally(Identity(Path("x"), "x", "0" * 64, 0))


def over_tcp(data, **fields):
    return message(Kind.TLS, data, protocol=TCP, **{"dport": 443, **fields})


def over_udp(data, **fields):
    return message(Kind.DTLS, data, **{"dport": 443, **fields})


def events(tally, *blocks):
    reader = PROTOCOL.open(tally)
    given = [e for messages in blocks for e in reader.read(messages)]
    rows = []
    for found in (*given, *reader.close()):
        batch = conform(found.kind, found.columns, len(found.columns["ordinal"]))
        batch.validate(full=True)
        assert len(found.flow) == batch.num_rows
        rows += batch.to_pylist()
    return rows


def names(tally, *given):
    return [row["name"] for row in events(tally, block(*given))]


def test_an_event(tally):
    more = alpn(b"h2", b"\x0a\x0a", b"http/1.1") + extension(43, vector(numbers(0x7A7A, 0x0304), 1))
    (row,) = events(tally, block(over_tcp(hello(b"WWW.Example.ORG", more), flow=3)))
    assert row["name"] == "www.example.org"
    assert row["name_source"] == "sni"
    assert row["alpn"] == ["h2", "http/1.1"]
    assert row["version"] == "1.3"
    assert row["transport"] == "tcp"
    assert row["transport_detail"] is None
    assert row["ja4"].startswith("t13d0203h2_62ed6f6ca7ad_")


@pytest.mark.parametrize(("last", "expected"), [(0x0015, "e5627efa2ab1"), (0xFE0D, "02713d6af862")])
def test_the_published_fingerprint(tally, last, expected):
    # Chrome's, as FoxIO's technical details of JA4 have it, and as nDPI prints that of a later one
    ciphers = [
        "1301",
        "1302",
        "1303",
        "c02b",
        "c02f",
        "c02c",
        "c030",
        "cca9",
        "cca8",
        "c013",
        "c014",
        "009c",
        "009d",
        "002f",
        "0035",
    ]
    signatures = vector(numbers(0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601))
    others = [0x001B, 0x0033, 0x4469, 0x0017, 0x002D, 0x0005, 0x0023, 0x0012, 0xFF01, 0x000B, 0x000A, last]
    parts = [
        extension(0x3A3A),
        *(extension(type_) for type_ in others),
        alpn(b"h2"),
        extension(13, signatures),
    ]
    parts += [
        server_name(b"a.example"),
        extension(43, vector(numbers(0x4A4A, 0x0304), 1)),
        extension(0x5A5A),
    ]
    data = hello(extensions=b"".join(parts), ciphers=[0xBABA, *(int(c, 16) for c in ciphers)])
    (row,) = events(tally, block(over_tcp(data)))
    assert row["ja4"] == "t13d1516h2_8daaf6152771_" + expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (b"192.168.115.75", "192.168.115.75"),
        (b"2001:DB8::1", "2001:db8::1"),
        (b"a.example.", "a.example"),
        ("bücher.example".encode(), "xn--bcher-kva.example"),
        (b"_x.under_score.example", "_x.under_score.example"),
    ],
)
def test_odd_names_that_are_names(tally, name, expected):
    assert names(tally, over_tcp(hello(name))) == [expected]


@pytest.mark.parametrize(
    "name", [b"", b"a\0.example", b"\xff\xfe.example", b"a" * 64 + b".b", b"a." * 200 + b"b", b"a..b"]
)
def test_odd_names_that_are_none(tally, name):
    assert names(tally, over_tcp(hello(name))) == [None]
    assert [reason.startswith("the server name is not extractable") for reason in tally._skipped] == [True]


def test_several_names(tally):
    two = server_name(b"a.example", b"b.example") + server_name(b"c.example")
    given = [
        over_tcp(hello(b"first.example")),
        over_tcp(hello(extensions=two)),
        over_tcp(hello(b"last.example")),
    ]
    rows = events(tally, block(*given))
    assert [(row["ordinal"], row["name"]) for row in rows] == [
        (1, "first.example"), (2, "a.example"), (2, "b.example"), (2, "c.example"), (3, "last.example"),
    ]  # fmt: skip
    assert any("several server names" in note for note in tally.notes)


def test_names_on_the_outside(tally):
    ech, esni = extension(0xFE0D, b"\0" + b"e" * 200), extension(0xFFCE, b"e" * 200)
    rows = events(
        tally,
        block(
            over_tcp(hello(b"cloudflare-ech.com", ech)),
            over_tcp(hello(b"cloudflare-ech.com")),
            over_tcp(hello(b"www.example.org", ech)),  # may be grease
            over_tcp(hello(None, esni)),
            over_tcp(hello(None)),
        ),
    )
    assert [(row["name"], row["name_source"]) for row in rows] == [
        ("cloudflare-ech.com", "ech_outer"),
        ("cloudflare-ech.com", "sni"),
        ("www.example.org", "sni"),
        (None, "ech_outer"),
        (None, None),
    ]


def test_cut_hellos(tally):
    data = hello(b"a.example", extension(16, b"x" * 30))
    assert names(tally, over_tcp(data[:-10]), over_tcp(data[:50]), over_tcp(b"\2" + data[1:])) == [
        "a.example"
    ]
    assert sorted(tally._skipped) == [
        "a TLS hello is cut before its server name",
        "a TLS hello is malformed",
    ]
    assert any("not whole" in note for note in tally.notes)


def test_encrypted_dns(tally):
    rows = events(
        tally,
        block(
            over_tcp(hello(b"resolver.example"), dport=853),
            over_tcp(hello(b"resolver.example", alpn(b"dot"))),
            over_tcp(hello(b"dns.google")),
            over_tcp(hello(b"me.dns.nextdns.io")),
            over_tcp(hello(b"www.google.com", alpn(b"h2"))),
            over_udp(dtls(hello(None, cookie=b""))[0], dport=853),
        ),
    )
    rows.sort(key=lambda row: row["ordinal"])
    assert [row["transport_detail"] for row in rows] == ["dot", "dot", "doh", "doh", None, "dot"]


def test_resolvers_are_in_normal_form():
    assert all(name == name.lower().strip(".") for name in encrypted_dns.RESOLVERS)
    assert encrypted_dns.is_resolver("doh.pub")
    assert not encrypted_dns.is_resolver("www.doh.example")


def test_a_hello_of_dtls(tally):
    data = hello(b"a.example", version=0xFEFD, cookie=b"c" * 20)
    (row,) = events(tally, block(over_udp(dtls(data)[0])))
    assert (row["name"], row["version"], row["transport"]) == ("a.example", "dtls1.2", "udp")
    assert row["ja4"].startswith("dd2d02")


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 1, 2, 2, 0)])
@pytest.mark.parametrize("split", [False, True])
def test_parts_of_a_hello_of_dtls(tally, order, split):
    parts = dtls(hello(b"a.example", version=0xFEFD, cookie=b""), sequence=1, pieces=3)
    other = dtls(hello(b"b.example", version=0xFEFD, cookie=b""), sequence=0, pieces=3)
    given = [over_udp(data, ordinal=n) for n, data in enumerate([parts[i] for i in order] + other[:1], 1)]
    given += [over_udp(data, ordinal=9) for data in other[1:]]
    blocks = [block(one) for one in given] if split else [block(*given)]
    rows = events(tally, *blocks)
    assert [(row["ordinal"], row["name"]) for row in rows] == [
        (1, "a.example"),
        (len(order) + 1, "b.example"),
    ]


def test_parts_in_one_datagram_and_parts_that_never_come(tally):
    data = hello(b"a.example", extension(16, b"x" * 290), version=0xFEFD, cookie=b"")
    whole = dtls(data, pieces=3, records=False)[0]
    first = dtls(data, pieces=2)[0]
    rows = events(tally, block(over_udp(whole), over_udp(first, sport=1)))
    assert [(row["name"], bool(row["ja4"])) for row in rows] == [("a.example", True), ("a.example", False)]


def test_hellos_that_wait_are_bounded(tally):
    first = dtls(hello(cookie=b""), pieces=2)[0]
    given = [over_udp(first, sport=port) for port in range(1, MAX_WAITING + 11)]
    rows = events(tally, block(*given))
    assert len(rows) <= MAX_WAITING
    assert sum(count for reason, (count, _, _) in tally._skipped.items() if "too many wait" in reason) == 10


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 200), st.integers(0, 199), st.integers(0, 255), st.booleans())
def test_no_damage_raises(cut, flip, value, datagram):
    tally = Tally(Identity(Path("x"), "x", "0" * 64, 0))
    whole = hello(more=alpn(b"h2") + server_name(b"b.example", b""), cookie=b"" if datagram else None)
    data = bytearray((dtls(whole, pieces=2, records=False)[0] if datagram else whole)[:cut])
    data[flip % len(data)] = value
    events(tally, block((over_udp if datagram else over_tcp)(bytes(data))))


def test_a_key_with_nothing_in_it():
    assert ja4(b"t\x00\x00\0\0\x0000" + b"\x0a\x0a" * 2) == "t00i000000_000000000000_000000000000"


def test_marks_of_flows():
    found = encrypted_dns.marks(
        pa.array(["dns.google", None, None, "a.example"]),
        np.array([443, 853, 853, 443]),
        np.array([False, False, True, True]),
    )
    assert found.to_pylist() == ["doh", "dot", "doq", None]
