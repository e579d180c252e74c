"""Template lines to blocks.

A template is plain text with one mark at the start of a line:

===================  =========================================================
``= words``          a line of the title
``@to words``        the addressee, flush left
``@mark words``      a mark over the title, such as a draft's
``# words``          a heading; ``##`` to ``####`` lower ones; numbers come from the layout
``## words | text``  a heading with text behind it in the same paragraph
``- words``          an item of a list
``| a | b |``        a row of a table; the first row is its head
``@widths 1 3 2``    relative widths of the next table's columns
``@caption words``   a line over a table or under a chart
``@chart``           the time-line of the day; ``@chart overview`` that of all days
``@chain 1``         the first walk-back drawn, with its reasons
``@attachments``     the ``- `` lines after it name the attachments
``@annex A | T``     a new page with the label A and the title T
``@sign N | D``      signature N and date D
``@note words``      a note after the date
``@newpage``         a new page
===================  =========================================================

Other lines are paragraphs, one per line; ``**words**`` are bold. What fills a slot is never part
of this text: a slot renders as a numbered token, and the token's value is put in after the blocks
are settled. A value can therefore not make a block, end a cell or turn bold.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from netaudit.errors import TemplateError
from netaudit.reports.document import (
    Annex,
    AttachmentList,
    Block,
    BulletList,
    Chain,
    Chart,
    Heading,
    PageBreak,
    Paragraph,
    Run,
    RunKind,
    Runs,
    Signature,
    Table,
    Title,
    text_of,
)

OPEN, CLOSE = "\x02", "\x03"
MAX_ROWS = 20_000
_TOKEN = re.compile(f"{OPEN}(\\d+){CLOSE}")
_HEADING = re.compile(r"(#{1,4}) +(.+)")
_DIRECTIVE = re.compile(
    r"@(to|mark|widths|caption|chart|chain|attachments|annex|sign|note|newpage)(?: +(.*))?"
)


@dataclass(frozen=True, slots=True)
class Value:
    """What stands in a slot."""

    text: str
    kind: RunKind = RunKind.TEXT


def parse_blocks(
    text: str,
    values: Sequence[Value],
    *,
    where: str,
    charts: Mapping[str, Chart | None] | None = None,
    chains: Mapping[str, Chain] | None = None,
) -> tuple[Block, ...]:
    """The blocks of a rendered template.

    Args:
        text: Template text in which each slot is a token.
        values: What the tokens stand for.
        where: The template, for errors.
        charts: What ``@chart`` prints, by the word behind it; without one the line prints nothing.
        chains: What ``@chain`` prints, by the number behind it; likewise.

    Raises:
        TemplateError: An unknown directive, a ragged table, or far too many rows.
    """
    return _Reader(values, where, charts or {}, chains or {}).read(text)


class _Reader:
    """Collects lines that belong together until another kind of line comes."""

    def __init__(
        self,
        values: Sequence[Value],
        where: str,
        charts: Mapping[str, Chart | None],
        chains: Mapping[str, Chain],
    ) -> None:
        self._values = values
        self._where = where
        self._charts = charts
        self._chains = chains
        self._blocks: list[Block] = []
        self._lines: list[tuple[Runs, ...]] = []
        """Of the open title, list or table; a title's or list's have one cell."""
        self._open = ""
        self._widths: tuple[float, ...] = ()

    def read(self, text: str) -> tuple[Block, ...]:
        for number, raw in enumerate(text.split("\n"), 1):
            line = raw.strip()
            if not line:
                if self._open != "attachments" or self._lines:
                    self._close()
            elif line.startswith("@"):
                self._directive(line, number)
            elif line.startswith("= "):
                self._collect("title", (self._runs(line[2:]),))
            elif line.startswith("- "):
                kind = "attachments" if self._open == "attachments" else "list"
                self._collect(kind, (self._runs(line[2:]),))
            elif line.startswith("|") and line.endswith("|") and len(line) > 1:
                self._collect("table", tuple(self._runs(c.strip()) for c in line[1:-1].split("|")))
            else:
                self._close()
                heading = _HEADING.fullmatch(line)
                self._blocks.append(self._heading(heading) if heading else Paragraph(self._runs(line)))
            if len(self._blocks) + len(self._lines) > MAX_ROWS:
                raise self._error(
                    "report-too-large",
                    "The report would have more than {limit} lines.",
                    "Let the template print fewer rows.",
                    number,
                    limit=MAX_ROWS,
                )
        self._close()
        return tuple(self._blocks)

    def _collect(self, kind: str, cells: tuple[Runs, ...]) -> None:
        if self._open != kind:
            self._close()
            self._open = kind
        self._lines.append(cells)

    def _directive(self, line: str, number: int) -> None:
        match = _DIRECTIVE.fullmatch(line)
        if match is None:
            raise self._error(
                "template-directive",
                "There is no directive {directive}.",
                "Directives: @to, @mark, @widths, @caption, @chart, @chain, @attachments, @annex, @sign, @note, @newpage.",
                number,
                directive=line.split(" ", maxsplit=1)[0],
            )
        self._close()
        name, rest = match[1], match[2] or ""
        match name:
            case "to":
                self._blocks.append(Paragraph(self._runs(rest), "addressee"))
            case "note" | "caption" | "mark":
                self._blocks.append(Paragraph(self._runs(rest), name))
            case "widths":
                self._widths = tuple(float(w) for w in rest.split() if re.fullmatch(r"\d{1,3}(?:\.\d)?", w))
            case "chart":
                chart = self._charts.get(rest.strip())
                self._blocks += [chart] if chart else []
            case "chain":
                chain = self._chains.get(text_of(self._runs(rest.strip())))
                self._blocks += [chain] if chain else []
            case "attachments":
                self._open = "attachments"
            case "annex" | "sign":
                first, _, second = rest.partition("|")
                kind = Annex if name == "annex" else Signature
                self._blocks.append(kind(self._runs(first.strip()), self._runs(second.strip())))
            case _:
                self._blocks.append(PageBreak())

    def _close(self) -> None:
        """Turn the collected lines into their block."""
        lines, kind = self._lines, self._open
        self._lines, self._open = [], ""
        if not lines:
            return
        if kind == "table":
            self._blocks.append(self._table(lines))
            return
        items = tuple(cells[0] for cells in lines)
        match kind:
            case "title":
                self._blocks.append(Title(items))
            case "list":
                self._blocks.append(BulletList(items))
            case _:
                self._blocks.append(AttachmentList(items))

    def _heading(self, match: re.Match[str]) -> Heading:
        words, _, rest = match[2].partition(" | ")
        return Heading(len(match[1]), self._runs(words), rest=self._runs(rest))

    def _table(self, lines: list[tuple[Runs, ...]]) -> Table:
        columns = len(lines[0])
        if any(len(row) != columns for row in lines):
            raise self._error(
                "template-table",
                "A table's rows do not all have {columns} columns.",
                "Give every row of the table as many cells as its head.",
                0,
                columns=columns,
            )
        widths = self._widths if len(self._widths) == columns else (1.0,) * columns
        self._widths = ()
        return Table(lines[0], tuple(lines[1:]), widths)

    def _runs(self, text: str) -> Runs:
        """Text with tokens and ``**bold**`` as runs; neighbours of one face become one."""
        runs: list[Run] = []
        for index, part in enumerate(text.split("**")):
            bold = index % 2 == 1
            for position, piece in enumerate(_TOKEN.split(part)):
                if position % 2:
                    value = self._values[int(piece)]
                    run = Run(value.text, bold, value.kind)
                else:
                    run = Run(piece, bold)
                if (
                    runs
                    and (runs[-1].bold, runs[-1].kind) == (run.bold, run.kind)
                    and run.kind is RunKind.TEXT
                ):
                    runs[-1] = replace(runs[-1], text=runs[-1].text + run.text)
                elif run.text:
                    runs.append(run)
        return tuple(run for run in runs if run.text)

    def _error(self, code: str, message: str, hint: str, line: int, **values: object) -> TemplateError:
        where = f"{self._where}, rendered line {line}" if line else self._where
        return TemplateError(code, message, where=where, hint=hint, **values)
