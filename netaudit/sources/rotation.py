"""Captures that a sniffer wrote one after another: which files are one recording, and in what order.

``dumpcap -b`` writes ``name_00001_20260101093000.pcapng``, ``tcpdump -C`` ``name.pcap``,
``name.pcap1``, …, ``tcpdump -G`` a time of day into the name, ``split`` a number. The names only
say which files may belong together; their order is that of their first packets.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import PurePath

from netaudit.errors import NetauditError
from netaudit.intake.opening import ByteStream, Identity
from netaudit.kernels.magics import is_capture
from netaudit.sources.inputs import Input

HEAD_BYTES = 64 << 10
"""Of a file, enough for the descriptions that may lie before its first packet."""
_PACKED = re.compile(r"\.(gz|xz|zst|bz2)$", re.IGNORECASE)
_STAMP = r"\d{4}-?\d\d-?\d\d(?:[-_T ]?\d\d[-:.]?\d\d(?:[-:.]?\d\d)?)?"
_STYLES = tuple(
    re.compile(style)
    for style in (
        rf"(?P<base>.*)_(?P<number>\d{{5,}})_{_STAMP}(?P<end>\.[a-zA-Z]\w*)?",  # dumpcap -b, editcap -c
        rf"(?P<base>.*?)(?P<stamp>{_STAMP}|\d{{10}})(?P<end>\.[a-zA-Z]+)(?P<number>\d*)",  # tcpdump -G
        r"(?P<base>.*[-_.])(?P<number>\d{3,})(?P<end>\.[a-zA-Z]\w*)",  # split
        r"(?P<base>.*\.(?:pcapng|pcap|cap|dmp))(?P<number>\d*)",  # tcpdump -C, -W
        r"(?P<base>[^.]*?)(?P<number>\d*)",  # the same, of a name without ending
    )
)


@dataclass(frozen=True, slots=True)
class _Begin:
    """What a capture file begins with, and what its name says."""

    place: int
    item: Input
    recording: tuple[object, ...]
    """Equal in files that may be of one recording."""
    number: int
    """The sniffer's count; -1 where the name has none."""
    ts: int


@dataclass(slots=True)
class _Series:
    members: list[_Begin] = field(default_factory=list)

    def takes(self, begin: _Begin) -> bool:
        """Whether a file that began later goes on with this recording.

        A sniffer counts up; ``tcpdump -W`` begins again at its lowest number once. A number that was
        there already is of another recording.
        """
        numbers = [member.number for member in self.members]
        is_next = begin.number > numbers[-1] or begin.number < min(numbers)
        return (is_next and begin.number not in numbers) or numbers[-1] == begin.number == -1


def series(inputs: list[Input]) -> list[list[Input]]:
    """Inputs in groups that are each one stream in order of time; most groups hold one file.

    Files of one group lie in one folder, are declared alike, have one container format and link
    type, and names that one sniffer gives. What is no capture, or begins with no packet whose time
    is known, stays alone. Groups come in the order of their first named member.

    Only the first 64 KiB of a file are read, so it is not known where it ends: two recordings of one
    name pattern are told apart by their counts, see `_Series.takes`.
    """
    places = [_begin(place, item) for place, item in enumerate(inputs)]
    begins = [begin for begin in places if begin is not None]
    groups = [[item] for item, begin in zip(inputs, places, strict=True) if begin is None]
    keyed = sorted(begins, key=lambda b: (repr(b.recording), b.ts, b.number, b.item.name))
    for _, recording in groupby(keyed, key=lambda b: b.recording):
        groups += [[b.item for b in one.members] for one in _chained(list(recording))]
    order = {id(item): place for place, item in enumerate(inputs)}
    return sorted(groups, key=lambda group: min(order[id(item)] for item in group))


def _chained(begins: list[_Begin]) -> list[_Series]:
    """Files of one name pattern, in order of time, as recordings."""
    found: list[_Series] = []
    for begin in begins:
        fitting = next((one for one in found if one.takes(begin)), None)
        if fitting is None:
            found.append(fitting := _Series())
        fitting.members.append(begin)
    return found


def _begin(place: int, item: Input) -> _Begin | None:
    try:
        size = min(item.path.stat().st_size, HEAD_BYTES) if item.path.is_file() else 0
        if not size:
            return None
        with ByteStream(Identity(item.path, item.name, "", size)) as stream:
            magic = stream.peek(4)
            if not is_capture(stream.peek(64)):
                return None
            from netaudit.sources.blocks import records

            first = next(records(stream), None)
    except (OSError, NetauditError):
        return None  # `read` says why, when its turn comes
    if first is None or first.ts is None:
        return None
    folder, pattern, number = _named(item.name)
    source = (item.source.path, item.source.site, item.source.clock_offset_s)
    recording = (folder, pattern, magic, first.link_type, source)
    return _Begin(place, item, recording, number, first.ts)


def _named(name: str) -> tuple[str, str, int]:
    """Folder, pattern and count of a file's name."""
    path = PurePath(name)
    plain = _PACKED.sub("", path.name)
    for style in _STYLES:
        if match := style.fullmatch(plain):
            parts = match.groupdict()
            pattern = f"{parts['base']}{'@' if parts.get('stamp') else ''}*{parts.get('end') or ''}"
            digits = re.sub(r"\D", "", parts.get("stamp") or "") + (parts.get("number") or "").zfill(9)
            return str(path.parent), pattern, int(digits) if digits.strip("0") or parts["number"] else -1
    return str(path.parent), plain, -1
