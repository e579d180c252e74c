"""Each session has lost its beginning, its end or neither: who was there is always among the candidates."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netaudit.attribution import walk_back_all
from tests.attribution.conftest import PUBLIC

SESSIONS = 25
SERVERS = ("198.51.100.7", "198.51.100.8")


def sessions(random):
    """Sessions that never share a tuple at one time, as far as the log has them, and whose each was."""
    rows, truth, free = [], [], {}
    for number in range(SESSIONS):
        host, port, server = (
            int(random.integers(1, 5)),
            int(random.integers(1, 4)),
            SERVERS[random.integers(2)],
        )
        start = free.get((port, server), 0) + int(random.integers(1, 900))
        free[port, server] = end = start + int(random.integers(1, 400))
        said = {
            "client_ip": f"10.1.0.{host}",
            "client_port": int(random.integers(5000, 5004)),
            "public_ip": PUBLIC,
            "public_port": port,
            "server_ip": server,
            "server_port": 443,
            "transport": "tcp",
            "session": str(number) if random.random() < 0.5 else None,
        }
        new, destroy = said | {"message": "new", "ts": start}, said | {"message": "destroy", "ts": end}
        silent = {
            "message": "session end",
            "ts": start,
            "ts_end": end,
            "public_ip": None,
            "public_port": None,
        }
        rows += [[new, destroy], [new], [destroy], [new, said | silent]][random.integers(4)]
        truth.append((said["client_ip"], port, server, start, end))
    return rows, truth


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), skew=st.sampled_from([0.0, 5.0, 120.0]), error=st.floats(-1, 1))
def test_the_true_host_is_among_the_candidates(make_logs, ask, seed, skew, error):
    random = np.random.default_rng(seed)
    rows, truth = sessions(random)
    asked = [
        ask(
            start + (end - start) * random.random() + error * skew,
            public_ip=PUBLIC,
            port=port,
            skew_s=skew,
            **more,
        )
        for _, port, server, start, end in truth
        for more in ({}, {"dst_ip": server})
    ]
    traces = walk_back_all(asked, make_logs(nat=rows))
    for number, (host, *_) in enumerate(truth):
        for trace in traces[2 * number : 2 * number + 2]:
            assert host in [candidate.value for candidate in trace.hops[0].candidates]
