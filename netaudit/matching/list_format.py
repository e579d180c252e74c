"""The shape of one list format: what a line of it means.

To add a format write ``netaudit/matching/formats/<name>.py`` with one public ``FORMAT``. The same
line means different names in different formats, so a format is always chosen, never guessed. Its
samples are its tests and its documentation.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass

from netaudit.errors import BlocklistError
from netaudit.intake.lines import Chunk
from netaudit.matching.rules import RuleSink
from netaudit.plugins import discover


@dataclass(frozen=True, slots=True)
class ListSample:
    """A piece of a list and what it must hit and miss."""

    text: str
    hits: tuple[str, ...] = ()
    """Names and addresses that are found."""
    misses: tuple[str, ...] = ()
    """Names and addresses that are not."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class ListFormat:
    """One syntax of lists."""

    title: str
    """For people."""
    names: tuple[str, ...]
    """What it is called on the command line and in descriptions, the usual name first."""
    reference: str
    """Where the syntax is documented."""
    parse: Callable[[Chunk, RuleSink], None]
    """Puts the entries of some whole lines into a sink, and accounts for every other line."""
    samples: tuple[ListSample, ...]


def list_formats() -> dict[str, ListFormat]:
    """Every format by each of its names, sorted."""
    found = discover("netaudit.matching.formats").values()
    return dict(sorted((name, format_) for format_ in found for name in format_.names))


def find_format(name: str, where: str) -> ListFormat:
    """The format called `name`.

    Raises:
        BlocklistError: There is none.
    """
    known = list_formats()
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, 1)
    raise BlocklistError(
        "list-format",
        "There is no list format {name}.",
        where=where,
        name=repr(name),
        hint=f"Did you mean {near[0]}?" if near else "Known are: " + ", ".join(known),
    )
