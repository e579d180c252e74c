from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netaudit.attribution import funnel
from netaudit.attribution.funnel import narrow
from netaudit.config import Settings
from netaudit.records.addresses import parse_ip
from netaudit.records.evidence import EvidenceFile
from netaudit.records.schemas import concat, conform

PUBLIC = "203.0.113.5"


def contacts(*clients, ts=None):
    columns = {
        "client_ip": pa.array([parse_ip(c) for c in clients], pa.binary(16)),
        "file": pa.array(["file-dns"] * len(clients), pa.string()),
    }
    if ts is not None:
        columns["ts"] = pa.array([ts] * len(clients))
    return concat("dns", [conform("dns", columns, len(clients))])


@pytest.fixture
def office(make_logs, nat_row):
    hosts = [f"10.1.0.{n}" for n in range(10, 16)]
    rows = [nat_row("new", 0, host, 1000 + n, session=str(n)) for n, host in enumerate(hosts[:4])]
    rows[3]["server_ip"] = "198.51.100.99"
    leases = [
        {
            "message": "ack",
            "ts": 0,
            "lease_s": 600,
            "client_ip": host,
            "client_mac": f"00:1c:42:00:00:{n:02x}",
        }
        for n, host in enumerate(hosts)
    ]
    return make_logs(nat=rows, dhcp=leases)


def counts(steps):
    return {step.step: step.count for step in steps}


def test_each_step_narrows(office, ask):
    question = ask(5, public_ip=PUBLIC, port=1001, dst_ip="198.51.100.7")
    steps = narrow(question, office, None)
    assert counts(steps) == {"all": 512, "active": 6, "nat": 4, "contacted": 3, "device": 1}
    assert steps[-1].kept == ("10.1.0.11",)
    assert steps[1].files == ("file-dhcp", "file-nat")
    assert steps[2].basis == funnel.TRANSLATED


def test_a_capture_is_cited_for_what_it_shows(make_logs, ask):
    seen = {"message": "reply", "ts": 0, "client_ip": "10.1.0.9", "client_mac": "00:1c:42:00:00:09"}
    ledger = [EvidenceFile("file-arp", "a.pcap", "", 0, "pcap", kinds=("arp", "flow"))]
    steps = narrow(ask(5, client_ip="10.1.0.9"), make_logs(arp=[seen], ledger=ledger), None)
    assert (steps[1].count, steps[1].files) == (1, ("file-arp",))


def test_other_logs_tell_who_contacted(office, ask):
    steps = narrow(ask(5, public_ip=PUBLIC), office, contacts("10.1.0.12", "10.1.0.99"))
    assert counts(steps) == {"all": 512, "active": 7, "nat": 4, "contacted": 1, "device": 1}
    assert (steps[3].files, steps[4].basis) == (("file-dns",), funnel.NO_PORT)


def test_contacts_at_another_time_do_not_count(office, ask):
    question = ask(5, public_ip=PUBLIC)
    later = contacts("10.1.0.12", ts=ask(9_999).at)
    assert counts(narrow(question, office, later))["contacted"] == 0


def test_steps_without_a_log_keep_everybody_and_say_so(make_logs, ask):
    steps = narrow(ask(5, public_ip=PUBLIC, port=1), make_logs(), None)
    assert {step.count for step in steps} == {512}
    assert [step.basis for step in steps] == [
        funnel.PLAN,
        funnel.NO_LOG,
        funnel.NO_NAT,
        funnel.NO_DESTINATION,
        funnel.NO_NAT,
    ]
    assert all(step.kept == () for step in steps)


def test_a_log_that_covers_and_has_nobody_leaves_nobody(office, ask):
    assert counts(narrow(ask(5, public_ip="203.0.113.6", port=1), office, None))["nat"] == 0


def test_without_a_plan_what_was_seen_is_everything(make_logs, nat_row, ask):
    logs = make_logs(settings=Settings(), nat=[nat_row("new", 0, "10.1.0.10")])
    steps = narrow(ask(5, public_ip=PUBLIC, port=20500), logs, None)
    assert counts(steps) == {"all": 1, "active": 1, "nat": 1, "contacted": 1, "device": 1}
    assert steps[0].basis == funnel.SEEN_ONLY


def test_an_inside_address_is_its_own_device(office, ask):
    steps = narrow(ask(5, client_ip="10.1.0.12"), office, None)
    assert (counts(steps)["device"], steps[-1].basis) == (1, funnel.BY_ADDRESS)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_the_counts_never_rise(make_logs, nat_row, ask, data):
    host = st.sampled_from(["10.1.0.10", "10.1.0.11", "10.2.0.7", "192.168.9.9"])
    second = st.integers(-500, 500)
    port = st.sampled_from([1, 2, None])
    sessions = data.draw(st.lists(st.tuples(host, second, st.sampled_from([1, 2])), max_size=6))
    rows = [nat_row("new", at, h, p, session=str(n)) for n, (h, at, p) in enumerate(sessions)]
    logs = make_logs(nat=rows)
    called = data.draw(st.none() | st.lists(host, max_size=3))
    question = ask(data.draw(second), public_ip=PUBLIC, port=data.draw(port), dst_ip="198.51.100.7")
    steps = narrow(question, logs, None if called is None else contacts(*called))
    numbers = [step.count for step in steps]
    assert numbers == sorted(numbers, reverse=True)
    assert all(len(s.kept) == s.count for s in steps if s.kept)
