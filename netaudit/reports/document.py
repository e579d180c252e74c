"""The block tree that writers print: what a paper says, without how any format says it."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, StrEnum

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


class RunKind(StrEnum):
    """Why a stretch of text stands out."""

    TEXT = "text"
    MISSING = "missing"
    """A visible placeholder for what only people know."""


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of text in one face."""

    text: str
    bold: bool = False
    kind: RunKind = RunKind.TEXT


Runs = tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class Title:
    """The paper's title, broken into lines by meaning."""

    lines: tuple[Runs, ...]


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading; `number` is what the layout counts, such as ``（一）``."""

    level: int
    runs: Runs
    number: str = ""
    rest: Runs = ()
    """Text that follows in the same paragraph."""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph. Roles: ``body``, ``addressee``, ``mark``, ``note``, ``caption``."""

    runs: Runs
    role: str = "body"


@dataclass(frozen=True, slots=True)
class BulletList:
    """Items without an order."""

    items: tuple[Runs, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table; `widths` are relative, one per column."""

    head: tuple[Runs, ...]
    rows: tuple[tuple[Runs, ...], ...]
    widths: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """A span of time in a chart row."""

    start: dt.datetime
    end: dt.datetime
    gap: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment in a chart row, explained in the text by its label (``E01``)."""

    at: dt.datetime
    label: str


@dataclass(frozen=True, slots=True)
class ChartRow:
    """One log of the time-line: when it covers, where it has gaps, what matched."""

    label: str
    """ASCII: fonts for anything else may be absent where the chart is drawn."""
    bars: tuple[Bar, ...]
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True)
class Chart:
    """A time-line: x is the time of day in `zone`, one row per log, a line at the notice's moment."""

    rows: tuple[ChartRow, ...]
    start: dt.datetime
    end: dt.datetime
    moment: dt.datetime | None
    until: dt.datetime | None
    """End of the span that the notice's precision allows."""
    moment_label: str
    timezone: str
    description: str = ""
    """For readers who cannot see it, in the paper's language."""


class StepKind(Enum):
    """How a box of a chain is drawn."""

    START = "start"
    HELD = "held"
    OPEN = "open"
    """More than one answer."""
    BROKEN = "broken"
    """No answer: the chain passes it by."""
    END = "end"
    LOST = "lost"
    """The end where nothing was reached: no arrow leads past a broken step to it."""


@dataclass(frozen=True, slots=True)
class ChainLine:
    """A line within a box: what is said, under which word."""

    label: str
    text: str
    strong: bool = False


@dataclass(frozen=True, slots=True)
class ChainStep:
    """One box of a chain."""

    kind: StepKind
    title: str
    state: str
    """What came of it, in a few words; or empty."""
    lines: tuple[ChainLine, ...]


@dataclass(frozen=True, slots=True)
class ChainReason:
    """Why a chain goes no further, and what would have made the next step possible."""

    text: str
    needed: str


@dataclass(frozen=True, slots=True)
class Chain:
    """A walk-back drawn: boxes from the question to how far the answer holds, and the reasons beneath.

    All texts are visible ones (`visible`), in the paper's language, and as masked as the paper.
    """

    title: str
    steps: tuple[ChainStep, ...]
    reasons_title: str
    reasons: tuple[ChainReason, ...]
    locale: str
    description: str = ""
    """The chain in one line, for readers who cannot see it."""


@dataclass(frozen=True, slots=True)
class AttachmentList:
    """The names of the attachments, after the body (附件说明)."""

    names: tuple[Runs, ...]


@dataclass(frozen=True, slots=True)
class Annex:
    """The start of an attachment on a new page."""

    label: Runs
    title: Runs


@dataclass(frozen=True, slots=True)
class Signature:
    """Who signs, and the date."""

    name: Runs
    date: Runs


@dataclass(frozen=True, slots=True)
class PageBreak:
    """A new page."""


Block = (
    Title
    | Heading
    | Paragraph
    | BulletList
    | Table
    | Chart
    | Chain
    | AttachmentList
    | Annex
    | Signature
    | PageBreak
)


@dataclass(frozen=True, slots=True)
class Document:
    """One paper."""

    id: str
    title: str
    locale: str
    layout: str
    date: dt.datetime
    """The case's `as_of`, aware; the date of every file property."""
    blocks: tuple[Block, ...]
    audience: str = "regulator"
    creator: str = ""
    facts: dict[str, object] = field(default_factory=dict)
    """What the paper was printed from, for writers that programs read."""

    def runs(self) -> Iterator[Run]:
        """Every run of the paper, in reading order."""
        for block in self.blocks:
            yield from _runs_of(block)

    def placeholders(self) -> tuple[str, ...]:
        """What people still have to supply, in reading order, each once."""
        return tuple(dict.fromkeys(r.text for r in self.runs() if r.kind is RunKind.MISSING))


def visible(text: str) -> str:
    r"""`text` with control, bidi and other invisible characters, and lone surrogates, as ``\u202e``."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        (f"\\u{ord(c):04x}" if ord(c) < 0x10000 else f"\\U{ord(c):08x}")
        if unicodedata.category(c) in _HIDDEN
        else c
        for c in text
    )


def text_of(runs: Runs) -> str:
    """The runs' text without their faces."""
    return "".join(run.text for run in runs)


def _runs_of(block: Block) -> Iterator[Run]:  # noqa: C901 -- one case per kind of block
    match block:
        case Title(lines) | BulletList(lines) | AttachmentList(lines):
            for line in lines:
                yield from line
        case Heading(runs=runs, rest=rest):
            yield from (*runs, *rest)
        case Paragraph(runs=runs):
            yield from runs
        case Table(head, rows):
            for row in (head, *rows):
                for cell in row:
                    yield from cell
        case Annex(first, second) | Signature(first, second):
            yield from (*first, *second)
        case Chain():
            yield from map(Run, _texts_of(block))
        case Chart() | PageBreak():
            pass


def _texts_of(chain: Chain) -> Iterator[str]:
    yield chain.title
    for step in chain.steps:
        yield from (step.title, step.state)
        for line in step.lines:
            yield from (line.label, line.text)
    if chain.reasons:
        yield chain.reasons_title
    for reason in chain.reasons:
        yield from (reason.text, reason.needed)
