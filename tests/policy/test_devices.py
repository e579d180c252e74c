"""Which device has an address: what an IPv6 address says of its MAC, and who confirms it."""

from __future__ import annotations

import ipaddress

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netaudit.policy.devices import interface_macs, with_macs
from netaudit.records.addresses import format_mac, parse_ip, parse_mac
from netaudit.records.schemas import IP, MAC

NOBODY = pa.array([], MAC)


def eui64(mac, prefix="2001:db8:66:1::"):
    """The address that a host makes of its MAC (RFC 4291 appendix A)."""
    octets = bytes([mac[0] ^ 2]) + mac[1:3] + b"\xff\xfe" + mac[3:]
    return str(ipaddress.IPv6Address(int(ipaddress.IPv6Address(prefix)) + int.from_bytes(octets, "big")))


def sums(*rows):
    """rows: (address, MAC or None, time)."""
    columns = {
        "client_ip": pa.array([parse_ip(ip) for ip, _, _ in rows], IP),
        "client_mac": pa.array([mac and parse_mac(mac) for _, mac, _ in rows], MAC),
        "first": pa.array([at for *_, at in rows], pa.int64()),
        "last": pa.array([at for *_, at in rows], pa.int64()),
        "events": pa.array([1] * len(rows), pa.int64()),
        "file": pa.array(["f"] * len(rows)),
        "ordinal": pa.array([at for *_, at in rows], pa.int64()),
    }
    return pa.table(columns)


def macs_of(*addresses):
    found = interface_macs(pa.array([a and parse_ip(a) for a in addresses], IP))
    assert found.type == MAC
    return [mac and format_mac(mac) for mac in found.to_pylist()]


def test_the_mac_that_an_address_was_made_of():
    assert macs_of("2001:db8:66:1:200:5eff:fe00:5314") == ["00:00:5e:00:53:14"]
    assert macs_of("fe80::21b:21ff:fe3c:9d02%eth0") == ["00:1b:21:3c:9d:02"]


@pytest.mark.parametrize(
    "address",
    [
        "2001:db8:66:1:81a5:c3f7:10de:99b0",  # random (RFC 8981)
        "2001:db8::5eff:fe00:5314",  # made of a private MAC: the universal bit is not set
        "2001:db8::300:5eff:fe00:5314",  # a group's address
        "2001:db8::200:ff:fe00:0",  # all octets zero
        "2001:db8::200:5efe:c000:221",  # ISATAP
        "254.0.83.20",
        "10.66.1.61",
        None,
    ],
)
def test_other_addresses_say_nothing(address):
    assert macs_of(address) == [None]


@settings(max_examples=80, deadline=None)
@given(st.binary(min_size=6, max_size=6))
def test_only_globally_unique_macs_come_back(mac):
    unique = not mac[0] & 3 and any(mac)
    assert macs_of(eui64(mac)) == [format_mac(mac) if unique else None]


PC, PC_MAC = "2001:db8:66:1:200:5eff:fe00:5314", "00:00:5e:00:53:14"


@pytest.mark.parametrize(
    ("others", "register", "mac"),
    [
        ([], NOBODY, None),
        ([("10.66.1.25", PC_MAC, 5)], NOBODY, PC_MAC),
        ([], pa.array([parse_mac(PC_MAC)], MAC), PC_MAC),
        ([(PC, "00:00:5e:00:53:99", 5)], NOBODY, "00:00:5e:00:53:99"),
    ],
    ids=["nobody confirms it", "a record does", "the register does", "records show another"],
)
def test_a_mac_from_an_address_needs_a_second_sign(others, register, mac):
    found = with_macs(sums((PC, None, 1), *others), register)
    mine = [row for row in found.to_pylist() if row["client_ip"] == parse_ip(PC)]
    assert [row["client_mac"] and format_mac(row["client_mac"]) for row in mine] == [mac]


def test_an_address_of_two_devices_is_nobodys():
    found = with_macs(
        sums(("10.0.0.9", None, 1), ("10.0.0.9", "00:00:5e:00:53:01", 2), ("10.0.0.9", PC_MAC, 3)), NOBODY
    )
    assert sorted(row["first"] for row in found.to_pylist()) == [2, 3]
