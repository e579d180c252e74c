"""Addresses: every usual spelling in, one form out."""

from __future__ import annotations

import ipaddress

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netaudit.records import addresses as a


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("10.0.0.1", "10.0.0.1"),
        (" 2001:DB8::1 ", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
    ],
)
def test_ip_text(text, shown):
    packed = a.parse_ip(text)
    assert packed is not None
    assert a.format_ip(packed) == shown


@pytest.mark.parametrize("text", ["", "10.1", "010.0.0.1", "1.2.3.4.5", "host", "::1::"])
def test_no_ip(text):
    assert a.parse_ip(text) is None


@given(st.ip_addresses())
def test_ip_round_trip(address):
    packed = a.parse_ip(str(address))
    mapped = getattr(address, "ipv4_mapped", None)
    assert a.format_ip(packed) == str(mapped or address).split("%")[0]


@pytest.mark.parametrize(
    "text",
    [
        "52:54:00:aa:00:01",
        "52-54-00-AA-00-01",
        "5254.00aa.0001",
        "5254-00aa-0001",
        "525400-aa0001",
        "525400AA0001",
        "52：54：00：AA：00：01",
    ],
)
def test_mac_spellings(text):
    assert a.format_mac(a.parse_mac(text)) == "52:54:00:aa:00:01"


def test_mac_without_leading_zeros():
    assert a.format_mac(a.parse_mac("0:1c:2:a:b:c")) == "00:1c:02:0a:0b:0c"


@pytest.mark.parametrize(
    "text",
    ["", "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00", "52:54", "zz:54:00:aa:00:01", "00:10:00:00:00:00:00:01"],
)
def test_no_mac(text):
    assert a.parse_mac(text) is None


def test_random_mac():
    assert a.is_random_mac(a.parse_mac("2a:85:8f:ff:be:e3"))
    assert not a.is_random_mac(a.parse_mac("00:1a:2b:00:00:01"))


def test_columns_keep_rows_and_nulls():
    column = a.ip_column(pa.array(["10.0.0.1", None, "nonsense", "10.0.0.1"]))
    assert a.text_column(column).to_pylist() == ["10.0.0.1", None, None, "10.0.0.1"]


def test_bytes_round_trip_of_a_slice():
    rows = np.arange(64, dtype=np.uint8).reshape(4, 16)
    column = a.from_bytes(rows, np.array([True, False, True, True]))
    assert column.null_count == 1
    assert (a.to_bytes(column.slice(2)) == rows[2:]).all()


@given(st.ip_addresses(v=4), st.integers(8, 32))
def test_network_range(address, prefix):
    network = ipaddress.ip_network((address, prefix), strict=False)
    assert a.in_network(a.parse_ip(str(address)), network)
    assert a.network_range(network)[0] == a.parse_ip(str(network.network_address))
