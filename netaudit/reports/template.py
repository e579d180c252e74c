"""Templates: front matter, and a Jinja dialect so small that it can be handed to anybody.

A template may print names, walk their fields, test, loop and apply the filters of `FILTERS`.
It can not call, compute, index by expression, import, include or define: nodes outside `_ALLOWED`
are refused before anything runs, loops share a budget of steps, and what remains runs in Jinja's
immutable sandbox with undefined names as errors.
"""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import StrictUndefined, TemplateSyntaxError, Undefined, UndefinedError, nodes, pass_context
from jinja2.exceptions import TemplateError as JinjaError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from netaudit.config import read_table
from netaudit.errors import ConfigError, TemplateError
from netaudit.reports.document import RunKind, visible
from netaudit.reports.markup import CLOSE, OPEN, Value
from netaudit.resources import folder

MAX_SOURCE = 1 << 20
MAX_STEPS = 200_000
MAX_VALUE = 50_000
MAX_OUTPUT = 8 << 20
MAX_DEPTH = 40
SUFFIX = ".md.j2"
_BUDGET = "steps"

_ALLOWED = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Getattr,
    nodes.Const,
    nodes.If,
    nodes.For,
    nodes.Filter,
    nodes.Test,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.CondExpr,
    nodes.Tuple,
)
TESTS = ("given", "missing", "none")


@dataclass(frozen=True, slots=True)
class Missing:
    """What only people know and nobody has supplied: printed so that nobody can overlook it."""

    label: str


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """What a template says about itself, between its ``+++`` lines."""

    id: str
    title: str
    locale: str
    audience: tuple[str, ...] = ("regulator", "internal")
    layout: str = "plain"
    needs: dict[str, str] = field(default_factory=dict)
    """Facts that only people know: name to the words of the placeholder."""


@dataclass(frozen=True, slots=True)
class Template:
    """A template as read; its text has not been parsed yet."""

    path: Path
    front: FrontMatter
    body: str
    first_line: int
    """Line of the file at which the body starts, from 1."""


def find_template(template: str, locale: str, folders: Sequence[Path] = ()) -> Path:
    """The file of a template: a path to one, or an id looked up in `folders`, then among the shipped.

    Raises:
        TemplateError: There is none.
    """
    if template.endswith(SUFFIX) and Path(template).is_file():
        return Path(template)
    if re.fullmatch(r"[a-z0-9][a-z0-9-]{0,80}", template):
        for place in (*folders, folder("report_templates")):
            for name in (f"{template}.{locale}{SUFFIX}", f"{template}{SUFFIX}"):
                if (place / name).is_file():
                    return place / name
    raise TemplateError(
        "template-unknown",
        "There is no report template {template} in {locale}.",
        hint="netaudit report list shows what there is.",
        template=template,
        locale=locale,
    )


def read_template(path: Path) -> Template:
    """Read a template file and check its front matter.

    Raises:
        TemplateError: Not readable, too large, no front matter, or a wrong key in it.
    """
    try:
        with path.open(encoding="utf-8") as stream:
            text = stream.read(MAX_SOURCE + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise TemplateError(
            "template-unreadable",
            "The template cannot be read: {reason}.",
            where=str(path),
            hint="Templates are UTF-8 text.",
            reason=str(error),
        ) from error
    if len(text) > MAX_SOURCE:
        raise _wrong(path, "it is larger than 1 MB")
    match = re.match(r"\+\+\+\n(.*?)\n\+\+\+\n", text, re.DOTALL)
    if match is None:
        raise _wrong(path, "it does not start with front matter between +++ lines")
    body = text[match.end() :]
    if OPEN in body or CLOSE in body:
        raise _wrong(path, "it holds control characters")
    try:
        front = read_table(tomllib.loads(match[1]), FrontMatter, str(path))
    except (tomllib.TOMLDecodeError, ConfigError) as error:
        raise _wrong(path, f"its front matter is wrong ({error})") from error
    return Template(path, front, body, text[: match.end()].count("\n") + 1)


def parse_nodes(template: Template) -> nodes.Template:
    """The template's syntax tree, refused where it holds anything but the small dialect.

    Raises:
        TemplateError: Syntax, or a construct, filter or test that templates may not use.
    """
    try:
        tree = _environment([], {}).parse(template.body)
        _check_nodes(tree, template, 0)
    except TemplateSyntaxError as error:
        raise TemplateError(
            "template-syntax",
            "The template has a mistake: {reason}.",
            where=_line(template, error.lineno),
            hint="Compare with a shipped template.",
            reason=error.message or "",
        ) from error
    except RecursionError as error:
        raise _wrong(template.path, "it is nested too deeply") from error
    return tree


def render_text(
    template: Template, names: Mapping[str, Any], filters: Mapping[str, Callable[..., Any]]
) -> tuple[str, list[Value]]:
    """The template's text with tokens in its slots, and what the tokens stand for.

    Raises:
        TemplateError: A name that does not exist, or the limits are passed.
    """
    values: list[Value] = []
    environment = _environment(values, filters)
    tree = parse_nodes(template)
    for loop in list(tree.find_all(nodes.For)):
        loop.iter = nodes.Filter(loop.iter, _BUDGET, [], [], None, None)
    pieces, size = [], 0
    try:
        tree.set_environment(environment)
        for piece in environment.from_string(tree).generate(names):
            size += len(piece)
            if size > MAX_OUTPUT:
                raise TemplateError(
                    "report-too-large",
                    "The report becomes too large.",
                    where=str(template.path),
                    hint="Let the template print fewer rows.",
                )
            pieces.append(piece)
    except UndefinedError as error:
        raise TemplateError(
            "template-name",
            "The template names what does not exist: {reason}.",
            where=str(template.path),
            hint="netaudit report lint shows the line.",
            reason=error.message or "",
        ) from error
    except (JinjaError, TypeError, ValueError) as error:
        raise TemplateError(
            "template-failed",
            "The template cannot be printed: {reason}.",
            where=str(template.path),
            hint="netaudit report lint may show the line.",
            reason=str(error),
        ) from error
    return "".join(pieces), values


def as_value(value: object) -> Value:
    """What a slot prints for `value`: text with nothing invisible in it, or a placeholder."""
    if isinstance(value, Missing):
        return Value(f"【待补：{value.label}】", RunKind.MISSING)
    if isinstance(value, (str, int, float)) and not isinstance(value, bool):
        text = str(value)
        return Value(visible(text if len(text) <= MAX_VALUE else text[:MAX_VALUE] + "…"))
    raise TypeError(f"a slot cannot print {type(value).__name__}")


def _environment(
    values: list[Value], filters: Mapping[str, Callable[..., Any]]
) -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
        cache_size=0,
        finalize=_registrar(values),
    )
    environment.globals.clear()
    environment.filters = {**filters, _BUDGET: _budget()}
    environment.tests = {
        "given": lambda v: not isinstance(v, Missing) and v not in ("", None),
        "missing": lambda v: isinstance(v, Missing) or v in ("", None),
        "none": lambda v: v is None,
    }
    return environment


def _registrar(values: list[Value]) -> Callable[..., str]:
    @pass_context  # with a context Jinja cannot fold constants, so every slot comes through here
    def register(_context: Context, value: object) -> str:
        if isinstance(value, Undefined):
            str(value)  # raises UndefinedError with the name
        values.append(as_value(value))
        return f"{OPEN}{len(values) - 1}{CLOSE}"

    return register


def _budget() -> Callable[[Iterable[Any]], Iterator[Any]]:
    left = MAX_STEPS

    def steps(items: Iterable[Any]) -> Iterator[Any]:
        nonlocal left
        for item in items:
            left -= 1
            if left < 0:
                raise ValueError("its loops take too many steps")
            yield item

    return steps


def _check_nodes(node: nodes.Node, template: Template, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise _wrong(template.path, "it is nested too deeply")
    if not isinstance(node, _ALLOWED):
        raise _refused(template, node, type(node).__name__.lower())
    if isinstance(node, nodes.Getattr) and node.attr.startswith("_"):
        raise _refused(template, node, node.attr)
    if isinstance(node, nodes.For) and node.recursive:
        raise _refused(template, node, "recursive")
    for child in node.iter_child_nodes():
        _check_nodes(child, template, depth + 1)


def _refused(template: Template, node: nodes.Node, what: str) -> TemplateError:
    return TemplateError(
        "template-refused",
        "A template may not use this: {what}.",
        where=_line(template, node.lineno),
        hint="Templates may print names, loop, test and apply the named filters; nothing else.",
        what=what,
    )


def _line(template: Template, lineno: int) -> str:
    return f"{template.path}:{template.first_line + lineno - 1}"


def _wrong(path: Path, reason: str) -> TemplateError:
    return TemplateError(
        "template-wrong",
        "This template cannot be used: {reason}.",
        where=str(path),
        hint="Compare with a shipped template.",
        reason=reason,
    )


def needed(
    front: FrontMatter, known: Mapping[str, Any], dates: Callable[[dt.date], str]
) -> dict[str, object]:
    """What people supply: each need's value on one line, or a `Missing` with its words."""
    facts: dict[str, object] = {}
    for name, label in front.needs.items():
        value = known.get(name)
        if isinstance(value, dt.date):
            facts[name] = dates(value)
        elif isinstance(value, (str, int, float)) and str(value).strip():
            facts[name] = " ".join(str(value).split())
        else:
            facts[name] = Missing(label)
    return facts
