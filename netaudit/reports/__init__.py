"""Case to paper: `render` prints a case with a template; nothing here reads a database or a log."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from netaudit import plugins
from netaudit.case.case import Case
from netaudit.errors import TemplateError
from netaudit.policy.citation import Norm
from netaudit.policy.shape import Rule
from netaudit.reports.document import Document
from netaudit.reports.facts import facts_for, words_for
from netaudit.reports.filters import FILTERS
from netaudit.reports.layout import number_headings, read_layout
from netaudit.reports.lint import Problem, lint
from netaudit.reports.markup import parse_blocks
from netaudit.reports.template import Template, find_template, needed, read_template, render_text

AUDIENCES = ("regulator", "internal")

__all__ = [
    "AUDIENCES",
    "Document",
    "Problem",
    "Template",
    "compose",
    "facts_for",
    "find_template",
    "lint",
    "read_template",
    "render",
]


def render(
    template_id_or_path: str,
    case: Case,
    *,
    locale: str,
    formats: Sequence[str],
    out: Path,
    audience: str = "regulator",
    folders: Sequence[Path] = (),
    rules: Mapping[str, Rule] | None = None,
    norms: Mapping[str, Norm] | None = None,
) -> list[Path]:
    """Print a case. All formats are composed before the first file is written.

    Args:
        template_id_or_path: Id such as ``rectification-report``, or a ``.md.j2`` file.
        case: What is printed; the same case gives the same bytes.
        locale: Language of the paper.
        formats: Names of writers: ``docx``, ``html``, ``json``.
        out: Folder for the files; made where absent. Files of the same name are replaced.
        audience: ``regulator`` masks inside addresses; ``internal`` does not.
        folders: Where the office's own templates are looked for first.
        rules: Rules by id; the shipped ones where absent.
        norms: Norms by id; the shipped ones where absent.

    Returns:
        The files written, in the order of `formats`.

    Raises:
        TemplateError: No such template, format or audience, or the template fails.
    """
    writers = plugins.discover("netaudit.reports.writers", "WRITER")
    unknown = [name for name in formats if name not in writers]
    if unknown:
        raise TemplateError(
            "format-unknown",
            "There is no report format {format}.",
            hint="Known: " + ", ".join(writers),
            format=unknown[0],
        )
    template = read_template(find_template(template_id_or_path, locale, folders))
    document = compose(template, case, locale=locale, audience=audience, rules=rules, norms=norms)
    stem = f"{_slug(case.id)}-{_slug(document.id)}.{document.locale}"
    printed = [(out / f"{stem}.{name}", writers[name](document)) for name in formats]
    out.mkdir(parents=True, exist_ok=True)
    for path, data in printed:
        _replace(path, data)
    return [path for path, _ in printed]


def compose(
    template: Template,
    case: Case,
    *,
    locale: str,
    audience: str = "regulator",
    rules: Mapping[str, Rule] | None = None,
    norms: Mapping[str, Norm] | None = None,
) -> Document:
    """The block tree of one paper.

    Raises:
        TemplateError: The audience is unknown or not one of the template's, or the template fails.
    """
    front = template.front
    if audience not in AUDIENCES or audience not in front.audience:
        raise TemplateError(
            "template-audience",
            "This template is not for the audience {audience}.",
            where=str(template.path),
            hint="It is for: " + ", ".join(front.audience),
            audience=audience,
        )
    locale = front.locale or locale
    layout = read_layout(front.layout)
    facts = facts_for(case, locale, audience, rules=rules, norms=norms)
    names = facts.names()
    words = words_for(case, locale, audience)
    needs = needed(front, case.facts, words.day)
    text, values = render_text(template, {**names, "needs": _Fields(needs), "front": front}, FILTERS)
    charts = {"": facts.chart, "overview": facts.overview}
    chains = {str(trace.number): trace.diagram for trace in facts.traces}
    blocks = parse_blocks(text, values, where=str(template.path), charts=charts, chains=chains)
    return Document(
        id=front.id,
        title=front.title,
        locale=locale,
        layout=front.layout,
        date=case.as_of,
        blocks=number_headings(blocks, layout),
        audience=audience,
        creator=case.unit,
        facts={**names, "needs": needs},
    )


class _Fields:
    """Names to values as fields, so that templates write ``needs.leader``."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = values

    def __getattr__(self, name: str) -> object:
        try:
            return self._values[name]
        except KeyError:
            raise AttributeError(name) from None


def _slug(text: str) -> str:
    """A file name's part: letters, digits and hyphens; never empty, never a folder."""
    return re.sub(r"[^\w〔〕-]+", "-", text, flags=re.UNICODE).strip("-_")[:80] or "case"


def _replace(path: Path, data: bytes) -> None:
    """Write beside the old file, then put it in its place: a failure leaves the old one whole."""
    part = path.with_name(path.name + ".part")
    part.write_bytes(data)
    part.replace(path)
