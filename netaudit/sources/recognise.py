"""Which format a file has: by its content, never by its name."""

from __future__ import annotations

from typing import Any

from netaudit.errors import UnknownFormatError
from netaudit.intake.lines import detect_encoding
from netaudit.intake.log_format import LogFormat
from netaudit.plugins import discover

FAMILY = "netaudit.sources.formats"
SURE = 0.5
NUL_SHARE = 0.05
"""Share of NUL octets from which a file is no text; a log may hold a few, after datagrams."""
_KNOWN_AS = {
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"%PDF": "a PDF document",
    b"\x7fELF": "a program",
    b"MZ": "a program",
    b"7\x7f\x06": "a database's write-ahead log, which is read together with its database",
    b"\x18\xe2-\0": "the shared memory of a database, which says nothing by itself",
    b"GIF8": "a GIF picture",
    b"\xd0\xcf\x11\xe0": "an old office document",
    b"PAR1": "a Parquet file",
}


def formats() -> dict[str, LogFormat]:
    """All log formats by name."""
    return discover(FAMILY)


def tables() -> frozenset[str]:
    """Tables of databases that some format reads."""
    return frozenset(name for member in formats().values() for name in member.tables)


def named(name: str) -> LogFormat:
    """The format called `name`.

    Raises:
        UnknownFormatError: There is none of that name.
    """
    import difflib

    known = formats()
    if name not in known:
        near = difflib.get_close_matches(name, known, 1)
        raise UnknownFormatError(
            "format-unknown",
            "There is no format {name}.",
            hint="Did you mean {near}?" if near else "See: netaudit formats list",
            name=name,
            near=near[0] if near else "",
        )
    return known[name]


def recognise(lines: list[str], where: str) -> str:
    """Name of the one format that these first lines are of.

    Raises:
        UnknownFormatError: None is sure enough, or two are equally sure.
    """
    scores = {name: member.sniff(lines) for name, member in formats().items()}
    best = max(scores.values(), default=0.0)
    winners = sorted(name for name, score in scores.items() if score == best)
    if best <= SURE:
        tried: Any = ", ".join(n for n, s in scores.items() if s > 0)
        raise UnknownFormatError(
            "format-not-recognised",
            "No format that netaudit knows fits the content of this file.",
            where=where,
            hint="Name it with --input-format (see: netaudit formats list). Nearest: {tried}"
            if tried
            else "Name it with --input-format (see: netaudit formats list).",
            tried=tried,
        )
    if len(winners) > 1:
        raise UnknownFormatError(
            "format-ambiguous",
            "Two formats fit this file equally well: {names}.",
            where=where,
            hint="Name the right one with --input-format.",
            names=", ".join(winners),
        )
    return winners[0]


def refuse_binary(head: bytes, where: str) -> None:
    """Say what a file that is no text and no capture is.

    Raises:
        UnknownFormatError: The file is no text.
    """
    for magic, what in _KNOWN_AS.items():
        if head.startswith(magic):
            raise UnknownFormatError(
                "not-evidence",
                "This is {what}, neither a capture nor a log.",
                where=where,
                hint="Give the capture, log or table itself.",
                what=what,
            )
    if head.count(b"\0") > len(head) * NUL_SHARE and not detect_encoding(head).startswith("utf-16"):
        raise UnknownFormatError(
            "not-text",
            "This file is neither a capture nor text.",
            where=where,
            hint="Give the capture, log or table itself.",
        )
