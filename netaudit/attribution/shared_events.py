"""Events that two sources may both have seen, as keys that are equal in both.

Which columns name the same event in which kinds of record says `KEYS`. Of an event only a number
made of these columns (64 bits) and its time are kept. When a key has more than `EVENTS` of them,
half of the numbers are given up, the same half everywhere, so that what is left can still be
compared; rare events are as good as frequent ones.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netaudit.attribution.columns import SECOND
from netaudit.records.addresses import to_bytes
from netaudit.records.schemas import kind_of

EVENTS = 1_000_000
"""Of one key, over all sources; 20 bytes each."""
SAME = 2 * SECOND
"""A source that says an event again within this time (query and response, sent again) says it once."""
_WORD_BYTES = 512
"""Of a text, that count; a DNS name has at most 1,009 with all its escapes, and differs before."""


class Event(StrEnum):
    """Sorts of event, and by what they are told apart."""

    LOOKUP = "look-ups (client, port, name, type)"
    LOOKUP_WITHOUT_PORT = "look-ups (client, name, type)"
    CONNECTION = "connections (both addresses and ports)"
    LEASE = "leases (MAC and address)"
    SESSION = "sessions (MAC and session id)"
    ASSOCIATION = "associations (MAC)"


@dataclass(frozen=True, slots=True)
class View:
    """How one kind of record names an event."""

    kind: str
    columns: tuple[str, ...]
    messages: str = ""
    """Pattern of the messages of records that tell it, in any case; empty = all."""


@dataclass(frozen=True, slots=True)
class Key:
    """One sort of event."""

    event: Event
    views: tuple[View, ...]


_TUPLE = ("client_ip", "client_port", "server_ip", "server_port")
_GIVEN = r"(?:.*/)?ack|reply|active|lease6?|allocated|(?:bootp-)?assign|renew"
_BEGUN = (
    r"(?:.*[ _/-])?(?:start|session|accept|(?:re)?associat(?:ed|ion)|assoc|connected|online|login(?: ok)?)"
)
_NOT_OVER = r"(?!.*(?:destroy|delete|teardown|close|\bend|over|den[iy]|drop|block|update|entry)).*"

KEYS: tuple[Key, ...] = (
    Key(Event.LOOKUP, (View("dns", ("client_ip", "client_port", "name", "qtype")),)),
    Key(Event.LOOKUP_WITHOUT_PORT, (View("dns", ("client_ip", "name", "qtype")),)),
    Key(
        Event.CONNECTION,
        (
            View("nat", _TUPLE, _NOT_OVER),
            View("nat", ("public_ip", "public_port", "server_ip", "server_port"), _NOT_OVER),
            View("flow", _TUPLE),
        ),
    ),
    Key(Event.LEASE, (View("dhcp", ("client_mac", "client_ip"), _GIVEN),)),
    Key(
        Event.SESSION,
        (
            View("radius", ("client_mac", "session"), _BEGUN),
            View("wlan", ("client_mac", "session"), _BEGUN),
        ),
    ),
    Key(
        Event.ASSOCIATION,
        (View("radius", ("client_mac",), _BEGUN), View("wlan", ("client_mac",), _BEGUN)),
    ),
)
"""The sharpest first. The columns of a key's views stand for each other in their order. A proxy
stamps the end of a request and a switch's table the moment of printing: these name no shared event."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one source saw of one key: sorted by number, then time; each event once."""

    number: np.ndarray
    """``(n,)`` uint64."""
    time: np.ndarray
    """``(n,)`` int64 nanoseconds."""


@dataclass(slots=True)
class _Kept:
    level: int = 0
    """Numbers whose so many lowest bits are not all zero were given up."""
    count: int = 0
    parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = field(default_factory=list)
    """Numbers, times, codes of files."""

    def add(self, number: np.ndarray, time: np.ndarray, file: np.ndarray, most: int) -> None:
        keep = self._mine(number)
        self.parts.append((number[keep], time[keep], file[keep]))
        self.count += int(keep.sum())
        while self.count > most and self.level < 63:
            self.level += 1
            mine = [self._mine(number) for number, _, _ in self.parts]
            self.parts = [(n[m], t[m], f[m]) for (n, t, f), m in zip(self.parts, mine, strict=True)]
            self.count = sum(len(part[0]) for part in self.parts)

    def _mine(self, number: np.ndarray) -> np.ndarray:
        kept: np.ndarray = number & np.uint64((1 << self.level) - 1) == 0
        return kept


class SharedEvents:
    """Add every batch of events, then ask for what each source saw."""

    def __init__(self, most: int = EVENTS) -> None:
        """Start with nothing; `most` events of a key are kept."""
        self._most = most
        self._files: dict[str, int] = {}
        self._kept = {event: _Kept() for event in Event}

    def add(self, batch: pa.RecordBatch) -> None:
        """Add a batch of any kind of record."""
        kind = kind_of(batch)
        views = [(key.event, view) for key in KEYS for view in key.views if view.kind == kind]
        if not views or not batch.num_rows:
            return
        time, timed = _values(batch.column("ts").cast(pa.int64())), _known(batch.column("ts"))
        names = sorted({name for _, view in views for name in view.columns})
        numbers = {name: (_numbers(batch.column(name)), _known(batch.column(name))) for name in names}
        files = self._codes(batch.column("file"))
        for event, view in views:
            wanted = timed.copy()
            number = np.zeros(batch.num_rows, np.uint64)
            for place, name in enumerate(view.columns):
                wanted &= numbers[name][1]
                number = _mixed(number + np.uint64(place + 1)) ^ numbers[name][0]
            if view.messages:
                wanted &= _says(batch.column("message"), view.messages)
            self._kept[event].add(_mixed(number[wanted]), time[wanted], files[wanted], self._most)

    def _codes(self, names: pa.DictionaryArray) -> np.ndarray:
        codes = [self._files.setdefault(name, len(self._files)) for name in names.dictionary.to_pylist()]
        found: np.ndarray = np.array(codes, np.int32)[_values(names.indices)]
        return found

    def seen(self, source_of: Mapping[str, str]) -> dict[Event, dict[str, Seen]]:
        """By event and source, what was seen.

        Args:
            source_of: The source of each file, by id; files that are not named are left out.
        """
        names = sorted(set(source_of.values()))
        places = {name: place for place, name in enumerate(names)}
        code = np.full(len(self._files) + 1, -1, np.int64)
        for id_, place in self._files.items():
            if id_ in source_of:
                code[place] = places[source_of[id_]]
        out: dict[Event, dict[str, Seen]] = {}
        for event, kept in self._kept.items():
            if not kept.parts:
                continue
            number, time, file = (np.concatenate([part[i] for part in kept.parts]) for i in range(3))
            source = code[file]
            order = np.lexsort((time, number, source))
            number, time, source = number[order], time[order], source[order]
            bounds = np.searchsorted(source, np.arange(len(names) + 1))
            spans = zip(names, bounds, bounds[1:], strict=False)
            out[event] = {n: _once(number[a:b], time[a:b]) for n, a, b in spans if b > a}
        return out


def _once(number: np.ndarray, time: np.ndarray) -> Seen:
    again = (np.diff(number) == 0) & (np.diff(time) <= SAME)
    keep = np.append(True, ~again)
    return Seen(number[keep], time[keep])


def _says(words: pa.DictionaryArray, pattern: str) -> np.ndarray:
    """``(n,)`` bool; no message says nothing else."""
    said = re.compile(pattern, re.IGNORECASE | re.DOTALL)
    texts = [(word or "")[:_WORD_BYTES] for word in words.dictionary.to_pylist()]
    fits = np.array([bool(said.fullmatch(text)) for text in texts], bool)
    nulls = bool(said.fullmatch(""))
    found: np.ndarray = np.append(fits, nulls)[
        pc.fill_null(words.indices, -1).to_numpy(zero_copy_only=False)
    ]
    return found


def _known(column: pa.Array) -> np.ndarray:
    known: np.ndarray = column.is_valid().to_numpy(zero_copy_only=False)
    return known


def _values(column: pa.Array) -> np.ndarray:
    """A column of whole numbers, 0 for null."""
    values: np.ndarray = pc.fill_null(column, 0).to_numpy(zero_copy_only=False)
    return values


def _numbers(column: pa.Array) -> np.ndarray:
    """``(n,)`` uint64, equal where the values are; any number for null."""
    if pa.types.is_dictionary(column.type):
        words = np.append(
            _of_words(column.dictionary), np.zeros(1, np.uint64)
        )  # there may be no word at all
        numbers: np.ndarray = words[_values(column.indices)]
        return numbers
    if pa.types.is_fixed_size_binary(column.type):
        octets = to_bytes(column)
        wide = np.zeros((len(octets), -(-octets.shape[1] // 8) * 8), np.uint8)
        wide[:, : octets.shape[1]] = octets
        out = np.zeros(len(octets), np.uint64)
        for half in wide.view(np.uint64).T:
            out = _mixed(out ^ half)
        return out
    return _mixed(_values(column.cast(pa.uint64())))


def _of_words(words: pa.StringArray) -> np.ndarray:
    words = pc.fill_null(pc.binary_slice(words.cast(pa.binary()), 0, _WORD_BYTES), b"")
    _, offsets_of, octets_of = words.buffers()
    count = len(words)
    if not count:
        return np.zeros(0, np.uint64)
    ends = np.frombuffer(offsets_of, np.int32)[words.offset : words.offset + count + 1].astype(np.int64)
    octets = np.frombuffer(octets_of or b"", np.uint8)[ends[0] : ends[-1]].astype(np.uint64)
    length = np.diff(ends)
    place = np.arange(len(octets)) - np.repeat(ends[:-1] - ends[0], length)
    summed = np.concatenate((np.zeros(1, np.uint64), np.cumsum((octets + np.uint64(1)) * _WEIGHT[place])))
    at = ends - ends[0]
    return _mixed(summed[at[1:]] - summed[at[:-1]] + length.astype(np.uint64))


def _mixed(number: np.ndarray) -> np.ndarray:
    """The finisher of splitmix64: every bit depends on every bit."""
    number = (number ^ (number >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    number = (number ^ (number >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: np.ndarray = number ^ (number >> np.uint64(31))
    return mixed


_WEIGHT = _mixed(
    np.arange(1, _WORD_BYTES + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
) | np.uint64(1)
