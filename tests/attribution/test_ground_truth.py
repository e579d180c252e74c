"""Logs made from a truth: who is asked for is always among the candidates, and an answer that holds is right."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netaudit.attribution import walk_back_all
from netaudit.attribution.trace import HopKind, Outcome
from tests.attribution.conftest import PUBLIC

DAY = 40_000
DEVICES = 6
SLOTS = 4


def office(random):
    """Leases, translations and sessions of some devices, and the true device of each translation."""
    leases, sessions, nat, truth = [], [], [], []
    free, gone = np.zeros(SLOTS, np.int64) - DAY, np.zeros(DEVICES, np.int64) - DAY
    for _ in range(14):
        slot, device = random.integers(SLOTS), random.integers(DEVICES)
        begun = max(free[slot], gone[device]) + random.integers(1, 3_000)
        length = random.integers(600, 9_000)
        lease(leases, random, slot, device, (begun, begun + length))
        account(sessions, random, device, (begun, begun + length))
        for _ in range(random.integers(0, 4)):
            start = begun + random.integers(0, length)
            end = min(begun + length, start + random.integers(1, 400))
            port = int(random.integers(1, 6))
            nat += translation(random, slot, port, (int(start), int(end)), len(truth))
            truth.append((slot, device, port, int(start), int(end)))
        free[slot] = gone[device] = begun + length
    return leases, sessions, nat, truth


def mac(device):
    return f"00:1c:42:00:00:{device:02x}"


def address(slot):
    return f"10.1.0.{slot + 1}"


def lease(leases, random, slot, device, span):
    start, end = map(int, span)
    who = {"client_ip": address(slot), "client_mac": mac(device)}
    if random.random() < 0.5:  # told by its length, else by its release
        leases.append(who | {"message": "ack", "ts": start, "lease_s": end - start})
    else:
        leases.append(who | {"message": "ack", "ts": start, "lease_s": 2 * (end - start)})
        leases.append(who | {"message": "release", "ts": end})


def account(sessions, random, device, span):
    start, end = map(int, span)
    session = f"s{len(sessions)}"
    said = {"client_mac": mac(device), "account": f"u{device}", "session": session, "nas": "n"}
    sessions.append(said | {"message": "start", "ts": start})
    if random.random() < 0.8:
        sessions.append(said | {"message": "stop", "ts": end})


def translation(random, slot, port, span, number):
    said = {
        "client_ip": address(slot),
        "client_port": 5000,
        "public_ip": PUBLIC,
        "public_port": port,
        "server_ip": "198.51.100.7",
        "server_port": 443,
        "transport": "tcp",
        "session": str(number),
    }
    start, end = span
    if random.random() < 0.5:  # one record at the end that tells the beginning
        return [said | {"message": "close", "ts": start, "ts_end": end}]
    return [said | {"message": "new", "ts": start}, said | {"message": "destroy", "ts": end}]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), skew=st.sampled_from([0.0, 5.0, 120.0]), error=st.floats(-1, 1))
def test_the_true_device_is_among_the_candidates_and_held_only_when_true(make_logs, ask, seed, skew, error):
    random = np.random.default_rng(seed)
    leases, sessions, nat, truth = office(random)
    if not truth:
        pytest.skip("nothing was drawn")
    logs = make_logs(dhcp=leases, radius=sessions, nat=nat)
    questions = []
    for _, _, port, start, end in truth:
        moment = start + (end - start) * random.random()
        questions.append(
            ask(moment + error * skew, public_ip=PUBLIC, port=port, transport="tcp", skew_s=skew)
        )
    for (slot, device, *_), trace in zip(truth, walk_back_all(questions, logs), strict=True):
        hops = {hop.hop: hop for hop in trace.hops}
        expect(hops[HopKind.NAT], address(slot))
        if hops[HopKind.NAT].outcome is Outcome.HELD:
            expect(hops[HopKind.LEASE], mac(device))
        if HopKind.STATION in hops:
            expect(hops[HopKind.STATION], f"u{device}")


def expect(hop, true):
    assert true in [candidate.value for candidate in hop.candidates]
    if hop.outcome is Outcome.HELD:
        assert [candidate.value for candidate in hop.candidates] == [true]
