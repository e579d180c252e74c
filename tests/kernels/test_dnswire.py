"""DNS names, numbers and records, judged by dnspython."""

import ipaddress
import socket

import dns.exception
import dns.name
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netaudit.kernels import dnsrecords, dnswire, text
from netaudit.kernels.compiled import kernel
from netaudit.kernels.dnswire import BAD
from netaudit.kernels.octets import octets_of


@kernel
def name_at(data, at, start, end, fold, out):
    return dnswire.read_name(data, at, start, end, fold, out, 0)


@kernel
def behind(data, at, end):
    return dnswire.behind_name(data, at, end)


@kernel
def address(data, width, out):
    return text.ipv4(data, 0, out, 0) if width == 4 else text.ipv6(data, 0, out, 0)


@kernel
def spelled(data, type_, at, length, out):
    return dnsrecords.spell_record(data, 0, type_, at, length, out, 0)


@kernel
def number(table, end):
    return text.number_of(table, end)


def read_one(message, at, fold=True):
    """Offset behind a name, and its text."""
    out = np.zeros(dnswire.NAME_ROOM, np.uint8)
    after, size = name_at(octets_of(message), at, 0, len(message), int(fold), out)
    return after, out[:size].tobytes().decode("ascii")


labels = st.lists(st.binary(min_size=1, max_size=20), max_size=10)


@settings(max_examples=80, deadline=None)
@given(labels)
def test_names_are_spelled_as_dnspython_spells_them(parts):
    name = dns.name.Name([*parts, b""])
    wire = b"\0" * 12 + name.to_wire() + b"tail"
    assert read_one(wire, 12, fold=False) == (len(wire) - 4, name.to_text())
    assert read_one(wire, 12)[1] == dns.name.Name([*(part.lower() for part in parts), b""]).to_text()
    assert behind(octets_of(wire), 12, len(wire)) == len(wire) - 4


@pytest.mark.parametrize(
    ("name", "good"),
    [
        (b"\xc0\x0c", False),  # to itself
        (b"\xc0\x20" + b"\0" * 40, False),  # forwards
        (b"\xc0\x04", False),  # into the header
        (b"\x40" + b"a" * 64 + b"\0", False),  # a label of 64
        (b"\x05abc", False),  # cut short
        (b"\xc0", False),
        (b"\1a", False),
        ((b"\x3f" + b"a" * 63) * 4 + b"\0", False),  # 257 octets
        ((b"\x3f" + b"a" * 63) * 3 + b"\x3d" + b"a" * 61 + b"\0", True),  # just 255
        (b"\x01a" * 127 + b"\0", True),
        (b"\x01a" * 128 + b"\0", False),
        (b"\x3f" + b"\0" * 63 + b"\0", True),
    ],
)
def test_hostile_names(name, good):
    assert (read_one(b"\0" * 12 + name, 12)[0] != BAD) == good


def test_two_pointers_that_point_at_each_other():
    message = b"\0" * 12 + b"\xc0\x0e\xc0\x0c"
    assert read_one(message, 12)[0] == read_one(message, 14)[0] == BAD


@pytest.mark.parametrize(("hops", "good"), [(127, True), (128, False)])
def test_pointers_to_pointers_end(hops, good):
    chain = b"".join((0xC000 + 12 + 2 * k).to_bytes(2, "big") for k in range(hops))
    message = b"\0" * 12 + b"\0\0" + chain
    assert (read_one(message, len(message) - 2)[0] != BAD) == good


@settings(max_examples=150, deadline=None)
@given(st.binary(min_size=1, max_size=80), st.integers(0, 60))
def test_any_octets_are_read_as_dnspython_reads_them_or_refused(body, at):
    message = b"\0" * 12 + body
    at = 12 + at % len(body)
    after, spelled_name = read_one(message, at, fold=False)
    try:
        name, size = dns.name.from_wire(message, at)
    except dns.exception.DNSException:
        assert after == BAD
        return
    if after != BAD:
        assert (spelled_name, after) == (name.to_text(), at + size)
    else:  # stricter than dnspython: no pointer into the header
        assert max(message) >= 0xC0


def test_a_dot_inside_a_label_is_no_separator():
    assert read_one(b"\0" * 12 + b"\x03a.b\x03com\0", 12)[1] == "a\\.b.com."
    assert read_one(b"\0" * 12 + b"\x06\0\x1b\xff\x0aA<\0", 12)[1] == "\\000\\027\\255\\010a<."


sixteen = st.one_of(
    st.binary(min_size=16, max_size=16),
    st.lists(
        st.sampled_from([b"\0\0", b"\0\0", b"\xff\xff", b"\0\1", b"\x20\1"]), min_size=8, max_size=8
    ).map(b"".join),
)


@settings(max_examples=150, deadline=None)
@given(sixteen)
def test_addresses_are_spelled_as_everybody_spells_them(packed):
    out = np.zeros(text.ROOM, np.uint8)
    size = address(octets_of(packed), 16, out)
    assert out[:size].tobytes().decode() == socket.inet_ntop(socket.AF_INET6, packed)
    size = address(octets_of(packed), 4, out)
    assert out[:size].tobytes().decode() == str(ipaddress.IPv4Address(packed[:4]))


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([2, 6, 15, 26, 33]), st.binary(max_size=40))
def test_record_data_of_any_octets_stay_inside(type_, data):
    message = b"\0" * 12 + b"\3www\7example\0" + data
    out = np.zeros(4096, np.uint8)
    assert spelled(octets_of(message), type_, len(message) - len(data), len(data), out) <= 4096


def test_equal_texts_have_one_number():
    table = text.texts(1000, 20, np.array([1, 2], np.uint64))
    words = [
        b"a",
        b"example.org",
        b"",
        b"eight888",
        b"example.org",
        b"seventeen-octets!",
        b"a",
        b"eight888",
    ]
    found = []
    for word in words:
        begin = table.written()
        table.text.u8[begin : begin + len(word)] = np.frombuffer(word, np.uint8)
        found.append(number(table, begin + len(word)))
    assert found == [0, 1, 2, 3, 1, 4, 0, 3]
    assert table.text.u8[: table.written()].tobytes() == b"".join(dict.fromkeys(words))
