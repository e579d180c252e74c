"""A chain drawn as SVG: the same chain gives the same text.

Texts are wrapped by their estimated width, since fonts differ from house to house: estimates are on
the wide side. Outlines tell the boxes apart without colour, for papers are printed and copied.
"""

from __future__ import annotations

import re
import unicodedata
from xml.sax.saxutils import escape

from netaudit.reports.document import Chain, ChainLine, ChainReason, ChainStep, StepKind

WIDTH = 680
"""Of the drawing, in units of 1/96 inch: 180 mm, an A4 page within its margins."""
WIDTH_MM = 180
_LEFT, _RIGHT = 26, WIDTH - 4
_PAD = 12
_GAP = 26
"""Between two boxes: the arrow's length."""
_BYPASS = 9
"""Where the line runs that passes by broken steps."""
_ARROW = _LEFT + 40
_TITLE, _HEAD, _TEXT = 16, 14, 12.5
_LINE = 18
_HEADER = 26
_LABEL_MOST = 120
_INK, _GREY = "#1a1a1a", "#555555"
_FONTS: dict[str, str] = {
    "zh-CN": "'Noto Sans CJK SC','Source Han Sans SC','Microsoft YaHei',SimHei,SimSun,sans-serif",
    "zh-TW": "'Noto Sans CJK TC','Source Han Sans TC','Microsoft JhengHei',PMingLiU,SimSun,sans-serif",
    "en": "Arial,'Noto Sans','Noto Sans CJK SC',SimSun,sans-serif",
}
_OUTLINES: dict[StepKind, str] = {
    StepKind.START: 'stroke-width="1"',
    StepKind.HELD: 'stroke-width="1.5"',
    StepKind.OPEN: 'stroke-width="1.5" stroke-dasharray="10 3 2 3"',
    StepKind.BROKEN: 'stroke-width="1.2" stroke-dasharray="4 4"',
    StepKind.END: 'stroke-width="3"',
    StepKind.LOST: 'stroke-width="3"',
}
_SHADED = frozenset({StepKind.HELD, StepKind.OPEN, StepKind.END, StepKind.LOST})

_NARROW = frozenset("!'(),.:;I[]ijl|/\\ `tfr-")
_WIDE = frozenset("mwMW@%&—")
_WORD = re.compile(r"[（“‘「『《【]*(?:[!-~]+|.)[，。、；：）”’」』》】！？…]*|\s", re.DOTALL)
"""What a line does not break within: a Latin word, or one other character; with the marks that cling to it."""


def draw_chain(chain: Chain) -> str:
    """The chain as a standalone SVG, 180 mm wide. Texts are taken as visible (`document.visible`)."""
    return _Drawing(chain).draw()


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Estimated width of a text in the units of `size`; full-width characters count as a whole one."""
    return sum(map(_advance, text)) * size * (1.06 if bold else 1.0)


def wrap(text: str, size: float, width: float, *, bold: bool = False) -> list[str]:
    """The lines of a text, none wider than `width` by estimate, where one character has room."""
    lines, line, used = [], "", 0.0
    for piece in _pieces(text, size, width, bold=bold):
        wide = text_width(piece, size, bold=bold)
        if line and used + wide > width and not piece.isspace():
            lines.append(line.rstrip())
            line, used = "", 0.0
        if line or not piece.isspace():
            line, used = line + piece, used + wide
    return [*lines, line.rstrip()] if line else lines or [""]


def _pieces(text: str, size: float, width: float, *, bold: bool) -> list[str]:
    found: list[str] = []
    for match in _WORD.finditer(text):
        fits = text_width(match[0], size, bold=bold) <= width
        found.extend([match[0]] if fits else match[0])
    return found


def _advance(char: str) -> float:
    if char in _NARROW:
        return 0.36
    if char in _WIDE:
        return 1.0
    if char.isascii():
        return 0.72 if char.isupper() else 0.59
    return 1.0 if unicodedata.east_asian_width(char) in "WFA" else 0.7


class _Drawing:
    """Boxes from the top down; `_y` is where the next thing begins."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._parts: list[str] = []
        self._y = 4.0
        self._anchor = 0.0
        """Middle of the head of the last box that is not broken."""
        widest = max((text_width(line.label, _TEXT) for s in chain.steps for line in s.lines), default=0.0)
        self._column = _LEFT + _PAD + min(widest, _LABEL_MOST) + 12

    def draw(self) -> str:
        chain = self._chain
        for line in wrap(chain.title, _TITLE, _RIGHT - _LEFT, bold=True):
            self._text(_LEFT, self._y + _TITLE, line, _TITLE, bold=True)
            self._y += 24
        self._y += 4
        before: ChainStep | None = None
        for step in chain.steps:
            self._join(before, step)
            self._box(step)
            before = step
        self._reasons()
        height = round(self._y + 6)
        fonts = _FONTS.get(chain.locale, _FONTS["en"])
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" xml:lang="{escape(chain.locale)}" '
            f'width="{WIDTH_MM}mm" height="{height * WIDTH_MM / WIDTH:.1f}mm" viewBox="0 0 {WIDTH} {height}">\n'
            f"<title>{escape(chain.title)}</title>\n<desc>{escape(chain.description)}</desc>\n"
            f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>\n'
            f'<g font-family="{fonts}" fill="{_INK}" stroke="none">\n'
            + "\n".join(self._parts)
            + "\n</g>\n</svg>\n"
        )

    # -- between boxes --------------------------------------------------------------------------

    def _join(self, before: ChainStep | None, step: ChainStep) -> None:
        """The arrow to a box: crossed out where that is broken, past the broken ones where they end."""
        if before is None:
            return
        top = self._y
        self._y += _GAP
        middle = self._y + _HEADER / 2
        if step.kind is StepKind.LOST and before.kind is StepKind.BROKEN:
            return
        if step.kind is StepKind.BROKEN:
            if before.kind is not StepKind.BROKEN:
                self._line(_ARROW, top, _ARROW, self._y, dashed=True)
                self._cross(_ARROW, (top + self._y) / 2)
        elif before.kind is StepKind.BROKEN:
            for ends in (
                (_LEFT, self._anchor, _BYPASS, self._anchor),
                (_BYPASS, self._anchor, _BYPASS, middle),
                (_BYPASS, middle, _LEFT - 8, middle),
            ):
                self._line(*ends)
            self._head((_LEFT, middle), (_LEFT - 9, middle - 5), (_LEFT - 9, middle + 5))
        else:
            self._line(_ARROW, top, _ARROW, self._y - 8)
            self._head((_ARROW, self._y), (_ARROW - 5, self._y - 9), (_ARROW + 5, self._y - 9))
        if step.kind is not StepKind.BROKEN:
            self._anchor = middle

    def _line(self, x1: float, y1: float, x2: float, y2: float, *, dashed: bool = False) -> None:
        dash = ' stroke-dasharray="4 4"' if dashed else ""
        self._parts.append(
            f'<line x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}" stroke="{_INK}" stroke-width="1.5"{dash}/>'
        )

    def _cross(self, x: float, y: float) -> None:
        path = f"M{x - 6:g} {y - 6:g}L{x + 6:g} {y + 6:g}M{x + 6:g} {y - 6:g}L{x - 6:g} {y + 6:g}"
        self._parts.append(f'<path d="{path}" stroke="{_INK}" stroke-width="2.5"/>')

    def _head(self, *points: tuple[float, float]) -> None:
        said = " ".join(f"{x:g},{y:g}" for x, y in points)
        self._parts.append(f'<polygon points="{said}"/>')

    # -- boxes ----------------------------------------------------------------------------------

    def _box(self, step: ChainStep) -> None:
        top, place = self._y, len(self._parts)
        if not self._anchor:
            self._anchor = top + _HEADER / 2
        shade = self._heading(step)
        for line in step.lines:
            self._labelled(line)
        self._y += 7 if step.lines else 0
        sides = f'x="{_LEFT}" width="{_RIGHT - _LEFT}" y="{top:g}"'
        drawn = [f'<rect {sides} height="{shade - top:g}" fill="#e6e8ea"/>'] if step.kind in _SHADED else []
        outline = f'fill="none" stroke="{_INK}" {_OUTLINES[step.kind]}'
        drawn.append(f'<rect {sides} height="{self._y - top:g}" {outline}/>')
        self._parts[place:place] = drawn

    def _heading(self, step: ChainStep) -> float:
        """The title, with the state at the right or, where that has no room, beneath. Gives its bottom."""
        whole = _RIGHT - _LEFT - 2 * _PAD
        beside = text_width(step.title, _HEAD, bold=True) + text_width(step.state, _HEAD) + 24 <= whole
        if beside and step.state:
            self._text(_RIGHT - _PAD, self._y + 18, step.state, _HEAD, end=True)
        for line in wrap(step.title, _HEAD, whole, bold=True):
            self._text(_LEFT + _PAD, self._y + 18, line, _HEAD, bold=True)
            self._y += 20
        for line in wrap(step.state, _HEAD, whole) if step.state and not beside else ():
            self._text(_LEFT + _PAD, self._y + 18, line, _HEAD)
            self._y += 20
        self._y += _HEADER - 20
        bottom = self._y
        self._y += 3 if step.lines else 0
        return bottom

    def _labelled(self, line: ChainLine) -> None:
        size = _HEAD if line.strong else _TEXT
        labels = wrap(line.label, _TEXT, self._column - _LEFT - _PAD - 8) if line.label else []
        texts = wrap(line.text, size, _RIGHT - _PAD - self._column, bold=line.strong)
        self._y += 3 if line.strong else 0
        for row in range(max(len(labels), len(texts))):
            if row < len(labels):
                self._text(_LEFT + _PAD, self._y + 14, labels[row], _TEXT, fill=_GREY)
            if row < len(texts):
                self._text(self._column, self._y + 14, texts[row], size, bold=line.strong)
            self._y += _LINE

    def _reasons(self) -> None:
        chain = self._chain
        if not chain.reasons:
            return
        self._y += 14
        for line in wrap(chain.reasons_title, _HEAD, _RIGHT - _LEFT, bold=True):
            self._text(_LEFT, self._y + 14, line, _HEAD, bold=True)
            self._y += 20
        for number, reason in enumerate(chain.reasons, 1):
            self._reason(number, reason)

    def _reason(self, number: int, reason: ChainReason) -> None:
        self._y += 4
        self._text(_LEFT, self._y + 14, f"{number}.", _TEXT)
        for text in (reason.text, reason.needed):
            for line in wrap(text, _TEXT, _RIGHT - _LEFT - 22):
                self._text(_LEFT + 22, self._y + 14, line, _TEXT)
                self._y += _LINE

    def _text(
        self,
        x: float,
        y: float,
        text: str,
        size: float,
        *,
        bold: bool = False,
        end: bool = False,
        fill: str = "",
    ) -> None:
        """A line of text; letters of right-to-left scripts stay in the order of the record."""
        more = ' font-weight="bold"' if bold else ""
        more += ' text-anchor="end"' if end else ""
        more += f' fill="{fill}"' if fill else ""
        self._parts.append(
            f'<text x="{x:g}" y="{y:g}" font-size="{size:g}" direction="ltr" unicode-bidi="bidi-override"{more}>'
            f"{escape(text)}</text>"
        )
