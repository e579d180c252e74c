"""Names and addresses of hosts in one form."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netaudit.sources.authority import authority_name, host_name, target_name


@pytest.mark.parametrize(
    ("octets", "name"),
    [
        (b" WWW.Example.COM.:8080\t", "www.example.com"),
        ("例え.jp:80".encode(), "xn--r8jz45g.jp"),
        (b"user:pass@example.org:81", "example.org"),
        (b"[2003:0:0::8C00:1]", "[2003::8c00:1]"),
        (b"[::1]:8000", "[::1]"),
        (b"::1", "::1"),
        (b"192.0.2.7:80", "192.0.2.7"),
        (b"example.org:", "example.org"),
        (b"", None),
        (b":80", None),
        (b"a\xff.example", None),
        (b"two words", None),
    ],
)
def test_authorities(octets, name):
    assert authority_name(octets) == name


@pytest.mark.parametrize(
    ("octets", "name"),
    [
        (b"Example.ORG.", "example.org"),
        (b"192.0.2.7", "192.0.2.7"),
        (b"2001:DB8:0::1", "2001:db8::1"),
        (b"", None),
        (b"a..b", None),
    ],
)
def test_hosts(octets, name):
    assert host_name(octets) == name


@pytest.mark.parametrize(
    ("octets", "name"),
    [
        (b"http://u@Example.com:80/a:b?c", "example.com"),
        (b"ws://example.com?q=http://other/", "example.com"),
        (b"example.com:443", "example.com"),
        (b"example.com:25 / ", "example.com"),
        (b"[2001:db8::1]:443", "[2001:db8::1]"),
        (b"/path:80", None),
        (b"/http://example.com/", None),
        (b"*", None),
        (b"", None),
    ],
)
def test_targets(octets, name):
    assert target_name(octets) == name


@given(st.binary(max_size=40))
def test_nothing_raises(octets):
    for read in (host_name, authority_name, target_name):
        name = read(octets)
        assert name is None or name == name.strip().lower() != ""
