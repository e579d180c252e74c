import ipaddress

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from netaudit.kernels import lookup
from netaudit.records.names import split_labels


def packed(strings):
    raw = [s.encode() for s in strings]
    return (
        np.frombuffer(b"".join(raw), np.uint8),
        np.concatenate(([0], np.cumsum([len(r) for r in raw]))).astype(np.int64),
    )


LABEL = st.text("ab\\.", min_size=1, max_size=4)


@given(st.lists(st.text("ab.\\-", min_size=1, max_size=12), max_size=8))
@settings(max_examples=150)
def test_suffixes_are_the_parents_by_labels(names):
    data, offsets = packed(names)
    owner, starts, depth = lookup.suffixes(data, offsets)
    got = [
        (int(o), data[s : offsets[o + 1]].tobytes().decode(), int(d))
        for o, s, d in zip(owner, starts, depth, strict=True)
    ]
    expected = []
    for number, name in enumerate(names):
        labels = split_labels(name)
        expected += [(number, ".".join(labels[d:]), d) for d in range(len(labels))]
    assert got == expected


def test_an_escaped_dot_is_no_boundary():
    data, offsets = packed(["a\\.b.com", "x\\\\.com"])
    owner, starts, _ = lookup.suffixes(data, offsets)
    pieces = [data[s : offsets[o + 1]].tobytes() for o, s in zip(owner, starts, strict=True)]
    assert pieces == [b"a\\.b.com", b"com", b"x\\\\.com", b"com"]


def test_a_piece_hashes_as_the_whole_string_does():
    hasher = lookup.Hasher(1)
    data, offsets = packed(["www.bad.com", "bad.com", "com"])
    owner, starts, _ = lookup.suffixes(data, offsets)
    hashes = hasher.pieces(data, starts, offsets[owner + 1])
    whole = hasher.strings(data, offsets)
    assert list(hashes) == [whole[0], whole[1], whole[2], whole[1], whole[2], whole[2]]


def test_seeds_give_different_hashes():
    data, offsets = packed(["bad.com"])
    assert lookup.Hasher(1).strings(data, offsets) != lookup.Hasher(2).strings(data, offsets)


def test_hashing_more_than_one_block(monkeypatch):
    names = [f"host{n}.example" for n in range(500)]
    data, offsets = packed(names)
    whole = lookup.Hasher(3).strings(data, offsets)
    monkeypatch.setattr(lookup, "BLOCK", 64)
    assert np.array_equal(lookup.Hasher(3).strings(data, offsets), whole)


@given(st.lists(st.integers(0, 30), max_size=60), st.lists(st.integers(0, 40), max_size=20))
def test_candidates_are_all_equal_hashes(stored, asked):
    stored, asked = (lookup._mix(np.array(v, np.uint64)) for v in (stored, asked))
    index, rows = lookup.HashTable.build(stored).candidates(asked)
    expected = [(i, r) for i, a in enumerate(asked) for r, s in enumerate(stored) if a == s]
    assert list(zip(index.tolist(), rows.tolist(), strict=True)) == expected


def test_bytes_are_compared_exactly():
    data, offsets = packed(["bad.com", "bad.com", "bad.org"])
    starts = offsets[:-1]
    lengths = np.array([7, 7, 7])
    same = lookup.equal_bytes(data, starts[[0, 0, 0]], data, starts, lengths)
    assert same.tolist() == [True, True, False]


def test_repeats_pairs_neighbours_of_one_hash():
    earlier, later = lookup.repeats(np.array([5, 7, 5, 5, 7], np.uint64))
    assert list(zip(earlier.tolist(), later.tolist(), strict=True)) == [(0, 2), (2, 3), (1, 4)]


def test_network_hashes_depend_on_every_part():
    hasher, one = lookup.Hasher(0), np.array([1], np.uint64)
    hashes = {
        int(hasher.networks(one * a, one * b, one * c)[0]) for a in (0, 1) for b in (0, 1) for c in (0, 1)
    }
    assert len(hashes) == 8


ODD = [
    "1.2.3",
    "256.1.1.1",
    "01.2.3.4",
    "1.2.3.4.",
    ".1.2.3.4",
    "1..2.3.4",
    "1.2.3.4 ",
    "0.0.0.0",
    "255.255.255.255",
    "",
    "1.2.3.4.5",
    "1.2.3.0004",
    "00.0.0.0",
    "1234.1.1.1",
    "a.b.c.d",
]


@given(
    st.lists(st.one_of(st.sampled_from(ODD), st.text("0123456789.", max_size=16)), min_size=1, max_size=8)
)
def test_ipv4_as_the_standard_library_reads_it(texts):
    value, good = lookup.parse_ipv4(*packed(texts))
    for text, number, ok in zip(texts, value, good, strict=True):
        try:
            expected = int(ipaddress.IPv4Address(text))
        except ValueError:
            expected = None
        assert (int(number) if ok else None) == expected


def test_masks():
    high, low = np.array([2**64 - 1], np.uint64), np.array([2**64 - 1], np.uint64)
    for prefix in (0, 1, 63, 64, 65, 127, 128):
        masked = lookup.mask_addresses(high, low, prefix)
        number = int(masked[0][0]) << 64 | int(masked[1][0])
        assert number == (1 << 128) - (1 << (128 - prefix))
