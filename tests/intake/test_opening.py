"""Opening files: identity, expansion within bounds, cut and damaged streams."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import lzma
import os
import tracemalloc

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from netaudit.errors import InputError
from netaudit.intake import opening
from netaudit.intake.opening import ByteStream, identify

PACK = {"": bytes, "gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress, "zst": zstandard.compress}
BODY = b"".join(b"line %d of a log that goes on\n" % n for n in range(20_000))


def opened(tmp_path, data):
    path = tmp_path / "x"
    path.write_bytes(data)
    return ByteStream(identify(path))


def whole(stream, step=70_001):
    out = b""
    while part := stream.read(step):
        out += part
    return out


def drain(stream):
    while stream.read(1 << 16):
        pass


@pytest.mark.parametrize("kind", PACK)
def test_expands_whatever_it_is_called(tmp_path, kind):
    with opened(tmp_path, PACK[kind](BODY)) as stream:
        assert stream.compression == kind
        assert stream.peek(10) == BODY[:10]
        assert whole(stream) == BODY
        assert (stream.content_bytes, stream.trouble) == (len(BODY), "")


@pytest.mark.parametrize("kind", ["gz", "bz2", "xz", "zst"])
def test_members_one_after_the_other(tmp_path, kind):
    with opened(tmp_path, PACK[kind](b"one\n") + PACK[kind](b"two\n")) as stream:
        assert whole(stream) == b"one\ntwo\n"


@pytest.mark.parametrize("kind", ["gz", "bz2", "xz", "zst"])
@pytest.mark.parametrize("share", [0.25, 0.5, 0.99])
def test_cut_streams_give_what_there_is_and_say_so(tmp_path, kind, share):
    packed = PACK[kind](os.urandom(400_000) + BODY)
    with opened(tmp_path, packed[: int(len(packed) * share)]) as stream:
        got = whole(stream)
        assert stream.trouble == "the compressed stream ended early"
    assert got or kind in {"bz2", "xz", "zst"}


def test_wrong_checksum(tmp_path):
    packed = bytearray(gzip.compress(BODY))
    packed[-6] ^= 0xFF
    with opened(tmp_path, bytes(packed)) as stream:
        assert whole(stream) == BODY
        assert stream.trouble == "the compressed stream is damaged"


@pytest.mark.parametrize("kind", ["gz", "bz2", "xz", "zst"])
def test_bombs_are_refused_in_little_memory(tmp_path, kind, monkeypatch):
    monkeypatch.setattr(opening, "FREE_BYTES", 1 << 20)
    with opened(tmp_path, PACK[kind](bytes(32 << 20))) as stream:
        tracemalloc.start()
        with pytest.raises(InputError, match="expands"):
            drain(stream)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 32 << 20


def test_a_growing_file_ends_where_it_was_hashed(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"abc")
    identity = identify(path)
    with path.open("ab") as more:
        more.write(b"def")
    with ByteStream(identity) as stream:
        assert whole(stream) == b"abc"
    assert identity.sha256 == hashlib.sha256(b"abc").hexdigest()


def test_what_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for name in (".", "pipe", "nowhere"):
        with pytest.raises(InputError):
            identify(tmp_path / name)


@settings(max_examples=60)
@given(
    st.binary(max_size=200),
    st.sampled_from(sorted(PACK)),
    st.lists(st.integers(1, 50), min_size=1, max_size=10),
)
def test_reading_and_looking_in_any_steps(tmp_path_factory, body, kind, steps):
    with opened(tmp_path_factory.mktemp("s"), PACK[kind](body)) as stream:
        out = b""
        for number in range(500):
            size = steps[number % len(steps)]
            ahead = stream.peek(size)
            part = stream.read(size)
            assert part == ahead
            out += part
            if not part:
                break
        expected = body if kind or not body.startswith((b"\x1f\x8b", b"BZh", b"\x28\xb5\x2f\xfd")) else out
        assert out == expected
