"""Rotated captures: which files are one recording."""

import gzip
import struct
from pathlib import Path

import pytest

from netaudit.config import Source
from netaudit.sources.inputs import Input
from netaudit.sources.rotation import series

SOURCE = Source(path="")


def pcap(second, link=1):
    frame = b"\0" * 60
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, link)
    return head + struct.pack("<IIII", second, 0, 60, 60) + frame


def pcapng(second):
    section = struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)
    interface = struct.pack("<IIHHII", 1, 20, 1, 0, 262144, 20)
    micros = second * 10**6
    size = 32 + 60
    packet = struct.pack("<IIIIIII", 6, size, 0, micros >> 32, micros & 0xFFFFFFFF, 60, 60)
    return section + interface + packet + b"\0" * 60 + struct.pack("<I", size)


def groups(folder, files, source=SOURCE):
    """Names of each series, of files given as name to content, in the order of their names."""
    inputs = []
    for name, content in sorted(files.items()):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        inputs.append(Input(path, str(path), source))
    return [[str(item.path.relative_to(folder)) for item in group] for group in series(inputs)]


@pytest.mark.parametrize(
    "names",
    [
        ["mirror_00001_20260101.pcap", "mirror_00002_20260101.pcap"],
        ["mirror_00009_20260101093000.pcap", "mirror_00010_20260101094000.pcap"],
        ["mirror.pcap", "mirror.pcap1", "mirror.pcap2"],
        ["mirror", "mirror1", "mirror2"],
        ["mirror8.pcap.gz.d/mirror.pcap08", "mirror8.pcap.gz.d/mirror.pcap09"],
        ["mirror-2026-01-01_09:00:00.pcap", "mirror-2026-01-01_10:00:00.pcap"],
        ["mirror-20260101.pcap", "mirror-20260101.pcap1", "mirror-20260102.pcap", "mirror-20260102.pcap1"],
        ["mirror-1767225600.pcap", "mirror-1767229200.pcap"],
        ["mirror_001.pcap", "mirror_002.pcap"],
    ],
)
def test_names_that_sniffers_give(tmp_path, names):
    files = {name: pcap(1000 + k) for k, name in enumerate(names)}
    assert groups(tmp_path, files) == [names]


def test_a_ring_that_began_again(tmp_path):
    files = {"m.pcap0": pcap(500), "m.pcap1": pcap(600), "m.pcap2": pcap(300), "m.pcap3": pcap(400)}
    assert groups(tmp_path, files) == [["m.pcap2", "m.pcap3", "m.pcap0", "m.pcap1"]]


def test_two_recordings_of_one_pattern_stay_apart(tmp_path):
    files = {
        "m_00001_20260101090000.pcap": pcap(100),
        "m_00001_20260101090005.pcap": pcap(105),
        "m_00002_20260101100000.pcap": pcap(200),
        "m_00002_20260101100005.pcap": pcap(205),
    }
    assert groups(tmp_path, files) == [
        ["m_00001_20260101090000.pcap", "m_00002_20260101100000.pcap"],
        ["m_00001_20260101090005.pcap", "m_00002_20260101100005.pcap"],
    ]


def test_packed_members_belong_to_it(tmp_path):
    files = {"m_00001_20260101.pcap.gz": gzip.compress(pcap(1)), "m_00002_20260101.pcap": pcap(2)}
    assert groups(tmp_path, files) == [list(files)]


def test_pcapng(tmp_path):
    files = {"m_00001_20260101.pcapng": pcapng(20), "m_00002_20260101.pcapng": pcapng(30)}
    assert groups(tmp_path, files) == [list(files)]


@pytest.mark.parametrize(
    "files",
    [
        {"hall.pcap": pcap(1), "roof.pcap": pcap(2)},
        {"site1.pcap": pcap(1), "site2.pcap": pcap(2)},
        {"a/m.pcap1": pcap(1), "b/m.pcap2": pcap(2)},
        {"m.pcap1": pcap(1), "m.pcap2": pcap(2, link=101)},
        {"m.pcap1": pcap(1), "m.pcap2": pcapng(2)},
        {"m.log1": b"a line\n", "m.log2": b"a line\n"},
        {"m.pcap1": b"", "m.pcap2": pcap(1)[:24], "m.pcap3": pcap(3)[:50]},
    ],
)
def test_what_is_no_series(tmp_path, files):
    assert groups(tmp_path, files) == [[name] for name in files]


def test_sources_declared_otherwise_stay_apart(tmp_path):
    first, second = tmp_path / "m.pcap1", tmp_path / "m.pcap2"
    first.write_bytes(pcap(1))
    second.write_bytes(pcap(2))
    ahead = Source(path="m.pcap2", clock_offset_s=5)
    inputs = [Input(first, str(first), SOURCE), Input(second, str(second), ahead)]
    assert [len(group) for group in series(inputs)] == [1, 1]


def test_members_of_an_archive_go_by_the_name_inside(tmp_path):
    paths = [tmp_path / "0", tmp_path / "1"]
    for k, path in enumerate(paths):
        path.write_bytes(pcap(10 - k))
    inputs = [Input(p, f"week.zip!m.pcap{k + 1}", SOURCE) for k, p in enumerate(paths)]
    assert [[Path(i.name).name for i in group] for group in series(inputs)] == [
        ["week.zip!m.pcap2", "week.zip!m.pcap1"]
    ]


def test_a_missing_file_stays_alone(tmp_path):
    item = Input(tmp_path / "m.pcap1", "m.pcap1", SOURCE)
    assert series([item]) == [[item]]
