"""Which way a line took can never be seen in the rows: dnsmasq, Zeek and Suricata."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netaudit.intake.lines import Chunk, chunks
from netaudit.intake.log_format import LogFormat, Parsed
from netaudit.intake.opening import ByteStream, identify
from netaudit.intake.times import Context, parse_zone
from netaudit.records.printed import readable
from netaudit.records.schemas import conform
from netaudit.sources.formats.dnsmasq_log import FORMAT as DNSMASQ
from netaudit.sources.formats.suricata_eve import FORMAT as EVE
from netaudit.sources.formats.zeek import FORMAT as ZEEK

HEAD = ["#separator \\x09", "#set_separator\t,", "#empty_field\t(empty)", "#unset_field\t-", "#path\tdns"]
FIELDS = [
    "ts",
    "uid",
    "id.orig_h",
    "id.orig_p",
    "id.resp_h",
    "id.resp_p",
    "proto",
    "trans_id",
    "query",
    "qtype",
    "qtype_name",
    "rcode",
    "rcode_name",
    "AA",
    "answers",
]
NAMED = "#fields\t" + "\t".join(FIELDS)
CELLS = [
    "1763856000.123456",
    "C1",
    "10.1.0.9",
    "53727",
    "10.1.0.53",
    "53",
    "udp",
    "7",
    "www.Example.org",
    "1",
    "A",
    "0",
    "NOERROR",
    "F",
    "192.0.2.1,b.example",
]
ODD_CELLS = ["-", "(empty)", "", "a\\x2cb", "a,b", ",", "1.2.3.4,,::1", "99999", "5353", "x" * 70, "1763856000", "fd00::1",
             "1763856000.1234567890", "NXDOMAIN", "A", "例子.cn", "10.0.0.1", "TYPE65", "a b"]  # fmt: skip
COMMENTS = ["#close\t2026-11-23", NAMED, NAMED.replace("query", "other"), "", "{}", "#path\tconn"]

MASQ = ["Nov 23 00:00:52", " gw", " dnsmasq[674]: ", "query[A]", " cdn.Example.org", " from ", "10.1.0.12"]
ODD_MASQ = [
    ["Nov  3 00:00:52", "Feb 31 00:00:52", "Nov 23 00:00:52 2026", "2026-11-23T00:00:52Z", "Mon Nov 23 00:00:52", "<30>Nov 23 00:00:52"],
    ["", " 2026", " a:b", " daemon.info", " 10.0.0.1", " fe80::1", " x=y"],
    [" dnsmasq: ", " dnsmasq[]: ", " dnsmasq-dhcp[674]: ", " dnsmasq[674]:  ", " dnsmasq[674]: 13 10.1.0.12/58360 ", " named[1]: "],
    ["query[type=65]", "query[AAAA]", "query[]", "query[A]]", "reply", "cached", "config", "forwarded", "gravity blocked", "query"],
    [" <name unprintable>", " we ird.example", " a..b", " 1.2.3.4", " a\\.b", " ", " x from y"],
    [" is ", " to ", " from  ", ""],
    ["fd00::1", "10.1.0.999", "fe80::1%br-lan", "", "192.0.2.1\r", "192.0.2.1 more", "10.1.0.12\0"],
]  # fmt: skip


@st.composite
def table(draw: st.DrawFn) -> list[str]:
    lines = [*HEAD, NAMED]
    for _ in range(draw(st.integers(1, 20))):
        cells = list(CELLS)
        for number in draw(st.sets(st.integers(0, len(cells) - 1), max_size=2)):
            cells[number] = draw(st.sampled_from(ODD_CELLS))
        lines.append("\t".join(cells) + draw(st.sampled_from(["", "", "", "", "\r", "\tmore"])))
        if draw(st.integers(0, 9)) == 0:
            lines.append(draw(st.sampled_from(COMMENTS)))
    return lines


@st.composite
def queries(draw: st.DrawFn) -> list[str]:
    lines = []
    for _ in range(draw(st.integers(1, 20))):
        parts = list(MASQ)
        for number in draw(st.sets(st.integers(0, len(parts) - 1), max_size=2)):
            parts[number] = draw(st.sampled_from(ODD_MASQ[number]))
        lines.append("".join(parts))
    return lines


ENDS = {
    "timestamp": "2026-11-23T15:08:06.239558+0800", "flow_id": 1, "event_type": "dns", "src_ip": "10.1.0.53", "src_port": 53,
    "dest_ip": "10.1.0.20", "dest_port": 46414, "proto": "UDP",
}  # fmt: skip
RECORD = {"rrname": "www.example.org", "rrtype": "A", "ttl": 9, "rdata": "192.0.2.1"}
LOOKED_UP = [
    {"version": 2, "type": "answer", "rrname": "www.Example.org", "rrtype": "A", "rcode": "NOERROR", "qr": True,
     "answers": [RECORD | {"rdata": "web.example.org"}, RECORD], "grouped": {"A": ["192.0.2.1"], "CNAME": ["a.example"]}},
    {"type": "query", "id": 7, "rrname": "a.example", "rrtype": "AAAA", "tx_id": 0, "opcode": 0},
    {"version": 3, "type": "request", "queries": [{"rrname": "q.example", "rrtype": "HTTPS"}]},
]  # fmt: skip
VALUES = [None, 1, 1.5, -0.0, 1e9, True, "x", "", [], {}, [1], ["a", None], {"a": {"b": [1, {"c": "d"}]}}, "NXDOMAIN", "answer",
          "10.0.0.1", 5353, 70_000, -1, "2026-11-23T15:08:06", "a\\b", "é", [{"rdata": "r"}], [[]]]  # fmt: skip
KEYS = [
    "other",
    "rrname",
    "rdata",
    "tls",
    "queries",
    "answers",
    "A",
    "grouped",
    "type",
    "rcode",
    "dns",
    "src_port",
    "proto",
]
BROKEN = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    '"',
    " ",
    "0",
    ".",
    "e",
    "-",
    "\\",
    "\t",
    "tru",
    "null",
    '"proto":"UDP",',
]


@st.composite
def look_ups(draw: st.DrawFn) -> list[str]:
    lines = []
    for _ in range(draw(st.integers(1, 15))):
        event = json.loads(json.dumps(ENDS | {"dns": draw(st.sampled_from(LOOKED_UP))}))
        dns = event["dns"]
        objects = [event, dns, dns.get("grouped", event), *dns.get("answers", []), *dns.get("queries", [])]
        for _ in range(draw(st.integers(0, 2))):
            place = draw(st.sampled_from(objects))
            key = draw(st.sampled_from([*place, *KEYS]))
            if draw(st.booleans()):
                place[key] = draw(st.sampled_from(VALUES))
            else:
                place.pop(key, None)
        text = json.dumps(event, separators=draw(st.sampled_from([(",", ":"), (", ", ": ")])))
        if draw(st.integers(0, 4)) == 0:
            at = draw(st.integers(0, len(text)))
            text = text[:at] + draw(st.sampled_from(BROKEN)) + text[at + draw(st.integers(0, 2)) :]
        lines.append(text.replace("\n", "") + draw(st.sampled_from(["", "", "", "\r", " "])))
    return lines


def rows_of(format_: LogFormat, chunk: Chunk, zone: str) -> tuple[object, ...]:
    context = Context(zone=parse_zone(zone), collected=dt.datetime(2026, 12, 1, tzinfo=dt.UTC))
    parsed: Parsed = format_.open(context)(chunk)
    rows = []
    for found in parsed.rows:
        cells = readable(conform(found.kind, found.columns, len(found.line))).to_pylist()
        rows += zip(found.line.tolist(), [found.kind] * len(cells), cells, strict=True)
    rejected = {reason: sorted(index.tolist()) for reason, index in parsed.rejected.items()}
    assert len(rows) + sum(map(len, rejected.values())) + parsed.other == len(chunk.sizes)
    return sorted(rows, key=lambda row: row[:2]), rejected, parsed.other, context.notes


def compare(format_: LogFormat, folder: Path, text: list[str], zone: str) -> None:
    path = folder / "log"
    path.write_bytes("\n".join(text).encode() + b"\n")
    with ByteStream(identify(path)) as stream:
        (chunk,) = chunks(stream)
    plain = Chunk(chunk.lines, chunk.first, chunk.bad, chunk.sizes)
    assert rows_of(format_, chunk, zone) == rows_of(format_, plain, zone)


@settings(max_examples=60, deadline=None)
@given(table())
def test_zeek(tmp_path_factory, text: list[str]) -> None:
    compare(ZEEK, tmp_path_factory.mktemp("log"), text, "UTC")


@settings(max_examples=60, deadline=None)
@given(queries())
def test_dnsmasq(tmp_path_factory, text: list[str]) -> None:
    compare(DNSMASQ, tmp_path_factory.mktemp("log"), text, "Asia/Shanghai")


@settings(max_examples=100, deadline=None)
@given(look_ups())
def test_suricata(tmp_path_factory, text: list[str]) -> None:
    compare(EVE, tmp_path_factory.mktemp("log"), text, "Asia/Shanghai")


@pytest.mark.parametrize("key", ["timestamp", "event_type", "dest_port"])
def test_suricata_takes_no_longer_key_for_another(key: str, tmp_path: Path) -> None:
    line = json.dumps(ENDS | {"dns": LOOKED_UP[0]}).replace(f'"{key}"', f'"{key[:-1]}x"')
    compare(EVE, tmp_path, [line], "Asia/Shanghai")


USUAL = {
    "dnsmasq": (DNSMASQ, [], ["".join(MASQ)] * 3),
    "zeek": (ZEEK, [*HEAD, NAMED], ["\t".join(CELLS)] * 3),
    "suricata": (EVE, [], [json.dumps(ENDS | {"dns": dns}) for dns in LOOKED_UP]),
}


@pytest.mark.parametrize("name", USUAL)
def test_usual_lines_are_not_seen_by_the_slow_reader(name: str, tmp_path: Path) -> None:
    format_, head, lines = USUAL[name]
    usual = [*head, *lines]
    path = tmp_path / "log"
    path.write_bytes("\n".join(usual).encode() + b"\n")
    with ByteStream(identify(path)) as stream:
        (chunk,) = chunks(stream)
    asked: list[int] = []
    take = chunk.take
    chunk_type = type(
        "Watched", (Chunk,), {"take": lambda _, index: asked.append(len(index)) or take(index)}
    )
    watched = chunk_type(None, chunk.first, chunk.bad, chunk.sizes, chunk.framed)
    parsed = format_.open(Context(zone=dt.UTC))(watched)
    assert sum(len(rows.line) for rows in parsed.rows) == 3
    assert sum(asked) == len(usual) - 3


def test_lines_held_over_keep_their_text(tmp_path: Path) -> None:
    """A chunk that ends before the last record, and the next one that begins with it."""
    path = tmp_path / "log"
    path.write_bytes(b"".join(b"%d\n" % number for number in range(2_000_000)))
    with ByteStream(identify(path)) as stream:
        found = list(chunks(stream, lambda column: np.arange(len(column)) % 7 == 0))
    assert len(found) > 1
    for chunk in found:
        again = Chunk(None, chunk.first, chunk.bad, chunk.sizes, chunk.framed)
        assert again.lines.to_pylist() == chunk.lines.to_pylist()
