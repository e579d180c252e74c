from __future__ import annotations

import pytest

from netaudit.attribution.words import Role, access_role, lease_role, nat_role


@pytest.mark.parametrize(
    ("word", "role"),
    [
        ("new", Role.START),
        ("destroy", Role.END),
        ("update", Role.SEEN),
        ("SESSION_TEARDOWN", Role.END),
        ("302013 built inbound", Role.START),
        ("(1)Normal over", Role.END),
        ("traffic-end", Role.END),
        ("SESSION_DENY", Role.IGNORE),
        ("BLOCK", Role.IGNORE),
        ("block allocated", Role.START),
        ("entry", Role.SEEN),
        ("", Role.START),
    ],
)
def test_nat(word, role):
    assert nat_role(word) is role


@pytest.mark.parametrize(
    ("word", "role"),
    [
        ("ack", Role.START),
        ("active", Role.START),
        ("release", Role.END),
        ("expired-reclaimed", Role.END),
        ("free", Role.END),
        ("offer", Role.IGNORE),
        ("dns-update", Role.IGNORE),
        ("host", Role.SEEN),
        ("DISCOVER/OFFER/REQUEST/ACK", Role.START),
        ("expired-not-deleted", Role.END),
        ("nak", Role.IGNORE),
    ],
)
def test_dhcp(word, role):
    assert lease_role(word) is role


@pytest.mark.parametrize(
    ("word", "role"),
    [
        ("start", Role.START),
        ("Interim-Update", Role.SEEN),
        ("stop", Role.END),
        ("associated", Role.START),
        ("disconnected", Role.END),
        ("Accounting-Off", Role.RESET),
        ("accounting-on", Role.RESET),
        ("Login incorrect", Role.IGNORE),
        ("Access-Reject", Role.IGNORE),
        ("EVT_WU_Connected", Role.START),
    ],
)
def test_access(word, role):
    assert access_role(word) is role
