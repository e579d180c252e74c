"""Whatever the tables hold: never an exception, and what is said keeps its own rules."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netaudit.attribution import walk_back, walk_back_all
from netaudit.attribution.funnel import narrow
from netaudit.attribution.presentation import trace_dict
from netaudit.attribution.trace import Outcome, Reach

IPS = st.sampled_from(["10.1.0.1", "10.1.0.2", "10.2.0.1", "192.168.9.9", "203.0.113.5", "fd00::1", None])
MACS = st.sampled_from(["00:1c:42:00:00:01", "02:00:00:00:00:02", None])
TIMES = st.sampled_from([None, -100_000, 0, 1, 50, 50, 120, 4_000, 7 * 10**9])
PORTS = st.sampled_from([None, 0, 1, 2, 65_535])


def words(*some):
    return st.sampled_from([*some, "", None, "何か"])


COMMON = {"ts": TIMES, "site": words("north", "south"), "file": words("a", "b")}
ACCESS = COMMON | {
    "client_ip": IPS,
    "client_mac": MACS,
    "account": words("li", "001c42000001"),
    "session": words("1", "2"),
    "nas": words("n"),
    "ssid": words("GUEST", "STAFF"),
    "bssid": MACS,
    "message": words("start", "stop", "interim", "associated", "accounting-on", "reject"),
}
ROWS = {
    "nat": COMMON
    | {
        "ts_end": TIMES,
        "client_ip": IPS,
        "public_ip": IPS,
        "server_ip": IPS,
        "public_port": PORTS,
        "public_port_end": PORTS,
        "transport": words("tcp", "udp"),
        "session": words("1"),
        "message": words("new", "destroy", "update", "entry", "deny"),
        "action": words("deny", "accept"),
    },
    "dhcp": COMMON
    | {
        "ts_end": TIMES,
        "client_ip": IPS,
        "client_mac": MACS,
        "hostname": words("pc"),
        "lease_s": PORTS,
        "message": words("ack", "release", "free", "lease", "host", "offer"),
    },
    "arp": COMMON | {"client_ip": IPS, "client_mac": MACS},
    "fdb": COMMON | {"client_mac": MACS, "nas": words("sw", "core"), "nas_port": words("1", "2")},
    "radius": ACCESS,
    "wlan": ACCESS,
    "asset": COMMON
    | {
        "ts_end": TIMES,
        "ip": IPS,
        "mac": MACS,
        "asset": words("PC"),
        "hostname": words("pc"),
        "owner": words("Li"),
        "switch": words("sw"),
        "switch_port": words("1"),
    },
}
TABLES = st.fixed_dictionaries(
    {kind: st.lists(st.fixed_dictionaries(columns), max_size=6) for kind, columns in ROWS.items()}
)


ASKED = st.fixed_dictionaries(
    {
        "at": st.sampled_from([0, 50, 4_000]),
        "port": PORTS,
        "site": st.sampled_from(["", "north"]),
        "who": st.sampled_from(
            [
                {"public_ip": "203.0.113.5"},
                {"client_ip": "10.1.0.1"},
                {"client_ip": "fd00::1"},
                {"mac": "02:00:00:00:00:02"},
                {"mac": "00:1c:42:00:00:01", "client_ip": "10.1.0.2"},
            ]
        ),
    }
)
SLOW = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]


@settings(max_examples=100, deadline=None, suppress_health_check=SLOW)
@given(tables=TABLES, asked=ASKED)
def test_any_tables_are_answered(make_logs, ask, tables, asked):
    logs = make_logs(**tables)
    question = ask(asked["at"], port=asked["port"], site=asked["site"], **asked["who"])
    trace = walk_back(question, logs)
    assert trace_dict(trace, "zh-TW")["reach"] == trace.reach
    for hop in trace.hops:
        assert (hop.outcome is Outcome.AMBIGUOUS) == (
            len(hop.candidates) > 1 and hop.outcome is not Outcome.NOT_COVERED
        )
        assert (hop.outcome is Outcome.HELD) <= (len(hop.candidates) == 1)
        assert hop.outcome is not Outcome.MISSING or not hop.candidates
    held = {hop.hop for hop in trace.hops if hop.outcome is Outcome.HELD}
    assert trace.reach is not Reach.PERSON or "asset" in held
    assert trace.reach is not Reach.ACCOUNT or "station" in held
    counts = [step.count for step in narrow(question, logs, None)]
    assert counts == sorted(counts, reverse=True)


@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
@given(tables=TABLES, asked=st.lists(ASKED, min_size=2, max_size=6))
def test_many_at_once_are_answered_as_each_alone(make_logs, ask, tables, asked):
    logs = make_logs(**tables)
    questions = [ask(a["at"], port=a["port"], site=a["site"], **a["who"]) for a in asked]
    assert walk_back_all(questions, logs) == [walk_back(question, logs) for question in questions]
