import ipaddress

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netaudit.matching import index as index_module
from netaudit.matching.index import build_index
from netaudit.matching.indicator import Condition, Polarity
from netaudit.matching.subject import host_of
from netaudit.records.names import split_labels

SUITE = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
LABEL = st.sampled_from(["a", "b", "bad", "notbad", "x-1", "_d", r"a\.b", "com"])
NAME = st.lists(LABEL, min_size=1, max_size=4).map(".".join)


def covers(scope, listed, seen):
    labels, parents = split_labels(seen), split_labels(listed)
    below = len(labels) - len(parents)
    if below < 0 or labels[below:] != parents:
        return False
    return {"domains": below == 0, "domains-subtree": True, "adguard-dns": below > 0}[scope]


@SUITE
@given(
    lists=st.lists(
        st.tuples(
            st.sampled_from(["domains", "domains-subtree", "adguard-dns"]), st.lists(NAME, max_size=6)
        ),
        max_size=4,
    ),
    asked=st.lists(NAME, min_size=1, max_size=8, unique=True),
    seed=st.integers(0, 2**64 - 1),
)
def test_index_against_the_naive_reading(lists, asked, seed, read):
    """Below-only entries are written ``||*.name^`` in AdGuard's syntax, which has no escapes."""
    held, expected = [], set()
    for number, (scope, names) in enumerate(lists):
        usable = [n for n in names if scope != "adguard-dns" or "\\" not in n]
        usable = [n for n in usable if scope != "domains" or len(split_labels(n)) > 1]
        text = "\n".join(f"||*.{n}^" if scope == "adguard-dns" else n for n in usable)
        held.append(read(text, scope, allow_wide=True, list_id=str(number)))
        expected |= {(s, str(number), n) for s in asked for n in usable if covers(scope, n, s)}
    index = build_index(held, seed=seed)
    place, entry = index.look_up_names(pa.array(asked))
    hits = [index.hit(e) for e in entry.tolist()]
    got = {(asked[p], h.list_id, h.covers) for p, h in zip(place.tolist(), hits, strict=True)}
    assert got == expected
    assert len(hits) == len(expected)


@SUITE
@given(
    networks=st.lists(
        st.tuples(st.booleans(), st.integers(0, 2**128 - 1), st.integers(0, 128)), max_size=8
    ),
    picks=st.lists(st.tuples(st.integers(0, 7), st.integers(0, 2**16)), min_size=1, max_size=6),
)
def test_networks_against_the_standard_library(networks, picks, read):
    held = []
    for is_v4, number, prefix in networks:
        bits = 32 if is_v4 else 128
        address = (ipaddress.IPv4Address if is_v4 else ipaddress.IPv6Address)(number % 2**bits)
        held.append(ipaddress.ip_network(f"{address}/{prefix % (bits + 1)}", strict=False))
    held = [n for n in held if n.version == 4 or n.network_address.ipv4_mapped is None]
    index = build_index([read("\n".join(map(str, held)), "cidr-list", allow_wide=True)])
    for which, step in picks:
        base = held[which % len(held)].network_address if held else ipaddress.IPv4Address(0)
        seen = type(base)((int(base) + step) % 2**base.max_prefixlen)
        if seen.version == 6 and seen.ipv4_mapped:
            continue
        got = [hit.covers for hit in index.find(str(seen))]
        expected = sorted(
            {n for n in held if n.version == seen.version and seen in n}, key=lambda n: -n.prefixlen
        )
        assert got == [str(n) for n in expected]


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ("bad.com", True),
        ("x.bad.com", True),
        ("BAD.COM.", True),
        ("bad。com", True),
        ("ｂａｄ.com", True),
        ("notbad.com", False),
        ("bad.com.evil.org", False),
        ("b\u0430d.com", False),
        (r"x\.bad.com", False),
        ("https://user@x.bad.com:8443/p?q", True),
        ("bad.com:443", True),
        ("com", False),
        ("", False),
        (".", False),
    ],
)
def test_label_exactness(seen, expected, index_of):
    assert bool(index_of("bad.com\n", "domains-subtree").find(seen)) is expected


def test_an_escaped_dot_is_another_name(index_of):
    assert not index_of("a.b.example\n", "domains").find(r"a\.b.example")
    assert not index_of(r"a\.b.example", "domains").find("a.b.example")


def test_idna_both_ways(index_of):
    for listed in ("bücher.example", "xn--bcher-kva.example", "BÜCHER.example"):
        index = index_of(listed, "domains")
        assert all(
            index.find(seen) for seen in ("bücher.example", "xn--bcher-kva.example", "BÜCHER。example")
        )


def test_equal_hashes_are_told_apart_by_their_bytes(read, monkeypatch):
    import numpy as np

    def pieces(self, data, starts, ends):
        return np.zeros(len(starts), np.uint64)

    monkeypatch.setattr(index_module.Hasher, "pieces", pieces)
    index = build_index([read("bad.example\nworse.example\n", "domains-subtree")])
    assert [h.covers for h in index.find("x.bad.example")] == ["bad.example"]
    assert not index.find("x.other.example")


def test_one_label_scope_is_never_the_apex_nor_deeper():
    import numpy as np

    inside = index_module._in_scope(np.array([3, 3, 3]), np.array([0, 1, 2]))
    assert inside.tolist() == [False, True, False]


def test_the_longest_entry_comes_first_and_every_list_is_named(read):
    index = build_index(
        [
            read("10.0.0.0/8\n10.1.0.0/16\nbad.example\n", "cidr-list", list_id="A"),
            read("bad.example\n", "domains", list_id="B"),
            read("example.org\nbad.example.org\n", "domains-subtree", list_id="C"),
            read("bad.example.org\n", "domains", list_id="D"),
        ]
    )
    assert [h.covers for h in index.find("10.1.2.3")] == ["10.1.0.0/16", "10.0.0.0/8"]
    assert [h.list_id for h in index.find("bad.example.org")] == ["C", "D", "C"]


def test_a_hit_shows_the_line_as_it_stands(index_of):
    (hit,) = index_of("# x\n0.0.0.0  Bad.Example other.example # note\n", "hosts").find("bad.example")
    assert (hit.line, hit.entry, hit.covers, hit.kind) == (
        2,
        "0.0.0.0  Bad.Example other.example # note",
        "bad.example",
        "exact",
    )
    assert hit.polarity is Polarity.LIST


def test_exceptions_hold_within_their_list_only(read):
    index = build_index(
        [
            read("||bad.example^\n@@||ok.bad.example^\n", "adguard-dns", list_id="A"),
            read("ok.bad.example\n", "domains", list_id="B"),
        ]
    )
    hits, silenced = index.weigh("ok.bad.example")
    assert [h.list_id for h in hits] == ["B"]
    assert [(s.hit.entry, s.by.entry) for s in silenced] == [("||bad.example^", "@@||ok.bad.example^")]


def test_an_allow_list_silences_all_lists_and_says_why(read):
    index = build_index(
        [
            read("bad.example\n", "domains-subtree"),
            read("||bad.example^$important\n", "adguard-dns"),
            read("ok.bad.example\n", "domains", allow=True, reason="our own mirror"),
        ]
    )
    hits, silenced = index.weigh("ok.bad.example")
    assert hits == []
    assert {s.by.reason for s in silenced} == {"our own mirror"}
    assert len(silenced) == 2
    assert len(index.find("x.bad.example")) == 2


def test_the_seed_changes_no_result(read):
    blocklist = read("a.example\nb.example\n10.0.0.0/9\n", "domains")
    finds = [build_index([blocklist], seed=s).find("a.example") for s in range(5)]
    assert all(f == finds[0] for f in finds)


def test_an_empty_index():
    index = build_index([])
    assert len(index) == 0
    assert index.find("a.example") == [] == index.find("192.0.2.1")


def test_what_is_unknown_meets_no_demand_and_breaks_no_exclusion():
    assert not Condition(types=frozenset({"A"})).holds("a.b")
    assert Condition(not_types=frozenset({"A"})).holds("a.b")
    assert not Condition(clients=("pc",)).holds("a.b")
    assert Condition(not_clients=("pc",)).holds("a.b")
    assert not Condition(except_names=("b",)).holds("a.b")
    assert not Condition(except_names=("b",)).holds("192.0.2.1")


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("[2001:DB8::1]:443", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("192.0.2.1:53", "192.0.2.1"),
        ("//a.example/x", "a.example"),
        ("http://[::1]/", "::1"),
        ("[x]", None),
        ("http://", None),
        ("a b", None),
    ],
)
def test_hosts_as_people_write_them(text, host):
    assert host_of(text) == host
