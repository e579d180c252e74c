"""The pages: those made from the code are fresh, verbs are named, links lead somewhere."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from netaudit.cli import VERBS

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "README.zh-CN.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\(([^)\s]+)\)")


@pytest.fixture(scope="module")
def make():
    """docs/make.py, which is no package."""
    spec = importlib.util.spec_from_file_location("make_docs", ROOT / "docs" / "make.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_made_pages_are_fresh(make, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["make.py", "--check"])
    assert make.main() == 0, capsys.readouterr().err


def test_every_error_has_a_heading(make):
    text = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (\S+)$", text, re.MULTILINE)
    assert headings == sorted(set(headings))
    assert {"zone-missing", "format-not-recognised", "no-case"} <= set(headings)


@pytest.mark.parametrize("page", PAGES[:2], ids=lambda p: p.name)
def test_the_readme_names_verbs_that_exist(page):
    text = page.read_text(encoding="utf-8")
    commands = set(re.findall(r"(?:\$ |&& |`)netaudit (?:--lang \S+ )?([a-z]+)", text))
    assert commands <= set(VERBS), commands - set(VERBS)
    assert {"demo", "scan", "trace", "case", "report"} <= commands


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_relative_links_lead_somewhere(page):
    links = [
        link for link in LINK.findall(page.read_text(encoding="utf-8")) if not re.match(r"[a-z]+:|#", link)
    ]
    missing = [link for link in links if not (page.parent / link.partition("#")[0]).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_anchors_in_links_exist(page):
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        path, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", link) or not anchor:
            continue
        text = ((page.parent / path) if path else page).read_text(encoding="utf-8")
        headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
        slugs = {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}
        assert anchor in slugs, link
