"""Tables that commands of network devices print: titles over columns, rows that may wrap.

No maker's layout is built in. A header is recognised by its titles (`Titles` says which mean what),
over one line or several, with or without a ruler below. The words of a row are then given to the
columns in order, each to the one that it stands under and that it looks like, at the least cost in
total: rows stray from their header, cells are empty, names hold blanks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

from netaudit.records.addresses import parse_ip, parse_mac
from netaudit.sources.formats._terminal import is_command

_MAX_WORDS = 60
_MOST_COLUMNS = 24
_NEVER = 10_000.0
_MAC = re.compile(
    r"(?:[0-9a-f]{1,2}(?::[0-9a-f]{1,2}){5}|[0-9a-f]{2}(?:-[0-9a-f]{2}){5}"
    r"|[0-9a-f]{4}(?P<mark>[.:-])[0-9a-f]{4}(?P=mark)[0-9a-f]{4}|[0-9a-f]{6}[-:.][0-9a-f]{6}|[0-9a-f]{12})\Z",
    re.IGNORECASE,
)
_LIKE_ADDRESS = re.compile(
    r"(?:\w{4}([.-])\w{4}\1\w{4}|\w{2}([:-])(?:\w{2}\2){4}\w{2}|\d+\.\d+\.\d+\.\d+)\Z", re.ASCII
)
_NO_MAC = re.compile(
    r"[<(]?(?:incomplete|incomp|none|unresolved|no)[)>]?\Z|[<(](?:incomplete|none)", re.IGNORECASE
)
_RULER = re.compile(r"[\s+|]*[-=]{2,}(?:[\s+|]+[-=]{2,})*[\s+|]*\Z")
_LEGEND = re.compile(r" [-=] |[\t,;].*[\t,;]|: |:\Z|^\s*#")
_TYPE = re.compile(
    r"(?:dynamic|static|self|learnt?|learned|permanent|secure|sticky|system|management|mgmt|local|other|gateway"
    r"|动态|静态|[a-z][a-z_-]*)(?:[(,/].*)?\Z",
    re.IGNORECASE,
)
_KNOWN_TYPE = re.compile(
    r"(?:dynamic|static|self|learnt|learned|permanent|secure|sticky|system|management)\b", re.IGNORECASE
)
_VLAN = re.compile(
    r"\*?\d{1,4}(?:/\S*)?\Z|all\Z|n/a\Z|-{1,3}\Z|[*+]\Z|vl(?:an)?\d*\Z|/--?\Z", re.IGNORECASE
)
_AGE = re.compile(
    r"[\d:.smhdwy]*\d[\d:.smhdwy]*\Z|-{1,2}\Z|n/a\Z|(?:no)?aged\Z|aging\Z|expired\Z|permanent\Z",
    re.IGNORECASE,
)
_PORT = re.compile(r"[A-Za-z-]{0,30}\d+(?:[/.:_-]\w*\d)*[,;]?\Z")
_PLAIN_PORT = re.compile(r"[A-Za-z-]{2,30}\d+(?:[/.:]\d+)*\Z|\d+(?:[/:]\d+)+\Z")
_CLIENT = re.compile(r"(?:[0-9a-f]{2,4}[.:-]){2,}(?:[0-9a-f]{1,4})?\Z", re.IGNORECASE)

_LOOKS = {
    "vlan": _VLAN,
    "age": _AGE,
    "type": _TYPE,
    "state": _TYPE,
    "port": _PORT,
    "client": _CLIENT,
    "margin": re.compile(r".*\D"),
}
"""What most words in a column look like."""


@dataclass(frozen=True, slots=True)
class Word:
    """A run of characters without blanks, and where it stands."""

    text: str
    start: int
    end: int
    kind: str = ""
    """``mac``, ``ip``, ``no-mac`` (what is printed in place of one), or nothing of these."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: what it holds, how good a title says so (0 is best), where it stands."""

    role: str
    rank: int
    start: int
    end: int


class Titles:
    """Which titles mean which column.

    Args:
        unwanted: Titles of tables that are of another kind; a header with one is none.
        roles: Titles by column, separated by commas, the best first, lower case. The column ``skip``
            holds titles that must be known only because they have several words.
    """

    def __init__(self, unwanted: str = "", **roles: str) -> None:
        """Learn the titles."""
        self.of: dict[str, tuple[str, int]] = {}
        for role, phrases in roles.items():
            for rank, phrase in enumerate(phrases.split(",")):
                self.of[phrase.strip()] = (role, rank)
        self.unwanted = frozenset(phrase.strip() for phrase in unwanted.split(","))
        self.most_words = max(phrase.count(" ") for phrase in self.of) + 1

    def column(self, phrase: str, start: int, end: int) -> Column:
        """The column under a title; an unknown title's is passed over."""
        name = " ".join(phrase.lower().split()).strip("*: /")
        endings = (name[at:] for at in (m.end() for m in re.finditer(" ", name)))
        known = (self.of.get(part) for part in (name, name.partition("(")[0].strip(), *endings))
        role, rank = next((found for found in known if found), ("skip", 0))
        return Column(role, rank, start, end)


@dataclass(slots=True)
class Header:
    """The columns of a table."""

    columns: list[Column] = field(default_factory=list)
    below: list[Column] = field(default_factory=list)
    """Of the second physical line of its rows, where the header names any."""

    @property
    def roles(self) -> set[str]:
        """What the table holds."""
        return _roles(self.columns)


def words(line: str) -> list[Word]:
    """The words of a line."""
    return [Word(m[0], m.start(), m.end(), _kind(m[0])) for m in re.finditer(r"\S+", line)]


@lru_cache(1 << 14)
def _kind(text: str) -> str:
    bare = text.strip("()[]")
    if _MAC.match(bare):
        return "mac"
    if ("." in bare or ":" in bare) and len(bare) < 80 and parse_ip(bare) is not None:
        return "ip"
    return "no-mac" if _NO_MAC.match(text) else ""


def mac_of(text: str) -> bytes | None:
    """The hardware address in a cell; broadcast and zero are nobody's."""
    return parse_mac(text.strip("()[] "))


def read_header(lines: list[str], ruler: str, titles: Titles) -> Header | None:
    """The header that some lines above a row hold; None where they hold none.

    Args:
        lines: The last lines with text, without values in them.
        ruler: The line of dashes between them and the row; may be empty.
        titles: What is known.
    """
    spans = [(m.start(), m.end()) for m in re.finditer(r"[-=]{2,}", ruler)]
    best: Header | None = None
    for first in range(len(lines)):
        for last in range(first, len(lines)):
            part = lines[first : last + 1]
            if any(_LEGEND.search(line) or is_command(line) for line in part):
                continue
            columns = max(
                (
                    titled(part, titles),
                    _ruled(part, spans, titles) if 1 < len(spans) <= _MOST_COLUMNS else [],
                ),
                key=lambda found: (len(_roles(found)), len(found)),
            )
            roles = _roles(columns)
            if (
                len(roles) < 2
                or len(columns) > _MOST_COLUMNS
                or not (roles & {"mac", "client"} or roles >= {"ip", "lease"})
            ):
                continue
            if best is None or len(roles) > len(best.roles):
                rest = lines[last + 1 : last + 2]
                best = Header(columns, [c for c in titled(rest, titles) if c.role in {"vlan", "port"}])
    joined = " ".join(" ".join(lines).lower().split())
    return None if any(f" {name} " in f" {joined} " for name in titles.unwanted) else best


def _roles(columns: list[Column]) -> set[str]:
    return {column.role for column in columns} - {"skip", "margin"}


def titled(lines: list[str], titles: Titles) -> list[Column]:
    """Columns by the titles alone; titles of several lines that stand over one another are one."""
    if not lines:
        return []
    groups: list[tuple[str, int, int]] = []
    for line in lines:
        for phrase, start, end in _phrases(line, titles):
            over = [g for g in groups if g[1] < end and start < g[2]]
            groups = [g for g in groups if g not in over]
            text = " ".join([*(g[0] for g in over), phrase])
            groups.append((text, min([start, *(g[1] for g in over)]), max([end, *(g[2] for g in over)])))
    columns = [titles.column(*group) for group in sorted(groups, key=lambda g: g[1])]
    margin = [Column("margin", 0, 0, columns[0].start)] if columns and columns[0].start > 1 else []
    return [*margin, *columns]


@lru_cache(256)
def _phrases(line: str, titles: Titles) -> list[tuple[str, int, int]]:
    """The titles of one line: the longest known ones; unknown words that one blank parts are one."""
    found: list[tuple[str, int, int]] = []
    todo = words(line)[:_MAX_WORDS]
    unknown = False
    while todo:
        size = next(
            (n for n in range(min(titles.most_words, len(todo)), 0, -1) if _is_known(todo[:n], titles)), 0
        )
        taken = todo[: size or 1]
        text, start, end = " ".join(w.text for w in taken), taken[0].start, taken[-1].end
        if not size and unknown and start == found[-1][2] + 1:
            found[-1] = (f"{found[-1][0]} {text}", found[-1][1], end)
        else:
            found.append((text, start, end))
        unknown = not size
        todo = todo[size or 1 :]
    return found


def _is_known(some: list[Word], titles: Titles) -> bool:
    if any(b.start != a.end + 1 for a, b in pairwise(some)):
        return False
    name = " ".join(w.text for w in some).lower().strip("*: /")
    return name in titles.of


def _ruled(lines: list[str], spans: list[tuple[int, int]], titles: Titles) -> list[Column]:
    """Columns by the dashes of the ruler; the title of each is what stands over it."""
    columns = []
    for start, end in spans:
        over = [w.text for line in lines for w in words(line) if w.start < end and start < w.end]
        columns.append(titles.column(" ".join(over), start, end))
    return columns


def cells_of(row: list[Word], columns: list[Column]) -> dict[str, str]:
    """The words of a row by what they are: given to the columns in order at the least total cost.

    Of several columns with one role the best titled that is not empty counts. Words under no known
    title are kept as ``skip``.
    """
    texts: dict[int, str] = {}
    for word, at in zip(row, _assigned(row, columns), strict=True):
        texts[at] = f"{texts[at]} {word.text}" if at in texts else word.text
    best: dict[str, tuple[int, str]] = {}
    for at, text in sorted(texts.items()):
        column = columns[at]
        if column.role == "skip" and "skip" in best:
            best["skip"] = (0, f"{best['skip'][1]} {text}")
        elif column.role not in best or column.rank < best[column.role][0]:
            best[column.role] = (column.rank, text)
    return {role: text for role, (_, text) in best.items()}


def _assigned(row: list[Word], columns: list[Column]) -> list[int]:
    """The column of each word, never to the left of the word's before (dynamic programming)."""
    has = frozenset(column.role for column in columns)
    costs = [0.0] * len(columns)
    back: list[list[int]] = []
    for number, word in enumerate(row):
        gap = word.start - row[number - 1].end if number else 0
        here, origin, least, left = [], [], _NEVER * _NEVER, 0
        for at, column in enumerate(columns):
            best, come = (costs[at] + _beside(gap, column), at) if number else (0.0, at)
            if number and least + (gap == 1) < best:
                best, come = least + (gap == 1), left
            if costs[at] < least:
                least, left = costs[at], at
            here.append(best + _distance(word, column) + _misfit(word.text, word.kind, column.role, has))
            origin.append(come)
        costs = here
        back.append(origin)
    at = min(range(len(columns)), key=lambda c: costs[c])
    path = []
    for origin in reversed(back):
        path.append(at)
        at = origin[at]
    return path[::-1]


def _beside(gap: int, column: Column) -> float:
    """Cost of a second word in one cell: cells are parted by more than one blank, mostly."""
    return _NEVER if column.role in {"mac", "ip"} else 6.0 * (gap > 1 and column.role != "index")


def _distance(word: Word, column: Column) -> float:
    return float(min(max(0, column.start - word.end + 1, word.start - column.end + 1), 30))


@lru_cache(1 << 14)
def _misfit(text: str, kind: str, role: str, has: frozenset[str]) -> float:
    """How little a word looks like what a column holds; 0 where it does."""
    if kind in {"mac", "ip"}:
        own = {"mac", "client"} if kind == "mac" else {"ip"}
        return 0.0 if role in own else _NEVER if has & own else 30.0
    if role in {"mac", "ip"}:
        return 0.0 if role == "mac" and (kind == "no-mac" or text == "-") else _NEVER
    if role not in {"type", "state", "age"} and has & {"type", "state"} and _KNOWN_TYPE.match(text):
        return 20.0
    if role in _LOOKS and not _LOOKS[role].match(text):
        return _strangeness(text, role)
    return 10.0 if role == "skip" and "port" in has and _PLAIN_PORT.match(text) else 0.0


def _strangeness(text: str, role: str) -> float:
    """Cost of a word that does not look like what most words of a column do."""
    if role == "port":  # CPU, Router
        return 4.0 if any(map(str.isdigit, text)) else 0.5
    if role == "vlan" and text[0].isalpha():  # VLANs have names, too
        return 3.0
    return 8.0 if role in {"type", "state"} else 12.0


def is_ruler(line: str) -> bool:
    """Whether a line is drawn and not written."""
    return bool(_RULER.match(line))


def like_address(row: list[Word]) -> bool:
    """Whether some word has the shape of an address and is none."""
    return any(not w.kind and _LIKE_ADDRESS.match(w.text) for w in row)


def like_client(text: str) -> bool:
    """Whether a word has the shape of a DHCP client identifier in hex, or of the first part of one."""
    return len(text) > 11 and bool(_CLIENT.match(text))


def plain_port(text: str) -> bool:
    """Whether a word can hardly be anything but the name of a port."""
    return bool(_PLAIN_PORT.match(text))


def known_type(text: str) -> bool:
    """Whether a word says how an entry came into a table."""
    return bool(_KNOWN_TYPE.match(text))
