"""Captured ARP reaches the walk-back without filling the memory."""

from __future__ import annotations

import struct

import pytest
from frames import START

from netaudit import pipeline
from netaudit.attribution import sightings

HOSTS = 6


def answers(seconds):
    """One answer of each host in each second, as frames with their times."""
    made = []
    for second in range(seconds):
        for host in range(1, HOSTS + 1):
            mac, ip = bytes([2, 0, 0, 0, 0, host]), bytes([10, 66, 0, host])
            body = (
                struct.pack(">HHBBH", 1, 0x0800, 6, 4, 2)
                + mac
                + ip
                + b"\x02\0\0\0\0\x63"
                + b"\x0a\x42\0\x63"
            )
            frame = b"\x02\0\0\0\0\x63" + mac + b"\x08\x06" + body
            made.append((second, frame))
    return made


def capture(given):
    out = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    for second, frame in given:
        moment = START + second
        out += struct.pack("<IIII", moment, 0, len(frame), len(frame)) + frame
    return out


@pytest.fixture
def evidence(office):
    def gather(given):
        path = office.file("a.pcap", capture(given))
        return pipeline.gather_evidence([str(path)], office.settings, index=None)

    return gather


def test_of_many_sightings_the_telling_ones_are_kept(evidence):
    found = evidence(answers(100))
    assert found.counts["arp"] == 100 * HOSTS
    kept = found.tables["arp"].column("ordinal").to_pylist()
    assert kept == [*range(1, HOSTS + 1), *range(99 * HOSTS + 1, 100 * HOSTS + 1)]
    assert found.ledger.files[0].skipped == ()


def test_what_finds_no_room_is_in_the_ledger(evidence, monkeypatch):
    monkeypatch.setattr(sightings, "LIMIT", 4)
    found = evidence(answers(1))
    assert found.tables["arp"].num_rows == 4
    (entry,) = found.ledger.files
    (skipped,) = entry.skipped
    assert (skipped.reason, skipped.count, skipped.matters) == (pipeline.FORGOTTEN, 2, False)
    assert entry.complete
