from __future__ import annotations

import pytest

from netaudit.attribution.words import Role, access_role, lease_role, nat_role
from netaudit.sources.protocols import dhcp, dhcpv6, radius, wlan


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
        ("discover/offer/request/ack", Role.START),
        ("renew", Role.START),
        ("DHCP6_SOLICIT", Role.IGNORE),
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
        ("station association", Role.START),
        ("Login OK", Role.START),
    ],
)
def test_access(word, role):
    assert access_role(word) is role


def meant(words, role, none=Role.IGNORE):
    """The words that are more than `none`, by what they mean."""
    found = {}
    for word in words:
        if role(word) is not none:
            found.setdefault(role(word), set()).add(word)
    return found


def test_of_a_captured_exchange_only_the_servers_word_is_a_lease():
    words = {*dhcp.MESSAGES.values(), *dhcpv6.MESSAGES.values(), "bootp-request", "bootp-reply", "type-77"}
    assert meant(words, lease_role) == {
        Role.START: {"ack", "reply", "bootp-reply"},
        Role.SEEN: {"leaseactive"},
        Role.END: {"release", "decline"},
    }


def test_a_captured_request_to_be_let_in_is_no_session():
    words = {*radius.CODES.values(), *radius.STATUSES.values(), "code-99", "status-99"}
    assert meant(words, access_role) == {
        Role.START: {"access-accept", "start"},
        Role.SEEN: {"interim-update"},
        Role.END: {"stop", "disconnect-ack"},
        Role.RESET: {"accounting-on", "accounting-off"},
    }
    assert meant(wlan.MESSAGES.values(), access_role) == {}
