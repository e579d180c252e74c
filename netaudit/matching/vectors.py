r"""Tables of (format, rules, subject, expected): is a list read as its own program reads it?

The table is tab-separated with a header; its columns are those of `COLUMNS`. In `rules` and
`subject`, ``\n``, ``\t``, ``\r``, ``\\`` and ``\xNN`` stand for what they usually do.
"""

from __future__ import annotations

import csv
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from netaudit.errors import InputError, NetauditError
from netaudit.matching import Matches, match
from netaudit.matching.blocklist import read_list_file
from netaudit.matching.guards import registrable
from netaudit.matching.index import IndicatorIndex, build_index
from netaudit.matching.list_format import list_formats
from netaudit.matching.subject import host_of
from netaudit.records.addresses import parse_ip
from netaudit.records.schemas import conform

COLUMNS = ("id", "format", "subject_type", "rules", "subject", "context", "expected")
UNSUPPORTED = "unsupported"

_SUBJECTS = frozenset({"qname", "name", "ip", "url"})
_ESCAPE = re.compile(r"\\(n|t|r|\\|x[0-9A-Fa-f]{2})")
_PLAIN_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\"}
_CHAIN_RULES = re.compile(r"([a-z0-9-]+):\n(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class VectorResult:
    """What came out of one row."""

    id: str
    expected: str
    got: str
    why: str

    @property
    def holds(self) -> bool:
        """Whether the row came out as expected."""
        return self.got == self.expected


def run_vectors(table_path: Path) -> list[VectorResult]:
    """Run every row of a table.

    Args:
        table_path: UTF-8, tab-separated.

    Returns:
        One result a row, in the table's order; `UNSUPPORTED` where netaudit does not read the
        format or the kind of subject.

    Raises:
        InputError: The table cannot be read, or columns are missing.
    """
    try:
        text = table_path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            "cannot-read",
            "This file cannot be read: {reason}.",
            where=str(table_path),
            hint="Check the path and the permissions.",
            reason=str(error),
        ) from error
    rows = csv.DictReader(text.split("\n"), delimiter="\t", quoting=csv.QUOTE_NONE)
    missing = [column for column in COLUMNS if column not in (rows.fieldnames or ())]
    if missing:
        raise InputError(
            "table-columns",
            "This table lacks the columns {columns}.",
            where=str(table_path),
            hint="They are: " + ", ".join(COLUMNS),
            columns=", ".join(missing),
        )
    return [_run(row) for row in rows]


def _run(row: dict[str, str | None]) -> VectorResult:
    cells = {key: value or "" for key, value in row.items()}
    try:
        got, why = _outcome(cells)
    except NetauditError as error:
        got, why = "error", str(error)
    return VectorResult(cells["id"], cells["expected"], got, why)


def _outcome(cells: dict[str, str]) -> tuple[str, str]:
    kind, subject = cells["subject_type"], _unescape(cells["subject"])
    if kind in _WORDS:
        return _WORDS[kind](subject), ""
    rules = _unescape(cells["rules"])
    if kind == "chain" and (told := _CHAIN_RULES.match(rules)):
        return _walk_chain(subject, _index(told[1], told[2]))
    if kind == "typed":
        kind, _, subject = subject.partition("=")
    if cells["format"] not in list_formats():
        return UNSUPPORTED, "netaudit does not read this format"
    if kind not in _SUBJECTS:
        return UNSUPPORTED, f"netaudit has no entries for {kind}"
    subject = subject.removeprefix("CONNECT ")
    return _find(subject, cells["context"], _index(cells["format"], rules))


def _find(subject: str, context: str, index: IndicatorIndex) -> tuple[str, str]:
    known = dict(part.split("=", 1) for part in context.split() if "=" in part)
    if context.startswith("client="):
        known = {"client": context.removeprefix("client=")}
    client = known.get("client", "")
    packed = parse_ip(client) if client else None
    hits, silenced = index.weigh(subject, qtype=known.get("qtype", ""), client=packed or client)
    if hits:
        return "yes", f"line {hits[0].line}: {hits[0].entry} ({hits[0].kind} {hits[0].covers})"
    if silenced:
        return "no", f"allowed by line {silenced[0].by.line}: {silenced[0].by.entry}"
    return "no", ""


def _walk_chain(subject: str, index: IndicatorIndex) -> tuple[str, str]:
    asked, *targets = (part.strip() for part in subject.split(">"))
    columns = {"name": [asked], "name_source": "qname", "answers": [targets]}
    found: Matches = match(conform("dns", columns, 1), index)
    if not np.size(found.row):
        return "no", ""
    return "yes", index.hit(int(found.entry[0])).entry


def _canonical(text: str) -> str:
    host = host_of(text)
    if host is None:
        return "invalid"
    return f"ip:{host}" if parse_ip(host) is not None else host


def _registrable(text: str) -> str:
    return registrable(text) or "-"


_WORDS: dict[str, Callable[[str], str]] = {"name-to-canonical": _canonical, "registrable": _registrable}
"""Subjects that are no question to a list."""


@lru_cache(maxsize=64)
def _index(format_: str, rules: str) -> IndicatorIndex:
    """The rules go through a file, as real lists do; nothing is refused for being too wide."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rules"
        path.write_bytes(rules.encode())
        return build_index([read_list_file(path, format_, "rules", "", allow_wide=True, checked=False)])


def _unescape(text: str) -> str:
    def replace(match: re.Match[str]) -> str:
        code = match[1]
        return _PLAIN_ESCAPES.get(code) or chr(int(code[1:], 16))

    return _ESCAPE.sub(replace, text)
