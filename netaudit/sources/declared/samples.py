"""Samples in a format's file: expected cells in whatever spelling, as netaudit prints them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa

from netaudit.errors import ConfigError
from netaudit.intake.log_format import Sample
from netaudit.intake.times import Context, from_iso, parse_zone
from netaudit.records.names import normalise
from netaudit.records.schemas import FIELDS, KINDS, TIMESTAMP
from netaudit.sources.declared import cells
from netaudit.sources.declared.compiled import Compiled
from netaudit.sources.declared.shape import SampleShape
from netaudit.sources.trial import plain


def sample_of(shape: SampleShape, rules: Compiled, where: str) -> Sample:
    """A sample with its cells as `netaudit.sources.trial` gives them.

    Raises:
        ConfigError: A cell that the kind does not have, or a value that it cannot have.
    """
    zone = shape.timezone
    try:
        context = Context(zone=parse_zone(zone))
    except ConfigError as error:
        error.where = f"{where}.timezone"
        raise
    records = []
    for number, record in enumerate(shape.records):
        kind = record.get("kind", rules.kinds[0])
        if kind not in rules.kinds:
            raise _not_here("kind", kind, f"{where}.records[{number}]")
        cells_of = {"kind": kind}
        for name, value in record.items():
            if name != "kind":
                cells_of[name] = _cell(name, value, kind, context, f"{where}.records[{number}]")
        records.append(cells_of)
    text = shape.text.strip("\r\n")
    return Sample(text.replace("\r\n", "\n"), tuple(records), zone, shape.note)


def _cell(name: str, value: Any, kind: str, context: Context, where: str) -> Any:
    """A value as it is printed; an empty text stands for no cell."""
    known = name in cells.columns_of(kind) and name in FIELDS and name in KINDS[kind]
    if not known or not isinstance(value, str | int | dt.datetime) or isinstance(value, bool):
        raise _not_here(name, value, where)
    text = value.isoformat() if isinstance(value, dt.datetime) else str(value)
    if text == "":
        return None
    array = pa.array([text])
    if FIELDS[name] == TIMESTAMP:
        found = from_iso(array, context)
    elif name == "name":
        found = pa.array([normalise(text)], pa.string())
    else:
        found, _, _ = cells.typed(name, array)
    if not found[0].is_valid:
        raise _not_here(name, value, where)
    return plain(found)[0]


def _not_here(name: str, value: Any, where: str) -> ConfigError:
    return ConfigError(
        "format-cell",
        "{column} cannot be {value} here.",
        where=where,
        hint="Write the cells as netaudit prints them, times as 2026-11-23T08:00:52+08:00; an empty text for none.",
        column=name,
        value=repr(value),
    )
