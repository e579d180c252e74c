"""What the logs hold, and how far their clocks are apart: facts about the evidence, not about the network."""

from __future__ import annotations

from collections.abc import Sequence

from netaudit import sources
from netaudit.attribution.log_facts import LogFacts, LogWatch
from netaudit.config import Settings
from netaudit.intake.times import parse_zone
from netaudit.records.evidence import Ledger


def continuity(
    arguments: Sequence[str],
    settings: Settings,
    *,
    options: sources.Options | None = None,
    progress: sources.Progress | None = None,
) -> tuple[LogFacts, Ledger]:
    """Read the inputs once; say what each log holds, and how far the clocks are apart."""
    ledger, watch = Ledger(), LogWatch()
    for batch in sources.read(arguments, settings, ledger, options=options, progress=progress):
        watch.add(batch)
    zone = parse_zone(settings.unit.timezone) if settings.unit.timezone else None
    return watch.facts(ledger.files, zone), ledger
