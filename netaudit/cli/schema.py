"""``netaudit schema``: the JSON Schema of what is printed."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import click

KINDS = ("event", "finding", "trace", "case")


@click.command("schema")
@click.argument("what", type=click.Choice(KINDS))
def command(what: str) -> None:
    """Print the JSON Schema (2020-12) of events, findings, traces or the JSON form of a case."""
    click.echo(json.dumps(schema_of(what), ensure_ascii=False, indent=2))


def schema_of(what: str) -> dict[str, Any]:
    """One schema; that of events is made from the table of columns."""
    if what == "event":
        return _event_schema()
    text = files("netaudit.cli").joinpath(f"schemas/{what}.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    if what == "finding":
        schema["properties"]["trace"] = schema_of("trace")
    return schema


def _event_schema() -> dict[str, Any]:
    from netaudit.records.printed import PRINTED
    from netaudit.records.schemas import EVENT_KINDS, FIELDS, SCHEMA_VERSION

    properties: dict[str, Any] = {
        "schema_version": {"const": SCHEMA_VERSION},
        "kind": {"enum": list(EVENT_KINDS)},
    }
    properties |= {name: _json_type(FIELDS[name], name) for name in PRINTED if name in FIELDS}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "netaudit event",
        "type": "object",
        "properties": properties,
        "required": ["schema_version", "kind", "file", "ordinal"],
        "additionalProperties": False,
    }


def _json_type(type_: Any, name: str) -> dict[str, Any]:
    import pyarrow as pa

    from netaudit.records.schemas import MAC, TIMESTAMP

    if type_ == TIMESTAMP:
        return {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$"}
    if type_ == MAC:
        return {"type": "string", "pattern": "^[0-9a-f]{2}(:[0-9a-f]{2}){5}$"}
    if pa.types.is_list(type_):
        return {"type": "array", "items": {"type": "string"}}
    if pa.types.is_integer(type_):
        return {"type": "integer", "minimum": 1 if name == "ordinal" else 0}
    if pa.types.is_floating(type_):
        return {"type": "number"}
    return {"type": "boolean"} if pa.types.is_boolean(type_) else {"type": "string"}
