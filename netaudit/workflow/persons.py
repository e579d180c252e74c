"""Persons leave the walk-back as pseudonyms: accounts and owners never reach paper or screen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from netaudit.attribution.trace import Candidate, Hop, Trace
from netaudit.case.finding import Finding
from netaudit.privacy import Pseudonymiser
from netaudit.store import EventSet
from netaudit.workflow.hiding import PERSONAL, hide_in_batch


class HiddenEvents(EventSet):
    """Events that are kept without the names of persons."""

    def __init__(self, folder: Path, pseudonym: Pseudonymiser) -> None:
        """Use `folder`; replace names by `pseudonym`."""
        super().__init__(folder)
        self._pseudonym = pseudonym

    def write(self, kind: str, batch: pa.RecordBatch) -> None:
        """Append a batch without names."""
        super().write(kind, hide_in_batch(batch, self._pseudonym))


def hide_in_trace(trace: Trace, pseudonym: Pseudonymiser) -> Trace:
    """`trace` with pseudonyms in the place of accounts and owners."""
    return replace(trace, hops=tuple(_hide_in_hop(hop, pseudonym) for hop in trace.hops))


def hide_in_finding(finding: Finding, pseudonym: Pseudonymiser) -> Finding:
    """`finding` with pseudonyms in its trace."""
    return replace(finding, trace=hide_in_trace(finding.trace, pseudonym)) if finding.trace else finding


def _hide_in_hop(hop: Hop, pseudonym: Pseudonymiser) -> Hop:
    return replace(hop, candidates=tuple(_hide(candidate, pseudonym) for candidate in hop.candidates))


def _hide(candidate: Candidate, pseudonym: Pseudonymiser) -> Candidate:
    hidden = {v: pseudonym(PERSONAL[k], v) for k, v in candidate.details if k in PERSONAL and v}
    details = tuple((k, hidden[v] if k in PERSONAL and v in hidden else v) for k, v in candidate.details)
    return replace(candidate, value=hidden.get(candidate.value, candidate.value), details=details)
