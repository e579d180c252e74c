"""Grades: what the evidence shows of a listed destination, and no more than that."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netaudit.case.finding import Grade

PHONE, DESK, RESOLVER = "10.66.3.55", "10.66.1.20", "10.66.0.53"
BAD, BAD_IP = "bad.example", "198.51.100.77"


def test_a_query_log_shows_only_that_somebody_asked(office):
    finding = office.one(office.bind((0, PHONE, BAD)))
    assert (finding.grade, finding.title) == (Grade.ASKED, "Look-up of a listed destination")
    assert any("not a visit" in doubt for doubt in finding.doubts)


def test_an_answer_is_no_visit(office):
    assert office.one(office.dns((0, PHONE, BAD, [BAD_IP]))).grade is Grade.ANSWERED


@pytest.mark.parametrize("rcode", ["NXDOMAIN", "REFUSED"])
def test_refused_names_are_blocked(office, rcode):
    assert office.one(office.dns((0, PHONE, BAD, [], rcode))).grade is Grade.BLOCKED


@pytest.mark.parametrize("rcode", ["SERVFAIL", "NOERROR"])
def test_no_answer_is_asked(office, rcode):
    assert office.one(office.dns((0, PHONE, BAD, [], rcode))).grade is Grade.ASKED


@pytest.mark.parametrize("sink", ["0.0.0.0", "127.0.0.1", "::", "::1"])
def test_answers_of_a_sinkhole_are_blocked(office, sink):
    assert office.one(office.dns((0, PHONE, BAD, [sink]))).grade is Grade.BLOCKED


def test_blocked_by_the_filter(office):
    assert office.one(office.adguard((0, PHONE, BAD, "", True))).grade is Grade.BLOCKED


@pytest.mark.parametrize(
    ("what", "grade"),
    [
        ("data", Grade.EXCHANGED),
        ("shaken", Grade.CONNECTED),
        ("udp", Grade.EXCHANGED),
        ("udp out", Grade.ANSWERED),
        ("tried", Grade.ANSWERED),
        ("refused", Grade.ANSWERED),
    ],
)
def test_a_connection_to_the_answered_address(office, what, grade):
    files = office.dns((0, PHONE, BAD, [BAD_IP])), office.conn((2, PHONE, 50000, BAD_IP, what))
    assert office.one(*files).grade is grade


def test_the_order_of_the_files_says_nothing(office):
    files = [
        office.dns((0, PHONE, BAD, [BAD_IP])),
        office.conn((2, PHONE, 50000, BAD_IP, "data")),
        office.bind((0, PHONE, BAD)),
    ]
    found = [office.scan(*order).findings for order in itertools.permutations(files)]
    assert all(f == found[0] for f in found)
    assert found[0][0].grade is Grade.EXCHANGED


def test_evidence_names_the_connection_that_the_grade_rests_on(office):
    files = (
        office.dns((0, DESK, "good.example", []), (1, PHONE, BAD, [BAD_IP])),
        office.conn((2, DESK, 1, BAD_IP, "data"), (3, PHONE, 50000, BAD_IP, "data")),
    )
    result = office.scan(*files)
    dns, conn = (entry.id for entry in result.ledger.files)
    (finding,) = result.findings
    assert {(e.file, e.ordinal) for e in finding.evidence} == {(dns, 8), (conn, 8)}
    assert finding.count == 1


@pytest.mark.parametrize(
    ("client", "server", "seconds"),
    [
        (DESK, BAD_IP, 2),  # somebody else's connection
        (PHONE, "198.51.100.78", 2),  # another address
        (PHONE, BAD_IP, 3 * 3600),  # three hours after the answer
        (PHONE, BAD_IP, -3600),  # before it
    ],
)
def test_what_does_not_follow_from_the_answer(office, client, server, seconds):
    files = (
        office.dns((0, PHONE, BAD, [BAD_IP])),
        office.conn((seconds, client, 50000, server, "data")),
    )
    assert office.one(*files).grade is Grade.ANSWERED


def test_a_connection_that_names_something_else_is_no_visit(office):
    files = (
        office.dns((0, PHONE, BAD, [BAD_IP])),
        office.ssl((2, PHONE, 50000, BAD_IP, "shared-host.example")),
        office.conn((2, PHONE, 50000, BAD_IP, "data")),
    )
    for order in itertools.permutations(files):
        assert office.one(*order).grade is Grade.ANSWERED


def test_a_connection_that_names_the_listed_name(office):
    files = (
        office.dns((0, PHONE, BAD, [BAD_IP])),
        office.ssl((2.5, PHONE, 50000, BAD_IP, BAD)),
        office.conn((2, PHONE, 50000, BAD_IP, "data"), (4, PHONE, 50001, "192.0.2.1", "data")),
    )
    assert office.one(*files).grade is Grade.EXCHANGED


def test_one_other_name_does_not_hide_a_nameless_connection(office):
    files = (
        office.dns((0, PHONE, BAD, [BAD_IP])),
        office.ssl((2, PHONE, 50000, BAD_IP, "shared-host.example")),
        office.conn((2, PHONE, 50000, BAD_IP, "data"), (3, PHONE, 50001, BAD_IP, "shaken")),
    )
    assert office.one(*files).grade is Grade.CONNECTED


def test_a_handshake_without_data(office):
    finding = office.one(office.ssl((2, PHONE, 50000, BAD_IP, BAD)))
    assert (finding.grade, finding.title) == (Grade.CONNECTED, "Contact with a listed destination")
    assert any("not that data came back" in doubt for doubt in finding.doubts)


@pytest.mark.parametrize(("status", "grade"), [("200", Grade.EXCHANGED), ("-", Grade.CONNECTED)])
def test_web_requests(office, status, grade):
    assert office.one(office.http((0, PHONE, 50000, BAD_IP, BAD, status))).grade is grade


@pytest.mark.parametrize(
    ("what", "grade"),
    [
        ("data", Grade.EXCHANGED),
        ("shaken", Grade.CONNECTED),
        ("udp", Grade.EXCHANGED),
        ("udp out", Grade.ASKED),
        ("refused", Grade.ASKED),
    ],
)
def test_flows_to_a_listed_address(office, what, grade):
    office.listed(BAD_IP, id_="addresses", format_="ip-list")
    finding = office.one(office.conn((0, PHONE, 50000, BAD_IP, what)))
    assert (finding.grade, finding.destination) == (grade, BAD_IP)
    assert any("listing is of the address" in doubt for doubt in finding.doubts)
    attempt = any("attempt to connect" in doubt for doubt in finding.doubts)
    assert attempt == (grade is Grade.ASKED)


def test_a_forged_answer_accuses_no_internal_server(office):
    """A poisoned answer names an internal server; the listed name was asked for, and that is all."""
    result = office.scan(
        office.dns((0, PHONE, BAD, ["10.66.0.80"])), office.conn((5, DESK, 50000, "10.66.0.80", "data"))
    )
    (finding,) = result.findings
    assert (finding.subject, finding.destination, finding.grade) == (PHONE, BAD, Grade.ANSWERED)


def test_a_listed_resolver_is_itself_the_destination(office):
    office.listed(RESOLVER, id_="resolvers", format_="ip-list")
    files = (
        office.dns((0, PHONE, "good.example", ["192.0.2.9"]), (1, PHONE, "fine.example", [])),
        office.conn((2, PHONE, 50000, "192.0.2.9", "data")),
    )
    result = office.scan(*files)
    (finding,) = result.findings
    assert (finding.destination, finding.grade, finding.count) == (RESOLVER, Grade.EXCHANGED, 2)
    assert {e.file for e in finding.evidence} == {result.ledger.files[0].id}


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    asked=st.lists(st.tuples(st.integers(0, 5000), st.sampled_from([PHONE, DESK])), min_size=1, max_size=6),
    flows=st.lists(
        st.tuples(
            st.integers(0, 9000),
            st.sampled_from([PHONE, DESK]),
            st.sampled_from(["data", "shaken", "tried"]),
        ),
        max_size=6,
    ),
)
def test_the_grade_is_that_of_the_best_connection_in_time(office, asked, flows):
    """Against the rule written row by row: 60 s before to 600 s after an answer to this client."""
    files = (
        office.dns(*((s, client, BAD, [BAD_IP]) for s, client in asked)),
        office.conn(*((s, client, 50000 + n, BAD_IP, what) for n, (s, client, what) in enumerate(flows))),
    )
    worth = {"data": Grade.EXCHANGED, "shaken": Grade.CONNECTED, "tried": Grade.ANSWERED}
    order = list(Grade)
    wanted = {}
    for client in {client for _, client in asked}:
        follows = [
            worth[what]
            for s, who, what in flows
            for t, asker in asked
            if who == asker == client and -60 <= s - t <= 600
        ]
        wanted[client] = max([Grade.ANSWERED, *follows], key=order.index)
    assert {f.subject: f.grade for f in office.scan(*files).findings} == wanted
