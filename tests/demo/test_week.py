"""The demonstration's week: the same bytes each time, and files that agree with each other."""

import csv
import datetime as dt
import ipaddress
import json
import re
import shutil
import subprocess
import tomllib
from itertools import pairwise

import pytest

from netaudit import sources
from netaudit.config import read_settings
from netaudit.demo import SEED, write_week
from netaudit.demo.clock import HOUR, SECOND, ctime, local, moment
from netaudit.demo.incidents import GAP_US, make_schedule
from netaudit.demo.office import CASINO_ASSET, HALL, OWNERLESS_ASSET
from netaudit.demo.payloads import message_bytes
from netaudit.demo.week import NOTICED_PORT
from netaudit.demo.world import PHISHING, SITES, dns_messages
from netaudit.policy import check
from netaudit.policy.facts import gather, own_networks
from netaudit.policy.observed import Observed
from netaudit.policy.rule import read_rules
from netaudit.policy.verdict import Outcome
from netaudit.records.evidence import Ledger
from netaudit.records.schemas import concat, kind_of
from netaudit.resources import folder

CAPTURE = "evidence/capture/mirror.pcapng"


@pytest.fixture(scope="module")
def week(tmp_path_factory):
    return write_week(tmp_path_factory.mktemp("week"))


@pytest.fixture(scope="module")
def schedule():
    return make_schedule(SEED)


@pytest.fixture(scope="module")
def frames(week):
    """Every frame's octets and time, read by scapy; packet n is ``frames[n - 1]``."""
    from scapy.utils import RawPcapNgReader

    with RawPcapNgReader(str(week.capture)) as reader:
        return [(data, (meta.tshigh << 32) | meta.tslow, meta.ifname) for data, meta in reader]


def evidence(week, tag):
    return dict(week.key.answer(tag).evidence)


def lines_of(week, name, numbers):
    lines = (week.folder / name).read_text(encoding="utf-8").splitlines()
    return [lines[number - 1] for number in numbers]


def leases_of(week, name):
    """(address, start, end, MAC) of every active block."""
    block = re.compile(
        r"lease (\S+) \{\n  starts \d (\S+ \S+);\n  ends \d (\S+ \S+);\n  cltt [^\n]*\n"
        r"  binding state active;.*?hardware ethernet (\S+);",
        re.DOTALL,
    )
    for address, start, end, mac in block.findall((week.folder / name).read_text()):
        times = [dt.datetime.strptime(t, "%Y/%m/%d %H:%M:%S").replace(tzinfo=dt.UTC) for t in (start, end)]
        yield address, *times, mac


def test_same_seed_gives_same_bytes(week, tmp_path):
    again = write_week(tmp_path)
    for path in sorted(p for p in week.folder.rglob("*") if p.is_file()):
        assert path.read_bytes() == (again.folder / path.relative_to(week.folder)).read_bytes(), path


@pytest.mark.parametrize("seed", [1, 2])
def test_other_seed_has_the_same_incidents(week, seed):
    other = make_schedule(seed)
    tags = {one.tag for one in (*other.lookups, *other.connections, *other.stays) if one.tag}
    assert tags == {answer.tag for answer in week.key.answers}


def test_configuration_is_complete(week):
    settings = read_settings(week.configuration)
    for source in settings.source:
        assert (week.folder / source.path).is_file(), source.id
    assert {week.folder / source.path for source in settings.source} == set(week.evidence)
    short = [
        source.id for source in settings.source if source.retention_days and source.retention_days < 183
    ]
    assert short == ["dns-gov"]
    hall = next(segment for segment in settings.segment if segment.id == "service-hall")
    assert (hall.zone, hall.purpose) == ("gov_extranet", "guest")


def test_key_on_disk_is_the_key(week):
    key = json.loads(week.truth.read_text(encoding="utf-8"))
    assert key["notice"]["port"] == NOTICED_PORT
    assert [answer["tag"] for answer in key["answers"]] == [answer.tag for answer in week.key.answers]


def test_every_answer_is_in_its_files(week):
    for answer in week.key.answers:
        for name, numbers in answer.evidence:
            if name == CAPTURE:
                continue
            wanted = {
                *answer.clients,
                *answer.macs,
                *(mac.replace(":", "-").upper() for mac in answer.macs),
            }
            if name.endswith(".leases"):
                assert set(lines_of(week, name, numbers)) <= {f"lease {c} {{" for c in answer.clients}
            elif name.endswith("detail"):
                starts = lines_of(week, name, [number + 1 for number in numbers])
                assert all(line.startswith("\tAcct-Status-Type = ") for line in starts)
            else:
                for line in lines_of(week, name, numbers):
                    assert any(text in line for text in wanted), (answer.tag, name, line)


def test_flagged_visit_is_in_every_kind_of_file(week):
    assert set(evidence(week, "flagged-visit")) == {
        CAPTURE,
        "evidence/access/hall-ap.log",
        "evidence/dhcp/service-hall.leases",
        "evidence/dns/queries-gov.log",
        "evidence/nat/conntrack-gov.log",
    }
    answer = week.key.answer("flagged-visit")
    stations = lines_of(
        week, "evidence/access/hall-ap.log", evidence(week, "flagged-visit")["evidence/access/hall-ap.log"]
    )
    assert f"STA {answer.macs[0]} IEEE 802.11: associated (aid " in stations[1]
    assert int(answer.macs[0][1], 16) & 2, "the phone's address is a random one"
    at = dt.datetime.fromisoformat(answer.first_at)
    held = {
        mac
        for ip, start, end, mac in leases_of(week, "evidence/dhcp/service-hall.leases")
        if ip == answer.clients[0] and start <= at <= end
    }
    assert held == set(answer.macs)


def test_one_public_port_serves_three_phones_within_a_minute(week):
    new = re.compile(r"\[(\d+)\.\d+\]\t +\[NEW\] tcp [^=]* src=(\S+) dst=(\S+) .*dport=31877 id=")
    lines = (week.folder / "evidence/nat/conntrack-gov.log").read_text().splitlines()
    seen = [match.groups() for line in lines if (match := new.match(line))]
    assert [client for _, client, _ in seen] == [
        week.key.answer(tag).clients[0]
        for tag in ("port-reuse-before", "flagged-visit", "port-reuse-after")
    ]
    assert len({dst for _, _, dst in seen}) == 3
    assert [20 <= int(b) - int(a) <= 30 for (a, *_), (b, *_) in pairwise(seen)] == [True, True]


def test_no_lease_covers_the_lookup_in_the_gap(week):
    answer = week.key.answer("lookup-in-gap")
    at = dt.datetime.fromisoformat(answer.first_at)
    leases = list(leases_of(week, "evidence/dhcp/service-hall.leases"))
    assert not [lease for lease in leases if lease[0] == answer.clients[0] and lease[1] <= at <= lease[2]]
    begin, end = (local(at) for at in GAP_US)
    assert not [lease for lease in leases if begin <= lease[1] < end]
    starts = sorted(start for _, start, _, _ in leases)
    silences = [(a, b) for a, b in pairwise(starts) if b - a > dt.timedelta(hours=1)]
    assert len(silences) == 1, "the server's own devices keep it writing at all other times"
    assert evidence(week, "lookup-in-gap").keys() == {
        "evidence/dns/queries-gov.log",
        "evidence/access/hall-ap.log",
    }


def test_traceable_visit_has_lease_account_and_asset(week):
    answer = week.key.answer("traceable-visit")
    places = evidence(week, "traceable-visit")
    acks = lines_of(
        week,
        "evidence/dhcp/internet-offices-dnsmasq.log",
        places["evidence/dhcp/internet-offices-dnsmasq.log"],
    )
    assert f"DHCPACK(br-office) {answer.clients[0]} {answer.macs[0]} " in acks[0]
    start = places["evidence/access/radius-detail"][1]
    record = "\n".join(lines_of(week, "evidence/access/radius-detail", range(start, start + 17)))
    assert f'User-Name = "{answer.account}"' in record
    assert f"Framed-IP-Address = {answer.clients[0]}" in record
    assert all(
        answer.public[0].replace("203.0.113.9:", "dport=") in line
        for line in lines_of(
            week, "evidence/nat/conntrack-internet.log", places["evidence/nat/conntrack-internet.log"]
        )
    )
    row = next(row for row in inventory(week) if row["资产编号"] == CASINO_ASSET)
    assert (row["使用部门"], row["MAC地址"].lower()) == ("财务科", answer.macs[0])


def test_traceable_address_was_another_computers_the_day_before(week, schedule):
    answer = week.key.answer("traceable-visit")
    before = {
        stay.device.mac
        for stay in schedule.stays
        if stay.address == answer.clients[0] and stay.start_us < moment(5, "00:00:00")
    }
    assert len(before) == 1
    assert not before & set(answer.macs)


def inventory(week):
    with week.inventory.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_inventory_lacks_the_laptop_and_one_owner(week):
    macs = {row["MAC地址"].lower() for row in inventory(week)}
    assert len(macs) == len(inventory(week))
    assert not macs & set(week.key.answer("unregistered-device").macs)
    assert [row["资产编号"] for row in inventory(week) if not row["责任人"]] == [OWNERLESS_ASSET]


def test_nobody_shares_an_address(schedule):
    for stay, later in pairwise(sorted(schedule.stays, key=lambda stay: (stay.address, stay.start_us))):
        lease_us = stay.device.segment.lease_s * SECOND if stay.device.segment is HALL else 0
        assert stay.address != later.address or stay.end_us + lease_us < later.start_us


def test_all_names_and_addresses_are_reserved_ones(schedule):
    documentation = [ipaddress.ip_network(n) for n in ("192.0.2.0/24", "198.51.100.0/24", "2001:db8::/32")]
    for site in SITES:
        assert site.name.rpartition(".")[2] in {"example", "test", "invalid"}
        for address in filter(None, (site.ip, site.ip6)):
            assert any(ipaddress.ip_address(address) in network for network in documentation)
    assert {lookup.name.rpartition(".")[2] for lookup in schedule.lookups} <= {"example", "test", "invalid"}


def test_letter_names_the_visit(week):
    letter = week.letter.read_text(encoding="utf-8")
    for text in (
        "示网办通〔2026〕12号",
        "2026年11月4日14时05分许",
        "203.0.113.5",
        f"源端口 {NOTICED_PORT}",
        "flagged-site[.]example",
        "198.51.100.77",
        "5个工作日",
    ):
        assert text in letter


def test_messages_have_the_sizes_that_the_logs_count(schedule):
    kinds = {}
    for connection in schedule.connections[:400]:
        for message in connection.messages():
            kinds.setdefault((message.kind, connection.name), (message, connection.name))
    for message, name in kinds.values():
        assert len(message_bytes(message, name, bytes(1 << 14))) == message.size


def test_capture_agrees_with_key_and_session_log(week, frames):
    from scapy.layers.inet import IP, TCP
    from scapy.layers.l2 import Dot1Q, Ether
    from scapy.packet import Raw

    assert 6_000 < len(frames) < 13_000
    assert {name for *_, name in frames} == {b"gov", b"internet"}
    assert [at for _, at, _ in frames] == sorted(at for _, at, _ in frames)
    answer = week.key.answer("flagged-visit")
    packets = [Ether(frames[n - 1][0]) for n in evidence(week, "flagged-visit")[CAPTURE]]
    assert {packet[Dot1Q].vlan for packet in packets} == {HALL.vlan}
    tcp = [packet for packet in packets if TCP in packet]
    hello = next(bytes(packet[Raw]) for packet in tcp if Raw in packet)
    assert hello[:3] == b"\x16\x03\x01"
    assert b"flagged-site.example" in hello
    outward = [packet for packet in tcp if packet[IP].src == answer.clients[0]]
    counted = lines_of(
        week,
        "evidence/nat/conntrack-gov.log",
        evidence(week, "flagged-visit")["evidence/nat/conntrack-gov.log"],
    )[1]
    assert f"packets={len(outward)} bytes={sum(packet[IP].len for packet in outward)} " in counted
    assert {packet.src for packet in outward} == set(answer.macs)


def test_frames_are_what_scapy_would_have_made(frames):
    from scapy.layers.inet import IP, TCP, UDP
    from scapy.layers.inet6 import IPv6
    from scapy.layers.l2 import Ether

    for data, *_ in frames[::97]:
        again = Ether(data)
        network = again[IPv6] if IPv6 in again else again[IP]
        transport = network[TCP] if TCP in network else network[UDP]
        for layer, names in ((network, ("chksum", "len", "plen")), (transport, ("chksum", "len"))):
            for name in names:
                if name in layer.fields:
                    delattr(layer, name)
        assert bytes(again) == data


def test_blocked_name_is_nxdomain(week, frames):
    numbers = evidence(week, "blocked-lookup")[CAPTURE]
    assert len(numbers) == 4
    assert sum(frames[number - 1][0][42 + 4 + 3] & 15 == 3 for number in numbers) == 2
    import dns.message
    import dns.rcode

    assert (
        dns.message.from_wire(dns_messages(PHISHING, "A", edns=False, truncated=False)[1]).rcode()
        == dns.rcode.NXDOMAIN
    )


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_wireshark_finds_nothing_wrong(week):
    checks = [f"{p}.check_checksum:TRUE" for p in ("ip", "tcp", "udp")]
    wrong = "_ws.malformed || _ws.expert.severity >= 6291456 || tcp.analysis.flags"
    command = ["tshark", "-r", str(week.capture), *(x for c in checks for x in ("-o", c)), "-Y", wrong]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    assert found.stdout == ""


def test_stamps():
    at = moment(4, "14:01:13.250000")
    assert ctime(at) == "Wed Nov  4 14:01:13 2026"
    assert at % HOUR == 73_250_000
    assert tomllib.loads(f"at = {local(at).isoformat()}")["at"] == local(at)


def test_lists_hold_the_entries_that_the_key_names(week):
    named = [answer for answer in week.key.answers if answer.list_id]
    assert len(named) == 6
    for answer in named:
        shipped = folder("blocklists") / f"{answer.list_id}.toml"
        path = shipped if shipped.is_file() else week.folder / "lists" / f"{answer.list_id}.txt"
        assert answer.entry in path.read_text(encoding="utf-8")
        entry = answer.entry.strip("|^")
        assert all(name == entry or name.endswith(f".{entry}") for name in answer.names)


@pytest.fixture(scope="module")
def judged(week):
    """The week's files by id, and what the rules say of them without any list."""
    settings, ledger = read_settings(week.configuration), Ledger()
    observed, kept = Observed(own_networks(settings)), {}
    for batch in sources.read([str(path) for path in (*week.evidence, week.inventory)], settings, ledger):
        observed.add(batch)
        kept.setdefault(kind_of(batch), []).append(batch)
    tables = {kind: concat(kind, batches) for kind, batches in kept.items() if kind != "dns"}
    now = dt.datetime(2026, 11, 9, 1, tzinfo=dt.UTC)
    facts = gather(settings, ledger.files, observed, tables, (), now)
    files = {entry.id: str(entry.name) for entry in ledger.files}
    return files, check(facts, list(read_rules().values()), settings.policy, now=now)


@pytest.mark.parametrize("tag", ["unauthorised-resolver", "unregistered-device"])
def test_a_rule_finds_the_one_device_of_the_key(week, judged, tag):
    files, verdicts = judged
    answer = week.key.answer(tag)
    (found,) = [v for v in verdicts if v.rule == answer.rule and v.outcome is Outcome.VIOLATED]
    values = dict(found.values)
    assert (values["n"], values["segment_name"]) == ("1", "政务外网办公网段")
    assert values.get("resolvers", "") == ", ".join(answer.servers)
    assert found.first_seen == dt.datetime.fromisoformat(answer.first_at)
    key = {(name, number) for name, numbers in answer.evidence for number in numbers}
    assert any(
        files[e.file].endswith(name) and e.ordinal == number for e in found.evidence for name, number in key
    )


def test_encrypted_dns_is_not_denied_without_a_list(judged):
    outcomes = {v.outcome for v in judged[1] if v.rule == "NA-DNS-02"}
    assert outcomes == {Outcome.CANNOT_TELL}


def test_what_the_office_does_not_keep_is_found_and_named(week, judged):
    for answer in week.key.policy:
        (found,) = [v for v in judged[1] if (v.rule, v.subject) == (answer.rule, answer.subject)]
        assert found.outcome is Outcome.VIOLATED
        assert answer.named in ", ".join(value for _, value in found.values)
