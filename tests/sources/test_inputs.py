"""Inputs that are no quiet files: still growing, a named pipe, standard input."""

import io
import os
import sqlite3
import sys
from pathlib import Path
from unittest import mock

import pytest
from frames import dns_query, pcap, udp

from netaudit.config import Settings
from netaudit.records.evidence import Ledger
from netaudit.sources import read
from netaudit.sources.inputs import states

FRAMES = [udp(dns_query(f"n{k}.example.org", ident=k)) for k in range(4)]


def read_all(argument, progress=None):
    ledger = Ledger()
    batches = list(read([str(argument)], Settings(), ledger, progress=progress))
    names = [n for b in batches if "qtype" in b.schema.names for n in b.column("name").to_pylist()]
    return sorted(names), ledger


def test_a_file_that_grows_is_read_up_to_where_it_was_hashed(tmp_path):
    path = tmp_path / "m.pcap"
    whole = pcap(*FRAMES)
    path.write_bytes(whole[: len(pcap(*FRAMES[:2]))])

    def more_comes(name, done, size):
        path.write_bytes(whole)

    names, ledger = read_all(path, progress=more_comes)
    (entry,) = ledger.files
    assert names == ["n0.example.org", "n1.example.org"]
    assert (entry.size, entry.bytes_read, entry.complete) == (len(pcap(*FRAMES[:2])),) * 2 + (True,)
    assert "the file has grown since it was opened; what came after is not read" in entry.notes


def test_a_last_packet_that_is_being_written_is_no_packet(tmp_path):
    path = tmp_path / "m.pcap"
    path.write_bytes(pcap(*FRAMES)[:-9])
    names, ledger = read_all(path)
    (entry,) = ledger.files
    assert names == ["n0.example.org", "n1.example.org", "n2.example.org"]
    assert (entry.truncated, entry.complete, entry.bytes_read + entry.bytes_skipped) == (
        True,
        False,
        entry.size,
    )


def test_a_named_pipe_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    names, ledger = read_all(tmp_path / "pipe")
    assert names == []
    assert [error.code for error in ledger.errors] == ["not-a-file"]


def test_standard_input(tmp_path):
    given = io.TextIOWrapper(io.BytesIO(pcap(*FRAMES)))
    with mock.patch.object(sys, "stdin", given):
        names, ledger = read_all("-")
    assert len(names) == 4
    assert (ledger.files[0].name, ledger.complete) == ("-", True)


@pytest.fixture
def pihole(tmp_path):
    """A database that was written to a moment ago, with its log and shared memory beside it."""
    path = tmp_path / "pihole-FTL.db"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute("CREATE TABLE queries (id, timestamp, type, status, domain, client)")
    connection.execute("INSERT INTO queries VALUES (1, 1700000000, 1, 2, 'example.org', '10.0.0.7')")
    connection.commit()
    yield path
    connection.close()


def test_the_files_beside_a_database_are_no_inputs_of_their_own(pihole, tmp_path):
    (tmp_path / "other-wal").write_text("nothing")
    ledger = Ledger()
    names = [
        name
        for batch in read([str(tmp_path)], Settings(), ledger)
        for name in batch.column("name").to_pylist()
    ]
    assert names == ["example.org"]
    assert sorted(Path(entry.name).name for entry in ledger.files) == ["other-wal", "pihole-FTL.db"]


def test_the_state_of_a_database_is_that_of_its_newest_pages_too(pihole):
    for path in pihole.parent.iterdir():
        os.utime(path, (1e9, 1e9))
    (database, late) = states([str(pihole)])
    assert [Path(part[0]).name for part in (database, late)] == [pihole.name, f"{pihole.name}-wal"]
    assert states([str(pihole.parent)]) == (database, late)
