"""The visits that a letter names: times, addresses, ports and names put together into clues.

A value belongs to the clue whose sentence, table row or block of ``label: value`` lines it stands
in. Whose an address is, is read from its label or from its side of the verb (访问, visited). What
cannot be told apart is left out and said in `Clue.missing`.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from netaudit.case.letter_times import (
    APPROXIMATE,
    DAY,
    NO_ZONE,
    SECOND,
    YEAR_TAKEN,
    Moment,
    find_moments,
)
from netaudit.case.notice import Clue
from netaudit.records.addresses import format_ip, parse_ip
from netaudit.records.names import normalise

NO_TIME = "The letter gives no time for the visit."
NO_SECONDS = "The letter gives the time only to the minute; the exact second narrows the search."
NO_CLOCK = "The letter gives the time only to the hour or the day; the exact second is needed."
NO_ADDRESS = "The letter does not name our public address."
NO_PORT = "The letter names no source port; behind address translation it decides which device it was."
NO_DESTINATION = "The letter names no destination address or name."
WHOSE = "The letter names an address or port without saying whose it is; it was not used."
ONE_FOR_ALL = "What the letter names only once (an address, a destination) was taken for every visit."

MAX_CLUES = 1_000
TOO_MANY = "The letter names more visits than can be read; only the first thousand were."
MAX_UNIT = 4_000

_OURS = r"(?:源(?:公网)?(?:IP|地址)|公网|出口|贵单位|你单位|我单位|你局|source(?:\s+(?:ip|address))?|public|your|egress)"
_THEIRS = r"(?:目的|目标|对端|远端|境外|服务器|解析(?:为|到)|destination|dst|remote|server|resolv\w+)"
_ADDRESS = re.compile(
    r"(?<![A-Za-z0-9_.])(?<![0-9A-Fa-f]:)(?P<ip>(?:\d{1,3}\.){3}\d{1,3}|(?:[0-9a-f]{0,4}:){3,7}[0-9a-f]{0,4})(?::(?P<port>\d{1,5})(?!\d))?(?![A-Za-z0-9_]|\.\d)",
    re.IGNORECASE,
)
_URL = re.compile(
    r"(?<![A-Za-z])(?:https?|ftp|wss?)://(?P<host>[^\s/:,;()<>\"'，。；、）]+)(?::(?P<port>\d{1,5}))?[^\s,;()<>，。；、）]*",
    re.IGNORECASE,
)
_NAME = re.compile(
    r"(?<![A-Za-z0-9_@.-])(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z][a-z0-9-]{1,62}(?![A-Za-z0-9_@-])",
    re.IGNORECASE,
)
_HAN_NAME = re.compile(r"(?:域名|domain)\s*[:为是]?\s*(?P<host>[\w-]+(?:\.[\w-]+)+)", re.IGNORECASE)
_PORT = re.compile(
    rf"(?:(?P<ours>源端口|源\s?port|source\s+port|src\s?port|sport)|(?P<theirs>(?:{_THEIRS})(?:端的?)?\s?(?:端口|port))|dport(?P<d>)"
    r"|(?:端口|(?<![A-Za-z])port))(?:号)?\s*[:为是=]?\s*(?P<port>\d{1,5})(?!\d)",
    re.IGNORECASE,
)
_TRANSPORT = re.compile(r"(?<![A-Za-z])(TCP|UDP|ICMP)(?![A-Za-z])", re.IGNORECASE)
_VERB = re.compile(r"访问|连接|解析|通信|浏览|visit|access|contact|connect|reach|browse", re.IGNORECASE)
_FILES = frozenset(
    ["doc", "docx", "xls", "xlsx", "pdf", "txt", "csv", "rar", "jpg", "png", "wps", "et", "pcap", "log"]
)
_DEFANGED = (
    (
        re.compile(r"(?<![A-Za-z])h(?:xx|\*\*|tt)p(s?)\s?(?:\[:\]|:)(?://|\[//\])", re.IGNORECASE),
        r"http\1://",
    ),
    (
        re.compile(
            r"\s?(?:\[\s?(?:\.|。|dot|点)\s?\]|【\s?(?:\.|。|dot|点)\s?】|\((?:\.|dot)\)|\{\.\})\s?",
            re.IGNORECASE,
        ),
        ".",
    ),
    (re.compile(r"\[:\]"), ":"),
)
_LABEL = re.compile(r"\s*(?:[-•·*]\s*)?(?P<label>[\u4e00-\u9fffA-Za-z /]{1,20})\s?[:=]\s?(?=\S)")
_ITEM = re.compile(r"\s*(?:\(?\d{1,3}[.、)]|[(（]?[一二三四五六七八九十]{1,3}[)）、]|[①-⑳])")


@dataclass(frozen=True, slots=True)
class _Value:
    """One address, port or name with its place and its owner: ``ours``, ``theirs`` or unknown."""

    start: int
    kind: str
    """``ip``, ``port``, ``name`` or ``transport``."""
    value: str
    owner: str = ""


def refang(text: str) -> str:
    """``hxxp://bad[.]example`` and its kin in their live form."""
    for pattern, live in _DEFANGED:
        text = pattern.sub(live, text)
    return text


def read_clues(
    lines: Iterable[str], zone: dt.tzinfo, *, before: dt.date | None, zone_stated: bool = False
) -> tuple[tuple[Clue, ...], tuple[str, ...]]:
    """The clues of a letter in its order, and how they were read (message ids).

    Args:
        lines: Lines in ASCII punctuation (`letter.plain`).
        zone: Zone of times without one.
        before: The letter's date.
        zone_stated: Whether the letter gives `zone` for all its times.
    """
    clues: list[Clue] = []
    notes: set[str] = set()
    loose: list[_Value] = []
    for words in _units(lines):
        unit = refang(words)
        moments = find_moments(unit, zone, before=before)
        values = _values(unit, [(m.start, m.end) for m in moments])
        if moments and (values or any(m.precision_s < DAY for m in moments)):
            clues += _together(words, moments, values)
            notes |= {n for m in moments for n in m.notes if n == YEAR_TAKEN}
        else:
            loose += values
    if not clues and any(v.owner or v.kind == "name" for v in loose):
        clues, loose = [_fill(Clue(), loose)], []
    if len(clues) > MAX_CLUES:
        notes.add(TOO_MANY)
    kept = [_share(clue, loose, notes) for clue in clues[:MAX_CLUES]]
    kept = [c for c in kept if c.public_ip or c.dst_ip or c.dst_name or c.port]
    return tuple(_with_missing(c, zone_stated=zone_stated) for c in kept), tuple(sorted(notes))


def _units(lines: Iterable[str]) -> list[str]:
    """Sentences; neighbouring ``label: value`` lines are one unit until a label comes again."""
    units: list[str] = []
    labels: set[str] = set()
    for line in lines:
        label = _LABEL.match(line)
        if label and len(line) < 120 and not re.search(r"。(?!\s?[\]】]|\Z)", line):
            name = label["label"].strip()
            if labels and name not in labels and len(units[-1]) < MAX_UNIT:
                units[-1] += "; " + line
            else:
                units.append(line)
                labels = set()
            labels.add(name)
            continue
        labels = set()
        units += [s for s in re.split(r"。(?!\s?[\]】])|[!?]|(?<=[a-z)])\.\s", line) if s.strip()]
    return units


def _values(unit: str, taken: list[tuple[int, int]]) -> list[_Value]:
    """Every address, port, name and transport of a unit outside the spans `taken`, in order."""
    spans = list(taken)
    found = _targets(unit, spans)
    found += _addresses(unit, spans)
    for match in _PORT.finditer(unit):
        if _take(spans, match.start("port"), match.end()):
            found.append(_Value(match.start(), "port", match["port"], _port_owner(match, unit, found)))
    found += _names(unit, spans)
    found += [_Value(m.start(), "transport", m[1].lower(), "ours") for m in _TRANSPORT.finditer(unit)]
    return _settle(sorted(found, key=lambda v: v.start))


def _take(spans: list[tuple[int, int]], start: int, end: int) -> bool:
    """Claim a span of the text; False where something has it already."""
    if any(end > low and start < high for low, high in spans):
        return False
    spans.append((start, end))
    return True


def _targets(unit: str, spans: list[tuple[int, int]]) -> list[_Value]:
    found: list[_Value] = []
    for match in _URL.finditer(unit):
        spans.append(match.span())
        found += _destination(match["host"], match["port"], match.start())
    return found


def _addresses(unit: str, spans: list[tuple[int, int]]) -> list[_Value]:
    found: list[_Value] = []
    for match in _ADDRESS.finditer(unit):
        packed = parse_ip(match["ip"])
        if packed is None or not _take(spans, *match.span()):
            continue
        owner = _owner(unit, match.start())
        found.append(_Value(match.start(), "ip", format_ip(packed), owner))
        if match["port"]:
            found.append(_Value(match.start("port"), "port", match["port"], owner))
    return found


def _names(unit: str, spans: list[tuple[int, int]]) -> list[_Value]:
    found: list[_Value] = []
    for pattern in (_HAN_NAME, _NAME):
        for match in pattern.finditer(unit):
            text = match.groupdict().get("host") or match[0]
            name = None if text.rsplit(".", 1)[-1].lower() in _FILES else normalise(text)
            if name and _take(spans, *match.span()):
                found.append(_Value(match.start(), "name", name, "theirs"))
    return found


def _destination(host: str, port: str | None, start: int) -> list[_Value]:
    packed, name = parse_ip(host), normalise(host)
    if packed is None and name is None:
        return []
    value = (
        _Value(start, "ip", format_ip(packed), "theirs")
        if packed
        else _Value(start, "name", name or "", "theirs")
    )
    return [value, *([_Value(start + 1, "port", port, "theirs")] if port else [])]


def _owner(unit: str, start: int) -> str:
    """Whose address stands at `start`: by the nearest label before it, else by the verb."""
    near = re.split(r"[;,、]", unit[max(0, start - 24) : start])[-1]
    ours = [m.end() for m in re.finditer(_OURS, near, re.IGNORECASE)]
    theirs = [m.end() for m in re.finditer(_THEIRS, near, re.IGNORECASE)]
    if ours or theirs:
        return "ours" if max(ours, default=0) > max(theirs, default=0) else "theirs"
    verb = _VERB.search(unit)
    if verb is None:
        return ""
    return "ours" if start < verb.start() else "theirs"


def _port_owner(match: re.Match[str], unit: str, found: list[_Value]) -> str:
    if match["ours"]:
        return "ours"
    if match["theirs"] or match["d"] is not None:
        return "theirs"
    before = [v for v in found if v.kind in {"ip", "name"} and v.start < match.start()]
    nearest = max(before, key=lambda v: v.start, default=None)
    if nearest is None:
        return ""
    between = unit[nearest.start + len(nearest.value) : match.start()]
    return nearest.owner if re.fullmatch(r"[\s(,、的:]{0,4}", between) else ""


def _settle(values: list[_Value]) -> list[_Value]:
    """A plain address beside a named destination is ours; other unlabelled values stay open."""
    has_target = any(v.owner == "theirs" and v.kind in {"ip", "name"} for v in values)
    open_ = [v for v in values if v.kind == "ip" and not v.owner]
    ours = any(v.kind == "ip" and v.owner == "ours" for v in values)
    if len(open_) == 1 and has_target and not ours:
        ports = {v.start for v in values if v.kind == "port" and not v.owner and v.start > open_[0].start}
        return [replace(v, owner="ours") if v is open_[0] or v.start in ports else v for v in values]
    return values


_SLOTS = {
    ("ip", "ours"): "public_ip",
    ("ip", "theirs"): "dst_ip",
    ("port", "ours"): "port",
    ("port", "theirs"): "dst_port",
    ("name", "theirs"): "dst_name",
    ("transport", "ours"): "transport",
}


def _together(words: str, moments: list[Moment], values: list[_Value]) -> list[Clue]:
    """Clues of one unit: values named once hold for each of its times, else they go in order."""
    slots = [_SLOTS.get((v.kind, v.owner), "") for v in values]
    repeated = any(slots.count(s) > 1 for s in slots if s)
    if not repeated or len(moments) == 1:
        return [_fill(_timed(m, words), values) for m in moments]
    groups: list[tuple[list[Moment], list[_Value]]] = [([], [])]
    seen: set[str] = set()
    items: list[Moment | _Value] = [*moments, *values]
    for item in sorted(items, key=lambda i: i.start):
        slot = "at" if isinstance(item, Moment) else _SLOTS.get((item.kind, item.owner), "")
        if slot and slot in seen:
            groups.append(([], []))
            seen = set()
        seen.add(slot)
        if isinstance(item, Moment):
            groups[-1][0].append(item)
        else:
            groups[-1][1].append(item)
    return [_fill(_timed(m[0], words) if m else Clue(text=words.strip()), v) for m, v in groups]


def _timed(moment: Moment, words: str) -> Clue:
    missing = (APPROXIMATE,) if APPROXIMATE in moment.notes else ()
    return Clue(
        at=moment.at,
        until=moment.until,
        precision_s=moment.precision_s,
        zone_stated=moment.zone_stated,
        text=words.strip(),
        missing=missing,
    )


def _fill(clue: Clue, values: list[_Value]) -> Clue:
    changes: dict[str, Any] = {}
    open_ = False
    for value in values:
        slot = _SLOTS.get((value.kind, value.owner))
        if slot is None or (slot in changes and str(changes[slot]) != value.value):
            open_ = True
        elif value.kind == "port":
            if 0 < int(value.value) < 65_536:
                changes.setdefault(slot, int(value.value))
        else:
            changes.setdefault(slot, value.value)
    filled = replace(clue, **changes)
    return replace(filled, missing=(*filled.missing, WHOSE)) if open_ else filled


def _share(clue: Clue, loose: list[_Value], notes: set[str]) -> Clue:
    """Fill what this clue lacks with what the letter names exactly once outside the clues."""
    changes: dict[str, Any] = {}
    for slot, beside in (("public_ip", ""), ("dst_ip", "dst_name"), ("dst_name", "dst_ip")):
        once = {v.value for v in loose if _SLOTS.get((v.kind, v.owner)) == slot}
        taken = getattr(clue, slot) or (beside and getattr(clue, beside))  # it has its own destination
        if len(once) == 1 and not taken:
            changes[slot] = next(iter(once))
    if changes:
        notes.add(ONE_FOR_ALL)
    return replace(clue, **changes)


def _with_missing(clue: Clue, *, zone_stated: bool) -> Clue:
    missing = set(clue.missing)
    if clue.at is None:
        missing.add(NO_TIME)
    elif clue.precision_s != SECOND:
        missing.add(NO_SECONDS if clue.precision_s == 60 else NO_CLOCK)
    if clue.at is not None and not (clue.zone_stated or zone_stated) and clue.precision_s != DAY:
        missing.add(NO_ZONE)
    if not clue.public_ip:
        missing.add(NO_ADDRESS)
    if clue.port is None:
        missing.add(NO_PORT)
    if not (clue.dst_ip or clue.dst_name):
        missing.add(NO_DESTINATION)
    return replace(clue, zone_stated=clue.zone_stated or zone_stated, missing=tuple(sorted(missing)))
