"""Which format a file has: by its content, never by its name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from netaudit.config import Settings
from netaudit.errors import UnknownFormatError
from netaudit.intake.lines import detect_encoding
from netaudit.intake.log_format import LogFormat
from netaudit.plugins import discover
from netaudit.sources.declared import name_taken, read_formats

FAMILY = "netaudit.sources.formats"
SURE = 0.5
CLOSE = 0.2
"""A format whose confidence is so little below the best is told of."""
CAPTURES = ("pcap", "pcapng")
_NO_OTHERS: Mapping[str, LogFormat] = MappingProxyType({})
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
    """The log formats that netaudit ships, by name."""
    return discover(FAMILY)


def own_formats(settings: Settings) -> dict[str, LogFormat]:
    """The office's own formats by name; none where the configuration names no folder.

    Raises:
        ConfigError: A file that cannot be used, or that has the name of a shipped format.
    """
    folders = [settings.folder / folder for folder in settings.formats.folders]
    own = read_formats(folders)
    taken = sorted(set(own) & {*formats(), *CAPTURES}) if own else []
    if taken:
        raise name_taken(taken[0], ", ".join(str(folder) for folder in folders))
    return own


def _all(own: Mapping[str, LogFormat]) -> dict[str, LogFormat]:
    return {**formats(), **own}


def tables() -> frozenset[str]:
    """Tables of databases that some format reads."""
    return frozenset(name for member in formats().values() for name in member.tables)


def named(name: str, own: Mapping[str, LogFormat] = _NO_OTHERS) -> LogFormat:
    """The format called `name`, of those that netaudit ships and the office's `own`.

    Raises:
        UnknownFormatError: There is none of that name.
    """
    import difflib

    known = _all(own)
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


def confidences(lines: list[str], own: Mapping[str, LogFormat] = _NO_OTHERS) -> dict[str, float]:
    """How sure each format is of these first lines, the surest first; those above 0 only."""
    scores = {name: member.sniff(lines) for name, member in _all(own).items()}
    return dict(sorted(((n, s) for n, s in scores.items() if s > 0), key=lambda pair: (-pair[1], pair[0])))


def recognise(
    lines: list[str],
    where: str,
    own: Mapping[str, LogFormat] = _NO_OTHERS,
    scores: Mapping[str, float] | None = None,
) -> str:
    """Name of the one format that these first lines are of.

    Of an `own` format and a shipped one that are equally sure it is the office's: it can only be so
    sure where the marker that the office chose stands in the file.

    Args:
        lines: The first lines of a file.
        where: The file, for messages.
        own: The office's own formats.
        scores: `confidences`, where they are known already.

    Raises:
        UnknownFormatError: None is sure enough, or two are equally sure.
    """
    scores = confidences(lines, own) if scores is None else scores
    best = max(scores.values(), default=0.0)
    winners = sorted(name for name, score in scores.items() if score == best)
    winners = [name for name in winners if name in own] or winners
    if best <= SURE:
        tried = ", ".join(f"{name} ({score:.0%})" for name, score in list(scores.items())[:3])
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
