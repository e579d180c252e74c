"""ClientHellos: spans, versions, and the keys of fingerprints."""

import numpy as np
import pytest
from hellos import alpn, dtls, extension, hello, numbers, server_name, vector
from hypothesis import given, settings
from hypothesis import strategies as st

from netaudit.kernels import tls
from netaudit.kernels.octets import octets_of
from netaudit.kernels.packet import Status

VERSIONS = extension(43, vector(numbers(0x2A2A, 0x0304, 0x0303), 1))
SIGNATURES = extension(13, vector(numbers(0x0403, 0x0804)))


def read(*hellos, prefix=tls.TCP):
    length = np.array([len(h) for h in hellos])
    data, at = octets_of(b"".join(hellos)), np.cumsum(length) - length
    found, keys = np.zeros(len(at), tls.HELLO), np.zeros(int(length.sum()), np.uint8)
    tls.read_hellos(data, at, length, prefix, found)
    tls.fingerprints(data, prefix, found, keys, np.zeros(tls.MAX_VALUES, np.int64))
    return data, found, keys


def span(octets, row, part):
    return octets[row[part + "_at"] :][: row[part + "_length"]].tobytes()


def test_names_protocols_and_versions():
    data, found, _ = read(hello(b"a.example", alpn(b"h2") + VERSIONS), hello(b"long-name.example.com"))
    assert [span(data.u8, row, "sni") for row in found] == [b"a.example", b"long-name.example.com"]
    assert [span(data.u8, row, "alpn") for row in found] == [b"\2h2", b""]
    assert found["version"].tolist() == [0x0304, 0x0303]
    assert found["names"].tolist() == found["named"].tolist() == [1, 1]
    assert found["status"].tolist() == [Status.OK, Status.OK]


@pytest.mark.parametrize(
    ("type_", "bits"),
    [(0xFE0D, tls.HAS_ECH), (0xFE08, tls.HAS_ECH), (0xFFCE, tls.HAS_ESNI), (0xFE07, 0), (0xFF01, 0)],
)
def test_what_hides_a_name(type_, bits):
    _, found, _ = read(hello(more=extension(type_, b"x" * 40)))
    assert found["hidden"].tolist() == [bits]


def test_a_shuffled_hello_with_other_grease_has_the_same_key():
    parts = [server_name(b"a.example"), alpn(b"h2"), VERSIONS, SIGNATURES, extension(0x1A1A), extension(23)]
    first = hello(extensions=b"".join(parts), ciphers=(0x0A0A, 0x1301, 0xC02B))
    parts[4] = extension(0xFAFA)
    second = hello(extensions=b"".join(reversed(parts)), ciphers=(0xC02B, 0x1301, 0xEAEA))
    _, found, keys = read(first, second)
    one, other = (span(keys, row, "key") for row in found)
    assert one == other
    lists = numbers(0x1301, 0xC02B, 0x0A0A, 13, 23, 43, 0x0A0A, 0x0403, 0x0804, 0x0A0A)
    assert one == b"t\x03\x04\x01\x02\x05h2" + lists


@pytest.mark.parametrize(
    ("protocols", "marks"),
    [
        ((), b"00"),
        ((b"h2",), b"h2"),
        ((b"x",), b"xx"),
        ((b"\xab", b"h2"), b"ab"),
        ((b"h-",), b"6d"),
        ((b"",), b"00"),
    ],
)
def test_marks_of_protocols(protocols, marks):
    _, found, keys = read(hello(more=alpn(*protocols)))
    assert span(keys, found[0], "key")[6:8] == marks


def test_a_hello_with_too_many_values_has_a_name_and_no_key():
    _, found, _ = read(
        hello(ciphers=[0x1301] * (tls.MAX_VALUES + 1)), hello(ciphers=[0x1301] * tls.MAX_VALUES)
    )
    assert (found["key_length"] > 0).tolist() == [False, True]
    assert found["names"].tolist() == [1, 1]


def test_datagrams_versions_count_downwards():
    offered = extension(43, vector(numbers(0xFEFD, 0xFEFC), 1))
    data, found, keys = read(hello(more=offered, version=0xFEFD, cookie=b"c" * 20), prefix=tls.DTLS)
    assert found["version"].tolist() == [0xFEFC]
    assert span(data.u8, found[0], "sni") == b"www.example.org"
    assert span(keys, found[0], "key")[:3] == b"d\xfe\xfc"


def ssl2(version=0x0301):
    return b"\1" + numbers(version, 3, 0, 16) + b"\0\0\x35" + b"c" * 16


def test_hello_of_ssl_2():
    data = ssl2()
    _, found, _ = read(data, ssl2(2), hello())
    assert found["version"].tolist() == [0x0301, 2, 0x0303]
    assert found["status"].tolist() == [Status.OK] * 3


def test_every_cut_keeps_what_stood_before():
    whole = hello(more=VERSIONS)
    name_ends = whole.index(b"www.example.org") + 15
    _, found, _ = read(*[whole[:length] for length in range(1, len(whole) + 1)])
    assert (found["status"][:-1] == Status.TRUNCATED).all()
    assert found["status"][-1] == Status.OK
    assert (found["names"] > 0).tolist() == [n >= name_ends for n in range(1, len(whole) + 1)]
    assert (found["key_length"][:-1] == 0).all()


def test_is_hello():
    record = b"\x16\x03\x01" + vector(hello())
    assert tls.is_hello(octets_of(record), 0, len(record))
    assert not tls.is_hello(octets_of(record), 0, 5)
    assert not tls.is_hello(octets_of(b"\x17" + record[1:]), 0, len(record))
    first, second = dtls(hello(cookie=b""), pieces=2)
    assert tls.is_dtls_hello(octets_of(first), 0, len(first))
    assert tls.is_dtls_hello(octets_of(second), 0, len(second))
    assert not tls.is_dtls_hello(octets_of(first[:3] + b"\0\1" + first[5:]), 0, len(first))


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 250), st.integers(0, 249), st.integers(0, 255), st.sampled_from([tls.TCP, tls.DTLS]))
def test_no_damage_to_a_hello_leads_outside(cut, flip, value, prefix):
    data = bytearray(
        hello(more=alpn(b"h2") + VERSIONS + SIGNATURES + server_name(b"a", b"b"))[:cut] or b"\1"
    )
    data[flip % len(data)] = value
    _, found, keys = read(bytes(data), prefix=prefix)
    for part in ("sni", "alpn"):
        assert (
            0 <= found[part + "_at"][0] <= found[part + "_at"][0] + found[part + "_length"][0] <= len(data)
        )
    assert found["ext_end"][0] <= len(data)
    assert 0 <= found["key_length"][0] <= len(keys)
