"""A chain in WordprocessingML: boxes of text that the office can edit, search and print.

No picture: a rendered one would need the fonts of the house that prints it, and a drawing of
Word's own would be nothing to the other word processors.
"""

from __future__ import annotations

from typing import Any

from netaudit.reports.document import Chain, ChainStep, Run, StepKind
from netaudit.reports.layout import Face
from netaudit.reports.writers._wordml import element, run_element

_LABELS = 0.17
"""Share of the width that labels have."""
_MARGIN = 90
"""Left and right of a cell's text, twips."""
_LINE = 1.3
_OUTLINES = {
    StepKind.START: ("single", 6),
    StepKind.HELD: ("single", 8),
    StepKind.OPEN: ("dotDash", 8),
    StepKind.BROKEN: ("dashed", 8),
    StepKind.END: ("single", 24),
    StepKind.LOST: ("single", 24),
}
"""Style and width, in eighths of a point: boxes are told apart without colour."""
_SHADED = frozenset({StepKind.HELD, StepKind.OPEN, StepKind.END, StepKind.LOST})
_ARROW, _BREAK = "↓", "✕"


def chain_elements(chain: Chain, face: Face, whole: int) -> list[Any]:
    """The title, one table of boxes and arrows, `whole` twips wide, and the reasons as paragraphs."""
    table, properties = element("w:tbl"), element("w:tblPr")
    properties.append(element("w:tblW", w=whole, type="dxa"))
    properties.append(element("w:jc", val="center"))
    properties.append(element("w:tblLayout", type="fixed"))
    margins = element("w:tblCellMar")
    for side in ("left", "right"):
        margins.append(element(f"w:{side}", w=_MARGIN, type="dxa"))
    properties.append(margins)
    table.append(properties)
    widths = (round(whole * _LABELS), whole - round(whole * _LABELS))
    grid = element("w:tblGrid")
    grid.extend(element("w:gridCol", w=w) for w in widths)
    table.append(grid)
    before: ChainStep | None = None
    sure = ""
    for step in chain.steps:
        if before is not None:
            table.append(_arrow(before, step, sure, face, whole))
        table.extend(_box(step, face, widths))
        sure = sure if step.kind is StepKind.BROKEN else step.title
        before = step
    caption = _paragraph((Run(chain.title, bold=True),), face, align="center", keep=True)
    return [caption, table, *_reasons(chain, face)]


def _box(step: ChainStep, face: Face, widths: tuple[int, int]) -> list[Any]:
    """The rows of one box: its head, then a row a line, all on one page."""
    last = len(step.lines)
    head = (Run(step.title, bold=True), *((Run(f"　·　{step.state}"),) if step.state else ()))
    sides = ("top", "left", "right", *(() if last else ("bottom",)))
    rows = [_row(((head, sum(widths), 2, sides),), face, step, keep=True, shaded=step.kind in _SHADED)]
    for number, line in enumerate(step.lines, 1):
        below = ("bottom",) if number == last else ()
        cells = (
            ((Run(line.label),), widths[0], 1, ("left", *below)),
            ((Run(line.text, bold=line.strong),), widths[1], 1, ("right", *below)),
        )
        rows.append(_row(cells, face, step, keep=number < last))
    return rows


def _row(
    cells: tuple[tuple[tuple[Run, ...], int, int, tuple[str, ...]], ...],
    face: Face,
    step: ChainStep,
    *,
    keep: bool,
    shaded: bool = False,
) -> Any:
    """A row; a cell is its runs, width, columns spanned, and the sides that are the box's."""
    row, properties = element("w:tr"), element("w:trPr")
    properties.append(element("w:cantSplit"))
    row.append(properties)
    style, size = _OUTLINES[step.kind]
    for runs, width, span, sides in cells:
        box, about = element("w:tc"), element("w:tcPr")
        about.append(element("w:tcW", w=width, type="dxa"))
        if span > 1:
            about.append(element("w:gridSpan", val=span))
        borders = element("w:tcBorders")
        for side in ("top", "left", "bottom", "right"):
            if side in sides:
                borders.append(element(f"w:{side}", val=style, sz=size, space=0, color="1A1A1A"))
        about.append(borders)
        if shaded:
            about.append(element("w:shd", val="clear", color="auto", fill="E6E8EA"))
        box.append(about)
        box.append(_paragraph(runs, face, keep=keep))
        row.append(box)
    return row


def _arrow(before: ChainStep, step: ChainStep, sure: str, face: Face, whole: int) -> Any:
    """Between two boxes, without an outline; crossed out before a broken one.

    After a broken one it names `sure`, the last box that is not: from there it goes on, if it does.
    """
    row, box, about = element("w:tr"), element("w:tc"), element("w:tcPr")
    about.append(element("w:tcW", w=whole, type="dxa"))
    about.append(element("w:gridSpan", val=2))
    box.append(about)
    mark = _BREAK if step.kind is StepKind.BROKEN else _ARROW
    if before.kind is StepKind.BROKEN and step.kind is not StepKind.BROKEN:
        mark = "" if step.kind is StepKind.LOST else f"{sure} {_ARROW}"
    box.append(_paragraph((Run(mark, bold=True),), face, align="center", keep=True))
    row.append(box)
    return row


def _reasons(chain: Chain, face: Face) -> list[Any]:
    if not chain.reasons:
        return []
    said = [_paragraph((Run(chain.reasons_title, bold=True),), face, keep=True, before=120)]
    for number, reason in enumerate(chain.reasons, 1):
        said.append(_paragraph((Run(f"{number}. {reason.text}"),), face, keep=True, left=1.5, hanging=1.5))
        said.append(_paragraph((Run(reason.needed),), face, left=1.5))
    return said


def _paragraph(
    runs: tuple[Run, ...],
    face: Face,
    *,
    align: str = "left",
    keep: bool = False,
    before: int = 20,
    left: float = 0,
    hanging: float = 0,
) -> Any:
    """A paragraph with the table's face and height of line; indents are in characters."""
    size = face.size_pt * 20
    paragraph, properties = element("w:p"), element("w:pPr")
    if keep:
        properties.append(element("w:keepNext"))
    properties.append(element("w:snapToGrid", val=0))
    properties.append(
        element("w:spacing", before=before, after=20, line=round(size * _LINE), lineRule="exact")
    )
    if left:
        properties.append(element("w:ind", left=round(left * size), hanging=round(hanging * size)))
    properties.append(element("w:jc", val=align))
    paragraph.append(properties)
    paragraph.extend(run_element(run, face) for run in runs)
    return paragraph
