"""From arguments to events: folders, archives, compression, clocks, and an account of every byte."""

from __future__ import annotations

import bz2
import datetime as dt
import gzip
import io
import lzma
import os
import sys
import zipfile
from dataclasses import replace

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netaudit.config import Inventory, Settings, Source
from netaudit.errors import NetauditError, UnknownFormatError
from netaudit.intake.times import Context
from netaudit.records.evidence import Ledger
from netaudit.records.printed import readable
from netaudit.records.schemas import kind_of
from netaudit.sources import Options, inputs, read, read_frames
from netaudit.sources.recognise import formats, named, recognise

LINE = (
    "04-Nov-2026 14:05:{0:02d}.012 queries: info: client @0x7fea21a32098 10.66.3.55#54767 ({1}):"
    " query: {1} IN A +E(0)K (10.66.0.53)\n"
)
AT = dt.datetime(2026, 11, 4, 14, 5, tzinfo=dt.UTC)
PACKERS = {
    "": bytes,
    "gz": lambda data: gzip.compress(data, mtime=0),
    "xz": lzma.compress,
    "bz2": bz2.compress,
    "zst": lambda data: zstandard.ZstdCompressor().compress(data),
}


def log(*names):
    return "".join(LINE.format(n % 60, name) for n, name in enumerate(names)).encode()


def put(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def told(*arguments, given=None, zone="UTC", input_format="", progress=None):
    """The events as plain dicts, and the ledger."""
    ledger, rows = Ledger(), []
    options = Options(input_format, zone)
    for batch in read(
        [str(a) for a in arguments], given or Settings(), ledger, options=options, progress=progress
    ):
        rows += [dict(row, kind=kind_of(batch)) for row in readable(batch).to_pylist()]
    return rows, ledger


def names(rows):
    return [row["name"] for row in rows]


def codes(ledger):
    return [error.code for error in ledger.errors]


def adds_up(ledger):
    return all(
        e.bytes_read + e.bytes_skipped == e.size and min(e.bytes_read, e.bytes_skipped) >= 0
        for e in ledger.files
    )


# what the arguments name


def test_a_folder_is_read_in_the_order_of_its_paths(tmp_path):
    for name in ("b.log", "a/z.log", "a/y.log", "c.log"):
        put(tmp_path / "logs" / name, log(name.replace("/", "-") + ".example"))
    rows, ledger = told(tmp_path / "logs")
    assert names(rows) == ["a-y.log.example", "a-z.log.example", "b.log.example", "c.log.example"]
    assert [e.name for e in ledger.files] == sorted(e.name for e in ledger.files)


def test_a_link_and_its_target_count_once(tmp_path):
    target = put(tmp_path / "logs" / "a.log", log("a.example"))
    (tmp_path / "logs" / "b.log").symlink_to(target)
    (tmp_path / "logs" / "loop").symlink_to(tmp_path / "logs")
    assert names(told(tmp_path / "logs")[0]) == ["a.example"]


def test_globs(tmp_path):
    for name in ("2.log", "1.log", "3.txt"):
        put(tmp_path / name, log(f"n{name[0]}.example"))
    assert names(told(tmp_path / "*.log")[0]) == ["n1.example", "n2.example"]


def test_a_file_whose_name_looks_like_a_glob(tmp_path):
    put(tmp_path / "log[1].log", log("a.example"))
    assert names(told(tmp_path / "log[1].log")[0]) == ["a.example"]


def test_globs_and_folders_without_files(tmp_path):
    (tmp_path / "empty").mkdir()
    rows, ledger = told(tmp_path / "*.log", tmp_path / "empty")
    assert (rows, codes(ledger), ledger.usable) == ([], ["nothing-there"] * 2, False)


def test_what_is_not_there_stops_nothing(tmp_path):
    put(tmp_path / "a.log", log("a.example"))
    rows, ledger = told(tmp_path / "none.log", tmp_path / "a.log")
    assert (names(rows), codes(ledger)) == (["a.example"], ["cannot-read"])
    assert [bool(e.error) for e in ledger.files] == [True, False]
    assert (ledger.usable, ledger.complete) == (True, False)


def test_one_file_named_twice_and_one_content_under_two_names(tmp_path):
    path = put(tmp_path / "a.log", log("a.example"))
    put(tmp_path / "copy.log", log("a.example"))
    rows, ledger = told(path, tmp_path / "." / "a.log", tmp_path / "copy.log")
    assert [e.records for e in ledger.files] == [1, 0]
    assert len(rows) == 1
    assert ledger.complete


def test_a_pipe_is_refused_and_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    _, ledger = told(tmp_path / "pipe")
    assert codes(ledger) == ["not-a-file"]


def test_standard_input_is_evidence_too(monkeypatch):
    data = log("a.example", "b.example")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
    rows, ledger = told("-")
    (entry,) = ledger.files
    assert (names(rows), entry.name, entry.size) == (["a.example", "b.example"], "-", len(data))
    assert rows[0]["file"] == entry.sha256[:16] == entry.id


# archives


def test_members_of_an_archive_are_files(tmp_path):
    with zipfile.ZipFile(tmp_path / "logs.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("b/two.log", log("two.example"))
        archive.writestr("../../one.log", log("one.example"))
        archive.writestr("empty/", b"")
        archive.writestr("three.log.gz", gzip.compress(log("three.example"), mtime=0))
    rows, ledger = told(tmp_path / "logs.zip")
    assert sorted(names(rows)) == ["one.example", "three.example", "two.example"]
    assert {e.name for e in ledger.files} == {
        f"{tmp_path}/logs.zip!{member}" for member in ("b/two.log", "../../one.log", "three.log.gz")
    }
    assert adds_up(ledger)
    assert [p.name for p in tmp_path.iterdir()] == ["logs.zip"]


def test_two_archives_with_members_of_one_name(tmp_path):
    for number in (1, 2):
        with zipfile.ZipFile(tmp_path / f"{number}.zip", "w") as archive:
            archive.writestr("q.log", log(f"n{number}.example"))
    assert names(told(tmp_path / "1.zip", tmp_path / "2.zip")[0]) == ["n1.example", "n2.example"]


def test_a_damaged_member_is_said_and_the_others_are_read(tmp_path):
    with zipfile.ZipFile(tmp_path / "logs.zip", "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("a.log", log("a.example"))
        archive.writestr("b.log", log("spoilt.example"))
    data = (tmp_path / "logs.zip").read_bytes().replace(b"spoilt.example", b"spoiled-examp", 1)
    put(tmp_path / "logs.zip", data.replace(b"spoiled-examp", b"spoiledexampl!", 1))
    put(tmp_path / "c.log", log("c.example"))
    rows, ledger = told(tmp_path / "logs.zip", tmp_path / "c.log")
    assert names(rows) == ["a.example", "c.example"]
    assert codes(ledger) == ["archive-damaged"]
    assert not ledger.complete


def test_an_encrypted_archive_is_said(tmp_path):
    with zipfile.ZipFile(tmp_path / "logs.zip", "w") as archive:
        archive.writestr("a.log", log("a.example"))
    data = bytearray((tmp_path / "logs.zip").read_bytes())
    data[6] |= 1  # general purpose bit 0 of the local header, and of the directory
    data[data.index(b"PK\x01\x02") + 8] |= 1
    put(tmp_path / "logs.zip", bytes(data))
    rows, ledger = told(tmp_path / "logs.zip")
    assert (rows, codes(ledger)) == ([], ["archive-damaged"])


@pytest.mark.parametrize("size", [3, 60])
def test_a_cut_archive_is_said(tmp_path, size):
    with zipfile.ZipFile(tmp_path / "logs.zip", "w") as archive:
        archive.writestr("a.log", log("a.example"))
    data = (tmp_path / "logs.zip").read_bytes()
    put(tmp_path / "logs.zip", data[:-size])
    rows, ledger = told(tmp_path / "logs.zip")
    assert rows == []
    assert ledger.errors
    assert not ledger.complete


def test_bombs_are_refused(tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(3 << 20))
    monkeypatch.setattr(inputs, "MAX_EXPANDED", 1 << 20)
    assert codes(told(tmp_path / "bomb.zip")[1]) == ["expands-too-far"]
    monkeypatch.setattr(inputs, "MAX_MEMBERS", 0)
    assert codes(told(tmp_path / "bomb.zip")[1]) == ["too-many-members"]


# compression and the account of bytes


@pytest.mark.parametrize("packing", PACKERS)
def test_compressed_logs_are_read_as_they_are_and_add_up(tmp_path, packing):
    data = log(*(f"n{n}.example" for n in range(300))) + b"not a query\n"
    rows, ledger = told(put(tmp_path / "q.log", PACKERS[packing](data)))
    (entry,) = ledger.files
    assert (len(rows), entry.format, entry.truncated) == (300, "bind_querylog", False)
    assert adds_up(ledger)
    assert entry.size == (tmp_path / "q.log").stat().st_size
    assert sum(s.count for s in entry.skipped) == 1


@pytest.mark.parametrize("packing", [p for p in PACKERS if p])
@pytest.mark.parametrize("share", [0.47, 0.95])
def test_a_cut_compressed_log_is_never_whole(tmp_path, packing, share):
    data = b"".join(PACKERS[packing](log(f"{os.urandom(9).hex()}.example")) for _ in range(20))
    if packing in {"zst", "bz2", "xz"}:
        data = PACKERS[packing](log(*(f"{os.urandom(9).hex()}.example" for _ in range(3000))))
    rows, ledger = told(put(tmp_path / "q.log", data[: int(len(data) * share) - 5]))
    assert not ledger.complete
    assert adds_up(ledger)
    if rows:
        assert ledger.files[0].truncated


def test_a_wrong_checksum_is_said(tmp_path):
    data = bytearray(gzip.compress(log("a.example"), mtime=0))
    data[-6] ^= 0xFF
    _, ledger = told(put(tmp_path / "q.gz", bytes(data)))
    assert ledger.files[0].truncated
    assert not ledger.complete


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lines=st.lists(
        st.one_of(
            st.integers(0, 59).map(lambda n: LINE.format(n, f"n{n}.example").encode()),
            st.binary(max_size=60).map(lambda b: b.replace(b"\n", b"") + b"\n"),
        ),
        max_size=30,
    ),
    end=st.booleans(),
    packing=st.sampled_from(list(PACKERS)),
)
def test_every_byte_is_read_or_skipped(tmp_path, lines, end, packing):
    """Whatever stands between good lines: no exception, nothing lost, and good lines are found."""
    first = LINE.format(0, "first.example").encode() * 3
    data = first + b"".join(lines)
    data = data if end else data.rstrip(b"\n")
    rows, ledger = told(put(tmp_path / "q.log", PACKERS[packing](data)), input_format="bind_querylog")
    assert adds_up(ledger)
    good = data.split(b"\n").count(LINE.format(0, "first.example").encode()[:-1])
    assert names(rows).count("first.example") == good


# what is and what is not evidence


def test_good_and_bad_files_together(tmp_path):
    put(tmp_path / "a.log", log("a.example"))
    put(tmp_path / "b.pdf", b"%PDF-1.7 xxxx")
    put(tmp_path / "c.bin", bytes(range(256)) * 4 + bytes(99))
    put(tmp_path / "d.txt", b"Dear all,\nthis is no log.\n")
    put(tmp_path / "e.log", b"")
    put(tmp_path / "f.log", log("f.example"))
    rows, ledger = told(tmp_path)
    assert names(rows) == ["a.example", "f.example"]
    assert codes(ledger) == ["not-evidence", "not-text", "format-not-recognised"]
    assert [e.name[-5:] for e in ledger.files] == ["a.log", "b.pdf", "c.bin", "d.txt", "e.log", "f.log"]
    assert adds_up(ledger)
    assert (ledger.usable, ledger.complete) == (True, False)
    assert all(error.where for error in ledger.errors)


def test_a_compressed_picture_is_no_evidence_either(tmp_path):
    _, ledger = told(put(tmp_path / "p.gz", gzip.compress(b"\x89PNG\r\n\x1a\n" + bytes(999), mtime=0)))
    assert codes(ledger) == ["not-evidence"]
    assert adds_up(ledger)


def test_times_without_zone_are_an_error_of_that_file_only(tmp_path):
    put(tmp_path / "a.log", log("a.example"))
    put(tmp_path / "b.leases", b"1793772309 52:54:00:aa:00:01 10.66.3.55 pc *\n")
    rows, ledger = told(tmp_path, zone="")
    assert [row["kind"] for row in rows] == ["dhcp"]
    assert codes(ledger) == ["zone-missing"]
    assert adds_up(ledger)


def test_the_named_format_is_taken(tmp_path):
    path = put(tmp_path / "a.log", log("a.example"))
    assert names(told(path, input_format="bind_querylog")[0]) == ["a.example"]
    rows, ledger = told(path, input_format="dnsmasq_leases")
    assert (rows, ledger.complete) == ([], False)
    _, ledger = told(path, input_format="bind_query")
    assert codes(ledger) == ["format-unknown"]
    assert "bind_querylog" in ledger.errors[0].hint.format(**ledger.errors[0].values)


def test_two_formats_that_fit_equally_are_not_guessed_between(monkeypatch):
    member = named("bind_querylog")
    module = sys.modules["netaudit.sources.recognise"]
    monkeypatch.setattr(module, "discover", lambda family: {"one": member, "two": member})
    with pytest.raises(UnknownFormatError) as raised:
        recognise(log("a.example").decode().splitlines(), "q.log")
    assert raised.value.code == "format-ambiguous"
    assert "one, two" in str(raised.value)


@pytest.mark.parametrize("name", sorted(formats()))
def test_every_formats_own_samples_are_recognised_as_it_alone(name):
    member = formats()[name]
    for sample in member.samples:
        if sample.records and len(sample.text.splitlines()) > 1:
            assert recognise(sample.text.splitlines(), name) == name


def test_a_workbook_is_a_table(tmp_path):
    from openpyxl import Workbook

    book = Workbook()
    book.active.append(["asset", "hostname", "IP address", "MAC address", "owner"])
    book.active.append(["A-1", "pc-1", "10.1.2.7", "52-54-00-AA-00-07", "Li Si"])
    book.create_sheet("more").append(["asset", "hostname", "IP address", "MAC address", "owner"])
    book["more"].append(["A-2", "pc-2", "10.1.2.8", "52-54-00-AA-00-08", "=1+1"])
    book.save(tmp_path / "register.xlsx")
    rows, ledger = told(tmp_path / "register.xlsx")
    assert [(r["kind"], r["asset"], r["ip"], r["ordinal"]) for r in rows] == [
        ("asset", "A-1", "10.1.2.7", 2),
        ("asset", "A-2", "10.1.2.8", 4),
    ]
    assert (ledger.files[0].format, ledger.complete) == ("asset_table", True)
    assert adds_up(ledger)


# what the configuration says of a file


@pytest.fixture
def office(tmp_path):
    put(tmp_path / "logs" / "a.log", log("a.example"))
    return Settings(
        folder=tmp_path,
        source=(
            Source(
                "logs/*.log",
                id="dns-a",
                timezone="Asia/Shanghai",
                clock_offset_s=-90.5,
                site="east",
                segments=("hall", "office"),
            ),
            Source("logs", id="never", timezone="UTC"),
        ),
        inventory=Inventory("register.csv"),
    )


def test_zone_site_segments_and_clock_come_from_the_source(office):
    (row,), ledger = told(office.folder / "logs", given=office, zone="")
    (entry,) = ledger.files
    assert row["ts"] == dt.datetime(2026, 11, 4, 6, 3, 29, 512000, tzinfo=dt.UTC)
    assert row["site"] == "east"
    assert (entry.site, entry.source, entry.segments) == ("east", "dns-a", ("hall", "office"))
    assert (entry.clock_offset_s, entry.timezone) == (-90.5, "Asia/Shanghai")
    assert entry.first == entry.last == row["ts"]


def test_the_command_line_overrides_the_zone(office):
    (row,), ledger = told(office.folder / "logs", given=office, zone="UTC")
    assert row["ts"] == AT + dt.timedelta(seconds=0.012 - 90.5)
    assert ledger.files[0].timezone == "UTC"


def test_a_folder_named_as_source(office):
    given = replace(office, source=office.source[1:])
    _, ledger = told(office.folder / "logs" / "a.log", given=given, zone="")
    assert ledger.files[0].source == "never"


def test_the_clock_of_a_source_moves_captures_too(tmp_path):
    from scapy.all import DNS, DNSQR, IP, UDP, Ether, raw
    from scapy.utils import wrpcap

    frame = Ether(
        raw(Ether() / IP(dst="10.0.0.53") / UDP(sport=4000, dport=53) / DNS(qd=DNSQR(qname="a.example")))
    )
    frame.time = AT.timestamp()
    wrpcap(str(tmp_path / "m.pcap"), [frame])
    given = Settings(folder=tmp_path, source=(Source("m.pcap", clock_offset_s=60, site="west"),))
    rows, ledger = told(tmp_path / "m.pcap", given=given)
    assert {(r["ts"], r["site"]) for r in rows} == {(AT + dt.timedelta(seconds=60), "west")}
    assert (ledger.files[0].format, ledger.files[0].clock_offset_s) == ("pcap", 60)
    assert adds_up(ledger)


def test_members_of_an_archive_have_its_source(office):
    with zipfile.ZipFile(office.folder / "logs" / "old.log", "w") as archive:
        archive.writestr("q", log("old.example"))
    rows, _ = told(office.folder / "logs" / "old.log", given=office, zone="")
    assert [(r["name"], r["site"]) for r in rows] == [("old.example", "east")]


def test_progress_and_pieces(tmp_path):
    path = put(tmp_path / "q.log", log(*["a.example"] * 70_000))
    seen, ledger = [], Ledger()
    sizes = [
        batch.num_rows
        for batch in read(
            [str(path)],
            Settings(),
            ledger,
            options=Options("", "UTC"),
            progress=lambda name, done, size: seen.append((name, done, size)),
        )
    ]
    assert sum(sizes) == ledger.files[0].records == 70_000
    assert max(sizes) <= 64 << 10
    assert seen[-1] == (str(path), path.stat().st_size, path.stat().st_size)
    assert [d for _, d, _ in seen] == sorted(d for _, d, _ in seen)


def test_frames_for_a_notebook(tmp_path):
    path = put(tmp_path / "q.log", log("a.example", "b.example"))
    frames = read_frames([str(path)], timezone="Asia/Shanghai")
    assert list(frames) == ["dns"]
    assert frames["dns"]["name"].tolist() == ["a.example", "b.example"]
    assert frames["dns"]["client_ip"].tolist() == ["10.66.3.55"] * 2
    assert str(frames["dns"]["ts"].dt.tz) == "UTC"
    with pytest.raises(NetauditError) as raised:
        read_frames([str(path)])
    assert raised.value.code == "zone-missing"


def test_a_context_is_made_for_each_file(tmp_path):
    """Nothing of one file's header or notes reaches the next."""
    header = (
        b"#separator \\x09\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tquery\n"
    )
    row = b"1793772309.0\tC\t10.0.0.1\t1\t10.0.0.53\t53\tudp\ta.example\n"
    put(tmp_path / "1.log", b"#path\tdns\n" + header.replace(b"#fields", b"#path\tdns\n#fields") + row)
    put(tmp_path / "2.log", row)
    rows, ledger = told(tmp_path / "1.log", tmp_path / "2.log", input_format="zeek")
    assert len(rows) == 1
    assert (ledger.files[0].complete, ledger.files[1].complete) == (True, False)
    assert Context(name="x").notes == set()


def test_a_readers_own_failure_is_in_the_ledger_and_stops_nothing(tmp_path, monkeypatch):
    import sys
    from dataclasses import replace

    recognise = sys.modules["netaudit.sources.recognise"]  # the package has a function of that name

    def broken(context):
        raise ZeroDivisionError("x")

    known = recognise.formats()
    monkeypatch.setattr(
        recognise,
        "formats",
        lambda: known | {"bind_querylog": replace(known["bind_querylog"], open=broken)},
    )
    put(tmp_path / "a.log", log("a.example"))
    put(tmp_path / "b.log", b"Nov 23 00:00:52 dnsmasq[1]: query[A] b.example from 10.0.0.1\n")
    rows, ledger = told(tmp_path)
    assert names(rows) == ["b.example"]
    assert [e.code for e in ledger.errors] == ["reader-failed"]
    assert adds_up(ledger)
    assert not ledger.complete


def test_a_lease_whose_block_begins_nowhere(tmp_path):
    text = b"  iaaddr 2001:db8::1 {\n    binding state active;\n    ends 1 2026/11/23 00:00:00;\n  }\n}\n"
    _, ledger = told(put(tmp_path / "dhcpd6.leases", text), input_format="isc_leases")
    assert "reader-failed" not in {e.code for e in ledger.errors}
    assert adds_up(ledger)


def test_a_file_that_cannot_be_opened_any_more_stops_no_other(tmp_path, monkeypatch):
    from netaudit import sources

    for name in ("one", "two"):
        (tmp_path / f"{name}.log").write_text(f"{name}\n", encoding="ascii")
    opened = sources.ByteStream

    def refusing(identity):
        if identity.name.endswith("one.log"):
            raise PermissionError(13, "Permission denied")
        return opened(identity)

    monkeypatch.setattr(sources, "ByteStream", refusing)
    ledger = Ledger()
    list(sources.read([str(tmp_path)], Settings(), ledger))
    assert [entry.name.rsplit("/", 1)[-1] for entry in ledger.files] == ["one.log", "two.log"]
    assert ledger.errors[0].code == "cannot-read"
