"""JSON: the facts and the blocks, for programs that fill another office's form."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from enum import Enum
from typing import Any

from netaudit.reports.document import Document, visible
from netaudit.reports.template import Missing

SCHEMA_VERSION = 1


def write_json(document: Document) -> bytes:
    """The document as one JSON object, keys sorted, UTF-8."""
    blocks = [{"block": type(b).__name__.lower(), **_plain(b)} for b in document.blocks]
    whole = {
        "schema_version": SCHEMA_VERSION,
        "id": document.id,
        "title": document.title,
        "locale": document.locale,
        "audience": document.audience,
        "date": document.date.isoformat(),
        "placeholders": document.placeholders(),
        "blocks": blocks,
        "facts": _plain(document.facts),
    }
    return (json.dumps(_plain(whole), ensure_ascii=False, sort_keys=True, indent=1) + "\n").encode()


def _plain(value: Any) -> Any:  # noqa: PLR0911 -- one case per kind of value
    """Dataclasses, enums and times as what JSON has; every text made visible."""
    if isinstance(value, Missing):
        return None
    if isinstance(value, Enum):
        return value.value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {visible(str(k)): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, (dt.date, dt.datetime)):
        return value.isoformat()
    return visible(value) if isinstance(value, str) else value


WRITER = write_json
