"""What is wrong with a template before anything is printed from it."""

from __future__ import annotations

import dataclasses
import difflib
import types
import typing
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from jinja2 import nodes

from netaudit.errors import TemplateError
from netaudit.reports.filters import CHOOSING, FILTERS
from netaudit.reports.layout import read_layout
from netaudit.reports.template import TESTS, Template, parse_nodes
from netaudit.reports.vocabulary import Facts

_LOOP = dict.fromkeys(("index", "index0", "first", "last", "length"), int)
_TEXT = str


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake."""

    line: int
    """Of the file, from 1; 0 = the file as a whole."""
    message: str
    """Message id with its values in place."""
    hint: str = ""


def lint(template: Template) -> list[Problem]:
    """Every unknown name, field, filter, test and layout of a template, by line. Runs nothing."""
    try:
        read_layout(template.front.layout)
        tree = parse_nodes(template)
    except TemplateError as error:
        line = (error.where or "").rpartition(":")[2]
        return [Problem(int(line) if line.isdigit() else 0, str(error), error.hint or "")]
    checker = _Checker(template)
    checker.walk(tree.body, {})
    unused = sorted(set(template.front.needs) - checker.used)
    found = [
        Problem(0, f"The need {name} is never printed.", "Print it or leave it out.") for name in unused
    ]
    return sorted({*checker.problems, *found})


class _Checker:
    """Walks a template with the types of its names."""

    def __init__(self, template: Template) -> None:
        self.problems: list[Problem] = []
        self.used: set[str] = set()
        self._shift = template.first_line - 1
        self._needs = template.front.needs
        self._names = {**typing.get_type_hints(Facts), "needs": self._needs, "front": type(template.front)}

    def walk(self, body: Iterable[nodes.Node], scope: dict[str, Any]) -> None:
        """Check some nodes in order; `scope` holds loop variables."""
        for node in body:
            if isinstance(node, nodes.For):
                self._loop(node, scope)
            elif isinstance(node, nodes.Expr):
                self.type_of(node, scope)
            else:
                self.walk(node.iter_child_nodes(), scope)

    def type_of(self, node: nodes.Node, scope: dict[str, Any]) -> Any:
        """The type that an expression has, or None where it is wrong or not known."""
        match node:
            case nodes.Name():
                return self._lookup(node, node.name, {**self._names, **scope}, "There is no name")
            case nodes.Getattr():
                return self._field(node, self.type_of(node.node, scope))
            case nodes.Filter() | nodes.Test():
                known = FILTERS if isinstance(node, nodes.Filter) else dict.fromkeys(TESTS)
                what = "filter" if isinstance(node, nodes.Filter) else "test"
                if node.name not in known:
                    self._add(node, f"There is no {what} {node.name}.", node.name, known)
                given = self.type_of(node.node, scope) if node.node is not None else None
                self.walk([child for child in node.iter_child_nodes() if child is not node.node], scope)
                return given if isinstance(node, nodes.Filter) and node.name in CHOOSING else _TEXT
            case _:
                self.walk(node.iter_child_nodes(), scope)
                return _TEXT

    def _loop(self, node: nodes.For, scope: dict[str, Any]) -> None:
        items = self.type_of(node.iter, scope)
        item = typing.get_args(items)[0] if typing.get_origin(items) is tuple else None
        if items is not None and item is None:
            self._add(node, "A loop needs a list.", "", ())
        names = {node.target.name: item} if isinstance(node.target, nodes.Name) else {}
        inner = {**scope, **names, "loop": _LOOP}
        self.walk([*([node.test] if node.test else []), *node.body], inner)
        self.walk(node.else_, scope)

    def _field(self, node: nodes.Getattr, owner: Any) -> Any:
        if owner is None:
            return None
        if isinstance(owner, types.UnionType):
            owner = next(t for t in typing.get_args(owner) if t is not type(None))
        if isinstance(owner, dict):
            if owner is self._needs:
                self.used.add(node.attr)
            return _TEXT if self._lookup(node, node.attr, owner, "There is no") is not None else None
        fields = typing.get_type_hints(owner) if dataclasses.is_dataclass(owner) else {}
        return self._lookup(node, node.attr, fields, "There is no field")

    def _lookup(self, node: nodes.Node, name: str, known: dict[str, Any], words: str) -> Any:
        if name not in known:
            self._add(node, f"{words} {name}.", name, known)
            return None
        return known[name]

    def _add(self, node: nodes.Node, message: str, name: str, known: Iterable[str]) -> None:
        near = difflib.get_close_matches(name, list(known), 1)
        self.problems.append(
            Problem(node.lineno + self._shift, message, f"Did you mean {near[0]}?" if near else "")
        )
