"""Which way a line took can never be seen in the rows."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from netaudit.intake.lines import Chunk, chunks
from netaudit.intake.log_format import Parsed
from netaudit.intake.opening import ByteStream, identify
from netaudit.intake.times import Context, parse_zone
from netaudit.records.printed import readable
from netaudit.records.schemas import conform
from netaudit.sources.formats._bind_quick import BindQueries
from netaudit.sources.formats.bind_querylog import FORMAT

USUAL = (
    "23-Nov-2026 09:15:02.265 queries: info: client @0x7fea21a32098 10.1.0.13#54767 (WwW.Example.Org): "
    "view staff: query: WwW.Example.Org IN AAAA +E(0)K (10.1.0.53)"
)
STAMPS = [
    "23-Nov-2026 09:15:02.265",
    "23-Nov-2026 09:15:02",
    "31-Feb-2026 09:15:02",
    "2026-11-23T09:15:02.265Z",
    "",
]
HEADS = ["", "queries: info: ", "queries: ", "query: info: ", "info: queries: more: "]
CLIENTS = ["client ", "client @0x7fea21a32098 ", "client @ ", "client @0x1 @0x2 ", "klient "]
ADDRESSES = ["10.1.0.13", "fd00:20:30::11", "::ffff:10.1.0.1", "fe80::1%eth0", "999.1.0.1", "1.2.3"]
PORTS = ["#54767", "#0", "#65535", "#65536", "#", "#1#2", "", "#053"]
VIEWS = [
    " (WwW.Example.Org):",
    ":",
    " (a b):",
    "::",
    " (x): view staff:",
    " (x): view a: view b:",
    " (x): query:",
]
NAMES = [
    "WwW.Example.Org",
    "a\\.b.example",
    ".",
    "10.0.0.1",
    "ex_ample.org.",
    "例子.cn",
    "a..b",
    "x" * 64 + ".org",
    "",
]
TYPES = ["IN AAAA", "IN TYPE65", "CH TXT", "IN", "IN *", "IN HTTPS65536TOOLONGFORUS"]
FLAGS = ["+E(0)K", "-", "+T", "-E(0)TDC", "E", "+e"]
SERVERS = [
    "(10.1.0.53)",
    "(fd00::53)",
    "10.1.0.53",
    "(10.1.0.53",
    "()",
    "(10.1.0.53) [ECS 203.0.113.0/24/0]",
    "(10.1.0.53)\r",
    "",
]


@st.composite
def lines(draw: st.DrawFn) -> str:
    """A query line of which a part or two are unusual."""
    parts = [
        [s + " " if s else s for s in STAMPS],
        HEADS,
        CLIENTS,
        ADDRESSES,
        PORTS,
        VIEWS,
        [" query: "],
        NAMES,
    ]
    parts += [[" "], TYPES, [" "], FLAGS, [" "], SERVERS]
    odd = draw(st.sets(st.integers(0, len(parts) - 1), max_size=2))
    return "".join(
        draw(st.sampled_from(part)) if number in odd else part[0] for number, part in enumerate(parts)
    )


def rows_of(parsed: Parsed, count: int) -> tuple[list[object], dict[str, list[int]], int]:
    rows = [
        (line, row)
        for found in parsed.rows
        for line, row in zip(
            found.line.tolist(),
            readable(conform(found.kind, found.columns, len(found.line))).to_pylist(),
            strict=True,
        )
    ]
    rejected = {reason: sorted(index.tolist()) for reason, index in parsed.rejected.items()}
    assert len(rows) + sum(map(len, rejected.values())) + parsed.other == count
    return sorted(rows, key=lambda pair: pair[0]), rejected, parsed.other


def compare(folder: Path, text: list[str], zone: str = "Asia/Shanghai") -> Parsed:
    path = folder / "log"
    path.write_bytes("\n".join(text).encode() + b"\n")
    with ByteStream(identify(path)) as stream:
        (chunk,) = chunks(stream)
    plain = Chunk(chunk.lines, chunk.first, chunk.bad, chunk.sizes)

    def context() -> Context:
        return Context(zone=parse_zone(zone), collected=dt.datetime(2026, 12, 1, tzinfo=dt.UTC))

    quick = FORMAT.open(context())(chunk)
    assert rows_of(quick, len(text)) == rows_of(FORMAT.open(context())(plain), len(text))
    return quick


@settings(max_examples=60, deadline=None)
@given(st.lists(lines(), min_size=1, max_size=25))
def test_any_mixture_of_lines(tmp_path_factory, text: list[str]) -> None:
    compare(tmp_path_factory.mktemp("log"), text)


def test_every_part_by_itself(tmp_path: Path) -> None:
    text = [USUAL]
    for part, usual in ((STAMPS, STAMPS[0]), (HEADS[1:], HEADS[1]), (CLIENTS, CLIENTS[1]), (ADDRESSES, "10.1.0.13"),
                        (PORTS, "#54767"), (NAMES, ": WwW.Example.Org"), (TYPES, "IN AAAA"), (FLAGS, "+E(0)K"),
                        (SERVERS, "(10.1.0.53)")):  # fmt: skip
        text += [USUAL.replace(usual, (": " if usual.startswith(": ") else "") + other) for other in part]
    compare(tmp_path, text)


def test_usual_lines_are_read_by_the_kernels(tmp_path: Path) -> None:
    text = [
        USUAL,
        USUAL.replace("@0x7fea21a32098 ", ""),
        USUAL.replace("10.1.0.13", "fd00::1"),
        USUAL + " [ECS 1.2.3.0/24/0]",
    ]
    text += [USUAL.replace("queries: info: ", ""), USUAL.replace("view staff: ", ""), USUAL + "\r"]
    path = tmp_path / "log"
    path.write_bytes("\n".join(text).encode() + b"\n")
    with ByteStream(identify(path)) as stream:
        (chunk,) = chunks(stream)
    rows = BindQueries(Context(zone=dt.UTC))(chunk.framed).rows
    assert rows.line.tolist() == list(range(len(text)))
    assert rows.columns["name"].to_pylist() == ["www.example.org"] * len(text)
    assert rows.columns["qtype"].to_pylist() == ["AAAA"] * len(text)
    assert isinstance(rows.columns["name"], pa.DictionaryArray)


def test_lines_whose_times_are_ambiguous(tmp_path: Path) -> None:
    days = [
        USUAL.replace("23-Nov-2026 09:15:02", stamp)
        for stamp in ("25-Oct-2026 02:30:00", "29-Mar-2026 02:30:00")
    ]
    compare(tmp_path, [USUAL, *days], "Europe/Berlin")
