"""Make the pages of docs/ that come from the code. ``python docs/make.py`` writes them;
``--check`` says which are stale (the tests run that).
"""  # noqa: D205 -- two sentences

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NOTE = "<!-- Made by docs/make.py from the code. Do not edit. -->\n"


def errors_page() -> str:
    """Every error code with its message and what to do, from the places that raise it."""
    out = [
        "# Errors\n",
        NOTE,
        "Each error names its code in brackets. Exit code 2, unless the page says otherwise.\n",
    ]
    for code, (message, hints) in sorted(_raised().items()):
        out.append(f"## {code}\n\n{message}\n")
        out += [f"*What to do:* {hint}\n" for hint in hints]
    return "\n".join(out)


def _raised() -> dict[str, tuple[str, list[str]]]:
    found: dict[str, tuple[str, list[str]]] = {}
    for call in _error_calls():
        code, message = _texts(call.args[0]), _texts(call.args[1])
        if not code or not message:
            continue
        known = found.setdefault(code[0], (message[0], []))
        for keyword in call.keywords:
            if keyword.arg == "hint":
                known[1].extend(h for h in _texts(keyword.value) if h not in known[1])
    return found


def _error_calls() -> Iterator[ast.Call]:
    for path in sorted((ROOT / "netaudit").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and len(node.args) >= 2:
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                if name.endswith("Error"):
                    yield node


def _texts(node: ast.expr) -> list[str]:
    """The literal texts that an argument may be: one, or both branches of a condition."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.IfExp):
        return _texts(node.body) + _texts(node.orelse)
    if isinstance(node, ast.BinOp):
        return _texts(node.left)
    return []


def formats_page() -> str:
    """Every log format and list format, with its reference and a sample."""
    from netaudit.matching.list_format import list_formats
    from netaudit.sources.recognise import formats

    out = ["# Formats\n", NOTE]
    out.append(
        "## Captures\n\npcap and pcapng, both byte orders, micro- and nanoseconds; recognised by content.\n"
    )
    out.append("## Logs, leases, sessions, tables\n")
    for name, member in formats().items():
        out.append(f"### `{name}`: {member.title}\n")
        out.append(f"Gives: {', '.join(member.kinds)}. Reference: {member.reference}\n")
        sample = next((s for s in member.samples if s.records), None)
        if sample:
            out.append(f"```text\n{sample.text.rstrip()}\n```\n")
    out.append("## Block lists\n")
    for name, listed in sorted(list_formats().items()):
        out.append(f"* `{name}`: {listed.title}. Reference: {listed.reference}")
    return "\n".join(out) + "\n"


def rules_page() -> str:
    """The policy rules with their examples."""
    from netaudit.policy.catalogue_page import PRINTED_ON, render
    from netaudit.policy.citation import read_norms
    from netaudit.policy.rule import read_rules

    return render(read_rules(), read_norms(), on=PRINTED_ON)


def configuration_page() -> str:
    """Every setting with what its docstring says."""
    tree = ast.parse((ROOT / "netaudit/config.py").read_text(encoding="utf-8"))
    out = [
        "# Configuration\n",
        NOTE,
        "One file, `netaudit.toml`, found in the working folder or above it. Unknown keys are",
    ]
    out.append("errors. Relative paths start at the file. A commented example: `examples/netaudit.toml`.\n")
    sections = {c.name: c for c in tree.body if isinstance(c, ast.ClassDef)}
    for field in (n for n in sections["Settings"].body if isinstance(n, ast.AnnAssign)):
        name, many, type_ = _section(field)
        if type_ in sections:
            out.append(
                f"## `{'[[' if many else '['}{name}{']]' if many else ']'}`\n\n{ast.get_docstring(sections[type_])}\n"
            )
            out.append("| key | type | meaning |\n|---|---|---|")
            out += [f"| `{key}` | `{kind}` | {said} |" for key, kind, said in _keys(sections[type_])]
            out.append("")
    return "\n".join(out)


def _section(field: ast.AnnAssign) -> tuple[str, bool, str]:
    text = ast.unparse(field.annotation)
    return (
        ast.unparse(field.target),
        text.startswith("tuple"),
        text.removeprefix("tuple[").split(",")[0].rstrip("]"),
    )


def _keys(section: ast.ClassDef) -> Iterator[tuple[str, str, str]]:
    for field, after in zip(section.body, [*section.body[1:], None], strict=True):
        if isinstance(field, ast.AnnAssign):
            documented = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
            said = " ".join(str(after.value.value).split()) if documented else ""  # type: ignore[union-attr]
            kind = ast.unparse(field.annotation).replace("|", "or")
            yield ast.unparse(field.target), kind, said


PAGES = {
    "configuration.md": configuration_page,
    "errors.md": errors_page,
    "formats.md": formats_page,
    "rules.md": rules_page,
}


def main() -> int:
    """Write the pages, or with ``--check`` compare them."""
    stale = []
    for name, make in PAGES.items():
        path, text = ROOT / "docs" / name, make()
        if "--check" in sys.argv:
            if not path.is_file() or path.read_text(encoding="utf-8") != text:
                stale.append(name)
        else:
            path.write_text(text, encoding="utf-8")
    for name in stale:
        print(f"docs/{name} is stale: run python docs/make.py", file=sys.stderr)  # noqa: T201 -- a script
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
