"""Names in one normal form."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netaudit.records.names import normalise, normalise_column, split_labels


@pytest.mark.parametrize(
    ("seen", "normal"),
    [
        ("WwW.CoRp.TeSt.", "www.corp.test"),
        (".", "."),
        ("_dmarc.a-.test", "_dmarc.a-.test"),
        ("bad。com", "bad.com"),
        ("bad．com", "bad.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("faß.example", "xn--fa-hia.example"),
        (r"a\.b.com", r"a\.b.com"),
        ("中国.example", "xn--fiqs8s.example"),
    ],
)
def test_normal_form(seen, normal):
    assert normalise(seen) == normal


@pytest.mark.parametrize(
    "seen",
    [
        "",
        "a..b",
        ".a",
        "10.0.0.1",
        "::1",
        "x" * 64 + ".com",
        "a b.com",
        "a\x00b.com",
        ".".join(["abcd"] * 60),
    ],
)
def test_no_name(seen):
    assert normalise(seen) is None


def test_escaped_dot_does_not_split():
    assert split_labels(r"a\.b.com") == [r"a\.b", "com"]
    assert normalise(r"a\.b.com") != normalise("a.b.com")


@given(
    st.lists(
        st.one_of(
            st.none(),
            st.text(max_size=20),
            st.from_regex(r"\A[a-zA-Z0-9_.-]{1,70}\.?\Z"),
            st.ip_addresses().map(str),
        )
    )
)
def test_the_column_says_what_normalise_says(words):
    expected = [normalise(w) if w else None for w in words]
    assert normalise_column(pa.array(words, pa.string())).to_pylist() == expected


@given(st.text(max_size=40))
def test_normal_form_is_stable(text):
    once = normalise(text)
    if once is not None:
        assert normalise(once) == once
