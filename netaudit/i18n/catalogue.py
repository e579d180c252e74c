"""The message catalogues, made from the source: ``python -m netaudit.i18n.catalogue``.

Which strings are messages is a convention that this module reads off the syntax tree:
the text and hint of errors; arguments of ``say``, ``note``, ``translate`` and ``_``; reasons given
to ``skip``; constants in capitals that hold a sentence (those with an annotation, ``NAME: str = ...``,
are data); values of string enumerations; help texts of `VERBS`. Translations that exist are kept. Needs Babel, which only development installs.
"""

from __future__ import annotations

import ast
import datetime as dt
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).resolve().parent.parent
FOLDER = Path(__file__).resolve().parent / "locale"
LANGUAGES = ("zh_CN", "zh_TW")
DOMAIN = "netaudit"

_CALLS = {"say", "note", "translate", "_", "skip", "Problem", "Finding", "Step"}
_CARRIERS = {"Candidate", "FunnelStep", "Verdict", "Finding", "LogFormat", "ListFormat"}
"""Values that carry messages under these names: why, basis, because, what, title."""
_TEMPLATE_WORD = re.compile(r"""_\(\s*"((?:[^"\\]|\\.)*)"\s*[,)]""")
_SENTENCE = re.compile(r"[A-Za-z].*\s")
_STORY = "demo/story.py"
_LEFT_OUT = ("demo/", "i18n/catalogue.py", "kernels/")
"""Folders whose capital constants are data, not messages; enumerations and calls count all the same."""
_FORMATS = "sources/formats/"
"""Where constants are mostly words, patterns and lines of logs: only whole sentences are messages."""
_WHOLE = re.compile(r"[A-Z][a-z']* [^\n\t%]*\.")
_CLOCK = re.compile(r"\d:\d")


def message_ids() -> dict[str, list[str]]:
    """Every message id and the files that use it, sorted."""
    found: dict[str, set[str]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        for text in _messages(ast.parse(path.read_text(encoding="utf-8")), name):
            found.setdefault(text, set()).add(name)
    for path in sorted(PACKAGE.rglob("*.html")):
        for text in _TEMPLATE_WORD.findall(path.read_text(encoding="utf-8")):
            found.setdefault(text, set()).add(path.relative_to(PACKAGE).as_posix())
    return {text: sorted(found[text]) for text in sorted(found)}


def _messages(tree: ast.Module, name: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from _of_call(node)
        elif isinstance(node, ast.ListComp | ast.GeneratorExp):
            yield from _of_comprehension(node)
        elif isinstance(node, ast.ClassDef) and any(getattr(b, "id", "") == "StrEnum" for b in node.bases):
            for member in node.body:
                if isinstance(member, ast.Assign):
                    yield from (t for t in _texts(member.value) if not t.startswith("R-"))
    if name.startswith(_LEFT_OUT) and name != _STORY:
        return
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and all(
            isinstance(t, ast.Name) and t.id.lstrip("_").isupper() for t in statement.targets
        ):
            yield from (
                t
                for t in _texts(statement.value)
                if _SENTENCE.match(t) and "\\" not in t and "://" not in t
                if not name.startswith(_FORMATS) or (_WHOLE.fullmatch(t) and not _CLOCK.search(t))
            )


def _of_comprehension(node: ast.ListComp | ast.GeneratorExp) -> list[str]:
    """Heads of tables: ``[say(word) for word in ("finding", "severity")]``."""
    called = node.elt.func if isinstance(node.elt, ast.Call) else None
    if getattr(called, "id", getattr(called, "attr", "")) != "say":
        return []
    return _texts(node.generators[0].iter)


def _of_call(call: ast.Call) -> Iterator[str]:
    name = getattr(call.func, "id", getattr(call.func, "attr", ""))
    if name.endswith("Error") and len(call.args) >= 2:
        yield from _texts(call.args[1])
        yield from _of_keywords(call, {"hint"})
    elif name == "refused":  # reasons that lines of a log were rejected for
        for argument in call.args[:1]:
            yield from (t for key in getattr(argument, "keys", []) if key for t in _texts(key))
    elif name in _CALLS:
        for argument in call.args[:1]:
            yield from _texts(argument)
    if name in _CARRIERS:
        yield from _of_keywords(call, {"why", "basis", "because", "what", "title"})


def _of_keywords(call: ast.Call, wanted: set[str]) -> Iterator[str]:
    for keyword in call.keywords:
        if keyword.arg in wanted:
            yield from _texts(keyword.value)


def _texts(node: ast.expr) -> list[str]:
    match node:
        case ast.Constant(value=str(text)) if text.strip():
            return [text]
        case ast.IfExp(body=body, orelse=orelse):
            return _texts(body) + _texts(orelse)
        case ast.Dict(values=values):
            return [t for v in values for t in _texts(v)]
        case ast.Tuple(elts=elements) | ast.List(elts=elements):
            return [t for v in elements for t in _texts(v)]
        case _:
            return []


def stale() -> list[str]:
    """What is wrong with the committed catalogues: missing or untranslated ids, old ones, old .mo."""
    from babel.messages.mofile import write_mo

    wanted = set(message_ids())
    problems = []
    for language in LANGUAGES:
        catalogue = _read(language)
        there = {m.id: m.string for m in catalogue if m.id}
        problems += [f"{language}: not in the catalogue: {t}" for t in sorted(wanted - set(there))]
        problems += [f"{language}: no longer used: {t}" for t in sorted(set(there) - wanted)]
        problems += [
            f"{language}: not translated: {t}" for t in sorted(wanted & set(there)) if not there[t]
        ]
        problems += [
            f"{language}: slots differ: {t}" for t, s in there.items() if s and _slots(t) != _slots(s)
        ]
        import io

        fresh = io.BytesIO()
        write_mo(fresh, catalogue)
        if _path(language, "mo").read_bytes() != fresh.getvalue():
            problems.append(f"{language}: the .mo file is older than the .po file")
    return problems


def _slots(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


def update() -> None:
    """Bring the catalogues up to the source, keeping what is translated; write .po and .mo."""
    from babel.messages.catalog import Catalog
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import write_po

    ids = message_ids()
    for language in LANGUAGES:
        known: dict[Any, Any] = {m.id: m.string for m in _read(language) if m.id}
        fresh = Catalog(
            locale=language, project=DOMAIN, fuzzy=False, creation_date=None, revision_date=None
        )
        for text, places in ids.items():
            fresh.add(text, known.get(text, ""), locations=[(place, 0) for place in places])
        _path(language, "po").parent.mkdir(parents=True, exist_ok=True)
        with _path(language, "po").open("wb") as out:
            write_po(out, fresh, omit_header=True, include_lineno=False, sort_output=True, width=108)
        with _path(language, "mo").open("wb") as out:
            write_mo(out, _read(language))


def _read(language: str) -> Any:
    from babel.messages.catalog import Catalog
    from babel.messages.pofile import read_po

    path = _path(language, "po")
    if not path.exists():
        return Catalog(locale=language)
    with path.open("rb") as stream:
        catalogue = read_po(stream, locale=language)
    catalogue.creation_date = catalogue.revision_date = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    return catalogue


def _path(language: str, ending: str) -> Path:
    return FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.{ending}"


if __name__ == "__main__":
    update()
    missing = [p for p in stale() if "not translated" in p]
    print("\n".join(missing), file=sys.stderr)  # noqa: T201 -- a script
