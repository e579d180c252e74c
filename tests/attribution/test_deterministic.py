"""Deterministic NAT: the host follows from the configuration."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from netaudit.attribution import walk_back
from netaudit.attribution.trace import HopKind, Outcome, Reason
from netaudit.config import DeterministicNat
from netaudit.errors import ConfigError
from tests.attribution.conftest import PUBLIC, SETTINGS

SINCE = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
NAT = DeterministicNat(
    "10.1.0.0/29", (PUBLIC, "203.0.113.6"), SINCE, first_port=1024, last_port=5023, block=1000
)


def settings(**changes):
    return replace(SETTINGS, deterministic_nat=(replace(NAT, **changes),))


@pytest.mark.parametrize(
    ("address", "port", "host"),
    [
        (PUBLIC, 1024, "10.1.0.0"),
        (PUBLIC, 2023, "10.1.0.0"),
        (PUBLIC, 2024, "10.1.0.1"),
        ("203.0.113.6", 5023, "10.1.0.7"),
    ],
)
def test_address_and_port_tell_the_host(make_logs, ask, address, port, host):
    hop = walk_back(ask(0, public_ip=address, port=port), make_logs(settings(), [])).hops[0]
    assert (hop.hop, hop.outcome, hop.candidates[0].value) == (HopKind.NAT, Outcome.HELD, host)
    assert hop.candidates[0].evidence[0].file == "configuration"


def test_ports_are_shared_alike_where_no_size_is_said(make_logs, ask):
    logs = make_logs(settings(block=0), [])
    hosts = [
        walk_back(ask(0, public_ip=PUBLIC, port=port), logs).hops[0].candidates[0].value
        for port in (1024, 2024)
    ]
    assert hosts == ["10.1.0.0", "10.1.0.1"]


def test_it_says_nothing_of_another_time(make_logs, ask):
    logs = make_logs(settings(until=dt.datetime(2026, 2, 1, tzinfo=dt.UTC)), [])
    trace = walk_back(ask(0, public_ip=PUBLIC, port=1024), logs)
    assert trace.hops[0].outcome is Outcome.NOT_COVERED
    assert Reason.LOG_GAP in trace.reasons


def test_a_port_outside_of_all_blocks_is_missing(make_logs, ask):
    trace = walk_back(ask(0, public_ip=PUBLIC, port=80), make_logs(settings(), []))
    assert trace.hops[0].outcome is Outcome.MISSING


@pytest.mark.parametrize(
    ("changes", "code"), [({"block": 2000}, "nat-no-room"), ({"inside": "10.0.0.0/8"}, "nat-too-large")]
)
def test_what_cannot_be_is_refused(make_logs, changes, code):
    with pytest.raises(ConfigError) as refused:
        make_logs(settings(**changes), [])
    assert refused.value.code == code
