"""Rows out of real logs against the shared tables, folder by folder."""

from __future__ import annotations

import re

import pytest

FLOORS = {
    "dns/bind-querylog": 1.0,
    "dns/dnsmasq": 1.0,
    "dns/zeek": 0.99,
    "nat/linux-conntrack/": 0.9,
    "nat/zeek": 1.0,
    "proxy/zeek": 1.0,
    "dhcp/dnsmasq": 0.9,
    "dhcp/isc-dhcpd": 0.79,
    "dhcp/kea-memfile": 0.67,
    "dhcp/zeek": 1.0,
    "access/freeradius-detail": 0.85,
    "access/freeradius-radacct": 1.0,
    "access/hostapd": 0.71,
}
"""Share of agreeing rows. Captures among them are not logs and lower some."""


@pytest.mark.slow
@pytest.mark.parametrize("folder", FLOORS)
def test_rows_agree(compare, folder):
    said = compare("samples", "--only", folder)
    agree, total, crashed = map(
        int, re.search(r"(\d+) of (\d+) rows agree .*?(\d+) crashed", said).groups()
    )
    assert total > 0
    assert agree / total >= FLOORS[folder], said
    assert crashed == 0
