"""HTML: one file that needs nothing else, readable on screen and printing on A4."""

from __future__ import annotations

import re
from html import escape

from netaudit.reports.chain_drawing import draw_chain
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
    RunKind,
    Runs,
    Signature,
    Table,
    Title,
)
from netaudit.reports.layout import Layout, read_layout

_CSS = """
:root{color-scheme:light}
*{box-sizing:border-box}
body{margin:0;background:#eef0f2;color:#1b1b1b;font:16px/1.75 %(body)s}
main{max-width:52rem;margin:2rem auto;padding:4rem 4.5rem;background:#fff;box-shadow:0 1px 6px #0002}
h1{font:%(title_weight)s 1.7rem/1.5 %(title)s;text-align:center;margin:0 0 2rem}
h2,h3,h4,h5{line-height:1.5;text-indent:%(indent)sem;margin:1.4em 0 .4em;break-after:avoid}
h2{font:600 1.15rem/1.5 %(heading)s}h3{font:600 1.03rem/1.5 %(heading2)s}h4,h5{font:600 1rem/1.5 %(body)s}
strong.lead{font-weight:600}strong.h3{font-family:%(heading2)s}p{margin:.35em 0;overflow-wrap:anywhere}
p.body{text-indent:%(indent)sem;text-align:justify}
p.caption{text-align:center;font:600 .9rem/1.5 %(heading)s;margin:1.4em 0 .4em;break-after:avoid}
p.mark{font-family:%(heading)s;margin-bottom:1.5rem}p.note{text-indent:%(indent)sem}
table{border-collapse:collapse;width:100%%;margin:.4rem 0 1.2rem;font-size:.8rem;line-height:1.5;table-layout:fixed}
th,td{border:1px solid #b9bec4;padding:.28rem .3rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}
th{background:#f1f3f5;font-weight:600}thead{display:table-header-group}tr{break-inside:avoid}
mark{background:#fff0a8;color:inherit;padding:0 .1em}
figure{margin:.5rem 0 1rem;break-inside:avoid}figure svg{width:100%%;height:auto}
.attachments{margin:1.6rem 0 0 %(indent)sem;display:flex}.attachments ol,.attachments ul{margin:0;padding-left:1.4em;list-style-position:outside}
.attachments ul{list-style:none;padding:0}
.signature{margin:2.4rem 0 1rem auto;width:max-content;max-width:100%%;padding-right:4em;text-align:center}
section.annex{break-before:page;border-top:1px solid #d5d9dd;margin-top:3rem;padding-top:1.2rem}
section.annex>h1{font-size:1.45rem}p.label{font-family:%(heading)s}
.break{break-before:page}
@page{size:A4;margin:%(margins)s;@bottom-center{content:counter(page)}}
@media print{body{background:#fff}main{box-shadow:none;margin:0;padding:0;max-width:none}section.annex{border:0;margin:0;padding:0}}
@media(max-width:48rem){main{padding:1.5rem 1.2rem;margin:0}}
"""
_SONG = '"Noto Serif CJK SC","Source Han Serif SC",SimSun,serif'
_HEI = '"Noto Sans CJK SC","Source Han Sans SC",SimHei,"Microsoft YaHei",sans-serif'


def write_html(document: Document) -> bytes:
    """The document as a self-contained page. Every text is escaped; nothing is fetched."""
    layout = read_layout(document.layout)
    parts = [_head(document, layout), "<main>\n"]
    inside = False
    for block in document.blocks:
        if isinstance(block, Annex):
            parts.append("</section>\n" if inside else "")
            inside = True
        parts.append(_block(block, document.locale))
    parts.append("</section>\n" if inside else "")
    parts.append("</main>\n</body>\n</html>\n")
    return "".join(parts).encode()


def _head(document: Document, layout: Layout) -> str:
    chinese = document.locale.startswith("zh")
    body = f'"{layout.body.font}",FangSong,{_SONG}' if chinese else f'"{layout.body.font}",Georgia,serif'
    heading = (
        f'"{layout.headings[0].font}",{_HEI}'
        if chinese
        else f'"{layout.headings[0].font}",Arial,sans-serif'
    )
    kai = f'"{layout.headings[1].font}",KaiTi,{_SONG}' if chinese else heading
    title = f'"{layout.title.font}",{_SONG}' if chinese else heading
    css = _CSS % {
        "body": body,
        "heading": heading,
        "heading2": kai,
        "title": title,
        "title_weight": 700,
        "indent": layout.indent_chars,
        "margins": " ".join(f"{layout.margins[i] / 56.7:.1f}mm" for i in (0, 3, 1, 2)),
    }
    return (
        f'<!DOCTYPE html>\n<html lang="{escape(document.locale)}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width,initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{escape(document.title)}</title>\n<style>{css}</style>\n</head>\n<body>\n"
    )


def _runs(runs: Runs) -> str:
    out = []
    for run in runs:
        text = escape(run.text)
        if run.kind is RunKind.MISSING:
            text = f"<mark>{text}</mark>"
        out.append(f"<strong>{text}</strong>" if run.bold else text)
    return "".join(out)


def _block(block: Block, locale: str) -> str:  # noqa: C901, PLR0911 -- one case per kind of block
    match block:
        case Title(lines):
            return "<h1>" + "<br>".join(_runs(line) for line in lines) + "</h1>\n"
        case Heading(level, runs, number, rest) if rest:
            lead = f'<strong class="lead h{min(level + 1, 6)}">{escape(number)}{_runs(runs)}</strong>'
            return f'<p class="body">{lead}{_runs(rest)}</p>\n'
        case Heading(level, runs, number):
            tag = f"h{min(level + 1, 6)}"
            return f"<{tag}>{escape(number)}{_runs(runs)}</{tag}>\n"
        case Paragraph(runs, role):
            return f'<p class="{role}">{_runs(runs)}</p>\n'
        case BulletList(items):
            return "<ul>\n" + "".join(f"<li>{_runs(i)}</li>\n" for i in items) + "</ul>\n"
        case Table():
            return _table(block)
        case Chart():
            return _figure(block)
        case Chain():
            return f"<figure>\n{draw_chain(block)}</figure>\n"
        case AttachmentList(names):
            return _attachments(names, locale)
        case Annex(label, title):
            return (
                f'<section class="annex">\n<p class="label">{_runs(label)}</p>\n<h1>{_runs(title)}</h1>\n'
            )
        case Signature(name, date):
            return f'<div class="signature"><p>{_runs(name)}</p><p>{_runs(date)}</p></div>\n'
        case PageBreak():
            return '<div class="break"></div>\n'


def _table(table: Table) -> str:
    total = sum(table.widths) or 1.0
    columns = "".join(f'<col style="width:{100 * w / total:.2f}%">' for w in table.widths)
    head = "".join(f'<th scope="col">{_runs(c)}</th>' for c in table.head)
    rows = "".join("<tr>" + "".join(f"<td>{_runs(c)}</td>" for c in row) + "</tr>\n" for row in table.rows)
    return f"<table>\n<colgroup>{columns}</colgroup>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n"


def _figure(chart: Chart) -> str:
    svg = draw(chart, "svg").decode()
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg[svg.index("<svg") :], count=1, flags=re.DOTALL)
    label = escape(chart.description, quote=True)
    return f'<figure role="img" aria-label="{label}">\n{svg}</figure>\n'


def _attachments(names: tuple[Runs, ...], locale: str) -> str:
    label = "附件：" if locale.startswith("zh") else "Attachments: "
    tag = "ul" if len(names) == 1 else "ol"
    items = "".join(f"<li>{_runs(n)}</li>" for n in names)
    return f'<div class="attachments"><div>{label}</div><{tag}>{items}</{tag}></div>\n'


WRITER = write_html
