"""One checker for every hostile input: the ledger adds up, nothing raises, every way of reading agrees."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from command import netaudit

from netaudit.config import Settings
from netaudit.records.evidence import EvidenceFile, Ledger
from netaudit.records.schemas import kind_of
from netaudit.sources import Options, read


@dataclass
class Reading:
    """What some files gave."""

    events: dict[str, list[dict]]
    ledger: Ledger
    code: int
    """Exit code of ``scan``."""
    said: str
    """What ``scan`` said to people."""

    @property
    def entry(self) -> EvidenceFile:
        (entry,) = self.ledger.files
        return entry

    @property
    def reasons(self) -> dict[str, int]:
        return {s.reason: s.count for f in self.ledger.files for s in f.skipped}

    @property
    def codes(self) -> list[str]:
        return [error.code for error in self.ledger.errors]

    def names(self, *kinds: str) -> set[str]:
        return {
            e["name"]
            for kind in kinds or ("dns", "tls", "http")
            for e in self.events.get(kind, [])
            if e["name"]
        }


def _events(paths, jobs):
    ledger, found = Ledger(), {}
    for batch in read(paths, Settings(), ledger, options=Options(jobs=jobs)):
        batch.validate(full=True)
        found.setdefault(kind_of(batch), []).extend(batch.to_pylist())
    for entry in ledger.files:
        assert entry.bytes_read + entry.bytes_skipped == entry.size
        assert entry.bytes_read >= 0
        assert all(first > 0 for skipped in entry.skipped for first in skipped.first)
    assert sum(entry.records for entry in ledger.files) == sum(map(len, found.values()))
    assert "reader-failed" not in [error.code for error in ledger.errors]
    return found, ledger


@pytest.fixture
def reads(tmp_path):
    """Read files (name to content, or octets of one capture) in one thread, and in several, and by ``scan``."""

    def run(content, *, bad=("bad.com",), arguments=()):
        files = content if isinstance(content, dict) else {"case.pcap": content}
        for name, octets in files.items():
            (tmp_path / name).write_bytes(octets)
        (tmp_path / "bad.txt").write_text("\n".join(bad) + "\n", encoding="utf-8")
        paths = [str(tmp_path / name) for name in files] + [str(a) for a in arguments]
        found, ledger = _events(paths, 1)
        assert (found, ledger.files) == ((again := _events(paths, 2))[0], again[1].files)
        scan = netaudit("scan", "--list", "domains-subtree:bad.txt", *paths, cwd=tmp_path)
        assert "Traceback" not in scan.stderr
        assert scan.returncode in {0, 1, 2, 3}
        if not ledger.complete:
            assert scan.returncode != 0, "a clean result from what was not all read"
        return Reading(found, ledger, scan.returncode, scan.stdout + scan.stderr)

    return run
