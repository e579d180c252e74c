"""Inputs that are no quiet files: still growing, a named pipe, standard input."""

import io
import os
import sys
from unittest import mock

from frames import dns_query, pcap, udp

from netaudit.config import Settings
from netaudit.records.evidence import Ledger
from netaudit.sources import read

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
