"""Tables in WordprocessingML: fixed widths, one height of line, repeated heads, whole rows."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from netaudit.reports.document import Runs, Table, text_of
from netaudit.reports.layout import Face
from netaudit.reports.writers._wordml import element, run_element

_BREAKS = re.compile(r"([、；\]])(?=\S)")
"""Where the narrow lines of a table may break besides blanks, told by a zero-width space."""
_WHOLE_ROW = 24
"""Lines up to which a row is kept on one page; longer ones may break."""
_CELL_MARGIN = 60
"""Left and right of a cell's text, twips."""
_TABLE_LINE = 1.3
"""Height of a table's line, in sizes of its face: the same in every font."""


def table_element(block: Table, face: Face, whole: int) -> Any:
    """A table of `whole` twips; its head is repeated on every page, and rows stay on one page."""
    total = sum(block.widths) or 1.0
    widths = [int(whole * w / total) for w in block.widths]
    table, properties = element("w:tbl"), element("w:tblPr")
    properties.append(element("w:tblW", w=sum(widths), type="dxa"))
    properties.append(element("w:jc", val="center"))
    borders = element("w:tblBorders")
    for side in ("top", "left", "bottom", "right", "insideH", "insideV"):
        borders.append(element(f"w:{side}", val="single", sz=4, space=0, color="808080"))
    properties.append(borders)
    properties.append(element("w:tblLayout", type="fixed"))
    margins = element("w:tblCellMar")
    for side in ("left", "right"):
        margins.append(element(f"w:{side}", w=_CELL_MARGIN, type="dxa"))
    properties.append(margins)
    table.append(properties)
    grid = element("w:tblGrid")
    grid.extend(element("w:gridCol", w=w) for w in widths)
    table.append(grid)
    table.append(_row(block.head, widths, face, head=True))
    table.extend(_row(row, widths, face) for row in block.rows)
    return table


def _row(cells: tuple[Runs, ...], widths: list[int], face: Face, *, head: bool = False) -> Any:
    row, properties = element("w:tr"), element("w:trPr")
    size = face.size_pt * 20
    lines = max(
        characters(cell) * size / max(width - 2 * _CELL_MARGIN, size)
        for cell, width in zip(cells, widths, strict=True)
    )
    if lines < _WHOLE_ROW:
        properties.append(element("w:cantSplit"))
    if head:
        properties.append(element("w:tblHeader"))
    row.append(properties)
    for cell, width in zip(cells, widths, strict=True):
        box, box_properties = element("w:tc"), element("w:tcPr")
        box_properties.append(element("w:tcW", w=width, type="dxa"))
        if head:
            box_properties.append(element("w:shd", val="clear", color="auto", fill="EDEFF1"))
        box_properties.append(element("w:vAlign", val="center"))
        box.append(box_properties)
        paragraph, style = element("w:p"), element("w:pPr")
        style.append(element("w:snapToGrid", val=0))
        style.append(
            element("w:spacing", before=30, after=30, line=round(size * _TABLE_LINE), lineRule="exact")
        )
        style.append(element("w:jc", val="center" if head else "left"))
        paragraph.append(style)
        paragraph.extend(
            run_element(replace(run, text=_BREAKS.sub("\\1\u200b", run.text)), face, bold=head)
            for run in cell
        )
        box.append(paragraph)
        row.append(box)
    return row


def characters(runs: Runs) -> float:
    """Width in full characters; ASCII counts half."""
    return sum(0.5 if c.isascii() else 1.0 for c in text_of(runs))
