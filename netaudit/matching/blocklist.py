"""Block lists: what describes one, and reading it as evidence.

A description is a TOML file; its name is the list's id. The entries stand in it, or in a file
beside it that `path` names.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import numpy as np
import pyarrow as pa

from netaudit.config import read_table
from netaudit.errors import BlocklistError, ConfigError
from netaudit.intake.lines import Chunk, chunks
from netaudit.intake.opening import ByteStream, Identity, identify
from netaudit.matching.list_format import ListFormat, find_format
from netaudit.matching.rules import INVALID, NOT_TEXT, ListReport, Rules, RuleSink

MAX_LINES = 20_000_000
"""Lines of one list; above it a list is refused."""
SEVERITIES = ("low", "medium", "high", "critical")
_STALE, _OLD = 2, 5


class Freshness(StrEnum):
    """How old a list is beside how often it is renewed."""

    FRESH = "fresh"
    STALE = "stale"
    """Twice its age of renewal, or more."""
    OLD = "old"
    """Five times, or more."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Description:
    """What ``blocklists/<id>.toml`` says."""

    title: dict[str, str]
    """By language: ``en``, ``zh-CN``, ``zh-TW``."""
    category: str
    """``malware``, ``phishing``, ``fraud``, ``gambling``, ``crypto-mining``, ``doh-resolver`` …"""
    format: str
    """A name of `list_format.list_formats`."""
    licence: str = ""
    origin: str = ""
    """Where the list comes from: an address or a sentence."""
    retrieved: dt.date | None = None
    path: str = ""
    """File with the entries, relative to the description."""
    entries: tuple[str, ...] = ()
    """The entries themselves, each as a line of `format`."""
    severity: str = "medium"
    """Of a finding that rests on this list."""
    renewed_every_days: int = 7
    """How often its publisher renews it; 0 = never, it does not age."""
    allow: bool = False
    """An allow-list: what it names is no finding."""
    reason: str = ""
    """Of an allow-list: why."""
    allow_wide: bool = False
    """Take entries that cover a public suffix or a great part of the Internet."""


@dataclass(frozen=True, slots=True)
class Blocklist:
    """A list as it was read: its entries, and the account of its lines."""

    id: str
    described: Description
    sha256: str
    """Of the file in which the entries stand."""
    file: str
    rules: Rules = field(repr=False)
    report: ListReport

    @property
    def date(self) -> str:
        """When it was retrieved, ISO 8601; empty = not known."""
        return self.described.retrieved.isoformat() if self.described.retrieved else ""

    def freshness(self, today: dt.date) -> Freshness:
        """How old the list is on `today`."""
        every, retrieved = self.described.renewed_every_days, self.described.retrieved
        if every == 0:
            return Freshness.FRESH
        if retrieved is None:
            return Freshness.UNKNOWN
        age = (today - retrieved).days / every
        if age < _STALE:
            return Freshness.FRESH
        return Freshness.STALE if age < _OLD else Freshness.OLD


def read_blocklist(toml_path: Path) -> Blocklist:
    """Read a list by its description.

    Raises:
        BlocklistError: The description or the list cannot be used.
        InputError: A file cannot be read.
    """
    identity = identify(toml_path)
    text, described = _read_description(toml_path)
    format_ = find_format(described.format, f"{toml_path}: format")
    sink = RuleSink()
    if described.path:
        identity = identify(toml_path.parent / described.path)
        _fill(sink, identity, format_)
        return _finish(toml_path.stem, described, identity, sink)
    format_.parse(_chunk(described.entries), sink)
    lines = _lines_of(text, described.entries)
    return _finish(toml_path.stem, described, identity, sink, lines)


def read_list_file(
    path: Path,
    format: str,  # noqa: A002 -- the word of the configuration
    list_id: str,
    category: str,
    *,
    severity: str = "medium",
    allow: bool = False,
    reason: str = "",
    allow_wide: bool = False,
    checked: bool = True,
) -> Blocklist:
    """Read a list that has no description.

    Args:
        path: The list.
        format: A name of `list_format.list_formats`.
        list_id: What findings call it.
        category: See `Description.category`; as the following.
        severity: Of a finding that rests on this list.
        allow: An allow-list.
        reason: Why it allows.
        allow_wide: Take entries that cover a public suffix or a great part of the Internet.
        checked: Refuse a file that gives no entry, or most of whose lines are not in this format.

    Raises:
        BlocklistError: The list is too long, or not of this format.
        InputError: The file cannot be read.
    """
    found = find_format(format, str(path))
    described = Description(
        title={"en": list_id},
        category=category,
        format=format,
        path=str(path),
        severity=severity,
        allow=allow,
        reason=reason,
        allow_wide=allow_wide,
    )
    identity = identify(path)
    sink = RuleSink()
    _fill(sink, identity, found)
    return _finish(list_id, described, identity, sink, checked=checked)


def _read_description(path: Path) -> tuple[str, Description]:
    try:
        text = path.read_text(encoding="utf-8")
        described: Description = read_table(tomllib.loads(text), Description, str(path))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BlocklistError(
            "list-description",
            "The description of this list cannot be read: {reason}.",
            where=str(path),
            hint="Compare with blocklists/README.md.",
            reason=str(error),
        ) from error
    except ConfigError as error:
        raise BlocklistError(
            "list-description", error.message, where=error.where, hint=error.hint, **error.values
        ) from error
    problem = ""
    if bool(described.path) == bool(described.entries):
        problem = "it needs either path or entries"
    elif described.severity not in SEVERITIES:
        problem = f"the severity is none of {', '.join(SEVERITIES)}"
    elif "en" not in described.title:
        problem = "the title has no English wording (en)"
    elif described.allow and not described.reason:
        problem = "an allow-list needs a reason"
    if problem:
        raise BlocklistError(
            "list-description",
            "The description of this list cannot be read: {reason}.",
            where=str(path),
            hint="Compare with blocklists/README.md.",
            reason=problem,
        )
    return text, described


def _fill(sink: RuleSink, identity: Identity, format_: ListFormat) -> None:
    with ByteStream(identity) as stream:
        for chunk in chunks(stream):
            format_.parse(chunk, sink)
            if sink.lines > MAX_LINES:
                raise BlocklistError(
                    "list-too-long",
                    "This list has more than {limit} lines.",
                    where=identity.name,
                    hint="Check where it comes from; split it if it is really this long.",
                    limit=MAX_LINES,
                )
        if stream.trouble:
            raise BlocklistError(
                "list-damaged",
                "This list is not whole: {reason}.",
                where=identity.name,
                hint="Fetch it again; half a list would find half of what there is.",
                reason=stream.trouble,
            )


def _finish(
    list_id: str,
    described: Description,
    identity: Identity,
    sink: RuleSink,
    lines: np.ndarray | None = None,
    *,
    checked: bool = True,
) -> Blocklist:
    rules, report = sink.finish(guarded=not described.allow_wide, lines=lines)
    wrong = report.skipped_for(INVALID) + report.skipped_for(NOT_TEXT)
    if checked and wrong > report.rule_lines:
        first = min(s.first[0] for s in report.skipped if s.reason in {INVALID, NOT_TEXT})
        raise BlocklistError(
            "list-not-in-format",
            "Most lines of this list are not in the format {format}.",
            where=f"{identity.name}, line {first}",
            format=described.format,
            hint="Choose its format, and see that it is no web page that came instead of it.",
        )
    if checked and not report.rule_lines:
        raise BlocklistError(
            "list-empty",
            "No line of this list gave an entry.",
            where=identity.name,
            hint="Fetch it again, and check its format; an empty list finds nothing and proves nothing.",
        )
    return Blocklist(list_id, described, identity.sha256, identity.name, rules, report)


def _chunk(entries: tuple[str, ...]) -> Chunk:
    lines = pa.array(entries, pa.string())
    return Chunk(lines, 1, np.empty(0, np.int64), np.zeros(len(lines), np.int64))


def _lines_of(text: str, entries: tuple[str, ...]) -> np.ndarray:
    """Physical lines of a description's entries: each is sought below the one before."""
    lines = text.splitlines()
    at = next(n for n, line in enumerate(lines) if line.replace(" ", "").startswith("entries="))
    found = []
    for entry in entries:
        written = {f'"{entry}"', f"'{entry}'"}
        at = next((n for n in range(at, len(lines)) if any(w in lines[n] for w in written)), at)
        found.append(at + 1)
    return np.array(found, np.uint32)
