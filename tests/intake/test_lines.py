from __future__ import annotations

import codecs
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netaudit.intake import lines
from netaudit.intake.lines import Chunk, chunks, detect_encoding, head_lines
from netaudit.intake.opening import ByteStream, identify

CHINESE = "2026-11-23 张三 访问 www.example.org\n普通 ASCII line\n结束"


def stream_of(folder: Path, data: bytes) -> ByteStream:
    path = folder / "log"
    path.write_bytes(data)
    return ByteStream(identify(path))


def read(folder: Path, data: bytes, starts=None) -> list[Chunk]:
    with stream_of(folder, data) as stream:
        return list(chunks(stream, starts))


def texts(found: list[Chunk]) -> list[str]:
    return [line for chunk in found for line in chunk.lines.to_pylist()]


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-8", b""),
        ("utf-8", codecs.BOM_UTF8),
        ("utf-16-le", codecs.BOM_UTF16_LE),
        ("utf-16-be", codecs.BOM_UTF16_BE),
        ("utf-16-le", b""),
        ("gb18030", b""),
    ],
)
def test_encodings_give_the_same_lines(tmp_path: Path, encoding: str, mark: bytes) -> None:
    data = mark + CHINESE.encode(encoding)
    found = read(tmp_path, data)
    assert texts(found) == CHINESE.split("\n")
    assert sum(int(chunk.sizes.sum()) for chunk in found) == len(data)
    with stream_of(tmp_path, data) as stream:
        assert head_lines(stream) == CHINESE.split("\n")


def test_a_character_cut_by_the_head_does_not_change_the_encoding() -> None:
    assert detect_encoding("访问".encode()[:-1]) == "utf-8"


@pytest.mark.parametrize("data", [b"", b"\n", b"\r\n", b"a", b"a\n", b"a\n\nb", b"a\r\nb\0\n"])
def test_line_ends_and_trailing_nul(tmp_path: Path, data: bytes) -> None:
    wanted = data.split(b"\n")
    if wanted[-1] == b"":
        wanted.pop()
    assert texts(read(tmp_path, data)) == [w.rstrip(b"\r\0").decode() for w in wanted]


def test_bad_bytes_cost_their_own_line_only(tmp_path: Path) -> None:
    data = "一\n".encode() * 5 + b"ok\n\xff\xfe broken\nend \xe4\xb8\xad\n"
    (chunk,) = read(tmp_path, data)
    assert chunk.bad.tolist() == [6]
    assert chunk.lines.to_pylist()[5:] == ["ok", "", "end 中"]
    assert int(chunk.sizes[6]) == len(b"\xff\xfe broken\n")


def test_bad_bytes_in_gb18030_are_counted_not_replaced(tmp_path: Path) -> None:
    data = "张三\n".encode("gb18030") * 5 + b"\x81\n" + "李四\n".encode("gb18030")
    (chunk,) = read(tmp_path, data)
    assert chunk.bad.tolist() == [5]
    assert chunk.lines.to_pylist() == ["张三"] * 5 + ["", "李四"]
    assert int(chunk.sizes.sum()) == len(data)


def test_a_line_that_never_ends_is_one_bad_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MAX_LINE_BYTES", 100)
    monkeypatch.setattr(lines, "CHUNK_BYTES", 64)
    data = b"first\n" + b"x" * 5_000 + b"\nlast\n" + b"y" * 300
    found = read(tmp_path, data)
    assert texts(found) == ["first", "", "last", ""]
    assert [c.first + int(i) for c in found for i in c.bad] == [2, 4]
    sizes = np.concatenate([c.sizes for c in found])
    assert sizes.tolist() == [6, 5_001, 5, 300]


def is_start(found: pa.StringArray) -> np.ndarray:
    return pc.starts_with(found, "#").to_numpy(zero_copy_only=False)


@settings(max_examples=60, deadline=None)
@given(
    wanted=st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0\ufeff"), max_size=12), max_size=40
    ),
    size=st.integers(5, 60),
    framed=st.booleans(),
)
def test_chunks_hold_every_line_once_in_order(tmp_path_factory, wanted, size, framed) -> None:
    data = "".join(f"{line}\n" for line in wanted).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "CHUNK_BYTES", size)
        found = read(tmp_path_factory.mktemp("log"), data, is_start if framed else None)
    if detect_encoding(data[: lines.HEAD_BYTES]) == "utf-8":
        assert texts(found) == wanted
    assert sum(int(chunk.sizes.sum()) for chunk in found) == len(data)
    assert [chunk.first for chunk in found] == np.cumsum([1, *(len(c.lines) for c in found)]).tolist()[:-1]


def test_a_record_is_not_torn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "CHUNK_BYTES", 16)
    data = b"".join(b"# %d\nbody\nbody\n" % number for number in range(20))
    found = read(tmp_path, data, is_start)
    assert len(found) > 1
    assert all(chunk.lines[0].as_py().startswith("#") for chunk in found)
    assert len(texts(found)) == 60
