"""Findings: one per device and destination, as grave as the list, the grade and the letter say."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from netaudit.case.finding import EVIDENCE_CAP, Grade, Severity
from netaudit.case.notice import Clue, Notice
from netaudit.config import Segment, Source
from netaudit.pipeline.destinations import SHORT_OF_NOTICE

PHONE, DESK, RESOLVER = "10.66.3.55", "10.66.1.20", "10.66.0.53"
BAD, BAD_IP, PUBLIC = "bad.example", "198.51.100.77", "203.0.113.5"
START = dt.datetime(2026, 11, 4, 6, 0, tzinfo=dt.UTC)
MAC, OTHER_MAC = "52:54:00:aa:00:01", "52:54:00:aa:00:02"


def notice(**changes):
    clue = Clue(
        at=START,
        until=START + dt.timedelta(minutes=1),
        precision_s=60,
        public_ip=PUBLIC,
        port=31877,
        transport="tcp",
        dst_ip=BAD_IP,
        dst_port=443,
        dst_name=BAD,
    )
    return Notice(clues=(replace(clue, **changes),))


def test_a_row_on_two_lists_is_one_event(office):
    office.listed(BAD, id_="worse", severity="high")
    office.listed("www.bad.example", id_="also")
    finding = office.one(office.bind((0, PHONE, "www.bad.example")))
    assert finding.count == 1
    assert finding.listed.list_id == "worse"
    assert finding.values == (("also_listed", "also: www.bad.example"), ("also_listed", "bad: bad.example"))
    assert len(finding.evidence) == 1


def test_the_list_entry_is_quoted_with_its_line_and_hash(office):
    finding = office.one(office.bind((0, PHONE, "a.bad.example")))
    assert (finding.listed.list_id, finding.listed.entry, finding.listed.line) == ("bad", BAD, 2)
    assert finding.listed.sha256 == office.lists[0].sha256
    assert finding.destination == "a.bad.example"


def test_one_finding_per_client_and_destination(office):
    log = office.bind(
        (0, PHONE, BAD), (5, PHONE, BAD), (6, DESK, BAD), (7, PHONE, "a.bad.example"), (9000, PHONE, BAD)
    )
    found = {(f.subject, f.destination): f for f in office.scan(log).findings}
    assert {k: f.count for k, f in found.items()} == {
        (PHONE, BAD): 3,
        (DESK, BAD): 1,
        (PHONE, "a.bad.example"): 1,
    }
    first = found[PHONE, BAD]
    assert (first.first_seen, first.last_seen) == (START, START + dt.timedelta(seconds=9000))


def test_the_same_log_and_capture_make_one_finding(office):
    files = (
        office.bind((0, PHONE, BAD)),
        office.dns((0.01, PHONE, BAD, [BAD_IP])),
        office.adguard((0.02, PHONE, BAD, BAD_IP, False)),
    )
    finding = office.one(*files)
    assert (finding.count, finding.grade) == (3, Grade.ANSWERED)
    assert len({e.file for e in finding.evidence}) == 3


def test_evidence_is_capped_and_the_count_is_not(office):
    finding = office.one(office.bind(*((n, PHONE, BAD) for n in range(50))))
    assert (finding.count, len(finding.evidence)) == (50, EVIDENCE_CAP)
    assert [e.ordinal for e in finding.evidence] == list(range(1, EVIDENCE_CAP + 1))


def test_two_devices_on_one_address_are_two_findings(office):
    """The address was lent again: each device answers for its own look-ups."""
    log = office.bind((0, PHONE, BAD), (40_000, PHONE, BAD))
    detail = office.accounting((-60, MAC, PHONE, "Start"), (3600, MAC, PHONE, "Stop"))
    detail += office.accounting((39_000, OTHER_MAC, PHONE, "Start"), (43_600, OTHER_MAC, PHONE, "Stop"))
    found = office.scan(log, office.file("detail", detail)).findings
    assert [f.trace.hops[0].candidates[0].value for f in found] == [MAC, OTHER_MAC]
    assert len({f.id for f in found}) == 2


def test_sites_with_the_same_addresses_stay_apart(office):
    office.settings = replace(
        office.settings,
        folder=office.folder,
        segment=(),
        source=(
            Source("east.log", site="east", timezone="UTC"),
            Source("west.log", site="west", timezone="UTC"),
        ),
    )
    office.bind((0, PHONE, BAD), name="east.log")
    office.bind((0, PHONE, BAD), (9, DESK, "good.example"), name="west.log")
    found = office.scan(office.folder / "east.log", office.folder / "west.log", timezone="").findings
    assert len({f.id for f in found}) == 2
    assert {f.trace.question.site for f in found} == {"east", "west"}


def test_a_row_without_site_counts_to_the_only_site_that_names_its_client(office):
    office.settings = replace(
        office.settings,
        folder=office.folder,
        segment=(),
        source=(Source("east.log", site="east", timezone="UTC"),),
    )
    files = office.bind((0, PHONE, BAD), name="east.log"), office.dns((1, PHONE, BAD, []))
    finding = office.one(*files, timezone="")
    assert (finding.count, finding.trace.question.site) == (2, "east")


@pytest.mark.parametrize(
    ("listed", "kind", "wanted"),
    [
        ("high", "asked", Severity.MEDIUM),
        ("high", "connected", Severity.HIGH),
        ("low", "asked", Severity.LOW),
        ("critical", "blocked", Severity.LOW),
        ("critical", "exchanged", Severity.CRITICAL),
    ],
)
def test_severity_by_list_and_grade(office, listed, kind, wanted):
    office.lists.clear()
    office.listed(BAD, severity=listed)
    files = {
        "asked": [office.bind((0, PHONE, BAD))],
        "blocked": [office.dns((0, PHONE, BAD, [], "NXDOMAIN"))],
        "connected": [office.ssl((0, PHONE, 50000, BAD_IP, BAD))],
        "exchanged": [
            office.ssl((0, PHONE, 50000, BAD_IP, BAD)),
            office.conn((0, PHONE, 50000, BAD_IP, "data")),
        ],
    }[kind]
    finding = office.one(*files)
    assert (finding.grade.value, finding.severity) == (kind, wanted)


def visit(office, public=31877):
    return (
        office.dns((5, PHONE, BAD, [BAD_IP])),
        office.conn((6, PHONE, 50000, BAD_IP, "data")),
        office.nat((6, PHONE, 50000, BAD_IP, public), (8, DESK, 50100, "192.0.2.5", 31878)),
    )


def test_the_visit_that_the_letter_names_is_critical(office):
    found = office.scan(*visit(office), notice=notice()).findings
    assert [(f.subject, f.severity, f.from_notice) for f in found] == [(PHONE, Severity.CRITICAL, True)]
    assert SHORT_OF_NOTICE not in found[0].doubts


@pytest.mark.parametrize(
    "changes",
    [{"port": 40000}, {"public_ip": "203.0.113.6"}, {"port": None, "dst_ip": "", "dst_port": None}],
)
def test_what_the_translation_does_not_lead_to_is_not_certain(office, changes):
    if changes.get("public_ip"):
        office.settings = replace(
            office.settings, unit=replace(office.settings.unit, egress=(PUBLIC, "203.0.113.6"))
        )
    found = office.scan(*visit(office), notice=notice(**changes)).findings
    assert [f.from_notice for f in found] == [False]
    assert SHORT_OF_NOTICE in found[0].doubts
    assert found[0].severity is not Severity.CRITICAL


def test_without_a_translation_log_nothing_is_certain(office):
    found = office.scan(*visit(office)[:2], notice=notice()).findings
    assert [f.from_notice for f in found] == [False]
    assert SHORT_OF_NOTICE in found[0].doubts


@pytest.mark.parametrize("seconds", [-3600, 3600])
def test_another_time_is_another_visit(office, seconds):
    at = START + dt.timedelta(seconds=seconds)
    found = office.scan(*visit(office), notice=notice(at=at, until=at + dt.timedelta(minutes=1))).findings
    assert [f.from_notice for f in found] == [False]
    assert SHORT_OF_NOTICE not in found[0].doubts


def test_somebody_elses_visit_in_the_same_minute_is_not_accused(office):
    files = (
        office.dns((5, PHONE, BAD, [BAD_IP]), (9, DESK, BAD, [BAD_IP])),
        office.conn((6, PHONE, 50000, BAD_IP, "data"), (10, DESK, 50200, BAD_IP, "data")),
        office.nat((6, PHONE, 50000, BAD_IP, 31877), (10, DESK, 50200, BAD_IP, 31999)),
    )
    found = {f.subject: f for f in office.scan(*files, notice=notice()).findings}
    assert (found[PHONE].from_notice, found[DESK].from_notice) == (True, False)
    assert SHORT_OF_NOTICE in found[DESK].doubts


def test_a_blocked_look_up_is_never_the_visit(office):
    files = (office.dns((5, PHONE, BAD, [], "NXDOMAIN")), office.nat((6, PHONE, 50000, BAD_IP, 31877)))
    (finding,) = office.scan(*files, notice=notice()).findings
    assert (finding.grade, finding.severity) == (Grade.BLOCKED, Severity.LOW)


def test_findings_come_gravest_first_and_the_letters_before_all(office):
    office.listed("worse.example", id_="worse", severity="critical")
    files = (
        *visit(office),
        office.ssl((0, DESK, 1, "192.0.2.9", "worse.example")),
        office.bind((0, DESK, "a.bad.example")),
    )
    found = office.scan(*files, notice=notice()).findings
    assert [f.from_notice for f in found] == [True, False, False]
    ranks = [f.severity.rank for f in found[1:]]
    assert ranks == sorted(ranks, reverse=True)


def test_the_place_comes_from_the_segment(office):
    office.settings = replace(office.settings, segment=(Segment("hall", ("10.66.3.0/24",)),))
    assert dict(office.one(office.bind((0, PHONE, BAD))).place) == {"segment": "hall"}


def test_equal_evidence_gives_equal_findings(office):
    files = visit(office)
    assert office.scan(*files).findings == office.scan(*files).findings


def test_allowed_names_are_counted_and_no_findings(office):
    office.listed("fine.bad.example", id_="ours", allow=True, reason="our own")
    result = office.scan(office.bind((0, PHONE, "fine.bad.example"), (1, PHONE, "x.bad.example")))
    assert [f.destination for f in result.findings] == ["x.bad.example"]
    assert result.allowed == 1


def test_look_alikes_are_no_findings(office):
    log = office.bind(
        (0, PHONE, "notbad.example"),
        (1, PHONE, "bad.example.evil.test"),
        (2, PHONE, "xn--bd-mia.example"),
        (3, PHONE, "bad.examples"),
    )
    result = office.scan(log)
    assert result.findings == ()
    assert result.ledger.complete


def test_a_capture_shows_look_up_handshake_and_data(office):
    from scapy.all import DNS, DNSQR, DNSRR, IP, TCP, UDP, Ether, raw
    from scapy.utils import wrpcap

    up, down = IP(src=PHONE, dst=BAD_IP), IP(src=BAD_IP, dst=PHONE)
    there, back = {"sport": 50000, "dport": 80}, {"sport": 80, "dport": 50000}
    ask = DNS(id=7, qd=DNSQR(qname=BAD))
    answer = DNS(id=7, qr=1, qd=DNSQR(qname=BAD), an=DNSRR(rrname=BAD, rdata=BAD_IP))
    request = b"GET / HTTP/1.1\r\nHost: bad.example\r\n\r\n"
    frames = [
        IP(src=PHONE, dst=RESOLVER) / UDP(sport=4000, dport=53) / ask,
        IP(src=RESOLVER, dst=PHONE) / UDP(sport=53, dport=4000) / answer,
        up / TCP(**there, flags="S", seq=1),
        down / TCP(**back, flags="SA", seq=1, ack=2),
        up / TCP(**there, flags="PA", seq=2, ack=2) / request,
        down
        / TCP(**back, flags="PA", seq=2, ack=2 + len(request))
        / b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    ]
    for number, frame in enumerate(frames):
        frames[number] = Ether(raw(Ether(src=MAC, dst=OTHER_MAC) / frame))
        frames[number].time = START.timestamp() + number
    wrpcap(str(office.folder / "mirror.pcap"), frames)
    finding = office.one(office.folder / "mirror.pcap")
    assert (finding.grade, finding.destination, finding.subject) == (Grade.EXCHANGED, BAD, PHONE)
    assert finding.first_seen == START
    assert {e.ordinal for e in finding.evidence} >= {5}
