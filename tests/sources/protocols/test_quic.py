"""Initials of QUIC to events."""

from operator import itemgetter
from pathlib import Path

import numpy as np
import pytest
from blocks import block, message
from hellos import SALTS, alpn, chlo, crypto, extension, hello, initial, varint
from hypothesis import given, settings
from hypothesis import strategies as st

from netaudit.intake.opening import Identity
from netaudit.intake.tally import Tally
from netaudit.kernels.packet import Kind
from netaudit.records.schemas import conform
from netaudit.sources import quic_connections
from netaudit.sources.protocols.quic import PROTOCOL
from netaudit.sources.quic_keys import ClientKeys, spelled, suites

HELLO = hello(b"a.example", alpn(b"h3"))
LONG = hello(b"long.example", extension(51, b"k" * 1300) + alpn(b"h3"))
FIRST, SECOND = b"first-id", b"secondid"
SERVER = {"src": "192.0.2.53", "dst": "10.0.0.7", "sport": 443, "dport": 5000}


def new_tally():
    return Tally(Identity(Path("x"), "x", "0" * 64, 0))


@pytest.fixture
def tally():
    return new_tally()


def datagram(data, **fields):
    return message(Kind.QUIC, data, **{"dport": 443, **fields})


def events(tally, *blocks):
    reader = PROTOCOL.open(tally)
    given = [e for messages in blocks for e in reader.read(messages)]
    rows = []
    for found in (*given, *reader.close()):
        batch = conform(found.kind, found.columns, len(found.columns["ordinal"]))
        batch.validate(full=True)
        assert found.kind == "quic"
        assert len(found.flow) == batch.num_rows
        rows += batch.to_pylist()
    return rows


def names(tally, *given):
    """Names, which must be the same whether all datagrams are in one block or each in its own."""
    numbered = [{"ordinal": n, "ts": n * 10**9, **one} for n, one in enumerate(given, 1)]
    found = events(tally, block(*numbered))
    again = events(new_tally(), *[block(one) for one in numbered])
    assert sorted(found, key=itemgetter("ordinal")) == sorted(again, key=itemgetter("ordinal"))
    return [row["name"] for row in found]


def reasons(tally):
    return {reason: count for reason, (count, _, _) in tally._skipped.items()}


def test_keys_of_the_rfc():
    # RFC 9001 appendix A.1, RFC 9369 appendix A.1
    dcid = bytes.fromhex("8394c8f03e515708")
    first, second = ClientKeys(suites(1)[0], dcid), ClientKeys(suites(0x6B3343CF)[0], dcid)
    assert first._key.hex() == "1f369613dd76d5467730efcbe3b1a22d"
    assert first._iv == 0xFA044B2F42A3FD3B46FB255C
    assert second._key.hex() == "8b1a0bc121284290a29e0971b5cd045d"
    assert second._iv == 0x91F73E2351D8FA91660E909F


@pytest.mark.parametrize("version", sorted(SALTS.keys() - {0x51303530}))
def test_all_versions(tally, version):
    (row,) = events(tally, block(datagram(initial(crypto(0, HELLO), version=version), flow=7)))
    assert (row["name"], row["name_source"], row["alpn"]) == ("a.example", "sni", ["h3"])
    assert row["version"] == spelled(version)
    assert row["transport"] == "udp"
    assert row["ja4"].startswith("q12d0202h3_")
    assert not tally._skipped


@pytest.mark.parametrize(
    ("version", "word"),
    [(1, "1"), (0x6B3343CF, "2"), (0x709A50C4, "2-draft"), (0xFF000022, "draft-34"), (0xFACEB00E, "mvfst"),
     (0x51303433, "Q043"), (0x54303531, "T051"), (0x1A2A3A4A, "reserved")],
)  # fmt: skip
def test_words_for_versions(version, word):
    assert spelled(version) == word


def test_hello_over_several_packets(tally):
    parts = [
        crypto(900, LONG[900:]),
        b"\0\0\1" + crypto(400, LONG[400:950]) + b"\1" + crypto(0, LONG[:400]),
    ]
    given = [datagram(initial(part, FIRST, number=n, width=1)) for n, part in enumerate(parts)]
    assert names(tally, *given) == ["long.example"]
    assert names(tally, *given[::-1], *given) == ["long.example"]
    (row,) = events(tally, block(*given))
    assert row["ordinal"] == 1


def test_coalesced_packets(tally):
    one, other = (initial(crypto(at, LONG[at : at + 700]), FIRST, size=0) for at in (0, 700))
    early = b"\xd0" + one[1:15] + varint(30) + b"e" * 30
    assert names(tally, datagram(early + one + other)) == ["long.example"]


@pytest.mark.parametrize("dcid", [b"", b"d" * 20])
@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_connection_ids_and_numbers(tally, dcid, width):
    assert names(tally, datagram(initial(crypto(0, HELLO), dcid, width=width, token=b"t" * 80))) == [
        "a.example"
    ]


def test_numbers_go_on_where_they_are_cut_to_one_octet(tally):
    near = initial(crypto(0, LONG[:700]), FIRST, number=254, width=4)
    after = initial(crypto(700, LONG[700:]), FIRST, number=257, width=1)
    assert names(tally, datagram(near), datagram(after)) == ["long.example"]


def test_a_client_that_takes_the_servers_id_keeps_its_keys(tally):
    first = initial(crypto(0, LONG[:700]), FIRST)
    after = initial(crypto(700, LONG[700:]), SECOND, number=1, keys_of=FIRST)
    assert names(tally, datagram(first), datagram(after)) == ["long.example"]


def test_a_retry_makes_new_keys(tally):
    first = initial(crypto(0, LONG[:700]), FIRST)
    again = [
        initial(crypto(at, LONG[at : at + 900]), SECOND, number=n, token=b"t" * 20)
        for n, at in ((1, 0), (2, 900))
    ]
    assert names(tally, *map(datagram, [first, *again])) == ["long.example"]
    assert not tally._skipped


def test_a_servers_packets_are_left_out(tally):
    answer = datagram(
        initial(crypto(0, b"\2" + HELLO[1:]), b"", scid=SECOND, keys_of=b"other"), back=1, **SERVER
    )
    assert names(tally, datagram(initial(crypto(0, HELLO), FIRST)), answer) == ["a.example"]
    for back in (0, 1):
        given = answer | {"back": back}, datagram(initial(crypto(0, HELLO), FIRST), back=1 - back)
        assert names(tally, *given) == ["a.example"]
    assert not tally._skipped


def test_packets_that_no_key_opens(tally):
    good = initial(crypto(0, HELLO), FIRST)
    assert names(tally, datagram(good[:-1] + bytes([good[-1] ^ 1]))) == []
    assert reasons(tally) == {"QUIC, name unknown: no key opens its packets": 1}
    assert names(new_tally(), datagram(good[:-1] + b"\0"), datagram(good)) == ["a.example"]


def test_streams_that_are_not_whole(tally):
    named = crypto(0, LONG[:200])
    far = crypto(1 << 32, HELLO)
    assert names(tally, datagram(initial(named)), datagram(initial(far), sport=1)) == ["long.example"]
    assert reasons(tally) == {"QUIC, name unknown: its hello is not whole": 1}


def test_packets_that_the_capture_cuts(tally):
    data = initial(crypto(0, HELLO), FIRST)
    assert names(tally, datagram(data[:400], cut=1), datagram(data[:400], sport=1)) == ["a.example"]
    assert reasons(tally) == {"QUIC, name unknown: no key opens its packets": 1}


def test_each_pair_of_ends_for_itself(tally):
    one, other = initial(crypto(0, HELLO), FIRST), initial(crypto(0, LONG), FIRST, size=1400)
    given = [datagram(one), datagram(one, sport=1), datagram(other, src="10.0.0.8"), datagram(one)]
    assert names(tally, *given) == ["a.example", "a.example", "long.example"]


def test_what_is_remembered_is_bounded(tally, monkeypatch):
    monkeypatch.setattr(quic_connections, "MAX_FLOWS", 3)
    start, rest = initial(crypto(0, LONG[:60]), FIRST), initial(crypto(60, LONG[60:]), FIRST, size=1400)
    given = [datagram(start, sport=port) for port in range(1, 6)] + [datagram(rest, sport=5)]
    assert names(tally, *given) == ["long.example"]
    assert reasons(tally) == {"QUIC, name unknown: its hello is not whole": 4}


def test_hellos_of_googles_quic(tally):
    plain = b"\x09" + b"12345678" + b"Q039" + b"\1" + b"h" * 12 + b"\xa0\1\4\0" + chlo(b"b.example")
    later = b"\xc3Q046\x50" + b"12345678" + b"\0\0\0\1" + b"h" * 12 + b"\xa0\1\4\0" + chlo(b"c.example")
    last = initial(b"\x08" + crypto(0, chlo(b"d.example"))[1:], version=0x51303530)
    given = [
        datagram(data, sport=port)
        for port, data in enumerate((plain, later, last, plain.replace(b"SNI", b"SNX")), 1)
    ]
    rows = events(tally, block(*given, given[0]))
    found = sorted(
        (row["ordinal"], row["name"], row["name_source"], row["version"]) for row in rows if row["name"]
    )
    assert found == [
        (1, "b.example", "sni", "Q039"),
        (2, "c.example", "sni", "Q046"),
        (3, "d.example", "sni", "Q050"),
    ]
    assert [row["ordinal"] for row in rows if not row["name"]] == [4]


def test_dns_over_quic(tally):
    doq = initial(crypto(0, hello(None, alpn(b"doq"))))
    rows = events(tally, block(datagram(doq), datagram(initial(crypto(0, HELLO)), dport=853)))
    assert [(row["name"], row["transport_detail"]) for row in rows] == [(None, "doq"), ("a.example", "doq")]


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 1250), st.integers(0, 1249), st.integers(0, 255), st.integers(0, 1))
def test_no_damage_raises_or_makes_a_name(cut, flip, value, is_cut):
    data = bytearray(initial(crypto(0, HELLO), FIRST)[:cut])
    data[flip % len(data)] = value
    rows = events(new_tally(), block(datagram(bytes(data), cut=is_cut)))
    assert {row["name"] for row in rows} <= {"a.example", None} or is_cut


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 300), st.integers(1, 80)), max_size=12), st.binary(max_size=30))
def test_frames_of_any_order_give_the_hello_or_nothing(pieces, rest):
    contents = b"".join(crypto(at, HELLO[at : at + size]) for at, size in pieces) + rest
    rows = events(new_tally(), block(datagram(initial(contents, FIRST))))
    assert np.all([row["name"] in {"a.example", None} for row in rows])
