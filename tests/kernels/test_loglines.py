from __future__ import annotations

import datetime as dt
import ipaddress
import itertools

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from netaudit.intake.lines import Framed
from netaudit.intake.times import Context, from_iso
from netaudit.kernels import ROOM
from netaudit.kernels.loglines import line_ends
from netaudit.kernels.octets import octets
from netaudit.records.addresses import parse_ip
from netaudit.records.names import normalise
from netaudit.sources.formats._quick import Columns


def framed(text: bytes) -> Framed:
    data = octets(np.concatenate((np.frombuffer(text, np.uint8), np.zeros(ROOM, np.uint8))))
    ends, high = np.empty(len(text) + 1, np.int64), np.zeros(len(text) + 1, np.uint8)
    count = line_ends(data, len(text), ends, high)
    return Framed(data, ends[:count], high[:count])


def laid_out(values: list[bytes]) -> tuple[Columns, np.ndarray]:
    """A maker of columns at the text of some values, and their spans."""
    text = b"|".join([*values, b"behind"])
    made = Columns(Context(zone=dt.UTC))
    made.begin(framed(text).text, len(values))
    begins = list(itertools.accumulate((len(v) + 1 for v in values[:-1]), initial=0))[: len(values)]
    spans = [begin << 16 | len(v) for begin, v in zip(begins, values, strict=True)]
    return made, np.array(spans, np.int64)


def good(made: Columns, column: pa.Array) -> list[object]:
    """The values of a column, None where the kernel has doubts."""
    rows = made.end("dns", {"column": column}, np.arange(len(column)))
    found = dict(zip(rows.line.tolist(), rows.columns["column"].to_pylist(), strict=True))
    return [found.get(row) for row in range(len(column))]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.binary(max_size=90).map(lambda b: b.replace(b"\n", b"")), max_size=9), st.booleans())
@example([b"x" * 63, b"x" * 64, b"\x80" + b"x" * 130], True)
def test_lines_and_which_of_them_are_not_ascii(lines: list[bytes], ended: bool) -> None:
    text = b"\n".join(lines) + (b"\n" if ended else b"")
    wanted = text.split(b"\n")
    if wanted[-1] == b"":
        wanted.pop()
    found = framed(text)
    begins = np.concatenate(([0], found.ends[:-1] + 1)) if len(found.ends) else found.ends
    assert [text[b:e] for b, e in zip(begins, found.ends, strict=True)] == wanted
    assert found.high.astype(bool).tolist() == [not line.isascii() for line in wanted]


def test_more_lines_than_there_is_room_for_are_only_counted() -> None:
    data = octets(np.concatenate((np.frombuffer(b"a\n\n\nb", np.uint8), np.zeros(ROOM, np.uint8))))
    assert line_ends(data, 5, np.empty(1, np.int64), np.zeros(1, np.uint8)) == 4


ADDRESSES = st.one_of(
    st.ip_addresses(v=4).map(str),
    st.ip_addresses(v=6).map(str),
    st.ip_addresses(v=6).map(lambda a: a.exploded),
    st.from_regex(r"[0-9a-fA-F:.]{1,40}", fullmatch=True),
    st.lists(st.sampled_from(["", "0", "1", "ffff", "00"]), min_size=1, max_size=10).map(":".join),
)


@settings(deadline=None, max_examples=60)
@given(st.lists(ADDRESSES, min_size=1, max_size=20))
@example(
    [
        "::",
        "::1",
        "1::",
        "1:2:3:4:5:6:7::",
        "::2:3:4:5:6:7:8",
        "1::3:4:5:6:7:8",
        "1:2:3:4::5:6:7:8",
        ":::",
        "1::2::3",
    ]
)
@example(
    [
        "01.2.3.4",
        "1.2.3",
        "1.2.3.4.5",
        "256.1.1.1",
        "1.2.3.4",
        "0.0.0.0",
        "255.255.255.255",
        "::1.2.3.4",
        "1..2.3",
    ]
)
def test_addresses_are_those_of_python_or_none(words: list[str]) -> None:
    made, spans = laid_out([word.encode() for word in words * 2])
    found = good(made, made.addresses(spans))
    for word, address in zip(words * 2, found, strict=True):
        assert address in {None, parse_ip(word)}
        if str(_address(word)) == word and "." not in word.removeprefix("::ffff:"):
            assert address is not None


def _address(word: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(word)
    except ValueError:
        return None


@settings(deadline=None, max_examples=60)
@given(st.lists(st.from_regex(r"[A-Za-z0-9_.\\-]{1,80}", fullmatch=True), min_size=1, max_size=20))
@example(
    [
        "A.b.",
        "a",
        ".",
        "a..b",
        ".a",
        "1.2.3.4",
        "x" * 63 + ".c",
        "x" * 64 + ".c",
        "a.1",
        "a.b1",
        "a\\.b",
        "WWW.A.B",
    ]
)
@example([".".join(["x" * 49] * 5) + ".abc", ".".join(["x" * 49] * 5) + ".abcd", "a-.b", "_a._b"])
def test_names_are_in_normal_form_or_none(words: list[str]) -> None:
    made, spans = laid_out([word.encode() for word in words * 2])
    found = good(made, made.names(spans))
    for word, name in zip(words * 2, found, strict=True):
        assert name in {None, normalise(word)}
    assert good(*_named(["www.example.org", "WWW.Example.ORG."])) == ["www.example.org"] * 2


def _named(words: list[str]) -> tuple[Columns, pa.Array]:
    made, spans = laid_out([word.encode() for word in words])
    return made, made.names(spans)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 7_258_118_399_999_999), st.integers(0, 9))
def test_times_of_bind(micros: int, digits: int) -> None:
    moment = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=micros)
    nanos = f"{moment.microsecond:06}{digits:03}"[:digits]
    stamp = moment.strftime("%d-%b-%Y %H:%M:%S") + ("." + nanos if digits else "")
    made, spans = laid_out([stamp.encode()] * 2)
    (found, _) = made.day_first(spans).cast(pa.int64()).to_pylist()
    whole = micros // 10**6
    assert found == whole * 10**9 + int(nanos.ljust(9, "0") or 0)


@pytest.mark.parametrize(
    "stamp",
    ["31-Feb-2026 00:00:00", "01-jan-2026 00:00:00", "1-Jan-2026 00:00:00", "01-Jan-2026 24:00:00", "01-Jan-2026 00:00",
     "01-Jan-2026 00:00:60", "01-Jan-2026 00:00:00.", "01-Jan-2026 00:00:00.1234567891", "01-Jan-1969 00:00:00",
     "29-Feb-2026 00:00:00", "01-Jan-2026 00:00:00,5"],
)  # fmt: skip
def test_no_times_of_bind(stamp: str) -> None:
    made, spans = laid_out([b"23-Nov-2026 09:15:02", stamp.encode(), b"29-Feb-2024 09:15:02.5"])
    assert [value is None for value in good(made, made.day_first(spans))] == [False, True, False]


def test_ports_and_words() -> None:
    made, spans = laid_out([b"0", b"65535", b"65536", b"", b"x", b"000000001", b"0000000001"])
    assert good(made, made.ports(spans)) == [0, 65_535, None, None, None, 1, None]
    made, spans = laid_out([b"A", b"AAAA", b"A", b"", b"x" * 16, b"x" * 17, b"A\0", b"no"])
    column = made.words(
        spans, "letters", lambda words: pa.array([w if w != "no" else None for w in words.to_pylist()])
    )
    assert good(made, column) == ["A", "AAAA", "A", None, "x" * 16, None, None, None]


def test_a_vocabulary_is_bounded() -> None:
    made, spans = laid_out([b"w%d" % number for number in range(100)])
    found = good(made, made.words(spans, "many", lambda words: words))
    assert found == [f"w{number}" for number in range(64)] + [None] * 36


def test_names_outlive_their_chunk() -> None:
    made, spans = laid_out([b"a.example", b"b.example"])
    first = made.names(spans)
    made.begin(framed(b"other.example.org|").text, 1)
    made.names(np.array([17], np.int64))
    assert first.to_pylist() == ["a.example", "b.example"]


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 7_257_000_000_000_000), st.sampled_from(["Z", "+0000", "+08:00", "-0930", "+1800"]))
def test_iso_times(micros: int, offset: str) -> None:
    moment = dt.datetime(1970, 1, 3, tzinfo=dt.UTC) + dt.timedelta(microseconds=micros)
    stamp = moment.strftime("%Y-%m-%dT%H:%M:%S.%f") + offset
    made, spans = laid_out([stamp.encode()] * 2)
    wanted = from_iso(pa.array([stamp]), Context()).cast(pa.int64()).to_pylist()
    assert made.isos(spans).cast(pa.int64()).to_pylist() == wanted * 2


@pytest.mark.parametrize(
    "stamp",
    ["2026-11-23T09:15:02", "2026-11-23 09:15:02Z", "2026-11-23T09:15:02+08", "2026-11-23T09:15:02+1900", "Z", "+0000",
     "2026-02-30T09:15:02Z", "1970-01-01T00:00:00+0100", "2026-11-23T09:15:02,5Z", "2026-11-23T09:15:60Z"],
)  # fmt: skip
def test_no_iso_times(stamp: str) -> None:
    made, spans = laid_out([b"2026-11-23T09:15:02Z", stamp.encode(), b"2026-11-23T09:15:02.5+0000"])
    assert [value is None for value in good(made, made.isos(spans))] == [False, True, False]


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.sampled_from(["-", "(empty)", "a", "a,b", "192.0.2.1,::1", ",", "a,", "\\x2c", "", "-,-"]),
        min_size=1,
    )
)
def test_lists(cells: list[str]) -> None:
    made, spans = laid_out([cell.encode() for cell in cells])
    column = made.lists(spans, ",")
    rows = made.end("dns", {"column": column}, np.arange(len(cells)))
    for row, found in zip(rows.line.tolist(), rows.columns["column"].to_pylist(), strict=True):
        assert found == (None if cells[row] in {"-", "(empty)"} else cells[row].split(","))
    assert set(np.array(cells)[rows.line]) == set(cells) - {",", "a,", "\\x2c", ""}
