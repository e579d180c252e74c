"""Is everything as netaudit left it? The case, its log of looks, its evidence, events and papers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from netaudit.errors import InputError, UsageError
from netaudit.intake.opening import identify
from netaudit.records.evidence import EvidenceFile
from netaudit.store import EventSet, Store
from netaudit.store.database import FILE_NAME, AuditEntry

SCAN, REPORT, PURGE = "scan", "report", "purge"
EVENTS, PAPERS = "events", "reports"

LOG_BROKEN = "the log of looks is broken"
CASE_CHANGED = "the case was changed past netaudit"
STRANGE_FILE = "a finding rests on a file that is not in the ledger"
EVIDENCE_GONE = "an evidence file is no longer there"
EVIDENCE_CHANGED = "an evidence file was changed"
EVENTS_CHANGED = "the stored events were changed"
PAPER_CHANGED = "a paper was changed after it was printed"
PAPER_UNKNOWN = "this paper was not printed from this case"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that does not hold."""

    what: str
    """A message id in English."""
    where: str


def written(digests: Mapping[str, str]) -> str:
    """Names and hashes as the log has them."""
    return "; ".join(f"{name} {digest}" for name, digest in sorted(digests.items()))


def _read(text: str) -> dict[str, str]:
    pairs = (part.rpartition(" ") for part in text.split("; ") if part)
    return {name: digest for name, _, digest in pairs}


def verify_case(folder: Path) -> list[Problem]:
    """What does not hold in a case; empty where everything does."""
    with Store(folder) as store:
        case, broken = store.read_case(), store.broken_audit_entry()
        log, digest = store.audit(), store.digest()
    problems = []
    if broken is not None:
        problems.append(Problem(LOG_BROKEN, f"{folder / FILE_NAME}: {broken}"))
    if not log or log[-1].digest != digest:
        problems.append(Problem(CASE_CHANGED, str(folder / FILE_NAME)))
    known = {entry.id for entry in case.ledger}
    for finding in case.findings:
        strange = sorted({e.file for e in finding.evidence} - known)
        problems += [Problem(STRANGE_FILE, f"{finding.id}: {id_}") for id_ in strange]
    for entry in case.ledger:
        problems += _verify_evidence(folder, entry)
    return problems + _verify_events(folder, log) + _verify_papers(folder, log)


def verify_paper(path: Path) -> list[Problem]:
    """Whether a paper is as it was printed from the case in whose folder it lies.

    Raises:
        UsageError: It lies in no case's folder.
    """
    folder = next((p for p in path.resolve().parents if (p / FILE_NAME).is_file()), None)
    if folder is None:
        raise UsageError(
            "paper-without-case",
            "This paper lies in no case's folder.",
            where=str(path),
            hint="Put it back into the case's folder reports/, or verify the case.",
        )
    with Store(folder) as store:
        printed = _printed(store.audit())
    sha256 = identify(path).sha256
    if sha256 in {digest for digests in printed.values() for digest in digests}:
        return []
    return [Problem(PAPER_CHANGED if path.name in printed else PAPER_UNKNOWN, str(path))]


def _printed(log: list[AuditEntry]) -> dict[str, list[str]]:
    """Every hash under which a paper was printed, oldest first, by file name."""
    printed: dict[str, list[str]] = {}
    for entry in log:
        if entry.action == REPORT:
            for name, digest in _read(entry.subject).items():
                printed.setdefault(name, []).append(digest)
    return printed


def _verify_evidence(folder: Path, entry: EvidenceFile) -> list[Problem]:
    if not entry.path:
        return []
    try:
        now = identify(folder / entry.path)
    except InputError:
        return [Problem(EVIDENCE_GONE, entry.name)]
    return [] if now.sha256 == entry.sha256 else [Problem(EVIDENCE_CHANGED, entry.name)]


def _verify_events(folder: Path, log: list[AuditEntry]) -> list[Problem]:
    """Against the last scan, unless they were purged since."""
    last = next((entry for entry in reversed(log) if entry.action in {SCAN, PURGE}), None)
    if last is None or last.action == PURGE:
        return []
    now, then = EventSet(folder / EVENTS).digests(), _read(last.reason)
    changed = sorted(kind for kind in now.keys() | then.keys() if now.get(kind) != then.get(kind))
    return [Problem(EVENTS_CHANGED, f"{folder / EVENTS}: {kind}") for kind in changed]


def _verify_papers(folder: Path, log: list[AuditEntry]) -> list[Problem]:
    """Those still in the case's folder; a paper that was moved away is no problem."""
    problems = []
    for name, digests in sorted(_printed(log).items()):
        path = folder / PAPERS / name
        if path.is_file() and identify(path).sha256 != digests[-1]:
            problems.append(Problem(PAPER_CHANGED, str(path)))
    return problems
