"""The entries of printed tables in a saved session: which line is a header, a row, more of a row, or none."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from netaudit.sources.formats._printed_table import (
    Header,
    Titles,
    Word,
    cells_of,
    is_ruler,
    known_type,
    like_address,
    like_client,
    mac_of,
    plain_port,
    read_header,
    words,
)
from netaudit.sources.formats._terminal import MAX_WIDTH, is_command, plain, prompt

HEADLESS = "A row stands before any header of a table whose titles are known."
BAD_ADDRESS = "The row of the table has no readable address."
TOO_WIDE = "The line is too long for a row of a table."
_LONGEST_HEAD = 3
_MOST_WORDS = 40
_PAIR = re.compile(r"(?P<key>[A-Za-z][\w /-]{0,30}?) *:(?: +|\Z)(?P<value>\S+(?: \S+)*)?")
_OUTER_VLAN = re.compile(r"\d{1,4}/(?:-|\d{1,4})\Z")
"""A VLAN and one inside it, which Huawei prints behind the port or on the next line."""

Cells = dict[str, str]


@dataclass(slots=True)
class Entry:
    """One entry of a table: its cells by what they are, and which device printed it."""

    cells: Cells
    line: int
    nas: str | None
    kind: str
    roles: frozenset[str]
    """All that its table tells."""


@dataclass(slots=True)
class Entries:
    """What some lines gave."""

    found: list[Entry] = field(default_factory=list)
    refused: dict[str, list[int]] = field(default_factory=dict)
    other: int = 0

    def refuse(self, reason: str, line: int) -> None:
        """Count a line that should have been an entry."""
        self.refused.setdefault(reason, []).append(line)


class TableReader:
    """Reads the lines of one session in order; keeps the header and the device between chunks.

    Args:
        titles: Of the columns.
        kind_of: What a table with some columns holds; empty where it is none to be read.
        sentence: Reads a line that is an ARP entry without any header; None where it is none.
    """

    def __init__(
        self,
        titles: Titles,
        kind_of: Callable[[frozenset[str]], str],
        sentence: Callable[[str], Cells | None],
    ) -> None:
        """Begin a session."""
        self._titles, self._kind_of, self._sentence = titles, kind_of, sentence
        self._header: Header | None = None
        self._kind = ""
        self._head: list[str] = []
        self._nas: str | None = None
        self._last: Entry | None = None
        self._block: Entry | None = None
        self._alone: tuple[int, list[Word]] | None = None
        self._out = Entries()

    def read(self, lines: Iterable[str | None]) -> Entries:
        """The entries of some lines; a chunk ends where one begins."""
        self._out = Entries()
        self._last = self._block = self._alone = None
        for number, line in enumerate(lines):
            self._feed(line or "", number)
        self._drop_alone()
        return self._out

    def _feed(self, line: str, number: int) -> None:
        if len(line) > MAX_WIDTH:
            self._out.refuse(TOO_WIDE, number)
            return
        text = plain(line)
        row = words(text)[:_MOST_WORDS]
        if not row:
            self._last = None
        elif name := prompt(text):
            self._nas, self._last = name, None
        elif is_ruler(text):
            self._take_header(text)
        elif cells := self._sentence(text):
            self._add(cells, number, "arp", frozenset(cells))
            return
        elif self._is_pair(text, number) or self._is_row(row, number) or self._more(row):
            return
        elif len(row) < _MOST_WORDS and not is_command(text):
            self._last = None
            self._head = [*self._head, text][-_LONGEST_HEAD:]
        self._out.other += 1

    def _add(self, cells: Cells, number: int, kind: str, roles: frozenset[str]) -> Entry:
        self._last = Entry(cells, number, self._nas, kind, roles)
        self._out.found.append(self._last)
        return self._last

    def _take_header(self, ruler: str) -> None:
        self._last = None
        if self._head and (found := read_header(self._head, ruler, self._titles)):
            self._header, self._kind = found, self._kind_of(frozenset(found.roles))
        self._head = []

    def _is_row(self, row: list[Word], number: int) -> bool:
        """Take a line with a hardware address, or with an address and something in place of that."""
        kinds = {word.kind for word in row}
        damaged = like_address(row)
        if self._head and (damaged or kinds & {"mac", "ip"}):
            self._take_header("")
        if self._alone is not None and "mac" in kinds and "ip" not in kinds:
            number, row = self._alone[0], [*self._alone[1], *row]
            self._alone, kinds = None, kinds | {"ip"}
        self._drop_alone()
        if "mac" not in kinds and not ("ip" in kinds and self._may_lack_mac(row)):
            return damaged and "ip" not in kinds and self._is_damaged(number)
        if self._header is None or not self._kind or ("ip" in kinds) == (self._kind == "fdb"):
            return self._is_foreign(row, kinds, number)
        if len(row) == 1 and "ip" in kinds:
            self._alone = (number, row)
            return True
        cells = cells_of(row, self._header.columns)
        _amend(cells, self._header)
        self._add(cells, number, self._kind, frozenset(self._header.roles))
        return True

    def _may_lack_mac(self, row: list[Word]) -> bool:
        """Whether a row without a hardware address is one: it says so, or the table has none, or it wraps."""
        known = self._header.roles if self._header else set()
        return (
            len(row) == 1
            or bool(known and not known & {"mac", "client"})
            or any(
                word.kind == "no-mac"
                or word.text in {"-", "--"}
                or ("client" in known and like_client(word.text))
                for word in row
            )
        )

    def _is_damaged(self, number: int) -> bool:
        """Refuse a row whose address is none."""
        if self._header is None or not self._kind:
            return False
        self._out.refuse(BAD_ADDRESS, number)
        return True

    def _is_foreign(self, row: list[Word], kinds: set[str], number: int) -> bool:
        """Refuse a row that is not of the table at hand; tables of no interest are passed over."""
        whose = any(word.kind == "mac" and mac_of(word.text) for word in row)
        if not whose or (self._header is not None and not self._kind):
            return False
        self._out.refuse(BAD_ADDRESS if self._kind and "ip" not in kinds else HEADLESS, number)
        return True

    def _drop_alone(self) -> None:
        if self._alone is not None:
            self._out.refuse(BAD_ADDRESS, self._alone[0])
            self._alone = None

    def _more(self, row: list[Word]) -> bool:
        """Take the second physical line of a row: indented beyond the first column."""
        header, entry = self._header, self._last
        if (
            entry is None
            or header is None
            or len(header.columns) < 2
            or row[0].start < header.columns[1].start
        ):
            return False
        for role, text in cells_of(row, header.below or header.columns).items():
            held = entry.cells.get(role, "")
            glue = "" if not held or text[0] in "./" or held[-1] in "./-" else " "
            if role in {"port", "client"} or (header.below and not held):
                entry.cells[role] = held + glue + text
        return True

    def _is_pair(self, text: str, number: int) -> bool:
        """Take a line of a block of ``Title : value`` that begins with an address and tells its MAC."""
        pairs = [
            (self._titles.column(m["key"], 0, 0), m["value"]) for m in _PAIR.finditer(text) if m["value"]
        ]
        cells = {column.role: value for column, value in pairs if column.role != "skip"}
        if "ip" in cells and [word.kind for word in words(cells["ip"])] == ["ip"]:
            self._last = self._block = Entry({}, number, self._nas, "arp", frozenset())
            self._out.other += 1
        elif self._block is None or self._block is not self._last or not pairs:
            return False
        had_mac = "mac" in self._block.cells
        for role, value in cells.items():
            self._block.cells.setdefault(role, value)
        if "mac" in self._block.cells and not had_mac:
            self._out.found.append(self._block)
            self._out.other -= 1
        return True


def _amend(cells: Cells, header: Header) -> None:
    """Words that stand under no title but can hardly be anything else."""
    roles = header.roles
    loose = cells.get("skip", "").split()
    if not roles & {"type", "state"} and (word := next(filter(known_type, loose), None)):
        cells["type"] = word
    if "port" not in roles and (word := next(filter(plain_port, loose), None)):
        cells["port"] = word
    port, _, behind = cells.get("port", "").partition(" ")
    if behind and any(column.role == "vlan" for column in header.below) and _OUTER_VLAN.match(behind):
        cells["port"], cells["vlan"] = port, behind
