"""What the inputs say: the verb that needs neither lists nor rules nor a case."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from netaudit import sources
from netaudit.config import Settings
from netaudit.records.evidence import Ledger
from netaudit.workflow.hiding import hide_in_batch, pseudonymiser


def events(
    arguments: Sequence[str],
    settings: Settings,
    ledger: Ledger,
    *,
    options: sources.Options | None = None,
    progress: sources.Progress | None = None,
) -> Iterator[pa.RecordBatch]:
    """What the inputs say, in batches; accounts come out as pseudonyms."""
    pseudonym = pseudonymiser(settings, None)
    for batch in sources.read(arguments, settings, ledger, options=options, progress=progress):
        yield hide_in_batch(batch, pseudonym)
