"""Pseudonyms in the place of persons, in what is printed and kept."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pyarrow as pa

from netaudit.config import Settings
from netaudit.privacy import Numbering, Pseudonymiser, make_key, read_key
from netaudit.records.addresses import by_distinct

KEY = "pseudonym.key"
PERSONAL = {"account": "account", "owner": "person"}
"""Details of a candidate that name a person, and the word of their pseudonym."""


def pseudonymiser(settings: Settings, folder: Path | None) -> Pseudonymiser:
    """Under the office's key, else the case's own (made on first use), else numbers of this run."""
    if settings.privacy.key_file:
        return Pseudonymiser(read_key(settings.folder / settings.privacy.key_file))
    if folder is not None:
        return Pseudonymiser(make_key(folder / KEY))
    return Numbering()


def hide_in_batch(batch: pa.RecordBatch, pseudonym: Pseudonymiser) -> pa.RecordBatch:
    """`batch` with pseudonyms in the place of accounts and owners."""
    for name, kind in PERSONAL.items():
        if name in batch.schema.names:
            at = batch.schema.get_field_index(name)
            words = by_distinct(batch.column(name), partial(pseudonym, kind), pa.string())
            batch = batch.set_column(at, batch.schema.field(at), words.dictionary_encode())
    return batch
