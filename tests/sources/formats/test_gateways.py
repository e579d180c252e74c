"""Gateways' session and translation logs: beyond their samples, and through the walk-back."""

from __future__ import annotations

import datetime as dt
from types import ModuleType
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netaudit.attribution import Logs, walk_back
from netaudit.attribution.trace import Outcome, Question
from netaudit.attribution.words import Role, nat_role
from netaudit.config import Settings, Unit
from netaudit.errors import ConfigError
from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat
from netaudit.intake.spreadsheet import SHEET
from netaudit.intake.times import Context, parse_zone
from netaudit.records.addresses import parse_ip
from netaudit.records.evidence import EvidenceFile
from netaudit.records.printed import text
from netaudit.records.schemas import IP, MAC, TIMESTAMP, concat, conform
from netaudit.sources.formats import (
    asset_table,
    audit_export,
    gateway_export,
    h3c_session,
    hillstone,
    huawei_usg,
    juniper_srx,
    nat444,
    paloalto,
    qianxin_nsg,
    sangfor,
)
from netaudit.sources.formats._damaged import SPREADSHEET, UNCERTAIN
from netaudit.sources.formats._flow_sides import NO_PORT
from netaudit.sources.formats._titled import BAD_TIME, NO_HEADER, UNCLOSED

COLLECTED = dt.datetime(2026, 11, 30, tzinfo=dt.UTC)
MODULES = (
    audit_export, gateway_export, h3c_session, hillstone, huawei_usg, juniper_srx, nat444, paloalto, qianxin_nsg, sangfor,
)  # fmt: skip
EVERY = pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.rpartition(".")[2])


def context(zone: str = "Asia/Shanghai") -> Context:
    return Context(name="log", zone=parse_zone(zone) if zone else None, collected=COLLECTED)


def chunk(lines: list[str], first: int = 1, *, ends: bool = True) -> Chunk:
    sizes = np.array([len(line.encode()) + 1 for line in lines])
    sizes[-1] -= not ends
    return Chunk(pa.array(lines, pa.string()), first, np.zeros(0, np.int64), sizes)


def pieces(member: LogFormat, lines: list[str], size: int, *, ends: bool = True):
    """Chunks as the reader makes them: cut before the last beginning of a record."""
    held: list[str] = []
    first = 1
    for start in range(0, len(lines), size):
        held += lines[start : start + size]
        cut = len(held)
        if member.starts is not None:
            marks = np.flatnonzero(member.starts(pa.array(held, pa.string())))
            cut = int(marks[-1]) if marks.size else 0
        if cut:
            yield chunk(held[:cut], first, ends=ends or start + size < len(lines) or cut < len(held))
            first += cut
            held = held[cut:]
    if held:
        yield chunk(held, first, ends=ends)


def read(
    module: ModuleType, lines: list[str], ctx: Context | None = None, size: int = 0, *, ends: bool = True
):
    """All records with their lines, reasons to refused lines, and how many lines held nothing."""
    rows: list[dict[str, Any]] = []
    refused: dict[str, list[int]] = {}
    other = 0
    parse = module.FORMAT.open(ctx or context())
    for piece in pieces(module.FORMAT, lines, size or max(len(lines), 1), ends=ends):
        parsed = parse(piece)
        other += parsed.other
        for reason, index in parsed.rejected.items():
            assert len(index)
            refused.setdefault(reason, []).extend(piece.first + int(i) for i in index)
        for got in parsed.rows:
            batch = conform(got.kind, got.columns, len(got.line))
            batch.validate(full=True)
            cells = {n: printed(batch.column(n)) for n in batch.schema.names}
            rows += [
                {"kind": got.kind, "line": piece.first + int(line), **{n: c[i] for n, c in cells.items()}}
                for i, line in enumerate(got.line)
            ]
    return sorted(rows, key=lambda row: (row["line"], str(row))), refused, other


def printed(column: pa.Array) -> list[Any]:
    return (text(column) if column.type in {IP, MAC, TIMESTAMP} else column).to_pylist()


def sample_lines(module: ModuleType) -> list[str]:
    return "\n".join(sample.text.rstrip("\n") for sample in module.FORMAT.samples).split("\n")


def begun(module: ModuleType, lines: list[str]) -> int:
    """How many records the lines begin, whatever they turn out to be."""
    if module.FORMAT.starts is None:
        return len(lines)
    starts = module.FORMAT.starts(pa.array(lines, pa.string()))
    return int(starts.sum()) + (not starts[0])


# every format


@EVERY
@pytest.mark.parametrize("size", [1, 3, 17])
def test_borders_of_chunks_do_not_show(module: ModuleType, size: int) -> None:
    lines = sample_lines(module)
    assert read(module, lines, size=size) == read(module, lines)


@EVERY
def test_hostile_lines_give_nothing(module: ModuleType) -> None:
    mebibyte = "x" * (1 << 20)
    lines = [
        "", "\x00", mebibyte, '"' + mebibyte, "src=" * 1000, "[" * 5000, '"","', ",".join(["a"] * 10_000), "\\" * 999,
        "٣" * 50, "时间,源IP,转换后IP", "%%10session/6/SESSION_IPV4_FLOW: " + "SrcIPAddr(1003)=;" * 999, "\f" * 99,
        "NAT444:SessionbasedA [" + "9" * 400, "RT_FLOW_SESSION_CLOSE [" + 'source-address="' * 999,
        "@FLOW: NAT: 1.2.3.4:99999999999999999999->1.2.3.4:1(TCP), snat to 9:9, x",
        "%%01SECLOG/6/SESSION_TEARDOWN(l):SourceIP=1.1.1.1,DestinationIP=2.2.2.2,BeginTime=99999999999999999999.",
    ]  # fmt: skip
    assert read(module, lines)[0] == [] or module is huawei_usg


@EVERY
def test_an_absurd_epoch_is_no_time(module: ModuleType) -> None:
    lines = [
        line.replace("1599645876", "9" * 19).replace("12012019081051", "99999999999999")
        for line in sample_lines(module)
    ]
    read(module, lines)


@EVERY
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_no_line_is_lost_and_none_raises(module: ModuleType, data: st.DataObject) -> None:
    lines = sample_lines(module)
    at = data.draw(st.integers(0, len(lines) - 1))
    cut = data.draw(st.integers(0, len(lines[at])))
    junk = data.draw(
        st.text(alphabet=st.characters(exclude_characters="\n\r", exclude_categories=("Cs",)), max_size=20)
    )
    lines[at] = lines[at][:cut] + junk + lines[at][cut + len(junk) :]
    rows, refused, other = read(module, lines)
    told = {row["line"] for row in rows}
    lost = [line for where in refused.values() for line in where]
    assert len(told) == len(rows)
    assert len(lost) == len(set(lost))
    assert not told & set(lost)
    assert len(rows) + len(lost) + other == begun(module, lines)


@pytest.mark.parametrize("module", [m for m in MODULES if m is not audit_export])
def test_a_torn_line_invents_nothing(module: ModuleType) -> None:
    for sample in module.FORMAT.samples:
        whole = sample.text.rstrip("\n")
        if not sample.records or whole.startswith("NAT"):  # a table's cell may end anywhere
            continue
        known = {
            str(v)
            for row in read(module, whole.split("\n"), context(sample.timezone))[0]
            for v in row.values()
        }
        for cut in range(len(whole) // 2, len(whole), 11):
            for row in read(module, whole[:cut].split("\n"), context(sample.timezone), ends=False)[0]:
                for cell in ("client_ip", "public_ip", "public_port", "server_ip"):
                    assert row.get(cell) is None or str(row[cell]) in known, (cell, row)


@EVERY
def test_local_times_need_a_zone(module: ModuleType) -> None:
    lines = sample_lines(module)
    if module is qianxin_nsg:  # its times are epochs
        read(module, lines, context(""))
        return
    with pytest.raises(ConfigError):
        read(module, lines, context(""))


@pytest.mark.parametrize(
    ("word", "role"),
    [
        ("(8)Session created", Role.START), ("(1)Normal over", Role.END), ("(2)Aged for timeout", Role.END),
        ("(6)Active data flow timeout", Role.SEEN), ("SESSION_BUILT", Role.START), ("SESSION_TEARDOWN", Role.END),
        ("snat", Role.START), ("session end", Role.END), ("policy deny", Role.IGNORE), ("SESSION_CREATE", Role.START),
        ("SESSION_CLOSE", Role.END), ("SESSION_DENY", Role.IGNORE), ("start", Role.START), ("end", Role.END),
        ("drop", Role.IGNORE), ("traffic-end", Role.END), ("SessionbasedA", Role.START), ("sessionbasedW", Role.END),
        ("UserbasedW", Role.END), ("Session Setup", Role.START), ("Session Backout", Role.END), ("会话结束", Role.END),
        ("服务控制或应用控制", Role.START), ("拒绝", Role.IGNORE),
    ],
)  # fmt: skip
def test_words_have_the_right_role(word: str, role: Role) -> None:
    assert nat_role(word) is role


# through the walk-back


def logs_of(module: ModuleType, lines: list[str], zone: str = "Asia/Shanghai") -> Logs:
    parsed = module.FORMAT.open(context(zone))(chunk(lines))
    batches = []
    for rows in parsed.rows:
        ordinal = pa.array(rows.line.astype(np.uint64) + 1)
        batches.append(
            conform(rows.kind, dict(rows.columns, file="file-nat", ordinal=ordinal), len(rows.line))
        )
    day = dt.timedelta(days=9000)
    entry = EvidenceFile(
        id="file-nat",
        name="nat",
        sha256="",
        size=0,
        format="",
        kinds=("nat",),
        first=COLLECTED - day,
        last=COLLECTED + day,
    )
    unit = Unit(egress=("203.0.113.0/24",), timezone="Asia/Shanghai")
    tables = {"nat": concat("nat", [b for b in batches if b.schema.metadata[b"netaudit.kind"] == b"nat"])}
    return Logs.build(tables=tables, ledger=[entry], settings=Settings(unit=unit))


def holder(logs: Logs, when: str, port: int, **more: Any) -> tuple[Outcome, list[str], Any, Any]:
    """Who had a port of 203.0.113.5 at a moment, without any allowance for clocks; and from when to when."""
    question = Question(
        at=dt.datetime.fromisoformat(when), public_ip=parse_ip("203.0.113.5"), port=port, skew_s=0, **more
    )
    hop = walk_back(question, logs).hops[0]
    first = hop.candidates[0] if hop.candidates else None
    return hop.outcome, [c.value for c in hop.candidates], first and first.start, first and first.end


def h3c(
    begin: str, end: str, event: str, inside: str = "10.1.0.12", header: str = "Dec 01 16:15:43 2019"
) -> str:
    return (
        f"<6> {header} fw %%10session/6/SESSION_IPV4_FLOW: Protocol(1001)=TCP;SrcIPAddr(1003)={inside};SrcPort(1004)=40912;"
        "NatSrcIPAddr(1005)=203.0.113.5;NatSrcPort(1006)=9460;DstIPAddr(1007)=198.51.100.9;DstPort(1008)=80;"
        "NatDstIPAddr(1009)=198.51.100.9;NatDstPort(1010)=80;"
        f"BeginTime_e(1013)={begin};EndTime_e(1014)={end};Event(1048)={event};"
    )


BEGIN = dt.datetime(2019, 12, 1, 8, 10, tzinfo=dt.UTC)
END = dt.datetime(2019, 12, 1, 8, 15, tzinfo=dt.UTC)


def test_h3c_creation_and_end_are_one_session() -> None:
    lines = [
        h3c("12012019081000", "", "(8)Session created"),
        h3c("12012019081000", "12012019081300", "(6)Active data flow timeout"),
        h3c("12012019081000", "12012019081500", "(1)Normal over"),
        h3c("12012019081501", "", "(8)Session created", inside="10.1.0.13"),
    ]
    logs = logs_of(h3c_session, lines)
    assert holder(logs, "2019-12-01T08:12:00+00:00", 9460) == (Outcome.HELD, ["10.1.0.12"], BEGIN, END)
    assert holder(logs, "2019-12-01T08:15:30+00:00", 9460)[:2] == (Outcome.HELD, ["10.1.0.13"])
    assert holder(logs, "2019-12-01T08:09:59+00:00", 9460)[0] is Outcome.MISSING
    assert len(logs.nat) == 2


def test_h3c_an_end_alone_tells_its_beginning() -> None:
    logs = logs_of(h3c_session, [h3c("12012019081000", "12012019081500", "(2)Aged for timeout")])
    assert holder(logs, "2019-12-01T08:10:00+00:00", 9460) == (Outcome.HELD, ["10.1.0.12"], BEGIN, END)


def test_h3c_an_end_without_its_time_ends_when_it_was_logged() -> None:
    logs = logs_of(
        h3c_session, [h3c("12012019081000", "", "(1)Normal over", header="Dec 01 16:15:00 2019")]
    )
    assert holder(logs, "2019-12-01T08:14:00+00:00", 9460) == (Outcome.HELD, ["10.1.0.12"], BEGIN, END)


def test_h3c_port_blocks_go_back() -> None:
    block = (
        "<6>Dec  1 16:{0}:00 2019 bras %%10NAT/6/NAT444_PORTBLOCK: SrcIPAddr(1003)=10.1.0.12;NatSrcIPAddr(1005)=203.0.113.5;"
        "StartPort(1050)=1024;EndPort(1051)=2047;Event(1048)={1};"
    )
    lines = [block.format("10", "Port block assigned"), block.format("20", "Port block withdrawn")]
    logs = logs_of(h3c_session, lines)
    assert holder(logs, "2019-12-01T08:15:00+00:00", 1500)[:2] == (Outcome.HELD, ["10.1.0.12"])
    assert holder(logs, "2019-12-01T08:15:00+00:00", 2048)[0] is Outcome.MISSING
    assert holder(logs, "2019-12-01T08:21:00+00:00", 1500)[0] is Outcome.MISSING


def huawei(what: str, begin: int, end: int | None, inside: str = "10.1.0.12") -> str:
    over = f",EndTime={end}" if end else ""
    return (
        f"<190>2016-01-08 10:21:48 USG %%01SECLOG/6/{what}(l):IPVer=4,Protocol=tcp,SourceIP={inside},DestinationIP=198.51.100.9,"
        f"SourcePort=40000,DestinationPort=443,SourceNatIP=203.0.113.5,SourceNatPort=9460,BeginTime={begin}{over},SourceVpnID=0."
    )


def test_huawei_teardown_ends_what_was_built() -> None:
    lines = [
        huawei("SESSION_BUILT", 1452219700, None),
        huawei("SESSION_TEARDOWN", 1452219700, 1452219760),
        huawei("SESSION_BUILT", 1452219800, None, "10.1.0.13"),
    ]
    logs = logs_of(huawei_usg, lines)
    outcome, who, start, end = holder(logs, "2016-01-08T02:22:00+00:00", 9460)
    assert (outcome, who) == (Outcome.HELD, ["10.1.0.12"])
    assert (start.timestamp(), end.timestamp()) == (1452219700, 1452219760)
    assert holder(logs, "2016-01-08T02:22:50+00:00", 9460)[0] is Outcome.MISSING
    assert holder(logs, "2016-01-08T02:24:00+00:00", 9460)[1] == ["10.1.0.13"]


def stone(clock: str, rest: str) -> str:
    return f"<190>Nov 29 {clock} 1404726150004842(root) 46083623 Traffic@FLOW: {rest}\n\0".rstrip("\n\0")


FLOW = "10.1.0.12:49608->198.51.100.9:443(TCP)"
CLOSE = "application HTTPS, user -@-, host -, start time 2025-11-29 {0},close time 2025-11-29 {1},session end,TCP FIN"


def test_hillstone_a_translation_ends_with_its_session() -> None:
    lines = [
        stone(
            "17:24:50",
            f"NAT: {FLOW}, snat to 203.0.113.5:9460, vr trust-vr, user -@UNKNOWN, host -, rule 4",
        ),
        stone("17:26:00", f"SESSION: {FLOW}, {CLOSE.format('17:24:50', '17:25:52')}"),
        # the same flow again, another public port
        stone(
            "17:30:00",
            f"NAT: {FLOW}, snat to 203.0.113.5:9461, vr trust-vr, user -@UNKNOWN, host -, rule 4",
        ),
        stone("17:31:00", f"SESSION: {FLOW}, {CLOSE.format('17:30:00', '17:31:00')}"),
    ]
    logs = logs_of(hillstone, [line.replace("2025", "2026") for line in lines])
    (row, *_), _, _ = read(hillstone, lines)
    assert row["session"] == FLOW
    minute = dt.timedelta(seconds=62)
    outcome, who, start, end = holder(logs, "2026-11-29T09:25:00+00:00", 9460)
    assert (outcome, who) == (Outcome.HELD, ["10.1.0.12"])
    assert end - start == minute
    assert holder(logs, "2026-11-29T09:25:53+00:00", 9460)[0] is Outcome.MISSING
    assert holder(logs, "2026-11-29T09:30:30+00:00", 9461)[1] == ["10.1.0.12"]
    assert holder(logs, "2026-11-29T09:31:01+00:00", 9461)[0] is Outcome.MISSING


def test_hillstone_a_translation_without_its_session_is_open() -> None:
    line = stone(
        "17:24:50", f"NAT: {FLOW}, snat to 203.0.113.5:9460, vr trust-vr, user -@UNKNOWN, host -, rule 4"
    )
    outcome, who, _, end = holder(logs_of(hillstone, [line]), "2026-11-29T10:00:00+00:00", 9460)
    assert (outcome, who, end) == (Outcome.HELD, ["10.1.0.12"], None)


def test_hillstone_a_session_that_begins_does_not_end_its_translation() -> None:
    lines = [
        stone(
            "17:24:50",
            f"NAT: {FLOW}, snat to 203.0.113.5:9460, vr trust-vr, user -@UNKNOWN, host -, rule 4",
        ),
        stone("17:24:50", f"SESSION: {FLOW}, interface e0/1, user -@-, host -, session start, x"),
    ]
    assert holder(logs_of(hillstone, lines), "2026-11-29T10:00:00+00:00", 9460)[1] == ["10.1.0.12"]


SRX = (
    "<14>Nov 27 {0} fw RT_FLOW: RT_FLOW_SESSION_{1}: session {2} 10.1.0.12/40000->198.51.100.9/443 0x0 junos-https "
    "203.0.113.5/9460->198.51.100.9/443 0x0 source rule r1 N/A N/A 6 p1 trust untrust 2341 {3}N/A(N/A) ge-0/0/1.0 UNKNOWN"
)


def test_srx_a_close_alone_is_a_session() -> None:
    line = SRX.format("16:15:00", "CLOSE", "closed TCP FIN:", "5(300) 4(250) 300 UNKNOWN UNKNOWN ")
    logs = logs_of(juniper_srx, [line])
    end = dt.datetime(2026, 11, 27, 8, 15, tzinfo=dt.UTC)
    start = end - dt.timedelta(seconds=300)
    assert holder(logs, "2026-11-27T08:11:00+00:00", 9460) == (Outcome.HELD, ["10.1.0.12"], start, end)
    assert holder(logs, "2026-11-27T08:09:59+00:00", 9460)[0] is Outcome.MISSING
    both = logs_of(juniper_srx, [SRX.format("16:10:00", "CREATE", "created", ""), line])
    assert holder(both, "2026-11-27T08:11:00+00:00", 9460) == (Outcome.HELD, ["10.1.0.12"], start, end)
    assert len(both.nat) == 1


def test_nat444_sessions_and_blocks_are_taken_back() -> None:
    head = "<134> 1 2026 November 27 16:{0}:00 192.0.2.1 - - NAT444:"
    lines = [
        head.format("10") + "SessionbasedA [6 10.1.0.12 - 203.0.113.5 40000 9460 -]",
        head.format("15") + "SessionbasedW [6 10.1.0.12 - 203.0.113.5 40000 9460 -]",
        head.format("10") + "UserbasedA [- 10.1.0.13 - 203.0.113.5 - 1024 2047]",
        head.format("15") + "UserbasedW [- 10.1.0.13 - 203.0.113.5 - 1024 2047]",
    ]
    logs = logs_of(nat444, lines)
    assert holder(logs, "2026-11-27T08:12:00+00:00", 9460)[1] == ["10.1.0.12"]
    assert holder(logs, "2026-11-27T08:16:00+00:00", 9460)[0] is Outcome.MISSING
    assert holder(logs, "2026-11-27T08:12:00+00:00", 2047)[1] == ["10.1.0.13"]
    assert holder(logs, "2026-11-27T08:16:00+00:00", 2047)[0] is Outcome.MISSING


def test_what_was_refused_is_no_session() -> None:
    line = "日志类型:服务控制或应用控制, 用户:a, 源IP:10.1.0.12, 源端口:1, 目的IP:198.51.100.9, 目的端口:443, 系统动作:拒绝"
    logs = logs_of(sangfor, [f"Nov 27 08:00:00 h fwlog: {line}", f"Nov 27 08:00:00 h nat: {line}"])
    assert len(logs.nat) == 0


# single formats


def test_h3c_header_variants() -> None:
    body = "Protocol=UDP;SrcIPAddr=10.1.0.1;SrcPort=5;NatSrcIPAddr=203.0.113.5;NatSrcPort=6;DstIPAddr=8.8.8.8;DstPort=53;Event=(8)Session created;"
    heads = [
        "%Mar 15 17:01:11:924 2017 H3C NAT/6/NAT_FLOW: -DevIP=1.2.3.4; ",
        "<134>Mar 15 17:01:11 2017 H3C %%10NAT/6/NAT_FLOW: ",
        "Mar 15 17:00:00 relay <134>Mar 15 17:01:11 2017 H3C %%10NAT/6/NAT_FLOW(l): ",
    ]
    rows, refused, _ = read(h3c_session, [head + body for head in heads])
    assert not refused
    assert [row["ts"][:19] for row in rows] == ["2017-03-15T09:01:11"] * 3
    assert {(row["public_port"], row["transport"]) for row in rows} == {(6, "udp")}


def test_h3c_reads_ipv6() -> None:
    line = (
        "<6>Dec 01 16:15:43 2019 fw %%10session/6/SESSION_IPV6_FLOW: Protocol(1001)=TCP;SrcIPv6Addr(1036)=2001:db8::5;"
        "SrcPort(1004)=1;DstIPv6Addr(1037)=2001:db8:ff::9;DstPort(1008)=443;BeginTime_e(1013)=12012019081000;EndTime_e(1014)=;"
        "Event(1048)=(8)Session created;"
    )
    (row,), _, _ = read(h3c_session, [line])
    assert (row["client_ip"], row["server_ip"], row["public_ip"]) == ("2001:db8::5", "2001:db8:ff::9", None)


def test_comware_5_record_on_one_line() -> None:
    line = (
        "<190>Jul  7 04:20:10 2005 Sysname %%10USERLOG/7/NAT(l): -DevIP=1.1.1.9; TCP; 192.168.1.6:768--->1.1.1.1:12288; "
        "2.2.2.2:80; [2005/07/07 04:20:03-2005/07/07 04:20:09]; Operator (1): Normal over"
    )
    (row,), _, _ = read(h3c_session, [line])
    assert (row["message"], row["public_port"], row["ts_end"]) == (
        "(1)Normal over",
        12288,
        "2005-07-06T20:20:09.000000000Z",
    )


def test_comware_5_record_without_its_head_is_refused() -> None:
    rows, refused, other = read(
        h3c_session, ["[2005/07/07 04:20:03-0000/00/00 00:00:00];", "Operator 8: Data flow created"]
    )
    assert (rows, sum(map(len, refused.values())), other) == ([], 1, 0)


def test_one_address_for_one_host_stands_for_all_ports() -> None:
    line = h3c("12012019081000", "", "(8)Session created").replace(
        "NatSrcPort(1006)=9460", "NatSrcPort(1006)=0"
    )
    (row,), _, _ = read(h3c_session, [line])
    assert (row["public_ip"], row["public_port"]) == ("203.0.113.5", None)


def test_huawei_page_cannot_speak_for_the_firewall() -> None:
    line = (
        huawei("SESSION_URL", 1452219700, 1452219700).rstrip(".")
        + ",Page=/a,SourceNatPort=1,Host=evil.example,Host=www.example.org."
    )
    (row,), _, _ = read(huawei_usg, [line])
    assert (row["kind"], row["name"]) == ("http", "www.example.org")
    assert "evil" not in str(row)


def test_srx_reads_ipv6_and_refusals() -> None:
    created = (
        "Nov 27 08:00:00 fw RT_FLOW: RT_FLOW_SESSION_CREATE: session created 2001:db8::5/40000->2001:db8:f::9/443 0x0 junos-https "
        "2001:db8::5/40000->2001:db8:f::9/443 0x0 N/A N/A N/A N/A 6 p trust untrust 77 N/A(N/A) ge-0/0/1.0"
    )
    denied = (
        "Nov 27 08:00:00 fw RT_FLOW: RT_FLOW_SESSION_DENY: session denied 10.1.0.1/5->10.2.0.1/22 0x0 junos-ssh 6(0) default trust "
        "untrust UNKNOWN UNKNOWN N/A(N/A) ge-0/0/1.0 No policy deny 88"
    )
    rows, refused, _ = read(juniper_srx, [created, denied])
    assert not refused
    assert [(row["client_ip"], row["transport"], row["message"]) for row in rows] == [
        ("2001:db8::5", "tcp", "SESSION_CREATE"), ("10.1.0.1", "tcp", "SESSION_DENY"),
    ]  # fmt: skip


TRAFFIC = (
    "1,{0},0267,TRAFFIC,{1},2816,{0},10.2.3.4,5.6.7.8,203.0.113.5,5.6.7.8,r,u,,ssl,vsys1,a,b,c,d,e,{0},1,1,{2},443,20500,443,0x0,"
    "tcp,allow,1,1,0,1,{0},0,any"
)


@pytest.mark.parametrize(
    ("stamp", "header", "want"),
    [
        ("9/16/19 10:00", "", "2019-09-16T02:00:00.000000000Z"),
        ("16/9/2019 10:00", "", "2019-09-16T02:00:00.000000000Z"),
        ("9/10/19 10:00", "", None),
        ("9/10/19 10:00", "Sep 10 10:00:02 PA ", "2019-09-10T02:00:00.000000000Z"),
        ("10/9/19 10:00", "Sep 10 10:00:02 PA ", "2019-09-10T02:00:00.000000000Z"),
        ("9/9/19 10:00", "", "2019-09-09T02:00:00.000000000Z"),
        ("43724.4166", "", None),
    ],
)
def test_palo_alto_damaged_dates_are_not_guessed(stamp: str, header: str, want: str | None) -> None:
    ctx = context()
    (row,), _, _ = read(paloalto, [header + TRAFFIC.format(stamp, "start", 61000)], ctx)
    assert row["ts"] == want
    assert (SPREADSHEET in ctx.notes) == ("/" in stamp)
    assert (UNCERTAIN in ctx.notes) == (want is None and "/" in stamp)


def test_palo_alto_impossible_port_is_left_out_and_noted() -> None:
    ctx = context()
    (row,), _, _ = read(paloalto, [TRAFFIC.format("2024/01/03 13:15:29", "start", 130000)], ctx)
    assert (row["client_port"], row["public_port"]) == (None, 20500)
    assert NO_PORT in ctx.notes


def test_palo_alto_precise_stamp_far_away_is_not_this_line_s_clock() -> None:
    line = TRAFFIC.format("2024/01/03 13:15:29", "start", 1) + ",2024-01-03T20:15:30.547+01:00"
    (row,), _, _ = read(paloalto, [line])
    assert row["ts"] == "2024-01-03T05:15:29.000000000Z"


def test_sangfor_reads_the_same_from_gbk(tmp_path: Any) -> None:
    from netaudit.config import Settings as Config
    from netaudit.sources import Ledger, Options
    from netaudit.sources import read as read_all

    body = "\r\n".join(sample_lines(sangfor)) + "\r\n"
    got = []
    for encoding in ("utf-8", "gb18030"):
        path = tmp_path / f"{encoding}.log"
        path.write_bytes(body.encode(encoding))
        ledger = Ledger()
        options = Options("", "Asia/Shanghai")
        batches = list(read_all([str(path)], Config(), ledger, options=options))
        got.append([b.drop_columns(["file", "ts"]).to_pylist() for b in batches])
        assert ledger.files[0].format == "sangfor"
    assert got[0] == got[1]
    assert got[0]


def test_sangfor_types_without_a_session_are_passed_over() -> None:
    line = "<23>May 25 11:05:16 localhost fwlog: 日志类型:DOS攻击日志, 源IP:192.168.200.53, 目的IP:192.168.200.152, 系统动作:拒绝"
    assert read(sangfor, [line]) == ([], {}, 1)


# tables with titles


def test_a_later_header_and_a_new_sheet_take_over() -> None:
    lines = [
        "导出时间：2026-11-23",
        "时间,源IP,转换后IP,转换后端口,目的IP",
        "2026-11-23 08:00:00,10.1.0.1,203.0.113.5,1000,198.51.100.1",
        "开始时间;结束时间;目的IP;源IP;NAT IP;NAT端口",
        "2026-11-23 08:00:00;2026-11-23 08:05:00;198.51.100.1;10.1.0.2;203.0.113.5;1001",
        f"{SHEET}10.1.0.3,203.0.113.5,1002",
    ]
    rows, refused, other = read(gateway_export, lines)
    assert [(row["client_ip"], row["public_port"], row["ts_end"]) for row in rows] == [
        ("10.1.0.1", 1000, None), ("10.1.0.2", 1001, "2026-11-23T00:05:00.000000000Z"),
    ]  # fmt: skip
    assert (refused, other) == ({NO_HEADER: [6]}, 3)


def test_cells_of_pages() -> None:
    ctx = context()
    lines = [
        "日期\t时间\t源地址\t目的地址\t转换后地址\tNAT类型\t协议号",
        "2026-11-23\t08:00:01\t198.51.100.1:4000\t203.0.113.5:80\t10.1.0.80:8080\tDNAT\t6",
        "2026年11月23日\t8时00分02秒\t10.1.0.1:4000\t198.51.100.1:443\t203.0.113.5:2000\t源NAT\tTCP",
        '"2026-11-23\t08:00:03',
        "昨天\t\t10.1.0.1:4000\t198.51.100.1:443\t203.0.113.5:2000\t源NAT\tTCP",
    ]
    rows, refused, _ = read(gateway_export, lines, ctx)
    assert [
        (row["ts"], row["client_ip"], row["client_port"], row["public_ip"], row["public_port"])
        for row in rows
    ] == [
        ("2026-11-23T00:00:01.000000000Z", "10.1.0.80", 8080, "203.0.113.5", 80),
        ("2026-11-23T00:00:02.000000000Z", "10.1.0.1", 4000, "203.0.113.5", 2000),
        (None, "10.1.0.1", 4000, "203.0.113.5", 2000),
    ]
    assert refused == {UNCLOSED: [4]}
    assert BAD_TIME in ctx.notes


def test_blocks_of_ports_in_a_table() -> None:
    lines = [
        "开始时间,结束时间,私网IP,公网IP,起始端口,结束端口",
        "2026-11-23 08:00:00,2026-11-23 09:00:00,10.1.0.12,203.0.113.5,1024,2047",
    ]
    assert gateway_export.FORMAT.sniff(lines) > 0.5
    logs = logs_of(gateway_export, lines)
    assert holder(logs, "2026-11-23T00:30:00+00:00", 2000)[1] == ["10.1.0.12"]
    assert holder(logs, "2026-11-23T01:00:01+00:00", 2000)[0] is Outcome.MISSING


@pytest.mark.parametrize(
    "titles",
    [
        "时间,源IP,源端口,转换后IP,转换后端口,目的IP,目的端口,协议,用户",
        "用户,组,IP,MAC,终端,URL,时间",
        "用户,用户组,IP地址,MAC地址,终端类型,域名,产生时间",
        "Time,User,Group,IP,URL",
    ],
)
def test_an_export_is_no_inventory(titles: str) -> None:
    lines = [titles]
    own = max(gateway_export.FORMAT.sniff(lines), audit_export.FORMAT.sniff(lines))
    assert own > 0.5
    assert asset_table.FORMAT.sniff(lines) < own


@pytest.mark.parametrize(
    "titles",
    [
        "资产编号,设备名称,型号,IP地址,MAC地址,使用人,部门,位置,接入交换机,端口,VLAN,启用日期",
        "Hostname,IP Address,MAC Address,Owner,Room",
        "主机名,IP地址,MAC地址,用户,启用时间",
    ],
)
def test_an_inventory_is_no_export(titles: str) -> None:
    assert gateway_export.FORMAT.sniff([titles]) == 0
    assert audit_export.FORMAT.sniff([titles]) == 0


def test_a_visit_keeps_no_secret() -> None:
    lines = [
        "时间,用户,IP,URL",
        "2026-11-23 08:00:00,a,10.1.0.1,https://u:secret@www.example.org/path?token=hidden#x",
    ]
    (row,), _, _ = read(audit_export, lines)
    assert (row["name"], row["server_port"]) == ("www.example.org", 443)
    assert not {"secret", "hidden", "path"} & set(str(row).replace("/", " ").replace("?", " ").split())
    assert "secret" not in str(row)
