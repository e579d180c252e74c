"""The evidence catalogue: every file gets one number, and every reference uses it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import PurePath, PureWindowsPath

from netaudit.case.case import Case
from netaudit.policy.verdict import Outcome
from netaudit.records.evidence import Evidence, EvidenceFile
from netaudit.reports.vocabulary import ExhibitFacts, LimitFacts, ListFacts, SourceFacts
from netaudit.reports.words import Words

MAX_ORDINALS = 3
MAX_SEGMENTS = 2
TRACING_KINDS = {"nat": ("nat",), "dhcp": ("dhcp", "arp"), "radius": ("radius", "wlan")}
"""What a walk-back rests on: the kind that names it, and the kinds that will do."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Numbers ``E001`` … for the letter and the files of the ledger, in that order."""

    numbers: dict[str, str]
    """File id to number."""
    letter: str
    """The letter's number, or empty."""
    words: Words
    names: dict[str, str] = field(default_factory=dict)
    """Ids of segments and sources to what papers call them."""

    def named(self, id_: str) -> str:
        """What papers call a segment or source; any other text as it is."""
        return self.names.get(id_, id_)

    def ref(self, evidence: Iterable[Evidence], total: int = 0) -> str:
        """``E003第12、15、16条、E004等9条``; a file that is in no catalogue is left out.

        Args:
            evidence: What is referred to; the first `MAX_ORDINALS` are printed.
            total: How many records there are in all, said where `evidence` holds fewer.
        """
        by_file: dict[str, set[int]] = {}
        for item in evidence:
            if item.file in self.numbers:
                by_file.setdefault(item.file, set()).add(item.ordinal)
        parts, left = [], MAX_ORDINALS
        for file in sorted(by_file, key=lambda f: self.numbers[f]):
            kept = sorted(by_file[file])[:left]
            left -= len(kept)
            listed = self.words.joined([str(n) for n in kept])
            key = "records" if kept else "file"
            parts.append(self.words.label("phrase", key, file=self.numbers[file], list=listed))
        refs = self.words.joined(parts)
        known = sum(map(len, by_file.values()))
        if max(known, total) <= MAX_ORDINALS or not refs:
            return refs
        return self.words.label("phrase", "in_all", refs=refs, n=max(known, total))

    def files(self, ids: Iterable[str]) -> str:
        """Numbers of files, in their order."""
        return self.words.ranges(self.numbers[i] for i in ids if i in self.numbers)


def catalogue_of(case: Case, words: Words) -> Catalogue:
    """Number the case's evidence."""
    has_letter = case.notice is not None and bool(case.notice.sha256)
    start = 2 if has_letter else 1
    numbers: dict[str, str] = {}
    for entry in case.ledger:
        numbers.setdefault(entry.id, f"E{start + len(numbers):03d}")
    return Catalogue(numbers, "E001" if has_letter else "", words, _names(case, numbers, words))


def _names(case: Case, numbers: dict[str, str], words: Words) -> dict[str, str]:
    """Segments by their configured names; sources by what they log, where, and their numbers."""
    segments = {id_: name for id_, name, _ in case.segments if name}
    by_source: dict[str, list[EvidenceFile]] = {}
    for entry in case.ledger:
        if entry.source and "/" not in entry.source:
            by_source.setdefault(entry.source, []).append(entry)
    names = dict(segments)
    for source, files in by_source.items():
        kinds = words.joined(
            list(dict.fromkeys(words.label("kind", kind) for f in files for kind in f.kinds))
        )
        if not kinds:
            continue
        places = list(dict.fromkeys(segments.get(s, s) for f in files for s in f.segments))
        said = words.joined(places)
        if len(places) > MAX_SEGMENTS:
            said = words.label("phrase", "segments_more", first=places[0], n=len(places))
        ref = words.ranges(numbers[f.id] for f in files)
        key = "source_of" if places else "source"
        names[source] = words.label("phrase", key, kinds=kinds, segments=said, ref=ref)
    return names


def silences(case: Case) -> tuple[tuple[str, dt.datetime, dt.datetime], ...]:
    """(source id, start, end) of the gaps within a log that a rule has found."""
    found = []
    for verdict in case.verdicts:
        values = dict(verdict.values)
        if verdict.outcome is Outcome.VIOLATED and {"source", "gap_from", "gap_to"} <= set(values):
            try:
                start, end = (dt.datetime.fromisoformat(values[key]) for key in ("gap_from", "gap_to"))
            except ValueError:
                continue
            if start.tzinfo and end.tzinfo and start < end:
                found.append((values["source"], start, end))
    return tuple(sorted(found))


def exhibits(case: Case, catalogue: Catalogue) -> tuple[ExhibitFacts, ...]:
    """The catalogue's rows."""
    words = catalogue.words
    rows = []
    if case.notice is not None and catalogue.letter:
        rows.append(
            ExhibitFacts(
                catalogue.letter,
                base_name(case.notice.file_name, words),
                words.label("phrase", "letter"),
                0,
                case.notice.sha256,
            )
        )
    seen: set[str] = set()
    for entry in case.ledger:
        if entry.id not in seen:
            seen.add(entry.id)
            rows.append(
                ExhibitFacts(
                    catalogue.numbers[entry.id],
                    base_name(entry.name, words),
                    kinds_of(entry, words),
                    entry.size,
                    entry.sha256,
                )
            )
    return tuple(rows)


def sources(case: Case, catalogue: Catalogue) -> tuple[SourceFacts, ...]:
    """What was read, one row per file."""
    words = catalogue.words
    return tuple(
        SourceFacts(
            number=catalogue.numbers[f.id],
            name=base_name(f.name, words),
            kinds=kinds_of(f, words),
            format=f.format or "—",
            span=words.span(f.first, f.last),
            records=f.records,
            skipped=sum(s.count for s in f.skipped if s.matters),
            clock=words.label("phrase", "clock", n=f"{f.clock_offset_s:+g}") if f.clock_offset_s else "—",
            sha256=f.sha256,
            complete=f.complete,
        )
        for f in case.ledger
    )


def limits(case: Case, catalogue: Catalogue) -> tuple[LimitFacts, ...]:
    """What was not read (``unread``), is not there (``gap``) or was inferred (``note``)."""
    words = catalogue.words
    rows: list[LimitFacts] = []
    for f in case.ledger:
        ref = catalogue.numbers[f.id]
        said = [words.label("phrase", "file_error", reason=words.message(f.error))] if f.error else []
        said += [words.label("phrase", "truncated")] if f.truncated else []
        rows += [LimitFacts("unread", ref, text, matters=True) for text in said]
        rows += [
            LimitFacts(
                "unread",
                ref,
                words.label("phrase", "skipped", count=s.count, reason=_unstopped(words.message(s.reason))),
                matters=True,
            )
            for s in f.skipped
            if s.matters
        ]
    notes: dict[str, list[str]] = {}
    for f in case.ledger:
        for note in f.notes:
            notes.setdefault(note, []).append(catalogue.numbers[f.id])
    rows += _missing(case, catalogue)
    rows += [
        LimitFacts("note", words.ranges(refs), _unstopped(words.message(note)), matters=False)
        for note, refs in notes.items()
    ]
    return tuple(rows)


def _missing(case: Case, catalogue: Catalogue) -> list[LimitFacts]:
    """Kinds of log that were never given, and spans that no log covers."""
    words = catalogue.words
    rows = []

    def add(ref: str, key: str, **values: object) -> None:
        rows.append(LimitFacts("gap", ref, words.label("phrase", key, **values), matters=True))

    for kind, kinds in TRACING_KINDS.items():
        name = words.label("kind", kind)
        mine = [f for f in case.ledger if set(f.kinds) & set(kinds) and f.first and f.last]
        if not mine:
            add("", "no_log", kind=name)
        for start, end in gaps(mine):
            ref = catalogue.files(f.id for f in mine if f.last == start or f.first == end)
            add(ref, "gap", kind=name, start=words.moment(start), end=words.moment(end))
    for source, start, end in silences(case):
        add("", "silent", source=catalogue.named(source), start=words.moment(start), end=words.moment(end))
    flows = [f for f in case.ledger if "flow" in f.kinds and f.first and f.last]
    others = [f for f in case.ledger if f not in flows and f.first and f.last]
    first = min((f.first for f in flows if f.first), default=None)
    last = max((f.last for f in flows if f.last), default=None)
    if first and last and any((f.first and f.first < first) or (f.last and f.last > last) for f in others):
        ref = catalogue.files(f.id for f in flows)
        kind = words.label("kind", "flow")
        add(ref, "only_span", kind=kind, start=words.moment(first), end=words.moment(last))
    return rows


def _unstopped(text: str) -> str:
    """A message without its full stop, to stand within a sentence."""
    return text.rstrip(".。")


def gaps(
    files: Iterable[EvidenceFile], least: dt.timedelta = dt.timedelta(minutes=30)
) -> list[tuple[dt.datetime, dt.datetime]]:
    """Spans longer than `least` between files of one kind that no file covers."""
    spans = sorted((f.first, f.last) for f in files if f.first and f.last)
    merged: list[tuple[dt.datetime, dt.datetime]] = []
    for start, end in spans:
        if merged and start - merged[-1][1] <= least:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return [(before[1], after[0]) for before, after in pairwise(merged)]


def lists(case: Case, words: Words) -> tuple[ListFacts, ...]:
    """The block lists in use."""
    return tuple(
        ListFacts(v.list_id, v.title.in_(words.locale), v.entries, v.date or "—", v.sha256)
        for v in case.lists
    )


def kinds_of(entry: EvidenceFile, words: Words) -> str:
    """The kinds of record in a file, in words."""
    return words.joined([words.label("kind", k) for k in entry.kinds]) or "—"


def base_name(name: str, words: Words) -> str:
    """A file's name without its folders (they may name persons), addresses masked."""
    return words.masked(PureWindowsPath(PurePath(name).name).name or name)
