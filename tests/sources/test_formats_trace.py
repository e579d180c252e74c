"""The formats of the walk-back: sessions, leases, stations, inventories."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netaudit.errors import ConfigError
from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat
from netaudit.intake.times import Context, parse_zone
from netaudit.records.addresses import format_ip, format_mac
from netaudit.records.schemas import IP, MAC, TIMESTAMP, conform
from netaudit.sources.formats import (
    asset_table,
    conntrack,
    dnsmasq_leases,
    freeradius_detail,
    hostapd,
    isc_dhcpd_log,
    isc_leases,
    kea_leases,
    radacct,
)

FORMATS = {
    module.__name__.rpartition(".")[2]: module.FORMAT
    for module in (
        asset_table,
        conntrack,
        dnsmasq_leases,
        freeradius_detail,
        hostapd,
        isc_dhcpd_log,
        isc_leases,
        kea_leases,
        radacct,
    )
}
COLLECTED = dt.datetime(2026, 11, 30, tzinfo=dt.UTC)
EVERY = pytest.mark.parametrize("name", sorted(FORMATS))


def context(zone: str = "Asia/Shanghai", **options: str) -> Context:
    return Context(name="log", zone=parse_zone(zone), collected=COLLECTED, options=options)


def chunk(lines: list[str], first: int, last: bool) -> Chunk:
    sizes = np.array([len(x.encode()) + 1 for x in lines])
    sizes[-1] -= last  # the file does not end with a line end
    return Chunk(pa.array(lines, pa.string()), first, np.zeros(0, np.int64), sizes)


def printed(column: pa.Array) -> list:
    """Cells as they are printed."""
    if column.type == TIMESTAMP:
        nanos = column.cast(pa.int64()).to_pylist()
        return [n if n is None else f"{np.datetime64(n, 'ns')}Z" for n in nanos]
    forms = {IP: format_ip, MAC: format_mac}
    form = forms.get(column.type, lambda value: value)
    return [None if value is None else form(value) for value in column.to_pylist()]


def read(format_: LogFormat, lines: list[str], ctx: Context | None = None, size: int = 0):
    """All records with their line numbers, and all refused line numbers, in chunks of about `size` lines."""
    parse = format_.open(ctx or context())
    rows, refused = [], set()
    for piece in pieces(format_, lines, size or len(lines)):
        parsed = parse(piece)
        for got in parsed.rows:
            batch = conform(got.kind, got.columns, len(got.line))
            cells = {name: printed(batch.column(name)) for name in batch.schema.names}
            rows += [
                {"kind": got.kind, "line": piece.first + int(line), **{n: c[i] for n, c in cells.items()}}
                for i, line in enumerate(got.line)
            ]
        for index in parsed.rejected.values():
            assert len(index)
            refused |= {piece.first + int(i) for i in index}
        assert all(0 <= line < len(piece.lines) for got in parsed.rows for line in got.line)
    assert not refused & {row["line"] for row in rows}
    return sorted(rows, key=str), sorted(refused)


def pieces(format_: LogFormat, lines: list[str], size: int):
    """Chunks as the reader makes them: cut before the last beginning of a record."""
    held: list[str] = []
    first = 1
    for start in range(0, len(lines), size):
        held += lines[start : start + size]
        cut = len(held)
        if format_.starts is not None:
            marks = np.flatnonzero(format_.starts(pa.array(held, pa.string())))
            cut = int(marks[-1]) if marks.size else 0
        if cut:
            yield chunk(held[:cut], first, cut == len(held) and start + size >= len(lines))
            first += cut
            held = held[cut:]
    if held:
        yield chunk(held, first, last=True)


def sample_lines(name: str) -> list[str]:
    """A file of this format: its samples one after another."""
    text = "\n".join(
        s.text.rstrip("\n") + ("\n" if name == "freeradius_detail" else "") for s in FORMATS[name].samples
    )
    return text.split("\n")


@EVERY
def test_samples_become_what_they_say(name):
    for sample in FORMATS[name].samples:
        rows, _ = read(FORMATS[name], sample.text.split("\n"), context(sample.timezone))
        rows.sort(key=lambda row: row["line"])
        assert len(rows) == len(sample.records), sample.note
        for want in sample.records:
            assert any(all(row[cell] == value for cell, value in want.items()) for row in rows), (
                want,
                rows,
            )


@EVERY
def test_only_its_own_format_claims_a_sample(name):
    for sample in FORMATS[name].samples:
        lines = sample.text.split("\n")
        claims = [other for other, format_ in FORMATS.items() if format_.sniff(lines) > 0.5]
        assert claims == [name] or (not sample.records and not claims)


@EVERY
@pytest.mark.parametrize("size", [1, 3, 17])
def test_chunk_boundaries_do_not_show(name, size):
    lines = sample_lines(name)
    assert read(FORMATS[name], lines, size=size) == read(FORMATS[name], lines)


@EVERY
def test_any_cut_gives_only_records_that_the_whole_has(name):
    lines = [x for s in FORMATS[name].samples if s.records for x in [*s.text.rstrip("\n").split("\n"), ""]]
    whole = {str(row | {"line": 0}) for row in read(FORMATS[name], lines)[0]}
    for start in range(0, len(lines), 3):
        for row in read(FORMATS[name], lines[start:])[0]:
            assert str(row | {"line": 0}) in whole


@EVERY
def test_a_torn_last_line_invents_nothing(name):
    sample = next(s for s in FORMATS[name].samples if s.records)
    text = sample.text.rstrip("\n")
    known = {
        value
        for row in read(FORMATS[name], text.split("\n"))[0]
        for value in row.values()
        if value is not None
    }
    for cut in range(len(text) // 2, len(text), 3):
        rows, _ = read(FORMATS[name], text[:cut].split("\n"))
        for row in rows:
            for cell in ("ts", "client_ip", "client_mac", "public_ip", "public_port"):
                assert row.get(cell) is None or row[cell] in known, (cell, row)


@EVERY
def test_hostile_lines(name):
    mebibyte = "x" * (1 << 20)
    rows, _ = read(
        FORMATS[name],
        [
            "",
            "\x00",
            mebibyte,
            '"' + mebibyte,
            "src=" * 1000,
            "[" * 5000,
            "{\n}"[:1],
            "DHCPACK on  to  via ",
            '"","',
            "lease  {",
            "}" * 50,
            ",".join(["a"] * 10_000),
            "\\" * 999,
            "٣" * 50,
            "1 2 3 4 5",
            "\ufeff",
            "A" * 300 + "=" + '"' * 301,
        ],
    )
    assert rows == []


@EVERY
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_damaged_samples_never_raise(name, data):
    lines = sample_lines(name)
    at = data.draw(st.integers(0, len(lines) - 1))
    cut = data.draw(st.integers(0, len(lines[at])))
    junk = data.draw(
        st.text(alphabet=st.characters(exclude_characters="\n\r", exclude_categories=("Cs",)), max_size=20)
    )
    lines[at] = lines[at][:cut] + junk + lines[at][cut + len(junk) :]
    read(FORMATS[name], lines, size=data.draw(st.integers(1, 40)))


@EVERY
def test_nothing_at_all(name):
    assert FORMATS[name].sniff([]) <= 0.5
    assert FORMATS[name].sniff([""]) <= 0.5
    assert read(FORMATS[name], [""]) == ([], [])


# conntrack


def flow(**change: str) -> str:
    parts = {
        "proto": "tcp      6 120 SYN_SENT",
        "src": "10.1.0.5",
        "dst": "198.51.100.9",
        "sp": "4000",
        "dp": "443",
        "rsrc": "198.51.100.9",
        "rdst": "203.0.113.9",
        "rsp": "443",
        "rdp": "1024",
    } | change
    return (
        "[1795364369.438768]\t    [NEW] {proto} src={src} dst={dst} sport={sp} dport={dp} [UNREPLIED] "
        "src={rsrc} dst={rdst} sport={rsp} dport={rdp} id=1"
    ).format(**parts)


def test_hairpin_keeps_the_opener_inside():
    line = flow(dst="203.0.113.9", dp="8080", rsrc="10.1.0.80", rsp="80", rdst="10.1.0.1", rdp="4000")
    (row,), _ = read(conntrack.FORMAT, [line])
    assert (row["client_ip"], row["server_ip"], row["public_ip"]) == ("10.1.0.5", "203.0.113.9", "10.1.0.1")


def test_port_translation_alone_is_a_translation():
    (row,), _ = read(conntrack.FORMAT, [flow(src="203.0.113.9")])
    assert (row["public_ip"], row["public_port"]) == ("203.0.113.9", 1024)


@pytest.mark.parametrize(
    "change", [{"sp": "65536"}, {"rdp": "999999999999"}, {"src": "10.1.0"}, {"rdst": "1.2.3.4.5"}]
)
def test_a_flow_with_a_part_that_is_none_is_refused(change):
    assert read(conntrack.FORMAT, [flow(**change)]) == ([], [1])


def test_an_expectation_is_no_flow():
    line = "[1795364369.4]\t    [NEW] 300 proto=6 src=10.1.0.1 dst=10.1.0.2 sport=0 dport=40 mask-src=255.255.255.255"
    assert read(conntrack.FORMAT, [line]) == ([], [])


def test_a_protocol_without_ports():
    line = (
        "    [NEW] gre      47 30 src=10.1.0.5 dst=198.51.100.9 srckey=0x0 dstkey=0x5 [UNREPLIED] src=198.51.100.9 "
        "dst=203.0.113.9 srckey=0x5 dstkey=0x0 id=9"
    )
    (row,), _ = read(conntrack.FORMAT, [line])
    assert (row["ts"], row["transport"], row["client_port"], row["public_ip"]) == (
        None,
        "gre",
        None,
        "203.0.113.9",
    )


# leases


def test_a_block_without_its_end_is_refused_in_the_middle_too():
    lines = [
        "lease 10.1.0.1 {",
        "  starts 0 2026/11/22 16:07:36;",
        "lease 10.1.0.2 {",
        "  binding state free;",
        "}",
    ]
    rows, refused = read(isc_leases.FORMAT, lines)
    assert [row["client_ip"] for row in rows] == ["10.1.0.2"]
    assert refused == [1]


def test_the_end_of_a_block_alone_is_refused():
    assert read(isc_leases.FORMAT, ["  binding state active;", "}", "lease 10.1.0.2 {", "}"])[1] == [1]


def test_a_host_block_lends_nothing_to_the_lease_before_it():
    lines = ["lease 10.1.0.2 {", "}", "host a {", "  hardware ethernet 52:54:00:aa:00:09;", "}"]
    (row,), _ = read(isc_leases.FORMAT, lines)
    assert row["client_mac"] is None


def test_escapes_do_not_break_out_of_a_name():
    lines = ["lease 10.1.0.2 {", r'  client-hostname "a\"; } \012lease 10.9.9.9 {";', "}"]
    (row,), _ = read(isc_leases.FORMAT, lines)
    assert row["client_ip"] == "10.1.0.2"
    assert row["hostname"] == 'a"; } \nlease 10.9.9.9 {'


def test_several_addresses_of_one_association():
    lines = [
        'ia-na "\\001\\000\\000\\000\\000\\003\\000\\001RT\\000\\314\\000\\002" {',
        "  cltt 2 2026/11/22 16:55:37;",
    ]
    for last in "12":
        lines += [f"  iaaddr 2001:db8::{last} {{", "    binding state active;", "    ends never;", "  }"]
    rows, refused = read(isc_leases.FORMAT, [*lines, "}"])
    assert [(r["line"], r["client_ip"], r["client_mac"], r["ts_end"]) for r in rows] == [
        (3, "2001:db8::1", "52:54:00:cc:00:02", None),
        (7, "2001:db8::2", "52:54:00:cc:00:02", None),
    ]
    assert not refused
    assert read(isc_leases.FORMAT, lines) == ([], [3, 7])


def test_leap_day_without_a_year():
    line = "Feb 29 10:00:00 gw dhcpd: DHCPACK on 10.1.0.1 to 52:54:00:aa:00:01 via eth0"
    (row,), _ = read(isc_dhcpd_log.FORMAT, [line], context("UTC"))
    assert row["ts"] == "2024-02-29T10:00:00.000000000Z"
    (row,), _ = read(isc_dhcpd_log.FORMAT, [line.replace("Feb 29", "Feb 30")], context("UTC"))
    assert row["ts"] is None


def test_a_local_time_needs_a_zone():
    ctx = Context(name="log", collected=COLLECTED)
    with pytest.raises(ConfigError):
        read(
            isc_dhcpd_log.FORMAT,
            ["Nov 29 10:00:00 gw dhcpd: DHCPACK on 10.1.0.1 to 52:54:00:aa:00:01 via eth0"],
            ctx,
        )


def test_kea_takes_each_file_s_own_header():
    old = "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state"
    lease = "10.1.0.{0},52:54:00:aa:00:0{0},,40,1795363694,7,0,0,pc,0"
    new = old + ",user_context"
    rows, refused = read(
        kea_leases.FORMAT,
        [lease.format(1), old, lease.format(2), new, lease.format(3) + ',{ "a": 1 &#x2c "b": 2 }'],
    )
    assert [row["client_ip"] for row in rows] == ["10.1.0.2", "10.1.0.3"]
    assert refused == [1]


# stations


def test_detail_without_the_server_s_stamp_uses_its_header():
    text = 'Mon Nov 23 00:19:21 2026\n\tAcct-Status-Type = Start\n\tAcct-Session-Id = "1"\n\n'
    (row,), _ = read(freeradius_detail.FORMAT, text.split("\n"))
    assert row["ts"] == "2026-11-22T16:19:21.000000000Z"


def test_detail_never_keeps_a_password():
    text = (
        'Mon Nov 23 00:19:21 2026\n\tPacket-Type = Access-Request\n\tUser-Name = "lisi"\n\tUser-Password = "hunter2"\n'
        "\tTimestamp = 1795364361\n\n"
    )
    rows, _ = read(freeradius_detail.FORMAT, text.split("\n"))
    assert rows[0]["message"] == "access-request"
    assert "hunter2" not in str(rows)


@pytest.mark.parametrize(
    ("called", "place"),
    [
        ("00-1A-1E-AA-BB-C0:GOV:X", ("00:1a:1e:aa:bb:c0", "GOV:X", None)),
        ("001a.1eaa.bbc0", ("00:1a:1e:aa:bb:c0", None, None)),
        ("ap-3f-012:GOV", (None, "GOV", "ap-3f-012")),
        ("12345", (None, None, None)),
    ],
)
def test_called_station(called, place):
    text = f'Mon Nov 23 00:19:21 2026\n\tAcct-Status-Type = Stop\n\tCalled-Station-Id = "{called}"\n\tTimestamp = 1795364361'
    (row,), _ = read(freeradius_detail.FORMAT, text.split("\n"))
    assert (row["bssid"], row["ssid"], row["ap_name"]) == place


def test_hostapd_places_come_from_the_source():
    ctx = context(
        **{
            "ssid.wlan1": "GOV",
            "ap.wlan1": "ap-1",
            "bssid.wlan1": "00:1a:1e:aa:bb:c0",
            "ssid.ap-9/wlan1": "GUEST",
        }
    )
    line = "2023-08-17T22:58:45+08:00 {}hostapd: wlan1: AP-STA-CONNECTED 2a:85:8f:00:00:e3"
    rows, _ = read(hostapd.FORMAT, [line.format("ap-9 "), line.format("")], ctx)
    assert sorted((r["ssid"], r["ap_name"], r["bssid"]) for r in rows) == [
        ("GOV", "ap-1", "00:1a:1e:aa:bb:c0"),
        ("GUEST", "ap-1", "00:1a:1e:aa:bb:c0"),
    ]


def test_hostapd_reads_the_router_s_leases():
    line = "Thu Aug 17 22:58:45 2023 daemon.info dnsmasq-dhcp[1]: DHCPACK(br-lan) 192.168.3.9 2a:85:8f:00:00:e3 phone"
    (row,), _ = read(hostapd.FORMAT, [line])
    assert (row["kind"], row["message"], row["client_ip"], row["hostname"]) == (
        "dhcp",
        "ack",
        "192.168.3.9",
        "phone",
    )


# inventories


def test_a_later_header_takes_over_and_a_new_sheet_forgets_it():
    rows, refused = read(
        asset_table.FORMAT,
        ["IP地址,MAC地址", "10.1.0.1,", "资产编号;计算机名", "A-1;pc-1", "\fnotes,of nobody", "10.1.0.2,x"],
    )
    assert [(r["line"], r["ip"], r["asset"]) for r in rows] == [(2, "10.1.0.1", None), (4, None, "A-1")]
    assert refused == [6]


def test_titles_and_totals_are_no_assets():
    lines = [
        "资产登记表,,",
        "单位：,综合科,填表人：李四",
        "IP,MAC,使用人",
        "10.1.0.1,,张三",
        "合计：,1,",
        ",,",
    ]
    rows, refused = read(asset_table.FORMAT, lines)
    assert [row["line"] for row in rows] == [4]
    assert not refused


def test_a_table_without_a_header_is_refused():
    assert read(asset_table.FORMAT, ["10.1.0.1,x"]) == ([], [1])
    assert read(asset_table.FORMAT, ["pc,x"] * 32) == ([], [31, 32])


def test_doubtful_cells_are_left_out_and_noted():
    ctx = context()
    lines = [
        "主机名,IP,MAC,停用日期",
        "a,10.1.1.5-20,00:1E:10,45413",
        "b,10.1.1.9/24,ff-ff-ff-ff-ff-ff,2026年3月1日",
    ]
    rows, _ = read(asset_table.FORMAT, lines, ctx)
    whole = {f"10.1.1.{host}" for host in range(5, 21)}
    assert [(r["ip"], r["mac"], r["ts_end"]) for r in rows] == [
        *((address, None, "2024-04-30T16:00:00.000000000Z") for address in sorted(whole)),
        ("10.1.1.9", None, "2026-02-28T16:00:00.000000000Z"),
    ]
    assert ctx.notes == {asset_table.BAD_MAC, asset_table.SERIAL}


@pytest.mark.parametrize(
    "header",
    [
        "Time,Source IP,Destination IP,User",
        "ID,Date,Time,Description,IP Address,Host Name,MAC Address",
        "name,unit",
        "时间,用户,IP地址,MAC地址,URL",
        "auth: User, mac-02:00:00:00:00:02, IP-1.2.3.4, role-x",
    ],
)
def test_a_log_is_no_inventory(header):
    assert asset_table.FORMAT.sniff([header, "1,2,3,4,5,6,7"]) <= 0.5


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from(['a,"b', 'c",d', "e,f", '"g"', 'x 5" y', ""]), max_size=80))
def test_quoted_line_breaks_are_cut_alike_everywhere(lines):
    lines = ["计算机名,IP", *lines]
    assert read(asset_table.FORMAT, lines, size=7) == read(asset_table.FORMAT, lines)


# the reference data

REFERENCE = (
    ("nat/linux-conntrack/conntrack-E-new-destroy-ktimestamp.log", "conntrack", 0),
    ("nat/linux-conntrack/conntrack-E-timestamp-id-extended.log", "conntrack", 0),
    ("nat/linux-conntrack/conntrack-L-extended.txt", "conntrack", 0),
    ("dhcp/isc-dhcpd/dhcpd.leases", "isc_leases", 0),
    ("dhcp/isc-dhcpd/debian7.leases", "isc_leases", 0),
    ("dhcp/isc-dhcpd/backup.leases", "isc_leases", 0),
    ("dhcp/isc-dhcpd/dhcpd-messages.log", "isc_dhcpd_log", 0),
    ("dhcp/efficientip/efficientip-dhcp.log", "isc_dhcpd_log", 0),
    ("dhcp/kea-memfile/kea-leases4.csv", "kea_leases", 0),
    (
        "dhcp/kea-memfile/kea-leases6.csv",
        "kea_leases",
        3,
    ),  # a delegated prefix is written without its length
    ("dhcp/dnsmasq/dnsmasq.leases", "dnsmasq_leases", 1),  # "*" is no client id
    ("access/freeradius-detail/detail-20261123.10.9.0.2", "freeradius_detail", 1),  # the delay is taken off
    ("access/freeradius-radacct/radacct.csv", "radacct", 0),
    ("access/hostapd/openwrt-hostapd-ft-roam.log", "hostapd", 2),  # a lease is a `dhcp` record
    ("assets/netalertx/devices-from-upstream-test.csv", "asset_table", 0),
)
CELLS = {
    "ts_utc": "ts",
    "start_utc": "ts",
    "end_utc": "ts_end",
    "event": "message",
    "proto": "transport",
    "inside_ip": "client_ip",
    "inside_port": "client_port",
    "dst_ip": "server_ip",
    "dst_port": "server_port",
    "user": "account",
    "ap_mac": "bssid",
    "nas_ip": "nas",
    "port": "nas_port",
    "session_id": "session",
    "name": "hostname",
}


@pytest.mark.parametrize(("path", "name", "known"), REFERENCE)
def test_reference_tables(shared: Path, path, name, known):
    file = shared / "samples" / path
    lines = file.read_text(encoding="utf-8").split("\n")
    assert FORMATS[name].sniff(lines) > 0.5
    rows, refused = read(FORMATS[name], lines)
    assert not refused
    missed = []
    for want in csv.DictReader(io.StringIO(Path(f"{file}.expected.csv").read_text(encoding="utf-8"))):
        here = [row for row in rows if row["line"] == int(want["line"])]
        if not any(all(agrees(row, cell, text) for cell, text in want.items()) for row in here):
            missed.append(want)
    assert len(missed) == known, missed


def agrees(row: dict, cell: str, text: str) -> bool:
    if not text or cell in {"line", "extra"}:
        return True
    direct = {
        "asset": {"port": "switch_port", "ip": "ip", "mac": "mac"},
        "dhcp": {"ip": "client_ip", "mac": "client_mac"},
    }
    name = direct.get(row["kind"], {"ip": "client_ip", "mac": "client_mac"}).get(
        cell, CELLS.get(cell, cell)
    )
    value = "" if row.get(name) is None else str(row[name])
    if re.match(r"\d{4}-\d\d-\d\dT", text):
        return value.startswith(text.rstrip("Z"))
    return value.lower() == text.lower()
