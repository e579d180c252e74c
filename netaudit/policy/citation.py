"""Norms and their articles, as data with dates; how a citation reads on the date of the conduct."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from netaudit.config import read_table
from netaudit.errors import ConfigError, NormError
from netaudit.i18n.text import Text
from netaudit.policy.words import UNKNOWN

SHIPPED = Path(__file__).parent / "norms"


@dataclass(frozen=True, slots=True)
class Citation:
    """What a rule cites: a norm, and its article by id (empty = the norm as a whole)."""

    norm: str
    article: str = ""

    def __str__(self) -> str:
        """``CSL 23(3)``: the form in which an office confirms it."""
        return f"{self.norm} {self.article}".strip()


@dataclass(frozen=True, slots=True)
class Article:
    """One article, clause or control."""

    id: str
    """How rules name it: ``23(3)``, ``8.1.3.5 a)``, ``IA-5``."""
    gist: Text
    """What it asks for, in brief; not its text."""
    confirmed: bool = False
    """Whether number and content were read in a dependable text."""
    label: Text | None = None
    """How it is written; made from `article`, `paragraph`, `item` or the id where absent."""
    article: int = 0
    paragraph: int = 0
    item: int = 0
    was_article: int = 0
    """Number before the norm was renumbered; 0 = unchanged."""
    was_paragraph: int = 0
    was_item: int = 0
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Norm:
    """A law, regulation or standard. Its title stays in its own language; others are for reading."""

    id: str
    name: Text
    """Short name as papers print it."""
    title: str
    """Full title in its own language."""
    issuer: str
    language: str
    number: str = ""
    """Document or standard number, printed behind the name where the name does not hold it."""
    in_force_from: dt.date | None = None
    confirmed: bool = True
    renumbered_on: dt.date | None = None
    """From this day conduct is judged by the new numbers."""
    both_until: dt.date | None = None
    """Until this day the old number is printed beside the new one."""
    renumbered_by: Text | None = None
    """The change that renumbered it, such as 2025年修正."""
    source: str = ""
    """Where it was read."""
    article: tuple[Article, ...] = ()

    def find(self, id_: str) -> Article:
        """An article by id.

        Raises:
            NormError: The norm has no such article.
        """
        for article in self.article:
            if article.id == id_:
                return article
        raise NormError(
            "article-absent",
            "The norm {norm} has no article {article}.",
            hint="Add the article to the norm's file, or correct the citation.",
            norm=self.id,
            article=id_,
        )


def read_norms(folders: Iterable[Path] = ()) -> dict[str, Norm]:
    """All norms by id: those that netaudit ships, and an office's own, which come first.

    Args:
        folders: Folders whose ``norms`` subfolder holds further files.

    Raises:
        NormError: A file that does not load, with file and key.
    """
    norms = dict(_shipped())
    for folder in folders:
        for path in sorted((Path(folder) / "norms").glob("*.toml")):
            norms[path.stem] = _read_norm(path)
    return dict(sorted(norms.items()))


@cache
def _shipped() -> Mapping[str, Norm]:
    return {path.stem: _read_norm(path) for path in sorted(SHIPPED.glob("*.toml"))}


def _read_norm(path: Path) -> Norm:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        for owner in (data, *data.get("article", [])):
            for key in {"name", "gist", "label", "renumbered_by"} & set(owner):
                text = Text.from_table(owner[key], f"{path}: {key}")
                owner[key] = {"en": text.en, "zh_cn": text.zh_cn, "zh_tw": text.zh_tw}
        norm: Norm = read_table(data, Norm, str(path))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise _unreadable(path, str(error)) from error
    except ConfigError as error:
        raise _unreadable(path, str(error), error.where) from error
    ids = [article.id for article in norm.article]
    if norm.id != path.stem:
        raise _unreadable(path, f"its id is {norm.id}, not the file's name")
    if len(set(ids)) != len(ids):
        raise _unreadable(path, "an article stands in it twice")
    return norm


def _unreadable(path: Path, reason: str, where: str | None = None) -> NormError:
    return NormError(
        "norm-file",
        "The norm cannot be read: {reason}",
        where=where or str(path),
        hint="Compare with a shipped file in netaudit/policy/norms.",
        reason=reason,
    )


def cite(
    citation: Citation,
    on: dt.date,
    locale: str,
    *,
    norms: Mapping[str, Norm] | None = None,
    confirmed: Collection[str] = (),
) -> str:
    """A citation as a paper prints it.

    Args:
        citation: Norm and article.
        on: Date of the conduct: it decides which numbering holds.
        locale: ``en``, ``zh-CN`` or ``zh-TW``.
        norms: Those of `read_norms`; the shipped ones where absent.
        confirmed: Citations (``"GBT22239 8.1.3.1 d)"``) or whole norms that the office has checked.

    Returns:
        Such as ``《网络安全法》第二十三条第（三）项（2025年修正前第二十一条第（三）项）``; what nobody
        has confirmed ends with ``【待核】``.

    Raises:
        NormError: No such norm or article.
    """
    known = _shipped() if norms is None else norms
    norm = known.get(citation.norm)
    if norm is None:
        raise NormError(
            "norm-absent",
            "There is no norm {norm}.",
            hint="Add a file of this name to the norms.",
            norm=citation.norm,
        )
    said = norm.name.in_(locale)
    if norm.number and norm.number not in said:
        said += f"（{norm.number}）" if locale != "en" else f" ({norm.number})"
    sure = norm.confirmed
    if citation.article:
        article = norm.find(citation.article)
        said = _join(said, _numbers(norm, article, on, locale), locale)
        sure = sure and article.confirmed
    sure = sure or str(citation) in confirmed or citation.norm in confirmed
    return said if sure else said + ("" if locale != "en" else " ") + UNKNOWN.in_(locale)


def _join(name: str, label: str, locale: str) -> str:
    return name + label if locale != "en" and label.startswith("第") else f"{name} {label}"


def _numbers(norm: Norm, article: Article, on: dt.date, locale: str) -> str:
    new = _label(article, (article.article, article.paragraph, article.item), locale)
    if not (article.was_article and norm.renumbered_on and norm.renumbered_by):
        return new
    old = _label(article, (article.was_article, article.was_paragraph, article.was_item), locale)
    if on < norm.renumbered_on:
        return old
    if norm.both_until is None or on > norm.both_until:
        return new
    change = norm.renumbered_by.in_(locale)
    return f"{new} ({old} before the {change})" if locale == "en" else f"{new}（{change}前{old}）"


def _label(article: Article, number: tuple[int, int, int], locale: str) -> str:
    if article.label is not None:
        return article.label.in_(locale)
    whole, paragraph, item = number
    if not whole:
        return article.id
    if locale == "en":
        parts = [f"art. {whole}"]
        parts += [f"para. {paragraph}"] if paragraph else []
        parts += [f"item {item}"] if item else []
        return " ".join(parts)
    written = "条" if locale == "zh-CN" else "條"
    said = f"第{chinese(whole)}{written}"
    said += f"第{chinese(paragraph)}款" if paragraph else ""
    if not item:
        return said
    return said + (f"第（{chinese(item)}）项" if locale == "zh-CN" else f"第（{chinese(item)}）項")


def chinese(number: int) -> str:
    """1 to 99 in Chinese numerals, as articles are numbered."""
    digits = "〇一二三四五六七八九"
    tens, ones = divmod(number, 10)
    if not 0 < number < 100:
        raise ValueError(f"{number} is not between 1 and 99")
    head = "" if tens == 0 else ("十" if tens == 1 else digits[tens] + "十")
    return head + (digits[ones] if ones else "")


__all__ = ["Article", "Citation", "Norm", "chinese", "cite", "read_norms"]
