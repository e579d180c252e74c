"""The demo's capture as tshark reads it, through pyshark: an independent reading of the same bytes."""

from __future__ import annotations

import shutil
import warnings

import pytest

from netaudit.demo import write_week
from netaudit.sources import read_frames


@pytest.fixture(scope="module")
def capture(tmp_path_factory):
    return write_week(tmp_path_factory.mktemp("week")).capture


@pytest.fixture(scope="module")
def frames(capture):
    return read_frames([str(capture)])


def judged(capture, display_filter, *fields):
    """(packet number, field values) of the packets that tshark finds."""
    if shutil.which("tshark") is None:
        pytest.skip("tshark is not installed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pyshark's own use of asyncio
        import pyshark

        packets = pyshark.FileCapture(str(capture), display_filter=display_filter, keep_packets=False)
        try:
            found = [
                (int(p.number), tuple(str(getattr(getattr(p, layer), name)) for layer, name in fields))
                for p in packets
            ]
        finally:
            packets.close()
    return found


def test_every_question(capture, frames):
    theirs = {
        (n, *v) for n, v in judged(capture, "dns.flags.response == 0", ("dns", "id"), ("dns", "qry_name"))
    }
    ours = set(zip(frames["dns"].ordinal, frames["dns"].name, strict=True))
    assert {(n, name) for n, _, name in theirs} <= ours
    assert len(ours) == len(theirs)


def test_every_server_name(capture, frames):
    theirs = {
        (n, name)
        for n, (name,) in judged(
            capture, "tls.handshake.extensions_server_name", ("tls", "handshake_extensions_server_name")
        )
    }
    assert {(n, name) for n, name in zip(frames["tls"].ordinal, frames["tls"].name, strict=True)} == theirs
