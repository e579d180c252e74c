"""DOCX in the numbers of a layout: the paper that the office edits, signs and sends.

python-docx gives the package and its parts; paragraphs, runs and tables are written as WordprocessingML
elements, since its own interface sets neither East Asian fonts nor exact grids. The archive is
rewritten with fixed member times in sorted order: the same case gives the same bytes.
"""

from __future__ import annotations

import datetime as dt
import io
from dataclasses import replace
from itertools import zip_longest
from typing import Any

from netaudit.reports.chart import draw
from netaudit.reports.document import (
    Annex,
    AttachmentList,
    Block,
    BulletList,
    Chain,
    Chart,
    Document,
    Heading,
    PageBreak,
    Paragraph,
    Run,
    Runs,
    Signature,
    Table,
    Title,
    visible,
)
from netaudit.reports.layout import Face, read_layout
from netaudit.reports.writers._chains import chain_elements
from netaudit.reports.writers._tables import characters, table_element
from netaudit.reports.writers._wordml import (
    element,
    field_part,
    fixed_archive,
    qualified,
    run_element,
    run_properties,
    xml_text,
)

_EMU_PER_TWIP = 635


def write_docx(document: Document) -> bytes:
    """The document as a .docx file."""
    return _Writer(document).write()


class _Writer:
    def __init__(self, document: Document) -> None:
        import docx

        self._document = document
        self._layout = read_layout(document.layout)
        self._docx: Any = docx.Document()
        self._body: Any = self._docx.element.body
        self._with_next = False
        """Whether the block stays on one page with the next: a signature has lines of the body over it."""
        self._text = self._layout.body
        self._line = self._layout.line
        """Of the part that is being written: the body, then the attachments."""
        self._chinese = document.locale.startswith("zh")

    def write(self) -> bytes:
        self._page()
        self._styles()
        self._properties()
        self._footers()
        blocks = self._document.blocks
        for block, *following in zip_longest(blocks, blocks[1:], blocks[2:]):
            self._with_next = any(isinstance(b, (AttachmentList, Signature)) for b in following)
            self._block(block)
        out = io.BytesIO()
        self._docx.save(out)
        return fixed_archive(out.getvalue())

    # -- the page -------------------------------------------------------------------------------

    def _page(self) -> None:
        layout, section = self._layout, self._docx.sections[0]
        width, height = layout.page
        top, bottom, left, right = layout.margins
        section.page_width, section.page_height = width * _EMU_PER_TWIP, height * _EMU_PER_TWIP
        section.top_margin, section.bottom_margin = top * _EMU_PER_TWIP, bottom * _EMU_PER_TWIP
        section.left_margin, section.right_margin = left * _EMU_PER_TWIP, right * _EMU_PER_TWIP
        section.footer_distance = layout.footer_distance * _EMU_PER_TWIP
        for grid in section._sectPr.findall(qualified("w:docGrid")):  # noqa: SLF001 -- no other door to it
            section._sectPr.remove(grid)  # noqa: SLF001
        if layout.line:
            section._sectPr.append(element("w:docGrid", type="lines", linePitch=layout.line))  # noqa: SLF001

    def _styles(self) -> None:
        """Default fonts in all four slots, and headings that are headings to the word processor."""
        styles = self._docx.styles
        normal = styles["Normal"]
        self._face_of(normal, self._layout.body)
        defaults = styles.element.find(qualified("w:docDefaults"))
        if defaults is not None:
            styles.element.remove(defaults)
        language = {"val": "en-US", "eastAsia": self._document.locale if self._chinese else "zh-CN"}
        normal.element.get_or_add_rPr().append(element("w:lang", **language))
        for level, face in enumerate(self._layout.headings, 1):
            style = styles[f"Heading {level}"]
            self._face_of(style, face)
            properties = style.element.get_or_add_pPr()
            for child in list(properties):
                if child.tag in {qualified("w:spacing"), qualified("w:numPr")}:
                    properties.remove(child)
        package = self._docx.part.package
        for id_ in [i for i, rel in package.rels.items() if rel.reltype.endswith("/thumbnail")]:
            del package.rels[id_]

    def _face_of(self, style: Any, face: Face) -> None:
        holder = style.element
        old = holder.find(qualified("w:rPr"))
        if old is not None:
            holder.remove(old)
        holder.append(run_properties(face, bold=face.bold))

    def _properties(self) -> None:
        document, core = self._document, self._docx.core_properties
        moment = document.date.astimezone(dt.UTC).replace(tzinfo=None)
        core.author = core.last_modified_by = _property(document.creator)
        core.title, core.language = _property(document.title), document.locale
        core.created = core.modified = moment
        core.comments, core.revision = "", 1

    def _footers(self) -> None:
        layout, section = self._layout, self._docx.sections[0]
        if not layout.odd_even:
            self._page_number(section.footer, "center")
            return
        self._docx.settings.odd_and_even_pages_header_footer = True
        self._page_number(section.footer, "right")
        self._page_number(section.even_page_footer, "left")

    def _page_number(self, footer: Any, side: str) -> None:
        footer.is_linked_to_previous = False
        paragraph = footer.paragraphs[0]._p  # noqa: SLF001
        for child in list(paragraph):
            paragraph.remove(child)
        properties = element("w:pPr")
        if side in {"left", "right"}:
            properties.append(
                element("w:ind", **{f"{side}Chars": 100, side: int(self._layout.page_number.size_pt * 20)})
            )
        properties.append(element("w:jc", val=side))
        paragraph.append(properties)
        before, _, after = self._layout.page_number_form.partition("{page}")
        face = self._layout.page_number
        for text in (before, None, after):
            if text:
                paragraph.append(run_element(Run(text), face))
            elif text is None:
                for kind in ("begin", "instr", "separate", "number", "end"):
                    run = element("w:r")
                    run.append(run_properties(face))
                    run.append(field_part(kind))
                    paragraph.append(run)

    # -- blocks ---------------------------------------------------------------------------------

    def _block(self, block: Block) -> None:  # noqa: C901, PLR0912 -- one case per kind of block
        layout = self._layout
        match block:
            case Title(lines):
                self._title(lines)
                self._empty()
            case Heading(level, runs, number, rest) if rest:
                paragraph = self._paragraph(
                    (Run(number), *runs),
                    self._heading(level),
                    indent=layout.indent_chars,
                    justify=self._chinese,
                )
                paragraph.extend(run_element(run, self._text) for run in rest)
            case Heading(level, runs, number):
                self._paragraph(
                    (Run(number), *runs),
                    self._heading(level),
                    style=f"Heading{level}",
                    indent=layout.indent_chars,
                    keep=True,
                )
            case Paragraph(runs, "addressee"):
                self._paragraph(runs, layout.body)
            case Paragraph(runs, "mark"):
                self._paragraph(runs, layout.annex)
            case Paragraph(runs, "caption"):
                self._paragraph(
                    runs,
                    Face(layout.headings[0].font, layout.table.size_pt + 1.5),
                    align="center",
                    keep=True,
                    loose=True,
                )
            case Paragraph(runs):
                self._paragraph(
                    runs,
                    self._text,
                    indent=layout.indent_chars,
                    justify=self._chinese,
                    keep=self._with_next,
                )
            case BulletList(items):
                for item in items:
                    self._paragraph((Run("• "), *item), self._text, indent=layout.indent_chars or 1)
            case Table():
                self._table(block)
            case Chart():
                self._chart(block)
            case Chain():
                for part in chain_elements(block, layout.table, self._text_width()):
                    self._add(part)
                self._gap()
            case AttachmentList(names):
                self._attachments(names)
            case Annex(label, title):
                self._text, self._line = layout.body, layout.line
                self._paragraph(label, layout.annex, page_before=True)
                self._empty()
                self._title((title,))
                self._empty()
                self._text, self._line = layout.annex_body, layout.annex_line
            case Signature(name, date):
                self._signature(name, date)
            case PageBreak():
                self._paragraph((), layout.body, page_before=True)

    def _heading(self, level: int) -> Face:
        """The face of a heading; in an attachment with the size of its text."""
        face = self._layout.headings[level - 1]
        if self._text is self._layout.body:
            return face
        return replace(face, size_pt=self._text.size_pt, spacing_twips=self._text.spacing_twips)

    def _add(self, block: Any) -> None:
        self._body.insert(len(self._body) - 1, block)  # the section's properties stay last

    def _paragraph(
        self,
        runs: Runs,
        face: Face,
        *,
        style: str = "",
        indent: int = 0,
        left: int = 0,
        hanging: int = 0,
        right_chars: float = 0,
        align: str = "",
        keep: bool = False,
        page_before: bool = False,
        justify: bool = False,
        loose: bool = False,
    ) -> Any:
        """Append a paragraph. Indents are in characters of `face`; `loose` drops the exact line."""
        paragraph, properties = element("w:p"), element("w:pPr")
        if style:
            properties.append(element("w:pStyle", val=style))
        if keep:
            properties.append(element("w:keepNext"))
        if page_before:
            properties.append(element("w:pageBreakBefore"))
        properties.append(element("w:snapToGrid", val=0))
        properties.append(self._spacing(loose=loose))
        size = face.size_pt * 20 + face.spacing_twips
        indents: dict[str, int] = {}
        if indent:
            indents |= {"firstLineChars": indent * 100, "firstLine": round(indent * size)}
        if left or hanging:
            indents |= {"left": round(left * size), "hanging": round(hanging * size)}
        if right_chars:
            indents |= {"rightChars": round(right_chars * 100), "right": round(right_chars * size)}
        if indents:
            properties.append(element("w:ind", **indents))
        if align or justify:
            properties.append(element("w:jc", val=align or "both"))
        paragraph.append(properties)
        paragraph.extend(run_element(run, face) for run in runs)
        self._add(paragraph)
        return paragraph

    def _spacing(self, *, loose: bool = False) -> Any:
        if self._line and not loose:
            return element("w:spacing", before=0, after=0, line=self._line, lineRule="exact")
        return element("w:spacing", before=120, after=60, line=264, lineRule="auto")

    def _empty(self) -> None:
        if self._layout.line:
            self._paragraph((), self._layout.body, keep=True)

    def _title(self, lines: tuple[Runs, ...]) -> None:
        paragraph = self._paragraph((), self._layout.title, align="center", keep=True)
        spacing = paragraph.find(qualified("w:pPr")).find(qualified("w:spacing"))
        if self._layout.title_line:
            spacing.set(qualified("w:line"), str(self._layout.title_line))
        for number, line in enumerate(lines):
            if number:
                run = element("w:r")
                run.append(element("w:br"))
                paragraph.append(run)
            paragraph.extend(run_element(run, self._layout.title) for run in line)

    def _attachments(self, names: tuple[Runs, ...]) -> None:
        """附件说明: one empty line, indent 2; with several, numbered and aligned (GB/T 9704 7.3.4)."""
        self._empty()
        label = "附件：" if self._chinese else "Attachments: "
        body, width = self._layout.body, 3 if self._chinese else 6
        for number, name in enumerate(names, 1):
            count = (Run(f"{number}."),) if len(names) > 1 else ()
            hang = 1 if count else 0
            if number == 1:
                self._paragraph(
                    (Run(label), *count, *name),
                    body,
                    left=2 + width + hang,
                    hanging=width + hang,
                    keep=True,
                )
            else:
                self._paragraph((*count, *name), body, left=2 + width + hang, hanging=hang, keep=True)

    def _signature(self, name: Runs, date: Runs) -> None:
        """Date four characters from the right edge, the name centred over it (7.3.5.1)."""
        self._empty()
        body = self._layout.body
        over = 4 + (characters(date) - characters(name)) / 2
        self._paragraph(name, body, align="right", right_chars=max(over, 0.01), keep=True)
        self._paragraph(date, body, align="right", right_chars=4)

    def _table(self, block: Table) -> None:
        self._add(table_element(block, self._layout.table, self._text_width()))
        self._gap()

    def _text_width(self) -> int:
        """Of the page within its margins, twips."""
        layout = self._layout
        return layout.page[0] - layout.margins[2] - layout.margins[3]

    def _gap(self) -> None:
        """A little room below a table or a picture."""
        paragraph = self._paragraph((), Face(self._layout.table.font, 5), loose=True)
        spacing = paragraph.find(qualified("w:pPr")).find(qualified("w:spacing"))
        for key, value in {"before": 0, "after": 0, "line": 120, "lineRule": "exact"}.items():
            spacing.set(qualified(f"w:{key}"), str(value))

    def _chart(self, chart: Chart) -> None:
        width = self._text_width() * _EMU_PER_TWIP
        paragraph = self._docx.add_paragraph()
        picture = paragraph.add_run().add_picture(io.BytesIO(draw(chart, "png")), width=int(width * 0.99))
        picture._inline.docPr.set("descr", xml_text(chart.description))  # noqa: SLF001 -- python-docx has no alt text
        paragraph._p.get_or_add_pPr().append(element("w:jc", val="center"))  # noqa: SLF001


def _property(text: str) -> str:
    """A file property: visible, and no longer than the format allows."""
    return visible(text)[:255]


WRITER = write_docx
