"""Logs of DNS servers: what their samples do not show."""

from __future__ import annotations

import base64
import datetime as dt
import gzip
import sqlite3
from pathlib import Path
from typing import Any

import dns.message
import dns.rcode
import dns.rrset
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netaudit.config import Settings
from netaudit.errors import ConfigError
from netaudit.intake import times
from netaudit.intake.lines import Chunk
from netaudit.plugins import discover
from netaudit.records.evidence import Ledger
from netaudit.records.printed import text
from netaudit.records.schemas import conform
from netaudit.sources import Options, read
from netaudit.sources.formats import _date_order, pdns_recursor, pihole_ftl, unbound
from netaudit.sources.formats._endpoints import endpoints
from netaudit.sources.formats._wire import from_base64, from_hex, read_messages

FORMATS = discover("netaudit.sources.formats")
ONE_LINE = (
    "adguard_home", "bind_querylog", "coredns", "dnsdist", "dnstap", "dnstap_text", "mikrotik_dns", "passivedns",
    "pdns_recursor", "pihole_ftl", "technitium", "technitium_db", "tshark_ek", "tshark_fields", "unbound", "windows_dns_etw_csv",
    "windows_dns_etw_json",
)  # fmt: skip
SPANNING = ("dnscap_text", "umbrella", "windows_dns_debug", "windows_dns_etw_xml")
COLLECTED = dt.datetime(2026, 12, 1, tzinfo=dt.UTC)


def context(zone: str = "Asia/Shanghai", **options: str) -> times.Context:
    return times.Context(zone=times.parse_zone(zone), collected=COLLECTED, options=options)


def parse(name: str, lines: list[str], about: times.Context | None = None) -> Any:
    sizes = np.array([len(line.encode()) + 1 for line in lines], np.int64)
    chunk = Chunk(pa.array(lines, pa.string()), 1, np.zeros(0, np.int64), sizes)
    return FORMATS[name].open(about or context())(chunk)


def rows(name: str, lines: list[str], about: times.Context | None = None) -> list[dict[str, Any]]:
    found = []
    for part in parse(name, lines, about).rows:
        batch = conform(part.kind, part.columns, len(part.line))
        batch.validate(full=True)
        cells = {n: text(batch.column(n)).to_pylist() for n in batch.schema.names}
        found += [
            {"line": int(line), **{n: c[i] for n, c in cells.items()}} for i, line in enumerate(part.line)
        ]
    return sorted(found, key=lambda row: row["line"])


PIECES = sorted({
    piece
    for name in (*ONE_LINE, *SPANNING)
    for sample in FORMATS[name].samples
    for line in sample.text.split("\n")
    for piece in (line, line[: len(line) // 2], line[len(line) // 3 :])
})  # fmt: skip
HOSTILE = st.lists(
    st.one_of(
        st.sampled_from(PIECES),
        st.sampled_from(PIECES).map(lambda line: line.replace("1", "99999999999999999999")),
        st.builds(lambda line, at, junk: line[:at] + junk + line[at:], st.sampled_from(PIECES), st.integers(0, 90),
                  st.text(max_size=6)),
        st.text(max_size=60),
    ),
    max_size=12,
)  # fmt: skip


@pytest.mark.parametrize("name", ONE_LINE)
@settings(max_examples=25, deadline=None)
@given(lines=HOSTILE)
def test_any_lines_are_all_accounted_for(name, lines):
    lines = [line.replace("\n", " ") for line in lines]
    parsed = parse(name, lines)
    for part in parsed.rows:
        conform(part.kind, part.columns, len(part.line)).validate(full=True)
    used = [line for part in parsed.rows for line in part.line]
    used += [line for index in parsed.rejected.values() for line in index]
    assert len(used) == len(set(used))
    paired = name.startswith("tshark")  # two packets are one row
    assert len(used) + parsed.other == len(lines) or (paired and len(used) + parsed.other <= len(lines))


@pytest.mark.parametrize("name", SPANNING)
@settings(max_examples=25, deadline=None)
@given(lines=HOSTILE)
def test_any_lines_of_records_that_span_lines_never_fail(name, lines):
    parsed = parse(name, [line.replace("\n", " ") for line in lines])
    used = [line for part in parsed.rows for line in part.line]
    used += [line for index in parsed.rejected.values() for line in index]
    assert len(used) == len(set(used))
    assert 0 <= parsed.other <= len(lines)


def test_addresses_with_ports():
    words = [
        "10.0.0.1:53",
        "[fd00::1]:53",
        "fd00::1#53",
        "fd00::1@53",
        "10.0.0.1",
        "10.0.0.1:99999",
        "x:1",
        None,
    ]
    ip, port = endpoints(pa.array(words))
    assert text(ip).to_pylist() == [
        "10.0.0.1",
        "fd00::1",
        "fd00::1",
        "fd00::1",
        None,
        "10.0.0.1",
        None,
        None,
    ]
    assert port.to_pylist() == [53, 53, 53, 53, None, None, None, None]


def message(*answers: str, rcode: int = 0) -> bytes:
    query = dns.message.make_query("Www.example.org", "A")
    response = dns.message.make_response(query)
    response.set_rcode(rcode)
    for answer in answers:
        response.answer.append(dns.rrset.from_text("www.example.org.", 60, "IN", *answer.split(" ", 1)))
    return response.to_wire()


def test_wire_messages_are_read_as_dnspython_reads_them():
    held = [
        message("CNAME web.example.org.", "A 192.0.2.1"), None, b"", b"\0" * 5, message(rcode=dns.rcode.NXDOMAIN),
        dns.message.make_query("a.example", "HTTPS").to_wire(), b"x" * 70_000,
    ]  # fmt: skip
    found = read_messages(pa.array(held, pa.binary()))
    assert found.name.to_pylist() == [
        "www.example.org",
        None,
        None,
        None,
        "www.example.org",
        "a.example",
        None,
    ]
    assert found.qtype.to_pylist() == ["A", None, None, None, "A", "HTTPS", None]
    assert found.rcode.to_pylist() == ["NOERROR", None, None, None, "NXDOMAIN", None, None]
    assert found.answers.to_pylist() == [["web.example.org.", "192.0.2.1"], *[None] * 6]
    assert len(read_messages(pa.array([], pa.binary())).name) == 0


@given(st.lists(st.one_of(st.none(), st.binary(max_size=40)), max_size=8))
@settings(max_examples=50, deadline=None)
def test_octets_survive_both_encodings(values):
    kept = [value or None for value in values]
    in_hex = pa.array([None if v is None else v.hex() for v in values], pa.string())
    in_base64 = pa.array([None if v is None else base64.b64encode(v).decode() for v in values], pa.string())
    assert from_hex(in_hex).to_pylist() == kept
    assert from_base64(in_base64).to_pylist() == kept
    assert from_base64(pa.array(["AA", "A===", "é===", "AAAA AAAA"])).to_pylist() == [None] * 4


def packet(stamp: str, address: str = "10.0.0.7") -> str:
    return f"{stamp} 0E70 PACKET  00000000033397A0 UDP Rcv {address}  5b47   Q [0001   D   NOERROR] A      (1)a(0)"


@pytest.mark.parametrize(
    ("stamps", "first"),
    [
        (["3/4/2024 10:00:00", "13/4/2024 10:00:00"], "2024-04-03T02:00:00"),
        (["3/4/2024 10:00:00", "3/14/2024 10:00:00"], "2024-03-04T02:00:00"),
        (["3/4/2024 10:00:00", "4/4/2024 10:00:00", "5/4/2024 10:00:00"], "2024-04-03T02:00:00"),
        (["4/3/2024 10:00:00", "4/4/2024 10:00:00", "4/5/2024 10:00:00"], "2024-04-03T02:00:00"),
        (["12/11/2026 10:00:00"], "2026-11-12T02:00:00"),  # December has not come when it was collected
        (["3/4/2024 10:00:00 PM"], "2024-03-04T14:00:00"),
        (["03.04.2024 10:00:00"], "2024-04-03T02:00:00"),
        (["2024-04-03 10:00:00"], "2024-04-03T02:00:00"),
        (["20240403 10:00:00"], "2024-04-03T02:00:00"),
        (["2024/4/3 上午 12:00:05"], "2024-04-02T16:00:05"),
        (["2024/4/3 12:00:05 下午"], "2024-04-03T04:00:05"),
        (["2024/4/3 下午1:02:03"], "2024-04-03T05:02:03"),
    ],
)
def test_order_of_dates_is_decided_by_the_file(stamps, first):
    found = rows("windows_dns_debug", [packet(stamp) for stamp in stamps])
    assert found[0]["ts"].startswith(first)
    assert all(row["ts"] for row in found)


def test_dates_that_decide_nothing_are_asked_for():
    lines = [packet("3/4/2024 10:00:00"), packet("3/4/2024 10:00:01")]
    with pytest.raises(ConfigError) as caught:
        rows("windows_dns_debug", lines)
    assert caught.value.code == "date-order-missing"
    assert rows("windows_dns_debug", lines, context(date_order="dmy"))[0]["ts"].startswith("2024-04-03")
    assert rows("windows_dns_debug", lines, context(date_order="mdy"))[0]["ts"].startswith("2024-03-04")
    about = context()
    about.tolerant = True
    assert [row["ts"] for row in rows("windows_dns_debug", lines, about)] == [None, None]
    assert about.notes == {_date_order.UNDECIDED}


def test_order_of_dates_holds_for_later_chunks():
    order = _date_order.DateOrder(context())

    def year(text: str) -> str:
        part = {"date": pa.array([text]), "clock": pa.array(["10:00:00"])}
        nothing = pa.array([None], pa.string())
        return times_of(order.moments({**part, "before": nothing, "after": nothing}))

    assert year("13/4/2024").startswith("2024-04-13")
    assert year("3/4/2024").startswith("2024-04-03")


def times_of(column: pa.Array) -> str:
    return text(column)[0].as_py()


@pytest.mark.parametrize(
    ("name", "normal"),
    [
        ("(3)www(7)example(3)com(0)", "www.example.com"),
        (".www.Example.com.", "www.example.com"),
        ("(5)_ldap[C00C](4)_tcp(2)dc(0)", "_ldap._tcp.dc"),
        ("(4)a.(b(3)com(0)", "a\\.\\(b.com"),
        ("(6)we ird(3)com(0)", "we\\032ird.com"),
        ("(9)sh ort(3)com(0)", None),
        ("(0)", "."),
    ],
)
def test_names_of_the_windows_log(name, normal):
    line = packet("2024/04/03 10:00:00").replace("(1)a(0)", name)
    assert rows("windows_dns_debug", [line])[0]["name"] == normal


def test_upstream_servers_are_never_clients():
    line = packet("2024/04/03 10:00:00", "8.8.8.8")
    parsed = parse("windows_dns_debug", [line.replace("Rcv", "Snd"), line.replace("   Q [", " R Q [")])
    assert parsed.rows == []
    assert parsed.other == 2


def test_unbound_marks_names_that_lost_octets():
    about = context()
    found = rows("unbound", ["[1795363253] unbound[1:0] info: 10.0.0.1 a?b.test. A IN"], about)
    assert found[0]["name"] == "a?b.test"
    assert about.notes == {unbound.LOSSY}


def test_recursor_says_that_the_old_text_loses_names():
    about = context()
    line = "Nov 23 00:00:51 3 question answered from packet cache tag=0 from [fd00::1]:48921"
    found = rows("pdns_recursor", [line], about)
    assert (found[0]["client_ip"], found[0]["name"]) == ("fd00::1", None)
    assert pdns_recursor.NAMES_LOST in about.notes


def test_query_behind_a_proxy_is_the_clients():
    head = 'msg="Question" subsystem="syncres" level="0" prio="Info" tid="1" ts="1795363244.818" mtid="11" proto="udp"'
    line = f'{head} qname="a.test" qtype="A" remote="10.0.0.9:4000 (proxied by 127.0.0.1:5300)"'
    found = rows("pdns_recursor", [line])
    assert (found[0]["client_ip"], found[0]["client_port"]) == ("10.0.0.9", "4000")


def test_pihole_reads_the_view_and_what_privacy_hides(tmp_path):
    path = tmp_path / "pihole-FTL.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(
            "CREATE TABLE query_storage (id INTEGER, timestamp REAL, type INTEGER, status INTEGER, domain INTEGER, client INTEGER);"
            "CREATE TABLE domain_by_id (id INTEGER, domain TEXT); CREATE TABLE client_by_id (id INTEGER, ip TEXT);"
            "CREATE VIEW queries AS SELECT q.id, timestamp, type, status, d.domain domain, c.ip client FROM query_storage q "
            "JOIN domain_by_id d ON d.id = q.domain JOIN client_by_id c ON c.id = q.client;"
            "INSERT INTO domain_by_id VALUES (1, 'ads.example'), (2, 'hidden');"
            "INSERT INTO client_by_id VALUES (1, '10.0.0.7'), (2, '0.0.0.0');"
            "INSERT INTO query_storage VALUES (1, 1700000000.5, 2, 5, 1, 1), (2, 1700000001.0, 1, 2, 2, 2);"
        )
    connection.close()
    ledger = Ledger()
    packed = tmp_path / "copy.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    for source in (path, packed):
        (batch,) = read([str(source)], Settings(), ledger)
        assert text(batch.column("client_ip")).to_pylist() == ["10.0.0.7", None]
        assert text(batch.column("name")).to_pylist() == ["ads.example", None]
        assert text(batch.column("qtype")).to_pylist() == ["AAAA", "A"]
        assert text(batch.column("action")).to_pylist() == ["blocked", None]
    assert [entry.format for entry in ledger.files] == ["pihole_ftl", "pihole_ftl"]
    assert pihole_ftl.ANONYMOUS in ledger.files[0].notes


def test_pihole_joins_stations_over_chunks():
    parse_on = FORMATS["pihole_ftl"].open(context())

    def chunk(line: str) -> Chunk:
        return Chunk(pa.array([line]), 1, np.zeros(0, np.int64), np.zeros(1, np.int64))

    parse_on(chunk('{"#table":"network","id":1,"hwaddr":"00:11:22:33:44:55","interface":"eth0"}'))
    (found,) = parse_on(
        chunk('{"#table":"network_addresses","network_id":1,"ip":"10.1.0.6","lastSeen":9}')
    ).rows
    assert text(found.columns["client_mac"]).to_pylist() == ["00:11:22:33:44:55"]


def test_mdns_in_a_dissector_is_marked():
    head = "frame.time_epoch\tip.src\tip.dst\tudp.srcport\tudp.dstport\tdns.flags.response\tdns.qry.name\tdns.qry.type"
    found = rows(
        "tshark_fields", [head, "1795363240.5\t10.0.0.7\t224.0.0.251\t5353\t5353\tFalse\tp.local\t12"]
    )
    assert (found[0]["transport_detail"], found[0]["qtype"]) == ("mdns", "PTR")


def test_a_dissector_of_which_only_one_port_of_tcp_was_asked():
    head = "frame.time_epoch\tip.src\tip.dst\ttcp.srcport\tdns.id\tdns.flags.response\tdns.qry.name\tdns.qry.type\tdns.a"
    (found,) = rows(
        "tshark_fields",
        [
            head,
            "1795363240.5\t10.0.0.7\t10.0.0.53\t38189\t0x1\t0\t<Root>\t2\t",
            "1795363240.6\t10.0.0.53\t10.0.0.7\t53\t0x1\t1\t<Root>\t2\t192.0.2.1",
        ],
    )
    assert (found["name"], found["client_port"], found["answers"]) == (".", "38189", "192.0.2.1")


def test_dnscap_pairs_are_not_parted():
    lines = FORMATS["dnscap_text"].samples[0].text.split("\n")
    begins = FORMATS["dnscap_text"].starts(pa.array(lines * 2))
    assert np.flatnonzero(begins).tolist() == [0, len(lines)]


@pytest.mark.parametrize(
    ("folder", "least"),
    [
        ("adguard-home", 0), ("bind-querylog", 1.0), ("coredns", 1.0), ("passivedns", 1.0), ("pdns-recursor", 1.0),
        ("umbrella", 1.0), ("unbound", 1.0),
    ],
)  # fmt: skip
def test_shared_samples_are_recognised_and_read(shared, folder, least):
    for path in sorted((shared / "samples" / "dns" / folder).iterdir()):
        if path.name.endswith(".expected.csv"):
            continue
        ledger = Ledger()
        options = Options(timezone="UTC")
        count = sum(batch.num_rows for batch in read([str(path)], Settings(), ledger, options=options))
        expected = Path(f"{path}.expected.csv").read_text("utf-8").splitlines()[1:]
        assert ledger.errors == []
        assert count >= least * len(expected)
