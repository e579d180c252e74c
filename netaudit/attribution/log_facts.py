"""Continuity and clocks of all logs of a run, measured while their events stream by."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from netaudit.attribution.clocks import ClockOffset, offsets
from netaudit.attribution.continuity import Continuity, Timelines
from netaudit.attribution.shared_events import SharedEvents
from netaudit.records.evidence import EvidenceFile


@dataclass(frozen=True, slots=True)
class LogFacts:
    """Facts of the logs, for policy and for the report's limits."""

    logs: tuple[Continuity, ...] = ()
    clocks: tuple[ClockOffset, ...] = ()

    @property
    def telling(self) -> bool:
        """Whether any log has a gap or a clock step, or two clocks are apart."""
        return any(log.gaps or log.steps for log in self.logs) or any(clock.apart for clock in self.clocks)

    @property
    def whole(self) -> bool:
        """Whether every record that was read was also looked at."""
        return not any(log.left_out for log in self.logs)


class LogWatch:
    """Add every batch of events, then ask for `facts`. Memory is bounded, see what it is made of."""

    def __init__(self) -> None:
        """Start with nothing."""
        self._timelines, self._shared = Timelines(), SharedEvents()

    def add(self, batch: pa.RecordBatch) -> None:
        """Add a batch of any kind of record."""
        self._timelines.add(batch)
        self._shared.add(batch)

    def facts(self, ledger: Sequence[EvidenceFile], zone: dt.tzinfo | None = None) -> LogFacts:
        """What was measured.

        Args:
            ledger: What was read.
            zone: The unit's, in which local days are counted.
        """
        return LogFacts(self._timelines.facts(ledger, zone), offsets(self._shared, ledger))
