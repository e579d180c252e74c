"""What a format's TOML file may say, read strictly: file and key in every error.

Only the spelling is judged here; `compiled` judges patterns, columns and times.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from netaudit.config import check_keys, read_table
from netaudit.errors import ConfigError

MAX_BYTES = 256 << 10
_LISTS = ("ignore", "nothing")
_LISTS_OF_A_TABLE = ("needs", "columns")


@dataclass(frozen=True, slots=True)
class Recognition:
    """By what a file of this format is known."""

    marker: str = ""
    """Text that stands in at least one of its first lines."""
    share: float | None = None
    """Least part of the first lines that must be read; 0.05 with a marker, 0.6 without."""


@dataclass(frozen=True, slots=True)
class Clock:
    """How times are written."""

    ts: str = "iso"
    """``iso``, ``epoch``, ``syslog``, or parts such as ``%Y年%m月%d日 %p%I:%M:%S``."""
    ts_end: str = ""
    """The same for the end; empty = as `ts`."""
    zone: str = ""
    """Only where the device writes in this zone whatever it is set to; else the source declares it."""


@dataclass(frozen=True, slots=True)
class LineShape:
    """One kind of message."""

    pattern: str
    """RE2, searched in the line; its named groups are columns of the kind."""
    kind: str = ""
    """Empty = that of the format."""
    find: tuple[str, ...] = ()
    """More patterns, each searched by itself: for cells that come in any order, or not always."""
    set: dict[str, str] = field(default_factory=dict)
    """Column to the cell that it has where the line gives none."""
    map: dict[str, dict[str, str]] = field(default_factory=dict)
    """Column to what stands in the line to what is meant."""


@dataclass(frozen=True, slots=True)
class TableShape:
    """Lines with a separator."""

    titles: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Column to its titles in the header, the preferred one first."""
    needs: tuple[str, ...] = ()
    """Columns without which a line is no header; empty = all of `titles`."""
    columns: tuple[str, ...] = ()
    """Instead of titles, for tables without a header: the column of each cell; empty = passed over."""
    separator: str = ""
    """Empty = the one of ``, ; | tab`` that parts the header into the most cells."""
    kind: str = ""
    set: dict[str, str] = field(default_factory=dict)
    map: dict[str, dict[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SampleShape:
    """A piece of a log and what must be read out of it."""

    text: str
    records: tuple[dict[str, Any], ...] = ()
    timezone: str = "UTC"
    note: str = ""


@dataclass(frozen=True, slots=True)
class Shape:
    """One file."""

    title: str
    kind: str = ""
    reference: str = ""
    syslog: bool = False
    """Whether lines come through a system log: its header is taken off before patterns are tried."""
    other: str = "rejected"
    """What a line is that fits no pattern: ``rejected``, or ``counted`` among the other messages."""
    ignore: tuple[str, ...] = ()
    """Patterns of lines that are passed over."""
    nothing: tuple[str, ...] = ("-",)
    """Cells that stand for none."""
    recognise: Recognition = field(default_factory=Recognition)
    time: Clock = field(default_factory=Clock)
    line: tuple[LineShape, ...] = ()
    table: TableShape | None = None
    sample: tuple[SampleShape, ...] = ()


_INNER = {
    "recognise": Recognition,
    "time": Clock,
    "line": LineShape,
    "table": TableShape,
    "sample": SampleShape,
}


def read_shape(path: Path) -> Shape:
    """What a file says.

    Raises:
        ConfigError: It cannot be read, is no TOML, or has an unknown key or a value of a wrong type.
    """
    where = str(path)
    try:
        with path.open("rb") as stream:
            body = stream.read(MAX_BYTES + 1)
        if len(body) > MAX_BYTES:
            raise _unreadable(where, f"it is larger than {MAX_BYTES >> 10} KiB")
        data = tomllib.loads(body.decode("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise _unreadable(where, str(error)) from error
    except RecursionError as error:
        raise _unreadable(where, "its tables stand too deep in each other") from error
    data = _with_lists(data)
    check_keys(data, Shape, where)
    for key, inner in _INNER.items():
        value = data.get(key, [])
        for item in value if isinstance(value, list) else [value]:
            check_keys(item, inner, where, f"{key}.")
    return cast("Shape", read_table(data, Shape, where))


def _unreadable(where: str, reason: str) -> ConfigError:
    return ConfigError(
        "format-unreadable",
        "The format's file cannot be read: {reason}.",
        where=where,
        hint="It must be TOML in UTF-8; compare with examples/formats.",
        reason=reason.rstrip("."),
    )


def _with_lists(data: Mapping[str, Any]) -> dict[str, Any]:
    """The same with a text as a list of one where a list is meant; anything else stays."""
    out = {key: _listed(value) if key in _LISTS else value for key, value in data.items()}
    table = out.get("table")
    if isinstance(table, dict):
        table = {k: _listed(v) if k in _LISTS_OF_A_TABLE else v for k, v in table.items()}
        if isinstance(table.get("titles"), dict):
            table["titles"] = {k: _listed(v) for k, v in table["titles"].items()}
        out["table"] = table
    if isinstance(out.get("line"), list):
        out["line"] = [
            {k: _listed(v) if k == "find" else v for k, v in line.items()}
            if isinstance(line, dict)
            else line
            for line in out["line"]
        ]
    return out


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value
