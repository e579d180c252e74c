"""Formats that an office declares in TOML: what is read, what is refused, and that nothing breaks."""

from __future__ import annotations

import datetime as dt
import tomllib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netaudit.config import OwnFormats, Settings, Source
from netaudit.errors import ConfigError, NetauditError, UnknownFormatError
from netaudit.intake.lines import Chunk
from netaudit.intake.log_format import LogFormat
from netaudit.intake.times import Context, parse_zone
from netaudit.records.evidence import Ledger
from netaudit.records.printed import text as printed
from netaudit.records.schemas import conform, kind_of
from netaudit.sources import Options, read
from netaudit.sources.declared import read_format, read_formats
from netaudit.sources.declared.clocks import clockwork
from netaudit.sources.recognise import formats, named, own_formats, recognise
from netaudit.sources.trial import COLLECTED, differences, try_sample

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "formats"
PLAIN = r"""
title = "Door"
kind = "nat"
[recognise]
marker = "door"
[[line]]
pattern = '^door (?P<ts>\S+) (?P<message>\S+) (?P<client_ip>\S+) (?P<public_port>\S+)$'
[line.map.message]
"1" = "open"
"""


def declared(folder: Path, text: str, name: str = "door") -> LogFormat:
    path = folder / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return read_format(path)


def refused(folder: Path, text: str, name: str = "door") -> ConfigError:
    with pytest.raises(ConfigError) as raised:
        declared(folder, text, name)
    assert raised.value.hint
    assert str(folder) in (raised.value.where or "")
    return raised.value


def parsed(member: LogFormat, *lines: str, zone: str = "Asia/Shanghai", bad: tuple[int, ...] = ()):
    context = Context(zone=parse_zone(zone) if zone else None, collected=COLLECTED, tolerant=not zone)
    chunk = Chunk(pa.array(lines, pa.string()), 1, np.array(bad, np.int64), np.ones(len(lines), np.int64))
    return member.open(context)(chunk)


def records(member: LogFormat, *lines: str, zone: str = "Asia/Shanghai"):
    """Rows as printed cells, those absent left out, and reasons by line."""
    done = parsed(member, *lines, zone=zone)
    rows = []
    for part in done.rows:
        batch = conform(part.kind, part.columns, len(part.line))
        cells = {n: printed(batch.column(n)).to_pylist() for n in batch.schema.names}
        rows += [{n: c[i] for n, c in cells.items() if c[i] is not None} for i in range(len(part.line))]
    return rows, {int(i): reason for reason, index in done.rejected.items() for i in index}, done.other


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.toml")), ids=lambda p: p.stem)
def test_the_examples_come_out_and_are_recognised(path):
    member = read_format(path)
    assert sum(len(sample.records) for sample in member.samples) >= 2
    assert [d for sample in member.samples for d in differences(member, sample)] == []
    lines = "\n".join(sample.text for sample in member.samples).split("\n")
    assert recognise(lines, path.stem, {path.stem: member}) == path.stem
    foreign = [n for n, f in formats().items() for s in f.samples if member.sniff(s.text.split("\n")) > 0.5]
    assert foreign == []


def test_a_line_becomes_a_record_by_its_groups(tmp_path):
    member = declared(tmp_path, PLAIN)
    rows, rejected, other = records(
        member,
        "door 2026-11-23T08:00:52 1 10.0.0.7 1024",
        "door 2026-11-23T08:00:53Z shut - 1025",
        "door 2026-11-23T08:00:54 1 10.0.0.999 1024",
        "door 2026-11-23T08:00:54 1 10.0.0.9 99999",
        "door yesterday 1 10.0.0.9 9",
        "",
        "window",
    )
    assert rows == [
        {
            "ts": "2026-11-23T00:00:52.000000000Z",
            "client_ip": "10.0.0.7",
            "message": "open",
            "public_port": "1024",
        }
    ]
    assert rejected == {
        1: "The line names no address, device, account or domain.",
        2: "What should be an IP address is none.",
        3: "What should be a number is none, or is too large.",
        4: "What should be a time is not written as the format says.",
        6: "The line fits none of the format's patterns.",
    }
    assert other == 1


def test_what_fits_no_pattern_may_be_counted_instead(tmp_path):
    member = declared(tmp_path, "other = 'counted'\nignore = '^#'\n" + PLAIN)
    assert records(member, "window", "# x")[1:] == ({}, 2)


def test_times_without_a_zone_are_left_out_and_not_called_wrong(tmp_path):
    member = declared(tmp_path, PLAIN)
    rows, rejected, _ = records(
        member, "door 2026-11-23T08:00:52 1 10.0.0.7 1024", "door 2026-13-23T08:00:52 1 10.0.0.7 1", zone=""
    )
    assert [row.get("ts", "") for row in rows] == [""]
    assert rejected == {1: "What should be a time is not written as the format says."}


def test_a_zone_that_the_device_always_writes_gives_way_to_the_source(tmp_path):
    member = declared(tmp_path, PLAIN + "[time]\nzone = 'UTC'\n")
    line = "door 2026-11-23T08:00:52 1 10.0.0.7 1024"
    assert records(member, line, zone="")[0][0]["ts"] == "2026-11-23T08:00:52.000000000Z"
    assert records(member, line)[0][0]["ts"] == "2026-11-23T00:00:52.000000000Z"


def test_names_hosts_and_urls(tmp_path):
    member = declared(
        tmp_path,
        """title = "p"
kind = "proxy"
[table]
separator = "|"
columns = ["ts", "client_ip", "url", "", "name"]
""",
    )
    rows, rejected, _ = records(
        member,
        "2026-11-23 08:00:52|10.0.0.7|https://a.example/secret?q|x|",
        "2026-11-23 08:00:52|10.0.0.7|||BÜCHER.example.",
        "2026-11-23 08:00:52|10.0.0.7|||198.51.100.7",
        "2026-11-23 08:00:52|10.0.0.7|||a..b",
        "2026-11-23 08:00:52|10.0.0.7|/path/alone||",
        "2026-11-23 08:00:52|10.0.0.7|",
    )
    assert [(r.get("name"), r.get("server_ip"), r.get("server_port")) for r in rows] == [
        ("a.example", None, "443"),
        ("xn--bcher-kva.example", None, None),
        (None, "198.51.100.7", None),
    ]
    assert sorted(rejected) == [3, 4, 5]


def test_a_table_is_found_below_its_title_on_every_sheet_and_over_chunks(tmp_path):
    member = declared(
        tmp_path,
        """title = "t"
kind = "arp"
[table.titles]
client_ip = "IP 地址"
client_mac = ["MAC"]
""",
    )
    parse = member.open(Context(zone=dt.UTC))
    nothing = np.array([], np.int64)
    sheets = (
        ["\fleft behind", "ip地址;mac", "10.0.0.1;52:54:00:00:00:01"],
        ["10.0.0.2;525400000002", "ip地址;mac", "\fMAC,IP地址", "525400000003,10.0.0.3", "", "10.0.0.4"],
        ["\fnone", "10.0.0.5,525400000005"],
    )
    made = [parse(Chunk(pa.array(lines), 1, nothing, np.ones(len(lines), np.int64))) for lines in sheets]
    found = [
        conform(r.kind, r.columns, len(r.line)).column("client_ip").to_pylist()
        for p in made
        for r in p.rows
    ]
    assert [len(ips) for ips in found] == [1, 1, 1]
    assert [p.other for p in made] == [2, 3, 0]
    assert [sum(map(len, p.rejected.values())) for p in made] == [0, 1, 2]


def test_the_dates_of_a_workbook_are_dates_whatever_their_form(tmp_path):
    from openpyxl import Workbook

    declared(
        tmp_path,
        """title = "t"
kind = "radius"
time.ts = "%Y/%m/%d %H:%M:%S"
[recognise]
marker = "门禁"
[table.titles]
ts = "时间"
account = "门禁卡"
""",
    )
    book = Workbook()
    for row in (
        ["时间", "门禁卡"],
        [dt.datetime.fromisoformat("2026-11-23T08:00:52"), "u1"],
        ["2026/11/23 8:00:53", 17],
        ["x", 1],
    ):
        book.active.append(row)
    book.save(tmp_path / "cards.xlsx")
    source = Source(path="cards.xlsx", timezone="Asia/Shanghai")
    config = Settings(source=(source,), formats=OwnFormats((".",)), folder=tmp_path)
    ledger = Ledger()
    (batch,) = read([str(tmp_path / "cards.xlsx")], config, ledger)
    assert printed(batch.column("ts")).to_pylist() == [
        "2026-11-23T00:00:52.000000000Z",
        "2026-11-23T00:00:53.000000000Z",
    ]
    assert batch.column("account").to_pylist() == ["u1", "17"]
    assert [(s.reason, s.first) for s in ledger.files[0].skipped if s.matters] == [
        ("What should be a time is not written as the format says.", (4,))
    ]


@pytest.mark.parametrize(
    ("form", "text", "moment"),
    [
        ("%Y年%m月%d日 %p%I:%M:%S", "2026年11月3日  下午12:05:09", "2026-11-03T04:05:09"),
        ("%Y年%m月%d日 %p%I:%M:%S", "2026年11月03日 上午12:05:09", "2026-11-02T16:05:09"),
        ("%d/%b/%Y:%H:%M:%S.%f %z", "03/nov/2026:06:05:09.25 +0100", "2026-11-03T05:05:09.25"),
        ("%m/%d/%y %I:%M %p", "11/03/26 1:05 p.m.", "2026-11-03T05:05:00"),
        ("%b %d %H:%M:%S", "Dec 31 08:00:00", "2025-12-31T00:00:00"),
        ("%m-%d %H%M%S", "11-03 080509", "2026-11-03T00:05:09"),
        ("100%% %Y.%m.%d", "100% 2026.11.03", "2026-11-02T16:00:00"),
        ("iso", "2026/11/3", "2026-11-02T16:00:00"),
        ("iso", "2026-11-03T00:05:09Z", "2026-11-03T00:05:09"),
        ("epoch", "1793772309.5", "2026-11-04T06:05:09.5"),
        ("syslog", "Nov  3 08:05:09", "2026-11-03T00:05:09"),
        ("%Y-%m-%d", "2026-02-30", None),
        ("%Y-%m-%d %p%I", "2026-02-01 PM13", None),
        ("%Y-%m-%d", "x2026-02-03", None),
    ],
)
def test_times_by_parts(form, text, moment):
    context = Context(zone=parse_zone("Asia/Shanghai"), collected=COLLECTED)
    column = clockwork(form)(pa.array([text, None]), context)
    wanted = None if moment is None else pa.array([moment + "Z"]).cast(pa.timestamp("ns", "UTC"))[0].as_py()
    assert column.to_pylist() == [wanted, None]


@pytest.mark.parametrize(
    "form", ["", "%Q", "%", "%Y-%m", "%H:%M", "%Y%y%m%d", "%Y-%m-%d %I", "%m-%d %z", "%Y-%m-%d :%S", "isoo"]
)
def test_no_form_of_times(form, tmp_path):
    with pytest.raises(ValueError, match=r"\w"):
        clockwork(form)
    if form:
        error = refused(tmp_path, PLAIN + f"[time]\nts = '{form}'\n")
        assert (error.code, error.where) == ("format-time", f"{tmp_path / 'door.toml'}: time.ts")


@pytest.mark.parametrize(
    ("change", "code", "where", "hint"),
    [
        (("title", "titel"), "config-key", ": titel", "title"),
        (("[[line]]\npattern", "[[line]]\npatern"), "config-key", ": line.patern", "pattern"),
        (("marker", "markr"), "config-key", ": recognise.markr", "marker"),
        (('"nat"', '"natt"'), "format-kind", "line[0]: kind", "{near}"),
        (("client_ip", "client_pi"), "format-column", "line[0].pattern", "{near}"),
        (("map.message", "map.mesage"), "format-column", "line[0].map", "{near}"),
        (("(?P<ts>", "("), "format-pattern", "line[0].pattern", "RE2"),
        (("^door", "(?=door)"), "format-pattern", "line[0].pattern", "RE2"),
        (("^door", "x" * 5000), "format-pattern", "line[0].pattern", "RE2"),
        (("<ts>", "<ts_end>"), "format-without-time", "line[0]", "syslog"),
        (("<public_port>", "<client_ip>"), "format-column-twice", "line[0]", "one|two"),
        (("kind", "other = 'count'\nkind"), "format-word", ": other", "{near}"),
        (("marker", "share = 7\nmarker"), "format-share", "recognise.share", "0.5"),
        (("kind", "[table]\nx = 1\n[y]\nkind"), "config-key", ": y", ""),
        (('"Door"', "3"), "config-value", "door.toml", ""),
        (("title", "= title"), "format-unreadable", "door.toml", "TOML"),
        (("title", "x = " + "[" * 5000), "format-unreadable", "door.toml", "TOML"),
        (("title", "#" * 300_000 + "\ntitle"), "format-unreadable", "door.toml", "TOML"),
        (("[[line]]", "[table.titles]\nts = 'x'\n[[line]]"), "format-outline", "door.toml", "examples"),
        (("[recognise]", "[time]\nzone = 'CST'\n[recognise]"), "zone-ambiguous", "time.zone", "Asia"),
    ],
)
def test_what_is_wrong_is_said_with_file_and_key(tmp_path, change, code, where, hint):
    assert change[0] in PLAIN
    error = refused(tmp_path, PLAIN.replace(*change, 1))
    assert error.code == code
    assert error.where.endswith(where)
    assert hint in error.hint


@pytest.mark.parametrize(
    ("table", "code"),
    [
        ("", "format-table"),
        ("columns = ['ts', 'client_ip']", "format-table"),
        ("columns = ['ts', 'client_ip']\nseparator = 'x'", "format-word"),
        ("needs = 'ts'\n[table.titles]\nts_date = 'a'", "format-word"),
        ("[table.titles]\nclient_ip = 'a'", "format-without-time"),
        ("[table.titles]\nts = 'a'\nordinal = 'b'", "format-column"),
    ],
)
def test_what_is_wrong_with_a_table(tmp_path, table, code):
    assert refused(tmp_path, f"title = 'x'\nkind = 'nat'\n[table]\n{table}\n").code == code


@pytest.mark.parametrize(
    ("sample", "code"),
    [
        ("text = 'door 2026-11-23 1'\nrecords = [{message = 'x'}]", "format-sample"),
        (
            "text = 'door 2026-11-23T00:00:00 1 10.0.0.1 1'\nrecords = [{client_ip = '10.0.0.2'}]",
            "format-sample",
        ),
        ("text = 'x'\nrecords = [{client_ip = 'here'}]", "format-cell"),
        ("text = 'x'\nrecords = [{kind = 'dns'}]", "format-cell"),
        ("text = 'x'\nrecords = [{file = 'x'}]", "format-cell"),
        ("text = 'x'\ntimezone = 'PST'", "zone-ambiguous"),
    ],
)
def test_samples_that_do_not_come_out_stop_the_format(tmp_path, sample, code):
    error = refused(tmp_path, f"{PLAIN}[[sample]]\n{sample}\n")
    assert error.code == code
    if code == "format-sample":
        assert "record" in str(error)


def test_a_sample_may_spell_its_cells_as_it_likes(tmp_path):
    text = """
[[sample]]
timezone = "Asia/Shanghai"
text = "door 2026-11-23T08:00:52 1 2001:db8:0:0::1 1024"
records = [{ts = "2026/11/23 8:00:52", client_ip = "2001:DB8::1", public_port = "1024", account = ""}]
"""
    member = declared(tmp_path, PLAIN + text)
    assert try_sample(member, member.samples[0]).records[0]["client_ip"] == "2001:db8::1"


def test_names_of_files(tmp_path):
    assert refused(tmp_path, PLAIN, "a b").code == "format-name"
    declared(tmp_path, PLAIN, "门禁-2")
    (tmp_path / "more").mkdir()
    declared(tmp_path / "more", PLAIN, "门禁-2")
    with pytest.raises(ConfigError) as raised:
        read_formats([tmp_path, tmp_path / "more"])
    assert raised.value.code in {"format-name-taken", "format-name"}
    with pytest.raises(ConfigError) as raised:
        read_formats([tmp_path / "absent"])
    assert raised.value.code == "format-folder"


@pytest.mark.parametrize("name", ["bind_querylog", "pcap"])
def test_a_shipped_format_is_not_replaced(tmp_path, name):
    declared(tmp_path, PLAIN, name)
    with pytest.raises(ConfigError) as raised:
        own_formats(Settings(formats=OwnFormats((str(tmp_path),))))
    assert raised.value.code == "format-name-taken"


def test_recognition_needs_the_marker_and_wins_by_it(tmp_path):
    own = {"door": declared(tmp_path, PLAIN)}
    line = "door 2026-11-23T08:00:52 1 10.0.0.7 1024"
    assert recognise([line], "x", own) == "door"
    twin = declared(tmp_path, PLAIN, "twin")
    with pytest.raises(UnknownFormatError) as raised:
        recognise([line], "x", own | {"twin": twin})
    assert raised.value.code == "format-ambiguous"


def test_a_pattern_that_fits_anything_takes_no_log_from_a_format_that_is_sure(tmp_path):
    greedy = declared(
        tmp_path,
        r"""title = "any"
kind = "nat"
time.ts = "%d-%b-%Y %H:%M:%S.%f"
line = [{pattern = '^(?P<ts>\S+ \S+) .*\b(?P<client_ip>\d+\.\d+\.\d+\.\d+)'}]
""".replace("\\\\", "\\"),
        "any",
    )
    lines = next(s.text for s in named("bind_querylog").samples if s.records).split("\n")
    assert greedy.sniff(lines) > 0.9
    assert recognise(lines, "x", {"any": greedy}) == "bind_querylog"


def test_the_reader_takes_them_from_the_settings(tmp_path):
    declared(tmp_path, PLAIN)
    log = tmp_path / "door.log"
    log.write_bytes("door 2026-11-23T08:00:52 开 10.0.0.7 1024\ndoor 1 2 3 4\nwindow\n".encode("gb18030"))
    told = []
    for source in (Source(path="door.log", timezone="Asia/Shanghai", format=f) for f in ("", "door")):
        config = Settings(source=(source,), formats=OwnFormats((".",)), folder=tmp_path)
        ledger = Ledger()
        options = Options(left_out=lambda *said: told.append(said))
        batches = list(read([str(log)], config, ledger, options=options))
        assert [kind_of(batch) for batch in batches] == ["nat"]
        assert batches[0].column("message").to_pylist() == ["开"]
        assert ledger.files[0].format == "door"
        assert [skipped.count for skipped in ledger.files[0].skipped] == [1, 1]
    assert sorted(said[1:] for said in told) == [(2, "door 1 2 3 4")] * 2 + [(3, "window")] * 2
    with pytest.raises(ConfigError):
        read([str(log)], Settings(formats=OwnFormats(("absent",)), folder=tmp_path), Ledger())


_WORDS = st.sampled_from(
    [
        "door", "2026-11-23T08:00:52", "10.0.0.7", "1024", "Gate-1000 NAT 动作=1", "内网=10.0.0.1:5", "-", "\f",
        "时间=2026年11月23日 下午13:00:52", "日期,时刻,事件,账号,终端MAC", '"', ",", "合计", "2026/11/23", "8:00:52",
        "52-54-00-AA-00-01", "<134>Nov 23 08:00:52 gate ", "99999999999999999999", "公网=::1:70000",
    ]
)  # fmt: skip
_LINE = st.one_of(
    st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\n"), max_size=40),
    st.lists(_WORDS, max_size=8).map(" ".join),
    st.lists(_WORDS, max_size=8).map(",".join),
)


@pytest.fixture(scope="module")
def members(tmp_path_factory):
    folder = tmp_path_factory.mktemp("formats")
    return [declared(folder, PLAIN), *(read_format(path) for path in sorted(EXAMPLES.glob("*.toml")))]


@settings(max_examples=150, deadline=None)
@given(
    pieces=st.lists(st.lists(_LINE, min_size=1, max_size=12), max_size=3), zone=st.sampled_from(["UTC", ""])
)
def test_any_lines_are_accounted_for(members, pieces, zone):
    for member in members:
        context = Context(zone=dt.UTC if zone else None, collected=COLLECTED, tolerant=True)
        parse = member.open(context)
        for lines in pieces:
            done = parse(Chunk(pa.array(lines), 1, np.array([], np.int64), np.ones(len(lines), np.int64)))
            seen = [int(i) for index in done.rejected.values() for i in index]
            for rows in done.rows:
                conform(rows.kind, rows.columns, len(rows.line)).validate(full=True)
                seen += rows.line.tolist()
            assert len(seen) == len(set(seen))
            assert len(seen) + done.other == len(lines)
        assert 0 <= member.sniff([line for lines in pieces for line in lines]) <= 1


def test_lines_that_are_no_text_are_counted_by_the_reader_alone(tmp_path):
    done = parsed(declared(tmp_path, PLAIN), "", "window", bad=(0,))
    assert (done.other, [len(v) for v in done.rejected.values()]) == (0, [1])


def _spoilt(draw: st.DrawFn) -> str:
    text = draw(
        st.sampled_from([path.read_text(encoding="utf-8") for path in sorted(EXAMPLES.glob("*.toml"))])
    )
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(text)))
        cut = draw(st.integers(0, 12))
        text = text[:at] + draw(st.text("(){}[]<>?P\\*+\"'=.\n#x1 -", max_size=6)) + text[at + cut :]
    return text


_TOML = st.recursive(
    st.one_of(st.integers(), st.booleans(), st.text(max_size=8), st.just("nat"), st.just("(?P<ts>.*)")),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                [
                    "title", "kind", "line", "pattern", "find", "set", "map", "table", "titles", "columns", "ts",
                    "time", "recognise", "marker", "share", "sample", "text", "records", "ignore", "message",
                ]
            ),
            inner,
            max_size=5,
        ),
    ),
    max_leaves=20,
)  # fmt: skip


def _written(value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k} = {_written(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_written, value)) + "]"
    if isinstance(value, int):
        return str(value)
    return '"' + "".join(f"\\U{ord(c):08x}" for c in value) + '"'


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_file_is_a_format_or_an_error_for_people(tmp_path, data):
    if data.draw(st.booleans()):
        text = _spoilt(data.draw)
    else:
        tree = data.draw(
            st.dictionaries(st.sampled_from(["title", "kind", "line", "table", "time"]), _TOML)
        )
        text = "\n".join(
            f"{key} = {_written(value)}" for key, value in ({"title": "x", "kind": "nat"} | tree).items()
        )
        tomllib.loads(text)
    try:
        member = declared(tmp_path, text)
    except NetauditError as error:
        said = error
    else:
        member.sniff(["x"])
        return
    assert said.code
    assert str(tmp_path) in (said.where or "")
