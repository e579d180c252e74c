"""Page layouts as numbers, and the numbering of headings."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from netaudit.config import read_table
from netaudit.errors import ConfigError, TemplateError
from netaudit.policy.citation import chinese
from netaudit.reports.document import Block, Heading

FOLDER = Path(__file__).parent / "layouts"


@dataclass(frozen=True, slots=True)
class Face:
    """How one kind of text is set."""

    font: str
    size_pt: float
    bold: bool = False
    spacing_twips: int = 0
    """Added between characters."""


@dataclass(frozen=True, slots=True)
class Layout:
    """One way to set a paper. Lengths in twips (1/20 pt) unless they say otherwise."""

    id: str
    page: tuple[int, int]
    margins: tuple[int, int, int, int]
    """Top, bottom, left, right."""
    line: int
    """Exact line height; 0 = the writer's own."""
    title_line: int
    indent_chars: int
    """First-line indent of the body, in characters."""
    numbering: tuple[str, ...]
    """One pattern per heading level: ``{han}`` or ``{n}``; empty = the numbers of all levels (1.2)."""
    body: Face
    title: Face
    headings: tuple[Face, ...]
    table: Face
    annex: Face
    annex_body: Face
    """Text of the attachments; their headings have its size."""
    annex_line: int
    """Exact line height in the attachments; 0 = the writer's own."""
    page_number: Face
    page_number_form: str
    footer_distance: int
    odd_even: bool


def read_layout(id_: str) -> Layout:
    """A layout by id.

    Raises:
        TemplateError: There is none of this id, or its file is wrong.
    """
    path = FOLDER / f"{id_}.toml"
    if not re.fullmatch(r"[a-z0-9-]{1,40}", id_) or not path.is_file():
        known = ", ".join(sorted(p.stem for p in FOLDER.glob("*.toml")))
        raise TemplateError(
            "layout-unknown", "There is no layout {layout}.", hint=f"Known: {known}", layout=id_
        )
    try:
        layout: Layout = read_table(tomllib.loads(path.read_text(encoding="utf-8")), Layout, str(path))
    except (tomllib.TOMLDecodeError, ConfigError) as error:
        raise TemplateError(
            "layout-wrong",
            "The layout cannot be read: {reason}.",
            where=str(path),
            hint="Compare with a shipped layout.",
            reason=str(error),
        ) from error
    return layout


def number_headings(blocks: Iterable[Block], layout: Layout) -> tuple[Block, ...]:
    """The blocks with each heading's number; a heading counts from 1 under the one above it."""
    from netaudit.reports.document import Annex

    counts = [0] * len(layout.headings)
    out: list[Block] = []
    for block in blocks:
        if isinstance(block, Annex):
            counts = [0] * len(counts)
        if isinstance(block, Heading) and block.level <= len(counts):
            counts[block.level - 1] += 1
            counts[block.level :] = [0] * (len(counts) - block.level)
            out.append(replace(block, number=_number(counts[: block.level], layout)))
        else:
            out.append(block)
    return tuple(out)


def _number(counts: list[int], layout: Layout) -> str:
    if not layout.numbering:
        return ".".join(str(c) for c in counts) + " "
    pattern, count = layout.numbering[len(counts) - 1], counts[-1]
    return pattern.format(n=count, han=chinese(count) if count < 100 else str(count))
