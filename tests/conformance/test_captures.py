"""Names out of real captures against tshark's tables: floors that hold now and must go on holding."""

from __future__ import annotations

import re

import pytest

from netaudit.config import Settings
from netaudit.records.evidence import Ledger
from netaudit.sources import Options, read

FLOORS = {"dns": 0.995, "tls": 1.0, "quic": 1.0, "http": 0.98}
MOST_MORE = {"dns": 150, "tls": 10, "quic": 5, "http": 10}
"""Names that the tables do not have; many are right, but they must not grow unseen."""


@pytest.mark.slow
def test_recall_of_names(compare):
    said = compare("conformance")
    shares = {
        kind: (int(hit) / int(wanted), int(more))
        for kind, hit, wanted, more in re.findall(r"(\w+) (\d+)/(\d+) \([\d.]+, (\d+) more\)", said)
    }
    for kind, floor in FLOORS.items():
        assert shares[kind][0] >= floor, said
        assert shares[kind][1] <= MOST_MORE[kind], said
    assert "TRACEBACK" not in said


@pytest.mark.slow
def test_every_octet_of_every_file_is_accounted_for(shared):
    paths = sorted(path for path in (shared / "conformance" / "pcaps").iterdir() if path.is_file())
    ledger, rows = Ledger(), 0
    for batch in read([str(path) for path in paths], Settings(), ledger, options=Options(jobs=1)):
        rows += batch.num_rows
    assert not [error for error in ledger.errors if error.code == "reader-failed"]
    assert len(ledger.files) == len(paths)
    for entry in ledger.files:
        assert entry.bytes_read + entry.bytes_skipped == entry.size, entry
        assert min(entry.bytes_read, entry.bytes_skipped) >= 0, entry
        assert all(first > 0 for skipped in entry.skipped for first in skipped.first), entry
    assert sum(entry.records for entry in ledger.files) == rows
