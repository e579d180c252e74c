"""``netaudit schema``: the JSON Schema of what is printed."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from enum import Enum
from importlib.resources import files
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import click

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
KINDS = ("event", "finding", "trace", "case")


@click.command("schema")
@click.argument("what", type=click.Choice(KINDS))
def command(what: str) -> None:
    """Print the JSON Schema (2020-12) of events, findings, traces, or of ``case show --format json``."""
    click.echo(json.dumps(schema_of(what), ensure_ascii=False, indent=2))


def schema_of(what: str) -> dict[str, Any]:
    """One schema; that of events is made from the table of columns."""
    if what == "event":
        return _event_schema()
    if what == "case":
        from netaudit.case.case import Case

        return {"$schema": _DIALECT, "title": "netaudit case", **_of_type(Case)}
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
        "$schema": _DIALECT,
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


def _of_type(type_: Any) -> dict[str, Any]:
    """The schema of a frozen dataclass or of one of its fields' types, as the store writes them."""
    origin, arguments = get_origin(type_), get_args(type_)
    if origin in {Union, UnionType}:
        return {"anyOf": [_of_type(a) for a in arguments]}
    if origin is tuple:
        return _of_tuple(arguments)
    if origin is dict:
        return {"type": "object"}
    if dataclasses.is_dataclass(type_):
        hints = get_type_hints(type_)
        return {
            "type": "object",
            "properties": {f.name: _of_type(hints[f.name]) for f in dataclasses.fields(type_)},
            "required": [f.name for f in dataclasses.fields(type_)],
            "additionalProperties": False,
        }
    if isinstance(type_, type) and issubclass(type_, Enum):
        return {"enum": [m.value for m in type_]}
    return dict(_SIMPLE[type_])


def _of_tuple(arguments: tuple[Any, ...]) -> dict[str, Any]:
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return {"type": "array", "items": _of_type(arguments[0])}
    return {
        "type": "array",
        "prefixItems": [_of_type(a) for a in arguments],
        "items": False,
        "minItems": len(arguments),
    }


_SIMPLE: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    bytes: {"type": "string", "pattern": "^([0-9a-f]{2})*$"},
    dt.datetime: {"type": "string", "format": "date-time"},
    dt.date: {"type": "string", "format": "date"},
    type(None): {"type": "null"},
    Any: {},
}
